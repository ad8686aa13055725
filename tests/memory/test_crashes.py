"""A few crashes of each kind; `python -m tests.memory.crashes` runs thousands."""

import shutil
import sys

import pytest

from tests.memory import crashes


@pytest.mark.slow
def test_kills_lose_nothing() -> None:
    assert sum(crashes.kills(6, seed=11)) > 6


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="a disk is simulated on Linux, with a C compiler")
@pytest.mark.parametrize("kind", ["cuts", "faults"])
def test_a_bad_disk_loses_nothing(kind: str) -> None:
    assert sum(crashes.cuts(10, seed=7, calls=12) if kind == "cuts" else crashes.faults(3, seed=5, calls=8)) > 0

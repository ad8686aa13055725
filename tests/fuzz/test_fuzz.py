"""Every parser, fuzzed for a moment; `python -m tests.fuzz --seconds 300` does it for longer."""

import sys

import pytest

from tests.fuzz.parsers import PARSERS
from tests.fuzz.run import fuzzed

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]


@pytest.mark.parametrize("name", [name for name in PARSERS if name not in ("nir", "database")])
def test_whatever_a_file_holds_the_error_is_named(name: str) -> None:
    row = fuzzed(name, 2.0, seed=1)
    assert row.faults == {}
    assert row.refused > 0


def test_whatever_a_nir_graph_holds_the_error_is_named() -> None:
    pytest.importorskip("nir")
    row = fuzzed("nir", 2.0, seed=1)
    assert row.faults == {}
    assert row.refused > 0

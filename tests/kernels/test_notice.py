"""A line before the kernels are compiled for the first time, once, and none where numba's cache has them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spikemem.kernels import NOTICE

SIMULATE = """
import sys
from spikemem import LIF, Network, Population, simulate
sys.stderr.isatty = lambda: {terminal}
net = Network(dt=1.0)
net.add(Population("cells", 2, LIF(tau=20.0)))
simulate(net, {{"cells": [0.3]}}, steps=5)
"""


def started(cache: Path, terminal: bool) -> int:
    """How often a process that simulates says that it compiles.   cache: numba's folder.   terminal: whether stderr is one."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    made = subprocess.run(
        [sys.executable, "-c", SIMULATE.format(terminal=terminal)], capture_output=True, text=True, check=True, env=environment
    )
    assert made.stderr.replace(NOTICE, "").strip() == "", made.stderr
    return made.stderr.count(NOTICE)


@pytest.mark.slow
def test_a_cold_start_says_once_that_it_compiles_and_a_warm_one_does_not(tmp_path: Path) -> None:
    assert started(tmp_path / "cold", terminal=False) == 0
    assert started(tmp_path / "cache", terminal=True) == 1
    assert started(tmp_path / "cache", terminal=True) == 0

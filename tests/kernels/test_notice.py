"""A line before the kernels are compiled for the first time, once, and none where numba's cache has them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spikemem.kernels import NOTICE

COMPILE = """
import sys
import numpy as np
sys.stderr.isatty = lambda: {terminal}
from spikemem.kernels import cpu
found = cpu.spiking(np.ones((1, 2), bool))
cpu.scatter_dense(found, 1, np.ones((2, 2)), np.zeros((1, 2)))
"""
"""Two small kernels of the event-driven simulator."""


def started(cache: Path, terminal: bool) -> int:
    """How often a process that runs kernels says that it compiles.   cache: numba's folder.   terminal: whether stderr is one."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    made = subprocess.run(
        [sys.executable, "-c", COMPILE.format(terminal=terminal)], capture_output=True, text=True, check=True, env=environment
    )
    assert made.stderr.replace(NOTICE, "").strip() == "", made.stderr
    return made.stderr.count(NOTICE)


@pytest.mark.slow
def test_a_cold_start_says_once_that_it_compiles_and_a_warm_one_does_not(tmp_path: Path) -> None:
    assert started(tmp_path / "cold", terminal=False) == 0
    assert started(tmp_path / "cache", terminal=True) == 1
    assert started(tmp_path / "cache", terminal=True) == 0

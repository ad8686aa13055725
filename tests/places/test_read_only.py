"""A package that cannot be written to, of a user without a home: everything runs, and one line says that nothing is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spikemem
from spikemem.kernels import NO_CACHE

USE = """
import numpy as np
import spikemem
from spikemem import LIF, Memory, Network, Population, simulate

net = Network(dt=1.0)
net.add(Population("cells", 2, LIF(tau=20.0)))
print(len(simulate(net, {"cells": [0.3]}, steps=5)["cells"]), spikemem.__file__)
"""


def _installed(folder: Path) -> Path:
    """A copy of the package whose folders take no new file: what Python and numba write would go into files of that name."""
    home = Path(spikemem.__file__).parent
    shutil.copytree(home, folder / "spikemem", ignore=shutil.ignore_patterns("__pycache__"))
    for inner in [path for path in (folder / "spikemem").rglob("*") if path.is_dir()] + [folder / "spikemem"]:
        (inner / "__pycache__").touch()
    (folder / "models").symlink_to(home.parent / "models")
    (folder / "tests").symlink_to(home.parent / "tests")
    return folder


@pytest.mark.slow
def test_without_any_cache_a_simulation_runs_and_one_line_says_so(tmp_path: Path) -> None:
    nowhere = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache", "MPLCONFIGDIR": str(tmp_path), "PYTHONPATH": ""}
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"} | nowhere
    made = subprocess.run(
        [sys.executable, "-c", USE], capture_output=True, text=True, cwd=_installed(tmp_path), env=environment, timeout=300
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.split() == ["2", str(tmp_path / "spikemem" / "__init__.py")]
    assert made.stderr.strip() == NO_CACHE

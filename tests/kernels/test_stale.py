"""Kernels in the cache that were compiled from other sources are compiled anew."""

import os
from pathlib import Path

import pytest
from numba.core.caching import FunctionCache

from spikemem import kernels
from spikemem.kernels import drop_stale


@pytest.mark.skipif(not kernels.CACHE, reason="kernels are kept nowhere")
def test_the_cache_in_use_says_what_it_was_made_from() -> None:
    """As it is looked at when the package is imported."""
    told = (Path(FunctionCache(kernels._keeps).cache_path) / "spikemem-kernels.txt").read_text()
    source = Path(kernels.__file__).with_name("engrams.py")
    assert repr((source.name, source.stat().st_mtime_ns, source.stat().st_size)) in told


def test_kernels_of_changed_sources_go(tmp_path: Path) -> None:
    folder, source = tmp_path / "cache", tmp_path / "kernel.py"
    source.write_text("")
    drop_stale(folder, [source])  # there is no folder yet
    folder.mkdir()
    drop_stale(folder, [source])
    kept = [folder / "a.f-1.py311.nbi", folder / "a.f-1.py311.1.nbc"]
    for path in kept:
        path.touch()
    drop_stale(folder, [source])
    assert all(path.exists() for path in kept)
    os.utime(source, ns=(1, 1))
    drop_stale(folder, [source])
    assert not any(path.exists() for path in kept)

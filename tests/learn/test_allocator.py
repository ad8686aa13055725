"""Memory that is freed stays with the process."""

import ctypes
import resource
import sys

import pytest
import torch

from spikemem.learn import allocator


@pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="there is no glibc")
def test_a_freed_block_is_not_cleared_anew() -> None:
    allocator.keep()

    def faults(steps: int) -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(steps):
            torch.ones(2_000_000)  # 8 MB, 2,000 pages
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    faults(2)
    assert faults(20) < 6_000

"""Work of kernels that hold no GIL, shared among threads: of Python's, which any number of callers may use at once and a fork survives."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

from numba import config


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "spikemem")


def _in_child() -> None:
    """Make a forked child usable: it has none of its parent's threads, and OpenMP, which torch computes with, would wait for them."""
    _pool.cache_clear()
    if hasattr(torch := sys.modules.get("torch"), "set_num_threads"):
        torch.set_num_threads(1)  # type: ignore[union-attr]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def shared(work: Callable[[int, int], None], items: int, threads: int) -> None:
    """Call work(first, last) for all items, in `threads` parts that run at once; all of them have ended when this returns or raises."""
    if threads == 1 or items < 2:
        work(0, items)
        return
    width = -(-items // threads)
    parts = [_pool(threads).submit(work, first, min(first + width, items)) for first in range(0, items, width)]
    try:
        for part in parts:
            part.result()
    finally:
        wait(parts)  # an interrupt leaves no thread behind that writes on


def in_threads(kernel: Callable[..., None], n: int, *given: object) -> None:
    """Run a kernel over 0 to n, in parts: kernel(first, last, *given), compiled with nogil.

    (Numba's own `parallel=True` compiles for half a minute. Its OpenMP kills a forked child, and its work queue two threads that compute.)
    """
    shared(lambda first, last: kernel(first, last, *given), n, config.NUMBA_NUM_THREADS)

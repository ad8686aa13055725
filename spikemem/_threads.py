"""Work of kernels that hold no GIL, shared among threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "spikemem")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads


def shared(work: Callable[[int, int], None], items: int, threads: int) -> None:
    """Call work(first, last) for all items, in `threads` parts that run at once."""
    if threads == 1 or items < 2:
        work(0, items)
        return
    width = -(-items // threads)
    list(_pool(threads).map(lambda first: work(first, min(first + width, items)), range(0, items, width)))

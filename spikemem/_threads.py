"""Work of kernels that hold no GIL, shared among threads."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "spikemem")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads


def shared(work: Callable[[int, int], None], items: int) -> None:
    """work(first, last) for all items, in as many parts as torch uses threads."""
    threads = torch.get_num_threads()
    if threads == 1 or items < 2:
        work(0, items)
        return
    width = -(-items // threads)
    list(_pool(threads).map(lambda first: work(first, min(first + width, items)), range(0, items, width)))

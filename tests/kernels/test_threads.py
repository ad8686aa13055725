"""Threads and processes: many threads compute at once, a forked child computes, and Ctrl-C comes out as what it is."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from spikemem.errors import interruptible
from spikemem.kernels.threads import shared

MADE = """
import collections, multiprocessing, os, random, signal, threading
import numpy as np
from spikemem import LIF, Hippocampus, KWinners, Network, Population, load_model, simulate
from spikemem.network import sparse_random

vectors = np.random.default_rng(0).normal(size=(60, 384))
memory = Hippocampus(load_model("hippocampus-small"))
memory.store(vectors)
right = memory.recall(vectors, 3).ids.tolist()
"""


def printed(script: str, seconds: float = 180.0) -> str:
    """What a script prints in a process of its own, after it has stored and recalled."""
    made = subprocess.run([sys.executable, "-c", MADE + textwrap.dedent(script)], capture_output=True, text=True, timeout=seconds)
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_after_a_recall_recalls_and_so_do_the_workers_of_a_pool() -> None:
    script = """
    child = os.fork()
    if not child:
        os._exit(0 if memory.recall(vectors, 3).ids.tolist() == right else 3)
    print(os.waitpid(child, 0)[1])

    def recalled(i):
        return memory.recall(vectors, 3).ids.tolist() == right

    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(pool.map_async(recalled, range(6)).get(60))
    """
    assert printed(script).split("\n")[:2] == ["0", str([True] * 6)]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_after_torch_has_computed_in_threads_computes() -> None:
    script = """
    import torch
    torch.set_num_threads(4)
    torch.sin(torch.zeros(10**6)).sum()
    child = os.fork()
    if not child:
        torch.sin(torch.zeros(10**6)).sum()
        os._exit(0)
    print(os.waitpid(child, 0)[1])
    """
    assert printed(script).strip() == "0"


@pytest.mark.slow
def test_eight_threads_recall_at_once_whatever_layer_numba_has() -> None:
    script = """
    found = []
    threads = [threading.Thread(target=lambda: found.extend(memory.recall(vectors, 3).ids.tolist() == right for _ in range(5)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(found), all(found))
    """
    assert printed("import numba\nnumba.config.THREADING_LAYER = 'workqueue'" + textwrap.dedent(script)).strip() == "40 True"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_interrupts_come_out_of_recalls_and_simulations_as_keyboard_interrupts() -> None:
    script = """
    net = Network(1.0)
    net.add(Population("a", 20))
    net.add(Population("b", 200, LIF(), KWinners(k=5)))
    net.connect("a", "b", sparse_random(8))
    calls = [lambda: memory.recall(vectors[:1]), lambda: memory.store(vectors[:1]), lambda: simulate(net, {"a": np.full(20, 0.2)}, 50)]
    for call in calls:
        call()
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    random.seed(0)
    seen = collections.Counter()
    for call in calls:
        for _ in range(60):
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.004))
                while True:
                    call()
            except BaseException as error:
                seen[type(error).__name__] += 1
    print(dict(seen))
    """
    script = script.replace("np.full(20, 0.2)}, 50)", "np.full((50, 20), 0.2)}, 50)")
    assert printed(script).strip() == "{'KeyboardInterrupt': 180}"


def test_an_interrupt_behind_a_system_error_comes_out_and_another_system_error_stays() -> None:
    raised = SystemError("returned a result with an exception set")
    raised.__cause__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise raised
    with pytest.raises(SystemError, match="another"), interruptible():
        raise SystemError("another")


def test_all_parts_have_ended_when_one_fails() -> None:
    done: list[int] = []

    def work(first: int, last: int) -> None:
        if first == 0:
            raise ValueError("the first part")
        done.append(first)

    with pytest.raises(ValueError, match="the first part"):
        shared(work, 8, 4)
    assert sorted(done) == [2, 4, 6]

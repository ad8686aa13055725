"""A memory that many share: threads, asyncio, forks, processes, and interrupts at any moment."""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from spikemem import Memory
from spikemem.errors import SpikememError, StoreError, UnknownMemoryError
from spikemem.kernels.locks import SharedLock
from tests.conftest import Open
from tests.fakes import FakeEmbedder
from tests.memory.test_memory import agrees

THREADS, CALLS = 16, 10


def mixed_calls(memory: Memory, seed: int, calls: int, threads: int = THREADS) -> dict[int, str]:
    """Threads that call at random; returns what must be there afterwards: the texts of all that was acknowledged and not forgotten."""
    there, linked, guard = dict[int, str](), Counter[tuple[int, int]](), threading.Lock()
    start = threading.Barrier(threads)

    def work(thread: int) -> None:
        rng, own = np.random.default_rng([seed, thread]), list[int]()
        start.wait()
        for call in range(calls):
            what = rng.choice(["store", "store_all", "recall", "forget", "associate", "consolidate", "update", "look"], p=WEIGHTS)
            text = f"thread {thread} call {call} of {seed}"
            if what == "store":
                own.append(memory.store(text, cues=[f"{text} ~cue"]))
                with guard:
                    there[own[-1]] = text
            elif what == "store_all":
                new = memory.store_all([f"{text} {i}" for i in range(3)], sessions=["a"] * 3)
                own.extend(new)
                with guard:
                    there.update({i: f"{text} {n}" for n, i in enumerate(new)})
            elif what == "recall" and own:
                i = int(rng.choice(own))
                hit = memory.recall(memory[i], top_k=1)[0]
                assert (hit.id, hit.text) == (i, there[i])
            elif what == "forget" and own:
                i = own.pop(int(rng.integers(len(own))))
                with guard:
                    del there[i]
                memory.forget(i)
                with pytest.raises(UnknownMemoryError):
                    memory[i]
            elif what == "associate" and len(own) > 1:
                a, b = (int(i) for i in rng.choice(own, 2, replace=False))
                memory.associate(a, b)
                with guard:
                    linked[a, b] += 1
            elif what == "consolidate" and thread == 0:
                memory.consolidate()
            elif what == "update" and own:
                old = own.pop(int(rng.integers(len(own))))
                own.append(memory.update(old, text))
                with guard:
                    there[own[-1]] = text
                assert memory.recall(there[old], history=True, top_k=1)[0].id == old
            else:
                assert len(memory) >= len(own)
                assert all(i in memory for i in own)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, thread) for thread in range(threads)]:
            done.result()
    links = {pair for pair in memory._store.links() if set(pair) <= set(there)}
    assert links == {pair for pair in linked if set(pair) <= set(there)}
    return there


WEIGHTS = (0.2, 0.1, 0.3, 0.1, 0.1, 0.02, 0.08, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_threads_lose_nothing(path: Path, open_memory: Open, seed: int) -> None:
    memory = open_memory()
    there = mixed_calls(memory, seed, CALLS)
    assert {i: memory[i] for i in memory} == there
    agrees(memory)
    memory.close()
    again = open_memory()
    assert {i: again[i] for i in again} == there
    for i, text in there.items():
        if again.get(i).current:
            assert again.recall(text, top_k=1)[0].id == i


def test_sessions_of_threads_are_apart(open_memory: Open) -> None:
    memory = open_memory()

    def talk(thread: int) -> list[int]:
        return memory.store_conversation([[(f"T{thread}", f"{session} {i}") for i in range(3)] for session in range(2)])

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(talk, range(8)))
    sessions = [{memory.get(i).session for i in part} for of in ids for part in (of[:3], of[3:])]
    assert all(len(s) == 1 for s in sessions)
    assert len(set.union(*sessions)) == 16  # type: ignore[arg-type]


def test_recalls_run_side_by_side(open_memory: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory()
    memory.store_all([f"thought {i}" for i in range(20)])
    both, recall = threading.Barrier(2, timeout=20), memory.hippocampus.recall

    def meeting(*args: object, **kwargs: object) -> object:
        both.wait()  # breaks where one recall waits for the other
        return recall(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(memory.hippocampus, "recall", meeting)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda i: memory.recall(f"thought {i}", top_k=1)[0].id, [3, 4]))
    assert found == [3, 4]


def test_asyncio(open_memory: Open) -> None:
    memory = open_memory()

    async def gathered() -> tuple[list[int], list[str]]:
        ids = await asyncio.gather(*(memory.astore(f"thought {i}", metadata={"n": i}) for i in range(16)))
        hits = await asyncio.gather(*(memory.arecall(f"thought {i}", top_k=1) for i in range(16)))
        return ids, [found[0].text for found in hits]

    ids, texts = asyncio.run(gathered())
    assert sorted(ids) == list(range(16))
    assert texts == [f"thought {i}" for i in range(16)]
    agrees(memory)


# -- forks -----------------------------------------------------------------------------------------------------------------------------

FORK = """
import os, sys
from spikemem import Memory
from spikemem.errors import StoreError
from tests.fakes import FakeEmbedder

path = None if sys.argv[1] == "RAM" else sys.argv[1]
memory = Memory.open(path, "hippocampus-small", embedder=FakeEmbedder())
memory.store_all([f"thought {i}" for i in range(40)])
memory.recall("thought 3")
child = os.fork()
if not child:
    if memory.recall("thought 3", top_k=1)[0].id != 3:
        os._exit(1)
    for change in (lambda: memory.store("another thought"), lambda: memory.get(3), lambda: memory.consolidate()):
        try:
            change()
            os._exit(2)
        except StoreError as error:
            if "fork" not in str(error):
                os._exit(3)
    os._exit(0)
assert memory.recall("thought 4", top_k=1)[0].id == 4
_, status = os.waitpid(child, 0)
memory.store("the parent goes on")
if path:  # the child held nothing of its parent's lock
    memory.close()
    Memory.open(path, embedder=FakeEmbedder()).close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize("where", ["RAM", "file"])
def test_a_fork_recalls_and_is_refused_changes(path: Path, where: str) -> None:
    done = subprocess.run([sys.executable, "-c", FORK, "RAM" if where == "RAM" else str(path)], timeout=120, check=False)
    assert done.returncode == 0


# -- interrupts ------------------------------------------------------------------------------------------------------------------------

VERBS: list[Callable[[Memory, int], object]] = [
    lambda memory, n: memory.store(f"one more {n}", cues=[f"{n} again"]),
    lambda memory, n: memory.store_all([f"many more {n} {i}" for i in range(3)]),
    lambda memory, n: memory.forget(next(iter(memory))),
    lambda memory, n: memory.associate(*list(memory)[-2:]),
    lambda memory, n: memory.update(memory.list()[-1].id, f"in other words {n}"),
    lambda memory, n: memory.consolidate(),
    lambda memory, n: memory.recall(f"one more {n}"),
    lambda memory, n: memory.restore(next(r.id for r in memory.list(history=True) if not r.current)),
    lambda memory, n: memory.import_([{**record, "id": i} for i, record in enumerate(list(memory.export())[:2])]),
]


def interrupted(memory: Memory, times: int, seed: int = 0) -> int:
    """Interrupt calls at random moments; returns how many of the interrupts came out of a call. Whatever is raised is that alone."""
    rng, came = np.random.default_rng(seed), 0
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        for n in range(times):
            came += _interrupted(memory, n, rng)
    finally:
        signal.signal(signal.SIGINT, handler)
    return came


def _interrupted(memory: Memory, n: int, rng: np.random.Generator) -> bool:
    """Interrupt a call; whether the interrupt came out of it."""
    verb, came, before = VERBS[int(rng.integers(len(VERBS)))], False, dict.fromkeys(memory)
    late = threading.Timer(float(rng.exponential(0.01)), os.kill, (os.getpid(), signal.SIGINT))
    try:
        late.start()
        with contextlib.suppress(StopIteration, TypeError):  # there was nothing of the kind
            verb(memory, n)
        late.cancel()
        late.join()
        time.sleep(0.001)
    except KeyboardInterrupt:
        came = True
        late.join()
    agrees(memory)
    if verb is not VERBS[2]:
        assert set(before) <= set(memory)
    return came


@pytest.mark.slow
def test_interrupts_at_random_moments(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all([f"thought {i}" for i in range(35)])
    assert interrupted(memory, 40) > 5
    memory.store("and it still works")


# -- processes -------------------------------------------------------------------------------------------------------------------------


def read_on(path: Path, until: float) -> None:
    """Recall beside a writer: what is recalled is what is stored."""
    with Memory.open(path, embedder=FakeEmbedder(), readonly=True) as reader:
        while time.time() < until:
            ids = list(reader)
            if ids:
                try:
                    text = reader[ids[-1]]
                except UnknownMemoryError:
                    continue
                hits = reader.recall(text, top_k=1)
                assert text not in reader.recall(text) or hits[0].text == text


def processes(path: Path, seconds: float, readers: int = 3) -> None:
    """A writer with threads, another process that may not write, and readers, for some seconds."""
    until, context = time.time() + seconds, multiprocessing.get_context("forkserver")
    memory = Memory.open(path, "hippocampus-small", embedder=FakeEmbedder())
    memory.store("the first")
    beside = [context.Process(target=read_on, args=(path, until)) for _ in range(readers)]
    for process in beside:
        process.start()
    there, seed = {0: "the first"}, 0
    while time.time() < until:
        there |= {i: text for i, text in mixed_calls(memory, seed, 3, threads=4).items() if i in memory}
        there = {i: text for i, text in there.items() if i in memory}
        seed += 1
    for process in beside:
        process.join(60)
        assert process.exitcode == 0
    assert {i: memory[i] for i in memory} == there
    agrees(memory)
    memory.close()


@pytest.mark.slow
def test_readers_beside_a_writer(path: Path) -> None:
    processes(path, 6.0, readers=2)


# -- the lock --------------------------------------------------------------------------------------------------------------------------


def test_the_lock_is_shared_or_held_alone() -> None:
    lock, inside, most, wrong = SharedLock(), Counter[str](), 0, []

    def work(n: int) -> None:
        nonlocal most
        for i in range(200):
            alone = (i + n) % 5 == 0
            with lock.alone() if alone else lock.shared():
                inside["alone" if alone else "shared"] += 1
                most = max(most, inside["shared"])
                if inside["alone"] > 1 or (inside["alone"] and inside["shared"]):
                    wrong.append(dict(inside))
                inside["alone" if alone else "shared"] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert not wrong


def test_a_hold_whose_end_was_interrupted_is_dropped() -> None:
    lock = SharedLock()

    def interrupted() -> None:
        lock.alone().__enter__()  # as where an interrupt came before its end

    interrupted()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: lock.alone().__enter__()).result(timeout=5) is None
    interrupted()
    with lock.shared():  # nor does its own thread wait for it
        pass


def test_a_thread_that_comes_again_is_told(open_memory: Open) -> None:
    """A signal handler that uses the memory, in the middle of a call: an error, and the call goes on unharmed."""
    memory, seen = open_memory(), list[str]()
    memory.store_all([f"thought {i}" for i in range(20)])

    def handler(*_: object) -> None:
        for again in (lambda: memory.recall("thought 3"), lambda: memory.store("another"), memory.close):
            try:
                again()
            except SpikememError as error:
                seen.append(str(error))

    plan = memory.hippocampus.plan
    memory.hippocampus.plan = lambda *args: (handler(), plan(*args))[1]  # type: ignore[method-assign]
    assert memory.store("one more") == 20
    assert len(seen) == 3
    assert all("uses it already" in said for said in seen)
    agrees(memory)
    assert memory.recall("one more", top_k=1)[0].id == 20


def test_raw_errors_are_named(open_memory: Open) -> None:
    memory = open_memory()
    for wrong in (None, 3, [1], "text"):
        with pytest.raises(SpikememError):
            memory.get(wrong) if wrong != 3 else memory.get(3)  # type: ignore[arg-type]
    memory.close()
    for look in (len, list, lambda m: m[0], lambda m: 0 in m, lambda m: m.list(), lambda m: m.recall("x"), lambda m: m.store("x")):
        with pytest.raises(StoreError, match="closed"):
            look(memory)  # type: ignore[operator]

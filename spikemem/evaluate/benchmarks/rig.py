"""The rig of the bench: work timed side by side in alternating order, the machine's limits, and the rows of its table."""

import importlib
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import numba
import numpy as np
import torch

Peers = Literal["all", "installed", "none"]
ROUNDS = 7
"""Rounds after the warm-up; the median counts."""


class Spent(NamedTuple):
    """Seconds of wall time, and of the processor's time."""

    wall: float
    cpu: float


class Times(NamedTuple):
    """What several rounds took, in seconds: medians, and the half of the rounds that lie around that of the CPU time."""

    wall: float
    cpu: float
    low: float
    high: float
    rounds: int


class Limits(NamedTuple):
    """What the machine can do with one thread, a second: bytes copied, reads at random places of a large array, operations of a product."""

    copied: float
    reads: float
    operations: float

    def floor(self, moved: float = 0.0, reads: float = 0.0, operations: float = 0.0) -> float:
        """Seconds that work takes at least that moves so many bytes in a row, reads so many random places and computes so much."""
        return moved / self.copied + reads / self.reads + operations / self.operations


@dataclass(frozen=True)
class BenchRow:
    """A line of the bench's table.

    ratio: how many times as long the peer takes, or what the row says of ours, in `unit`.   bar, aim: what it is to be, at least or, with
    sense "<=", at most.   met: None where it was not measured, or has no bar; `why` says why.   ours, theirs: seconds.   equal: whether
    both gave the same answer, before they were timed.   distance: our CPU time by the least that the machine's limits allow.   peak: MB
    that numpy and Python took at most.   threads: of our work.
    """

    row: str
    peer: str = ""
    ratio: float | None = None
    unit: str = "times"
    bar: float | None = None
    aim: float | None = None
    sense: Literal[">=", "<="] = ">="
    met: bool | None = None
    why: str = ""
    ours: Times | None = None
    theirs: Times | None = None
    equal: bool | None = None
    distance: float | None = None
    peak: float | None = None
    threads: int = 1
    more: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        told = asdict(self)
        for name in ("ours", "theirs"):
            times: Times | None = getattr(self, name)
            told[name] = None if times is None else times._asdict()
        return told


class Bar(NamedTuple):
    """What a row is to reach."""

    bar: float | None = None
    aim: float | None = None
    sense: Literal[">=", "<="] = ">="
    unit: str = "times"

    def row(self, name: str, ratio: float | None, peer: str = "", why: str = "", **more: Any) -> BenchRow:
        """A row of the table.   ratio: None where it was not measured; a wrong answer meets no bar."""
        met = None
        if ratio is not None and self.bar is not None:
            met = (ratio >= self.bar if self.sense == ">=" else ratio <= self.bar) and more.get("equal") is not False
        return BenchRow(name, peer, ratio, self.unit, self.bar, self.aim, self.sense, met, why, **more)


def spent(work: Callable[[], Any]) -> Spent:
    """What work took, by the clocks of this process; work that tells what it took itself returns a `Spent`."""
    wall, cpu = time.perf_counter(), time.process_time()
    told = work()
    taken = Spent(time.perf_counter() - wall, time.process_time() - cpu)
    return told if isinstance(told, Spent) else taken


def alternate(ways: Mapping[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, Times]:
    """Time several ways of the same work, one after the other in rounds whose order turns round, after one to warm up."""
    for work in ways.values():
        work()
    found: dict[str, list[Spent]] = {name: [] for name in ways}
    for n in range(rounds):
        for name in list(ways) if n % 2 == 0 else reversed(list(ways)):
            found[name].append(spent(ways[name]))
    return {name: summary(each) for name, each in found.items()}


def summary(each: list[Spent]) -> Times:
    """The medians of several rounds, and their spread."""
    wall, cpu = np.array(each).T
    low, high = np.quantile(cpu, (0.25, 0.75))
    return Times(float(np.median(wall)), float(np.median(cpu)), float(low), float(high), len(each))


def peak(work: Callable[[], Any]) -> float:
    """MB that work takes at most beyond what was there, of numpy and of Python."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let everything compute with so many threads: our kernels, torch, faiss, and numpy's products where threadpoolctl is installed."""
    before, torch_before = numba.config.NUMBA_NUM_THREADS, torch.get_num_threads()
    faiss = importlib.import_module("faiss") if find_spec("faiss") else None
    pools = importlib.import_module("threadpoolctl").threadpool_limits(count) if find_spec("threadpoolctl") else nullcontext()
    faiss_before = faiss.omp_get_max_threads() if faiss else 0
    try:
        with pools:
            numba.config.NUMBA_NUM_THREADS = count
            torch.set_num_threads(count)
            if faiss:
                faiss.omp_set_num_threads(count)
            yield
    finally:
        numba.config.NUMBA_NUM_THREADS = before
        torch.set_num_threads(torch_before)
        if faiss:
            faiss.omp_set_num_threads(faiss_before)


def limits(megabytes: int = 64) -> Limits:
    """Measure what the machine can do, with one thread."""
    source, n = np.ones(megabytes * 131_072), 768
    target, places = np.empty_like(source), np.random.default_rng(0).integers(0, len(source), 1 << 19)
    matrix = np.ones((n, n), np.float32)

    def copy() -> None:
        target[:] = source

    times = alternate({"copy": copy, "read": lambda: source.take(places), "product": lambda: matrix @ matrix}, 5)
    return Limits(2 * source.nbytes / times["copy"].cpu, len(places) / times["read"].cpu, 2.0 * n**3 / times["product"].cpu)

"""The bench's rows of vectors: chains, and recalls beside exact and approximate search."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError
from spikemem.evaluate.benchmarks.rig import BenchRow, Times, alternate, peak, threads
from spikemem.evaluate.benchmarks.table import BATCH, ENGRAMS, HOP, MILLION, ONE_CUE, QUALITY, RECORDED, RECORDED_PEAK, STEP, THREADS, Bench
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.spec import load_model

HOPS = 50
"""Hops of the long chain beyond the short one's, whose difference in time they are."""
TOP = 10
TOPICS = 2_000
NOISE, CUE_NOISE = 0.3, 0.6
"""Lengths of what is added to a mixture of two topics of length 1, and to a memory for its cue."""
ASKED = QUALITY.bar or 0.0
HNSW = "HNSW16"
Floats = NDArray[np.float32]


def units(vectors: NDArray[Any]) -> Floats:
    """Vectors of length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def drawn(count: int, dim: int, cues: int, seed: int) -> tuple[Floats, Floats]:
    """Vectors, each a mixture of two of 2,000 topics, and noise; and noisy cues of some of them."""
    rng = np.random.default_rng([seed, count])
    topics = units(rng.normal(size=(TOPICS, dim)))
    one, other, share = rng.integers(0, TOPICS, count), rng.integers(0, TOPICS, count), rng.uniform(0.5, 1.0, (count, 1)).astype(np.float32)
    vectors = units(share * topics[one] + (1 - share) * topics[other] + NOISE * units(rng.normal(size=(count, dim))))
    which = rng.integers(0, count, cues)
    return vectors, units(vectors[which] + CUE_NOISE * units(rng.normal(size=(cues, dim))))


def best(vectors: Floats, cues: Floats) -> NDArray[np.int64]:
    """Exact search in numpy: the most similar vectors of each cue, in no order."""
    found: NDArray[np.int64] = np.argpartition(-(cues @ vectors.T), TOP, axis=1)[:, :TOP]
    return found


def chain(bench: Bench) -> Iterator[BenchRow]:
    """A hop of a chain beside the dense product that it replaces."""
    import torch

    size, spec = bench.size, load_model(bench.size.model)
    bench.progress(f"a chain of {size.pairs:,} pairs")
    vectors = np.random.default_rng(bench.seed).normal(size=(size.pairs, spec.ec.dim)).astype(np.float32)
    memory = Hippocampus(spec, seed=bench.seed)
    ids = memory.store(vectors)
    memory.associate(ids[:-1], ids[1:])
    hops = min(HOPS, size.pairs - 2)
    right = memory.recall_chain(vectors[0], 1 + hops).tolist() == [list(range(1, 2 + hops))]

    def dense() -> dict[str, Any]:
        core = torch.as_tensor(memory.engrams(ids)[:, : spec.ca3.core].astype(np.int64))
        from_cell = torch.zeros(spec.dg.cells, spec.dg.cells)
        for a, b in itertools.pairwise(core):
            from_cell[a[:, None], b] += 1.0
        weights, x = from_cell.T.contiguous(), torch.zeros(spec.dg.cells)
        x[core[0]] = 1.0
        times = alternate(
            {
                "long": lambda: memory.recall_chain(vectors[0], 1 + hops),
                "short": lambda: memory.recall_chain(vectors[0], 1),
                "dense": lambda: (weights @ x).topk(spec.ca3.core).indices,
            },
            size.rounds,
        )
        wall, cpu, low, high = ((long - short) / hops for long, short in zip(times["long"][:4], times["short"][:4], strict=True))
        ours = Times(wall, cpu, low, high, size.rounds)
        return {
            "ratio": times["dense"].cpu / ours.cpu,
            "ours": ours,
            "theirs": times["dense"],
            "equal": right,
            "distance": ours.cpu / bench.limits.floor(reads=spec.ca3.core * spec.dg.cells / 8 / 64),
        }

    yield from bench.against(HOP, "whole chain hop", "dense float32 W @ x and top-k", dense)
    yield STEP.row(
        "bare CA3 step", None, "dense float32 W @ x and top-k", "the memory gives no step of CA3 alone; the whole hop has it in it"
    )


def recall(bench: Bench) -> Iterator[BenchRow]:
    """Recalls of one cue and of a batch, at two sizes; of the engram model; of one that is simulated; and in two threads."""
    for count, bar in zip(bench.size.memories, ONE_CUE, strict=True):
        bench.progress(f"{count:,} vectors")
        work = _Recalls(bench, count)
        yield QUALITY.row(f"best {TOP}, {count:,}", work.quality)
        for peer, made in {"faiss Flat": "Flat", f"faiss {HNSW}": HNSW}.items():
            yield from bench.against(
                bar if made == "Flat" else bar._replace(bar=None, aim=None), f"recall, one cue, {count:,}", peer, work.faiss(made)
            )
        yield from bench.against(BATCH, f"recall, batch of {bench.size.cues}, {count:,}", "numpy", work.numpy)
        if count == bench.size.memories[0]:
            yield work.two_threads()
    yield from _million(bench)
    yield from _engrams(bench)
    yield from _recorded(bench)


class _Recalls:
    """A memory of so many vectors, and how many of its best 10 are exact search's."""

    def __init__(self, bench: Bench, count: int) -> None:
        self.bench, spec = bench, load_model(bench.size.model)
        self.vectors, self.cues = drawn(count, spec.ec.dim, bench.size.cues, bench.seed)
        self.memory = Hippocampus(spec, seed=bench.seed)
        self.memory.store(self.vectors)
        found = self.memory.recall(self.cues, TOP).ids
        pairs = zip(found.tolist(), best(self.vectors, self.cues).tolist(), strict=True)
        self.quality = float(np.mean([len(set(ours) & set(theirs)) / TOP for ours, theirs in pairs]))
        one = self.memory.recall(self.cues[0], TOP).ids[0]
        self.equal = bool((one == found[0]).all()) and self.quality >= ASKED  # alone as in the batch, and as exact search has it
        self.peak = peak(lambda: self.memory.recall(self.cues[0], TOP))
        self._next = itertools.cycle(range(len(self.cues)))

    def _cue(self) -> Floats:
        return self.cues[next(self._next)][None]

    def _told(self, ways: dict[str, Callable[[], Any]], cues: int) -> dict[str, Any]:
        with threads(1):
            times = alternate(ways, self.bench.size.rounds)
        floor = self.bench.limits.floor(operations=2.0 * cues * self.vectors.size)
        ours, theirs = times["ours"], times["theirs"]
        more = {"quality": self.quality, "cues": cues}
        return {
            "ratio": theirs.cpu / ours.cpu, "ours": ours, "theirs": theirs, "equal": self.equal, "distance": ours.cpu / floor,
            "peak": self.peak, "more": more,
        }  # fmt: skip

    def faiss(self, kind: str) -> Callable[[], dict[str, Any]]:
        def measure() -> dict[str, Any]:
            index = faiss_index(self.vectors, kind)
            ways = {"ours": lambda: self.memory.recall(self._cue(), TOP), "theirs": lambda: index.search(self._cue(), TOP)}
            return self._told(ways, 1)

        return measure

    def numpy(self) -> dict[str, Any]:
        ways = {"ours": lambda: self.memory.recall(self.cues, TOP), "theirs": lambda: best(self.vectors, self.cues)}
        return self._told(ways, len(self.cues))

    def two_threads(self) -> BenchRow:
        """Batches in two threads by those in one, by the wall's clock."""

        def run(count: int) -> Callable[[], Any]:
            def work() -> None:
                with threads(count):
                    self.memory.recall(self.cues, TOP)

            return work

        times = alternate({"one": run(1), "two": run(2)}, self.bench.size.rounds)
        one, two = times["one"], times["two"]
        return THREADS.row("two threads, batches", one.wall / two.wall, "one thread", "by wall time", ours=two, theirs=one, threads=2)


def faiss_index(vectors: Floats, kind: str) -> Any:
    """An index of faiss over unit vectors; MissingExtraError where it is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(f'faiss is not installed; pip install "spikemem[bench]" ({error})') from error
    index = faiss.index_factory(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    with threads(1):
        index.add(vectors)
    return index


def _million(bench: Bench) -> Iterator[BenchRow]:
    """The largest memory beside exact search; its time counts where its best 10 are .95 of exact ones, elsewhere .97 are asked for."""
    name = "1,000,000 memories, one cue"
    if not bench.size.million:
        yield MILLION.row(name, None, "faiss Flat", "left out; --million takes hours")
        return
    bench.progress(f"{bench.size.million:,} vectors")
    work = _Recalls(bench, bench.size.million)
    yield from bench.against(MILLION, name, "faiss Flat", lambda: work.faiss("Flat")() | {"equal": work.quality >= 0.95})


def _engrams(bench: Bench) -> Iterator[BenchRow]:
    """A recall of the engram model."""
    count, spec = bench.size.engrams, load_model(bench.size.engram_model).at_once()
    bench.progress(f"{count:,} engrams")
    vectors, cues = drawn(count, spec.ec.dim, bench.size.cues, bench.seed)
    memory, turn = Hippocampus(spec, seed=bench.seed), itertools.count()
    memory.store(vectors)
    with threads(1):
        times = alternate({"ours": lambda: memory.recall(cues[next(turn) % len(cues)])}, bench.size.rounds)["ours"]
    yield ENGRAMS.row(f"engram model, one cue, {count:,}", 1e3 * times.cpu, ours=times)


def _recorded(bench: Bench) -> Iterator[BenchRow]:
    """A recall that is simulated, spike by spike, of one cue."""
    count, spec = bench.size.recorded, load_model(bench.size.model)
    bench.progress(f"a recall of {count:,} memories, recorded")
    vectors, cues = drawn(count, spec.ec.dim, 1, bench.seed)
    memory = Hippocampus(spec, seed=bench.seed)
    memory.store(vectors)

    def record() -> Any:
        return memory.recall(cues, record=True)

    equal = bool((record().ids == memory.recall(cues).ids).all())
    with threads(1):
        times = alternate({"ours": record}, 3)["ours"]
    taken = peak(record)
    yield RECORDED.row(f"record=True, {count:,}, one cue", times.cpu, ours=times, equal=equal, peak=taken)
    yield RECORDED_PEAK.row(f"record=True, {count:,}, memory", taken, peak=taken)

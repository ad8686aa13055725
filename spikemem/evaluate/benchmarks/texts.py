"""The bench's rows of texts, and of files: recalls, stores, and opening."""

import itertools
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.data.datasets import Task
from spikemem.evaluate.baselines import Sum
from spikemem.evaluate.benchmarks.rig import Bar, BenchRow, Spent, Times, alternate, spent, summary, threads
from spikemem.evaluate.benchmarks.table import AFTER_STORE, DURABLE, ONE_BY_ONE, OPEN, OPEN_MILLION, TEXTS, Bench
from spikemem.evaluate.benchmarks.vectors import drawn, faiss_index, units
from spikemem.hippocampus.spec import load_model
from spikemem.memory.memory import Memory

DIM = 384
LOCOMO = "of sentences that are drawn: on LoCoMo itself `spikemem bench data` measures both"
WORDS = tuple(a + b for a, b in itertools.product(("har", "lan", "vio", "ket", "com", "bas", "orc", "cel", "wor", "jet"), repeat=2))
"""Of which sentences are drawn: 100 that mean nothing."""
SOME = 20
"""Stores whose times are compared."""


class DrawnEmbedder:
    """A vector for each text by its checksum: texts cost next to nothing to embed, so that storing and recalling are what is timed."""

    name, dim = "drawn", DIM

    def embed(self, texts: Sequence[str], progress: Any = None) -> NDArray[np.float32]:
        made = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIM) for text in texts]
        return units(np.array(made)) if made else np.zeros((0, DIM), np.float32)


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of ten drawn words and a number, all different."""
    picked = np.random.default_rng([seed, count]).integers(0, len(WORDS), (count, 10))
    return [" ".join([*(WORDS[word] for word in row), f"n{n}"]) for n, row in enumerate(picked)]


def opened(bench: Bench, count: int, path: Path | None = None) -> tuple[Memory, list[str]]:
    """A memory of drawn sentences, and these."""
    bench.progress(f"storing {count:,} texts")
    memory, texts = Memory.open(path, embedder=DrawnEmbedder(), seed=bench.seed), sentences(count, bench.seed)
    memory.store_all(texts)
    return memory, texts


def text(bench: Bench) -> Iterator[BenchRow]:
    """Recalls in batches beside cosine and BM25; a recall right after a store beside a steady one."""
    count = bench.size.texts[0]
    memory, texts = opened(bench, count)
    asked = texts[:: max(1, count // bench.size.cues)][: bench.size.cues]

    def measure() -> dict[str, Any]:
        system, embedder = Sum(), DrawnEmbedder()
        n, none = len(texts), ("",) * len(texts)
        gold = tuple(frozenset([texts.index(cue)]) for cue in asked)
        parts = (tuple(texts), tuple(texts), ((),) * n, none, (None,) * n, (None,) * n, tuple(asked), gold, ("",) * len(asked))
        system.fit(Task("drawn", "sentences", *parts, (-1,) * len(asked)), embedder.embed)
        own = [hits[0].text for hits in memory.recall_all(asked, 10)]
        equal = own == [texts[i] for i in system.rank(asked, 10)[:, 0]]
        with threads(1):
            times = alternate({"ours": lambda: memory.recall_all(asked, 10), "theirs": lambda: system.rank(asked, 10)}, bench.size.rounds)
        return {"ratio": times["ours"].cpu / times["theirs"].cpu, "ours": times["ours"], "theirs": times["theirs"], "equal": equal}

    for row in bench.against(TEXTS, f"text recall, batches, {count:,}", "cosine + BM25", measure):
        yield replace(row, met=None, why=row.why or LOCOMO)
    yield _after_store(bench, memory, texts)
    memory.close()
    for more in bench.size.texts[1:]:
        memory, texts = opened(bench, more)
        yield _after_store(bench, memory, texts)
        memory.close()


def _after_store(bench: Bench, memory: Memory, texts: list[str]) -> BenchRow:
    """A recall right after a store by one after a recall."""
    after: list[Spent] = []
    steady: list[Spent] = []
    memory.recall(texts[0])
    with threads(1):
        for n in range(bench.size.rounds):
            memory.store(f"a further text, n{len(texts) + n}")
            cue = texts[n % len(texts)]
            after.append(spent(partial(memory.recall, cue)))
            steady.append(spent(partial(memory.recall, cue)))
    ours, theirs = summary(after), summary(steady)
    return AFTER_STORE.row(
        f"recall right after a store, {len(texts):,}", ours.cpu / theirs.cpu, "a steady recall", ours=ours, theirs=theirs
    )


def store(bench: Bench) -> Iterator[BenchRow]:
    """Stores one by one into a small and a large memory; vectors a second, durable."""
    size, taken = bench.size, list[Times]()
    for count in (size.first, size.last):
        with tempfile.TemporaryDirectory() as folder:
            memory, texts = opened(bench, count, Path(folder) / "memory.sqlite")
            memory.store("one to warm up")
            with threads(1):
                each = [spent(partial(memory.store, f"one more, n{n}")) for n in range(SOME)]
            taken.append(summary(each))
            memory.close()
    name = f"store one by one, {size.first:,} -> {size.last:,}"
    yield ONE_BY_ONE.row(name, taken[1].cpu / taken[0].cpu, f"at {size.first:,}", ours=taken[1], theirs=taken[0])
    texts, spec = sentences(size.streamed, bench.seed), load_model(size.model)
    with tempfile.TemporaryDirectory() as folder, threads(1):
        with Memory.open(Path(folder) / "memory.sqlite", spec, embedder=DrawnEmbedder(), seed=bench.seed) as memory:
            memory.store_all(texts[:10])
            bench.progress(f"storing {len(texts):,} vectors, durable")
            ours = summary([spent(lambda: memory.store_all(texts[10:]))])
        embedding = summary([spent(lambda: DrawnEmbedder().embed(texts[10:]))])
    pure = ours.cpu - embedding.cpu

    def hnsw() -> dict[str, Any]:
        vectors, _ = drawn(len(texts), DIM, 1, bench.seed)
        theirs = summary([spent(lambda: faiss_index(vectors, "HNSW16"))])
        return {"ratio": theirs.cpu / pure * len(texts[10:]) / len(texts), "ours": ours, "theirs": theirs}

    name = "vectors stored, durable, in batches"
    yield DURABLE.row(name, (len(texts) - 10) / pure, why="without the time to embed them", ours=ours)
    yield from bench.against(Bar(aim=1.0), name, "faiss HNSW16, insertion", hnsw)


def open_(bench: Bench) -> Iterator[BenchRow]:
    """Opening a file of many memories, to the end of the first recall."""
    for count, bar in ((bench.size.opened, OPEN), (bench.size.million, OPEN_MILLION)):
        if not count:
            yield bar.row("open, 1,000,000", None, why="left out; --million takes hours")
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "memory.sqlite"
            memory, texts = opened(bench, count, path)
            memory.close()

            def begin(path: Path = path, cue: str = texts[0]) -> None:
                with Memory.open(path, embedder=DrawnEmbedder()) as again:
                    again.recall(cue)

            with threads(1):
                times = alternate({"ours": begin}, 3)["ours"]
        yield bar.row(f"open, {count:,}", times.cpu, ours=times)

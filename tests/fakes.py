"""Stand-ins: an embedder that needs no model, vectors with a chosen cosine, and processes that store or embed until they are killed."""

import itertools
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikemem import Memory, ModelSpec, load_model
from spikemem.data.corpus.tales import tales
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import Progress

DIM = 384
PARAPHRASE_COSINE = 0.85


def engram_small() -> ModelSpec:
    """hippocampus-engram-small that stores at once, not by simulation, which gives the same (tests/hippocampus/test_teaching.py)."""
    return load_model("hippocampus-engram-small").at_once()


def units(n: int, seed: int = 0, dim: int = DIM) -> NDArray[np.float32]:
    """Random unit vectors, float32, [n, d]."""
    x = np.random.default_rng([seed, 7]).normal(size=(n, dim))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def near(vectors: NDArray[np.float32], cosine: float, seed: int = 1) -> NDArray[np.float32]:
    """Unit vectors at about this cosine of the given ones, [n, d]."""
    x = cosine * vectors + np.sqrt(1 - cosine**2) * units(*vectors.shape[:1], seed=seed, dim=vectors.shape[1])
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


class FakeEmbedder:
    """Each text has its own random direction; "text ~tail" is a paraphrase of "text"."""

    def __init__(self, name: str = "fake", dim: int = DIM) -> None:
        self.name, self.dim = name, dim

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        return np.concatenate([np.zeros((0, self.dim), np.float32), *map(self._vector, texts)])

    def _vector(self, text: str) -> NDArray[np.float32]:
        meaning, _, tail = text.partition(" ~")
        vector = units(1, zlib.crc32(meaning.encode()), self.dim)
        return near(vector, PARAPHRASE_COSINE, zlib.crc32(text.encode())) if tail else vector


def store_forever(path: Path, done: Connection) -> None:
    """Store trios ("0 a", "0 b", "0 c", ...) with a paraphrase each, a session a trio, link a to b, forget every third c; tell of each
    step that returned."""
    with Memory.open(path, "hippocampus-small", embedder=FakeEmbedder()) as memory:
        for n in itertools.count():
            texts = [f"{n} {part}" for part in "abc"]
            cues, when = [[f"{text} ~again"] for text in texts], datetime.fromtimestamp(n, UTC)
            ids = memory.store_all(texts, cues, when=when, sessions=["trio"] * 3)
            done.send(("stored", dict(zip(ids, texts, strict=True))))
            memory.associate(ids[0], ids[1])
            done.send(("linked", (ids[0], ids[1])))
            if n % 3 == 2:
                memory.forget(ids[2])
                done.send(("forgotten", ids[2]))


def supersede_forever(path: Path, model: dict[str, object], done: Connection) -> None:
    """Store a memory that leads to another one, and contradict it over and over; tell of each id that holds it."""
    with Memory.open(path, ModelSpec.model_validate(model), embedder=FakeEmbedder()) as memory:
        holder, other = memory.store_all(["Ada lives in ~Lisbon", "The harbour opens at six"])
        memory.associate(holder, other)
        done.send(holder)
        for n in itertools.count():
            done.send(memory.store(f"Ada lives in ~town{n}"))


def embed_forever(folder: Path, done: Connection) -> None:
    """Embed three texts after three texts through a cache; tell of each text that was returned."""
    cache = CachedEmbedder(FakeEmbedder(), folder)
    for n in itertools.count():
        texts = [f"{n} {part}" for part in "abc"]
        cache.embed(texts)
        done.send(texts)


def write_tales(folder: Path, task: int = 1) -> None:
    """Small stories as the files of a bAbI task, train and test."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, seed in (("train", 0), ("test", 1)):
        lines = []
        for tale in tales(20, seed, sentences=2, things=0):
            lines += [f"{i} {' '.join(words)}." for i, words in enumerate(tale.sentences, 1)]
            lines += [f"3 {' '.join(question.words)}?\t{question.answer}\t1" for question in tale.questions]
        (folder / f"qa{task}_tales_{split}.txt").write_text("\n".join(lines), encoding="utf-8")

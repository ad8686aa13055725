"""What a memory has to beat: nearest neighbour by cosine, BM25, and sums of the two, each as a `System`."""

import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks, shown
from spikemem.data.datasets import Task
from spikemem.errors import DataError, MissingExtraError
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION, neighbours, shares
from spikemem.hippocampus.spec import ContextSpec

check = Checks(DataError)
Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors, [n, dim]."""


class System(Protocol):
    """Anything that stores a task's texts and ranks them for a question.

    name: as it stands in the tables.
    events: synaptic events a question in the last `rank`, NaN where there are none to count.
    """

    @property
    def name(self) -> str: ...
    @property
    def events(self) -> float: ...

    def fit(self, task: Task, vectors: Vectors) -> None:
        """Store the task's texts, and nothing of before. The task's questions and gold are not to be looked at."""
        ...

    def rank(self, questions: Sequence[str], k: int) -> NDArray[np.int64]:
        """Indices of the best texts, best first, -1 where there are no more, [question, k]."""
        ...


def best(scores: NDArray[np.floating[Any]], k: int) -> NDArray[np.int64]:
    """Indices of the k largest of each row, largest first; equal scores in the order of their index.

    >>> best(np.array([[0.0, 2.0, 2.0, 3.0]]), 3)
    array([[3, 1, 2]])
    """
    n = scores.shape[1]
    if k >= n:
        order = np.argsort(-scores, axis=1, kind="stable")
        return np.pad(order, ((0, 0), (0, k - n)), constant_values=-1)
    least = np.partition(scores, n - k, axis=1)[:, n - k]
    found = np.empty((len(scores), k), np.int64)
    for row, bound, out in zip(scores, least, found, strict=True):
        candidates = np.flatnonzero(row >= bound)
        out[:] = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
    return found


def units(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors at length 1; a zero vector stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)


class Scored(ABC):
    """A baseline that scores every text: `scores` gives [question, text], and the largest win."""

    name: str
    events = math.nan

    @abstractmethod
    def fit(self, task: Task, vectors: Vectors) -> None: ...

    @abstractmethod
    def scores(self, questions: Sequence[str]) -> NDArray[np.floating[Any]]: ...

    def rank(self, questions: Sequence[str], k: int) -> NDArray[np.int64]:
        return best(self.scores(questions), k)


def check_fit(task: Task, vectors: Vectors) -> None:
    """DataError where `System.fit` is given anything but a task and a function that embeds."""
    check.instance(task, "task", Task, "give one of spikemem.data")
    check.instance(vectors, "vectors", Callable, "give a function of texts, as `Embedder.embed`")


class Cosine(Scored):
    """Exact nearest neighbour: score = x . q / |x| |q|."""

    name = "cosine"

    def fit(self, task: Task, vectors: Vectors) -> None:
        check_fit(task, vectors)
        self._vectors, self._stored = vectors, units(vectors(task.embedded))

    def scores(self, questions: Sequence[str]) -> NDArray[np.float32]:
        return units(self._vectors(questions)) @ self._stored.T


def words(text: str) -> list[str]:
    """Words as runs of letters and digits, without case, unstemmed.

    >>> words("Ada's Café, 1843")
    ['ada', 's', 'café', '1843']
    """
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


class BM25(Scored):
    """Okapi BM25 (Robertson and Zaragoza 2009) by bm25s (Lù 2024), in Lucene's form:

        score = sum over words of log(1 + (N - df + .5) / (df + .5)) tf / (tf + k1 (1 - b + b L / mean L))

    k1, b: .9 and .4 are Anserini's and Pyserini's defaults, 1.2 and .75 Lucene's. Raises MissingExtraError without the `bench` extra.
    """

    def __init__(self, k1: float = 0.9, b: float = 0.4) -> None:
        k1, b = check.finite(k1, "k1", least=0), check.finite(b, "b", least=0, most=1)
        try:
            import bm25s
        except ImportError as error:
            raise MissingExtraError(f'BM25 needs the "bench" extra: pip install "spikemem[bench]" ({error})') from error
        self._new: Callable[[], Any] = lambda: bm25s.BM25(k1=k1, b=b, method="lucene")
        self.name = f"BM25 ({k1:g}, {b:g})"

    def fit(self, task: Task, vectors: Vectors) -> None:
        check_fit(task, vectors)
        self._texts, self._index = len(task.texts), None
        its_words = [words(text) for text in task.texts]
        if any(its_words):
            self._index = self._new()
            self._index.index(its_words, show_progress=False)

    def scores(self, questions: Sequence[str]) -> NDArray[np.float32]:
        made = np.zeros((len(questions), self._texts), np.float32)
        if self._index is not None:
            for row, question in zip(made, questions, strict=True):
                row[:] = self._index.get_scores_from_ids(self._index.get_tokens_ids(words(question)))
        return made


def by_maximum(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Scores of each question over their largest."""
    return scores / np.maximum(scores.max(axis=1, keepdims=True), 1e-9)


def by_z(scores: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Scores of each question less their mean, over their standard deviation."""
    return (scores - scores.mean(axis=1, keepdims=True)) / np.maximum(scores.std(axis=1, keepdims=True), 1e-9)


class Sum(Scored):
    """The sum of cosine and BM25, each made comparable by `by_maximum` or `by_z` question by question."""

    def __init__(self, normalise: Callable[[NDArray[np.floating[Any]]], NDArray[np.floating[Any]]] = by_maximum) -> None:
        if not callable(normalise):
            raise DataError(f"normalise is {shown(normalise)}; it must be a function of scores, by_maximum or by_z")
        self._normalise, self._parts = normalise, (Cosine(), BM25())
        self.name = "cosine + BM25, " + ("max" if normalise is by_maximum else "z")

    def fit(self, task: Task, vectors: Vectors) -> None:
        for part in self._parts:
            part.fit(task, vectors)

    def scores(self, questions: Sequence[str]) -> NDArray[np.floating[Any]]:
        first, second = (self._normalise(part.scores(questions)) for part in self._parts)
        return first + second


class Neighbours(Scored):
    """A baseline whose texts lend their scores to those next to them in their session, as the memory's context does:

    score_i + sum over neighbours j of c_j score_j,     c: `ec_ctx.shares` of the memory's own model
    """

    def __init__(self, of: Scored, context: ContextSpec | None = None) -> None:
        self._of = check.instance(of, "of", Scored, "give a baseline that scores, such as Cosine()")
        self._context = check.instance(ContextSpec() if context is None else context, "context", ContextSpec, "give a ContextSpec")
        self.name = f"{of.name}, with neighbours"

    def fit(self, task: Task, vectors: Vectors) -> None:
        self._of.fit(task, vectors)
        session = np.array([NO_SESSION if s is None else s for s in task.sessions])
        self._near = neighbours(self._context, session, np.ones(len(session), bool))

    def scores(self, questions: Sequence[str]) -> NDArray[np.floating[Any]]:
        own = self._of.scores(questions)
        padded = np.concatenate([own, np.zeros((len(own), 1), own.dtype)], axis=1)  # the last place is that of no neighbour, -1
        return own + padded[:, self._near] @ shares(self._context)


class Faiss:
    """Nearest neighbour by cosine in faiss (Douze 2024).   index: of `faiss.index_factory`; "Flat" is exact, "HNSW32" a graph.

    Raises MissingExtraError without the `bench` extra.
    """

    events = math.nan

    def __init__(self, index: str = "Flat") -> None:
        index = check.text(index, "index")
        try:
            import faiss
        except ImportError as error:
            raise MissingExtraError(f'faiss needs the "bench" extra: pip install "spikemem[bench]" ({error})') from error
        self._new: Callable[[int], Any] = lambda dim: faiss.index_factory(dim, index, faiss.METRIC_INNER_PRODUCT)
        self.name = f"faiss {index}"

    def fit(self, task: Task, vectors: Vectors) -> None:
        check_fit(task, vectors)
        self._vectors, stored = vectors, units(vectors(task.embedded))
        self._index = self._new(stored.shape[1])
        self._index.add(stored)

    def rank(self, questions: Sequence[str], k: int) -> NDArray[np.int64]:
        return self._index.search(units(self._vectors(questions)), k)[1].astype(np.int64)

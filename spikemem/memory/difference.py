"""The difference between two texts as gates take it in: signs of grammar, and vectors of what replaced what, by the memory's embedder."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.difference import LIKENESSES, MARKS, Difference
from spikemem.memory.embed import Embedder, embedded
from spikemem.memory.wording import Contrast, akin, contrast

MOST_KEPT = 4096
"""Vectors that are kept at the most."""


def parts(old: str, new: str, made: Contrast) -> tuple[str, ...]:
    """The texts that are embedded for a pair: both, the phrases that replaced one another, the subjects."""
    return old, new, made.old, made.new, made.old_subject, made.new_subject


def said(old: str, new: str) -> list[str]:
    """What is embedded for a pair of texts that can be compared."""
    return [text for text in parts(old, new, contrast(old, new)) if text]


def difference(old: str, new: str, embed: Callable[[Sequence[str]], NDArray[np.float32]]) -> Difference | None:
    """The difference between the wording of a memory and a new text; None where they share too little to be compared.

    embed: unit vectors of texts, float32, [n, d].
    """
    if not akin(old, new):
        return None
    made = contrast(old, new)
    texts = parts(old, new, made)
    spoken = [text for text in texts if text]
    vectors = iter(embed(spoken)) if spoken else iter(())
    return of_vectors(made, [next(vectors) if text else None for text in texts])


def of_vectors(made: Contrast, vectors: Sequence[NDArray[np.float32] | None]) -> Difference:
    """The difference by what two wordings do not share and the unit vectors of `parts`, None for an empty one."""
    old, new, old_phrase, new_phrase, old_subject, new_subject = vectors

    def cosine(a: NDArray[np.float32] | None, b: NDArray[np.float32] | None) -> float:
        return float(a is b) if a is None or b is None else float(a @ b)

    likeness = (
        cosine(old, new), cosine(old_phrase, new_phrase), cosine(old_subject, new_subject), cosine(old, new_phrase),
        cosine(old_phrase, new), made.kept,
    )  # fmt: skip
    assert len(likeness) == len(LIKENESSES)
    zero = np.zeros_like(next(v for v in vectors if v is not None))
    return Difference(
        np.array([mark in made.marks for mark in MARKS]), np.array(likeness),
        zero if old_phrase is None else old_phrase, zero if new_phrase is None else new_phrase,
    )  # fmt: skip


class Differences:
    """Differences by the vectors of one embedder, which are kept: of texts that come again they are not made anew.

    most: vectors that are kept at the most, or None.
    """

    def __init__(self, embedder: Embedder, most: int | None = MOST_KEPT) -> None:
        self._embedder, self._most = embedder, most
        self._kept: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of texts, float32, [n, d]."""
        new = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if self._most is not None and len(self._kept) > self._most:
            self._kept.clear()
            new = list(dict.fromkeys(texts))
        if new:
            vectors = embedded(self._embedder, new, self._embedder.dim)
            self._kept |= zip(new, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), strict=True)
        return np.array([self._kept[text] for text in texts])

    def __call__(self, old: str, new: str) -> Difference | None:
        return difference(old, new, self.embed)

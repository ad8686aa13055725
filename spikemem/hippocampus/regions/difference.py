"""How the wording of an event differs from that of the memory that answered: signs, likenesses, and what replaced what.

A text memory makes one of two texts (`memory.difference`); the gates' comparing cells take it in as spikes (`gates`). Vectors that were
stored without texts have none.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MARKS = (
    "speaker", "subject", "subject more or less", "agent", "name", "numbered", "figure", "order", "turned", "denies", "denied", "both deny",
    "nothing new", "nothing lost", "several", "list", "past event", "question", "same", "indefinite", "verb", "predicate", "preposition",
    "object", "verbless", "with", "long", "few shared", "none shared", "one word", "also", "left out", "put in", "end",
)  # fmt: skip
"""Signs, one cell each."""
LIKENESSES = ("texts", "phrases", "subjects", "new phrase to the old text", "old phrase to the new text", "words")
"""Cosines, and the share of words of content that both texts have."""


class Difference(NamedTuple):
    """How two texts differ.

    marks: which of `MARKS` hold, bool, [mark].   likeness: as `LIKENESSES`, in [-1, 1], [likeness].
    old, new: vectors of the phrases that replaced one another, of unit length, float32, [d]; zero where there is none.
    """

    marks: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    old: NDArray[np.float32]
    new: NDArray[np.float32]

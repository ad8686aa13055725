"""The words of a batch of cues, the moment that they are about, and the memories that are silent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.bcpnn import volley
from spikemem.hippocampus.regions.ec_lex import Words

SILENT = Words(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))
"""The words of a cue without words."""


@dataclass(frozen=True, eq=False)
class CueWords:
    """Words and moment of a batch of cues.   words: one `Words` a cue.   around: s since 1970, or None.

    silenced: the memories whose index cells are inhibited, bool, [memory]; None where there are none.
    """

    words: tuple[Words, ...]
    around: float | None = None
    silenced: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls, words: Sequence[Words] | None, around: float | None, n: int, silenced: NDArray[np.bool_] | None = None
    ) -> "CueWords":  # fmt: skip
        """The words and moment of n cues, their words limited to what word cells fire (`bcpnn.volley`); without words where None."""
        return cls(tuple(volley(w) for w in words) if words is not None else (SILENT,) * n, around, silenced)

    @classmethod
    def nothing(cls, n: int) -> "CueWords":
        """For n cues that are vectors alone."""
        return cls((SILENT,) * n)

    def some(self, which: NDArray[np.integer]) -> "CueWords":
        """The words and moment of some of the cues."""
        return CueWords(tuple(self.words[i] for i in which), self.around, self.silenced)

    def flat(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """The word cells of all cues, one cue after the other: where each begins, [n + 1]; the cells; their spikes."""
        return self._flat

    @cached_property
    def _flat(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        ptr = np.concatenate([[0], np.cumsum([len(w.cells) for w in self.words], dtype=np.int64)])
        everything = (SILENT, *self.words)
        return ptr, np.concatenate([w.cells for w in everything]), np.concatenate([w.spikes for w in everything])

"""Checks of what is stored with vectors, or given with cues: words, sessions, moments, ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import UnknownMemoryError, VectorError
from spikemem.hippocampus.regions.cue_words import SILENT, CueWords
from spikemem.hippocampus.regions.ec_ctx import FARTHEST, NO_SESSION
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.spec import LexSpec


@dataclass(frozen=True, eq=False)
class Inputs:
    """The words, sessions and moments of memories to be stored.

    words: `Words` of each key of each memory.   cue: which of these are cues apart from the text.
    sessions, when: of each memory, [n]; -1 and NaN where there is none.
    """

    words: list[list[Words]]
    cue: list[list[bool]]
    sessions: NDArray[np.int64]
    when: NDArray[np.float64]

    @classmethod
    def of(
        cls, n: int, variants: list[int], apart: bool, words: Sequence[Sequence[Words]] | None, pieces: Sequence[int] | None,
        sessions: ArrayLike | None, when: ArrayLike | None, lex: LexSpec | None,
    ) -> "Inputs":  # fmt: skip
        """The checked inputs of n memories; VectorError where they do not fit. Without `lex` words are left out.

        variants: how many each memory has.   apart: whether each has a cue apart from its target.   The rest as in `Hippocampus.store`.
        """
        size = [1 + apart + v for v in variants]
        own = [0] * n if pieces is None else list(pieces)
        given = [[SILENT] * s for s in size] if words is None else [list(w) for w in words]
        if [len(w) for w in given] != size:
            raise VectorError("words: each memory needs one `Words` for each of its keys (content, cue, variants)")
        for w in given:
            _known_cells(w, lex)
        if lex is None:
            given = [[SILENT] * s for s in size]
        if len(own) != n or any(not 0 <= p <= v for p, v in zip(own, variants, strict=False)):
            raise VectorError("pieces: each memory needs how many of its variants are pieces of its text")
        session = np.full(n, NO_SESSION) if sessions is None else np.asarray(sessions)
        moment = np.full(n, np.nan) if when is None else np.asarray(when, np.float64)
        if session.shape != (n,) or session.dtype.kind not in "iu" or moment.shape != (n,) or (np.abs(moment) > FARTHEST).any():
            raise VectorError(f"{n} memories need as many sessions (whole numbers) and moments (s since 1970 up to {FARTHEST:g}, or NaN)")
        cue = [[False] + [True] * apart + [j >= p for j in range(v)] for p, v in zip(own, variants, strict=True)]
        return cls(given, cue, session.astype(np.int64), moment)

    def part(self, rows: slice) -> "Inputs":
        """Those of some of the memories."""
        return Inputs(self.words[rows], self.cue[rows], self.sessions[rows], self.when[rows])

    def of_keys(self, whose: NDArray[np.int64]) -> tuple[list[Words], NDArray[np.bool_]]:
        """The `Words` of each key, and whether it is a cue apart from the text, bool, [key].   whose: the memory of each key, [key]."""
        words, cue = [iter(w) for w in self.words], [iter(c) for c in self.cue]
        return [next(words[i]) for i in whose], np.array([next(cue[i]) for i in whose], bool)


def check_cue(
    words: Sequence[Words] | None, around: float | None, n: int, lex: LexSpec | None, silenced: NDArray[np.bool_] | None = None
) -> CueWords:
    """The checked words and moment of n cues; VectorError where they do not fit. Without `lex` words are left out.

    silenced: memories that do not answer, [memory].
    """
    if words is not None and len(words) != n:
        raise VectorError(f"{n} cues need as many words, not {len(words)}")
    if around is not None and not abs(around) <= FARTHEST:
        raise VectorError(f"around is {around!r}; it must be a moment in seconds since 1970, up to {FARTHEST:g}")
    _known_cells(words or (), lex)
    return CueWords.of(words if lex else None, around, n, silenced)


def _known_cells(words: Sequence[Words], lex: LexSpec | None) -> None:
    """VectorError where words lie on cells that the model lacks."""
    if lex is None:
        return
    for given in words:
        if len(given.cells) and not 0 <= given.cells.min() <= given.cells.max() < lex.cells:
            raise VectorError(f"words reach cell {given.cells.max()}; the model has {lex.cells}: make them with words(text, {lex.cells})")


def known(ids: ArrayLike, alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Memory ids as int64, [n]; UnknownMemoryError where one is no whole number, or of no living memory.   alive: [memory]."""
    try:
        given = np.atleast_1d(np.asarray(ids))
    except ValueError as error:
        raise UnknownMemoryError(f"memory ids are a list of whole numbers: {error}") from error
    if given.size == 0:
        return np.zeros(0, np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise UnknownMemoryError(f"memory ids are a list of whole numbers, not {given.dtype} of shape {given.shape}")
    for i in given.tolist():
        if not 0 <= i < len(alive) or not alive[i]:
            raise UnknownMemoryError(f"no memory {i}; it was never stored or has been forgotten")
    return given.astype(np.int64)


def empty(vectors: ArrayLike) -> bool:
    """Whether vectors are a sequence or an array without any."""
    return isinstance(vectors, Sequence | np.ndarray) and len(vectors) == 0


def at_least(least: int, **given: int) -> None:
    """VectorError where a named argument is no whole number, or is below `least`."""
    for name, value in given.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise VectorError(f"{name} is {value!r}; it must be a whole number, at least {least}")


def no_words(keys: int, memories: int) -> dict[str, NDArray[np.generic]]:
    """Entries of `Hippocampus.arrays` for memories without words and times, which snapshots of earlier versions lack."""
    none = np.zeros(0, np.int64)
    return {
        "words_ptr": np.zeros(keys + 1, np.int64), "words_cell": none, "words_spikes": none, "words_whole": np.zeros(0, bool),
        "cue": np.zeros(keys, bool), "session": np.full(memories, NO_SESSION), "when": np.full(memories, np.nan),
    }  # fmt: skip

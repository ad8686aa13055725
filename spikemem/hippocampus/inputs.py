"""Checks of what is stored with vectors, or given with cues: words, sessions, moments, ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, Checks
from spikemem.errors import UnknownMemoryError, VectorError
from spikemem.hippocampus.regions.cue_words import SILENT, CueWords
from spikemem.hippocampus.regions.ec_ctx import FARTHEST, NO_SESSION
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.spec import LexSpec

check = Checks(VectorError)


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
        own = [0] * n if pieces is None else [check.integer(p, "a number of pieces", least=0) for p in check.listed(pieces, "pieces")]
        given = [[SILENT] * s for s in size]
        if words is not None:
            given = [_words(w, lex) for w in check.listed(words, "words", "lists of `Words`, one a memory")]
        if [len(w) for w in given] != size:
            raise VectorError("words: each memory needs one `Words` for each of its keys (content, cue, variants)")
        if lex is None:
            given = [[SILENT] * s for s in size]
        if len(own) != n or any(not 0 <= p <= v for p, v in zip(own, variants, strict=False)):
            raise VectorError("pieces: each memory needs how many of its variants are pieces of its text")
        none = np.full(n, NO_SESSION)
        session = none if sessions is None else check.indices(sessions, "sessions", 2**62, shape=(n,), least=NO_SESSION)
        moment = np.full(n, np.nan) if when is None else check.array(when, "when", "fiu", shape=(n,), finite=False).astype(np.float64)
        if (np.abs(moment) > FARTHEST).any():
            raise VectorError(f"when: moments are s since 1970, up to {FARTHEST:g}, or NaN")
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
    given = None if words is None else _words(words, lex)
    if given is not None and len(given) != n:
        raise VectorError(f"{n} cues need as many words, not {len(given)}")
    if around is not None:
        around = check.number(around, "around, a moment in seconds since 1970,", least=-FARTHEST, most=FARTHEST)
    return CueWords.of(given if lex else None, around, n, silenced)


def _words(given: Sequence[Words], lex: LexSpec | None) -> list[Words]:
    """A list of `Words`; VectorError where one is none, or lies on cells that the model lacks."""
    listed = check.listed(given, "words", "`Words`")
    for words in listed:
        check.instance(words, "an item of words", Words, "make it with words(text, cells)")
    return listed if lex is None else [check_words(words, lex.cells) for words in listed]


def check_words(words: Words, cells: int) -> Words:
    """`Words` whose cells are of the model; VectorError where they are not, or where their parts do not pair up."""
    if words is SILENT:
        return words
    where = f"the word cells (made with words(text, {cells}))"
    cell = check.indices(words.cells, where, cells)
    spikes = check.indices(words.spikes, "the spikes of word cells", INDEX, shape=cell.shape, least=1)
    return Words(cell, spikes, check.array(words.whole, "which word cells are of whole words", "b", shape=cell.shape))


def known(ids: ArrayLike, alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Memory ids as int64, [n]; UnknownMemoryError where one is no whole number, or of no living memory.   alive: [memory]."""
    given = np.atleast_1d(Checks(UnknownMemoryError).array(ids, "memory ids, a list of whole numbers", "iu"))
    if given.ndim != 1 and given.size:
        raise UnknownMemoryError(f"memory ids are a list of whole numbers, not {given.dtype} of shape {given.shape}")
    for i in given.ravel().tolist():
        if not 0 <= i < len(alive) or not alive[i]:
            raise UnknownMemoryError(f"no memory {i}; it was never stored or has been forgotten")
    return given.ravel().astype(np.int64)


def empty(vectors: ArrayLike) -> bool:
    """Whether vectors are a sequence or an array without any."""
    return vectors.shape[:1] == (0,) if isinstance(vectors, np.ndarray) else isinstance(vectors, Sequence) and len(vectors) == 0


def no_words(keys: int, memories: int) -> dict[str, NDArray[np.generic]]:
    """Entries of `Hippocampus.arrays` for memories without words and times, which snapshots of earlier versions lack."""
    none = np.zeros(0, np.int64)
    return {
        "words_ptr": np.zeros(keys + 1, np.int64), "words_cell": none, "words_spikes": none, "words_whole": np.zeros(0, bool),
        "cue": np.zeros(keys, bool), "session": np.full(memories, NO_SESSION), "when": np.full(memories, np.nan),
        "number": np.arange(memories), "silent": np.zeros(memories, bool),
        "superseded_by": np.full(memories, -1), "until": np.full(memories, np.nan), "again": none, "earlier": np.zeros(0),
    }  # fmt: skip

"""Memories before they are stored, and what a hippocampus is told of them beside their vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.conversation import Turn
from spikemem.regions.ca1 import NONE
from spikemem.regions.ec_lex import Words, words
from spikemem.spec import ModelSpec
from spikemem.store import Kind
from spikemem.texts import pieces, seconds


@dataclass(frozen=True)
class Key:
    """A key of a memory.   said: what the embedder hears.   heard: what the word cells hear."""

    kind: Kind
    said: str
    heard: str


@dataclass(frozen=True)
class Draft:
    """A memory.   keys: its content, the pieces of its text, its further cues.   session: its number among the sessions of one call."""

    text: str
    keys: list[Key]
    happened: float | None
    session: int | None

    @classmethod
    def of(cls, text: str, cues: Sequence[str], happened: float | None, session: int | None, heard: str | None = None) -> "Draft":
        """A draft with its keys.   heard: what the word cells hear; the text by default."""
        parts = [Key(Kind.PIECE, piece, piece) for piece in pieces(text)]
        return cls(text, [Key(Kind.CONTENT, text, heard or text), *parts, *(Key(Kind.CUE, c, c) for c in cues)], happened, session)

    @classmethod
    def of_turn(cls, turn: Turn, session: int) -> "Draft":
        return cls.of(turn.said, [], seconds(turn.when), session, turn.heard)


def heard(spec: ModelSpec, texts: Sequence[str]) -> list[Words] | None:
    """What the word cells hear of texts; None where the model has no word cells."""
    return None if spec.lex is None else [words(text, spec.lex.cells) for text in texts]


def heard_of_keys(spec: ModelSpec, drafts: Sequence[Draft]) -> list[list[Words]] | None:
    """What the word cells hear of drafts, one for each key; None where the model has no word cells."""
    return None if spec.lex is None else [[words(key.heard, spec.lex.cells) for key in draft.keys] for draft in drafts]


def joined(spec: ModelSpec, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The entries of `Hippocampus.arrays` that hold what the word cells hear of all keys."""
    told = heard(spec, texts) or [words("", 1)] * len(texts)
    nothing = words("", 1)
    return {
        "words_ptr": np.cumsum([0, *(len(one.cells) for one in told)]),
        "words_cell": np.concatenate([nothing.cells, *(one.cells for one in told)]),
        "words_spikes": np.concatenate([nothing.spikes, *(one.spikes for one in told)]),
        "words_whole": np.concatenate([nothing.whole, *(one.whole for one in told)]),
    }


def session_array(numbers: Sequence[int | None]) -> NDArray[np.int64]:
    """Numbers of sessions as a hippocampus takes them."""
    return np.array([NONE if n is None else n for n in numbers], np.int64)


def when_array(happened: Sequence[float | None]) -> NDArray[np.float64]:
    """Times as a hippocampus takes them."""
    return np.array([np.nan if h is None else h for h in happened], np.float64)

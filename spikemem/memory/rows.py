"""The rows of the store: memories, their keys, and the checksum that each row carries."""

import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class KeyKind(IntEnum):
    """What a key of a memory holds: its content, a piece of its text, a further cue, or its content in other words."""

    CONTENT = 0
    PIECE = 1
    CUE = 2
    WORDING = 3


@dataclass(frozen=True)
class StoredMemory:
    """A memory's row.

    id: ids rise and are never given twice.   stored: seconds since 1970.   origin: a note of where it came from, or None.
    happened: seconds since 1970, or None.   session: memories of one number belong together, in their order; or None.
    """

    id: int
    text: str
    stored: float
    origin: str | None = None
    happened: float | None = None
    session: int | None = None

    def values(self) -> tuple[Any, ...]:
        """The columns without the CRC, of the types that SQLite gives back."""
        happened = None if self.happened is None else float(self.happened)
        return self.id, self.text, float(self.stored), self.origin, happened, self.session


BREAK = "\x1f"
"""Separates, in the text of a WORDING key, the wording from what only word cells get (a caption); to word cells it is a space."""


@dataclass(frozen=True, eq=False)
class StoredKey:
    """A key's row: a cue of a memory. A memory's first key is its content.

    text: the input of the word cells; of a content it may hold more (a caption) than the memory's text, of which the vector was made.
    vector: float32, [d].   counts: EC's volley, int8, [d].   code: of CA3, uint16, [k].
    The vector is kept so that another circuit, or the rate twin, can be built from the file.
    """

    memory: int
    text: str
    vector: NDArray[np.float32]
    counts: NDArray[np.int8]
    code: NDArray[np.uint16]
    kind: KeyKind = KeyKind.CONTENT

    @property
    def wording(self) -> str | None:
        """The wording, where the key is a further wording of its memory; else None."""
        return self.text.rpartition(BREAK)[0] if self.kind is KeyKind.WORDING else None

    def values(self) -> tuple[Any, ...]:
        """The columns without the CRC."""
        return self.memory, self.text, self.vector.tobytes(), self.counts.tobytes(), self.code.tobytes(), int(self.kind)


def crc_of(*parts: str | bytes | float | None) -> int:
    """The checksum of a row's columns, which the row carries."""
    return zlib.crc32(b"\0".join(p if isinstance(p, bytes) else repr(p).encode() for p in parts))

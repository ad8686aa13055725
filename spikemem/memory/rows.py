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
    """id: ids rise and are never given twice.   stored: seconds since 1970.   origin: a note of where it came from, or None.

    happened: seconds since 1970, or None.   session: memories of one number belong together, in their order; or None.
    """

    id: int
    text: str
    stored: float
    origin: str | None = None
    happened: float | None = None
    session: int | None = None

    def values(self) -> tuple[Any, ...]:
        """A row without its CRC, of the types that SQLite gives back."""
        happened = None if self.happened is None else float(self.happened)
        return self.id, self.text, float(self.stored), self.origin, happened, self.session


BREAK = "\x1f"
"""In the text of a wording's row, between what is said and what is heard besides; to the word cells it is a space."""


@dataclass(frozen=True, eq=False)
class StoredKey:
    """A cue of a memory: its text, its vector float32 [d], its volley int8 [d], its CA3 code uint16 [k]. The first is the content.

    The text is what the word cells hear; of a content it may say more than the memory's text, which is what the vector was made of.
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
        """What is said, where the key is a further wording of its memory."""
        return self.text.rpartition(BREAK)[0] if self.kind is KeyKind.WORDING else None

    def values(self) -> tuple[Any, ...]:
        """A row without its CRC."""
        return self.memory, self.text, self.vector.tobytes(), self.counts.tobytes(), self.code.tobytes(), int(self.kind)


def crc_of(*parts: str | bytes | float | None) -> int:
    return zlib.crc32(b"\0".join(p if isinstance(p, bytes) else repr(p).encode() for p in parts))

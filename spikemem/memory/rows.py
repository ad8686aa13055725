"""The rows of the store: memories, their keys, their further occurrences, and the checksum that each row carries."""

import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.index_cells import MOST_NUMBER as MOST_NUMBER  # the largest id, and session, too

Values = tuple[Any, ...]
ALTERED = "it has been altered on disk: it does not match its checksum"


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
    happened: when it first did, seconds since 1970, or None.
    session: memories of one number belong together, in their order; or None.   speaker: who said it, or None.
    scope, metadata: JSON objects with sorted keys, or None.
    superseded_by, until: what superseded it, and from when on it no longer holds; None where it is current. `superseded_by` may name a
    memory that was forgotten.   strength: of its engram; 1 where nothing has changed it.
    """

    id: int
    text: str
    stored: float
    origin: str | None = None
    happened: float | None = None
    session: int | None = None
    speaker: str | None = None
    scope: str | None = None
    metadata: str | None = None
    superseded_by: int | None = None
    until: float | None = None
    strength: float = 1.0

    @classmethod
    def of(cls, first: "Occurrence", scope: str | None, **versions: Any) -> "StoredMemory":
        """A memory by the first time that it was stored.   versions: `superseded_by`, `until` and `strength`, where these are known."""
        return cls(
            first.memory, first.text, first.stored, first.origin, first.happened, first.session, first.speaker, scope, first.metadata,
            **versions,
        )  # fmt: skip

    @property
    def first(self) -> "Occurrence":
        """The first time that it was stored."""
        return Occurrence(self.id, self.text, self.stored, self.origin, self.happened, self.session, self.speaker, self.metadata)

    @property
    def current(self) -> bool:
        """Whether nothing has superseded it."""
        return self.until is None

    def values(self) -> Values:
        """The columns without the CRC, of the types that SQLite gives back."""
        happened, until = (None if t is None else float(t) for t in (self.happened, self.until))
        return (
            self.id, self.text, float(self.stored), self.origin, happened, self.session, self.speaker, self.scope, self.metadata,
            self.superseded_by, until, float(self.strength),
        )  # fmt: skip


@dataclass(frozen=True)
class Occurrence:
    """A time that a memory was stored: in which words, when, and where it came from; the fields are those of `StoredMemory`.

    The first one is in the memory's own row, each further one has a row of its own.
    """

    memory: int
    text: str
    stored: float
    origin: str | None = None
    happened: float | None = None
    session: int | None = None
    speaker: str | None = None
    metadata: str | None = None

    def values(self) -> Values:
        """The columns without the CRC."""
        happened = None if self.happened is None else float(self.happened)
        return self.memory, self.text, float(self.stored), self.origin, happened, self.session, self.speaker, self.metadata


@dataclass(frozen=True, eq=False)
class StoredKey:
    """A key's row: a cue of a memory. A memory's first key is its content.

    text: what was embedded.   words: what drives the word cells, where that is another text (it may have a caption); or None.
    vector: float32, [d].   counts: EC's volley, int8, [d].   code: of CA3, uint16, [k].
    The vector is kept so that another circuit, or the rate twin, can be built from the file.
    """

    memory: int
    text: str
    vector: NDArray[np.float32]
    counts: NDArray[np.int8]
    code: NDArray[np.uint16]
    kind: KeyKind = KeyKind.CONTENT
    words: str | None = None

    @property
    def worded(self) -> str:
        """The text that drives the word cells."""
        return self.text if self.words is None else self.words

    @property
    def wording(self) -> str | None:
        """The wording, where the key is a further wording of its memory; else None."""
        return self.text if self.kind is KeyKind.WORDING else None

    def values(self) -> Values:
        """The columns without the CRC."""
        return self.memory, self.text, self.words, self.vector.tobytes(), self.counts.tobytes(), self.code.tobytes(), int(self.kind)


class Rows(NamedTuple):
    """All that a file holds of memories, in the order of storing.   links: associations (pre, post), ids of memories, as they were made."""

    memories: list[StoredMemory]
    keys: list[StoredKey]
    occurrences: list[Occurrence]
    links: list[tuple[int, int]]


def crc_of(*parts: str | bytes | float | None) -> int:
    """The checksum of a row's columns, which the row carries."""
    return zlib.crc32(b"\0".join(p if isinstance(p, bytes) else repr(p).encode() for p in parts))


def has_direction(vector: NDArray[np.float32], dim: int) -> bool:
    """Whether a vector can be a key's: dim finite numbers that are not all nought."""
    return vector.shape == (dim,) and bool(np.isfinite(vector).all()) and bool(vector.any())


def unaltered(row: Values) -> Values:
    """The columns of a row without its last one, the CRC; ValueError where they do not match it."""
    *values, crc = row
    if crc_of(*values) != crc:
        raise ValueError(ALTERED)
    return tuple(values)


def sealed(key: str, value: bytes) -> bytes:
    """What is stored of an entry of the file: its CRC, then its value."""
    return zlib.crc32(value, zlib.crc32(key.encode())).to_bytes(4, "little") + value


def unsealed(key: str, stored: bytes) -> bytes:
    """The value of an entry; ValueError where it does not match its CRC.

    >>> unsealed("next_id", sealed("next_id", b"7"))
    b'7'
    """
    if sealed(key, stored[4:]) != stored:
        raise ValueError(ALTERED)
    return stored[4:]

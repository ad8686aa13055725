"""The formats of a memory's file: the tables of today's, and how rows of earlier ones are read and brought into it.

Format 2 added when memories happened, their session, and the kind of a key. Format 3 keeps apart what a key embeds and what drives the word
cells, and adds speakers, scopes, metadata, versions, strengths, and every further time that a memory was stored.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from spikemem._checks import shown
from spikemem.errors import SpikememError, StoreError
from spikemem.memory.labels import labels_of, metadata_entry, scope_entry
from spikemem.memory.rows import MOST_NUMBER, KeyKind, Occurrence, StoredKey, StoredMemory, Values, crc_of, unaltered
from spikemem.memory.texts import check_text, moment

APPLICATION = 0x5350494B  # "SPIK"
VERSION = 3
SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
    "CREATE TABLE memories (id INTEGER PRIMARY KEY, text TEXT NOT NULL, stored REAL NOT NULL, origin TEXT, happened REAL, session INTEGER, "
    "speaker TEXT, scope TEXT, metadata TEXT, superseded_by INTEGER, until REAL, strength REAL NOT NULL, crc INTEGER NOT NULL) STRICT",
    "CREATE TABLE keys (id INTEGER PRIMARY KEY, memory INTEGER NOT NULL REFERENCES memories (id), text TEXT NOT NULL, words TEXT, "
    "vector BLOB NOT NULL, counts BLOB NOT NULL, code BLOB NOT NULL, kind INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT",
    "CREATE TABLE occurrences (id INTEGER PRIMARY KEY, memory INTEGER NOT NULL REFERENCES memories (id), text TEXT NOT NULL, "
    "stored REAL NOT NULL, origin TEXT, happened REAL, session INTEGER, speaker TEXT, metadata TEXT, crc INTEGER NOT NULL) STRICT",
    "CREATE TABLE links (pre INTEGER NOT NULL, post INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (pre, post)) STRICT, WITHOUT ROWID",
    "CREATE INDEX keys_memory ON keys (memory)",
    "CREATE INDEX occurrences_memory ON occurrences (memory)",
)
MEMORY = {
    1: "id, text, stored, origin",
    2: "id, text, stored, origin, happened, session",
    3: "id, text, stored, origin, happened, session, speaker, scope, metadata, superseded_by, until, strength",
}
"""The columns of `memories` in each format, in the order in which a row's CRC covers them."""
KEY = {
    1: "memory, text, vector, counts, code",
    2: "memory, text, vector, counts, code, kind",
    3: "memory, text, words, vector, counts, code, kind",
}
OCCURRENCE = "memory, text, stored, origin, happened, session, speaker, metadata"
TABLES = {
    version: {"meta": "key, value", "memories": f"{MEMORY[version]}, crc", "keys": f"id, {KEY[version]}, crc", "links": "pre, post, crc"}
    | ({"occurrences": f"id, {OCCURRENCE}, crc"} if version > 2 else {})
    for version in MEMORY
}
"""The tables of each format, with their columns."""
BREAK = "\x1f"
"""Separates, in format 2, the wording in the text of a WORDING key from what only word cells get."""
NUMBERS = ("next_id", "next_session")
"""Entries that are numbers: those that are given next."""
LARGEST = 1 << 28
"""Bytes of the longest value that is read."""
UNSOUND = (ValueError, TypeError, OverflowError, SpikememError)
"""What comes of a row that holds what cannot be."""
Select = Callable[..., list[Any]]
T = TypeVar("T")


def damaged(name: object, problem: str) -> StoreError:
    """The error of a file that cannot be used.   problem: what is wrong with it."""
    return StoreError(f"{name} is damaged: {problem}; restore it from a backup, or save the rest: spikemem check")


def number_of(value: bytes) -> int:
    """The number of an entry, which is given next; ValueError where it is none.

    >>> number_of(b"7")
    7
    """
    if not value.isdigit() or int(value) > MOST_NUMBER + 1:
        raise ValueError(f"{shown(value)} is no id or number of a session")
    return int(value)


def check_tables(db: sqlite3.Connection, version: int, name: object) -> None:
    """StoreError where a file has other tables, columns, triggers or views than its format."""
    objects = db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    foreign = [
        f"{kind} {what!r}" for kind, what in objects if kind not in ("table", "index") or (kind == "table" and what not in TABLES[version])
    ]
    if foreign:
        raise StoreError(f"{name} has a {foreign[0]} that spikemem did not make; use a file of its own, or spikemem check --repair")
    for table, columns in TABLES[version].items():
        there = {row[1] for row in db.execute(f"PRAGMA table_xinfo({table})")}
        if there != set(columns.split(", ")):
            raise damaged(name, f"table {table!r} has columns {sorted(there) or 'none'}")


def memory_of(row: Values) -> StoredMemory:
    """A memory from its columns; ValueError where they cannot be those of one."""
    memory = StoredMemory(*row)
    _sound(memory)
    if not 0 <= memory.id <= MOST_NUMBER or not 0 <= memory.strength < np.inf:
        raise ValueError("its id or its strength is out of range")
    if memory.superseded_by is not None and not memory.id < memory.superseded_by <= MOST_NUMBER:
        raise ValueError(f"memory {memory.superseded_by} cannot have superseded it")
    if memory.until is not None:
        moment(memory.until)
    scope_entry(labels_of(memory.scope) or None)
    return memory


def occurrence_of(row: Values) -> Occurrence:
    """A further time that a memory was stored, from its columns; ValueError where they cannot be those of one."""
    occurrence = Occurrence(*row)
    _sound(occurrence)
    return occurrence


def _sound(stored: StoredMemory | Occurrence) -> None:
    """ValueError where what memories and occurrences share could not have been stored."""
    check_text(stored.text)
    for note in (stored.origin, stored.speaker):
        if note is not None:
            check_text(note)
    for time in (stored.stored, stored.happened):
        if time is not None:
            moment(time)
    if stored.session is not None and not 0 <= stored.session <= MOST_NUMBER:
        raise ValueError("its session is out of range")
    metadata_entry(labels_of(stored.metadata) or None)


def key_of(row: Values, version: int, first: bool, content: str) -> StoredKey:
    """A key from its columns.   first: whether it is the first of its memory.   content: the memory's text.

    In format 1 a memory's first key is its content, the others are cues. Before format 3 the text of a content may have had a caption, and
    that of a wording a BREAK before it.
    """
    if version == VERSION:
        memory, text, words, *arrays, kind = row
    else:
        memory, text, *arrays = row[:5]
        kind, words = (row[5] if version > 1 else KeyKind.CONTENT if first else KeyKind.CUE), None
        if kind == KeyKind.CONTENT and text != content:
            text, words = content, text
        elif kind == KeyKind.WORDING:
            text, _, caption = text.rpartition(BREAK)
            words = text + caption if caption else None
    check_text(text)
    vector, counts, code = (np.frombuffer(a, dtype) for a, dtype in zip(arrays, (np.float32, np.int8, np.uint16), strict=True))
    return StoredKey(memory, text, vector, counts, code, KeyKind(kind), words)


def read_memories(select: Select, version: int, name: object) -> list[StoredMemory]:
    """All memories by id; StoreError where a row does not match its CRC."""
    rows = select(f"SELECT {MEMORY[version]}, crc FROM memories ORDER BY id")
    return [_checked(row, name, f"memory {row[0]}", memory_of) for row in rows]


def read_keys(select: Select, version: int, name: object, memory: int | None = None) -> Iterator[StoredKey]:
    """All keys, or those of a memory, in the order of storing; StoreError where a row does not match its CRC."""
    texts = {} if version == VERSION else dict(select("SELECT id, text FROM memories"))
    rows, known = select(f"SELECT {KEY[version]}, crc FROM keys WHERE ?1 IS NULL OR memory = ?1 ORDER BY id", memory), set[int]()
    for row in rows:
        first, content = row[0] not in known, texts.get(row[0], "")
        known.add(row[0])
        yield _checked(row, name, f"a cue of memory {row[0]}", lambda values: key_of(values, version, first, content))  # noqa: B023 (used at once)


def read_occurrences(select: Select, version: int, name: object) -> list[Occurrence]:
    """The further times that memories were stored, in their order; StoreError where a row does not match its CRC."""
    rows = [] if version < VERSION else select(f"SELECT {OCCURRENCE}, crc FROM occurrences ORDER BY id")
    return [_checked(row, name, f"a date of memory {row[0]}", occurrence_of) for row in rows]


def read_links(select: Select, name: object) -> list[tuple[int, int]]:
    """All associations (pre, post); StoreError where a row does not match its CRC."""
    rows = select("SELECT pre, post, crc FROM links ORDER BY pre, post")
    return [_checked(row, name, f"the link {row[0]} -> {row[1]}", lambda values: (values[0], values[1])) for row in rows]


def _checked(row: Values, name: object, what: str, made: Callable[[Values], T]) -> T:
    """What a row holds; StoreError where it does not match its CRC, its last column, or holds no such thing."""
    try:
        return made(unaltered(row))
    except UNSOUND as error:
        raise damaged(name, f"{what}: {error}") from error


def write(db: sqlite3.Connection, memories: list[StoredMemory], keys: list[StoredKey]) -> None:
    """Insert rows of today's format."""
    insert(db, "memories", MEMORY[VERSION], [m.values() for m in memories])
    insert(db, "keys", KEY[VERSION], [k.values() for k in keys])


def insert(db: sqlite3.Connection, table: str, columns: str, rows: list[Values]) -> None:
    """Insert rows with their CRC."""
    places = ", ".join("?" * (columns.count(",") + 2))
    db.executemany(f"INSERT INTO {table} ({columns}, crc) VALUES ({places})", [(*row, crc_of(*row)) for row in rows])


def upgrade(db: sqlite3.Connection, select: Select, version: int, name: object) -> None:
    """Bring the tables of an earlier format into today's, within a transaction; rows are checked before they get their new CRC."""
    memories, keys = read_memories(select, version, name), list(read_keys(select, version, name))
    for table in ("keys", "memories"):
        db.execute(f"DROP TABLE {table}")
    for statement in SCHEMA:
        if statement.split()[2] not in ("meta", "links"):
            db.execute(statement)
    write(db, memories, keys)
    db.execute(f"PRAGMA user_version = {VERSION}")

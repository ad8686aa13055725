"""The durable store of a text memory: one SQLite file. When `add` returns, its rows are on disk (WAL, synchronous=FULL).

Vectors, codes and links are stored; synapses are derived from them. Each row carries a CRC, so that a flipped byte is found when the
file is opened. One process writes at a time; it holds `FILE.lock` (an SQLite lock, which the system releases even after a kill).

Format 2 added when memories happened, their session, and the kind of a key. A file of format 1 becomes one of format 2
when it is first opened for writing, all at once or not at all; a reader takes it as it is.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import StoreError, StoreLockedError
from spikemem.memory.rows import KeyKind, StoredKey, StoredMemory, crc_of

APPLICATION = 0x5350494B  # "SPIK"
VERSION = 2
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE memories (id INTEGER PRIMARY KEY, text TEXT NOT NULL, stored REAL NOT NULL, origin TEXT, crc INTEGER NOT NULL,
                       happened REAL, session INTEGER) STRICT;
CREATE TABLE keys (id INTEGER PRIMARY KEY, memory INTEGER NOT NULL REFERENCES memories (id), text TEXT NOT NULL,
                   vector BLOB NOT NULL, counts BLOB NOT NULL, code BLOB NOT NULL, crc INTEGER NOT NULL,
                   kind INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX keys_memory ON keys (memory);
CREATE TABLE links (pre INTEGER NOT NULL, post INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (pre, post)) STRICT, WITHOUT ROWID;
"""
UPGRADE = (
    "ALTER TABLE memories ADD COLUMN happened REAL",
    "ALTER TABLE memories ADD COLUMN session INTEGER",
    "ALTER TABLE keys ADD COLUMN kind INTEGER NOT NULL DEFAULT 0",
)
"""From format 1 to format 2; the rows' CRCs follow."""
MEMORY = "id, text, stored, origin"
KEY = "memory, text, vector, counts, code"
"""The columns that both formats have, in the order in which their CRC covers them."""


class Store:
    """An open database.   path: the file, or None for one in RAM.   readonly: without the writer's lock."""

    def __init__(self, path: str | Path | None, readonly: bool = False) -> None:
        self.path = None if path is None else Path(path)
        self.readonly = readonly
        self._closed = False
        self._read = 0  # SQLite's count of other connections' changes when `reading` last ended
        self._lock: sqlite3.Connection | None = None
        self._db: sqlite3.Connection = sqlite3.connect(":memory:")  # until the file is open
        if self.path is not None:
            if self.path.is_dir() or not self.path.parent.is_dir():
                raise StoreError(f"{self.path} cannot be a database: {'it is a folder' if self.path.is_dir() else 'its folder is missing'}")
            if readonly and not self.path.is_file():
                raise StoreError(f"there is no {self.path}; store something first")
        try:
            if self.path is not None and not readonly:
                self._lock = _take_lock(self.path)
            self._db.close()
            self._db = self._connect()
            self._check()
        except sqlite3.OperationalError as error:
            self.close()
            kind = StoreLockedError if "locked" in str(error) else StoreError
            raise kind(f"{self.path} cannot be opened: {error}") from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise StoreError(f"{self.path} is no spikemem database, or is damaged: {error}") from error
        except StoreError:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        if self.path is None:
            db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        elif self.readonly:
            db = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        else:
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        return db

    def _check(self) -> None:
        """Make a new database, or see that the file is one of ours and whole."""
        db = self._db
        application = db.execute("PRAGMA application_id").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application != APPLICATION and not tables and self.readonly:
            raise StoreError(f"{self.path} is empty; store something first")
        if application != APPLICATION and tables:
            raise StoreError(f"{self.path} is a database of another program; give spikemem a file of its own")
        if application == APPLICATION:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if not 1 <= version <= VERSION:
                raise StoreError(f"{self.path} has format {version}, this spikemem reads 1 to {VERSION}; use the version that wrote it")
            problem = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if problem != "ok":
                raise StoreError(f"{self.path} is damaged ({problem}); restore it from a backup")
            for key, value in self._select("SELECT key, value FROM meta"):
                self._entry(key, value)
        if not self.readonly:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        if application != APPLICATION:
            db.executescript(f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;")
        elif not self.readonly and self._format() < VERSION:
            self._upgrade()

    def _format(self) -> int:
        """The format of the file now: while a reader has it open, a writer may upgrade it."""
        return int(self._select("PRAGMA user_version")[0][0])

    def _upgrade(self) -> None:
        """From format 1 to format 2; rows are checked before they get their new CRC."""
        with self._transaction():
            memories, keys = self.memories(), self._keys()
            for statement in UPGRADE:
                self._db.execute(statement)
            self._db.executemany("UPDATE memories SET crc = ? WHERE id = ?", [(crc_of(*m.values()), m.id) for m in memories])
            self._db.executemany("UPDATE keys SET kind = ?, crc = ? WHERE id = ?", [(int(k.kind), crc_of(*k.values()), i) for i, k in keys])
            self._db.execute(f"PRAGMA user_version = {VERSION}")

    # -- meta ----------------------------------------------------------------------------------------------------------------------

    def get(self, key: str) -> bytes | None:
        """An entry of the file by its key; None where there is none."""
        rows = self._select("SELECT value FROM meta WHERE key = ?", key)
        return self._entry(key, rows[0][0]) if rows else None

    def _entry(self, key: str, value: bytes) -> bytes:
        if zlib.crc32(value[4:], zlib.crc32(key.encode())).to_bytes(4, "little") != value[:4]:
            raise StoreError(f"{self.path}: entry {key!r} has been altered on disk; restore the file from a backup")
        return value[4:]

    def count(self, table: Literal["memories", "keys", "links"]) -> int:
        """The number of rows of a table."""
        return int(self._select(f"SELECT count(*) FROM {table}")[0][0])

    def get_json(self, key: str) -> object:
        """An entry of the file that holds JSON, parsed; None where there is none."""
        value = self.get(key)
        return None if value is None else json.loads(value)

    def _select(self, query: str, *values: object) -> list[Any]:
        """The rows of a query; StoreError where the file cannot give them."""
        self.check_open()
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise StoreLockedError(f"{self.path} is locked by another process: {error}") from error
            raise StoreError(f"{self.path} is damaged: {error}; restore it from a backup") from error

    def check_open(self) -> None:
        """StoreError where the store has been closed."""
        if self._closed:
            raise StoreError(f"{self.path or 'this memory'} is closed; open it again")

    def _put(self, meta: Iterable[tuple[str, bytes]]) -> None:
        rows = [(key, zlib.crc32(value, zlib.crc32(key.encode())).to_bytes(4, "little") + value) for key, value in meta]
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    # -- memories ------------------------------------------------------------------------------------------------------------------

    def add(
        self,
        memories: Sequence[StoredMemory],
        keys: Sequence[StoredKey],
        codes: NDArray[np.uint16] | None = None,
        meta: dict[str, bytes] | None = None,
        instead_of: int | None = None,
    ) -> None:
        """Add memories with their keys; all or nothing.   codes: new codes for the keys stored before, [key, k].   meta: entries.

        instead_of: a memory that the first one added overwrites: it is deleted, and its links are those of the new one.
        """
        with self._transaction():
            if instead_of is not None:
                self._hand_over(instead_of, memories[0].id)
            if codes is not None:
                self._recode(codes)
            self._put((meta or {}).items())
            rows = [m.values() for m in memories]
            into = f"INSERT INTO memories ({MEMORY}, happened, session, crc) VALUES (?, ?, ?, ?, ?, ?, ?)"
            self._db.executemany(into, [(*row, crc_of(*row)) for row in rows])
            self._add_keys(keys)

    def refresh(self, memory: int, stored: float, happened: float | None, keys: Sequence[StoredKey]) -> None:
        """Update a memory that was stored again: its times, of which the latest `happened` is kept, and the keys that it lacked."""
        with self._transaction():
            ((*row, crc),) = self._select(f"SELECT {MEMORY}, happened, session, crc FROM memories WHERE id = ?", memory)
            if crc_of(*row) != crc:
                raise StoreError(f"{self.path}: memory {memory} has been altered on disk; restore the file from a backup")
            old = StoredMemory(*row)
            new = replace(old, stored=stored, happened=max((t for t in (old.happened, happened) if t is not None), default=None))
            change = "UPDATE memories SET stored = ?, happened = ?, crc = ? WHERE id = ?"
            self._db.execute(change, (new.stored, new.happened, crc_of(*new.values()), memory))
            self._add_keys(keys)

    def _add_keys(self, keys: Sequence[StoredKey]) -> None:
        held = [k.values() for k in keys]
        self._db.executemany(f"INSERT INTO keys ({KEY}, kind, crc) VALUES (?, ?, ?, ?, ?, ?, ?)", [(*row, crc_of(*row)) for row in held])

    def _hand_over(self, old: int, new: int) -> None:
        """Delete a memory; another one gets its links."""
        links = [tuple(new if i == old else i for i in pair) for pair in self.links() if old in pair]
        self._delete([old])
        self._db.executemany("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", [(a, b, crc_of(a, b)) for a, b in links])

    def recode(self, codes: NDArray[np.uint16], meta: dict[str, bytes]) -> None:
        """Replace the codes of all keys, uint16, [key, k], in the order in which `keys` gives them.   meta: entries."""
        with self._transaction():
            self._recode(codes)
            self._put(meta.items())

    def _recode(self, codes: NDArray[np.uint16]) -> None:
        rows = self._select("SELECT memory, text, vector, counts, kind, id FROM keys ORDER BY id")
        new = [(c.tobytes(), crc_of(*row[:4], c.tobytes(), row[4]), row[5]) for row, c in zip(rows, codes, strict=True)]
        self._db.executemany("UPDATE keys SET code = ?, crc = ? WHERE id = ?", new)

    def link(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add associations (pre, post), ids of memories."""
        with self._transaction():
            self._db.executemany("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", [(a, b, crc_of(a, b)) for a, b in pairs])

    def remove(self, ids: Sequence[int]) -> None:
        """Delete memories, their keys and their links."""
        with self._transaction():
            self._delete(ids)

    def _delete(self, ids: Sequence[int]) -> None:
        each = [(i,) for i in ids]
        self._db.executemany("DELETE FROM links WHERE pre = ?1 OR post = ?1", each)
        self._db.executemany("DELETE FROM keys WHERE memory = ?", each)
        self._db.executemany("DELETE FROM memories WHERE id = ?", each)

    def next_id(self) -> int:
        """The id after the largest ever given."""
        return self._next("next_id", "SELECT coalesce(max(id), -1) FROM memories")

    def next_session(self) -> int:
        """The session after the largest ever given."""
        return self._next("next_session", "SELECT coalesce(max(session), -1) FROM memories") if self._format() > 1 else 0

    def _next(self, entry: str, largest: str) -> int:
        kept = self.get_json(entry)
        return max(int(self._select(largest)[0][0]) + 1, int(str(kept)) if kept is not None else 0)

    def memories(self) -> list[StoredMemory]:
        """All memories by id; StoreError where a row does not match its CRC."""
        new = ", happened, session" if self._format() > 1 else ""
        rows = self._select(f"SELECT {MEMORY}{new}, crc FROM memories ORDER BY id")
        for *row, crc in rows:
            if crc_of(*row) != crc:
                raise StoreError(f"{self.path}: memory {row[0]} has been altered on disk; restore the file from a backup")
        return [StoredMemory(*row[:-1]) for row in rows]

    def keys(self, memory: int | None = None) -> list[StoredKey]:
        """All keys, or those of a memory, in the order of storing; StoreError where a row does not match its CRC."""
        return [key for _, key in self._keys(memory)]

    def _keys(self, memory: int | None = None) -> list[tuple[int, StoredKey]]:
        """Keys with the numbers of their rows. In format 1 a memory's first is its content, the others are cues."""
        new = ", kind" if self._format() > 1 else ""
        rows = self._select(f"SELECT id, {KEY}{new}, crc FROM keys WHERE ?1 IS NULL OR memory = ?1 ORDER BY id", memory)
        known, keys = set[int](), []
        for i, *row, crc in rows:
            if crc_of(*row) != crc:
                raise StoreError(f"{self.path}: a cue of memory {row[0]} has been altered on disk; restore the file from a backup")
            memory, text, vector, counts, code = row[:5]
            kind = KeyKind(row[5]) if new else KeyKind.CUE if memory in known else KeyKind.CONTENT
            known.add(memory)
            arrays = np.frombuffer(vector, np.float32), np.frombuffer(counts, np.int8), np.frombuffer(code, np.uint16)
            keys.append((i, StoredKey(memory, text, *arrays, kind)))
        return keys

    def links(self) -> list[tuple[int, int]]:
        """All associations (pre, post); StoreError where a row does not match its CRC."""
        rows = self._select("SELECT pre, post, crc FROM links ORDER BY pre, post")
        for pre, post, crc in rows:
            if crc_of(pre, post) != crc:
                raise StoreError(f"{self.path}: the link {pre} -> {post} has been altered on disk; restore the file from a backup")
        return [(pre, post) for pre, post, _ in rows]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A read transaction: all that is read within it is of one moment, whatever a writer does meanwhile."""
        self.check_open()
        try:
            self._db.execute("BEGIN")
            version = self._version()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error
        try:
            yield
            self._read = version
        finally:
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def changed(self) -> bool:
        """Whether another process has written since the last `reading`; False once closed."""
        return not self._closed and self._version() != self._read

    def _version(self) -> int:
        return int(self._select("PRAGMA data_version")[0][0])

    # -- life ----------------------------------------------------------------------------------------------------------------------

    def _transaction(self) -> "_Transaction":
        self.check_open()
        if self.readonly:
            raise StoreError(f"{self.path} was opened for reading; open it without readonly=True to change it")
        return _Transaction(self._db, self.path)

    def close(self) -> None:
        """Close the file, and let go of the writer's lock."""
        self._closed = True
        for connection in (self._db, self._lock):
            if connection is not None:
                connection.close()


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK where anything is raised."""

    def __init__(self, db: sqlite3.Connection, path: Path | None) -> None:
        self._db, self._path = db, path

    def __enter__(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be written: {error}") from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            try:
                self._db.execute("COMMIT")
                return
            except sqlite3.Error as failure:
                self._undo()
                raise StoreError(f"{self._path} could not be written, nothing was changed: {failure}") from failure
        self._undo()
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"{self._path} could not be written, nothing was changed: {error}") from error

    def _undo(self) -> None:
        if self._db.in_transaction:  # on a full disk SQLite has rolled back by itself
            self._db.execute("ROLLBACK")


def _take_lock(path: Path) -> sqlite3.Connection:
    lock = sqlite3.connect(f"{path}.lock", timeout=0.2, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise StoreLockedError(f"{path} is being written by another process; close that one, or open with readonly=True") from error
    except sqlite3.DatabaseError as error:
        lock.close()
        raise StoreError(f"{path}.lock is no lock ({error}); delete it where no other process has {path} open") from error
    return lock

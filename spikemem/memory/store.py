"""The durable store of a text memory: one SQLite file. When a change returns, its rows are on disk (WAL, synchronous=FULL).

Vectors, codes and links are stored; synapses are derived from them. Each row carries a CRC, so that a flipped byte is found when the
file is opened. Links keep the ids with which they were made; what superseded a memory has its links where they are read (`memory.opening`).

A file of an earlier format becomes one of today's when it is first opened for writing, all at once or not at all, and a copy of it stays
beside it; a reader takes it as it is.
"""

import contextlib
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikemem.memory import formats
from spikemem.memory.file import PRIVATE, DatabaseFile
from spikemem.memory.formats import KEY, MEMORY, OCCURRENCE, VERSION
from spikemem.memory.rows import KeyKind, Occurrence, Rows, StoredKey, StoredMemory, crc_of, sealed, unsealed

Table = Literal["memories", "keys", "occurrences", "links"]


class Store(DatabaseFile):
    """The rows of an open database, a memory's or a new one."""

    def _prepare(self) -> None:
        super()._prepare()
        for key, value in self.select("SELECT key, value FROM meta"):
            self._entry(key, value)
        for key in formats.NUMBERS:
            self._number(key)
        if not self.readonly and (version := self.format()) < VERSION:
            if self.path is not None:
                self._make_private(self.path)
                self.copy_to(self._beside_it(f"format{version}"))
            with self.transaction() as db:
                formats.upgrade(db, self.select, version, self.path)

    def _make_private(self, path: Path) -> None:
        """Give a file of before modes were set, and its log, the mode of a new one; one of another owner is left as it is."""
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                path.with_name(path.name + ending).chmod(PRIVATE)

    def _beside_it(self, ending: str) -> Path:
        """A path beside the file that nothing has yet."""
        assert self.path is not None
        names = (f"{self.path.name}.{ending}{f'.{n}' if n else ''}" for n in itertools.count())
        return next(path for name in names if not (path := self.path.with_name(name)).exists())

    # -- entries -------------------------------------------------------------------------------------------------------------------

    def get(self, key: str) -> bytes | None:
        """An entry of the file by its key; None where there is none."""
        rows = self.select("SELECT value FROM meta WHERE key = ?", key)
        return self._entry(key, rows[0][0]) if rows else None

    def _entry(self, key: str, value: bytes) -> bytes:
        try:
            return unsealed(key, value)
        except ValueError as error:
            raise formats.damaged(self.path, f"entry {key!r}: {error}") from error

    def _put(self, meta: dict[str, bytes]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(key, sealed(key, value)) for key, value in meta.items()])

    # -- changes -------------------------------------------------------------------------------------------------------------------

    def add(
        self,
        memories: Sequence[StoredMemory],
        keys: Sequence[StoredKey],
        codes: NDArray[np.uint16] | None = None,
        meta: dict[str, bytes] | None = None,
        superseded: StoredMemory | None = None,
        *,
        occurrences: Sequence[Occurrence] = (),
        links: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Add memories with their keys; all or nothing.   codes: new codes for the keys stored before, [key, k].   meta: entries.

        superseded: the new row of a memory that the first one added supersedes.   occurrences, links: of those added.
        """
        with self.transaction() as db:
            if codes is not None:
                self._recode(codes)
            self._put(meta or {})
            formats.write(db, list(memories), list(keys))
            if superseded is not None:
                self._change(superseded)
            self._occur(occurrences)
            self._link(links)

    def put(self, meta: dict[str, bytes]) -> None:
        """Write entries of the file."""
        with self.transaction():
            self._put(meta)

    def refresh(self, occurrence: Occurrence, keys: Sequence[StoredKey], meta: dict[str, bytes]) -> None:
        """Note that a memory was stored again: how it occurred, and the keys that it lacked.   meta: entries."""
        with self.transaction() as db:
            self._put(meta)
            self._occur([occurrence])
            formats.write(db, [], list(keys))

    def change(self, *memories: StoredMemory, meta: dict[str, bytes] | None = None) -> None:
        """Replace memories' rows.   meta: entries."""
        with self.transaction():
            self._put(meta or {})
            for memory in memories:
                self._change(memory)

    def _change(self, memory: StoredMemory) -> None:
        columns = MEMORY[VERSION].split(", ")
        values = memory.values()
        assignments = ", ".join(f"{column} = ?" for column in (*columns[1:], "crc"))
        self._db.execute(f"UPDATE memories SET {assignments} WHERE id = ?", (*values[1:], crc_of(*values), memory.id))

    def _occur(self, occurrences: Sequence[Occurrence]) -> None:
        formats.insert(self._db, "occurrences", OCCURRENCE, [o.values() for o in occurrences])

    def recode(self, codes: NDArray[np.uint16], meta: dict[str, bytes]) -> None:
        """Replace the codes of all keys, uint16, [key, k], in the order in which `keys` gives them.   meta: entries."""
        with self.transaction():
            self._recode(codes)
            self._put(meta)

    def _recode(self, codes: NDArray[np.uint16]) -> None:
        rows = self.select(f"SELECT id, {KEY[VERSION]} FROM keys ORDER BY id")
        new = [(c.tobytes(), crc_of(*row[1:6], c.tobytes(), row[7]), row[0]) for row, c in zip(rows, codes, strict=True)]
        self._db.executemany("UPDATE keys SET code = ?, crc = ? WHERE id = ?", new)

    def link(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add associations (pre, post), ids of memories."""
        with self.transaction():
            self._link(pairs)

    def _link(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", [(a, b, crc_of(a, b)) for a, b in pairs])

    def remove(self, ids: Sequence[int], heirs: dict[int, int] | None = None, changed: Sequence[StoredMemory] = ()) -> None:
        """Delete memories, their keys, occurrences and links, and wipe them from the file and its log.

        heirs: for each memory that was superseded the one that gets its links.   changed: new rows of others.
        """
        heirs = heirs or {}
        with self.transaction() as db:
            links = self.links() if heirs else []
            inherited = [(heirs.get(a, a), heirs.get(b, b)) for a, b in links if a in heirs or b in heirs]
            for table, column in (("links", "pre"), ("links", "post"), ("occurrences", "memory"), ("keys", "memory"), ("memories", "id")):
                db.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(i,) for i in ids])
            for memory in changed:
                self._change(memory)
            gone = set(ids)
            self._link(pair for pair in inherited if not gone & set(pair) and pair[0] != pair[1])
        self.scrub()

    # -- reading -------------------------------------------------------------------------------------------------------------------

    def rows(self) -> Rows:
        """All that the file holds of memories; StoreError where a row does not match its CRC."""
        return Rows(self.memories(), self.keys(), self.occurrences(), self.links())

    def count(self, table: Table) -> int:
        """The number of rows of a table."""
        if table == "occurrences" and self.format() < VERSION:
            return 0
        return int(self.select(f"SELECT count(*) FROM {table}")[0][0])

    def next_id(self) -> int:
        """The id after the largest ever given."""
        largest = self.select("SELECT coalesce(max(id), -1) FROM memories")[0][0]
        return max(int(largest) + 1, self._number("next_id") or 0)

    def next_session(self) -> int:
        """The session after the largest ever given."""
        kept = self._number("next_session")
        if kept is not None or self.format() < 2:
            return kept or 0
        return int(self.select("SELECT coalesce(max(session), -1) FROM memories")[0][0]) + 1

    def _number(self, entry: str) -> int | None:
        kept = self.get(entry)
        try:
            return None if kept is None else formats.number_of(kept)
        except ValueError as error:
            raise formats.damaged(self.path, f"entry {entry!r}: {error}") from error

    def memories(self) -> list[StoredMemory]:
        """All memories by id; StoreError where a row does not match its CRC."""
        return formats.read_memories(self.select, self.format(), self.path)

    def keys(self, memory: int | None = None) -> list[StoredKey]:
        """All keys, or those of a memory, in the order of storing; StoreError where a row does not match its CRC."""
        return list(formats.read_keys(self.select, self.format(), self.path, memory))

    def cues(self, memory: int | None = None) -> list[tuple[int, str]]:
        """The memory and the text of all further cues, or of those of a memory, in the order of storing."""
        if self.format() < 2:
            return [(key.memory, key.text) for key in self.keys(memory) if key.kind is KeyKind.CUE]
        query = "SELECT memory, text FROM keys WHERE kind = ?1 AND (?2 IS NULL OR memory = ?2) ORDER BY id"
        return [(owner, text) for owner, text in self.select(query, int(KeyKind.CUE), memory)]

    def occurrences(self) -> list[Occurrence]:
        """The further times that memories were stored; StoreError where a row does not match its CRC."""
        return formats.read_occurrences(self.select, self.format(), self.path)

    def links(self) -> list[tuple[int, int]]:
        """All associations (pre, post), in ascending order; StoreError where a row does not match its CRC."""
        return formats.read_links(self.select, self.path)

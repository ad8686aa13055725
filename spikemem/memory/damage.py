"""Checking a memory's file, and saving from a damaged one what can be saved.

A row is whole where it can be read, matches its CRC, and holds what a row of its kind can. A memory is saved where its row is whole, or the
key that holds its content, which has the text, too. Keys that are not whole are embedded anew from their texts, where these are left:
contents from the memory's row; further cues and wordings are lost with theirs.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spikemem._checks import Checks
from spikemem.errors import StoreError
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory import formats
from spikemem.memory.embed import Embedder, Progress
from spikemem.memory.formats import APPLICATION, KEY, LARGEST, MEMORY, OCCURRENCE, VERSION
from spikemem.memory.memory import DEFAULT_MODEL, Memory
from spikemem.memory.opening import Made, derived_from, made_of, problems
from spikemem.memory.rows import KeyKind, Rows, StoredKey, StoredMemory, Values, crc_of, has_direction, unaltered, unsealed
from spikemem.memory.transfer import records

SMALLEST_ROW = 32
"""Bytes of a row at the least, which bounds how many a file can have."""
SHOWN = 100
"""Problems of the database itself that are listed."""


@dataclass(frozen=True)
class FileCheck:
    """What a memory's file holds.

    problems: all that is damaged, a line each; none where the file is whole.   memories: how many there are, as far as can be told.
    saved: how many of these can be saved.   rows: what can be.   made: the settings with which it was made; None where these are lost.
    """

    problems: tuple[str, ...]
    memories: int
    saved: int
    rows: Rows
    made: Made | None


def check(path: str | Path) -> FileCheck:
    """Look at everything in a memory's file, which is left as it is.   Raises StoreError where it is no memory's file at all."""
    file = Checks(StoreError).path(path)
    if not file.is_file():
        raise StoreError(f"there is no {file}")
    db = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return _Look(db, file).all()
    except sqlite3.Error as error:
        raise StoreError(f"{file} is no spikemem database, or nothing of it can be read: {error}") from error
    finally:
        db.close()


def repair(
    path: str | Path,
    new: str | Path,
    model: ModelSpec | None = None,
    progress: Progress | None = None,
    *,
    embedder: str | Embedder | None = None,
) -> FileCheck:
    """Save what can be saved of a memory's file into a new one, under the same ids; returns what was found.

    model: of the new file; the old one's by default, or hippocampus-text where that is lost.   progress: of the texts embedded anew.
    embedder: by default that of the file, by its name; one of your own is to be given.
    Raises StoreError where there is a new file already.
    """
    target = Checks(StoreError).path(new)
    if target.exists():
        raise StoreError(f"there is a {target} already; give a path for a new file")
    found = check(path)
    spec, own, seed = (model, None, 0) if found.made is None else (model or found.made.spec, found.made.embedder, found.made.seed)
    lifespan = None if found.made is None else found.made.lifespan
    with Memory.open(target, spec or DEFAULT_MODEL, embedder=embedder or own, seed=seed, lifespan=lifespan) as memory:
        memory.import_(records(found.rows, vectors=True), progress)
    return found


class _Look:
    """Everything that can be read of an open file, with what is wrong with it."""

    def __init__(self, db: sqlite3.Connection, file: Path) -> None:
        self._db, self._bound, self.problems = db, file.stat().st_size // SMALLEST_ROW, list[str]()
        self._entries: dict[str, bytes] = {}
        if hasattr(db, "setlimit"):
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        db.execute("PRAGMA trusted_schema = OFF")
        if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise StoreError(f"{file} is a database of another program, or its first page is lost")
        self._version = db.execute("PRAGMA user_version").fetchone()[0]
        if not 1 <= self._version <= VERSION:
            raise StoreError(f"{file} has format {self._version}, this spikemem reads 1 to {VERSION}")

    def all(self) -> FileCheck:
        """Look at the database's pages, its tables, its entries, and each row."""
        with contextlib.suppress(sqlite3.Error):
            found = [row[0] for row in self._db.execute(f"PRAGMA integrity_check({SHOWN})")]
            self.problems += [f"the database: {line}" for line in found if line != "ok"]
        try:
            formats.check_tables(self._db, self._version, "it")
        except StoreError as error:
            self.problems.append(str(error))
        made, memories, keys = self._made(), self._memories(), self._keys()
        texts = {m.id: m.text for m in memories}
        occurrences, links = list(self._rows("occurrences", OCCURRENCE, formats.occurrence_of)), self._links()
        if made is not None and not self.problems:
            self.problems += self._apart(Rows(memories, keys, occurrences, links), made)
        known = len({*texts, *(k.memory for k in keys)})
        memories, keys = self._together(memories, keys, made)
        there = {m.id for m in memories}
        occurrences = [o for o in occurrences if o.memory in there]
        links = [pair for pair in links if set(pair) <= there and pair[0] != pair[1]]
        rows = Rows([_whole_versions(m, there) for m in memories], keys, occurrences, links)
        return FileCheck(tuple(self.problems), known, len(memories), rows, made)

    def _apart(self, rows: Rows, made: Made) -> list[str]:
        """What is wrong with rows and entries that are whole each, and yet cannot be opened together."""
        found = list(problems(rows, made.spec))
        if not found:
            try:
                derived_from(rows, self._entries.get("adaptation"), made.spec, "cpu", made.seed)
            except ValueError as error:
                found.append(str(error))
        return found

    def _made(self) -> Made | None:
        kept: Made | None = None
        for key, value in self._read("SELECT key, value FROM meta"):
            try:
                self._entries[key] = unsealed(key, value)
                if key == "model":
                    kept = made_of(self._entries[key])
                elif key in formats.NUMBERS:
                    formats.number_of(self._entries[key])
            except (ValueError, TypeError, AttributeError) as error:
                self.problems.append(f"entry {key!r}: {' '.join(str(error).split())}")
        if kept is None:
            self.problems.append("the model, embedder and seed with which it was made are lost")
        return kept

    def _memories(self) -> list[StoredMemory]:
        return list(self._rows("memories", MEMORY[self._version], formats.memory_of))

    def _keys(self) -> list[StoredKey]:
        texts = {row[0]: row[1] for row in self._read("SELECT id, text FROM memories")} if self._version < VERSION else {}
        seen = set[int]()

        def made(row: Values) -> StoredKey:
            first = row[0] not in seen
            seen.add(row[0])
            return formats.key_of(row, self._version, first, texts.get(row[0], ""))

        return list(self._rows("keys", KEY[self._version], made))

    def _links(self) -> list[tuple[int, int]]:
        rows = self._read("SELECT pre, post, crc FROM links ORDER BY pre, post")
        good = [(pre, post) for pre, post, crc in rows if crc_of(pre, post) == crc]
        if len(good) < len(rows):
            self.problems.append(f"{len(rows) - len(good)} links do not match their checksums")
        return good

    def _together(
        self, memories: list[StoredMemory], keys: list[StoredKey], made: Made | None
    ) -> tuple[list[StoredMemory], list[StoredKey]]:
        """Memories with their keys, each with a content first; what has lost its content's key is to be embedded anew."""
        dim, by_id, own = None if made is None else made.spec.ec.dim, {m.id: m for m in memories}, dict[int, list[StoredKey]]()
        for key in keys:
            own.setdefault(key.memory, []).append(key if dim is None or has_direction(key.vector, dim) else _to_embed(key))
        for i, its in own.items():
            content = next((k for k in its if k.kind is KeyKind.CONTENT), None)
            if i not in by_id and content is not None:
                self.problems.append(f"memory {i}: its row is lost; its text is left, without its dates")
                by_id[i] = StoredMemory(i, content.text, 0.0)
        saved, kept = sorted(by_id.values(), key=lambda m: m.id), list[StoredKey]()
        for m in saved:
            its = own.get(m.id, [])
            content = next((k for k in its if k.kind is KeyKind.CONTENT), None)
            if content is None:
                self.problems.append(f"memory {m.id}: its content's key is lost, and embedded anew from its text")
                nothing = np.zeros(0, np.float32), np.zeros(0, np.int8), np.zeros(0, np.uint16)
                content = StoredKey(m.id, m.text, *nothing)
            kept += [content, *(k for k in its if k is not content and k.kind is not KeyKind.CONTENT)]
        return saved, kept

    def _rows(self, table: str, columns: str, made: Callable[[Values], Any]) -> Iterator[Any]:
        """The whole rows of a table."""
        if table == "occurrences" and self._version < VERSION:
            return
        query = f"SELECT {'id, ' if not columns.startswith('id,') else ''}{columns}, crc FROM {table}"
        for row in self._read(f"{query} ORDER BY id", f"{query} WHERE id = ?"):
            try:
                yield made(unaltered(row if columns.startswith("id,") else row[1:]))
            except formats.UNSOUND as error:
                self.problems.append(f"{table}, row {row[0]}: {error}")

    def _read(self, query: str, one: str | None = None) -> list[Values]:
        """The rows of a query; where they cannot be read all at once, each by its id."""
        self._db.text_factory = str
        try:
            return self._db.execute(query).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self.problems.append(f"{query.rpartition('FROM ')[2].split()[0]}: {error}")
        rows = []
        for i in range(self._bound if one is not None else 0):
            with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
                rows += self._db.execute(str(one), (i,)).fetchall()
        return rows


def _to_embed(key: StoredKey) -> StoredKey:
    """A key without its vector, which is made anew from its text."""
    return replace(key, vector=np.zeros(0, np.float32))


def _whole_versions(memory: StoredMemory, there: set[int]) -> StoredMemory:
    """A memory's row without a reference to what is lost."""
    return memory if memory.superseded_by in there else replace(memory, superseded_by=None)

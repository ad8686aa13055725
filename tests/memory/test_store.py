"""The durable store: all or nothing, and whatever is wrong with a file raises an error and leaves the file as it is."""

import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spikemem.errors import StoreError, StoreLockedError
from spikemem.memory.rows import KeyKind, StoredKey, StoredMemory, crc_of
from spikemem.memory.store import UPGRADE, Store

CODES = np.arange(8, dtype=np.uint16).reshape(2, 4)


def row(i: int, text: str = "a thought") -> tuple[StoredMemory, StoredKey]:
    vector = np.random.default_rng(i).normal(size=4).astype(np.float32)
    memory = StoredMemory(i, text, 1.5 + i, "diary", *((-3.25, 2) if i % 2 else ()))
    return memory, StoredKey(i, text, vector, np.array([3, -2, 0, 12], np.int8), CODES[0], KeyKind(i % 3))


def fill(path: Path, n: int = 5) -> None:
    """n memories, a chain of links, and entries."""
    store = Store(path)
    rows = [row(i, f"thought {i}") for i in range(n)]
    meta = {"model": b'{"name": "x"}', "next_id": b"9", "next_session": b"7", "adaptation": b"abcdefgh"}
    store.add([m for m, _ in rows], [k for _, k in rows], meta=meta)
    store.link([(i, i + 1) for i in range(n - 1)])
    store.close()


def content(path: Path) -> tuple[object, ...]:
    """All that a store gives."""
    store = Store(path, readonly=True)
    try:
        keys = [(k.memory, k.text, k.vector.tobytes(), k.counts.tobytes(), k.code.tobytes(), k.kind) for k in list(store.keys())]
        return store.memories(), keys, store.links(), store.next_id(), store.get_json("model"), store.get("adaptation")
    finally:
        store.close()


def test_what_was_added_is_there_again(path: Path) -> None:
    fill(path)
    store = Store(path)
    assert store.memories() == [row(i, f"thought {i}")[0] for i in range(5)]
    assert store.keys()[3].vector.tolist() == row(3)[1].vector.tolist()
    assert store.keys()[3].counts.tolist() == [3, -2, 0, 12]
    assert store.links() == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [k.kind for k in list(store.keys())] == [KeyKind.CONTENT, KeyKind.PIECE, KeyKind.CUE, KeyKind.CONTENT, KeyKind.PIECE]
    assert (store.next_id(), store.next_session()) == (9, 7)
    assert store.get("nothing") is None
    store.remove([1, 4])
    store.recode(CODES[[1, 0, 1]], {"adaptation": b"new"})
    store.close()
    store = Store(path)
    assert [m.id for m in store.memories()] == [0, 2, 3]
    assert [(k.memory, k.code.tolist()) for k in list(store.keys())] == [(0, [4, 5, 6, 7]), (2, [0, 1, 2, 3]), (3, [4, 5, 6, 7])]
    assert store.links() == [(2, 3)]
    assert store.get("adaptation") == b"new"
    store.close()


def test_ids_are_never_given_again(path: Path) -> None:
    store = Store(path)
    assert store.next_id() == 0
    store.add(*([part] for part in row(6)), meta={"next_id": b"7"})
    store.add(*([part] for part in row(9)), meta={"next_id": b"10", "next_session": b"3"})
    assert store.next_session() == 3
    store.remove([6, 9])
    assert (store.next_id(), store.next_session()) == (10, 3)
    store.close()


@pytest.mark.parametrize(
    "broken",
    [
        lambda store: store.add([row(7)[0], row(0)[0]], [], CODES[[1] * 5], {"adaptation": b"new"}),  # an id twice
        lambda store: store.add([row(7)[0]], [row(8)[1]], CODES[:1]),  # fewer codes than keys
        lambda store: store.add([row(7)[0], StoredMemory(8, "\ud800", 1.0)], []),
        lambda store: store.recode(CODES[:1], {"adaptation": b"new"}),
        lambda store: store.link([(7, 8), ("x", 9)]),
    ],
)
def test_all_or_nothing(path: Path, broken: Callable[[Store], None]) -> None:
    fill(path)
    before = content(path)
    store = Store(path)
    with pytest.raises((StoreError, ValueError)):
        broken(store)
    store.link([(0, 4)])  # and it still works
    store.close()
    assert content(path)[:2] == before[:2]
    assert content(path)[3:] == before[3:]
    assert content(path)[2] == [(0, 1), (0, 4), (1, 2), (2, 3), (3, 4)]


def test_one_writer_many_readers(path: Path) -> None:
    writer = Store(path)
    with pytest.raises(StoreLockedError, match="readonly=True"):
        Store(path)
    reader = Store(path, readonly=True)
    writer.add(*([part] for part in row(0)))
    assert len(reader.memories()) == 1
    for change in (lambda: reader.add([], []), lambda: reader.link([(0, 0)]), lambda: reader.remove([0]), lambda: reader.recode(CODES, {})):
        with pytest.raises(StoreError, match="for reading"):
            change()
    reader.close()
    writer.close()
    Store(path).close()


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("kind", ["text", "truncated", "header", "half a page", "other database", "newer"])
def test_other_files_are_refused_and_left_alone(path: Path, kind: str, readonly: bool) -> None:
    fill(path)
    whole = path.read_bytes()
    damaged = {"truncated": whole[: len(whole) // 2], "header": whole[:100], "half a page": whole[:-2048], "text": b"Dear diary,\n" * 999}
    if kind in damaged:
        path.write_bytes(damaged[kind])
    else:
        if kind == "other database":
            path.unlink()
        db = sqlite3.connect(path)
        db.executescript("CREATE TABLE recipes (cake)" if kind == "other database" else "PRAGMA user_version = 99")
        db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=path.name):
        Store(path, readonly)
    assert path.read_bytes() == before


def test_places_that_cannot_hold_a_file(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing" / "memory.db"):
        with pytest.raises(StoreError):
            Store(place)
    with pytest.raises(StoreError, match="store something first"):
        Store(tmp_path / "new.db", readonly=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_flipped_byte_is_found_or_harmless(path: Path) -> None:
    fill(path)
    whole, before = path.read_bytes(), content(path)
    for place in np.flatnonzero(np.frombuffer(whole, np.uint8)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x01]) + whole[place + 1 :])
        try:
            assert content(path) == before, f"byte {place} was flipped unnoticed"
        except StoreError:
            continue


# -- format 1 --------------------------------------------------------------------------------------------------------------------------

FORMAT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE memories (id INTEGER PRIMARY KEY, text TEXT NOT NULL, stored REAL NOT NULL, origin TEXT, crc INTEGER NOT NULL) STRICT;
CREATE TABLE keys (id INTEGER PRIMARY KEY, memory INTEGER NOT NULL REFERENCES memories (id), text TEXT NOT NULL,
                   vector BLOB NOT NULL, counts BLOB NOT NULL, code BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE INDEX keys_memory ON keys (memory);
CREATE TABLE links (pre INTEGER NOT NULL, post INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (pre, post)) STRICT, WITHOUT ROWID;
PRAGMA application_id = 0x5350494B;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""


def write_format_1(path: Path) -> None:
    """Memories 0 and 2, of which 2 has two further cues; a link."""
    db = sqlite3.connect(path)
    db.executescript(FORMAT_1)
    for memory in ((0, "Ada", 1.5, None), (2, "Bo", 2.0, "diary")):
        db.execute("INSERT INTO memories VALUES (?, ?, ?, ?, ?)", (*memory, crc_of(*memory)))
    for key in ((0, "Ada"), (2, "Bo"), (2, "who?"), (2, "he")):
        held = (*key, np.ones(4, np.float32).tobytes(), np.ones(4, np.int8).tobytes(), CODES[1].tobytes())
        db.execute("INSERT INTO keys (memory, text, vector, counts, code, crc) VALUES (?, ?, ?, ?, ?, ?)", (*held, crc_of(*held)))
    db.execute("INSERT INTO links VALUES (0, 2, ?)", (crc_of(0, 2),))
    db.execute("INSERT INTO meta VALUES ('next_id', ?)", (zlib.crc32(b"5", zlib.crc32(b"next_id")).to_bytes(4, "little") + b"5",))
    db.commit()
    db.close()


def version(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def test_format_1_is_read_and_upgraded(path: Path) -> None:
    write_format_1(path)
    before = content(path)
    assert before[0] == [StoredMemory(0, "Ada", 1.5), StoredMemory(2, "Bo", 2.0, "diary")]
    assert version(path) == 1  # by a reader it is left as it is
    reader = Store(path, readonly=True)
    Store(path).close()
    assert [k.kind for k in list(reader.keys())] == [KeyKind.CONTENT, KeyKind.CONTENT, KeyKind.CUE, KeyKind.CUE]
    assert reader.memories() == before[0]
    reader.close()
    assert version(path) == 2
    assert content(path) == before
    store = Store(path)
    store.add(*([part] for part in row(7)))
    store.remove([7])
    store.close()
    assert content(path) == before


def test_after_an_upgrade_the_tables_are_those_of_a_new_file(path: Path, tmp_path: Path) -> None:
    write_format_1(path)
    Store(path).close()
    Store(tmp_path / "new.db").close()

    def columns(file: Path) -> list[list[object]]:
        db = sqlite3.connect(file)
        try:
            return [db.execute(f"PRAGMA table_info({table})").fetchall() for table in ("memories", "keys", "links", "meta")]
        finally:
            db.close()

    assert columns(path) == columns(tmp_path / "new.db")


@pytest.mark.parametrize("damage", ["UPDATE memories SET text = 'Eve' WHERE id = 2", "UPDATE keys SET code = vector WHERE text = 'he'"])
def test_a_damaged_file_of_format_1_is_not_upgraded(path: Path, damage: str) -> None:
    write_format_1(path)
    db = sqlite3.connect(path)
    db.execute(damage)
    db.commit()
    db.close()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match="altered on disk"):
            Store(path)
    assert version(path) == 1
    assert path.read_bytes() == before


def test_an_upgrade_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_format_1(path)
    before = content(path)
    with monkeypatch.context() as patched:
        patched.setattr("spikemem.memory.store.UPGRADE", (*UPGRADE, "ALTER TABLE nothing ADD COLUMN x"))
        with pytest.raises(StoreError, match="nothing was changed"):
            Store(path)
    assert version(path) == 1
    assert content(path) == before
    Store(path).close()
    assert content(path) == before


def test_a_kill_in_the_middle_of_an_upgrade_leaves_format_1(path: Path) -> None:
    write_format_1(path)
    before = content(path)
    dying = (
        "import os, sys, spikemem.memory.store as s\n"
        "s.UPGRADE = (*s.UPGRADE, 'SELECT die()')\n"
        "connect = s.Store._connect\n"
        "def patched(self):\n"
        "    db = connect(self)\n"
        "    db.create_function('die', 0, lambda: os._exit(9))\n"
        "    return db\n"
        "s.Store._connect = patched\n"
        "s.Store(sys.argv[1])\n"
    )
    assert subprocess.run([sys.executable, "-c", dying, str(path)], check=False).returncode == 9
    assert version(path) == 1
    assert content(path) == before
    Store(path).close()
    assert content(path) == before

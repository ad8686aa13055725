"""The durable store: all or nothing, and whatever is wrong with a file raises an error and leaves the file as it is."""

import sqlite3
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spikemem.errors import StoreError, StoreLockedError
from spikemem.memory.formats import SCHEMA, VERSION
from spikemem.memory.rows import KeyKind, Occurrence, StoredKey, StoredMemory, crc_of
from spikemem.memory.store import Store

CODES = np.arange(8, dtype=np.uint16).reshape(2, 4)


def row(i: int, text: str = "a thought") -> tuple[StoredMemory, StoredKey]:
    vector = np.random.default_rng(i).normal(size=4).astype(np.float32)
    more = (-3.25, 2, "Ada", '{"user": "ada"}', '{"page": 3}', i + 1, 7.5, 0.5) if i % 2 else ()
    memory = StoredMemory(i, text, 1.5 + i, "diary", *more)
    words = f"{text} [a harbour]" if i % 2 else None
    return memory, StoredKey(i, text, vector, np.array([3, -2, 0, 12], np.int8), CODES[0], KeyKind(i % 3), words)


def fill(path: Path, n: int = 5) -> None:
    """n memories, a chain of links, and entries."""
    store = Store(path)
    rows = [row(i, f"thought {i}") for i in range(n)]
    meta = {"model": b'{"name": "x"}', "next_id": b"9", "next_session": b"7", "adaptation": b"abcdefgh"}
    store.add([m for m, _ in rows], [k for _, k in rows], meta=meta)
    store.link([(i, i + 1) for i in range(n - 1)])
    store.refresh(Occurrence(2, "in other words", 9.5, "diary", 8.0, 3, "Ada", '{"page": 4}'), [], {})
    store.close()


def content(path: Path) -> tuple[object, ...]:
    """All that a store gives."""
    store = Store(path, readonly=True)
    try:
        keys = [k.values() for k in list(store.keys())]
        entries = store.next_id(), store.get("model"), store.get("adaptation")
        return store.memories(), keys, store.links(), *entries, store.occurrences()
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
    before, whole = content(path), path.read_bytes()
    assert before[0] == [StoredMemory(0, "Ada", 1.5), StoredMemory(2, "Bo", 2.0, "diary")]
    assert version(path) == 1  # by a reader it is left as it is
    reader = Store(path, readonly=True)
    Store(path).close()
    assert [k.kind for k in list(reader.keys())] == [KeyKind.CONTENT, KeyKind.CONTENT, KeyKind.CUE, KeyKind.CUE]
    assert reader.memories() == before[0]
    reader.close()
    assert version(path) == VERSION
    assert content(path) == before
    kept = path.with_name(f"{path.name}.format1")
    assert version(kept) == 1
    assert content(kept) == before
    assert whole.startswith(b"SQLite")
    store = Store(path)
    store.add(*([part] for part in row(7)))
    store.remove([7])
    store.close()
    assert content(path) == before


FORMAT_2 = FORMAT_1.replace("user_version = 1", "user_version = 2")
ADDED_IN_2 = (
    "ALTER TABLE memories ADD COLUMN happened REAL", "ALTER TABLE memories ADD COLUMN session INTEGER",
    "ALTER TABLE keys ADD COLUMN kind INTEGER NOT NULL DEFAULT 0",
)  # fmt: skip


def test_format_2_is_read_and_upgraded(path: Path) -> None:
    """A caption becomes the words of a content or of a wording."""
    db = sqlite3.connect(path)
    db.executescript(FORMAT_2)
    for statement in ADDED_IN_2:
        db.execute(statement)
    memory = (3, "Ada: Look!", 1.5, None, -2.0, 4)
    db.execute(
        "INSERT INTO memories (id, text, stored, origin, happened, session, crc) VALUES (?, ?, ?, ?, ?, ?, ?)", (*memory, crc_of(*memory))
    )
    blobs = np.ones(4, np.float32).tobytes(), np.ones(4, np.int8).tobytes(), CODES[1].tobytes()
    for text, kind in (("Ada: Look! [a harbour]", 0), ("Ada: See!\x1f [a pier]", 3), ("Ada: There!\x1f", 3), ("who?", 2)):
        held = (3, text, *blobs, kind)
        db.execute("INSERT INTO keys (memory, text, vector, counts, code, kind, crc) VALUES (?, ?, ?, ?, ?, ?, ?)", (*held, crc_of(*held)))
    db.commit()
    db.close()
    before = content(path)
    Store(path).close()
    assert version(path) == VERSION
    assert content(path) == before
    store = Store(path, readonly=True)
    assert store.memories() == [StoredMemory(*memory)]
    assert [(k.text, k.words, k.kind) for k in list(store.keys())] == [
        ("Ada: Look!", "Ada: Look! [a harbour]", KeyKind.CONTENT), ("Ada: See!", "Ada: See! [a pier]", KeyKind.WORDING),
        ("Ada: There!", None, KeyKind.WORDING), ("who?", None, KeyKind.CUE),
    ]  # fmt: skip
    store.close()


def test_after_an_upgrade_the_tables_are_those_of_a_new_file(path: Path, tmp_path: Path) -> None:
    write_format_1(path)
    Store(path).close()
    Store(tmp_path / "new.db").close()

    def columns(file: Path) -> list[list[object]]:
        db = sqlite3.connect(file)
        try:
            return [db.execute(f"PRAGMA table_info({table})").fetchall() for table in ("memories", "keys", "occurrences", "links", "meta")]
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
        patched.setattr("spikemem.memory.formats.SCHEMA", (*SCHEMA, "ALTER TABLE nothing ADD COLUMN x"))
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
        "import os, sys, spikemem.memory.formats as f, spikemem.memory.store as s\n"
        "f.write = lambda *rows: os._exit(9)\n"
        "s.Store(sys.argv[1])\n"
    )
    assert subprocess.run([sys.executable, "-c", dying, str(path)], check=False).returncode == 9
    assert version(path) == 1
    assert content(path) == before
    Store(path).close()
    assert content(path) == before


# -- the file --------------------------------------------------------------------------------------------------------------------------


def test_a_new_file_is_private(path: Path) -> None:
    fill(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("before", [0o644, 0o660])
def test_an_upgraded_file_is_private_like_its_copy_and_its_log(path: Path, before: int) -> None:
    write_format_1(path)
    path.chmod(before)
    Store(path, readonly=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == before  # a reader leaves it as it is
    writer = Store(path)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    writer.close()
    assert modes == dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}.format1"), 0o600)
    path.chmod(before)
    Store(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == before  # what its owner opened to others afterwards stays so


def test_ram_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(":memory:")
    store.add(*([part] for part in row(0)))
    store.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_that_is_no_longer_there_is_noticed(path: Path, tmp_path: Path, how: str, readonly: bool) -> None:
    fill(path)
    fill(tmp_path / "other.db", 3)
    other = (tmp_path / "other.db").read_bytes()
    store = Store(path, readonly)
    if how == "moved":
        path.rename(tmp_path / "moved.db")
    elif how == "deleted":
        path.unlink()
    else:
        (tmp_path / "other.db").replace(path)
    with pytest.raises(StoreError, match="moved, deleted or replaced"):
        store.changed() if readonly else store.add(*([part] for part in row(7)))
    store.close()
    if how == "replaced":
        assert path.read_bytes() == other
    if how == "moved":
        assert len(content(tmp_path / "moved.db")[0]) == 5  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["symbolic link", "another spelling", "without its lock file"])
def test_one_writer_for_all_names_of_a_file(path: Path, tmp_path: Path, how: str) -> None:
    fill(path)
    other = tmp_path / "other.db"
    writer, reader = Store(path), Store(path, readonly=True)
    if how == "symbolic link":
        other.symlink_to(path)
    elif how == "another spelling":
        other = tmp_path / "x" / ".." / path.name
        (tmp_path / "x").mkdir()
    else:
        other = path
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
    code = "import sys; from spikemem.memory.store import Store; Store(sys.argv[1])"
    with pytest.raises(StoreLockedError, match="this process"):
        Store(other)
    found = subprocess.run([sys.executable, "-c", code, str(other)], capture_output=True, text=True, check=False)
    assert "StoreLockedError" in found.stderr
    writer.add(*([part] for part in row(7)))
    writer.close()
    reader.close()
    assert subprocess.run([sys.executable, "-c", code, str(other)], check=False).returncode == 0


@pytest.mark.parametrize("readonly", [False, True])
def test_a_file_of_two_names_is_refused(path: Path, tmp_path: Path, readonly: bool) -> None:
    """SQLite's log has the name by which the file was opened, so that by another one what was stored last would be missing."""
    fill(path)
    writer, other = Store(path), tmp_path / "other.db"
    other.hardlink_to(path)
    writer.add(*([part] for part in row(7)))
    for name in (path, other):
        with pytest.raises(StoreError, match="hard links"):
            Store(name, readonly)
    other.unlink()
    writer.close()
    assert len(content(path)[0]) == 6  # type: ignore[arg-type]


def test_without_locks_of_the_system_one_beside_the_file_serves(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikemem.memory.file.fcntl", None)
    fill(path)
    other = tmp_path / "other.db"
    other.symlink_to(path)
    writer = Store(path)
    code = "import spikemem.memory.file as f, sys; f.fcntl = None; from spikemem.memory.store import Store; Store(sys.argv[1])"
    for name in (path, other):
        with pytest.raises(StoreLockedError, match="readonly=True"):
            Store(name)
        found = subprocess.run([sys.executable, "-c", code, str(name)], capture_output=True, text=True, check=False)
        assert "StoreLockedError" in found.stderr
    Store(path, readonly=True).close()
    writer.add(*([part] for part in row(7)))
    writer.close()
    assert subprocess.run([sys.executable, "-c", code, str(other)], check=False).returncode == 0
    Store(path).close()


def test_what_cannot_be_a_lock_beside_a_file_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikemem.memory.file.fcntl", None)
    fill(path)
    lock = path.with_name(f"{path.name}.lock")
    lock.write_text("notes of somebody else" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"memory\.db\.lock cannot be a lock"):
        Store(path)


def test_a_writer_beside_a_reader_leaves_no_descriptor(path: Path) -> None:
    fill(path)
    reader = Store(path, readonly=True)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(20):
        Store(path).close()
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
    reader.close()


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = Store("memory.db")
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.add(*([part] for part in row(0)))
    store.close()
    assert not list((tmp_path / "elsewhere").iterdir())
    again = Store(tmp_path / "memory.db")
    assert [memory.id for memory in again.memories()] == [0]
    again.close()


def test_an_upgrade_leaves_the_copies_of_others_alone(path: Path) -> None:
    write_format_1(path)
    mine = path.with_name(f"{path.name}.format1")
    mine.write_text("a precious copy", encoding="utf-8")
    Store(path).close()
    assert mine.read_text(encoding="utf-8") == "a precious copy"
    assert version(path.with_name(f"{path.name}.format1.1")) == 1


def test_where_a_lock_was_refused_the_other_locks_of_the_process_hold(path: Path) -> None:
    """POSIX locks are lost when a process closes any descriptor of the file; SQLite's would go with ours."""
    fill(path)
    writer = Store(path)
    for _ in range(3):
        with pytest.raises(StoreLockedError):
            Store(path)
    code = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], timeout=0.1)\n"
        "db.execute('PRAGMA journal_mode = DELETE')\n"  # succeeds only where nobody else has the file open
    )
    found = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "locked" in found.stderr
    writer.close()


def test_a_copy_is_complete_in_itself(path: Path, tmp_path: Path) -> None:
    fill(path)
    before = content(path)
    store = Store(path)
    store.link([(0, 4)])
    store.copy_to(tmp_path / "copy.db")
    store.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.db", path.name]
    copied = content(tmp_path / "copy.db")
    assert copied[2] == [(0, 1), (0, 4), (1, 2), (2, 3), (3, 4)]
    assert copied[:2] == before[:2]


def test_what_is_removed_is_in_no_file(path: Path) -> None:
    store = Store(path)
    store.add(*([part] for part in row(0, "the secret word is xyzzy")))
    store.add(*([part] for part in row(2)))
    store.remove([0])
    for file in (path, path.with_name(f"{path.name}-wal")):
        assert b"xyzzy" not in file.read_bytes()
    store.close()
    assert b"xyzzy" not in path.read_bytes()


def test_space_is_given_back(path: Path) -> None:
    store = Store(path)
    rows = [row(i, f"thought {i}" * 200) for i in range(0, 400, 2)]
    store.add([m for m, _ in rows], [k for _, k in rows])
    store.remove([m.id for m, _ in rows[5:]])
    before = path.stat().st_size
    freed = store.shrink()
    assert freed > 0.8 * before
    assert path.stat().st_size == before - freed
    assert [m.id for m in store.memories()] == [0, 2, 4, 6, 8]
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE extra (x)", "CREATE VIEW v AS SELECT * FROM memories", "ALTER TABLE memories ADD COLUMN x ANY",
        "CREATE TRIGGER t AFTER INSERT ON memories BEGIN DELETE FROM links; END", "ALTER TABLE keys DROP COLUMN words",
    ],
)  # fmt: skip
def test_what_spikemem_did_not_make_is_refused(path: Path, sql: str) -> None:
    fill(path)
    db = sqlite3.connect(path)
    db.execute(sql)
    db.commit()
    db.close()
    for readonly in (False, True):
        with pytest.raises(StoreError, match=path.name):
            Store(path, readonly)

"""Backups, exports, checks and repairs: what is copied is what was stored, and of what is damaged the rest is saved."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Memory
from spikemem.errors import SpikememError, StoreError, TextError
from spikemem.memory import check, repair
from spikemem.memory.embed import Progress
from spikemem.memory.formats import KEY, MEMORY
from spikemem.memory.rows import MOST_NUMBER, crc_of, sealed
from tests.conftest import Open
from tests.fakes import FakeEmbedder
from tests.memory.test_memory import agrees


@pytest.fixture
def memory(open_memory: Open) -> Memory:
    memory = open_memory()
    memory.store("Ada lives ~in Lisbon", cues=["Ada's home"], origin="letter", when=datetime(2024, 1, 1, tzinfo=UTC), scope={"user": "ada"})
    memory.store_conversation(
        [[("Ada", "Hi"), {"text": "Look!", "speaker": "Bo", "caption": "a pier"}], [("Bo", "Bye")]], metadata={"n": 1}
    )
    memory.update(0, "Ada lives ~in Rome")
    memory.store("to be forgotten")
    memory.associate_all([(0, 1), (1, 2), (2, 5)])
    memory.forget(5)
    return memory


def held(memory: Memory) -> list[object]:
    return [memory.get(i) for i in memory]


def test_a_backup_is_the_memory(memory: Memory, tmp_path: Path) -> None:
    copy = memory.backup(tmp_path / "copy.db")
    memory.store("after it")
    with Memory.open(copy, embedder=FakeEmbedder()) as again:
        assert held(again) == held(memory)[:-1]
        agrees(again)
    with pytest.raises(StoreError, match="already"):
        memory.backup(copy)
    assert memory.backup(copy, replace=True) == copy
    with Memory.open(copy, embedder=FakeEmbedder()) as again:
        assert held(again) == held(memory)
    for wrong in (tmp_path / "memory.db", tmp_path, tmp_path / "missing" / "copy.db"):
        with pytest.raises(StoreError):
            memory.backup(wrong, replace=True)


def test_backups_of_many_threads(memory: Memory, tmp_path: Path) -> None:
    held_before = held(memory)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: memory.backup(tmp_path / "copy.db", replace=True), range(24)))
    with Memory.open(tmp_path / "copy.db", embedder=FakeEmbedder()) as again:
        assert held(again) == held_before
    assert not list(tmp_path.glob("*.part"))


def test_a_backup_replaces_files_alone(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    os.mkfifo(tmp_path / "pipe.db")
    for name in ("link.db", "pipe.db"):
        with pytest.raises(StoreError, match="no file of its own"):
            memory.backup(tmp_path / name, replace=True)
    assert (tmp_path / "link.db").is_symlink()


def test_a_copy_beside_an_old_log_is_refused(memory: Memory, tmp_path: Path) -> None:
    (tmp_path / "copy.db-wal").write_bytes(b"an old log")
    with pytest.raises(StoreError, match="log beside it"):
        memory.backup(tmp_path / "copy.db")


@pytest.mark.parametrize("vectors", [False, True])
def test_what_is_exported_is_imported(memory: Memory, tmp_path: Path, vectors: bool) -> None:
    lines = [json.dumps(record) for record in memory.export(vectors=vectors)]
    with Memory.open(tmp_path / "new.db", "hippocampus-small", embedder=FakeEmbedder()) as new:
        assert new.import_(map(json.loads, lines)) == list(memory)
        assert held(new) == held(memory)
        agrees(new)
        assert new.recall("Ada's home")[0].id == 4
        assert [hit.id for hit in new.recall_chain("Ada lives ~in Rome", hops=2)] == [1, 2]
        ids = new.import_(map(json.loads, lines))  # once more, beside the first
        assert ids == [5, 6, 7, 8, 9]
        assert (new.get(5).superseded_by, new.get(9).text) == (9, "Ada lives ~in Rome")
        assert {new.get(6).session, new.get(7).session} & {new.get(1).session, new.get(2).session} == set()
        assert new.get(6).session == new.get(7).session != new.get(8).session
        agrees(new)
        assert new.store_conversation([("Ada", "Once more")], after=7) == [10]


def test_occasions_are_exported(memory: Memory, tmp_path: Path) -> None:
    records = list(memory.export())
    records[1]["occasions"] = [{**records[1], "text": "Hello", "when": "2024-05-01"}]  # type: ignore[index]
    with Memory.open(None, "hippocampus-small", embedder=FakeEmbedder()) as new:
        new.import_(records)
        assert [o.text for o in new.get(1).occasions] == ["Ada: Hi", "Hello"]
        assert new.get(1).when == datetime(2024, 5, 1, tzinfo=UTC)


BROKEN: list[Callable[[dict[str, object]], object]] = [
    lambda r: r.pop("id"), lambda r: r.pop("text"), lambda r: r.pop("stored"), lambda r: r.pop("keys"), lambda r: r.update(id=-1),
    lambda r: r.update(id=True), lambda r: r.update(id=2**63), lambda r: r.update(text=3), lambda r: r.update(keys=[]),
    lambda r: r.update(keys=[{"kind": "cue", "text": "a"}]), lambda r: r.update(keys=[{"kind": "key", "text": "a"}]),
    lambda r: r.update(superseded_by=0), lambda r: r.update(scope={"x": "y"}), lambda r: r.update(metadata=[1]),
    lambda r: r.update(stored="yesterday"), lambda r: r.update(when=5), lambda r: r.update(strength="x"), lambda r: r.update(links=["a"]),
    lambda r: r.update(keys=[{"kind": "content", "text": "a", "vector": [1, 2]}]), lambda r: r.update(session=2.5),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_what_is_no_export_is_refused_whole(memory: Memory, number: int) -> None:
    records, before = [dict(r) for r in memory.export()], held(memory)
    BROKEN[number](records[2])
    with pytest.raises(TextError, match=r"record 2|do not rise"):
        memory.import_(records)
    assert held(memory) == before


# -- damage ----------------------------------------------------------------------------------------------------------------------------


def damaged(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


@pytest.mark.slow
def test_the_largest_id_leaves_room_for_more(memory: Memory, tmp_path: Path) -> None:
    (record, *_) = memory.export()
    with Memory.open(tmp_path / "new.db", embedder=FakeEmbedder()) as new:
        assert new.import_([{**record, "id": MOST_NUMBER, "links": [], "superseded_by": None}]) == [0]
        assert new.store("And one more") == 1
    with Memory.open(tmp_path / "new.db", embedder=FakeEmbedder()) as new:
        assert len(new) == 2


def test_a_whole_file_is_whole(memory: Memory, path: Path) -> None:
    found = check(path)  # while it is open, too
    assert (found.problems, found.memories, found.saved) == ((), 5, 5)


CASES = {
    "a text": ("UPDATE memories SET text = 'Eve' WHERE id = 1", 5, "memories, row 1"),
    "a vector": ("UPDATE keys SET vector = x'00' WHERE memory = 2", 5, "keys, row 4"),
    "a code": ("UPDATE keys SET code = counts WHERE memory = 2", 5, "keys, row 4"),
    "a row": ("DELETE FROM memories WHERE id = 3", 5, "memory 3"),
    "a key": ("DELETE FROM keys WHERE memory = 3", 5, "memory 3"),
    "both": ("DELETE FROM keys WHERE memory = 3 | DELETE FROM memories WHERE id = 3", 4, None),
    "the model": ("UPDATE meta SET value = x'0011' WHERE key = 'model'", 5, "entry 'model'"),
    "the adaptation": ("INSERT OR REPLACE INTO meta VALUES ('adaptation', x'00112233445566')", 5, "entry 'adaptation'"),
    "a link": ("UPDATE links SET crc = 5", 5, "links"),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON memories BEGIN DELETE FROM links; END", 5, "trigger"),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_of_a_damaged_file_the_rest_is_saved(
    memory: Memory, path: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    sql, saved, named = CASES[what]
    texts = {i: memory[i] for i in memory}
    memory.close()
    damaged(path, *sql.split(" | "))
    before = path.read_bytes()
    if what != "both":
        with pytest.raises(StoreError):
            Memory.open(path, embedder=FakeEmbedder())
    found = check(path)
    assert found.saved == saved
    assert named is None or any(named in line for line in found.problems), found.problems
    repair(path, tmp_path / "new.db")
    assert path.read_bytes() == before
    with Memory.open(tmp_path / "new.db") as new:
        expected = texts if what != "both" else {i: text for i, text in texts.items() if i != 3}
        assert {i: new[i] for i in new} == expected
        agrees(new)
        assert new.recall("Ada lives ~in Rome", top_k=1)[0].id == 4
    with pytest.raises(StoreError, match="already"):
        repair(path, tmp_path / "new.db")


def test_a_repair_that_fails_leaves_no_file(memory: Memory, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(FakeEmbedder):
        def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
            raise TextError("nobody is there")

    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", Failing)
    memory.close()
    damaged(path, "DELETE FROM keys")
    with pytest.raises(TextError):
        repair(path, tmp_path / "new.db")
    assert list(tmp_path.glob("new.db*")) == []


@pytest.mark.slow
def test_damaged_pages(memory: Memory, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    memory.store_all([f"thought {i}, " + "of some length " * 20 for i in range(200)])
    size, texts = 4096, {i: memory[i] for i in memory}
    memory.close()
    whole = path.read_bytes()
    least = len(texts)
    for page in range(2, len(whole) // size, 130):
        path.write_bytes(whole[: page * size] + b"\x5a" * size + whole[(page + 1) * size :])
        try:
            found = repair(path, tmp_path / f"{page}.db", None)
        except StoreError:
            continue
        assert found.problems
        least = min(least, found.saved)
        with Memory.open(tmp_path / f"{page}.db", readonly=True) as new:
            assert all(new[i] == texts[i] for i in new)
    assert least > len(texts) * 0.8


ODD = {
    "stored": ("memories", "stored", 1e300), "happened": ("memories", "happened", 1e300), "until": ("memories", "until", 1e300),
    "empty": ("memories", "text", " "), "session": ("memories", "session", 2**63 - 1), "scope": ("memories", "scope", '{"foo": [1]}'),
    "metadata": ("memories", "metadata", '{"a": 1e999}'), "deep": ("memories", "metadata", '{"a": ' * 500 + "1" + "}" * 500),
    "key": ("keys", "text", ""), "kind": ("keys", "kind", 7), "vector": ("keys", "vector", b"odd"),
    "code": ("keys", "code", b"\xff\xff" * 8),
    "counts": ("keys", "counts", b"x"), "no number": ("keys", "vector", b"\xff" * 4 * 384),
    "spikes": ("keys", "counts", b"\x80" * 384),
    "one cell": ("keys", "code", b"\x05\0" * 32), "zero vector": ("keys", "vector", bytes(4 * 384)),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_rows_that_cannot_be_are_found_and_the_rest_is_saved(memory: Memory, path: Path, tmp_path: Path, what: str) -> None:
    """Checksums are right: what opening refuses checking finds, and repairing leaves out."""
    table, column, value = ODD[what]
    memory.close()
    db = sqlite3.connect(path)
    columns = MEMORY[3] if table == "memories" else KEY[3]
    where = "id = 2" if table == "memories" else "memory = 2"
    db.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (value,))
    for i, *row in db.execute(f"SELECT id, {columns} FROM {table} WHERE {where}").fetchall():
        db.execute(f"UPDATE {table} SET crc = ? WHERE id = ?", (crc_of(*row), i))
    db.commit()
    db.close()
    with pytest.raises(StoreError):
        Memory.open(path, embedder=FakeEmbedder())
    found = check(path)
    assert found.problems
    with patched_embedder():
        repair(path, tmp_path / "new.db")
    with Memory.open(tmp_path / "new.db", embedder=FakeEmbedder()) as new:
        assert len(new) == found.saved >= 4
        agrees(new)


SIZE = 1 + 384 + 384 * 384
ENTRIES = {
    "model": b"{}", "next_id": b"x", "next_session": b"-1", "adaptation": bytes(8 * 12), "seen": np.full(SIZE, -1.0).tobytes(),
    "covariance": np.full(SIZE, np.nan).tobytes(),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", ENTRIES)
def test_entries_that_cannot_be_are_found_and_the_rest_is_saved(memory: Memory, path: Path, tmp_path: Path, what: str) -> None:
    """Checksums are right here, too."""
    memory.close()
    key = what if what in ("model", "next_id", "next_session") else "adaptation"
    db = sqlite3.connect(path)
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, sealed(key, ENTRIES[what])))
    db.commit()
    db.close()
    with pytest.raises(StoreError, match="damaged"):
        Memory.open(path, embedder=FakeEmbedder())
    assert check(path).problems
    with patched_embedder():
        assert repair(path, tmp_path / "new.db").saved == 5
    with patched_embedder(), Memory.open(tmp_path / "new.db") as new:
        agrees(new)


@contextmanager
def patched_embedder() -> Iterator[None]:
    """The embedder of a file, made by name, is the fake one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
        yield


@pytest.mark.parametrize("content", [b"", b"Dear diary", b"SQLite format 3\0" + b"\0" * 100])
def test_what_is_no_memory_cannot_be_saved(path: Path, tmp_path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for look in (lambda: check(path), lambda: repair(path, tmp_path / "new.db")):
        with pytest.raises(SpikememError):
            look()
    assert not (tmp_path / "new.db").exists()
    with pytest.raises(StoreError, match="there is no"):
        check(tmp_path / "nothing.db")

"""The durable store: all or nothing, and whatever is wrong with a file is said and leaves the file as it is."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spikemem.errors import StoreError, StoreLockedError
from spikemem.store import KeyRow, MemoryRow, Store

CODES = np.arange(8, dtype=np.uint16).reshape(2, 4)


def row(i: int, text: str = "a thought") -> tuple[MemoryRow, KeyRow]:
    vector = np.random.default_rng(i).normal(size=4).astype(np.float32)
    return MemoryRow(i, text, 1.5 + i, "diary"), KeyRow(i, text, vector, np.array([3, -2, 0, 12], np.int8), CODES[0])


def fill(path: Path, n: int = 5) -> None:
    """n memories, a chain of links, and entries."""
    store = Store(path)
    rows = [row(i, f"thought {i}") for i in range(n)]
    store.add([m for m, _ in rows], [k for _, k in rows], meta={"model": b'{"name": "x"}', "next_id": b"9", "adaptation": b"abcdefgh"})
    store.link([(i, i + 1) for i in range(n - 1)])
    store.close()


def content(path: Path) -> tuple[object, ...]:
    """All that a store gives."""
    store = Store(path, readonly=True)
    try:
        keys = [(k.memory, k.text, k.vector.tobytes(), k.counts.tobytes(), k.code.tobytes()) for k in list(store.keys())]
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
    assert store.next_id() == 9
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
    store.remove([6])
    assert store.next_id() == 7
    store.close()


@pytest.mark.parametrize(
    "broken",
    [
        lambda store: store.add([row(7)[0], row(0)[0]], [], CODES[[1] * 5], {"adaptation": b"new"}),  # an id twice
        lambda store: store.add([row(7)[0]], [row(8)[1]], CODES[:1]),  # fewer codes than keys
        lambda store: store.add([row(7)[0], MemoryRow(8, "\ud800", 1.0)], []),
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

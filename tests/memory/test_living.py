"""Memories that live: what is recalled is kept, what is not falls silent and wakes, and nothing is lost from disk."""

import math
import sqlite3
from pathlib import Path

import pytest

from spikemem import Memory, ModelSpec
from spikemem.errors import StoreError
from spikemem.memory.damage import repair
from spikemem.memory.store import Store
from tests.fakes import FakeEmbedder, engram_small

TEXTS = [f"fact {n}" for n in range(12)]


def opened(path: Path | None = None, lifespan: float | None = None, model: str | ModelSpec | None = "hippocampus-small") -> Memory:
    return Memory.open(path, model, embedder=FakeEmbedder(), lifespan=lifespan)


def strengths(memory: Memory) -> list[float]:
    return [record.strength for record in memory.list()]


def answer(memory: Memory, n: int) -> str | None:
    """What comes first to a paraphrase of a text."""
    hits = memory.recall(f"{TEXTS[n]} ~again", top_k=1)
    return hits[0].text if hits else None


@pytest.mark.parametrize("model", ["hippocampus-small", pytest.param(engram_small(), marks=pytest.mark.slow)])
def test_what_nothing_recalls_falls_silent_and_its_own_text_wakes_it(model: str | ModelSpec) -> None:
    with opened(None, 4, model) as memory:
        memory.store_all(TEXTS[:4])
        assert strengths(memory) == [0.25, 0.5, 0.75, 1.0]
        assert answer(memory, 0) == TEXTS[0]  # a lifespan more
        memory.store_all(TEXTS[4:8])
        assert strengths(memory) == [0.25, 0.0, 0.0, 0.0, 0.25, 0.5, 0.75, 1.0]
        assert answer(memory, 0) == TEXTS[0]
        assert answer(memory, 1) != TEXTS[1]
        assert memory.get(1).text == TEXTS[1]
        assert len(memory) == 8
        hit = memory.recall(TEXTS[1], top_k=1)[0]  # its own code
        assert (hit.text, hit.strength) == (TEXTS[1], 0.0)
        assert memory.get(1).strength == 2.0  # a life anew, and a recall
        assert answer(memory, 1) == TEXTS[1]


def test_a_memory_where_none_ages_writes_nothing_at_a_recall(tmp_path: Path) -> None:
    with opened(tmp_path / "a.db") as memory:
        memory.store_all(TEXTS)
        before = memory._store.select("SELECT * FROM memories"), memory._store.select("SELECT total_changes()")
        assert answer(memory, 0) == TEXTS[0]
        assert (memory._store.select("SELECT * FROM memories"), memory._store.select("SELECT total_changes()")) == before
        assert strengths(memory) == [1.0] * len(TEXTS)
        assert math.isinf(memory.lifespan)


def test_strengths_survive_and_the_lifespan_may_change(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path, 2) as memory:
        memory.store_all(TEXTS[:4])
        answer(memory, 3)
        kept = strengths(memory)
    with Memory.open(path, embedder=FakeEmbedder()) as memory:
        assert (memory.lifespan, strengths(memory)) == (2.0, kept) == (2.0, [0.0, 0.0, 0.5, 2.0])
        assert answer(memory, 0) != TEXTS[0]
    with opened(path, math.inf) as memory:
        assert answer(memory, 0) == TEXTS[0]
        assert strengths(memory)[0] == 1.0
    with opened(path) as memory:
        assert math.isinf(memory.lifespan)


def test_what_is_recalled_together_shares_by_attention() -> None:
    with opened(None, 100) as memory:
        memory.store_all(TEXTS)
        before = strengths(memory)
        hits = memory.recall(f"{TEXTS[5]} ~again", top_k=3)
        gains = [memory.get(hit.id).strength - before[hit.id] for hit in hits]
        assert sum(gains) == pytest.approx(3)
        assert gains[0] == max(gains) > 1
        assert [memory.get(i).strength for i in memory if i not in {h.id for h in hits}] == pytest.approx(
            [s for i, s in enumerate(before) if i not in {h.id for h in hits}]
        )


def test_a_chain_strengthens_what_it_comes_to() -> None:
    with opened(None, 100) as memory:
        ids = memory.store_all(TEXTS)
        memory.associate(ids[0], ids[1])
        before = strengths(memory)
        assert [hit.id for hit in memory.recall_chain(TEXTS[0])] == [ids[1]]
        assert memory.get(ids[1]).strength == pytest.approx(before[ids[1]] + 1)


def test_a_reader_strengthens_nothing_and_follows_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path, 6) as memory, Memory.open(path, embedder=FakeEmbedder(), readonly=True) as reader:
        memory.store_all(TEXTS[:6])
        before = strengths(reader)
        assert answer(reader, 0) == TEXTS[0]
        assert strengths(reader) == before == strengths(memory)
        memory.store_all(TEXTS[6:])
        assert answer(reader, 0) != TEXTS[0]
        assert reader.recall(TEXTS[0], top_k=1)[0].text == TEXTS[0]
        assert reader.get(0).strength == 0.0
    with pytest.raises(StoreError, match="opened for reading"):
        Memory.open(path, embedder=FakeEmbedder(), readonly=True, lifespan=9)


def test_repair_keeps_the_lifespan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    with opened(tmp_path / "a.db", 3) as memory:
        memory.store_all(TEXTS[:5])
        kept = strengths(memory)
    repair(tmp_path / "a.db", tmp_path / "b.db")
    with Memory.open(tmp_path / "b.db", embedder=FakeEmbedder()) as memory:
        assert (memory.lifespan, strengths(memory)) == (3.0, kept)


@pytest.mark.parametrize("lifespan", [0, -1, math.nan, "9"])
def test_a_lifespan_is_a_number_above_0(lifespan: float) -> None:
    with pytest.raises(StoreError, match="lifespan"):
        opened(None, lifespan)


def test_another_lifespan_leaves_what_is_left(tmp_path: Path) -> None:
    """In lifespans: neither does a long one make memories immortal, nor a short one silence what has just been recalled."""
    path = tmp_path / "brain.db"
    with opened(path, 3) as memory:
        memory.store_all(TEXTS)
        memory.recall(TEXTS[0], top_k=1)
        before = strengths(memory)
    for lifespan in (300, 2, 3):
        with opened(path, lifespan, None) as memory:
            assert strengths(memory) == pytest.approx(before)
            assert memory.lifespan == lifespan


def test_a_reader_follows_its_writers_lifespan(tmp_path: Path) -> None:
    path = tmp_path / "brain.db"
    with opened(path) as writer:
        writer.store_all(TEXTS[:6])
    with Memory.open(path, embedder=FakeEmbedder(), readonly=True) as reader, opened(path, 2, None) as writer:
        writer.store(TEXTS[6])
        assert strengths(reader) == strengths(writer) != [1.0] * 7


def test_a_recall_that_cannot_be_noted_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(None, 9) as memory:
        memory.store_all(TEXTS[:3])
        with monkeypatch.context() as patch:
            patch.setattr(Store, "change", lambda *given, **more: (_ for _ in ()).throw(sqlite3.OperationalError("disk is full")))
            with pytest.warns(UserWarning, match="could not be strengthened: disk is full"):
                assert answer(memory, 1) == TEXTS[1]
        assert answer(memory, 2) == TEXTS[2]


def test_what_is_silent_does_not_come_without_a_cue() -> None:
    with opened(None, 2) as memory:
        memory.store_all(TEXTS)
        assert [hit.text for hit in memory.recall_in_order()] == TEXTS[-2:]
        assert {hit.text for hit in memory.recall_freely()} <= set(TEXTS[-2:])


def test_a_file_of_ones_own_embedder_is_repaired(tmp_path: Path) -> None:
    with opened(tmp_path / "brain.db") as memory:
        memory.store_all(TEXTS)
    repair(tmp_path / "brain.db", tmp_path / "new.db", embedder=FakeEmbedder())
    with opened(tmp_path / "new.db", None, None) as memory:
        assert [record.text for record in memory.list()] == TEXTS

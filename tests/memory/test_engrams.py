"""A text memory whose CA3 recalls: `Memory` on an engram model."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from spikemem import Hippocampus, Memory
from spikemem.hippocampus.regions.engrams import drawn
from tests.fakes import FakeEmbedder, engram_small

MODEL = "hippocampus-engram-small"
TEXTS = ["Ada moved to Lisbon in May.", "Lisbon's harbour opens at six.", "The cat sleeps on the sofa.", "Bob plays chess on Sundays."]


def memory(path: Path | None = None) -> Memory:
    return Memory.open(path, MODEL, embedder=FakeEmbedder())


def test_hits_come_one_an_attempt() -> None:
    with memory() as m:
        m.store_all(TEXTS)
        hits = m.recall(TEXTS[0], top_k=3)
        assert hits[0].text == TEXTS[0]
        assert [hit.latency for hit in hits] == [120.0, 245.0, 370.0]
        told = m.recall(TEXTS[0], top_k=3, record=True)
        assert list(told) == list(hits)
        assert told.recording is not None


def test_it_tells_of_no_index_cells() -> None:
    with memory() as m:
        m.store(TEXTS[0], cues=["Where does Ada live?"])
        told = m.info()
        assert told["keys"] == 2
        assert "index_cells" not in told


def test_other_models_have_no_latency() -> None:
    with Memory.open(None, "hippocampus-small", embedder=FakeEmbedder()) as m:
        m.store(TEXTS[0])
        assert m.recall(TEXTS[0])[0].latency is None


def test_a_reopened_file_recalls_alike(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with memory(path) as m:
        ids = m.store_all(TEXTS)
        m.associate(ids[0], ids[1])
        new = m.update(ids[2], "The cat sleeps on the chair.")
        m.forget(ids[3])
        before = [[hit.id for hit in m.recall(text, top_k=3)] for text in TEXTS]
    with memory(path) as m:
        assert [[hit.id for hit in m.recall(text, top_k=3)] for text in TEXTS] == before
        assert [hit.id for hit in m.recall_chain(TEXTS[0], hops=1)] == [ids[1]]
        assert ids[2] not in {i for row in before for i in row}
        assert m.recall("The cat sleeps on the chair.")[0].id == new
        assert m.recall(TEXTS[2], top_k=4, history=True)[0].id == ids[2]


def test_scopes_select(tmp_path: Path) -> None:
    with memory() as m:
        for n, text in enumerate(TEXTS * 3):
            m.store(f"{text} {n}", scope={"user": "ada" if n % 2 else "bob"})
        found = m.recall(f"{TEXTS[1]} 1", top_k=6, scope={"user": "ada"})
        assert found[0].text == f"{TEXTS[1]} 1"
        assert len(found) >= 3
        assert {m.get(hit.id).scope["user"] for hit in found} == {"ada"}


def test_cues_of_a_memory_bring_it_back() -> None:
    with memory() as m:
        m.store_all(TEXTS)
        i = m.store("The archive closes on Fridays.", cues=["When may one read old letters?"])
        assert m.recall("When may one read old letters?")[0].id == i
        assert not np.isnan(m.recall("The archive closes on Fridays.")[0].score)


def cells(m: Memory, *ids: int) -> list[list[int]]:
    """The CA3 cells of memories."""
    return m.hippocampus.engrams([m._index.row(i) for i in ids]).tolist()


def test_an_engram_is_the_same_cells_for_ever(tmp_path: Path) -> None:
    """Whatever was forgotten before it, and however often its file was opened; in a snapshot, too."""
    path, texts = tmp_path / "memory.db", [*TEXTS, *(f"Boat {i} lies at pier {3 * i}." for i in range(6))]
    with memory(path) as m, memory() as whole:
        a, b, c, *rest = m.store_all(texts)
        *_, late = whole.store_all([*texts, "The mill is for sale."])
        m.associate_all([(rest[0], rest[3]), (rest[3], rest[1])])
        before = cells(m, b, *rest)
        m.forget(a, c, rest.pop())
        before.pop()
        assert cells(m, b, *rest) == before
        assert cells(m, m.store("The mill is for sale.")) == cells(whole, late)
    with memory(path) as m:
        assert cells(m, b, *rest) == before
        assert cells(m, late) == cells(whole, late)
        assert [hit.id for hit in m.recall_chain(texts[3], hops=2)] == [rest[3], rest[1]]
        hits = [hit.id for hit in m.recall(texts[5], top_k=5)]
        m.hippocampus.save(tmp_path / "snapshot")
        m.forget(late)
    with memory(path) as m:  # the largest number was forgotten, and is not given again
        new = m.store("The well is dry.")
        assert new == late + 1
        assert cells(m, new) != cells(whole, late)
        assert cells(m, b, *rest) == before
    loaded = Hippocampus.load(tmp_path / "snapshot")
    assert loaded.engrams(np.arange(len(rest) + 2)).tolist() == [*before, *cells(whole, late)]
    assert loaded.engrams(loaded.store(np.eye(384)[:1])).tolist() == drawn(np.array([late + 1]), 2048, 20, seed=0).tolist()
    assert hits[0] == rest[2]


def test_a_file_recalls_and_chains_alike_after_forgetting_and_reopening(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    texts = [f"The {what} is for sale." for what in ("mill", "barn", "well", "farm", "inn", "boat")]
    with memory(path) as m:
        ids = m.store_all(texts)
        m.associate_all([(ids[2], ids[4]), (ids[4], ids[3])])
        m.forget(ids[0], ids[5])
        m.consolidate()
        before = [[hit.id for hit in m.recall(text, top_k=4)] for text in texts]
        chain = [hit.id for hit in m.recall_chain(texts[2], hops=2)]
    with memory(path) as m:
        assert [[hit.id for hit in m.recall(text, top_k=4)] for text in texts] == before
        assert [hit.id for hit in m.recall_chain(texts[2], hops=2)] == chain == [ids[4], ids[3]]


def test_an_engram_of_an_undated_text_follows_when_it_was_stored(tmp_path: Path) -> None:
    """In a model with excitability; a date counts where there is one, and forgetting and reopening change nothing."""
    path, plain = tmp_path / "memory.db", engram_small()
    assert plain.engram is not None
    spec = plain.model_copy(update={"engram": plain.engram.model_copy(update={"excitable": 0.3})})
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    with Memory.open(path, spec, embedder=FakeEmbedder()) as m:
        a, b = m.store_all(TEXTS[:2])
        c, d = m.store_all(TEXTS[2:], when=noon)
        before = cells(m, b, c, d)
        now, then = (m.hippocampus.excitable(t) for t in (m.get(b).stored.timestamp(), noon.timestamp()))
        assert np.isin(before[0], now).all()
        assert np.isin(before[1:], then).all()
        assert not np.isin(before[0], then).all()
        m.forget(a)
    with Memory.open(path, embedder=FakeEmbedder()) as m:
        assert cells(m, b, c, d) == before
        m.hippocampus.save(tmp_path / "snapshot")
    assert Hippocampus.load(tmp_path / "snapshot").engrams(range(3)).tolist() == before

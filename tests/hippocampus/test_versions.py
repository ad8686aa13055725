"""Versions of a memory and silent index cells: what was superseded is kept, and the simulation agrees with the direct computation."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.errors import UnknownMemoryError
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions.ec_lex import words
from tests.fakes import near, units

N = 40


@pytest.fixture
def memory(small_text: ModelSpec) -> Hippocampus:
    made = Hippocampus(small_text)
    cells = small_text.lex.cells if small_text.lex else 1
    when = np.where(np.arange(N) < 20, 1e9 + 86400.0 * np.arange(N), np.nan)
    made.store(units(N), words=[[words(f"the boat of Ada number {i % 9}", cells)] for i in range(N)], when=when, sessions=np.arange(N) // 8)
    made.associate([1, 2], [2, 3])
    return made


def cues() -> NDArray[np.float32]:
    return near(units(N), 0.8)[:6]


def same(a: Recall, b: Recall) -> None:
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.scores, b.scores)
    np.testing.assert_array_equal(a.attention, b.attention)


def test_what_is_superseded_answers_no_more_but_is_kept(memory: Hippocampus) -> None:
    memory.supersede(2, 30, until=2e9)
    assert 2 not in memory.recall(cues(), top_k=10).ids
    assert memory.recall(cues()[2], heard=memory.heard(history=True)).ids[0, 0] == 2
    assert memory.recall(cues()[2], around=1.9e9).ids[0, 0] == 2
    assert 30 not in memory.recall(units(N)[30], top_k=N, around=1.9e9).ids
    assert 2 not in memory.recall(cues()[2], top_k=N, around=2.1e9).ids
    assert len(memory) == N
    assert memory.holds().tolist() == [i != 2 for i in range(N)]


def test_associations_go_on_from_what_supersedes(memory: Hippocampus) -> None:
    vectors = units(N)
    assert memory.recall_chain(vectors[1], hops=2).tolist() == [[2, 3]]
    memory.supersede(2, 30)
    memory.consolidate()
    assert memory.recall_chain(vectors[1], hops=2).tolist() == [[30, 3]]


def test_a_memory_supersedes_another_one(memory: Hippocampus) -> None:
    with pytest.raises(UnknownMemoryError, match="itself"):
        memory.supersede(3, 3)
    with pytest.raises(UnknownMemoryError):
        memory.supersede(3, N)


@pytest.mark.slow
@pytest.mark.parametrize("around", [None, 1.0005e9])
@pytest.mark.parametrize("asked", ["hold", "among", "history"])
def test_silenced_cells_neither_fire_nor_compete_in_spikes(memory: Hippocampus, around: float | None, asked: str) -> None:
    memory.supersede(2, 30, until=1.0007e9)
    cells = memory.spec.lex.cells if memory.spec.lex else 1
    said = [words("which boat is number 3", cells)] * len(cues())
    among = np.arange(N) % 3 != 0 if asked == "among" else None
    heard = memory.heard(around, among, history=asked == "history")
    options = {"words": said, "around": around, "heard": heard, "top_k": 4}
    seen = memory.recall(cues(), record=True, **options)  # type: ignore[arg-type]
    same(memory.recall(cues(), **options), seen)  # type: ignore[arg-type]
    assert (2 in seen.ids) == (asked != "among" and (asked == "history" or around is not None)) or asked == "among"
    if among is not None:
        assert among[seen.ids[seen.ids >= 0]].all()


@pytest.mark.slow
def test_silence_is_what_inhibits(memory: Hippocampus) -> None:
    """Without the O-LM cells' synapses the superseded memory would win."""
    memory.supersede(2, 30)
    net = memory.circuit.network(slow=False, silences=True)
    assert {p.pre for p in net.projections if p.post == "ca1_dendrite"} >= {"olm", "ca3"}
    seen = memory.recall(units(N)[2], record=True, heard=memory.heard(history=True))
    assert seen.ids[0, 0] == 2


def test_versions_and_moments_are_kept_in_a_snapshot(memory: Hippocampus, tmp_path: Path) -> None:
    memory.supersede(2, 30, until=2e9)
    memory.circuit.ca1.renew(5, 5e8)
    again = Hippocampus.load(memory.save(tmp_path / "memory.safetensors"))
    for around in (None, 5e8, 1.9e9, 2.1e9):
        same(memory.recall(cues(), top_k=5, around=around), again.recall(cues(), top_k=5, around=around))


def test_a_memory_that_happened_twice_is_near_to_both_moments() -> None:
    memory = Hippocampus(load_model("hippocampus-small"))
    memory.store(units(10), when=1e9 + 1e8 * np.arange(10))
    memory.circuit.ca1.renew(4, 3e9)
    for moment, other in ((1.4e9, 1.5e9), (3e9, 1.9e9)):
        near, far = (memory.recall(units(10, seed=5)[0], 10, around=t) for t in (moment, other))
        near_drive, far_drive = (found.drives[0, found.ids[0].tolist().index(4), 3] for found in (near, far))
        assert near_drive == pytest.approx(memory.spec.ca1.time, rel=0.05)
        assert far_drive < near_drive / 2
    same(memory.recall(cues(), 3, around=1.4e9), memory.recall(cues(), 3, around=1.4e9, record=True))

"""The engram model: CA3 recalls one memory an attempt, and the direct computation says what the spikes say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.errors import SpecError, VectorError
from spikemem.hippocampus.regions.engrams import drawn
from spikemem.hippocampus.storing import NewMemories
from spikemem.simulators.recording import Recording
from tests.fakes import engram_small, near, units
from tests.hippocampus.engrams import circuit, same
from tests.marks import first_is_fast

N = 200


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return engram_small()


def stored(spec: ModelSpec, n: int = N) -> Hippocampus:
    made = Hippocampus(spec)
    made.store(units(n))
    made.associate(np.arange(10), np.arange(1, 11))
    return made


@pytest.fixture(scope="module")
def memory(spec: ModelSpec) -> Hippocampus:
    """Only to be read."""
    return stored(spec)


# -- what the spikes say -----------------------------------------------------------------------------------------------------------


def forgotten(memory: Hippocampus) -> None:
    memory.forget([3, 4, 30])


def slept(memory: Hippocampus) -> None:
    forgotten(memory)
    memory.consolidate()


def superseded(memory: Hippocampus) -> None:
    memory.supersede(2, 50)
    memory.teach(5, near(units(N), 0.5)[5:6])


CHANGES = {"stored": lambda memory: None, "forgotten": forgotten, "slept": slept, "superseded": superseded}


@pytest.mark.parametrize("change", first_is_fast(*CHANGES.values()), ids=CHANGES)
@pytest.mark.parametrize("cosine", first_is_fast(0.6, 1.0))
def test_a_recall_is_what_the_spikes_say(spec: ModelSpec, change: Callable[[Hippocampus], None], cosine: float) -> None:
    memory = stored(spec)
    change(memory)
    cues = near(units(N), cosine)[:8]
    same(memory.recall(cues, top_k=3), memory.recall(cues, top_k=3, record=True))


@pytest.mark.slow
def test_a_recall_of_some_memories_is_what_the_spikes_say(memory: Hippocampus) -> None:
    odd = memory.heard(among=np.arange(N) % 2 == 1)
    told = memory.recall(units(N)[:4], top_k=4, heard=odd, record=True)
    same(memory.recall(units(N)[:4], top_k=4, heard=odd), told)
    assert (told.ids % 2 == 1).all()


@pytest.mark.parametrize("hops", first_is_fast(1, 5))
def test_a_chain_is_what_the_spikes_say(memory: Hippocampus, hops: int) -> None:
    cues = near(units(N), 0.7)[[0, 2, 7, 60]]
    chain = memory.recall_chain(cues, hops)
    np.testing.assert_array_equal(memory.read_chain(memory.simulate_chain(cues, hops)), chain)
    assert chain[0].tolist() == list(range(1, 1 + hops))
    assert chain[3].tolist() == [-1] * hops
    assert chain[2].tolist() == [8, 9, 10, -1, -1][:hops]


@pytest.mark.parametrize("successors", [2, 4])
def test_at_a_fork_each_successor_has_its_share(spec: ModelSpec, successors: int) -> None:
    """Cues of one memory lead to each of its successors, about equally often, and to nothing else."""
    memory = stored(spec)
    after = 60 + np.arange(successors)
    memory.associate(np.full(successors, 50), after)
    cues = near(np.repeat(units(N)[50:51], 200, axis=0), 0.8)
    led, often = np.unique(memory.recall_chain(cues, 1), return_counts=True)
    assert led.tolist() == after.tolist()
    assert (np.abs(often / 200 - 1 / successors) < 4 * np.sqrt(1 / successors / 200)).all()


def test_a_fork_is_what_the_spikes_say(spec: ModelSpec) -> None:
    memory = stored(spec)
    memory.associate([50, 50, 50, 61], [60, 61, 62, 70])
    cues = near(np.repeat(units(N)[50:51], 6, axis=0), 0.8)
    chain = memory.recall_chain(cues, 2)
    assert len(np.unique(chain[:, 0])) > 1
    np.testing.assert_array_equal(memory.read_chain(memory.simulate_chain(cues, 2)), chain)


def test_a_long_chain_through_a_full_memory(spec: ModelSpec) -> None:
    """Where cells belong to several engrams, a slow current that lasts holds a hop to the successor."""
    memory = Hippocampus(spec)
    ids = memory.store(units(spec.load))
    memory.associate(ids[:-1], ids[1:])
    begin = np.arange(0, spec.load - 7, 10)
    np.testing.assert_array_equal(memory.recall_chain(units(spec.load)[begin], hops=6), begin[:, None] + np.arange(1, 7))


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "snntorch", "norse", "brian2"])
def test_every_simulator_recalls_alike(spec: ModelSpec, simulator: str) -> None:
    memory = stored(spec, 40)
    cues = near(units(40), 0.7)[:2]
    same(memory.recall(cues, top_k=2), memory.recall(cues, top_k=2, record=True, simulator=simulator))
    chain = memory.simulate_chain(cues[:1], 2, simulator)
    np.testing.assert_array_equal(memory.read_chain(chain), memory.recall_chain(cues[:1], 2))


def test_the_answer_does_not_come_from_the_short_cut(memory: Hippocampus, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded recall, and what it simulates, are as they were where the direct computation is wrong."""
    cues = units(N)[:3]
    before = memory.recall(cues, top_k=2, record=True)
    monkeypatch.setattr("spikemem.kernels.engrams.attempts", None)
    monkeypatch.setattr("spikemem.kernels.engrams.predicted", None)
    same(before, memory.recall(cues, top_k=2, record=True))


# -- what may answer, and what holds -----------------------------------------------------------------------------------------------


def test_of_a_few_that_may_answer_all_come(memory: Hippocampus) -> None:
    """Cells in none of their engrams are silenced, so that others do not use up the attempts; spikes say the same."""
    few = np.isin(np.arange(N), [3, 50, 51, 120, 199])
    cues = near(units(N), 0.7)[[3, 51, 7]]
    found = memory.recall(cues, top_k=5, heard=few)
    assert [set(row) for row in found.ids.tolist()] == [{3, 50, 51, 120, 199}] * 3
    assert found.ids[:2, 0].tolist() == [3, 51]
    same(found, memory.recall(cues, top_k=5, heard=few, record=True))


@pytest.mark.parametrize("copies", first_is_fast(2, 3))
def test_equal_memories_are_each_recalled(spec: ModelSpec, copies: int) -> None:
    memory, x = Hippocampus(spec), units(60)
    memory.store(np.concatenate([x] * copies))
    found = memory.recall(x, top_k=copies).ids
    whole = [set(row) == {i + 60 * c for c in range(copies)} for i, row in enumerate(found.tolist())]
    assert np.mean(whole) > 0.95


def test_what_may_not_answer_is_not_said(memory: Hippocampus) -> None:
    """Vector and novelty are those of the first hit, and a chain does not begin with what may not answer."""
    other = np.arange(N) != 3
    found = memory.recall(units(N)[3], top_k=2, heard=other)
    said = memory.contents(found.ids[0, 0])
    assert (found.vectors @ said.T).item() > 0.95
    assert found.novelty[0] == pytest.approx(1 - found.scores[0, 0])
    assert memory.recall_chain(units(N)[3], 1, heard=other).tolist() == [[-1]]


@pytest.mark.parametrize("old", first_is_fast(2, 1, 3))
def test_a_chain_through_what_was_superseded(spec: ModelSpec, old: int) -> None:
    """The version that holds takes over the associations, at once, in spikes, and when all is derived anew."""
    memory = Hippocampus(spec)
    memory.store(units(30))
    memory.associate([1, 2], [2, 3])
    memory.supersede(old, 20)
    cues = units(30)[[1, 2, 20]]
    chain = memory.recall_chain(cues, 2)
    assert 20 in chain or old == 1
    np.testing.assert_array_equal(memory.read_chain(memory.simulate_chain(cues, 2)), chain)
    np.testing.assert_array_equal(Hippocampus.of(spec, memory.arrays()).recall_chain(cues, 2), chain)


def test_a_vector_is_what_the_first_hit_stands_for(memory: Hippocampus) -> None:
    found = memory.recall(near(units(N), 0.8)[:20], top_k=4)
    assert (found.vectors * memory.contents(found.ids[:, 0])).sum(1).min() > 0.95


def test_contents_know_no_damage(spec: ModelSpec) -> None:
    memory = stored(spec, 30)
    before = memory.contents(np.arange(5))
    memory.lesion("ca1", 0.9)
    np.testing.assert_array_equal(memory.contents(np.arange(5)), before)


def test_sleep_makes_the_read_out_exact(spec: ModelSpec) -> None:
    """Each memory is replayed three times, and each time CA1 learns from what it gets wrong."""
    memory, x = stored(spec, spec.load), units(spec.load)
    before = float((memory.contents(np.arange(spec.load)) * x).sum(1).mean())
    memory.consolidate()
    after = float((memory.contents(np.arange(spec.load)) * x).sum(1).mean())
    assert before < 0.96
    assert after > 0.98


def test_a_hop_needs_the_synapses_of_half_an_engram(spec: ModelSpec) -> None:
    """A chain goes on with 40 % of CA3's cells lost, where 12 of an engram's 20 are left on average, more often than not."""
    memory = stored(spec)
    memory.lesion("ca3", 0.3)
    begin = np.arange(0, 9)
    assert (memory.recall_chain(units(N)[begin], 1)[:, 0] == begin + 1).mean() > 0.8
    assert circuit(memory).ca3.level == 10


# -- what carries a recall ---------------------------------------------------------------------------------------------------------


def test_no_population_has_a_cell_for_a_memory(spec: ModelSpec) -> None:
    few, many = (stored(spec, n).network for n in (20, 60))
    assert {name: p.size for name, p in few.populations.items()} == {name: p.size for name, p in many.populations.items()}
    assert {p.name: p.synapses.shape for p in few.projections} == {p.name: p.synapses.shape for p in many.projections}


def share(memory: Hippocampus, cosine: float) -> float:
    """The share of their own engrams that cues bring back."""
    found = memory.recall(near(units(len(memory)), cosine)[:100])
    return float(np.where(found.competitors[:, 0] == np.arange(100), found.attention[:, 0], 0.0).mean())


def test_recurrence_completes_an_engram(spec: ModelSpec) -> None:
    """With the recurrent synapses the whole engram fires; where they are cut, or shuffled, about half of it."""
    memory = stored(spec, spec.load)
    ca3 = circuit(memory).ca3
    assert share(memory, 0.5) > 0.85
    bound = ca3.auto
    for other in (np.zeros_like(bound), np.random.default_rng(0).permutation(bound)):
        ca3.auto = other
        assert share(memory, 0.5) < 0.62


def test_dg_drives_the_engram_of_its_own_code(spec: ModelSpec) -> None:
    memory = stored(spec)
    ca3 = circuit(memory).ca3
    ca3.hetero = np.random.default_rng(0).permutation(ca3.hetero)
    assert share(memory, 1.0) < 0.05


def test_hits_come_in_the_order_of_time(memory: Hippocampus) -> None:
    found = memory.recall(units(N)[:5], top_k=6)
    assert found.latency is not None
    assert (np.diff(found.latency, axis=1) == 125.0).all()
    assert (found.latency[:, 0] == 120.0).all()
    assert all(len(set(row)) == 6 for row in found.ids.tolist())


def test_an_engram_rests_after_it_has_fired(memory: Hippocampus) -> None:
    recording = memory.recall(units(N)[:1], top_k=3, record=True).recording
    assert isinstance(recording, Recording)
    cells, size = circuit(memory).fired(recording)
    assert size.tolist() == [[20] * 3]
    assert len(np.unique(cells)) == 60
    later = recording["ca3"]
    assert not np.isin(later.cell[later.step >= 125], cells[0, 0]).any()


# -- learning ----------------------------------------------------------------------------------------------------------------------


def test_all_cells_are_used_alike() -> None:
    cells = drawn(np.arange(1000), 2048, 20, seed=0)
    assert all(len(set(row)) == 20 for row in cells.tolist())
    uses = np.bincount(cells.ravel(), minlength=2048)
    assert uses.max() - uses.min() <= 10
    assert uses.sum() == 20_000
    np.testing.assert_array_equal(drawn(np.array([7, 500]), 2048, 20, seed=0), cells[[7, 500]])
    assert (drawn(np.array([7]), 2048, 20, seed=1) != cells[7]).any()


def test_each_cell_knows_whose_engrams_it_is_in(spec: ModelSpec) -> None:
    memory = stored(spec, 150)
    allocation = circuit(memory).ca3.allocation
    owners, cells = allocation.owners(), allocation.engrams(np.arange(150))
    found = np.array([(c, m) for c in range(2048) for m in owners.memory[owners.ptr[c] : owners.ptr[c + 1]]])
    for m in (0, 102, 149):
        assert found[found[:, 1] == m, 0].tolist() == cells[m].tolist()


def arrays(memory: Hippocampus) -> tuple[NDArray[np.uint64], ...]:
    ca3 = circuit(memory).ca3
    return ca3.hetero, ca3.auto, ca3.slow


def test_what_is_forgotten_leaves_no_synapse(spec: ModelSpec) -> None:
    """After forgetting, CA3's synapses are those that the rest would have made."""
    memory = stored(spec)
    memory.forget([0, 5, 77])
    before = [bits.copy() for bits in arrays(memory)]
    circuit(memory).rebind()
    for a, b in zip(before, arrays(memory), strict=True):
        np.testing.assert_array_equal(a, b)
    assert memory.recall(units(N)[77], top_k=3).ids.tolist()[0].count(77) == 0


def test_ca1_predicts_better_with_each_presentation(spec: ModelSpec) -> None:
    memory = stored(spec, 400)
    ids, c = np.arange(400), circuit(memory)
    seen = []
    for _ in range(4):
        seen.append(float((memory.contents(ids) * units(400)).sum(1).mean()))
        c.ca1.learn(c.engrams(ids), c.keys.counts[c.contents])
    assert seen[0] > 0.8
    assert np.all(np.diff(seen) > 0)


def test_deep_ec_says_what_was_stored(spec: ModelSpec) -> None:
    memory = stored(spec, 60)
    found = memory.recall(near(units(60), 0.7)[:10])
    assert ((found.vectors * units(60)[:10]).sum(1) > 0.95).all()
    np.testing.assert_allclose(found.vectors, memory.contents(found.ids[:, 0]))


# -- the rest ----------------------------------------------------------------------------------------------------------------------


def test_a_snapshot_recalls_alike(spec: ModelSpec, tmp_path: Path) -> None:
    memory = stored(spec, 60)
    memory.consolidate()
    again = Hippocampus.load(memory.save(tmp_path / "engrams.safetensors"))
    same(memory.recall(units(60)[:5], top_k=2), again.recall(units(60)[:5], top_k=2))
    assert again.recall_chain(units(60)[0], hops=3).tolist() == [[1, 2, 3]]


def test_nothing_stored_answers_nothing(spec: ModelSpec) -> None:
    memory = Hippocampus(spec)
    found = memory.recall(units(2), top_k=2)
    assert (found.ids == -1).all()
    assert np.isnan(found.scores).all()
    assert (found.novelty == 1).all()
    same(found, memory.recall(units(2), top_k=2, record=True))


def test_more_than_can_fire_is_not_found(spec: ModelSpec) -> None:
    """Each engram rests after its attempt, so that there are as many attempts as CA3 has room for."""
    found = stored(spec, 150).recall(units(150)[0], top_k=150).ids[0]
    assert 90 < (found >= 0).sum() <= 102


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"rising": (9, 9, 9, 9, 9)}, "engram.rising ends with 9"),
        ({"rising": (9999, 80, 40, 20, 20)}, "more than dg.cells"),
        ({"rising": (40, 20)}, "engram.rising"),
        ({"gain": 0}, "engram.gain"),
    ],
)
def test_a_model_that_does_not_fit(spec: ModelSpec, section: dict[str, object], message: str) -> None:
    engram = {"rising": (120, 80, 40, 20, 20), "gain": 2, **section}
    with pytest.raises(SpecError, match=message):
        ModelSpec(**{**spec.model_dump(), "engram": engram})


def test_an_engram_model_has_no_index_cells(memory: Hippocampus) -> None:
    with pytest.raises(SpecError, match="no index cells"):
        _ = memory.index


def test_the_model_file_is_written_whole(spec: ModelSpec, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(spec.to_toml(), encoding="utf-8")
    assert load_model(path) == spec


@pytest.mark.parametrize("numbers", [[3, 3], [4, 3], [-1, 0], [0], [5, 2**53 + 1]])
def test_numbers_that_are_not_new_are_refused(spec: ModelSpec, numbers: list[int]) -> None:
    memory = Hippocampus(spec)
    plan = memory.plan_all(NewMemories.of(spec, units(2), None, None, None, None, None, None))
    with pytest.raises(VectorError, match="numbers"):
        memory.apply(plan, numbers)
    assert len(memory) == 0

"""The engram model with basket cells and leaky cells: who fires, what inhibits, what completes and what rests is seen in the spikes."""

import math

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.errors import NetworkError, SpecError
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions.basket_cells import pyramidal
from spikemem.hippocampus.regions.rhythm import GAMMA, THETA
from spikemem.hippocampus.spec import BasketSpec
from spikemem.simulators.recording import Recording
from tests.fakes import near, units
from tests.hippocampus.engrams import circuit, same
from tests.marks import first_is_fast

N = 500
MODEL = "hippocampus-engram-basket"
OWN = np.arange(12)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return load_model(MODEL)


@pytest.fixture(scope="module")
def full(spec: ModelSpec) -> Hippocampus:
    """As many memories as the model is made for."""
    memory = Hippocampus(spec)
    memory.store(units(N))
    return memory


@pytest.fixture(autouse=True)
def undamaged(full: Hippocampus) -> None:
    full.restore()


def poor(memory: Hippocampus) -> Recall:
    """Recalled by poor cues of some memories."""
    return memory.recall(near(units(N), 0.6)[OWN], record=True)


def fired(memory: Hippocampus, found: Recall) -> float:
    """Cells of CA3 at the end of the first attempt, mean."""
    assert isinstance(found.recording, Recording)
    return float(circuit(memory).fired(found.recording)[1][:, 0].mean())


def share(found: Recall) -> float:
    """The share of its engram that a memory is recalled by, 0 where it is another, mean."""
    return float(np.where(found.ids[:, 0] == OWN, found.attention[:, 0], 0.0).mean())


# -- cells -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [20.0, math.inf])
@pytest.mark.parametrize("drive", [11.99, 12.01])
def test_a_pyramidal_cell_needs_as_many_synapses_as_its_threshold_says(tau: float, drive: float) -> None:
    cell = pyramidal(BasketSpec(pyramidal=tau, threshold=12.0))
    state, spikes = cell.initial(np.zeros(1)), 0
    for t in range(GAMMA):
        state = cell.step(np.array([drive if t == 0 else 0.0]), state, 1.0)
        spikes += int(state.spikes[0])
    assert spikes == (drive > 12.0)


def test_the_more_driven_cell_fires_first() -> None:
    cell = pyramidal(BasketSpec())
    state, first = cell.initial(np.zeros(4)), np.full(4, -1)
    for t in range(GAMMA):
        state = cell.step(np.array([13.0, 15.0, 20.0, 40.0]) * (t == 0), state, 1.0)
        first[(first < 0) & state.spikes] = t
    assert (np.diff(first) < 0).all()
    assert first.min() >= 0


# -- recall ------------------------------------------------------------------------------------------------------------------------


def test_one_engram_fires_whole_and_alone(full: Hippocampus) -> None:
    found = poor(full)
    assert share(found) >= 0.9
    assert 18 <= fired(full, found) <= 21


def test_without_recurrent_synapses_it_fires_in_part(full: Hippocampus) -> None:
    full.cut("ca3->ca3")
    assert share(poor(full)) < 0.5


def test_without_basket_cells_all_cells_fire(full: Hippocampus) -> None:
    full.lesion("ca3_basket", 1.0)
    found = poor(full)
    assert fired(full, found) > 1500
    assert share(found) < 0.1


@pytest.mark.parametrize("projection", first_is_fast("dg->ca3_basket", "ca3->ca3_basket"))
def test_each_way_of_exciting_basket_cells_keeps_strangers_out(full: Hippocampus, projection: str) -> None:
    whole = fired(full, poor(full))
    full.cut(projection)
    assert fired(full, poor(full)) > 1.5 * whole


@pytest.mark.slow
def test_recurrent_synapses_have_their_feed_forward_inhibition(spec: ModelSpec) -> None:
    """In a memory that is fuller than it is made for, strangers fire without it."""
    memory = Hippocampus(spec)
    memory.store(units(2 * N))
    cues = near(units(2 * N), 0.6)[OWN]
    whole = fired(memory, memory.recall(cues, record=True))
    memory.cut("ca3->ca3_basket#2")
    assert fired(memory, memory.recall(cues, record=True)) > 1.5 * whole


@pytest.mark.slow
def test_those_that_may_not_answer_do_not_fire(full: Hippocampus) -> None:
    odd = full.heard(among=np.arange(N) % 2 == 1)
    found = full.recall(near(units(N), 0.8)[1:7:2], heard=odd)
    assert found.ids[:, 0].tolist() == [1, 3, 5]
    assert not (full.recall(near(units(N), 0.8)[0:6:2], heard=odd).ids % 2 == 0).any()


def test_a_recall_is_always_simulated(full: Hippocampus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikemem.kernels.engrams.attempts", None)
    cues = near(units(N), 0.8)[:2]
    plain = full.recall(cues, top_k=2)
    same(plain, full.recall(cues, top_k=2, record=True))
    assert plain.recording is None


def test_memories_come_in_the_order_of_time_and_rest(full: Hippocampus) -> None:
    """A cue between two memories recalls the nearer one first; its cells are silent from then on."""
    x = units(N)
    found = full.recall(x[:8] + 0.7 * x[100:108], top_k=2, record=True)
    both = found.ids[:, 1] == 100 + np.arange(8)
    assert (found.ids[:, 0] == np.arange(8)).all()
    assert both.sum() >= 4
    assert isinstance(found.recording, Recording)
    spikes = found.recording["ca3"]
    for i in np.flatnonzero(both):
        first, second = (spikes.between((a + 1) * THETA - GAMMA, (a + 1) * THETA, int(i)) for a in range(2))
        assert found.latency[i].tolist() == [first.step.min(), second.step.min()]
        later = spikes.between(THETA, found.recording.steps, int(i))
        assert not np.isin(later.cell, first.cell).any()


def test_a_cue_unlike_all_that_is_stored_recalls_nothing(spec: ModelSpec) -> None:
    memory = Hippocampus(spec)
    memory.store(units(100))
    found = memory.recall(units(4, seed=1))
    assert (found.ids == -1).all()
    assert (found.novelty == 1).all()


def test_deep_ec_says_what_was_recalled(spec: ModelSpec) -> None:
    memory = Hippocampus(spec)
    memory.store(units(60))
    memory.consolidate()
    found = memory.recall(near(units(60), 0.8)[:8])
    assert ((found.vectors * units(60)[:8]).sum(1) > 0.95).all()


def test_a_chain_leads_from_engram_to_engram(spec: ModelSpec) -> None:
    memory = Hippocampus(spec)
    ids = memory.store(units(60))
    memory.associate(ids[:-1], ids[1:])
    np.testing.assert_array_equal(memory.recall_chain(units(60)[[0, 20, 57]], hops=3), [[1, 2, 3], [21, 22, 23], [58, 59, -1]])


# -- DG ----------------------------------------------------------------------------------------------------------------------------


def test_at_a_fork_noise_says_who_is_named(spec: ModelSpec) -> None:
    """Both successors fire whole; the one stored first is not named because of that, and a recording is read alike."""
    memory = Hippocampus(spec)
    memory.store(units(60))
    memory.associate([0, 0], [10, 50])
    cues = near(np.repeat(units(1), 24, axis=0), 0.9)
    chain, recording = memory.recall_chain(cues, 1), memory.simulate_chain(cues, 1)
    led, often = np.unique(chain, return_counts=True)
    assert led.tolist() == [10, 50]
    assert often.min() >= 4
    np.testing.assert_array_equal(memory.read_chain(recording), chain)


def granule_cells(memory: Hippocampus) -> list[set[int]]:
    """Those that fire to each poor cue in the first gamma cycle."""
    recording = poor(memory).recording
    assert isinstance(recording, Recording)
    return [set(recording["dg"].between(0, GAMMA, i).cell.tolist()) for i in range(recording.batches)]


def test_granule_cells_are_nearly_the_ideal_winners(full: Hippocampus) -> None:
    ideal = [set(code) for code in circuit(full).dg.codes(full.circuit.volley(near(units(N), 0.6)[OWN]).counts)[0].tolist()]
    pairs = list(zip(granule_cells(full), ideal, strict=True))
    assert np.mean([len(fired) for fired, _ in pairs]) == pytest.approx(full.spec.dg.winners, rel=0.1)
    assert np.mean([len(fired & winners) / len(winners) for fired, winners in pairs]) > 0.9


def test_without_their_basket_cells_twice_as_many_fire(full: Hippocampus) -> None:
    full.lesion("dg_basket", 1.0)
    assert np.mean([len(fired) for fired in granule_cells(full)]) > 1.6 * full.spec.dg.winners


def test_granule_cells_may_stay_ideal(spec: ModelSpec) -> None:
    assert spec.basket is not None
    plain = Hippocampus(spec.model_copy(update={"basket": spec.basket.model_copy(update={"granule": None})}))
    plain.store(units(40))
    recording = plain.recall(units(40)[:2], record=True).recording
    assert isinstance(recording, Recording)
    assert "dg_basket" not in recording.spikes
    assert len(recording["dg"].between(0, GAMMA)) == spec.dg.winners


# -- what does not fit -------------------------------------------------------------------------------------------------------------


def test_completion_has_no_short_cut(full: Hippocampus) -> None:
    with pytest.raises(NetworkError, match="complete knows no basket cells"):
        full.complete(np.arange(64)[None])


def test_basket_cells_are_for_engrams_of_vectors_alone() -> None:
    with pytest.raises(SpecError, match="basket cells are for an engram model of vectors alone"):
        ModelSpec(basket=BasketSpec())
    small = load_model("hippocampus-engram-small").model_dump()
    with pytest.raises(SpecError, match="basket cells are for an engram model of vectors alone"):
        ModelSpec(**{**small, "basket": {}})

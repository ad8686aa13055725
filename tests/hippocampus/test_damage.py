"""Damage: it changes the spikes where it should, the direct computation says what the damaged spikes say, and all of it can be undone."""

from collections.abc import Callable

import numpy as np
import pytest

from spikemem import Hippocampus, KWinners, ModelSpec, Network, Population, Recording
from spikemem.errors import NetworkError
from spikemem.hippocampus.damage import Bits, Cut, Damage, Jitter, Lesion, winners
from spikemem.hippocampus.recall import Recall
from spikemem.network import Dense, OneBit, pack
from tests.fakes import engram_small, near, units
from tests.marks import first_is_fast

N = 200
CUES = near(units(N), 0.85)[[0, 1, 2, 7, 60]]
Harm = Callable[[Hippocampus], None]
ALL = ("ids", "scores", "drives", "path", "vectors", "novelty", "competitors", "attention", "events", "keys", "latency")


def filled(spec: ModelSpec) -> Hippocampus:
    memory = Hippocampus(spec)
    memory.store(units(N))
    memory.associate(np.arange(10), np.arange(1, 11))
    return memory


@pytest.fixture(scope="module")
def engram() -> Hippocampus:
    return filled(engram_small())


@pytest.fixture(scope="module")
def index(small: ModelSpec) -> Hippocampus:
    return filled(small)


@pytest.fixture(autouse=True)
def _whole_again(engram: Hippocampus, index: Hippocampus) -> None:
    engram.restore()
    index.restore()


def same(a: Recall, b: Recall, names: tuple[str, ...] = ALL) -> None:
    for name in names:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)


def lesions(*regions: str) -> dict[str, Harm]:
    return {f"half of {region}": lambda memory, region=region: memory.lesion(region, 0.5) for region in regions}


def several(memory: Hippocampus) -> None:
    for region, share, seed in (("ec", 0.3, 0), ("dg", 0.2, 0), ("dg", 0.2, 1), ("ca3", 0.3, 2), ("ca1", 0.1, 0)):
        memory.lesion(region, share, seed)
    memory.cut("ca3->ca3")


COMPUTED: dict[str, Harm] = {
    **lesions("ec", "dg", "ca3", "ca1"),
    "no dg": lambda memory: memory.lesion("dg", 1.0),
    "no ca3": lambda memory: memory.lesion("ca3", 1.0),
    "recurrence": lambda memory: memory.cut("ca3->ca3"),
    "several": several,
}
SIMULATED: dict[str, Harm] = {
    "recurrence": COMPUTED["recurrence"],
    "noise": lambda memory: memory.noise("dg", 0.3),
    "jitter": lambda memory: memory.jitter("ec->dg", 0.5),
    "bits": lambda memory: memory.bits("ec->dg", 3),
    "drop": lambda memory: memory.drop("ec", 0.5),
    "leak": lambda memory: memory.leak("ca3", 20.0),
}


@pytest.mark.parametrize("harm", first_is_fast(*COMPUTED.values()), ids=COMPUTED)
def test_an_engram_model_computes_what_the_damaged_spikes_say(engram: Hippocampus, harm: Harm) -> None:
    harm(engram)
    recorded = engram.recall(CUES, top_k=2, record=True)
    assert recorded.recording is not None
    same(engram.recall(CUES, top_k=2), recorded, tuple(name for name in ALL if name != "events"))
    np.testing.assert_array_equal(engram.recall_chain(CUES, 2), engram.read_chain(engram.simulate_chain(CUES, 2)))


@pytest.mark.parametrize("model", first_is_fast("engram", "index"))
@pytest.mark.parametrize("harm", first_is_fast(*SIMULATED.values()), ids=SIMULATED)
def test_other_damage_is_simulated(request: pytest.FixtureRequest, model: str, harm: Harm) -> None:
    memory: Hippocampus = request.getfixturevalue(model)
    harm(memory)
    told = memory.recall(CUES, record=True)
    found = memory.recall(CUES)
    assert found.recording is None
    same(found, told, tuple(name for name in ALL if name != "events"))


@pytest.mark.slow
@pytest.mark.parametrize("harm", lesions("ec", "dg", "ca3", "ca1").values(), ids=lesions("ec", "dg", "ca3", "ca1"))
def test_an_index_model_answers_by_the_damaged_spikes(index: Hippocampus, harm: Harm) -> None:
    harm(index)
    same(index.recall(CUES, 3), index.recall(CUES, 3, record=True))
    np.testing.assert_array_equal(index.recall_chain(CUES, 2), index.read_chain(index.simulate_chain(CUES, 2)))


def test_a_chain_ends_where_slow_synapses_are_cut(engram: Hippocampus, index: Hippocampus) -> None:
    for memory, slow in ((engram, "ca3_slow->ca3"), (index, "ca3->ca3#2")):
        assert memory.recall_chain(units(N)[:1], 2).tolist() == [[1, 2]]
        memory.cut(slow)
        assert memory.recall_chain(units(N)[:1], 2).tolist() == [[-1, -1]]


@pytest.mark.parametrize("model", first_is_fast("engram", "index"))
def test_undone_damage_leaves_no_trace(request: pytest.FixtureRequest, model: str) -> None:
    memory: Hippocampus = request.getfixturevalue(model)
    before, chain = memory.recall(CUES, 3), memory.recall_chain(CUES, 2)
    several(memory)
    memory.noise("dg", 0.5)
    assert memory.recall(CUES, 3).ids.tolist() != before.ids.tolist()
    memory.restore()
    assert memory.damage == Damage()
    same(memory.recall(CUES, 3), before)
    np.testing.assert_array_equal(memory.recall_chain(CUES, 2), chain)


# -- what the spikes do ------------------------------------------------------------------------------------------------------------


def spikes(memory: Hippocampus) -> Recording:
    recording = memory.recall(CUES, record=True).recording
    assert recording is not None
    return recording


@pytest.mark.parametrize("model", first_is_fast("engram", "index"))
@pytest.mark.parametrize("region", first_is_fast("ec", "dg", "ca3", "ca1"))
def test_lost_cells_are_silent_and_as_many_fewer_win(request: pytest.FixtureRequest, model: str, region: str) -> None:
    memory: Hippocampus = request.getfixturevalue(model)
    before = spikes(memory)[region]
    memory.lesion(region, 0.3)
    memory.lesion(region, 0.3, seed=1)
    lost = memory.damage.lost(region, before.size)
    assert 0.45 < lost.mean() < 0.57  # .51 of both together
    after = spikes(memory)[region].counts(len(CUES)).sum(0)
    assert before.counts(len(CUES)).sum(0)[lost].sum() > 0
    assert after[lost].sum() == 0
    assert after[~lost].sum() > 0
    if isinstance(inhibition := memory.network.populations[region].inhibition, KWinners):
        memory.restore()
        whole = memory.network.populations[region].inhibition
        assert isinstance(whole, KWinners)
        assert inhibition.turns == tuple(max(1, round(k * (1 - lost.mean()))) for k in whole.turns)


def test_a_lost_index_cell_has_no_dendrite(index: Hippocampus) -> None:
    index.lesion("ca1", 0.5)
    lost = index.damage.lost("ca1", N)
    assert spikes(index)["ca1_dendrite"].counts(len(CUES)).sum(0)[lost].sum() == 0


def test_clamped_spikes_of_lost_cells_go(engram: Hippocampus) -> None:
    assert len(spikes(engram)["ff"]) > 0
    engram.lesion("ff", 1.0)
    assert len(spikes(engram)["ff"]) == 0


@pytest.mark.parametrize("model", first_is_fast("engram", "index"))
@pytest.mark.parametrize(
    ("harm", "stays", "changes"),
    [
        (SIMULATED["noise"], "ec", "dg"),
        (SIMULATED["jitter"], "ec", "dg"),
        (SIMULATED["bits"], "ec", "dg"),
        (SIMULATED["leak"], "dg", "ca3"),
        (lambda memory: memory.cut("ca3->ca3"), "dg", "ca3"),
    ],
    ids=["noise", "jitter", "bits", "leak", "cut"],
)
def test_damage_changes_spikes_where_it_is(
    request: pytest.FixtureRequest, model: str, harm: Harm, stays: str, changes: str
) -> None:  # fmt: skip
    memory: Hippocampus = request.getfixturevalue(model)
    before = spikes(memory)
    harm(memory)
    after = spikes(memory)
    for field in ("step", "batch", "cell"):
        np.testing.assert_array_equal(getattr(after[stays], field), getattr(before[stays], field))
    assert not np.array_equal(after[changes].counts(len(CUES)), before[changes].counts(len(CUES)))


def test_dropped_spikes_are_a_share_of_those_that_were(engram: Hippocampus) -> None:
    before = spikes(engram)["ec"].dense(150, len(CUES))
    engram.drop("ec", 0.4)
    after = spikes(engram)["ec"].dense(150, len(CUES))
    assert not (after & ~before).any()
    assert after.sum() == pytest.approx(0.6 * before.sum(), rel=0.05)


# -- a network alone ---------------------------------------------------------------------------------------------------------------


def two(synapses: Dense | OneBit) -> Network:
    net = Network()
    for name in ("a", "b"):
        net.add(Population(name, 64, inhibition=KWinners(25.0, k=(40, 1))))
    net.connect("a", "b", synapses)
    net.connect("a", "b", Dense(np.ones((64, 64))), delay=2.0, first=3)
    return net


def test_the_rest_of_a_network_stays() -> None:
    damaged, _ = Damage((Lesion("a", 0.9), Cut("a->b"))).applied(two(Dense(np.ones((64, 64)))), {})
    first, second = damaged.projections
    assert (first.name, first.synapses.count) == ("a->b", 0)
    assert (second.name, second.synapses.count, second.delay, second.first) == ("a->b#2", 64 * 64, 2.0, 3)
    assert [p.inhibition for p in damaged.populations.values()] == [KWinners(25.0, k=(4, 1)), KWinners(25.0, k=(40, 1))]


def test_jitter_has_its_scale_and_leaves_the_bits() -> None:
    there = np.random.default_rng(0).random((64, 64)) < 0.5
    net = two(OneBit(pack(there), np.zeros(64, np.int64), 64, on=3.0))
    made = Damage((Jitter("a->b", 0.2),)).applied(net, {})[0].projections[0].synapses.matrix()
    assert np.array_equal(made != 0, there)
    assert (made[there].mean(), made[there].std()) == pytest.approx((3.0, 0.6), rel=0.05)


def test_weights_are_rounded_to_the_largest() -> None:
    weights = np.linspace(-1.5, 1.0, 64 * 64).reshape(64, 64)
    made = Damage((Bits("a->b", 3),)).applied(two(Dense(weights)), {})[0].projections[0].synapses.matrix()
    assert np.unique(made).tolist() == [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0]
    assert np.abs(made - weights).max() <= 0.25


def test_winners_are_at_least_one() -> None:
    assert [winners(50, np.arange(100) < lost) for lost in (0, 30, 99, 100)] == [50, 35, 1, 1]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda memory: memory.lesion("ca2", 0.1), "region is 'ca2'; it must be one of ec, "),
        (lambda memory: memory.lesion("ca3", 1.1), "share is 1.1"),
        (lambda memory: memory.cut("ca3->ca4"), "projection is 'ca3->ca4'; it must be one of .*ca3->ca3, "),
        (lambda memory: memory.drop("ca3", 0.5), "spikes of 'ca3' come back to it"),
        (lambda memory: memory.bits("ec->dg", 1), "n is 1"),
        (lambda memory: memory.noise("dg", 0.0), "scale is 0"),
        (lambda memory: memory.leak("dg", 0.0), "tau is 0"),
        (lambda memory: (memory.lesion("ca3", 0.1), memory.complete(np.zeros((1, 64), int))), "restore"),
    ],
)
def test_what_cannot_be_damaged(engram: Hippocampus, index: Hippocampus, harm: Harm, told: str) -> None:
    for memory in (engram, index):
        with pytest.raises(NetworkError, match=told):
            harm(memory)


def test_a_loop_of_populations_drops_nothing(index: Hippocampus) -> None:
    index.drop("ec", 0.5)
    with pytest.raises(NetworkError, match="come back to it"):
        index.recall_chain(CUES, 1)  # in which the answer is replayed through EC

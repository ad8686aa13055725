"""STDP: the formula, the one step, the simulators, and what teacher forcing makes of it in CA3."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sims.papers.stdp_ca3 import RULE, Pairs, agreement, learn, one_shot, random_pairs, recall, untaught
from spikemem import STDP, KWinners, Network, Population, Recording, simulate
from spikemem.errors import NetworkError
from spikemem.network.plasticity import STDPState
from spikemem.network.synapses import WORD, Dense, OneBit, Sparse, Synapses, one_to_one, pack
from tests.marks import first_is_fast

LAGS = np.arange(-30, 31)
BASE = STDP(a_plus=0.08, a_minus=0.05, tau_plus=16.8, tau_minus=33.7)
RULES = [
    replace(BASE, pairing=pairing, dependence=dependence, coincidence=coincidence)
    for pairing in ("all", "nearest")
    for dependence in ("additive", "multiplicative")
    for coincidence in ("depression", "potentiation")
]
EQUAL = 1e-6
LIBRARIES = {"event": None, "torch": None, "snntorch": "snntorch", "norse": "norse", "brian2": "brian2"}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.pairing}-{rule.dependence}-{rule.coincidence}")
all_simulators = pytest.mark.parametrize("simulator", LIBRARIES)


def available(simulator: str) -> str:
    """The simulator, or a skipped test where its library is not installed."""
    if (library := LIBRARIES[simulator]) is not None:
        pytest.importorskip(library, reason=f"{library} is not installed")
    return simulator


def connected(synapses: Synapses, rule: STDP, delay: float = 1.0, dt: float = 1.0) -> Network:
    net = Network(dt=dt)
    net.add(Population("pre", synapses.shape[0]))
    net.add(Population("post", synapses.shape[1]))
    net.connect("pre", "post", synapses, delay=delay, plasticity=rule)
    return net


def pairs_of_spikes(rule: STDP, weight: float, delay: float, dt: float = 1.0, simulator: str = "event") -> NDArray[np.float64]:
    """The change of a weight by one pair of spikes, at LAGS steps between the cells."""
    net = connected(one_to_one(weight)(len(LAGS), len(LAGS)), rule, delay, dt)
    middle, steps = -LAGS.min(), 2 * -LAGS.min() + 1 + round(delay / dt)
    pre, post = np.zeros((2, steps, len(LAGS)), bool)
    pre[middle] = True
    post[middle + LAGS, np.arange(len(LAGS))] = True
    weights = simulate(net, {"pre": pre, "post": post}, steps, simulator=simulator).weights["pre->post"][0]
    return weights.diagonal() - weight


@cache  # a simulation of each rule is compared with many
def poisson(rule: STDP, simulator: str = "event", batches: int = 1, delay: float = 2.0) -> Recording:
    """Plastic synapses under teacher-forced Poisson trains, 300 steps."""
    rng = np.random.default_rng(1)
    net = connected(Dense(rng.uniform(0.3, 0.7, (9, 5))), rule, delay)
    stimulus = {name: rng.random((300, batches, net.populations[name].size)) < 0.06 for name in ("pre", "post")}
    return simulate(net, stimulus, 300, simulator=simulator)


# -- the formula -----------------------------------------------------------------------------------------------------------------------


def test_the_window_is_two_exponentials() -> None:
    rule = replace(BASE, dependence="additive")
    assert rule.window(16.8) == pytest.approx(0.08 / math.e)
    assert rule.window(-33.7) == pytest.approx(-0.05 / math.e)
    assert rule.window([-1e9, 1e9]).tolist() == [0.0, 0.0]


def test_a_multiplicative_window_shrinks_with_the_room_that_is_left() -> None:
    rule = replace(BASE, dependence="multiplicative", w_min=-1.0, w_max=3.0)
    assert rule.window(5.0, 1.0) == pytest.approx(2.0 * 0.08 * math.exp(-5 / 16.8))
    assert rule.window(-5.0, 1.0) == pytest.approx(-2.0 * 0.05 * math.exp(-5 / 33.7))
    assert rule.window([5.0], 3.0) == rule.window([-5.0], -1.0) == 0.0


@every_rule
@pytest.mark.parametrize(("delay", "dendritic"), [(1.0, 0.0), (3.0, 1.0), (2.0, 2.0)])
@pytest.mark.parametrize("weight", [0.02, 0.5, 0.98])
def test_one_pair_of_spikes_follows_the_window(rule: STDP, delay: float, dendritic: float, weight: float) -> None:
    """From weights near a bound as well, where the window is cut off."""
    rule = replace(rule, dendritic=dendritic)
    seen = LAGS + dendritic - (delay - dendritic)
    np.testing.assert_allclose(pairs_of_spikes(rule, weight, delay), rule.window(seen, weight), rtol=0, atol=1e-14)


def test_the_window_is_in_ms_whatever_the_time_step() -> None:
    changes = pairs_of_spikes(BASE, 0.5, delay=0.5, dt=0.25)
    np.testing.assert_allclose(changes, BASE.window(0.25 * LAGS - 0.5), rtol=0, atol=1e-14)


@pytest.mark.slow
@all_simulators
def test_every_simulator_follows_the_window(simulator: str) -> None:
    changes = pairs_of_spikes(BASE, 0.5, delay=2.0, simulator=available(simulator))
    np.testing.assert_allclose(changes, BASE.window(LAGS - 2.0), rtol=0, atol=1e-12)


def test_nearest_neighbours_pair_once_where_all_to_all_pairs_twice() -> None:
    """Two presynaptic spikes 10 and 2 ms before a postsynaptic one."""
    pre, post = np.zeros((2, 20, 1), bool)
    pre[[1, 9]], post[12] = True, True
    changes = {}
    for pairing in ("all", "nearest"):
        net = connected(Dense(np.full((1, 1), 0.5)), replace(BASE, pairing=pairing))  # type: ignore[arg-type]
        changes[pairing] = simulate(net, {"pre": pre, "post": post}, 20).weights["pre->post"].item() - 0.5
    assert changes["nearest"] == pytest.approx(BASE.window(2.0))
    assert changes["all"] == pytest.approx(BASE.window(2.0) + BASE.window(10.0))


# -- the one step ----------------------------------------------------------------------------------------------------------------------


@every_rule
def test_the_dense_step_is_what_event_does(rule: STDP) -> None:
    recording = poisson(rule)
    pre, post = (recording[name].dense(recording.steps)[:, 0] for name in ("pre", "post"))
    start = np.random.default_rng(1).uniform(0.3, 0.7, (9, 5))
    state = STDPState(start, np.zeros(9), np.zeros(5))
    for t in range(recording.steps):
        state = rule.step(pre[t - 2] if t >= 2 else np.zeros(9, bool), post[t], state, 1.0)
    np.testing.assert_allclose(recording.weights["pre->post"][0], state.weights, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dependence", ["additive", "multiplicative"])
def test_weights_stay_within_hard_bounds(dependence: str) -> None:
    rule = replace(BASE, a_plus=0.9, a_minus=0.8, w_min=0.25, w_max=0.75, dependence=dependence)  # type: ignore[arg-type]
    weights = poisson(rule).weights["pre->post"]
    assert weights.min() >= 0.25
    assert weights.max() <= 0.75
    if dependence == "additive":
        assert {0.25, 0.75} <= set(weights.ravel())


def test_spikes_of_the_last_step_are_learned() -> None:
    pre, post = np.zeros((2, 4, 1), bool)
    pre[1], post[3] = True, True
    weights = simulate(connected(Dense(np.full((1, 1), 0.5)), BASE), {"pre": pre, "post": post}, 4).weights["pre->post"]
    assert weights.item() - 0.5 == pytest.approx(BASE.window(1.0))


# -- the simulators --------------------------------------------------------------------------------------------------------------------


@every_rule
@pytest.mark.parametrize("simulator", first_is_fast(*[name for name in LIBRARIES if name != "event"]))
def test_poisson_trains_leave_the_same_weights(rule: STDP, simulator: str) -> None:
    if simulator == "norse" and rule.pairing == "nearest":
        pytest.skip("Norse pairs all to all")
    found = poisson(rule, available(simulator)).weights["pre->post"]
    np.testing.assert_allclose(found, poisson(rule).weights["pre->post"], rtol=0, atol=EQUAL)


@pytest.mark.parametrize("constant", ["a_plus", "a_minus", "tau_plus", "tau_minus"])
@every_rule
def test_a_constant_that_is_5_percent_off_is_noticed(rule: STDP, constant: str) -> None:
    wrong = replace(rule, **{constant: 1.05 * getattr(rule, constant)})
    assert np.abs(poisson(wrong).weights["pre->post"] - poisson(rule).weights["pre->post"]).max() > 1000 * EQUAL


@pytest.mark.parametrize(
    "other", [{"pairing": "nearest"}, {"dependence": "multiplicative"}, {"coincidence": "potentiation"}, {"dendritic": 1.0}]
)
def test_another_rule_is_noticed(other: dict[str, object]) -> None:
    wrong = replace(BASE, **other)  # type: ignore[arg-type]
    assert np.abs(poisson(wrong).weights["pre->post"] - poisson(BASE).weights["pre->post"]).max() > 1000 * EQUAL


def test_norse_says_what_it_cannot_do() -> None:
    available("norse")
    with pytest.raises(NetworkError, match="nearest-neighbour"):
        poisson(replace(BASE, pairing="nearest"), "norse")


@pytest.mark.parametrize("simulator", first_is_fast(*LIBRARIES))
def test_each_batch_item_learns_for_itself(simulator: str) -> None:
    together = poisson(BASE, available(simulator), batches=3)
    trains = {name: together[name].dense(together.steps, 3) for name in ("pre", "post")}
    start = Dense(np.random.default_rng(1).uniform(0.3, 0.7, (9, 5)))
    for item in range(3):
        alone = simulate(connected(start, BASE, 2.0), {name: train[:, item] for name, train in trains.items()}, together.steps)
        np.testing.assert_allclose(together.weights["pre->post"][item], alone.weights["pre->post"][0], rtol=0, atol=EQUAL)


def test_the_description_is_not_learned_into() -> None:
    synapses = Dense(np.full((9, 5), 0.5))
    net = connected(synapses, BASE)
    recording = simulate(net, {"pre": np.ones((20, 1), bool), "post": np.ones((20, 1), bool)}, 20)
    assert (recording.weights["pre->post"] != 0.5).all()
    assert (synapses.weights == 0.5).all()


def test_where_there_is_no_synapse_nothing_is_learned() -> None:
    net = connected(Sparse.from_coo([0, 2], [1, 0], [0.5, 0.5], (3, 2)), BASE)
    weights = simulate(net, {"pre": np.ones((20, 3), bool), "post": np.ones((20, 2), bool)}, 20).weights["pre->post"][0]
    assert [tuple(place) for place in np.argwhere(weights)] == [(0, 1), (2, 0)]


def test_weights_survive_saving_and_loading(tmp_path: Path) -> None:
    recording = poisson(BASE, batches=2)
    loaded = Recording.load(recording.save(tmp_path / "learned.npz"))
    assert loaded.weights.keys() == {"pre->post"}
    np.testing.assert_array_equal(loaded.weights["pre->post"], recording.weights["pre->post"])


# -- errors ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a_plus": -0.1}, r"a_plus is -0\.1; it must be finite and at least 0"),
        ({"a_minus": math.nan}, "a_minus is nan; it must be finite and at least 0"),
        ({"dendritic": -1.0}, r"dendritic is -1\.0; it must be finite and at least 0"),
        ({"tau_plus": 0.0}, r"tau_plus is 0\.0 ms; it must be finite and above 0"),
        ({"tau_minus": math.inf}, "tau_minus is inf ms; it must be finite and above 0"),
        ({"w_min": 1.0}, r"bounds are 1\.0 and 1\.0; w_min must lie below w_max"),
        ({"w_max": math.inf}, "w_max is inf; it must be finite"),
        ({"pairing": "some"}, "pairing is 'some'; it must be one of all, nearest"),
        ({"dependence": "soft"}, "dependence is 'soft'; it must be one of additive, multiplicative"),
        ({"coincidence": "nothing"}, "coincidence is 'nothing'; it must be one of depression, potentiation"),
    ],
)
def test_a_bad_parameter_is_named_with_its_mend(parameters: dict[str, float], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        STDP(**parameters)


def one_bit(pre: int, post: int) -> OneBit:
    return OneBit(pack(np.zeros((pre, WORD), bool)), np.zeros(pre, np.int64), post)


@pytest.mark.parametrize(
    ("synapses", "rule", "first", "message"),
    [
        (one_bit(WORD, WORD), replace(BASE, w_max=0.5), None, r"weights from 0 to 1 leave the bounds 0 to 0\.5"),
        (one_to_one(0.5)(WORD, WORD), BASE, 3, "carry every spike; leave `first` out"),
        (one_to_one(1.5)(WORD, WORD), BASE, None, r"weights from 1\.5 to 1\.5 leave the bounds 0 to 1"),
        (one_to_one(-0.5)(WORD, WORD), BASE, None, r"weights from -0\.5 to -0\.5 leave the bounds 0 to 1"),
        (one_to_one(0.5)(WORD, WORD), replace(BASE, dendritic=3.0), None, r"dendritic delay of 3\.0 ms is longer than .* 2\.0 ms"),
        (Sparse.from_coo([1, 1], [2, 2], 0.5, (WORD, WORD)), BASE, None, "join a pair of cells at most once"),
        (one_to_one(0.5)(WORD, WORD), replace(BASE, dendritic=0.5), None, r"0\.5 ms is no whole number of steps"),
    ],
)
def test_a_projection_that_cannot_learn_is_refused(synapses: Synapses, rule: STDP, first: int | None, message: str) -> None:
    net = Network()
    net.add(Population("pre", WORD, inhibition=KWinners(k=3)))
    net.add(Population("post", WORD))
    with pytest.raises(NetworkError, match=message):
        net.connect("pre", "post", synapses, delay=2.0, first=first, plasticity=rule)
    assert not net.projections


# -- CA3 -------------------------------------------------------------------------------------------------------------------------------

CELLS, CORE = 256, 8
FORTY = random_pairs(40, CELLS, CORE, seed=0)
NOTHING = np.zeros((CELLS, CELLS))


@pytest.mark.slow
@pytest.mark.parametrize("recurrent", [False, True], ids=["two-sides", "both-roles"])
def test_teacher_forced_stdp_sets_the_bits_of_clipped_hebb(recurrent: bool) -> None:
    weights, bits = learn(FORTY, NOTHING, recurrent=recurrent), one_shot(FORTY, CELLS)
    found = agreement(weights, bits)
    assert bits.any()
    assert found["equal"] == found["precision"] == found["recall"] == 1.0
    assert recall(weights, FORTY, 1.0) == (1.0, 1.0)
    assert recall(weights, FORTY, 0.5)[0] >= 0.99


@pytest.mark.slow
def test_learning_goes_on_from_weights_that_were_learned() -> None:
    half = Pairs(FORTY.cue[:20], FORTY.target[:20]), Pairs(FORTY.cue[20:], FORTY.target[20:])
    weights = learn(half[1], learn(half[0], NOTHING))
    assert agreement(weights, one_shot(FORTY, CELLS))["equal"] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "mend", [lambda r: replace(r, a_plus=0.5), lambda r: replace(r, tau_plus=2.0), lambda r: replace(r, a_minus=0.0, a_plus=0.0)]
)
def test_a_rule_that_does_not_learn_in_one_shot_is_noticed(mend: Callable[[STDP], STDP]) -> None:
    assert agreement(learn(FORTY, NOTHING, rule=mend(RULE)), one_shot(FORTY, CELLS))["recall"] < 0.9


@pytest.mark.slow
def test_without_a_teacher_nothing_is_learned_from_nothing() -> None:
    control = untaught(FORTY, CELLS)
    assert control["synaptic_events"] == 40 * CORE * CELLS
    assert control["target_spikes"] == control["highest_voltage"] == control["largest_weight"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "snntorch", "norse", "brian2"])
def test_ca3_learns_the_same_in_every_simulator(simulator: str) -> None:
    pairs = random_pairs(4, 64, 4, seed=0)
    start = np.zeros((64, 64))
    found = learn(pairs, start, cycle=40, simulator=available(simulator))
    np.testing.assert_allclose(found, learn(pairs, start, cycle=40), rtol=0, atol=EQUAL)

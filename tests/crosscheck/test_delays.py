"""Delays of the synapses' own, in every simulator, against closed forms; the drawn networks of test_contract and others have them, too."""

from typing import Any

import numpy as np
import pytest

from spikemem import LIF, STDP, Network, Population, TripletSTDP, simulate, trains
from spikemem.errors import NetworkError, StimulusError, UnsupportedError
from spikemem.network import Dense, PlasticityRule, Sparse
from tests.crosscheck.test_contract import STEPS, Case, check, library
from tests.crosscheck.test_rules import OTHERS
from tests.simulators.test_state import joined

PLACES = ["event", "torch", "brian2", "snntorch", "norse"]
RULES = [
    STDP(0.2, 0.1, drift=0.01),
    STDP(0.2, 0.1, coincidence="potentiation", pairing="nearest", dendritic=0.5),
    TripletSTDP(a3_plus=0.5),
]


def fan(delays: list[float], rule: PlasticityRule | None = None, post: float = 30.0) -> Network:
    """A cell that spikes at 5 ms, and its synapses onto cells; where these learn, a teacher makes all spike at `post` ms."""
    net = Network(0.5)
    net.add(Population("pre", 1, trains([[5.0]])))
    net.add(Population("post", len(delays), LIF(tau=20.0, reset=0.0)))
    net.add(Population("teacher", 1, trains([[post - 0.5]])))
    weights = np.full((1, len(delays)), 2.0 if rule is None else 0.5)
    net.connect("pre", "post", Dense(weights), delay=[delays], plasticity=rule)
    net.connect("teacher", "post", Dense(np.full((1, len(delays)), 2.0 if rule is not None else 0.0)))
    return net


@pytest.mark.parametrize("place", PLACES)
def test_a_spike_reaches_each_cell_after_its_delay(place: str) -> None:
    library(place) if place in ("brian2", "norse") else None
    delays = [0.5, 7.0, 3.5, 12.0]
    fired = simulate(fan(delays), {}, 60, simulator=place)["post"]
    assert {int(cell): float(step) * 0.5 for cell, step in zip(fired.cell, fired.step, strict=True)} == {
        cell: 5.0 + delay for cell, delay in enumerate(delays)
    }


@pytest.mark.parametrize("dendritic", [0.0, 0.5])
@pytest.mark.parametrize("place", ["event", "torch", "brian2"])
def test_a_synapse_learns_from_when_it_sees_the_spikes(place: str, dendritic: float) -> None:
    """The lag is that between the arrival at the synapse, the delay less its dendritic part, and the spike as it comes back."""
    library(place) if place == "brian2" else None
    delays, rule = [0.5, 7.0, 3.5, 12.0, 9.0], STDP(0.1, 0.08, tau_plus=9.0, tau_minus=14.0, dendritic=dendritic)
    learned = simulate(fan(delays, rule, post=12.0), {}, 60, simulator=place).weights["pre->post"][0, 0]
    lag = (12.0 + dendritic) - (5.0 + np.array(delays) - dendritic)
    assert {-1.0, 0.0, 1.0} == set(np.sign(lag)) or dendritic
    np.testing.assert_allclose(learned, 0.5 + rule.window(lag), rtol=1e-12)


def busy(rule: PlasticityRule | None = None, batches: int = 2) -> Case:
    """Two populations with many spikes under way at any step, of which one learns."""
    rng = np.random.default_rng(3)
    net = Network(0.5)
    net.add(Population("in", 20))
    net.add(Population("out", 10, LIF(5.0, 1.0, reset=0.0, refractory=1.0, tau_syn=2.0)))
    net.connect("in", "out", Dense(rng.uniform(0, 1, (20, 10))), delay=rng.integers(1, 9, (20, 10)) * 0.5, plasticity=rule)
    pre, post = np.nonzero(rng.random((10, 10)) < 0.4)
    late = rng.integers(1, 7, len(pre)) * 0.5
    net.connect("out", "out", Sparse.from_coo(pre, post, rng.normal(0, 0.3, len(pre)), (10, 10), late), efficacy=(1.0, 0.5))
    return Case(net, {"in": rng.random((STEPS, batches, 20)) < 0.1}, batches)


@pytest.mark.parametrize("rule", [None, *RULES])
@pytest.mark.parametrize("place", ["event", "torch"])
def test_many_spikes_under_way(place: str, rule: PlasticityRule | None) -> None:
    traces = busy(rule).reference(others=OTHERS)
    assert min(len(trace.spikes["out"]) for trace in traces) > 20
    check(busy(rule).simulated(place), traces)


@pytest.mark.slow
@pytest.mark.parametrize("rule", [None, *RULES])
def test_many_spikes_under_way_in_brian2(rule: PlasticityRule | None) -> None:
    library("brian2")
    check(busy(rule).simulated("brian2"), busy(rule).reference(others=OTHERS))


@pytest.mark.parametrize(("first", "second"), [("event", "event"), ("event", "torch"), ("torch", "event")])
@pytest.mark.parametrize("rule", [None, *RULES])
def test_what_is_under_way_goes_on(first: str, second: str, rule: PlasticityRule | None) -> None:
    for cut in (1, 4, 13):
        joined(busy(rule, 1), cut, first, second)


def test_a_state_knows_the_delays() -> None:
    state = simulate(fan([1.0, 2.0]), {}, 10).state
    with pytest.raises(StimulusError, match="its projection 'pre->post' is up to 2 ms"):
        simulate(fan([2.0, 1.0]), {}, 10, start=state)


def test_norse_says_that_its_rule_has_one_delay() -> None:
    library("norse")
    with pytest.raises(UnsupportedError, match=r"norse cannot learn 'pre->post': its STDP has one delay for all synapses"):
        simulate(fan([1.0, 2.0], STDP()), {}, 10, simulator="norse")


def test_delays_in_the_order_of_coordinates_follow_their_synapses() -> None:
    made = Sparse.from_coo([1, 0, 0], [0, 1, 0], [0.1, 0.2, 0.3], (2, 2), delays=[1.0, 2.0, 3.0])
    assert (made.weights.tolist(), made.delays.tolist()) == ([0.3, 0.2, 0.1], [3.0, 2.0, 1.0])  # type: ignore[union-attr]


def test_a_projection_has_delays_of_its_synapses_only_where_they_differ() -> None:
    net = Network(0.5)
    net.add(Population("a", 2))
    own = net.connect("a", "a", Dense(np.ones((2, 2)), [[1.0, 2.0], [0.5, 1.0]]))
    even = net.connect("a", "a", Dense(np.ones((2, 2))), delay=np.full((2, 2), 1.5))
    again = net.connect("a", "a", own.synapses, delay=own.delay)
    assert (own.delay, even.delay, again.delay) == (2.0, 1.5, 2.0)
    assert net.own_delays(own).tolist() == net.own_delays(again).tolist() == [[2, 4], [1, 2]]  # type: ignore[union-attr]
    assert even.synapses.delays is None  # type: ignore[union-attr]
    assert net.own_delays(even) is None


@pytest.mark.parametrize(
    ("delay", "rule", "message"),
    [
        ([[1.0, 2.0]], None, r"delays of shape \(1, 2\) for weights of shape \(2, 2\)"),
        ([[1.0, 0.0], [1.0, 1.0]], None, "delay 0.0 ms; it must be at least one step of 0.5 ms"),
        ([[1.0, 0.7], [1.0, 1.0]], None, "0.7 ms is no whole number of steps"),
        ([[1.0, 2.0], [0.5, 2.0]], STDP(dendritic=1.0), "dendritic delay of 1.0 ms is longer than the whole delay of 0.5 ms"),
    ],
)
def test_delays_that_do_not_fit_are_named(delay: Any, rule: STDP | None, message: str) -> None:
    net = Network(0.5)
    net.add(Population("a", 2))
    with pytest.raises(NetworkError, match=message):
        net.connect("a", "a", Dense(np.ones((2, 2))), delay=delay, plasticity=rule)
    with pytest.raises(NetworkError, match="its synapses have delays of their own; leave it out"):
        net.connect("a", "a", Dense(np.ones((2, 2)), [[1.0, 2.0], [1.0, 1.0]]), delay=1.0)

"""Reward-modulated STDP: closed forms of one pair and one reward, the distal reward problem in small, and the same in every simulator."""

import importlib.util
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import STDP, Network, Population, RewardSTDP, simulate, trains
from spikemem.errors import NetworkError, UnsupportedError
from spikemem.network import PlasticityRule, all_to_all
from spikemem.network.synapses import Dense
from tests.marks import first_is_fast

RULE = RewardSTDP(a_plus=0.2, a_minus=0.1, tau_plus=20.0, tau_minus=30.0, tau_c=200.0, tau_d=50.0, w_min=-1.0)


def learned(rule: RewardSTDP, pre: list[float], post: list[float], reward: list[float], steps: int, dt: float = 1.0) -> float:
    """The change of one weight by spikes at given times, ms."""
    net = Network(dt)
    for name, times in (("reward", reward), ("a", pre), ("b", post)):
        net.add(Population(name, 1, trains([times])))
    net.connect("a", "b", all_to_all(0.2), delay=dt, plasticity=rule)
    return float(simulate(net, {}, steps).weights["a->b"].item()) - 0.2


@pytest.mark.parametrize("dt", [1.0, 0.5])
@pytest.mark.parametrize(("post", "amount"), [(16.0, 0.2 * math.exp(-5 / 20)), (6.0, -0.1 * math.exp(-5 / 30))])
def test_a_pair_and_a_late_reward_follow_the_closed_form(post: float, amount: float, dt: float) -> None:
    """dw = c exp(-D / tau_c) (1 - exp(-T r)) / (r tau_d), r = 1 / tau_c + 1 / tau_d: D before the reward, T behind it."""
    pre, reward, end = 11.0 - dt, 70.0, 110.0  # a synapse sees the spike of a at 11
    r, begun = 1 / 200 + 1 / 50, max(post, 11.0)
    expected = amount * math.exp(-(reward - begun) / 200) * (1 - math.exp(-(end - dt - reward) * r)) / (r * 50)
    change = learned(RULE, [pre], [post], [reward], round(end / dt), dt)
    assert change == pytest.approx(expected, abs=1e-14)


def test_what_a_reward_changes_in_the_end() -> None:
    """c tau_c / (tau_c + tau_d)."""
    assert learned(RULE, [10.0], [11.0], [11.0], 4000) == pytest.approx(-0.1 * 200 / 250, abs=1e-9)  # seen together, which depresses


def test_a_reward_before_the_pair_counts_for_what_is_left_of_it() -> None:
    r = 1 / 200 + 1 / 50
    change = learned(RULE, [10.0], [12.0], [5.0], 4000)
    assert change == pytest.approx(0.2 * math.exp(-1 / 20) * math.exp(-7 / 50) / (r * 50), abs=1e-9)


def test_what_is_less_than_expected_depresses() -> None:
    change = learned(replace(RULE, baseline=2.0), [10.0], [12.0], [], 4000)
    assert change == pytest.approx(-0.2 * math.exp(-1 / 20) * 200 * 2 / 1000, abs=1e-9)


def test_without_reward_nothing_is_learned() -> None:
    assert learned(RULE, [10.0, 30.0], [12.0, 31.0], [], 200) == 0.0


def distal(rule: PlasticityRule, rewards: bool = True) -> NDArray[np.float64]:
    """Weights from one cell onto two, after trials in which one of the two fires behind it, by turns, and a reward follows the first."""
    starts = np.arange(8) * 1000.0 + 20.0
    net = Network(2.0)
    net.add(Population("reward", 1, trains([starts[::2] + 200.0 if rewards else []])))
    net.add(Population("cue", 1, trains([starts])))
    net.add(Population("acts", 2, trains([starts[::2] + 6.0, starts[1::2] + 6.0])))
    net.connect("cue", "acts", all_to_all(0.2), delay=2.0, plasticity=rule)
    return simulate(net, {}, 4000).weights["cue->acts"][0, 0]


def test_the_synapse_whose_reward_comes_late_grows_and_the_other_does_not() -> None:
    """The distal reward problem: the reward comes 200 ms after the spikes that brought it, which STDP alone cannot tell from others."""
    rewarded, other = distal(RULE) - 0.2
    assert rewarded > 0.1
    assert abs(other) < 0.02 * rewarded
    np.testing.assert_array_equal(distal(RULE, rewards=False), 0.2)
    alone = distal(STDP(a_plus=0.02)) - 0.2
    assert alone[0] == pytest.approx(alone[1], rel=1e-6)


def drawn() -> tuple[Network, dict[str, Any]]:
    """Two batch items with random spikes, and a reward of their own each."""
    rng = np.random.default_rng(3)
    net = Network(0.5)
    for name, size in (("dopamine", 2), ("a", 5), ("b", 4)):
        net.add(Population(name, size))
    rule = replace(RULE, reward="dopamine", baseline=5.0, dendritic=1.0)
    net.connect("a", "b", Dense(rng.uniform(0.2, 0.8, (5, 4))), delay=2.0, plasticity=rule)
    return net, {name: rng.random((120, 2, p.size)) < 0.06 for name, p in net.populations.items()}


@pytest.mark.parametrize("simulator", first_is_fast("torch", "snntorch", "brian2"))
def test_every_simulator_learns_the_same(simulator: str) -> None:
    if simulator != "torch" and importlib.util.find_spec(simulator) is None:
        pytest.skip(f"{simulator} is not installed")
    net, spikes = drawn()
    expected = simulate(net, spikes, 120).weights["a->b"]
    assert np.abs(expected[0] - expected[1]).max() > 0.001
    np.testing.assert_allclose(simulate(net, spikes, 120, simulator=simulator).weights["a->b"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("first", "second"), [("event", "torch"), ("torch", "event"), ("event", "event")])
def test_a_run_goes_on_with_eligibility_and_dopamine(first: str, second: str) -> None:
    net, spikes = drawn()
    begun = simulate(net, {name: given[:50] for name, given in spikes.items()}, 50, simulator=first)
    rest = simulate(net, {name: given[50:] for name, given in spikes.items()}, 70, simulator=second, start=begun.state)
    np.testing.assert_allclose(rest.weights["a->b"], simulate(net, spikes, 120).weights["a->b"], rtol=0, atol=1e-12)


def test_norse_says_that_it_has_no_reward() -> None:
    pytest.importorskip("norse")
    net, spikes = drawn()
    with pytest.raises(UnsupportedError, match=r"norse cannot learn 'a->b': of our rules it has STDP, not RewardSTDP"):
        simulate(net, spikes, 120, simulator="norse")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RewardSTDP(tau_c=0.0), r"RewardSTDP tau_c is 0\.0 ms"),
        (lambda: RewardSTDP(a_plus=-1.0), r"RewardSTDP a_plus is -1\.0"),
        (lambda: RewardSTDP(w_min=2.0), "w_min must lie below w_max"),
        (lambda: RewardSTDP(reward=""), "RewardSTDP reward, the name of a population, is ''"),
    ],
)
def test_what_is_out_of_range_is_named(make: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()


def test_a_reward_that_is_not_there_is_named() -> None:
    net = Network()
    net.add(Population("a", 2))
    with pytest.raises(NetworkError, match="a -> a: the reward of RewardSTDP is the spikes of 'dopamine', and the populations are a; add"):
        net.connect("a", "a", all_to_all(0.5), plasticity=RewardSTDP("dopamine"))

"""Trials are batch items: each is what it would be among others, and differs from the others in what is drawn."""

import numpy as np
import pytest

from spikemem import LIF, STDP, Network, OrnsteinUhlenbeck, Population, poisson, regular, simulate
from spikemem.errors import StimulusError
from spikemem.network import all_to_all


def learning() -> Network:
    net = Network()
    net.add(Population("in", 20, poisson(60.0, seed=2)))
    net.add(Population("out", 4, LIF(tau=10.0), noise=OrnsteinUhlenbeck(0.1, 5.0)))
    net.connect("in", "out", all_to_all(0.2), plasticity=STDP(a_plus=0.05))
    return net


@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_trials_are_drawn_for_themselves_and_fewer_are_the_first_ones(simulator: str) -> None:
    five = simulate(learning(), {}, 80, trials=5, simulator=simulator, record={"out": [1]})
    two = simulate(learning(), {}, 80, trials=2, simulator=simulator, record={"out": [1]})
    assert five.batches == 5
    assert five.rates("out").shape == (5, 4)
    assert len({five.trial(n)["in"].step.tobytes() for n in range(5)}) == 5
    for n in range(2):
        alone, same = five.trial(n), two.trial(n)
        assert (alone["out"].step.tolist(), alone["out"].cell.tolist()) == (same["out"].step.tolist(), same["out"].cell.tolist())
        np.testing.assert_array_equal(alone.voltages["out"], five.voltages["out"][:, n : n + 1])
        np.testing.assert_allclose(alone.weights["in->out"], same.weights["in->out"], atol=1e-12)
    assert np.abs(five.weights["in->out"][0] - five.weights["in->out"][1]).max() > 0.01
    assert sum(len(five.trial(n)["out"]) for n in range(5)) == len(five["out"])


def test_measures_pool_trials_where_they_should() -> None:
    net = Network()
    net.add(Population("p", 10, poisson(40.0)))
    recording = simulate(net, {}, 100, trials=200)
    assert recording.fano("p", window=100.0).mean() == pytest.approx(1.0, abs=0.1)
    assert recording.psth("p", bin=50.0).rate == pytest.approx([39.2, 39.2], rel=0.06)


def test_each_trial_has_a_source_of_its_own() -> None:
    net = Network()
    net.add(Population("a", 2))
    recording = simulate(net, {"a": [regular(100.0), regular(50.0), regular(20.0)]}, 100)
    assert recording["a"].counts(3)[:, 0].tolist() == [10, 5, 2]
    with pytest.raises(StimulusError, match="stimulus for 'a' has batch 3, trials is 2"):
        simulate(net, {"a": [regular(100.0)] * 3}, 100, trials=2)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(StimulusError, match="stimulus for 'out' has batch 2, trials is 3"):
        simulate(learning(), {"out": np.zeros((5, 2, 4))}, 5, trials=3)
    with pytest.raises(StimulusError, match="trials is 0"):
        simulate(learning(), {}, 5, trials=0)
    with pytest.raises(StimulusError, match="item is 2"):
        simulate(learning(), {}, 5, trials=2).trial(2)
    state = simulate(learning(), {}, 5, trials=2).state
    assert simulate(learning(), {}, 5, start=state).batches == 2
    with pytest.raises(StimulusError, match="start has 2 batch items, and the stimulus 3"):
        simulate(learning(), {}, 5, trials=3, start=state)

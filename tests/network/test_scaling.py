"""Synaptic scaling: closed forms without and with a spike, what stays between weights, and cells that come to their target."""

import importlib.util
import math
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, Network, Population, SynapticScaling, poisson, regular, simulate, trains
from spikemem.errors import NetworkError
from spikemem.network import sparse_random
from spikemem.network.synapses import Dense
from tests.marks import first_is_fast

RULE = SynapticScaling(target=20.0, tau=500.0, tau_rate=100.0, w_max=10.0)


def scaled(rule: SynapticScaling, times: list[float], steps: int, dt: float = 1.0) -> float:
    """The factor on the weights onto a cell that fires at given times, ms."""
    net = Network(dt)
    net.add(Population("a", 2))
    net.add(Population("b", 1, trains([times])))
    net.connect("a", "b", Dense([[0.1], [0.4]]), plasticity=rule)
    weights = simulate(net, {}, steps).weights["a->b"][0, :, 0]
    assert weights[1] / weights[0] == pytest.approx(4.0, rel=1e-12)  # multiplicative
    return float(weights[0]) / 0.1


@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_a_silent_cell_follows_the_closed_form(dt: float) -> None:
    """ln w grows by (T - tau_rate (1 - exp(-T / tau_rate))) / tau, since the rate falls from the target."""
    grown = scaled(RULE, [], round(400 / dt), dt)
    assert math.log(grown) == pytest.approx((400 - 100 * (1 - math.exp(-400 / 100))) / 500, abs=1e-12)


def test_a_spike_takes_what_the_target_allows_in_its_time() -> None:
    """In the end each spike counts 1 / target of time: ln w changes by -1 / (target tau), but for what is still measured."""
    change = math.log(scaled(RULE, [300.0], 1500)) - math.log(scaled(RULE, [], 1500))
    assert change == pytest.approx(-1000 / 20 / 500 * (1 - math.exp(-(1499 - 300) / 100)), abs=1e-12)


def test_a_cell_at_its_target_keeps_its_weights() -> None:
    """At 20 Hz, over whole intervals, what is gained and lost is the same, once the measured rate repeats itself."""
    long, longer = (scaled(RULE, np.arange(25, 5000, 50).tolist(), steps) for steps in (3000, 3050))
    assert long == pytest.approx(longer, rel=1e-9)


@pytest.mark.slow
def test_scaling_brings_cells_to_their_target() -> None:
    """Cells with too much input, and with too little, come to 8 Hz; without scaling they do not."""
    rates = {}
    for tau in (400.0, 1e12):
        net = Network(1.0)
        net.add(Population("in", 60, poisson(20.0, seed=2)))
        net.add(Population("out", 12, LIF(tau=20.0, reset=0.0), bias=np.linspace(0.0, 0.04, 12)))
        rule = SynapticScaling(target=8.0, tau=tau, tau_rate=200.0, w_max=2.0)
        net.connect("in", "out", sparse_random(30, low=0.05, high=0.15), plasticity=rule)
        spikes = simulate(net, {}, 12000)["out"]
        rates[tau] = np.bincount(spikes.cell[spikes.step > 6000], minlength=12) / 6.0
    assert np.abs(rates[400.0] - 8.0).max() < 2.0
    assert np.abs(rates[1e12] - 8.0).max() > 8.0


@pytest.mark.parametrize("simulator", first_is_fast("torch", "snntorch", "brian2"))
def test_every_simulator_scales_the_same(simulator: str) -> None:
    if simulator != "torch" and importlib.util.find_spec(simulator) is None:
        pytest.skip(f"{simulator} is not installed")
    rng, net = np.random.default_rng(1), Network(0.5)
    net.add(Population("a", 4, regular(30.0)))
    net.add(Population("b", 3))
    rule = SynapticScaling(target=30.0, tau=40.0, tau_rate=20.0, w_max=0.9, dendritic=1.0)
    net.connect("a", "b", Dense(rng.uniform(0.2, 0.8, (4, 3))), delay=2.0, plasticity=rule)
    spikes = {"b": rng.random((120, 2, 3)) < 0.02}
    expected = simulate(net, spikes, 120).weights["a->b"]
    assert np.abs(expected[0] - expected[1]).max() > 0.01
    np.testing.assert_allclose(simulate(net, spikes, 120, simulator=simulator).weights["a->b"], expected, rtol=0, atol=1e-12)
    begun = simulate(net, {"b": spikes["b"][:70]}, 70)
    for second in ("event", "torch"):
        rest = simulate(net, {"b": spikes["b"][70:]}, 50, simulator=second, start=begun.state)
        np.testing.assert_allclose(rest.weights["a->b"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SynapticScaling(target=0.0), r"SynapticScaling target is 0\.0 Hz"),
        (lambda: SynapticScaling(tau_rate=-1.0), r"SynapticScaling tau_rate is -1\.0 ms"),
        (lambda: SynapticScaling(w_min=1.0), "w_min must lie below w_max"),
    ],
)
def test_what_is_out_of_range_is_named(make: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()

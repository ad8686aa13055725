"""Sources and noise as such: rates, bounds, and what is named; `crosscheck` and `simulators/test_state` run them."""

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, Network, OrnsteinUhlenbeck, Population, Shot, White, bursts, poisson, regular, simulate, trains
from spikemem.errors import NetworkError, SpikememError, StimulusError
from spikemem.formats import spikes_from
from spikemem.simulators.stimulus import checked


def test_poisson_trains_have_their_rates() -> None:
    spikes = poisson([5.0, 50.0], seed=3).spikes("a", steps=100_000, cells=2, dt=1.0)
    expected = -np.expm1(-np.array([5.0, 50.0]) / 1000) * 100_000
    assert np.abs(spikes.sum(0) - expected).max() < 4 * math.sqrt(5000)
    gaps = np.diff(np.flatnonzero(spikes[:, 1]))
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.05)
    over = poisson([[100.0], [0.0], [200.0]], every=1000.0).spikes("a", steps=5000, cells=4, dt=1.0).reshape(5, 1000, 4).sum((1, 2)) / 4
    assert over[1] == 0
    assert over[[0, 2, 3, 4]] == pytest.approx([95, 181, 181, 181], abs=25)  # the last one lasts on


def test_what_is_left_out_is_not_missed() -> None:
    """Also in a later block of draws."""
    for source in (poisson([50.0, 5.0, 20.0], seed=1), regular(30.0, phase=2.0), bursts(10.0, count=3, interval=4.0)):
        whole = source.spikes("a", 20_000, 3, 1.0)
        for before in (1, 700, 16_383, 16_384, 19_000):
            np.testing.assert_array_equal(source.spikes("a", 20_000 - before, 3, 1.0, before=before), whole[before:])


def test_many_cells_take_what_their_spikes_take() -> None:
    """20,000 Poisson cells over 500 steps: a raster would be 10 MB, and all numbers that are drawn 80."""
    steps, cells = 500, 20_000
    made = Network()
    made.add(Population("a", cells, poisson(5.0)))
    tracemalloc.start()
    forced = checked(made, {}, steps).clamped["a"]
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    spikes = len(forced.cell)
    assert spikes == pytest.approx(0.005 * steps * cells, rel=0.03)
    assert kept < 10 * spikes + 2**20
    assert most < 24e6
    assert np.asarray(forced)[:, 0].sum() == spikes


def test_populations_items_and_seeds_differ() -> None:
    source = poisson(100.0)
    made = [source.spikes(name, 500, 3, 1.0, item).tobytes() for name in "ab" for item in (0, 1)] + [
        poisson(100.0, seed=1).spikes("a", 500, 3, 1.0).tobytes()
    ]
    assert len(set(made)) == 5


def test_given_times_are_those_of_other_tools() -> None:
    times = [[0.0, 1.6, 3.2, 7.99], [2.5]]
    np.testing.assert_array_equal(trains(times).spikes("a", 10, 2, 1.0), spikes_from(times, dt=1.0, steps=10))


def test_white_noise_of_the_equation_has_its_standard_deviation() -> None:
    for dt in (1.0, 0.1):
        beta = math.exp(-dt / 20.0)
        net = Network(dt)
        cell = LIF.from_equation(dt, tau=20.0, threshold=1e6)
        net.add(Population("a", 60, cell, noise=White(2.0 * math.sqrt((1 + beta) / (1 - beta)))))
        voltage = simulate(net, {}, round(400 / dt), record={"a": range(60)}).voltages["a"][round(150 / dt) :, 0]
        assert voltage.std() == pytest.approx(2.0, rel=0.15)


def test_coloured_noise_is_stationary_from_the_start() -> None:
    drawn = OrnsteinUhlenbeck(1.5, tau=10.0).drawn("a", steps=50, cells=4000, dt=1.0)
    assert drawn.std(1) == pytest.approx(1.5, rel=0.06)


@pytest.mark.parametrize(("rate", "weight"), [(20_000.0, 0.1), (300.0, -0.5)])
def test_shot_noise_has_the_moments_of_campbell(rate: float, weight: float) -> None:
    net = Network(0.1)
    net.add(Population("a", 200, LIF(tau=20.0, threshold=1e6), noise=Shot(rate, weight)))
    voltage = simulate(net, {}, 4000, record={"a": range(200)}).voltages["a"][1500:, 0]
    assert voltage.mean() == pytest.approx(weight * rate * 0.02, rel=0.03)
    assert voltage.var() == pytest.approx(weight**2 * rate * 0.02 / 2, rel=0.08)
    drawn = Shot(rate, weight).drawn("a", 1000, 3, dt=0.1)
    np.testing.assert_allclose(drawn / weight, np.round(drawn / weight), atol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: simulate(net(1), {"a": regular(2000.0)}, 10), "two spikes of cell 0 of 'a' fall into one step"),
        (lambda: simulate(net(1), {"a": bursts(100.0, count=3, interval=10.0)}, 100), "fall into one step"),
        (lambda: simulate(net(1), {"a": regular(1e300)}, 10), "the spikes of 'a'"),
        (lambda: simulate(net(3), {"a": trains([[1.0]])}, 10), "is of 1 cells, the population has 3"),
        (lambda: simulate(net(3), {"a": poisson([1.0, 2.0])}, 10), "is of 2 cells, the population has 3"),
        (lambda: simulate(net(1), {"a": poisson([1.0, 2.0], every=0.1)}, 10), "finer than a step"),
        (lambda: poisson(-1.0), "must be >= 0 Hz"),
        (lambda: Shot(0.0, 1.0), "Shot rate is 0"),
        (lambda: Shot(1e15, 1.0).drawn("a", 1, 1, dt=1.0), "'a' has 1e\\+12 spikes a step"),
        (lambda: poisson([[1.0]]), r"a number, or \[cell\]"),
        (lambda: bursts(10.0, count=0, interval=1.0), "count is 0"),
        (lambda: trains([[-1.0]]), "all >= 0 ms"),
    ],
)
def test_what_does_not_fit_is_named(make: Any, message: str) -> None:
    with pytest.raises(SpikememError, match=message):
        make()


def test_far_times_are_behind_the_run() -> None:
    assert not len(simulate(net(1), {"a": trains([[1e300]])}, 10)["a"])


def net(cells: int) -> Network:
    made = Network()
    made.add(Population("a", cells))
    return made


def test_a_source_of_its_own_is_not_driven() -> None:
    made = Network()
    made.add(Population("a", 2, poisson(5.0)))
    with pytest.raises(StimulusError, match="is a source and has spikes of its own"):
        simulate(made, {"a": np.ones((5, 2))}, 5)
    assert simulate(made, {"a": regular(1000.0)}, 5)["a"].counts().tolist() == [[5, 5]]
    with pytest.raises(NetworkError, match="2 cells, and its neuron's parameters 3"):
        Population("b", 2, poisson([1.0, 2.0, 3.0]))

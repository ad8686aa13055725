"""Brunel's network: his mean-field equation, his four states, and every spike of native Brian2."""

import importlib.util

import numpy as np
import pytest

from sims.papers import brunel
from spikemem import LIF, Network, Population, Shot, simulate

brian2 = pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")
SMALL = brunel.Size(500, 100)


@pytest.mark.parametrize(("rate", "weight"), [(10_000.0, 0.1), (7000.0, 0.2), (20_000.0, 0.1)])
def test_the_response_is_that_of_cells_under_shot_noise(rate: float, weight: float) -> None:
    net, seconds = Network(0.05), brunel.TAU / 1000.0
    cell = LIF(tau=brunel.TAU, threshold=brunel.THRESHOLD, reset=brunel.RESET, refractory=brunel.REFRACTORY)
    net.add(Population("E", 200, cell, noise=Shot(rate, weight)))
    found = simulate(net, {}, 12_000).rates("E", start=100.0).mean()
    expected = brunel.response(rate * weight * seconds, weight * np.sqrt(rate * seconds))
    assert found == pytest.approx(expected, rel=0.08)


def test_more_inhibition_lowers_the_stationary_rate() -> None:
    size = brunel.Size(12_500, 1000)
    rates = [brunel.stationary(brunel.Regime(g, 2.0), size) for g in (4.5, 5.0, 6.0, 8.0)]
    assert rates == sorted(rates, reverse=True)
    assert brunel.stationary(brunel.REGIMES["SR"], size) > 300.0


@brian2
@pytest.mark.slow
@pytest.mark.parametrize("name", brunel.REGIMES)
def test_spikes_are_those_of_brian2(name: str) -> None:
    row, recording = brunel.run(name, SMALL, 100.0, 3, "brian2")
    assert row["same"]
    assert row["spikes"] > 500
    net, regime = brunel.network(brunel.REGIMES[name], SMALL, 3), brunel.REGIMES[name]
    weaker, _ = brunel.native(net, regime._replace(g=regime.g + 0.01), SMALL, recording.steps)
    assert not np.array_equal(brunel.spikes_of(recording), weaker)


@brian2
@pytest.mark.slow
def test_external_spikes_are_as_brian2_draws_them() -> None:
    """`Shot` and Brian2's `PoissonInput` differ in their draws alone."""
    steps, regime = 4000, brunel.REGIMES["SI fast"]
    net = brunel.network(regime, SMALL, 0)
    ours = brunel.spikes_of(simulate(net, {}, steps))
    theirs, _ = brunel.native(net, regime, SMALL, steps, own=True)
    rates = [(spikes[:, 0] >= 1000).sum() / SMALL.cells / 0.3 for spikes in (ours, theirs)]
    assert not np.array_equal(ours, theirs)
    assert rates[0] == pytest.approx(rates[1], rel=0.12)


@pytest.mark.slow
def test_the_four_states_differ() -> None:
    size = brunel.Size(1250, 250)
    rows = {name: brunel.run(name, size, 400.0, 0, "none")[0] for name in brunel.REGIMES}
    regular, fast, balanced, slow = rows.values()
    assert regular["cv"] < 0.1
    assert regular["rate"] > 300.0
    assert min(row["cv"] for row in (fast, balanced, slow)) > 0.3
    assert regular["chi"] > 1.3 * max(row["chi"] for row in (fast, balanced, slow))
    assert fast["rhythm"] > 140.0 > 60.0 > slow["rhythm"]
    assert slow["rate"] < balanced["rate"] < fast["rate"] < 80.0
    assert balanced["rate"] == pytest.approx(balanced["stationary"], rel=0.2)

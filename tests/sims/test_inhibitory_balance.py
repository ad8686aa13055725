"""Inhibitory plasticity: rates follow the target, a stored assembly is hidden and recalled, and every spike is that of native Brian2."""

import importlib.util

import numpy as np
import pytest

from sims.papers import inhibitory_balance as sim
from spikemem import InhibitorySTDP, poisson, simulate

pytestmark = pytest.mark.slow
brian2 = pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")


@brian2
def test_spikes_and_weights_are_those_of_brian2() -> None:
    wiring, rule = sim.wired(250, 3), InhibitorySTDP(eta=0.05, target=3.0, w_max=sim.MOST)
    found = sim.compared(wiring, rule, 1500)
    assert found["same"]
    assert found["spikes"] > 500
    assert found["weight"] > 0.1
    assert found["apart"] < 1e-12
    theirs, weights, _ = sim.native(wiring, InhibitorySTDP(eta=0.05, target=4.0, w_max=sim.MOST), 1500)
    assert len(theirs) != found["spikes"]
    assert weights.mean() != found["weight"]


def test_the_rule_balances_hides_and_lets_recall() -> None:
    wiring, rule = sim.wired(500, 0), InhibitorySTDP(eta=0.1, target=3.0, w_max=sim.MOST)
    plain, stored, cue = sim.network(wiring, rule), sim.network(wiring, rule, sim.STORED), {"cue": poisson(sim.CUE_RATE, seed=0)}
    recalling, others = wiring.recalling, slice(wiring.assembly, None)

    silenced = simulate(sim.network(wiring, None), {}, 2000)
    assert silenced.rates("E").mean() > 100.0
    assert np.nanmean(silenced.cv("E", start=100.0)) < 0.1
    balanced = simulate(plain, {}, 20_000)
    late = balanced.rates("E", start=1000.0).mean()
    assert 0.5 < late < 8.0
    assert np.nanmean(balanced.cv("E", start=1000.0)) > 0.5

    first = simulate(stored, {}, 2000, start=balanced.state)
    shown = first.rates("E")[0]
    assert shown[recalling].mean() > 2.5 * shown[others].mean()
    hidden = simulate(stored, {}, 15_000, start=first.state)
    assert hidden.rates("E", start=500.0)[0, recalling].mean() < 0.5 * shown[recalling].mean()

    cued = simulate(stored, cue, 2000, start=hidden.state).rates("E")[0]
    unstored = simulate(plain, cue, 2000, start=balanced.state).rates("E")[0]
    assert cued[recalling].mean() > 3 * max(cued[others].mean(), unstored[recalling].mean())


def test_rates_follow_the_target() -> None:
    wiring, found = sim.wired(400, 1), []
    for target in (3.0, 20.0):
        rule = InhibitorySTDP(eta=0.1, target=target, w_max=sim.MOST)
        found.append(simulate(sim.network(wiring, rule), {}, 12_000).rates("E", start=600.0).mean())
    assert found[0] < 8.0 < 12.0 < found[1] < 30.0

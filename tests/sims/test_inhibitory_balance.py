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

"""Forgetting curves: spikes follow the chain of states, AIC tells a power from an exponential, people's savings, and what spacing gains."""

import numpy as np
import pytest

from sims.papers import forgetting
from spikemem import Cascade
from tests.marks import first_is_fast


@pytest.mark.parametrize("rule", first_is_fast(Cascade(5), Cascade(1, rate=0.1)))
def test_traces_in_spikes_follow_the_chain_of_states(rule: Cascade) -> None:
    age, trace, sem = forgetting.traces(rule, cells=100, volleys=240, trials=4, seed=0)
    assert np.mean(((trace - forgetting.chain(rule, age)) / np.maximum(sem, 2e-3)) ** 2) < 3
    assert trace[0] > 10 * abs(trace[-1])


def test_the_chain_of_one_level_is_an_exponential_and_that_of_many_a_power() -> None:
    age = np.geomspace(1, 300, 20)
    for rule, best in ((Cascade(1, rate=0.02), "exponential"), (Cascade(12), "power")):
        found = forgetting.fits(age, forgetting.chain(rule, age), np.full(20, 1e-3))
        assert min(found, key=lambda name: found[name].aic) == best
        assert abs(found["power"].aic - found["exponential"].aic) > 10


def test_pools_whose_sizes_are_a_power_of_their_rate_forget_by_that_power() -> None:
    """The integral of q^(b - 1) exp(-q t) over q is Gamma(b) t^-b."""
    hours = np.geomspace(1, 100, 20)
    left = forgetting.savings(hours, b=0.4, rate=1000.0)
    assert np.polyfit(np.log(hours), np.log(left), 1)[0] == pytest.approx(-0.4, abs=0.03)


def test_savings_of_people_are_met_by_pools_better_than_by_an_exponential() -> None:
    pools, people = forgetting.fitted_savings(), forgetting.fits(forgetting.HOURS, forgetting.SAVINGS)
    assert pools.error < 0.03
    assert pools.aic < people["exponential"].aic - 10
    assert people["power"].aic < people["exponential"].aic - 10


def test_spacing_gains_at_every_gap_and_the_more_the_later_the_test() -> None:
    gated, plain = forgetting.spacing(), forgetting.spacing(gated=False)
    assert all(gain > 1 for row in gated.values() for gain in row)
    assert all(gain <= 1 for row in plain.values() for gain in row)
    best = [forgetting.GAPS[int(np.argmax(row))] for row in gated.values()]
    assert best[0] < best[1] < best[2]  # the best gap grows with the time to the test

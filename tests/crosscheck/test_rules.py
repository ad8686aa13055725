"""Every plasticity rule beside STDP in every simulator, against plain rules that sum over the steps of all past spikes.

SPIKEMEM_NETWORKS=200 draws so many networks for each simulator.
"""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikemem import (
    LIF,
    Exponential,
    InhibitorySTDP,
    Network,
    Population,
    Receptors,
    RewardSTDP,
    SynapticScaling,
    TripletSTDP,
    poisson,
    simulate,
)
from spikemem.errors import NetworkError
from spikemem.network import all_to_all, sparse_random
from tests.crosscheck.test_contract import LENGTHY, NETWORKS, Case, cases, compared, library
from tests.crosscheck.test_contract import SIMULATORS as OURS
from tests.reference import Plastic


class PlainRule(Plastic):
    """What both have: traces from all past spikes, and clipping."""

    def trace(self, side: str, tau: float, before: int, nearest: bool = False) -> Any:
        """The trace of a side's spikes at steps s < before, as it stands at the last step seen."""
        spikes = self.seen[side]
        t, made = len(spikes) - 1, np.zeros(len(spikes[0]))
        for s in range(before):
            weight = math.exp(-(t - s) * self.dt / tau)
            made = np.where(spikes[s], weight, made) if nearest else made + weight * spikes[s]
        return made

    def moved(self, change: Any) -> None:
        self.w = np.where(self.here, np.clip(self.w + change, self.rule.w_min, self.rule.w_max), 0.0)


class PlainInhibitory(PlainRule):
    def change(self, t: int) -> None:
        rule, (pre, post) = self.rule, (self.seen[side][t] for side in ("pre", "post"))
        self.moved(rule.eta * np.outer(self.trace("pre", rule.tau, t), post))
        alpha = 2 * rule.target / 1000 * rule.tau
        self.moved(rule.eta * np.outer(pre, self.trace("post", rule.tau, t + 1) - alpha))


class PlainTriplet(PlainRule):
    def change(self, t: int) -> None:
        r, near = self.rule, self.rule.pairing == "nearest"
        pre, post = (self.seen[side][t] for side in ("pre", "post"))
        o1, r2 = self.trace("post", r.tau_minus, t, near), self.trace("pre", r.tau_x, t, near)
        self.moved(-np.outer(pre * (r.a2_minus + r.a3_minus * r2), o1))
        r1, o2 = self.trace("pre", r.tau_plus, t + 1, near), self.trace("post", r.tau_y, t, near)
        self.moved(np.outer(r1, post * (r.a2_plus + r.a3_plus * o2)))


class PlainReward(PlainRule):
    """Eligibility and dopamine as sums over what each past step has added, and the weight by a fine sum over the step."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.added: list[Any] = []

    def change(self, t: int) -> None:
        r, (pre, post) = self.rule, (self.seen[side][t] for side in ("pre", "post"))
        points, parts = np.polynomial.legendre.leggauss(8)  # within a step, from -1 to 1
        change = np.zeros(self.w.shape)
        for point, part in zip((points + 1) / 2 * self.dt, parts / 2 * self.dt, strict=True):
            since = [(t - 1 - s) * self.dt + point for s in range(t)]
            c = sum((math.exp(-gap / r.tau_c) * each for gap, each in zip(since, self.added, strict=True)), np.zeros(self.w.shape))
            d = sum(math.exp(-gap / r.tau_d) / r.tau_d * now.sum() for gap, now in zip(since, self.seen["reward"], strict=False))
            change += part * c * (d - r.baseline / 1000)
        self.moved(change)
        traces = self.trace("pre", r.tau_plus, t), self.trace("post", r.tau_minus, t + 1)
        self.added.append(np.where(self.here, r.a_plus * np.outer(traces[0], post) - r.a_minus * np.outer(pre, traces[1]), 0.0))


class PlainScaling(PlainRule):
    """The rate from all past spikes, and the growth of ln w from its integral over the step."""

    def change(self, t: int) -> None:
        r = self.rule
        early = math.exp(-t * self.dt / r.tau_rate) - math.exp(-(t + 1) * self.dt / r.tau_rate)
        summed = r.target * r.tau_rate * early + np.zeros(self.w.shape[1])
        for s in range(t):
            gap = (t - 1 - s) * self.dt
            summed += 1000 * (math.exp(-gap / r.tau_rate) - math.exp(-(gap + self.dt) / r.tau_rate)) * self.seen["post"][s]
        self.moved(self.w * np.expm1((self.dt - summed / r.target) / r.tau))


OTHERS = {InhibitorySTDP: PlainInhibitory, TripletSTDP: PlainTriplet, RewardSTDP: PlainReward, SynapticScaling: PlainScaling}
taus, rates = st.sampled_from([20.0, 3.0]), st.floats(0.01, 0.3)
inhibitory = st.builds(InhibitorySTDP, rates, taus, st.sampled_from([0.0, 30.0]), st.just(-0.5), st.just(1.0))
triplets = st.builds(
    TripletSTDP, rates, rates, rates, rates, taus, taus, taus, taus, st.just(-0.5), st.just(1.0), st.sampled_from(["nearest", "all"])
)
rewarded = st.builds(
    RewardSTDP,
    st.just("a"),
    rates,
    rates,
    taus,
    taus,
    st.sampled_from([8.0, 100.0]),
    taus,
    st.sampled_from([0.0, 40.0]),
    st.just(-0.5),
    st.just(1.0),
)
scaled = st.builds(
    SynapticScaling,
    st.sampled_from([5.0, 200.0]),
    st.sampled_from([30.0, 400.0]),
    st.sampled_from([4.0, 50.0]),
    st.just(-0.5),
    st.just(1.0),
)
learning = cases(learning=st.one_of(inhibitory, triplets, rewarded, scaled))


@pytest.mark.slow
@settings(LENGTHY, max_examples=25)
@given(learning)
def test_every_rule_follows_its_equations(case: Case) -> None:
    compared(case, *OURS, others=OTHERS)


@pytest.mark.slow
def test_every_rule_follows_its_equations_in_brian2() -> None:
    library("brian2")

    @settings(LENGTHY, max_examples=NETWORKS, database=None)
    @given(learning)
    def run(case: Case) -> None:
        compared(case, ("brian2", "cpu"), others=OTHERS)

    run()


def trained(rule: Any, pre: list[int], post: list[int], steps: int = 400, simulator: str = "event") -> float:
    """The weight of one synapse, at first .5, after given spikes of both sides."""
    net, spikes = Network(), {name: np.zeros((steps, 1), bool) for name in ("a", "b")}
    for name in spikes:
        net.add(Population(name, 1))
    net.connect("a", "b", all_to_all(0.5), plasticity=rule)
    spikes["a"][pre], spikes["b"][post] = True, True
    return float(simulate(net, spikes, steps, simulator=simulator).weights["a->b"][0, 0, 0])


def test_an_inhibitory_pair_follows_the_window() -> None:
    rule = InhibitorySTDP(eta=0.05, tau=10.0, target=4.0)
    for lag in (-7, -1, 2, 9):  # as the synapse sees them: a spike needs a step from a to the synapse
        assert trained(rule, [20], [21 + lag]) - 0.5 == pytest.approx(rule.window(float(lag)).item(), abs=1e-12)


def test_triplets_make_potentiation_grow_with_frequency() -> None:
    """Sixty pairs at 10 ms, as in Sjostrom et al. (2001): the higher their frequency, the more they potentiate; pairs alone do not."""
    rule, pairs = TripletSTDP(w_max=10.0), TripletSTDP(a2_plus=0.005, a3_plus=0.0, a3_minus=0.0, w_max=10.0)
    change = {}
    for name, used in (("triplets", rule), ("pairs", pairs)):
        for hz in (5, 20, 40):
            starts = [20 + i * 1000 // hz for i in range(30)]
            change[name, hz] = trained(used, starts, [t + 11 for t in starts], steps=starts[-1] + 50) - 0.5
    assert change["triplets", 5] < change["triplets", 20] < change["triplets", 40]
    assert change["triplets", 40] > 0.05
    assert change["pairs", 40] < change["pairs", 5]


@pytest.mark.slow
def test_inhibition_brings_cells_to_their_target() -> None:
    """Vogels et al. (2011): cells that are driven differently come to one rate; without learning they do not."""
    rates = {}
    for eta in (0.02, 1e-9):
        net, cell = Network(0.5), LIF.from_equation(0.5, tau=20.0, threshold=10.0, reset=0.0, refractory=5.0)
        net.add(Population("i", 80, poisson(20.0, seed=3)))
        net.add(Population("e", 20, Receptors(cell, gaba=Exponential(10.0, reversal=-20.0)), bias=np.linspace(11.0, 22.0, 20)))
        rule = InhibitorySTDP(eta=eta, target=8.0, w_max=5.0)
        net.connect("i", "e", sparse_random(40, low=0.0, high=0.01), receptor="gaba", plasticity=rule)
        spikes = simulate(net, {}, 24000)["e"]
        rates[eta] = np.bincount(spikes.cell[spikes.step > 12000], minlength=20) / 6.0
    learned, drawn = rates[0.02], rates[1e-9]
    assert abs(learned.mean() - 8.0) < 1.5
    assert learned.std() < 2.0 < 8.0 < drawn.std()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InhibitorySTDP(eta=0.0), "InhibitorySTDP eta is 0"),
        (lambda: InhibitorySTDP(w_min=2.0), "w_min must lie below w_max"),
        (lambda: TripletSTDP(tau_x=0.0), "TripletSTDP tau_x is 0"),
        (lambda: TripletSTDP(pairing="some"), "pairing is 'some'"),
    ],
)
def test_what_is_out_of_range_is_named(make: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()

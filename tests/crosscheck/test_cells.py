"""Every neuron model and receptor in every simulator, against plain cells that are computed in another way.

SPIKEMEM_NETWORKS=200 draws so many networks for each simulator.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import expm

from spikemem import (
    ALIF,
    LIF,
    STDP,
    AdEx,
    Alpha,
    Exponential,
    Izhikevich,
    KWinners,
    LeakyIntegrator,
    Network,
    Population,
    Receptors,
    poisson,
    regular,
    simulate,
)
from spikemem.errors import NetworkError, UnsupportedError
from spikemem.network import Neuron, all_to_all
from tests.crosscheck.test_contract import LENGTHY, NETWORKS, STEPS, Case, cases, check, compared, library
from tests.crosscheck.test_contract import SIMULATORS as OURS
from tests.reference import Decay

FAR = 1e-4
"""By how much voltages in mV may differ, whose equations magnify the rounding of others."""


class PlainCells:
    """What all plain cells have: one scalar step a cell, `one`, on lists of what came before."""

    def __init__(self, neuron: Any, size: int, dt: float, beta: Decay) -> None:
        self.neuron, self.dt, self.size = neuron, dt, size
        self.past: list[list[int]] = [[] for _ in range(size)]
        self.inputs: list[NDArray[np.float64]] = []
        self.memory: list[Any] = [None] * size

    def step(self, t: int, current: NDArray[np.float64], fresh: bool, spiked: NDArray[np.bool_], before: NDArray[np.float64]) -> Any:
        self.inputs.append(current.copy())
        rows = [self.one(t, c, fresh, bool(spiked[c]), float(before[c])) for c in range(self.size)]
        voltage, limit, free = (np.array(column) for column in zip(*rows, strict=True))
        return voltage, limit, free.astype(bool)

    def fired(self, t: int, cells: list[int]) -> None:
        for c in cells:
            self.past[c].append(t)

    def one(self, t: int, c: int, fresh: bool, spiked: bool, before: float) -> tuple[float, float, bool]:
        """V, what it is compared with, and whether the cell may spike."""
        raise NotImplementedError

    def peaked(self, raw: float, peak: float) -> tuple[float, float, bool]:
        """V cut at the peak, beside a limit from which it is as far as the raw V from the peak."""
        v, far = min(raw, peak), abs(raw - peak)
        return v, v - far if raw >= peak else v + far, True


def raised(n: ALIF, past: list[int], t: int, fresh: bool, dt: float) -> float:
    """The threshold at a step, by the steps of all past spikes."""
    if fresh and past and past[-1] == t - 1:
        past.pop()  # a new cycle forgets the spike of the step before
    rho = math.exp(-dt / n.tau_adapt)
    return n.threshold + n.jump * sum((1 - rho) * rho ** (t - 1 - s) for s in past)


class PlainALIF(PlainCells):
    """b from the steps of all past spikes."""

    def one(self, t: int, c: int, fresh: bool, spiked: bool, before: float) -> tuple[float, float, bool]:
        n = self.neuron
        limit = raised(n, self.past[c], t, fresh, self.dt)
        kept = 0.0 if fresh else math.exp(-self.dt / n.tau) * before - limit * spiked
        rests = self.memory[c] if self.memory[c] is not None and not fresh else -1
        if spiked and not fresh:
            rests = self.memory[c] = t - 1 + round(n.refractory / self.dt)
        elif fresh:
            self.memory[c] = None
        return kept + n.resistance * self.inputs[t][c], limit, t > rests


class PlainIzhikevich(PlainCells):
    """The paper's program, a cell at a time."""

    def one(self, t: int, c: int, fresh: bool, spiked: bool, before: float) -> tuple[float, float, bool]:
        n, i, h = self.neuron, self.inputs[t][c], self.dt / 2
        v, u = (before, self.memory[c]) if t else (-65.0, -65.0 * n.b)
        if spiked and t:
            v, u = n.c, u + n.d
        for _ in range(2):
            v = v + h * ((0.04 * v + 5) * v + 140 - u + i)
        self.memory[c] = u + self.dt * n.a * (n.b * v - u)
        return self.peaked(v, 30.0)


class PlainAdEx(PlainCells):
    """Euler's method with time constants instead of capacitances."""

    def one(self, t: int, c: int, fresh: bool, spiked: bool, before: float) -> tuple[float, float, bool]:
        n, i = self.neuron, self.inputs[t][c]
        v, w = (before, self.memory[c]) if t else (n.rest, 0.0)
        if spiked and t:
            v, w = n.reset, w + n.b
        tau = n.capacitance / n.leak
        dv = (n.rest - v + n.slope * math.exp((v - n.threshold) / n.slope) + (i - w) / n.leak) / tau
        self.memory[c] = w + self.dt / n.tau_w * (n.a * (v - n.rest) - w)
        rests = bool(self.past[c]) and t <= self.past[c][-1] + round(n.refractory / self.dt)
        return (v, v + 1.0, False) if rests else self.peaked(v + self.dt * dv, n.peak)


class PlainIntegrator(PlainCells):
    """V as a sum over all past currents."""

    def one(self, t: int, c: int, fresh: bool, spiked: bool, before: float) -> tuple[float, float, bool]:
        if fresh:
            self.memory[c] = t
        n, since = self.neuron, self.memory[c]
        v = sum(n.resistance * self.inputs[s][c] * math.exp(-(t - s) * self.dt / n.tau) for s in range(since, t + 1))
        return v, v + 1.0, False


def own(parameter: Any, c: int) -> float:
    """A cell's own number."""
    return float(parameter[c]) if isinstance(parameter, tuple) else parameter


class PlainReceptors(PlainCells):
    """Receptors as sums over all that ever came, in front of a membrane whose linear equations a matrix exponential solves."""

    def one(self, t: int, c: int, fresh: bool, spiked: bool, before: float) -> tuple[float, float, bool]:
        n, dt = self.neuron.neuron, self.dt
        kinds = [replace(kind, tau=own(kind.tau, c)) for _, kind in self.neuron.kinds]
        leaks = own(n.tau, c)
        rho = n.resistance / (1 - math.exp(-dt / leaks))
        leak, drive, decaying = 1.0, rho * self.inputs[t][0, c], []
        for r, kind in enumerate(kinds):
            came = [(t - s, self.inputs[s][1 + r, c]) for s in range(t + 1)]
            if isinstance(kind, Alpha):
                j = sum(i * (k * dt / kind.tau) * math.exp(1 - k * dt / kind.tau) for k, i in came)
            else:
                j = sum(i * math.exp(-k * dt / kind.tau) for k, i in came)
            if kind.reversal is not None:
                leak, drive = leak + rho * j, drive + rho * j * kind.reversal
            elif isinstance(kind, Alpha) or self.neuron.conducts or isinstance(n, ALIF):
                drive += rho * j
            else:
                decaying.append((j, kind.tau))
        if isinstance(n, ALIF):
            reset, limit = None, raised(n, self.past[c], t, fresh, dt)
        else:
            reset, limit = n.reset, n.threshold
        v = 0.0 if fresh else reset if spiked and reset is not None else before
        size = 2 + len(decaying)  # V, a constant 1, and each current that decays
        a = np.zeros((size, size))
        a[0, 0], a[0, 1] = -leak / leaks, drive / leaks
        for k, (_, tau) in enumerate(decaying):
            a[0, 2 + k], a[2 + k, 2 + k] = rho / leaks, -1.0 / tau
        v = float((expm(a * dt) @ np.array([v, 1.0, *(j for j, _ in decaying)]))[0])
        return v - limit * (spiked and reset is None and not fresh), limit, True


OTHERS = {
    ALIF: PlainALIF, Izhikevich: PlainIzhikevich, AdEx: PlainAdEx, LeakyIntegrator: PlainIntegrator, Receptors: PlainReceptors
}  # fmt: skip
taus = st.sampled_from([20.0, 3.0])
alifs = st.builds(ALIF, taus, st.sampled_from([0.7, 1.0]), st.sampled_from([50.0, 4.0]), st.sampled_from([0.0, 0.6, 1.8]), st.just(0.0))
izhikevichs = st.sampled_from(["RS", "IB", "CH", "FS", "LTS", "TC", "RZ"]).map(Izhikevich.named)
adexs = st.builds(AdEx, capacitance=st.just(60.0), leak=st.just(2.0), a=st.sampled_from([0.0, 4.0]), slope=st.sampled_from([2.0, 4.0]))
integrators = st.builds(LeakyIntegrator, st.sampled_from([20.0, 3.0, math.inf]), st.sampled_from([1.0, 0.5]))
adapting = st.builds(ALIF, taus, st.just(0.7), st.just(20.0), st.sampled_from([0.0, 1.8]), resistance=st.sampled_from([0.25, 0.5]))
membranes = st.builds(LIF, taus, st.just(0.7), st.sampled_from([None, 0.0, -0.3]), resistance=st.sampled_from([0.25, 0.5]))
reversals = st.sampled_from([None, None, 2.0, -0.5])
kinds = st.one_of(
    st.builds(Exponential, st.sampled_from([2.0, 5.0, 20.0]), reversals), st.builds(Alpha, st.sampled_from([2.0, 5.0]), reversals)
)
receiving = st.builds(lambda cell, a, b: Receptors(cell, quick=a, late=b), membranes | adapting, kinds, kinds)
every = st.one_of(alifs, izhikevichs, adexs, integrators, receiving)


@pytest.mark.slow
@settings(LENGTHY, max_examples=40)
@given(cases(cells=every))
def test_every_neuron_follows_its_equations(case: Case) -> None:
    compared(case, *OURS, others=OTHERS, tolerance=FAR)


@pytest.mark.slow
def test_every_neuron_follows_its_equations_in_brian2() -> None:
    library("brian2")

    @settings(LENGTHY, max_examples=NETWORKS, database=None)
    @given(cases(cells=every))
    def run(case: Case) -> None:
        compared(case, ("brian2", "cpu"), others=OTHERS, tolerance=FAR)

    run()


def driven(neuron: Neuron, drive: float = 1.0, dt: float = 1.0, **options: Any) -> Case:
    """Three cells under constant currents, reached by two that spike."""
    net = Network(dt)
    net.add(Population("in", 2))
    net.add(Population("a", 3, neuron, **options))
    for receptor in neuron.receptors:
        net.connect("in", "a", all_to_all(0.1 * drive), receptor=receptor)
    spikes = np.zeros((STEPS, 1, 2), bool)
    spikes[::4] = True
    return Case(net, {"in": spikes, "a": np.array([1.0, 1.2, 1.5]).reshape(1, 1, 3) * drive}, 1)


ALL: list[tuple[Neuron, float, float]] = [
    (ALIF(refractory=2.0), 0.4, 1.0),
    (Izhikevich(), 15.0, 1.0),
    (AdEx(capacitance=60.0, leak=2.0), 1500.0, 0.5),
    (AdEx(capacitance=60.0, leak=2.0, refractory=1.0), 1500.0, 0.5),
    (LeakyIntegrator(), 1.0, 1.0),
    (Receptors(LIF(reset=0.0, resistance=0.5), quick=Exponential(5.0), late=Alpha(8.0, reversal=-1.0)), 1.0, 1.0),
    (Receptors(ALIF(resistance=0.5, jump=0.8), quick=Exponential(5.0), late=Alpha(8.0, reversal=-1.0)), 1.0, 1.0),
    (Receptors(LIF(reset=0.0, resistance=0.5), quick=Exponential([5.0, 7.0, 9.0]), late=Alpha([8.0, 8.0, 5.0], reversal=-1.0)), 1.0, 1.0),
    (Receptors(LIF(tau=[20.0, 9.0, 5.0], reset=0.0, resistance=0.5), quick=Exponential([5.0, 7.0, 5.0]), late=Alpha(8.0)), 0.7, 1.0),
    (Receptors(ALIF(resistance=0.5), quick=Exponential(5.0), late=Alpha([4.0, 8.0, 20.0])), 0.7, 1.0),
]


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["event", "torch", "brian2"])
@pytest.mark.parametrize(("neuron", "drive", "dt"), ALL, ids=lambda value: type(value).__name__)
def test_a_driven_cell_follows_its_equations(neuron: Neuron, drive: float, dt: float, simulator: str) -> None:
    library("brian2") if simulator == "brian2" else None
    case = driven(neuron, drive, dt)
    traces = case.reference(others=OTHERS)
    assert isinstance(neuron, LeakyIntegrator) or min(len(trace.spikes["a"]) for trace in traces) > 3
    check(case.simulated(simulator), traces, tolerance=FAR)
    with pytest.raises(AssertionError):
        check(driven(neuron, 1.001 * drive, dt).simulated(simulator), traces, tolerance=FAR)


@pytest.mark.parametrize(("neuron", "drive", "dt"), ALL, ids=lambda value: type(value).__name__)
def test_the_compiled_step_is_the_step(neuron: Neuron, drive: float, dt: float, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = driven(neuron, drive, dt).simulated("event")
    monkeypatch.setattr(type(neuron), "compiled", lambda self, dt: None)
    slow = driven(neuron, drive, dt).simulated("event")
    assert [s.step.tolist() for s in fast.spikes.values()] == [s.step.tolist() for s in slow.spikes.values()]
    np.testing.assert_allclose(fast.voltages["a"], slow.voltages["a"], rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("simulator", ["event", "torch", pytest.param("brian2", marks=pytest.mark.slow)])
def test_receptors_of_each_cell_decay_by_their_own_time_constants(simulator: str) -> None:
    library("brian2") if simulator == "brian2" else None
    taus, cell, steps = [3.0, 10.0, 30.0], LIF(tau=20.0, threshold=1e3), 30
    net = Network()
    net.add(Population("in", 1, regular(1.0, phase=0.0)))
    net.add(Population("together", 3, Receptors(cell, quick=Exponential(taus), late=Alpha(taus))))
    for name in net.populations["together"].neuron.receptors[1:]:
        net.connect("in", "together", all_to_all(0.5), receptor=name)
    for n, tau in enumerate(taus):
        net.add(Population(f"alone{n}", 1, Receptors(cell, quick=Exponential(tau), late=Alpha(tau))))
        for name in ("quick", "late"):
            net.connect("in", f"alone{n}", all_to_all(0.5), receptor=name)
    every = {name: range(p.size) for name, p in net.populations.items() if name != "in"}
    made = simulate(net, {}, steps, simulator=simulator, record=every).voltages
    alone = np.concatenate([made[f"alone{n}"] for n in range(3)], axis=2)
    np.testing.assert_allclose(made["together"], alone, rtol=1e-12)


@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_cells_begin_where_the_population_says(simulator: str) -> None:
    net = Network()
    net.add(Population("leaky", 2, LIF(tau=10.0), voltage=[0.5, 0.8]))
    net.add(Population("simple", 1, Izhikevich(), voltage=-70.0))
    net.add(Population("behind", 1, Receptors(LIF(tau=10.0), any=Exponential(5.0)), voltage=0.4))
    made = simulate(net, {}, 2, simulator=simulator, record={"leaky": [0, 1], "simple": [0], "behind": [0]})
    np.testing.assert_allclose(made.voltages["leaky"][:, 0], np.outer(np.exp([-0.1, -0.2]), [0.5, 0.8]))
    np.testing.assert_allclose(made.voltages["behind"][:, 0, 0], 0.4 * np.exp([-0.1, -0.2]))
    v, u = -70.0, 0.2 * -70.0
    for _ in range(2):
        v += 0.5 * (0.04 * v * v + 5 * v + 140 - u)
    assert made.voltages["simple"][0, 0, 0] == pytest.approx(v)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda net: net.connect("in", "two", all_to_all()), "several receptors; give receptor= one of current, quick, late"),
        (lambda net: net.connect("in", "two", all_to_all(), receptor="slow"), "receptor is 'slow'; it must be one of"),
        (lambda net: net.add(Population("x", 2, Izhikevich(), KWinners(10.0))), "not measured from rest"),
        (lambda net: net.add(Population("x", 2, LIF(tau=[1.0, 2.0, 3.0]))), "has 2 cells, and its neuron's parameters 3"),
        (lambda net: net.add(Population("x", 2, LIF(tau=[1.0, 2.0], threshold=[1.0, 2.0, 3.0]))), "different numbers of cells"),
        (lambda net: net.add(Population("x", 2, bias=[1.0, 2.0, 3.0])), "has 2 cells, and its bias 3"),
        (
            lambda net: net.add(Population("x", 2, Receptors(LeakyIntegrator(), a=Exponential(3.0, reversal=1.0)))),
            "LeakyIntegrator has no step with conductances",
        ),
        (lambda net: net.add(Population("x", 2, Receptors(LIF(tau=math.inf), a=Exponential(1.0)))), "need LIF cells that leak"),
        (lambda net: net.add(Population("x", 2, Receptors(LIF(tau_syn=2.0), a=Exponential(1.0)))), "filters its current already"),
        (lambda net: net.add(Population("x", 2, AdEx(capacitance=3.0))), "too long for a membrane of"),
        (lambda net: net.add(Population("x", 2, Receptors(LIF(), a=Alpha([3.0, 4.0, 5.0])))), "has 2 cells, and its neuron's parameters"),
        (lambda net: Receptors(LIF(), a=Exponential([3.0, 4.0]), b=Alpha([3.0, 4.0, 5.0])), "of different numbers of cells"),
        (lambda net: Receptors(LIF(), a=Exponential([3.0, -4.0])), "Exponential tau"),
        (lambda net: net.add(Population("x", 2, Receptors(LIF(), a=Alpha([9.0, 1.0])))), "1.0 ms are too short for steps of 1.0 ms"),
        (lambda net: Receptors(poisson(5.0), a=Exponential(1.0)), "is a source, at which nothing arrives"),
        (lambda net: Receptors(LIF(), **{"a b": Exponential(1.0)}), "receptor 'a b': a name is made of letters"),
        (lambda net: net.add(Population("x", 2, Receptors(LIF(), a=Alpha(1.0)))), "1.0 ms are too short for steps of 1.0 ms"),
        (lambda net: net.connect("in", "opens", all_to_all(-0.1), receptor="g"), "is a conductance, and no weight of it is negative"),
        (lambda net: net.connect("in", "opens", all_to_all(0.1), receptor="g", efficacy=[1.0, -1.0]), "no weight of it is negative"),
        (lambda net: net.connect("in", "opens", all_to_all(0.1), receptor="g", plasticity=STDP(w_min=-1.0)), "no weight of it is negative"),
        (lambda net: net.add(Population("x", 2, Izhikevich(c=31.0))), "must be below 30"),
        (lambda net: Izhikevich.named("XX"), "must be one of RS, IB"),
    ],
)
def test_what_does_not_fit_is_named(make: Any, message: str) -> None:
    net = Network()
    net.add(Population("in", 2))
    net.add(Population("two", 2, Receptors(LIF(), quick=Exponential(5.0), late=Alpha(8.0))))
    net.add(Population("opens", 2, Receptors(LIF(), g=Exponential(5.0, reversal=2.0))))
    with pytest.raises(NetworkError, match=message):
        make(net)


@pytest.mark.slow
def test_a_receptor_of_any_name_leaves_the_neuron_as_it_is() -> None:
    """In Brian2 constants have names, and a receptor's must not be one of the neuron's."""
    library("brian2")
    for neuron, name, drive in ((AdEx(capacitance=60.0, leak=2.0), "w", 900.0), (ALIF(jump=5.0), "adapt", 0.3)):
        net = Network(0.5)
        net.add(Population("in", 1, regular(100.0)))
        net.add(Population("a", 1, Receptors(neuron, **{name: Exponential(5.0)}), bias=drive))
        net.connect("in", "a", all_to_all(0.0), receptor=name)
        runs = [simulate(net, {}, 400, simulator=simulator)["a"].step.tolist() for simulator in ("event", "brian2")]
        assert len(runs[0]) > 5
        assert runs[0] == runs[1]


def test_a_threshold_of_each_cell_may_have_receptors() -> None:
    net = Network()
    net.add(Population("in", 1, regular(100.0)))
    net.add(Population("a", 2, Receptors(LIF(threshold=[0.5, 50.0]), e=Exponential(5.0), g=Exponential(5.0, reversal=2.0))))
    net.connect("in", "a", all_to_all(0.5), receptor="e")
    fired = simulate(net, {}, 100)["a"]
    assert set(fired.cell.tolist()) == {0}


def test_a_voltage_that_runs_away_is_told() -> None:
    net = Network()
    net.add(Population("a", 1, Izhikevich(), bias=-1e5))
    with pytest.warns(UserWarning, match="V of 'a' is not finite at the end"), np.errstate(all="ignore"):
        simulate(net, {}, 50)


@pytest.mark.parametrize("name", ["snntorch", "norse"])
def test_a_library_says_which_cells_it_lacks(name: str) -> None:
    library(name)
    for neuron, kind in ((AdEx(), "not AdEx"), (LIF(tau=[1.0, 2.0, 3.0]), "differ from cell to cell")):
        with pytest.raises(UnsupportedError, match=kind):
            driven(neuron, dt=0.5).simulated(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("neuron", "current", "dt"),
    [
        (ALIF(), [0.04, 0.07, 0.1, 0.3], 1.0),
        (ALIF(tau=10.0, tau_adapt=50.0, jump=0.5, refractory=3.0), [0.12, 0.3, 2.0], 0.5),
        (AdEx(), [400.0, 700.0, 1000.0], 0.1),
        (Izhikevich(), [3.0, 6.0, 15.0], 0.5),
        (LIF(tau=[5.0, 10.0, 20.0]), [0.3, 0.3, 0.3], 1.0),
    ],
)
def test_a_constant_current_gives_the_rate_that_the_neuron_says(neuron: Neuron, current: list[float], dt: float) -> None:
    net, steps = Network(dt), round(4000 / dt)
    net.add(Population("a", len(current), neuron))
    fired = simulate(net, {"a": np.array(current)[None]}, steps)["a"]
    expected = neuron.rate(current, dt)
    for c, rate in enumerate(expected.tolist()):
        late = fired.step[(fired.cell == c) & (fired.step >= steps // 2)] * dt
        if len(late) < 2:
            assert rate < 0.6, c
        else:
            assert np.diff(late).mean() == pytest.approx(1000.0 / rate, abs=dt + 0.01 * 1000.0 / rate), c


def test_adex_fires_above_its_rheobase_alone() -> None:
    for cell in (AdEx(), AdEx(a=0.0, tau_w=30.0)):
        edge = cell.rheobase()
        low, high = AdEx(a=cell.a, tau_w=cell.tau_w, b=0.0).rate([0.99 * edge, 1.01 * edge]).tolist()
        assert low == 0.0 < high

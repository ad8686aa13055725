"""One contract, three implementations: event-driven, batched torch, and the plain loop of `tests.reference`."""

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikemem import LIF, STDP, CycleReset, KWinners, Network, Population, Recording, simulate
from spikemem.synapses import WORD, Dense, OneBit, Sparse, Synapses, all_to_all, pack
from tests.reference import Trace, leak, simulate_plainly

STEPS = 24
GRID = 2.0**-6  # sums of multiples of it are exact in float32 and float64, in any order
TOLERANCE = 1e-9
SIMULATORS = [("event", "cpu"), ("torch", "cpu"), *([("event", "cuda")] if torch.cuda.is_available() else [])]
LENGTHY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

inhibitions = st.one_of(
    st.none(), st.builds(CycleReset, st.integers(1, 9).map(float)), st.builds(KWinners, st.integers(1, 9).map(float), st.integers(1, 4))
)


class Case(NamedTuple):
    net: Network
    stimulus: dict[str, NDArray[Any]]
    batches: int

    def reference(self, **constants: Any) -> list[Trace]:
        """The plain loop's trace of each batch item."""
        whole = {n: np.broadcast_to(a, (STEPS, self.batches, self.net.populations[n].size)) for n, a in self.stimulus.items()}
        return [simulate_plainly(self.net, {n: a[:, b] for n, a in whole.items()}, STEPS, **constants) for b in range(self.batches)]

    def simulated(self, simulator: str, device: str = "cpu", dtype: str = "float64") -> Recording:
        every = {name: np.arange(p.size) for name, p in self.net.populations.items()}
        return simulate(self.net, self.stimulus, STEPS, simulator=simulator, device=device, record=every, dtype=dtype)


@st.composite
def neurons(draw: st.DrawFn, dt: float, plain: bool = False) -> LIF:
    """Any cell of the description; a plain one resets by subtraction at once and has no synaptic current."""
    tau, threshold = draw(st.sampled_from([math.inf, 20.0, 3.0, 0.4])), draw(st.sampled_from([0.5, 1.0, 2.5]))
    if plain:
        return LIF(tau, threshold)
    reset, refractory = draw(st.sampled_from([None, None, 0.0, -0.5, 0.25])), draw(st.sampled_from([0, 0, 1, 3])) * dt
    return LIF(tau, threshold, reset, refractory, draw(st.sampled_from([0.0, 0.0, 0.3, 5.0])), draw(st.sampled_from([1.0, 1.0, 0.75])))


@st.composite
def rules(draw: st.DrawFn, delay: float) -> STDP:
    """Any rule of the description, with weights in [-0.5, 1]."""
    rates, taus = st.floats(0.01, 0.6), st.sampled_from([2.0, 20.0])
    dendritic = draw(st.sampled_from([0.0, delay]))
    kinds = draw(st.sampled_from(["all", "nearest"])), draw(st.sampled_from(["additive", "multiplicative"]))
    rule = draw(rates), draw(rates), draw(taus), draw(taus), -0.5, 1.0, *kinds, dendritic
    return STDP(*rule, draw(st.sampled_from(["depression", "potentiation"])))  # type: ignore[arg-type]


@st.composite
def cases(draw: st.DrawFn, dyadic: bool = False, plain: bool = False, plastic: bool = True) -> Case:
    """A network of up to three populations with anything the description allows, and a stimulus."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    net = Network(dt=draw(st.sampled_from([1.0, 0.5, 0.1])))
    for name in "abc"[: draw(st.integers(1, 3))]:
        size = draw(st.sampled_from([1, 5, WORD, 2 * WORD + 3]))
        net.add(Population(name, size, draw(neurons(net.dt, plain or dyadic)), draw(inhibitions)))
    exact = dyadic or draw(st.booleans())
    for _ in range(draw(st.integers(1, 4))):
        pre, post = draw(st.sampled_from([*net.populations])), draw(st.sampled_from([*net.populations]))
        source, target = net.populations[pre], net.populations[post]
        delay = draw(st.integers(1, 4)) * net.dt
        if plastic and not exact and draw(st.booleans()):
            weights = rng.uniform(-0.5, 1.0, (source.size, target.size)) / math.sqrt(source.size)
            here = np.nonzero(rng.random(weights.shape) < 0.7)
            made = Dense(weights) if draw(st.booleans()) else Sparse.from_coo(*here, weights[here], weights.shape)
            net.connect(pre, post, made, delay=delay, plasticity=draw(rules(delay)))
            continue
        first = draw(st.sampled_from([None, 1, 2, 3])) if isinstance(source.inhibition, KWinners) else None
        net.connect(pre, post, draw(synapses(source.size, target.size, rng, exact)), delay=delay, first=first)
    batches = draw(st.sampled_from([1, 3]))
    stimulus: dict[str, NDArray[Any]] = {}
    for name in draw(st.sets(st.sampled_from([*net.populations]), min_size=1)):
        shape = tuple(draw(st.sampled_from([1, whole])) for whole in (STEPS, batches, net.populations[name].size))
        stimulus[name] = rng.random(shape) < 0.2 if draw(st.booleans()) else _on_grid(rng.normal(0.5, 1.0, shape))
    return Case(net, stimulus, max(a.shape[1] for a in stimulus.values()))


@st.composite
def synapses(draw: st.DrawFn, pre: int, post: int, rng: np.random.Generator, exact: bool) -> Synapses:
    """Dense, sparse (pairs may repeat; there may be none) or, where it fits, one-bit."""
    kind = draw(st.sampled_from(["dense", "sparse"] + ["one-bit"] * (post >= WORD)))
    size = 2.0 / math.sqrt(pre)
    if kind == "one-bit":
        width = WORD * draw(st.integers(1, post // WORD))
        start = rng.integers(0, post - width, pre, endpoint=True)
        return OneBit(pack(rng.random((pre, width)) < 0.5), start, post, on=float(_on_grid(size)), off=draw(st.sampled_from([0.0, -GRID])))
    if kind == "dense":
        weights = rng.normal(size / 4, size, (pre, post))
        return Dense(_on_grid(weights) if exact else weights)
    count = draw(st.integers(0, 2 * pre * post))
    rows, targets, weights = rng.integers(pre, size=count), rng.integers(post, size=count), rng.normal(size / 4, size, count)
    return Sparse.from_coo(rows, targets, _on_grid(weights) if exact else weights, (pre, post))


def _on_grid(values: Any) -> Any:
    return np.round(np.asarray(values) / GRID) * GRID


def check(recording: Recording, traces: list[Trace], voltages: bool = True) -> None:
    """The same spikes at the same steps, in the same firing order, and voltages within TOLERANCE."""
    assert recording.batches == len(traces)
    assert recording.spikes.keys() == traces[0].spikes.keys()
    for name, s in recording.spikes.items():
        expected = sorted(((t, b, c) for b, trace in enumerate(traces) for t, c in trace.spikes[name]), key=lambda spike: spike[:2])
        assert list(zip(s.step.tolist(), s.batch.tolist(), s.cell.tolist(), strict=True)) == expected, name
    for name in recording.voltages if voltages else ():
        expected_voltage = np.stack([trace.voltages[name] for trace in traces], axis=1)
        np.testing.assert_allclose(recording.voltages[name], expected_voltage, rtol=0, atol=TOLERANCE, err_msg=name)
    assert recording.weights.keys() == traces[0].weights.keys()
    for name, weights in recording.weights.items():
        expected_weights = np.stack([trace.weights[name] for trace in traces])
        np.testing.assert_allclose(weights, expected_weights, rtol=0, atol=TOLERANCE, err_msg=name)


@settings(LENGTHY, max_examples=100)
@given(cases())
def test_every_simulator_follows_the_contract(case: Case) -> None:
    traces = case.reference()
    assume(min(trace.margin for trace in traces) > TOLERANCE)
    recordings = [case.simulated(*place) for place in SIMULATORS]
    for recording in recordings:
        check(recording, traces)
    assert len({recording.events for recording in recordings}) == 1


@settings(LENGTHY, max_examples=20)
@given(cases(dyadic=True))
def test_float32_gives_the_same_spikes_on_dyadic_weights(case: Case) -> None:
    traces = case.reference()
    largest = max(np.abs(v).max() for trace in traces for v in trace.voltages.values())
    assume(min(trace.margin for trace in traces) > STEPS * np.finfo(np.float32).eps * max(1.0, largest))
    check(case.simulated("torch", dtype="float32"), traces, voltages=False)


def driven_chain() -> Case:
    """Two populations in a row under a constant current."""
    net = Network()
    net.add(Population("a", 3, LIF(tau=20.0)))
    net.add(Population("b", 2, LIF(tau=20.0), KWinners(cycle=12.0, k=1)))
    net.connect("a", "b", all_to_all(0.25))
    return Case(net, {"a": np.array([0.25, 0.375, 0.5]).reshape(1, 1, 3)}, 1)


@pytest.mark.parametrize("place", SIMULATORS)
@pytest.mark.parametrize("wrong", [lambda tau, dt: leak(tau * 1.05, dt), lambda tau, dt: 1.0 - dt / tau])
def test_the_comparison_sees_a_wrong_constant(place: tuple[str, str], wrong: Any) -> None:
    case = driven_chain()
    check(case.simulated(*place), case.reference())
    with pytest.raises(AssertionError):
        check(case.simulated(*place), case.reference(beta=wrong))

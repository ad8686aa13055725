"""One contract, one suite over all simulators, each against the plain loop of `tests.reference`.

SPIKEMEM_NETWORKS=200 draws so many networks for each simulator.
"""

import importlib
import importlib.util
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikemem import LIF, STDP, CycleReset, KWinners, Network, Population, Receptors, Recording, TsodyksMarkram, simulate
from spikemem.errors import MissingExtraError, UnsupportedError
from spikemem.network import Brian2Neuron, Neuron, PlasticityRule
from spikemem.network.synapses import WORD, Dense, OneBit, Sparse, Synapses, all_to_all, pack
from spikemem.simulators.registry import defaults
from tests.reference import Trace, simulate_plainly

STEPS = 24
GRID = 2.0**-6  # sums of multiples of it are exact in float32 and float64, in any order
TOLERANCE = 1e-9
SIMULATORS = [("event", "cpu"), ("torch", "cpu"), *([("event", "cuda")] if torch.cuda.is_available() else [])]
LIBRARIES = [name for name in defaults() if name not in ("event", "torch")]
NETWORKS = int(os.environ.get("SPIKEMEM_NETWORKS", "8"))
COMPILED = pytest.mark.skipif(shutil.which("g++") is None, reason="standalone code needs a C++ compiler")
LENGTHY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])

taus = st.sampled_from([3.0, 20.0])
cycles, winners = st.integers(1, 9).map(float), st.integers(1, 4)
inhibitions = st.one_of(
    st.none(), st.builds(CycleReset, cycles), st.builds(KWinners, cycles, winners | st.lists(winners, min_size=1, max_size=3).map(tuple))
)
short_terms = st.one_of(st.none(), st.builds(TsodyksMarkram, st.sampled_from([0.2, 0.7, 1.0]), taus, st.sampled_from([0.0, 2.0, 50.0])))


class Case(NamedTuple):
    net: Network
    stimulus: dict[str, NDArray[Any]]
    batches: int

    def reference(self, **constants: Any) -> list[Trace]:
        """The plain loop's trace of each batch item."""
        whole = {n: np.broadcast_to(a, (STEPS, self.batches, self.net.populations[n].size)) for n, a in self.stimulus.items()}
        for n, p in self.net.populations.items():
            if n not in whole or whole[n].dtype != bool:
                whole[n] = whole.get(n, 0.0) + np.broadcast_to(p.bias, (STEPS, self.batches, p.size))
        return [simulate_plainly(self.net, {n: a[:, b] for n, a in whole.items()}, STEPS, **constants) for b in range(self.batches)]

    def simulated(self, simulator: str, device: str = "cpu", dtype: str = "float64") -> Recording:
        every = {name: np.arange(p.size) for name, p in self.net.populations.items()}
        return simulate(self.net, self.stimulus, STEPS, simulator=simulator, device=device, record=every, dtype=dtype)


@st.composite
def neurons(draw: st.DrawFn, dt: float, kind: str = "any") -> LIF:
    """Any cell of the description, any that snnTorch has, or a plain one."""
    tau, threshold = (
        draw(st.sampled_from([math.inf, 20.0, 3.0, 0.4, 0.01])),
        draw(st.sampled_from([0.5, 1.0, 2.5] if kind == "plain" else [0.7, 1.0, 2.5])),
    )
    if kind == "plain":
        return LIF(tau, threshold)
    if kind == "snntorch":
        tau_syn, reset = draw(st.sampled_from([0.0, 5.0])), draw(st.sampled_from([None, 0.0]))
        return LIF(tau, threshold, reset, dt if tau_syn and reset == 0.0 else 0.0, tau_syn, draw(st.sampled_from([1.0, 0.75])))
    reset, refractory = draw(st.sampled_from([None, None, 0.0, -0.3, 0.2])), draw(st.sampled_from([0, 0, 1, 3])) * dt
    return LIF(tau, threshold, reset, refractory, draw(st.sampled_from([0.0, 0.0, 0.3, 5.0])), draw(st.sampled_from([1.0, 1.0, 0.75])))


@st.composite
def rules(draw: st.DrawFn, delay: float) -> STDP:
    """Any rule of the description, with weights in [-0.5, 1]."""
    rates, taus = st.floats(0.01, 0.6), st.sampled_from([2.0, 20.0])
    dendritic = draw(st.sampled_from([0.0, delay]))
    kinds = draw(st.sampled_from(["all", "nearest"])), draw(st.sampled_from(["additive", "multiplicative"]))
    rule = draw(rates), draw(rates), draw(taus), draw(taus), -0.5, 1.0, *kinds, dendritic
    drift, divide = draw(st.sampled_from([(0.0, None), (0.0, None), (0.1, None), (0.02, 0.5)]))
    return STDP(*rule, draw(st.sampled_from(["depression", "potentiation"])), drift, divide)  # type: ignore[arg-type]


@st.composite
def cases(
    draw: st.DrawFn,
    kind: str = "any",
    dyadic: bool = False,
    cells: st.SearchStrategy[Neuron] | None = None,
    learning: st.SearchStrategy[PlasticityRule] | None = None,
) -> Case:
    """A network of up to three populations with anything the description allows, and a stimulus.

    cells, learning: neurons and rules from outside, in the place of ours.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    net = Network(dt=draw(st.sampled_from([1.0, 0.5, 0.1])))
    for name in "abc"[: draw(st.integers(1, 3))]:
        size = draw(st.sampled_from([1, 5, WORD, 2 * WORD + 3]))
        neuron = draw(neurons(net.dt, kind) if cells is None else cells)
        if kind == "any" and cells is None and draw(st.sampled_from([False, False, True])):
            tau = np.where(rng.random(size) < 0.5, neuron.tau, 7.0)
            neuron = replace(neuron, tau=tau, threshold=neuron.threshold * rng.choice([1.0, 1.25], size))
        if isinstance(neuron, Receptors) and draw(st.booleans()):
            neuron = of_each_cell(neuron, size, rng)
        bias = rng.normal(0.1, 0.2, size) if draw(st.sampled_from([False, False, True])) and kind != "plain" else 0.0
        net.add(Population(name, size, neuron, draw(inhibitions) if neuron.from_rest else None, bias=bias))
    exact = dyadic or draw(st.booleans())
    for _ in range(draw(st.integers(1, 4))):
        pre, post = draw(st.sampled_from([*net.populations])), draw(st.sampled_from([*net.populations]))
        source, target = net.populations[pre], net.populations[post]
        delay, receptor = draw(st.integers(1, 4)) * net.dt, draw(st.sampled_from(target.neuron.receptors))
        opens = receptor in target.neuron.conductances  # which takes no negative weights
        if not exact and not opens and draw(st.booleans()):
            weights = rng.uniform(-0.5, 1.0, (source.size, target.size)) / math.sqrt(source.size)
            here = np.nonzero(rng.random(weights.shape) < 0.7)
            made = Dense(weights) if draw(st.booleans()) else Sparse.from_coo(*here, weights[here], weights.shape)
            own = draw(delays(made, rng, net.dt)) if made.count else None
            least = delay if own is None else min(delay, float(own.min()))
            rule, tires = draw(rules(least) if learning is None else learning), draw(short_terms)
            if tires is not None or rule.reward is not None:
                own = None
            net.connect(pre, post, made, delay=delay if own is None else own, plasticity=rule, receptor=receptor, short_term=tires)
            continue
        first = draw(st.sampled_from([None, 1, 2, 3])) if isinstance(source.inhibition, KWinners) else None
        made = draw(synapses(source.size, target.size, rng, exact))
        efficacy = draw(st.sampled_from([None, None, (2.0, 0.0, -0.5 + opens), (0.25,)]))
        tires = None if exact or efficacy is not None else draw(short_terms)
        if opens:
            made = not_negative(made)
        own = None if tires is not None else draw(delays(made, rng, net.dt))
        net.connect(
            pre, post, made, delay=delay if own is None else own, first=first, efficacy=efficacy, receptor=receptor, short_term=tires
        )
    batches = draw(st.sampled_from([1, 3]))
    stimulus: dict[str, NDArray[Any]] = {}
    for name in draw(st.sets(st.sampled_from([*net.populations]), min_size=1)):
        shape = tuple(draw(st.sampled_from([1, whole])) for whole in (STEPS, batches, net.populations[name].size))
        stimulus[name] = rng.random(shape) < 0.2 if draw(st.booleans()) else _on_grid(rng.normal(0.5, 1.0, shape))
    return Case(net, stimulus, max(a.shape[1] for a in stimulus.values()))


def of_each_cell(neuron: Receptors, size: int, rng: np.random.Generator) -> Receptors:
    """The same receptors with time constants of each cell, and the same cells where they can have them, too."""
    cell = neuron.neuron
    if isinstance(cell, LIF) and not neuron.conducts:
        cell = replace(cell, tau=cell.tau * rng.choice([1.0, 0.7], size))
    return Receptors(cell, **{name: replace(kind, tau=kind.tau * rng.choice([1.0, 1.5], size)) for name, kind in neuron.kinds})


@st.composite
def delays(draw: st.DrawFn, made: Synapses, rng: np.random.Generator, dt: float) -> NDArray[np.float64] | None:
    """Delays of the synapses' own, or None."""
    if isinstance(made, OneBit) or not draw(st.sampled_from([False, False, True])):
        return None
    return rng.integers(1, 5, made.weights.shape, endpoint=True) * dt


def not_negative(made: Synapses) -> Synapses:
    """The same synapses, as strong."""
    if isinstance(made, OneBit):
        return replace(made, on=np.abs(made.on), off=abs(made.off))
    return replace(made, weights=np.abs(made.weights))


@st.composite
def synapses(draw: st.DrawFn, pre: int, post: int, rng: np.random.Generator, exact: bool) -> Synapses:
    """Dense, sparse (pairs may repeat; there may be none) or, where it fits, one-bit."""
    kind = draw(st.sampled_from(["dense", "sparse"] + ["one-bit"] * (post >= WORD)))
    size = 2.0 / math.sqrt(pre)
    if kind == "one-bit":
        width = WORD * draw(st.integers(1, post // WORD))
        start = rng.integers(0, post - width, pre, endpoint=True)
        on = size * rng.normal(1.0, 0.5, pre) if draw(st.booleans()) else size
        return OneBit(
            pack(rng.random((pre, width)) < 0.5),
            start,
            post,
            on=_on_grid(on) if exact else on,
            off=draw(st.sampled_from([0.0, -GRID if exact else -0.03])),
        )
    if kind == "dense":
        weights = rng.normal(size / 4, size, (pre, post))
        return Dense(_on_grid(weights) if exact else weights)
    count = draw(st.integers(0, 2 * pre * post))
    rows, targets, weights = rng.integers(pre, size=count), rng.integers(post, size=count), rng.normal(size / 4, size, count)
    return Sparse.from_coo(rows, targets, _on_grid(weights) if exact else weights, (pre, post))


def _on_grid(values: Any) -> Any:
    return np.round(values / GRID) * GRID


def check(recording: Recording, traces: list[Trace], voltages: bool = True, tolerance: float = TOLERANCE) -> None:
    """The same spikes at the same steps, in the same firing order, and voltages within a tolerance."""
    assert recording.batches == len(traces)
    assert recording.spikes.keys() == traces[0].spikes.keys()
    for name, s in recording.spikes.items():
        expected = sorted(((t, b, c) for b, trace in enumerate(traces) for t, c in trace.spikes[name]), key=lambda spike: spike[:2])
        assert list(zip(s.step.tolist(), s.batch.tolist(), s.cell.tolist(), strict=True)) == expected, name
    for name in recording.voltages if voltages else ():
        expected_voltage = np.stack([trace.voltages[name] for trace in traces], axis=1)
        np.testing.assert_allclose(recording.voltages[name], expected_voltage, rtol=0, atol=tolerance, err_msg=name)
    assert recording.weights.keys() == traces[0].weights.keys()
    for name, weights in recording.weights.items():
        expected_weights = np.stack([trace.weights[name] for trace in traces])
        np.testing.assert_allclose(weights, expected_weights, rtol=0, atol=TOLERANCE, err_msg=name)


def compared(case: Case, *places: tuple[str, str], others: Mapping[type, Any], tolerance: float = TOLERANCE) -> None:
    """Each simulator against the plain loop, where no tie leaves it to rounding.   others: plain forms of further neurons and rules."""
    traces = case.reference(others=others)
    assume(min(trace.margin for trace in traces) > tolerance and not any(trace.tie for trace in traces))
    assume(all(np.isfinite(v).all() and abs(v).max() < 1e6 for trace in traces for v in trace.voltages.values()))
    for place in places:
        check(case.simulated(*place), traces, tolerance=tolerance)


@pytest.mark.slow
@settings(LENGTHY, max_examples=60)
@given(cases())
def test_every_simulator_follows_the_contract(case: Case) -> None:
    traces = case.reference()
    assume(min(trace.margin for trace in traces) > TOLERANCE)
    recordings = [case.simulated(*place) for place in SIMULATORS]
    for recording in recordings:
        check(recording, traces)
    assert len({recording.events for recording in recordings}) == 1


def library(name: str) -> None:
    """Skip where an optional library is not installed."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_every_library_follows_the_contract(name: str) -> None:
    library(name)
    compared = 0

    @settings(LENGTHY, max_examples=NETWORKS, database=None)
    @given(cases("snntorch" if name == "snntorch" else "any"))
    def run(case: Case) -> None:
        nonlocal compared
        traces = case.reference()
        assume(min(trace.margin for trace in traces) > TOLERANCE and not any(trace.tie for trace in traces))
        try:
            recording = case.simulated(name)
        except UnsupportedError:
            assume(False)
        check(recording, traces)
        assert recording.events == case.simulated("event").events
        compared += 1

    run()
    assert compared >= NETWORKS


@pytest.mark.slow
@settings(LENGTHY, max_examples=20)
@given(cases("plain", dyadic=True))
def test_float32_gives_the_same_spikes_on_dyadic_weights(case: Case) -> None:
    traces = case.reference()
    largest = max(np.abs(v).max() for trace in traces for v in trace.voltages.values())
    assume(min(trace.margin for trace in traces) > STEPS * np.finfo(np.float32).eps * max(1.0, largest))
    check(case.simulated("torch", dtype="float32"), traces, voltages=False)


def driven_chain(tau: float = 20.0, threshold: float = 0.7, trace: float = 20.0, delay: float = 2.0) -> Case:
    """Two populations behind one under a constant current, one a race, the other learning."""
    net = Network()
    net.add(Population("a", 3, LIF(tau, threshold)))
    net.add(Population("b", 2, LIF(tau, threshold), KWinners(cycle=12.0, k=1)))
    net.add(Population("c", 2, LIF(tau, threshold, tau_syn=3.0)))
    net.connect("a", "b", all_to_all(0.25), delay=delay)
    net.connect("a", "c", all_to_all(0.25), plasticity=STDP(a_plus=0.1, a_minus=0.05, tau_plus=trace))
    return Case(net, {"a": np.array([0.25, 0.375, 0.5]).reshape(1, 1, 3)}, 1)


@pytest.mark.slow
@pytest.mark.parametrize("place", [*SIMULATORS, *((name, "cpu") for name in LIBRARIES)])
@pytest.mark.parametrize("wrong", [{"tau": 20.02}, {"threshold": 0.7 + 1e-7}, {"trace": 20.02}, {"delay": 3.0}])
def test_the_comparison_sees_a_wrong_constant(place: tuple[str, str], wrong: dict[str, float]) -> None:
    """What a simulator makes of a constant that is a little off does not pass for what the right one should give."""
    if place[0] in LIBRARIES:
        library(place[0])
    check(driven_chain().simulated(*place), driven_chain().reference())
    with pytest.raises(AssertionError):
        check(driven_chain(**wrong).simulated(*place), driven_chain().reference())


def everything() -> Case:
    """A race of refractory cells with synaptic currents, `first`, one-bit synapses, plasticity, teacher forcing and a batch at once."""
    rng = np.random.default_rng(0)
    net = Network(dt=0.5)
    net.add(Population("the input", WORD))
    net.add(Population("a", WORD, LIF(5.0, 1.0, reset=0.0, refractory=1.0, tau_syn=2.0), KWinners(8.0, 9)))
    bits = OneBit(pack(rng.random((WORD, WORD)) < 0.3), np.zeros(WORD, np.int64), WORD, on=0.25, off=-0.125)
    net.connect(
        "the input", "a", Dense(rng.normal(0.1, 0.3, (WORD, WORD)).clip(0, 1)), plasticity=STDP(0.1, 0.1, dendritic=0.5, drift=0.01)
    )
    net.connect("a", "a", bits, delay=2.0, first=4)
    return Case(net, {"the input": rng.random((STEPS, 2, WORD)) < 0.1}, 2)


@pytest.fixture
def unoptimised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brian2's code compiled in half the time: what is compared is the code, of which the flags let no optimiser change a result."""
    library("brian2")
    from spikemem.simulators.brian2 import run

    flags, cache = run.PREFERENCES["codegen.cpp.extra_compile_args_gcc"], run.PREFERENCES["codegen.runtime.cython.cache_dir"]
    assert {"-O3", "-ffp-contract=off"} <= set(flags)
    assert not {"-ffast-math", "-Ofast"} & set(flags)
    quick = {
        "codegen.cpp.extra_compile_args_gcc": ["-O0" if flag == "-O3" else flag for flag in flags],
        "codegen.runtime.cython.cache_dir": f"{cache}-unoptimised",
    }
    monkeypatch.setattr(run, "PREFERENCES", {**run.PREFERENCES, **quick})


INCLUDED = "algorithm chrono climits cmath cstdint cstdlib cstring ctime fstream iostream list map random set sstream string utility vector"
"""Standard headers that the files of Brian2's standalone code include."""


@pytest.fixture
def precompiled(unoptimised: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard headers parsed once for the dozens of files of a standalone program, which takes the compiler most of its time."""
    from spikemem.simulators.brian2 import run

    name = "codegen.cpp.extra_compile_args_gcc"
    flags, header = run.PREFERENCES[name], tmp_path / "standard.h"
    header.write_text("".join(f"#include <{included}>\n" for included in INCLUDED.split()))
    compiler = os.environ.get("CXX", "g++")
    subprocess.run([compiler, *flags, "-x", "c++-header", str(header), "-o", f"{header}.gch"], check=True)
    monkeypatch.setattr(run, "PREFERENCES", {**run.PREFERENCES, name: [*flags, f"-include{header}"]})


@pytest.mark.slow
def test_everything_at_once_gives_the_same_spikes() -> None:
    """Compiled code is compared in test_toys, in one program with a race of cells from outside."""
    library("brian2")
    case = everything()
    traces = case.reference()
    assert min(len(traces[0].spikes[name]) for name in ("a", "a.basket")) > 0
    for simulator in ("event", "brian2"):
        check(case.simulated(simulator), traces)


@COMPILED
@pytest.mark.slow
@pytest.mark.usefixtures("unoptimised")
def test_cython_gives_the_same_spikes() -> None:
    """Brian2 keeps what it compiles in its own cache, shared by all runs."""
    net = Network()
    net.add(Population("a", 5, LIF(tau=20.0, reset=0.0, refractory=1.0)))
    net.connect("a", "a", all_to_all(0.05), delay=2.0)
    case = Case(net, {"a": np.linspace(0.1, 0.5, 5).reshape(1, 1, 5)}, 1)
    check(case.simulated("brian2:cython"), case.reference())


@pytest.mark.parametrize(
    ("name", "neuron", "rule", "lack"),
    [
        ("snntorch", LIF(refractory=2.0), None, "'a'.*refractoriness"),
        ("snntorch", LIF(reset=-0.5), None, "'a'.*reset -0.5"),
        ("norse", LIF(), STDP(pairing="nearest"), "'a->a'.*nearest"),
    ],
)
def test_what_a_library_lacks_is_named(name: str, neuron: LIF, rule: STDP | None, lack: str) -> None:
    library(name)
    net = Network()
    net.add(Population("a", 2, neuron))
    net.connect("a", "a", all_to_all(0.5), plasticity=rule)
    with pytest.raises(UnsupportedError, match=f"{name} cannot.*{lack}"):
        simulate(net, {"a": np.ones((1, 2))}, 3, simulator=name)


@pytest.mark.parametrize("name", ["norse", "brian2"])
def test_a_missing_library_names_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [m for m in sys.modules if m.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    case = driven_chain()
    with pytest.raises(MissingExtraError, match=f'simulator "{name}" needs the "reference" extra'):
        case.simulated(name)


@pytest.mark.slow
def test_brian2_is_left_as_it_was() -> None:
    """Preferences and device, on success and on failure, also where the user has set another device."""
    library("brian2")
    import brian2

    from spikemem.simulators.brian2.run import PREFERENCES

    devices = importlib.import_module("brian2.devices.device")
    names = ("codegen.target", *PREFERENCES)
    before = [brian2.prefs[name] for name in names], brian2.get_device(), len(devices.previous_devices)
    case = driven_chain()
    case.simulated("brian2")
    assert ([brian2.prefs[name] for name in names], brian2.get_device(), len(devices.previous_devices)) == before
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        check(case.simulated("brian2"), case.reference())
        assert brian2.get_device() is devices.all_devices["cpp_standalone"]
        with pytest.raises(UnsupportedError, match="another device"):
            case.simulated("brian2:cpp_standalone")
        assert [brian2.prefs[name] for name in names] == before[0]
    finally:
        brian2.device.reinit()
        devices.reset_device()


class Slower(LIF):
    """A cell whose Brian2 text decays at half the speed."""

    def brian2(self, dt: float) -> Brian2Neuron:
        text = super().brian2(dt)
        return text._replace(model=text.model.replace("-v / tau", "-v / (2 * tau)"))


@pytest.mark.slow
def test_exact_integration_is_derived_once_for_each_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that differ in numbers alone share the algebra, and keep their numbers; another text, or another step, has its own."""
    library("brian2")
    from spikemem.simulators.brian2 import exact

    derived: dict[Any, str] = {}
    monkeypatch.setattr(exact, "_derived", derived)

    def run(dt: float, *cells: LIF) -> None:
        net = Network(dt)
        for name, neuron in zip("abc", cells, strict=False):
            net.add(Population(name, 2, neuron))
        case = Case(net, {name: np.full((1, 1, 2), 0.3) for name in net.populations}, 1)
        check(case.simulated("brian2"), case.reference())

    run(1.0, LIF(20.0, tau_syn=5.0), LIF(7.0, tau_syn=2.0), LIF(3.0, tau_syn=9.0))
    assert len(derived) == 1
    run(1.0, LIF(20.0), LIF(20.0, tau_syn=5.0))
    assert len(derived) == 2
    run(0.5, LIF(20.0))
    assert len(derived) == 3
    net = Network(0.5)
    net.add(Population("a", 1, Slower(20.0)))
    simulate(net, {"a": [0.3]}, 2, simulator="brian2")
    assert len(derived) == 4  # the same names in another equation
    assert len(set(derived.values())) == 3


def test_compiled_brian2_without_a_compiler_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    library("brian2")
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(MissingExtraError, match="needs g\\+\\+"):
        driven_chain().simulated("brian2:cython")


def test_snntorch_keeps_no_cell_behind() -> None:
    import snntorch

    before = len(snntorch.SpikingNeuron.instances)
    driven_chain().simulated("snntorch")
    assert len(snntorch.SpikingNeuron.instances) == before

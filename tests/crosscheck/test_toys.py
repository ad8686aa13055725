"""What is added from outside the package, one file each in `toys`, goes through the same suite as what spikemem brings."""

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from spikemem import LIF, KWinners, Network, Population, load_network, simulate, to_nir
from spikemem.cli import app
from spikemem.errors import NetworkError, SpecError, StimulusError, UnsupportedError
from spikemem.evaluate.bench import simulators as bench
from spikemem.evaluate.validate import validate
from spikemem.network import NEURONS, RULES, Brian2Neuron
from spikemem.network.registry import Registry
from spikemem.network.synapses import all_to_all
from spikemem.simulators import SIMULATORS, register, table
from spikemem.simulators.registry import defaults
from tests.crosscheck.test_contract import COMPILED, LENGTHY, NETWORKS, STEPS, TOLERANCE, Case, cases, check, compared, everything, library
from tests.crosscheck.test_contract import SIMULATORS as OURS
from tests.crosscheck.test_contract import precompiled as precompiled
from tests.crosscheck.test_contract import unoptimised as unoptimised
from tests.crosscheck.toys.adaptive import Adaptive
from tests.crosscheck.toys.oja import Oja
from tests.crosscheck.toys.plain import PLAIN
from tests.reference import Plastic


class PlainAdaptive:
    """The toy neuron for the plain loop, from the steps of all past spikes: a[t] = jump sum of rho^(t - s - 1) over spikes s < t."""

    def __init__(self, neuron: Adaptive, size: int, dt: float, beta: Any) -> None:
        self.neuron, self.dt, self.past = neuron, dt, [[] for _ in range(size)]
        self.last: list[int] = []

    def step(self, t: int, current: NDArray[np.float64], fresh: bool, spiked: NDArray[np.bool_], before: NDArray[np.float64]) -> Any:
        voltage, threshold = np.zeros(len(current)), np.zeros(len(current))
        for c, past in enumerate(self.past):
            if fresh and past and past[-1] == t - 1:  # a new cycle forgets the spike of the step before it
                past.pop()
            adaptation = sum(self.neuron.jump * math.exp(-(t - s - 1) * self.dt / self.neuron.tau_a) for s in past)
            kept = 0.0 if fresh else math.exp(-self.dt / self.neuron.tau) * before[c] - self.neuron.threshold * spiked[c]
            voltage[c], threshold[c] = kept + current[c], self.neuron.threshold + adaptation
        return voltage, threshold, np.ones(len(current), bool)

    def fired(self, t: int, cells: list[int]) -> None:
        for c in cells:
            self.past[c].append(t)


class PlainOja(Plastic):
    """The toy rule for the plain loop, from the steps of all past spikes."""

    def change(self, t: int) -> None:
        trace = sum(math.exp(-(t - s) * self.dt / self.rule.tau) * self.seen["pre"][s] for s in range(t + 1))
        for j in np.flatnonzero(self.seen["post"][t]):
            moved = self.w[:, j] + self.rule.rate * (trace - self.w[:, j])
            self.w[:, j] = np.where(self.here[:, j], moved, 0.0)


OTHERS = {Adaptive: PlainAdaptive, Oja: PlainOja}
taus = st.sampled_from([20.0, 3.0])
adaptive = st.builds(Adaptive, taus, st.sampled_from([0.7, 1.0]), st.sampled_from([50.0, 4.0]), st.sampled_from([0.13, 0.6]))
oja = st.builds(Oja, st.sampled_from([0.1, 0.45]), taus)
from_outside = cases(cells=adaptive, learning=oja)


@pytest.mark.slow
@settings(LENGTHY, max_examples=25)
@given(from_outside)
def test_a_neuron_and_a_rule_from_outside_follow_the_contract(case: Case) -> None:
    compared(case, *OURS, others=OTHERS)


@pytest.mark.slow
def test_a_neuron_and_a_rule_from_outside_follow_the_contract_in_brian2() -> None:
    library("brian2")

    @settings(LENGTHY, max_examples=NETWORKS, database=None)
    @given(from_outside)
    def run(case: Case) -> None:
        compared(case, ("brian2", "cpu"), others=OTHERS)

    run()


def raced(jump: float = 0.13, rate: float = 0.1) -> Case:
    """Adaptive cells that drive a race of adaptive cells through learning synapses."""
    net = Network()
    net.add(Population("a", 5, Adaptive(tau=10.0, threshold=0.7, tau_a=20.0, jump=jump)))
    net.add(Population("b", 4, Adaptive(tau=5.0, threshold=0.9, jump=jump), KWinners(cycle=8.0, k=2)))
    net.connect("a", "b", all_to_all(0.4), plasticity=Oja(rate))
    return Case(net, {"a": np.linspace(0.4, 0.9, 10).reshape(1, 2, 5), "b": np.linspace(0.1, 0.3, 4).reshape(1, 1, 4)}, 2)


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["event", "torch", "brian2"])
def test_a_race_of_cells_from_outside(simulator: str) -> None:
    if simulator == "brian2":
        library("brian2")
    case = raced()
    traces = case.reference(others=OTHERS)
    assert min(len(traces[0].spikes[name]) for name in ("a", "b", "b.basket")) > 1
    check(case.simulated(simulator), traces)
    for wrong in ({"jump": 0.3}, {"rate": 0.1001}):
        with pytest.raises(AssertionError):
            check(raced(**wrong).simulated(simulator), traces)


def everything_and_more() -> Case:
    """`everything`, and a race of cells from outside, reached by the same input through synapses that learn by a rule from outside."""
    case = everything()
    case.net.add(Population("b", 4, Adaptive(tau=5.0, threshold=0.9, jump=0.13), KWinners(cycle=8.0, k=2)))
    case.net.connect("the input", "b", all_to_all(0.02), plasticity=Oja(0.1))
    return case._replace(stimulus={**case.stimulus, "b": np.linspace(0.1, 0.3, 4).reshape(1, 1, 4)})


@COMPILED
@pytest.mark.slow
@pytest.mark.usefixtures("precompiled")
def test_compiled_brian2_gives_the_same_spikes() -> None:
    """One program for all, since it is the compiler that takes long."""
    case = everything_and_more()
    traces = case.reference(others=OTHERS)
    assert min(trace.margin for trace in traces) > TOLERANCE
    assert min(len(traces[0].spikes[name]) for name in ("a", "a.basket", "b", "b.basket")) > 0
    check(case.simulated("brian2:cpp_standalone"), traces)


@pytest.mark.parametrize("name", ["snntorch", "norse"])
def test_a_library_that_lacks_a_neuron_or_a_rule_says_so(name: str) -> None:
    library(name)
    with pytest.raises(UnsupportedError, match=f"{name} cannot simulate 'a'.*LIF, not Adaptive"):
        raced().simulated(name)
    net = Network()
    net.add(Population("a", 2))
    net.connect("a", "a", all_to_all(0.5), plasticity=Oja())
    learning = Case(net, {"a": np.full((STEPS, 1, 2), 0.6)}, 1)
    if name == "norse":
        with pytest.raises(UnsupportedError, match=r"norse cannot learn 'a->a'.*STDP, not Oja"):
            learning.simulated(name)
    else:
        check(learning.simulated(name), learning.reference(others=OTHERS))


def test_what_has_no_brian2_text_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    library("brian2")
    for kind, who in ((Oja, "learn 'a->b': Oja"), (Adaptive, "simulate 'a': Adaptive")):
        monkeypatch.setattr(kind, "brian2", lambda self, *dt: None)
        with pytest.raises(UnsupportedError, match=f"brian2 cannot {who} has no Brian2 text"):
            raced().simulated("brian2")


def test_nir_says_what_it_cannot_hold() -> None:
    pytest.importorskip("nir")
    with pytest.raises(UnsupportedError, match=r"NIR cannot hold population 'a'.*LIF, not Adaptive"):
        to_nir(raced().net)
    net = Network()
    net.add(Population("a", 2, LIF(reset=0.0)))
    net.connect("a", "a", all_to_all(0.5), plasticity=Oja())
    with pytest.raises(UnsupportedError, match=r"NIR cannot hold 'a->a'.*STDP, not Oja"):
        to_nir(net)


@pytest.mark.slow
def test_the_rate_of_a_neuron_from_outside() -> None:
    """The mean interval of a simulation is within a step of that of `rate`."""
    neuron, currents = Adaptive(jump=0.3), np.linspace(0.02, 1.2, 12)
    net = Network(dt=0.5)
    net.add(Population("cells", len(currents), neuron))
    spikes = simulate(net, {"cells": currents[None]}, 8000)["cells"]
    for cell, rate in enumerate(neuron.rate(currents, 0.5)):
        steps = spikes.step[(spikes.cell == cell) & (spikes.step > 2000)]
        assert (rate > 0) == (len(steps) > 0)
        if rate:
            assert abs(np.diff(steps).mean() * 0.5 - 1000 / rate) <= 0.5


FILE = """
kind = "network"
name = "toys"
inputs = []
[neurons.adaptive]
model = "Adaptive"
jump = 0.5
[rules.oja]
model = "Oja"
rate = 0.2
[populations]
a = { size = 2, neuron = "adaptive" }
[[projections]]
pre = "a"
post = "a"
wiring = "all_to_all"
weight = 0.5
plasticity = "oja"
"""


def test_a_model_file_may_name_what_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "toys.toml"
    path.write_text(FILE)
    with pytest.raises(SpecError, match=r"neurons\.adaptive: no neuron 'Adaptive'; there are LIF, IF_curr_exp"):
        load_network(path)
    for registry, kind in ((NEURONS, Adaptive), (RULES, Oja)):
        monkeypatch.setattr(registry, "_things", dict(registry._things))
        registry.register(kind.__name__, kind)
    net = load_network(path).network()
    assert net.populations["a"].neuron == Adaptive(jump=0.5)
    assert net.projections[0].plasticity == Oja(0.2)
    path.write_text(FILE.replace("jump", "jmup"))
    with pytest.raises(SpecError, match=r"neurons\.adaptive: unknown key 'jmup'"):
        load_network(path)
    with pytest.raises(NetworkError, match="already a neuron 'Adaptive'"):
        NEURONS.register("Adaptive", Adaptive)


def test_what_is_no_neuron_or_rule_is_refused() -> None:
    net = Network()
    with pytest.raises(NetworkError, match="the neuron of population 'a' is 'LIF'"):
        net.add(Population("a", 2, "LIF"))  # type: ignore[arg-type]
    net.add(Population("a", 2))
    with pytest.raises(NetworkError, match="a -> a: 'STDP' is no plasticity rule"):
        net.connect("a", "a", all_to_all(0.5), plasticity="STDP")  # type: ignore[arg-type]


# -- a simulator -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy simulator, registered."""
    monkeypatch.setattr(SIMULATORS, "_things", dict(SIMULATORS._things))
    register(PLAIN)


@pytest.mark.slow
@pytest.mark.usefixtures("plain")
def test_a_simulator_from_outside_runs_every_network_of_the_suite() -> None:
    @settings(LENGTHY, max_examples=25)
    @given(cases())
    def run(case: Case) -> None:
        traces = case.reference()
        assume(min(trace.margin for trace in traces) > TOLERANCE)
        recording = case.simulated("plain")
        check(recording, traces)
        assert recording.events == case.simulated("event").events

    run()


@pytest.mark.slow
@pytest.mark.usefixtures("plain")
def test_a_simulator_from_outside_is_validated_and_timed() -> None:
    (made,) = validate(["spike-cam"], ["plain"])
    assert (made.simulator, made.verdict) == ("plain", "agrees")
    assert made.spikes > 0
    event, plain = bench(50, 5, 20, ["event", "plain"], runs=1)
    assert plain.same
    assert plain.spikes == event.spikes > 0


@pytest.mark.usefixtures("plain")
def test_a_simulator_says_where_it_runs() -> None:
    net = Network()
    net.add(Population("a", 1))
    with pytest.raises(StimulusError, match='"plain" computes in float64; use "torch" for float32'):
        simulate(net, {}, 2, simulator="plain", dtype="float32")
    with pytest.raises(NetworkError, match="\"plain\" runs on the CPU, not on 'cuda'"):
        simulate(net, {}, 2, simulator="plain", device="cuda")
    with pytest.raises(NetworkError, match="already a simulator 'plain'; choose another name"):
        register(PLAIN)
    with pytest.raises(NetworkError, match="already a simulator 'event'"):
        register(replace(PLAIN, name="event"))


def announce(folder: Path, *lines: str) -> None:
    """Put a package that is installed there, with its entry points."""
    info = folder / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spikemem.simulators]\n" + "\n".join(lines))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for packages, which the simulators' registry will look into."""
    monkeypatch.syspath_prepend(tmp_path)
    vars(SIMULATORS).pop("_announced", None)
    yield tmp_path
    vars(SIMULATORS).pop("_announced", None)


@pytest.mark.slow
def test_a_package_brings_a_simulator_by_its_entry_point(installed: Path) -> None:
    announce(installed, "plain = tests.crosscheck.toys.plain:PLAIN")
    net = Network()
    net.add(Population("a", 1))
    assert simulate(net, {"a": [0.3]}, 12, simulator="plain")["a"].step.tolist() == [3, 7, 11]
    assert f"| `plain` | {PLAIN.description} | CPU; float64 | - | - |" in table().splitlines()
    for command in (["simulate"], ["validate"], ["bench", "simulate"]):
        shown = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "300"})
        assert "|plain]" in shown.stdout, command


def test_names_of_simulators_are_unique_and_must_load(installed: Path) -> None:
    announce(installed, "event = tests.crosscheck.toys.plain:PLAIN", "gone = tests.no_such_module:PLAIN")
    assert list(SIMULATORS).count("event") == 1
    with pytest.raises(NetworkError, match="more than one simulator is called 'event': of spikemem or this process and of tests"):
        SIMULATORS["event"]
    with pytest.raises(NetworkError, match=r"'gone' \(tests.no_such_module:PLAIN\) cannot be loaded"):
        SIMULATORS["gone"]


def test_a_broken_package_spoils_nothing_but_itself(installed: Path) -> None:
    announce(installed, "gone = tests.no_such_module:PLAIN", "number = math:pi", "other = tests.crosscheck.toys.plain:PLAIN")
    for name, problem in (("number", "and no simulator of the name 'number'"), ("other", "and no simulator of the name 'other'")):
        with pytest.raises(NetworkError, match=problem):
            SIMULATORS[name]
    with pytest.warns(UserWarning, match="gone") as told:
        assert defaults()[0] == "event"
    assert len(told) == 3
    with pytest.warns(UserWarning, match="gone"):
        assert not {"gone", "number", "other"} & set(table().split("`"))


@pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")
def test_a_constant_that_brian2_would_shadow_is_refused() -> None:
    @dataclass(frozen=True)
    class Shadowed(Adaptive):
        def brian2(self, dt: float) -> Brian2Neuron:
            plain = super().brian2(dt)
            return plain._replace(numbers={**plain.numbers, "i": 2.0})

    net = Network()
    net.add(Population("a", 2, Shadowed()))
    with pytest.raises(NetworkError, match="Brian2 reads i as its own; give the constants of Brian2Neuron other names"):
        simulate(net, {"a": [0.3]}, 4, simulator="brian2")


def test_the_table_names_every_simulator_and_what_it_lacks() -> None:
    rows = table().splitlines()
    assert [row.split("`")[1] for row in rows[2:]] == list(SIMULATORS)
    assert all(row.count("|") == rows[0].count("|") for row in rows)
    assert any("nearest-neighbour" in row for row in rows if "`norse`" in row)


def test_a_registry_forgets_what_is_removed() -> None:
    registry = Registry("fruit", "spikemem.fruits", {"apple": 1})
    registry.register("pear", 2)
    registry.remove("pear")
    with pytest.raises(NetworkError, match="no fruit 'pear'; there are apple"):
        registry["pear"]

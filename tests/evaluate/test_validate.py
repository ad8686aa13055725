"""`validate`: what agrees, what a difference looks like, and what cannot be compared."""

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spikemem import LIF, ModelSpec, load_model, simulate
from spikemem.cli import app
from spikemem.errors import NetworkError
from spikemem.evaluate import validate as suite
from spikemem.evaluate.validate import Probe, compared, model_file_names, probes, validate
from spikemem.simulators.registry import defaults
from spikemem.simulators.torch_loop import run as torch_loop
from spikemem.simulators.torch_loop.cells import Cells

CHAIN = """
kind = "network"
name = "chain"
inputs = ["in"]
[neurons.plain]
model = "LIF"
refractory = 2.0
[populations]
in = { size = 8, neuron = "plain" }
out = { size = 8, neuron = "plain" }
[[projections]]
pre = "in"
post = "out"
wiring = "sparse_random"
fan_in = 4
weight = 0.6
"""


SILENT = {"replay", "ca1_dendrite.basket"}  # in a recall of few memories


@pytest.fixture
def chain(tmp_path: Path) -> str:
    path = tmp_path / "chain.toml"
    path.write_text(CHAIN, encoding="utf-8")
    return str(path)


LARGE = {"hippocampus-base", "hippocampus-engram", "hippocampus-engram-linked", "hippocampus-engram-trained", "hippocampus-trained"}
"""Models whose small versions are compared instead: hippocampus-small, and in test_ec_weights."""


def probe(model: str) -> Probe:
    return next(probes(model))


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch, small: ModelSpec) -> None:
    """Models of texts with the dentate gyrus and CA3 of hippocampus-small."""

    def load(name: str) -> ModelSpec:
        spec = load_model(name)
        dg = spec.dg.model_copy(update={"cells": small.dg.cells, "winners": small.dg.winners})
        return spec.model_copy(update={"dg": dg, "ca3": small.ca3}) if spec.lex is not None else spec

    monkeypatch.setattr(suite, "load_model", load)


@pytest.mark.slow
@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("model", [m for m in model_file_names() if m not in LARGE])
def test_every_model_agrees_in_every_simulator(model: str) -> None:
    for name in ("snntorch", "norse", "brian2"):
        pytest.importorskip(name)
    for given in probes(model):
        if model == "hippocampus-gated" and given.name != "gates":
            continue  # the same as that of hippocampus-text, as the next test says
        reference = given.run("event")
        silent = SILENT | ({"ca3.basket", "ec_deep"} if given.name == "store" else set())  # mossy fibres fire fewer than may win
        assert {name for name, spikes in reference.spikes.items() if not len(spikes)} <= silent
        found = {simulator: compared(given, reference, 1.0, simulator).verdict for simulator in defaults()[1:]}
        lacks = {"norse": "cannot"} if given.name == "store" else {}  # it has no rule but STDP
        if "ca3_basket" in given.net.populations:
            lacks["snntorch"] = "cannot"  # its cells are not refractory
        assert found == dict.fromkeys(defaults()[1:], "agrees") | lacks


@pytest.mark.slow
@pytest.mark.usefixtures("smaller")
def test_a_gated_model_recalls_as_that_of_texts_does() -> None:
    """The same populations, synapses and stimuli, so that simulators need to be compared on one of the two."""
    gated, plain = ({p.name: p for p in probes(model)} for model in ("hippocampus-gated", "hippocampus-text"))
    assert gated.keys() - plain.keys() == {"gates"}
    for name, probe in plain.items():
        assert gated[name].steps == probe.steps
        assert gated[name].net.populations == probe.net.populations
        for ours, theirs in zip(gated[name].net.projections, probe.net.projections, strict=True):
            assert (ours.name, ours.delay, ours.first, ours.efficacy) == (theirs.name, theirs.delay, theirs.first, theirs.efficacy)
            assert pickle.dumps(ours.synapses) == pickle.dumps(theirs.synapses)
        for population, driven in probe.stimulus.items():
            np.testing.assert_array_equal(gated[name].stimulus[population], driven)


def test_a_hippocampus_is_probed_by_recall_and_chain() -> None:
    made = list(probes("hippocampus-small"))
    assert [p.name for p in made] == ["recall", "chain"]
    slow = [sum(q.pre == q.post == "ca3" for q in p.net.projections) for p in made]
    assert slow == [1, 2]


@pytest.mark.slow
def test_a_difference_is_found_and_placed(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulator with another time constant: the first spike that differs, where it is, and how near to threshold."""
    given = probe(chain)
    reference = given.run("event")
    leaks: Callable[..., object] = Cells.step
    monkeypatch.setattr(
        Cells,
        "step",
        lambda self, p: leaks(self, replace(p, neuron=replace(p.neuron, tau=2.0))),  # 20 in the description
    )
    check = compared(given, reference, 1.0, "torch")
    assert check.verdict == "differs"
    assert check.different > 0
    assert check.voltage > suite.TOLERANCE
    assert check.first is not None
    assert (check.first.population, check.first.in_reference) == ("out", True)
    spikes = reference["out"]
    first = int(np.flatnonzero((spikes.step == check.first.step) & (spikes.cell == check.first.cell))[0])
    assert check.first.distance == reference.voltages["out"][spikes.step[first], 0, spikes.cell[first]] - LIF().threshold
    assert "spikes in event" in str(check.first)


@pytest.mark.slow
def test_a_voltage_beyond_the_tolerance_is_a_difference(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = probe(chain)
    reference = given.run("event")
    monkeypatch.setattr(suite, "simulate", lambda *args, **options: nudged(*args, **options))
    assert compared(given, reference, 1.0, "torch").voltage == pytest.approx(1e-8, rel=1e-3)
    assert compared(given, reference, 1.0, "torch").verdict == "differs"


def nudged(*args: object, **options: object) -> object:
    made = simulate(*args, **options)  # type: ignore[arg-type]
    return replace(made, voltages={name: v + 1e-8 for name, v in made.voltages.items()})


def test_what_a_simulator_lacks_is_no_difference(chain: str) -> None:
    pytest.importorskip("snntorch")
    (check,) = validate([chain], ["snntorch"])
    assert check.verdict == "cannot"
    assert "refractoriness" in check.lacks
    result = CliRunner().invoke(app, ["validate", chain, "--simulator", "snntorch"])
    assert result.exit_code == 1  # nothing was compared


def test_an_error_that_is_no_lack_is_not_taken_for_one(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise NetworkError("a regression")

    given = probe(chain)
    reference = given.run("event")
    monkeypatch.setattr(torch_loop, "run", broken)
    with pytest.raises(NetworkError, match="a regression"):
        compared(given, reference, 1.0, "torch")


@pytest.mark.slow
def test_nan_is_a_difference(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = probe(chain)
    reference = given.run("event")
    monkeypatch.setattr(suite, "simulate", lambda *args, **options: blank(*args, **options))
    check = compared(given, reference, 1.0, "torch")
    assert np.isnan(check.voltage)
    assert check.verdict == "differs"


def blank(*args: object, **options: object) -> object:
    made = simulate(*args, **options)  # type: ignore[arg-type]
    return replace(made, voltages={name: v if name == "in" else np.full_like(v, np.nan) for name, v in made.voltages.items()})


def test_a_lost_race_and_a_doubled_spike_are_placed() -> None:
    """Under KWinners no distance is told, since the loser has been silenced; a spike told twice is one difference."""
    given = probe("hippocampus-small")
    reference = given.run("event")
    dg = reference["dg"]
    last = replace(dg, cell=np.append(dg.cell[:-1], (dg.cell[-1] + 1) % dg.size))
    found = suite._mismatch(given, reference, replace(reference, spikes={**reference.spikes, "dg": last}))
    assert found[0] == 2
    assert found[1] is not None
    assert (found[1].population, found[1].distance) == ("dg", None)
    twice = replace(dg, step=np.append(dg.step, dg.step[-1]), batch=np.append(dg.batch, dg.batch[-1]), cell=np.append(dg.cell, dg.cell[-1]))
    assert suite._mismatch(given, reference, replace(reference, spikes={**reference.spikes, "dg": twice}))[0] == 1


@pytest.mark.slow
def test_the_command_prints_a_table_and_json(chain: str) -> None:
    run = CliRunner().invoke
    shown = run(app, ["validate", chain, "--simulator", "torch"])
    assert shown.exit_code == 0
    assert "agrees" in shown.stdout
    (row,) = json.loads(run(app, ["validate", chain, "--simulator", "torch", "--json"]).stdout)
    assert (row["verdict"], row["different"], row["simulator"]) == ("agrees", 0, "torch")


@pytest.mark.slow
def test_the_command_exits_with_1_on_a_difference(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "simulate", lambda *args, **options: nudged(*args, **options))
    reference = CliRunner().invoke(app, ["validate", chain, "--simulator", "torch"])
    assert reference.exit_code == 0  # both nudged alike
    monkeypatch.setattr(suite, "simulate", lambda *args, simulator, **options: (nudged if simulator == "torch" else simulate)(
        *args, simulator=simulator, **options
    ))  # fmt: skip
    differs = CliRunner().invoke(app, ["validate", chain, "--simulator", "torch"])
    assert differs.exit_code == 1
    assert "differs" in differs.stdout


def test_bad_names_exit_with_2() -> None:
    for arguments, said in ((["spike-ram"], "no model"), (["spike-cam", "--simulator", "abacus"], "no simulator 'abacus'")):
        result = CliRunner().invoke(app, ["validate", *arguments])
        assert result.exit_code == 2, result.stdout
        assert said in result.stderr


def test_a_missing_library_is_said(chain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "norse", None)
    (check,) = validate([chain], ["norse"])
    assert "pip install" in check.lacks

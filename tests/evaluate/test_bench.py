"""Timings: what is compared is the same work, and the table says so."""

import json
import sys

import pytest
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.evaluate.bench import recurrent, simulators
from spikemem.simulators.registry import simulate


def test_the_network_of_the_bench_is_about_one_per_cent_active() -> None:
    net, stimulus = recurrent(cells=2000, fan_in=100, steps=200, seed=0)
    assert net.projections[0].synapses.count == 200_000
    assert 0.003 < len(simulate(net, stimulus, 200)["cells"]) / (2000 * 200) < 0.03


@pytest.mark.slow
def test_simulators_are_timed_side_by_side() -> None:
    told: list[str] = []
    event, torch = simulators(300, 10, 100, ["event", "torch"], runs=3, progress=told.append)
    assert (event.ratio, event.same, torch.same) == (1.0, True, True)
    assert torch.ratio == pytest.approx(torch.seconds / event.seconds)
    assert event.spikes == torch.spikes > 0
    assert event.compile_seconds is None
    assert told == ["building 300 cells with 10 synapses each", "event", "torch"]


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "norse", None)
    event, norse = simulators(50, 5, 20, ["event", "norse"], runs=1)
    assert not event.lacks
    assert "pip install" in norse.lacks


@pytest.mark.slow
def test_the_command_prints_ratios() -> None:
    options = ["--cells", "100", "--fan-in", "5", "--steps", "30", "--runs", "1", "--simulator", "event", "--simulator", "torch"]
    shown = CliRunner().invoke(app, ["bench", "simulate", *options])
    assert shown.exit_code == 0
    assert "100 cells, 5 synapses each" in shown.stdout
    rows = json.loads(CliRunner().invoke(app, ["bench", "simulate", *options, "--json"]).stdout)["simulators"]
    assert [row["simulator"] for row in rows] == ["event", "torch"]
    bad = CliRunner().invoke(app, ["bench", "simulate", "--simulator", "abacus"])
    assert (bad.exit_code, "no simulator 'abacus'" in bad.stderr) == (2, True)

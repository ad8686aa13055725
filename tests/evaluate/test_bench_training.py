"""The training that is timed is one training: the same spikes, gradients and losses in every way."""

import json

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.evaluate import bench_training as bench
from spikemem.evaluate.bench_training import Curves, PlainLoop, curves, layers, throughput

CELLS = (20, 30, 10)


def test_every_way_has_the_same_spikes_and_gradients() -> None:
    made = []
    spikes, rates = bench.task(8, 12, CELLS, seed=0)
    for build in (lambda: PlainLoop(CELLS), lambda: layers(nn.Linear, False, CELLS), lambda: layers(nn.Linear, True, CELLS), layers_of):
        torch.manual_seed(0)
        model = build()
        found = model(4 * spikes.transpose(0, 1))
        bench.loss(model, (4 * spikes, rates)).backward()
        weights = [p.grad for p in model.parameters() if p.ndim == 2]
        made.append((found.detach(), *weights))
    assert made[0][0].sum() > 50
    for others in made[1:]:
        assert torch.equal(made[0][0], others[0])
        for a, b in zip(made[0], others, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-7)


def layers_of() -> nn.Module:
    return layers(cells=CELLS)


def test_ways_are_timed_side_by_side() -> None:
    told: list[str] = []
    rows = throughput(runs=3, batch=4, steps=5, cells=CELLS, progress=told.append)
    assert [row.name for row in rows] == [bench.PLAIN, bench.LAYERWISE, bench.FUSED, bench.ONEDNN]
    assert rows[0].ratio == 1.0
    for row in rows:
        assert row.ratio == pytest.approx(rows[0].seconds / row.seconds)
        assert row.samples == pytest.approx(4 / row.seconds)
        assert row.loss == pytest.approx(rows[0].loss, rel=1e-5)
        assert row.memory is None
    assert told[-1] == "3 steps each, in turn"


@pytest.mark.slow
def test_loss_curves_of_two_ways_stay_together() -> None:
    exact, rough = curves(count=15, batch=8, steps=10, cells=CELLS)
    assert (exact.dtype, rough.dtype, len(exact.losses)) == ("float64", "float32", 15)
    assert exact.losses[-1] < exact.losses[0]
    assert (exact.together, exact.apart.max() < 1e-9) == (15, True)
    assert rough.together >= 5
    assert rough.apart.max() < 0.05


def test_curves_that_part_say_where() -> None:
    parted = Curves("float32", [1.0, 0.5, 0.44], [1.0, 0.5, 0.4])
    assert parted.together == 2
    assert parted.json()["largest"] == pytest.approx(0.1)


@pytest.mark.slow
def test_the_command_prints_samples_a_second_and_curves() -> None:
    small = ["--hidden", "20", "--batch", "4", "--steps", "5", "--runs", "1"]
    shown = CliRunner().invoke(app, ["bench", "train", *small])
    assert shown.exit_code == 0
    assert "384 -> 20 -> 384 cells, 5 steps, batch 4, on cpu" in shown.stdout
    assert "samples/s" in shown.stdout
    told = json.loads(CliRunner().invoke(app, ["bench", "train", *small, "--json"]).stdout)
    assert [row["name"] for row in told["ways"] if row["ratio"] == 1.0] == [bench.PLAIN]
    assert [(row["row"], row["bar"], row["equal"]) for row in told["rows"]] == [("training step", 2.0, True)]
    apart = json.loads(CliRunner().invoke(app, ["bench", "train", *small, "--curve", "5", "--json"]).stdout)
    assert [(row["dtype"], len(row["losses"]), row["together"]) for row in apart] == [("float64", 5, 5), ("float32", 5, 5)]
    bad = CliRunner().invoke(app, ["bench", "train", "--device", "abacus"])
    assert (bad.exit_code, "'abacus' is not to be had here" in bad.stderr) == (2, True)

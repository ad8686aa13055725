"""Two processes on one machine, started by torchrun with gloo, train as one does with the same total batch."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import distributed, nn

from spikemem import LIF
from spikemem.errors import TrainingError
from spikemem.learn import Settings, fit
from spikemem.learn.distributed import leads
from spikemem.learn.layers import SpikingLayer
from tests.learn.test_loop import data, held_out, loss

pytestmark = pytest.mark.skipif(not distributed.is_available(), reason="this torch has no torch.distributed")

SETTINGS = Settings(epochs=3, batch=16, lr=1e-2, device="cpu", warmup=3)
ROOT = Path(__file__).parents[2]

PROCESS = """
import json, os, sys
from pathlib import Path
from dataclasses import replace
import torch
torch.set_num_threads(1)
from tests.learn.test_distributed import SETTINGS, network
from tests.learn.test_loop import data, held_out, loss
from spikemem.learn.loop import fit

folder, model, told = Path(sys.argv[1]), network(), []
chosen = replace(SETTINGS, checkpoint=folder / "kept")
history = fit(model, data(101), loss, chosen, validate=held_out, on_epoch=lambda epoch: told.append(epoch.number))
made = {"losses": history.losses, "validation": history.validation, "samples": history.samples, "told": told,
        "health": [[f.name, f.value] for f in history.health], "weight": model[0].weight.tolist()}
made["again"] = fit(network(), data(101), loss, SETTINGS, validate=held_out).losses
made["gone on"] = fit(network(), data(101), loss, chosen, validate=held_out).losses
(folder / (os.environ["RANK"] + ".json")).write_text(json.dumps(made))
"""


class Mean(nn.Module):
    """The mean over time, and a window of 8 steps before it."""

    def __init__(self, expand: bool) -> None:
        super().__init__()
        self.expand = expand

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.expand(8, *x.shape) if self.expand else x.mean(0)


def network() -> nn.Sequential:
    """Linear, spiking cells of which a quarter is dead, counts, linear."""
    torch.manual_seed(7)
    cells = SpikingLayer(40, LIF(threshold=0.5))
    cells.threshold_0[:10] = 1e3
    return nn.Sequential(nn.Linear(6, 40), Mean(True), cells, Mean(False), nn.Linear(40, 2))


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path: Path) -> None:
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    (tmp_path / "process.py").write_text(PROCESS)
    done = subprocess.run(
        [*run, str(tmp_path / "process.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert (first["told"], second["told"]) == ([1, 2, 3], [])
    for name in ("losses", "validation", "weight", "health", "samples"):
        assert first[name] == second[name], name
    assert first["health"] == [["dead cells", 0.25]]
    for made in (first, second):  # a process may train more than once
        assert made["again"] == made["gone on"] == made["losses"]

    model = network()
    alone = fit(model, _even(), loss, SETTINGS, validate=held_out)
    assert len(alone.losses) == len(first["losses"]) == 3 * 7
    assert first["samples"] == 3 * 100
    np.testing.assert_allclose(first["losses"], alone.losses, rtol=1e-4)
    np.testing.assert_allclose(first["weight"], model[0].weight.detach(), atol=1e-4)


def _even() -> Any:
    """The rows that two processes share of 101: in each epoch the last of its order is left out."""
    x, y = data(101)

    def epoch(generator: torch.Generator) -> list[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(101, generator=generator)[:100]
        return [(x[rows], y[rows]) for rows in order.split(SETTINGS.batch)]

    return epoch


@pytest.mark.slow
def test_one_process_started_by_torchrun_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fit(network(), data(), loss, SETTINGS)
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    try:
        assert [fit(network(), data(), loss, SETTINGS).losses for _ in range(2)] == [plain.losses] * 2
    finally:
        distributed.destroy_process_group()


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from spikemem.learn import distributed as team
    from spikemem.learn import loop as learn

    training = learn._Training(network(), data(), loss, replace(SETTINGS, batch=15), team.Team(0, 1, torch.device("cpu")))
    monkeypatch.setattr(training, "team", team.Team(0, 2, torch.device("cpu")))
    with pytest.raises(TrainingError, match="15 rows cannot be shared equally by 2 processes"):
        training.batches(0)


@pytest.mark.parametrize(("variables", "first"), [({}, True), ({"RANK": "1"}, True), ({"RANK": "0", "WORLD_SIZE": "2"}, True),
                                                  ({"RANK": "1", "WORLD_SIZE": "2"}, False)])  # fmt: skip
def test_the_first_of_all_processes_leads(variables: dict[str, str], first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert leads() == first

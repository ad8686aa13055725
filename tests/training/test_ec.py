"""The recipe of EC's code: what it learns, what it bounds, and that it is the model that was trained."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.errors import TrainingError
from spikemem.hippocampus.codes import VolleyCode, fidelity, on_off
from spikemem.memory import embed
from spikemem.training import ec
from tests.fakes import FakeEmbedder, units

SHORT = replace(ec.SETTINGS, epochs=2, batch=64)
COUNTED = on_off(384, ec.CHARGE)


def test_it_begins_with_the_analytic_code() -> None:
    """Before training n is the analytic count times what a spike counts, but for the leak, and for spikes after the eighth step."""
    x, model = units(50), ec.CodeModel(384)
    with torch.no_grad():
        n, spikes = model(torch.as_tensor(x))
    counted = COUNTED.counts(COUNTED.encode(x))
    assert np.abs(n.numpy() - ec.UNIT * counted).max() <= 2 * ec.UNIT
    assert (n.numpy() == ec.UNIT * counted).mean() > 0.9
    assert spikes.mean().item() == pytest.approx(np.abs(counted).sum(axis=1).mean(), rel=0.05)


@pytest.mark.slow
def test_training_beats_the_analytic_code_of_as_many_spikes() -> None:
    """On random vectors, which share nothing but their size, and of others than those it was trained on."""
    x = units(4000, dim=64)
    made = ec.train(x[:3000], replace(SHORT, epochs=12))
    after = fidelity(made.code, x[3000:])
    before = fidelity(on_off(64, after.spikes / 64 / math.sqrt(2 / math.pi)), x[3000:])
    assert before.spikes == pytest.approx(after.spikes, rel=0.05)
    assert 1 - after.cosine < 0.7 * (1 - before.cosine)
    assert after.dead == 0
    assert made.first.losses[-1] < made.first.losses[0]


def test_a_checkpoint_of_another_penalty_or_other_texts_is_refused(tmp_path: Path) -> None:
    x, kept = units(100, dim=16), replace(SHORT, epochs=1, checkpoint=tmp_path)
    made = ec.train(x, kept)
    assert ec.train(x, kept).then.losses == made.then.losses
    with pytest.raises(TrainingError, match=r"is of EC's code, 8 steps, a spike at 2e-05, .*, not of EC's code, 8 steps, a spike at 0.1"):
        ec.train(x, kept, penalty=0.1)
    with pytest.raises(TrainingError, match=r"from 100 texts \w{8}; give another folder"):
        ec.train(x[::-1].copy(), kept)


@pytest.mark.parametrize("penalty", [-1e-9, math.nan, math.inf])
def test_a_penalty_out_of_its_range_is_refused(penalty: float) -> None:
    with pytest.raises(TrainingError, match=f"the penalty of a spike is {penalty}; it must be finite, and at least 0"):
        ec.train(units(20, dim=16), SHORT, penalty)


def test_the_code_is_the_model() -> None:
    """Folding thresholds into the drive changes no spike but those within a rounding of threshold."""
    x, model = units(200), ec.CodeModel(384)
    with torch.no_grad():
        assert model.cells.log_threshold is not None
        model.cells.log_threshold.normal_(0.0, 0.1, generator=torch.Generator().manual_seed(0))
        model.weight.copy_(torch.tensor([3.2, 3.0, 2.8, 2.0, 2.0, 1.0, 1.4, 1.0]))
        model.settle()
        n, _ = model(torch.as_tensor(x))
    code = model.code()
    mine = code.counts(code.encode(x))
    assert code.efficacy.tolist() == [3, 3, 3, 2, 2, 1, 1, 1]
    assert np.abs(mine).max() <= ec.MOST
    assert (mine == n.numpy())[np.abs(n.numpy()) < ec.MOST - 2].mean() > 0.995


def test_n_stays_within_what_deep_ec_can_answer() -> None:
    code = ec.train(units(500, dim=64), SHORT).code
    assert np.abs(code.counts(code.encode(np.eye(64)))).max() <= ec.MOST
    assert np.abs(code.counts(code.encode(units(500, seed=4, dim=64)))).max() <= ec.MOST


def test_too_few_texts_are_told() -> None:
    with pytest.raises(TrainingError, match="too few"):
        ec.train(units(3), SHORT)


@pytest.mark.slow
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "SentenceEmbedder", FakeEmbedder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    for name in ("a", "b"):
        (tmp_path / "texts" / f"{name}.txt").write_text("\n".join(f"{name} says {i}" for i in range(60)))
    (tmp_path / "other.txt").write_text("\n".join(f"another {i}" for i in range(20)))
    said = ["train", "ec", "--data", "texts", "--test", "other.txt", "--epochs", "1", "--out", "ec.safetensors", "--json"]
    result = CliRunner().invoke(app, said)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["text"], row["code"]) for row in rows] == [(t, c) for t in ("texts", "other.txt") for c in ("analytic", "trained")]
    assert VolleyCode.load(tmp_path / "ec.safetensors").dim == FakeEmbedder().dim
    empty = CliRunner().invoke(app, ["train", "ec", "--data", str(tmp_path / "nowhere.txt")])
    assert empty.exit_code == 2

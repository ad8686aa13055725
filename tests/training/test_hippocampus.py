"""The training of the engram circuit: where it starts, what an episode holds, what it learns, and that it goes on where it stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.errors import TrainingError
from spikemem.hippocampus.regions.dg_trained import trained_shape
from spikemem.memory import embed
from spikemem.training import hippocampus as recipe
from tests.fakes import FakeEmbedder

SMALL = recipe.EpisodeSize(cells=128, winners=16, core=10, memories=40, cues=20, rising=(60, 40, 20, 10, 10))
SHORT = replace(recipe.SETTINGS, epochs=2, device="cpu")
D = 32


def texts(n: int = 80) -> NDArray[np.float32]:
    """Unit vectors that vary in their first half alone, but for a little, which the noise of cues hides."""
    x = np.random.default_rng(0).normal(size=(n, D)) * np.repeat([1.0, 0.1], D // 2)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def model() -> recipe.EpisodeModel:
    return recipe.EpisodeModel(torch.as_tensor(texts()), SMALL, seed=0)


def drawn() -> recipe.Episode:
    return recipe.episode(torch.as_tensor(texts()), SMALL, torch.Generator().manual_seed(0))


def test_it_begins_with_drawn_synapses_of_equal_variance() -> None:
    made = model()
    with torch.no_grad():
        assert torch.allclose(made.shape(), torch.eye(D), atol=1e-5)
        drive = (torch.as_tensor(texts()) - made.mean) @ made.weights().T
    assert drive.var(0, unbiased=False).numpy() == pytest.approx(np.ones(SMALL.cells), rel=1e-3)
    np.testing.assert_array_equal(recipe.untrained(D).shape, np.eye(D))


def test_an_episode_has_degraded_cues_of_its_own_memories() -> None:
    memories, cues, own, engrams = drawn()
    cosine = (cues * memories[own]).sum(1)
    assert cosine.min() >= 0.5 - 1e-5
    assert cosine.max() <= 0.8 + 1e-5
    assert torch.allclose(cues.norm(dim=1), torch.ones(len(cues)), atol=1e-5)
    assert (engrams.sum(1) == SMALL.core).all()
    assert (engrams.sum(0).max() - engrams.sum(0).min()) <= 3


def test_the_whole_episode_runs_in_one_bit_synapses() -> None:
    """With undegraded cues the engram of the own memory fires, and deep EC says it."""
    memories, _, own, engrams = drawn()
    with torch.no_grad():
        voltages, said = model()(memories, memories[own], engrams)
    assert len(voltages) == len(SMALL.rising)
    right = ((voltages[-1] @ engrams.T).argmax(1) == own).float().mean()
    assert right > 0.9
    assert torch.cosine_similarity(said, memories[own]).mean() > 0.8
    assert (voltages[0] == voltages[0].round()).all()


def test_the_gradient_reaches_dg_through_store_and_recall() -> None:
    made = model()
    recipe.loss(made, drawn()).backward()
    assert made.gain.grad is not None
    assert (made.gain.grad.abs() > 0).all()


def test_cues_are_at_their_cosine() -> None:
    x = texts()
    np.testing.assert_allclose((recipe.degraded(x, 0.6, np.random.default_rng(0)) * x).sum(1), 0.6, atol=1e-5)


@pytest.mark.slow
def test_a_training_that_stopped_goes_on_to_the_same_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recipe.train(texts(), SHORT, SMALL)
    kept, episodes = replace(SHORT, checkpoint=tmp_path), []

    def dies(model: nn.Module, one: recipe.Episode) -> torch.Tensor:
        episodes.append(one)
        if len(episodes) == recipe.EPISODES + 4:  # in the second epoch; two episodes validate the first
            raise KeyboardInterrupt
        return loss(model, one)

    loss = recipe.loss
    monkeypatch.setattr(recipe, "loss", dies)
    with pytest.raises(KeyboardInterrupt):
        recipe.train(texts(), kept, SMALL)
    monkeypatch.setattr(recipe, "loss", loss)
    again = recipe.train(texts(), kept, SMALL)
    assert again.history.losses == whole.history.losses
    np.testing.assert_array_equal(again.shape, whole.shape)


@pytest.mark.slow
def test_training_prefers_axes_above_the_noise() -> None:
    """Cues are degraded alike in all directions: those in which texts differ most say most."""
    size = recipe.EpisodeSize(cells=512, winners=32, core=20, memories=100, cues=100, rising=(120, 80, 40, 20, 20))
    made = recipe.train(texts(600), replace(SHORT, epochs=6), size)
    assert made.gains[8:].min() > made.gains[:8].max()
    assert min(made.history.validation) < made.history.validation[0]
    assert np.abs(made.shape - np.eye(D)).max() > 0.05


def test_too_few_texts_are_told() -> None:
    with pytest.raises(TrainingError, match="too few"):
        recipe.train(texts(3), SHORT, SMALL)


@pytest.mark.slow
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "SentenceEmbedder", FakeEmbedder)
    monkeypatch.setattr(recipe.train, "__defaults__", (recipe.SETTINGS, SMALL, None))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.txt").write_text("\n".join(f"this is said {i}" for i in range(60)))
    given = ["train", "hippocampus", "--data", "texts.txt", "--epochs", "1", "--model", "hippocampus-engram-small", "--json"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["synapses"], row["cosine"]) for row in rows] == [(s, c) for s in ("drawn", "trained") for c in (0.8, 0.7, 0.6)]
    dim = FakeEmbedder().dim
    assert trained_shape(str(tmp_path / "dg.safetensors"), dim).shape == (dim, dim)

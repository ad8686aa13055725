"""Weights and checkpoints that are of the right format and hold something else."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from spikemem import learn, snapshot
from spikemem.errors import SnapshotError
from spikemem.learn.checkpoints import FILE, TRAINING
from spikemem.snapshot import WEIGHTS, load_arrays, save_arrays

DATA = (torch.ones(4, 2),)


def fitted(folder: Path, epochs: int) -> learn.History:
    settings = learn.Settings(epochs=epochs, device="cpu", checkpoint=folder, of="ones")
    return learn.fit(nn.Linear(2, 1), DATA, lambda m, b: m(b[0]).mean() ** 2, settings, progress=lambda done, whole: None)


def test_weights_without_metadata_are_named(tmp_path: Path) -> None:
    layer = learn.SpikingLayer(2)
    arrays, _ = load_arrays(learn.save(tmp_path / "a.safetensors", layer), WEIGHTS)
    for head in ({}, {"metadata": 3}):
        path = save_arrays(tmp_path / "b.safetensors", arrays, {"format": WEIGHTS, **head})
        with pytest.raises(SnapshotError, match="holds no `metadata`"):
            learn.load(path, layer)


@pytest.mark.parametrize(
    ("name", "value"),
    [("epoch", None), ("epoch", -1), ("epoch", True), ("seconds", "long"), ("samples", 1.5), ("settings", []), ("settings", None)],
)
def test_a_checkpoint_with_another_head_is_named(tmp_path: Path, name: str, value: Any) -> None:
    fitted(tmp_path, 1)
    arrays, head = load_arrays(tmp_path / FILE, TRAINING)
    save_arrays(tmp_path / FILE, arrays, {**head, name: value})
    with pytest.raises(SnapshotError, match="holds no state of a training that can be used"):
        fitted(tmp_path, 1)


@pytest.mark.parametrize("name", ["losses", "validation", "optimiser.0.exp_avg", "optimiser.1.step"])
def test_a_checkpoint_without_an_array_or_of_another_shape_is_named(tmp_path: Path, name: str) -> None:
    fitted(tmp_path, 1)
    arrays, head = load_arrays(tmp_path / FILE, TRAINING)
    for made in (
        {n: a for n, a in arrays.items() if n != name},
        {**arrays, name: np.zeros((3, 7))},
        {**arrays, "optimiser.9.step": np.zeros(())},
    ):
        save_arrays(tmp_path / FILE, made, head)
        with pytest.raises(SnapshotError, match="holds no state of a training that can be used"):
            fitted(tmp_path, 1)


def test_what_is_no_json_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="must be JSON-able"):
        learn.save(tmp_path / "a.safetensors", learn.SpikingLayer(2), note=object())


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "", "y/" * 3000, 3, None])
def test_a_path_that_no_system_has_is_named(path: Any) -> None:
    for call in (lambda: snapshot.load_arrays(path, WEIGHTS), lambda: snapshot.save_arrays(path, {}, {})):
        with pytest.raises(SnapshotError, match="path is"):
            call()

"""Weights, and the state of a training, as safetensors files: nothing is pickled, and a file appears whole or not at all."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from spikemem._checks import Checks
from spikemem.errors import SnapshotError, TrainingError
from spikemem.snapshot import WEIGHTS, contents, load_arrays, save_arrays

MOMENTS = {"step", "exp_avg", "exp_avg_sq"}
"""What AdamW keeps of each parameter."""
check = Checks(SnapshotError)
TRAINING = "spikemem-training-1"
FILE = "training.safetensors"
"""The file of a training's state in its folder."""

Arrays = dict[str, NDArray[np.generic]]
Weights = dict[str, Tensor]


def save(path: str | Path, model: nn.Module, **metadata: Any) -> Path:
    """Write a model's parameters and buffers with a checksum.   metadata: JSON-able, to be read back.

    Raises SnapshotError where it cannot be written.
    """
    check.instance(model, "model", nn.Module, "give the torch module whose weights are saved")
    return save_arrays(path, _arrays(model.state_dict()), {"metadata": metadata, "format": WEIGHTS})


def load(path: str | Path, model: nn.Module) -> dict[str, Any]:
    """Read what `save` wrote into a model of the same names and shapes, and return its metadata.

    Raises SnapshotError where the file is missing, damaged, something else, of another model, or holds a weight that is NaN or infinite;
    the model is then as it was.
    """
    check.instance(model, "model", nn.Module, "give the torch module into which the weights are read")
    arrays, head = load_arrays(path, WEIGHTS)
    metadata = head.get("metadata")
    if not isinstance(metadata, dict):
        raise SnapshotError(f"{path} holds no `metadata`, and so is no file that `save` wrote; take another file, or train anew")
    _fill(path, model, arrays)
    return metadata


@dataclass
class State:
    """The state of a training between two epochs, apart from its model's and optimiser's.   settings: those that decide the result."""

    settings: dict[str, Any]
    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: float = 0.0
    samples: int = 0
    best: Weights | None = None
    metrics: list[dict[str, float]] = field(default_factory=list)


def write_state(folder: Path, state: State, model: nn.Module, optimiser: Optimizer) -> None:
    """Write the state of a training with its model's and its optimiser's, in place of the one before."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"the folder {folder} for checkpoints cannot be made ({error}); give another") from error
    arrays = {f"model.{name}": array for name, array in _arrays(model.state_dict()).items()}
    arrays |= {f"best.{name}": array for name, array in _arrays(state.best or {}).items()}
    for i, values in optimiser.state_dict()["state"].items():
        arrays |= {f"optimiser.{i}.{name}": array for name, array in _arrays(values).items()}
    arrays |= {"losses": np.array(state.losses), "validation": np.array(state.validation)}
    head = {name: getattr(state, name) for name in ("settings", "epoch", "seconds", "samples", "metrics")}
    save_arrays(folder / FILE, arrays, {**head, "format": TRAINING})


def read_state(folder: Path, settings: dict[str, Any], model: nn.Module, optimiser: Optimizer) -> State:
    """The state in a folder, its model's and optimiser's put back; a fresh one where the folder holds none.

    Raises TrainingError where the training was of something else or had other settings, SnapshotError where the file is damaged, of
    another model, or holds a weight that is NaN or infinite.
    """
    path = folder / FILE
    if not path.exists():
        return State(settings)
    arrays, head = load_arrays(path, TRAINING)
    counts, before = _course(path, arrays, head)
    of, now = (given.get("of") or "something without a name" for given in (before, settings))
    if of != now:
        raise TrainingError(f"the training in {folder} is of {of}, not of {now}; give another folder")
    if other := sorted(name for name in settings if name != "of" and settings[name] != before.get(name)):
        was = ", ".join(f"{name}={before.get(name)}" for name in other)
        raise TrainingError(f"the training in {folder} was begun with {was}; go on with the same, or give another folder")
    weights = _tensors(path, model, _within(arrays, "model."))
    moments = _moments(path, arrays, dict(optimiser.state_dict()["param_groups"][0])["params"], model)
    model.load_state_dict(weights)
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    best = _tensors(path, model, _within(arrays, "best.")) if any(name.startswith("best.") for name in arrays) else None
    return State(settings, best=best, **counts)


def _course(path: Path, arrays: Arrays, head: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a checkpoint says of a training's course, and its settings."""
    with contents(path, "state of a training"):
        course = {
            "losses": check.array(arrays["losses"], "losses", "f", shape=(None,)).tolist(),
            "validation": check.array(arrays["validation"], "validation", "f", shape=(None,), finite=False).tolist(),
            "epoch": check.integer(head["epoch"], "epoch", least=0),
            "samples": check.integer(head["samples"], "samples", least=0),
            "seconds": check.finite(head["seconds"], "seconds", least=0),
            "metrics": [{name: float(value) for name, value in found.items()} for found in head.get("metrics", [])],  # NaN is one, too
        }
        settings: dict[str, Any] = check.instance(head["settings"], "settings", dict, "they are those of the training")
    return course, settings


def _moments(path: Path, arrays: Arrays, parameters: list[int], model: nn.Module) -> dict[int, Weights]:
    """The optimiser's moments of each parameter."""
    with contents(path, "state of a training"):
        shapes = [tuple(p.shape) for p in model.parameters() if p.requires_grad]
        moments: dict[int, Weights] = {}
        for name, array in _within(arrays, "optimiser.").items():
            i, _, key = name.partition(".")
            if int(i) not in parameters or array.shape != (() if key == "step" else shapes[parameters.index(int(i))]):
                raise SnapshotError(f"the optimiser's {name!r}, of shape {array.shape}, belongs to no parameter")
            moments.setdefault(int(i), {})[key] = torch.from_numpy(check.array(array, f"the optimiser's {name!r}", "f"))
        if any(kept.keys() != MOMENTS for kept in moments.values()):
            raise SnapshotError(f"the optimiser keeps {', '.join(sorted(MOMENTS))} of a parameter, and there is something else")
    return moments


def spoiled(model: nn.Module, weights: Mapping[str, Tensor]) -> str | None:
    """The name of the first parameter or buffer that is spoiled; None where all are well.

    A parameter is spoiled where it is NaN or infinite, a buffer where it is NaN (it may be infinite, as the tau of a cell that does not
    leak).   weights: those of the model, or for it.
    """
    learned = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    for name, weight in weights.items():
        if not weight.isfinite().all() and (name in learned or weight.isnan().any()):
            return name
    return None


def mark(*data: object) -> str:
    """A fingerprint of data in eight digits: of tensors by their values, of the rest by its `repr`.

    >>> mark(torch.zeros(3)), mark(torch.ones(3)), mark(["a story"])
    ('8c6a67cf', '9c6cdf51', 'dbb1eb7b')
    """
    sha = hashlib.sha256()
    for part in data:
        if isinstance(part, Tensor):
            held = part.detach().cpu().contiguous()
            array = (held.view(torch.int16) if held.dtype == torch.bfloat16 else held).numpy()
            sha.update(f"{array.dtype} {array.shape}".encode())
            sha.update(array.tobytes())
        else:
            sha.update(repr(part).encode())
    return sha.hexdigest()[:8]


def _arrays(tensors: Mapping[str, Tensor]) -> Arrays:
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _within(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _fill(path: str | Path, model: nn.Module, arrays: Arrays) -> None:
    """Put arrays into a model of exactly their names and shapes."""
    model.load_state_dict(_tensors(path, model, arrays))


def _tensors(path: str | Path, model: nn.Module, arrays: Arrays) -> Weights:
    """Arrays as the weights of a model, of exactly its names and shapes, all of them well."""
    own = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    given = {name: array.shape for name, array in arrays.items()}
    if wrong := [name for name in sorted(own.keys() | given.keys()) if own.get(name) != given.get(name)]:
        name = wrong[0]
        raise SnapshotError(
            f"{path} holds the weights of another model: {len(wrong)} do not fit, the first {name!r}, of shape "
            f"{given.get(name, 'none')} there and {own.get(name, 'none')} here; build the model as it was when it was saved"
        )
    with contents(path, "weights"):
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
    if (bad := spoiled(model, weights)) is not None:
        raise SnapshotError(f"{path} holds a weight that is NaN or infinite, first in {bad!r}; take another file, or train anew")
    return weights

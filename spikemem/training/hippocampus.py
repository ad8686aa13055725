"""The engram circuit, trained end to end through episodes of storing and recall: which directions DG's synapses prefer.

    W_g = drawn_g A / sigma_g,                    A = U diag(exp(a)) U^T
    store      S_m = [W (x_m - <x>) > level],     D = min(1, sum of S_m^T E_m),   R = min(1, sum of E_m^T E_m)
    recall     V[c] = D S(cue) + gain R S[c-1],   S[c] = [V[c] > level of `rising`[c]],       x^ = sum of (S[c] E_m) x_m
    loss       mean over c of cross-entropy(beta V[c] E_m, own) + 1 - cos(x^, x_own)

x: unit vectors.   U: their principal axes, cut into bands, each with a learned gain a.   E: engrams, drawn as CA3 draws them.
D and R are one-bit fast weights that each episode writes anew (Hebb; made differentiable as in Miconi 2018; Limbacher, Ozdenizci &
Legenstein 2023). Spikes have the surrogate of `learn.layers`; inhibition, which sets the levels, passes no gradient. An episode is
smaller than the model, with as many potentiated synapses: D is about half full. The untrained circuit is a = 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikemem.errors import TrainingError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions.dg_trained import save_shape
from spikemem.hippocampus.regions.engrams import drawn
from spikemem.hippocampus.spec import ModelSpec
from spikemem.learn import History, Settings, fit
from spikemem.learn.checkpoints import mark
from spikemem.learn.layers import SpikingLayer
from spikemem.network.neurons import LIF

BANDS = 16
"""Bands of principal axes, of equal numbers, that share a gain."""
COSINES = 0.5, 0.8
"""Cosines of cues to their memories."""
BETA = 0.5
"""Inverse temperature of the loss, per synapse."""
SLOPE = 5.0
"""Of the surrogate, per standard deviation of a drive."""
EPISODES = 5
"""Episodes of an epoch."""
HELD_OUT = 0.1
"""Share of the texts that choose the best epoch."""
MEASURED, MEASURED_AT = 2000, (0.8, 0.7, 0.6)
"""Texts of a source on which a circuit is measured, and the cosines of its cues."""
SETTINGS = Settings(epochs=6, batch=1, lr=4e-2, weight_decay=0.0, warmup=2)

Episode = tuple[Tensor, Tensor, Tensor, Tensor]
"""Memories [m, d], cues [n, d], the memory of each cue [n], and engrams as 0 and 1 [m, cell]."""


@dataclass(frozen=True)
class EpisodeSize:
    """An episode's size: cells of DG and of CA3, DG's winners, an engram's cells, memories and cues.

    rising, gain: of CA3 (`EngramSpec`).
    """

    cells: int = 2048
    winners: int = 128
    core: int = 50
    memories: int = 480
    cues: int = 240
    rising: tuple[int, ...] = (300, 200, 100, 50, 50)
    gain: int = 2


class EpisodeModel(nn.Module):
    """DG and CA3 through an episode.   x: the texts' unit vectors, [n, d], whose mean, covariance and axes it keeps."""

    mean: Tensor
    axes: Tensor
    root: Tensor
    drawn: Tensor

    def __init__(self, x: Tensor, size: EpisodeSize, seed: int) -> None:
        super().__init__()
        self.size = size
        centred = x - x.mean(0)
        variance, axes = torch.linalg.eigh(centred.T @ centred / len(x))
        self.register_buffer("mean", x.mean(0))
        self.register_buffer("axes", axes)
        self.register_buffer("root", axes * variance.clamp(min=0).sqrt())
        self.register_buffer("drawn", torch.randn(size.cells, x.shape[1], generator=torch.Generator().manual_seed(seed)))
        self.gain = nn.Parameter(torch.zeros(BANDS))
        self.dg, self.ca3 = (SpikingLayer(size.cells, LIF(math.inf, 1.0), learn=(), slope=SLOPE) for _ in range(2))

    def shape(self) -> Tensor:
        """A, [d, d], with a mean gain of 1."""
        d = len(self.axes)
        bands = self.gain[torch.arange(d, device=self.gain.device) * BANDS // d]
        return (self.axes * (bands - bands.mean()).exp()) @ self.axes.T

    def weights(self) -> Tensor:
        """W: of granule cells whose drives have a standard deviation of 1, [cell, d]."""
        w = self.drawn @ self.shape()
        return w / (w @ self.root).norm(dim=1, keepdim=True)

    def forward(self, memories: Tensor, cues: Tensor, engrams: Tensor) -> tuple[list[Tensor], Tensor]:
        """V [n, cell] of each gamma cycle, and what deep EC says at the end, [n, d]."""
        size, weights = self.size, self.weights()
        stored, cued = (_fires(self.dg, (x - self.mean) @ weights.T, size.winners, 1.0) for x in (memories, cues))
        hetero = (stored.T @ engrams).clamp(max=1)
        auto = (engrams.T @ engrams).clamp(max=1).fill_diagonal_(0)
        held, unit = cued @ hetero, math.sqrt(size.winners) / 2
        voltages, fired = [held], _fires(self.ca3, held, size.rising[0], unit)
        for k in size.rising[1:]:
            voltages.append(held + size.gain * fired @ auto)
            fired = _fires(self.ca3, voltages[-1], k, unit)
        return voltages, fired @ engrams.T @ memories


def _fires(layer: SpikingLayer, drive: Tensor, k: int, unit: float) -> Tensor:
    """The spikes of the k most driven cells, [n, cell]: inhibition rises to between the last and the next.   unit: of the surrogate."""
    top = drive.detach().topk(k + 1, dim=1).values
    level = (top[:, -1:] + top[:, -2:-1]) / 2
    spikes: Tensor = layer((1.0 + (drive - level) / unit)[None])[0]
    return spikes


def loss(model: nn.Module, episode: Episode) -> Tensor:
    """Of which engram is driven most in each gamma cycle, and of what deep EC says."""
    memories, cues, own, engrams = episode
    voltages, said = model(memories, cues, engrams)
    core = engrams.sum(1)
    which = [nn.functional.cross_entropy(BETA * v @ engrams.T / core, own) for v in voltages]
    return torch.stack(which).mean() + (1 - torch.cosine_similarity(said, memories[own], dim=1)).mean()


def episode(x: Tensor, size: EpisodeSize, generator: torch.Generator) -> Episode:
    """An episode of texts x [n, d]: memories drawn without replacement, engrams, and degraded cues, isotropic around their memory."""
    memories = x[torch.randperm(len(x), generator=generator)[: size.memories]]
    own = torch.randperm(len(memories), generator=generator)[: size.cues]
    low, high = COSINES
    cosine = low + (high - low) * torch.rand(len(own), 1, generator=generator)
    noise = torch.randn(len(own), x.shape[1], generator=generator)
    noise -= (noise * memories[own]).sum(1, keepdim=True) * memories[own]
    cues = cosine * memories[own] + (1 - cosine**2).sqrt() * nn.functional.normalize(noise, dim=1)
    seed = int(torch.randint(2**31, (1,), generator=generator))
    cells = drawn(np.arange(len(memories)), size.cells, size.core, seed)
    engrams = torch.zeros(len(memories), size.cells).scatter_(1, torch.as_tensor(cells.astype(np.int64)), 1.0)
    return memories, cues, own, engrams


def degraded(vectors: NDArray[np.float32], cosine: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cues at a cosine to unit vectors, isotropic around them, [n, d]."""
    noise = rng.normal(size=vectors.shape)
    noise -= (noise * vectors).sum(1, keepdims=True) * vectors
    return (cosine * vectors + math.sqrt(1 - cosine**2) * noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class TrainedCircuit:
    """A trained circuit.   shape: A, float32, [d, d].   gains: exp(a) of each band, least variance first.   history: of the training."""

    shape: NDArray[np.float32]
    gains: NDArray[np.float64]
    history: History

    def save(self, path: Path, **metadata: object) -> Path:
        """Write A as a weights file (`regions.dg_trained.save_shape`).   metadata: further entries of the file, JSON-able."""
        return save_shape(path, self.shape, **metadata)


def untrained(dim: int) -> TrainedCircuit:
    """The circuit before the first step."""
    return TrainedCircuit(np.eye(dim, dtype=np.float32), np.ones(BANDS), History([]))


def train(
    vectors: NDArray[np.floating],
    settings: Settings = SETTINGS,
    size: EpisodeSize = EpisodeSize(),
    progress: Callable[[int, int], None] | None = None,
) -> TrainedCircuit:
    """Learn A from the unit vectors of texts, [n, d].   progress: called with the steps done, and all.

    Raises TrainingError where there are too few texts for an episode, for training or for choosing the best epoch, or too few dimensions.
    """
    x = nn.functional.normalize(torch.as_tensor(np.asarray(vectors, np.float32)), dim=1)
    held = round(HELD_OUT * len(x))
    if held < 2 or x.shape[1] < BANDS:
        raise TrainingError(f"{len(x)} texts of {x.shape[1]} dimensions are too few; give at least {math.ceil(2 / HELD_OUT)} of {BANDS}")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(settings.seed))
    rest, test = x[order[held:]], x[order[:held]]
    model = EpisodeModel(rest, size, settings.seed)
    fixed = [episode(test, size, torch.Generator().manual_seed(i)) for i in range(2)]

    def validate(model: nn.Module) -> float:
        device = next(model.parameters()).device
        return float(np.mean([float(loss(model, tuple(part.to(device) for part in one))) for one in fixed]))  # type: ignore[arg-type]

    def episodes(generator: torch.Generator) -> list[Episode]:
        return [episode(rest, size, generator) for _ in range(EPISODES)]

    settings = replace(settings, of=f"the engram circuit, {size}, from {len(x)} texts {mark(x)}")
    history = fit(model, episodes, loss, settings, validate=validate, progress=progress)
    model = model.cpu()
    with torch.no_grad():
        gains = (model.gain - model.gain.mean()).exp().numpy().astype(np.float64)
        return TrainedCircuit(model.shape().numpy(), gains, history)


def with_weights(spec: ModelSpec, weights: Path | None) -> ModelSpec:
    """The model with DG's synapses from a file; None: drawn ones."""
    name = None if weights is None else str(weights.resolve())
    return spec.model_copy(update={"dg": spec.dg.model_copy(update={"weights": name})})


def rows(spec: ModelSpec, weights: Path, vectors: NDArray[np.float32]) -> list[dict[str, object]]:
    """Lines of the table: how often cues at some cosines recall their own of the first vectors, [n, d], with drawn and trained synapses."""
    stored, found = vectors[:MEASURED], []
    for name, made in (("drawn", with_weights(spec, None)), ("trained", with_weights(spec, weights))):
        memory = Hippocampus(made)
        memory.store(stored)
        memory.consolidate()
        for cosine in MEASURED_AT:
            own = memory.recall(degraded(stored, cosine, np.random.default_rng(0))).ids[:, 0] == np.arange(len(stored))
            found.append({"synapses": name, "cosine": cosine, "recalled": round(float(own.mean()), 4)})
    return found

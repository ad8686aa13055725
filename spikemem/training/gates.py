"""The hippocampus's gates, trained: on a stream in which sentences come again, and contradict, they learn what to write over what, and on
questions, when to read out.

    gate       S = 1 where  sum_j w_j S_j + theta[phase] + xi > 1,   xi logistic          (`regions.gates`)
    surrogate  dS / dI = p (1 - p),  p = P(S = 1)                                         the derivative of the firing probability
    loss       cross-entropy of the share of a gate's cells that fire, in both halves of theta, against what should have been done

Novelty cells at fixed levels (quantiles of the lessons' mismatches) are what the gates hear; see `gate_lessons` for the lessons.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from spikemem.checkpoints import mark, save
from spikemem.embed import Embedder
from spikemem.errors import SpecError
from spikemem.learn import History, Settings, fit
from spikemem.regions.gates import ESCAPE, FEATURES, GATES, NOISE, Phase, Verdict
from spikemem.spec import ModelSpec
from spikemem.team import leads
from spikemem.training.gate_lessons import HOLD_BACK, READ_OUT, Lessons, lessons, taught_and_held_out

LEVELS = 16
"""Novelty cells for each part of the mismatch."""
SETTINGS = Settings(epochs=100, batch=256, lr=0.05, patience=30)


class Escape(torch.autograd.Function):
    """Spikes of cells with escape noise, and, backwards, the derivative of their firing probability."""

    @staticmethod
    def forward(ctx: Any, above: Tensor, noise: Tensor) -> Tensor:
        """above: input less threshold, [..., cell].   noise: of the same shape."""
        ctx.save_for_backward(torch.sigmoid(above / NOISE))
        return (above + noise > 0).to(above.dtype)

    @staticmethod
    @once_differentiable  # p is kept as a number: its own derivative would be left out
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (p,) = ctx.saved_tensors
        return grads[0] * p * (1 - p) / NOISE, None


class GateModel(nn.Module):
    """The gates' synapses.   levels: of novelty cells, [feature, level].   cells: of each gate."""

    levels: Tensor

    def __init__(self, levels: Tensor, cells: int) -> None:
        super().__init__()
        self.cells = cells
        self.register_buffer("levels", levels)
        self.synapses = nn.Parameter(torch.zeros(levels.numel(), len(GATES)))
        self.theta = nn.Parameter(torch.full((len(Phase), len(GATES)), ESCAPE.threshold))

    def forward(self, mismatch: Tensor, phase: Tensor) -> Tensor:
        """mismatch: [n, feature].   phase: [n].   Returns what the gates receive less their threshold, [n, gate]."""
        novelty = (mismatch[:, :, None] > self.levels).flatten(1).to(self.synapses.dtype)
        return novelty @ self.synapses + self.theta[phase] - ESCAPE.threshold

    def share(self, above: Tensor) -> Tensor:
        """The share of each gate's cells that fire, [n, gate], a half spike from all and none."""
        every = above[..., None].expand(*above.shape, self.cells)
        uniform = torch.rand_like(every).clamp(1e-7, 1 - 1e-7)
        spikes: Tensor = Escape.apply(every, NOISE * torch.logit(uniform))  # type: ignore[no-untyped-call]
        return (spikes.sum(-1) + 0.5) / (self.cells + 1)


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of the gates' shares, over those of which something is said."""
    assert isinstance(model, GateModel)
    *given, wanted = batch
    said = ~wanted.isnan()
    return nn.functional.binary_cross_entropy(model.share(model(*given))[said], wanted[said])


def tensors(given: Lessons) -> tuple[Tensor, Tensor, Tensor]:
    """Mismatch [2n, feature], phase [2n] and the gates that should be on [2n, gate]: each lesson in both halves of theta."""
    mismatch = np.concatenate([given.mismatch] * len(Phase))
    phase = np.repeat(list(Phase), len(given.mismatch))
    wanted = given.wanted.reshape(-1, len(GATES))
    return torch.tensor(mismatch, dtype=torch.float32), torch.tensor(phase), torch.tensor(wanted, dtype=torch.float32)


def levels(mismatches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels of novelty cells for each part of a mismatch, [feature, level]: nought, and quantiles of what is above it."""
    quantiles = (np.arange(LEVELS - 1) + 0.5) / (LEVELS - 1)
    return np.array([[0.0, *np.quantile(column[column > 0], quantiles)] for column in mismatches.T])


class HeldOut(NamedTuple):
    """Held-out lessons of one kind.   n: how many.   wrong: the share that the gates' values decide otherwise."""

    n: int
    wrong: float


@dataclass(frozen=True)
class Trained:
    """What a training came to.   held_out: lessons, by what was right.   lessons: taught."""

    history: History
    held_out: dict[str, HeldOut]
    lessons: int


def train(
    spec: ModelSpec,
    embedder: Embedder,
    path: Path,
    settings: Settings = SETTINGS,
    stage: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train the gates of a model on the project's own texts, four fifths of them; the first process keeps their weights at a path."""
    if spec.gates is None:
        raise SpecError(f"model {spec.name!r} has no [gates] to train; hippocampus-gated has")
    parts = taught_and_held_out(settings.seed)
    taught, held_out = (lessons(spec, embedder, texts, settings.seed + i, stage) for i, texts in enumerate(parts))
    model = GateModel(torch.tensor(levels(taught.mismatch), dtype=torch.float32), spec.gates.cells)
    given = tensors(held_out)

    def validate(model: nn.Module) -> float:
        assert isinstance(model, GateModel)
        *x, wanted = (t.to(model.levels.device) for t in given)
        said = ~wanted.isnan()
        return float(nn.functional.binary_cross_entropy_with_logits((model(*x) / NOISE)[said], wanted[said]))

    stage("training the gates")
    data = tensors(taught)
    of = f"the gates of {spec.name}, {spec.gates.cells} cells each, {len(taught.right)} lessons {mark(*data, *given)}"
    history = fit(model, data, loss, replace(settings, of=of), validate=validate)
    if leads():
        save(path, model, features=list(FEATURES), gates=list(GATES), embedder=embedder.name, seed=settings.seed, texts="spikemem.corpus")
    return Trained(history, examine(model, held_out), len(taught.right))


def examine(model: GateModel, given: Lessons) -> dict[str, HeldOut]:
    """How the gates' values decide lessons, by what was right."""
    with torch.no_grad():
        x, phase, _ = (t.to(model.levels.device) for t in tensors(given))
        value = torch.sigmoid(model(x, phase) / NOISE).cpu().numpy().reshape(len(Phase), -1, len(GATES))
    done = []
    for i, right in enumerate(given.right):
        verdict = Verdict(0, given.mismatch[i], value[:, i], value[:, i])
        out = READ_OUT if verdict.on("read") else HOLD_BACK
        done.append(out if right in (READ_OUT, HOLD_BACK) else verdict.action.value)
    made = {}
    for right in sorted(set(given.right)):
        errors = [d != right for d, r in zip(done, given.right, strict=True) if r == right]
        made[right] = HeldOut(len(errors), float(np.mean(errors)))
    return made

"""The hippocampus's gates, trained: on a stream in which sentences come again, and contradict, they learn what to write over what, and on
questions, when to read out.

    gate       S = 1 where  sum_j w_j S_j + sum_i (a_i X_i + b_i Y_i) + theta[phase] + xi > 1,   xi logistic     (`regions.gates`)
    surrogate  dS / dI = p (1 - p),  p = P(S = 1)                                         the derivative of the firing probability
    loss       cross-entropy of the share of a gate's cells that fire, in both halves of theta, against what should have been done

The gates' inputs are novelty cells S_j at fixed levels (quantiles of the lessons' mismatches) and one cell for each whole word that a cue
has and the stored text lacks, X, or that it lacks and the stored text has, Y; see `gate_lessons` for the lessons.
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

from spikemem.errors import SpecError
from spikemem.hippocampus.regions.gates import ESCAPE, FEATURES, GATES, NOISE, WORDS, Phase, Verdict
from spikemem.hippocampus.spec import ModelSpec
from spikemem.learn import History, Settings, fit
from spikemem.learn.checkpoints import mark, save
from spikemem.learn.distributed import leads
from spikemem.memory.embed import Embedder
from spikemem.training.gate_lessons import HOLD_BACK, READ_OUT, Lessons, lessons, taught_and_held_out

RESET = GATES.index("reset")
SILENT = 0
"""Stands for no word, where a lesson has fewer words than others."""
LEVELS = 16
"""Novelty cells for each part of the mismatch."""
SETTINGS = Settings(epochs=120, batch=512, lr=0.05, weight_decay=0.01, patience=20)


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
    """The gates' synapses.   levels: of novelty cells, [feature, level].   cells: of each gate.   words: the cells of words, [m]."""

    levels: Tensor
    words: Tensor

    def __init__(self, levels: Tensor, cells: int, words: Tensor) -> None:
        super().__init__()
        self.cells = cells
        self.register_buffer("levels", levels)
        self.register_buffer("words", words)
        self.synapses = nn.Parameter(torch.zeros(levels.numel(), len(GATES)))
        self.heard = nn.Parameter(torch.zeros(len(WORDS), len(words), len(GATES)))
        self.theta = nn.Parameter(torch.full((len(Phase), len(GATES)), ESCAPE.threshold))

    def forward(self, sizes: Tensor, phase: Tensor, words: Tensor) -> Tensor:
        """sizes: of mismatches, [n, feature].   phase: [n].   words: as `tensors` gives them.

        Returns what the gates receive less their threshold, [n, gate].
        """
        novelty = (sizes[:, :, None] > self.levels).flatten(1).to(self.synapses.dtype)
        silent = self.heard.new_zeros(1, len(GATES))
        by_words = nn.functional.embedding_bag(words, torch.cat([silent, self.heard.flatten(0, 1)]), mode="sum", padding_idx=SILENT)
        return novelty @ self.synapses + by_words + self.theta[phase] - ESCAPE.threshold

    def share(self, above: Tensor) -> Tensor:
        """The share of each gate's cells that fire, [n, gate], a half spike from all and none."""
        every = above[..., None].expand(*above.shape, self.cells)
        uniform = torch.rand_like(every).clamp(1e-7, 1 - 1e-7)
        spikes: Tensor = Escape.apply(every, NOISE * torch.logit(uniform))  # type: ignore[no-untyped-call]
        return (spikes.sum(-1) + 0.5) / (self.cells + 1)


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of the shares of the gates' cells that fire, over the gates whose target a lesson sets.

    In each lesson a random share of the words is dropped, between none and all and more often few than many: so the gates also learn what
    to do with words that training never had. Where all words are dropped `reset` should be off, since nothing shows a contradiction.
    """
    assert isinstance(model, GateModel)
    sizes, phase, words, wanted = batch
    dropped = torch.rand(len(words), 1, device=words.device) ** 2
    kept = words.masked_fill(torch.rand(words.shape, device=words.device) < dropped, SILENT)
    wordless = (words != SILENT).any(1) & (kept == SILENT).all(1)
    wanted = wanted.clone()
    wanted[wordless, RESET] *= 0.0
    given = ~wanted.isnan()
    return nn.functional.binary_cross_entropy(model.share(model(sizes, phase, kept))[given], wanted[given])


def tensors(given: Lessons, words: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Each lesson in both halves of theta: sizes [2n, feature], phase [2n], words [2n, most], and the gates that should be on [2n, gate].

    words: the cells that drive gates, ascending, [m]. In a lesson 1 + i is word i that the cue has and the stored text lacks, 1 + m + i
    one that the cue lacks and the stored text has, `SILENT` none; in theta's reading half there are none.
    """
    differ = [
        np.concatenate([1 + side * len(words) + np.flatnonzero(np.isin(words, cells)) for side, cells in enumerate(seen[1:])])
        for seen in given.seen
    ]
    different = np.full((len(Phase), len(differ), max(map(len, differ), default=0) or 1), SILENT)
    for row, some in zip(different[Phase.WRITE], differ, strict=True):
        row[: len(some)] = some
    phase = torch.arange(len(Phase)).repeat_interleave(len(differ))
    sizes = torch.tensor(given.sizes, dtype=torch.float32).repeat(len(Phase), 1)
    return sizes, phase, torch.tensor(different).flatten(0, 1), torch.tensor(given.wanted, dtype=torch.float32).flatten(0, 1)


def levels(mismatches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels of novelty cells for each part of a mismatch, [feature, level]: nought, and quantiles of what is above it."""
    quantiles = (np.arange(LEVELS - 1) + 0.5) / (LEVELS - 1)
    return np.array([[0.0, *np.quantile(column[column > 0], quantiles)] for column in mismatches.T])


class HeldOut(NamedTuple):
    """How often the gates err on held-out lessons of one kind.   n: how many lessons.   wrong: the share that is decided wrongly."""

    n: int
    wrong: float


@dataclass(frozen=True)
class TrainedGates:
    """The outcome of a training.   held_out: errors on held-out lessons, by the right action.   lessons: those of the training."""

    history: History
    held_out: dict[str, HeldOut]
    lessons: int


def train(
    spec: ModelSpec,
    embedder: Embedder,
    path: Path,
    settings: Settings = SETTINGS,
    stage: Callable[[str], None] = lambda _: None,
) -> TrainedGates:
    """Train the gates of a model on the project's own texts, four fifths of them; the first process keeps their weights at a path."""
    if spec.gates is None:
        raise SpecError(f"model {spec.name!r} has no [gates] to train; hippocampus-gated has")
    parts = taught_and_held_out(settings.seed)
    taught, held_out = (lessons(spec, embedder, texts, settings.seed + i, stage) for i, texts in enumerate(parts))
    model = GateModel(torch.tensor(levels(taught.sizes), dtype=torch.float32), spec.gates.cells, torch.tensor(taught.words))
    data, given = tensors(taught, taught.words), tensors(held_out, taught.words)

    def validate(model: nn.Module) -> float:
        assert isinstance(model, GateModel)
        *x, wanted = (t.to(model.levels.device) for t in given)
        given_targets = ~wanted.isnan()
        return float(nn.functional.binary_cross_entropy_with_logits((model(*x) / NOISE)[given_targets], wanted[given_targets]))

    stage("training the gates")
    of = f"the gates of {spec.name}, {spec.gates.cells} cells each, {len(taught.right)} lessons {mark(*data, *given)}"
    history = fit(model, data, loss, replace(settings, of=of), validate=validate)
    if leads():
        word_cells = 0 if spec.lex is None else spec.lex.cells
        metadata = {"features": FEATURES, "gates": GATES, "word_cells": word_cells, "embedder": embedder.name}
        save(path, model, **metadata, seed=settings.seed, texts="spikemem.data.corpus")
    return TrainedGates(history, examine(model, held_out), len(taught.right))


def examine(model: GateModel, given: Lessons) -> dict[str, HeldOut]:
    """How often the gates decide lessons wrongly, for each right action."""
    with torch.no_grad():
        *x, _ = (t.to(model.levels.device) for t in tensors(given, model.words.cpu().numpy()))
        value = torch.sigmoid(model(*x) / NOISE).cpu().numpy().reshape(len(Phase), -1, len(GATES))
    done = []
    for i, right in enumerate(given.right):
        verdict = Verdict(0, given.seen[i], value[:, i], value[:, i])
        out = READ_OUT if verdict.on("read") else HOLD_BACK
        done.append(out if right in (READ_OUT, HOLD_BACK) else verdict.action.value)
    made = {}
    for right in sorted(set(given.right)):
        errors = [d != right for d, r in zip(done, given.right, strict=True) if r == right]
        made[right] = HeldOut(len(errors), float(np.mean(errors)))
    return made

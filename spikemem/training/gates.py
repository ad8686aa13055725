"""The hippocampus's gates, trained: on a stream in which sentences come again, and contradict, and on pairs of facts, they learn what to
write over what, and on questions, when to read out.

    gate       S = 1 where  sum_j w_j S_j + sum_i d_i D_i + sum_h h_h H_h + theta[phase] + xi > 1,   xi logistic     (`regions.gates`)
    contrast   H = 1 where  sum_i u_i D_i + sum_i v_i P_i > 1
    surrogate  dS / dI = p (1 - p),  p = P(S = 1)                                         the derivative of the firing probability,
               dH / dI likewise, though H has no noise
    loss       cross-entropy of the share of a gate's cells that fire, in both halves of theta, against what should have been done; a
               memory wrongly superseded counts `DEAR` times

The gates' inputs are novelty cells S_j at fixed levels (quantiles of the lessons' mismatches), and cells that tell how the wordings of
an event and of the memory that answers it differ, D and P (`regions.difference`); see `gate_lessons` for the lessons.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from spikemem.data.corpus.pairs import FactPair
from spikemem.errors import SpecError
from spikemem.hippocampus.regions.contrast import EFFICACY
from spikemem.hippocampus.regions.difference import CELLS, COMPARED, MARKS
from spikemem.hippocampus.regions.gates import ESCAPE, FEATURES, GATES, NOISE, Phase, Verdict
from spikemem.hippocampus.spec import ModelSpec
from spikemem.learn import History, Settings, fit
from spikemem.learn.checkpoints import mark, save
from spikemem.learn.distributed import leads
from spikemem.memory.embed import Embedder
from spikemem.training.gate_lessons import HOLD_BACK, READ_OUT, Lessons, lessons, taught_and_held_out

RESET = GATES.index("reset")
LEVELS = 16
"""Novelty cells for each part of the mismatch."""
HIDDEN = 64
"""Contrast cells."""
DEAR = 2.0
"""What it costs to supersede wrongly, where not to supersede wrongly costs 1."""
VETOES = ("speaker", "subject", "numbered", "order", "question", "list", "name")
"""Signs of which each is enough that both texts may be true."""
VETO = 12.0
"""What a veto takes from the input of `reset`, in the unit of the logit."""
DROPPED = 0.5
"""The share of the phrases' components that are left out in each lesson, so that no few of them decide."""
FIRST = 0.02
"""Standard deviation of the first synapses of contrast cells."""
SETTINGS = Settings(epochs=30, batch=512, lr=0.02, weight_decay=0.03, patience=10)


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
    """The gates' synapses, and those of contrast cells.   levels: of novelty cells, [feature, level].   cells: of each gate.

    dim: of the phrases' vectors.
    """

    levels: Tensor

    def __init__(self, levels: Tensor, cells: int, dim: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.cells = cells
        self.register_buffer("levels", levels)
        self.synapses = nn.Parameter(torch.zeros(levels.numel(), len(GATES)))
        self.theta = nn.Parameter(torch.full((len(Phase), len(GATES)), ESCAPE.threshold))
        self.onto_contrast = nn.Parameter(5 * FIRST * torch.randn(CELLS, hidden))
        self.phrases = nn.Parameter(FIRST * torch.randn(2, dim, hidden) / EFFICACY)
        self.onto_gate = nn.Parameter(torch.zeros(CELLS, len(GATES)))
        self.out = nn.Parameter(5 * FIRST * torch.randn(hidden, len(GATES)))

    def forward(self, sizes: Tensor, phase: Tensor, cells: Tensor, phrases: Tensor) -> Tensor:
        """sizes: of mismatches, [n, feature].   phase: [n].   cells: of `difference`, [n, CELLS].   phrases: as `tensors` gives them.

        Returns what the gates receive less their threshold, [n, gate].
        """
        novelty = (sizes[:, :, None] > self.levels).flatten(1).to(self.synapses.dtype)
        cells, spikes = cells.to(novelty.dtype), phrases.to(novelty.dtype)
        if self.training:
            spikes = nn.functional.dropout(spikes, DROPPED)
        drive = cells @ self.onto_contrast + EFFICACY * spikes.flatten(1) @ self.phrases.flatten(0, 1) - ESCAPE.threshold
        contrast: Tensor = Escape.apply(drive, torch.zeros_like(drive))  # type: ignore[no-untyped-call]
        return novelty @ self.synapses + cells @ self.onto_gate + contrast @ self.out + self.theta[phase] - ESCAPE.threshold

    def share(self, above: Tensor) -> Tensor:
        """The share of each gate's cells that fire, [n, gate], a half spike from all and none."""
        every = above[..., None].expand(*above.shape, self.cells)
        uniform = torch.rand_like(every).clamp(1e-7, 1 - 1e-7)
        spikes: Tensor = Escape.apply(every, NOISE * torch.logit(uniform))  # type: ignore[no-untyped-call]
        return (spikes.sum(-1) + 0.5) / (self.cells + 1)


def cost(wanted: Tensor) -> Tensor:
    """What an error costs, for each gate that should be on (1) or off (0)."""
    dear = torch.ones_like(wanted)
    dear[:, RESET] += (DEAR - 1) * (1 - wanted[:, RESET]).nan_to_num()
    return dear


def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy of the shares of the gates' cells that fire, over the gates whose target a lesson sets."""
    assert isinstance(model, GateModel)
    *x, wanted = batch
    given = ~wanted.isnan()
    return nn.functional.binary_cross_entropy(model.share(model(*x))[given], wanted[given], weight=cost(wanted)[given])


def tensors(given: Lessons) -> tuple[Tensor, ...]:
    """Each lesson in both halves of theta: sizes [2n, feature], phase [2n], cells of `difference` [2n, CELLS], spikes of cells that compare
    phrases [2n, 2, d], and the gates that should be on [2n, gate].

    Of a component the ON and OFF cells' spikes are added, and what is extra to what is missing. In theta's reading half wordings are
    silent.
    """
    n = len(given.seen)
    phase = torch.arange(len(Phase)).repeat_interleave(n)
    sizes = torch.tensor(given.sizes, dtype=torch.float32).repeat(len(Phase), 1)
    cells = torch.tensor(np.reshape([seen.heard.cells for seen in given.seen], (n, CELLS)))
    spikes = np.array([seen.heard.phrases.reshape(len(COMPARED), 2, -1).sum(1) for seen in given.seen], np.int8)
    phrases = torch.tensor(np.stack([spikes[:, 0] + spikes[:, 1], spikes[:, 2]], axis=1))
    told = (torch.cat([torch.zeros_like(x), x]) for x in (cells, phrases))
    return sizes, phase, *told, torch.tensor(given.wanted, dtype=torch.float32).flatten(0, 1)


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
    public: Sequence[FactPair] = (),
    stage: Callable[[str], None] = lambda _: None,
) -> TrainedGates:
    """Train the gates of a model on the project's own texts, four fifths of them; the first process keeps their weights at a path."""
    if spec.gates is None:
        raise SpecError(f"model {spec.name!r} has no [gates] to train; hippocampus-gated has")
    parts = taught_and_held_out(settings.seed)
    taught, held_out = (lessons(spec, embedder, texts, settings.seed + i, public if i == 0 else (), stage) for i, texts in enumerate(parts))
    torch.manual_seed(settings.seed)
    model = GateModel(torch.tensor(levels(taught.sizes), dtype=torch.float32), spec.gates.cells, spec.ec.dim)
    data, given = tensors(taught), tensors(held_out)

    def validate(model: nn.Module) -> float:
        assert isinstance(model, GateModel)
        *x, wanted = (t.to(model.levels.device) for t in given)
        given_targets = ~wanted.isnan()
        received = (model(*x) / NOISE)[given_targets]
        return float(nn.functional.binary_cross_entropy_with_logits(received, wanted[given_targets], weight=cost(wanted)[given_targets]))

    stage("training the gates")
    of = f"the gates of {spec.name}, {spec.gates.cells} cells each, {len(taught.right)} lessons {mark(*data, *given)}"
    history = fit(model, data, loss, replace(settings, of=of), validate=validate)
    veto(model)
    if leads():
        metadata = {"features": FEATURES, "gates": GATES, "embedder": embedder.name, "public_pairs": len(public)}
        save(path, model, **metadata, seed=settings.seed, texts="spikemem.data.corpus")
    return TrainedGates(history, examine(model, held_out), len(taught.right))


def veto(model: GateModel) -> None:
    """Let signs of `VETOES` keep `reset` silent, whatever else was learned.

    So does a further contrast cell, where nothing new is said, or something is over, and nothing denied. These synapses are not learned: a
    memory wrongly superseded is worth none of what they could learn instead.
    """
    with torch.no_grad():
        model.onto_gate[[MARKS.index(mark) for mark in VETOES], RESET] -= VETO
        cell, out = torch.zeros(CELLS, 1), torch.zeros(1, len(GATES))
        cell[[MARKS.index("nothing new"), MARKS.index("past event")]] = 2.0
        cell[[MARKS.index("denies"), MARKS.index("denied")]] = -4.0
        out[0, RESET] = -VETO
        model.onto_contrast = nn.Parameter(torch.cat([model.onto_contrast, cell.to(model.onto_contrast.device)], dim=1))
        model.phrases = nn.Parameter(torch.cat([model.phrases, torch.zeros_like(model.phrases[..., :1])], dim=2))
        model.out = nn.Parameter(torch.cat([model.out, out.to(model.out.device)]))


def examine(model: GateModel, given: Lessons) -> dict[str, HeldOut]:
    """How often the gates decide lessons wrongly, for each right action."""
    with torch.no_grad():
        *x, _ = (t.to(model.levels.device) for t in tensors(given))
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

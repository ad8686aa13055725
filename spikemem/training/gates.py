"""The hippocampus's gates, trained: on a stream in which sentences come again, and contradict, they learn what to write over what.

    gate       S = 1 where  sum_j w_j S_j + theta[phase] + xi > 1,   xi logistic          (`regions.gates`)
    surrogate  dS / dI = p (1 - p),  p = P(S = 1)                                         the derivative of the firing probability
    loss       cross-entropy of the share of a gate's cells that fire, in both halves of theta, against what should have been done

Events meet a memory to which the right thing has been done before, and give a mismatch each; of it, novelty cells at fixed levels
(quantiles of the stream's mismatches) are what the gates hear. The texts are the project's own (`spikemem.corpus`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from spikemem.checkpoints import mark, save
from spikemem.corpus import load_conversation
from spikemem.corpus.statements import load_corpus
from spikemem.corpus.stream import Event, Kind, stream
from spikemem.embed import Embedder
from spikemem.errors import SpecError
from spikemem.gating import Action, mismatch, one_thread
from spikemem.heard import asked
from spikemem.hippocampus import Hippocampus
from spikemem.learn import History, Settings, fit
from spikemem.regions.ca1 import NONE
from spikemem.regions.ec import unit
from spikemem.regions.ec_lex import words
from spikemem.regions.gates import ESCAPE, FEATURES, GATES, NOISE, Phase
from spikemem.spec import ModelSpec
from spikemem.team import leads

LEVELS = 16
"""Novelty cells for each part of the mismatch."""
SHARES = {Kind.REPEAT: 0.1, Kind.PARAPHRASE: 0.15, Kind.CONTRADICTION: 0.15}
NEAR = 0.9
"""A new sentence this near to an old one, as EC's spikes have it, is neither new nor known, and teaches nothing."""
WANTED = {Kind.NEW: Action.WRITE, Kind.REPEAT: Action.RENEW, Kind.PARAPHRASE: Action.REFRESH, Kind.CONTRADICTION: Action.OVERWRITE}
ON = {
    Action.WRITE: ("update", "candidate"),
    Action.OVERWRITE: ("update", "reset", "candidate", "read"),
    Action.REFRESH: ("candidate", "read"),
    Action.RENEW: ("read",),
}
"""The gates that should be on for each action; `read`, which decides nothing, in theta's reading half, the others in its writing half."""
SETTINGS = Settings(epochs=60, batch=128, lr=0.03, weight_decay=0.01, patience=20)


@dataclass(frozen=True, eq=False)
class Lessons:
    """What events bring, and what should be done.   mismatch: [n, feature].   action: of each event."""

    mismatch: NDArray[np.float64]
    action: list[Action]

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Mismatch [2n, feature], phase [2n] and the gates that should be on [2n, gate], each event in both halves of theta."""
        wanted = np.zeros((len(Phase), len(self.action), len(GATES)))
        for i, action in enumerate(self.action):
            for gate in ON[action]:
                wanted[Phase.READ if gate == "read" else Phase.WRITE, i, GATES.index(gate)] = 1.0
        phase = np.repeat(list(Phase), len(self.action))
        both = np.concatenate([self.mismatch] * len(Phase))
        return (
            torch.tensor(both, dtype=torch.float32),
            torch.tensor(phase),
            torch.tensor(wanted.reshape(-1, len(GATES)), dtype=torch.float32),
        )


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
    """Cross-entropy of the gates' shares."""
    assert isinstance(model, GateModel)
    *given, wanted = batch
    return nn.functional.binary_cross_entropy(model.share(model(*given)), wanted)


def lessons(spec: ModelSpec, events: Sequence[Event], vectors: NDArray[np.float32], seed: int = 0) -> Lessons:
    """What the events of a stream bring to a memory to which the right thing is done each time.   vectors: of the texts, [n, d]."""
    plain = spec.model_copy(update={"gates": None})
    memory = Hippocampus(plain, seed=seed)
    holder: dict[int, int] = {}
    seen, actions = [], []
    assert spec.lex is not None
    for event, vector in zip(events, unit(vectors, spec.ec.dim), strict=True):
        heard = words(event.text, spec.lex.cells)
        circuit, old = memory.circuit, holder.get(event.of, NONE)
        volley = circuit.volley(vector[None], asked([heard], None, 1, spec.lex))
        key, difference = mismatch(circuit, volley)
        answered = int(circuit.ca1.owners(np.array([key]))[0])
        if key != NONE and not (event.kind is Kind.NEW and _cosine(volley.counts[0], circuit.ca1.counts[key]) > NEAR):
            seen.append(difference)
            actions.append(WANTED[event.kind] if answered == old else Action.WRITE)
        if event.kind is Kind.CONTRADICTION:
            memory.forget([old])
        if event.kind in (Kind.NEW, Kind.CONTRADICTION):
            holder[event.of] = int(memory.store(vector[None], words=[[heard]])[0])
        elif event.kind is Kind.PARAPHRASE:
            memory.teach(old, vector[None], [heard], [False])
    return Lessons(np.array(seen), actions)


def _cosine(a: NDArray[np.int8], b: NDArray[np.int8]) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def own_texts(seed: int = 0) -> list[str]:
    """The project's statements, questions and turns, in a seeded order."""
    corpus = load_corpus()
    texts = [*corpus.texts, *(cue for cues in corpus.cues for cue in cues), *(turn.said for turn in load_conversation().turns)]
    return [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))]


def taught_and_held_out(seed: int = 0) -> tuple[list[str], list[str]]:
    """Four fifths of the project's texts, and the last one, on which a training is judged."""
    texts = own_texts(seed)
    cut = len(texts) * 4 // 5
    return texts[:cut], texts[cut:]


def held_out_texts() -> list[str]:
    """Texts of the project that had no part in the training of the weights that ship."""
    return taught_and_held_out()[1]


def levels(mismatches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Levels of novelty cells for each part of a mismatch, [feature, level]: nought, and quantiles of what is above it."""
    quantiles = (np.arange(LEVELS - 1) + 0.5) / (LEVELS - 1)
    return np.array([[0.0, *np.quantile(column[column > 0], quantiles)] for column in mismatches.T])


@dataclass(frozen=True)
class Trained:
    """What a training came to.   wrong: of the held-out lessons of each action, the share that the gates' values decide otherwise."""

    history: History
    wrong: dict[str, float]
    events: int


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
    taught, held_out = (_told(spec, embedder, texts, settings.seed + i, stage) for i, texts in enumerate(parts))
    model = GateModel(torch.tensor(levels(taught.mismatch), dtype=torch.float32), spec.gates.cells)
    given = held_out.tensors()

    def validate(model: nn.Module) -> float:
        assert isinstance(model, GateModel)
        device = model.levels.device
        *x, wanted = (t.to(device) for t in given)
        return float(nn.functional.binary_cross_entropy_with_logits(model(*x) / NOISE, wanted))

    stage("training the gates")
    data = taught.tensors()
    of = f"the gates of {spec.name}, {spec.gates.cells} cells each, {len(taught.action)} events {mark(*data, *given)}"
    history = fit(model, data, loss, replace(settings, of=of), validate=validate)
    if leads():
        save(path, model, features=list(FEATURES), gates=list(GATES), embedder=embedder.name, seed=settings.seed, texts="spikemem.corpus")
    return Trained(history, wrong(model, held_out), len(taught.action))


def _told(spec: ModelSpec, embedder: Embedder, texts: Sequence[str], seed: int, stage: Callable[[str], None]) -> Lessons:
    events = stream(texts, 2 * len(texts), SHARES, np.random.default_rng(seed))
    stage(f"{len(events)} events: embedding")
    vectors = embedder.embed([e.text for e in events])
    stage(f"{len(events)} events: meeting the memory")
    with one_thread():
        return lessons(spec, events, vectors, seed)


def wrong(model: GateModel, given: Lessons) -> dict[str, float]:
    """The share of lessons of each action that the gates' values decide otherwise."""
    with torch.no_grad():
        x, phase, _ = (t.to(model.levels.device) for t in given.tensors())
        on = (model(x, phase) > 0).cpu().numpy().reshape(len(Phase), -1, len(GATES))[Phase.WRITE]
    update, reset, candidate, _ = on.T
    decided = np.where(update, np.where(reset, "overwrite", "write"), np.where(candidate, "refresh", "renew"))
    actions = np.array([a.value for a in given.action])
    return {str(a): float((decided[actions == a] != a).mean()) for a in np.unique(actions)}

"""SPMN's training step 1: what happened when. Sentences are written one after the other, each at a moment; slots recall them.

A story has SHORTEST to LONGEST sentences at random moments in [0, 1], at least GAP apart. A slot more sure than .5 is a recall. It is
right where `match` gives it an event and its content is nearer to that event's than to those of all others of the story. An event
without a right recall is missed; a recall that is not right is false; a right one whose time is nearer to another event's is displaced.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from spikemem.data.datasets import mrpc
from spikemem.learn import Epoch, History, Settings, fit, moved
from spikemem.learn.checkpoints import mark
from spikemem.memory.embed import Embedder, Progress
from spikemem.spmn import SPMN, Decoder, Encoder, Happened, Moment, Slots, Vector, match, slots_loss
from spikemem.training.spmn import TEXT, TIME, Build, builder, distinct, embedded, seeded

SHORTEST, LONGEST, SLOTS = 1, 10, 12
GAP = 0.03
"""Of two sentences, at least; a story lasts 1."""
SURE = 0.5
STEPS = 100
"""Stories' batches in an epoch."""
BINS = 10
"""Of confidence, for its calibration."""
DEFAULT = Settings(epochs=16, batch=16, lr=1e-3, warmup=50)
FEW = 4
"""Times the length of a story: of fewer sentences each draws a lot, which would be slow for thousands; of more, sorted draws are moved
apart, by which neighbours are half as likely as in a fair draw: too rare there to matter."""
ELSEWHERE = 1000
"""Sentences of another source."""


def network(size: int, cell: Build, width: int = 256, depth: int = 1) -> SPMN:
    """Senses for a text of `size` dimensions and for time, a cell, a decoder.   cell: takes the event's cells, width and depth."""
    encoder = Encoder({"text": Vector(size, TEXT), "time": Moment(TIME)})
    return SPMN(encoder, cell(encoder.cells, width, depth), Decoder(size, width, depth, SLOTS))


SIZES = {"rate-v1": (48, 2), "rate-v2": (32, 2)}
"""Width and depth of the memories whose cell writes all of M at once; the others have one depth of 256 addresses."""


def stories(sentences: Tensor, batch: int, length: int, generator: torch.Generator) -> Happened:
    """Stories of one length, of sentences drawn without repeats within a story.   sentences: [n, d]."""
    drawn = _drawn(len(sentences), batch, length, generator)
    free = torch.rand(batch, length, generator=generator).sort(1).values * (1 - (length - 1) * GAP)
    return Happened(free + GAP * torch.arange(length), sentences[drawn], torch.ones(batch, length, dtype=torch.bool))


def _drawn(n: int, batch: int, length: int, generator: torch.Generator) -> Tensor:
    """`length` different ones of n numbers in a random order, [batch, length]."""
    if n < FEW * length:
        return torch.rand(batch, n, generator=generator).topk(length).indices
    rising = torch.randint(n - length + 1, (batch, length), generator=generator).sort(1).values + torch.arange(length)
    return rising.gather(1, torch.rand(batch, length, generator=generator).argsort(1))


def sentences(data: Path, embedder: Embedder, progress: Progress | None = None) -> tuple[Tensor, Tensor]:
    """STS-B's sentences to learn from, and those to be judged by, none of them among the first; [n, d] each."""
    parts = [embedded(data, embedder, part, ["STS-B"], progress) for part in ("train", "test")]
    seen, unseen = (distinct(torch.cat(part["STS-B"])) for part in parts)
    return seen, distinct(unseen, but=seen)


def elsewhere(data: Path, embedder: Embedder, progress: Progress | None = None) -> Tensor:
    """Sentences of another source, MRPC's newspapers, to be judged by, [n, d]; MissingDataError where they are not there."""
    return distinct(torch.from_numpy(embedder.embed(mrpc(data)[0].texts[:ELSEWHERE], progress)))


def stimuli(happened: Happened) -> dict[str, Tensor]:
    """What the senses are given."""
    return {"text": happened.content, "time": happened.time}


def train(
    model: SPMN, sentences: Tensor, settings: Settings = DEFAULT, *, progress: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:  # fmt: skip
    """Train on stories of all lengths, drawn anew in each epoch.   sentences: their vectors, [n, d]."""

    def epoch(generator: torch.Generator) -> list[Happened]:
        lengths = torch.randint(SHORTEST, LONGEST + 1, (STEPS,), generator=generator)
        return [stories(sentences, settings.batch, int(length), generator) for length in lengths]

    def loss(net: SPMN, happened: Happened) -> Tensor:
        return slots_loss(net(stimuli(happened)), happened)

    return fit(model, epoch, loss, settings, progress=progress, on_epoch=on_epoch)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Figures:
    """How stories of one length were recalled.

    content: mean cosine, time: mean error, over the slots matched to events, sure or not.
    missed, displaced: shares of the events.   false: share of the recalls.   calibration: expected error of the confidence (Naeini 2015).
    bins: for each bin of confidence its mean confidence, the share that was right, and its slots; empty ones are left out.
    """

    events: int
    recalls: int
    content: float
    time: float
    missed: float
    false: float
    displaced: float
    calibration: float
    bins: list[tuple[float, float, int]]


def judge(slots: Slots, happened: Happened) -> Figures:
    """Recalls beside what happened; an event for which no slot is left is missed."""
    slot = match(slots, happened)
    sample, event = torch.nonzero(slot >= 0, as_tuple=True)
    chosen = slot[sample, event]
    content, time = slots.content[sample, chosen], slots.time[sample, chosen]
    cosine = torch.einsum("nd,ned->ne", functional.normalize(content, dim=1), functional.normalize(happened.content[sample], dim=2))
    nearest = cosine.masked_fill(~happened.there[sample], -2.0).argmax(1)
    late = (time[:, None] - happened.time[sample]).abs().masked_fill(~happened.there[sample], 2.0)
    named = nearest == event
    right = named & (slots.confidence[sample, chosen] > SURE)
    events, recalls = int(happened.there.sum()), int((slots.confidence > SURE).sum())
    is_right = torch.zeros_like(slots.confidence)
    is_right[sample, chosen] = named.to(is_right.dtype)
    bins, calibration = calibrated(slots.confidence.flatten(), is_right.flatten())
    return Figures(
        events=events, recalls=recalls, content=float(cosine[range(len(event)), event].mean()),
        time=float(late[range(len(event)), event].mean()), missed=1 - int(right.sum()) / events,
        false=1 - int(right.sum()) / max(recalls, 1), displaced=int((right & (late.argmin(1) != event)).sum()) / events,
        calibration=calibration, bins=bins,
    )  # fmt: skip


def calibrated(confidence: Tensor, right: Tensor) -> tuple[list[tuple[float, float, int]], float]:
    """Bins of `Figures`, and the mean over slots of |mean confidence - share right| of their bin.   Both [n].

    >>> calibrated(torch.tensor([0.95, 0.95, 0.05, 0.05]), torch.tensor([1.0, 1.0, 0.0, 1.0]))[1].__round__(3)
    0.25
    """
    place = (confidence * BINS).long().clamp(max=BINS - 1)
    bins = []
    for i in sorted(set(place.tolist())):
        within = place == i
        bins.append((float(confidence[within].mean()), float(right[within].mean()), int(within.sum())))
    return bins, sum(abs(sure - share) * n for sure, share, n in bins) / len(confidence)


@torch.no_grad()
def evaluate(model: SPMN, sentences: Tensor, length: int = 8, n: int = 500, seed: int = 0) -> Figures:
    """Figures on n stories of sentences, [m, d], that the model was not trained on."""
    happened = stories(sentences, n, length, torch.Generator().manual_seed(seed))
    happened = moved(happened, next(model.parameters()).device)
    parts = [model(stimuli(Happened(*rows))) for rows in zip(*(torch.split(part, 50) for part in happened), strict=True)]
    return judge(Slots(*(torch.cat(part) for part in zip(*parts, strict=True))), happened)


class SlotsRun(NamedTuple):
    """A trained network, its training, and its figures on sentences that it has not seen."""

    model: SPMN
    history: History
    figures: Figures


def run(
    cell: str, sentences: Tensor, unseen: Tensor, settings: Settings = DEFAULT, *, progress: Callable[[int, int], None] | None = None,
) -> SlotsRun:  # fmt: skip
    """Train a new network and judge it.   cell: of `training.spmn.CELLS`.   sentences, unseen: vectors, [n, d] each."""
    with seeded(settings.seed):
        model = network(sentences.shape[1], builder(cell), *SIZES.get(cell, ()))
        of = f"what happened when, {cell} cell, {len(sentences)} sentences {mark(sentences)}"
        history = train(model, sentences, replace(settings, of=of), progress=progress)
        return SlotsRun(model, history, evaluate(model, unseen, seed=settings.seed))

"""SPMN's training step 0: the more alike two events, the more alike what they change in the memory.

A memory into which a few sentences were written is copied; each of a set of sentences writes into a copy of its own. Half of a set are
pairs that people have scored, so that there are alike ones among them. Judged by Pearson's correlation between cos(dM_i, dM_j) and
cos(e_i, e_j) on sentences that were not seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from spikemem.learn import Epoch, History, Settings, fit, moved
from spikemem.learn.checkpoints import mark
from spikemem.spmn import SPMN, Decoder, Encoder, Vector, similarities, write_similarity
from spikemem.training.spmn import TEXT, Build, builder, seeded

BEFORE = 3
"""Sentences in the memory before it is copied, at most."""
AMONG = 300
"""Held-out sentences of which any two are compared."""
STEPS = 50
"""Sets in an epoch."""
DEFAULT = Settings(epochs=16, batch=64, lr=3e-4, warmup=20)
SIZES = {"rate-v1": (32, 2), "rate-v2": (32, 2)}
"""Width and depth of the memories whose cell writes all of M at once; the others have eight depths of 64 addresses."""


def network(size: int, cell: Build, width: int = 64, depth: int = 8) -> SPMN:
    """A sense for a text of `size` dimensions, and a cell; nothing is recalled.   cell: takes the event's cells, width and depth."""
    encoder = Encoder({"text": Vector(size, TEXT)})
    return SPMN(encoder, cell(encoder.cells, width, depth), Decoder(size, width, depth, slots=1))


def holding(model: SPMN, before: Tensor) -> Tensor:
    """A memory with a few events in it, [1, depth, w, w]; no gradient goes into it.   before: vectors, [m, d]; m may be 0."""
    with torch.no_grad():
        return model.remember({"text": before[None]}) if len(before) else model.cell.initial(1)


def changes(model: SPMN, events: Tensor, memory: Tensor) -> Tensor:
    """dM of each event in its own copy of one memory, [n, depth, w, w].   events: vectors, [n, d].   memory: [1, depth, w, w]."""
    memory = memory.expand(len(events), -1, -1, -1)
    return model.remember({"text": events[:, None]}, memory) - memory


def train(
    model: SPMN, first: Tensor, second: Tensor, settings: Settings = DEFAULT, *, progress: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:  # fmt: skip
    """Train on sets of pairs.   first, second: the vectors of the pairs' sentences, [n, d] each."""

    def epoch(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
        sets = []
        for _ in range(STEPS):
            drawn = torch.randint(len(first), (settings.batch // 2 + BEFORE,), generator=generator)
            before = int(torch.randint(BEFORE + 1, (), generator=generator))
            paired = drawn[: settings.batch // 2]
            sets.append((torch.cat([first[paired], second[paired]]), first[drawn[settings.batch // 2 :][:before]]))
        return sets

    def loss(net: SPMN, batch: tuple[Tensor, Tensor]) -> Tensor:
        events, before = batch
        return write_similarity(changes(net, events, holding(net, before)), events)

    unused = [parameter for parameter in model.decoder.parameters() if parameter.requires_grad]
    model.decoder.requires_grad_(False)
    try:
        return fit(model, epoch, loss, settings, progress=progress, on_epoch=on_epoch)  # type: ignore[arg-type]
    finally:
        for parameter in unused:
            parameter.requires_grad_(True)


@dataclass(frozen=True)
class Likeness:
    """How alike memory changes are, against how alike their events are.   correlation: Pearson's.   error: mean |difference|."""

    correlation: float
    error: float
    changes: Tensor
    events: Tensor


def likeness(changes: Tensor, events: Tensor) -> Likeness:
    """The cosines of memory changes against those of events, for each pair, [n] each; the result is on the CPU."""
    changes, events = changes.cpu(), events.cpu()
    correlation = torch.corrcoef(torch.stack([changes, events]))[0, 1]
    return Likeness(float(correlation), float((changes - events).abs().mean()), changes, events)


@torch.no_grad()
def evaluate(model: SPMN, first: Tensor, second: Tensor, before: Tensor) -> Likeness:
    """Held-out pairs of a data set, each sentence in its own copy of a memory that holds `before`, [m, d].   first, second: [n, d]."""
    first, second, before = moved((first, second, before), next(model.parameters()).device)
    memory = holding(model, before)
    made = [
        torch.cosine_similarity(changes(model, a, memory).flatten(1), changes(model, b, memory).flatten(1))
        for a, b in zip(torch.split(first, 100), torch.split(second, 100), strict=True)
    ]
    return likeness(torch.cat(made), torch.cosine_similarity(first, second))


@torch.no_grad()
def evaluate_all(model: SPMN, events: Tensor, before: Tensor) -> Likeness:
    """Every two of a set of held-out sentences, [n, d], most of which have nothing to do with one another."""
    events, before = moved((events, before), next(model.parameters()).device)
    memory = holding(model, before)
    made = torch.cat([changes(model, part, memory) for part in torch.split(events, 100)])
    return likeness(similarities(made), similarities(events))


class SimilarityRun(NamedTuple):
    """A trained network with its training, and what it does to held-out pairs of sentences.

    By data set: the likeness of the pairs before the training and after, and that of any two of their sentences.
    """

    model: SPMN
    history: History
    pairs: dict[str, Likeness]
    any_two: dict[str, Likeness]
    untrained: dict[str, Likeness]


def run(
    cell: str, seen: Mapping[str, tuple[Tensor, Tensor]], unseen: Mapping[str, tuple[Tensor, Tensor]], settings: Settings = DEFAULT, *,
    progress: Callable[[int, int], None] | None = None,
) -> SimilarityRun:  # fmt: skip
    """Train a new network on all data sets together and judge it on each.

    cell: of `training.spmn.CELLS`.   seen, unseen: as `training.spmn.embedded` gives them.
    """
    first, second = (torch.cat([both[i] for both in seen.values()]) for i in (0, 1))
    with seeded(settings.seed):
        model = network(first.shape[1], builder(cell), *SIZES.get(cell, ()))

        def judged() -> dict[str, Likeness]:
            return {name: evaluate(model, one[BEFORE:], other[BEFORE:], one[:BEFORE]) for name, (one, other) in unseen.items()}

        untrained = judged()
        of = f"likeness of memory changes, {cell} cell, {len(first)} pairs {mark(first, second)}"
        history = train(model, first, second, replace(settings, of=of), progress=progress)
        any_two = {name: evaluate_all(model, one[BEFORE:][:AMONG], one[:BEFORE]) for name, (one, _) in unseen.items()}
        return SimilarityRun(model, history, judged(), any_two, untrained)

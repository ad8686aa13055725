"""SPMN's training step 0: the more alike two events, the more alike what they change in the memory.

A memory into which a few sentences were written is copied; each of a set of sentences writes into a copy of its own. Half of a set are
pairs that people have scored, so that there are alike ones among them. Judged by Pearson's correlation between cos(dM_i, dM_j) and
cos(e_i, e_j) on sentences that were not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from spikemem.learn import Epoch, History, Settings, fit
from spikemem.spmn import SPMN, similarities, write_similarity

BEFORE = 3
"""Sentences in the memory before it is copied, at most."""
STEPS = 50
"""Sets in an epoch."""
DEFAULT = Settings(epochs=8, batch=64, lr=2e-3, warmup=20)


def changes(model: SPMN, events: Tensor, before: Tensor) -> Tensor:
    """dM of each event in its own copy of one memory, [n, depth, w, w].   events: vectors, [n, d].   before: what it holds, [m, d]."""
    memory = model.write({"text": before[None]}).memory if len(before) else model.cell.initial(1)
    memory = memory.detach().expand(len(events), -1, -1, -1)
    return model.cell.write(memory, model.encoder({"text": events}).rates)[0] - memory


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
        return write_similarity(changes(net, *batch), batch[0])

    return fit(model, epoch, loss, settings, progress=progress, on_epoch=on_epoch)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Likeness:
    """Of memory changes and of events, for the same pairs.   correlation: Pearson's.   error: mean |difference|."""

    correlation: float
    error: float
    changes: Tensor
    events: Tensor


def likeness(changes: Tensor, events: Tensor) -> Likeness:
    """Both cosines of each pair, [n] each, compared."""
    correlation = torch.corrcoef(torch.stack([changes, events]))[0, 1]
    return Likeness(float(correlation), float((changes - events).abs().mean()), changes, events)


@torch.no_grad()
def evaluate(model: SPMN, first: Tensor, second: Tensor, before: Tensor) -> Likeness:
    """Held-out pairs of a data set, each sentence in its own copy of a memory that holds `before`, [m, d].   first, second: [n, d]."""
    made = [
        torch.cosine_similarity(changes(model, a, before).flatten(1), changes(model, b, before).flatten(1))
        for a, b in zip(torch.split(first, 100), torch.split(second, 100), strict=True)
    ]
    return likeness(torch.cat(made), torch.cosine_similarity(first, second))


@torch.no_grad()
def evaluate_all(model: SPMN, events: Tensor, before: Tensor) -> Likeness:
    """Every two of a set of held-out sentences, [n, d], most of which have nothing to do with one another."""
    made = torch.cat([changes(model, part, before) for part in torch.split(events, 100)])
    return likeness(similarities(made), similarities(events))

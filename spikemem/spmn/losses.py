"""What SPMN is trained by: changes of memory that are as alike as their events, and recall slots that match what happened."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn import functional

from spikemem.errors import TrainingError

TIME, CONFIDENCE, CONTENT = 0.7, 0.3, 1.0
"""Weights of the three parts of the slots' loss, as published for SPMN."""

NEAR = 0.05
"""Of a lifetime, where smooth-L1(time) goes from squares to the plain distance: with the usual 1, errors of time would all be squares of
small numbers, and count for nothing."""


def similarities(vectors: Tensor) -> Tensor:
    """cos(v_i, v_j) for i < j.   vectors: [n, ...], each flattened.   Returns [n (n - 1) / 2].

    >>> similarities(torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]))
    tensor([0.0000, 0.7071, 0.7071])
    """
    with torch.autocast(vectors.device.type, enabled=False):  # bf16 has not three digits
        unit = functional.normalize(vectors.flatten(1).to(torch.promote_types(vectors.dtype, torch.float32)), dim=1)
        first, second = torch.triu_indices(len(unit), len(unit), offset=1, device=unit.device)
        return (unit @ unit.T)[first, second]


def write_similarity(changes: Tensor, events: Tensor) -> Tensor:
    """Training step 0, a scalar: the mean over i < j of |cos(dM_i, dM_j) - cos(e_i, e_j)|.

    The published form, the mean of (cos(dM_i, dM_j) / cos(e_i, e_j) - 1)^2 / 2, asks for the same and diverges where cos(e_i, e_j) -> 0,
    where most pairs of sentences lie.

    changes: dM, what each event changed in its own copy of one memory, [n, ...].   events: e, [n, d].
    """
    return (similarities(changes) - similarities(events)).abs().mean()


class Slots(NamedTuple):
    """What a memory recalls: n slots for each sample of a batch."""

    time: Tensor
    """Where in time the event was, in [0, 1], [batch, slots]."""
    confidence: Tensor
    """Of there being an event in this slot, in [0, 1], [batch, slots]."""
    content: Tensor
    """What it was, [batch, slots, d]."""


class Happened(NamedTuple):
    """What is to be recalled; sequences of different lengths are padded at their ends."""

    time: Tensor
    """[batch, events]."""
    content: Tensor
    """[batch, events, d]."""
    there: Tensor
    """Whether it is an event, or padding, bool, [batch, events]."""


def match(slots: Slots, happened: Happened) -> Tensor:
    """For each event the slot that recalls it: the assignment of the least total loss (Kuhn 1955), one slot to an event.

    Returns [batch, events], -1 for padding. A sample must not have more events than slots: the rest would go unmatched, and be -1.
    Raises TrainingError where a recall, or an event, is not finite.
    """
    with torch.no_grad():
        apart = happened.time[:, :, None] - slots.time[:, None]
        late = functional.smooth_l1_loss(apart, torch.zeros_like(apart), reduction="none", beta=NEAR)
        alike = functional.normalize(happened.content, dim=2) @ functional.normalize(slots.content, dim=2).transpose(1, 2)
        sure = functional.smooth_l1_loss(slots.confidence, torch.ones_like(slots.confidence), reduction="none")
        cost = (TIME * late + CONFIDENCE * sure[:, None] + CONTENT * (1 - alike)).float().cpu().numpy()
    there = happened.there.cpu().numpy()
    if not np.isfinite(cost[there]).all():
        raise TrainingError("recalls cannot be matched to events: among them are values that are not finite; use a lower lr or clip")
    matched = np.full(there.shape, -1)
    for sample, events in enumerate(there):
        rows = np.flatnonzero(events)
        event, slot = linear_sum_assignment(cost[sample, rows])
        matched[sample, rows[event]] = slot
    return torch.from_numpy(matched).to(happened.time.device)


def slots_loss(slots: Slots, happened: Happened) -> Tensor:
    """Training step 1, a scalar, the mean over samples of

        .7 mean over events of smooth-L1(time)  +  .3 mean over slots of smooth-L1(confidence)  +  sum over events of (1 - cos(content))

    where each event has the slot that `match` gave it, whose confidence should be 1; that of all other slots should be 0.
    A sample without events has the second part alone.
    """
    slot = match(slots, happened)
    events = (slot >= 0).sum(1).clamp(min=1)
    sample, event = torch.nonzero(slot >= 0, as_tuple=True)
    chosen = slot[sample, event]
    late = functional.smooth_l1_loss(slots.time[sample, chosen], happened.time[sample, event], reduction="none", beta=NEAR)
    wanted = torch.zeros_like(slots.confidence)
    wanted[sample, chosen] = 1.0
    sure = functional.smooth_l1_loss(slots.confidence, wanted)
    alike = functional.cosine_similarity(slots.content[sample, chosen], happened.content[sample, event], dim=1)
    return CONFIDENCE * sure + (TIME * late / events[sample] + CONTENT * (1 - alike)).sum() / len(slot)

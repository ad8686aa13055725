"""Event-driven learning on the CPU (numba), which visits only the synapses of cells that spiked: STDP, and learning by coincidence.

The rules are those of `network.plasticity.stdp` and `.coincidence`. Synapses that learn by STDP are compressed rows, with weights, [batch,
synapse], and traces, [batch, cell]; by coincidence all-to-all, [batch, pre, post]. Events are rows (batch, cell, ...).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.parameters import Parameter, of, released
from spikemem.kernels.types import F64, I32, I64, Bools


class Columns(NamedTuple):
    """Compressed rows seen from the other side: postsynaptic cell j has the synapses place[start[j]:start[j+1]], from `source`."""

    start: I64
    place: I64
    source: I64


def columns(indptr: I64, targets: I32, post: int) -> Columns:
    """Compressed rows (CSR) sorted by postsynaptic cell."""
    place = np.argsort(targets, kind="stable")
    source = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))[place]
    return Columns(np.concatenate([[0], np.cumsum(np.bincount(targets, minlength=post))]), place, source)


@njit(cache=CACHE)
def scatter(events: I64, indptr: I64, targets: I32, weights: F64, current: F64, amount: F64 | None = None) -> None:
    """current[b, targets] += weights[b], over the synapses of each event.   amount: a factor on each, [event], 1 where None."""
    for e in range(events.shape[0]):
        b, pre = events[e, 0], events[e, 1]
        for s in range(indptr[pre], indptr[pre + 1]):
            current[b, targets[s]] += released(weights[b, s], amount, e)


@njit(cache=CACHE)
def drift(weights: F64, amount: float, divide: float, low: float, high: float) -> None:
    """w <- w + amount above `divide`, w - amount elsewhere, for every synapse."""
    for b in range(weights.shape[0]):
        for s in range(weights.shape[1]):
            w = weights[b, s]
            weights[b, s] = min(max(w + amount if w > divide else w - amount, low), high)


@njit(cache=CACHE)
def potentiate(
    events: I64, start: I64, place: I64, source: I64, weights: F64, x: F64, amount: Parameter, low: float, high: float, multiplicative: bool
) -> None:
    """w <- min(w + A+(w) x, w_max) for each synapse of each postsynaptic event.   amount: a number, or of each cell, [batch, post]."""
    for e in range(events.shape[0]):
        b, post = events[e, 0], events[e, 1]
        for n in range(start[post], start[post + 1]):
            w = weights[b, place[n]]
            room = high - w if multiplicative else 1.0
            weights[b, place[n]] = min(max(w + of(amount, b, post) * room * x[b, source[n]], low), high)


@njit(cache=CACHE)
def depress(
    events: I64, indptr: I64, targets: I32, weights: F64, y: F64, amount: Parameter, low: float, high: float, multiplicative: bool
) -> None:
    """w <- max(w - A-(w) y, w_min) for each synapse of each presynaptic event.   amount: a number, or of each cell, [batch, pre]."""
    for e in range(events.shape[0]):
        b, pre = events[e, 0], events[e, 1]
        for s in range(indptr[pre], indptr[pre + 1]):
            w = weights[b, s]
            room = w - low if multiplicative else 1.0
            weights[b, s] = min(max(w - of(amount, b, pre) * room * y[b, targets[s]], low), high)


@njit(cache=CACHE)
def scale(weights: F64, targets: I32, factor: F64, low: float, high: float) -> None:
    """w <- clip(w factor) for every synapse.   factor: of each postsynaptic cell, [batch, post]."""
    for b in range(weights.shape[0]):
        for s in range(weights.shape[1]):
            weights[b, s] = min(max(weights[b, s] * factor[b, targets[s]], low), high)


@njit(cache=CACHE)
def reward(weights: F64, eligibility: F64, gain: F64, decay: float, low: float, high: float) -> None:
    """w <- clip(w + gain c), c <- decay c, for every synapse.   eligibility: c, [batch, synapse].   gain: [batch]."""
    for b in range(weights.shape[0]):
        if gain[b] != 0.0:
            for s in range(weights.shape[1]):
                weights[b, s] = min(max(weights[b, s] + gain[b] * eligibility[b, s], low), high)
        for s in range(weights.shape[1]):
            eligibility[b, s] *= decay


@njit(cache=CACHE)
def scatter_dense(events: I64, here: Bools, weights: F64, current: F64, amount: F64 | None = None) -> None:
    """current[b] += weights[b, pre] where there is a synapse, for each event."""
    for e in range(events.shape[0]):
        b, pre = events[e, 0], events[e, 1]
        for c in range(here.shape[1]):
            if here[pre, c]:
                current[b, c] += released(weights[b, pre, c], amount, e)


@njit(cache=CACHE)
def coincide(events: I64, until: I64, step: int, weights: F64, amount: float, low: float, high: float) -> None:
    """w <- clip(w + amount) for the synapses onto each postsynaptic event, of cells that are heard until this step or longer."""
    for e in range(events.shape[0]):
        b, post = events[e, 0], events[e, 1]
        for i in range(until.shape[1]):
            if until[b, i] >= step:
                weights[b, i, post] = min(max(weights[b, i, post] + amount, low), high)

"""Synapses with delays of their own, on the CPU (numba): each spike is carried to the steps at which its synapses pass it on.

Shapes: an event is a row (batch, cell, rank), int64; synapses are compressed rows, with `lags`, their delays in steps, [synapse]. A ring
holds the coming steps: what belongs to step t is at t % length. `now` is a step modulo that length. An entry is a batch item and a synapse
in one number, item << ITEM | synapse.
"""

import math

from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.types import F64, I32, I64

ITEM = 32
"""Bits of a synapse's number in an entry."""
SYNAPSE = (1 << ITEM) - 1


@njit(cache=CACHE)
def scatter(events: I64, first: int, indptr: I64, targets: I32, weights: F64, lags: I64, now: int, factor: float, ring: F64) -> None:
    """ring[now + lag, b, target] += factor * weight, over the synapses of each event of rank below `first`.   ring: [step, batch, post]."""
    length = ring.shape[0]
    for e in range(events.shape[0]):
        if events[e, 2] < first:
            b, pre = events[e, 0], events[e, 1]
            for s in range(indptr[pre], indptr[pre + 1]):
                at = now + lags[s]
                ring[at if at < length else at - length, b, targets[s]] += factor * weights[s]


@njit(cache=CACHE)
def enter(events: I64, indptr: I64, lags: I64, now: int, slots: I64, counts: I64) -> int:
    """Enter the synapses of each event at the steps that see it.

    slots: [step, entry], of which the first counts[step] count.   Returns the entries that the fullest step needs; where there is less
    room than that, nothing has been entered.
    """
    length, room = slots.shape
    needed = counts.copy()
    for e in range(events.shape[0]):
        for s in range(indptr[events[e, 1]], indptr[events[e, 1] + 1]):
            at = now + lags[s]
            needed[at if at < length else at - length] += 1
    most = needed.max()
    if most > room:
        return most
    for e in range(events.shape[0]):
        for s in range(indptr[events[e, 1]], indptr[events[e, 1] + 1]):
            at = now + lags[s]
            at = at if at < length else at - length
            slots[at, counts[at]] = (events[e, 0] << ITEM) | s
            counts[at] += 1
    return most


@njit(cache=CACHE)
def transmit(due: I64, targets: I32, weights: F64, current: F64) -> None:
    """current[b, target] += weight, over the entries that are due.   weights: [batch, synapse]."""
    for f in due:
        b, s = f >> ITEM, f & SYNAPSE
        current[b, targets[s]] += weights[b, s]


@njit(cache=CACHE)
def faded(fade: F64, steps: int) -> float:
    """What is left of a trace after some steps.   fade: after 0, 1, ... steps, a table, beyond which it goes on falling by fade[1]."""
    if steps < len(fade):
        return fade[steps]
    return math.pow(fade[1], steps)


@njit(cache=CACHE)
def depress(
    due: I64, targets: I32, weights: F64, y: F64, x: F64, since: I64, step: int, fade: F64, amount: float,
    low: float, high: float, multiplicative: bool, nearest: bool,
) -> None:  # fmt: skip
    """w <- max(w - A-(w) y, w_min), and then x <- x + 1, for the synapses that see a presynaptic spike at a step.

    x: a synapse's trace as it was at step `since`, [batch, synapse].   fade: see `faded`.   y: [batch, post].
    """
    for f in due:
        b, s = f >> ITEM, f & SYNAPSE
        w = weights[b, s]
        room = w - low if multiplicative else 1.0
        weights[b, s] = min(max(w - amount * room * y[b, targets[s]], low), high)
        x[b, s] = 1.0 if nearest else x[b, s] * faded(fade, step - since[b, s]) + 1.0
        since[b, s] = step


@njit(cache=CACHE)
def potentiate(
    events: I64, start: I64, place: I64, weights: F64, x: F64, since: I64, step: int, fade: F64, amount: float,
    low: float, high: float, multiplicative: bool,
) -> None:  # fmt: skip
    """w <- min(w + A+(w) x, w_max) for each synapse of each postsynaptic event, with x as it stands at a step; see `depress`."""
    for e in range(events.shape[0]):
        b, post = events[e, 0], events[e, 1]
        for n in range(start[post], start[post + 1]):
            s = place[n]
            w = weights[b, s]
            room = high - w if multiplicative else 1.0
            seen = x[b, s] * faded(fade, step - since[b, s])
            weights[b, s] = min(max(w + amount * room * seen, low), high)

"""Event-driven kernels for the CPU (numba), which visit only the synapses of cells that spiked.

Shapes: state arrays are [batch, cell]; an event is a row (batch, cell, rank), int64, where rank counts the spikes of the population in
the current cycle of that batch item (0 is the first to fire).
"""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.parameters import Parameter, at, released
from spikemem.kernels.types import F64, I32, I64, U64, Bools


@njit(cache=CACHE)
def integrate(
    voltage: F64,
    spiked: Bools,
    current: F64,
    external: F64,
    synaptic: F64,
    left: I64,
    beta: Parameter,
    gamma: Parameter,
    resistance: Parameter,
    threshold: Parameter,
    reset: Parameter,
    refractory: Parameter,
) -> None:
    """One step of leaky integrate-and-fire cells (`network.neurons.lif`), in place, up to the comparison with the threshold.

    external: [1 or batch, 1 or cell], broadcast.   synaptic: J; touched where gamma is above 0.   left: refractory steps left, this one
    included; touched where refractory is above 0.   reset: NaN for subtraction. Parameters are numbers, or arrays, [cell].
    """
    batch, cells = voltage.shape
    wide_batch, wide_cells = external.shape[0] > 1, external.shape[1] > 1
    subtract, filters, rests = np.isnan(at(reset, 0)), at(gamma, 0) > 0.0, left.shape == voltage.shape
    for b in range(batch):
        row = external[b if wide_batch else 0]
        for c in range(cells):
            i = current[b, c] + row[c if wide_cells else 0]
            if filters:
                i += at(gamma, c) * synaptic[b, c]
                synaptic[b, c] = i
            v = voltage[b, c]
            if spiked[b, c] and not subtract:
                v = at(reset, c)
            if rests:
                left[b, c] = at(refractory, c) if spiked[b, c] else max(left[b, c] - 1, 0)
                if left[b, c] > 0:
                    voltage[b, c] = v - at(threshold, c) if spiked[b, c] and subtract else v
                    continue
            v = at(beta, c) * v + at(resistance, c) * i
            if spiked[b, c] and subtract:
                v -= at(threshold, c)
            voltage[b, c] = v


@njit(cache=CACHE)
def crossings(voltage: F64, threshold: Parameter, left: I64, refractory: int) -> I64:
    """The cells above threshold that are not refractory, as events (batch, cell, 0) in the order of their index."""
    batch, cells = voltage.shape
    count = 0
    for b in range(batch):
        for c in range(cells):
            if voltage[b, c] > at(threshold, c):
                count += 1
    events = np.zeros((count, 3), np.int64)
    n = 0
    for b in range(batch):
        for c in range(cells):
            if voltage[b, c] > at(threshold, c) and not (refractory > 0 and left[b, c] > 0):
                events[n, 0], events[n, 1] = b, c
                n += 1
    return events[:n]


@njit(cache=CACHE)
def spiking(spikes: Bools) -> I64:
    """The cells that spike as events (batch, cell, 0), in the order of their index."""
    batch, cells = spikes.shape
    events = np.zeros((spikes.sum(), 3), np.int64)
    n = 0
    for b in range(batch):
        for c in range(cells):
            if spikes[b, c]:
                events[n, 0], events[n, 1] = b, c
                n += 1
    return events


@njit(cache=CACHE)
def choose_winners(voltage: F64, threshold: float, k: int, silenced: Bools, count: I64) -> tuple[I64, I64]:
    """The basket cell's choice of one step, with its effects on voltage, silenced and count in place.

    Returns the events in firing order (higher V first, then lower index) and the batch items whose basket cell spiked.
    """
    batch, cells = voltage.shape
    events = np.empty((batch * min(k, cells), 3), np.int64)
    baskets = np.empty(batch, np.int64)
    n = full = 0
    for b in range(batch):
        for c in range(cells):
            if silenced[b, c]:
                voltage[b, c] = 0.0
        if count[b] == k:
            continue
        crossed = np.flatnonzero(voltage[b] > threshold)
        order = np.argsort(-voltage[b][crossed], kind="mergesort")
        for c in crossed[order[: k - count[b]]]:
            events[n, 0], events[n, 1], events[n, 2] = b, c, count[b]
            silenced[b, c] = True
            count[b] += 1
            n += 1
        if count[b] == k:
            baskets[full] = b
            full += 1
            won = np.zeros(cells, np.bool_)
            for e in range(n - 1, -1, -1):
                if events[e, 0] != b:
                    break
                won[events[e, 1]] = True
            for c in range(cells):
                silenced[b, c] = True
                if not won[c]:
                    voltage[b, c] = 0.0
    return events[:n], baskets[:full]


@njit(cache=CACHE)
def scatter_dense(events: I64, first: int, weights: F64, current: F64, amount: F64 | None = None) -> None:
    """current[b] += W[cell] for each event of rank below `first`.   amount: the factor on what each event brings, [event], 1 where None."""
    for e in range(events.shape[0]):
        if events[e, 2] < first:
            b, pre = events[e, 0], events[e, 1]
            for c in range(weights.shape[1]):
                current[b, c] += released(weights[pre, c], amount, e)


@njit(cache=CACHE)
def scatter_sparse(events: I64, first: int, indptr: I64, targets: I32, weights: F64, current: F64, amount: F64 | None = None) -> None:
    """current[b, targets] += weights, over the synapses of each event of rank below `first`."""
    for e in range(events.shape[0]):
        if events[e, 2] < first:
            b, pre = events[e, 0], events[e, 1]
            for s in range(indptr[pre], indptr[pre + 1]):
                current[b, targets[s]] += released(weights[s], amount, e)


@njit(cache=CACHE)
def scatter_bits(events: I64, first: int, bits: U64, start: I64, on: F64, off: float, current: F64, amount: F64 | None = None) -> None:
    """current[b, start : start + width] += on[pre] where the bit is set and `off` where not, for each event of rank below `first`."""
    for e in range(events.shape[0]):
        if events[e, 2] < first:
            b, pre = events[e, 0], events[e, 1]
            c, weight, rest = start[pre], released(on[pre], amount, e), released(off, amount, e)
            for w in range(bits.shape[1]):
                word = bits[pre, w]
                for _ in range(64):
                    current[b, c] += weight if word & np.uint64(1) else rest
                    word >>= np.uint64(1)
                    c += 1

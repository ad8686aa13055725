"""Event-driven kernels for the CPU (numba), which visit only the synapses of cells that spiked.

Shapes: state arrays are [batch, cell]; an event is a row (batch, cell, rank), int64, where rank counts the spikes of the population in
the current cycle of that batch item (0 is the first to fire).
"""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.parameters import Parameter, at, released
from spikemem.kernels.types import F64, I32, I64, U64, Bools


@njit(cache=CACHE, inline="always")
def _moved(v: float, spiked: bool, i: float, beta: float, resistance: float, threshold: float, reset: float, subtract: bool) -> float:
    """V of a cell after one step that it is not refractory in.   i: J, the current."""
    if subtract:
        v = beta * v + resistance * i
        return v - threshold if spiked else v
    return beta * (reset if spiked else v) + resistance * i


@njit(cache=CACHE)
def integrate_row(
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
    """One step of leaky integrate-and-fire cells (`network.neurons.lif`), in place; all [cell].

    spiked: those of the step before, and then those above threshold that are not refractory.   current: read, and then 0.
    external: of size 1 where all cells have the same.   synaptic: J, of size 0 where currents do not last.   left: refractory steps left,
    this one included; of size 0 where no cell is refractory.   reset: NaN for subtraction. Parameters are numbers, or arrays.
    """
    wide, subtract, filters, rests = external.size > 1, np.isnan(at(reset, 0)), synaptic.size > 0, left.size > 0
    if not filters and not rests:
        for c in range(voltage.size):
            i = current[c] + external[c if wide else 0]
            v = _moved(voltage[c], spiked[c], i, at(beta, c), at(resistance, c), at(threshold, c), at(reset, c), subtract)
            voltage[c], spiked[c], current[c] = v, v > at(threshold, c), 0.0
        return
    for c in range(voltage.size):
        v, i = voltage[c], current[c] + external[c if wide else 0]
        current[c] = 0.0
        if filters:
            i += at(gamma, c) * synaptic[c]
            synaptic[c] = i
        if rests:
            left[c] = at(refractory, c) if spiked[c] else max(left[c] - 1, 0)
        if rests and left[c] > 0:
            if spiked[c]:
                voltage[c] = v - at(threshold, c) if subtract else at(reset, c)
            spiked[c] = False
        else:
            v = _moved(v, spiked[c], i, at(beta, c), at(resistance, c), at(threshold, c), at(reset, c), subtract)
            voltage[c], spiked[c] = v, v > at(threshold, c)


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
    """`integrate_row` of each batch item.   external: [1 or batch, 1 or cell], broadcast.   synaptic, left: [batch, 0] where unused."""
    for b in range(voltage.shape[0]):
        row = external[b if external.shape[0] > 1 else 0]
        integrate_row(
            voltage[b], spiked[b], current[b], row, synaptic[b], left[b], beta, gamma, resistance, threshold, reset, refractory
        )  # fmt: skip


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


@njit(cache=CACHE, inline="always")
def add_dense(weights: F64, factor: float, current: F64) -> None:
    """current += factor * weights."""
    for c in range(weights.size):
        current[c] += factor * weights[c]


@njit(cache=CACHE, inline="always")
def add_bits(bits: U64, start: int, weight: float, rest: float, current: F64) -> None:
    """current[start : start + width] += weight where the bit is set, and `rest` where not."""
    c = start
    for word in bits:
        for _ in range(64):
            current[c] += weight if word & np.uint64(1) else rest
            word >>= np.uint64(1)
            c += 1


@njit(cache=CACHE)
def scatter_dense(events: I64, first: int, weights: F64, current: F64, amount: F64 | None = None) -> None:
    """current[b] += W[cell] for each event of rank below `first`.   amount: the factor on what each event brings, [event], 1 where None."""
    for e in range(events.shape[0]):
        if events[e, 2] < first:
            add_dense(weights[events[e, 1]], released(1.0, amount, e), current[events[e, 0]])


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
            add_bits(bits[pre], start[pre], released(on[pre], amount, e), released(off, amount, e), current[b])

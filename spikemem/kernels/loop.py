"""Whole runs of leaky integrate-and-fire networks in one compiled loop over steps, projections and populations (numba).

Arrays are reached by their addresses, so that one compiled loop runs any number of populations and synapses of any kind. Cells are
integrated and compared with their threshold in one pass, and the synapses of the coming spikes are fetched ahead. Events are kept in the
order of steps, populations, batch items and cells: those of population p in slot t are first[t * populations + p] to the next number there.
"""

from typing import Any

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.cpu import add_bits, add_dense, integrate_row
from spikemem.kernels.machine import LINE, array_at, lowest, prefetch
from spikemem.kernels.types import F64, I32, I64

AHEAD = 2
"""Events by which synapses are fetched before they are read."""
NARROW, WIDE, ALL, BITS = range(4)
"""Kinds of synapses: sparse with targets of 16 and of 32 bits, dense, one-bit."""

Groups = Any
"""Populations, an array of `GROUP`."""
GROUP = np.dtype(
    [
        ("cells", np.int64),
        ("voltage", np.int64),  # addresses, of arrays of [batch, cell], or [batch, 0]
        ("spiked", np.int64),
        ("current", np.int64),
        ("synaptic", np.int64),
        ("left", np.int64),
        ("filters", np.int64),  # whether there are such arrays
        ("rests", np.int64),
        ("external", np.int64),  # the address of [time, batch, cell], and the strides, in bytes
        ("each_step", np.int64),
        ("each_item", np.int64),
        ("each_cell", np.int64),
        ("beta", np.float64),
        ("gamma", np.float64),
        ("resistance", np.float64),
        ("threshold", np.float64),
        ("reset", np.float64),
        ("refractory", np.int64),
        ("forced", np.int64),  # whether its spikes are given, their number, and addresses: `simulators.stimulus.Forced`
        ("given", np.int64),
        ("given_first", np.int64),
        ("given_batch", np.int64),
        ("given_cell", np.int64),
        ("given_items", np.int64),
        ("chosen", np.int64),  # the cells whose V is recorded, their number, and where, [time, batch, chosen]
        ("watched", np.int64),
        ("record", np.int64),
    ]
)
Ways = Any
"""Projections, an array of `WAY`."""
WAY = np.dtype(
    [
        ("pre", np.int64),
        ("post", np.int64),
        ("delay", np.int64),  # steps
        ("kind", np.int64),
        ("cells", np.int64),  # presynaptic ones
        ("synapses", np.int64),
        ("indptr", np.int64),  # addresses; of one-bit synapses `indptr` is where rows start, and `targets` are the bits
        ("targets", np.int64),
        ("weights", np.int64),
        ("words", np.int64),
        ("off", np.float64),
    ]
)


@njit(cache=CACHE)
def advance(groups: Groups, ways: Ways, batches: int, begin: int, end: int, back: int, first: I64, batch: I32, cell: I32, room: int) -> int:
    """Steps from `begin` on, in place, to before `end`, or as far as there is room for events.

    back: slots before that of step 0, of earlier spikes.   first, batch, cell: see above.   room: events that a step may have at most.
    Returns the step reached.
    """
    for t in range(begin, end):
        slot = (back + t) * len(groups)
        n = first[slot]
        if n + room > len(cell):
            return t
        for w in range(len(ways)):
            way = ways[w]
            sent = (back + t - way.delay) * len(groups) + way.pre
            _deliver(way, groups[way.post], batches, batch[first[sent] : first[sent + 1]], cell[first[sent] : first[sent + 1]])
        for p in range(len(groups)):
            group = groups[p]
            if group.forced:
                n = _force(group, batches, t, batch, cell, n)
            else:
                n = _fire(group, batches, t, batch, cell, n)
                _record(group, batches, t)
            first[slot + p + 1] = n
    return end


@njit(cache=CACHE)
def _deliver(way: Any, post: Any, batches: int, batch: I32, cell: I32) -> None:
    """Add what the synapses of some events bring to the postsynaptic currents."""
    if post.forced or not len(cell):
        return
    current = array_at(post.current, (batches, post.cells), np.float64)
    if way.kind == ALL:
        weights = array_at(way.weights, (way.cells, post.cells), np.float64)
        for e in range(len(cell)):
            add_dense(weights[cell[e]], 1.0, current[batch[e]])
    elif way.kind == BITS:
        bits, start = array_at(way.targets, (way.cells, way.words), np.uint64), array_at(way.indptr, (way.cells,), np.int64)
        weights = array_at(way.weights, (way.cells,), np.float64)
        for e in range(len(cell)):
            add_bits(bits[cell[e]], start[cell[e]], weights[cell[e]], way.off, current[batch[e]])
    else:
        indptr, weights = array_at(way.indptr, (way.cells + 1,), np.int64), array_at(way.weights, (way.synapses,), np.float64)
        if way.kind == NARROW:
            _scatter(indptr, array_at(way.targets, (way.synapses,), np.uint16), weights, current, batch, cell)
        else:
            _scatter(indptr, array_at(way.targets, (way.synapses,), np.uint32), weights, current, batch, cell)


@njit(cache=CACHE)
def _scatter(indptr: I64, targets: Any, weights: F64, current: F64, batch: I32, cell: I32) -> None:
    """current[b, targets] += weights, over the synapses of each event."""
    for e in range(len(cell)):
        if e + AHEAD < len(cell):
            coming = cell[e + AHEAD]
            for s in range(indptr[coming], indptr[coming + 1], LINE // targets.itemsize):
                prefetch(targets, s)
            for s in range(indptr[coming], indptr[coming + 1], LINE // weights.itemsize):
                prefetch(weights, s)
        begin, end, row = indptr[cell[e]], indptr[cell[e] + 1], current[batch[e]]
        reached, weight = targets[begin:end], weights[begin:end]
        for s in range(len(reached)):
            row[reached[s]] += weight[s]


@njit(cache=CACHE)
def _force(group: Any, batches: int, t: int, batch: I32, cell: I32, n: int) -> int:
    """Add the spikes that are given for a step to the events; returns how many there are then."""
    first, items = array_at(group.given_first, (t + 2,), np.int64), batches if group.given_items == 1 else 1
    of, given = array_at(group.given_batch, (group.given,), np.int32), array_at(group.given_cell, (group.given,), np.int32)
    for b in range(items):
        for s in range(first[t], first[t + 1]):
            batch[n], cell[n] = b if items > 1 else of[s], given[s]
            n += 1
    return n


@njit(cache=CACHE)
def _fire(group: Any, batches: int, t: int, batch: I32, cell: I32, n: int) -> int:
    """One step of the cells, in place; returns how many events there are then."""
    cells, wide = group.cells, group.each_cell > 0
    for b in range(batches):
        here, at = b * cells, group.external + t * group.each_step + b * group.each_item
        integrate_row(
            array_at(group.voltage + 8 * here, (cells,), np.float64),
            array_at(group.spiked + here, (cells,), np.bool_),
            array_at(group.current + 8 * here, (cells,), np.float64),
            array_at(at, (cells if wide else 1,), np.float64),
            array_at(group.synaptic + 8 * here, (cells if group.filters else 0,), np.float64),
            array_at(group.left + 8 * here, (cells if group.rests else 0,), np.int64),
            group.beta, group.gamma, group.resistance, group.threshold, group.reset, group.refractory,
        )  # fmt: skip
    words = array_at(group.spiked, (-(-batches * cells // 8),), np.uint64)
    for w in range(len(words)):
        word = words[w]  # a byte a cell, the first one lowest
        while word:
            place = 8 * w + (lowest(word) >> 3)
            batch[n], cell[n] = place // cells, place % cells
            word &= word - np.uint64(1)
            n += 1
    return n


@njit(cache=CACHE)
def _record(group: Any, batches: int, t: int) -> None:
    """Keep V of the chosen cells."""
    if group.watched:
        chosen, cells = array_at(group.chosen, (group.watched,), np.int64), group.cells
        voltage = array_at(group.voltage, (batches, cells), np.float64)
        record = array_at(group.record + 8 * t * batches * group.watched, (batches, group.watched), np.float64)
        for b in range(batches):
            for n in range(group.watched):
                record[b, n] = voltage[b, chosen[n]]

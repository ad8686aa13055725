"""One-bit synapses in packed rows (numba): setting them by Hebb's clipped rule, and what they bring to the cells that they reach.

Rows are of presynaptic cells: bit b of word w is the synapse onto cell 64 w + b.
"""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.bit_counters import count_rows, planes_for
from spikemem.kernels.draws import count
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import I32, I64, U16, U64, Bools

STRIPES = 16
"""Parts into which binding divides the presynaptic cells."""
BITS = 64
"""Synapses in a word."""


@njit(cache=CACHE, nogil=True)
def _bind_stripes(start: int, stop: int, bits: U64, ptr: I64, pre: I64, post: U16, from_: Bools, onto: Bools) -> None:
    for stripe in range(start, stop):
        for m in range(len(post)):
            for i in pre[ptr[m] : ptr[m + 1]]:
                if i % STRIPES == stripe:
                    for j in post[m]:
                        if from_[i] or onto[j]:
                            bits[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)


def bind(bits: U64, pre: U16, post: U16, from_: Bools | None = None, onto: Bools | None = None) -> None:
    """Clipped Hebb: set the bit of each pair of a presynaptic cell of pre[m] and a postsynaptic one of post[m], [n, a] and [n, b].

    from_, onto: pre- and postsynaptic cells; where given only pairs that have one of them are set.
    """
    n, width = pre.shape
    bind_lists(bits, np.arange(n + 1) * width, pre.astype(np.int64).ravel(), post, from_, onto)


def bind_lists(bits: U64, ptr: I64, pre: I64, post: U16, from_: Bools | None = None, onto: Bools | None = None) -> None:
    """As `bind`, for lists of presynaptic cells, CSR: those of m are pre[ptr[m] : ptr[m + 1]]."""
    every = from_ is None and onto is None
    masks = (
        np.full(len(bits), every) if from_ is None else from_,
        np.full(bits.shape[1] * BITS, every) if onto is None else onto,
    )
    if len(post) < STRIPES:  # starting threads takes longer
        _bind_stripes(0, STRIPES, bits, ptr, pre, post, *masks)
    else:
        in_threads(_bind_stripes, STRIPES, bits, ptr, pre, post, *masks)


def clear(bits: U64, onto: U16) -> None:
    """Clear the bits onto some cells, in place."""
    cells = np.unique(onto).astype(np.int64)
    for word in np.unique(cells >> 6):
        mine = cells[cells >> 6 == word] & 63
        bits[:, word] &= ~np.bitwise_or.reduce(np.uint64(1) << mine.astype(np.uint64))


@njit(cache=CACHE)
def add(bits: U64, rows: I64, weight: int, drive: I32) -> int:
    """Add to each column's drive the weight of its set bits in some rows, counted in bit planes (carry-save addition).

    Returns how many bits were set.
    """
    planes = np.zeros((planes_for(len(rows)), bits.shape[1]), np.uint64)
    count_rows(bits, rows, planes)
    events = 0
    for j in range(len(planes)):
        value, plane = np.int32(weight << j), planes[j]
        for w in range(len(plane)):
            word = plane[w]
            if word:
                events += count(word) << j
                part = drive[w * BITS : (w + 1) * BITS]
                for b in range(BITS):  # without a branch, so that it is vectorised
                    part[b] += value * np.int32((word >> np.uint64(b)) & np.uint64(1))
    return events


@njit(cache=CACHE, nogil=True)
def _weighed_some(
    start: int, stop: int, drive: I32, events: I64, bits: U64, ptr: I64, pre: I64, spikes: I64, weight: I64
) -> None:  # fmt: skip
    for i in range(start, stop):
        for s in range(ptr[i], ptr[i + 1]):
            row, w, often = bits[pre[s]], np.int32(spikes[s] * weight[s]), spikes[s]
            for x in range(len(row)):
                word = row[x]
                if word:
                    for b in range(BITS):  # without a branch, so that it is vectorised
                        bit = np.int32((word >> np.uint64(b)) & np.uint64(1))
                        drive[i, x * BITS + b] += w * bit
                        events[i] += often * bit


def weighed(bits: U64, ptr: I64, pre: I64, spikes: I64, weight: I64, drive: I32) -> I64:
    """Add to the drive of each cue, [n, cells], what its presynaptic cells bring, CSR, by their set bits, spikes and weights.

    Returns how many synapses carried a spike, [n].
    """
    events = np.zeros(len(drive), np.int64)
    in_threads(_weighed_some, len(drive), drive, events, bits, ptr, pre, spikes, weight)
    return events

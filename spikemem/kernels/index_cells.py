"""The short cut of CA1 on the CPU (numba): which index cells fire in a gamma cycle, and what each pathway contributes.

All drives are whole numbers, of the soma in units of 1/64 perforant coincidence, of the dendrite in units of 1/2048 Schaffer synapse.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from spikemem.kernels.circuit import I8, I32, I64, shared_cells

PER_SYNAPSE = 2048
"""A Schaffer synapse in the dendrite's units: 32 times those of the soma."""
OPENS = PER_SYNAPSE // 2
"""A dendrite fires above half a synapse."""


@njit(cache=True)
def word_drive(cell: I64, spikes: I64, ptr: I64, key: I64, weight: I64, keys: int) -> tuple[I64, I64]:
    """What index cells hear from word cells, sum over w of x_w W_wk, [key], and how many of their synapses carried a spike, [key]."""
    drive, carried = np.zeros(keys, np.int64), np.zeros(keys, np.int64)
    for w in range(len(cell)):
        for s in range(ptr[cell[w]], ptr[cell[w] + 1]):
            drive[key[s]] += spikes[w] * weight[s]
            carried[key[s]] += spikes[w]
    return drive, carried


@njit(cache=True)
def context_drive(drive: I64, content: I64, neighbours: I64, weight: I64) -> I64:
    """What each memory's cells hear from context cells: the words of its neighbours, weighted, [memory]."""
    found = np.zeros(len(content), np.int64)
    for m in range(len(neighbours)):
        for d in range(len(weight)):
            j = neighbours[m, d]
            if j >= 0:
                found[m] += weight[d] * drive[content[j]]
    return found


@njit(cache=True)
def apical_spikes(cell: I64, ptr: I64, target: I64, weight: NDArray[np.float64], owner: I64, memories: int) -> NDArray[np.bool_]:
    """The memories one of whose apical dendrites fires when these cells spike together, [memory]."""
    share, fired = np.zeros(len(owner)), np.zeros(memories, np.bool_)
    for w in cell:
        for s in range(ptr[w], ptr[w + 1]):
            share[target[s]] += weight[s]
    for a in range(len(owner)):
        if share[a] > 1.0:
            fired[owner[a]] = True
    return fired


@njit(cache=True)
def strongest(drive: I64, k: int, above: int) -> I64:
    """The cells with the k largest drives above a level; of equals the lower index. In the order of their index."""
    near = np.flatnonzero(drive > above)
    if len(near) <= k:
        return near
    least = -np.partition(-drive[near], k - 1)[k - 1]
    room = k
    for key in near:
        if drive[key] > least:
            room -= 1
    chosen, n = np.empty(k, np.int64), 0
    for key in near:
        if drive[key] > least or (drive[key] == least and room > 0):
            if drive[key] == least:
                room -= 1
            chosen[n] = key
            n += 1
    return chosen


class Keys(NamedTuple):
    """Index cells.   counts: [key, d].   codes: [key, k].   alive, memory: [key].   indptr, keys, built, cells: see `shared_cells`."""

    counts: I8
    codes: NDArray[np.uint16]
    alive: NDArray[np.bool_]
    memory: I64
    indptr: I64
    keys: I32
    built: int
    cells: int


class Afferents(NamedTuple):
    """What `regions.pathways` has learned; CSR by word cell, and arrays by memory.   time: drive of the moment that is asked for."""

    word_ptr: I64
    word_key: I64
    word_weight: I64
    content: I64
    neighbours: I64
    context_weight: I64
    context_fan: I64
    apical_ptr: I64
    apical_target: I64
    apical_weight: NDArray[np.float64]
    apical_memory: I64
    time: I64


class Said(NamedTuple):
    """Word cells of each cue with their spikes, CSR."""

    ptr: I64
    cell: I64
    spikes: I64


class Gains(NamedTuple):
    """Of a perforant coincidence, of an apical dendrite, of a plateau; and what the latter two give a dendrite."""

    meaning: int
    key: int
    spreading: int
    opening: int


@njit(cache=True, parallel=True)
def rank(
    counts: I8, active: NDArray[np.uint16], size: I64, lit: NDArray[np.bool_], candidates: int, index: Keys, said: Said, given: Afferents,
    gains: Gains,
) -> tuple[I64, I64, I64]:  # fmt: skip
    """CA1's index cells in firing order, [n, candidates], padded with -1; their drives by pathway, [n, candidates, 6]; events, [n].

    The `candidates` dendrites of largest drive open; among these the soma's drive decides (the equation of `regions.ca1`).
    counts: the cues' volleys, [n, d].   active: CA3's cells, [n, k], of which the first `size` count.   lit: plateaus, [n, memory].
    """
    n, d = counts.shape
    keys = len(index.codes)
    order, parts = np.full((n, candidates), -1, np.int64), np.zeros((n, candidates, 6), np.int64)
    events = np.zeros(n, np.int64)
    for i in prange(n):
        cue = counts[i].astype(np.int32)
        part = slice(said.ptr[i], said.ptr[i + 1])
        cell = said.cell[part]
        words, carried = word_drive(cell, said.spikes[part], given.word_ptr, given.word_key, given.word_weight, keys)
        context = context_drive(words, given.content, given.neighbours, given.context_weight)
        tuft = apical_spikes(cell, given.apical_ptr, given.apical_target, given.apical_weight, given.apical_memory, len(given.content))
        now = active[i, : size[i]].astype(np.int64)
        shared = shared_cells(now, index.codes, index.alive, index.indptr, index.keys, index.built, index.cells)
        dendrite = np.zeros(keys, np.int64)
        for key in range(keys):
            if index.alive[key]:
                m = index.memory[key]
                dendrite[key] = PER_SYNAPSE * shared[key] + 64 * words[key] + context[m] + given.time[m]
                if tuft[m]:
                    dendrite[key] += gains.opening
                if lit[i, m]:
                    dendrite[key] += gains.opening
        opened = strongest(dendrite, candidates, OPENS)
        total, found = np.zeros(len(opened), np.int64), np.zeros((len(opened), 6), np.int64)
        for j in range(len(opened)):
            key = opened[j]
            dot = 0
            for x in range(d):
                dot += index.counts[key, x] * cue[x]
            m = index.memory[key]
            found[j, 0], found[j, 1], found[j, 2], found[j, 3] = gains.meaning * dot, 64 * words[key], context[m], given.time[m]
            if tuft[m]:
                found[j, 4] = gains.key
            if lit[i, m]:
                found[j, 5] = gains.spreading
            total[j] = found[j].sum()
        best = np.argsort(-total, kind="mergesort")
        for j in range(len(opened)):
            order[i, j], parts[i, j] = opened[best[j]], found[best[j]]
        events[i] = shared.sum() + len(opened) * np.abs(cue).sum() + (carried * (1 + given.context_fan)).sum()
    return order, parts, events

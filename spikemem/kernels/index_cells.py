"""The short cut of CA1 on the CPU (numba): which index cells fire in a gamma cycle, and what each pathway contributes.

All drives are whole numbers, of the soma in units of 1/64 perforant coincidence, of the dendrite in units of 1/2048 Schaffer synapse.
The functions take named tuples of arrays, which numba compiles, in place of the objects that hold them.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit
from numpy.typing import NDArray

from spikemem.kernels.circuit import I8, I32, I64, U64, ca3_cycle, first_under_noise, shared_cells

UNIT = 64
"""Drives are counted in units of 1/64 of a perforant coincidence, in which all weights are whole."""
PER_SYNAPSE = 32 * UNIT
"""A Schaffer synapse in the dendrite's units: 32 times those of the soma."""
MEANING, WORDS, CONTEXT, TIME, KEY, SPREADING = range(6)
"""Places of the pathways in a drive that is told apart."""
PATHWAYS = 6
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


class FlatWords(NamedTuple):
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


class Recurrent(NamedTuple):
    """CA3's fast synapses and what decides which of its cells fire (see `ca3_cycle`)."""

    fast: U64
    core: int
    inhibition: float
    level: float
    winners: int


class Lottery(NamedTuple):
    """Who takes part in the subiculum's race, and its noise (see `gumbel`).   start: number of the first gamma cycle."""

    competitors: int
    start: int
    seed: int
    size: float
    grid: float


@njit(cache=True)
def _beside(i: int, primed: NDArray[np.bool_], index: Keys, flat: FlatWords, given: Afferents, gains: Gains) -> tuple[I64, I64, I64]:
    """What a cue's words, its moment and plateaus make of each key: drives by pathway but for meaning, [key, 6]; of its dendrite, [key];
    and how many synapses carried a spike, [key]. The same in each gamma cycle."""
    keys, part = len(index.codes), slice(flat.ptr[i], flat.ptr[i + 1])
    words, carried = word_drive(flat.cell[part], flat.spikes[part], given.word_ptr, given.word_key, given.word_weight, keys)
    context = context_drive(words, given.content, given.neighbours, given.context_weight)
    tuft = apical_spikes(
        flat.cell[part], given.apical_ptr, given.apical_target, given.apical_weight, given.apical_memory, len(given.content)
    )  # fmt: skip
    parts, dendrite = np.zeros((keys, PATHWAYS), np.int64), np.zeros(keys, np.int64)
    for key in range(keys):
        m = index.memory[key]
        parts[key, WORDS], parts[key, CONTEXT], parts[key, TIME] = UNIT * words[key], context[m], given.time[m]
        dendrite[key] = parts[key, WORDS] + parts[key, CONTEXT] + parts[key, TIME]
        if tuft[m]:
            parts[key, KEY] = gains.key
            dendrite[key] += gains.opening
        if primed[i, m]:
            parts[key, SPREADING] = gains.spreading
            dendrite[key] += gains.opening
    return parts, dendrite, carried


@njit(cache=True)
def _race(cue: I32, shared: I32, parts: I64, dendrite: I64, candidates: int, index: Keys, gains: Gains) -> tuple[I64, I64]:
    """The keys whose dendrites open, in the order in which their somata fire, and their drives by pathway, [opened, 6]."""
    open_ = np.zeros(len(dendrite), np.int64)
    for key in range(len(dendrite)):
        if index.alive[key]:
            open_[key] = dendrite[key] + PER_SYNAPSE * shared[key]
    opened = strongest(open_, candidates, OPENS)
    found = parts[opened]
    for j in range(len(opened)):
        dot = 0
        for x in range(len(cue)):
            dot += index.counts[opened[j], x] * cue[x]
        found[j, MEANING] = gains.meaning * dot
    best = np.argsort(-found.sum(axis=1), kind="mergesort")
    return opened[best], found[best]


@njit(cache=True, nogil=True)
def _rank_some(
    start: int, stop: int, order: I64, parts: I64, events: I64,
    counts: I8, active: NDArray[np.uint16], size: I64, primed: NDArray[np.bool_], candidates: int, index: Keys,
    flat: FlatWords, given: Afferents,
    gains: Gains,
) -> None:  # fmt: skip
    for i in range(start, stop):
        cue = counts[i].astype(np.int32)
        beside, dendrite, carried = _beside(i, primed, index, flat, given, gains)
        now = active[i, : size[i]].astype(np.int64)
        shared = shared_cells(now, index.codes, index.alive, index.indptr, index.keys, index.built, index.cells)
        keys, drives = _race(cue, shared, beside, dendrite, candidates, index, gains)
        for j in range(len(keys)):
            order[i, j] = keys[j]
            for p in range(parts.shape[2]):
                parts[i, j, p] = drives[j, p]
        events[i] = shared.sum() + (carried * (1 + given.context_fan)).sum()


def rank(
    counts: I8, active: NDArray[np.uint16], size: I64, primed: NDArray[np.bool_], candidates: int, index: Keys,
    flat: FlatWords, given: Afferents,
    gains: Gains,
) -> tuple[I64, I64, I64]:  # fmt: skip
    """CA1's index cells in firing order, [n, candidates], padded with -1; their drives by pathway, [n, candidates, 6]; events but for
    the perforant path's, [n].

    The `candidates` dendrites of largest drive open; among these the soma's drive decides (the equation of `regions.ca1`).
    counts: the cues' volleys, [n, d].   active: CA3's cells, [n, k], of which the first `size` count.   primed: plateaus, [n, memory].
    """
    n = len(counts)
    order, parts = np.full((n, candidates), -1, np.int64), np.zeros((n, candidates, PATHWAYS), np.int64)
    events = np.zeros(n, np.int64)
    _in_threads(_rank_some, n, order, parts, events, counts, active, size, primed, candidates, index, flat, given, gains)
    return order, parts, events


@njit(cache=True, nogil=True)
def _attend_some(
    start: int, stop: int, winners: I64, queries: I64, codes: NDArray[np.uint16], when: NDArray[np.uint8], recurrent: Recurrent,
    lottery: Lottery, counts: I8, active: NDArray[np.uint16], size: I64, primed: NDArray[np.bool_], candidates: int, index: Keys,
    flat: FlatWords,
    given: Afferents, gains: Gains,
) -> None:  # fmt: skip
    none = np.zeros(0, np.int64)
    for i in range(start, stop):
        cue, code, release = counts[i].astype(np.int32), codes[i].astype(np.int64), when[i].astype(np.int64)
        beside, dendrite, _ = _beside(i, primed, index, flat, given, gains)
        now, moved = active[i, : size[i]].astype(np.int64), True
        order, drive = none, np.zeros(0)
        for g in range(winners.shape[1]):
            before = now
            if moved:
                now = ca3_cycle(
                    recurrent.fast, before[: recurrent.core], recurrent.fast, none, code, release, recurrent.inhibition, recurrent.level,
                    recurrent.winners,
                )  # fmt: skip
                moved = len(now) != len(before) or bool((now != before).any())
            if moved or g == 0:
                shared = shared_cells(now, index.codes, index.alive, index.indptr, index.keys, index.built, index.cells)
                order, parts = _race(cue, shared, beside, dendrite, candidates, index, gains)
                drive = parts.sum(axis=1) / float(UNIT)
            winners[i, g] = first_under_noise(
                order, drive, lottery.competitors, queries[i], lottery.start + g, lottery.seed, lottery.size, lottery.grid
            )  # fmt: skip


def attend_unsettled(
    queries: I64, codes: NDArray[np.uint16], when: NDArray[np.uint8], recurrent: Recurrent, lottery: Lottery, cycles: int,
    counts: I8, active: NDArray[np.uint16], size: I64, primed: NDArray[np.bool_], candidates: int, index: Keys,
    flat: FlatWords, given: Afferents,
    gains: Gains,
) -> I64:  # fmt: skip
    """The subiculum's winner in each of `cycles` gamma cycles while CA3 goes on from `active`, [n, cycles] (see `circuit.attend`, `rank`).

    codes, when: the granule cells that fire in each cycle and at which release, [n, k].
    """
    n = len(counts)
    winners = np.full((n, cycles), -1, np.int64)
    _in_threads(
        *(_attend_some, n, winners, queries, codes, when, recurrent, lottery, counts),
        *(active, size, primed, candidates, index, flat, given, gains),
    )  # fmt: skip
    return winners


def _in_threads(kernel: Callable[..., None], n: int, *given: object) -> None:
    """Run a kernel that releases the interpreter over 0 to n, in parts. (`parallel=True` would compile for half a minute.)"""
    threads = min(get_num_threads(), n)
    if threads < 2:
        kernel(0, n, *given)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda t: kernel(n * t // threads, n * (t + 1) // threads, *given), range(threads)))

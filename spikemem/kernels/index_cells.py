"""CA1 without simulation (numba): which index cells fire in a gamma cycle, and what each pathway contributes to their drive.

All drives are whole numbers, of the soma in units of 1/64 perforant coincidence, of the dendrite in units of 1/2048 Schaffer synapse.
The functions take named tuples of arrays, which numba compiles, in place of the objects that hold them.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.circuit import Keys, Lottery, Recurrent, ca3_cycle, first_under_noise, shared_cells
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import F64, I8, I32, I64, U8, U16, Bools

UNIT = 64
"""Drives are counted in units of 1/64 of a perforant coincidence, in which all weights are whole."""
PER_SYNAPSE = 32 * UNIT
"""A Schaffer synapse in the dendrite's units: 32 times those of the soma."""
MEANING, WORDS, CONTEXT, KEY, SPREADING = 0, 1, 2, 4, 5
"""Columns, in a table of drives by pathway, of the pathways that are computed here. Any other pathway brings its drive (`Added`)."""
OPENS = PER_SYNAPSE // 2
"""A dendrite fires above half a synapse."""


@njit(cache=CACHE)
def word_drive(cell: I64, spikes: I64, ptr: I64, key: I64, weight: I64, keys: int) -> tuple[I64, I64]:
    """The drive of index cells by word cells, sum over w of x_w W_wk, [key], and how many of their synapses carried a spike, [key]."""
    drive, carried = np.zeros(keys, np.int64), np.zeros(keys, np.int64)
    for w in range(len(cell)):
        for s in range(ptr[cell[w]], ptr[cell[w] + 1]):
            drive[key[s]] += spikes[w] * weight[s]
            carried[key[s]] += spikes[w]
    return drive, carried


@njit(cache=CACHE)
def context_drive(drive: I64, content: I64, neighbours: I64, weight: I64) -> I64:
    """The drive of each memory's index cells by context cells: the words of its neighbours, weighted, [memory]."""
    found = np.zeros(len(content), np.int64)
    for m in range(len(neighbours)):
        for d in range(len(weight)):
            j = neighbours[m, d]
            if j >= 0:
                found[m] += weight[d] * drive[content[j]]
    return found


@njit(cache=CACHE)
def apical_spikes(cell: I64, ptr: I64, target: I64, weight: F64, owner: I64, memories: int) -> Bools:
    """The memories one of whose apical dendrites fires when these cells spike together, [memory]."""
    share, fired = np.zeros(len(owner)), np.zeros(memories, np.bool_)
    for w in cell:
        for s in range(ptr[w], ptr[w + 1]):
            share[target[s]] += weight[s]
    for a in range(len(owner)):
        if share[a] > 1.0:
            fired[owner[a]] = True
    return fired


@njit(cache=CACHE)
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


class Cues(NamedTuple):
    """A batch of cues, as arrays.

    counts: EC's volleys, [n, d].   active: CA3's cells, [n, k], of which the first `size` count, [n].   primed: plateaus, [n, memory].
    ptr, cell, spikes: word cells of each cue with their spikes, CSR.
    """

    counts: I8
    active: U16
    size: I64
    primed: Bools
    ptr: I64
    cell: I64
    spikes: I64


class Volleys(NamedTuple):
    """The granule cells that drive CA3 while a batch of cues is held.

    names: numbers that name each cue's noise, [n].   codes, when: granule cells that fire in each cycle, and at which release, [n, k].
    """

    names: I64
    codes: U16
    when: U8


class Learned(NamedTuple):
    """The learned synapses of words, context and further cues, by word cell (CSR) and by memory (see `regions.pathways`)."""

    word_ptr: I64
    word_key: I64
    word_weight: I64
    content: I64
    neighbours: I64
    context_weight: I64
    context_fan: I64
    apical_ptr: I64
    apical_target: I64
    apical_weight: F64
    apical_memory: I64


class Gains(NamedTuple):
    """Gains of the pathways: of a perforant coincidence (meaning), an apical dendrite (key) and a plateau (spreading) on the soma, in 1/64;
    `opening` is what either of the latter two adds to the dendrite.
    """

    meaning: int
    key: int
    spreading: int
    opening: int


class Added(NamedTuple):
    """Drives of pathways that compute them themselves, added to somata and, 1/32 as strong, to dendrites.

    drive: in 1/64, [n or 1, added pathway, memory].   column: of each added pathway, [added pathway].   pathways: columns there are.
    """

    drive: I64
    column: I64
    pathways: int


class Afferents(NamedTuple):
    """All inputs of index cells: their keys, learned synapses, gains, and drives computed elsewhere."""

    keys: Keys
    learned: Learned
    gains: Gains
    added: Added


def meaning_alone(index: Keys, gain: int, memories: int) -> Afferents:
    """The inputs of index cells that are driven by meaning alone, with this gain, as if words and context had not been learned."""
    none, apart, fan = np.zeros(0, np.int64), np.zeros((0, 0), np.int64), np.zeros(len(index.codes), np.int64)
    content = np.zeros(memories, np.int64)
    learned = Learned(none, none, none, content, apart, none, fan, none, none, np.zeros(0), none)
    return Afferents(index, learned, Gains(gain, 0, 0, 0), Added(np.zeros((1, 0, memories), np.int64), none, SPREADING + 1))


@njit(cache=CACHE)
def _other_drives(i: int, cues: Cues, given: Afferents) -> tuple[I64, I64, I64]:
    """The drives of each key by all pathways but meaning, which are the same in each gamma cycle.

    By pathway, [key, pathway]; of the dendrite, [key]; and how many synapses of word cells carried a spike, [key].
    """
    index, learned, gains, added = given.keys, given.learned, given.gains, given.added
    keys, part = len(index.codes), slice(cues.ptr[i], cues.ptr[i + 1])
    cell = cues.cell[part]
    words, carried = word_drive(cell, cues.spikes[part], learned.word_ptr, learned.word_key, learned.word_weight, keys)
    context = context_drive(words, learned.content, learned.neighbours, learned.context_weight)
    memories = len(learned.content)
    tuft = apical_spikes(cell, learned.apical_ptr, learned.apical_target, learned.apical_weight, learned.apical_memory, memories)
    row = min(i, len(added.drive) - 1)
    parts, dendrite = np.zeros((keys, added.pathways), np.int64), np.zeros(keys, np.int64)
    for key in range(keys):
        m = index.memory[key]
        parts[key, WORDS], parts[key, CONTEXT] = UNIT * words[key], context[m]
        dendrite[key] = parts[key, WORDS] + parts[key, CONTEXT]
        for a in range(len(added.column)):
            parts[key, added.column[a]] = added.drive[row, a, m]
            dendrite[key] += added.drive[row, a, m]
        if tuft[m]:
            parts[key, KEY] = gains.key
            dendrite[key] += gains.opening
        if cues.primed[i, m]:
            parts[key, SPREADING] = gains.spreading
            dendrite[key] += gains.opening
    return parts, dendrite, carried


@njit(cache=CACHE)
def _coincidences(key: int, cue: I32, index: Keys) -> int:
    """A key's perforant weights times a cue's volley, [d]."""
    dot = 0
    for x in range(len(cue)):
        dot += index.counts[key, x] * cue[x]
    return dot


@njit(cache=CACHE)
def _race(i: int, cues: Cues, now: I64, others: I64, dendrite: I64, candidates: int, given: Afferents) -> tuple[I64, I64, int]:
    """The keys whose dendrites open when CA3's cells `now` fire, in the order in which their somata fire; their drives by pathway,
    [opened, pathway]; and how many Schaffer synapses carried a spike."""
    shared = shared_cells(now, given.keys)
    open_ = np.zeros(len(dendrite), np.int64)
    for key in range(len(dendrite)):
        if given.keys.alive[key]:
            open_[key] = dendrite[key] + PER_SYNAPSE * shared[key]
    opened, cue = strongest(open_, candidates, OPENS), cues.counts[i].astype(np.int32)
    found = others[opened]
    for j in range(len(opened)):
        found[j, MEANING] = given.gains.meaning * _coincidences(opened[j], cue, given.keys)
    best = np.argsort(-found.sum(axis=1), kind="mergesort")
    return opened[best], found[best], shared.sum()


@njit(cache=CACHE, nogil=True)
def _rank_some(start: int, stop: int, order: I64, parts: I64, events: I64, cues: Cues, candidates: int, given: Afferents) -> None:
    for i in range(start, stop):
        others, dendrite, carried = _other_drives(i, cues, given)
        now = cues.active[i, : cues.size[i]].astype(np.int64)
        keys, drives, schaffer = _race(i, cues, now, others, dendrite, candidates, given)
        for j in range(len(keys)):
            order[i, j] = keys[j]
            for p in range(parts.shape[2]):
                parts[i, j, p] = drives[j, p]
        events[i] = schaffer + (carried * (1 + given.learned.context_fan)).sum()


def rank(cues: Cues, candidates: int, given: Afferents) -> tuple[I64, I64, I64]:
    """CA1's index cells in firing order, [n, candidates], padded with -1; their drives by pathway, [n, candidates, pathway]; events but
    for the perforant path's, [n].

    The `candidates` dendrites of largest drive open; among these the soma's drive decides (the equation of `regions.ca1`).
    """
    n = len(cues.counts)
    order, parts = np.full((n, candidates), -1, np.int64), np.zeros((n, candidates, given.added.pathways), np.int64)
    events = np.zeros(n, np.int64)
    in_threads(_rank_some, n, order, parts, events, cues, candidates, given)
    return order, parts, events


@njit(cache=CACHE)
def drives(order: I64, cues: Cues, given: Afferents) -> I64:
    """The drives by pathway of keys that fired, [n, c] padded with -1, in 1/64, [n, c, pathway]. CA3's cells do not matter to them."""
    found = np.zeros((order.shape[0], order.shape[1], given.added.pathways), np.int64)
    for i in range(len(order)):
        cue = cues.counts[i].astype(np.int32)
        others, _, _ = _other_drives(i, cues, given)
        for j in range(order.shape[1]):
            if order[i, j] >= 0:
                found[i, j] = others[order[i, j]]
                found[i, j, MEANING] = given.gains.meaning * _coincidences(order[i, j], cue, given.keys)
    return found


@njit(cache=CACHE, nogil=True)
def _attend_some(
    start: int, stop: int, winners: I64, held: Volleys, recurrent: Recurrent, lottery: Lottery,
    cues: Cues, candidates: int, given: Afferents,
) -> None:  # fmt: skip
    none = np.zeros(0, np.int64)
    for i in range(start, stop):
        code, release = held.codes[i].astype(np.int64), held.when[i].astype(np.int64)
        others, dendrite, _ = _other_drives(i, cues, given)
        now, moved = cues.active[i, : cues.size[i]].astype(np.int64), True
        order, drive = none, np.zeros(0)
        for g in range(winners.shape[1]):
            before = now
            if moved:
                now = ca3_cycle(recurrent, before[: recurrent.core], recurrent.fast, none, code, release)
                moved = len(now) != len(before) or bool((now != before).any())
            if moved or g == 0:
                order, parts, _ = _race(i, cues, now, others, dendrite, candidates, given)
                drive = parts.sum(axis=1) / float(UNIT)
            winners[i, g] = first_under_noise(order, drive, lottery, held.names[i], lottery.start + g)


def attend_unsettled(
    held: Volleys, recurrent: Recurrent, lottery: Lottery, cycles: int, cues: Cues, candidates: int, given: Afferents
) -> I64:
    """The subiculum's winner in each of `cycles` gamma cycles while CA3 goes on from the cues' active cells, [n, cycles].

    As `kernels.circuit.attend`, and `rank` in each cycle.
    """
    n = len(cues.counts)
    winners = np.full((n, cycles), -1, np.int64)
    in_threads(_attend_some, n, winners, held, recurrent, lottery, cues, candidates, given)
    return winners

"""What drives CA1's index cells beside CA3, without simulation (numba): the drive of each pathway.

All drives are whole numbers, of the soma in units of 1/64 perforant coincidence, of the dendrite in units of 1/2048 Schaffer synapse.
The functions take named tuples of arrays, which numba compiles, in place of the objects that hold them.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.circuit import Keys
from spikemem.kernels.types import F64, I8, I32, I64, U8, U16, Bools

UNIT = 64
"""Drives are counted in units of 1/64 of a perforant coincidence, in which all weights are whole."""
PER_SYNAPSE = 32 * UNIT
"""A Schaffer synapse in the dendrite's units: 32 times those of the soma."""
MEANING, WORDS, CONTEXT, KEY, SPREADING, DENIAL = 0, 1, 2, 4, 5, 6
"""Columns, in a table of drives by pathway, of the pathways that are computed here. Any other pathway brings its drive (`Added`)."""


class Cues(NamedTuple):
    """A batch of cues, as arrays.

    counts: EC's volleys, [n, d].   active: CA3's cells, [n, k], of which the first `size` count, [n].   primed: plateaus, [n, memory].
    ptr, cell, spikes: word cells of each cue with their spikes, CSR.   opposed: the polarity that each cue's words inhibit, -1 for none.
    """

    counts: I8
    active: U16
    size: I64
    primed: Bools
    ptr: I64
    cell: I64
    spikes: I64
    opposed: I64


class Learned(NamedTuple):
    """The learned synapses of words, context and further cues (see `regions.pathways`, `regions.word_fans`).

    start, size: where the synapses of each word cell begin, and how many they are, [cell].   word: an index cell, how often the word came
    when it was taught, and the weight, -1 for one that carries nothing, [synapse, 3].   polarity: of index cells of own texts, [key].
    """

    start: I64
    size: I64
    word: I32
    content: I64
    neighbours: I64
    context_weight: I64
    context_fan: I64
    polarity: I8
    apical_ptr: I64
    apical_target: I64
    apical_weight: F64
    apical_memory: I64


class Gains(NamedTuple):
    """Gains of the pathways: of a perforant coincidence (meaning), an apical dendrite (key) and a plateau (spreading) on the soma, in 1/64;
    `opening` is what either of the latter two adds to the dendrite; `denial`, of a word's weight, is what inhibits instead, in 1/64.
    """

    meaning: int
    key: int
    spreading: int
    opening: int
    denial: float


class Added(NamedTuple):
    """Drives of pathways that compute them themselves, added to somata and, 1/32 as strong, to dendrites.

    drive: in 1/64, [n or 1, added pathway, memory].   column: of each added pathway, [added pathway].   pathways: columns there are.
    """

    drive: I64
    column: I64
    pathways: int


class Afferents(NamedTuple):
    """All inputs of index cells: keys, synapses, gains, drives computed elsewhere, and whether any but meaning drives (`further`)."""

    keys: Keys
    learned: Learned
    gains: Gains
    added: Added
    further: bool


def meaning_alone(index: Keys, gain: int, memories: int) -> Afferents:
    """The inputs of index cells that are driven by meaning alone, with this gain, as if words and context had not been learned."""
    none, apart = np.zeros(0, np.int64), np.zeros((0, 0), np.int64)
    word, nothing = np.zeros((0, 3), np.int32), np.zeros(0, np.int8)
    learned = Learned(none, none, word, none, apart, none, none, nothing, none, none, np.zeros(0), none)
    return Afferents(index, learned, Gains(gain, 0, 0, 0, 0.0), Added(np.zeros((1, 0, memories), np.int64), none, SPREADING + 1), False)


class Work(NamedTuple):
    """What is computed for one cue, in arrays that all cues of a thread use, one after the other.

    open: the drive of dendrites, [key]: in bytes, a Schaffer synapse each, where nothing but CA3 drives them.   fires: which of CA3's cells
    have been added to it, [cell].   words, carried: the drive of words, and how many of their synapses carried a spike, [key].
    context, denied: drives, [memory].   lifted: memories one of whose apical dendrites fired, [memory].
    """

    open: I64 | U8
    fires: U8
    words: I64
    carried: I64
    context: I64
    denied: I64
    lifted: Bools


@njit(cache=CACHE)
def work_on(like: I64 | U8, given: Afferents) -> Work:
    """Room for the work on one cue.   like: an array of the type of dendrites' drives."""
    keys, memories = (len(given.keys.counts), len(given.learned.content)) if given.further else (0, 0)
    return Work(
        np.empty(len(given.keys.counts), like.dtype), np.zeros(len(given.keys.start), np.uint8), np.empty(keys, np.int64),
        np.empty(keys, np.int64), np.zeros(memories, np.int64), np.zeros(memories, np.int64), np.zeros(memories, np.bool_),
    )  # fmt: skip


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
def word_drive(cell: I64, spikes: I64, learned: Learned, drive: I64, carried: I64) -> None:
    """The drive of index cells by word cells, sum over w of x_w W_wk, [key], and how many of their synapses carried a spike, [key]."""
    drive[:], carried[:] = 0, 0
    for w in range(len(cell)):
        first, x = learned.start[cell[w]], spikes[w]
        for s in range(first, first + learned.size[cell[w]]):
            key, weight = learned.word[s, 0], learned.word[s, 2]
            if weight >= 0:
                drive[key] += x * weight
                carried[key] += x


@njit(cache=CACHE)
def context_drive(drive: I64, learned: Learned, found: I64) -> None:
    """The drive of each memory's index cells by context cells: the words of its neighbours, weighted, [memory]."""
    for m in range(len(learned.neighbours)):
        total = 0
        for d in range(learned.neighbours.shape[1]):
            j = learned.neighbours[m, d]
            if j >= 0:
                total += learned.context_weight[d] * drive[learned.content[j]]
        found[m] = total


@njit(cache=CACHE)
def context_fan(neighbours: I64, living: I64, content: I64, keys: int) -> I64:
    """How many index cells the words of each key reach as context: those of its neighbours in time, [key].   living: of each memory."""
    fan = np.zeros(keys, np.int64)
    for m in range(len(neighbours)):
        for j in neighbours[m]:
            if j >= 0:
                fan[content[m]] += living[j]
    return fan


@njit(cache=CACHE)
def weigh(cells: I64, odds: F64, start: I64, size: I64, word: I32, alive: Bools, half: F64, k1: float, gain: float) -> None:
    """Set the weights of some word cells' synapses, in place; -1 for those that carry nothing.

    odds: o, [cells].   alive: [key].   half: how often a word must come for half of what it may weigh, k1 (1 - b + b L / <L>), [key].
    (`regions.bcpnn` has the equation.)
    """
    for w in range(len(cells)):
        for s in range(start[cells[w]], start[cells[w]] + size[cells[w]]):
            if odds[w] <= 0:
                word[s, 2] = -1
                continue
            f = float(word[s, 1])
            weight = odds[w] * f * (k1 + 1) / (f + half[word[s, 0]])
            word[s, 2] = int(np.rint(gain * weight)) if weight > 0 and alive[word[s, 0]] else -1


@njit(cache=CACHE)
def denial_drive(cell: I64, spikes: I64, opposed: int, gain: float, given: Afferents, denied: I64) -> None:
    """What words take from the memories whose own text says the contrary, 0 or less, in 1/64, [memory]."""
    learned = given.learned
    denied[:] = 0
    for w in range(len(cell)):
        first = learned.start[cell[w]]
        for s in range(first, first + learned.size[cell[w]]):
            if learned.polarity[learned.word[s, 0]] == opposed and learned.word[s, 2] > 0:
                denied[given.keys.memory[learned.word[s, 0]]] -= spikes[w] * int(np.rint(gain * learned.word[s, 2]))


@njit(cache=CACHE)
def hear(i: int, cues: Cues, given: Afferents, work: Work) -> int:
    """Let all pathways but meaning drive the dendrites, which is the same in each gamma cycle.

    Returns how many synapses of words and context carried a spike.
    """
    index, learned, gains, added = given.keys, given.learned, given.gains, given.added
    part = slice(cues.ptr[i], cues.ptr[i + 1])
    cell, spikes, primed = cues.cell[part], cues.spikes[part], cues.primed[min(i, len(cues.primed) - 1)]
    word_drive(cell, spikes, learned, work.words, work.carried)
    context_drive(work.words, learned, work.context)
    if cues.opposed[i] >= 0 and gains.denial > 0:
        denial_drive(cell, spikes, cues.opposed[i], gains.denial, given, work.denied)
    else:
        work.denied[:] = 0
    if len(learned.apical_memory):
        memories = len(learned.content)
        work.lifted[:] = apical_spikes(
            cell, learned.apical_ptr, learned.apical_target, learned.apical_weight, learned.apical_memory, memories
        )  # fmt: skip
    row, events = min(i, len(added.drive) - 1), 0
    for key in range(len(work.open)):
        m = index.memory[key]
        drive = UNIT * work.words[key] + work.context[m] + work.denied[m]
        for a in range(len(added.column)):
            drive += added.drive[row, a, m]
        work.open[key] = drive + gains.opening * (int(work.lifted[m]) + int(primed[m]))
        events += work.carried[key] * (1 + learned.context_fan[key])
    return events


@njit(cache=CACHE)
def key_drives(i: int, keys: I64, which: Bools, cues: Cues, given: Afferents, work: Work, drives: I64) -> None:
    """The drives of some of these keys by pathway, [key, pathway], in place.   which: of them, [key]."""
    counts, cue, gains = given.keys.counts, cues.counts[i].astype(np.int16), given.gains
    for j in range(len(keys)):
        if which[j]:
            dot, row = np.int32(0), counts[keys[j]]
            for x in range(len(cue)):  # in 32 bits, so that it is vectorised
                dot = np.int32(dot + np.int16(row[x]) * cue[x])
            drives[j, :] = 0
            drives[j, MEANING] = gains.meaning * dot
    if given.further:
        added, primed, row_of = given.added, cues.primed[min(i, len(cues.primed) - 1)], min(i, len(given.added.drive) - 1)
        for j in range(len(keys)):
            if which[j]:
                m, own = given.keys.memory[keys[j]], drives[j]
                own[WORDS], own[CONTEXT] = UNIT * work.words[keys[j]], work.context[m]
                own[KEY], own[SPREADING] = gains.key * int(work.lifted[m]), gains.spreading * int(primed[m])
                if gains.denial > 0:
                    own[DENIAL] = work.denied[m]
                for a in range(len(added.column)):
                    own[added.column[a]] = added.drive[row_of, a, m]

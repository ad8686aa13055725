"""Recall by engrams without simulation (numba): which of CA3's cells fire in each gamma cycle, computed directly.

Each function returns what the step-by-step simulation of the same network gives (tests compare them). Drives are whole numbers: a ranking
by drive, ties by index, is the race of cells that integrate without leak.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.draws import uniform
from spikemem.kernels.onebit import add
from spikemem.kernels.priming import Priming, prime
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import I8, I32, I64, U16, U64, Bools

GRAIN = 16
"""Drives are whole multiples of 1/16 of a synapse from DG."""
FORKS = 1 << 32
"""Where in the stream of noise ties between engrams are drawn: beyond that of any hop's cells."""
SHUT = -(1 << 24)
"""The drive of a cell that may not fire: no input overcomes it."""


class AutoAssociation(NamedTuple):
    """What completes an engram in CA3.

    auto: the recurrent synapses, one bit each, [cell, cells / 64].   gain: the drive of one of them, in 1/GRAIN.
    rising: cells that may fire in each gamma cycle of an attempt.   live: cells that are not lost, [cell].
    """

    auto: U64
    gain: int
    rising: I64
    live: Bools


@njit(cache=CACHE)
def winners(drive: I32, k: int) -> I64:
    """The k most driven cells, in the order of their index; of equals those of lower index; none whose drive is not above 0."""
    top = 0
    for v in drive:
        top = max(top, v)
    tally = np.zeros(top + 1, np.int64)
    for v in drive:
        if v > 0:
            tally[v] += 1
    level, above = top, 0
    while level > 0 and above + tally[level] < k:
        above += tally[level]
        level -= 1
    equal = k - above if level > 0 else 0
    chosen = np.empty(above + (min(equal, tally[level]) if level > 0 else 0), np.int64)
    n = 0
    for c in range(len(drive)):
        if drive[c] > level:
            chosen[n] = c
            n += 1
        elif drive[c] == level and level > 0 and equal > 0:
            chosen[n] = c
            n += 1
            equal -= 1
    return chosen


@njit(cache=CACHE)
def attempt(held: I32, completion: AutoAssociation) -> tuple[I64, int]:
    """The cells that fire at the end of an attempt: in each gamma cycle the most driven ones, from the second on also by one another.

    held: the drive of each cell that lasts through the attempt, SHUT for those that may not fire.
    Returns also how many recurrent synapses carried a spike.
    """
    active, events = winners(held, completion.rising[0]), 0
    for g in range(1, len(completion.rising)):
        drive = held.copy()
        events += add(completion.auto, active, completion.gain, drive)
        active = winners(drive, completion.rising[g])
    return active, events


class HeldCues(NamedTuple):
    """What reaches CA3 while cues are held.

    hetero: the synapses from DG, one bit each, [granule cell, cells / 64].   gain: the drive of one of them, in 1/GRAIN.
    codes: the granule cells of each cue, [n, k].
    beside: the drive of words, context and moment, less that of feedforward inhibition, in 1/GRAIN, [n, cells].
    """

    hetero: U64
    gain: int
    codes: U16
    beside: I32


@njit(cache=CACHE, nogil=True)
def _attempts_some(
    start: int, stop: int, fired: U16, size: I64, events: I64, heard: HeldCues, completion: AutoAssociation, priming: Priming
) -> None:  # fmt: skip
    for i in range(start, stop):
        drive = np.where(completion.live, heard.beside[i], np.int32(SHUT))
        held = add(heard.hetero, heard.codes[i].astype(np.int64), heard.gain, drive)
        events[i] = held * len(completion.rising) * fired.shape[1]
        primed = np.zeros(len(drive), np.bool_)
        for a in range(fired.shape[1]):
            active, carried = attempt(drive, completion)
            size[i, a] = len(active)
            events[i] += carried
            for j in range(len(active)):
                fired[i, a, j] = active[j]
                drive[active[j]] = SHUT
            prime(active, priming, primed, drive)


def attempts(heard: HeldCues, number: int, completion: AutoAssociation, priming: Priming) -> tuple[U16, I64, I64]:
    """Attempts of recall under held cues: the cells that fire at the end of each, [n, attempt, k], in the order of their index, how many,
    and the synapses from DG and CA3 onto CA3 that carried a spike, [n].

    What fired at the end of an attempt is shut out of the later ones, and primes what its words name.
    """
    n = len(heard.codes)
    fired, size = np.zeros((n, number, completion.rising[-1]), np.uint16), np.zeros((n, number), np.int64)
    events = np.zeros(n, np.int64)
    in_threads(_attempts_some, n, fired, size, events, heard, completion, priming)
    return fired, size, events


class Fork(NamedTuple):
    """What decides between successors that are driven alike: noise of each hop, from the seed and the names of the cues, [n]."""

    seed: int
    names: I64


@njit(cache=CACHE)
def flicker(seed: int, name: int, hop: int, level: int, cells: int) -> I32:
    """Noise of a hop in 1/GRAIN, even from 0 to below a level, int32, [cell]."""
    noise = np.empty(cells, np.int32)
    for c in range(cells):
        noise[c] = np.int32(uniform(seed, name, hop, c) * (GRAIN * level))
    return noise


@njit(cache=CACHE, nogil=True)
def _hops_some(
    start: int, stop: int, fired: U16, size: I64, slow: U64, begin: U16, begun: I64, fork: Fork, level: int, completion: AutoAssociation
) -> None:  # fmt: skip
    for i in range(start, stop):
        active = begin[i, : begun[i]].astype(np.int64)
        for h in range(fired.shape[1]):
            noise = flicker(fork.seed, fork.names[i], h, level, len(completion.live))
            drive = np.where(completion.live, noise - GRAIN * level, SHUT).astype(np.int32)
            add(slow, active, GRAIN, drive)
            active, _ = attempt(drive, completion)
            size[i, h] = len(active)
            for j in range(len(active)):
                fired[i, h, j] = active[j]


def hops(slow: U64, begin: U16, begun: I64, number: int, fork: Fork, level: int, completion: AutoAssociation) -> tuple[U16, I64]:
    """Hops from one engram to the next: the cells that fire at the end of each, [n, hop, k] in the order of their index, and how many.

    slow: the synapses to successors, one bit each, [cell, cells / 64].   begin, begun: the cells to start from, [n, k], and how many.
    fork: what decides between successors.   level: what the drive of a cell must exceed in a hop, in synapses.
    """
    n = len(begin)
    fired, size = np.zeros((n, number, completion.rising[-1]), np.uint16), np.zeros((n, number), np.int64)
    in_threads(_hops_some, n, fired, size, slow, begin, begun, fork, level, completion)
    return fired, size


class Owners(NamedTuple):
    """The memories that each cell is of, CSR.   ptr: [cell + 1].   memory: [engram cell].   memories: how many there are."""

    ptr: I64
    memory: I32
    memories: int

    @classmethod
    def of(cls, engrams: U16, cells: int) -> "Owners":
        """Those of engrams, [memory, core].

        >>> Owners.of(np.array([[0, 2], [2, 3]], np.uint16), cells=4)
        Owners(ptr=array([0, 1, 1, 3, 4]), memory=array([0, 0, 1, 1], dtype=int32), memories=2)
        """
        flat = engrams.ravel()
        ptr = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=cells))]).astype(np.int64)
        return cls(ptr, (np.argsort(flat, kind="stable") // engrams.shape[1]).astype(np.int32), len(engrams))


@njit(cache=CACHE, nogil=True)
def _nearest_some(
    start: int, stop: int, ids: I64, share: I64, fired: U16, size: I64, owners: Owners, there: Bools, drawn: bool, fork: Fork
) -> None:  # fmt: skip
    for i in range(start, stop):
        common, named = np.zeros(len(there), np.int64), np.zeros(len(there), np.bool_)
        for a in range(fired.shape[1]):
            common[:] = 0
            for j in range(size[i, a]):
                c = fired[i, a, j]
                for m in owners.memory[owners.ptr[c] : owners.ptr[c + 1]]:
                    if there[m]:
                        common[m] += 1
            best = common.argmax() if len(common) else 0
            if len(common) and common[best] > 0:
                most, luck = common[best], -1.0
                for m in range(best, len(common)):
                    if common[m] == most and not named[m]:
                        mine = uniform(fork.seed, fork.names[i], FORKS + a, m) if drawn else 0.0
                        if mine > luck:
                            best, luck = m, mine
                ids[i, a], share[i, a], named[best] = best, common[best], True


def nearest(fired: U16, size: I64, owners: Owners, there: Bools, fork: Fork | None = None) -> tuple[I64, I64]:
    """The stored engram that has most of the cells that fired, [n, attempt], -1 where none has any, and how many it has.

    fired, size: cells, [n, attempt, k], and how many.   owners: the engrams that each cell belongs to.   there: which are stored, [memory].
    Of equals one that was not named before, so that copies that fire half and half come one after the other: the lowest number, or, where
    a fork is given, by its noise.
    """
    ids, share = np.full(size.shape, -1, np.int64), np.zeros(size.shape, np.int64)
    noise = Fork(0, np.zeros(0, np.int64)) if fork is None else fork
    in_threads(_nearest_some, len(fired), ids, share, fired, size, owners, there, fork is not None, noise)
    return ids, share


@njit(cache=CACHE)
def learn_prediction(charge: I32, cells: U16, counts: I8, unit: float, most: int) -> None:
    """The delta rule, memory by memory: synapses from the cells of an engram change by what EC says less what they predict, in place.

    charge: K, in units of `unit` spikes, [cell, 2d].   cells: engrams, [n, core].   counts: EC's n, ON less OFF, [n, d].
    most: spikes of a cell.
    """
    d = counts.shape[1]
    total, error = np.zeros(2 * d, np.int64), np.zeros(2 * d, np.int32)
    for m in range(len(cells)):
        total[:] = 0
        for c in cells[m]:
            for j in range(2 * d):
                total[j] += charge[c, j]
        for j in range(2 * d):
            taught = max(counts[m, j], 0) if j < d else max(-counts[m, j - d], 0)
            error[j] = taught - rounded(total[j] * unit, most)
        for c in cells[m]:
            for j in range(2 * d):
                charge[c, j] += error[j]


@njit(cache=CACHE)
def rounded(charge: float, most: int) -> int:
    """Spikes of a cell for a charge: it starts at V = 1/2, and fires at most so often."""
    return min(max(int(np.ceil(charge + 0.5)) - 1, 0), most)


@njit(cache=CACHE)
def predicted(charge: I32, fired: U16, size: I64, unit: float, most: int) -> I8:
    """How often CA1's cells fire for CA3's that did, [n, attempt, 2d]."""
    n, attempts_, cells = len(fired), fired.shape[1], charge.shape[1]
    out = np.zeros((n, attempts_, cells), np.int8)
    total = np.zeros(cells, np.int64)
    for i in range(n):
        for a in range(attempts_):
            total[:] = 0
            for j in range(size[i, a]):
                c = fired[i, a, j]
                for x in range(cells):
                    total[x] += charge[c, x]
            for x in range(cells):
                out[i, a, x] = rounded(total[x] * unit, most)
    return out

"""Recall without simulation (numba): which cells of each region of the hippocampus win a gamma cycle, computed directly.

Each function returns the winners that the step-by-step simulation of the same network gives, in the same firing order (tests compare
them). Membranes do not leak within a cycle and all sums are exact, so that a race by release levels is a ranking by input.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.bit_counters import count_rows, planes_for
from spikemem.kernels.draws import count, uniform
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import F64, I8, I32, I64, U8, U16, U64, Bools

GRID = 2**14
"""Inhibition is a multiple of 1/GRID (`regions.rhythm.GRID`), so that what excites a cell is a whole number of these."""
MOST_CELL = 2**16 - 1
"""The last cell that CA3 may have."""

STRIPES = 16
"""Parts into which binding divides the presynaptic cells."""


class Recurrent(NamedTuple):
    """CA3's fast synapses, and what decides which of its cells fire.

    fast: bits, [cell, word of a hemisphere].   core: cells of an engram that recurrent synapses bind.
    inhibition: of a cell for each spike that arrives.   level: what excitation less inhibition must exceed.   winners: cells that may fire.
    """

    fast: U64
    core: int
    inhibition: float
    level: float
    winners: int


class Keys(NamedTuple):
    """The stored keys, one index cell of CA1 each.

    counts: perforant weights, [key, d].   alive, memory: [key].   whole: whether all are alive.
    start, size: where the index cells that each cell of CA3 reaches begin, and how many they are, [cell].   reached: those, [synapse, 1].
    """

    counts: I8
    alive: Bools
    memory: I64
    whole: bool
    start: I64
    size: I64
    reached: I32


class Lottery(NamedTuple):
    """The race of index cells for the subiculum, under Gumbel noise of scale `size`, rounded to `grid`.

    competitors: index cells that take part.   start: number of the first gamma cycle.   seed: of the noise.
    """

    competitors: int
    start: int
    seed: int
    size: float
    grid: float


@njit(cache=CACHE, nogil=True)
def _ec_counts_some(
    start: int, stop: int, counts: I8, spikes: I8, drive: F64, profile: F64, common: F64, beta: float, efficacy: I64
) -> None:
    d = counts.shape[1]
    for i in range(start, stop):
        for c in range(2 * d):
            v, spiked, count = 0.0, False, 0
            for t in range(len(profile)):
                v = beta * v + (drive[i, c] * profile[t] + common[t, c])
                if spiked:
                    v -= 1.0
                spiked = v > 1.0
                if spiked:
                    count += efficacy[t]
                    spikes[i, c % d] += 1
            if c < d:
                counts[i, c] += count
            else:
                counts[i, c - d] -= count


def ec_counts(drive: F64, profile: F64, common: F64, beta: float, efficacy: I64) -> tuple[I8, I8]:
    """EC's code of vectors: n of its ON and OFF cells, and their spikes, int8, [n, d].

    The current is drive [n, 2d] x profile [time] + common [time, 2d].   efficacy: the weight of a spike, [time] (see
    `codes.VolleyCode`).
    """
    n, d = drive.shape[0], drive.shape[1] // 2
    counts, spikes = np.zeros((n, d), np.int8), np.zeros((n, d), np.int8)
    in_threads(_ec_counts_some, n, counts, spikes, drive, profile, common, beta, efficacy)
    return counts, spikes


@njit(cache=CACHE, nogil=True)
def _bind_stripes(start: int, stop: int, bits: U64, pre: U16, post: U16, same: bool) -> None:
    half = bits.shape[0] // 2
    for i in range(len(pre)):
        for p in pre[i]:
            if start <= p % STRIPES < stop:
                for q in post[i]:
                    if ((p < half) == (q < half)) == same and p != q:
                        column = q % half
                        bits[p, column >> 6] |= np.uint64(1) << np.uint64(column & 63)


def bind_all(bits: U64, pre: U16, post: U16, same: bool) -> None:
    """Clipped Hebb for pairs of engrams, [n, core] each: set the bit of each pair of a pre- and a postsynaptic cell that lie in the same
    (or in different) hemispheres. Each thread owns the presynaptic cells of some stripes."""
    if len(pre) < STRIPES:  # starting threads takes longer
        _bind_stripes(0, STRIPES, bits, pre, post, same)
    else:
        in_threads(_bind_stripes, STRIPES, bits, pre, post, same)


@njit(cache=CACHE, nogil=True)
def _set_some(start: int, stop: int, found: I64, bits: U64, cells: U16) -> None:
    for i in range(start, stop):
        for c in cells[i]:
            row, total = bits[c], np.uint64(0)
            for w in range(len(row)):
                total += np.uint64(count(row[w]))
            found[i] += int(total)


def bits_of(bits: U64, cells: U16) -> I64:
    """How many bits are set in the rows of some cells, [n, c], all together, [n]."""
    found = np.zeros(len(cells), np.int64)
    in_threads(_set_some, len(cells), found, bits, cells)
    return found


@njit(cache=CACHE)
def _count_of(planes: U64, column: int) -> int:
    count = 0
    for j in range(planes.shape[0]):
        count |= int((planes[j, column >> 6] >> np.uint64(column & 63)) & np.uint64(1)) << j
    return count


@njit(cache=CACHE)
def _at_least(planes: U64, least: int) -> U64:
    """A bit for each column whose count is at least `least` >= 0 (bit-sliced comparison)."""
    words = planes.shape[1]
    reached = np.empty(words, np.uint64)
    for w in range(words):
        above, equal = np.uint64(0), ~np.uint64(0)
        for j in range(planes.shape[0] - 1, -1, -1):
            if (least >> j) & 1:
                equal &= planes[j, w]
            else:
                above |= equal & planes[j, w]
                equal &= ~planes[j, w]
        reached[w] = above | equal
    return reached


@njit(cache=CACHE)
def _rank_of(release: int, strength: float, cell: int) -> int:
    """A number by which cells rank in the order of firing: by release, by strength (a multiple of 1/GRID), by index."""
    return (release << 48) + (((1 << 30) - int(strength * GRID)) << 16) + cell


@njit(cache=CACHE)
def ca3_cycle(recurrent: Recurrent, fast_from: I64, slow: U64, slow_from: I64, code: I64, when: I64) -> I64:
    """The CA3 cells that fire in one gamma cycle, in firing order, at most as many as may win.

    fast_from, slow_from: the presynaptic cells whose spikes arrive by the fast and by the slow synapses.
    code, when: the granule cells that fire in this cycle and at which release (detonators).
    First fire the cells with count - inhibition * arrived > level, the most excited first; then the detonated ones, by
    their release, then by their recurrent input, then by their index.
    """
    fast, inhibition, k = recurrent.fast, recurrent.inhibition, recurrent.winners
    half, rows = fast.shape[0] // 2, len(fast_from) + len(slow_from)
    planes, bar = np.zeros((2, planes_for(rows), fast.shape[1]), np.uint64), np.empty(2)
    reached, n = np.zeros((2, fast.shape[1]), np.uint64), 0
    for h in range(2):
        own = fast_from[(fast_from < half) == (h == 0)]
        other = slow_from[(slow_from < half) != (h == 0)]
        count_rows(fast, own, planes[h])
        count_rows(slow, other, planes[h])
        bar[h] = inhibition * (len(own) + len(other))
        least = max(math.floor(recurrent.level + bar[h]) + 1, 1)
        if least <= rows:
            reached[h] = _at_least(planes[h], least)
    for h in range(2):
        for word in reached[h]:
            n += count(word)
    ranked = np.empty(n, np.int64)
    n = 0
    for h in range(2):
        for w in range(fast.shape[1]):
            word = reached[h, w]
            while word:
                below = (word & (~word + np.uint64(1))) - np.uint64(1)
                column = w * 64 + count(below)
                ranked[n] = _rank_of(0, _count_of(planes[h], column) - bar[h], h * half + column)
                n += 1
                word &= word - np.uint64(1)
    ranked.sort()
    winners, m = np.empty(k, np.int64), min(n, k)
    winners[:m] = ranked[:m] & MOST_CELL
    if len(code) and m < k:
        fired, detonated = np.zeros(fast.shape[0], np.bool_), np.empty(len(code), np.int64)
        fired[winners[:m]] = True
        for j in range(len(code)):
            h = 0 if code[j] < half else 1
            detonated[j] = _rank_of(when[j], _count_of(planes[h], code[j] - h * half) - bar[h], code[j])
        detonated.sort()
        for ranks in detonated:
            if not fired[ranks & MOST_CELL] and m < k:
                winners[m] = ranks & MOST_CELL
                m += 1
    return winners[:m]


@njit(cache=CACHE, nogil=True)
def _complete_some(
    start: int, stop: int, out: U16, size: I64, still: Bools,
    recurrent: Recurrent, codes: U16, when: U8, settle: int,
) -> None:  # fmt: skip
    none = np.empty(0, np.int64)
    for i in range(start, stop):
        code, release = codes[i].astype(np.int64), when[i].astype(np.int64)
        active = code.copy()
        for _ in range(settle):
            before = active
            active = ca3_cycle(recurrent, before[: recurrent.core], recurrent.fast, none, code, release)
            if len(active) == len(before) and (active == before).all():
                still[i] = True
                break
        size[i] = len(active)
        for j in range(len(active)):
            out[i, j] = active[j]


def complete(recurrent: Recurrent, codes: U16, when: U8, settle: int) -> tuple[U16, I64, Bools]:
    """CA3 after `settle` more gamma cycles under a held cue.

    Returns its cells in firing order, [n, k], padded; how many, [n]; and whether they have stopped changing, [n].
    """
    n, k = codes.shape
    out, size, still = np.zeros((n, k), np.uint16), np.empty(n, np.int64), np.zeros(n, np.bool_)
    in_threads(_complete_some, n, out, size, still, recurrent, codes, when, settle)
    return out, size, still


@njit(cache=CACHE)
def shared_cells(active: I64, index: Keys) -> I32:
    """How many of the active CA3 cells reach each living index cell, [key]; by Schaffer collaterals of active cells only."""
    shared = np.zeros(len(index.counts), np.int32)
    for c in active:
        for s in range(index.start[c], index.start[c] + index.size[c]):
            shared[index.reached[s, 0]] += 1
    if not index.whole:
        for key in range(len(shared)):
            shared[key] *= index.alive[key]
    return shared


@njit(cache=CACHE)
def gumbel(lottery: Lottery, query: int, cycle: int, cell: int) -> float:
    """Gumbel noise of an index cell in a gamma cycle, rounded to the grid of the circuit's weights."""
    noise = -math.log(-math.log(uniform(lottery.seed, query, cycle, cell))) * lottery.size
    return round(noise / lottery.grid) * lottery.grid


@njit(cache=CACHE)
def noise(lottery: Lottery, queries: I64, cycles: int, cells: int) -> F64:
    """The noise of all cells in all gamma cycles, [query, cycle, cell]."""
    out = np.empty((len(queries), cycles, cells))
    for i in range(len(queries)):
        for g in range(cycles):
            for c in range(cells):
                out[i, g, c] = gumbel(lottery, queries[i], g, c)
    return out


@njit(cache=CACHE)
def first_under_noise(order: I64, drive: F64, lottery: Lottery, query: int, cycle: int) -> int:
    """The key of the largest drive under noise among those that compete; -1 where there is none."""
    best, winner = -np.inf, -1
    for j in range(min(lottery.competitors, len(order))):
        key = order[j]
        if key >= 0:
            v = drive[j] + gumbel(lottery, query, cycle, key)
            if v > best or (v == best and key < winner):
                best, winner = v, key
    return winner


@njit(cache=CACHE, nogil=True)
def _attend_some(start: int, stop: int, winners: I64, order: I64, drive: F64, queries: I64, lottery: Lottery) -> None:
    for i in range(start, stop):
        for g in range(winners.shape[1]):
            winners[i, g] = first_under_noise(order[i], drive[i], lottery, queries[i], lottery.start + g)


def attend(order: I64, drive: F64, queries: I64, lottery: Lottery, cycles: int) -> I64:
    """The subiculum's winner in each of `cycles` gamma cycles: its key, [n, cycles]; -1 where nothing fires."""
    winners = np.full((len(order), cycles), -1, np.int64)
    in_threads(_attend_some, len(order), winners, order, drive, queries, lottery)
    return winners

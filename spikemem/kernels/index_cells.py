"""CA1 without simulation (numba): which index cells fire in a gamma cycle, and what each pathway contributes to their drive.

Only what a cue touches is computed: synapses of cells that fire, drives of keys whose dendrites open, and, from one gamma cycle to the
next, what CA3 has changed. Where nothing but CA3 drives the dendrites their synapses are counted in bytes.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.circuit import Keys, Lottery, Recurrent, ca3_cycle, first_under_noise
from spikemem.kernels.index_drives import PER_SYNAPSE, UNIT, Afferents, Cues, Work, hear, key_drives, work_on
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import I64, U8, U16, Bools

OPENS = PER_SYNAPSE // 2
"""A dendrite fires above half a synapse."""
CLASSES = 1024
"""Classes of drives, and the most levels among which bisection finds one without them."""
BLOCK = 128
"""Drives that are counted together in a byte."""
GLANCE = 32
"""Drives that are looked at together, of which mostly none is among the largest."""
MOST_BYTE = 254
"""CA3's cells that may fire where the synapses of a dendrite are counted in a byte."""


class Volleys(NamedTuple):
    """The granule cells that drive CA3 while a batch of cues is held.

    names: numbers that name each cue's noise, [n].   codes, when: granule cells that fire in each cycle, and at which release, [n, k].
    """

    names: I64
    codes: U16
    when: U8


@njit(cache=CACHE)
def _reaching(drive: I64 | U8, alive: Bools, level: int) -> int:
    """How many living cells have a drive of at least a level; in bytes, block by block, so that it is vectorised."""
    found, whole, least = 0, len(drive) // BLOCK * BLOCK, np.full(1, level, drive.dtype)[0]
    for first in range(0, whole, BLOCK):
        part = np.uint8(0)
        for key in range(first, first + BLOCK):
            part = np.uint8(part + np.uint8((drive[key] >= least) & alive[key]))
        found += int(part)
    for key in range(whole, len(drive)):
        found += (drive[key] >= least) & alive[key]
    return found


@njit(cache=CACHE)
def _level_of(drive: I64 | U8, alive: Bools, k: int, above: int) -> int:
    """The k-th largest drive of living cells, of which more than k exceed `above`: by bisection, from a tally of wide classes on."""
    low, high = above + 1, int(drive.max()) + 1
    if high - low > CLASSES:
        width, tally, reached = 0, np.zeros(CLASSES, np.int64), 0
        while (high - low) >> width >= CLASSES:
            width += 1
        for key in range(len(drive)):
            if alive[key] and drive[key] >= low:
                tally[(drive[key] - low) >> width] += 1
        c = CLASSES - 1
        while reached + tally[c] < k:
            reached += tally[c]
            c -= 1
        low, high = low + (c << width), low + ((c + 1) << width)
        near, n = np.empty(tally[c], np.int64), 0
        for key in range(len(drive)):
            if alive[key] and low <= drive[key] < high:
                near[n] = drive[key]
                n += 1
        return np.sort(near)[n - (k - reached)]
    while high - low > 1:
        middle = (low + high) // 2
        if _reaching(drive, alive, middle) >= k:
            low = middle
        else:
            high = middle
    return low


@njit(cache=CACHE)
def strongest(drive: I64 | U8, alive: Bools, k: int, above: int) -> I64:
    """The living cells with the k largest drives above a level; of equals the lower index. In the order of their index."""
    level, chosen, n, equal = above + 1, np.empty(k, np.int64), 0, k
    if _reaching(drive, alive, level) > k:
        level = _level_of(drive, alive, k, above)
        equal = k - _reaching(drive, alive, level + 1)
    least, whole = np.full(1, level, drive.dtype)[0], len(drive) // GLANCE * GLANCE
    for first in range(0, len(drive), GLANCE):
        part = np.uint8(0)
        if first < whole:
            for key in range(first, first + GLANCE):
                part = np.uint8(part + np.uint8((drive[key] >= least) & alive[key]))
            if part == 0:
                continue
        for key in range(first, min(first + GLANCE, len(drive))):
            if drive[key] >= level and alive[key] and (drive[key] > level or equal > 0):
                equal -= drive[key] == level
                chosen[n] = key
                n += 1
    return chosen[:n]


@njit(cache=CACHE)
def _go_on(before: I64, now: I64, index: Keys, synapse: int, work: Work) -> None:
    """Let CA3's cells `now` drive the dendrites in place of those of the cycle before; only what differs is changed."""
    start, size, reached, drive, fires = index.start, index.size, index.reached, work.open, work.fires
    for c in now:
        if not fires[c]:
            for s in range(start[c], start[c] + size[c]):
                drive[reached[s, 0]] += synapse
        fires[c] = 2
    for c in before:
        if fires[c] == 1:
            for s in range(start[c], start[c] + size[c]):
                drive[reached[s, 0]] -= synapse
            fires[c] = 0
    for c in now:
        fires[c] = 1


@njit(cache=CACHE)
def _reached(now: I64, index: Keys) -> int:
    """How many Schaffer synapses onto living index cells carry a spike."""
    reached = 0
    for c in now:
        reached += index.size[c]
        if not index.whole:
            for s in range(index.start[c], index.start[c] + index.size[c]):
                reached -= not index.alive[index.reached[s, 0]]
    return reached


class Opening(NamedTuple):
    """The keys whose dendrites opened, in the order of their index, and their drives by pathway, [opened, pathway]."""

    keys: I64
    drives: I64


@njit(cache=CACHE)
def _race(i: int, cues: Cues, candidates: int, given: Afferents, work: Work, last: Opening) -> Opening:
    """The race of a gamma cycle.   last: that of the cycle before, whose drives hold."""
    opens = 0 if work.open.itemsize == 1 else OPENS
    keys = strongest(work.open, given.keys.alive, candidates, opens)
    drives, fresh, at = np.empty((len(keys), given.added.pathways), np.int64), np.ones(len(keys), np.bool_), 0
    for j in range(len(keys)):
        while at < len(last.keys) and last.keys[at] < keys[j]:
            at += 1
        if at < len(last.keys) and last.keys[at] == keys[j]:
            drives[j], fresh[j] = last.drives[at], False
    key_drives(i, keys, fresh, cues, given, work, drives)
    return Opening(keys, drives)


@njit(cache=CACHE, nogil=True)
def _rank_some(
    start: int, stop: int, order: I64, parts: I64, events: I64, cues: Cues, candidates: int, given: Afferents, like: I64 | U8
) -> None:
    work, synapse = work_on(like, given), 1 if like.itemsize == 1 else PER_SYNAPSE
    none = Opening(np.empty(0, np.int64), np.empty((0, given.added.pathways), np.int64))
    for i in range(start, stop):
        now = cues.active[i, : cues.size[i]].astype(np.int64)
        work.open[:] = 0
        events[i] = _reached(now, given.keys)
        if given.further:
            events[i] += hear(i, cues, given, work)
        _go_on(none.keys, now, given.keys, synapse, work)
        race = _race(i, cues, candidates, given, work, none)
        best = np.argsort(-race.drives.sum(axis=1), kind="mergesort")
        for j in range(len(best)):
            order[i, j], parts[i, j] = race.keys[best[j]], race.drives[best[j]]
        work.fires[now] = 0


def rank(cues: Cues, candidates: int, given: Afferents) -> tuple[I64, I64, I64]:
    """CA1's index cells in firing order, [n, candidates], padded with -1; their drives by pathway, [n, candidates, pathway]; events but
    for the perforant path's, [n].

    The `candidates` dendrites of largest drive open; among these the soma's drive decides (the equation of `regions.ca1`).
    """
    n = len(cues.counts)
    order, parts = np.full((n, candidates), -1, np.int64), np.zeros((n, candidates, given.added.pathways), np.int64)
    events = np.zeros(n, np.int64)
    in_threads(_rank_some, n, order, parts, events, cues, candidates, given, _like(cues, given))
    return order, parts, events


def _like(cues: Cues, given: Afferents) -> I64 | U8:
    """An array of the type in which dendrites' drives are counted."""
    wide = given.further or cues.active.shape[1] > MOST_BYTE
    return np.zeros(0, np.int64) if wide else np.zeros(0, np.uint8)


@njit(cache=CACHE)
def drives(order: I64, cues: Cues, given: Afferents) -> I64:
    """The drives by pathway of keys that fired, [n, c] padded with -1, in 1/64, [n, c, pathway]. CA3's cells do not matter to them."""
    found = np.zeros((order.shape[0], order.shape[1], given.added.pathways), np.int64)
    work = work_on(order, given)
    for i in range(len(order)):
        if given.further:
            hear(i, cues, given, work)
        key_drives(i, np.maximum(order[i], 0), order[i] >= 0, cues, given, work, found[i])
    return found


@njit(cache=CACHE, nogil=True)
def _attend_some(
    start: int, stop: int, winners: I64, held: Volleys, recurrent: Recurrent, lottery: Lottery,
    cues: Cues, candidates: int, given: Afferents, like: I64 | U8,
) -> None:  # fmt: skip
    work, synapse, none = work_on(like, given), 1 if like.itemsize == 1 else PER_SYNAPSE, np.zeros(0, np.int64)
    for i in range(start, stop):
        code, release = held.codes[i].astype(np.int64), held.when[i].astype(np.int64)
        work.open[:] = 0
        if given.further:
            hear(i, cues, given, work)
        now, moved, order, drive = cues.active[i, : cues.size[i]].astype(np.int64), True, none, np.zeros(0)
        race = Opening(none, np.empty((0, given.added.pathways), np.int64))
        _go_on(none, now, given.keys, synapse, work)
        for g in range(winners.shape[1]):
            before = now
            if moved:
                now = ca3_cycle(recurrent, before[: recurrent.core], recurrent.fast, none, code, release)
                moved = len(now) != len(before) or bool((now != before).any())
            if moved or g == 0:
                _go_on(before, now, given.keys, synapse, work)
                race = _race(i, cues, candidates, given, work, race)
                total = race.drives.sum(axis=1)
                best = np.argsort(-total, kind="mergesort")
                order, drive = race.keys[best], total[best] / float(UNIT)
            winners[i, g] = first_under_noise(order, drive, lottery, held.names[i], lottery.start + g)
        work.fires[now] = 0


def attend_unsettled(
    held: Volleys, recurrent: Recurrent, lottery: Lottery, cycles: int, cues: Cues, candidates: int, given: Afferents
) -> I64:
    """The subiculum's winner in each of `cycles` gamma cycles while CA3 goes on from the cues' active cells, [n, cycles].

    As `kernels.circuit.attend`, and `rank` in each cycle.
    """
    n = len(cues.counts)
    winners = np.full((n, cycles), -1, np.int64)
    in_threads(_attend_some, n, winners, held, recurrent, lottery, cues, candidates, given, _like(cues, given))
    return winners


@njit(cache=CACHE)
def first_of_each(owners: I64, k: int, memories: int) -> tuple[I64, I64]:
    """Where the first k memories among keys that fired stand for the first time, [n, k] padded with -1, and how many there are, [n].

    owners: the memory of each key, in firing order, [n, c] padded with -1.   memories: how many are stored.
    """
    place, found = np.full((len(owners), k), -1, np.int64), np.zeros(len(owners), np.int64)
    seen = np.zeros(memories, np.bool_)
    for i in range(len(owners)):
        for j in range(owners.shape[1]):
            m = owners[i, j]
            if m >= 0 and not seen[m] and found[i] < k:
                seen[m] = True
                place[i, found[i]] = j
                found[i] += 1
        for j in range(found[i]):
            seen[owners[i, place[i, j]]] = False
    return place, found

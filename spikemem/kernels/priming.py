"""Priming by words (numba): what an engram that fired says of its text excites dendrites of the memories whose titles it names.

Each function returns what the step-by-step simulation of the same network gives (tests compare them).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.onebit import add
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import I32, I64, U16, U64, Bools


class Priming(NamedTuple):
    """What an engram that fired says of its words, and the dendrites that these excite from then on.

    said: synapses onto deep word cells, one bit each, [cell, words / 64].   level: what a word cell's input must exceed.
    ptr, title, share: titles that have a word, and its share of what makes their dendrites fire, in 1/`fires`, CSR by word.
    engrams: cells of the memory of each title, [title, core].   fires: what a dendrite must exceed.   gain: its drive, in 1/GRAIN.
    """

    said: U64
    level: int
    ptr: I64
    title: I64
    share: I64
    engrams: U16
    fires: int
    gain: int


def nothing() -> Priming:
    """Of a circuit without titles."""
    none = np.zeros(0, np.int64)
    return Priming(np.zeros((0, 0), np.uint64), 0, np.zeros(1, np.int64), none, none, np.zeros((0, 0), np.uint16), 0, 0)


@njit(cache=CACHE)
def _excite(word: int, priming: Priming, best: I64, total: I64) -> None:
    """Add to the dendrites' input, [cell], the largest share that a word has of a title of each cell.   best: zeros, [cell]."""
    for s in range(priming.ptr[word], priming.ptr[word + 1]):
        for c in priming.engrams[priming.title[s]]:
            if priming.share[s] > best[c]:
                total[c] += priming.share[s] - best[c]
                best[c] = priming.share[s]
    for s in range(priming.ptr[word], priming.ptr[word + 1]):
        for c in priming.engrams[priming.title[s]]:
            best[c] = 0


@njit(cache=CACHE, nogil=True)
def _dendrites_some(start: int, stop: int, fires: Bools, ptr: I64, word: I64, priming: Priming) -> None:
    cells = fires.shape[1]
    best = np.zeros(cells, np.int64)
    for i in range(start, stop):
        total = np.zeros(cells, np.int64)
        for s in range(ptr[i], ptr[i + 1]):
            _excite(word[s], priming, best, total)
        fires[i] = total > priming.fires


def dendrites(ptr: I64, word: I64, priming: Priming, cells: int) -> Bools:
    """The cells whose dendrites fire when the words of each cue, CSR, are active, [n, cells]."""
    fires = np.zeros((len(ptr) - 1, cells), bool)
    in_threads(_dendrites_some, len(fires), fires, ptr, word, priming)
    return fires


@njit(cache=CACHE)
def prime(active: I64, priming: Priming, primed: Bools, held: I32) -> None:
    """Let an engram that fired say its words, and those excite dendrites; one that fires drives its cell from then on, in place."""
    if not len(priming.title):
        return
    counts = np.zeros(len(priming.ptr) - 1, np.int32)
    add(priming.said, active, 1, counts)
    total, best = np.zeros(len(held), np.int64), np.zeros(len(held), np.int64)
    for word in range(len(counts)):
        if counts[word] > priming.level:
            _excite(word, priming, best, total)
    for c in range(len(held)):
        if total[c] > priming.fires and not primed[c]:
            primed[c] = True
            held[c] += priming.gain

"""DG's code without simulation (numba): the granule cells that fire first.

Each function returns what the step-by-step simulation of the same network gives (tests compare them).
"""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.threads import in_threads
from spikemem.kernels.types import F64, I8, I32, I64, U8, U16


@njit(cache=CACHE)
def _top(drive: F64, k: int) -> I64:
    """The indices of the k largest, in the order of their index; of equals the lower index."""
    near = drive
    for floor in (2.25, 1.75):  # most cells are far below: look only at the upper tail where it suffices
        tail = drive[drive > floor]
        if len(tail) >= k:
            near = tail
            break
    least = -np.partition(-near, k - 1)[k - 1]
    above = 0
    for v in near:
        if v > least:
            above += 1
    equal = k - above
    chosen = np.empty(k, np.int64)
    n = 0
    for c in range(len(drive)):
        if drive[c] > least:
            chosen[n] = c
            n += 1
        elif drive[c] == least and equal > 0:
            chosen[n] = c
            n += 1
            equal -= 1
    return chosen


@njit(cache=CACHE)
def _code(codes: U16, when: U8, drive: F64, levels: F64) -> None:
    """The cells of the largest drive in the order in which they fire, and when, [k] each, in place."""
    chosen = _top(drive, len(codes))
    m, above = 0, np.inf
    for r in range(len(levels)):
        for c in chosen:
            if levels[r] < drive[c] and not (drive[c] > above):
                codes[m], when[m] = c, r
                m += 1
        above = levels[r]


@njit(cache=CACHE, nogil=True)
def _codes_some(start: int, stop: int, codes: U16, when: U8, counts: I8, inputs: I32, weights: F64, bias: F64, levels: F64) -> None:
    cells, fan_in = inputs.shape
    for i in range(start, stop):
        row = counts[i].astype(np.float64)
        drive = np.empty(cells)
        for c in range(cells):
            v = 0.0
            for f in range(fan_in):
                v += weights[c, f] * row[inputs[c, f]]
            drive[c] = v - bias[c]
        _code(codes[i], when[i], drive, levels)


@njit(cache=CACHE, nogil=True)
def _codes_of_some(start: int, stop: int, codes: U16, when: U8, drive: F64, levels: F64) -> None:
    for i in range(start, stop):
        _code(codes[i], when[i], drive[i], levels)


def codes_of(drive: F64, levels: F64, k: int) -> tuple[U16, U8]:
    """As `codes`, of what each cell receives, [n, cell]."""
    codes, when = np.zeros((len(drive), k), np.uint16), np.zeros((len(drive), k), np.uint8)
    if k:
        in_threads(_codes_of_some, len(drive), codes, when, drive, levels)
    return codes, when


def codes(counts: I8, inputs: I32, weights: F64, bias: F64, levels: F64, k: int) -> tuple[U16, U8]:
    """The k granule cells that fire, [n, k], in the order in which they make CA3 fire, and at which release each did, [n, k].

    counts: [n, d].   inputs, weights: [cell, fan_in].   bias: [cell].   levels: falling, the last below every drive.
    """
    codes, when = np.zeros((len(counts), k), np.uint16), np.zeros((len(counts), k), np.uint8)
    if k:
        in_threads(_codes_some, len(counts), codes, when, counts, inputs, weights, bias, levels)
    return codes, when

"""Chains of associations without simulation (numba): hop after hop in one call, from the codes that are stored.

A hop is a whole theta cycle: CA3's slow synapses, CA1's answer on CA3 alone, and its replay through EC, DG and CA3. The granule cells that
a replay fires are those of the stored code; when each fires is told by its own drive.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.circuit import Keys, Recurrent, ca3_cycle
from spikemem.kernels.types import F64, I8, I32, I64, U16, U64


class Replays(NamedTuple):
    """What EC and DG replay of stored keys.

    content: the key of each one's memory that holds the content, [key].   codes: granule cells in firing order, [key, k].
    received: what DG gets of a count n of EC, at [n + 128].   inputs, weights, bias: of granule cells (`granule_cells.codes`).
    levels: drives above which they fire, one for each release, falling.
    """

    content: I64
    codes: U16
    received: I8
    inputs: I32
    weights: F64
    bias: F64
    levels: F64


@njit(cache=CACHE)
def releases(code: U16, counts: I8, replays: Replays) -> I64:
    """At which release each granule cell of a code fires, [k].   counts: the volley that it is the code of, [d]."""
    when = np.zeros(len(code), np.int64)
    for j in range(len(code)):
        drive, cell = 0.0, code[j]
        for f in range(replays.inputs.shape[1]):
            drive += replays.weights[cell, f] * float(replays.received[128 + counts[replays.inputs[cell, f]]])
        while replays.levels[when[j]] >= drive - replays.bias[cell]:
            when[j] += 1
    return when


@njit(cache=CACHE)
def _answer(active: I64, index: Keys, enough: tuple[float, float], shared: I32) -> int:
    """The first key to which more than `enough` of CA3's active cells go, of two levels the higher one first; -1 where none is.

    shared: room, [key].
    """
    shared[:] = 0
    for c in active:
        for s in range(index.start[c], index.start[c] + index.size[c]):
            shared[index.reached[s, 0]] += 1
    first, second = -1, -1
    for key in range(len(shared)):
        if shared[key] > enough[1] and index.alive[key]:
            second = key if second < 0 else second
            if shared[key] > enough[0]:
                first = key
                break
    return first if first >= 0 else second


@njit(cache=CACHE)
def follow(
    active: I64, keys: I64, recurrent: Recurrent, slow: U64, replay: Recurrent, index: Keys, replays: Replays, enough: tuple[float, float]
) -> None:
    """The keys to which hops lead from CA3's active cells, [hops], in place; those behind the end of a chain stay as they are.

    replay: CA3's fast synapses under the inhibition of a replay.   enough: see `_answer`.
    """
    none, shared = np.zeros(0, np.int64), np.zeros(len(index.counts), np.int32)
    for h in range(len(keys)):
        hopped = ca3_cycle(recurrent, none, slow, active[: recurrent.core], none, none)
        key = _answer(hopped, index, enough, shared)
        if key < 0:
            break
        keys[h], content = key, replays.content[key]
        code = replays.codes[content]
        when = releases(code, index.counts[content], replays)
        active = ca3_cycle(replay, hopped[: recurrent.core], slow, none, code.astype(np.int64), when)

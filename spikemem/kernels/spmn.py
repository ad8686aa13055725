"""The spiking SPMN cell over a whole story, forward and backward (numba).

The equations are those at the head of `spikemem.spmn.cell`, with its names. A call does the stories from `first` to `last`, without the
GIL. Random numbers are those of `kernels.draws`, a stream for each story.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikemem.kernels import CACHE
from spikemem.kernels.draws import TRAIN, count, mixed, race, train

Floats = NDArray[np.floating[Any]]
UPDATE, RESET = 0, 1
"""Rows of the gates in their drive and in their synapses from the memory (`hears`)."""
CONTENT, ADDRESS = 0, 1
"""Where routes carry what the readers read: to the candidate, and to the address."""


class Kept(NamedTuple):
    """What the backward pass needs of each event, [story, event, ...]: probabilities p_, and shares of spikes drawn from them."""

    p_k: Floats
    """[plane, w], as those to `c`."""
    k: Floats
    p_z: Floats
    z: Floats
    p_r: Floats
    r: Floats
    p_c: Floats
    """Of the candidate's population."""
    c: Floats
    """The candidate itself."""
    reads: Floats
    """[reader x plane, w]."""
    held: Floats
    """What k held before the write, [plane, w]."""


class By(NamedTuple):
    """Gradients by the quantities within one event.

    k, z, c, held: of one plane, [w].   reads: [reader x plane, w].   signals: as `_memory_signals`.
    """

    k: Floats
    z: Floats
    c: Floats
    held: Floats
    reads: Floats
    signals: Floats


FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}
"""What the compiler may do to sums and products; it may not take them for finite: exp of a strong drive is infinite, and 1 / inf is 0."""
_part = njit(cache=CACHE, nogil=True, fastmath=FAST, error_model="numpy", forceinline=True)
"""Of a story: inlined, so that a call gives the same bits whether it was just compiled or comes from numba's cache."""


@njit(cache=CACHE, nogil=True, fastmath=FAST)
def _softmax(x: Floats) -> None:
    x -= x.max()
    total = x.dtype.type(0)
    for i in range(len(x)):
        x[i] = np.exp(x[i])
        total += x[i]
    for i in range(len(x)):
        x[i] /= total


@_part
def _read(keys: Floats, memory: Floats, reads: Floats) -> None:
    """rho[r, d] = sum over i of kappa[r, i] M[d, i], for keys [reader, w], memory [plane, w, w], reads [reader x plane, w]."""
    readers, planes, width = keys.shape[0], memory.shape[0], memory.shape[1]
    reads[:] = 0
    for r in range(readers):
        for d in range(planes):
            row = reads[r * planes + d]
            for i in range(width):
                key = keys[r, i]
                if key != 0:
                    content = memory[d, i]
                    for v in range(width):
                        row[v] += key * content[v]


@_part
def _memory_signals(reads: Floats, held: Floats, candidate: Floats, signals: Floats) -> None:
    """m, the input of the gates from the memory.

    The mean square of each read; then for each plane how far what it held agrees with what comes, tanh of the candidate's drive, and the
    mean square of what it held.
    """
    blocks, width = reads.shape
    for j in range(blocks):
        total = reads.dtype.type(0)
        for v in range(width):
            total += reads[j, v] * reads[j, v]
        signals[j] = total / width
    for d in range(len(held)):
        agreement, energy = reads.dtype.type(0), reads.dtype.type(0)
        for v in range(width):
            agreement += held[d, v] * np.tanh(candidate[d, v])
            energy += held[d, v] * held[d, v]
        signals[blocks + 2 * d] = agreement / width
        signals[blocks + 2 * d + 1] = energy / width


@njit(cache=CACHE, nogil=True)
def _drawn(p: Any, steps: int, stream: NDArray[np.uint64]) -> Any:
    if steps == 0:
        return p
    fired = train(p, steps, stream[0])
    stream[0] += TRAIN
    return count(fired) / steps


@_part
def _addresses(drive: Any, gain: Any, before: Floats, kept: Kept, b: int, t: int, steps: int, stream: NDArray[np.uint64]) -> None:
    """rho_j, k_d and rho_d of event t of story b."""
    reads = kept.reads[b, t]
    blocks, width = reads.shape
    _read(drive.key[b, t], before, reads)
    for d in range(len(before)):
        p, k, held = kept.p_k[b, t, d], kept.k[b, t, d], kept.held[b, t, d]
        p[:] = drive.address[b, t, d]
        for j in range(blocks):
            strength = gain * drive.routes[b, t, ADDRESS, d, j]
            for i in range(width):
                p[i] += strength * reads[j, i]
        _softmax(p)
        if steps:
            race(p, steps, stream, k)
        else:
            k[:] = p
        held[:] = 0
        for i in range(width):
            if k[i] != 0:
                for v in range(width):
                    held[v] += k[i] * before[d, i, v]


@_part
def _gates(drive: Any, kept: Kept, b: int, t: int, d: int, signals: Floats, steps: int, stream: NDArray[np.uint64]) -> None:
    """z_d, r_d and c_d of event t of story b."""
    reads, held, hears = kept.reads[b, t], kept.held[b, t, d], drive.hears[b, t]
    blocks, width = reads.shape
    one = reads.dtype.type(1)
    update, reset = reads.dtype.type(0), reads.dtype.type(0)
    for j in range(blocks):
        update += hears[UPDATE, d, j] * signals[j]
        reset += hears[RESET, d, j] * signals[j]
    for j in range(2):
        update += hears[UPDATE, d, blocks + j] * signals[blocks + 2 * d + j]
        reset += hears[RESET, d, blocks + j] * signals[blocks + 2 * d + j]
    p_z, z, p_r, r = kept.p_z[b, t, d], kept.z[b, t, d], kept.p_r[b, t, d], kept.r[b, t, d]
    p_c, c = kept.p_c[b, t, d], kept.c[b, t, d]
    p_c[:] = drive.candidate[b, t, d]
    for j in range(blocks):
        strength = drive.routes[b, t, CONTENT, d, j]
        for v in range(width):
            p_c[v] += strength * reads[j, v]
    for v in range(width):
        p_z[v] = one / (one + np.exp(-(drive.gates[b, t, UPDATE, d, v] + update)))
        p_r[v] = one / (one + np.exp(-(drive.gates[b, t, RESET, d, v] + reset)))
    for v in range(width):
        z[v] = _drawn(p_z[v], steps, stream)
        r[v] = _drawn(p_r[v], steps, stream)
        p_c[v] = one / (one + np.exp(-2 * (p_c[v] + (one - r[v]) * held[v])))
        c[v] = 2 * _drawn(p_c[v], steps, stream) - one


@_part
def _write(drive: Any, gain: Any, memory: Floats, kept: Kept, b: int, t: int, steps: int, stream: NDArray[np.uint64]) -> None:
    """Event t of story b into the memory."""
    before, after = memory[b, t], memory[b, t + 1]
    planes, width = len(before), before.shape[2]
    signals = np.empty(kept.reads.shape[2] + 2 * planes, memory.dtype)
    _addresses(drive, gain, before, kept, b, t, steps, stream)
    _memory_signals(kept.reads[b, t], kept.held[b, t], drive.candidate[b, t], signals)
    for d in range(planes):
        _gates(drive, kept, b, t, d, signals, steps, stream)
        k, z, c = kept.k[b, t, d], kept.z[b, t, d], kept.c[b, t, d]
        for i in range(width):
            for v in range(width):
                after[d, i, v] = before[d, i, v] + k[i] * z[v] * (c[v] - before[d, i, v])


@njit(cache=CACHE, nogil=True)
def forward(
    drive: Any, gain: Any, present: NDArray[np.bool_], memory: Floats, kept: Kept, steps: int, seed: int, first: int, last: int
) -> None:
    """Memories [story, event + 1, plane, w, w] of the stories from `first` to `last`, the first given, and what is kept of their events.

    drive: a `spikemem.spmn.cell.CellDrive` of arrays.
    """
    for b in range(first, last):
        stream = np.array([mixed(np.uint64(seed) + np.uint64(b))], np.uint64)
        for t in range(present.shape[1]):
            if present[b, t]:
                _write(drive, gain, memory, kept, b, t, steps, stream)
            else:
                memory[b, t + 1] = memory[b, t]


@_part
def _write_back(g: Floats, before: Floats, kept: Kept, b: int, t: int, d: int, by: By) -> None:
    """Through M' = M + k z (c - M) of plane d: g becomes the gradient by M."""
    k, z, c = kept.k[b, t, d], kept.z[b, t, d], kept.c[b, t, d]
    by.z[:] = 0
    by.c[:] = 0
    for i in range(len(k)):
        total = g.dtype.type(0)
        for v in range(len(z)):
            change, up = c[v] - before[d, i, v], g[d, i, v]
            total += up * z[v] * change
            by.z[v] += up * k[i] * change
            by.c[v] += up * k[i] * z[v]
            g[d, i, v] = up * (1 - k[i] * z[v])
        by.k[i] = total


@_part
def _gates_back(drive: Any, kept: Kept, b: int, t: int, d: int, signals: Floats, by: By, into: Any) -> None:
    """Through the candidate and the gates of plane d."""
    reads, held, hears = kept.reads[b, t], kept.held[b, t, d], drive.hears[b, t]
    blocks, width = reads.shape
    p_z, p_r, r, p_c = kept.p_z[b, t, d], kept.p_r[b, t, d], kept.r[b, t, d], kept.p_c[b, t, d]
    update, reset = held.dtype.type(0), held.dtype.type(0)
    for v in range(width):
        m = 4 * by.c[v] * p_c[v] * (1 - p_c[v])
        by.c[v] = m
        into.candidate[b, t, d, v] += m
        by.held[v] = m * (1 - r[v])
        into.gates[b, t, RESET, d, v] = -m * held[v] * p_r[v] * (1 - p_r[v])
        into.gates[b, t, UPDATE, d, v] = by.z[v] * p_z[v] * (1 - p_z[v])
        update += into.gates[b, t, UPDATE, d, v]
        reset += into.gates[b, t, RESET, d, v]
    for j in range(blocks):
        total, strength = held.dtype.type(0), drive.routes[b, t, CONTENT, d, j]
        for v in range(width):
            total += by.c[v] * reads[j, v]
            by.reads[j, v] += strength * by.c[v]
        into.routes[b, t, CONTENT, d, j] = total
        into.hears[b, t, UPDATE, d, j] = update * signals[j]
        into.hears[b, t, RESET, d, j] = reset * signals[j]
        by.signals[j] += update * hears[UPDATE, d, j] + reset * hears[RESET, d, j]
    for j in range(2):
        signal = signals[blocks + 2 * d + j]
        into.hears[b, t, UPDATE, d, blocks + j] = update * signal
        into.hears[b, t, RESET, d, blocks + j] = reset * signal
    agreement = (update * hears[UPDATE, d, blocks] + reset * hears[RESET, d, blocks]) / width
    energy = 2 * (update * hears[UPDATE, d, blocks + 1] + reset * hears[RESET, d, blocks + 1]) / width
    for v in range(width):
        comes = np.tanh(drive.candidate[b, t, d, v])
        by.held[v] += agreement * comes + energy * held[v]
        into.candidate[b, t, d, v] += agreement * held[v] * (1 - comes * comes)


@_part
def _address_back(drive: Any, gain: Any, g: Floats, before: Floats, kept: Kept, b: int, t: int, d: int, by: By, into: Any) -> Any:
    """Through what the address of plane d held and through the address; returns the gradient by the gain."""
    reads, p, k = kept.reads[b, t], kept.p_k[b, t, d], kept.k[b, t, d]
    blocks, width = reads.shape
    by_drive = into.address[b, t, d]
    mean = g.dtype.type(0)
    for i in range(width):
        total = by.k[i]
        for v in range(width):
            total += by.held[v] * before[d, i, v]
            g[d, i, v] += k[i] * by.held[v]
        by.k[i] = total
        mean += p[i] * total
    for i in range(width):
        by_drive[i] = p[i] * (by.k[i] - mean)
    by_gain = g.dtype.type(0)
    for j in range(blocks):
        total, strength = g.dtype.type(0), gain * drive.routes[b, t, ADDRESS, d, j]
        for i in range(width):
            total += by_drive[i] * reads[j, i]
            by.reads[j, i] += strength * by_drive[i]
        into.routes[b, t, ADDRESS, d, j] = gain * total
        by_gain += drive.routes[b, t, ADDRESS, d, j] * total
    return by_gain


@_part
def _reads_back(drive: Any, g: Floats, before: Floats, kept: Kept, b: int, t: int, by: By, into: Any) -> None:
    """Through the reads."""
    key, reads = drive.key[b, t], kept.reads[b, t]
    width, planes = key.shape[1], len(before)
    for j in range(len(reads)):
        r, d = j // planes, j % planes
        slope = 2 * by.signals[j] / width
        for v in range(width):
            by.reads[j, v] += slope * reads[j, v]
        for i in range(width):
            total, weight = g.dtype.type(0), key[r, i]
            for v in range(width):
                total += by.reads[j, v] * before[d, i, v]
                g[d, i, v] += weight * by.reads[j, v]
            into.key[b, t, r, i] += total


@njit(cache=CACHE, nogil=True)
def backward(
    drive: Any, gain: Any, present: NDArray[np.bool_], memory: Floats, kept: Kept, upstream: Floats, at: NDArray[np.int64], into: Any,
    into_first: Floats, into_gain: Floats, first: int, last: int,
) -> None:  # fmt: skip
    """Gradients of stories from `first` to `last`, those by `drive` into `into`. What is written into must be zeros: of `into`, a present
    event's address, gates, hears and routes are assigned, its key (over planes) and its candidate (over what it drives) are summed, and an
    absent event's stay 0; `into_first` and `into_gain` are summed over events.

    upstream: by the memories that the loss reads, of which `at` [story, event + 1] says which row each is, -1 for none.
    into_first: by the memory at the start.   into_gain: [story].
    """
    planes, width = memory.shape[2], memory.shape[4]
    blocks, dtype = kept.reads.shape[2], memory.dtype
    signals = np.empty(blocks + 2 * planes, dtype)
    by = By(
        np.empty(width, dtype), np.empty(width, dtype), np.empty(width, dtype), np.empty(width, dtype),
        np.empty((blocks, width), dtype), np.empty(blocks, dtype),
    )  # fmt: skip
    for b in range(first, last):
        g = into_first[b]
        for t in range(present.shape[1], -1, -1):
            if t < present.shape[1] and present[b, t]:
                before = memory[b, t]
                _memory_signals(kept.reads[b, t], kept.held[b, t], drive.candidate[b, t], signals)
                by.reads[:] = 0
                by.signals[:] = 0
                for d in range(planes):
                    _write_back(g, before, kept, b, t, d, by)
                    _gates_back(drive, kept, b, t, d, signals, by, into)
                    into_gain[b] += _address_back(drive, gain, g, before, kept, b, t, d, by, into)
                _reads_back(drive, g, before, kept, b, t, by, into)
            row = at[b, t]
            if row >= 0:
                g += upstream[row]

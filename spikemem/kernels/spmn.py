"""The spiking SPMN cell over a whole story, forward and backward, and the draws of its stochastic cells (numba).

The equations are those at the head of `spikemem.spmn.cell`, with its names. A call does the stories from `first` to `last`, without the
GIL. Random numbers are splitmix64's (Steele, Lea & Flood 2014), a stream for each story.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
PRECISION = 8
"""Bits of a firing probability: a cell fires with the multiple of 1/256 that is nearest to its p."""
DRAWN = 8
"""Rows of `kept` for each plane before the reads and what the addresses held: the address as softmax and as shares, then update, reset
and the candidate's population, each as probability and as shares; the last row is the candidate itself."""


STRIDE = np.uint64(0x9E3779B97F4A7C15)
TRAIN = np.uint64(PRECISION * 0x9E3779B97F4A7C15 % 2**64)
"""How far a spike train moves a stream of random numbers on."""


@njit(cache=True, nogil=True)
def _random(place: np.uint64) -> np.uint64:
    """The 64 random bits at a place in the stream; places lie STRIDE apart."""
    z = (place ^ (place >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _count(word: np.uint64) -> int:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def _train(p: float, steps: int, place: np.uint64) -> np.uint64:
    """The spike train of a cell that fires with probability p in each of up to 64 steps, a bit a step.

    From the lowest binary digit of p to the highest, a train is OR-ed with a fair one where the digit is 1, AND-ed where it is 0; written
    without branches, which no processor could foresee.
    """
    digits = np.int64(p * (1 << PRECISION) + 0.5)
    always, train = np.uint64(-(digits >> PRECISION)), np.uint64(0)
    for _ in range(PRECISION):
        place += STRIDE
        fair, one = _random(place), np.uint64(-(digits & 1))
        train = (train & fair) | (one & (train | fair))
        digits >>= 1
    return (train | always) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - steps))


@njit(cache=True, nogil=True)
def fire(p: Floats, steps: int, seed: int, rates: Floats) -> None:
    """Shares of the steps in which cells fire, each with its probability p, [cell], written into `rates`."""
    start = _random(np.uint64(seed))
    for i in range(len(p)):
        rates[i] = _count(_train(p[i], steps, start + np.uint64(i) * TRAIN)) / steps


@njit(cache=True, nogil=True)
def _win(p: Floats, steps: int, stream: NDArray[np.uint64], shares: Floats) -> None:
    shares[:] = 0
    last = len(p) - 1
    for _ in range(steps):
        stream[0] += STRIDE
        u = (_random(stream[0]) >> np.uint64(40)) * (1.0 / 16777216.0)
        i = 0
        while i < last:
            u -= p[i]
            if u < 0:
                break
            i += 1
        shares[i] += 1
    shares /= steps  # counted first, so that no share exceeds 1


@njit(cache=True, nogil=True)
def win(p: Floats, steps: int, seed: int, shares: Floats) -> None:
    """Shares of the steps that each cell of a winner-take-all population wins, with probability p, [population, cell]."""
    stream = np.array([_random(np.uint64(seed))], np.uint64)
    for i in range(len(p)):
        _win(p[i], steps, stream, shares[i])


@njit(cache=True, nogil=True, fastmath=True)
def _softmax(x: Floats) -> None:
    x -= x.max()
    total = x.dtype.type(0)
    for i in range(len(x)):
        x[i] = np.exp(x[i])
        total += x[i]
    for i in range(len(x)):
        x[i] /= total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
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


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _mismatch(reads: Floats, held: Floats, comes: Floats, signals: Floats) -> None:
    """What the gates hear of the memory: the mean square of each read, and for each plane agreement with what comes, and mean square."""
    blocks, width = reads.shape
    for j in range(blocks):
        total = reads.dtype.type(0)
        for v in range(width):
            total += reads[j, v] * reads[j, v]
        signals[j] = total / width
    for d in range(len(held)):
        agreement, energy = reads.dtype.type(0), reads.dtype.type(0)
        for v in range(width):
            agreement += held[d, v] * comes[d, v]
            energy += held[d, v] * held[d, v]
        signals[blocks + 2 * d] = agreement / width
        signals[blocks + 2 * d + 1] = energy / width


@njit(cache=True, nogil=True)
def _drawn(p: Any, steps: int, stream: NDArray[np.uint64]) -> Any:
    if steps == 0:
        return p
    train = _train(p, steps, stream[0])
    stream[0] += TRAIN
    return _count(train) / steps


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _write(
    key: Floats, k0: Floats, g0: Floats, hears: Floats, routes: Floats, c0: Floats, gain: Any, before: Floats, after: Floats, kept: Floats,
    signals: Floats, comes: Floats, steps: int, stream: NDArray[np.uint64],
) -> None:  # fmt: skip
    """One event of one story.   kept: what the backward pass needs, [row, w]: 8 rows a plane, the reads, what the addresses held."""
    planes, width = c0.shape
    blocks = key.shape[0] * planes
    one = after.dtype.type(1)
    reads, held = kept[DRAWN * planes : DRAWN * planes + blocks], kept[DRAWN * planes + blocks :]
    _read(key, before, reads)
    for d in range(planes):
        share, address = kept[d], kept[planes + d]
        share[:] = k0[d]
        for j in range(blocks):
            strength = gain * routes[1, d, j]
            for i in range(width):
                share[i] += strength * reads[j, i]
        _softmax(share)
        if steps:
            _win(share, steps, stream, address)
        else:
            address[:] = share
        held[d] = 0
        for i in range(width):
            if address[i] != 0:
                for v in range(width):
                    held[d, v] += address[i] * before[d, i, v]
    for d in range(planes):
        for v in range(width):
            comes[d, v] = np.tanh(c0[d, v])
    _mismatch(reads, held, comes, signals)
    for d in range(planes):
        update, reset = after.dtype.type(0), after.dtype.type(0)
        for j in range(blocks):
            update += hears[0, d, j] * signals[j]
            reset += hears[1, d, j] * signals[j]
        for j in range(2):
            update += hears[0, d, blocks + j] * signals[blocks + 2 * d + j]
            reset += hears[1, d, blocks + j] * signals[blocks + 2 * d + j]
        z, zs, r, rs = kept[2 * planes + d], kept[3 * planes + d], kept[4 * planes + d], kept[5 * planes + d]
        c, cs = kept[6 * planes + d], kept[7 * planes + d]
        c[:] = c0[d]
        for j in range(blocks):
            strength = routes[0, d, j]
            for v in range(width):
                c[v] += strength * reads[j, v]
        for v in range(width):
            z[v] = one / (one + np.exp(-(g0[0, d, v] + update)))
            r[v] = one / (one + np.exp(-(g0[1, d, v] + reset)))
        for v in range(width):
            zs[v] = _drawn(z[v], steps, stream)
            rs[v] = _drawn(r[v], steps, stream)
            c[v] = one / (one + np.exp(-2 * (c[v] + (one - rs[v]) * held[d, v])))
            cs[v] = 2 * _drawn(c[v], steps, stream) - one
        address = kept[planes + d]
        for i in range(width):
            for v in range(width):
                after[d, i, v] = before[d, i, v] + address[i] * zs[v] * (cs[v] - before[d, i, v])


@njit(cache=True, nogil=True)
def forward(
    key: Floats, k0: Floats, g0: Floats, hears: Floats, routes: Floats, c0: Floats, gain: Any, present: NDArray[np.bool_],
    memory: Floats, kept: Floats, steps: int, seed: int, first: int, last: int,
) -> None:  # fmt: skip
    """Memories [story, event + 1, plane, w, w] of the stories from `first` to `last`, the first given, and kept [story, event, row, w]."""
    planes, width = c0.shape[2], c0.shape[3]
    signals, comes = np.empty(key.shape[2] * planes + 2 * planes, memory.dtype), np.empty((planes, width), memory.dtype)
    for b in range(first, last):
        stream = np.array([_random(np.uint64(seed) + np.uint64(b))], np.uint64)
        for t in range(present.shape[1]):
            if present[b, t]:
                _write(
                    key[b, t], k0[b, t], g0[b, t], hears[b, t], routes[b, t], c0[b, t], gain, memory[b, t], memory[b, t + 1], kept[b, t],
                    signals, comes, steps, stream,
                )  # fmt: skip
            else:
                memory[b, t + 1] = memory[b, t]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _erase(g: Floats, before: Floats, address: Floats, zs: Floats, cs: Floats, by: Floats) -> None:
    """Through M' = M + k z (c - M) of a plane: g becomes the gradient by M, `by` [k, z, c] those of the three."""
    width = len(zs)
    by[:] = 0
    for i in range(width):
        key, total = address[i], g.dtype.type(0)
        for v in range(width):
            change, up = cs[v] - before[i, v], g[i, v]
            total += up * zs[v] * change
            by[1, v] += up * key * change
            by[2, v] += up * key * zs[v]
            g[i, v] = up * (1 - key * zs[v])
        by[0, i] = total


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _gates_back(
    d: int, g: Floats, before: Floats, kept: Floats, c0: Floats, hears: Floats, routes: Floats, signals: Floats, by: Floats,
    into_g0: Floats, into_hears: Floats, into_routes: Floats, into_c0: Floats, by_reads: Floats, by_signals: Floats, by_held: Floats,
) -> None:  # fmt: skip
    """Through the update, the candidate and the gates of plane d; by[0] stays the gradient by the address."""
    planes, width = c0.shape
    blocks = len(by_reads)
    reads, held = kept[DRAWN * planes : DRAWN * planes + blocks], kept[DRAWN * planes + blocks + d]
    z, zs, r, rs = kept[2 * planes + d], kept[3 * planes + d], kept[4 * planes + d], kept[5 * planes + d]
    c, cs = kept[6 * planes + d], kept[7 * planes + d]
    _erase(g[d], before[d], kept[planes + d], zs, cs, by)
    update, reset = g.dtype.type(0), g.dtype.type(0)
    for v in range(width):
        m = 4 * by[2, v] * c[v] * (1 - c[v])
        by[2, v] = m
        into_c0[d, v] += m
        by_held[v] = m * (1 - rs[v])
        into_g0[1, d, v] = -m * held[v] * r[v] * (1 - r[v])
        into_g0[0, d, v] = by[1, v] * z[v] * (1 - z[v])
        update += into_g0[0, d, v]
        reset += into_g0[1, d, v]
    for j in range(blocks):
        total, strength = g.dtype.type(0), routes[0, d, j]
        for v in range(width):
            total += by[2, v] * reads[j, v]
            by_reads[j, v] += strength * by[2, v]
        into_routes[0, d, j] = total
        into_hears[0, d, j] = update * signals[j]
        into_hears[1, d, j] = reset * signals[j]
        by_signals[j] += update * hears[0, d, j] + reset * hears[1, d, j]
    for j in range(2):
        signal = signals[blocks + 2 * d + j]
        into_hears[0, d, blocks + j] = update * signal
        into_hears[1, d, blocks + j] = reset * signal
    agreement = (update * hears[0, d, blocks] + reset * hears[1, d, blocks]) / width
    energy = 2 * (update * hears[0, d, blocks + 1] + reset * hears[1, d, blocks + 1]) / width
    for v in range(width):
        comes = np.tanh(c0[d, v])
        by_held[v] += agreement * comes + energy * held[v]
        into_c0[d, v] += agreement * held[v] * (1 - comes * comes)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _address_back(
    d: int, g: Floats, before: Floats, kept: Floats, routes: Floats, gain: Any, by: Floats, by_held: Floats, into_k0: Floats,
    into_routes: Floats, by_reads: Floats,
) -> Any:  # fmt: skip
    """Through what the address of plane d held and through the address; returns the gradient by the gain."""
    planes, width = into_k0.shape
    blocks = len(by_reads)
    reads, share, address = kept[DRAWN * planes : DRAWN * planes + blocks], kept[d], kept[planes + d]
    mean = g.dtype.type(0)
    for i in range(width):
        total, key = by[0, i], address[i]
        for v in range(width):
            total += by_held[v] * before[d, i, v]
            g[d, i, v] += key * by_held[v]
        by[0, i] = total
        mean += share[i] * total
    for i in range(width):
        into_k0[d, i] = share[i] * (by[0, i] - mean)
    by_gain = g.dtype.type(0)
    for j in range(blocks):
        total, strength = g.dtype.type(0), gain * routes[1, d, j]
        for i in range(width):
            total += into_k0[d, i] * reads[j, i]
            by_reads[j, i] += strength * into_k0[d, i]
        into_routes[1, d, j] = gain * total
        by_gain += routes[1, d, j] * total
    return by_gain


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _reads_back(g: Floats, before: Floats, key: Floats, reads: Floats, by_reads: Floats, by_signals: Floats, into_key: Floats) -> None:
    """Through the reads."""
    width, planes = key.shape[1], before.shape[0]
    for j in range(len(reads)):
        r, d = j // planes, j % planes
        slope = 2 * by_signals[j] / width
        for v in range(width):
            by_reads[j, v] += slope * reads[j, v]
        for i in range(width):
            total, weight = g.dtype.type(0), key[r, i]
            for v in range(width):
                total += by_reads[j, v] * before[d, i, v]
                g[d, i, v] += weight * by_reads[j, v]
            into_key[r, i] += total


@njit(cache=True, nogil=True)
def backward(
    key: Floats, k0: Floats, hears: Floats, routes: Floats, c0: Floats, gain: Any, present: NDArray[np.bool_], memory: Floats, kept: Floats,
    upstream: Floats, at: NDArray[np.int64], into_key: Floats, into_k0: Floats, into_g0: Floats, into_hears: Floats, into_routes: Floats,
    into_c0: Floats, into_first: Floats, into_gain: Floats, first: int, last: int,
) -> None:  # fmt: skip
    """Gradients of stories from `first` to `last`, written into zeros.   upstream: by the memories asked for, of which `at`
    [story, event + 1] says which row each is, -1 for none.   into_first: by the memory at the start.   into_gain: [story].
    """
    planes, width = c0.shape[2], c0.shape[3]
    blocks = key.shape[2] * planes
    dtype = memory.dtype
    signals, comes = np.empty(blocks + 2 * planes, dtype), np.empty((planes, width), dtype)
    by, by_held = np.empty((3, width), dtype), np.empty(width, dtype)
    by_reads, by_signals = np.empty((blocks, width), dtype), np.empty(blocks, dtype)
    for b in range(first, last):
        g = into_first[b]
        for t in range(present.shape[1], -1, -1):
            if t < present.shape[1] and present[b, t]:
                before, saved = memory[b, t], kept[b, t]
                reads, held = saved[DRAWN * planes : DRAWN * planes + blocks], saved[DRAWN * planes + blocks :]
                for d in range(planes):
                    for v in range(width):
                        comes[d, v] = np.tanh(c0[b, t, d, v])
                _mismatch(reads, held, comes, signals)
                by_reads[:] = 0
                by_signals[:] = 0
                for d in range(planes):
                    _gates_back(
                        d, g, before, saved, c0[b, t], hears[b, t], routes[b, t], signals, by, into_g0[b, t], into_hears[b, t],
                        into_routes[b, t], into_c0[b, t], by_reads, by_signals, by_held,
                    )  # fmt: skip
                    into_gain[b] += _address_back(
                        d, g, before, saved, routes[b, t], gain, by, by_held, into_k0[b, t], into_routes[b, t], by_reads
                    )
                _reads_back(g, before, key[b, t], reads, by_reads, by_signals, into_key[b, t])
            row = at[b, t]
            if row >= 0:
                g += upstream[row]

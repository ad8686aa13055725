"""Random numbers without a state, by splitmix64 (Steele, Lea & Flood 2014; numba): of any place, and the spikes of stochastic cells."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikemem.kernels import CACHE

Floats = NDArray[np.floating[Any]]
PRECISION = 8
"""Bits of a firing probability: a cell fires with the multiple of 1/256 that is nearest to its p."""
STRIDE = np.uint64(0x9E3779B97F4A7C15)
TRAIN = np.uint64(PRECISION * 0x9E3779B97F4A7C15 % 2**64)
"""How far a spike train moves a stream of random numbers on."""


@njit(cache=CACHE, nogil=True)
def mixed(place: np.uint64) -> np.uint64:
    """The 64 random bits at a place in the stream; places lie STRIDE apart."""
    z = (place ^ (place >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=CACHE, nogil=True)
def count(word: np.uint64) -> int:
    """How many bits are set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=CACHE, nogil=True)
def train(p: float, steps: int, place: np.uint64) -> np.uint64:
    """The spike train of a cell that fires with probability p in each of up to 64 steps, a bit a step.

    From the lowest binary digit of p to the highest, a train is OR-ed with a fair one where the digit is 1, AND-ed where it is 0; written
    without branches, which no processor could foresee.
    """
    digits = np.int64(p * (1 << PRECISION) + 0.5)
    always, spikes = np.uint64(-(digits >> PRECISION)), np.uint64(0)
    for _ in range(PRECISION):
        place += STRIDE
        fair, one = mixed(place), np.uint64(-(digits & 1))
        spikes = (spikes & fair) | (one & (spikes | fair))
        digits >>= 1
    return (spikes | always) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - steps))


@njit(cache=CACHE, nogil=True)
def fire(p: Floats, steps: int, seed: int, rates: Floats) -> None:
    """Shares of the steps in which cells fire, each with its probability p, [cell], written into `rates`."""
    start = mixed(np.uint64(seed))
    for i in range(len(p)):
        rates[i] = count(train(p[i], steps, start + np.uint64(i) * TRAIN)) / steps


@njit(cache=CACHE, nogil=True)
def race(p: Floats, steps: int, stream: NDArray[np.uint64], shares: Floats) -> None:
    """Shares of the steps that each cell of one population wins, [cell]; the stream moves on."""
    shares[:] = 0
    last = len(p) - 1
    for _ in range(steps):
        stream[0] += STRIDE
        u = (mixed(stream[0]) >> np.uint64(40)) * (1.0 / 16777216.0)
        i = 0
        while i < last:
            u -= p[i]
            if u < 0:
                break
            i += 1
        shares[i] += 1
    shares /= steps  # counted first, so that no share exceeds 1


@njit(cache=CACHE, nogil=True)
def win(p: Floats, steps: int, seed: int, shares: Floats) -> None:
    """Shares of the steps that each cell of a winner-take-all population wins, with probability p, [population, cell]."""
    stream = np.array([mixed(np.uint64(seed))], np.uint64)
    for i in range(len(p)):
        race(p[i], steps, stream, shares[i])


@njit(cache=CACHE, nogil=True)
def uniform(seed: int, query: int, cycle: int, cell: int) -> float:
    """A uniform number in (0, 1) for these four, so that any cell's noise is at hand."""
    z = np.uint64(seed)
    for part in (query, cycle, cell):
        z = mixed(z + np.uint64(part) * np.uint64(0xD1342543DE82EF95) + STRIDE)
    return (float(z >> np.uint64(12)) + 0.5) * 2.0**-52


@njit(cache=CACHE, nogil=True)
def uniforms(seed: int, query: int, cycles: NDArray[np.int64]) -> NDArray[np.float64]:
    """A uniform number for each cell, each of a cycle of its own, [cell] (`uniform`)."""
    made = np.empty(len(cycles))
    for cell in range(len(cycles)):
        made[cell] = uniform(seed, query, cycles[cell], cell)
    return made

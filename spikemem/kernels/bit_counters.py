"""Vertical counters (numba): how many of some rows of bits have each bit set, counted for all bits of a word at once.

Bit b of plane j is bit j of the count of column b. Seven rows are added up by four full adders (carry-save addition: Harley and Seal, in
Warren, *Hacker's Delight*, chapter 5; not read again) and then added to the counters; each loop is vectorised.
"""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.types import I64, U64

TOGETHER = 7
"""Rows that full adders add up."""


@njit(cache=CACHE)
def planes_for(rows: int) -> int:
    """How many planes the counts of so many rows need, 3 at the least."""
    planes = 3
    while rows >> planes:
        planes += 1
    return planes


@njit(cache=CACHE)
def _carry(planes: U64, carry: U64, first: int) -> None:
    """Add a bit of each column to the counters, from plane `first` on."""
    for j in range(first, len(planes)):
        plane = planes[j]
        for w in range(len(carry)):
            q = plane[w]
            plane[w] = q ^ carry[w]
            carry[w] &= q


@njit(cache=CACHE)
def count_rows(bits: U64, rows: I64, planes: U64) -> None:
    """Add rows of bits, [row, word], to counters, [plane, word], which have room for the sums."""
    carry, n = np.empty(bits.shape[1], np.uint64), len(rows) // TOGETHER * TOGETHER
    ones, twos, fours = planes[0], planes[1], planes[2]
    for i in range(0, n, TOGETHER):
        a, b, c, d = bits[rows[i]], bits[rows[i + 1]], bits[rows[i + 2]], bits[rows[i + 3]]
        e, f, g = bits[rows[i + 4]], bits[rows[i + 5]], bits[rows[i + 6]]
        for w in range(len(carry)):
            either = a[w] ^ b[w]
            one, two = either ^ c[w], (a[w] & b[w]) | (either & c[w])
            either = d[w] ^ e[w]
            one_more, two_more = either ^ f[w], (d[w] & e[w]) | (either & f[w])
            either = one ^ one_more
            two_again = (one & one_more) | (either & g[w])
            one = either ^ g[w]
            either = two ^ two_more
            four = (two & two_more) | (either & two_again)
            two = either ^ two_again
            up = ones[w] & one
            ones[w] ^= one
            either = twos[w] ^ two
            higher = (twos[w] & two) | (either & up)
            twos[w] = either ^ up
            either = fours[w] ^ four
            carry[w] = (fours[w] & four) | (either & higher)
            fours[w] = either ^ higher
        _carry(planes, carry, 3)
    for i in range(n, len(rows)):
        carry[:] = bits[rows[i]]
        _carry(planes, carry, 0)

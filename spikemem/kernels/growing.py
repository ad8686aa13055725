"""Arrays and lists that grow at their ends, so that adding to them costs as much as what is added (numba).

`GrowingArray` keeps room to spare behind its rows. `GrowingLists` are many lists in one pool: each has a stretch of it, of 4, 6, 8, 12,
16, 24, ... rows, and moves to a longer one where it is full; a stretch that is left is taken by the next list that needs one as long.
"""

from typing import Any, Generic, TypeVar

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

from spikemem.kernels import CACHE
from spikemem.kernels.types import I32, I64

Number = TypeVar("Number", bound=np.generic)
LEAST = 4
"""Rows of the shortest stretch."""
LENGTHS = 60
"""How many lengths there are."""
LOOSE = 2.5
"""How many times as long as its lists a pool may be, besides what it grows by."""


class GrowingArray(Generic[Number]):
    """An array that grows at its end.   rows: what it holds, a view into a buffer.

    >>> array = GrowingArray[np.int64](np.int64)
    >>> array.extend(np.array([3, 4]))
    >>> array.extend(np.array([5]))
    >>> array.rows.tolist()
    [3, 4, 5]
    """

    def __init__(self, dtype: DTypeLike, *shape: int) -> None:
        """Without rows.   shape: of a row."""
        self._size, self._buffer = 0, np.zeros((0, *shape), dtype)

    @property
    def rows(self) -> NDArray[Number]:
        return self._buffer[: self._size]

    def extend(self, rows: NDArray[Any]) -> None:
        """Add rows at the end."""
        size = self._size + len(rows)
        if size > len(self._buffer):
            grown = np.zeros((max(size, 2 * self._size, 64), *self._buffer.shape[1:]), self._buffer.dtype)
            grown[: self._size] = self.rows
            self._buffer = grown
        self._buffer[self._size : size] = rows
        self._size = size

    def __len__(self) -> int:
        return self._size


@njit(cache=CACHE)
def _length(rows: int) -> int:
    """The number of the shortest length of a stretch that has so many rows: 0, 1, 2, ... for 4, 6, 8, 12, 16, 24, ..."""
    length = 0
    while _rows(length) < rows:
        length += 1
    return length


@njit(cache=CACHE)
def _rows(length: int) -> int:
    return (LEAST if length % 2 == 0 else LEAST + LEAST // 2) << (length // 2)


@njit(cache=CACHE)
def _packed(which: I64, start: I64, size: I64, room: I64, left: I64, pool: I32) -> tuple[I32, int]:
    """The same lists in a pool of their own, each with room for the rows that it will get; how many rows of the pool are in use."""
    needed, used = size.copy(), 0
    for w in which:
        needed[w] += 1
    for w in range(len(size)):
        if needed[w]:
            used += _rows(_length(needed[w]))
    packed, at = np.empty((used, pool.shape[1]), np.int32), 0
    left[:] = -1
    for w in range(len(size)):
        if needed[w]:
            packed[at : at + size[w]] = pool[start[w] : start[w] + size[w]]
            start[w], room[w] = at, _rows(_length(needed[w]))
            at += room[w]
    return packed, used


@njit(cache=CACHE)
def _extend(which: I64, rows: I32, start: I64, size: I64, room: I64, left: I64, pool: I32, used: int) -> tuple[I32, int]:
    """Add each row to its list, in order; returns the pool, and how many of its rows are in use.

    start, size, room: where each list begins, its rows, and those of its stretch, [list].   left: the first stretch of each length that
    was left, -1 for none; the first number in it is the next such stretch.
    """
    for i in range(len(which)):
        w = which[i]
        if size[w] == room[w]:
            length = _length(room[w] + 1)
            longer, at = _rows(length), left[length]
            if at >= 0:
                left[length] = pool[at, 0]
            else:
                at = used
                used += longer
                if used > len(pool):
                    grown = np.empty((max(used, len(pool) + len(pool) // 4), pool.shape[1]), np.int32)
                    grown[: len(pool)] = pool
                    pool = grown
            pool[at : at + size[w]] = pool[start[w] : start[w] + size[w]]
            if room[w]:
                pool[start[w], 0] = left[length - 1]
                left[length - 1] = start[w]
            start[w], room[w] = at, longer
        pool[start[w] + size[w]] = rows[i]
        size[w] += 1
    return pool, used


class GrowingLists:
    """Lists of rows of whole numbers, int32, to which rows are added.

    start, size: where each list begins in the pool, and how many rows it has, [list].   pool: [row, column].

    >>> lists = GrowingLists(3, width=1)
    >>> lists.extend(np.array([2, 0, 2]), np.array([[7], [8], [9]], np.int32))
    >>> lists.pool[lists.start[2] :][: lists.size[2], 0].tolist()
    [7, 9]
    """

    def __init__(self, lists: int, width: int) -> None:
        self.start, self.size, self._room = (np.zeros(lists, np.int64) for _ in range(3))
        self._left, self._used, self._rows = np.full(LENGTHS, -1), 0, 0
        self.pool = np.zeros((0, width), np.int32)

    def extend(self, which: NDArray[np.int64], rows: I32) -> None:
        """Add rows, [n, width], each to the list of its number, [n]; where they are many, or much lies idle, the pool is packed anew."""
        state = self.start, self.size, self._room, self._left
        self._rows += len(which)
        if 2 * len(which) > self._used or self._used > LOOSE * self._rows:
            self.pool, self._used = _packed(which, *state, self.pool)
        self.pool, self._used = _extend(which, rows, *state, self.pool, self._used)

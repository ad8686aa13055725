"""Sets of cells, and what two of them share beside chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, Checks
from spikemem.errors import DataError

check = Checks(DataError)
LIMITS = 0.025, 0.975
"""Quantiles of an interval that holds 95 %."""
TIE = 1e-12
"""By how much two equal values may differ for having been summed in another order: a shuffle that comes so near is counted as reaching."""


def members(engrams: ArrayLike, cells: int | None = None, name: str = "engrams") -> NDArray[np.bool_]:
    """Sets of cells as bool, [memory, cell].

    engrams: bool, [memory, cell] or [cell], or the cells' indices, [memory, k], as `Hippocampus.engrams` gives them.
    cells: how many cells there are, where indices are given.

    >>> members([[0, 2], [1, 2]], cells=4).astype(int).tolist()
    [[1, 0, 1, 0], [0, 1, 1, 0]]
    """
    given = check.array(engrams, name, "biu")
    given = given[None] if given.ndim == 1 else given
    if given.ndim != 2 or not given.size:
        raise DataError(f"{name}: shape {given.shape}; give [memory, cell] as bool, or the cells' indices, [memory, k]")
    if given.dtype.kind == "b":
        return given
    size = check.integer(cells, "cells", least=1, most=INDEX, mend="how many cells there are, since indices do not tell")
    check.room(len(given) * size, "the sets of all memories", "give fewer memories")
    made, index = np.zeros((len(given), size), bool), check.indices(given, name, size, shape=(None, None))
    np.put_along_axis(made, index, True, axis=1)
    if twice := np.flatnonzero(made.sum(1) < index.shape[1]).tolist():
        raise DataError(f"{name}: row {twice[0]} has a cell twice; give each once, or a matrix of 0 and 1 as bool, `array.astype(bool)`")
    return made


class Overlap(NamedTuple):
    """What sets of cells share.

    shared: cells that both have, [memory, other].   expected: by chance.   low, high: what 95 % of chance draws lie between.
    p: how likely at least so many are by chance.   size, cells: of each set, [memory], and of the population.
    """

    shared: NDArray[np.int64]
    expected: NDArray[np.float64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    p: NDArray[np.float64]
    size: NDArray[np.int64]
    cells: int

    @property
    def share(self) -> NDArray[np.float64]:
        """Of the cells of each set the share that the other has, too, [memory, other]."""
        return self.shared / np.maximum(self.size, 1)[:, None]


def overlap(engrams: ArrayLike, others: ArrayLike | None = None, cells: int | None = None) -> Overlap:
    """How many cells each two engrams share, beside chance: [memory, other], cells.

        n = |A and B|,   expected |A| |B| / N,   n ~ Hypergeometric(N, |A|, |B|) by chance         Cai et al. 2016

    engrams, others: as `members` takes them; others are the engrams themselves by default.

    >>> found = overlap([[0, 1, 2], [2, 3, 4]], cells=9)
    >>> found.shared.tolist(), found.expected[0, 1].item(), round(found.p[0, 1].item(), 4)
    ([[3, 1], [1, 3]], 1.0, 0.7619)
    """
    from scipy.stats import hypergeom

    a = members(engrams, cells)
    b = a if others is None else members(others, cells, "others")
    if a.shape[1] != b.shape[1]:
        raise DataError(f"engrams have {a.shape[1]} cells and others {b.shape[1]}; give sets of one population")
    check.room(len(a) * len(b), "the overlaps of all pairs", "give fewer engrams")
    shared = np.rint(a.astype(np.float32) @ b.T.astype(np.float32)).astype(np.int64)
    size, other, n = a.sum(1), b.sum(1), a.shape[1]
    expected = size[:, None] * other / n
    (one, at), (two, to) = np.unique(size, return_inverse=True), np.unique(other, return_inverse=True)
    low, high = (hypergeom.ppf(q, n, one[:, None], two).astype(np.int64)[at[:, None], to] for q in LIMITS)
    return Overlap(shared, expected, low, high, hypergeom.sf(shared - 1, n, size[:, None], other), size, n)


def likeness(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The cosine of two sets of cells, |A and B| / sqrt(|A| |B|), over the last axis; NaN where one is empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a & b).sum(-1) / np.sqrt(a.sum(-1) * b.sum(-1))


def mean_and_error(values: NDArray[np.float64], axis: int = -1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard error over an axis, without NaN; NaN where there are none, and of the error where there is one."""
    there = ~np.isnan(values)
    n = there.sum(axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, values, 0.0).sum(axis) / n
        spread = np.where(there, values - np.expand_dims(mean, axis), 0.0)
        return mean, np.sqrt((spread**2).sum(axis) / (n - 1) / n)

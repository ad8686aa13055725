"""Tagged cells: which cells fired at an event, how many of them fire again, and how selective that is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import check, mean_and_error, members
from spikemem.errors import DataError
from spikemem.instruments.spikes import Trains

ENGRAM_RATE = 10.0
"""Hz; a cell of at least this mean rate during the stimulus is an engram cell (Tome et al. 2024: EXC_MIN_RATE)."""
RULES = ("rate", "z", "top")


def engram_cells(trains: Trains, rule: str = "rate", threshold: float = ENGRAM_RATE) -> NDArray[np.bool_]:
    """The cells that a time tags, such as that of a stimulus (`Recording.trains(population, start, stop)`): bool, [batch, cell].

        rate    r >= threshold, Hz                                                 Tome et al. 2024 (10 Hz)
        z       (r - mean(r)) / sd(r) >= threshold, over the cells of an item      Liu et al. 2012 tag by an activity threshold
        top     the share `threshold` of the cells, 0 to 1, that fired most, of equals the first; none that was silent

    >>> from spikemem.instruments import Spikes
    >>> trains = Trains(Spikes([5, 15, 25], [0, 0, 0], [2, 2, 0], size=4), dt=1.0, steps=100)
    >>> engram_cells(trains, "rate", 20.0).astype(int).tolist(), engram_cells(trains, "top", 0.5).astype(int).tolist()
    ([[0, 0, 1, 0]], [[1, 0, 1, 0]])
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca3")')
    rule, threshold = check.choice(rule, "rule", RULES), check.finite(threshold, "threshold")
    rate = trains.spikes.counts(trains.batches) * (1000.0 / trains.duration)
    if rule == "rate":
        return rate >= threshold
    if rule == "z":
        with np.errstate(invalid="ignore"):
            return (rate - rate.mean(1, keepdims=True)) / rate.std(1, keepdims=True) >= threshold
    k = round(check.finite(threshold, "threshold, a share,", least=0, most=1) * rate.shape[1])
    tagged = np.zeros(rate.shape, bool)
    np.put_along_axis(tagged, np.argsort(-rate, axis=1, kind="stable")[:, :k], True, axis=1)
    return tagged & (rate > 0)


class Reactivation(NamedTuple):
    """How many tagged cells fire again.

    of_tagged: the share of the tagged cells that were active, [memory].   of_active: of the active cells that were tagged, [memory].
    chance: that of all cells that were active, [memory].   lift: of_tagged / chance.   p: of at least so many by chance.
    """

    of_tagged: NDArray[np.float64]
    of_active: NDArray[np.float64]
    chance: NDArray[np.float64]
    lift: NDArray[np.float64]
    p: NDArray[np.float64]


def reactivation(active: ArrayLike, tagged: ArrayLike, cells: int | None = None) -> Reactivation:
    """How many of the cells that were tagged at an event are active at another: shares, [memory].

        of_tagged = |A and T| / |T|,   of_active = |A and T| / |A|,   lift = of_tagged / (|A| / N)         Tome et al. 2024; Liu et al. 2012

    In c-Fos counts these are the share of EGFP+ cells that are c-Fos+, and the reverse.
    active, tagged: sets as `members` takes them, one a row, or one for all.   p is hypergeometric; NaN where a set is empty.

    >>> found = reactivation([[1, 1, 1, 0, 0, 0, 0, 0]] == np.array(1), [[1, 1, 0, 1, 0, 0, 0, 0]] == np.array(1))
    >>> found.of_tagged.round(3).tolist(), found.chance.tolist(), found.lift.round(3).tolist()
    ([0.667], [0.375], [1.778])
    """
    from scipy.stats import hypergeom

    a, t = members(active, cells, "active"), members(tagged, cells, "tagged")
    if a.shape[1] != t.shape[1] or 1 not in (len(a), len(t), len(a) // len(t) * (len(a) == len(t))):
        raise DataError(f"active is {a.shape} and tagged {t.shape}; give sets of one population, as many of each, or one of one")
    both, n = (a & t).sum(1), a.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        of_tagged, of_active, chance = both / t.sum(1), both / a.sum(1), a.sum(1) / n + np.zeros(len(both))
        return Reactivation(of_tagged, of_active, chance, of_tagged / chance, hypergeom.sf(both - 1, n, t.sum(1), a.sum(1)))


class Selectivity(NamedTuple):
    """A discrimination index.   values: the index, -1 to 1, [..., animal].   mean, sem: over animals, [...]."""

    values: NDArray[np.float64]
    mean: NDArray[np.float64]
    sem: NDArray[np.float64]


def selectivity(training: ArrayLike, novel: ArrayLike) -> Selectivity:
    """How much more a memory answers in its own context than in a novel one: -1 to 1, no unit.

        d = (a - b) / (a + b)         the discrimination index of Tome et al. 2024

    It is 0 where both are answered alike, and 1 where only the own context is; NaN where neither is.
    training, novel: answers (freezing, reactivated cells, rates), >= 0, [..., animal], such as [time, animal].

    >>> selectivity([[56.0, 44.0]], [[14.0, 11.0]]).mean.tolist()
    [0.6]
    """
    a, b = check.floats(training, "training"), check.floats(novel, "novel")
    if a.shape != b.shape or not a.ndim:
        raise DataError(f"training has shape {a.shape} and novel {b.shape}; give both of the same, [..., animal]")
    if (a < 0).any() or (b < 0).any():
        raise DataError("an answer is below 0; give rates, shares or times, of which the index is between -1 and 1")
    with np.errstate(invalid="ignore"):
        values = (a - b) / (a + b)
    return Selectivity(values, *mean_and_error(values))

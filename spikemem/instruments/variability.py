"""How irregular cells fire: intervals between spikes, their variation, and that of counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import StimulusError
from spikemem.instruments.spikes import Trains, check


class Intervals(NamedTuple):
    """Inter-spike intervals, sorted by batch item, then cell, then time.   batch, cell: whose, [interval].   interval: ms, [interval]."""

    batch: NDArray[np.int64]
    cell: NDArray[np.int64]
    interval: NDArray[np.float64]


def isi(trains: Trains) -> Intervals:
    """The times between each two spikes of a cell that follow one another: ms.

        I_k = t_{k+1} - t_k         Elephant's `isi`

    >>> from spikemem.instruments import Spikes
    >>> isi(Trains(Spikes([0, 5, 20], [0, 0, 0], [1, 1, 1], size=2), dt=1.0, steps=100)).interval.tolist()
    [5.0, 15.0]
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    step, batch, cell = (np.asarray(part, np.int64) for part in (trains.spikes.step, trains.spikes.batch, trains.spikes.cell))
    order = np.lexsort((step, cell, batch))
    step, batch, cell = step[order], batch[order], cell[order]
    same = (batch[1:] == batch[:-1]) & (cell[1:] == cell[:-1])
    return Intervals(batch[1:][same], cell[1:][same], np.diff(step)[same] * trains.dt)


def cv(trains: Trains) -> NDArray[np.float64]:
    """Coefficient of variation of each cell's intervals: [batch, cell], no unit; NaN where there are fewer than two intervals.

    CV = sd(I) / mean(I)         0 of a clock, 1 of a Poisson process, 1 / sqrt(k) of a gamma process of order k; Elephant's `cv`
    """
    found = isi(trains)
    cell, cells = _numbered(found, trains)
    mean = _means(cell, found.interval, cells, 2)
    square = _means(cell, (found.interval - mean[cell]) ** 2, cells, 2)
    return (np.sqrt(square) / mean).reshape(trains.batches, trains.spikes.size)


def cv2(trains: Trains) -> NDArray[np.float64]:
    """Local variation of each cell's intervals: [batch, cell], no unit; NaN where there are fewer than two intervals.

        CV2 = mean of 2 |I_{k+1} - I_k| / (I_{k+1} + I_k)         Holt, Softky, Koch & Douglas 1996; Elephant's `cv2`

    It is 0 of a clock and 1 of a Poisson process, as CV, and a rate that changes slowly leaves it as it is.
    """
    found = isi(trains)
    cell, cells = _numbered(found, trains)
    pairs = cell[1:] == cell[:-1]
    first, second = found.interval[:-1][pairs], found.interval[1:][pairs]
    return _means(cell[1:][pairs], 2 * np.abs(second - first) / (second + first), cells, 1).reshape(trains.batches, trains.spikes.size)


def fano(trains: Trains, window: float | None = None) -> NDArray[np.float64]:
    """Fano factor of each cell's spike counts: [cell], no unit; NaN where a cell is silent.

        F = var(n) / mean(n)         Fano 1947; 1 of a Poisson process, 0 of a clock; Elephant's `fanofactor`

    The counts n are those of all windows of all batch items: batch items are trials.
    window: ms, whole steps; None takes the whole time as one, so that the trials alone vary.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    counts = trains.binned(trains.duration if window is None else window)
    if counts.shape[0] * counts.shape[2] < 2:
        raise StimulusError(
            "one window of one batch item is one count, which does not vary; give a shorter window, ms, or more batch items"
        )
    with np.errstate(invalid="ignore"):
        return counts.var(axis=(0, 2)) / counts.mean(axis=(0, 2))


def _numbered(found: Intervals, trains: Trains) -> tuple[NDArray[np.int64], int]:
    """Each interval's cell, numbered through all batch items, and how many cells these have."""
    cells = trains.batches * trains.spikes.size
    check.room(cells, "the cells of all batch items", "take fewer batch items")
    return found.batch * trains.spikes.size + found.cell, cells


def _means(cell: NDArray[np.int64], values: NDArray[np.float64], cells: int, least: int) -> NDArray[np.float64]:
    """The mean of each cell's values, [cell]; NaN where it has fewer than `least`."""
    counts = np.bincount(cell, minlength=cells)
    sums = np.bincount(cell, values, minlength=cells)
    return np.where(counts >= least, sums / np.maximum(counts, 1), np.nan)

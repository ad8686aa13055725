"""Replay: bursts of a population in which cells fire in the order of their places, compressed in time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import TIE, check
from spikemem.errors import DataError
from spikemem.instruments.spikes import Trains


def bursts_of(
    trains: Trains,
    *,
    smooth: float = 15.0,
    threshold: float = 3.0,
    least: float = 50.0,
    most: float = 500.0,
    cells: int = 5,
    batch: int = 0,
) -> NDArray[np.float64]:
    """Population bursts, in which replay is looked for: start and stop, ms of the run, [event, 2].

        A smoothed by a Gaussian;   burst: max A >= mean + threshold sd, from where A rises above its mean to where it falls below

    A is the population's rate in steps (Davidson, Kloosterman & Wilson 2009).   smooth: sd of the Gaussian, ms.   threshold: in sd.
    least, most: duration, ms.   cells: that must fire.
    """
    from scipy.ndimage import gaussian_filter1d

    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca3")')
    batch, cells = check.integer(batch, "batch", least=0, most=trains.batches - 1), check.integer(cells, "cells", least=1)
    smooth, threshold = check.finite(smooth, "smooth", above=0, unit=" ms"), check.finite(threshold, "threshold")
    least, most = check.finite(least, "least", least=0, unit=" ms"), check.number(most, "most", above=0, unit=" ms")
    rate = gaussian_filter1d(trains.activity(trains.dt)[batch], smooth / trains.dt)
    above = np.diff(np.concatenate([[0], (rate > rate.mean()).astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(above == 1), np.flatnonzero(above == -1)
    if not len(starts):
        return np.zeros((0, 2))
    highest = np.array([rate[start:stop].max() for start, stop in zip(starts, stops, strict=True)])
    duration = (stops - starts) * trains.dt
    kept = (highest >= rate.mean() + threshold * rate.std()) & (duration >= least) & (duration <= most)
    found = [
        (start, stop)
        for start, stop in zip(starts[kept].tolist(), stops[kept].tolist(), strict=True)
        if len(np.unique(trains.spikes.between(start, stop, batch).cell)) >= cells
    ]
    return (np.array(found, np.float64).reshape(-1, 2) + trains.start) * trains.dt


class Replay(NamedTuple):
    """Candidate events, and how well each replays an order of cells.

    start, stop: ms of the run, [event].   cells: that fired and have a place, [event].   r: rank-order correlation, [event]; above 0
    forward, below 0 in reverse.   p: of at least so large an |r| where the cells' places are permuted, [event].
    shuffled: |r| of the permuted, [event, shuffle].   velocity: of the replayed place, units of place a second, [event].
    compression: |velocity| over the animal's own speed, [event]; NaN where no speed was given.
    """

    start: NDArray[np.float64]
    stop: NDArray[np.float64]
    cells: NDArray[np.int64]
    r: NDArray[np.float64]
    p: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    velocity: NDArray[np.float64]
    compression: NDArray[np.float64]

    @property
    def significant(self) -> NDArray[np.bool_]:
        """The events with p < .05; one of twenty is by chance."""
        return self.p < 0.05


def replay(
    trains: Trains,
    events: ArrayLike,
    place: ArrayLike,
    speed: float | None = None,
    *,
    least: int = 5,
    shuffles: int = 500,
    batch: int = 0,
    seed: int = 0,
) -> Replay:
    """Whether cells fire in events in the order of their places: rank-order correlation, beside permuted places.

        r = Spearman(t_i, x_i),   t_i the first spike of cell i in the event, x_i its place         Lee & Wilson 2002; Foster & Wilson 2006
        compression = |dx / dt| / speed,   dx / dt the slope of x on t by least squares

    events: start and stop, ms of the run, [event, 2], such as `bursts_of` finds.   place: of each cell, as `RateMaps.peak`, or its rank in
    a sequence, [cell]; NaN of a cell without.   speed: of behaviour, units of place a second.   least: cells that an event must have; of
    others r and p are NaN.
    """
    from scipy.stats import rankdata

    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca3")')
    times = check.floats(events, "events", shape=(None, 2))
    where = np.asarray(check.array(place, "place", "fiu", shape=(trains.spikes.size,), finite=False), np.float64)
    batch, least = check.integer(batch, "batch", least=0, most=trains.batches - 1), check.integer(least, "least", least=3)
    shuffles, rng = check.integer(shuffles, "shuffles", least=1, most=100_000), np.random.default_rng(check.seed(seed))
    own = np.nan if speed is None else check.finite(speed, "speed", above=0)
    check.room(len(times) * shuffles, "the shuffles of all events", "give fewer shuffles")
    n = len(times)
    cells, r, p, velocity = np.zeros(n, np.int64), *(np.full(n, np.nan) for _ in range(3))
    shuffled = np.full((n, shuffles), np.nan)
    for event, (start, stop) in enumerate(times / trains.dt - trains.start):
        spikes = trains.spikes.between(round(start), round(stop), batch)
        fired, first = np.unique(spikes.cell, return_index=True)
        with_place = ~np.isnan(where[fired])
        fired, at = fired[with_place], spikes.step[first[with_place]] * trains.dt / 1000.0
        cells[event] = len(fired)
        x = where[fired]
        if len(fired) < least or np.ptp(at) == 0 or np.ptp(x) == 0:
            continue
        order, rank = _unit(rankdata(at)), _unit(rankdata(x))
        r[event] = order @ rank
        shuffled[event] = np.abs(rng.permuted(np.tile(rank, (shuffles, 1)), axis=1) @ order)
        p[event] = (1 + (shuffled[event] >= abs(r[event]) - TIE).sum()) / (1 + shuffles)
        velocity[event] = np.polyfit(at - at.mean(), x, 1)[0]
    return Replay(times[:, 0], times[:, 1], cells, r, p, shuffled, velocity, np.abs(velocity) / own)


def weighted_correlation(posterior: ArrayLike, time: ArrayLike | None = None, place: ArrayLike | None = None) -> float:
    """How straight a decoded path runs: the correlation of time and place, weighted by the posterior: -1 to 1.

        r = cov(t, x; P) / sqrt(cov(t, t; P) cov(x, x; P)),   cov weighted by P(x | t)         Wu & Foster 2014; Davidson et al. 2009

    posterior: [bin, place], as `decode` gives it.   time, place: of the bins and places; their numbers by default. NaN where all is at one.

    >>> weighted_correlation(np.eye(5)), weighted_correlation(np.eye(5)[::-1])
    (1.0, -1.0)
    """
    w = check.floats(posterior, "posterior", shape=(None, None))
    if (w < 0).any() or not w.sum() > 0:
        raise DataError("posterior: give probabilities, 0 or more, some above 0")
    t = np.arange(len(w)) if time is None else check.floats(time, "time", shape=(len(w),))
    x = np.arange(w.shape[1]) if place is None else check.floats(place, "place", shape=(w.shape[1],))
    w = w / w.sum()
    dt, dx = t - (w.sum(1) @ t), x - (w.sum(0) @ x)
    spread = np.sqrt((w.sum(1) @ dt**2) * (w.sum(0) @ dx**2))
    return float(np.round(dt @ w @ dx / spread, 12)) if spread > 0 else float("nan")


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less their mean, of unit length."""
    centred = values - values.mean()
    return centred / np.linalg.norm(centred)

"""How much cells fire: rates of cells, and the peri-stimulus time histogram."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import StimulusError
from spikemem.instruments.spikes import Trains, check


def rates(trains: Trains) -> NDArray[np.float64]:
    """Mean firing rate of each cell: Hz, [batch, cell].

        r = n / T         Elephant's `mean_firing_rate`

    >>> from spikemem.instruments import Spikes
    >>> rates(Trains(Spikes([10, 60], [0, 0], [1, 1], size=2), dt=1.0, steps=100)).tolist()
    [[0.0, 20.0]]
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    return trains.spikes.counts(trains.batches).astype(np.float64) * (1000.0 / trains.duration)


class PSTH(NamedTuple):
    """A peri-stimulus time histogram.

    time: ms from the stimulus at which each bin begins, [bin].   rate: Hz, mean over cells and trials, [bin].   trials: how many.
    """

    time: NDArray[np.float64]
    rate: NDArray[np.float64]
    trials: int


def psth(trains: Trains, bin: float = 5.0, onsets: ArrayLike = (0.0,), before: float = 0.0, after: float | None = None) -> PSTH:
    """The rate around a stimulus, averaged over trials: each batch item with each onset is one.

        r(t) = n(t; t + bin) / (K N bin),   K trials, N cells         Perkel, Gerstein & Moore 1967; Elephant's `time_histogram`

    bin: ms, whole steps.   onsets: of the stimulus, ms of the run, [onset], whole steps.
    before, after: ms of a trial on both sides of its onset, whole bins; `after` None is all that is left after the last onset.
    StimulusError where a trial reaches outside the run.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    width, end = trains.width(bin), trains.start + trains.steps
    given = np.atleast_1d(check.floats(onsets, "onsets, ms"))
    if given.ndim != 1 or not len(given):
        raise StimulusError(f"onsets: shape {given.shape}; give a time in ms, or a list of some")
    first = np.array([trains.whole(onset, "an onset", least=trains.start, most=end - 1) for onset in given.tolist()])
    lead = trains.whole(before, "before", least=0, most=trains.steps)
    left = int(end - first.max())
    lag = left // width * width if after is None else trains.whole(after, "after", least=0, most=trains.steps)
    if lead % width or lag % width or not lead + lag:
        raise StimulusError(
            f"a trial has {lead * trains.dt:g} ms before its onset and {lag * trains.dt:g} after; give whole bins of {bin:g} ms"
        )
    if first.min() - lead < trains.start or lag > left:
        raise StimulusError(
            f"a trial from {lead * trains.dt:g} ms before to {lag * trains.dt:g} ms after its onset reaches outside the run"
        )
    edges = np.arange(-lead, lag + width, width)
    counts = np.zeros(len(edges) - 1, np.int64)
    for onset in first:
        since = trains.spikes.step + (trains.start - onset)
        counts += np.histogram(since[since < lag], edges)[0]  # numpy's last bin holds its end, too
    trials = len(first) * trains.batches
    rate = counts.astype(np.float64) * (1000.0 / (trials * trains.spikes.size * width * trains.dt))
    return PSTH(edges[:-1].astype(np.float64) * trains.dt, rate, trials)

"""How cells fire together: correlation of pairs, synchrony of a population."""

import numpy as np
from numpy.typing import NDArray

from spikemem.instruments.extra import library
from spikemem.instruments.spikes import Trains, check


def correlation(trains: Trains, bin: float = 5.0) -> NDArray[np.float64]:
    """Correlation of the spike counts of each two cells: [batch, cell, cell], no unit; NaN where a count never changes.

        rho_ij = cov(n_i, n_j) / (sd(n_i) sd(n_j)),   n counts in bins         Perkel, Gerstein & Moore 1967

    Elephant's `correlation_coefficient`.   bin: ms, whole steps.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    check.room(trains.batches * trains.spikes.size**2, "the correlations of all pairs", "take a smaller population")
    counts = trains.binned(bin)
    counts = counts - counts.mean(axis=2, keepdims=True)
    covariance = counts @ counts.transpose(0, 2, 1)
    spread = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    with np.errstate(invalid="ignore"):
        return np.clip(covariance / (spread[:, :, None] * spread[:, None, :]), -1.0, 1.0)


def synchrony(trains: Trains, bin: float = 5.0) -> NDArray[np.float64]:
    """Golomb's chi of the spike counts of a population: [batch], no unit; NaN where no count changes.

        chi^2 = var_t(mean_i n_i) / mean_i(var_t(n_i)),   n counts in bins         Golomb & Rinzel 1993; Golomb & Hansel 2000

    It is 1 where all cells fire as one, and 1 / sqrt(N) where N cells of equal rate fire independently of one another.
    bin: ms, whole steps.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    counts = trains.binned(bin)
    with np.errstate(invalid="ignore"):
        return np.sqrt(counts.mean(axis=1).var(axis=1) / counts.var(axis=2).mean(axis=1))


def spike_contrast(trains: Trains) -> NDArray[np.float64]:
    """Spike-contrast: synchrony of a population without a bin to choose, 0 to 1: [batch], no unit; NaN where fewer than two cells spiked.

    The largest product of contrast and activity over bins from 10 ms to half of the time (Ciba, Isomura, Jimbo, Bahmer & Thielemann 2018).
    Elephant computes it; MissingExtraError without the `analysis` extra.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    elephant, neo = library("elephant.spike_train_synchrony"), library("neo")
    found = np.full(trains.batches, np.nan)
    for batch in range(trains.batches):
        spikes = trains.spikes.between(0, trains.steps, batch)
        fired = [spikes.step[spikes.cell == cell] * trains.dt for cell in np.unique(spikes.cell)]
        if len(fired) > 1:
            found[batch] = elephant.spike_contrast([neo.SpikeTrain(times, units="ms", t_stop=trains.duration) for times in fired])
    return found

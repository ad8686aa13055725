"""Spike trains whose statistics are known."""

import numpy as np
from numpy.typing import NDArray

from spikemem.instruments import Spikes, Trains


def trains_of(dense: NDArray[np.bool_], dt: float = 1.0) -> Trains:
    """Trains of a bool array, [time, batch, cell]."""
    step, batch, cell = np.nonzero(dense)
    return Trains(Spikes(step, batch, cell, dense.shape[2]), dt, len(dense), dense.shape[1])


def poisson(rate: float, steps: int, batches: int = 1, cells: int = 1, dt: float = 1.0, seed: int = 0) -> Trains:
    """Independent cells that spike at each step with the same probability.   rate: Hz."""
    return trains_of(np.random.default_rng(seed).random((steps, batches, cells)) < rate * dt / 1000.0, dt)


def renewal(order: float, mean: float, spikes: int, cells: int, dt: float = 0.1, seed: int = 0) -> Trains:
    """Cells whose intervals are gamma distributed.   order: of the gamma process, infinity for a clock.   mean: ms."""
    rng = np.random.default_rng(seed)
    gaps = np.full((spikes, cells), mean) if np.isinf(order) else rng.gamma(order, mean / order, (spikes, cells))
    step = np.unique(np.round(np.cumsum(gaps, axis=0) / dt).astype(int) + 10**7 * np.arange(cells))  # one spike a step
    cell, step = np.divmod(step, 10**7)
    order_ = np.lexsort((cell, step))
    return Trains(Spikes(step[order_], np.zeros(len(step), int), cell[order_], cells), dt, int(step.max()) + 1)

"""Parts of a run, one after the other, as one."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.instruments.spikes import Spikes


def spikes(parts: Iterable[tuple[Spikes, int]]) -> Spikes:
    """The spikes of a population in one or more parts, each given with the steps that its part has."""
    columns, size, before = [], 1, 0
    for part, steps in parts:
        columns.append(np.stack([part.step + before, part.batch, part.cell]))
        size, before = part.size, before + steps
    step, batch, cell = np.concatenate(columns, axis=1)
    return Spikes(step, batch, cell, size)


def snapshots(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Weights over time, [snapshot, batch, pre, post]: each part but the first begins with the last snapshot of the one before."""
    return np.concatenate([part[n > 0 :] for n, part in enumerate(parts)])

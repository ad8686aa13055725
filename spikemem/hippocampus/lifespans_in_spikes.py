"""The step of `lifespans` in spikes: each choice is a race, and what fires in one gamma cycle strengthens its synapses by one.

race    a cell a memory, driven by its likeness, or by the synapses of the memory that fired last; the first k to fire keep all others
        from firing (`KWinners`, a basket cell)
fire    the new and the reminded memories fire together: every synapse between two of them learns by `Coincidence`, N += 1
"""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.lifespans import Fire, Ints, Winners
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.neurons.lif import LIF
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import Dense
from spikemem.simulators.registry import simulate

THRESHOLD = 1.0 - 1e-9
"""That the cell of the largest drive crosses in its first step."""
MOST_COUNT = 2.0**31
"""The bound of a synapse that counts."""
MOST_STEPS = 10_000
"""Of a race: a cell whose drive is a smaller part of the largest does not come to fire."""


def race_in_spikes(simulator: str = "event") -> Winners:
    """A race between perfect integrators, one a memory, in one cycle of feedback inhibition.   simulator: by name, as in `simulate`.

    >>> race_in_spikes()(np.array([1.0, 0.0, 3.0, 3.0]), 3).tolist()
    [2, 3, 0]
    """
    return partial(_race, simulator)


def fire_in_spikes(simulator: str = "event") -> Fire:
    """Synapses between all memories that learn by coincidence: each that has fired at both ends gains one.   simulator: by name."""
    return partial(_fire, simulator)


def _race(simulator: str, drive: NDArray[np.float64], k: int) -> Ints:
    if not (drive > 0).any():
        return np.zeros(0, np.int64)
    current = np.maximum(drive, 0.0) / drive.max()
    steps = min(MOST_STEPS, 1 + math.ceil(1.0 / current[current > 0].min()))
    net = Network(dt=1.0)
    net.add(Population("memory", len(drive), LIF(tau=math.inf, threshold=THRESHOLD), KWinners(cycle=float(steps), k=k)))
    spikes = simulate(net, {"memory": current[None]}, steps, simulator=simulator)["memory"]
    voltage = current[spikes.cell] * (1 + spikes.step)  # of cells that cross in one step the higher one fires first
    return spikes.cell[np.lexsort((spikes.cell, -voltage, spikes.step))].astype(np.int64)


def _fire(simulator: str, together: Ints, fired: Ints) -> Ints:
    n = len(together)
    net, raster = Network(dt=1.0), np.zeros((3, n), bool)
    net.add(Population("memory", n))
    rule = Coincidence(amount=1.0, w_max=MOST_COUNT, dendritic=1.0)
    net.connect("memory", "memory", Dense(together.astype(float)), delay=2.0, plasticity=rule)
    raster[0, fired] = True
    return simulate(net, {"memory": raster}, len(raster), simulator=simulator).weights["memory->memory"][0].astype(np.int64)

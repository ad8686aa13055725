"""A constant current that begins late: synapses from a cell that fires at every step, the bias unit of artificial networks.

`Population.bias` flows from step 0 on. Where a population answers some steps later than elsewhere, as in a network that was read from a
format whose synapses take no time, its bias must begin as much later, and comes from here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.network.graph import Network, Population
from spikemem.network.neurons.lif import LIF
from spikemem.network.synapses import Dense

BIAS = "bias.cell"
"""The name of the population of the one cell that always fires."""
ALWAYS = Population(BIAS, 1, LIF(math.inf, threshold=1.0, reset=0.0), bias=2.0)


def add_bias(net: Network, post: str, bias: NDArray[np.float64], delay: float, receptor: str | None = None) -> None:
    """Add a constant current to a population, from `delay` on: I[t] = bias where t dt >= delay, 0 before.

    bias: [cell].   delay: ms, at least one step.   receptor: which one of the population, where it has several.
    """
    if net.populations.get(BIAS, ALWAYS) != ALWAYS:
        raise NetworkError(f"the population {BIAS!r} is the cell that always fires; give yours another name")
    if BIAS not in net.populations:
        net.add(ALWAYS)
    net.connect(BIAS, post, Dense(np.asarray(bias)[None, :]), delay=delay, receptor=receptor)

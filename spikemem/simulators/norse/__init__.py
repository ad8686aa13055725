"""The simulator "norse": Norse's neurons and STDP in the torch loop."""

from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Simulation


def _run(simulation: Simulation) -> Recording:
    from spikemem.simulators.norse.cells import Norse
    from spikemem.simulators.torch_loop.run import run

    return run(simulation, Norse)


NORSE = Simulator(
    "norse",
    "cells and STDP of Norse, synapses of the torch loop",
    _run,
    ("float64", "float32"),
    ("cpu", TORCH_DEVICES),
    extra='pip install "spikemem[reference]", then pip install --no-deps norse',
    stops=True,
    lacks="neurons other than LIF; parameters that differ from cell to cell; rules other than STDP; STDP's nearest-neighbour pairing, "
    "and STDP with delays per synapse",
)

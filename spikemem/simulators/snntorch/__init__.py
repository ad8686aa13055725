"""The simulator "snntorch": snnTorch's neurons in the torch loop."""

from typing import Any

from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Simulation


def unlisted(cell: Any) -> Any:
    """The same snnTorch cell, taken off the global list on which snnTorch keeps every cell that was ever made."""
    import snntorch

    listed = snntorch.SpikingNeuron.instances
    listed[:] = [other for other in listed if other is not cell]
    return cell


def _run(simulation: Simulation) -> Recording:
    from spikemem.simulators.snntorch.cells import SnnTorch
    from spikemem.simulators.torch_loop.run import run

    return run(simulation, SnnTorch)


SNNTORCH = Simulator(
    "snntorch",
    "cells of snnTorch, synapses and plasticity of the torch loop",
    _run,
    ("float64", "float32"),
    ("cpu", TORCH_DEVICES),
    resumes=True,
    stops=True,
    lacks="neurons other than LIF; parameters that differ from cell to cell; refractoriness; a reset to a value other than 0",
)

"""The simulator "torch": a clock-driven loop over steps, batched in torch, on the CPU or on CUDA."""

from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Simulation


def _run(simulation: Simulation) -> Recording:
    from spikemem.simulators.torch_loop.run import run

    return run(simulation)


TORCH = Simulator(
    "torch",
    "batched loop in torch",
    _run,
    ("float64", "float32"),
    ("cpu", TORCH_DEVICES),
    lacks="neurons of Brian2 text alone",
    resumes=True,
    stops=True,
)

"""The default simulator: event-driven on the CPU. On another device it runs the batched loop of `torch_loop`."""

from spikemem.errors import StimulusError
from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.recording import Recording
from spikemem.simulators.stimulus import Simulation


def _run(simulation: Simulation) -> Recording:
    if simulation.device != "cpu":
        simulation.drive.check_finite()
        from spikemem.simulators.torch_loop import TORCH

        return TORCH.run(simulation)
    if simulation.dtype != "float64":
        raise StimulusError(f'simulator "event" computes in float64 on the CPU; use "torch" for {simulation.dtype}')
    from spikemem.simulators.event.run import run

    return run(simulation)


EVENT = Simulator(
    "event",
    "event-driven, compiled by numba; batched in torch on a GPU",
    _run,
    ("float64", "float32"),
    ("cpu", TORCH_DEVICES),
    lacks="float32 on the CPU; neurons of Brian2 text alone",
    resumes=True,
    stops=True,
    scans=True,
)

"""The simulators, which all run the same network description in the same order of steps (`network.neurons.contract`)."""

from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.recording import Fired, Recording, Spikes, recorded
from spikemem.simulators.registry import SIMULATORS, register, simulate, table
from spikemem.simulators.stimulus import Drive, Simulation, Stimulus

__all__ = [
    "SIMULATORS", "TORCH_DEVICES", "Drive", "Fired", "Recording", "Simulation", "Simulator", "Spikes", "Stimulus", "recorded", "register",
    "simulate", "table",
]  # fmt: skip

"""The simulators, which all run the same network description in the same order of steps (`network.neurons.contract`)."""

from spikemem.instruments.spikes import Spikes
from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.courses import weight_course
from spikemem.simulators.recording import Fired, Recording, WeightCourse, recorded
from spikemem.simulators.registry import SIMULATORS, register, simulate, table
from spikemem.simulators.stimulus import Drive, Simulation, Stimulus

__all__ = [
    "SIMULATORS", "TORCH_DEVICES", "Drive", "Fired", "Recording", "Simulation", "Simulator", "Spikes", "Stimulus", "WeightCourse",
    "recorded", "register", "simulate", "table", "weight_course",
]  # fmt: skip

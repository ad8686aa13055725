"""The simulators, which all run the same network description in the same order of steps (`network.neurons.contract`)."""

from spikemem.instruments.spikes import Spikes
from spikemem.simulators.contract import TORCH_DEVICES, Simulator
from spikemem.simulators.courses import weight_course
from spikemem.simulators.recording import Fired, Recording, WeightCourse, recorded
from spikemem.simulators.registry import SIMULATORS, RunOptions, register, simulate, table
from spikemem.simulators.state import RuleState, RunState
from spikemem.simulators.stimulus import Drive, Simulation, Stimulus
from spikemem.simulators.stopping import Condition, StepView, after_silence, after_spikes

__all__ = [
    "SIMULATORS", "TORCH_DEVICES", "Condition", "Drive", "Fired", "Recording", "RuleState", "RunOptions", "RunState", "Simulation",
    "Simulator", "Spikes", "StepView", "Stimulus", "WeightCourse", "after_silence", "after_spikes", "recorded", "register", "simulate",
    "table", "weight_course",
]  # fmt: skip

"""Simulators of one network description, each after the step contract of `network.neurons`."""

from spikemem.simulators.recording import Recording, Spikes
from spikemem.simulators.registry import simulate
from spikemem.simulators.stimulus import Stimulus

__all__ = ["Recording", "Spikes", "Stimulus", "simulate"]

"""Neuron models: the interface that each implements, and spikemem's own, one file a family."""

from collections.abc import Callable

from spikemem.network.neurons.adex import AdEx
from spikemem.network.neurons.alif import ALIF
from spikemem.network.neurons.contract import Brian2Neuron, CompiledNeuron, CompiledStep, Neuron, whole_steps
from spikemem.network.neurons.hodgkin_huxley import HodgkinHuxley
from spikemem.network.neurons.integrator import LeakyIntegrator
from spikemem.network.neurons.izhikevich import Izhikevich
from spikemem.network.neurons.lif import LIF, LIFState
from spikemem.network.neurons.receptors import Alpha, Exponential, Receptors
from spikemem.network.registry import Registry

__all__ = [
    "ALIF",
    "LIF",
    "NEURONS",
    "AdEx",
    "Alpha",
    "Brian2Neuron",
    "CompiledNeuron",
    "CompiledStep",
    "Exponential",
    "HodgkinHuxley",
    "Izhikevich",
    "LIFState",
    "LeakyIntegrator",
    "Neuron",
    "Receptors",
    "whole_steps",
]

_OWN: dict[str, Callable[..., Neuron]] = {
    "LIF": LIF, "IF_curr_exp": LIF.if_curr_exp, "ALIF": ALIF, "AdEx": AdEx, "Izhikevich": Izhikevich, "LeakyIntegrator": LeakyIntegrator,
    "HodgkinHuxley": HodgkinHuxley,
}  # fmt: skip
NEURONS: Registry[Callable[..., Neuron]] = Registry("neuron", "spikemem.neurons", _OWN)
"""The neuron models that a model file may name as `model`: constructors, called with the file's keys, and with the network's dt where they
take one."""

"""Neuron models: the interface that each implements, and spikemem's own, one file a family."""

from collections.abc import Callable

from spikemem.network.neurons.contract import Brian2Neuron, CompiledNeuron, Neuron, whole_steps
from spikemem.network.neurons.lif import LIF, LIFState
from spikemem.network.registry import Registry

__all__ = ["LIF", "NEURONS", "Brian2Neuron", "CompiledNeuron", "LIFState", "Neuron", "whole_steps"]

NEURONS: Registry[Callable[..., Neuron]] = Registry("neuron", "spikemem.neurons", {"LIF": LIF, "IF_curr_exp": LIF.if_curr_exp})
"""The neuron models that a model file may name as `model`: constructors, called with the file's keys, and with the network's dt where they
take one."""

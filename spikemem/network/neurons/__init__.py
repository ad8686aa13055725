"""Neurons: the contract that each fulfils, and those that spikemem brings, one file a family."""

from collections.abc import Callable

from spikemem.network.neurons.contract import Brian2Neuron, CompiledNeuron, Neuron, number, whole_steps
from spikemem.network.neurons.lif import LIF, LIFState
from spikemem.network.registry import Registry

__all__ = ["LIF", "NEURONS", "Brian2Neuron", "CompiledNeuron", "LIFState", "Neuron", "number", "whole_steps"]

NEURONS: Registry[Callable[..., Neuron]] = Registry("neuron", "spikemem.neurons", {"LIF": LIF, "IF_curr_exp": LIF.if_curr_exp})
"""What a model file may name as the `model` of a neuron: what makes one of the file's keys, and of the network's dt if it asks."""

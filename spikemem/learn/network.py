"""Layers that learned as a network, for every simulator and for NIR."""

from typing import Any

import numpy as np
from torch import nn

from spikemem._checks import Checks
from spikemem.errors import NetworkError, UnsupportedError
from spikemem.learn.delays import DelayedLinear
from spikemem.learn.layers import SpikingLayer
from spikemem.network.bias import add_bias
from spikemem.network.graph import Network, Population
from spikemem.network.neurons.lif import LIF
from spikemem.network.synapses import Dense

check = Checks(NetworkError)
Weights = nn.Linear | DelayedLinear


def to_network(layers: Any) -> Network:
    """The network of trained layers: a population for each `SpikingLayer`, and an all-to-all projection for each linear layer.

    Population "layer2" is the second spiking layer, and gives its spikes 2 steps later, one for each projection on the way; biases begin as
    much later. A `DelayedLinear` gives each synapse its delay, and that step, once `layer.settle()` has made each one delay.
    A layer rounds to its dtype, and adds in another order: where V stands within rounding of theta, spikes may differ.

    layers: an `nn.Sequential` or a list. Where it begins with a linear layer there is a population "input", for a stimulus of spikes
    (bool); where it begins with a `SpikingLayer`, a stimulus of "layer1" is its external current, and all spikes are a step sooner.

    Raises UnsupportedError for any other layer or order of layers, for delays that are spread over several steps, and for a `start` from
    which a cell would fire before its input comes.

    >>> import torch
    >>> to_network(nn.Sequential(nn.Linear(3, 2), SpikingLayer(2), nn.Linear(2, 4), SpikingLayer(4)))
    Network(dt=1.0 ms: input 3, layer1 2, layer2 4, bias.cell 1; 20 synapses)
    """
    given = [*layers] if isinstance(layers, nn.Sequential) else layers
    stages = _stages(check.instances(given, "layers", nn.Module, "give an nn.Sequential, or a list of layers"))
    first, dt = stages[0][0], stages[0][1].dt
    net, pre = Network(dt), ""
    if first is not None:
        pre = net.add(Population("input", first.weight.shape[1])).name
    for number, (weights, layer) in enumerate(stages, 1):
        if layer.dt != dt:
            raise UnsupportedError(f"layers of {dt} and of {layer.dt} ms a step are no one network")
        name = net.add(_population(f"layer{number}", layer, number - (first is None))).name
        if weights is not None:
            net.connect(pre, name, _synapses(weights, dt))
        pre = name
    for number, (weights, _) in enumerate(stages, 1):
        if isinstance(weights, nn.Linear) and weights.bias is not None:
            add_bias(net, f"layer{number}", _array(weights.bias), (number - (first is None)) * dt)
    return net


def _synapses(layer: Weights, dt: float) -> Dense:
    """The synapses of a linear layer, whose spikes take a step, and the delay of the layer."""
    if isinstance(layer, nn.Linear):
        return Dense(_array(layer.weight).T)
    if layer.dt != dt:
        raise UnsupportedError(f"delays in steps of {layer.dt} ms and cells in steps of {dt} ms are no one network")
    return Dense(_array(layer.weight).T, (1 + layer.delay_steps().cpu().numpy().T) * dt)


def _stages(layers: list[nn.Module]) -> list[tuple[Weights | None, SpikingLayer]]:
    """The spiking layers, each with the weights before it; only the first may have none."""
    stages: list[tuple[Weights | None, SpikingLayer]] = []
    weights: Weights | None = None
    for place, layer in enumerate(layers):
        if isinstance(layer, Weights) and weights is None:
            weights = layer
        elif type(layer) is SpikingLayer and (weights is not None or not stages):
            stages.append((weights, layer))
            weights = None
        else:
            raise UnsupportedError(
                f"layer {place} is {type(layer).__name__}; a network is made of nn.Linear or DelayedLinear, and SpikingLayer, in turns"
            )
    if weights is not None or not stages:
        raise UnsupportedError("a network ends with a SpikingLayer; leave out what follows the last one")
    return stages


def _population(name: str, layer: SpikingLayer, lag: int) -> Population:
    """The cells of a layer, whose V is `start` after so many steps without input."""
    theta, beta, start = _array(layer.threshold), _array(layer.beta), _array(layer.start)
    start = np.where(start > theta, start - theta / beta, start)  # the first step of a layer resets such a cell
    begun = start / beta**lag
    if lag and (begun * beta > theta).any():
        raise UnsupportedError(f"cells of {name!r} would fire before their input comes; give the layer a start of 0")
    return Population(name, layer.cells, LIF(_array(layer.tau), theta), voltage=begun if begun.any() else None)


def _array(tensor: Any) -> Any:
    return tensor.detach().cpu().double().numpy()

"""The neurons and the plasticity of the torch loop; simulators of other torch libraries replace them by theirs."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor

from spikemem.errors import UnsupportedError
from spikemem.network.graph import Population, Projection
from spikemem.network.neurons.lif import LIF
from spikemem.network.plasticity.contract import PlasticityRule

Step = Callable[[Tensor, Any], Any]
"""A function from the current I[t], [batch, cell], and the state of step t - 1 to the state of step t."""


class Learner(Protocol):
    """Plastic all-to-all synapses of a projection: their weights, [batch, pre, post], and one step of learning."""

    @property
    def weights(self) -> Tensor: ...

    def learn(self, pre: Tensor, post: Tensor) -> None:
        """One step on the spikes that the synapses see, bool, [batch, pre] and [batch, post]."""

    def rewarded(self, spikes: Tensor) -> None:
        """Take the spikes of the reward population, behind the step.   spikes: how many, [batch, 1]."""


class Cells:
    """How the loop steps neurons and plastic synapses: by the `step` of spikemem's own models. A subclass uses another library's."""

    def __init__(self, dt: float, dtype: torch.dtype, device: torch.device) -> None:
        self.dt, self.dtype, self.device = dt, dtype, device

    def step(self, population: Population) -> Step:
        """The function that steps a population."""
        return partial(population.neuron.step, dt=self.dt)

    def learner(self, projection: Projection, rule: PlasticityRule, weights: Tensor) -> Learner:
        """The plastic synapses of a projection.   weights: at the start, [..., pre, post].

        Where synapses have delays of their own, each postsynaptic cell is an item of its own, [batch, post, pre, 1].
        """
        return _Learner(rule, weights, self.dt)

    def leaf(self, array: NDArray[Any]) -> Any:
        """An array of an earlier run's state as a tensor of the simulation's kind; whole numbers and bools stay what they are."""
        if not array.ndim:
            return array.item()
        return torch.tensor(array, dtype=self.dtype if array.dtype.kind == "f" else None, device=self.device)

    def number(self, value: float) -> Tensor:
        """A constant as a tensor of the simulation's kind."""
        return torch.tensor(value, dtype=self.dtype, device=self.device)


class _Learner:
    def __init__(self, rule: PlasticityRule, weights: Tensor, dt: float) -> None:
        *items, pre, post = weights.shape
        self.rule, self.dt = rule, dt
        self.state: Any = rule.initial(weights, weights.new_zeros(*items, pre), weights.new_zeros(*items, post))

    @property
    def weights(self) -> Tensor:
        return self.state.weights

    def learn(self, pre: Tensor, post: Tensor) -> None:
        self.state = self.rule.step(pre, post, self.state, self.dt)

    def rewarded(self, spikes: Tensor) -> None:
        self.state = self.rule.rewarded(spikes, self.state)


def lif(population: Population, simulator: str) -> LIF:
    """The LIF cell of a population; UnsupportedError where it has another neuron, which a library's cells would not be."""
    if type(population.neuron) is not LIF:
        raise UnsupportedError(
            f"{simulator} cannot simulate {population.name!r}: of our neurons it has LIF, not {type(population.neuron).__name__}; "
            f'use simulator="event" or "torch"'
        )
    if population.neuron.varying:
        raise UnsupportedError(
            f"{simulator} cannot simulate {population.name!r}: its parameters differ from cell to cell; "
            f'use simulator="event", "torch" or "brian2"'
        )
    return population.neuron

"""Leaky integrators: cells that never spike, whose voltage is read out.

V[t] = beta V[t-1] + R I[t]                          beta = exp(-dt / tau); S is 0
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.network.neurons.contract import Array, Brian2Neuron, CompiledStep, Neuron, Numbers, count_of, each, kept, parameter


class IntegratorState(NamedTuple):
    """V and S, [..., cell]."""

    voltage: Any
    spikes: Any


@dataclass(frozen=True)
class LeakyIntegrator(Neuron):
    """A leaky integrator, the usual read-out of a spiking network (as in Bellec et al. 2018); NIR's LI.

        V[t] = beta V[t-1] + R I[t]

    tau: ms, > 0; `math.inf` integrates without a leak (NIR's I).   resistance: R, what a unit of current adds to V in one step, > 0.
    Each is a number or an array, [cell].
    """

    tau: Numbers = 20.0
    resistance: Numbers = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "tau", parameter(self.tau, "LeakyIntegrator tau", " ms", above=0, most=math.inf))
        object.__setattr__(self, "resistance", parameter(self.resistance, "LeakyIntegrator resistance", above=0))

    @property
    def cells(self) -> int | None:
        return count_of(self.tau) or count_of(self.resistance)

    def beta(self, dt: float) -> Numbers:
        """The decay of V in one step of dt ms, in (0, 1]."""
        return kept(self.tau, ("decay", dt), lambda tau: math.exp(-dt / tau))

    def initial(self, zeros: Array) -> IntegratorState:
        return IntegratorState(zeros, zeros != 0)

    def step(self, current: Array, state: IntegratorState, dt: float) -> IntegratorState:
        voltage = each(self.beta(dt), state.voltage) * state.voltage + each(self.resistance, state.voltage) * current
        return IntegratorState(voltage, voltage != voltage)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """0 Hz."""
        return np.zeros(np.shape(current))

    def settled(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The V that a constant current tends to, R I / (1 - beta).

        >>> LeakyIntegrator(tau=10.0).settled(0.1).round(4).item()
        1.0508
        """
        beta, resistance = np.asarray(self.beta(dt)), np.asarray(self.resistance)
        return np.asarray(resistance * np.asarray(current, np.float64) / (1.0 - beta))

    def compiled(self, dt: float) -> CompiledStep | None:
        if self.cells is not None:
            return None
        from spikemem.kernels import neurons

        return CompiledStep(neurons.integrator, (self.beta(dt), self.resistance), ("voltage",))

    def brian2(self, dt: float) -> Brian2Neuron:
        return Brian2Neuron(
            model="dv/dt = -v / tau : 1\nj : 1",
            arrival="v += resistance * j",
            threshold="v > v",
            reset="",
            numbers={"resistance": self.resistance},
            times={"tau": self.tau},
        )

"""The interface of a neuron model, which lets every simulator run it, and the order of a time step.

The step contract, the same in every simulator, in this order at step t:

    I[t] = sum over projections of W . S_pre[t - delay]  +  external current[t]
    state[t] = step(I[t], state[t-1])                    V[t] and S[t] among it
    then the population's inhibition chooses among the cells with S[t]

A step applies the reset of a spike first, so that a recorded voltage is V[t] after the inhibition has chosen and before the reset, which
happens at t + 1. V is measured from rest; V and S start at 0.

The population's inhibition needs no more of a neuron than V and S: at the start of a cycle `restart` sets V and S to 0, and in a winners'
race V decides among the cells with S, and is held at 0 in those that lost (see `network.KWinners`).

Simulators add in different orders. Where V stands within rounding of theta, or two racing cells within rounding of one another, that
decides, and spikes may differ; equal weights on equal cells make such ties. Sums of dyadic weights, as in the hippocampus, are exact.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, Checks
from spikemem.errors import NetworkError

check = Checks(NetworkError)
Array = TypeVar("Array", bound=Any)  # a numpy array or a torch tensor
NOTHING: Mapping[str, float] = MappingProxyType({})
"""No constants."""


class CompiledNeuron(NamedTuple):
    """The constants of the compiled kernel, `kernels.cpu.integrate`: one step of a leaky integrate-and-fire cell.

    J[t] = gamma J[t-1] + I[t],   V[t] = beta V[t-1] + R J[t], and the reset; see `neurons.lif`.
    """

    beta: float
    gamma: float
    resistance: float
    threshold: float
    reset: float
    """NaN for reset by subtraction."""
    refractory: int
    """In steps."""


class Brian2Neuron(NamedTuple):
    """A cell as Brian2 reads it (Stimberg, Brette & Goodman 2019), for the schedule start, groups, synapses, thresholds, resets, end.

    v is V, and j is what synapses and external currents add to; `model` declares both. A step runs `start`, then integrates `model`
    exactly, then lets currents arrive in j, then runs `arrival`, and compares with the threshold.
    """

    model: str
    arrival: str
    threshold: str
    reset: str
    start: str = "j = 0"
    """What every step begins with; empty where j decays by itself."""
    restart: str = "v = 0"
    """What a cycle of inhibition begins with: `Neuron.restart` as text."""
    refractory: float = 0.0
    """ms, a whole number of steps; `not_refractory` is then known to the text."""
    numbers: Mapping[str, float] = NOTHING
    """Constants without a unit, by their names in the text."""
    times: Mapping[str, float] = NOTHING
    """Constants in ms."""


class Neuron(ABC):
    """A neuron model: a frozen dataclass of its parameters, with one step that numpy and torch run alike.

    `initial`, `step` and `rate` make a neuron; with `brian2` it runs in Brian2, too, and with `compiled` at full speed in the
    event-driven simulator. A simulator that lacks a neuron says so in one UnsupportedError.
    """

    @abstractmethod
    def initial(self, zeros: Any) -> Any:
        """The state before the first step: a named tuple with at least `voltage`, and `spikes` as bool.

        zeros: an array or tensor of the shape and kind that the state is to have, [..., cell].
        """

    @abstractmethod
    def step(self, current: Any, state: Any, dt: float) -> Any:
        """One step of dt ms, for numpy arrays and torch tensors alike.

        current: I[t], [..., cell].   state: of step t - 1; its `spikes` are those that the inhibition left.   Returns that of step t.
        """

    @abstractmethod
    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The firing rate in Hz under a constant current; a simulation's mean interval is within one step of its inverse."""

    def restart(self, state: Any) -> Any:
        """The state with which a cycle of inhibition begins: V and S are 0, all else goes on."""
        return state._replace(voltage=0.0 * state.voltage, spikes=state.spikes & ~state.spikes)

    def check(self, dt: float) -> None:  # noqa: B027 (most fit any)
        """Raise NetworkError where the neuron does not fit a network with steps of dt ms."""

    def compiled(self, dt: float) -> CompiledNeuron | None:
        """The constants of the compiled kernel; None where it cannot run this neuron, which then runs by its own `step`."""
        return None

    def brian2(self) -> Brian2Neuron | None:
        """The same cell as Brian2 equations; None where it has none."""
        return None


def where(condition: Array, value: Array, other: Array) -> Array:
    """value where the condition holds, other elsewhere, of their own dtype: a torch bool times a Python float would be a float32."""
    return value * condition + other * ~condition


def whole_steps(time: float, dt: float) -> int:
    """A time in ms as a whole number of steps of dt ms; NetworkError where it is none."""
    steps = round(min(check.finite(time, "a time in ms") / dt, 2.0 * INDEX))
    if abs(steps * dt - time) > 1e-9 * max(1.0, abs(time)):
        raise NetworkError(f"{time} ms is no whole number of steps of {dt} ms")
    if steps > INDEX:
        raise NetworkError(f"{time} ms are more than {INDEX:,} steps of {dt} ms")
    return steps

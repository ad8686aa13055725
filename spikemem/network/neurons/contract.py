"""The interface of a neuron model, which lets every simulator run it, and the order of a time step.

The step contract, the same in every simulator, in this order at step t:

    I[t] = sum over projections of W . S_pre[t - delay]  +  external current[t]
    state[t] = step(I[t], state[t-1])                    V[t] and S[t] among it
    then the population's inhibition chooses among the cells with S[t]

A step applies the reset of a spike first, so that a recorded voltage is V[t] after the inhibition has chosen and before the reset, which
happens at t + 1. V and S start at 0, V of a population where it says otherwise (`network.Population`).

A neuron may have several receptors, such as an excitatory and an inhibitory one. A projection reaches one of them, and I[t] is then one
current for each, the first of them joined by the external current.

V is measured from rest, but in cells whose equations hold potentials in mV, which say so (`Neuron.from_rest`).

The population's inhibition needs no more of a neuron than V and S: at the start of a cycle `restart` sets V and S to 0, and in a winners'
race V decides among the cells with S, and is held at 0 in those that lost (see `network.KWinners`).

Simulators add in different orders. Where V stands within rounding of theta, or two racing cells within rounding of one another, that
decides, and spikes may differ; equal weights on equal cells make such ties. Sums of dyadic weights, as in the hippocampus, are exact.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, Checks, plain
from spikemem.errors import NetworkError

check = Checks(NetworkError)
Array = TypeVar("Array", bound=Any)  # a numpy array or a torch tensor
if TYPE_CHECKING:
    Numbers = Any  # most code knows that it has a number
else:
    Numbers = float | tuple[float, ...]
"""A parameter: a number for all cells, or a tuple with one for each."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
"""No constants."""


class CompiledNeuron(NamedTuple):
    """The constants of the compiled kernel, `kernels.cpu.integrate`: one step of a leaky integrate-and-fire cell, each a number or a tuple.

    J[t] = gamma J[t-1] + I[t],   V[t] = beta V[t-1] + R J[t], and the reset; see `neurons.lif`.
    """

    beta: Numbers
    gamma: Numbers
    resistance: Numbers
    threshold: Numbers
    reset: Numbers
    """NaN for reset by subtraction."""
    refractory: int | tuple[int, ...]
    """In steps."""


class CompiledReceptors(NamedTuple):
    """The constants of the kernel `kernels.neurons.gather`, for each receptor behind the first; see `receptors`.

    gamma, share, rise: [receptor, 1], or [receptor, cell] where they differ from cell to cell.   reversal: [receptor].
    """

    gamma: NDArray[np.float64]
    """The decay in one step."""
    share: NDArray[np.float64]
    """What a unit of the receptor's current counts in a step, against a constant current."""
    rise: NDArray[np.float64]
    """dt / tau of an alpha function; 0 for an exponential."""
    reversal: NDArray[np.float64]
    """Where the receptor opens a conductance; NaN where it is a current."""


class CompiledStep(NamedTuple):
    """One step of any neuron as a compiled function: kernel(state, spikes, current, conductance, constants), in place.

    state: [field, batch, cell].   spikes: S, bool, [batch, cell]: of the step before, and then of this one.   current: [batch, cell].
    conductance: [batch, cell], or [1, 1] where there is none.
    """

    kernel: Callable[..., None]
    constants: tuple[float, ...]
    fields: tuple[str, ...]
    """The fields of the neuron's state that the kernel has, V first."""
    receptors: CompiledReceptors | None = None


class Brian2Neuron(NamedTuple):
    """A cell as Brian2 reads it (Stimberg, Brette & Goodman 2019), for the schedule start, groups, synapses, thresholds, resets, end.

    v is V, and j is what synapses and external currents add to; `model` declares both. A step runs `start`, then integrates `model`
    exactly, then lets currents arrive in j, then runs `arrival`, and compares with the threshold. What arrives at a further receptor is
    added to `j_NAME`. Where a step is no exact solution, `arrival` does it.

    A constant may be a number, or one for each cell, a tuple.
    """

    model: str
    arrival: str
    threshold: str
    reset: str
    start: str = "j = 0"
    """What every step begins with; empty where j decays by itself."""
    restart: str = "v = 0"
    """What a cycle of inhibition begins with: `Neuron.restart` as text."""
    refractory: Numbers = 0.0
    """ms, a whole number of steps; `not_refractory` is then known to the text."""
    numbers: Mapping[str, Numbers] = NOTHING
    """Constants without a unit, by their names in the text."""
    times: Mapping[str, Numbers] = NOTHING
    """Constants in ms."""
    begin: Mapping[str, float | str] = NOTHING
    """Where variables begin, by their names, if not at 0; `v` comes first, and the others may be expressions."""


class Neuron(ABC):
    """A neuron model: a frozen dataclass of its parameters, with one step that numpy and torch run alike.

    `initial`, `step` and `rate` make a neuron; with `brian2` it runs in Brian2, too, and with `compiled` at full speed in the
    event-driven simulator. A simulator that lacks a neuron says so in one UnsupportedError.
    """

    from_rest: ClassVar[bool] = True
    """Whether V is measured from rest; only then a population's inhibition can hold it at 0."""

    computed: ClassVar[bool] = True
    """Whether spikes follow from what arrives; those of a source do not."""

    text_only: ClassVar[bool] = False
    """Whether it is Brian2 text without a step of its own; all other simulators refuse such a neuron."""

    @property
    def conductances(self) -> tuple[str, ...]:
        """The receptors that open a conductance, which no weight makes negative."""
        return ()

    @property
    def receptors(self) -> tuple[str, ...]:
        """What projections may reach; the first takes the external current, too."""
        return ("current",)

    @property
    def cells(self) -> int | None:
        """Of how many cells the parameters are; None where they are numbers, which are of any."""
        return None

    @abstractmethod
    def initial(self, zeros: Any) -> Any:
        """The state before the first step: a named tuple with at least `voltage`, and `spikes` as bool.

        zeros: an array or tensor of the shape and kind that the state is to have, [..., cell].
        """

    @abstractmethod
    def step(self, current: Any, state: Any, dt: float) -> Any:
        """One step of dt ms, for numpy arrays and torch tensors alike.

        current: I[t], [..., cell], where there are several receptors [receptor, ..., cell].   state: of step t - 1; its `spikes` are those
        that the inhibition left.   Returns that of step t.
        """

    def conducting(self, current: Any, conductance: Any, state: Any, dt: float) -> Any:
        """The same step with open channels: their current is current[t] - conductance[t] V, [..., cell]; see `receptors`."""
        raise NetworkError(f"{type(self).__name__} has no step with conductances; give its receptors no reversal potential")

    def share(self, tau: Numbers, dt: float) -> Numbers:
        """What a current counts in a step of dt ms that decays in it with tau ms, against a constant one; 1 where a step takes it so."""
        return 1.0

    @abstractmethod
    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The firing rate in Hz under a constant current; a simulation's mean interval is within one step of its inverse."""

    def begun(self, state: Any, voltage: Any) -> Any:
        """The initial state with another V, [cell]."""
        return state._replace(voltage=0.0 * state.voltage + voltage)

    def restart(self, state: Any) -> Any:
        """The state with which a cycle of inhibition begins: V and S are 0, all else goes on."""
        return state._replace(voltage=0.0 * state.voltage, spikes=state.spikes & ~state.spikes)

    def check(self, dt: float) -> None:  # noqa: B027 (most fit any)
        """Raise NetworkError where the neuron does not fit a network with steps of dt ms."""

    def compiled(self, dt: float) -> CompiledNeuron | CompiledStep | None:
        """The constants of the compiled kernel; None where it cannot run this neuron, which then runs by its own `step`."""
        return None

    def stepped(self, dt: float) -> CompiledStep | None:
        """The compiled step that takes conductances; None where there is none."""
        made = self.compiled(dt)
        return made if isinstance(made, CompiledStep) else None

    def brian2(self, dt: float) -> Brian2Neuron | None:
        """The same cell as Brian2 equations, for steps of dt ms; None where it has none."""
        return None

    def brian2_conducting(self, dt: float) -> Brian2Neuron | None:
        """The same with a variable `opened`, the conductance."""
        return self.brian2(dt)


def parameter(given: Any, name: str, unit: str = "", **bounds: float) -> Numbers:
    """A parameter as a number, or as a tuple with one for each cell where an array is given; equal ones are one number."""
    if not isinstance(given, list | tuple) and not getattr(plain(given), "ndim", 0):
        return check.finite(given, name, unit=unit, **bounds)
    each = check.array(given, f"{name}, a number or one for each cell", shape=(None,), finite=False).tolist()
    if not each:
        raise NetworkError(f"{name} holds no number; give one, or one for each cell")
    made = tuple(check.finite(value, name, unit=unit, **bounds) for value in each)
    return made[0] if len(set(made)) == 1 else PerCell(made)


class PerCell(tuple[float, ...]):
    """A parameter with one number for each cell; what follows from it is made once."""

    def made(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gave when this key was first asked for."""
        kept = self.__dict__.setdefault("_kept", {})
        if key not in kept:
            kept[key] = make()
        return kept[key]

    def array(self) -> NDArray[np.float64]:
        """The numbers, [cell], which nobody may write to."""
        values = np.array(self)
        values.setflags(write=False)
        return values

    def tensor(self, dtype: Any, device: Any) -> Any:
        """The same as a torch tensor."""
        import torch

        return torch.tensor(tuple(self), dtype=dtype, device=device)


def each(value: Numbers, like: Array) -> float | Array:
    """A parameter for arithmetic with an array or tensor, [..., cell]: a number as it is, a tuple as one of its kind, [cell]."""
    if not isinstance(value, PerCell):
        return value
    if isinstance(like, np.ndarray):
        return value.made("array", value.array)
    return value.made((like.dtype, like.device), lambda: value.tensor(like.dtype, like.device))


def kept(value: Numbers, key: Hashable, function: Callable[[float], float]) -> Numbers:
    """A function of a parameter, as `mapped`, which is computed once for each key."""
    return value.made(key, lambda: mapped(function, value)) if isinstance(value, PerCell) else function(value)


def mapped(function: Callable[..., float], *values: Numbers) -> Numbers:
    """A function of parameters: a number where all are, else one for each cell."""
    size = max((len(v) for v in values if isinstance(v, tuple)), default=0)
    if not size:
        return function(*values)
    return PerCell(function(*row) for row in zip(*(v if isinstance(v, tuple) else (v,) * size for v in values), strict=True))


def count_of(value: Numbers | None) -> int | None:
    """For how many cells a parameter has numbers of their own; None for one that is a number."""
    return len(value) if isinstance(value, tuple) else None


def flat(value: Numbers) -> tuple[float, ...]:
    """A parameter's values: one, or one for each cell."""
    return value if isinstance(value, tuple) else (value,)


def where(condition: Array, value: Array, other: Array) -> Array:
    """value where the condition holds, other elsewhere, of their own dtype: a torch bool times a Python float would be a float32."""
    return value * condition + other * ~condition


def exp(values: Array) -> Array:
    """The exponential, of a numpy array or a torch tensor."""
    made: Any = np.exp(values) if isinstance(values, np.ndarray) else values.exp()
    return made


def lowered(values: Array, most: float) -> Array:
    """Values cut at a bound from above, of a numpy array or a torch tensor."""
    made: Any = np.minimum(values, most) if isinstance(values, np.ndarray) else values.clamp(max=most)
    return made


def whole_steps(time: float, dt: float) -> int:
    """A time in ms as a whole number of steps of dt ms; NetworkError where it is none."""
    steps = round(min(check.finite(time, "a time in ms") / dt, 2.0 * INDEX))
    if abs(steps * dt - time) > 1e-9 * max(1.0, abs(time)):
        raise NetworkError(f"{time} ms is no whole number of steps of {dt} ms")
    if steps > INDEX:
        raise NetworkError(f"{time} ms are more than {INDEX:,} steps of {dt} ms")
    return steps

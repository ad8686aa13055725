"""Receptors: synaptic currents and conductances with time constants of their own, in front of any neuron.

For each receptor, with gamma = exp(-dt / tau) and what arrives at it, I_r[t]:

    J[t] = gamma J[t-1] + I_r[t]                                            exponential
    J[t] = gamma (J[t-1] + dt / tau x[t-1]),   x[t] = gamma x[t-1] + e I_r[t]       alpha function, 1 at its peak after tau

A receptor without a reversal potential is a current, and joins I[t]; one with a reversal potential E opens a conductance, whose current is
J[t] (E - V). In `LIF` cells a current that decays within the step counts with its exact integral over the step, `Neuron.share`, so that
they follow the exact solution of

    tau dV/dt = -V + rho (sum over receptors of J_r),     tau_r dJ_r/dt = -J_r                  rho = R / (1 - exp(-dt / tau))

Where some receptor opens a conductance there is no such solution: all J stand still within a step, the exponential Euler method.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import (
    Array,
    Brian2Neuron,
    CompiledReceptors,
    CompiledStep,
    Neuron,
    Numbers,
    check,
    count_of,
    each,
    flat,
    mapped,
    parameter,
)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
DIRECT = "current"
"""The receptor that adds what arrives to I[t] as it is, for one step."""


@dataclass(frozen=True)
class Exponential:
    """A receptor whose channels open at once and close exponentially.

    tau: ms, > 0, a number or one for each cell, [cell].   reversal: the potential E that its current pulls V to, in V's own unit and from
    where V is measured; None for a current.

    >>> Exponential([5.0, 10.0]).tau
    (5.0, 10.0)
    """

    tau: Numbers
    reversal: float | None = None

    def __post_init__(self) -> None:
        kind = type(self).__name__
        object.__setattr__(self, "tau", parameter(self.tau, f"{kind} tau", " ms", above=0))
        object.__setattr__(self, "reversal", None if self.reversal is None else check.finite(self.reversal, f"{kind} reversal"))


@dataclass(frozen=True)
class Alpha(Exponential):
    """A receptor whose channels open gradually: an alpha function, (t / tau) exp(1 - t / tau), with its peak of 1 after tau (Rall 1967)."""


class _Constants(NamedTuple):
    """What a receptor's step needs: see `CompiledReceptors`."""

    gamma: Numbers
    share: Numbers
    rise: Numbers


class ReceptorState(NamedTuple):
    """What a cell with receptors carries from one step to the next."""

    voltage: Any
    spikes: Any
    inner: Any
    """The state of the neuron behind them."""
    traces: tuple[Any, ...]
    """J of each receptor, [..., cell]."""
    rising: tuple[Any, ...]
    """x of each, [..., cell]; 0 for exponential ones."""


@dataclass(frozen=True, init=False)
class Receptors(Neuron):
    """A neuron with receptors: `Receptors(LIF(tau=20.0), excitatory=Exponential(5.0), inhibitory=Exponential(10.0, reversal=-20.0))`.

    A projection says which one it reaches, `net.connect(..., receptor="excitatory")`; "current" is there beside them, and takes the
    external current. See the head of this module for the equations.

    Raises NetworkError where the neuron takes no conductance, or cannot be solved with a current that decays.

    >>> from spikemem import LIF
    >>> Receptors(LIF(), excitatory=Exponential(5.0)).receptors
    ('current', 'excitatory')
    """

    neuron: Neuron
    kinds: tuple[tuple[str, Exponential], ...]

    def __init__(self, neuron: Neuron, /, **kinds: Exponential) -> None:
        check.instance(neuron, "the neuron of Receptors", Neuron, "give one such as LIF()")
        if not neuron.computed:
            raise NetworkError(f"{type(neuron).__name__} is a source, at which nothing arrives; it has no receptors")
        if len(neuron.receptors) > 1 or getattr(neuron, "tau_syn", None):
            raise NetworkError(
                "Receptors are given to a neuron that has none yet; one such as LIF with tau_syn filters its current already"
            )
        if not kinds:
            raise NetworkError("Receptors need at least one by name, such as excitatory=Exponential(5.0)")
        for name, kind in kinds.items():
            check.instance(kind, f"receptor {name!r}", Exponential, "give an Exponential or an Alpha")
            if name == DIRECT:
                raise NetworkError(f"the receptor {DIRECT!r} is there already; give this one another name")
            if not NAME.fullmatch(name):
                raise NetworkError(f"receptor {name!r}: a name is made of letters, digits and _, begins with a letter, and is not in use")
        object.__setattr__(self, "neuron", neuron)
        object.__setattr__(self, "kinds", tuple(kinds.items()))
        if len({count for count in self._counts if count is not None}) > 1:
            raise NetworkError("Receptors and their neuron are of different numbers of cells; give each one number, or one for each cell")

    @property
    def receptors(self) -> tuple[str, ...]:
        return DIRECT, *(name for name, _ in self.kinds)

    @property
    def _counts(self) -> list[int | None]:
        return [self.neuron.cells, *(count_of(kind.tau) for _, kind in self.kinds)]

    @property
    def cells(self) -> int | None:
        return next((count for count in self._counts if count is not None), None)

    @property
    def from_rest(self) -> bool:  # type: ignore[override]
        return self.neuron.from_rest

    @property
    def text_only(self) -> bool:  # type: ignore[override]
        return self.neuron.text_only

    @property
    def conducts(self) -> bool:
        """Whether some receptor opens a conductance."""
        return bool(self.conductances)

    @property
    def conductances(self) -> tuple[str, ...]:
        return tuple(name for name, kind in self.kinds if kind.reversal is not None)

    def check(self, dt: float) -> None:
        self.neuron.check(dt)
        for name, kind in self.kinds:
            if min(flat(kind.tau)) < 2 * dt and (self.conducts or isinstance(kind, Alpha)):
                raise NetworkError(
                    f"receptor {name!r}: {min(flat(kind.tau))} ms are too short for steps of {dt} ms, within which it stands still"
                )
        if self.conducts and not self.text_only:
            state = self.neuron.initial(np.zeros(self.cells or 1))
            self.neuron.conducting(0.0 * state.voltage, 0.0 * state.voltage, state, dt)
        self._constants(dt)

    def _constants(self, dt: float) -> list[_Constants]:
        """Those of each receptor, for steps of dt ms; computed once."""
        known: dict[float, list[_Constants]] = self.__dict__.setdefault("_known", {})
        if dt not in known:
            known[dt] = [self._constants_of(kind, dt) for _, kind in self.kinds]
        return known[dt]

    def _constants_of(self, kind: Exponential, dt: float) -> _Constants:
        gamma = mapped(lambda tau: math.exp(-dt / tau), kind.tau)
        if isinstance(kind, Alpha):
            return _Constants(gamma, 1.0, mapped(lambda tau: dt / tau, kind.tau))
        return _Constants(gamma, 1.0 if self.conducts else self.neuron.share(kind.tau, dt), 0.0)

    def initial(self, zeros: Array) -> ReceptorState:
        inner, none = self.neuron.initial(zeros), (zeros,) * len(self.kinds)
        return ReceptorState(inner.voltage, inner.spikes, inner, none, none)

    def begun(self, state: ReceptorState, voltage: Any) -> ReceptorState:
        inner = self.neuron.begun(state.inner, voltage)
        return state._replace(voltage=inner.voltage, inner=inner)

    def restart(self, state: ReceptorState) -> ReceptorState:
        """As the neuron restarts; what its receptors have received goes on."""
        inner = self.neuron.restart(self._behind(state))
        return state._replace(voltage=inner.voltage, spikes=inner.spikes, inner=inner)

    def _behind(self, state: ReceptorState) -> Any:
        """The state of the neuron, with the V and S that the inhibition left."""
        return state.inner._replace(voltage=state.voltage, spikes=state.spikes)

    def step(self, current: Array, state: ReceptorState, dt: float) -> ReceptorState:
        through, opened, traces, rising = current[0], 0.0, [], []
        parts = zip(self.kinds, self._constants(dt), current[1:], state.traces, state.rising, strict=True)
        for (_, kind), constants, arrived, before, x in parts:
            gamma, share, rise = (each(value, before) for value in constants)
            if isinstance(kind, Alpha):
                j, x = gamma * (before + rise * x), gamma * x + math.e * arrived
            else:
                j = gamma * before + arrived
            traces.append(j)
            rising.append(x)
            if kind.reversal is None:
                through = through + share * j
            else:
                opened, through = opened + j, through + kind.reversal * j
        behind = self._behind(state)
        inner = self.neuron.conducting(through, opened, behind, dt) if self.conducts else self.neuron.step(through, behind, dt)
        return ReceptorState(inner.voltage, inner.spikes, inner, tuple(traces), tuple(rising))

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """That of the neuron, under a constant external current."""
        return self.neuron.rate(current, dt)

    def compiled(self, dt: float) -> CompiledStep | None:
        inner = self.neuron.stepped(dt)
        if inner is None:
            return None
        widest = max(count_of(kind.tau) or 1 for _, kind in self.kinds)
        columns = zip(*self._constants(dt), strict=True)
        gamma, share, rise = (np.stack([np.broadcast_to(flat(value), widest) for value in column]) for column in columns)
        reversal = np.array([math.nan if kind.reversal is None else kind.reversal for _, kind in self.kinds])
        return inner._replace(receptors=CompiledReceptors(gamma, share, rise, reversal))

    def brian2(self, dt: float) -> Brian2Neuron | None:
        """The neuron's own text, with an equation for each receptor; an alpha function shows e times the second of two."""
        text = self.neuron.brian2_conducting(dt) if self.conducts else self.neuron.brian2(dt)
        if text is None:
            return None
        model, through, opened, shares = [text.model], [], [], {}
        for (name, kind), (_, share, _) in zip(self.kinds, self._constants(dt), strict=True):
            model.append(f"dj_{name}/dt = -j_{name} / closing_{name} : 1")
            shown = f"j_{name}"
            if isinstance(kind, Alpha):
                model.append(f"drisen_{name}/dt = (j_{name} - risen_{name}) / closing_{name} : 1")
                shown = f"{math.e!r} * risen_{name}"
            if kind.reversal is not None:
                opened.append(shown)
            if isinstance(share, tuple):
                shares[f"share_{name}"] = share
            counts = f"share_{name}" if isinstance(share, tuple) else repr(share if kind.reversal is None else kind.reversal)
            through.append(f"j += {counts} * {shown}")
        conducting = [f"opened = {' + '.join(opened)}"] if opened else []
        times = {**text.times, **{f"closing_{name}": kind.tau for name, kind in self.kinds}}
        numbers = {**text.numbers, **shares}
        if len(times) + len(numbers) < len(text.times) + len(self.kinds) + len(text.numbers) + len(shares):
            raise NetworkError(f"{type(self.neuron).__name__} has a constant of the name of a receptor's; rename the receptor")
        return text._replace(model="\n".join(model), arrival="\n".join([*through, *conducting, text.arrival]), times=times, numbers=numbers)

"""Izhikevich's simple neurons: two variables that give most firing patterns of cortical cells.

    dv/dt = .04 v^2 + 5 v + 140 - u + I,     du/dt = a (b v - u)                    v >= 30:  v <- c,  u <- u + d

The scheme is that of the paper's own program: after the reset two half steps of v, and then one of u with the new v,

    v' = v + dt/2 (.04 v^2 + 5 v + 140 - u + I[t]),   v[t] = v' + dt/2 (.04 v'^2 + 5 v' + 140 - u + I[t]),   u[t] = u + dt a (b v[t] - u)

v is cut at 30 mV, the peak, after that.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import (
    Array,
    Brian2Neuron,
    CompiledStep,
    Neuron,
    Numbers,
    check,
    count_of,
    each,
    lowered,
    parameter,
    where,
)

TYPES = MappingProxyType(
    {
        "RS": (0.02, 0.2, -65.0, 8.0),
        "IB": (0.02, 0.2, -55.0, 4.0),
        "CH": (0.02, 0.2, -50.0, 2.0),
        "FS": (0.1, 0.2, -65.0, 2.0),
        "LTS": (0.02, 0.25, -65.0, 2.0),
        "TC": (0.02, 0.25, -65.0, 0.05),
        "RZ": (0.1, 0.26, -65.0, 2.0),
    }
)
"""a, b, c, d of the types of cells in the paper's figure 2: regular spiking, intrinsically bursting, chattering, fast spiking, low-
threshold spiking, thalamo-cortical, resonator."""
PEAK = 30.0
"""mV, at which a spike is counted."""
START = -65.0
"""mV, where v begins, as in the paper's program."""


class IzhikevichState(NamedTuple):
    """What a cell carries from one step to the next, [..., cell] each."""

    voltage: Any
    """v, mV."""
    spikes: Any
    recovery: Any
    """u."""


@dataclass(frozen=True)
class Izhikevich(Neuron):
    """Izhikevich's simple model (Izhikevich 2003).

        dv/dt = .04 v^2 + 5 v + 140 - u + I,     du/dt = a (b v - u),     v >= 30:  v <- c,  u <- u + d

    a: 1/ms.   b: what u follows of v.   c: mV.   d: what a spike adds to u. Each is a number or an array, [cell].

    v is in mV, and not measured from rest; it begins at -65, and u at b v. Steps are at most 1 ms, those of the paper.

    >>> Izhikevich.named("FS")
    Izhikevich(a=0.1, b=0.2, c=-65.0, d=2.0)
    """

    a: Numbers = 0.02
    b: Numbers = 0.2
    c: Numbers = -65.0
    d: Numbers = 8.0

    from_rest = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "a", parameter(self.a, "Izhikevich a", above=0))
        for name in ("b", "c", "d"):
            object.__setattr__(self, name, parameter(getattr(self, name), f"Izhikevich {name}"))
        sizes = {count_of(value) for value in (self.a, self.b, self.c, self.d)} - {None}
        if len(sizes) > 1:
            raise NetworkError("Izhikevich parameters are of different numbers of cells; give each one number, or one for each cell")
        if max(self.c if isinstance(self.c, tuple) else (self.c,)) >= PEAK:
            raise NetworkError(f"Izhikevich c is {self.c}; it must be below {PEAK} mV")

    @classmethod
    def named(cls, kind: str) -> "Izhikevich":
        """A type of cell by its name in the paper: RS, IB, CH, FS, LTS, TC, RZ."""
        return cls(*TYPES[check.choice(kind, "the type of an Izhikevich neuron", TYPES)])

    @property
    def cells(self) -> int | None:
        return next((len(value) for value in (self.a, self.b, self.c, self.d) if isinstance(value, tuple)), None)

    def check(self, dt: float) -> None:
        if dt > 1.0:
            raise NetworkError(f"steps of {dt} ms are too long for Izhikevich's model; it takes 1 ms at most")

    def initial(self, zeros: Array) -> IzhikevichState:
        return IzhikevichState(zeros + START, zeros != 0, zeros + each(self.b, zeros) * START)

    def begun(self, state: IzhikevichState, voltage: Any) -> IzhikevichState:
        """v begins elsewhere, and u at b v."""
        made = 0.0 * state.voltage + voltage
        return state._replace(voltage=made, recovery=each(self.b, made) * made)

    def step(self, current: Array, state: IzhikevichState, dt: float) -> IzhikevichState:
        return self.conducting(current, 0.0, state, dt)

    def conducting(self, current: Array, conductance: Any, state: IzhikevichState, dt: float) -> IzhikevichState:
        a, b, c, d = (each(value, state.voltage) for value in (self.a, self.b, self.c, self.d))
        v, u = where(state.spikes, 0.0 * state.voltage + c, state.voltage), state.recovery + d * state.spikes
        for _ in range(2):
            v = v + 0.5 * dt * (0.04 * (v * v) + 5.0 * v + 140.0 - u + (current - conductance * v))
        return IzhikevichState(lowered(v, PEAK), v >= PEAK, u + dt * a * (b * v - u))

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The rate that the cell settles to under a constant current, Hz: its spikes in the second half of 4 s; there is no closed form."""
        drive = np.atleast_1d(np.asarray(current, np.float64))
        state, steps, count = self.initial(np.zeros(np.broadcast_shapes(drive.shape, (self.cells or 1,)))), round(4000.0 / dt), 0.0
        for t in range(steps):
            state = self.step(drive, state, dt)
            count = count + state.spikes * (t >= steps // 2)
        made = np.asarray(count / 2.0)
        return made.reshape(np.shape(current)) if self.cells is None else made

    def compiled(self, dt: float) -> CompiledStep | None:
        if self.cells is not None:
            return None
        from spikemem.kernels import neurons

        return CompiledStep(neurons.izhikevich, (dt, self.a, self.b, self.c, self.d, PEAK), ("voltage", "recovery"))

    def brian2(self, dt: float) -> Brian2Neuron:
        half = "v += .5 * (dt / ms) * (.04 * (v * v) + 5. * v + 140. - u + (j - opened * v))"
        cut = f"spiking = int(v >= {PEAK})\nv = clip(v, -1e300, {PEAK})"
        return Brian2Neuron(
            model="v : 1\nu : 1\nj : 1\nopened : 1\nspiking : 1",
            arrival=f"{half}\n{half}\nu += (dt / ms) * a * (b * v - u)\n{cut}",
            threshold="spiking > 0",
            reset="v = c\nu += d",
            numbers={"a": self.a, "b": self.b, "c": self.c, "d": self.d},
            begin={"v": START, "u": "b * v"},
        )

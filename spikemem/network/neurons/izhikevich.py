"""Izhikevich's simple neurons: two variables that give most firing patterns of cortical cells.

    dv/dt = .04 v^2 + 5 v + 140 - u + I,     du/dt = a (b v - u)                    v >= 30:  v <- c,  u <- u + d

The scheme is that of the paper's own program: after the reset two half steps of v, and then one of u with the new v,

    v' = v + dt/2 (.04 v^2 + 5 v + 140 - u + I[t]),   v[t] = v' + dt/2 (.04 v'^2 + 5 v' + 140 - u + I[t]),   u[t] = u + dt a (b v[t] - u)

v is cut at 30 mV, the peak, after that.

Cells that were fitted to recordings are given in the form of Izhikevich's book (2007), with currents in pA and a capacitance C in pF,

    C dv/dt = k (v - v_r) (v - v_t) - u' + I,     du'/dt = a (b (v - v_r) - u')     v >= v_peak:  v <- c,  u' <- u' + d

which with u = u' + b v_r is the same quadratic with other coefficients, here for both

    C dv/dt = square v^2 + linear v + constant - u + I,     du/dt = a (b v - u)
    square = k,     linear = -k (v_r + v_t),     constant = k v_r v_t + b v_r                   .04, 5, 140 and C = 1 in the paper
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
    mapped,
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
    square, linear, constant, capacitance, peak: of the quadratic, see the head of this module.   start: mV, where v begins.

    v is in mV, and not measured from rest; it begins at -65, and u at b v. Steps are at most 1 ms, those of the paper. `named` gives the
    types of the paper, `fitted` a cell in the form of the book of 2007, to which currents are in pA and conductances in nS.

    >>> fast = Izhikevich.named("FS")
    >>> fast.a, fast.b, fast.c, fast.d
    (0.1, 0.2, -65.0, 2.0)
    """

    a: Numbers = 0.02
    b: Numbers = 0.2
    c: Numbers = -65.0
    d: Numbers = 8.0
    square: float = 0.04
    linear: float = 5.0
    constant: float = 140.0
    capacitance: float = 1.0
    peak: float = 30.0
    start: float = -65.0

    from_rest = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "a", parameter(self.a, "Izhikevich a", above=0))
        for name in ("b", "c", "d"):
            object.__setattr__(self, name, parameter(getattr(self, name), f"Izhikevich {name}"))
        for name in ("square", "capacitance"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"Izhikevich {name}", above=0))
        for name in ("linear", "constant", "peak", "start"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"Izhikevich {name}"))
        sizes = {count_of(value) for value in (self.a, self.b, self.c, self.d)} - {None}
        if len(sizes) > 1:
            raise NetworkError("Izhikevich parameters are of different numbers of cells; give each one number, or one for each cell")
        if max(self.c if isinstance(self.c, tuple) else (self.c,)) >= self.peak:
            raise NetworkError(f"Izhikevich c is {self.c}; it must be below {self.peak} mV, the peak")

    @classmethod
    def named(cls, kind: str) -> "Izhikevich":
        """A type of cell by its name in the paper: RS, IB, CH, FS, LTS, TC, RZ."""
        return cls(*TYPES[check.choice(kind, "the type of an Izhikevich neuron", TYPES)])

    @classmethod
    def fitted(
        cls, *, capacitance: float, k: float, rest: float, threshold: float, a: float, b: float, c: float, d: float, peak: float
    ) -> "Izhikevich":
        """A cell in the form of the book (Izhikevich 2007), as Hippocampome.org gives them; it begins at rest.

            C dv/dt = k (v - v_r) (v - v_t) - u + I,     du/dt = a (b (v - v_r) - u),     v >= v_peak:  v <- c,  u <- u + d

        capacitance: C, pF.   k: nS/mV.   rest, threshold: v_r, v_t, mV.   a: 1/ms.   b: nS.   c, peak: mV.   d: pA.

        >>> regular = Izhikevich.fitted(capacitance=100.0, k=0.7, rest=-60.0, threshold=-40.0, a=0.03, b=-2.0, c=-50.0, d=100.0, peak=35.0)
        >>> round(regular.rheobase(), 6)
        51.428571
        """
        k = check.finite(k, "Izhikevich k", above=0)
        rest, threshold, b = (
            check.finite(value, f"Izhikevich {name}") for name, value in (("rest", rest), ("threshold", threshold), ("b", b))
        )
        return cls(a, b, c, d, k, -k * (rest + threshold), k * rest * threshold + b * rest, capacitance, peak, rest)

    def rheobase(self) -> Numbers:
        """The constant current above which no resting point is left, (linear - b)^2 / (4 square) - constant; a resonator fires below it."""
        return mapped(lambda b: (self.linear - b) ** 2 / (4.0 * self.square) - self.constant, self.b)

    @property
    def cells(self) -> int | None:
        return next((len(value) for value in (self.a, self.b, self.c, self.d) if isinstance(value, tuple)), None)

    def check(self, dt: float) -> None:
        if dt > 1.0:
            raise NetworkError(f"steps of {dt} ms are too long for Izhikevich's model; it takes 1 ms at most")

    def initial(self, zeros: Array) -> IzhikevichState:
        return IzhikevichState(zeros + self.start, zeros != 0, zeros + each(self.b, zeros) * self.start)

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
            grows = self.square * (v * v) + self.linear * v + self.constant
            v = v + 0.5 * dt / self.capacitance * (grows - u + (current - conductance * v))
        return IzhikevichState(lowered(v, self.peak), v >= self.peak, u + dt * a * (b * v - u))

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

        quadratic = self.square, self.linear, self.constant, 0.5 * dt / self.capacitance
        return CompiledStep(neurons.izhikevich, (dt, self.a, self.b, self.c, self.d, self.peak, *quadratic), ("voltage", "recovery"))

    def brian2(self, dt: float) -> Brian2Neuron:
        grows = f"{self.square!r} * (v * v) + {self.linear!r} * v + {self.constant!r}"
        half = f"v += .5 * (dt / ms) / {self.capacitance!r} * ({grows} - u + (j - opened * v))"
        cut = f"spiking = int(v >= {self.peak!r})\nv = clip(v, -1e300, {self.peak!r})"
        return Brian2Neuron(
            model="v : 1\nu : 1\nj : 1\nopened : 1\nspiking : 1",
            arrival=f"{half}\n{half}\nu += (dt / ms) * a * (b * v - u)\n{cut}",
            threshold="spiking > 0",
            reset="v = c\nu += d",
            numbers={"a": self.a, "b": self.b, "c": self.c, "d": self.d},
            begin={"v": self.start, "u": "b * v"},
        )

"""Adaptive exponential integrate-and-fire neurons: an upstroke that the cell makes itself, and an adaptation current.

    C dV/dt = -g_L (V - E_L) + g_L Delta exp((V - V_T) / Delta) - w + I            V > peak:  V <- reset,  w <- w + b
    tau_w dw/dt = a (V - E_L) - w

Potentials in mV, currents in pA, conductances in nS, capacitance in pF, times in ms. The scheme is the forward Euler method with the
network's step, from V and w after the reset:

    V[t] = V' + dt / C (-g_L (V' - E_L) + g_L Delta exp((V' - V_T) / Delta) - w' + I[t]),      w[t] = w' + dt / tau_w (a (V' - E_L) - w')

V is cut at the peak. For the refractory steps after a spike V stands still, and w goes on.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import Array, Brian2Neuron, CompiledStep, Neuron, check, exp, lowered, where, whole_steps


class AdExState(NamedTuple):
    """What a cell carries from one step to the next, [..., cell] each."""

    voltage: Any
    """V, mV."""
    spikes: Any
    adaptation: Any
    """w, pA."""
    refractory: Any
    """Refractory steps left, this one included."""


@dataclass(frozen=True)
class AdEx(Neuron):
    """Adaptive exponential integrate-and-fire (Brette & Gerstner 2005); the defaults are those of that paper.

        C dV/dt = -g_L (V - E_L) + g_L Delta exp((V - V_T) / Delta) - w + I,     tau_w dw/dt = a (V - E_L) - w

    capacitance: C, pF.   leak: g_L, nS.   rest: E_L, mV.   threshold: V_T, mV, where the upstroke begins.   slope: Delta, mV.
    peak: mV, above which a spike is counted.   reset: mV.   tau_w: ms.   a: nS.   b: pA, what a spike adds to w.   refractory: ms.

    V is in mV, and not measured from rest, where it begins. Steps of .1 ms are usual; NetworkError where one is longer than C / g_L / 4.
    """

    capacitance: float = 281.0
    leak: float = 30.0
    rest: float = -70.6
    threshold: float = -50.4
    slope: float = 2.0
    peak: float = 20.0
    reset: float = -70.6
    tau_w: float = 144.0
    a: float = 4.0
    b: float = 80.5
    refractory: float = 0.0

    from_rest = False

    def __post_init__(self) -> None:
        for name in ("capacitance", "leak", "slope", "tau_w"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"AdEx {name}", above=0))
        for name in ("rest", "threshold", "peak", "reset", "a", "b"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"AdEx {name}"))
        object.__setattr__(self, "refractory", check.finite(self.refractory, "AdEx refractory", least=0, unit=" ms"))
        if not max(self.reset, self.threshold) < self.peak:
            raise NetworkError(f"AdEx reset {self.reset} and threshold {self.threshold} must be below the peak of {self.peak} mV")

    def check(self, dt: float) -> None:
        whole_steps(self.refractory, dt)
        if dt > self.capacitance / self.leak / 4:
            raise NetworkError(f"steps of {dt} ms are too long for a membrane of {self.capacitance / self.leak:.3g} ms; .1 ms is usual")

    def initial(self, zeros: Array) -> AdExState:
        return AdExState(zeros + self.rest, zeros != 0, zeros, zeros)

    def step(self, current: Array, state: AdExState, dt: float) -> AdExState:
        return self.conducting(current, 0.0, state, dt)

    def conducting(self, current: Array, conductance: Any, state: AdExState, dt: float) -> AdExState:
        """The step with a conductance in nS, [..., cell]."""
        before = where(state.spikes, 0.0 * state.voltage + self.reset, state.voltage)
        w = state.adaptation + self.b * state.spikes
        above = before - self.rest
        inward = self.leak * self.slope * exp((before - self.threshold) / self.slope) - self.leak * above
        voltage = before + dt / self.capacitance * (inward - w + current - conductance * before)
        left = where(state.spikes, 0.0 * before + whole_steps(self.refractory, dt), (state.refractory - 1.0) * (state.refractory > 0))
        voltage = where(left > 0, before, voltage)
        return AdExState(lowered(voltage, self.peak), voltage > self.peak, w + dt / self.tau_w * (self.a * above - w), left)

    def rate(self, current: ArrayLike, dt: float = 0.1) -> NDArray[np.float64]:
        """The rate that the cell settles to under a constant current, Hz: the mean of its later intervals in 4 s, since there is no closed
        form. Zero where V has come to rest."""
        drive = np.atleast_1d(np.asarray(current, np.float64))
        state, steps = self.initial(np.zeros(drive.shape)), round(4000.0 / dt)
        first, last, count = np.full(drive.shape, -1), np.zeros(drive.shape, np.int64), np.zeros(drive.shape, np.int64)
        for t in range(steps):
            state = self.step(drive, state, dt)
            if t > steps // 2 and state.spikes.any():
                count += state.spikes
                first, last = np.where(state.spikes & (first < 0), t, first), np.where(state.spikes, t, last)
        made = np.where(count > 1, 1000.0 * (count - 1) / (dt * np.maximum(last - first, 1)), 0.0)
        return made.reshape(np.shape(current))

    def rheobase(self) -> float:
        """The constant current, pA, above which the resting point is gone, where a >= C / tau_w does not make the cell resonate first.

        I = (g_L + a) (V_T - E_L - Delta + Delta ln(1 + a / g_L))            (Touboul & Brette 2008)
        """
        return (self.leak + self.a) * (self.threshold - self.rest - self.slope + self.slope * math.log(1.0 + self.a / self.leak))

    def compiled(self, dt: float) -> CompiledStep:
        from spikemem.kernels import neurons

        membrane = dt / self.capacitance, self.leak, self.rest, self.threshold, self.slope, self.peak, self.reset
        constants = *membrane, dt / self.tau_w, self.a, self.b, float(whole_steps(self.refractory, dt))
        return CompiledStep(neurons.adex, constants, ("voltage", "adaptation", "refractory"))

    def brian2(self, dt: float) -> Brian2Neuron:
        held = " * int(not_refractory)" if self.refractory else ""
        inward = "leak * slope * exp((v - v_t) / slope) - leak * (v - rest) - u + j - opened * v"
        numbers = ("capacitance", "leak", "rest", "slope", "peak", "a", "b")
        return Brian2Neuron(
            model="v : 1\nu : 1\nj : 1\nopened : 1\ninward : 1\nspiking : 1",
            arrival=f"inward = {inward}\nu += dt / tau_w * (a * (v - rest) - u)\nv += dt / ms / capacitance * inward{held}\n"
            "spiking = int(v > peak)\nv = clip(v, -1e300, peak)",
            threshold="spiking > 0",
            reset="v = v_r\nu += b",
            refractory=self.refractory,
            numbers={"v_t": self.threshold, "v_r": self.reset, **{name: getattr(self, name) for name in numbers}},
            times={"tau_w": self.tau_w},
            begin={"v": self.rest},
        )

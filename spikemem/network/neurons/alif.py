"""Leaky integrate-and-fire neurons with an adaptive threshold: each spike raises it, and it falls back within seconds.

    b[t] = rho b[t-1] + (1 - rho) S[t-1]                 rho = exp(-dt / tau_adapt)
    B[t] = theta + jump b[t]
    V[t] = beta V[t-1] + R I[t] - B[t] S[t-1]            beta = exp(-dt / tau)
    S[t] = V[t] > B[t]                                   and no cell spikes for the refractory steps after a spike; V and b go on

As in the LSNN of Bellec et al. (2018), whose V takes (1 - beta) I for R I.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.network.neurons.contract import Array, Brian2Neuron, CompiledStep, Neuron, check, exp, where, whole_steps


class ALIFState(NamedTuple):
    """What an adaptive cell carries from one step to the next, [..., cell] each."""

    voltage: Any
    spikes: Any
    adaptation: Any
    """b, which a spike raises by 1 - rho."""
    refractory: Any
    """Refractory steps left, this one included."""


@dataclass(frozen=True)
class ALIF(Neuron):
    """Leaky integrate-and-fire with an adaptive threshold (Bellec, Salaj, Subramoney, Legenstein & Maass 2018).

        V[t] = beta V[t-1] + R I[t] - B[t] S[t-1],   S[t] = V[t] > B[t],   B[t] = theta + jump b[t]

    tau: membrane time constant, ms, > 0.   threshold: theta, > 0.   tau_adapt: time constant of b, ms, > 0.
    jump: how far the threshold would rise if the cell spiked in each step, >= 0.   refractory: ms, >= 0, a whole number of steps.
    resistance: R, what a unit of current adds to V in one step, > 0.

    Raises NetworkError where a parameter is out of its range.

    >>> ALIF().rate([0.04, 0.1]).round(1).tolist()
    [0.0, 61.9]
    """

    tau: float = 20.0
    threshold: float = 1.0
    tau_adapt: float = 200.0
    jump: float = 1.8
    refractory: float = 0.0
    resistance: float = 1.0

    def __post_init__(self) -> None:
        for name in ("tau", "threshold", "tau_adapt", "resistance"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"ALIF {name}", above=0))
        for name in ("jump", "refractory"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"ALIF {name}", least=0))

    def decays(self, dt: float) -> tuple[float, float]:
        """beta and rho, the decay of V and of b in one step of dt ms."""
        return math.exp(-dt / self.tau), math.exp(-dt / self.tau_adapt)

    def check(self, dt: float) -> None:
        whole_steps(self.refractory, dt)

    def initial(self, zeros: Array) -> ALIFState:
        return ALIFState(zeros, zeros != 0, zeros, zeros)

    def restart(self, state: ALIFState) -> ALIFState:
        """V and S are 0, no cell is refractory; b goes on."""
        return super().restart(state)._replace(refractory=0 * state.refractory)

    def step(self, current: Array, state: ALIFState, dt: float) -> ALIFState:
        return self._moved(self.decays(dt)[0], self.resistance * current, state, dt)

    def conducting(self, current: Array, conductance: Array, state: ALIFState, dt: float) -> ALIFState:
        """The step with open channels, which shorten the membrane's time constant, by exponential Euler; see `LIF.conducting`."""
        gain = self._gain(dt)
        opened = 1.0 + gain * conductance
        decay = exp(opened * (-dt / self.tau))
        return self._moved(decay, gain * (1.0 - decay) / opened * current, state, dt)

    def _gain(self, dt: float) -> float:
        """What a unit of constant current raises V to."""
        return self.resistance / -math.expm1(-dt / self.tau)

    def _moved(self, beta: Any, rise: Array, state: ALIFState, dt: float) -> ALIFState:
        """A step with V[t] = beta V[t-1] + rise."""
        rho, rest = self.decays(dt)[1], whole_steps(self.refractory, dt)
        spiked = state.spikes + 0.0 * state.voltage  # as numbers of the state's own kind
        adaptation = rho * state.adaptation + (1.0 - rho) * spiked
        limit = self.threshold + self.jump * adaptation
        voltage = beta * state.voltage + rise - limit * spiked
        left = where(state.spikes, 0.0 * voltage + rest, (state.refractory - 1.0) * (state.refractory > 0))
        return ALIFState(voltage, (voltage > limit) & ~(left > 0), adaptation, left)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The rate that the cell settles to, Hz: on an orbit of n steps, with V_inf = R I / (1 - beta), the voltage comes back to the limit

            V_inf - B' beta^(n-1) / (1 - beta^n) = B      b = (1 - rho) rho^(n-1) / (1 - rho^n),   B' = theta + jump (rho b + 1 - rho)

        which is solved for n by bisection; n is at least the refractory steps and one.
        """
        (beta, rho), ceiling = self.decays(dt), self.resistance * np.asarray(current, np.float64)
        ceiling = ceiling / (1.0 - beta)
        shortest = 1.0 + whole_steps(self.refractory, dt)
        low, high = np.full(ceiling.shape, shortest), np.full(ceiling.shape, 1e7)
        for _ in range(90):
            n = (low + high) / 2
            before = (1.0 - rho) * rho ** (n - 1) / -np.expm1(n * math.log(rho))
            after = self.threshold + self.jump * (rho * before + 1.0 - rho)
            lacks = self.threshold + self.jump * before + after * beta ** (n - 1) / -np.expm1(n * math.log(beta)) > ceiling
            low, high = np.where(lacks, n, low), np.where(lacks, high, n)
        return np.where(ceiling > self.threshold, 1000.0 / (dt * high), 0.0)

    def compiled(self, dt: float) -> CompiledStep:
        from spikemem.kernels import neurons

        rest = float(whole_steps(self.refractory, dt))
        constants = *self.decays(dt), self.threshold, self.jump, self.resistance, rest, self._gain(dt), dt / self.tau
        return CompiledStep(neurons.alif, constants, ("voltage", "adaptation", "refractory"))

    def brian2(self, dt: float) -> Brian2Neuron:
        free = " and not_refractory" if self.refractory else ""
        return Brian2Neuron(
            model="dv/dt = -v / tau : 1\ndb/dt = -b / tau_adapt : 1\nj : 1\nspiked : 1",
            arrival="b += (1 - exp(-dt / tau_adapt)) * spiked\nv += resistance * j - (theta + jump * b) * spiked\nspiked = 0",
            threshold=f"v > theta + jump * b{free}",
            reset="spiked = 1",
            restart="v = 0\nspiked = 0",
            refractory=self.refractory,
            numbers={"theta": self.threshold, "jump": self.jump, "resistance": self.resistance},
            times={"tau": self.tau, "tau_adapt": self.tau_adapt},
        )

    def brian2_conducting(self, dt: float) -> Brian2Neuron:
        """The same, with the exponential Euler step in `arrival`."""
        text, wide = self.brian2(dt), "(1 + gain * opened)"
        plain, opens = "v += resistance * j", f"v += (gain * j / {wide} - v) * (1 - exp(-dt / tau * {wide}))"
        model = text.model.replace("dv/dt = -v / tau : 1", "v : 1\nopened : 1")
        return text._replace(model=model, arrival=text.arrival.replace(plain, opens), numbers={**text.numbers, "gain": self._gain(dt)})

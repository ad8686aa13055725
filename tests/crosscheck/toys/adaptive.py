"""A neuron from outside: leaky integrate-and-fire with a threshold that each spike raises."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.network import Brian2Neuron, Neuron


class AdaptiveState(NamedTuple):
    """V, S and the adaptation a, [..., cell]."""

    voltage: Any
    spikes: Any
    adaptation: Any


@dataclass(frozen=True)
class Adaptive(Neuron):
    """Leaky integrate-and-fire with an adaptive threshold (Bellec et al. 2018).

        a[t] = rho a[t-1] + jump S[t-1]                      rho = exp(-dt / tau_a)
        V[t] = beta V[t-1] + I[t] - theta S[t-1]             beta = exp(-dt / tau)
        S[t] = V[t] > theta + a[t]

    tau, tau_a: ms, > 0.   threshold: theta, > 0.   jump: what a spike adds to the threshold, >= 0.
    """

    tau: float = 20.0
    threshold: float = 1.0
    tau_a: float = 50.0
    jump: float = 0.2

    def initial(self, zeros: Any) -> AdaptiveState:
        return AdaptiveState(zeros, zeros != 0, zeros)

    def step(self, current: Any, state: AdaptiveState, dt: float) -> AdaptiveState:
        beta, rho = math.exp(-dt / self.tau), math.exp(-dt / self.tau_a)
        spiked = state.spikes + 0.0 * state.voltage  # as numbers of the state's own kind
        adaptation = rho * state.adaptation + self.jump * spiked
        voltage = beta * state.voltage + current - self.threshold * spiked
        return AdaptiveState(voltage, voltage > self.threshold + adaptation, adaptation)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """On an orbit of n steps V_inf - theta beta^(n-1) / (1 - beta^n) = theta + jump rho^(n-1) / (1 - rho^n), solved by bisection."""
        beta, rho = math.exp(-dt / self.tau), math.exp(-dt / self.tau_a)
        ceiling = np.asarray(current, dtype=np.float64) / (1.0 - beta)
        low, high = np.ones(ceiling.shape), np.full(ceiling.shape, 1e6)
        for _ in range(80):
            n = (low + high) / 2
            lacks = self.threshold * (1.0 + beta ** (n - 1) / (1 - beta**n)) + self.jump * rho ** (n - 1) / (1 - rho**n) > ceiling
            low, high = np.where(lacks, n, low), np.where(lacks, high, n)
        return np.where(ceiling > self.threshold, 1000.0 / (dt * high), 0.0)

    def brian2(self, dt: float) -> Brian2Neuron:
        return Brian2Neuron(
            model="dv/dt = -v / tau : 1\nda/dt = -a / tau_a : 1\nj : 1\nspiked : 1",
            arrival="v += j - theta * spiked\na += jump * spiked\nspiked = 0",
            threshold="v > theta + a",
            reset="spiked = 1",
            restart="v = 0\nspiked = 0",
            numbers={"theta": self.threshold, "jump": self.jump},
            times={"tau": self.tau, "tau_a": self.tau_a},
        )

"""Neurons: the parameters, the one step, and the analytic rate, side by side.

The step contract, the same in every simulator, in this order at step t:

    I[t] = sum over projections of W . S_pre[t - delay]  +  external current[t]
    V[t] = beta V[t-1] + I[t] - theta S[t-1]             beta = exp(-dt / tau)
    S[t] = V[t] > theta                                  strict; then the population's inhibition chooses

V and S start at 0. A recorded voltage is V[t] after the inhibition has chosen and before the reset, which happens at t + 1.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError

Array = TypeVar("Array", bound=Any)  # a numpy array or a torch tensor


class LIFState(NamedTuple):
    """What a leaky integrate-and-fire cell carries from one step to the next."""

    voltage: Any
    """V, dimensionless, [..., cell]."""
    spikes: Any
    """S, 0 or 1, [..., cell]."""


@dataclass(frozen=True)
class LIF:
    """Leaky integrate-and-fire, reset by subtraction (Lapicque 1907; the discrete form of `snntorch.Leaky`, Eshraghian 2023).

        V[t] = beta V[t-1] + I[t] - theta S[t-1],   S[t] = V[t] > theta,   beta = exp(-dt / tau)

    tau: membrane time constant, ms, > 0; `math.inf` gives the perfect integrator (beta = 1).
    threshold: theta, dimensionless, > 0.

    Raises NetworkError where a parameter is out of its range.

    >>> LIF(tau=20.0).beta(dt=1.0).__round__(4)
    0.9512
    """

    tau: float = 20.0
    threshold: float = 1.0

    def __post_init__(self) -> None:
        if not self.tau > 0:
            raise NetworkError(f"LIF tau is {self.tau} ms; it must be above 0 (math.inf for no leak)")
        if not (self.threshold > 0 and math.isfinite(self.threshold)):
            raise NetworkError(f"LIF threshold is {self.threshold}; it must be finite and above 0")

    def beta(self, dt: float) -> float:
        """The decay of the membrane in one step of dt ms, in (0, 1]."""
        return math.exp(-dt / self.tau)

    def step(self, current: Array, state: LIFState, dt: float) -> LIFState:
        """One step of the contract, for numpy arrays and torch tensors alike.

        current: I[t], [..., cell].   state: V and S of step t - 1.   Returns the state of step t.
        """
        voltage = self.beta(dt) * state.voltage + current - self.threshold * state.spikes
        return LIFState(voltage, voltage > self.threshold)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The firing rate in Hz under a constant current; a simulation's mean interval is within one step of its inverse.

        On a periodic orbit of n steps the voltage at the spike is V = I / (1 - beta) - theta beta^(n-1) / (1 - beta^n). Setting it to
        theta gives the interval

            n = 1 + (tau / dt) ln(beta + theta / (I / (1 - beta) - theta))        n = theta / I  for tau = inf,

        which is at least one step: a cell spikes at most once a step.

        >>> LIF(tau=math.inf).rate([0.0, 0.1, 0.5, 3.0]).tolist()
        [0.0, 100.0, 500.0, 1000.0]
        """
        drive = np.asarray(current, dtype=np.float64)
        beta = self.beta(dt)
        interval = np.full(drive.shape, np.inf)
        if beta == 1.0:
            fires = drive > 0
            interval[fires] = self.threshold / drive[fires]
        else:
            ceiling = drive / (1.0 - beta)
            fires = ceiling > self.threshold
            interval[fires] = 1.0 + (self.tau / dt) * np.log(beta + self.threshold / (ceiling[fires] - self.threshold))
        return 1000.0 / (dt * np.maximum(interval, 1.0))

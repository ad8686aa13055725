"""Spike-timing-dependent plasticity (pair STDP): parameters, one time step, the learning window, and the same rule as Brian2 equations.

The step of `plasticity.contract`, on the spikes `pre` and `post` that a synapse sees at the end of step t:

    x   <- x exp(-dt / tau_plus)                   y   <- y exp(-dt / tau_minus)
    w   <- w + drift dt where w > divide, w - drift dt elsewhere
    post:  w <- w + A+(w) x,   then   y <- y + 1   (y <- 1 where only the nearest spike counts)
    pre:   w <- w - A-(w) y,   then   x <- x + 1   (x <- 1)

in this order where a coincidence depresses, pre before post where it potentiates; w is clipped to [w_min, w_max] after each line;

    A+(w) = a_plus,  A-(w) = a_minus                                     additive (Song, Miller & Abbott 2000)
    A+(w) = a_plus (w_max - w),  A-(w) = a_minus (w - w_min)             multiplicative (van Rossum, Bi & Turrigiano 2000)
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import FINITE
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.plasticity.contract import Brian2Rule, CompiledRule, PlasticityRule


class STDPState(NamedTuple):
    """What a plastic projection carries from one step to the next."""

    weights: Any
    """w, [..., pre, post]."""
    pre_trace: Any
    """x, [..., pre]."""
    post_trace: Any
    """y, [..., post]."""


@dataclass(frozen=True)
class STDP(PlasticityRule):
    """Pair-based spike-timing-dependent plasticity with hard bounds (Bi & Poo 1998; Morrison, Diesmann & Gerstner 2008).

        dw = A+(w) exp(-lag / tau_plus)   for lag = t_post - t_pre > 0,      dw = -A-(w) exp(lag / tau_minus)   for lag < 0,

    with the times at which the synapse sees the spikes. The whole contract is stated at the head of this module.

    a_plus, a_minus: in the unit of the weights (additive), or shares of what is left (multiplicative); >= 0.
    tau_plus, tau_minus: ms, > 0.   w_min, w_max: hard bounds.
    pairing: "all" (all-to-all) or "nearest" (each spike pairs with the nearest earlier one of the other side).
    dependence: "additive" or "multiplicative".
    dendritic: ms, the part of the projection's delay behind the synapse, from 0 to the whole of it.
    coincidence: what lag 0 does, "depression" or "potentiation".
    drift: how fast a weight drifts to the nearer of two stable states, its bounds, in its unit per ms, >= 0 (the bistable synapse of
        Fusi et al. 2000 and of Brader, Senn & Fusi 2007); it costs a look at every synapse in every step.
    divide: the weight that divides the two basins; the middle of the bounds by default.

    Raises NetworkError where a parameter is out of its range.
    """

    a_plus: float = 0.01
    a_minus: float = 0.0105
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    w_min: float = 0.0
    w_max: float = 1.0
    pairing: Literal["all", "nearest"] = "all"
    dependence: Literal["additive", "multiplicative"] = "additive"
    dendritic: float = 0.0
    coincidence: Literal["depression", "potentiation"] = "depression"
    drift: float = 0.0
    divide: float | None = None

    def __post_init__(self) -> None:
        least = dict.fromkeys(("a_plus", "a_minus", "dendritic", "drift"), 0.0)
        above = dict.fromkeys(("tau_plus", "tau_minus"), 0.0)
        for name in (*least, *above, "w_min", "w_max", *(["divide"] if self.divide is not None else [])):
            low, unit = (least.get(name, -FINITE), above.get(name, -math.inf)), " ms" if name in above else ""
            value = check.finite(getattr(self, name), f"STDP {name}", least=low[0], above=low[1], unit=unit)
            object.__setattr__(self, name, value)  # the dataclass is frozen
        if not self.w_min < self.w_max:
            raise NetworkError(f"STDP bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")
        if not self.w_min <= self.basin <= self.w_max:
            raise NetworkError(f"STDP divide is {self.divide}; it must lie between w_min {self.w_min} and w_max {self.w_max}")
        check.choice(self.pairing, "STDP pairing", ("all", "nearest"))
        check.choice(self.dependence, "STDP dependence", ("additive", "multiplicative"))
        check.choice(self.coincidence, "STDP coincidence", ("depression", "potentiation"))

    @property
    def basin(self) -> float:
        """The weight above which the drift goes up; below it goes down."""
        return (self.w_min + self.w_max) / 2 if self.divide is None else self.divide

    def drifted(self, weights: Any, dt: float) -> Any:
        """The weights after a step's drift, for numpy arrays and torch tensors alike."""
        if not self.drift:
            return weights
        upward, amount = weights > self.basin, self.drift * dt
        return ((weights + amount) * upward + (weights - amount) * ~upward).clip(self.w_min, self.w_max)

    def decays(self, dt: float) -> tuple[float, float]:
        """The decay of x and of y in one step of dt ms."""
        return math.exp(-dt / self.tau_plus), math.exp(-dt / self.tau_minus)

    def initial(self, weights: Any, pre: Any, post: Any) -> STDPState:
        return STDPState(weights, pre, post)

    def step(self, pre: Any, post: Any, state: STDPState, dt: float) -> STDPState:
        """One step of the contract on all-to-all synapses, for numpy arrays and torch tensors alike.

        pre, post: the spikes that the synapses see, bool, [..., pre] and [..., post].   Returns the state at the end of the step.
        """
        weights, x, y = state
        plus, minus = self.decays(dt)
        weights, x, y = self.drifted(weights, dt), plus * x, minus * y
        if self.coincidence == "depression":
            weights, y = self._potentiated(weights, x, post), self._spiked(y, post)
            return STDPState(self._depressed(weights, y, pre), self._spiked(x, pre), y)
        weights, x = self._depressed(weights, y, pre), self._spiked(x, pre)
        return STDPState(self._potentiated(weights, x, post), x, self._spiked(y, post))

    def _spiked(self, trace: Any, spikes: Any) -> Any:
        return trace + spikes if self.pairing == "all" else trace * ~spikes + spikes

    def _potentiated(self, weights: Any, x: Any, post: Any) -> Any:
        if not post.any():
            return weights
        room = self.w_max - weights if self.dependence == "multiplicative" else 1.0
        return (weights + self.a_plus * room * x[..., :, None] * post[..., None, :]).clip(self.w_min, self.w_max)

    def _depressed(self, weights: Any, y: Any, pre: Any) -> Any:
        if not pre.any():
            return weights
        room = weights - self.w_min if self.dependence == "multiplicative" else 1.0
        return (weights - self.a_minus * room * y[..., None, :] * pre[..., :, None]).clip(self.w_min, self.w_max)

    def compiled(self, dt: float) -> CompiledRule:
        kinds = self.dependence == "multiplicative", self.pairing == "nearest", self.coincidence == "depression"
        drift = self.drift * dt, self.basin
        return CompiledRule(self.a_plus, self.a_minus, *self.decays(dt), *drift, self.w_min, self.w_max, *kinds)

    def brian2(self) -> Brian2Rule:
        """The same rule for Brian2, event-driven as in its own STDP example."""
        soft, jump = self.dependence == "multiplicative", "+= 1" if self.pairing == "all" else "= 1"
        rise, fall = (" * (w_max - w)", " * (w - w_min)") if soft else ("", "")
        drift = "w = clip(w + int(t > 0 * second) * (drift / ms) * dt * (2 * int(w > divide) - 1), w_min, w_max)"
        return Brian2Rule(
            model="w : 1\ndx/dt = -x / tau_plus : 1 (event-driven)\ndy/dt = -y / tau_minus : 1 (event-driven)",
            on_post=f"w = clip(w + a_plus{rise} * x, w_min, w_max)\ny {jump}",
            on_pre=f"w = clip(w - a_minus{fall} * y, w_min, w_max)\nx {jump}",
            post_first=self.coincidence == "depression",
            each_step=drift if self.drift else "",
            numbers={**{name: getattr(self, name) for name in ("a_plus", "a_minus", "w_min", "w_max", "drift")}, "divide": self.basin},
            times={"tau_plus": self.tau_plus, "tau_minus": self.tau_minus},
        )

    def window(self, lag: ArrayLike, weight: float = 0.5) -> NDArray[np.float64]:
        """The STDP window: the change dw of a weight by one pair of spikes, bounds applied.

        lag: t_post - t_pre as the synapse sees them, ms, any shape.   weight: before the pair.   Returns dw in the shape of lag.

        >>> STDP(a_plus=0.1, a_minus=0.1, tau_plus=10.0, tau_minus=10.0).window([-10.0, 0.0, 10.0]).round(4).tolist()
        [-0.0368, -0.1, 0.0368]
        """
        lag, weight = check.floats(lag, "lag"), check.finite(weight, "weight")
        multiplicative = self.dependence == "multiplicative"
        rise = self.a_plus * (self.w_max - weight if multiplicative else 1.0) * np.exp(-np.maximum(lag, 0) / self.tau_plus)
        fall = self.a_minus * (weight - self.w_min if multiplicative else 1.0) * np.exp(np.minimum(lag, 0) / self.tau_minus)
        rises = lag >= 0 if self.coincidence == "potentiation" else lag > 0
        return np.clip(weight + np.where(rises, rise, -fall), self.w_min, self.w_max) - weight

"""STDP of inhibitory synapses, which brings each postsynaptic cell to a rate of its own: balance by learning.

The step of `plasticity.contract`, on the spikes `pre` and `post` that a synapse sees at the end of step t:

    x   <- x exp(-dt / tau)                        y   <- y exp(-dt / tau)
    post:  w <- w + eta x,             then   y <- y + 1
    pre:   w <- w + eta (y - alpha),   then   x <- x + 1            alpha = 2 target tau

in this order; w is clipped to [w_min, w_max] after each line. Near-coincident spikes of both sides potentiate whatever their order, and a
presynaptic spike alone depresses, so that w stands still where the postsynaptic rate is the target (Vogels et al. 2011).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.plasticity.contract import Brian2Rule, CompiledRule, PlasticityRule
from spikemem.network.plasticity.stdp import STDPState


@dataclass(frozen=True)
class InhibitorySTDP(PlasticityRule):
    """Symmetric STDP with a target rate (Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011).

        dw = eta exp(-|lag| / tau) for each pair of spikes,      dw = -eta alpha for each presynaptic spike,      alpha = 2 target tau

    Weights are magnitudes, >= 0, as those of a conductance (`Exponential(tau, reversal=...)`) whose reversal potential inhibits.

    eta: learning rate, in the unit of the weights, > 0.   tau: ms, > 0.   target: rate of the postsynaptic cells, Hz, >= 0.
    w_min, w_max: hard bounds.   dendritic: ms, the part of the projection's delay behind the synapse.

    Raises NetworkError where a parameter is out of its range.

    >>> InhibitorySTDP(target=5.0, tau=20.0).alpha.__round__(6)
    0.2
    """

    eta: float = 0.01
    tau: float = 20.0
    target: float = 3.0
    w_min: float = 0.0
    w_max: float = 1.0
    dendritic: float = 0.0

    def __post_init__(self) -> None:
        for name in ("eta", "tau"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"InhibitorySTDP {name}", above=0))
        for name in ("target", "dendritic"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"InhibitorySTDP {name}", least=0))
        for name in ("w_min", "w_max"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"InhibitorySTDP {name}"))
        if not self.w_min < self.w_max:
            raise NetworkError(f"InhibitorySTDP bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")

    @property
    def alpha(self) -> float:
        """What a presynaptic spike takes away, in units of eta: the expected y at the target rate, twice."""
        return 2.0 * self.target * self.tau / 1000.0

    def initial(self, weights: Any, pre: Any, post: Any) -> STDPState:
        return STDPState(weights, pre, post)

    def step(self, pre: Any, post: Any, state: STDPState, dt: float) -> STDPState:
        decay = math.exp(-dt / self.tau)
        weights, x, y = state.weights, decay * state.pre_trace, decay * state.post_trace
        if post.any():
            weights = (weights + self.eta * x[..., :, None] * post[..., None, :]).clip(self.w_min, self.w_max)
        y = y + post
        if pre.any():
            weights = (weights + self.eta * (y - self.alpha)[..., None, :] * pre[..., :, None]).clip(self.w_min, self.w_max)
        return STDPState(weights, x + pre, y)

    def compiled(self, dt: float) -> CompiledRule:
        decay = math.exp(-dt / self.tau)
        return CompiledRule(
            self.eta, -self.eta, decay, decay, 0.0, 0.0, self.w_min, self.w_max, multiplicative=False, nearest=False, post_first=True,
            target=self.alpha,
        )  # fmt: skip

    def brian2(self) -> Brian2Rule:
        return Brian2Rule(
            model="w : 1\ndx/dt = -x / tau_i : 1 (event-driven)\ndy/dt = -y / tau_i : 1 (event-driven)",
            on_post="w = clip(w + eta * x, w_min, w_max)\ny += 1",
            on_pre="w = clip(w + eta * (y - alpha), w_min, w_max)\nx += 1",
            numbers={"eta": self.eta, "alpha": self.alpha, "w_min": self.w_min, "w_max": self.w_max},
            times={"tau_i": self.tau},
        )

    def window(self, lag: ArrayLike) -> NDArray[np.float64]:
        """The change of a weight by one pair of spikes, bounds left out.   lag: t_post - t_pre as the synapse sees them, ms, any shape.

        >>> InhibitorySTDP(eta=1.0, tau=10.0, target=0.0).window([-10.0, 10.0]).round(4).tolist()
        [0.3679, 0.3679]
        """
        return self.eta * (np.exp(-np.abs(check.floats(lag, "lag")) / self.tau) - self.alpha)

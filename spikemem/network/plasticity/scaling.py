"""Synaptic scaling: all weights onto a cell grow or shrink together, until it fires at its target rate.

The step of `plasticity.contract`, on the spikes `post` that a synapse sees at the end of step t. Between spikes, exactly,

    dw/dt = w (1 - rate / target) / tau            drate/dt = -rate / tau_rate
    post:  rate <- rate + 1 / tau_rate

w is clipped to [w_min, w_max] at the end of each step. The rate, Hz, is that of the postsynaptic cell as its last spikes show it, and
begins at the target. Scaling is multiplicative, so that what the weights of a cell are to one another stays.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check, exp
from spikemem.network.plasticity.contract import Brian2Rule, CompiledScaling, PlasticityRule


class ScalingState(NamedTuple):
    """What a projection with synaptic scaling carries from one step to the next."""

    weights: Any
    """w, [..., pre, post]."""
    rate: Any
    """Hz, [..., post]."""


@dataclass(frozen=True)
class SynapticScaling(PlasticityRule):
    """Multiplicative homeostasis of the rate of each postsynaptic cell (Turrigiano et al. 1998; van Rossum, Bi & Turrigiano 2000).

        dw/dt = w (1 - rate / target) / tau

    target: Hz, > 0.   tau: ms, > 0, in which the weights of a silent cell grow by e.   tau_rate: ms, > 0, over which the rate is measured;
    shorter than tau, or the rate swings around its target.   w_min, w_max: hard bounds.
    dendritic: ms, the part of the projection's delay behind the synapse.

    The paper measured it over days; tau is a choice. Each step looks at every synapse.

    Raises NetworkError where a parameter is out of its range.

    >>> SynapticScaling(target=5.0).target
    5.0
    """

    target: float = 5.0
    tau: float = 20_000.0
    tau_rate: float = 1000.0
    w_min: float = 0.0
    w_max: float = 1.0
    dendritic: float = 0.0

    def __post_init__(self) -> None:
        for name in ("target", "tau", "tau_rate"):
            unit = " Hz" if name == "target" else " ms"
            object.__setattr__(self, name, check.finite(getattr(self, name), f"SynapticScaling {name}", above=0, unit=unit))
        object.__setattr__(self, "dendritic", check.finite(self.dendritic, "SynapticScaling dendritic", least=0))
        for name in ("w_min", "w_max"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"SynapticScaling {name}"))
        if not self.w_min < self.w_max:
            raise NetworkError(f"SynapticScaling bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")

    def constants(self, dt: float) -> tuple[float, float, float, float]:
        """The growth of ln w in a step of dt ms without spikes, what each Hz takes of it, the decay of the rate, and what a spike adds."""
        taken = -math.expm1(-dt / self.tau_rate) * self.tau_rate / self.target / self.tau
        return dt / self.tau, taken, math.exp(-dt / self.tau_rate), 1000.0 / self.tau_rate

    def initial(self, weights: Any, pre: Any, post: Any) -> ScalingState:
        return ScalingState(weights, post + self.target)

    def step(self, pre: Any, post: Any, state: ScalingState, dt: float) -> ScalingState:
        growth, taken, kept, jump = self.constants(dt)
        factor = exp(growth - taken * state.rate)
        weights = (state.weights * factor[..., None, :]).clip(self.w_min, self.w_max)
        return ScalingState(weights, kept * state.rate + (jump + 0.0 * state.rate) * post)  # in numbers of the state's own kind

    def compiled(self, dt: float) -> CompiledScaling:
        return CompiledScaling(self.target, *self.constants(dt), self.w_min, self.w_max)

    def brian2(self) -> Brian2Rule:
        step = "int(t > 0 * second) * dt"  # the first step has nothing before it
        growth = f"({step} - (1 - exp(-{step} / tau_rate)) * tau_rate * rate / target) / tau_scaling"
        return Brian2Rule(
            model="w : 1\nrate : 1",
            on_pre="",
            on_post="rate += second / tau_rate",
            each_step=f"w = clip(w * exp({growth}), w_min, w_max)\nrate *= exp(-{step} / tau_rate)",
            begin={"rate": self.target},
            numbers={name: getattr(self, name) for name in ("target", "w_min", "w_max")},
            times={"tau_scaling": self.tau, "tau_rate": self.tau_rate},
        )

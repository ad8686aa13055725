"""Triplet STDP: pairs of spikes, and what a third one makes of them, which accounts for how plasticity depends on frequency.

The step of `plasticity.contract`, on the spikes `pre` and `post` that a synapse sees at the end of step t; each trace decays with a time
constant of its own, r1 with tau_plus, r2 with tau_x, o1 with tau_minus, o2 with tau_y:

    pre:   w <- w - o1 (a2_minus + a3_minus r2),   then   r1 <- r1 + 1,  r2 <- r2 + 1
    post:  w <- w + r1 (a2_plus + a3_plus o2),     then   o1 <- o1 + 1,  o2 <- o2 + 1

in this order, so that a coincidence potentiates; a spike sees r2 and o2 as they were before it. Where only the nearest spike counts, traces
are set to 1. w is clipped to [w_min, w_max] after each line.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.plasticity.contract import Brian2Rule, CompiledTriplet, PlasticityRule

RATES, TIMES = ("a2_plus", "a3_plus", "a2_minus", "a3_minus"), ("tau_plus", "tau_minus", "tau_x", "tau_y")


class TripletState(NamedTuple):
    """What a projection with triplet STDP carries from one step to the next."""

    weights: Any
    """w, [..., pre, post]."""
    r1: Any
    """[..., pre], as r2."""
    r2: Any
    o1: Any
    """[..., post], as o2."""
    o2: Any


@dataclass(frozen=True)
class TripletSTDP(PlasticityRule):
    """Triplet STDP (Pfister & Gerstner 2006); equations: see the module.

    a2_plus, a3_plus, a2_minus, a3_minus: by pairs and by triplets, in the unit of the weights, >= 0.
    tau_plus, tau_minus, tau_x, tau_y: of r1, o1, r2 and o2, ms, > 0.   w_min, w_max: hard bounds.
    pairing: "all" or the "nearest" spikes count.   dendritic: ms, the part of the projection's delay behind the synapse.

    The defaults are those of NEST's `stdp_triplet_synapse`, of the paper's fit to visual cortex; the paper was not read again.

    Raises NetworkError where a parameter is out of its range.
    """

    a2_plus: float = 5e-10
    a3_plus: float = 6.2e-3
    a2_minus: float = 7e-3
    a3_minus: float = 2.3e-4
    tau_plus: float = 16.8
    tau_minus: float = 33.7
    tau_x: float = 101.0
    tau_y: float = 125.0
    w_min: float = 0.0
    w_max: float = 1.0
    pairing: Literal["all", "nearest"] = "all"
    dendritic: float = 0.0

    def __post_init__(self) -> None:
        for name in (*RATES, "dendritic"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"TripletSTDP {name}", least=0))
        for name in TIMES:
            object.__setattr__(self, name, check.finite(getattr(self, name), f"TripletSTDP {name}", above=0, unit=" ms"))
        for name in ("w_min", "w_max"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"TripletSTDP {name}"))
        if not self.w_min < self.w_max:
            raise NetworkError(f"TripletSTDP bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")
        check.choice(self.pairing, "TripletSTDP pairing", ("all", "nearest"))

    def decays(self, dt: float) -> tuple[float, float, float, float]:
        """The decay of r1, r2, o1 and o2 in one step of dt ms."""
        r1, o1, r2, o2 = (math.exp(-dt / getattr(self, name)) for name in TIMES)
        return r1, r2, o1, o2

    def initial(self, weights: Any, pre: Any, post: Any) -> TripletState:
        return TripletState(weights, pre, pre, post, post)

    def step(self, pre: Any, post: Any, state: TripletState, dt: float) -> TripletState:
        weights = state.weights
        r1, r2, o1, o2 = (decay * trace for decay, trace in zip(self.decays(dt), state[1:], strict=True))
        if pre.any():
            falls = pre * (self.a2_minus + self.a3_minus * r2)
            weights = (weights - o1[..., None, :] * falls[..., :, None]).clip(self.w_min, self.w_max)
        r1, r2 = self._spiked(r1, pre), self._spiked(r2, pre)
        if post.any():
            rises = post * (self.a2_plus + self.a3_plus * o2)
            weights = (weights + r1[..., :, None] * rises[..., None, :]).clip(self.w_min, self.w_max)
        return TripletState(weights, r1, r2, self._spiked(o1, post), self._spiked(o2, post))

    def _spiked(self, trace: Any, spikes: Any) -> Any:
        return trace + spikes if self.pairing == "all" else trace * ~spikes + spikes

    def compiled(self, dt: float) -> CompiledTriplet:
        amounts = self.a2_plus, self.a3_plus, self.a2_minus, self.a3_minus
        return CompiledTriplet(*amounts, *self.decays(dt), self.w_min, self.w_max, self.pairing == "nearest")

    def brian2(self) -> Brian2Rule:
        jump = "+= 1" if self.pairing == "all" else "= 1"
        traces = {"r1": "tau_plus", "r2": "tau_x", "o1": "tau_minus", "o2": "tau_y"}
        return Brian2Rule(
            model="w : 1\n" + "\n".join(f"d{name}/dt = -{name} / {tau} : 1 (event-driven)" for name, tau in traces.items()),
            on_pre=f"w = clip(w - o1 * (a2_minus + a3_minus * r2), w_min, w_max)\nr1 {jump}\nr2 {jump}",
            on_post=f"w = clip(w + r1 * (a2_plus + a3_plus * o2), w_min, w_max)\no1 {jump}\no2 {jump}",
            post_first=False,
            numbers={name: getattr(self, name) for name in (*RATES, "w_min", "w_max")},
            times={name: getattr(self, name) for name in TIMES},
        )

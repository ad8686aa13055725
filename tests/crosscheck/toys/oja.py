"""A plasticity rule from outside: Oja's, on spikes."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from spikemem.network import Brian2Rule, PlasticityRule


class OjaState(NamedTuple):
    """w, [..., pre, post], and the presynaptic trace x, [..., pre]."""

    weights: Any
    trace: Any


@dataclass(frozen=True)
class Oja(PlasticityRule):
    """Hebbian growth that bounds itself: at a postsynaptic spike a weight moves towards its presynaptic trace (Oja 1982).

        x <- x exp(-dt / tau),   pre: x <- x + 1,   then   post: w <- w + rate (x - w)

    rate: share of the way, from 0 to 1.   tau: of the trace, ms, > 0.
    """

    rate: float = 0.1
    tau: float = 20.0

    def initial(self, weights: Any, pre: Any, post: Any) -> OjaState:
        return OjaState(weights, pre)

    def step(self, pre: Any, post: Any, state: OjaState, dt: float) -> OjaState:
        trace = math.exp(-dt / self.tau) * state.trace + pre
        return OjaState(state.weights + self.rate * (trace[..., :, None] - state.weights) * post[..., None, :], trace)

    def brian2(self) -> Brian2Rule:
        return Brian2Rule(
            model="w : 1\ndx/dt = -x / tau : 1 (event-driven)",
            on_pre="x += 1",
            on_post="w += rate * (x - w)",
            post_first=False,
            numbers={"rate": self.rate},
            times={"tau": self.tau},
        )

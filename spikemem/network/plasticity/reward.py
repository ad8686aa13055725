"""Reward-modulated STDP: what two spikes would change is remembered for a while, and becomes a change when a reward comes.

The step of `plasticity.contract`, on the spikes `pre` and `post` that a synapse sees at the end of step t, and on the n spikes of the
reward population in step t. Between spikes, exactly,

    dw/dt = c (d - baseline)        dc/dt = -c / tau_c        dd/dt = -d / tau_d        x, y as in `stdp`

    post:    c <- c + a_plus x,    then   y <- y + 1
    pre:     c <- c - a_minus y,   then   x <- x + 1
    reward:  d <- d + n / tau_d

in this order; w is clipped to [w_min, w_max] at the end of each step, before the spikes. c is the eligibility of a synapse, in the unit of
w. d is what the reward leaves everywhere, dopamine; its integral over time is 1 for a spike, so that a reward at which a synapse has the
eligibility c changes w by c tau_c / (tau_c + tau_d), where nothing follows.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.plasticity.contract import Brian2Rule, CompiledReward, PlasticityRule

TIMES = ("tau_plus", "tau_minus", "tau_c", "tau_d")


class RewardState(NamedTuple):
    """What a projection with reward-modulated STDP carries from one step to the next."""

    weights: Any
    """w, [..., pre, post]."""
    eligibility: Any
    """c, [..., pre, post]."""
    pre_trace: Any
    """x, [..., pre]."""
    post_trace: Any
    """y, [..., post]."""
    level: Any
    """d, 1/ms, [..., 1]."""


@dataclass(frozen=True)
class RewardSTDP(PlasticityRule):
    """STDP through eligibility traces and dopamine (Izhikevich 2007; Fremaux & Gerstner 2016); equations: see the module.

    reward: the population whose spikes are the reward, such as a source, or dopaminergic cells; it must be in the network by then.
    a_plus, a_minus: what a pair of spikes adds to the eligibility, in the unit of the weights, >= 0.
    tau_plus, tau_minus: of the STDP window, tau_c: of the eligibility, tau_d: of dopamine; ms, > 0.
    baseline: rate of reward spikes, of the whole population, at which nothing changes, Hz: the reward that is expected.
    w_min, w_max: hard bounds.   dendritic: ms, the part of the projection's delay behind the synapse.

    The time constants are those of Izhikevich (2007), which was not read again. Each step looks at every synapse.

    Raises NetworkError where a parameter is out of its range.

    >>> RewardSTDP(reward="dopamine").reward
    'dopamine'
    """

    reward: str = "reward"
    a_plus: float = 0.01
    a_minus: float = 0.0105
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    tau_c: float = 1000.0
    tau_d: float = 200.0
    baseline: float = 0.0
    w_min: float = 0.0
    w_max: float = 1.0
    dendritic: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "reward", check.text(self.reward, "RewardSTDP reward, the name of a population,"))
        for name in ("a_plus", "a_minus", "dendritic"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"RewardSTDP {name}", least=0))
        for name in TIMES:
            object.__setattr__(self, name, check.finite(getattr(self, name), f"RewardSTDP {name}", above=0, unit=" ms"))
        for name in ("baseline", "w_min", "w_max"):
            object.__setattr__(self, name, check.finite(getattr(self, name), f"RewardSTDP {name}"))
        if not self.w_min < self.w_max:
            raise NetworkError(f"RewardSTDP bounds are {self.w_min} and {self.w_max}; w_min must lie below w_max")

    def decays(self, dt: float) -> tuple[float, float, float, float]:
        """The decay of x, y, c and d in one step of dt ms."""
        plus, minus, c, d = (math.exp(-dt / getattr(self, name)) for name in TIMES)
        return plus, minus, c, d

    def gains(self, dt: float) -> tuple[float, float]:
        """The integrals of c d and of c baseline over a step of dt ms that begins with c = 1 and d = 1/ms."""
        both = 1.0 / self.tau_c + 1.0 / self.tau_d
        return -math.expm1(-dt * both) / both, -math.expm1(-dt / self.tau_c) * self.tau_c * self.baseline / 1000.0

    def initial(self, weights: Any, pre: Any, post: Any) -> RewardState:
        return RewardState(weights, 0.0 * weights, pre, post, pre[..., :1])

    def step(self, pre: Any, post: Any, state: RewardState, dt: float) -> RewardState:
        weights, c, x, y, level = state
        (plus, minus, kept, left), (gain, lost) = self.decays(dt), self.gains(dt)
        weights = (weights + c * (gain * level - lost)[..., None]).clip(self.w_min, self.w_max)
        c, x, y = kept * c, plus * x, minus * y
        if post.any():
            c = c + self.a_plus * x[..., :, None] * post[..., None, :]
        y = y + post
        if pre.any():
            c = c - self.a_minus * y[..., None, :] * pre[..., :, None]
        return RewardState(weights, c, x + pre, y, left * level)

    def rewarded(self, spikes: Any, state: RewardState) -> RewardState:
        return state._replace(level=state.level + spikes / self.tau_d)

    def compiled(self, dt: float) -> CompiledReward:
        return CompiledReward(self.a_plus, self.a_minus, *self.decays(dt), *self.gains(dt), 1.0 / self.tau_d, self.w_min, self.w_max)

    def brian2(self) -> Brian2Rule:
        both, kept = "(1 / tau_c + 1 / tau_d)", "(1 - exp(-dt / tau_c)) * tau_c"
        gain = f"level * (1 - exp(-dt * {both})) / {both} - baseline / second * {kept}"
        return Brian2Rule(
            model="w : 1\neligibility : 1\nlevel : Hz\ndx/dt = -x / tau_plus : 1 (event-driven)\ndy/dt = -y / tau_minus : 1 (event-driven)",
            on_post="eligibility += a_plus * x\ny += 1",
            on_pre="eligibility -= a_minus * y\nx += 1",
            each_step=f"w = clip(w + eligibility * ({gain}), w_min, w_max)\neligibility *= exp(-dt / tau_c)\nlevel *= exp(-dt / tau_d)",
            on_reward="level_post += 1 / tau_d",
            numbers={name: getattr(self, name) for name in ("a_plus", "a_minus", "baseline", "w_min", "w_max")},
            times={name: getattr(self, name) for name in TIMES},
        )

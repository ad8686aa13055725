"""Plastic projections of the event-driven simulator: what they carry, and how they learn from the spikes that they see.

Rules that give constants for the compiled kernels touch the synapses of spikes alone. Any other runs by its own `step` in numpy, on
all-to-all weights.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import plastic
from spikemem.network.graph import Network, Projection
from spikemem.network.plasticity.coincidence import CoincidenceState
from spikemem.network.plasticity.contract import (
    CompiledCoincidence,
    CompiledReward,
    CompiledRule,
    CompiledScaling,
    CompiledTriplet,
    PlasticityRule,
)
from spikemem.network.plasticity.reward import RewardState
from spikemem.network.plasticity.scaling import ScalingState
from spikemem.network.plasticity.stdp import STDPState
from spikemem.network.plasticity.triplet import TripletState
from spikemem.network.synapses import Dense, OneBit, Sparse, Synapses, joined
from spikemem.simulators.state import RuleState, as_numpy, filled

Events = NDArray[np.int64]  # rows (batch, cell, rank in the cycle), in firing order


class PlasticProjection(Protocol):
    """A plastic projection.   forth, back: after how many steps its synapses see presynaptic and postsynaptic spikes.

    reward: the population whose spikes are a reward, None where there is none.   synaptic: the fields of the state that are of synapses.
    """

    forth: int
    back: int
    reward: str | None
    synaptic: tuple[str, ...]

    def deliver(self, events: Events, current: NDArray[np.float64], amount: NDArray[np.float64] | None = None) -> None:
        """Add what the events cause, [batch, post].   amount: the factor on what each brings, [event], 1 where None."""

    def learn(self, pre: Events, post: Events) -> None:
        """One step of the rule on the spikes that the synapses see."""

    def rewarded(self, events: Events) -> None:
        """Take the spikes of the reward population, behind the step."""

    def state(self) -> Any:
        """The state as the rule has it; the weights are [batch, synapse] or [batch, pre, post]."""

    def resume(self, state: RuleState) -> None:
        """Go on from such a state."""


def learner(net: Network, projection: Projection, batches: int) -> PlasticProjection:
    """What carries and teaches a plastic projection."""
    rule = projection.plasticity
    assert rule is not None
    constants, synapses = rule.compiled(net.dt), projection.synapses
    made: PlasticProjection
    if isinstance(constants, CompiledCoincidence):
        made = _CompiledCoincidence(synapses, constants, batches)
    elif isinstance(constants, CompiledRule) and not isinstance(synapses, OneBit):
        made = _CompiledRule(synapses, constants, batches)
    elif isinstance(constants, CompiledTriplet) and not isinstance(synapses, OneBit):
        made = _CompiledTriplet(synapses, constants, batches)
    elif isinstance(constants, CompiledReward) and not isinstance(synapses, OneBit):
        made = _CompiledReward(synapses, constants, batches)
    elif isinstance(constants, CompiledScaling) and not isinstance(synapses, OneBit):
        made = _CompiledScaling(synapses, constants, batches)
    else:
        made = _SteppedRule(synapses, rule, batches, net.dt)
    made.back = net.steps(rule.dendritic)
    made.forth, made.reward = net.steps(projection.delay) - made.back, rule.reward
    return made


class LearnerBase:
    """What `learner` sets in each, and what most have no use for."""

    forth = back = 0
    reward: str | None = None
    synaptic: tuple[str, ...] = ("weights",)

    def rewarded(self, events: Events) -> None:
        """Nothing: most rules know no reward."""


class _CompiledSynapses(LearnerBase):
    """Synapses that learn by the compiled kernels: weights, [batch, synapse], as compressed rows and columns."""

    def __init__(self, synapses: Dense | Sparse, batches: int) -> None:
        pre, post = self.shape = synapses.shape
        match synapses:
            case Sparse(indptr=indptr, targets=targets):
                self.indptr, self.targets = indptr, targets
            case Dense():
                self.indptr, self.targets = np.arange(pre + 1) * post, np.tile(np.arange(post, dtype=np.int32), pre)
        self.columns = plastic.columns(self.indptr, self.targets, post)
        self.weights = np.tile(synapses.weights.reshape(-1), (batches, 1))

    def deliver(self, events: Events, current: NDArray[np.float64], amount: NDArray[np.float64] | None = None) -> None:
        plastic.scatter(events, self.indptr, self.targets, self.weights, current, amount)


def _mark(events: Events, nearest: bool, *traces: NDArray[np.float64]) -> None:
    """Add the spikes to traces of their side, [batch, cell]; where only the nearest counts, set these to 1."""
    at = events[:, 0], events[:, 1]
    for trace in traces:
        trace[at] = 1.0 if nearest else trace[at] + 1.0


class _CompiledRule(_CompiledSynapses):
    """Synapses that learn by pairs of spikes."""

    def __init__(self, synapses: Dense | Sparse, constants: CompiledRule, batches: int) -> None:
        super().__init__(synapses, batches)
        (pre, post), self.rule = self.shape, constants
        self.x, self.y = np.zeros((batches, pre)), np.zeros((batches, post))
        self.bounds = constants.w_min, constants.w_max, constants.multiplicative

    def learn(self, pre: Events, post: Events) -> None:
        self.x *= self.rule.decay_plus
        self.y *= self.rule.decay_minus
        if self.rule.drift:
            plastic.drift(self.weights, self.rule.drift, self.rule.divide, self.rule.w_min, self.rule.w_max)
        if self.rule.post_first:
            self._potentiate(post)
            self._depress(pre)
        else:
            self._depress(pre)
            self._potentiate(post)

    def _potentiate(self, post: Events) -> None:
        plastic.potentiate(post, *self.columns, self.weights, self.x, self.rule.a_plus, *self.bounds)
        _mark(post, self.rule.nearest, self.y)

    def _depress(self, pre: Events) -> None:
        seen = self.y - self.rule.target if self.rule.target and len(pre) else self.y
        plastic.depress(pre, self.indptr, self.targets, self.weights, seen, self.rule.a_minus, *self.bounds)
        _mark(pre, self.rule.nearest, self.x)

    def state(self) -> STDPState:
        return STDPState(self.weights, self.x, self.y)

    def resume(self, state: RuleState) -> None:
        before: STDPState = filled(self.state(), state.fields, as_numpy)
        self.weights, self.x, self.y = before.weights.reshape(self.weights.shape), before.pre_trace, before.post_trace


class _CompiledTriplet(_CompiledSynapses):
    """Synapses that learn by triplets of spikes."""

    def __init__(self, synapses: Dense | Sparse, constants: CompiledTriplet, batches: int) -> None:
        super().__init__(synapses, batches)
        (pre, post), self.rule = self.shape, constants
        self.r1, self.r2, self.o1, self.o2 = (np.zeros((batches, n)) for n in (pre, pre, post, post))

    def learn(self, pre: Events, post: Events) -> None:
        rule = self.rule
        for trace, decay in zip((self.r1, self.r2, self.o1, self.o2), rule[4:8], strict=True):
            trace *= decay
        bounds = rule.w_min, rule.w_max, False
        if len(pre):
            falls = rule.a2_minus + rule.a3_minus * self.r2
            plastic.depress(pre, self.indptr, self.targets, self.weights, self.o1, falls, *bounds)
            _mark(pre, rule.nearest, self.r1, self.r2)
        if len(post):
            rises = rule.a2_plus + rule.a3_plus * self.o2
            plastic.potentiate(post, *self.columns, self.weights, self.r1, rises, *bounds)
            _mark(post, rule.nearest, self.o1, self.o2)

    def state(self) -> TripletState:
        return TripletState(self.weights, self.r1, self.r2, self.o1, self.o2)

    def resume(self, state: RuleState) -> None:
        before: TripletState = filled(self.state(), state.fields, as_numpy)
        self.weights = before.weights.reshape(self.weights.shape)
        self.r1, self.r2, self.o1, self.o2 = before[1:]


class _CompiledReward(_CompiledSynapses):
    """Synapses that learn by pairs of spikes when a reward comes."""

    synaptic: tuple[str, ...] = ("weights", "eligibility")

    def __init__(self, synapses: Dense | Sparse, constants: CompiledReward, batches: int) -> None:
        super().__init__(synapses, batches)
        (pre, post), self.rule = self.shape, constants
        self.eligibility, self.level = np.zeros(self.weights.shape), np.zeros((batches, 1))
        self.x, self.y = np.zeros((batches, pre)), np.zeros((batches, post))

    def learn(self, pre: Events, post: Events) -> None:
        rule, bounds = self.rule, (-np.inf, np.inf, False)
        plastic.reward(self.weights, self.eligibility, rule.gain * self.level[:, 0] - rule.lost, rule.decay_c, rule.w_min, rule.w_max)
        for trace, decay in ((self.x, rule.decay_plus), (self.y, rule.decay_minus), (self.level, rule.decay_d)):
            trace *= decay
        plastic.potentiate(post, *self.columns, self.eligibility, self.x, rule.a_plus, *bounds)
        _mark(post, False, self.y)
        plastic.depress(pre, self.indptr, self.targets, self.eligibility, self.y, rule.a_minus, *bounds)
        _mark(pre, False, self.x)

    def rewarded(self, events: Events) -> None:
        self.level += self.rule.release * _counted(events, len(self.level))

    def state(self) -> RewardState:
        return RewardState(self.weights, self.eligibility, self.x, self.y, self.level)

    def resume(self, state: RuleState) -> None:
        before: RewardState = filled(self.state(), state.fields, as_numpy)
        self.weights, self.eligibility = (each.reshape(self.weights.shape) for each in before[:2])
        self.x, self.y, self.level = before[2:]


class _CompiledScaling(_CompiledSynapses):
    """Synapses that are scaled until their postsynaptic cell fires at its target."""

    def __init__(self, synapses: Dense | Sparse, constants: CompiledScaling, batches: int) -> None:
        super().__init__(synapses, batches)
        self.rule, self.rate = constants, np.full((batches, self.shape[1]), constants.target)

    def learn(self, pre: Events, post: Events) -> None:
        rule = self.rule
        plastic.scale(self.weights, self.targets, np.exp(rule.growth - rule.taken * self.rate), rule.w_min, rule.w_max)
        self.rate *= rule.kept
        self.rate[post[:, 0], post[:, 1]] += rule.jump

    def state(self) -> ScalingState:
        return ScalingState(self.weights, self.rate)

    def resume(self, state: RuleState) -> None:
        before: ScalingState = filled(self.state(), state.fields, as_numpy)
        self.weights, self.rate = before.weights.reshape(self.weights.shape), before.rate


class _CompiledCoincidence(LearnerBase):
    """Synapses that learn by coincidence: all-to-all weights, [batch, pre, post], of which only those onto cells that fire are touched."""

    def __init__(self, synapses: Synapses, rule: CompiledCoincidence, batches: int) -> None:
        (pre, _), self.rule, self.here = synapses.shape, rule, joined(synapses)
        self.weights = np.tile(synapses.matrix(), (batches, 1, 1))
        self.until, self.step = np.full((batches, pre), -1, np.int64), 0

    def deliver(self, events: Events, current: NDArray[np.float64], amount: NDArray[np.float64] | None = None) -> None:
        plastic.scatter_dense(events, self.here, self.weights, current, amount)

    def learn(self, pre: Events, post: Events) -> None:
        rule = self.rule
        self.until[pre[:, 0], pre[:, 1]] = self.step + rule.window
        if (sign := rule.signs[self.step % len(rule.signs)]) and len(post):
            plastic.coincide(post, self.until, self.step, self.weights, sign * rule.amount, rule.w_min, rule.w_max)
        self.step += 1

    def matrix(self) -> NDArray[np.float64]:
        self.weights[:, ~self.here] = 0.0
        return self.weights

    def state(self) -> CoincidenceState:
        return CoincidenceState(self.matrix(), np.maximum(self.until - self.step + 2.0, 0.0), self.step)

    def resume(self, state: RuleState) -> None:
        before: CoincidenceState = filled(self.state(), state.dense(), as_numpy)
        self.weights, self.step = before.weights, int(before.step)
        self.until = np.where(before.heard > 0, before.heard.astype(np.int64) + self.step - 2, -1)


class _SteppedRule(LearnerBase):
    """Synapses of any rule, by its own step in numpy on all-to-all weights, [batch, pre, post]."""

    def __init__(self, synapses: Synapses, rule: PlasticityRule, batches: int, dt: float) -> None:
        self.rule, self.dt, self.here = rule, dt, joined(synapses)
        (pre, post), weights = synapses.shape, np.tile(synapses.matrix(), (batches, 1, 1))
        self.pre, self.post = np.zeros((batches, pre)), np.zeros((batches, post))
        self.now: Any = rule.initial(weights, self.pre.copy(), self.post.copy())

    def deliver(self, events: Events, current: NDArray[np.float64], amount: NDArray[np.float64] | None = None) -> None:
        batch, cell = events[:, 0], events[:, 1]
        brought = np.where(self.here[cell], self.now.weights[batch, cell], 0.0)
        np.add.at(current, batch, brought if amount is None else brought * amount[:, None])

    def learn(self, pre: Events, post: Events) -> None:
        self.now = self.rule.step(_dense(pre, self.pre.shape), _dense(post, self.post.shape), self.now, self.dt)

    def rewarded(self, events: Events) -> None:
        self.now = self.rule.rewarded(_counted(events, len(self.pre)), self.now)

    def matrix(self) -> NDArray[np.float64]:
        return np.where(self.here, self.now.weights, 0.0)

    def state(self) -> Any:
        return self.now._replace(weights=self.matrix())

    def resume(self, state: RuleState) -> None:
        self.now = filled(self.now, state.dense(), as_numpy)


def _counted(events: Events, batches: int) -> NDArray[np.int64]:
    """How many events each batch item has, [batch, 1]."""
    return np.bincount(events[:, 0], minlength=batches)[:, None]


def _dense(events: Events, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    spikes = np.zeros(shape, bool)
    spikes[events[:, 0], events[:, 1]] = True
    return spikes

"""Projections of the event-driven simulator whose synapses have delays of their own.

Where the weights are fixed, what a spike adds to the cells waits in a ring of currents. Where they learn, the synapses that it is on its
way to wait in a calendar, and the presynaptic trace belongs to the synapse, which sees a spike after a time of its own. Either way the
cost is that of the synapses of the cells that spiked, whatever the delays.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import delays, plastic
from spikemem.network.graph import Network, Projection
from spikemem.network.plasticity.contract import CompiledRule, PlasticityRule
from spikemem.network.plasticity.stdp import STDPState
from spikemem.network.synapses import Dense, Sparse, compressed
from spikemem.simulators.event.learning import Events, LearnerBase, PlasticProjection
from spikemem.simulators.state import RuleState, as_numpy, filled

ALL = np.iinfo(np.int64).max
TABLE = 4096
"""Steps for which the decay of a trace is looked up, and not computed."""


class Delayed(Protocol):
    """What carries a projection whose synapses have delays of their own."""

    def send(self, events: Events, factor: float, step: int) -> None:
        """Take up the spikes of a step.   factor: on their weights."""

    def arrive(self, step: int, current: NDArray[np.float64]) -> None:
        """Add what arrives at a step, [batch, post]."""

    def begin(self, step: int) -> None:
        """Go on from before a step, when the spikes that left before it have been sent."""


class DelayedLearner(Delayed, PlasticProjection, Protocol):
    """What carries such a projection, and learns."""


def ring(net: Network, projection: Projection, batches: int) -> "Ring":
    """What carries a projection of fixed weights."""
    assert isinstance(projection.synapses, Dense | Sparse)
    lags = net.own_delays(projection)
    assert lags is not None
    return Ring(compressed(projection.synapses), lags.ravel(), batches, ALL if projection.first is None else projection.first)


class Ring:
    """Synapses with fixed weights: what is under way to the cells, [step, batch, post], in a ring of the coming steps."""

    def __init__(self, rows: Sparse, lags: NDArray[np.int64], batches: int, first: int) -> None:
        self.rows, self.lags, self.first = rows, lags, first
        self.ring = np.zeros((int(lags.max()), batches, rows.post))

    def send(self, events: Events, factor: float, step: int) -> None:
        if len(events) and factor:
            rows, now = self.rows, step % len(self.ring)
            delays.scatter(events, self.first, rows.indptr, rows.targets, rows.weights, self.lags, now, factor, self.ring)

    def arrive(self, step: int, current: NDArray[np.float64]) -> None:
        here = self.ring[step % len(self.ring)]
        current += here
        here[:] = 0.0

    def begin(self, step: int) -> None:
        """What is under way is in the ring."""


class Calendar:
    """Which synapses see a spike in the coming steps, and which did in the last `back` steps, after which the cell has it.

    Entries are numbers as in `kernels.delays`.   lags: steps from a spike to its synapses, [synapse].
    """

    def __init__(self, rows: Sparse, lags: NDArray[np.int64], back: int) -> None:
        self.indptr, self.lags, self.longest = rows.indptr, lags, int(lags.max())
        self.slots = np.zeros((self.longest + back + 1, 1), np.int64)
        self.counts = np.zeros(len(self.slots), np.int64)

    def send(self, events: Events, step: int) -> None:
        """Enter the spikes of a step, after those of all steps before."""
        self.counts[(step + self.longest) % len(self.slots)] = 0
        if not len(events):
            return
        now = step % len(self.slots)
        room = delays.enter(events, self.indptr, self.lags, now, self.slots, self.counts)
        if room > self.slots.shape[1]:
            more = np.zeros((len(self.slots), 2 * room), np.int64)
            more[:, : self.slots.shape[1]] = self.slots
            self.slots = more
            delays.enter(events, self.indptr, self.lags, now, self.slots, self.counts)

    def due(self, step: int) -> NDArray[np.int64]:
        """The entries of a step."""
        at = step % len(self.slots)
        return self.slots[at, : self.counts[at]]


class _Delayed(LearnerBase):
    """Plastic synapses: weights, [batch, synapse], and the calendar of the spikes on their way, seen as they leave (`forth` is 0)."""

    def __init__(self, rows: Sparse, lags: NDArray[np.int64], back: int, batches: int) -> None:
        self.rows, self.back, self.batches, self.step = rows, back, batches, 0
        self.calendar = Calendar(rows, lags, back)
        self.weights = np.tile(rows.weights, (batches, 1))
        self.at = rows.targets, rows.sources

    def send(self, events: Events, factor: float, step: int) -> None:
        self.calendar.send(events, step)
        self.step = step + 1

    def arrive(self, step: int, current: NDArray[np.float64]) -> None:
        delays.transmit(self.calendar.due(step - self.back), self.rows.targets, self.weights, current)

    def deliver(self, events: Events, current: NDArray[np.float64], amount: NDArray[np.float64] | None = None) -> None:
        raise AssertionError("spikes with delays of their own arrive by the calendar")

    def _cells(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of each synapse, [batch, synapse], as [batch, post, pre]; 0 where there is none."""
        dense = np.zeros((self.batches, *self.rows.shape[::-1]))
        dense[:, *self.at] = values
        return dense


class DelayedRule(_Delayed):
    """Synapses that learn by pairs of spikes, at the cost of the synapses of spikes alone."""

    def __init__(self, rows: Sparse, lags: NDArray[np.int64], back: int, batches: int, constants: CompiledRule) -> None:
        super().__init__(rows, lags, back, batches)
        self.rule, self.columns = constants, plastic.columns(rows.indptr, rows.targets, rows.post)
        self.x, self.since, self.y = np.zeros(self.weights.shape), np.zeros(self.weights.shape, np.int64), np.zeros((batches, rows.post))
        self.bounds = constants.w_min, constants.w_max, constants.multiplicative
        self.fade = constants.decay_plus ** np.arange(TABLE)

    def learn(self, pre: Events, post: Events) -> None:
        now, rule = self.step, self.rule
        self.send(pre, 1.0, now)
        self.y *= rule.decay_minus
        if rule.drift:
            plastic.drift(self.weights, rule.drift, rule.divide, rule.w_min, rule.w_max)
        for potentiates in (True, False) if rule.post_first else (False, True):
            if potentiates:
                self._potentiate(post, now)
            else:
                self._depress(self.calendar.due(now), now)

    def _potentiate(self, post: Events, now: int) -> None:
        start, place, _ = self.columns
        delays.potentiate(post, start, place, self.weights, self.x, self.since, now, self.fade, self.rule.a_plus, *self.bounds)
        at = post[:, 0], post[:, 1]
        self.y[at] = 1.0 if self.rule.nearest else self.y[at] + 1.0

    def _depress(self, due: NDArray[np.int64], now: int) -> None:
        rule, seen = self.rule, self.y - self.rule.target if self.rule.target and len(due) else self.y
        trace = self.x, self.since, now, self.fade
        delays.depress(due, self.rows.targets, self.weights, seen, *trace, rule.a_minus, *self.bounds, rule.nearest)

    def state(self) -> STDPState:
        x = self.x * self.rule.decay_plus ** (self.step - 1 - self.since)
        return STDPState(self._cells(self.weights)[..., None], self._cells(x), self.y[..., None])

    def resume(self, state: RuleState) -> None:
        before: STDPState = filled(self.state(), state.fields, as_numpy)
        self.weights, self.x = before.weights[:, *self.at, 0], before.pre_trace[:, *self.at]
        self.y = before.post_trace[..., 0]

    def begin(self, step: int) -> None:
        self.since[:], self.step = step - 1, step


class DelayedSteps(_Delayed):
    """Synapses of any rule, by its own step in numpy, to which each postsynaptic cell is an item of its own: a pre x 1 projection."""

    def __init__(self, rows: Sparse, lags: NDArray[np.int64], back: int, batches: int, rule: PlasticityRule, dt: float) -> None:
        super().__init__(rows, lags, back, batches)
        self.rule, self.dt = rule, dt
        weights = self._cells(self.weights)[..., None]
        self.now: Any = rule.initial(weights, np.zeros(weights.shape[:-1]), np.zeros((*weights.shape[:-2], 1)))

    def learn(self, pre: Events, post: Events) -> None:
        now = self.step
        self.send(pre, 1.0, now)
        due = self.calendar.due(now)
        item, synapse = due >> delays.ITEM, due & delays.SYNAPSE
        seen, spiked = np.zeros(self.now.weights.shape[:-1], bool), np.zeros((self.batches, self.rows.post, 1), bool)
        seen[item, self.at[0][synapse], self.at[1][synapse]] = True
        spiked[post[:, 0], post[:, 1]] = True
        self.now = self.rule.step(seen, spiked, self.now, self.dt)
        self.weights = self.now.weights[:, *self.at, 0]

    def state(self) -> Any:
        return self.now._replace(weights=self._cells(self.weights)[..., None])

    def resume(self, state: RuleState) -> None:
        self.now = filled(self.now, state.fields, as_numpy)
        self.weights = self.now.weights[:, *self.at, 0]

    def begin(self, step: int) -> None:
        self.step = step


def delayed_learner(net: Network, projection: Projection, rule: PlasticityRule, batches: int) -> DelayedLearner:
    """What carries and teaches a plastic projection whose synapses have delays of their own."""
    lags, back, constants = net.own_delays(projection), net.steps(rule.dendritic), rule.compiled(net.dt)
    assert lags is not None
    assert isinstance(projection.synapses, Dense | Sparse)
    parts = compressed(projection.synapses), lags.ravel() - back, back, batches
    return DelayedRule(*parts, constants) if isinstance(constants, CompiledRule) else DelayedSteps(*parts, rule, net.dt)

"""The event-driven simulator on the CPU, which visits only the synapses of cells that spiked.

Networks of leaky integrate-and-fire cells and fixed synapses run whole in one compiled loop (`loop`), others step by step. Neurons and
rules that give constants for the compiled kernels, or a compiled step, run compiled. Any other runs by its own `step` in numpy, a rule on
all-to-all weights.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu
from spikemem.network.graph import Projection
from spikemem.network.synapses import Dense, OneBit, Sparse
from spikemem.simulators.event import loop
from spikemem.simulators.event.delays import Delayed, delayed_learner, ring
from spikemem.simulators.event.groups import EventGroup
from spikemem.simulators.event.learning import Events, PlasticProjection, learner
from spikemem.simulators.event.releasing import ALL, releasing
from spikemem.simulators.recording import Recording, recorded
from spikemem.simulators.state import RuleState, RunState, Weights, described, flattened
from spikemem.simulators.stimulus import Simulation


def run(simulation: Simulation) -> Recording:
    """Run a simulation on the CPU, in float64."""
    net = simulation.net
    groups = {name: EventGroup(p, simulation) for name, p in net.populations.items()}
    if loop.fits(net, groups, simulation.drive.steps):
        simulation, fired, voltages = loop.run(simulation, groups)
        return recorded(simulation, fired, voltages, {}, _state(simulation, groups, []))
    simulation.drive.check_finite()
    ways = [_Way(projection, simulation, groups) for projection in net.projections]
    if simulation.start is not None:
        for way in ways:
            way.resume(simulation.start)
    learning = {way.name: way for way in ways if way.learner is not None}
    voltages, snapshots = simulation.voltages(), simulation.snapshots()
    for name, n in simulation.due(0):
        snapshots[name][n] = learning[name].learned().matrix()
    simulation = _stepped(simulation, groups, ways, learning, voltages, snapshots)
    state = _state(simulation, groups, ways)
    return recorded(simulation, {name: group.fired() for name, group in groups.items()}, voltages, Weights(state.rules), state, snapshots)


def _stepped(
    simulation: Simulation,
    groups: Mapping[str, EventGroup],
    ways: Sequence["_Way"],
    learning: Mapping[str, "_Way"],
    voltages: Mapping[str, NDArray[np.float64]],
    snapshots: Mapping[str, NDArray[np.float64]],
) -> Simulation:
    """Take the steps one by one; returns the simulation of those that were taken."""
    drive = simulation.drive
    for t in range(drive.steps):
        now = simulation.before + t
        for group in groups.values():
            group.current[:] = 0.0
        for way in ways:
            way.deliver(now)
        for name, group in groups.items():
            group.advance(t, now)
            if name in voltages and name not in drive.clamped:
                voltages[name][t] = group.cells.voltage[:, simulation.chosen[name]]
        for way in learning.values():
            way.learn(now, groups)
        for name, n in simulation.due(t + 1):
            snapshots[name][n] = learning[name].learned().matrix()
        simulation.tell(t)
        if simulation.watch is not None and simulation.watch.ends({name: group.latest() for name, group in groups.items()}):
            return simulation.ended(t + 1)
    return simulation


def _state(simulation: Simulation, groups: Mapping[str, EventGroup], ways: Sequence["_Way"]) -> RunState:
    """Where the run has ended."""
    net = simulation.net
    end, longest = simulation.before + simulation.drive.steps, loop.longest(net)
    recent = {}
    for name, group in groups.items():
        late = [step for step in sorted(group.past) if step >= end - longest]
        kept = [(step, group.before(step)) for step in (*late, *range(max(end - longest, simulation.before), end))]
        rows = [np.column_stack([np.full(len(events), step), events]) for step, events in kept if len(events)]
        recent[name] = np.concatenate(rows) if rows else np.zeros((0, 4), np.int64)
    return RunState(
        end, simulation.drive.batches,
        cells={name: flattened(group.cells.state()) for name, group in groups.items()},
        silenced={name: group.silenced() for name, group in groups.items()},
        count={name: group.spiked().copy() for name, group in groups.items()},
        recent=recent,
        network=described(net),
        rules={way.name: way.learned() for way in ways if way.learner is not None},
        releases={way.name: flattened(way.releasing.state(end - 1)) for way in ways if way.releasing is not None},
        noise=simulation.drive.noise,
    )  # fmt: skip


class _Way:
    """A projection: its synapses, fixed or learning, and its delays in steps."""

    def __init__(self, projection: Projection, simulation: Simulation, groups: Mapping[str, EventGroup]) -> None:
        net, batches, rule = simulation.net, simulation.drive.batches, projection.plasticity
        self.projection, self.name, self.longest = projection, projection.name, net.steps(projection.delay)
        self.pre, self.post = groups[projection.pre], groups[projection.post]
        self.current = self.post.inputs[projection.receptor]
        self.delayed: Delayed | None = None
        self.learner: PlasticProjection | None = None
        if net.own_delays(projection) is None:
            self.learner = None if rule is None else learner(net, projection, batches)
        elif rule is None:
            self.delayed = ring(net, projection, batches)
        else:
            self.delayed = self.learner = delayed_learner(net, projection, rule, batches)
        self.releasing = None if projection.short_term is None else releasing(simulation, projection, projection.short_term)

    def deliver(self, now: int) -> None:
        """Add what arrives at a step."""
        if self.delayed is None:
            left = now - self.longest
            if len(events := self.pre.before(left)):
                amount = None if self.releasing is None else self.releasing.of(events, now)
                _deliver(self.projection, self.learner, events, self.projection.counts(left), self.current, amount)
            return
        if self.learner is None:  # or it has seen them leave
            self.delayed.send(self.pre.before(now - 1), self.projection.counts(now - 1), now - 1)
        self.delayed.arrive(now, self.current)

    def learn(self, now: int, groups: Mapping[str, EventGroup]) -> None:
        """Learn from the spikes that the synapses see at a step."""
        if (synapses := self.learner) is not None:
            synapses.learn(self.pre.before(now - synapses.forth), self.post.before(now - synapses.back))
            if synapses.reward is not None:
                synapses.rewarded(groups[synapses.reward].before(now))

    def learned(self) -> RuleState:
        """What its synapses have learned."""
        assert self.learner is not None
        return RuleState.of(flattened(self.learner.state()), self.projection.synapses, self.learner.synaptic)

    def resume(self, start: RunState) -> None:
        """Go on with what was under way, and what had been learned."""
        if self.learner is not None:
            self.learner.resume(start.rules[self.projection.name])
        if self.delayed is None:
            return
        elsewhere = np.zeros_like(self.current)
        for left in range(max(0, start.step - self.longest), start.step):
            self.delayed.arrive(left, elsewhere)  # what has come before
            if self.learner is not None or left + 1 < start.step:
                self.delayed.send(self.pre.before(left), self.projection.counts(left), left)
        self.delayed.begin(start.step)


def _deliver(
    projection: Projection,
    learner: PlasticProjection | None,
    events: Events,
    counts: float,
    current: NDArray[np.float64],
    amount: NDArray[np.float64] | None,
) -> None:
    if counts == 0.0:
        return
    if counts != 1.0:
        delivered = np.zeros_like(current)
        _deliver(projection, learner, events, 1.0, delivered, amount)
        current += counts * delivered
        return
    if learner is not None:
        learner.deliver(events, current, amount)
        return
    first = ALL if projection.first is None else projection.first
    match projection.synapses:
        case Dense(weights=weights):
            cpu.scatter_dense(events, first, weights, current, amount)
        case Sparse(indptr=indptr, targets=targets, weights=weights):
            cpu.scatter_sparse(events, first, indptr, targets, weights, current, amount)
        case OneBit(bits=bits, start=start, efficacy=on, off=off):
            cpu.scatter_bits(events, first, bits, start, on, off, current, amount)

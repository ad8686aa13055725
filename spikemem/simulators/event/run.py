"""The event-driven simulator on the CPU, which visits only the synapses of cells that spiked.

Neurons and rules that give constants for the compiled kernels, or a compiled step, run compiled. Any other runs by its own `step` in numpy,
a rule on all-to-all weights.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu
from spikemem.network.graph import KWinners, Population, Projection
from spikemem.network.synapses import Dense, OneBit, Sparse
from spikemem.simulators.event.cells import BasketRace, begun, cells_of
from spikemem.simulators.event.delays import Delayed, delayed_learner, ring
from spikemem.simulators.event.learning import Events, PlasticProjection, learner
from spikemem.simulators.event.releasing import ALL, releasing
from spikemem.simulators.recording import Fired, Recording, recorded
from spikemem.simulators.state import RuleState, RunState, Weights, as_numpy, described, filled, flattened
from spikemem.simulators.stimulus import Simulation

NO_EVENTS = np.zeros((0, 3), np.int64)
SILENCE = np.zeros((1, 1))


def run(simulation: Simulation) -> Recording:
    """Run a simulation on the CPU, in float64."""
    net, drive = simulation.net, simulation.drive
    groups = {name: _Group(p, simulation) for name, p in net.populations.items()}
    ways = [_Way(projection, simulation, groups) for projection in net.projections]
    if simulation.start is not None:
        for way in ways:
            way.resume(simulation.start)
    learning = {way.name: way for way in ways if way.learner is not None}
    voltages, snapshots = simulation.voltages(), simulation.snapshots()
    for name, n in simulation.due(0):
        snapshots[name][n] = learning[name].learned().matrix()
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
            simulation = simulation.ended(t + 1)
            break
    fired = {name: group.fired() for name, group in groups.items()}
    state = _state(simulation, groups, ways)
    return recorded(simulation, fired, voltages, Weights(state.rules), state, snapshots)


def _state(simulation: Simulation, groups: Mapping[str, "_Group"], ways: Sequence["_Way"]) -> RunState:
    """Where the run has ended."""
    end, longest = simulation.before + simulation.drive.steps, max((way.longest for way in ways), default=0)
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
        network=described(simulation.net),
        rules={way.name: way.learned() for way in ways if way.learner is not None},
        releases={way.name: flattened(way.releasing.state(end - 1)) for way in ways if way.releasing is not None},
        noise=simulation.drive.noise,
    )  # fmt: skip


class _Group:
    """A population: its cells, its inhibition, what drives it, and its events, one array a step."""

    def __init__(self, population: Population, simulation: Simulation) -> None:
        drive, net = simulation.drive, simulation.net
        self.shape = drive.batches, population.size
        inhibition, receptors = population.inhibition, population.neuron.receptors
        self.current = np.zeros(self.shape if len(receptors) == 1 else (len(receptors), *self.shape))
        self.inputs = {name: self.current if len(receptors) == 1 else self.current[r] for r, name in enumerate(receptors)}
        self.cells = cells_of(population, self.shape, net.dt)
        self.race = BasketRace(inhibition.turns, *self.shape) if isinstance(inhibition, KWinners) else None
        self.cycle = 0 if inhibition is None else net.steps(inhibition.cycle)
        self.external, self.forced = drive.current.get(population.name), drive.clamped.get(population.name)
        self.count = np.zeros(drive.batches, np.int64)
        self.events: list[Events] = []
        self.first = simulation.before
        self.past: dict[int, Events] = {}
        if simulation.start is not None:
            self._resume(population, simulation.start)

    def _resume(self, population: Population, start: RunState) -> None:
        name = population.name
        self.cells.resume(filled(begun(population, self.shape), start.cells[name], as_numpy))
        self.spiked()[:] = start.count[name]
        if self.race is not None:
            self.race.silenced[:], self.race.cycle = start.silenced[name], start.step // self.cycle
        recent = start.recent[name]
        self.past = {step: recent[recent[:, 0] == step, 1:] for step in np.unique(recent[:, 0]).tolist()}

    def silenced(self) -> NDArray[np.bool_]:
        """Whom the inhibition silences, [batch, cell]."""
        return np.zeros(self.shape, bool) if self.race is None else self.race.silenced.copy()

    def spiked(self) -> NDArray[np.int64]:
        """How many have spiked in the cycle, [batch]."""
        return self.race.count if self.race is not None and self.forced is None else self.count

    def latest(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Batch items and cells of the last step's spikes."""
        return self.events[-1][:, 0], self.events[-1][:, 1]

    def before(self, step: int) -> Events:
        """The events of a step, counted from the start of the first run; none before that."""
        return self.events[step - self.first] if step >= self.first else self.past.get(step, NO_EVENTS)

    def advance(self, t: int, now: int) -> None:
        """Step t of this run, the one numbered `now` since the first began."""
        fresh = self.cycle and now % self.cycle == 0
        if self.forced is not None:
            self.events.append(self._clamped(*self.forced.at(t, self.shape[0]), bool(fresh)))
            return
        if fresh:
            self.cells.restart()
            if self.race is not None:
                self.race.restart(now // self.cycle)
        self.events.append(self.cells.fire(self.current, SILENCE if self.external is None else self.external[t], self.race))

    def _clamped(self, batch: NDArray[np.int64], cell: NDArray[np.int64], fresh: bool) -> Events:
        """Teacher-forced spikes as events; their rank in the cycle follows their step, then their index."""
        if fresh:
            self.count[:] = 0
        if not len(batch):
            return NO_EVENTS
        start = np.searchsorted(batch, np.arange(len(self.count)))
        rank = np.arange(len(batch)) - start[batch] + self.count[batch]
        self.count += np.bincount(batch, minlength=len(self.count))
        return np.stack([batch, cell, rank], axis=1)

    def fired(self) -> Fired:
        """All spikes; clamped cells have no basket cell."""
        baskets = self.race.baskets if self.race is not None else []
        batch, cell, rank = np.concatenate(self.events).T
        return Fired(_steps(self.events), batch, cell, rank, _steps(baskets), np.concatenate([*baskets, NO_EVENTS[:, 0]]))


class _Way:
    """A projection: its synapses, fixed or learning, and its delays in steps."""

    def __init__(self, projection: Projection, simulation: Simulation, groups: Mapping[str, _Group]) -> None:
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

    def learn(self, now: int, groups: Mapping[str, _Group]) -> None:
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


def _steps(arrays: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The step of each row of arrays that were kept one a step."""
    return np.repeat(np.arange(len(arrays)), np.array([len(rows) for rows in arrays], np.int64))


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

"""The event-driven simulator on the CPU, which visits only the synapses of cells that spiked.

Neurons and rules that give constants for the compiled kernels, or a compiled step, run compiled. Any other runs by its own `step` in numpy,
a rule on all-to-all weights.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu, neurons
from spikemem.network.graph import KWinners, Network, Population, Projection
from spikemem.network.neurons import Receptors
from spikemem.network.neurons.contract import CompiledNeuron, CompiledStep, Numbers, flat
from spikemem.network.synapses import Dense, OneBit, Sparse
from spikemem.simulators.event.learning import Events, PlasticProjection, learner
from spikemem.simulators.recording import Fired, Recording, recorded
from spikemem.simulators.stimulus import Drive, Simulation

NO_EVENTS = np.zeros((0, 3), np.int64)
ALL = np.iinfo(np.int64).max
SILENCE = np.zeros((1, 1))


def run(simulation: Simulation) -> Recording:
    """Run a simulation on the CPU, in float64."""
    net, drive = simulation.net, simulation.drive
    groups = {name: _Group(p, drive, net) for name, p in net.populations.items()}
    learners = {p.name: learner(net, p, p.plasticity, drive.batches) for p in net.projections if p.plasticity is not None}
    voltages = simulation.voltages()
    delays = [net.steps(projection.delay) for projection in net.projections]
    for t in range(drive.steps):
        for group in groups.values():
            group.current[:] = 0.0
        for projection, delay in zip(net.projections, delays, strict=True):
            left = t - delay
            events = groups[projection.pre].before(left)
            if len(events):
                reached = groups[projection.post].inputs[projection.receptor]
                _deliver(projection, learners.get(projection.name), events, projection.counts(left), reached)
        for name, group in groups.items():
            group.advance(t)
            if name in voltages and name not in drive.clamped:
                voltages[name][t] = group.cells.voltage[:, simulation.chosen[name]]
        for projection in net.projections:
            if (synapses := learners.get(projection.name)) is not None:
                pre, post = groups[projection.pre], groups[projection.post]
                synapses.learn(pre.before(t - synapses.forth), post.before(t - synapses.back))
        simulation.tell(t)
    fired = {name: group.fired() for name, group in groups.items()}
    return recorded(simulation, fired, voltages, {name: learner.matrix() for name, learner in learners.items()})


# -- cells -------------------------------------------------------------------------------------------------------------------------


class _Race:
    """The basket cell of `KWinners`: which cells are silenced, and how many have spiked in the cycle."""

    def __init__(self, turns: tuple[int, ...], batches: int, cells: int) -> None:
        self.turns, self.cycle = turns, 0
        self.silenced, self.count = np.zeros((batches, cells), bool), np.zeros(batches, np.int64)
        self.baskets: list[NDArray[np.int64]] = []

    def choose(self, voltage: NDArray[np.float64], threshold: float) -> Events:
        """The winners among the cells above a threshold, with its effects on voltage in place."""
        k = self.turns[self.cycle % len(self.turns)]
        events, baskets = cpu.choose_winners(voltage, threshold, k, self.silenced, self.count)
        self.baskets.append(baskets)
        return events

    def restart(self, cycle: int) -> None:
        self.silenced[:], self.count[:], self.cycle = False, 0, cycle


class _Cells(Protocol):
    """The state of a population's cells, [batch, cell], and their time step."""

    @property
    def voltage(self) -> NDArray[np.float64]: ...

    def restart(self) -> None:
        """Begin a cycle of inhibition."""

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: _Race | None) -> Events:
        """One step; returns the spikes that the inhibition leaves.   current: [batch, cell], or [receptor, batch, cell]."""


class _Compiled:
    """Leaky integrate-and-fire cells in their own kernel; constants that differ from cell to cell are arrays there."""

    def __init__(self, constants: CompiledNeuron, shape: tuple[int, int], voltage: Numbers | None) -> None:
        self.constants = CompiledNeuron(*(np.array(each) if isinstance(each, tuple) else each for each in constants))  # type: ignore[arg-type]
        self.voltage, self.spiked = np.zeros(shape), np.zeros(shape, bool)
        self.voltage[:] = 0.0 if voltage is None else np.array(flat(voltage))
        self.refractory = int(np.max(self.constants.refractory))
        self.synaptic = np.zeros(shape if constants.gamma else (1, 1))
        self.left = np.zeros(shape if self.refractory else (1, 1), np.int64)

    def restart(self) -> None:
        self.voltage[:], self.spiked[:], self.left[:] = 0.0, False, 0

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: _Race | None) -> Events:
        threshold = self.constants.threshold
        cpu.integrate(self.voltage, self.spiked, current, external, self.synaptic, self.left, *self.constants)
        self.spiked[:] = False
        if race is None:
            events = cpu.crossings(self.voltage, threshold, self.left, self.refractory)
        elif isinstance(threshold, float):
            events = race.choose(self.voltage, threshold)
        else:
            events = _raced(race, self.voltage, self.voltage > threshold)
        self.spiked[events[:, 0], events[:, 1]] = True
        return events


def _raced(race: _Race, voltage: NDArray[np.float64], crossed: NDArray[np.bool_]) -> Events:
    """The winners among the cells that crossed, with V held at 0 in those that lost, in place."""
    order = np.unique(voltage, return_inverse=True)[1].reshape(voltage.shape) + 1.0  # ranks as V does, and is above 0
    events = race.choose(np.where(crossed, order, 0.0), 0.0)
    won = np.zeros(voltage.shape, bool)
    won[events[:, 0], events[:, 1]] = True
    voltage[race.silenced & ~won] = 0.0
    return events


def _begun(population: Population, shape: tuple[int, int]) -> Any:
    """The state of a population's cells before the first step, [batch, cell]."""
    state = population.neuron.initial(np.zeros(shape))
    return state if population.voltage is None else population.neuron.begun(state, np.array(flat(population.voltage)))


class _Kernel:
    """Cells of any neuron with a compiled step, and with the receptors before it."""

    def __init__(self, made: CompiledStep, population: Population, shape: tuple[int, int]) -> None:
        self.made, self.neuron = made, population.neuron
        state = _begun(population, shape)
        behind = state.inner if made.receptors is not None else state
        self.kind, self.spikes = type(behind), np.zeros(shape, bool)
        self.state = np.stack([np.broadcast_to(getattr(behind, name), shape) for name in made.fields]).astype(np.float64)
        count = len(made.receptors.gamma) if made.receptors is not None else 0
        self.traces, self.rising = np.zeros((count, *shape)), np.zeros((count, *shape))
        opens = made.receptors is not None and not np.isnan(made.receptors.reversal).all()
        self.through, self.conductance = np.zeros(shape), np.zeros(shape if opens else (0, 0))

    @property
    def voltage(self) -> NDArray[np.float64]:
        return self.state[0]

    def restart(self) -> None:
        neuron = self.neuron.neuron if isinstance(self.neuron, Receptors) else self.neuron
        rest = {name: 0.0 for name in self.kind._fields if name not in (*self.made.fields, "spikes")}
        fresh = neuron.restart(self.kind(**dict(zip(self.made.fields, self.state, strict=True)), spikes=self.spikes, **rest))
        for row, name in zip(self.state, self.made.fields, strict=True):
            row[:] = getattr(fresh, name)
        self.spikes[:] = False

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: _Race | None) -> Events:
        direct, receptors = (current, None) if self.made.receptors is None else (current[0], self.made.receptors)
        direct += external
        if receptors is not None:
            neurons.gather(current, self.traces, self.rising, *receptors, self.through, self.conductance)
            direct = self.through
        self.made.kernel(self.state, self.spikes, direct, self.conductance, self.made.constants)
        if race is None:
            return cpu.spiking(self.spikes)
        events = _raced(race, self.voltage, self.spikes)
        self.spikes[:] = False
        self.spikes[events[:, 0], events[:, 1]] = True
        return events


class _Stepped:
    """Cells of any neuron, by its own step in numpy."""

    def __init__(self, population: Population, shape: tuple[int, int], dt: float) -> None:
        self.neuron, self.dt, self.state = population.neuron, dt, _begun(population, shape)

    @property
    def voltage(self) -> NDArray[np.float64]:
        return self.state.voltage

    def restart(self) -> None:
        self.state = self.neuron.restart(self.state)

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: _Race | None) -> Events:
        direct = current if len(self.neuron.receptors) == 1 else current[0]
        direct += external
        self.state = self.neuron.step(current, self.state, self.dt)
        crossed = self.state.spikes
        if race is None:
            return cpu.spiking(np.ascontiguousarray(crossed))
        voltage, won = self.voltage.copy(), np.zeros(crossed.shape, bool)
        events = _raced(race, voltage, crossed)
        won[events[:, 0], events[:, 1]] = True
        self.state = self.state._replace(voltage=voltage, spikes=won)
        return events


def _cells(population: Population, shape: tuple[int, int], dt: float) -> _Cells:
    """The cells of a population, by the fastest way that its neuron gives."""
    made = population.neuron.compiled(dt)
    if made is None:
        return _Stepped(population, shape, dt)
    return _Kernel(made, population, shape) if isinstance(made, CompiledStep) else _Compiled(made, shape, population.voltage)


class _Group:
    """A population: its cells, its inhibition, what drives it, and its events, one array a step."""

    def __init__(self, population: Population, drive: Drive, net: Network) -> None:
        shape = drive.batches, population.size
        inhibition, receptors = population.inhibition, population.neuron.receptors
        self.current = np.zeros(shape if len(receptors) == 1 else (len(receptors), *shape))
        self.inputs = {name: self.current if len(receptors) == 1 else self.current[r] for r, name in enumerate(receptors)}
        self.shape, self.cells = shape, _cells(population, shape, net.dt)
        self.race = _Race(inhibition.turns, *shape) if isinstance(inhibition, KWinners) else None
        self.cycle = 0 if inhibition is None else net.steps(inhibition.cycle)
        self.external, self.forced = drive.current.get(population.name), drive.clamped.get(population.name)
        self.count = np.zeros(drive.batches, np.int64)
        self.events: list[Events] = []

    def before(self, step: int) -> Events:
        """The events of a step, none before the first."""
        return self.events[step] if step >= 0 else NO_EVENTS

    def advance(self, t: int) -> None:
        fresh = self.cycle and t % self.cycle == 0
        if self.forced is not None:
            self.events.append(self._clamped(self.forced[t], bool(fresh)))
            return
        if fresh:
            self.cells.restart()
            if self.race is not None:
                self.race.restart(t // self.cycle)
        self.events.append(self.cells.fire(self.current, SILENCE if self.external is None else self.external[t], self.race))

    def _clamped(self, spikes: NDArray[np.bool_], fresh: bool) -> Events:
        """Teacher-forced spikes as events; their rank in the cycle follows their step, then their index."""
        if fresh:
            self.count[:] = 0
        batch, cell = np.nonzero(np.broadcast_to(spikes, self.shape))
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


def _steps(arrays: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The step of each row of arrays that were kept one a step."""
    return np.repeat(np.arange(len(arrays)), np.array([len(rows) for rows in arrays], np.int64))


def _deliver(
    projection: Projection, learner: PlasticProjection | None, events: Events, counts: float, current: NDArray[np.float64]
) -> None:
    if counts == 0.0:
        return
    if counts != 1.0:
        delivered = np.zeros_like(current)
        _deliver(projection, learner, events, 1.0, delivered)
        current += counts * delivered
        return
    if learner is not None:
        learner.deliver(events, current)
        return
    first = ALL if projection.first is None else projection.first
    match projection.synapses:
        case Dense(weights=weights):
            cpu.scatter_dense(events, first, weights, current)
        case Sparse(indptr=indptr, targets=targets, weights=weights):
            cpu.scatter_sparse(events, first, indptr, targets, weights, current)
        case OneBit(bits=bits, start=start, efficacy=on, off=off):
            cpu.scatter_bits(events, first, bits, start, on, off, current)

"""The event-driven simulator on the CPU, which visits only the synapses of cells that spiked.

Neurons and rules that give constants for the compiled kernels run compiled. Any other runs by its own `step` in numpy, a rule on
all-to-all weights.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import cpu
from spikemem.network.graph import KWinners, Network, Population, Projection
from spikemem.network.neurons.contract import CompiledNeuron, Neuron
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
                _deliver(projection, learners.get(projection.name), events, projection.counts(left), groups[projection.post].current)
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
        """One step; returns the spikes that the inhibition leaves."""


class _Compiled:
    """Cells whose step is the compiled kernel."""

    def __init__(self, constants: CompiledNeuron, shape: tuple[int, int]) -> None:
        self.constants = constants
        self.voltage, self.spiked = np.zeros(shape), np.zeros(shape, bool)
        self.synaptic = np.zeros(shape if constants.gamma else (1, 1))
        self.left = np.zeros(shape if constants.refractory else (1, 1), np.int64)

    def restart(self) -> None:
        self.voltage[:], self.spiked[:], self.left[:] = 0.0, False, 0

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: _Race | None) -> Events:
        threshold, refractory = self.constants.threshold, self.constants.refractory
        cpu.integrate(self.voltage, self.spiked, current, external, self.synaptic, self.left, *self.constants)
        self.spiked[:] = False
        events = cpu.crossings(self.voltage, threshold, self.left, refractory) if race is None else race.choose(self.voltage, threshold)
        self.spiked[events[:, 0], events[:, 1]] = True
        return events


class _Stepped:
    """Cells of any neuron, by its own step in numpy."""

    def __init__(self, neuron: Neuron, shape: tuple[int, int], dt: float) -> None:
        self.neuron, self.dt = neuron, dt
        self.state: Any = neuron.initial(np.zeros(shape))

    @property
    def voltage(self) -> NDArray[np.float64]:
        return self.state.voltage

    def restart(self) -> None:
        self.state = self.neuron.restart(self.state)

    def fire(self, current: NDArray[np.float64], external: NDArray[np.float64], race: _Race | None) -> Events:
        self.state = self.neuron.step(current + external, self.state, self.dt)
        crossed = self.state.spikes
        if race is None:
            batch, cell = np.nonzero(crossed)
            return np.stack([batch, cell, np.zeros_like(cell)], axis=1)
        voltage = self.voltage
        order = np.unique(voltage, return_inverse=True)[1].reshape(voltage.shape) + 1.0  # ranks as V does, and is above 0
        events = race.choose(np.where(crossed, order, 0.0), 0.0)
        won = np.zeros(voltage.shape, bool)
        won[events[:, 0], events[:, 1]] = True
        self.state = self.state._replace(voltage=np.where(race.silenced & ~won, 0.0, voltage), spikes=won)
        return events


class _Group:
    """A population: its cells, its inhibition, what drives it, and its events, one array a step."""

    def __init__(self, population: Population, drive: Drive, net: Network) -> None:
        shape = drive.batches, population.size
        constants, inhibition = population.neuron.compiled(net.dt), population.inhibition
        self.current = np.zeros(shape)
        self.cells: _Cells = _Stepped(population.neuron, shape, net.dt) if constants is None else _Compiled(constants, shape)
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
        batch, cell = np.nonzero(np.broadcast_to(spikes, self.current.shape))
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

"""The populations of the event-driven simulator: their cells, what drives them, and their events, step by step."""

import numpy as np
from numpy.typing import NDArray

from spikemem.network.graph import KWinners, Population
from spikemem.simulators.event.cells import BasketRace, begun, cells_of
from spikemem.simulators.event.learning import Events
from spikemem.simulators.recording import Fired
from spikemem.simulators.state import RunState, as_numpy, filled
from spikemem.simulators.stimulus import Simulation

NO_EVENTS = np.zeros((0, 3), np.int64)
SILENCE = np.zeros((1, 1))


class EventGroup:
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
        self.events.append(self.cells.fire(self.current, self._driven(t), self.race))

    def _driven(self, t: int) -> NDArray[np.float64]:
        """The external current of a step, [1 or batch, 1 or cell]; numba compiles anew for arrays that are not to be written to."""
        now = SILENCE if self.external is None else self.external[t]
        return now if now.flags.writeable else now.copy()

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


def _steps(arrays: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The step of each row of arrays that were kept one a step."""
    return np.repeat(np.arange(len(arrays)), np.array([len(rows) for rows in arrays], np.int64))

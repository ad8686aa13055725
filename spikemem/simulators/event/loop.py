"""Whole runs in one compiled loop: leaky integrate-and-fire cells without inhibition, joined by synapses that stay as they are.

What it computes, in which order, is what the steps of `run` compute one by one, to the last bit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels import loop
from spikemem.kernels.machine import address
from spikemem.network.graph import Network, Projection
from spikemem.network.synapses import Dense, OneBit, Sparse
from spikemem.simulators.event.cells import LIFCells
from spikemem.simulators.event.groups import NO_EVENTS, EventGroup
from spikemem.simulators.event.learning import Events
from spikemem.simulators.recording import Fired
from spikemem.simulators.stimulus import Forced, Simulation

REPORTS, STRETCH = 32, 256
"""Steps after which the loop returns: to report, where it is to, and to be interrupted."""
ROOM = 1 << 16
"""Events that there is room for at first."""
MOST_STEPS = 2**25
"""Steps of all populations together, 256 MB; a longer run, which `until` may end at any time, takes single steps."""
_Row = dict[str, Any]
"""Of a table, by the names of its fields."""


def longest(net: Network) -> int:
    """The longest delay of a network, in steps."""
    return max((net.steps(projection.delay) for projection in net.projections), default=0)


def fits(net: Network, groups: Mapping[str, EventGroup], steps: int) -> bool:
    """Whether the loop runs a network for so many steps: it has a number for each of them and each population."""
    cells = all(_plain(group) for group in groups.values()) and all(_fixed(projection) for projection in net.projections)
    return cells and steps * len(groups) <= MOST_STEPS


def _plain(group: EventGroup) -> bool:
    """Whether cells are clamped, or leaky integrate-and-fire with the same constants for all, and none is inhibited."""
    cells = group.cells
    same = isinstance(cells, LIFCells) and not any(isinstance(each, np.ndarray) for each in cells.constants)
    return group.cycle == 0 and (same or group.forced is not None)


def _keeps(group: EventGroup) -> bool:
    """Whether V shows at the end that a current was not finite at some step: subtracting leaves NaN and infinity what they are."""
    cells = group.cells
    return group.forced is not None or (isinstance(cells, LIFCells) and bool(np.isnan(cells.constants.reset)) and not cells.refractory)


def _most(group: EventGroup) -> int:
    """How many events a population may have in one step."""
    batches, cells = group.shape
    if group.forced is None:
        return batches * cells
    return int(np.diff(group.forced.first).max(initial=0)) * (batches if group.forced.batches == 1 else 1)


def _fixed(projection: Projection) -> bool:
    """Whether synapses neither learn nor tire, and all have one delay."""
    own = not isinstance(projection.synapses, OneBit) and projection.synapses.delays is not None
    return not (own or projection.plasticity or projection.short_term or projection.efficacy or projection.first)


def run(simulation: Simulation, groups: Mapping[str, EventGroup]) -> tuple[Simulation, dict[str, Fired], dict[str, NDArray[np.float64]]]:
    """Run a simulation.   groups: its populations, as they begin; they end with the last events, for the state to be told from.

    Returns the simulation of the steps that were taken, all spikes, and the recorded voltages.
    """
    voltages, steps, watch = simulation.voltages(), simulation.drive.steps, simulation.watch
    keeps = all(_keeps(group) for group in groups.values())
    if not keeps:
        simulation.drive.check_finite()
    back = longest(simulation.net)
    tables, log, done = _Tables(simulation, groups, voltages, back), _Log(simulation, groups, back), 0
    stretch = 1 if watch is not None else STRETCH if simulation.progress is None else REPORTS
    while done < steps:
        end = min(done + stretch, steps)
        while (done := tables.advance(log, done, end)) < end:
            log.grow()
        simulation.tell(done - 1)
        if watch is not None and watch.ends({name: tuple(log.of(p, done - 1)[:, :2].T) for p, name in enumerate(groups)}):
            break
    simulation = simulation.ended(done)
    if keeps and not all(np.isfinite(group.cells.voltage).all() for group in groups.values()):
        simulation.drive.check_finite()
    kept = min(back, done)
    for p, group in enumerate(groups.values()):
        group.events = [NO_EVENTS] * (done - kept) + [log.of(p, t) for t in range(done - kept, done)]
    return simulation, {name: log.fired(p, done) for p, name in enumerate(groups)}, voltages


class _Log:
    """The events of all populations, in the order of steps, populations, batch items and cells; see `kernels.loop`.

    Slots begin with the steps before the run whose spikes may still be under way.
    """

    def __init__(self, simulation: Simulation, groups: Mapping[str, EventGroup], back: int) -> None:
        self.populations, self.back = len(groups), back
        past = [group.before(simulation.before - self.back + slot) for slot in range(self.back) for group in groups.values()]
        self.first = np.zeros((self.back + simulation.drive.steps) * len(groups) + 1, np.int64)
        self.first[1 : len(past) + 1] = np.cumsum([len(events) for events in past])
        known = np.concatenate([NO_EVENTS, *past])
        self.most = sum(_most(group) for group in groups.values())
        self.batch, self.cell = (np.empty(len(known) + self.most + ROOM, np.int32) for _ in range(2))
        self.batch[: len(known)], self.cell[: len(known)] = known[:, 0], known[:, 1]

    def grow(self) -> None:
        """Make room for as many events again."""
        self.batch, self.cell = (np.concatenate([events, np.empty_like(events)]) for events in (self.batch, self.cell))

    def of(self, population: int, step: int) -> Events:
        """The events of a population in a step of the run."""
        here = (self.back + step) * self.populations + population
        these = slice(*self.first[here : here + 2])
        return np.stack([self.batch[these], self.cell[these], np.zeros_like(self.cell[these])], axis=1).astype(np.int64)

    def fired(self, population: int, steps: int) -> Fired:
        """All spikes of a population in the first steps of the run."""
        ends = self.first[self.back * self.populations : (self.back + steps) * self.populations + 1]
        each = np.diff(ends)
        step, batch, cell = np.repeat(np.arange(steps, dtype=np.int32), each[population :: self.populations]), self.batch, self.cell
        taken: Any = slice(ends[0], ends[-1])
        if self.populations > 1:
            taken = ends[0] + np.flatnonzero(np.repeat(np.tile(np.arange(self.populations) == population, steps), each))
        none = NO_EVENTS[:, 0]
        return Fired(step, batch[taken], cell[taken], np.broadcast_to(none.sum(), step.shape), none, none)


class _Tables:
    """The populations and projections of a run as the compiled loop reads them: addresses of arrays, which it holds, and constants."""

    def __init__(
        self, simulation: Simulation, groups: Mapping[str, EventGroup], voltages: Mapping[str, NDArray[np.float64]], back: int
    ) -> None:
        self._held: list[NDArray[Any]] = []
        self.batches, self.back, net, names = simulation.drive.batches, back, simulation.net, list(groups)
        self.groups = self._table(loop.GROUP, [self._group(group) for group in groups.values()])
        for p, (name, group) in enumerate(groups.items()):
            if name in voltages and group.forced is None:
                chosen = simulation.chosen[name]
                self.groups[p]["chosen"], self.groups[p]["watched"] = self._at(chosen), len(chosen)
                self.groups[p]["record"] = self._at(voltages[name])
        ends = [{"pre": names.index(q.pre), "post": names.index(q.post), "delay": net.steps(q.delay)} for q in net.projections]
        self.ways = self._table(loop.WAY, [end | self._way(q) for end, q in zip(ends, net.projections, strict=True)])

    def advance(self, log: _Log, begin: int, end: int) -> int:
        """Take steps, to before `end` or as far as there is room; returns the step that comes next."""
        return loop.advance(self.groups, self.ways, self.batches, begin, end, self.back, log.first, log.batch, log.cell, log.most)

    def _table(self, kind: np.dtype[Any], rows: Sequence[_Row]) -> NDArray[Any]:
        table = np.zeros(len(rows), kind)
        for place, row in enumerate(rows):
            for name, value in row.items():
                table[place][name] = value
        return table

    def _at(self, array: NDArray[Any]) -> int:
        self._held.append(array)
        return address(array)

    def _group(self, group: EventGroup) -> _Row:
        row: _Row = {"cells": group.shape[1]}
        if group.forced is not None:
            return row | self._forced(group.forced)
        cells, external = group.cells, np.zeros((1, 1, 1)) if group.external is None else group.external
        assert isinstance(cells, LIFCells)
        assert external.shape[2] == 1 or external.strides[2] == external.itemsize
        strides = (stride if size > 1 else 0 for stride, size in zip(external.strides, external.shape, strict=True))
        arrays: _Row = {name: self._at(getattr(cells, name)) for name in ("voltage", "spiked", "synaptic", "left")}
        driven: _Row = {"current": self._at(group.current), "external": self._at(external)}
        kinds: _Row = {"filters": cells.filters, "rests": cells.refractory > 0}
        each = dict(zip(("each_step", "each_item", "each_cell"), strides, strict=True))
        return row | arrays | driven | kinds | each | cells.constants._asdict()

    def _forced(self, forced: Forced) -> _Row:
        batch, cell = (np.ascontiguousarray(of, np.int32) for of in (forced.batch, forced.cell))
        given: _Row = {"given_first": self._at(forced.first), "given_batch": self._at(batch), "given_cell": self._at(cell)}
        return {"forced": True, "given": len(forced.cell), "given_items": forced.batches, **given}

    def _way(self, projection: Projection) -> _Row:
        row: _Row = {"cells": projection.synapses.shape[0]}
        match projection.synapses:
            case Dense(weights=weights):
                return row | {"kind": loop.ALL, "weights": self._at(weights)}
            case OneBit(bits=bits, start=start, efficacy=on, off=off):
                places: _Row = {"indptr": self._at(start), "targets": self._at(bits), "weights": self._at(on)}
                return row | places | {"kind": loop.BITS, "words": bits.shape[1], "off": off}
            case Sparse(indptr=indptr, narrow=narrow, weights=weights):
                places = {"indptr": self._at(indptr), "targets": self._at(narrow), "weights": self._at(weights)}
                kind = loop.NARROW if narrow.dtype == np.uint16 else loop.WIDE
                return row | places | {"kind": kind, "synapses": len(narrow)}

"""Recordings of a simulation: spikes, and the voltages of chosen cells."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, shown
from spikemem.errors import StimulusError, UnsupportedError
from spikemem.formats import from_nwb, to_neo, to_nwb, to_pandas
from spikemem.instruments.spikes import Spikes, Trains
from spikemem.network.graph import BASKET, KWinners, Network, Projection
from spikemem.network.neurons.contract import NOTHING
from spikemem.network.synapses import OneBit, compressed
from spikemem.simulators import joining
from spikemem.simulators.files import load, save
from spikemem.simulators.measures import Measures
from spikemem.simulators.state import RunState
from spikemem.simulators.stimulus import Simulation, check


@dataclass(frozen=True, eq=False)
class WeightCourse:
    """The weights of plastic projections over a run.

    time: ms at which they were looked at, [snapshot].   weights: by projection, [snapshot, batch, pre, post].
    """

    time: NDArray[np.float64]
    weights: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Recording(Measures):
    """What a simulation recorded, with the measures of spike trains, and ways to other tools.

    spikes: for each population (and basket cell) its `Spikes`.   voltages: float64, [time, batch, chosen cell], V[t] after the
    inhibition has chosen and before the reset.   cells: which cells the voltages are of.   marks: named lists of steps to show in plots.
    events: how many synapses delivered a spike before the end; of one-bit synapses only those whose bit is set count.
    weights: for each plastic projection the weights at the end, float64, [batch, pre, post]; 0 where there is no synapse.
    snapshots: weights over time, for each plastic projection of which they were asked for, float64, [snapshot, batch, pre, post]: at the
    start, and after every so many steps, its `intervals`.
    ended: where the run ended; None where the simulator cannot tell, and in a recording of a file.
    stopped: why it ended before the steps that were asked for, by `until`; None where it took them all.
    """

    dt: float
    steps: int
    batches: int
    spikes: Mapping[str, Spikes]
    voltages: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    cells: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    marks: Mapping[str, list[int]] = field(default_factory=dict)
    events: int = 0
    weights: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    ended: RunState | None = field(default=None, repr=False)
    snapshots: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    intervals: Mapping[str, int] = field(default_factory=dict)
    stopped: str | None = None

    @property
    def state(self) -> RunState:
        """Where the run ended, for another one to go on from; UnsupportedError where that is not known."""
        if self.ended is None:
            raise UnsupportedError("this recording does not know where it ended: its simulator cannot tell, and a file does not hold it")
        return self.ended

    def __getitem__(self, population: str) -> Spikes:
        if not isinstance(population, str) or population not in self.spikes:
            raise StimulusError(f"{shown(population)} was not recorded; there are {', '.join(self.spikes)}")
        return self.spikes[population]

    def __repr__(self) -> str:
        total = sum(len(s) for s in self.spikes.values())
        return f"Recording({self.steps * self.dt:g} ms, batch {self.batches}, {total} spikes of {', '.join(self.spikes)})"

    def marked(self, **marks: ArrayLike) -> "Recording":
        """The same recording with steps marked."""
        plain = {name: check.indices(steps, f"the marks {name!r}", INDEX).tolist() for name, steps in marks.items()}
        return replace(self, marks={**self.marks, **plain})

    def trial(self, item: int) -> "Recording":
        """The recording of one trial, a batch item, alone; `events`, which are counted of all together, stay, and `state` is left out."""
        item = check.integer(item, "item", least=0, most=self.batches - 1)
        alone: dict[str, Spikes] = {}
        for name, spikes in self.spikes.items():
            own = spikes.batch == item
            alone[name] = Spikes(spikes.step[own], np.zeros(int(own.sum()), np.int32), spikes.cell[own], spikes.size)
        voltages = {name: v[:, item : item + 1] for name, v in self.voltages.items()}
        weights = {name: w[item : item + 1] for name, w in self.weights.items()}
        snapshots = {name: course[:, item : item + 1] for name, course in self.snapshots.items()}
        return replace(self, batches=1, spikes=alone, voltages=voltages, weights=weights, snapshots=snapshots, ended=None)

    def then(self, later: "Recording") -> "Recording":
        """This recording and a later one, of the run that went on from its `state`, as one.

        StimulusError where the two cannot be of one run: of other steps, batch items, populations, or recorded cells, or where weights over
        time do not go on. Recordings of files do not know at which step they began.
        """
        check.instance(later, "later", Recording, "give the recording of a run that went on from this one's `state`")
        _one_run(self, later)
        spikes = {name: joining.spikes([(own, self.steps), (later[name], later.steps)]) for name, own in self.spikes.items()}
        marks = {name: [*self.marks.get(name, ())] for name in (*self.marks, *later.marks)}
        for name, steps in later.marks.items():
            marks[name] += [step + self.steps for step in steps]
        return replace(
            later, steps=self.steps + later.steps, spikes=spikes, marks=marks, events=self.events + later.events,
            voltages={name: np.concatenate([own, later.voltages[name]]) for name, own in self.voltages.items()},
            snapshots={name: joining.snapshots([own, later.snapshots[name]]) for name, own in self.snapshots.items()},
        )  # fmt: skip

    def trains(self, population: str, start: float = 0.0, stop: float | None = None) -> Trains:
        """The spike trains of a population from `start` to `stop`, ms of the run, as `spikemem.instruments` take them."""
        return Trains(self[population], self.dt, self.steps, self.batches).window(start, stop)

    def course(self, projection: str) -> WeightCourse:
        """The weights of a plastic projection over the run, as it was asked to record them: `plots.weights_over_time` draws it."""
        if not isinstance(projection, str) or projection not in self.snapshots:
            asked = ", ".join(self.snapshots) or "none"
            raise StimulusError(
                f"weights of {shown(projection)} over time were not recorded ({asked} were); give simulate record={{...: 10}}"
            )
        taken = self.snapshots[projection]
        steps = np.arange(len(taken), dtype=np.float64) * self.intervals[projection]
        return WeightCourse(steps * self.dt, {projection: taken})

    def _times(self, onsets: str | ArrayLike) -> ArrayLike:
        """Times in ms: those that are given, or those of the marks of a name."""
        if not isinstance(onsets, str):
            return onsets
        if onsets not in self.marks:
            raise StimulusError(f"onsets are {shown(onsets)}; give times in ms, or the name of marks: {', '.join(self.marks) or 'none'}")
        return np.asarray(self.marks[onsets], np.float64) * self.dt

    def to_pandas(self) -> Any:
        """Every spike as a row of a pandas `DataFrame`; see `spikemem.formats.pandas`."""
        return to_pandas(self)

    def to_neo(self) -> Any:
        """A `neo.Block` with a segment for each batch item; see `spikemem.formats.neo`."""
        return to_neo(self)

    def to_nwb(self, path: str | Path) -> Path:
        """Write a file in the NWB format (Neurodata Without Borders); see `spikemem.formats.nwb`."""
        return to_nwb(self, path)

    @classmethod
    def from_nwb(cls, path: str | Path) -> "Recording":
        """Read what `to_nwb` wrote: all of the recording."""
        return cls(**from_nwb(path))

    def save(self, path: str | Path) -> Path:
        """Write everything but the state to an npz file, which appears whole or not at all; returns its path."""
        return save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> "Recording":
        """Read what `save` wrote, or the folder of `simulate(..., to=folder)`, whose spikes and voltages are read when they are asked for.

        SnapshotError where it is missing, damaged (zip checks a CRC) or something else.
        """
        return cls(**load(path))


def _one_run(first: Recording, later: Recording) -> None:
    """StimulusError where one recording cannot follow another."""

    def same(what: str, of: Callable[[Recording], object]) -> None:
        if of(first) != of(later):
            raise StimulusError(f"the two recordings differ in {what}, {shown(of(first))} and {shown(of(later))}; join those of one run")

    same("their time step, ms", lambda r: r.dt)
    same("their batch items", lambda r: r.batches)
    same("their populations", lambda r: {name: s.size for name, s in r.spikes.items()})
    same("the cells whose voltage they have", lambda r: {name: cells.tolist() for name, cells in r.cells.items()})
    same("the weights that they have over time", lambda r: dict(r.intervals))
    if late := sorted(name for name, every in first.intervals.items() if first.steps % every):
        raise StimulusError(f"the first recording ends between two steps at which weights of {late[0]!r} are recorded; end it at one")
    if first.ended is not None and later.ended is not None and first.ended.step + later.steps != later.ended.step:
        raise StimulusError(
            f"the first run ended after {first.ended.step} steps, and the later one went on after {later.ended.step - later.steps}; "
            f"join those that follow one another"
        )
    for name, course in first.snapshots.items():
        if not np.allclose(course[-1], later.snapshots[name][0], rtol=1e-9, atol=1e-12):
            raise StimulusError(
                f"weights of {name!r} end in the first recording otherwise than they begin in the later one; join one run's"
            )


class Fired(NamedTuple):
    """The spikes of a population as a simulator hands them over, whole numbers, [spike], in the order of `Spikes`.

    rank: of each spike among those of its population in its cycle; needed only where a projection carries the first ones.
    basket_step, basket_batch: the spikes of the basket cell, where the population has KWinners.
    """

    step: NDArray[np.integer]
    batch: NDArray[np.integer]
    cell: NDArray[np.integer]
    rank: NDArray[np.integer]
    basket_step: NDArray[np.integer]
    basket_batch: NDArray[np.integer]


def recorded(
    simulation: Simulation,
    fired: Mapping[str, Fired],
    voltages: Mapping[str, NDArray[np.float64]],
    weights: Mapping[str, NDArray[np.float64]],
    state: RunState | None = None,
    snapshots: Mapping[str, NDArray[np.float64]] = NOTHING,
) -> Recording:
    """The recording of a simulation that has run.

    simulation: of the steps that were taken (`Simulation.ended`).   fired: of every population.
    voltages: of the populations of `simulation.chosen`, [time, batch, chosen cell]; what comes after the last step is dropped.
    weights: of the plastic projections, [batch, pre, post].   state: where the simulation ended.
    snapshots: as `simulation.snapshots()` makes them; UnsupportedError where they were asked for, and are not there.
    """
    if missing := simulation.every.keys() - snapshots.keys():
        raise UnsupportedError(f"this simulator does not record weights over time, as of {', '.join(sorted(missing))}; event and torch do")
    net, drive = simulation.net, simulation.drive
    spikes: dict[str, Spikes] = {}
    for name, population in net.populations.items():
        step, batch, cell, _, basket_step, basket_batch = (numbers.astype(np.int32) for numbers in fired[name])
        spikes[name] = Spikes(step, batch, cell, population.size)
        if isinstance(population.inhibition, KWinners):
            spikes[name + BASKET] = Spikes(basket_step, basket_batch, np.zeros_like(basket_batch), 1)
    carried = 0
    for projection in net.projections:
        trains = fired[projection.pre]
        carried += _arrived(net, projection, trains.step, trains.cell, trains.rank, (0, drive.steps))
        if simulation.start is not None:
            left, _, cell, rank = simulation.start.recent[projection.pre].T
            carried += _arrived(net, projection, left, cell, rank, (simulation.before, simulation.before + drive.steps))
    for name, fields in ({} if state is None else state.cells).items():
        if name not in drive.clamped and not np.isfinite(fields["voltage"]).all():
            warnings.warn(f"V of {name!r} is not finite at the end: its drive is too strong, or dt too long", UserWarning, stacklevel=2)
    taken = {name: v if len(v) == drive.steps else v[: drive.steps].copy() for name, v in voltages.items()}
    stopped = None if simulation.watch is None else simulation.watch.stopped
    cells, intervals = dict(simulation.chosen), dict(simulation.every)
    kept = {name: course[: drive.steps // intervals[name] + 1] for name, course in snapshots.items()}
    return Recording(net.dt, drive.steps, drive.batches, spikes, taken, cells, {}, carried, weights, state, kept, intervals, stopped)


def _arrived(
    net: Network,
    projection: Projection,
    left: NDArray[np.integer],
    cell: NDArray[np.integer],
    rank: NDArray[np.integer],
    within: tuple[int, int],
) -> int:
    """How many synapses deliver spikes that left at some steps within others, from the first to before the second."""

    def here(delay: int) -> NDArray[np.bool_]:
        return (left + delay >= within[0]) & (left + delay < within[1])

    lags = net.own_delays(projection)
    if lags is None or isinstance(projection.synapses, OneBit):
        arrives = here(net.steps(projection.delay))
        return projection.carried(cell[arrives], rank[arrives])
    sources, lags = compressed(projection.synapses).sources, lags.ravel()
    taken = np.ones(len(cell), bool) if projection.first is None else rank < projection.first
    own = {delay: np.bincount(sources[lags == delay], minlength=projection.synapses.shape[0]) for delay in np.unique(lags).tolist()}
    return sum(int(count[cell[here(delay) & taken]].sum()) for delay, count in own.items())


def cycle_ranks(step: NDArray[np.int64], batch: NDArray[np.int64], cycle: int) -> NDArray[np.int64]:
    """The rank of each spike in its cycle, for spikes sorted by step, then batch item, then cell."""
    if not len(step):
        return np.zeros(0, np.int64)
    key = step // cycle * (1 + batch.max()) + batch
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    rank = np.empty(len(step), np.int64)
    rank[order] = np.arange(len(step)) - np.repeat(starts, np.diff([*starts, len(step)]))
    return rank

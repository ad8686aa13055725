"""The input of a simulator: a network, and its external currents and clamped spikes, checked and brought to one shape."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX, Checks
from spikemem.errors import StimulusError
from spikemem.network.graph import Network, Population
from spikemem.network.sources import Events, Source
from spikemem.simulators.state import RunState
from spikemem.simulators.stopping import StopWatch

SPIKES = (
    "stimulus for {name!r} holds the numbers 0 and 1 alone, and numbers are a current; if these are spikes, give them as bool, "
    "`array.astype(bool)`"
)
MEND = "simulate fewer steps or batch items, or write the run to a folder, `to`"
GIVE = 'give a dict of arrays by population, such as {"input": current}'
check = Checks(StimulusError)
Stimulus = Mapping[str, ArrayLike | Source | Sequence[Source]]
"""What drives populations, by their names: external currents (floats), clamped spikes (bools), or sources, one or
one for each trial; shapes as in `simulate`."""


@dataclass(frozen=True, eq=False)
class Forced:
    """Teacher-forced spikes, by step, batch item and cell: those of step t are first[t] to first[t + 1].

    first: int64, [time + 1].   batch, cell: int32, [spike].   batches: 1 where all items have the same.   size: cells.
    As an array, `np.asarray(forced)`, it is bool, [time, 1 or batch, cell], and `forced[t]` a step of it.
    """

    first: NDArray[np.int64]
    batch: NDArray[np.int32]
    cell: NDArray[np.int32]
    batches: int
    size: int

    @classmethod
    def of(cls, items: Sequence[Events], steps: int, size: int) -> "Forced":
        """The spikes of each batch item, or of one for all."""
        step = np.concatenate([events.step for events in items])
        batch = np.repeat(np.arange(len(items), dtype=np.int32), [len(events.step) for events in items])
        order = np.argsort(step, kind="stable")
        first = np.concatenate([[0], np.cumsum(np.bincount(step, minlength=steps))])
        return cls(first, batch[order], np.concatenate([events.cell for events in items])[order], len(items), size)

    @classmethod
    def array(cls, raster: NDArray[np.bool_]) -> "Forced":
        """A raster, [time, 1 or batch, cell]."""
        items = (np.nonzero(raster[:, item]) for item in range(raster.shape[1]))
        return cls.of([Events(*(part.astype(np.int32) for part in item)) for item in items], len(raster), raster.shape[2])

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.first) - 1, self.batches, self.size

    def at(self, step: int, batches: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Batch item and cell of each spike of a step, of all of so many items."""
        here = slice(self.first[step], self.first[step + 1])
        batch, cell = self.batch[here].astype(np.int64), self.cell[here].astype(np.int64)
        return (batch, cell) if self.batches > 1 else (np.repeat(np.arange(batches), len(cell)), np.tile(cell, batches))

    def events(self, batches: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Step, batch item and cell of all spikes, by step, of so many items."""
        step = np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))
        if self.batches > 1:
            return step, self.batch.astype(np.int64), self.cell.astype(np.int64)
        step, batch, cell = np.tile(step, batches), np.repeat(np.arange(batches), len(step)), np.tile(self.cell, batches)
        order = np.argsort(step, kind="stable")
        return step[order], batch[order], cell[order].astype(np.int64)

    def __getitem__(self, step: int) -> NDArray[np.bool_]:
        here, made = slice(self.first[step], self.first[step + 1]), np.zeros((self.batches, self.size), bool)
        made[self.batch[here], self.cell[here]] = True
        return made

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        made = np.zeros(self.shape, bool)
        made[np.repeat(np.arange(self.shape[0]), np.diff(self.first)), self.batch, self.cell] = True
        return made if dtype is None else made.astype(dtype)


@dataclass(frozen=True, eq=False)
class Drive:
    """A checked stimulus, as every simulator receives it.

    current: external current, float64, [time, 1 or batch, 1 or cell]; one step, repeated, where it is constant. It is not to be written to.
    clamped: teacher-forced spikes.
    noise: of noise that remembers, what is in `current` in the last step, [batch, cell].
    """

    steps: int
    batches: int
    current: Mapping[str, NDArray[np.float64]]
    clamped: Mapping[str, Forced]
    noise: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def check_finite(self) -> None:
        """StimulusError where a current is NaN or infinite at some step."""
        for name, current in self.current.items():
            constant = current.strides[0] == 0
            if not all(np.isfinite(now).all() for now in (current[:1] if constant else current)):
                raise StimulusError(f"stimulus for {name!r}: NaN or infinity among its numbers; expected finite ones")


@dataclass(frozen=True, eq=False)
class Simulation:
    """One run of a network, as every simulator takes it.

    chosen: for a population the cells whose voltage is recorded.   progress: called with the steps done and the steps in all.
    start: where an earlier run ended, from which this one goes on; None begins anew.   watch: of what may end it before its last step.
    every: for a plastic projection after how many steps, again and again, its weights are recorded.
    device: "cpu", or one of torch.   dtype: "float64" or "float32".
    """

    net: Network
    drive: Drive
    chosen: Mapping[str, NDArray[np.int64]]
    progress: Callable[[int, int], None] | None = None
    device: str = "cpu"
    dtype: str = "float64"
    start: RunState | None = None
    every: Mapping[str, int] = field(default_factory=dict)
    watch: StopWatch | None = None

    @property
    def before(self) -> int:
        """Steps that were taken before this run."""
        return 0 if self.start is None else self.start.step

    def ended(self, steps: int) -> "Simulation":
        """The same simulation, of the steps that were taken."""
        if steps == self.drive.steps:
            return self
        run = _Run(self.before, steps, self.drive.batches, self.start)
        noise = {name: run.noise(self.net.populations[name], self.net.dt)[-1] for name in self.drive.noise}
        return replace(self, drive=replace(self.drive, steps=steps, noise=noise))

    def voltages(self) -> dict[str, NDArray[np.float64]]:
        """Arrays for the recorded voltages, [time, batch, chosen cell], all 0."""
        recorded = sum(map(len, self.chosen.values()))
        check.room(self.drive.steps * self.drive.batches * recorded, "the recorded voltages", "record fewer cells")
        return {name: np.zeros((self.drive.steps, self.drive.batches, len(cells))) for name, cells in self.chosen.items()}

    def snapshots(self) -> dict[str, NDArray[np.float64]]:
        """Arrays for the recorded weights, [snapshot, batch, pre, post], all 0."""
        of = {q.name: q.synapses.shape for q in self.net.projections}
        shapes = {name: (self.drive.steps // every + 1, self.drive.batches, *of[name]) for name, every in self.every.items()}
        check.room(sum(math.prod(shape) for shape in shapes.values()), "the recorded weights", "record them after more steps")
        return {name: np.zeros(shape) for name, shape in shapes.items()}

    def due(self, done: int) -> Iterator[tuple[str, int]]:
        """The projections whose weights are recorded after so many steps of this run, each with the number of its snapshot."""
        return ((name, done // every) for name, every in self.every.items() if done % every == 0)

    def tell(self, t: int) -> None:
        """Report that step t is done, every 32 steps and at the end."""
        if self.progress is not None and (t % 32 == 31 or t + 1 == self.drive.steps):
            self.progress(t + 1, self.drive.steps)


def checked(
    net: Network, stimulus: Stimulus, steps: int, start: RunState | None = None, trials: int | None = None, finite: bool = True
) -> Drive:
    """The stimulus of `simulate` as a `Drive`; StimulusError where it does not fit the network.

    Arrays of float64 are not copied.

    start: from which sources go on.   trials: the batch items; None are as many as `stimulus` and `start` have.
    finite: whether to look for what is not finite; who leaves that out does it later.
    """
    check.instance(net, "the first argument", Network, "simulate runs a Network")
    check.instance(stimulus, "stimulus", Mapping, GIVE)
    cells_of = sum(p.size for p in net.populations.values())
    check.room(cells_of, "the cells of the network", "take fewer")
    current: dict[str, NDArray[np.float64]] = {}
    clamped: dict[str, Forced] = {}
    sources: dict[str, list[Source]]
    sources = {name: [population.neuron] for name, population in net.populations.items() if isinstance(population.neuron, Source)}
    wanted = None if trials is None else check.integer(trials, "trials", least=1, most=INDEX)
    batches = wanted or (1 if start is None else start.batches)
    for name, given in dict[str, Any](stimulus).items():
        if name not in net.populations:
            raise StimulusError(f"stimulus for {name!r}, but the populations are {', '.join(net.populations) or 'none'}")
        if _drawn(given):
            several: Any = [given] if isinstance(given, Source) else given
            sources[name] = [fitting(each, net, name) for each in several]
            batches = _agreed(name, len(several), batches, wanted)
            continue
        if name in sources:
            raise StimulusError(f"stimulus for {name!r}, which is a source and has spikes of its own; give another source, or none")
        array, size = _shaped(name, given, net.populations[name].size, steps), net.populations[name].size
        time, batch, _ = array.shape
        batches = _agreed(name, batch, batches, wanted)
        if array.dtype == bool:
            clamped[name] = Forced.array(np.broadcast_to(array, (steps, batch, size)))
        else:
            if time > 1 and _like_spikes(array):
                warnings.warn(SPIKES.format(name=name), UserWarning, stacklevel=5)
            current[name] = np.ascontiguousarray(array, np.float64)
    check.room(cells_of * batches, f"the cells of the network in {batches:,} batch items", "give fewer")
    if start is not None:
        start.fits(net, batches)
    run = _Run(0 if start is None else start.step, steps, batches, start)
    clamped |= {name: run.spikes(source, net, name) for name, source in sources.items()}
    last: dict[str, NDArray[np.float64]] = {}
    for population in net.populations.values():
        if population.name not in clamped:
            run.add_own(population, net.dt, current, last)
    drive = Drive(steps, batches, {name: np.broadcast_to(i, (steps, *i.shape[1:])) for name, i in current.items()}, clamped, last)
    if finite:
        drive.check_finite()
    return drive


def between(stimulus: Stimulus, begin: int, end: int, steps: int) -> dict[str, Any]:
    """The stimulus of some of so many steps; one of a single step, which is repeated, and sources stay."""
    parts: dict[str, Any] = {}
    for name, given in check.instance(stimulus, "stimulus", Mapping, GIVE).items():
        array = given if _drawn(given) else np.atleast_1d(check.array(given, f"stimulus for {name!r}"))
        if not _drawn(given) and len(array) not in (1, steps):
            raise StimulusError(f"stimulus for {name!r} has shape {array.shape}; expected [{steps} or 1, ...]")
        parts[name] = array if _drawn(given) or len(array) == 1 else array[begin:end]
    return parts


def _drawn(given: Any) -> bool:
    """Whether a stimulus is a source, or a list of them."""
    return isinstance(given, Source) or (isinstance(given, list | tuple) and bool(given) and all(isinstance(s, Source) for s in given))


def _agreed(name: str, batch: int, batches: int, trials: int | None) -> int:
    """The batch items of a run, where a stimulus has so many, and others had.   trials: that were asked for."""
    if batch != 1 and batches != batch and (trials is not None or batches != 1):
        other = "another one has" if trials is None else "trials is"
        raise StimulusError(f"stimulus for {name!r} has batch {batch}, {other} {batches}")
    return max(batches, batch)


def fitting(source: Source, net: Network, name: str) -> Source:
    """A source for a population; StimulusError where it is of another number of cells, or does not fit the step."""
    if source.cells not in (None, net.populations[name].size):
        raise StimulusError(f"the source for {name!r} is of {source.cells} cells, the population has {net.populations[name].size}")
    source.check(net.dt)
    return source


class _Run(NamedTuple):
    """The steps of a run, for what is drawn from the first step of the first run on."""

    before: int
    steps: int
    batches: int
    start: RunState | None

    def spikes(self, sources: Sequence[Source], net: Network, name: str) -> Forced:
        """What a source, or one for each batch item, gives to a population."""
        cells, given = net.populations[name].size, sources if len(sources) > 1 else [*sources] * self.batches
        drawn = [source.events(name, self.steps, cells, net.dt, item, self.before) for item, source in enumerate(given)]
        return Forced.of(drawn, self.steps, cells)

    def add_own(
        self, population: Population, dt: float, current: dict[str, NDArray[np.float64]], last: dict[str, NDArray[np.float64]]
    ) -> None:
        """Add bias and noise of a population to its external current, and what its noise remembers to `last`, in place."""
        name = population.name
        if (bias := population.driven) is not None:
            current[name] = current[name] + bias if name in current else bias[None, None]
        if population.noise is not None:
            noise = self.noise(population, dt)
            current[name] = current.get(name, 0.0) + noise
            if population.noise.remembers:
                last[name] = noise[-1].copy()

    def noise(self, population: Population, dt: float) -> NDArray[np.float64]:
        """The noise of a population, [time, batch, cell]."""
        name, cells, given = population.name, population.size, population.noise
        assert given is not None
        check.room(self.steps * self.batches * cells, f"the noise of {name!r}", MEND)
        kept = self.start.noise.get(name) if self.start is not None and given.remembers else None
        made = np.empty((self.steps, self.batches, cells))
        for item in range(self.batches):
            known = {} if kept is None else {"last": kept[item]}
            made[:, item] = given.drawn(name, self.steps, cells, dt, item, self.before, **known)
        return made


def _shaped(name: str, given: ArrayLike, size: int, steps: int) -> NDArray[Any]:
    """A stimulus as an array, [1 or time, batch, 1 or cell]."""
    array = check.array(given, f"stimulus for {name!r}, [time, batch, cell]", finite=False)
    if array.ndim not in (1, 2, 3):
        raise StimulusError(f"stimulus for {name!r} has shape {array.shape}; give [time], [time, cell] or [time, batch, cell]")
    array = array.reshape(array.shape[0], *((1,) * (3 - array.ndim)), *array.shape[1:])
    time, batch, cells = array.shape
    if time not in (1, steps) or cells not in (1, size) or batch < 1:
        raise StimulusError(f"stimulus for {name!r} has shape {array.shape}; expected [{steps} or 1, batch, {size} or 1]")
    return array


def _like_spikes(array: NDArray[np.generic]) -> bool:
    """Whether numbers are 0 and 1 alone, and change from step to step, as spikes do."""
    return all(((now == 1) | (now == 0)).all() for now in array) and any((now != array[0]).any() for now in array)

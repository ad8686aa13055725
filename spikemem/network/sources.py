"""Sources: populations whose spikes are drawn or given, and not computed, and currents of noise.

A source is part of a network's description, in the place of a neuron: `Population("input", 100, poisson(20.0))`. What it gives follows from
its seed, the name of the population, the batch item and the step alone, so that every simulator has the same, and a longer run begins as a
shorter one. It can also be given to `simulate` in the place of an array.

    poisson    P(spike in a step) = 1 - exp(-rate dt)              an inhomogeneous one has a rate for each step
    regular    one spike in each 1 / rate, from a phase on
    bursts     `count` spikes `interval` apart, each 1 / rate
    trains     given times of each cell
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import Neuron, Numbers, check, count_of, flat, parameter
from spikemem.network.noise import Stretch, uniform

GRID = 1e-6
"""Share of a step by which a time may miss it by rounding."""


class SourceState(NamedTuple):
    """V and S of a source, 0 and False."""

    voltage: Any
    spikes: Any


class Events(NamedTuple):
    """Spikes by step, counted from the first that is not left out, and then by cell.   step, cell: int32, [spike]."""

    step: NDArray[np.int32]
    cell: NDArray[np.int32]

    @classmethod
    def of(cls, step: NDArray[np.integer], cell: NDArray[np.integer]) -> "Events":
        """Spikes in any order."""
        order = np.lexsort((cell, step))
        return cls(step[order].astype(np.int32), cell[order].astype(np.int32))


class Source(Neuron):
    """A population whose spikes are known before the simulation; what arrives at it is lost."""

    from_rest = False
    computed = False

    def initial(self, zeros: Any) -> SourceState:
        return SourceState(zeros, zeros != 0)

    def step(self, current: Any, state: SourceState, dt: float) -> SourceState:
        return state

    @abstractmethod
    def events(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> Events:
        """The spikes of one batch item.   name: of the population.   dt: ms.   before: steps that are left out."""

    def spikes(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> NDArray[np.bool_]:
        """The same as a raster, bool, [time, cell]."""
        check.room(steps * cells, f"the raster of {name!r}", "take fewer steps, or `events`")
        made = np.zeros((steps, cells), bool)
        made[self.events(name, steps, cells, dt, item, before)] = True
        return made


@dataclass(frozen=True)
class Poisson(Source):
    """Independent Poisson spike trains; see `poisson`.   rates: Hz, of all cells or of each, or, where `every` is above 0, of each
    stretch of that many ms, [stretch, 1 or cell]."""

    rates: tuple[tuple[float, ...], ...]
    every: float = 0.0
    seed: int = 0

    @property
    def cells(self) -> int | None:
        return None if len(self.rates[0]) == 1 else len(self.rates[0])

    def check(self, dt: float) -> None:
        if self.every and self.every < dt:
            raise NetworkError(f"rates over stretches of {self.every} ms are finer than a step of {dt} ms")

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The mean rate, Hz, whatever the current, with at most one spike a step."""
        mean = np.mean(-np.expm1(-np.array(self.rates) * dt / 1000.0)) / dt * 1000.0
        return np.full(np.shape(current), mean)

    def events(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> Events:
        chance = -np.expm1(-np.array(self.rates) * dt / 1000.0)
        now = np.arange(before, before + steps) * dt
        stretch = np.floor(now / self.every + GRID).astype(np.int64) if self.every else np.zeros(steps, np.int64)
        stretch, found, count = np.minimum(stretch, len(chance) - 1), [(np.zeros(0, np.int32),) * 2], 0
        for part, numbers in Stretch(self.seed, name, item, before, steps, cells).parts(uniform, singly=True):
            step, cell = np.nonzero(numbers < chance[stretch[part]])
            found.append(((step + part.start).astype(np.int32), cell.astype(np.int32)))
            count += len(step)
            check.room(count, f"the spikes of {name!r}", "take a lower rate, or fewer steps")
        return Events(*(np.concatenate(column) for column in zip(*found, strict=True)))


def poisson(rate: ArrayLike, *, every: float | None = None, seed: int = 0) -> Poisson:
    """Poisson spike trains, one for each cell.

    rate: Hz, >= 0: one number, or one for each cell; with `every` one for each stretch of time, [stretch] or [stretch, cell].
    every: ms, how long each of the rates over time lasts; the last one lasts on.   seed: of the draws.

    A step holds at most one spike, with the probability 1 - exp(-rate dt).

    >>> from spikemem import Network, Population, simulate
    >>> net = Network(dt=1.0)
    >>> _ = net.add(Population("input", 50, poisson(20.0)))
    >>> len(simulate(net, {}, steps=1000)["input"])
    1020
    """
    rates = check.floats(rate, "the rate of a Poisson source, Hz")
    if rates.ndim > (1 if every is None else 2) or (every is not None and not rates.ndim) or not rates.size or rates.min(initial=0.0) < 0:
        shape = "a number, or [cell]" if every is None else "[stretch] or [stretch, cell]"
        raise NetworkError(
            f"the rate of a Poisson source has shape {rates.shape}, least {rates.min(initial=0.0):g}; it must be >= 0 Hz, {shape}"
        )
    table = np.atleast_2d(rates) if every is None else rates.reshape(len(rates), -1)
    lasting = 0.0 if every is None else check.finite(every, "every", above=0, unit=" ms")
    return Poisson(tuple(map(tuple, table.tolist())), lasting, check.seed(seed))


@dataclass(frozen=True)
class Bursts(Source):
    """Spikes at even intervals, alone or in bursts; see `regular` and `bursts`."""

    frequency: Numbers
    phase: Numbers
    count: int
    interval: float

    @property
    def cells(self) -> int | None:
        return count_of(self.frequency) or count_of(self.phase)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The mean rate, Hz, whatever the current."""
        return np.full(np.shape(current), self.count * np.mean(flat(self.frequency)))

    def events(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> Events:
        found = [np.zeros(0, np.int64)]
        frequency, phase = (np.broadcast_to(flat(value), cells) for value in (self.frequency, self.phase))
        for cell in range(cells):
            period = 1000.0 / frequency[cell]
            check.room(int(min(steps * dt / period, 2.0**40)) * self.count, f"the spikes of {name!r}", "take a lower rate")
            lasts, begin, end = self.interval * (self.count - 1), before * dt, (before + steps) * dt
            numbers = np.arange(max(0, int((begin - lasts - phase[cell]) / period) - 1), max(0, int((end - phase[cell]) / period) + 2))
            starts = phase[cell] + period * numbers
            found.append(
                _steps((starts[:, None] + self.interval * np.arange(self.count)).ravel(), steps, dt, f"{cell} of {name!r}", before)
            )
        return Events.of(np.concatenate(found), np.repeat(np.arange(cells), [len(at) for at in found[1:]]))


def regular(rate: ArrayLike, *, phase: ArrayLike = 0.0) -> Bursts:
    """Spikes at even intervals.   rate: Hz, > 0.   phase: ms, >= 0, of the first spike. Each a number or one for each cell.

    >>> regular(250.0, phase=1.0).spikes("input", steps=10, cells=1, dt=1.0)[:, 0].nonzero()[0].tolist()
    [1, 5, 9]
    """
    return bursts(rate, count=1, interval=1.0, phase=phase)


def bursts(rate: ArrayLike, *, count: int, interval: float, phase: ArrayLike = 0.0) -> Bursts:
    """Bursts of spikes at even intervals.

    rate: bursts a second, Hz, > 0.   count: spikes in a burst.   interval: ms between them.   phase: ms, >= 0, of the first.

    >>> bursts(50.0, count=3, interval=2.0).spikes("input", steps=30, cells=1, dt=1.0)[:, 0].nonzero()[0].tolist()
    [0, 2, 4, 20, 22, 24]
    """
    frequency, shift = parameter(rate, "the rate of bursts", " Hz", above=0), parameter(phase, "phase", " ms", least=0)
    number = check.integer(count, "count", least=1, most=INDEX)
    return Bursts(frequency, shift, number, check.finite(interval, "interval", above=0, unit=" ms"))


@dataclass(frozen=True)
class SpikeTimes(Source):
    """Given spike trains; see `trains`.   times: ms, of each cell."""

    times: tuple[tuple[float, ...], ...]

    @property
    def cells(self) -> int | None:
        return len(self.times)

    def rate(self, current: ArrayLike, dt: float = 1.0) -> NDArray[np.float64]:
        """The mean rate, Hz, up to the last spike, whatever the current."""
        last = max((t for train in self.times for t in train), default=0.0)
        return np.full(np.shape(current), 1000.0 * sum(map(len, self.times)) / (len(self.times) * last) if last else 0.0)

    def events(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> Events:
        found = [_steps(np.array(train), steps, dt, f"{cell} of {name!r}", before) for cell, train in enumerate(self.times)]
        return Events.of(np.concatenate(found), np.repeat(np.arange(len(found)), [len(at) for at in found]))


def _steps(times: NDArray[np.float64], steps: int, dt: float, cell: str, before: int) -> NDArray[np.int64]:
    """The steps of a cell's spikes at times in ms; NetworkError where two fall into one.   before: steps that are left out."""
    inside = times[times < (before + steps) * dt]
    at = np.floor(inside / dt + GRID).astype(np.int64) - before
    at = at[(at >= 0) & (at < steps)]
    if len(np.unique(at)) < len(at):
        raise NetworkError(f"two spikes of cell {cell} fall into one step of {dt} ms; take a shorter dt, or a lower rate")
    return at


def trains(times: Sequence[ArrayLike]) -> SpikeTimes:
    """Spikes at given times, as of a recording.   times: ms, >= 0, a list for each cell; what lies behind the run is not reached.

    A spike at time t is in step floor(t / dt); two spikes of a cell in one step are a NetworkError.

    >>> trains([[1.0, 4.0], []]).spikes("input", steps=5, cells=2, dt=1.0).nonzero()
    (array([1, 4]), array([0, 0]))
    """
    listed = [
        check.floats(train, f"spike times of cell {n}", shape=(None,)) for n, train in enumerate(check.listed(times, "times", "lists"))
    ]
    if not listed or any(len(train) and train.min() < 0 for train in listed):
        raise NetworkError("spike trains need a list of times for each cell, all >= 0 ms")
    return SpikeTimes(tuple(tuple(np.sort(train).tolist()) for train in listed))

"""Spikes as data: those of one population, and its spike trains over a time, which every measure takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX, Checks, shown
from spikemem.errors import StimulusError

GRID = 1e-6
"""Steps by which a time may miss a whole step: what float64 rounds away of milliseconds, and far below any step."""
check = Checks(StimulusError)


@dataclass(frozen=True, eq=False)
class Spikes:
    """The spikes of one population, sorted by step, then batch item; within a step in the order of the cells' index, or, under KWinners,
    in firing order (higher V first, then lower index).

    step, batch, cell: int32, [spike].   size: cells of the population.
    """

    step: NDArray[np.int32]
    batch: NDArray[np.int32]
    cell: NDArray[np.int32]
    size: int

    def __len__(self) -> int:
        return len(self.step)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check.integer(self.size, "size", least=1, most=INDEX))
        for name in ("step", "batch", "cell"):
            below = self.size if name == "cell" else INDEX
            shape = (None,) if name == "step" else self.step.shape
            object.__setattr__(self, name, check.indices(getattr(self, name), f"the {name}s of spikes", below, np.int32, shape=shape))

    def between(self, start: int, stop: int, batch: int = 0) -> "Spikes":
        """The spikes of one batch item in steps start <= t < stop."""
        keep = (self.step >= start) & (self.step < stop) & (self.batch == batch)
        return Spikes(self.step[keep], self.batch[keep], self.cell[keep], self.size)

    def counts(self, batches: int = 1) -> NDArray[np.int64]:
        """How often each cell spiked, [batch, cell].   batches: those of the recording."""
        batches = self._batches(batches)
        check.room(batches * self.size, "the counts", "take fewer batch items")
        counts = np.zeros((batches, self.size), np.int64)
        np.add.at(counts, (self.batch, self.cell), 1)
        return counts

    def dense(self, steps: int, batches: int = 1) -> NDArray[np.bool_]:
        """The spike trains as bool, [time, batch, cell].   steps, batches: those of the recording."""
        batches = self._batches(batches)
        steps = check.integer(steps, "steps", least=1 + int(self.step.max(initial=-1)), mend="those of the recording")
        check.room(steps * batches * self.size, "the spike trains", "take the spikes of fewer steps, by `between`")
        trains = np.zeros((steps, batches, self.size), bool)
        trains[self.step, self.batch, self.cell] = True
        return trains

    def _batches(self, batches: int) -> int:
        """A number of batch items that holds all spikes."""
        return check.integer(batches, "batches", least=1 + int(self.batch.max(initial=0)), mend="those of the recording")


@dataclass(frozen=True, eq=False)
class Trains:
    """The spike trains of one population over a time, its silent cells included.

    spikes: their steps count from the first of the time.   dt: ms.   steps: how many the time has.   batches: batch items.
    start: the step of the run that is the first of the time.

    >>> spikes = Spikes(np.array([0, 10, 30]), np.zeros(3, int), np.zeros(3, int), size=2)
    >>> Trains(spikes, dt=1.0, steps=100).activity(bin=50.0).tolist()  # 3 spikes of 2 cells in 50 ms
    [[30.0, 0.0]]
    """

    spikes: Spikes
    dt: float
    steps: int
    batches: int = 1
    start: int = 0

    def __post_init__(self) -> None:
        check.instance(self.spikes, "spikes", Spikes, 'give Spikes, such as recording["e"]')
        object.__setattr__(self, "dt", check.finite(self.dt, "dt", above=0, unit=" ms"))
        least = 1 + int(self.spikes.step.max(initial=0))
        object.__setattr__(self, "steps", check.integer(self.steps, "steps", least=least, most=INDEX, mend="those of the recording"))
        object.__setattr__(self, "batches", self.spikes._batches(self.batches))
        object.__setattr__(self, "start", check.integer(self.start, "start", least=0, most=INDEX))

    @property
    def duration(self) -> float:
        """Of the time, ms."""
        return self.steps * self.dt

    def window(self, start: float = 0.0, stop: float | None = None) -> "Trains":
        """The trains from `start` to `stop`, ms of the run; to its end where `stop` is None."""
        end = self.start + self.steps
        first = self.whole(start, "start", least=self.start, most=end - 1)
        last = end if stop is None else self.whole(stop, "stop", least=first + 1, most=end)
        spikes, offset = self.spikes, first - self.start
        keep = (spikes.step >= offset) & (spikes.step < last - self.start)
        kept = Spikes(spikes.step[keep] - offset, spikes.batch[keep], spikes.cell[keep], spikes.size)
        return Trains(kept, self.dt, last - first, self.batches, first)

    def binned(self, bin: float) -> NDArray[np.int64]:
        """How often each cell spiked in each bin, [batch, cell, bin].   bin: ms, whole steps; what is left at the end is left out."""
        width = self.width(bin)
        bins = self.steps // width
        shape = self.batches, self.spikes.size, bins
        check.room(int(np.prod(shape, dtype=object)), "the counts of all cells in all bins", "take wider bins, or a shorter time")
        at = self.spikes.step // width
        keep = at < bins
        counts = np.zeros(shape, np.int64)
        np.add.at(counts, (self.spikes.batch[keep], self.spikes.cell[keep], at[keep]), 1)
        return counts

    def activity(self, bin: float) -> NDArray[np.float64]:
        """The population's rate over time, spikes per cell and second: Hz, [batch, bin].

            A(t) = n(t; t + bin) / (N bin)         Gerstner & Kistler 2002, section 1.5

        bin: ms, whole steps; what is left at the end is left out.
        """
        width = self.width(bin)
        bins = self.steps // width
        check.room(self.batches * bins, "the activity", "take wider bins, or a shorter time")
        at = self.spikes.step // width
        keep = at < bins
        counts = np.bincount(self.spikes.batch[keep].astype(np.int64) * bins + at[keep], minlength=self.batches * bins)
        return counts.reshape(self.batches, bins).astype(np.float64) * (1000.0 / (width * self.dt * self.spikes.size))

    def width(self, bin: float, name: str = "bin") -> int:
        """A width in ms as steps: at least one, and no more than there are."""
        return self.whole(bin, name, least=1, most=self.steps)

    def whole(self, time: float, name: str, *, least: int, most: int) -> int:
        """A time in ms as a whole number of steps between two; StimulusError where it is none."""
        steps = check.finite(time, name, unit=" ms") / self.dt
        if abs(steps - round(steps)) > GRID or not least <= round(steps) <= most:
            raise StimulusError(
                f"{name} is {shown(time)} ms; it must be a whole number of steps of {self.dt:g} ms, "
                f"from {least * self.dt:g} to {most * self.dt:g} ms"
            )
        return round(steps)


class Recorded(Protocol):
    """What a recording holds, as exporters read it; each field as in `Recording`."""

    @property
    def dt(self) -> float: ...
    @property
    def steps(self) -> int: ...
    @property
    def batches(self) -> int: ...
    @property
    def spikes(self) -> Mapping[str, Spikes]: ...
    @property
    def voltages(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def cells(self) -> Mapping[str, NDArray[np.int64]]: ...
    @property
    def marks(self) -> Mapping[str, list[int]]: ...
    @property
    def events(self) -> int: ...
    @property
    def weights(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def snapshots(self) -> Mapping[str, NDArray[np.float64]]: ...
    @property
    def intervals(self) -> Mapping[str, int]: ...
    @property
    def stopped(self) -> str | None: ...

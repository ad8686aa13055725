"""When a run ends before its last step: a condition that is looked at after each step.

A condition is a function of a `StepView` that returns whether the run ends, or a text that says why: `simulate(..., until=condition)`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX, Checks, shown
from spikemem.errors import StimulusError
from spikemem.network.graph import Network

check = Checks(StimulusError)


class StepView:
    """What a stop condition sees: the spikes of the step just taken, and what has been counted since this run began.

    step: steps that were taken.   dt: ms.
    """

    def __init__(self, sizes: Mapping[str, int], batches: int, dt: float) -> None:
        self.step, self.dt = 0, dt
        self._now = {name: np.zeros((batches, size), bool) for name, size in sizes.items()}
        self._counts = {name: np.zeros((batches, size), np.int64) for name, size in sizes.items()}
        self._last = {name: np.zeros(batches, np.int64) for name in sizes}

    @property
    def populations(self) -> tuple[str, ...]:
        """The names of the populations."""
        return tuple(self._now)

    @property
    def time(self) -> float:
        """ms that were simulated."""
        return self.step * self.dt

    def spikes(self, population: str) -> NDArray[np.bool_]:
        """Which cells spiked in this step, bool, [batch, cell]."""
        now: NDArray[np.bool_] = self._of(self._now, population)
        return now

    def counts(self, population: str) -> NDArray[np.int64]:
        """How often each cell spiked in this run, [batch, cell]."""
        counts: NDArray[np.int64] = self._of(self._counts, population)
        return counts

    def silent(self, population: str) -> NDArray[np.int64]:
        """Steps since the last spike of a population, or since the run began, [batch]."""
        last: NDArray[np.int64] = self._of(self._last, population)
        return self.step - last

    def _of(self, known: Mapping[str, Any], population: str) -> Any:
        if not isinstance(population, str) or population not in known:
            raise StimulusError(f"until asks for {shown(population)}; the populations are {', '.join(known)}")
        return known[population]

    def _take(self, spikes: Mapping[str, tuple[NDArray[np.integer], NDArray[np.integer]]]) -> None:
        """Take in the spikes of a step: for each population their batch items and their cells."""
        self.step += 1
        for name, (batch, cell) in spikes.items():
            self._now[name][:] = False
            self._now[name][batch, cell] = True
            self._counts[name][batch, cell] += 1
            self._last[name][batch] = self.step


Condition = Callable[[StepView], bool | str]
"""Whether a run ends after a step; a text says why."""


class StopWatch:
    """A condition over the steps of a run.   stopped: why the run ended; None as long as it goes on."""

    def __init__(self, until: Condition, net: Network) -> None:
        self._until, self._net = until, net
        self._view: StepView | None = None
        self.stopped: str | None = None

    def over(self, batches: int) -> None:
        """Begin to watch so many batch items, or go on with them."""
        if self._view is None:
            self._view = StepView({p.name: p.size for p in self._net.populations.values()}, batches, self._net.dt)

    def ends(self, spikes: Mapping[str, tuple[NDArray[np.integer], NDArray[np.integer]]]) -> bool:
        """Whether the run ends after a step with these spikes: for each population their batch items and their cells."""
        assert self._view is not None
        self._view._take(spikes)
        found = self._until(self._view)
        if not isinstance(found, bool | np.bool_ | str):
            raise StimulusError(
                f"until returns {shown(found)}; a condition returns whether the run ends, True or False, or a text that says why"
            )
        if found:
            name = getattr(self._until, "__name__", type(self._until).__name__)
            self.stopped = found if isinstance(found, str) else f"until {name}"
        return bool(found)


def after_spikes(population: str, count: int, *, cell: int | None = None) -> Condition:
    """A stop condition: a population, or one cell of it, has fired so many spikes in this run, in every batch item.

    >>> from spikemem import LIF, Network, Population, simulate
    >>> net = Network(dt=1.0)
    >>> _ = net.add(Population("cell", 1, LIF(tau=20.0)))
    >>> recording = simulate(net, {"cell": [0.3]}, steps=100, until=after_spikes("cell", 2))
    >>> recording.steps, recording.stopped
    (8, "'cell' fired 2 spikes")
    """
    count = check.integer(count, "count", least=1, most=INDEX)
    chosen = None if cell is None else check.integer(cell, "cell", least=0, most=INDEX)
    whose = f"{population!r}" if chosen is None else f"cell {chosen} of {population!r}"

    def fired(now: StepView) -> bool | str:
        counts = now.counts(population)
        if chosen is not None and chosen >= counts.shape[1]:
            raise StimulusError(f"until asks for cell {chosen} of {population!r}, which has {counts.shape[1]}")
        held = counts.sum(axis=1) if chosen is None else counts[:, chosen]
        return f"{whose} fired {count} spike{'s' if count > 1 else ''}" if bool((held >= count).all()) else False

    return fired


def after_silence(time: float, *populations: str) -> Condition:
    """A stop condition: no spike of these populations, by default of any, for a time, ms, in every batch item.

    The time counts from the last spike, or from the start of the run.
    """
    time = check.finite(time, "the time of silence", above=0, unit=" ms")

    def silent(now: StepView) -> bool | str:
        quiet = min(int(now.silent(name).min()) for name in populations or now.populations)
        of = f" of {', '.join(map(repr, populations))}" if populations else ""
        return f"no spike{of} for {time:g} ms" if quiet * now.dt >= time - 1e-9 else False

    return silent

"""Recordings as Neo objects (Garcia et al. 2014, Frontiers in Neuroinformatics 8, 10), and spike trains of others as stimuli."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX, shown
from spikemem.errors import StimulusError
from spikemem.instruments.extra import library
from spikemem.instruments.spikes import GRID, Recorded, Spikes, check

TOLD = "give a neo.Segment, a neo.Block, or a list of neo.SpikeTrain or of arrays of times in ms, one a cell"


def to_neo(recording: Recorded) -> Any:
    """A recording as a `neo.Block`: a segment for each batch item.

    A segment holds a `SpikeTrain` for each cell, silent ones too, annotated with `population` and `cell`; an `AnalogSignal` of each
    population whose voltages were recorded, [time, cell], dimensionless, annotated likewise; and an `Event` for each name of marks. The
    block has a `Group` for each population. Step t is the time t dt, in ms, and the time ends at steps dt. Neo has no synapses: weights and
    the count of events stay behind. MissingExtraError without the `analysis` extra.
    """
    neo = library("neo")
    block = neo.Block(name="spikemem", dt=recording.dt)
    groups = {name: neo.Group(name=name) for name in recording.spikes}
    for item in range(recording.batches):
        segment = neo.Segment(name=f"batch {item}", index=item)
        for name, spikes in recording.spikes.items():
            trains = _trains(neo, recording, name, spikes.between(0, recording.steps, item))
            segment.spiketrains.extend(trains)
            groups[name].spiketrains.extend(trains)
        for name, voltages in recording.voltages.items():
            signal = neo.AnalogSignal(voltages[:, item], units="dimensionless", sampling_period=recording.dt * _ms(), name=f"V of {name}")
            signal.annotate(population=name)
            signal.array_annotate(cell=recording.cells[name])
            segment.analogsignals.append(signal)
        for name, steps in recording.marks.items():
            labels = np.full(len(steps), name)
            segment.events.append(neo.Event(np.asarray(steps, np.float64) * recording.dt, labels=labels, units="ms", name=name))
        block.segments.append(segment)
    block.groups.extend(groups.values())
    return block


def _trains(neo: Any, recording: Recorded, name: str, spikes: Spikes) -> list[Any]:
    """A SpikeTrain for each cell of a population in one batch item."""
    order = np.argsort(spikes.cell, kind="stable")
    parts = np.split(spikes.step[order] * recording.dt, np.searchsorted(spikes.cell[order], np.arange(1, spikes.size)))
    ms = _ms()  # a unit, not its name, which Neo would parse for each train
    told = {"units": ms, "t_start": 0.0 * ms, "t_stop": recording.steps * recording.dt * ms, "population": name}
    return [neo.SpikeTrain(times, name=f"{name} {cell}", cell=cell, **told) for cell, times in enumerate(parts)]


def _ms() -> Any:
    return library("quantities").ms


def spikes_from(trains: Any, dt: float = 1.0, steps: int | None = None, *, start: float | None = None, merge: bool = False) -> Any:
    """Spike trains of another tool as the stimulus of a population: bool, [time, cell], or [time, batch, cell] of a `neo.Block`.

    trains: a `neo.Segment`, whose spike trains are the cells, in their order; a `neo.Block`, whose segments are batch items of as many
        cells each; or a list of `neo.SpikeTrain`, or of arrays of times in ms. Whatever Neo reads can thus be played to a network.
    dt: of the network, ms. A spike at time t is in step floor((t - start) / dt); one that misses a step by rounding is in it.
    steps: of the run; None takes as many as the trains have, to their `t_stop` or, of plain arrays, to the last spike.
    start: ms, the time of step 0; None takes the earliest `t_start` of the trains, and 0 of plain arrays.
    merge: whether spikes of a cell that fall into one step become one.

    StimulusError where a spike is before `start` or after the last step, or where two of a cell fall into one step and `merge` is not set:
    a step holds one spike at most.

    >>> spikes_from([[0.0, 2.4], [1.0]], dt=1.0).astype(int).tolist()
    [[1, 0], [0, 1], [1, 0]]
    """
    dt, merge = check.finite(dt, "dt", above=0, unit=" ms"), check.flag(merge, "merge")
    block = getattr(trains, "segments", None)
    items = [_listed(segment) for segment in block] if block is not None else [_listed(trains)]
    sizes = [len(item) for item in items]
    if not items or min(sizes) < 1 or len(set(sizes)) > 1:
        raise StimulusError(
            f"the segments have {', '.join(map(str, sizes)) or 'no'} spike trains; they must have as many each, at least one"
        )
    begins = [_ms_of(train.t_start) for item in items for train in item if hasattr(train, "t_start")]
    first = min(begins, default=0.0) if start is None else check.finite(start, "start", unit=" ms")
    times = [[_times(train, f"spike train {cell}") - first for cell, train in enumerate(item)] for item in items]
    at = [[np.floor(t / dt + GRID).astype(np.int64) for t in item] for item in times]
    if steps is None:
        ends = [_ms_of(train.t_stop) - first for item in items for train in item if hasattr(train, "t_stop")]
        last = max((int(t.max()) for item in at for t in item if len(t)), default=0)
        steps = max(last + 1, 1, int(np.ceil(max(ends, default=0.0) / dt - GRID)))
    steps = check.integer(steps, "steps", least=1, most=INDEX)
    check.room(steps * len(items) * sizes[0], "the stimulus", "take fewer steps or cells")
    made = np.zeros((steps, len(items), sizes[0]), bool)
    for n, item in enumerate(at):
        for cell, spikes in enumerate(item):
            _fill(made[:, n, cell], spikes, f"spike train {cell}", first, dt, merge)
    return made if block is not None else made[:, 0]


def _fill(train: NDArray[np.bool_], steps: NDArray[np.int64], name: str, start: float, dt: float, merge: bool) -> None:
    """Set the steps at which a cell spikes, [time]."""
    if len(steps) and (steps.min() < 0 or steps.max() >= len(train)):
        worst = steps.min() if steps.min() < 0 else steps.max()
        raise StimulusError(
            f"{name} has a spike {start + worst * dt:g} ms, outside {start:g} to {start + len(train) * dt:g} ms; "
            "give more `steps`, another `start`, or cut the trains"
        )
    train[steps] = True
    if not merge and train.sum() < len(steps):
        twice = np.sort(steps)[np.flatnonzero(np.diff(np.sort(steps)) == 0)[0]]
        raise StimulusError(
            f"{name} has two spikes in the step at {start + twice * dt:g} ms; a step of {dt:g} ms holds one: "
            "take a smaller dt, or merge=True"
        )


def _listed(segment: Any) -> list[Any]:
    """The spike trains of a segment or of a list."""
    if hasattr(segment, "t_start") and hasattr(segment, "rescale"):
        raise StimulusError(f"trains is one spike train; {TOLD}")
    return check.listed(getattr(segment, "spiketrains", segment), f"trains ({TOLD})", "spike trains")


def _times(train: Any, name: str) -> NDArray[np.float64]:
    """Times in ms of a spike train of Neo's, or of an array of them."""
    made = check.floats(_ms_of(train) if hasattr(train, "rescale") else train, f"{name}, times in ms", shape=(None,))
    if made.size and np.abs(made).max() > INDEX:
        raise StimulusError(f"{name} has a spike at {shown(float(made[np.abs(made).argmax()]))} ms; give times of less than {INDEX:,} ms")
    return made


def _ms_of(quantity: Any) -> Any:
    """A quantity with a unit of time as numbers of ms."""
    return np.asarray(quantity.rescale("ms").magnitude)

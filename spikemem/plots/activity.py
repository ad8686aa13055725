"""Figures of a network's activity over time: rates above rasters, responses to a stimulus, voltages, a raster that moves."""

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.plots.spikes import NAMES, draw_spikes, draw_time, spiking
from spikemem.plots.style import INK, SERIES, SPIKING, colour, legend, tidy
from spikemem.simulators.recording import Recording

check = Checks(StimulusError)
MOST_TRACES = 20
"""Cells whose voltages are drawn where none are chosen."""


def rates(recording: Recording, *populations: str, bin: float = 5.0, batch: int = 0, title: str = "") -> Figure:
    """Every spike of one batch item, and above each population its rate over time, Hz a cell.   bin: of the rates, ms, whole steps.

    All populations that spiked by default; lines and triangles as in `raster`.

    >>> from spikemem import Network, Population, simulate, plots
    >>> net = Network()
    >>> _ = net.add(Population("cells", 10))
    >>> figure = plots.rates(simulate(net, {"cells": [0.2]}, steps=50), "cells")
    """
    batch, title = one_item(recording, batch), check.instance(title, "title", str, "give a text")
    bin = check.finite(bin, "bin", above=0, unit=" ms")
    chosen = spiking(recording, populations, batch)
    activity = {name: recording.trains(name).activity(bin)[batch] for name in chosen}
    figure = Figure(figsize=(10, 2.1 * len(chosen) + 0.7), layout="constrained")
    panels = figure.subplots(2 * len(chosen), 1, sharex=True, height_ratios=(1, 2) * len(chosen))
    for above, below, (name, rate) in zip(panels[::2], panels[1::2], activity.items(), strict=True):
        above.stairs(rate, np.arange(len(rate) + 1) * bin, fill=True, color=SERIES[0], alpha=0.35)
        above.stairs(rate, np.arange(len(rate) + 1) * bin, color=SERIES[0], linewidth=1.0)
        above.set_ylim(0, 1.05 * max(float(rate.max()), 1e-9))
        above.set_ylabel("Hz", fontsize=8)
        above.set_title(f"mean {recording.rates(name)[batch].mean():.3g} Hz", fontsize=8, loc="right", pad=2)
        tidy(above)
        draw_spikes(below, recording, name, batch)
    draw_time(panels[-1], recording, chosen)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def psth(
    recording: Recording,
    *populations: str,
    bin: float = 5.0,
    onsets: str | ArrayLike = (0.0,),
    before: float = 0.0,
    after: float | None = None,
) -> Figure:
    """The peri-stimulus time histogram of each population, averaged over onsets and batch items; arguments as of `Recording.psth`."""
    check.instance(recording, "the first argument", Recording, "give a Recording, as `simulate` returns it")
    chosen, bin = spiking(recording, populations), check.finite(bin, "bin", above=0, unit=" ms")
    found = {name: recording.psth(name, bin, onsets, before, after) for name in chosen}
    figure = Figure(figsize=(7, 1.6 * len(chosen) + 0.8), layout="constrained")
    panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, histogram) in zip(panels, found.items(), strict=True):
        edges = np.append(histogram.time, histogram.time[-1] + bin)
        axes.stairs(histogram.rate, edges, fill=True, color=SPIKING)
        axes.axvline(0, color=INK, linewidth=1.1)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(bottom=0)
        axes.set_ylabel(f"{NAMES.get(name, name)}, Hz", fontsize=8)
        tidy(axes)
    trials = next(iter(found.values())).trials
    panels[-1].set_xlabel(f"ms from the stimulus      (bins of {bin:g} ms, {trials} {'trial' if trials == 1 else 'trials'})", fontsize=8)
    return figure


def voltages(recording: Recording, population: str, cells: ArrayLike | None = None, batch: int = 0) -> Figure:
    """The voltages of cells over time, one below the other, a dot at each spike.

    They are those that `simulate(..., record={population: cells})` recorded.   cells: some of these; None takes the first 20.
    """
    batch, spikes = one_item(recording, batch), recording[population]
    if population not in recording.voltages:
        raise StimulusError(f"no voltage of {population!r} was recorded; simulate with record={{{population!r}: [0, 1]}}")
    known = recording.cells[population].tolist()
    wanted = known[:MOST_TRACES] if cells is None else check.indices(cells, "cells", spikes.size).tolist()
    if not wanted or set(wanted) - set(known):
        raise StimulusError(f"cells are {wanted}; voltages were recorded of {known[:MOST_TRACES]}")
    fired = spikes.between(0, recording.steps, batch)
    time = np.arange(recording.steps) * recording.dt
    figure = Figure(figsize=(10, 0.8 * len(wanted) + 0.9), layout="constrained")
    panels = figure.subplots(len(wanted), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, cell in zip(panels, wanted, strict=True):
        trace = recording.voltages[population][:, batch, known.index(cell)]
        own = fired.step[fired.cell == cell]
        axes.plot(time, trace, color=SPIKING, linewidth=1.0)
        axes.plot(time[own], trace[own], "o", color=SERIES[1], markersize=4)
        axes.set_ylabel(f"cell {cell}", fontsize=8, rotation=0, ha="right", va="center")
        tidy(axes)
    panels[-1].set_xlim(0, recording.steps * recording.dt)
    panels[-1].set_xlabel(f"ms      (V of {NAMES.get(population, population)}, dimensionless, before the reset; dots: spikes)", fontsize=8)
    return figure


def animation(recording: Recording, *populations: str, batch: int = 0, frame: float = 5.0, fps: float = 20.0) -> FuncAnimation:
    """A raster that fills as time goes on, a colour for each population: `.save("raster.gif")` writes it, with matplotlib's own tools.

    frame: ms of the run that one picture goes on.   fps: pictures a second.

    >>> from spikemem import Network, Population, simulate, plots
    >>> net = Network()
    >>> _ = net.add(Population("cells", 10))
    >>> plots.animation(simulate(net, {"cells": [0.2]}, steps=50)).save("raster.gif")  # doctest: +SKIP
    """
    batch = one_item(recording, batch)
    frame, fps = check.finite(frame, "frame", above=0, unit=" ms"), check.finite(fps, "fps", above=0)
    chosen = spiking(recording, populations, batch)
    check.room(int(recording.steps * recording.dt / frame), "the animation", "take longer frames", most=100_000)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    floor, drawn = 0, []
    for place, name in enumerate(chosen):
        spikes = recording[name].between(0, recording.steps, batch)
        (dots,) = axes.plot([], [], linestyle="none", marker="o", markersize=2, color=colour(place), label=NAMES.get(name, name))
        drawn.append((dots, spikes.step * recording.dt, spikes.cell + floor))
        floor += spikes.size
    now = axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(xlim=(0, recording.steps * recording.dt), ylim=(-0.5, floor))
    axes.set_xlabel("ms", fontsize=8)
    axes.set_ylabel("cell", fontsize=8)
    legend(axes, len(chosen))
    tidy(axes)

    def show(picture: int) -> list[Artist]:
        time = picture * frame
        for dots, when, cell in drawn:
            seen = when < time
            dots.set_data(when[seen], cell[seen])
        now.set_xdata([time, time])
        return [dots for dots, _, _ in drawn]

    pictures = int(np.ceil(recording.steps * recording.dt / frame)) + 1
    return FuncAnimation(figure, show, frames=pictures, interval=1000.0 / fps)


def one_item(recording: Recording, batch: int) -> int:
    """The batch item that is to be drawn, of a recording; both checked."""
    check.instance(recording, "the first argument", Recording, "give a Recording, as `simulate` returns it")
    return check.integer(batch, "batch", least=0, most=recording.batches - 1)

"""Figures of spikes: of any network's populations, and of a recall."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.network.graph import BASKET
from spikemem.plots.style import FAINT, INK, OTHERS, RATE, SERIES, SPIKING, tidy
from spikemem.simulators.recording import Recording

NAMES = {
    "ec": "EC", "dg": "DG", "ca3": "CA3", "ca1_dendrite": "CA1 dendrites", "ca1": "CA1", "sub": "Subiculum", "ec_deep": "EC deep",
    "replay": "replay", "ff": "feed-forward", "ec_two": "EC layer II", "ec_lex": "word cells", "ec_ctx": "context cells",
    "ec_time": "cells of the moment", "ca1_apical": "apical dendrites", "ca1_tuft": "apical tuft", "recalled": "recalled",
    "ec_lex_deep": "words again", "ca1_apical_deep": "apical, again", "ca1_plateau": "plateau", "visited": "visited",
    "return_inhibition": "return inhibition",
}  # fmt: skip
check = Checks(StimulusError)


def raster(recording: Recording, *populations: str, batch: int = 0, title: str = "") -> Figure:
    """Every spike of one batch item, a panel for each population, its basket cell on top of it in red.

    Thin lines mark gamma cycles, thick ones theta cycles, where the recording has them. All populations that spiked by default.

    >>> from spikemem import LIF, Network, Population, simulate, plots
    >>> net = Network()
    >>> _ = net.add(Population("cells", 10))
    >>> figure = plots.raster(simulate(net, {"cells": [0.2]}, steps=50), "cells")
    """
    check.instance(recording, "the first argument", Recording, "give a Recording, as `simulate` returns it")
    batch = check.integer(batch, "batch", least=0, most=recording.batches - 1)
    title = check.instance(title, "title", str, "give a text")
    chosen = spiking(recording, populations, batch)
    figure = Figure(figsize=(10, 1.35 * len(chosen) + 0.9), layout="constrained")
    panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, chosen, strict=True):
        draw_spikes(axes, recording, name, batch)
    draw_time(panels[-1], recording, chosen)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def spiking(recording: Recording, populations: Sequence[str], batch: int | None = None) -> tuple[str, ...]:
    """The populations that were chosen, or all that spiked in a batch item or in any, without basket cells; StimulusError if none did."""
    fired = (name for name, s in recording.spikes.items() if (len(s) if batch is None else (s.batch == batch).any()))
    if not (chosen := tuple(populations) or tuple(name for name in fired if not name.endswith(BASKET))):
        raise StimulusError("there is nothing to plot: no population spiked")
    return chosen


def draw_spikes(axes: Axes, recording: Recording, name: str, batch: int) -> None:
    """Every spike of a population, its basket cell on top, and lines at gamma and theta cycles."""
    spikes = recording[name].between(0, recording.steps, batch)
    size = 14.0 if len(spikes) < 150 else 9.0 if len(spikes) < 400 else 5.0 if len(spikes) < 1500 else 1.5
    axes.scatter(spikes.step * recording.dt, spikes.cell, s=size, color=SPIKING, linewidths=0)
    top = recording[name].size
    if name + BASKET in recording.spikes:
        basket = recording[name + BASKET].between(0, recording.steps, batch)
        axes.scatter(basket.step * recording.dt, np.full(len(basket), 1.09 * top), s=16, marker="v", color=SERIES[1], linewidths=0)
    axes.set_ylim(-0.04 * top, 1.18 * top)
    axes.set_yticks([0, top])
    axes.set_ylabel(f"{NAMES.get(name, name)}\n{len(spikes)} {'spike' if len(spikes) == 1 else 'spikes'}", fontsize=8)
    for step in recording.marks.get("gamma", []):
        axes.axvline(step * recording.dt, color=FAINT, linewidth=0.6, zorder=0)
    for step in recording.marks.get("theta", []):
        axes.axvline(step * recording.dt, color=INK, linewidth=1.1, zorder=0)
    tidy(axes)


def draw_time(axes: Axes, recording: Recording, populations: Sequence[str]) -> None:
    """The axis of time below rasters, and what their lines and marks mean."""
    axes.set_xlim(-0.5, recording.steps * recording.dt)
    meanings = {
        "thin lines: gamma cycles": bool(recording.marks.get("gamma")), "thick lines: theta cycles": bool(recording.marks.get("theta")),
        "triangles: basket cells": any(name + BASKET in recording.spikes for name in populations),
    }  # fmt: skip
    told = "; ".join(text for text, drawn in meanings.items() if drawn)
    axes.set_xlabel(f"ms      ({told})" if told else "ms", fontsize=8)


def attempts(recording: Recording, engrams: ArrayLike, names: Sequence[str], batch: int = 0, title: str = "") -> Figure:
    """One recall of an engram model, attempt by attempt: CA3's spikes in each gamma cycle, by whose engram they are of, and their raster.

    engrams: the cells of the memories to be shown, [n, core], as `Hippocampus.engrams` gives them.   names: what each is called, [n].

    >>> import numpy as np
    >>> from spikemem import Hippocampus, load_model, plots
    >>> memory = Hippocampus(load_model("hippocampus-engram-small"))
    >>> ids = memory.store(np.eye(384)[:4])
    >>> recording = memory.recall(np.eye(384)[0], top_k=2, record=True).recording
    >>> figure = plots.attempts(recording, memory.engrams(ids[:2]), ["first", "second"])
    """
    check.instance(recording, "the first argument", Recording, "give a Recording, as `Hippocampus.recall(record=True)` has it")
    batch, spikes = check.integer(batch, "batch", least=0, most=recording.batches - 1), recording["ca3"]
    cells, names = check.indices(engrams, "engrams", spikes.size, shape=(None, None)), check.listed(names, "names", "texts, one an engram")
    if len(names) != len(cells):
        raise StimulusError(f"{len(cells)} engrams need as many names, not {len(names)}")
    gamma = np.array([*recording.marks.get("gamma", [0]), recording.steps])
    spikes, colours = spikes.between(0, recording.steps, batch), [SPIKING, RATE, *OTHERS]
    figure = Figure(figsize=(10, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    floor, theirs, left = np.zeros(len(gamma) - 1), np.zeros(len(spikes), bool), gamma[:-1] * recording.dt
    for n, (own, name) in enumerate(zip(cells, names, strict=True)):
        of, colour = np.isin(spikes.cell, own), colours[n % len(colours)]
        count = np.histogram(spikes.step[of & ~theirs], gamma)[0]
        above.bar(left, count, np.diff(gamma) * 0.8 * recording.dt, floor, align="edge", color=colour, label=name)
        below.scatter(spikes.step[of] * recording.dt, np.searchsorted(own, spikes.cell[of]) + n * cells.shape[1], s=5, color=colour)
        floor, theirs = floor + count, theirs | of
    rest = np.histogram(spikes.step[~theirs], gamma)[0]
    above.bar(left, rest, np.diff(gamma) * 0.8 * recording.dt, floor, align="edge", color=FAINT, label="other cells")
    above.set_ylabel("CA3's spikes in\na gamma cycle", fontsize=8)
    below.set_ylabel("cells of each engram", fontsize=8)
    below.set_ylim(-1, cells.size)
    below.set_xlabel("ms      (a theta cycle, between lines, is an attempt)", fontsize=8)
    for axes in (above, below):
        for step in recording.marks.get("theta", []):
            axes.axvline(step * recording.dt, color=INK, linewidth=1.0, zorder=0)
        tidy(axes)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=2)
    figure.suptitle(title, fontsize=10)
    return figure


def agreement(recordings: Mapping[str, Recording], population: str, batch: int = 0) -> Figure:
    """One population in several simulators: every spike as rings, one for each simulator, and how far the voltages lie from the first's.

    A spike that all have is a whole target; one that a simulator lacks, or has alone, is a broken one. Voltages need `record`.
    """
    check.instance(recordings, "the recordings", Mapping, "give a dict of recordings by the names of simulators")
    for recording in recordings.values():
        check.instance(recording, "one of the recordings", Recording, "give a Recording, as `simulate` returns it")
    if not recordings:
        raise StimulusError("there is nothing to compare: give a recording for each simulator")
    (first, reference), *others = check.named(recordings, "recordings", "recordings").items()
    batch = check.integer(batch, "batch", least=0, most=min(recording.batches for recording in recordings.values()) - 1)
    if any((r.steps, r[population].size) != (reference.steps, reference[population].size) for r in recordings.values()):
        raise StimulusError(f"the recordings differ in their steps, or in the cells of {population!r}; give recordings of one network")
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    colours = (INK, SPIKING, RATE, "#7a5195", "#2a9d5c", "#c0392b")
    for ring, (name, recording) in enumerate(recordings.items()):
        spikes = recording[population].between(0, recording.steps, batch)
        colour = colours[ring % len(colours)]
        size = 6.0 * (1 + ring) ** 2
        above.scatter(
            spikes.step * recording.dt, spikes.cell, s=size, facecolors=colour if ring == 0 else "none", edgecolors=colour,
            linewidths=0.9, label=f"{name}, {len(spikes)} spikes",
        )  # fmt: skip
    above.set_ylabel(f"{NAMES.get(population, population)}, cell", fontsize=8)
    above.legend(fontsize=8, frameon=False, ncols=len(recordings), loc="lower left", bbox_to_anchor=(0, 1))
    time = np.arange(reference.steps) * reference.dt
    for ring, (name, recording) in enumerate(others, start=1):
        if population in recording.voltages and population in reference.voltages:
            apart = np.abs(recording.voltages[population] - reference.voltages[population])[:, batch].max(axis=1)
            below.semilogy(time, np.maximum(apart, 1e-18), color=colours[ring % len(colours)], linewidth=1.1, label=name)
    below.axhline(1e-9, color=INK, linewidth=0.8, linestyle="--")
    below.annotate("the contract's 1e-9", (0.0, 1.3e-9), fontsize=7, color=INK)
    below.set_ylim(1e-18, 10)
    below.set_ylabel(f"largest |V - {first}'s|", fontsize=8)
    below.set_xlabel("ms", fontsize=8)
    for axes in (above, below):
        tidy(axes)
    return figure


def membrane(time: ArrayLike, drive: Mapping[str, ArrayLike], level: ArrayLike, spikes: Mapping[str, Sequence[float]]) -> Figure:
    """What a winner and a loser receive, against the level at which the rhythm lets a cell fire.

    drive: for each cell V less the current common to all, [time].   level: threshold less that current, [time].   spikes: ms, each cell's.
    """
    time = check.floats(time, "time", shape=(None,))
    shape, kinds = (len(time),), "fiu"
    level = check.array(level, "level", kinds, shape=shape, finite=False)
    drive = {name: check.array(v, f"drive[{name!r}]", kinds, shape=shape, finite=False) for name, v in check.named(drive, "drive").items()}
    fired = {name: check.floats(v, f"spikes[{name!r}]", shape=(None,)) for name, v in check.named(spikes, "spikes").items()}
    if not drive or not all(np.isfinite(v).any() for v in drive.values()):
        raise StimulusError("there is nothing to plot: drive holds no finite number")
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.step(time, level, where="mid", color=INK, linewidth=1.2, label="level at which a cell fires")
    top = max(float(np.nanmax(v)) for v in drive.values())
    for (name, values), colour in zip(drive.items(), (SPIKING, RATE), strict=False):
        axes.step(time, values, where="mid", color=colour, linewidth=1.4, label=name)
        axes.scatter(fired.get(name, []), [top * 1.15] * len(fired.get(name, [])), marker="|", s=160, color=colour)
    low = min(float(np.nanmin(v)) for v in drive.values())
    axes.set_ylim(low - 0.6, top * 1.15 + 0.8)
    axes.set_xlabel("ms", fontsize=8)
    axes.set_ylabel("membrane, s.d. of DG's drive", fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="upper left", ncols=3)
    tidy(axes)
    return figure

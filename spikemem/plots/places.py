"""Figures of place cells, rhythms, assemblies and replay: each draws the result of the function of the same name in `spikemem.engrams`."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from spikemem._checks import Checks
from spikemem.engrams import Assemblies, Decoded, Oscillation, Precession, RateMaps, Remapping, Replay
from spikemem.errors import StimulusError
from spikemem.plots.engrams import labelled, one_panel, told
from spikemem.plots.style import AMOUNT, FAINT, INK, SERIES, SPIKING, colour, legend, tidy

check = Checks(StimulusError)
MOST_ASSEMBLIES = 8
DARKEST = 0.4
"""A posterior that is drawn black, since one that is spread over some places is all that one bin often tells."""


def place_fields(*found: RateMaps, names: Sequence[str] | None = None, unit: str = "of the track") -> Figure:
    """Rate maps of all cells that fired, each scaled to its peak, in the order of their peaks in the first; a panel for each environment.

    names: of the environments.   unit: of position.

    >>> from spikemem import engrams, plots
    >>> from spikemem.instruments import Spikes, Trains
    >>> trains = Trains(Spikes([150, 350], [0, 0], [0, 1], size=2), dt=1.0, steps=400)
    >>> figure = plots.place_fields(engrams.place_fields(trains, np.repeat([0.5, 1.5, 2.5, 3.5], 100), range(5)))
    """
    if not found or any(told(maps, RateMaps, "place_fields") is None for maps in found):
        raise StimulusError("there is nothing to plot: no maps")
    if any(len(maps.rate) != len(found[0].rate) for maps in found):
        raise StimulusError("the maps have different numbers of cells; give those of the same cells")
    titles = [""] * len(found) if names is None else check.instances(names, "names", str, "give a text for each of the maps")
    peak = np.array([np.nan_to_num(maps.rate).max(1) for maps in found])
    shown = np.flatnonzero(peak.max(0) > 0)
    if not len(shown):
        raise StimulusError("there is nothing to plot: no cell fired")
    shown = shown[np.argsort(np.nan_to_num(found[0].peak[shown], nan=np.inf), kind="stable")]
    figure = Figure(figsize=(4.2 * len(found) + 0.6, 0.09 * len(shown) + 2.0), layout="constrained")
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for axes, maps, top, title in zip(panels, found, peak, titles, strict=True):
        scaled = maps.rate[shown] / np.maximum(top[shown], 1e-9)[:, None]
        drawn = axes.pcolormesh(maps.edges, np.arange(len(shown) + 1), scaled, cmap=AMOUNT, vmin=0, vmax=1, rasterized=True)
        axes.set_title(title, fontsize=9, loc="left")
        labelled(axes, f"position, {unit}", "cell, by its peak" if axes is panels[0] else "")
        axes.invert_yaxis() if axes is panels[0] else None
    bar = figure.colorbar(drawn, ax=panels, shrink=0.8)
    bar.set_label("rate, share of the cell's peak", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def remapping(found: Remapping) -> Figure:
    """How alike the maps of each cell are in two environments, with the mean beside those of permuted cells; and the rates' overlap."""
    told(found, Remapping, "remapping")
    figure = Figure(figsize=(8, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    known = found.spatial[~np.isnan(found.spatial)]
    left.hist(known, np.linspace(-1, 1, 21), color=SPIKING, density=True, label=f"cells, mean {known.mean() if len(known) else np.nan:.2f}")
    left.hist(found.shuffled, np.linspace(-1, 1, 41), histtype="step", color=INK, density=True, label="means of permuted cells")
    legend(left, 2)
    labelled(left, "correlation of a cell's two maps", "density")
    right.hist(found.rate_overlap, np.linspace(0, 1, 21), color=SPIKING)
    right.set_title(f"{found.both} cells active in both, {found.expected:.1f} by chance", fontsize=8, loc="left")
    labelled(right, "smaller over larger mean rate", "cells")
    return figure


def decode(found: Decoded, position: ArrayLike | None = None, most: int = 400) -> Figure:
    """What spikes tell of position over time, dark where it is likely, and where the animal was, as a line.

    position: at each step that was decoded, NaN where none.   most: bins that are drawn, from the first on.
    """
    told(found, Decoded, "decode")
    n = min(len(found.time), check.integer(most, "most", least=1))
    figure, axes = one_panel(9, 3.0)
    width = float(found.time[1] - found.time[0]) if len(found.time) > 1 else 1.0
    edges = np.append(found.time[:n], found.time[n - 1] + width) / 1000.0
    axes.pcolormesh(edges, found.edges, found.posterior[:n].T, cmap="Greys", vmin=0, vmax=DARKEST, rasterized=True)
    if position is not None:
        given = np.asarray(check.array(position, "position", "fiu", shape=(None,), finite=False), np.float64)
        true = given[: len(found.time) * found.width].reshape(-1, found.width).mean(1)[:n]
        axes.plot(edges[:-1] + width / 2000.0, true, color=SERIES[1], linewidth=0.9, label="the animal")
        legend(axes, 1)
    labelled(axes, "time, s", "position")
    return figure


def precession(position: ArrayLike, angle: ArrayLike, found: Precession, title: str = "") -> Figure:
    """The phase of each spike by position, two cycles of it, and the line of the regression.   position, angle: as it took them."""
    x, phi = check.floats(position, "position", shape=(None,)), check.floats(angle, "angle", shape=(None,))
    told(found, Precession, "precession")
    if len(x) != len(phi) or not len(x):
        raise StimulusError(f"{len(x)} positions and {len(phi)} phases; give both of each spike")
    figure, axes = one_panel(4, 3.4)
    cycles = phi / (2 * np.pi) % 1.0
    for turn in (0, 1):
        axes.plot(x, cycles + turn, ".", color=SPIKING, markersize=4 if len(x) < 300 else 2)
    ends = np.array([x.min(), x.max()])
    for turn in range(-3, 5):
        axes.plot(ends, found.offset / (2 * np.pi) + found.slope * ends + turn, color=INK, linewidth=1.4)
    axes.set(ylim=(0, 2), xlim=(ends[0] - 0.02 * np.ptp(ends), ends[1] + 0.02 * np.ptp(ends)))
    axes.set_title(f"{title}{': ' if title else ''}{found.slope:.2f} cycles, p = {found.p:.2g}", fontsize=8, loc="left", parse_math=False)
    labelled(axes, "position in the field", "phase, cycles")
    return figure


def oscillation(found: Oscillation, seconds: float = 2.0) -> Figure:
    """The spectrum of a population's rate, with its peak in the band; and the rate in the band, for some seconds."""
    told(found, Oscillation, "oscillation")
    seconds = check.finite(seconds, "seconds", above=0, unit=" s")
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(found.frequency, found.power, color=SPIKING, linewidth=1.3)
    left.axvline(found.peak, color=INK, linestyle=":", linewidth=1.2)
    left.set_yscale("log")
    left.tick_params(which="minor", labelsize=8)
    left.set_title(f"peak at {found.peak:.3g} Hz, {100 * found.share:.0f} % of the power in the band", fontsize=8, loc="left")
    labelled(left, "frequency, Hz", "power of the rate, Hz² / Hz")
    shown = found.time <= found.time[0] + 1000.0 * seconds
    right.plot(found.time[shown] / 1000.0, found.trace[shown], color=SPIKING, linewidth=1.2)
    labelled(right, "time, s", "rate in the band, Hz")
    return figure


def assemblies(found: Assemblies) -> Figure:
    """The weights of each assembly, its members in colour, and its activation over time."""
    told(found, Assemblies, "assemblies")
    n = min(len(found.weights), MOST_ASSEMBLIES)
    if not n:
        raise StimulusError("there is nothing to plot: no assembly was found")
    figure = Figure(figsize=(8, 1.1 * n + 0.6), layout="constrained")
    rows = figure.subplots(n, 2, sharex="col", squeeze=False)
    for row, (left, right) in enumerate(rows):
        cell, member = np.arange(found.weights.shape[1]), found.cells[row]
        for own, of in ((~member, INK), (member, colour(1))):
            left.vlines(cell[own], 0, found.weights[row][own], color=of, linewidth=1.2 if of == INK else 2.2)
        right.plot(found.time / 1000.0, found.activation[row], color=SPIKING, linewidth=0.8)
        left.set_ylabel(f"assembly {row}", fontsize=8)
        tidy(left)
        tidy(right)
    rows[0, 0].set_title("weights; members in colour and bold", fontsize=8, loc="left")
    rows[0, 1].set_title("activation", fontsize=8, loc="left")
    rows[-1, 0].set_xlabel("cell", fontsize=8)
    rows[-1, 1].set_xlabel("time, s", fontsize=8)
    return figure


def replay(found: Replay) -> Figure:
    """The rank-order correlation of events, beside those of permuted cells, and how much faster than behaviour they are."""
    told(found, Replay, "replay")
    known = ~np.isnan(found.r)
    if not known.any():
        raise StimulusError("there is nothing to plot: no event had cells enough")
    figure = Figure(figsize=(8, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = np.linspace(0, 1, 21)
    left.hist(found.shuffled[known].ravel(), bins, color=FAINT, density=True, label="cells permuted")
    left.hist(np.abs(found.r[known]), bins, histtype="step", color=SPIKING, linewidth=1.8, density=True, label="events")
    sure = found.significant[known]
    legend(left, 2)
    labelled(left, f"|rank-order correlation|      ({100 * sure.mean():.0f} % of {known.sum()} events p < .05)", "density")
    fast = known & ~np.isnan(found.compression)
    values = found.compression[fast] if fast.any() else np.abs(found.velocity[known])
    right.hist(values, 20, color=SPIKING)
    right.axvline(np.median(values), color=INK, linestyle=":", linewidth=1.4)
    labelled(
        right, f"times the animal's speed      (median {np.median(values):.3g})" if fast.any() else "velocity, places a second", "events"
    )
    return figure

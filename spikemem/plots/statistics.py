"""Figures of how cells fire: intervals, their variation, that of counts, correlation, synchrony."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.plots.activity import one_item
from spikemem.plots.spikes import NAMES, spiking
from spikemem.plots.style import INK, SIGNED, SPIKING, colour, legend, tidy
from spikemem.simulators.recording import Recording

check = Checks(StimulusError)
BINS = 40
"""Of a histogram over cells or pairs."""


def isi(recording: Recording, *populations: str, bins: int = BINS) -> Figure:
    """Histograms of the inter-spike intervals of populations, all batch items together, the mean CV of their cells beside them.

    bins: of the histograms, which share them.
    """
    chosen, bins = _populations(recording, populations), check.integer(bins, "bins", least=1, most=10_000)
    intervals = {name: recording.isi(name).interval for name in chosen}
    if not any(map(len, intervals.values())):
        raise StimulusError("there is nothing to plot: no cell spiked twice")
    edges = np.linspace(0, max(float(found.max()) for found in intervals.values() if len(found)), bins + 1)
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for place, (name, found) in enumerate(intervals.items()):
        known = (cvs := recording.cv(name))[~np.isnan(cvs)]
        label = f"{NAMES.get(name, name)}: {len(found):,} intervals" + (f", CV {known.mean():.2f}" if len(known) else "")
        share = np.histogram(found, edges)[0] / max(len(found), 1)
        axes.stairs(share, edges, color=colour(place), linewidth=1.5, label=label)
    axes.set_xlim(0, edges[-1])
    axes.set_xlabel("inter-spike interval, ms", fontsize=8)
    axes.set_ylabel("share of the intervals", fontsize=8)
    legend(axes, 2)
    tidy(axes)
    return figure


def cv(recording: Recording, *populations: str) -> Figure:
    """Histograms of the coefficients of variation of cells' intervals; 1, of a Poisson process, is dotted."""
    values = {name: recording.cv(name) for name in _populations(recording, populations)}
    return _spread(values, "CV of a cell's intervals", "spiked thrice")


def cv2(recording: Recording, *populations: str) -> Figure:
    """Histograms of the local variations of cells' intervals; 1, of a Poisson process, is dotted."""
    return _spread(
        {name: recording.cv2(name) for name in _populations(recording, populations)}, "CV2 of a cell's intervals", "spiked thrice"
    )


def fano(recording: Recording, *populations: str, window: float | None = None) -> Figure:
    """Histograms of the Fano factors of cells' counts; 1, of a Poisson process, is dotted.   window: ms, as of `Recording.fano`."""
    factors = {name: recording.fano(name, window) for name in _populations(recording, populations)}
    return _spread(factors, "Fano factor of a cell's counts", "spiked")


def correlation(recording: Recording, population: str, bin: float = 5.0, batch: int = 0) -> Figure:
    """The correlations of the counts of each two cells of a population: as a matrix, and their histogram.   bin: of the counts, ms."""
    batch, bin = one_item(recording, batch), check.finite(bin, "bin", above=0, unit=" ms")
    matrix = recording.correlation(population, bin)[batch]
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    pairs = pairs[~np.isnan(pairs)]
    if not len(pairs):
        raise StimulusError(f"there is nothing to plot: fewer than two cells of {population!r} spiked")
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    most = max(float(np.abs(pairs).max()), 1e-9)
    shown = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    image = left.imshow(shown, cmap=SIGNED, vmin=-most, vmax=most, interpolation="nearest")
    figure.colorbar(image, ax=left, shrink=0.8).ax.tick_params(labelsize=8)
    left.set_xlabel(f"cell of {NAMES.get(population, population)}", fontsize=8)
    left.set_ylabel("cell", fontsize=8)
    left.tick_params(labelsize=8)
    right.hist(pairs, BINS, color=SPIKING)
    right.axvline(pairs.mean(), color=INK, linewidth=1.1)
    right.set_title(f"mean {pairs.mean():.3f} of {len(pairs):,} pairs", fontsize=8, loc="right")
    right.set_xlabel(f"correlation of counts in {bin:g} ms", fontsize=8)
    right.set_ylabel("pairs", fontsize=8)
    tidy(right)
    return figure


def synchrony(recording: Recording, *populations: str, bin: float = 5.0) -> Figure:
    """Golomb's chi of populations, a dot for each batch item, beside that of as many independent cells.   bin: of the counts, ms."""
    chosen, bin = _populations(recording, populations), check.finite(bin, "bin", above=0, unit=" ms")
    found = {name: recording.synchrony(name, bin) for name in chosen}
    figure = Figure(figsize=(6, 0.5 * len(chosen) + 1.1), layout="constrained")
    axes = figure.subplots()
    for y, (name, chi) in enumerate(found.items()):
        axes.plot(chi, np.full(len(chi), y), "o", color=SPIKING, markersize=6)
        axes.plot(recording[name].size ** -0.5, y, "|", color=INK, markersize=16, markeredgewidth=1.5)
    axes.set_yticks(range(len(chosen)), [NAMES.get(name, name) for name in chosen], fontsize=8)
    axes.set(xlim=(0, 1.02), ylim=(len(chosen) - 0.5, -0.5))
    axes.set_xlabel(f"synchrony, chi of counts in {bin:g} ms      (bars: 1 / sqrt(cells), of independent cells)", fontsize=8)
    tidy(axes)
    return figure


def _populations(recording: Recording, populations: tuple[str, ...]) -> tuple[str, ...]:
    """The populations of a recording that were chosen, or all that spiked in any batch item."""
    check.instance(recording, "the first argument", Recording, "give a Recording, as `simulate` returns it")
    return spiking(recording, populations)


def _spread(values: Mapping[str, NDArray[np.float64]], label: str, needs: str) -> Figure:
    """Histograms of a measure over the cells of populations, the Poisson process's 1 dotted."""
    known = {name: of[~np.isnan(of)] for name, of in values.items()}
    if not any(map(len, known.values())):
        raise StimulusError(f"there is nothing to plot: no cell {needs}")
    edges = np.linspace(0, max(1.05, *(float(of.max()) for of in known.values() if len(of))), BINS + 1)
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for place, (name, of) in enumerate(known.items()):
        told = f"{NAMES.get(name, name)}: {len(of):,} of {values[name].size:,} cells" + (f", mean {of.mean():.2f}" if len(of) else "")
        axes.stairs(np.histogram(of, edges)[0], edges, color=colour(place), linewidth=1.5, label=told)
    axes.axvline(1.0, color=INK, linewidth=1.0, linestyle=":")
    axes.set_xlim(0, edges[-1])
    axes.set_xlabel(f"{label}      (dotted: a Poisson process)", fontsize=8)
    axes.set_ylabel("cells", fontsize=8)
    legend(axes, 2)
    tidy(axes)
    return figure

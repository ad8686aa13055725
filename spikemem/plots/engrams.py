"""Figures of engrams: each draws the result of the function of the same name in `spikemem.engrams`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.engrams import RSA, Allocated, Drift, Linking, MemoryGraph, Overlap, Reactivation, Selectivity, Similarity
from spikemem.errors import StimulusError
from spikemem.plots.style import AMOUNT, FAINT, INK, SPIKING, colour, legend, tidy

check = Checks(StimulusError)
NAMES = {"ec": "EC", "dg": "DG", "ca3": "CA3", "ca1": "CA1"}
MARKS = "osD^v"


def one_panel(width: float = 6.0, height: float = 3.2) -> tuple[Figure, Axes]:
    """A figure of one panel."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def labelled(axes: Axes, x: str, y: str) -> None:
    """What the axes show, in small print, without a frame."""
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    tidy(axes)


def told(values: Any, kind: Any, by: str) -> Any:
    """A result, checked.   by: the function that returns it."""
    return check.instance(values, "the first argument", kind, f"give what `spikemem.engrams.{by}` returns")


def image(axes: Axes, matrix: ArrayLike, label: str) -> None:
    """A matrix with its scale."""
    drawn = axes.imshow(matrix, cmap=AMOUNT, interpolation="nearest")
    bar = axes.figure.colorbar(drawn, ax=axes, shrink=0.8)
    bar.ax.tick_params(labelsize=8)
    bar.set_label(label, fontsize=8)
    axes.tick_params(labelsize=8)


def overlap(found: Overlap) -> Figure:
    """The cells that each two engrams share: as a matrix, and how many pairs share how many, beside chance.

    >>> from spikemem import engrams, plots
    >>> figure = plots.overlap(engrams.overlap([[0, 1, 2], [2, 3, 4], [4, 5, 6]], cells=20))
    """
    told(found, Overlap, "overlap")
    square = found.shared.shape[0] == found.shared.shape[1] and np.array_equal(found.shared, found.shared.T)
    off = ~np.eye(len(found.shared), dtype=bool) if square else np.ones(found.shared.shape, bool)
    pairs = np.triu(off, 1) if square else off
    if not pairs.any():
        raise StimulusError("there is nothing to plot: give two engrams or more")
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    image(left, np.where(off, found.shared, np.nan), "cells shared")
    left.set_xlabel("memory", fontsize=8)
    left.set_ylabel("memory", fontsize=8)
    shared, most = found.shared[pairs], int(found.shared[pairs].max())
    right.hist(shared, np.arange(most + 2) - 0.5, color=SPIKING, density=True)
    low, high = found.low[pairs].mean(), found.high[pairs].mean()
    right.axvspan(low, high, color=FAINT, alpha=0.5, linewidth=0, zorder=0, label="95 % by chance")
    right.axvline(found.expected[pairs].mean(), color=INK, linestyle=":", label="expected")
    legend(right, 2)
    labelled(right, "cells that two engrams share", "share of the pairs")
    return figure


def separation_curve(found: Similarity) -> Figure:
    """How alike each region's spikes are, by how alike the cues were; dotted: as alike as the cues.

    Below the dotted line a region separates, above it it completes.
    """
    return _similarity(told(found, Similarity, "separation_curve"), "likeness of the spikes")


def completion_curve(found: Similarity) -> Figure:
    """How much of an engram fires at a region's input and at its output, by how alike the cue was to what was stored."""
    return _similarity(told(found, Similarity, "completion_curve"), "likeness to the engram")


def _similarity(found: Similarity, label: str) -> Figure:
    figure, axes = one_panel(4.6, 3.6)
    axes.plot([0, 1], [0, 1], ":", color=INK, linewidth=1)
    order = np.argsort(found.cosine)
    for place, name in enumerate(found.names):
        axes.errorbar(
            found.cosine[order], found.mean[place][order], np.nan_to_num(found.sem[place][order]), color=colour(place), linewidth=1.5,
            marker=MARKS[place % len(MARKS)], markersize=4, label=NAMES.get(name, name),
        )  # fmt: skip
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    legend(axes, len(found.names))
    labelled(axes, "cosine of the cues      (dotted: as alike as the cues)", label)
    return figure


def engram_cells(tagged: ArrayLike, names: Sequence[str] | None = None) -> Figure:
    """Which cells were tagged, a row of dots for each event, with how many they are.   tagged: bool, [event, cell].   names: of the events.

    >>> from spikemem import plots
    >>> figure = plots.engram_cells(np.eye(3, 40, dtype=bool))
    """
    cells = check.array(tagged, "tagged", "b", shape=(None, None))
    if not cells.any():
        raise StimulusError("there is nothing to plot: no cell was tagged")
    rows = (
        [f"event {i}" for i in range(len(cells))] if names is None else check.instances(names, "names", str, "give a text for each event")
    )
    if len(rows) != len(cells):
        raise StimulusError(f"{len(cells)} events need as many names, not {len(rows)}")
    figure, axes = one_panel(8, 0.32 * len(cells) + 1.0)
    for y, own in enumerate(cells):
        axes.plot(np.flatnonzero(own), np.full(own.sum(), y), "|", color=SPIKING, markersize=9)
    axes.set_yticks(range(len(rows)), [f"{name}: {n:,}" for name, n in zip(rows, cells.sum(1), strict=True)], fontsize=8)
    axes.set(xlim=(-1, cells.shape[1]), ylim=(len(cells) - 0.5, -0.5))
    labelled(axes, f"cell, of {cells.shape[1]:,}", "")
    return figure


def reactivation(found: Mapping[str, Reactivation]) -> Figure:
    """How many tagged cells were active again, and how many active cells were tagged: mean and standard error of some conditions.

    found: what `spikemem.engrams.reactivation` returned, by condition.   The bar across is chance.
    """
    named = check.named(found, "found", "results by condition")
    if not named:
        raise StimulusError("there is nothing to plot: no conditions")
    figure = Figure(figsize=(7, 3.0), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True)
    for axes, part, label in zip(
        panels, ("of_tagged", "of_active"), ("of the tagged cells active", "of the active cells tagged"), strict=True
    ):
        for x, one in enumerate(told(of, Reactivation, "reactivation") for of in named.values()):
            values = 100 * getattr(one, part)
            sem = np.nanstd(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            axes.bar(x, np.nanmean(values), 0.6, yerr=sem, color=colour(x), ecolor=INK)
            if part == "of_tagged":
                axes.plot([x - 0.4, x + 0.4], [100 * np.nanmean(one.chance)] * 2, color=INK, linestyle=":", linewidth=1.5)
        axes.set_xticks(range(len(named)), named, fontsize=8)
        labelled(axes, "dotted: chance" if part == "of_tagged" else "", f"% {label}")
    return figure


def selectivity(found: Selectivity, times: ArrayLike, others: Mapping[str, Selectivity] | None = None, unit: str = "h") -> Figure:
    """The discrimination index over time, mean and standard error; others beside it, by name.   times: [time], in a unit."""
    t = check.floats(times, "times", shape=(None,))
    figure, axes = one_panel(5, 3.2)
    for place, (name, one) in enumerate({"intact" if others else "": found, **(others or {})}.items()):
        told(one, Selectivity, "selectivity")
        if one.mean.shape != t.shape:
            raise StimulusError(f"the means have shape {one.mean.shape} and times {t.shape}; give the time of each")
        there = ~np.isnan(one.mean)
        sem = np.nan_to_num(one.sem[there])
        axes.errorbar(
            t[there], one.mean[there], sem, color=colour(place), marker=MARKS[place % len(MARKS)], markersize=4, linewidth=1.5, label=name
        )
    axes.axhline(0, color=INK, linestyle=":", linewidth=1)
    if others:
        legend(axes, 4)
    labelled(axes, f"time, {unit}", "discrimination index")
    return figure


def drift(found: Drift, unit: str = "sessions") -> Figure:
    """What is kept of an engram, and what is new in it, by the time between sessions; dotted: chance."""
    told(found, Drift, "drift")
    figure, axes = one_panel(5, 3.2)
    axes.errorbar(found.lag, found.kept, np.nan_to_num(found.sem), color=SPIKING, marker="o", markersize=4, label="kept")
    axes.plot(found.lag, found.dropped_in, color=colour(1), marker="s", markersize=4, label="dropped in")
    axes.axhline(found.chance, color=INK, linestyle=":", linewidth=1)
    axes.set_ylim(-0.02, 1.02)
    legend(axes, 2)
    axes.set_title(f"half-life {found.half_life:.3g} {unit}", fontsize=8, loc="right")
    labelled(axes, f"time between, {unit}      (dotted: chance)", "share of the engram")
    return figure


def linking(found: Linking, unit: str = "h") -> Figure:
    """How much engrams overlap, by the time between them; grey: what 95 % lie between where times are shuffled."""
    told(found, Linking, "linking")
    figure, axes = one_panel(5, 3.2)
    x = np.arange(len(found.overlap))
    axes.bar(x, found.high - found.low, 0.8, bottom=found.low, color=FAINT, label="95 % with times shuffled")
    axes.plot(x, found.overlap, "o", color=SPIKING, markersize=6, label="pairs of memories")
    names = [f"{a:g} to {b:g}\n{n:,} pairs" for a, b, n in zip(found.edges[:-1], found.edges[1:], found.pairs, strict=True)]
    axes.set_xticks(x, names, fontsize=8)
    axes.set_ylim(0, None)
    legend(axes, 2)
    labelled(axes, f"time between the memories, {unit}", "overlap, cosine of the sets")
    return figure


def allocation(found: Allocated) -> Figure:
    """How often cells of each excitability are in engrams, beside chance; grey: 95 % where excitability is shuffled."""
    told(found, Allocated, "allocation")
    figure, axes = one_panel(5, 3.2)
    x = np.arange(len(found.ratio))
    axes.bar(x, found.ratio, 0.6, color=SPIKING)
    axes.errorbar(
        x, (found.low + found.high) / 2, (found.high - found.low) / 2, fmt="none", ecolor=INK, capsize=4, label="95 % with cells shuffled"
    )
    axes.axhline(1, color=INK, linestyle=":", linewidth=1)
    axes.set_xticks(x, [f"{e:.2g}\n{100 * c:.0f} % of cells" for e, c in zip(found.excitability, found.chance, strict=True)], fontsize=8)
    legend(axes, 1)
    labelled(axes, "mean excitability of the group", "times chance")
    return figure


def rdm(found: ArrayLike, names: Sequence[str] | None = None, label: str = "dissimilarity") -> Figure:
    """A dissimilarity matrix, [condition, condition].   names: of the conditions."""
    matrix = np.asarray(check.array(found, "found", shape=(None, None), finite=False), np.float64)
    figure, axes = one_panel(4.6, 3.8)
    image(axes, matrix, label)
    if names is not None:
        rows = check.instances(names, "names", str, "give a text for each condition")
        axes.set_xticks(range(len(rows)), rows, rotation=90, fontsize=8)
        axes.set_yticks(range(len(rows)), rows, fontsize=8)
    return figure


def rsa(found: RSA) -> Figure:
    """The rank correlation of two dissimilarity matrices, beside those of permuted conditions."""
    told(found, RSA, "rsa")
    figure, axes = one_panel(5, 2.8)
    axes.hist(found.permuted, 40, color=FAINT, label="conditions permuted")
    axes.axvline(found.r, color=SPIKING, linewidth=2, label=f"r = {found.r:.3f}, p = {found.p:.2g}")
    legend(axes, 2)
    labelled(axes, "rank correlation of the matrices", "permutations")
    return figure


def memory_graph(found: MemoryGraph, names: Sequence[str] | None = None, least: float = 0.0, seed: int = 0) -> Figure:
    """Memories that come together: a dot each, as large as it came often, a line for each edge, a colour and a shape for each community.

    names: of the memories.   least: weight of an edge that is drawn.   seed: of the layout, which is drawn by springs.
    """
    told(found, MemoryGraph, "memory_graph")
    least, n = check.finite(least, "least", least=0), len(found.weight)
    texts = [str(i) for i in range(n)] if names is None else check.instances(names, "names", str, "give a text for each memory")
    if len(texts) != n:
        raise StimulusError(f"{n} memories need as many names, not {len(texts)}")
    spot = springs((found.weight + found.weight.T) / 2, check.seed(seed))
    figure, axes = one_panel(6, 5)
    for i, j in zip(*np.nonzero(np.triu(np.maximum(found.weight, found.weight.T) > least, 1)), strict=True):
        strength = max(found.weight[i, j], found.weight[j, i])
        axes.plot(*spot[[i, j]].T, color=INK, alpha=float(0.2 + 0.6 * strength), linewidth=0.6 + 2.2 * strength, zorder=1)
    often = np.diag(found.together)
    for of in np.unique(found.community):
        own = found.community == of
        size = 40 + 220 * often[own] / max(often.max(), 1)
        axes.scatter(spot[own, 0], spot[own, 1], s=size, color=colour(of), marker=MARKS[of % len(MARKS)], zorder=2, edgecolors="white")
    for (x, y), text in zip(spot, texts, strict=True):
        axes.annotate(text, (x, y), (7, 5), textcoords="offset points", fontsize=8, color=INK, parse_math=False)
    axes.margins(0.12)
    axes.set_axis_off()
    return figure


def springs(weight: NDArray[np.float64], seed: int, rounds: int = 300) -> NDArray[np.float64]:
    """Places in a plane: memories push one another away, edges pull together (Fruchterman & Reingold 1991), [memory, 2]."""
    n = len(weight)
    spot, near = np.random.default_rng(seed).uniform(-1, 1, (n, 2)), 2 / np.sqrt(n)
    for heat in np.linspace(0.2, 0.001, rounds):
        apart = spot[:, None] - spot
        far = np.maximum(np.linalg.norm(apart, axis=2), 1e-3)
        force = (apart * (near**2 / far**2 - weight * far / near)[..., None]).sum(1) - 0.2 * spot  # and all to the middle
        length = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        spot = spot + force / length * np.minimum(length, heat)
    return spot

"""Figures of the memory: what decides a recall, and what it reaches."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.evaluate import retrieval as measured
from spikemem.evaluate.compare import Row, wilson
from spikemem.evaluate.compare_damage import FLOATS, DamageRow
from spikemem.evaluate.compare_regions import RegionRow
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.memory.results import Hit
from spikemem.plots.style import FAINT, INK, MUTED, OTHERS, RATE, SPIKING, correlation, tidy

PATHWAY_COLOURS = dict(zip(PATHWAYS, (SPIKING, RATE, "#6cb39b", "#7a5195", "#c9a227", "#b23a48", "#3c6e71", "#8d6a9f"), strict=False))
check = Checks(StimulusError)
LINE = 56
"""Characters in a line of the text that stands beside a bar."""


def drives(hits: Sequence[Hit], title: str = "") -> Figure:
    """Which pathways drove each hit's index cell: bars of the shares that make up its score, which stands at the end.

    A share below 0, of a meaning opposed to the cue's, is drawn to the left.   hits: of a text memory's `recall`.

    >>> from spikemem import Hit, plots
    >>> figure = plots.drives([Hit(3, "Ada moved to Lisbon in May.", 0.81, drives={"meaning": 0.5, "words": 0.31})])
    """
    hits, title = check.listed(hits, "hits", "hits of a recall"), check.instance(title, "title", str, "give a text")
    for hit in hits:
        check.instance(hit, "an item of hits", Hit, "give the hits of a recall")
    if not hits:
        raise StimulusError("there is nothing to plot: no hits")
    if not any(hit.drives for hit in hits):
        raise StimulusError("these hits do not hold what drove them; those of `recall` do, the hops of a chain do not")
    share = np.array([[hit.drives.get(name, 0.0) for name in PATHWAYS] for hit in hits])
    y, right, left = np.arange(len(hits)), np.zeros(len(hits)), np.zeros(len(hits))
    figure = Figure(figsize=(10, 0.46 * len(hits) + (1.2 if title else 0.9)), layout="constrained")
    axes = figure.subplots()
    for name, column in zip(PATHWAYS, share.T, strict=True):
        if column.any():
            axes.barh(y, column, 0.62, left=np.where(column < 0, left, right), color=PATHWAY_COLOURS[name], label=name)
            right, left = right + np.maximum(column, 0.0), left + np.minimum(column, 0.0)
    for i, hit in enumerate(hits):
        axes.annotate(f"{hit.score:.2f}", (right[i], i), (5, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(1.02 * left.min(), 1.1 * max(right.max(), 0.01))
    axes.legend(fontsize=9, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(PATHWAYS), borderaxespad=0.2)
    tidy(axes)
    axes.set_yticks(y, [_label(hit) for hit in hits], fontsize=8.5, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlabel("share of what the cue's own copy would give by meaning alone", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=11, parse_math=False)
    return figure


def _label(hit: Hit) -> str:
    """A memory in at most two lines, its date first where it has one."""
    text = f"{hit.when:%Y-%m-%d} {hit.text}" if hit.when else hit.text
    return textwrap.fill(text[: 4 * LINE], LINE, max_lines=2, placeholder=" …")


def similarity(text: NDArray[np.floating], engram: NDArray[np.floating]) -> Figure:
    """Cosines of texts beside shares of common engram cells, [n, n] each, and one against the other."""
    text = check.floats(text, "text", shape=(None, None))
    if len(text) < 2 or text.shape[0] != text.shape[1]:
        raise StimulusError(f"text has shape {text.shape}; give [n, n], of two texts at least")
    engram = check.floats(engram, "engram", shape=text.shape)
    figure = Figure(figsize=(10, 3.3), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    pairs = np.triu_indices(len(text), 1)
    for axes, matrix, title in ((left, text, "cosine of the texts"), (middle, engram, "shared engram cells")):
        image = axes.imshow(matrix, vmin=0, vmax=matrix[pairs].max(), cmap="magma", interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=7)
        figure.colorbar(image, ax=axes, shrink=0.75, extend="max").ax.tick_params(labelsize=7)
    right.scatter(text[pairs], engram[pairs], s=5, color=SPIKING, alpha=0.4, linewidths=0)
    right.set_xlabel("cosine of the texts", fontsize=8)
    right.set_ylabel("shared engram cells", fontsize=8)
    right.set_title(f"ranks: {correlation(_ranks(text[pairs]), _ranks(engram[pairs]))}", fontsize=9)
    tidy(right)
    return figure


def _ranks(x: NDArray[np.floating]) -> NDArray[np.int64]:
    """Twice the mean rank of each value, equal ones alike."""
    return np.searchsorted(np.sort(x), x) + np.searchsorted(np.sort(x), x, side="right")


def attention(labels: Sequence[str], spiking: Sequence[float], rate: Sequence[float], curve: Mapping[int, float]) -> Figure:
    """Spike shares beside the softmax of the rate twin for one cue, and how their distance falls with the gamma cycles counted."""
    labels = check.instances(labels, "labels", str, "give a text for each memory")
    spikes, softmax = (check.floats(v, name, shape=(len(labels),)) for v, name in ((spiking, "spiking"), (rate, "rate")))
    if not (curve := check.numbered(curve, "curve", least=1)):
        raise StimulusError("there is nothing to plot: curve is empty; give a distance for each number of gamma cycles")
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    y = np.arange(len(labels))
    left.barh(y - 0.2, spikes, 0.38, color=SPIKING, label="subiculum, share of gamma cycles")
    left.barh(y + 0.2, softmax, 0.38, color=RATE, label="rate twin, softmax")
    left.set_yticks(y, labels, fontsize=7)
    left.invert_yaxis()
    left.legend(fontsize=8, frameon=False)
    right.plot(list(curve), list(curve.values()), marker="o", color=SPIKING)
    right.set_xscale("log")
    right.set_xticks(list(curve), [str(c) for c in curve])
    right.minorticks_off()
    right.set_ylim(0, None)
    right.set_xlabel("gamma cycles", fontsize=8)
    right.set_ylabel("total variation, mean over cues", fontsize=8)
    for axes in (left, right):
        tidy(axes)
    return figure


def rows(table: Sequence[Row], sharpness: Mapping[str, float] | None = None) -> Figure:
    """The comparison's rows with their Wilson intervals, a colour for each system that was measured.

    sharpness: of the rate twin, by what stands in the legend: "published", "chosen".
    """
    table = check.instances(table, "table", Row, "give the rows of a comparison")
    given = {} if sharpness is None else check.named(sharpness, "sharpness", "numbers")
    named = {name: f", sharpness {check.finite(value, 'sharpness'):g} ({name})" for name, value in given.items()}
    systems = {
        "spiking": ("spiking", SPIKING), "rate": (f"rate{named.get('published', '')}", RATE),
        "chosen": (f"rate{named.get('chosen', ', chosen sharpness')}", OTHERS[1]), "cosine": ("cosine", MUTED),
    }  # fmt: skip
    shown = [name for name in systems if any(name in row.shares for row in table)]
    figure = Figure(figsize=(10, (0.27 * len(shown) + 0.08) * len(table) + 1), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(shown):
        label, colour = systems[name]
        shift = 0.8 * ((place + 0.5) / len(shown) - 0.5)
        told = [(y + shift, row.shares[name], row.n) for y, row in enumerate(table) if name in row.shares]
        for y, share, n in told:
            axes.plot(wilson(share, n), [y] * 2, color=colour, linewidth=2.5, alpha=0.45, solid_capstyle="butt")
        axes.scatter([share for _, share, _ in told], [y for y, _, _ in told], color=colour, s=28, zorder=3, label=label)
    axes.set_yticks(range(len(table)), [f"{r.name} (n = {r.n})" for r in table], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(min(0.7, *(wilson(min(r.shares.values()), r.n)[0] - 0.03 for r in table)), 1.01)
    axes.set_xlabel("share right, with 95 % Wilson interval", fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(shown), borderaxespad=0.2)
    tidy(axes)
    return figure


def damage(table: Sequence[DamageRow]) -> Figure:
    """How often each system is right under each damage, with Wilson intervals; float keys in grey."""
    if not table:
        raise StimulusError("there is nothing to plot: no rows")
    systems = list(dict.fromkeys(name for row in table for name in row.shares))
    colours = dict(zip([name for name in systems if name != FLOATS], (SPIKING, RATE, *OTHERS), strict=False)) | {FLOATS: MUTED}
    figure = Figure(figsize=(8, 0.3 * len(table) + 1), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(systems):
        shift = 0.6 * ((place + 0.5) / len(systems) - 0.5)
        for y, row in enumerate(table):
            if name in row.shares:
                axes.plot(row.interval(name), [y + shift] * 2, color=colours[name], linewidth=2.5, alpha=0.45, solid_capstyle="butt")
        told = {y + shift: row.shares[name] for y, row in enumerate(table) if name in row.shares}
        axes.scatter(list(told.values()), list(told), color=colours[name], s=24, zorder=3, label=name)
    axes.set_yticks(range(len(table)), [row.name for row in table], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"share right of {table[0].n} cues, with 95 % Wilson interval", fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(systems), borderaxespad=0.2)
    tidy(axes)
    return figure


def regions(table: Sequence[RegionRow]) -> Figure:
    """How near each region's spikes come to its rates: a panel for each, a dot for each simulator, and cosine beside them in grey."""
    if not (table := check.listed(table, "table", "rows")):
        raise StimulusError("there is nothing to plot: no rows")
    table = check.instances(table, "table", RegionRow, "give the rows of `by_region`")
    names = [*table[0].values, "cosine"]
    if any([*row.values, "cosine"] != names for row in table):
        raise StimulusError("the rows have different simulators; give the rows of one comparison")
    figure = Figure(figsize=(10, 2 * (0.2 * len(names) + 0.9)), layout="constrained")
    panels = figure.subplots(2, -(-len(table) // 2), sharey=True, squeeze=False).ravel()
    for axes, row in zip(panels, table, strict=False):
        values = [*row.values.values(), row.cosine]
        axes.scatter(values, range(len(names)), color=[*[SPIKING] * len(row.values), MUTED], s=30)
        axes.set_xlim(-0.04, 1.04)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_title(f"{row.region}: {row.measure}", fontsize=9, loc="left")
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        tidy(axes)
    panels[0].invert_yaxis()
    for axes in panels[len(table) :]:
        axes.set_axis_off()
    return figure


def retrieval(table: Sequence[measured.RetrievalRow]) -> Figure:
    """Systems on data sets, a panel for each: dots with their Wilson intervals, a marker for each of up to three measures.

    Blue: spiking memories, orange: rate memories, grey: baselines.
    """
    if not (table := check.listed(table, "table", "rows")):
        raise StimulusError("there is nothing to plot: no rows")
    table = check.instances(table, "table", measured.RetrievalRow, "give the rows of `run`")
    panels = measured.datasets_of(table)
    columns = min(len(panels), 2)
    lines = -(-len(panels) // columns)
    figure = Figure(figsize=(7 * columns, lines * (0.28 * max(map(len, panels)) + 1.0)), layout="constrained")
    every = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, own in zip(every, panels, strict=False):
        names = [m.name for m in measured.measures(own[0].dataset) if not m.sessions][:3] or list(own[0].shares)[:3]
        if any(name not in row.shares for row in own for name in names):
            raise StimulusError(f"a row of {own[0].dataset} lacks one of {', '.join(names)}; give the rows of one run")
        for y, row in enumerate(own):
            colour = MUTED if row.system in measured.BASELINES else RATE if "rate" in row.system else SPIKING
            for shift, (name, marker) in enumerate(zip(names, "osD", strict=False), start=-(len(names) // 2)):
                axes.plot(row.interval(name), [y + 0.15 * shift] * 2, color=colour, linewidth=2.5, alpha=0.45, solid_capstyle="butt")
                axes.scatter([row.shares[name]], [y + 0.15 * shift], color=colour, marker=marker, s=24, zorder=3)
        axes.set_yticks(range(len(own)), [row.system for row in own], fontsize=8)
        axes.invert_yaxis()
        axes.set_title(f"{own[0].dataset}, n = {own[0].n:,}", fontsize=9, loc="left")
        axes.set_xlabel("   ".join(f"{shape} {name}" for shape, name in zip("●■◆", names, strict=False)), fontsize=8)
        tidy(axes)
    for axes in every[len(panels) :]:
        axes.set_axis_off()
    return figure


def cost(events: float, multiplications: float, spiking_ms: float, rate_ms: float) -> Figure:
    """Work and time of one recall, spiking and rate."""
    events, multiplications = check.finite(events, "events", least=0), check.finite(multiplications, "multiplications", least=0)
    spiking_ms, rate_ms = check.finite(spiking_ms, "spiking_ms", least=0), check.finite(rate_ms, "rate_ms", least=0)
    figure = Figure(figsize=(10, 1.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, values, title in (
        (left, (events, multiplications), "synaptic events | multiplications"),
        (right, (spiking_ms, rate_ms), "ms a recall, in a batch, on this machine"),
    ):
        bars = axes.barh(["spiking", "rate"], values, color=[SPIKING, RATE])
        axes.bar_label(bars, [f" {v:,.0f}" if v > 100 else f" {v:.2f}" for v in values], fontsize=8)
        axes.margins(x=0.2)
        axes.invert_yaxis()
        axes.set_title(title, fontsize=9)
        tidy(axes)
    return figure

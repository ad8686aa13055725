"""Figures of spikes and of the memory."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.evaluate import retrieval as measured
from spikemem.evaluate.compare import Row, wilson
from spikemem.evaluate.compare_damage import FLOATS, DamageRow
from spikemem.evaluate.compare_regions import RegionRow
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.memory.results import Hit
from spikemem.network.graph import BASKET
from spikemem.plots.style import FAINT, INK, MUTED, OTHERS, RATE, SPIKING, tidy
from spikemem.simulators.recording import Recording

NAMES = {
    "ec": "EC", "dg": "DG", "ca3": "CA3", "ca1_dendrite": "CA1 dendrites", "ca1": "CA1", "sub": "Subiculum", "ec_deep": "EC deep",
    "replay": "replay", "ff": "feed-forward", "ec_two": "EC layer II", "ec_lex": "word cells", "ec_ctx": "context cells",
    "ec_time": "cells of the moment", "ca1_apical": "apical dendrites", "ca1_tuft": "apical tuft", "recalled": "recalled",
    "ec_lex_deep": "words again", "ca1_apical_deep": "apical, again", "ca1_plateau": "plateau", "visited": "visited",
    "return_inhibition": "return inhibition",
}  # fmt: skip
PATHWAY_COLOURS = dict(zip(PATHWAYS, (SPIKING, RATE, "#6cb39b", "#7a5195", "#c9a227", "#b23a48", "#3c6e71", "#8d6a9f"), strict=False))
check = Checks(StimulusError)
LINE = 56
"""Characters in a line of the text that stands beside a bar."""


def raster(recording: Recording, *populations: str, batch: int = 0, title: str = "") -> Figure:
    """Every spike of one batch item, a panel for each population, its basket cell on top of it in orange.

    Thin lines mark gamma cycles, thick ones theta cycles, where the recording has them. All populations that spiked by default.

    >>> from spikemem import LIF, Network, Population, simulate, plots
    >>> net = Network()
    >>> _ = net.add(Population("cells", 10))
    >>> figure = plots.raster(simulate(net, {"cells": [0.2]}, steps=50), "cells")
    """
    check.instance(recording, "the first argument", Recording, "give a Recording, as `simulate` returns it")
    batch = check.integer(batch, "batch", least=0, most=recording.batches - 1)
    title = check.instance(title, "title", str, "give a text")
    chosen = populations or tuple(n for n, s in recording.spikes.items() if not n.endswith(BASKET) and (s.batch == batch).any())
    if not chosen:
        raise StimulusError("there is nothing to plot: no population spiked")
    figure = Figure(figsize=(10, 1.35 * len(chosen) + 0.9), layout="constrained")
    panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    for axes, name in zip(panels, chosen, strict=True):
        spikes = recording[name].between(0, recording.steps, batch)
        size = 14.0 if len(spikes) < 150 else 9.0 if len(spikes) < 400 else 5.0 if len(spikes) < 1500 else 1.5
        axes.scatter(spikes.step * recording.dt, spikes.cell, s=size, color=SPIKING, linewidths=0)
        top = recording[name].size
        if name + BASKET in recording.spikes:
            basket = recording[name + BASKET].between(0, recording.steps, batch)
            axes.scatter(basket.step * recording.dt, np.full(len(basket), 1.09 * top), s=16, marker="v", color=RATE, linewidths=0)
        axes.set_ylim(-0.04 * top, 1.18 * top)
        axes.set_yticks([0, top])
        axes.set_ylabel(f"{NAMES.get(name, name)}\n{len(spikes)} {'spike' if len(spikes) == 1 else 'spikes'}", fontsize=8)
        for step in recording.marks.get("gamma", []):
            axes.axvline(step * recording.dt, color=FAINT, linewidth=0.6, zorder=0)
        for step in recording.marks.get("theta", []):
            axes.axvline(step * recording.dt, color=INK, linewidth=1.1, zorder=0)
        tidy(axes)
    panels[-1].set_xlim(-0.5, recording.steps * recording.dt)
    meanings = {
        "thin lines: gamma cycles": bool(recording.marks.get("gamma")), "thick lines: theta cycles": bool(recording.marks.get("theta")),
        "triangles: basket cells": any(name + BASKET in recording.spikes for name in chosen),
    }  # fmt: skip
    legend = "; ".join(text for text, drawn in meanings.items() if drawn)
    panels[-1].set_xlabel(f"ms      ({legend})" if legend else "ms", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


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
    right.set_title(f"rank correlation {_spearman(text[pairs], engram[pairs]):.2f}", fontsize=9)
    tidy(right)
    return figure


def _spearman(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    ranks = [np.searchsorted(np.sort(v), v) + np.searchsorted(np.sort(v), v, side="right") for v in (x, y)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


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

"""The figures of the experiments beside a recall: overlap, curves, capacity, drift, the graph of memories and their lifespans."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.engrams import Drift, MemoryGraph, Overlap, Similarity
from spikemem.plots.engrams import springs
from spikemem.plots.style import AMOUNT, FAINT, INK, SERIES, SPIKING, colour
from spikemem.report.lab.experiments import COSINE, Capacity, Experiments
from spikemem.report.lab.figures import Panel, asked, blank, bokeh
from spikemem.report.lab.observation import SHOWN, TOGETHER, Observation, ObservedMemory

MARKERS = ("circle", "square", "diamond", "triangle", "inverted_triangle")
MEMORY = {"@memory": "return window.lab.text(value)", "@other": "return window.lab.text(value)"}
"""How the page tells of a memory whose id is under the pointer."""


def beside(seen: Observation, made: Experiments) -> list[Panel]:
    """A panel for each experiment, and for the memories."""
    return [
        separation(made.separation), completion(made.completion), capacity(made.capacity), drifting(made.drift),
        overlap(seen, made.overlap), graph(seen, made.graph), lifespans(seen),
    ]  # fmt: skip


def telling(*columns: str) -> dict[str, Any]:
    """Formatters of columns that hold ids of memories."""
    return {f"@{name}": bokeh("models").CustomJSHover(code=MEMORY[f"@{name}"]) for name in columns}


def series(of: Any, x: NDArray[Any], rows: Mapping[str, NDArray[Any]], told: str) -> None:
    """Lines with a marker at each point, of a colour and a shape each, named above the figure."""
    models = bokeh("models")
    drawn, items = [], []
    for place, (name, y) in enumerate(rows.items()):
        source = models.ColumnDataSource({"x": x, "y": y, "name": [name] * len(x)}, name=name)
        shape = MARKERS[place % len(MARKERS)]
        line = of.line(x="x", y="y", source=source, color=colour(place), line_width=2)
        points = of.scatter(x="x", y="y", source=source, color=colour(place), marker=shape, size=9)
        drawn.append(points)
        items.append(models.LegendItem(label=name, renderers=[line, points]))
    legend = models.Legend(
        items=items, orientation="horizontal", border_line_color=None, label_text_font_size="12px", label_text_color=INK, padding=2
    )
    of.add_layout(legend, "above")
    asked(of, [(told, "@x{0,0.[000]}"), ("@name", "@y{0.000}")], drawn)


def separation(found: Similarity) -> Panel:
    """How alike each region's spikes are, by how alike the cues are."""
    text = "How alike two cues' spikes are in each region, by how alike the cues are. Below the dotted line a region separates."
    return _similarity("separation", "Separation", found, [SHOWN[name] for name in found.names], "likeness of the spikes", text)


def completion(found: Similarity) -> Panel:
    """How much of an engram fires in CA3 at the start and at the end of the first theta cycle."""
    text = "How much of an engram fires in CA3, in the first gamma cycle of theta (input) and in the last (output), by how near the cue is."
    return _similarity("completion", "Completion", found, ["input", "output"], "likeness to the engram", text)


def _similarity(name: str, title: str, found: Similarity, names: Sequence[str], label: str, text: str) -> Panel:
    models = bokeh("models")
    of = blank(300, "cosine of the cues", label, x_range=models.Range1d(0, 1.05), y_range=models.Range1d(-0.02, 1.05))
    of.line([0, 1], [0, 1], color=INK, line_dash="dotted")
    series(of, found.cosine, dict(zip(names, found.mean, strict=True)), "cosine")
    rows = [["cosine", *names], *([f"{c:g}", *(f"{v:.2f}" for v in column)] for c, column in zip(found.cosine, found.mean.T, strict=True))]
    return Panel(name, title, of, text, rows)


def capacity(found: Capacity) -> Panel:
    """How many cues recall their own memory, as more memories are stored."""
    models = bokeh("models")
    of = blank(300, "memories stored", "share right first", x_axis_type="log", y_range=models.Range1d(-0.02, 1.05))
    of.xaxis.ticker = models.FixedTicker(ticks=found.stored.tolist())
    of.xaxis.formatter = models.NumeralTickFormatter(format="0,0")
    band = models.ColumnDataSource({"x": found.stored, "low": found.low, "high": found.high})
    of.varea(x="x", y1="low", y2="high", source=band, fill_color=FAINT, fill_alpha=0.6)
    series(of, found.stored, {"own memory first": found.right}, "memories")
    text = (
        f"Of {found.cues} cues at a cosine of {COSINE:g} to these memories, the share that recalls its own one first, by meaning alone, as "
        f"random memories are stored beside them; grey: 95 % (Wilson). It is {found.right[0]:.2f} with {found.stored[0]:,} memories and "
        f"{found.right[-1]:.2f} with {found.stored[-1]:,}."
    )
    rows = [
        ["memories", "right", "95 %", "CA3's synapses set"],
        *(
            [f"{n:,}", f"{r:.2f}", f"{low:.2f} to {high:.2f}", f"{d:.2%}"]
            for n, r, low, high, d in zip(found.stored, found.right, found.low, found.high, found.density, strict=True)
        ),
    ]
    return Panel("capacity", "Capacity", of, text, rows)


def drifting(found: Mapping[str, Drift]) -> Panel:
    """What engrams keep from sleep to sleep, by region."""
    models = bokeh("models")
    of = blank(300, "sleeps between", "share kept", y_range=models.Range1d(-0.02, 1.05))
    names = [SHOWN[region] for region in found]
    lag = next(iter(found.values())).lag
    of.xaxis.ticker = models.FixedTicker(ticks=lag.tolist())
    series(of, lag, dict(zip(names, (one.kept for one in found.values()), strict=True)), "sleeps")
    kept = ", ".join(f"{name} {one.kept[-1]:.2f}" for name, one in zip(names, found.values(), strict=True))
    text = (
        "What is kept of the cells of an engram over sleeps, each after as many new memories as there were: "
        f"after {len(lag)} sleeps {kept}."
    )
    rows = [["sleeps", *names], *([f"{at:g}", *(f"{one.kept[i]:.2f}" for one in found.values())] for i, at in enumerate(lag))]
    return Panel("drift", "Drift over sleeps", of, text, rows)


def overlap(seen: Observation, found: Overlap) -> Panel:
    """The cells of CA3 that each two engrams share."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    models, ids = bokeh("models"), np.array([memory.id for memory in seen.drawn])
    n, off = len(ids), ~np.eye(len(ids), dtype=bool)
    x, y = (place.ravel() for place in np.meshgrid(np.arange(n), np.arange(n)))
    most = int(found.shared[off].max(initial=0))
    palette = [to_hex(colormaps[AMOUNT](i / 255)) for i in range(256)]
    shades = models.LinearColorMapper(palette=palette, low=0, high=max(most, 1), high_color="#ffffff")
    data = {
        "x": x,
        "y": y,
        "memory": ids[y],
        "other": ids[x],
        "shared": found.shared[y, x],
        "expected": found.expected[y, x],
        "p": found.p[y, x],
    }
    of = blank(
        460, "memory, in the order of storing", "memory", x_range=models.Range1d(-0.5, n - 0.5), y_range=models.Range1d(n - 0.5, -0.5)
    )
    cells = of.rect(
        x="x", y="y", width=1, height=1, source=models.ColumnDataSource(data, name="overlap"), line_width=1,
        fill_color={"field": "shared", "transform": shades}, line_color={"field": "shared", "transform": shades},
    )  # fmt: skip
    of.axis.ticker = models.BasicTicker(min_interval=1)
    bar = models.ColorBar(color_mapper=shades, width=10, major_label_text_color=INK)
    of.add_layout(bar, "right")
    told = [
        ("memory", "@memory{custom}"),
        ("and", "@other{custom}"),
        ("cells shared", "@shared{0}; by chance @expected{0.00}, p = @p{0.000}"),
    ]
    asked(of, told, [cells], telling("memory", "other"))
    mean, chance = (float(v[off].mean()) if off.any() else 0.0 for v in (found.shared, found.expected))
    text = (
        f"The cells of CA3 that each two of {n} engrams share: {mean:.2f} on average, by chance {chance:.2f}, and {most} at most. "
        "Colours: how many. White: an engram with itself."
    )
    return Panel("overlap", "Overlap", of, text)


def graph(seen: Observation, found: MemoryGraph) -> Panel:
    """Which memories come together, and which follow one another."""
    models, drawn = bokeh("models"), seen.drawn
    spot, ids = springs((found.weight + found.weight.T) / 2, 0), np.array([memory.id for memory in drawn])
    wide = models.DataRange1d(range_padding=0.08)
    of = blank(460, "", "", x_range=wide, y_range=models.DataRange1d(range_padding=0.08))
    of.axis.visible, of.grid.visible = False, False
    a, b = np.nonzero(np.triu(np.maximum(found.weight, found.weight.T), 1))
    both = np.maximum(found.weight, found.weight.T)[a, b]
    edges = {"x0": spot[a, 0], "y0": spot[a, 1], "x1": spot[b, 0], "y1": spot[b, 1], "width": 0.6 + 2.0 * both}
    of.segment(x0="x0", y0="y0", x1="x1", y1="y1", line_width="width", color="#aab4bc", source=models.ColumnDataSource(edges, name="edges"))
    links = _arrows(of, drawn, spot)
    dots = []
    for place in np.unique(found.community):
        own = found.community == place
        data = {"x": spot[own, 0], "y": spot[own, 1], "memory": ids[own], "community": found.community[own] + 1}
        source, shape = models.ColumnDataSource(data, name=f"community {place}"), MARKERS[(place + place // len(SERIES)) % len(MARKERS)]
        dots.append(of.scatter(x="x", y="y", source=source, size=13, color=colour(place), marker=shape, line_color="white"))
    came = np.isin(ids, [hit.id for hit in seen.hits])
    named = {"x": spot[came, 0], "y": spot[came, 1], "id": [str(i) for i in ids[came]]}
    of.text(
        x="x", y="y", text="id", source=models.ColumnDataSource(named, name="recalled"), x_offset=9, y_offset=-7, text_color=INK,
        text_font={"value": "sans-serif"}, text_font_size="13px", text_font_style="bold",
    )  # fmt: skip
    asked(of, [("memory", "@memory{custom}"), ("community", "@community")], dots, telling("memory"))
    text = (
        f"{len(drawn)} memories: a line where one's text recalls the other among {TOGETHER}, wider where it is so more often, and an "
        f"arrow for each of {links} links that were stored. Colours and shapes are the {len(dots)} communities; "
        "numbers stand at what this cue recalled."
    )
    return Panel("graph", "Memories that come together", of, text)


def _arrows(of: Any, drawn: Sequence[ObservedMemory], spot: NDArray[np.float64]) -> int:
    """An arrow for each stored link; returns how many there are."""
    models, at = bokeh("models"), {memory.id: place for place, memory in enumerate(drawn)}
    pairs = np.array([(at[m.id], at[i]) for m in drawn for i in m.links if i in at], np.int64).reshape(-1, 2)
    (x0, y0), (x1, y1) = spot[pairs[:, 0]].T, spot[pairs[:, 1]].T
    data = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
    head = models.VeeHead(size=9, fill_color=INK, line_color=INK)
    arrow = models.Arrow(
        end=head, x_start="x0", y_start="y0", x_end="x1", y_end="y1", line_color=INK, line_width=1.4,
        source=models.ColumnDataSource(data, name="links"),
    )  # fmt: skip
    of.add_layout(arrow)
    return len(pairs)


def lifespans(seen: Observation) -> Panel:
    """From when to when each memory holds, and each time that it was stored."""
    drawn, models = [memory for memory in seen.drawn if memory.stored], bokeh("models")
    now = datetime.now(UTC)
    if not drawn:
        return Panel("lifespans", "Lifespans", None, "When these memories were stored is not known.")
    start, end = ([_ms(t) for t in times] for times in ([m.stored[0] for m in drawn], [m.until or now for m in drawn]))
    gone, rows = [m.until is not None for m in drawn], np.arange(len(drawn))
    of = blank(max(160, 8 * len(drawn) + 70), "time, UTC", "memory", x_axis_type="datetime", y_range=models.Range1d(len(drawn) - 0.4, -0.6))
    of.yaxis.ticker = models.FixedTicker(ticks=[])
    data = {
        "start": start, "end": end, "y": rows, "memory": [m.id for m in drawn], "until": ["superseded" if g else "holds" for g in gone],
        "colour": [SERIES[1] if g else SPIKING for g in gone], "stored": [f"{m.stored[0]:%Y-%m-%d %H:%M}" for m in drawn],
    }  # fmt: skip
    source = models.ColumnDataSource(data, name="lifespans")
    bars = of.hbar(y="y", left="start", right="end", height=0.55, color="colour", source=source)
    times = [(_ms(t), y) for y, memory in enumerate(drawn) for t in memory.stored]
    of.scatter(x=[t for t, _ in times], y=[y for _, y in times], size=6, color=INK)
    asked(of, [("memory", "@memory{custom}"), ("stored", "@stored"), ("now", "@until")], [bars], telling("memory"))
    text = (
        f"From when each of {len(drawn)} memories was stored until it was superseded ({sum(gone)}, red), or until now "
        f"({len(drawn) - sum(gone)}, blue). Dots: each time that it was stored."
    )
    return Panel("lifespans", "Lifespans", of, text)


def _ms(time: datetime) -> float:
    return 1000.0 * time.timestamp()

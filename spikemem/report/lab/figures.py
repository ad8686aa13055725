"""The figures of the laboratory that can be zoomed and asked, by Bokeh, which the extra `lab` brings."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.instruments.extra import library
from spikemem.plots.style import INK, SERIES, colour
from spikemem.report.lab.observation import SHOWN, Observation

SPIKE = "#77838d"
"""Of spikes of cells outside the engram that is looked at: a contrast of 3.8 to white."""
HEIGHT = {"ec": 150, "dg": 140, "ca3": 180, "ca1": 140, "ec_deep": 140}
"""Pixels of a population's raster."""
CROWDED = 3_000
"""Spikes of a population from which on its raster has smaller dots."""
HELD = -100.0
"""V below which the rhythm's inhibition holds a cell, far from its threshold of 1; the page draws it below the frame."""
BANDS = {"theta": (4.0, 12.0), "gamma": (30.0, 80.0)}
"""Hz, of the rhythms that are drawn."""
PAD = 30
"""Steps by which the filter of a rhythm is given more than there is, at both ends."""
MOVED = "document.dispatchEvent(new CustomEvent('lab-window'))"
TAPPED = """
const at = source.selected.indices[0];
if (at !== undefined) document.dispatchEvent(new CustomEvent('lab-cell', {detail: [population, source.data.cell[at]]}));
"""


class Panel(NamedTuple):
    """A figure with what it shows in words.   name: of its place on the page.   rows: its numbers as a table, the head first."""

    name: str
    title: str
    figure: Any
    text: str
    rows: Sequence[Sequence[str]] = ()


def bokeh(part: str) -> ModuleType:
    """A module of Bokeh; MissingExtraError where the extra is not installed."""
    return library(f"bokeh.{part}", "lab")


def blank(height: int, x: str, y: str, **options: Any) -> Any:
    """An empty figure in the page's style, as wide as its place.   x, y: labels of the axes."""
    made = bokeh("plotting").figure(
        height=height, sizing_mode="stretch_width", tools="", toolbar_location=None, x_axis_label=x, y_axis_label=y,
        background_fill_color=None, border_fill_color="white", outline_line_color=None, min_border_left=62, min_border_right=12, **options,
    )  # fmt: skip
    for axis in made.axis:
        axis.axis_label_text_font_style, axis.axis_label_text_font_size, axis.major_label_text_font_size = "normal", "12px", "11px"
        axis.axis_label_text_color = axis.major_label_text_color = INK
        axis.axis_line_color = axis.major_tick_line_color = INK
        axis.minor_tick_line_color = None
    made.grid.grid_line_color = "#e8edf0"
    return made


def asked(of: Any, tooltips: Sequence[tuple[str, str]], renderers: Sequence[Any], formatters: dict[str, Any] | None = None) -> None:
    """Let a figure tell what is under the pointer."""
    tool = bokeh("models").HoverTool(
        tooltips=list(tooltips), renderers=list(renderers), formatters=formatters or {}, point_policy="snap_to_data"
    )
    of.add_tools(tool)


def timeline(seen: Observation) -> Any:
    """The range of time that all figures of the recall share; it tells the page where it has moved to."""
    models, end = bokeh("models"), seen.recording.steps * seen.recording.dt
    time = models.Range1d(0, end, bounds=(0, end), min_interval=4 * seen.recording.dt, name="time")
    for side in ("start", "end"):
        time.js_on_change(side, models.CustomJS(code=MOVED))
    return time


def moving(of: Any) -> None:
    """Let a figure be dragged and, with Ctrl held, zoomed by the wheel, in time alone."""
    models = bokeh("models")
    wheel, pan = models.WheelZoomTool(dimensions="width", modifiers={"ctrl": True}), models.PanTool(dimensions="width")
    of.add_tools(pan, wheel)
    of.toolbar.active_drag, of.toolbar.active_scroll = pan, wheel


def recall(seen: Observation) -> list[Panel]:
    """The rasters, the rhythms and a membrane, which are zoomed together."""
    time = timeline(seen)
    return [*(raster(seen, name, time) for name in seen.populations), *rhythms(seen, time), membrane(seen, time)]


def raster(seen: Observation, name: str, time: Any) -> Panel:
    """Every spike of a population, those of an engram in its colour above the others."""
    models, spikes = bokeh("models"), seen.recording[name]
    of = blank(HEIGHT[name], "", "cell", x_range=time, y_range=models.Range1d(-0.02 * spikes.size, 1.02 * spikes.size))
    data = {"time": (spikes.step * seen.recording.dt).astype(np.float32), "cell": spikes.cell}
    source = models.ColumnDataSource(data, name=f"spikes {name}")
    small, large = (1.5, 2.0) if len(spikes) > CROWDED else (2.5, 4.5)
    own = np.isin(spikes.cell, seen.cells(seen.hits[0].id, name)) if seen.hits else np.zeros(len(spikes), bool)
    engram = models.IndexFilter(np.flatnonzero(own).tolist(), name=f"engram {name}")
    others = models.InversionFilter(operand=engram)
    for of_whom, shade, size, part in ((others, SPIKE, small, "others"), (engram, colour(0), large, "glyph")):
        drawn = of.scatter(
            x="time", y="cell", source=source, view=models.CDSView(filter=of_whom), size=size, color=shade, line_color=None,
            nonselection_fill_alpha=1.0,
        )  # fmt: skip
        drawn.glyph.name = f"{part} {name}"
    told = models.CustomJSHover(args={"population": name}, code="return window.lab.memories(population, value)")
    asked(
        of, [("cell", f"{SHOWN[name]} @{{cell}}{{0}}"), ("time", "@time{0} ms"), ("memory", "@cell{custom}")], of.renderers, {"@cell": told}
    )
    tap = models.TapTool(renderers=of.renderers, callback=models.CustomJS(args={"population": name, "source": source}, code=TAPPED))
    of.add_tools(tap)
    moving(of)
    many = f"{spikes.size:,} cells, {len(spikes):,} spikes"
    text = f"{SHOWN[name]}: {many}, of which {int(own.sum()):,} are of cells of the engram that came first."
    return Panel(f"raster-{name}", SHOWN[name], of, text)


def rhythms(seen: Observation, time: Any) -> list[Panel]:
    """CA3's spikes a step, which stand for the field potential that the model lacks, in the bands of theta and gamma."""
    from scipy.signal import butter, sosfiltfilt

    spikes, steps, dt = seen.recording["ca3"], seen.recording.steps, seen.recording.dt
    rate, panels, models = np.bincount(spikes.step, minlength=steps) / dt, list[Panel](), bokeh("models")
    for place, (name, (low, high)) in enumerate(BANDS.items()):
        band = butter(2, [low, high], "bandpass", output="sos", fs=1000.0 / dt)
        trace = sosfiltfilt(band, rate, padlen=min(PAD, steps - 1))
        of = blank(110, "", "spikes/ms", x_range=time)
        source = models.ColumnDataSource({"time": np.arange(steps) * dt, "trace": trace.astype(np.float32)}, name=name)
        line = of.line(x="time", y="trace", source=source, line_width=2, color=colour(place))
        starts = [step * dt for step in seen.recording.marks.get(name, [])]
        of.vspan(x=starts, line_color=INK, line_dash="dotted")
        asked(of, [("time", "@time{0} ms"), (name, "@trace{0.00} spikes/ms")], [line])
        moving(of)
        text = f"CA3's spikes a ms between {low:g} and {high:g} Hz. Dotted: the starts of {len(starts)} {name} cycles."
        panels.append(Panel(f"rhythm-{name}", name, of, text))
    return panels


def membrane(seen: Observation, time: Any) -> Panel:
    """The membrane of one recorded cell, which the page lets choose, with its spikes."""
    models, dt = bokeh("models"), seen.recording.dt
    of = blank(190, "time, ms", "V", x_range=time, y_range=models.Range1d(0, 1, name="volts"))
    columns: dict[str, NDArray[Any]] = {"time": np.arange(seen.recording.steps) * dt}
    for name, voltages in seen.recording.voltages.items():
        columns |= {f"{name} {cell}": voltages[:, 0, j].astype(np.float32) for j, cell in enumerate(seen.recording.cells[name].tolist())}
    first = first_cell(seen)
    source = models.ColumnDataSource(columns, name="voltages")
    line = of.line(x="time", y=first, source=source, color=INK, line_width=1.5)
    line.glyph.name = "membrane"
    own = models.ColumnDataSource({"time": [], "v": []}, name="fired")
    of.scatter(x="time", y="v", source=own, marker="inverted_triangle", size=9, color=SERIES[1])
    asked(of, [("time", "@time{0} ms")], [line])
    moving(of)
    text = (
        f"V of one of {len(columns) - 1} recorded cells, before winners are chosen and reset; triangles: its spikes. Where the rhythm's "
        "inhibition holds the cell, far below its threshold, the line leaves the frame."
    )
    return Panel("membrane", "membrane", of, text)


def first_cell(seen: Observation) -> str:
    """The cell whose membrane is shown first, as its column is named: one of CA3, in the engram that came first, and that fires."""
    cells, fired = seen.recording.cells["ca3"], seen.recording["ca3"].cell
    own = np.isin(cells, seen.cells(seen.hits[0].id, "ca3")) if seen.hits else np.zeros(len(cells), bool)
    best = np.argmax(2 * own + np.isin(cells, fired))
    return f"ca3 {int(cells[best])}"

"""The laboratory's page: figures, tables and the circuit, in one file of HTML that asks for nothing from outside."""

import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from spikemem._files import whole
from spikemem.errors import SpikememError
from spikemem.instruments.extra import library
from spikemem.plots.style import SPIKING, colour
from spikemem.report.lab import figures, markup, panels
from spikemem.report.lab.diagram import circuit
from spikemem.report.lab.experiments import Experiments, Stage, measure
from spikemem.report.lab.figures import HELD, Panel, bokeh, first_cell
from spikemem.report.lab.observation import SHOWN, Observation

FOLDER = Path(__file__).parent
SHORT = 70
"""Characters of a memory's text under the pointer."""
PALE = "#26aae1"
"""Bokeh's colour of labels under the pointer: a contrast of 2.6 to white, where 4.5 is needed."""
NAMED = 3
"""Memories that are named under the pointer; of others it is said how many hold the cell."""


def write(seen: Observation, path: str | Path, stage: Stage = lambda name: None) -> Path:
    """Measure around a recall and write the page, whole or not at all; returns its path.   stage: called with the name of what begins.

    MissingExtraError where Bokeh is not installed, before anything is measured.
    """
    path = Path(path)
    check_extra()
    made = rendered(seen, measure(seen, stage))
    stage("writing the page")
    try:
        with whole(path) as draft:
            draft.write_text(made, encoding="utf-8")
    except OSError as error:
        raise SpikememError(f"{path} cannot be written: {error}") from error
    return path


def check_extra() -> None:
    """MissingExtraError where a library of the extra `lab` is not installed."""
    for name in ("bokeh", "networkx"):
        library(name, "lab")


def rendered(seen: Observation, made: Experiments) -> str:
    """The page as HTML, with Bokeh's library in it."""
    recalled, others = figures.recall(seen), panels.beside(seen, made)
    documents = [document("recall", recalled), *(document(panel.name, [panel]) for panel in others if panel.figure is not None)]
    spec, recording = seen.hippocampus.spec, seen.recording
    drawn = {f"figure_{panel.name.replace('-', '_')}": markup.figure(panel) for panel in (*recalled, *others)}
    rasters = "".join(text for name, text in drawn.items() if name.startswith("figure_raster"))
    return Template((FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
        drawn,
        figure_rasters=rasters,
        title=html.escape(seen.title),
        cue=html.escape(seen.cue),
        summary=html.escape(markup.summary(seen)),
        order="in the order of their coming" if spec.engram else "the best match first",
        attempts=markup.attempts(seen),
        model=html.escape(spec.name),
        stored=f"{seen.stored:,}",
        milliseconds=f"{recording.steps * recording.dt:g}",
        circuit=circuit(seen.hippocampus.network, recording),
        populations=markup.options(recording.cells),
        memories=markup.memories(seen),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        data=_json(data(seen)),
        documents=_json(documents),
        library=_library(),
        script=(FOLDER / "page.js").read_text(encoding="utf-8"),
    )


def document(name: str, of: Sequence[Panel]) -> dict[str, Any]:
    """Figures that are drawn together, as JSON of Bokeh, and in which place of the page each is drawn.   name: of the document."""
    made = bokeh("document").Document(title=name)
    for panel in of:
        made.add_root(panel.figure)
    return {"name": name, "document": made.to_json(deferred=False), "roots": {panel.figure.id: f"plot-{panel.name}" for panel in of}}


def data(seen: Observation) -> dict[str, Any]:
    """What the page's own script needs to know: times, counts of spikes a step, engrams, which memories a cell belongs to, texts."""
    recording = seen.recording
    engrams = [{name: seen.cells(hit.id, name).tolist() for name in seen.populations} for hit in seen.hits]
    return {
        "dt": recording.dt,
        "steps": recording.steps,
        "theta": [step * recording.dt for step in recording.marks.get("theta", [])],
        "gamma": [step * recording.dt for step in recording.marks.get("gamma", [])],
        "counts": {name: np.bincount(s.step, minlength=recording.steps).tolist() for name, s in recording.spikes.items()},
        "hits": [
            {"id": hit.id, "text": hit.text, "latency": seen.latency(hit), "colour": colour(place), "engram": engram}
            for place, (hit, engram) in enumerate(zip(seen.hits, engrams, strict=True))
        ],
        "holders": {name: holders(seen, name) for name in seen.populations},
        "texts": {str(memory.id): _short(memory.text) for memory in seen.memories},
        "recorded": {name: cells.tolist() for name, cells in recording.cells.items()},
        "first": first_cell(seen),
        "held": HELD,
        "names": {name: SHOWN[name] for name in seen.populations},
    }


def holders(seen: Observation, population: str) -> dict[str, list[int]]:
    """By cell that fired or was recorded: how many memories of the page hold it, then the ids of some, those that were recalled first."""
    spikes, order = seen.recording[population], [hit.id for hit in seen.hits]
    order += [memory.id for memory in seen.memories if memory.id not in set(order)]
    told = np.zeros(spikes.size, bool)
    told[spikes.cell] = told[seen.recording.cells[population]] = True
    owned = np.zeros((len(order), spikes.size), bool)
    for row, memory in zip(owned, order, strict=True):
        row[seen.cells(memory, population)] = True
    return {
        str(cell): [int(owned[:, cell].sum()), *(order[row] for row in np.flatnonzero(owned[:, cell])[:NAMED])]
        for cell in np.flatnonzero(told & owned.any(0)).tolist()
    }


def _library() -> str:
    """Bokeh's library, as it stands in a page; the labels under its pointer in a colour that can be read."""
    text = (bokeh("util.paths").bokehjs_path() / "js" / "bokeh.min.js").read_text(encoding="utf-8")
    return str(text).replace("</script", "<\\/script").replace(PALE, SPIKING)


def _short(text: str) -> str:
    return text if len(text) <= SHORT else text[: SHORT - 1].rstrip() + "…"


def _json(value: Any) -> str:
    """JSON that stands in a page: no text in it can end the script that holds it, or begin another."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")

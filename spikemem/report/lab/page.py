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
from spikemem.plots.style import colour
from spikemem.report.lab import figures, panels
from spikemem.report.lab.diagram import circuit
from spikemem.report.lab.experiments import Experiments, Stage, measure
from spikemem.report.lab.figures import Panel, bokeh, first_cell
from spikemem.report.lab.observation import ENGRAM_OF, Observation

FOLDER = Path(__file__).parent
SHORT = 70
"""Characters of a memory's text under the pointer."""
NAMED = 3
"""Memories that are named under the pointer; of others it is said how many hold the cell."""


def write(seen: Observation, path: str | Path, stage: Stage = lambda name: None) -> Path:
    """Measure around a recall and write the page, whole or not at all; returns its path.   stage: called with the name of what begins.

    MissingExtraError where Bokeh is not installed, before anything is measured.
    """
    path = Path(path)
    bokeh("plotting")
    made = page(seen, measure(seen, stage))
    stage("writing the page")
    try:
        with whole(path) as draft:
            draft.write_text(made, encoding="utf-8")
    except OSError as error:
        raise SpikememError(f"{path} cannot be written: {error}") from error
    return path


def page(seen: Observation, made: Experiments) -> str:
    """The page as HTML, with Bokeh's library in it."""
    recalled, beside = figures.recall(seen), panels.experiments(seen, made)
    documents = [document("recall", recalled), *(document(panel.name, [panel]) for panel in beside if panel.figure is not None)]
    spec, recording = seen.hippocampus.spec, seen.recording
    drawn = {f"figure_{panel.name.replace('-', '_')}": _figure(panel) for panel in (*recalled, *beside)}
    rasters = "".join(text for name, text in drawn.items() if name.startswith("figure_raster"))
    return Template((FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
        drawn,
        figure_rasters=rasters,
        title=html.escape(seen.title),
        cue=html.escape(seen.cue),
        summary=html.escape(_summary(seen)),
        attempts=_attempts(seen),
        model=html.escape(spec.name),
        stored=f"{seen.stored:,}",
        milliseconds=f"{recording.steps * recording.dt:g}",
        circuit=circuit(seen.hippocampus.network, recording),
        populations=_options(recording.cells),
        memories=_memories(seen),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        data=_json(data(seen)),
        documents=_json(documents),
        library=(bokeh("util.paths").bokehjs_path() / "js" / "bokeh.min.js").read_text(encoding="utf-8").replace("</script", "<\\/script"),
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
    }


def holders(seen: Observation, population: str) -> dict[str, list[int]]:
    """By cell that fired: how many memories of the page hold it, then the ids of some, those that were recalled first."""
    spikes, order = seen.recording[population], [hit.id for hit in seen.hits]
    order += [memory.id for memory in seen.memories if memory.id not in set(order)]
    fired = np.zeros(spikes.size, bool)
    fired[spikes.cell] = True
    owned = np.zeros((len(order), spikes.size), bool)
    for row, memory in zip(owned, order, strict=True):
        row[seen.cells(memory, population)] = True
    return {
        str(cell): [int(owned[:, cell].sum()), *(order[row] for row in np.flatnonzero(owned[:, cell])[:NAMED])]
        for cell in np.flatnonzero(fired & owned.any(0)).tolist()
    }


def _summary(seen: Observation) -> str:
    """The recall in a sentence or two."""
    if not seen.hits:
        return "No memory came."
    first = seen.hits[0]
    late, fired = seen.latency(first), sum(len(seen.recording[name]) for name in seen.populations)
    after = "" if late is None else f" after {late:g} ms"
    others = len(seen.hits) - 1
    more = "" if not others else f", and {others} more" if others > 1 else ", and one more"
    return f"It recalls “{first.text}”{after}{more}, by {fired:,} spikes in {len(seen.populations)} populations."


def _attempts(seen: Observation) -> str:
    """A choice of the memories that came, with latency, score and text."""
    rows = []
    for place, hit in enumerate(seen.hits):
        late = seen.latency(hit)
        when = "-" if late is None else f"{late:g} ms"
        why = ", ".join(f"{name} {share:.2f}" for name, share in hit.drives.items() if share)
        cells = len(hit.engram[ENGRAM_OF["ca3"]])
        rows.append(
            f'<label class="attempt"><input type="radio" name="attempt" value="{place}"{" checked" if not place else ""}>'
            f'<span class="swatch" style="background:{colour(place)}"></span><span class="late">{when}</span>'
            f'<span class="said">{html.escape(hit.text)}<small>memory {hit.id}, score {hit.score:.3f}{": " if why else ""}{why}; '
            f"{cells} cells in CA3</small></span></label>"
        )
    return "".join(rows) or "<p>No memory came.</p>"


def _figure(panel: Panel) -> str:
    """A panel's place on the page, with what it shows in words, and its numbers as a table."""
    name, text = panel.name, html.escape(panel.text)
    drawn = "" if panel.figure is None else (
        f'<div class="plot" id="plot-{name}" role="img" aria-label="{html.escape(panel.title)}. {text}" style="min-height:{panel.figure.height}px"></div>'
    )
    head, *rows = [list(map(html.escape, row)) for row in panel.rows] or [[]]
    table = "" if not rows else (
        "<details><summary>The numbers</summary><table><thead><tr>" + "".join(f'<th scope="col">{c}</th>' for c in head) + "</tr></thead><tbody>"
        + "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows) + "</tbody></table></details>"
    )  # fmt: skip
    return f'<figure id="{name}"><h3>{html.escape(panel.title)}</h3>{drawn}<figcaption>{text}</figcaption>{table}</figure>'


def _options(cells: Any) -> str:
    return "".join(f'<option value="{html.escape(name)}">{html.escape(name)}</option>' for name, own in cells.items() if len(own))


def _memories(seen: Observation) -> str:
    """The memories of the graph as a table, with their links and times."""
    rows = []
    for m in seen.drawn:
        stored = "" if not m.stored else f"{m.stored[0]:%Y-%m-%d %H:%M}"
        until = "" if m.until is None else f"{m.until:%Y-%m-%d %H:%M}"
        cells = (str(m.id), html.escape(m.text), ", ".join(map(str, m.links)), stored, until)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "".join(rows)


def _short(text: str) -> str:
    return text if len(text) <= SHORT else text[: SHORT - 1].rstrip() + "…"


def _json(value: Any) -> str:
    """JSON that stands in a page: no text in it can end the script that holds it, or begin another."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")

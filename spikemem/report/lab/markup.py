"""The parts of the laboratory's page that are text: what came, the places of figures with their words and numbers, tables."""

from collections.abc import Iterable, Sequence
from html import escape

from spikemem.memory.results import Hit
from spikemem.plots.style import colour
from spikemem.report.lab.figures import Panel
from spikemem.report.lab.observation import Observation

MINUTE = "%Y-%m-%d %H:%M"
"""How a time is written."""


def summary(seen: Observation) -> str:
    """The recall in a sentence."""
    if not seen.hits:
        return "No memory came."
    first, others = seen.hits[0], len(seen.hits) - 1
    late, fired = seen.latency(first), sum(len(seen.recording[name]) for name in seen.populations)
    after = "" if late is None else f" after {late:g} ms"
    more = f", and {others} more" if others else ""
    does = "The read gate lets nothing out. What came nearest is" if seen.withheld else "It recalls"
    return f"{does} “{first.text}”{after}{more}, by {fired:,} spikes in {len(seen.populations)} populations."


def attempts(seen: Observation) -> str:
    """A choice of the memories that came, with latency, score and text."""
    return "".join(_attempt(seen, place, hit) for place, hit in enumerate(seen.hits)) or "<p>No memory came.</p>"


def _attempt(seen: Observation, place: int, hit: Hit) -> str:
    late = seen.latency(hit)
    when = "-" if late is None else f"{late:g} ms"
    why = ", ".join(f"{name} {share:.2f}" for name, share in hit.drives.items() if share)
    told = f"memory {hit.id}, score {hit.score:.3f}{': ' if why else ''}{why}; {len(hit.engram['ca3'])} cells in CA3"
    return (
        f'<label class="attempt"><input type="radio" name="attempt" value="{place}"{"" if place else " checked"}>'
        f'<span class="swatch" style="background:{colour(place)}"></span><span class="late">{when}</span>'
        f'<span class="said">{escape(hit.text)}<small>{escape(told)}</small></span></label>'
    )


def figure(panel: Panel) -> str:
    """A panel's place on the page, with what it shows in words, and its numbers as a table."""
    told, drawn, numbers = f"{panel.title}. {panel.text}", "", ""
    if panel.figure is not None:
        style = f"min-height:{panel.figure.height}px"
        drawn = f'<div class="plot" id="plot-{panel.name}" role="img" aria-label="{escape(told)}" style="{style}"></div>'
    if panel.rows:
        numbers = f"<details><summary>The numbers</summary>{table(panel.rows[0], panel.rows[1:])}</details>"
    words = f"<figcaption>{escape(panel.text)}</figcaption>"
    return f'<figure id="{panel.name}"><h3>{escape(panel.title)}</h3>{drawn}{words}{numbers}</figure>'


def table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def memories(seen: Observation) -> str:
    """The memories of the graph as a table, with their links and times."""
    rows = []
    for memory in seen.drawn:
        stored = "" if not memory.stored else memory.stored[0].strftime(MINUTE)
        until = "" if memory.until is None else memory.until.strftime(MINUTE)
        rows.append((str(memory.id), memory.text, ", ".join(map(str, memory.links)), stored, until))
    return table(("id", "text", "leads to", "stored", "superseded"), rows)


def options(names: Iterable[str]) -> str:
    """The choices of a list."""
    return "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in names)

"""The circuit as a drawing whose boxes count the spikes of the time that is looked at."""

from collections import Counter
from html import escape

import numpy as np

from spikemem.network.graph import Network
from spikemem.plots.diagram import places_of, sign
from spikemem.plots.style import INK
from spikemem.simulators.recording import Recording

SCALE = 62.0
"""Pixels of a unit of the diagram's places."""
BOX = np.array([116.0, 54.0])
"""Width and height of a population's box, pixels."""
BESIDE = 9.0
"""Pixels between two arrows of the same populations."""


def circuit(net: Network, recording: Recording) -> str:
    """The populations that were recorded and their projections as SVG; a text with the id `count-NAME` in each box is for its spikes."""
    names = [name for name in net.populations if name in recording.spikes]
    projections = [p for p in net.projections if p.pre in names and p.post in names]
    places = {name: SCALE * place * (1.0, -1.0) for name, place in places_of(names, projections).items()}
    low, high = (end(list(places.values()), axis=0) for end in (np.min, np.max))
    corner, size = low - BOX / 2 - (16, 40), high - low + BOX + (32, 80)
    drawn: Counter[frozenset[str]] = Counter()
    lines = []
    for p in projections:
        ends = frozenset((p.pre, p.post))
        told = f"{p.pre} to {p.post}: {p.synapses.count:,} synapses, {p.delay:g} ms"
        lines.append(_line(places[p.pre], places[p.post], sign(p), told, BESIDE * drawn[ends]))
        drawn[ends] += 1
    boxes = "".join(_box(name, place, net.populations[name].size, len(recording[name])) for name, place in places.items())
    view = " ".join(f"{v:.0f}" for v in (*corner, *size))
    title = f"The circuit: {len(places)} populations and {len(projections)} projections"
    return (
        f'<svg viewBox="{view}" width="{size[0]:.0f}" height="{size[1]:.0f}" role="img" aria-labelledby="circuit-title">'
        f'<title id="circuit-title">{title}</title>{"".join(lines)}{boxes}</svg>'
    )


def _line(start: np.ndarray, end: np.ndarray, shade: str, told: str, aside: float) -> str:
    """A projection: a line from edge to edge with a head, or a loop above its population."""
    if (start == end).all():
        x, y = start - (0, BOX[1] / 2)
        r = 14 + aside
        path = f"M{x - r:.0f} {y:.0f} C{x - r:.0f} {y - 34 - aside:.0f} {x + r:.0f} {y - 34 - aside:.0f} {x + r:.0f} {y:.0f}"
        tip, along = np.array([x + r, y]), np.array([0.0, 1.0])
    else:
        along = (end - start) / np.hypot(*(end - start))
        left = np.array([-along[1], along[0]]) * (aside + 4)
        with np.errstate(divide="ignore"):
            reach = np.min(BOX / 2 / np.abs(along))
        tail, tip = start + along * reach + left, end - along * (reach + 2) + left
        path = f"M{tail[0]:.0f} {tail[1]:.0f} L{tip[0]:.0f} {tip[1]:.0f}"
    left = np.array([-along[1], along[0]])
    wings = [tip - 8 * along + 4 * left, tip, tip - 8 * along - 4 * left]
    head = " ".join(f"{x:.0f},{y:.0f}" for x, y in wings)
    return (
        f'<g><title>{escape(told)}</title><path d="{path}" fill="none" stroke="{shade}" stroke-width="1.6"/>'
        f'<polyline points="{head}" fill="none" stroke="{shade}" stroke-width="1.6"/></g>'
    )


def _box(name: str, place: np.ndarray, cells: int, spikes: int) -> str:
    x, y = place - BOX / 2
    lines = (
        f'<text x="{place[0]:.0f}" y="{y + 17:.0f}" class="name">{escape(name)}</text>'
        f'<text x="{place[0]:.0f}" y="{y + 32:.0f}">{cells:,} cell{"s" * (cells != 1)}</text>'
        f'<text x="{place[0]:.0f}" y="{y + 47:.0f}" class="count" id="count-{escape(name)}">{spikes:,} spike{"s" * (spikes != 1)}</text>'
    )
    return f'<g><rect x="{x:.0f}" y="{y:.0f}" width="{BOX[0]:.0f}" height="{BOX[1]:.0f}" rx="9" fill="{INK}"/>{lines}</g>'

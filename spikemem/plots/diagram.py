"""The diagram of a network: its populations, and the projections between them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.network.graph import Network, Projection
from spikemem.network.synapses import OneBit
from spikemem.plots.style import INK, SERIES, legend

check = Checks(StimulusError)
EXCITES, INHIBITS, BOTH = SERIES[0], SERIES[1], SERIES[3]
WIDE, HIGH, GAP, ROW, BESIDE, RISE = 1.6, 0.7, 3.0, 1.9, 0.2, 0.9
"""Of a population's box the width and height; from one column of boxes to the next, from row to row, from an arrow to one beside it;
and how far a long arrow swings out."""
LABEL = np.array([1.25, 0.3])
"""Width and height of a projection's label."""
DASHED = (0, (5, 1.5))
ALONG = (0.5, 0.36, 0.64, 0.26, 0.74)
"""Where on an arrow its label may stand, best first."""
Place = NDArray[np.float64]


def network(net: Network, title: str = "") -> Figure:
    """A network as a diagram: a box for each population, an arrow for each projection, with its synapses and its delay.

    Columns go from the populations to which no other projects to those that the most projections lead to. Blue arrows excite, red ones
    with a bar at the end inhibit, purple ones do both; dashed ones are plastic.

    >>> from spikemem import Network, Population, plots
    >>> from spikemem.network import all_to_all
    >>> net = Network()
    >>> _ = net.add(Population("input", 3)), net.add(Population("output", 2))
    >>> _ = net.connect("input", "output", all_to_all(0.5))
    >>> figure = plots.network(net)
    """
    check.instance(net, "the first argument", Network, "give a Network")
    title = check.instance(title, "title", str, "give a text")
    if not net.populations:
        raise StimulusError("there is nothing to plot: the network has no population")
    places = places_of(net.populations, net.projections)
    low, high = (end(list(places.values()), axis=0) for end in (np.min, np.max))
    margin = np.array([WIDE / 2 + 0.6, HIGH / 2 + 0.9])
    width, height = high - low + 2 * margin
    figure = Figure(figsize=(max(1.05 * width, 5.0), max(1.05 * height, 2.4) + 0.4 * bool(title)), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(low - margin)[0] + np.array([0, width]), ylim=(low - margin)[1] + np.array([0, height]), aspect="equal")
    axes.axis("off")
    for name, place in places.items():
        _box(axes, place, name, f"{net.populations[name].size:,} {type(net.populations[name].neuron).__name__}")
    _projections(axes, net, places)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def places_of(populations: Collection[str], projections: Sequence[Projection]) -> dict[str, Place]:
    """The centre of each population's box: column by column, by the fewest projections on any way from an input."""
    targets = {p.post for p in projections if p.pre != p.post}
    column = {name: 0 for name in populations if name not in targets} or {next(iter(populations)): 0}
    waiting = list(column)
    for name in waiting:  # which grows
        for projection in projections:
            if projection.pre == name and projection.post not in column:
                column[projection.post] = column[name] + 1
                waiting.append(projection.post)
    stacks: dict[int, list[str]] = defaultdict(list)
    for name in populations:
        stacks[column.get(name, 0)].append(name)
    return {
        name: np.array([GAP * at, ROW * ((len(stack) - 1) / 2 - row) + 0.25 * (at % 2)])
        for at, stack in stacks.items()
        for row, name in enumerate(stack)
    }


def _box(axes: Axes, place: Place, name: str, told: str) -> None:
    corner = (place[0] - WIDE / 2, place[1] - HIGH / 2)
    axes.add_patch(FancyBboxPatch(corner, WIDE, HIGH, boxstyle="round,pad=0,rounding_size=.15", facecolor=INK, edgecolor="none", zorder=3))
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": "white", "zorder": 4, "parse_math": False}
    axes.text(place[0], place[1] + 0.12, name, fontsize=9, fontweight="bold", **style)
    axes.text(place[0], place[1] - 0.17, told, fontsize=8, **style)


def _projections(axes: Axes, net: Network, places: dict[str, Place]) -> None:
    """An arrow for each projection, its label where it covers nothing, and what colours and lines mean."""
    between = Counter(frozenset((projection.pre, projection.post)) for projection in net.projections)
    drawn: Counter[tuple[str, str]] = Counter()
    boxes, labels = list(places.values()), list[Place]()
    for projection in net.projections:
        ends = projection.pre, projection.post
        start, end = places[projection.pre], places[projection.post]
        if projection.pre == projection.post:
            spots = _loop(axes, projection, start, boxes, labels)
        else:
            alone = between[frozenset(ends)] == 1
            spots = _arrow(axes, projection, start, end, 0.0 if alone else BESIDE * (1 + 2 * drawn[ends]))
        drawn[ends] += 1
        spot = _free(spots, boxes, labels)
        labels.append(spot)
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        own = None if isinstance(projection.synapses, OneBit) else projection.synapses.delays
        told = f"{projection.synapses.count:,}, {'' if own is None else f'{own.min():g} to '}{projection.delay:g} ms"
        axes.text(spot[0], spot[1], told, ha="center", va="center", fontsize=8, color=sign(projection), bbox=paper, zorder=5)
    for what, shade in {"excites": EXCITES, "inhibits": INHIBITS, "both": BOTH}.items():
        if any(sign(projection) == shade for projection in net.projections):
            axes.plot([], [], color=shade, linewidth=1.6, label=what)
    if any(projection.plasticity is not None for projection in net.projections):
        axes.plot([], [], color=INK, linewidth=1.6, linestyle=DASHED, label="plastic")
    if net.projections:
        legend(axes, 4)


def _free(spots: list[Place], boxes: list[Place], labels: list[Place]) -> Place:
    """The first spot for a label that covers no box and no other label; where there is none, the first."""
    rooms = [(box, np.add(LABEL, (WIDE, HIGH)) / 2) for box in boxes] + [(label, LABEL) for label in labels]
    return next((spot for spot in spots if not any((np.abs(spot - at) < room).all() for at, room in rooms)), spots[0])


def _loop(axes: Axes, projection: Projection, place: Place, boxes: list[Place], labels: list[Place]) -> list[Place]:
    """A projection of a population onto itself, above its box or below it; where its label may stand."""
    above, below = (np.add(place, (0.0, side * (HIGH / 2 + 0.55))) for side in (1, -1))
    spot = _free([above, below], boxes, labels)
    side = 1 if spot is above else -1
    tail, head = (np.add(place, (across, side * HIGH / 2)) for across in (0.35, -0.35))
    _line(axes, projection, tail, head, side * 1.1)
    return [spot]


def _arrow(axes: Axes, projection: Projection, start: Place, end: Place, aside: float) -> list[Place]:
    """A projection from one population to another, moved aside where it is not the only one between them; where its label may stand."""
    along = end - start
    left = np.array([-along[1], along[0]]) / np.hypot(*along)
    far = abs(along[0]) > GAP or (not along[0] and abs(along[1]) > ROW)
    bend = min(0.25, 2 * RISE / np.hypot(*along)) if far else 0.0  # around what is between
    tail, head = (_edge(here, there) + aside * left for here, there in ((start, end), (end, start)))
    _line(axes, projection, tail, head, bend)
    aimed = (tail + head) / 2 - bend * np.hypot(*(head - tail)) * left
    beside = left * (0.42 * LABEL[0] if aside and abs(along[0]) < abs(along[1]) else 0.0)
    return [(1 - t) ** 2 * tail + 2 * t * (1 - t) * aimed + t**2 * head + beside for t in ALONG]


def _edge(place: Place, toward: Place) -> Place:
    """Where the line to another box leaves a box."""
    along = toward - place
    with np.errstate(divide="ignore"):
        return place + 1.06 * along * np.min(np.array([WIDE, HIGH]) / 2 / np.abs(along))


def _line(axes: Axes, projection: Projection, tail: Place, head: Place, bend: float) -> None:
    """The arrow of a projection."""
    shade, plastic = sign(projection), projection.plasticity is not None
    ends = "|-|, widthA=0, widthB=0.4" if shade == INHIBITS else "-|>"
    style: dict[str, Any] = {"color": shade, "linewidth": 1.6, "linestyle": DASHED if plastic else "-", "arrowstyle": ends, "zorder": 2}
    style |= {"connectionstyle": f"arc3,rad={bend}", "mutation_scale": 12, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch((tail[0], tail[1]), (head[0], head[1]), **style))


def sign(projection: Projection) -> str:
    """The colour of a projection, by the signs of its weights."""
    made = projection.synapses
    values = np.append(made.on, made.off) if isinstance(made, OneBit) else made.weights
    excites, inhibits = bool((values > 0).any()), bool((values < 0).any())
    return BOTH if excites and inhibits else INHIBITS if inhibits else EXCITES

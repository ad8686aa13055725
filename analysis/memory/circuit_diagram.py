"""The circuit of the hippocampus as a diagram, read from the network of a model.

    python analysis/memory/circuit_diagram.py

Draws docs/circuit.png. Where a box stands is laid out by hand; its cells, and which arrows there are, come from `Hippocampus.network`. A
population without a place and a projection without an arrow, or the reverse, end the script: the picture cannot fall behind the model.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from spikemem import Hippocampus, Network, load_model

INK, PAPER = "#22303c", "white"
COLOURS = {"EC": "#4477aa", "DG": "#228833", "CA3": "#cc6633", "CA1": "#aa3377", "gates": "#667788"}

Box = tuple[str, str, float, float, float, float, tuple[str, ...]]
BOXES: dict[str, Box] = {  # title, region, centre, width, height, populations; the cells that are counted are those of the last
    "ec": ("meaning", "EC", 1.55, 1.3, 2.1, 1.1, ("ec_two", "ec")),
    "context": ("context", "EC", 4.05, 1.3, 1.9, 1.1, ("ec_ctx",)),
    "words": ("words", "EC", 6.3, 1.3, 1.9, 1.1, ("ec_lex",)),
    "deep": ("deep layers", "EC", 8.75, 1.3, 2.1, 1.1, ("replay", "ec_deep")),
    "dg": ("DG", "DG", 1.55, 5.1, 2.1, 1.3, ("ff", "dg")),
    "ca3": ("CA3", "CA3", 1.55, 9.0, 2.1, 1.3, ("ca3",)),
    "ca1": ("CA1", "CA1", 5.35, 9.0, 2.3, 1.2, ("ca1_dendrite", "ca1")),
    "sub": ("subiculum", "CA1", 8.45, 9.0, 2.3, 1.2, ("sub",)),
    "mismatch": (
        "mismatch", "gates", 7.3, 6.3, 2.5, 1.0,
        ("ec_extra", "ec_missing", "lex_extra", "lex_missing", "lex_shared", "match", "novelty"),
    ),
    "wordings": (
        "wordings", "gates", 8.78, 2.95, 1.6, 0.8,
        ("phrase_old", "phrase_new", "phrase_extra", "phrase_missing", "phrase_shared", "difference", "contrast"),
    ),
    "gates": ("gates", "gates", 7.3, 4.2, 2.5, 1.0, ("gate_update", "gate_reset", "gate_candidate", "gate_read")),
    "theta": ("theta", "gates", 7.3, 2.95, 1.3, 0.5, ("theta",)),
}  # fmt: skip
PANELS = {"EC": (0.25, 0.05, 9.8, 2.15), "CA1": (4.0, 7.95, 5.9, 2.15)}
"""Left, bottom, width and height of the frames around boxes of one region."""
PANEL_TITLES = {"EC": "EC, entorhinal cortex", "CA1": ""}

Point = tuple[float, float]
ARROWS: dict[tuple[str, ...], tuple[Point, Point, float, str, Point]] = {  # from, to each of: start, end, bend, label, where
    ("ec", "dg"): ((1.3, 1.9), (1.3, 4.4), 0, "perforant\npath", (0.65, 3.3)),
    ("dg", "ca3"): ((1.55, 5.8), (1.55, 8.3), 0, "mossy\nfibres", (0.85, 7.0)),
    ("ca3", "ca1"): ((2.65, 9.0), (4.15, 9.0), 0, "Schaffer\ncollaterals", (3.35, 9.55)),
    ("ca1", "sub"): ((6.55, 9.0), (7.25, 9.0), 0, "", (0, 0)),
    ("ec", "ca1", "sub"): ((2.2, 1.9), (4.1, 7.9), -0.12, "", (0, 0)),
    ("context", "ca1", "sub"): ((4.4, 1.9), (4.7, 7.9), 0, "", (0, 0)),
    ("words", "ca1", "sub"): ((5.6, 1.9), (5.6, 7.9), 0, "", (0, 0)),
    ("words", "context"): ((5.3, 1.3), (5.05, 1.3), 0, "", (0, 0)),
    ("sub", "deep"): ((9.5, 8.35), (9.75, 1.95), 0, "back-\nprojection", (9.25, 7.5)),
    ("deep", "ec"): ((8.75, 0.72), (1.55, 0.72), -0.05, "replay", (3.4, 0.34)),
    ("ec", "mismatch"): ((2.45, 1.9), (6.0, 6.4), -0.2, "", (0, 0)),
    ("words", "mismatch"): ((5.85, 1.9), (6.25, 5.75), -0.08, "", (0, 0)),
    ("sub", "mismatch"): ((7.9, 8.35), (7.7, 6.85), 0, "", (0, 0)),
    ("mismatch", "gates"): ((7.4, 5.75), (7.4, 4.75), 0, "", (0, 0)),
    ("wordings", "gates"): ((8.6, 3.4), (8.1, 3.68), 0, "", (0, 0)),
    ("theta", "gates"): ((7.3, 3.22), (7.3, 3.68), 0, "", (0, 0)),
    ("ca3", "ca3"): ((0.85, 9.7), (2.25, 9.7), -1.3, "", (0, 0)),
}  # fmt: skip

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-gated", help="one that has all regions")
parser.add_argument("--out", type=Path, default=Path("docs/circuit.png"))


def network(model: str) -> Network:
    """The circuit of a model with two memories, the fewest that have something between them."""
    spec = load_model(model)
    hippocampus = Hippocampus(spec)
    hippocampus.store(np.random.default_rng(0).normal(size=(2, spec.ec.dim)))
    return hippocampus.network


def check(net: Network) -> None:
    """Every population has a place and every projection an arrow, and the reverse; SystemExit where one has not."""
    home = {name: key for key, box in BOXES.items() for name in box[-1]}
    if homeless := sorted(set(net.populations) ^ set(home)):
        raise SystemExit(f"populations of the model and of the diagram differ: {', '.join(homeless)}")
    wired = {(home[p.pre], home[p.post]) for p in net.projections}
    wired -= {(key, key) for key in BOXES if key != "ca3"}  # within a box
    drawn = {(start, end) for start, *ends in ARROWS for end in ends}
    if wrong := sorted(wired ^ drawn):
        raise SystemExit(f"arrows of the model and of the diagram differ: {', '.join(' -> '.join(pair) for pair in wrong)}")


def draw_box(axes: Axes, net: Network, key: str) -> None:
    """A population, or several that belong together, with the cells of the last."""
    title, region, x, y, width, height, populations = BOXES[key]
    corner = (x - width / 2, y - height / 2)
    style = {"boxstyle": "round,pad=0,rounding_size=.18", "facecolor": COLOURS[region], "edgecolor": "none"}
    axes.add_patch(FancyBboxPatch(corner, width, height, **style))
    size, many = net.populations[populations[-1]].size, len(populations) > 3
    below = {"gates": "update, reset,\ncandidate, read", "mismatch": "new in the cue,\nor missing in it"}.get(key, "")
    below = below or {"ca1": "one cell a cue", "sub": "one cell a cue"}.get(key, f"{size:,} cells")
    if height < 1 and not many:
        axes.text(x, y, title, ha="center", va="center", color=PAPER, fontsize=10)
        return
    lift = 0.26 if "\n" in below else 0.2
    axes.text(x, y + lift, title, ha="center", va="center", color=PAPER, fontsize=13, fontweight="bold")
    axes.text(x, y - 0.19, below, ha="center", va="center", color=PAPER, fontsize=8.5 if "\n" in below else 10, linespacing=1.0)


def draw(net: Network) -> Figure:
    """The diagram."""
    figure = Figure(figsize=(6.6, 7.4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 10.2), ylim=(0, 11.3))
    axes.axis("off")
    for region, (left, bottom, width, height) in PANELS.items():
        style = {"facecolor": COLOURS[region] + "1c", "edgecolor": COLOURS[region], "linewidth": 0.8}
        axes.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle="round,pad=0,rounding_size=.25", **style))
        axes.text(left + width - 0.15, bottom + 0.12, PANEL_TITLES[region], ha="right", va="bottom", color=COLOURS[region], fontsize=11)
    for (start, *_), (tail, head, bend, label, where) in ARROWS.items():
        bow = f"arc3,rad={bend}"
        arrow = {"arrowstyle": "-|>", "mutation_scale": 13, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
        axes.add_patch(FancyArrowPatch(tail, head, connectionstyle=bow, color=COLOURS[BOXES[start][1]], **arrow))
        if label:
            axes.text(
                *where, label, ha="center", va="center", color=INK, fontsize=10, linespacing=1.0, bbox={"fc": PAPER, "ec": "none", "pad": 1}
            )
    fast, slow = sorted(p.delay for p in net.projections if p.pre == p.post == "ca3")
    note = f"recurrent synapses: fast ones complete ({fast:g} ms),\nslow ones hop to the next memory ({slow:g} ms)"
    axes.text(2.35, 10.75, note, color=INK, fontsize=10, va="center")
    for key in BOXES:
        draw_box(axes, net, key)
    return figure


def main() -> None:
    args = parser.parse_args()
    net = network(args.model)
    check(net)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(net).savefig(args.out, dpi=170)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

"""Completion by Hippocampome's pyramidal and basket cells, from results/hippocampome_ca3.json.

    python analysis/papers/hippocampome_ca3.py --out docs/hippocampome_ca3.png

Above, one recall with and without recurrent synapses; below, overlap with the assembly against the load and against the share of the cue,
beside the CA3 of `hippocampus-engram` at equal cells and winners.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikemem.plots.style import FAINT, INK, colour, legend, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/hippocampome_ca3.json"), help="what sims/papers/hippocampome_ca3.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/hippocampome_ca3.png"))

WHOLE, SILENCED, WINNERS = "Hippocampome's cells", "recurrent synapses silenced", "CA3 of hippocampus-engram"
STYLES = {WHOLE: (colour(0), "-", "o"), SILENCED: (colour(1), ":", "s"), WINNERS: (colour(2), "--", "^")}
STRANGERS, BASKETS = 6, 20
"""Of other pyramidal cells, and of basket cells, so many are drawn."""
MS = 25


def recall(axes: Axes, drawn: dict[str, Any], name: str) -> None:
    """The spikes of one recall: cue, the other cells of the assembly, strangers, basket cells."""
    own = drawn["cue"] + [cell for cell in drawn["assembly"] if cell not in drawn["cue"]]
    cell, time = (np.array(part) for part in drawn[name]["pyramidal"])
    others = np.setdiff1d(cell, own).astype(int).tolist()[:STRANGERS]
    rows = {c: place for place, c in enumerate([*own, *others])}
    first, second = len(drawn["cue"]), len(own)
    parts = (("cue", 0, first, colour(3)), ("rest of the assembly", first, second, colour(0)), ("other cells", second, len(rows), INK))
    for label, low, high, shade in parts:
        shown = [(t, rows[c]) for c, t in zip(cell.astype(int).tolist(), time.tolist(), strict=True) if low <= rows.get(c, -1) < high]
        axes.plot(*(zip(*shown, strict=True) if shown else ([], [])), "|", color=shade, label=label, markersize=4)
    cell, time = (np.array(part) for part in drawn[name]["basket"])
    chosen = cell < BASKETS
    axes.plot(time[chosen], second + STRANGERS + 3 + cell[chosen], "|", color=colour(1), label="basket cells", markersize=4)
    axes.axhline(second + STRANGERS + 1, color=FAINT, linewidth=0.8)
    axes.axhline(second, color=FAINT, linewidth=0.8)
    axes.set(xlim=(0, MS), ylim=(-1, second + STRANGERS + BASKETS + 4), xlabel="ms", ylabel="cells", yticks=[])
    axes.set_title("with recurrent synapses" if name == WHOLE else "recurrent synapses silenced", fontsize=9)
    tidy(axes)


def curves(axes: Axes, rows: list[dict[str, Any]], varied: str, label: str) -> None:
    """Overlap of each condition over what is varied."""
    for name, (shade, line, marker) in STYLES.items():
        axes.plot([row[varied] for row in rows], [row[name]["overlap"] for row in rows], line, marker=marker, color=shade, label=name)
    axes.set(xlabel=label, ylabel="overlap", ylim=(0, 1.05))
    tidy(axes)


def draw(result: dict[str, Any]) -> Figure:
    """Two recalls over two curves."""
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    (left, right), (load, share) = figure.subplots(2, 2, height_ratios=[2, 3])
    recall(left, result["raster"], WHOLE)
    recall(right, result["raster"], SILENCED)
    left.legend(fontsize=8, frameon=False, loc="upper right", markerscale=2)
    curves(load, result["rows"]["load"], "load", f"assemblies of {result['core']} cells stored; half of one as the cue")
    curves(share, result["rows"]["share"], "share", f"share of an assembly as the cue; {result['rows']['share'][0]['load']:,} stored")
    legend(load, 2)
    return figure


def main() -> None:
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(json.loads(args.data.read_text())).savefig(args.out, dpi=150)


if __name__ == "__main__":
    main()

"""DG and CA3 with basket cells and leaky cells: one recall, and recall against load, from results/realistic_engrams.json.

    python analysis/memory/realistic_engrams.py

Draws docs/realistic_engrams.png from what sims/memory/realistic_engrams.py wrote: a raster of pyramidal and basket cells, whole and with
the basket cells silent; and how often the cue's own memory is recalled, with 95 % Wilson intervals, and the share of its engram that fires.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikemem.plots.style import FAINT, INK, OTHERS, RATE, SPIKING, tidy

LOOKS = {
    "KWinners, perfect cells": (INK, "-", "o"),
    "KWinners, leaky cells": (INK, ":", "s"),
    "basket, perfect cells": (SPIKING, ":", "^"),
    "basket, leaky cells": (SPIKING, "-", "D"),
    "same, recurrence cut": (RATE, "--", "v"),
    "same, CA3's basket silent": (OTHERS[1], "-.", "X"),
    "same, DG's basket silent": (OTHERS[0], "--", "P"),
}
"""Colour, line and marker of each condition."""
DPI = 130

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/realistic_engrams.json"))
parser.add_argument("--out", type=Path, default=Path("docs/realistic_engrams.png"))


def raster(axes: Axes, spikes: dict[str, Any], one: dict[str, Any], stop: int) -> None:
    """Pyramidal cells, those of the engram in colour, and basket cells in a strip above them, up to a step."""
    (step, cell), (basket_step, basket) = (np.array(spikes[name]) for name in ("ca3", "ca3_basket"))
    own = np.isin(cell, one["engram"])
    axes.scatter(step[~own], cell[~own], s=2, color=FAINT, linewidths=0, label="other pyramidal cells")
    axes.scatter(step[own], cell[own], s=12, color=SPIKING, linewidths=0, label=f"the engram's {len(one['engram'])}")
    axes.scatter(basket_step, 2150 + 4 * basket, s=1.5, color=RATE, linewidths=0, label="basket cells")
    for mark in one["gamma"]:
        axes.axvline(mark, color=FAINT, linewidth=0.6, zorder=0)
    axes.set_xlim(0, stop)
    axes.set_ylim(-20, 2570)
    axes.set_yticks([0, 2048])
    axes.set_xlabel("ms      (lines: gamma cycles)", fontsize=8)
    tidy(axes)


def against_load(axes: Axes, rows: list[dict[str, Any]], value: str) -> None:
    """A value of each condition over the load."""
    for name, (colour, line, marker) in LOOKS.items():
        mine = [row for row in rows if row["condition"] == name]
        x, y = [row["load"] for row in mine], np.array([row[value] for row in mine])
        axes.plot(x, y, line, color=colour, marker=marker, markersize=4, linewidth=1.2, label=name)
        if value == "own":
            low, high = np.array([row["interval"] for row in mine]).T
            axes.errorbar(x, y, [y - low, high - y], color=colour, linewidth=0.8, linestyle="none")
    loads = sorted({row["load"] for row in rows})
    axes.set_xscale("log")
    axes.set_xticks(loads, [str(load) for load in loads])
    axes.minorticks_off()
    axes.set_ylim(-0.03, 1.05)
    tidy(axes)


def draw(result: dict[str, Any]) -> Figure:
    """Rasters above, recall against load below."""
    figure = Figure(figsize=(12, 9), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.5])
    one, rows = result["raster"], result["rows"]
    whole, silent = above.subplots(1, 2, width_ratios=[3, 1])
    raster(whole, one["whole"], one, one["theta"][1])
    raster(silent, one["silent"], one, one["gamma"][2])
    whole.set_ylabel("cells of CA3", fontsize=8)
    whole.set_title(f"one attempt, {one['load']} memories, cue at a cosine of {one['cosine']}", fontsize=9)
    silent.set_title("CA3's basket cells silent", fontsize=9)
    above.legend(*whole.get_legend_handles_labels(), fontsize=8, frameon=False, loc="outside lower center", ncols=3, markerscale=2)
    cosines = sorted({row["cosine"] for row in rows}, reverse=True)
    panels = below.subplots(2, len(cosines), sharey=True, squeeze=False)
    for column, cosine in zip(panels.T, cosines, strict=True):
        for axes, value in zip(column, ("own", "engram"), strict=True):
            against_load(axes, [row for row in rows if row["cosine"] == cosine], value)
        column[0].set_title(f"cue at a cosine of {cosine}", fontsize=9)
        column[1].set_xlabel("memories stored", fontsize=8)
    panels[0, 0].set_ylabel(f"own memory recalled\n(n = {rows[0]['n']}, 95 %)", fontsize=8)
    panels[1, 0].set_ylabel("share of its engram\nthat fires", fontsize=8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    below.legend(handles, labels, fontsize=8, frameon=False, loc="outside lower center", ncols=len(LOOKS))
    return figure


def main() -> None:
    args = parser.parse_args()
    figure = draw(json.loads(args.data.read_text()))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=DPI)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

"""Explicit basket cells beside the ideal k winners, from results/dg_basket_cells.json and results/ca3_basket_cells.json.

    python analysis/memory/basket_cells.py

Draws results/dg_basket_cells.png: one cue's spikes in both networks, the race of the granule cells against their drive, and the overlap
over each parameter; and results/ca3_basket_cells.png: a recall, its quality and the density of the recurrent synapses against load, and
the overlap over each parameter. A figure whose file is missing is left out.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikemem.plots.style import FAINT, INK, RATE, SPIKING

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results"), help="the folder that the simulations wrote to, and figures go to")

LABELS = {
    "delay": "synaptic delay, each way, ms", "basket_threshold": "basket cell threshold, mV", "baskets": "basket cells",
    "inhibition": "inhibition, nS", "ramp": "ramp, mV/ms", "p_excite": "p(principal to basket)", "p_inhibit": "p(basket to principal)",
    "noise": "membrane noise, mV", "drive": "perforant path, nS per s.d.", "recurrent": "recurrent synapse, nS",
}  # fmt: skip
LOGARITHMIC = ("baskets", "inhibition", "p_excite", "p_inhibit")
WRONG = "#c0392b"
GAMMA = 25
"""ms."""


def tidy(axes: Axes, x: str = "", y: str = "", title: str = "") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.set_title(title, fontsize=9)


def spikes(axes: Axes, ms: Any, cells: Any, common: Any, labels: tuple[str, str] = ("in both", "only here")) -> None:
    """A raster: a dot where the cell is among `common`, a cross where it is not."""
    ms, cells = np.asarray(ms), np.asarray(cells)
    shared = np.isin(cells, common)
    axes.scatter(ms[shared], cells[shared], s=11, color=SPIKING, linewidths=0, label=labels[0])
    axes.scatter(ms[~shared], cells[~shared], s=22, color=WRONG, marker="x", linewidths=1.3, label=labels[1])


def basket_strip(axes: Axes, ms: Any, height: Any, cells: int) -> None:
    """Spikes of basket cells in a strip above the raster.   height: where each lies within the strip, 0 to 1."""
    axes.scatter(ms, cells * (1.06 + 0.2 * np.asarray(height)), s=5, color=RATE, linewidths=0)
    axes.axhline(cells * 1.03, color=FAINT, linewidth=0.8)
    axes.text(0.3, cells * 1.16, "basket", fontsize=7, color=RATE, va="center")
    axes.set_ylim(-0.02 * cells, 1.29 * cells)
    axes.set_yticks([0, cells])
    axes.set_xlim(0, GAMMA)


def sweeps(panels: list[Axes], sweep: dict[str, Any], bar: float) -> None:
    """The overlap over each parameter: the bar dashed, the default filled, and the range that holds shaded."""
    lowest = min(reached for row in sweep.values() for reached in row["overlap"])
    for axes, (name, row) in zip(panels, sweep.items(), strict=True):
        if row["holds"] is not None:
            axes.axvspan(*row["holds"], color=SPIKING, alpha=0.13, linewidth=0)
        axes.plot(row["values"], row["overlap"], color=SPIKING, marker="o", markersize=3.5, markerfacecolor="white", linewidth=1.2)
        at = row["values"].index(row["default"])
        axes.plot([row["default"]], [row["overlap"][at]], "o", color=SPIKING, markersize=6)
        axes.axhline(bar, color=INK, linewidth=0.8, linestyle="--")
        if "fixed_threshold" in row:
            axes.plot(row["values"], row["fixed_threshold"], ":", color=RATE, linewidth=1.4, label="a fixed threshold instead")
            axes.legend(fontsize=7, frameon=False, loc="lower center")
        if name in LOGARITHMIC:
            axes.set_xscale("log")
            ticks = row["values"][:: max(1, round(len(row["values"]) / 4))]
            axes.set_xticks(ticks, [f"{value:g}" for value in ticks])
            axes.minorticks_off()
        axes.set_ylim(lowest - 0.04, 1.03)
        axes.set_yticks([tick for tick in (0, 0.5, bar, 1) if tick > lowest - 0.04])
        tidy(axes, LABELS[name])
        axes.xaxis.labelpad = 1


def draw_dg(result: dict[str, Any]) -> Figure:
    """Both rasters of one cue, the race, and the sweep."""
    figure = Figure(figsize=(12, 8.6 if "sweep" in result else 3.9), layout="constrained")
    top, *rest = np.atleast_1d(figure.subfigures(2 if "sweep" in result else 1, 1, height_ratios=[1, 1.2][: 1 + ("sweep" in result)]))
    one, cells = result["raster"], len(result["raster"]["drive"])
    left, middle, right = top.subplots(1, 3)
    (granule, ms), (basket, basket_ms) = one["granule"], one["basket"]
    ideal, step = one["ideal"]
    spikes(left, ms, granule, ideal)
    basket_strip(left, basket_ms, np.asarray(basket) / result["parameters"]["baskets"], cells)
    tidy(left, "ms in the gamma cycle", "granule cell", f"explicit basket cells: {len(set(granule))} winners, overlap {one['overlap']:.2f}")
    spikes(middle, step, ideal, granule)
    basket_strip(middle, one["ideal_basket"], [0.5] * len(one["ideal_basket"]), cells)
    tidy(middle, "ms in the gamma cycle", "", f"KWinners: {len(ideal)} winners (released step by step)")
    for axes in (left, middle):
        axes.legend(fontsize=7, frameon=False, loc="center left", handletextpad=0.2)
    drive = np.asarray(one["drive"])
    order = np.asarray(granule, int)
    spikes(right, ms, drive[order], drive[np.intersect1d(order, ideal)], ("also ideal", "not ideal"))
    missed = np.setdiff1d(ideal, order)
    right.scatter(np.full(len(missed), GAMMA - 0.4), drive[missed], s=24, facecolors="none", edgecolors=WRONG, label="did not fire")
    right.axhline(drive[ideal].min(), color=INK, linewidth=0.8, linestyle="--", label=f"drive of winner {result['k']}")
    right.set_xlim(right.get_xlim()[0], GAMMA)
    right.legend(fontsize=7, frameon=False)
    tidy(right, "ms in the gamma cycle", "drive, s.d. over granule cells", "explicit: the most excited fire first")
    top.suptitle(
        f"DG, {result['cues']} cues: overlap {result['overlap']:.3f}, worst {result['worst']:.2f}, {result['winners']:.1f} ± "
        f"{result['winners_sd']:.1f} winners; the best fixed threshold without basket cells {result['fixed_threshold']:.3f}", fontsize=10,
    )  # fmt: skip
    if rest:
        panels = rest[0].subplots(3, 3, sharey=True)
        sweeps(list(panels.ravel()), result["sweep"], result["bar"])
        rest[0].supylabel("overlap with the ideal winners", fontsize=8)
        rest[0].suptitle("one parameter at a time; filled: default; dashed: .90; shaded: where it holds", fontsize=9)
    return figure


def quality(panels: list[Axes], rows: list[dict[str, Any]], core: int) -> None:
    """Overlap, recalled share and spurious cells against load, explicit and ideal, for each size of cue."""
    names = (("overlap", "overlap with the engram"), ("recalled", "share recalled (overlap >= .9)"), ("spurious", "spurious cells, mean"))
    for axes, (key, label) in zip(panels, names, strict=True):
        for part, marker in zip(sorted({row["part"] for row in rows}), "os", strict=False):
            chosen = [row for row in rows if row["part"] == part]
            loads = [row["load"] for row in chosen]
            for kind, colour, style, name in (("explicit", SPIKING, "-", "basket cells"), ("ideal", RATE, "--", "KWinners")):
                values = [row[kind][key] for row in chosen]
                axes.plot(loads, values, style, color=colour, marker=marker, markersize=4, linewidth=1.3, label=f"{name}, {part} of {core}")
        tidy(axes, "engrams stored", label)
    panels[0].set_ylim(0, 1.04)
    panels[1].set_ylim(-0.03, 1.04)
    panels[0].axhline(0.9, color=INK, linewidth=0.8, linestyle=":")
    panels[2].set_yscale("symlog", linthresh=1)
    panels[2].set_ylim(-0.1, None)
    panels[0].legend(fontsize=7, frameon=False, loc="lower left")


def density(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Measured density over the theory, and how many cells a cue cannot tell from the engram's own."""
    first = [row for row in rows if row["part"] == rows[0]["part"]]
    loads = [row["load"] for row in first]
    axes.plot(loads, [row["theory"] for row in first], color=INK, linewidth=1.2, label="$1 - (1 - k^2/N^2)^M$")
    axes.plot(loads, [row["density"] for row in first], "o", color=SPIKING, markersize=5, label="measured")
    axes.set_ylim(0, 1)
    tidy(axes, "engrams stored, M", "density of recurrent synapses")
    twin = axes.twinx()
    for part, style in zip(sorted({row["part"] for row in rows}), ("-", "--"), strict=False):
        alike = [row["alike"] for row in rows if row["part"] == part]
        twin.plot(loads, alike, style, color=RATE, linewidth=1, label=f"$(N - k)\\,\\rho^{{{part}}}$")
    twin.set_yscale("log")
    twin.set_ylim(1e-6, 1e3)
    twin.tick_params(labelsize=8, colors=RATE)
    twin.set_ylabel("cells like the engram's, expected", fontsize=8, color=RATE)
    twin.spines["top"].set_visible(False)
    handles = [line for part in (axes, twin) for line in part.get_lines()]
    axes.legend(handles=handles, fontsize=7, frameon=False, loc="upper left")


def draw_ca3(result: dict[str, Any]) -> Figure:
    """A recall, its quality against load, the density, and the sweep."""
    figure = Figure(figsize=(12, 9.6 if "sweep" in result else 6.0), layout="constrained")
    top, *rest = np.atleast_1d(figure.subfigures(2 if "sweep" in result else 1, 1, height_ratios=[1.35, 1][: 1 + ("sweep" in result)]))
    panels = top.subplots(2, 3)
    one = result["raster"]
    (fired, ms), (basket, basket_ms) = one["pyramidal"], one["basket"]
    fired, ms = np.asarray(fired), np.asarray(ms)
    raster = panels[0, 0]
    cue = np.isin(fired, one["cue"])
    spikes(raster, ms[~cue], fired[~cue], one["engram"], ("completed", "spurious"))
    raster.scatter(ms[cue], fired[cue], s=14, color=INK, marker="|", linewidths=1.2, label="cue")
    basket_strip(raster, basket_ms, np.asarray(basket) / result["parameters"]["baskets"], result["cells"])
    raster.legend(fontsize=7, frameon=False, loc="center")
    tidy(
        raster,
        "ms in the gamma cycle",
        "pyramidal cell",
        f"{len(one['cue'])} of {len(one['engram'])} cells cued, {result['sweep_load']:,} engrams",
    )
    quality([panels[0, 1], panels[0, 2], panels[1, 0]], result["rows"], len(one["engram"]))
    density(panels[1, 1], result["rows"])
    missed = panels[1, 2]
    for part, marker in zip(sorted({row["part"] for row in result["rows"]}), "os", strict=False):
        chosen = [row for row in result["rows"] if row["part"] == part]
        x = [row["density"] for row in chosen]
        for kind, colour, style, label in (("explicit", SPIKING, "-", "basket cells"), ("settled", RATE, ":", "KWinners, 3 cycles")):
            values = [row[kind]["overlap"] for row in chosen]
            missed.plot(x, values, style, color=colour, marker=marker, markersize=4, label=f"{label}, {part}")
    missed.set_ylim(0, 1.04)
    missed.axhline(0.9, color=INK, linewidth=0.8, linestyle=":")
    missed.legend(fontsize=7, frameon=False, loc="lower left")
    tidy(missed, "density of recurrent synapses", "overlap with the engram")
    top.suptitle(
        f"CA3: completion by explicit basket cells and by KWinners on the same clipped Hebbian weights, {result['cues']} cues", fontsize=10
    )
    if rest:
        small = rest[0].subplots(3, 3, sharey=True)
        sweeps(list(small.ravel()), result["sweep"], result["bar"])
        rest[0].supylabel("overlap with the engram", fontsize=8)
        rest[0].suptitle(f"one parameter at a time, {result['sweep_load']:,} engrams, {result['sweep_part']} cells cued", fontsize=9)
    return figure


def main() -> None:
    args = parser.parse_args()
    drawn = 0
    for name, draw in (("dg_basket_cells", draw_dg), ("ca3_basket_cells", draw_ca3)):
        data = args.data / f"{name}.json"
        if data.is_file():
            figure = draw(json.loads(data.read_text()))
            figure.savefig(data.with_suffix(".png"), dpi=150)
            print(f"drew {data.with_suffix('.png')}")
            drawn += 1
    if not drawn:
        raise SystemExit(f"nothing in {args.data}; run sims/memory/dg_basket_cells.py or sims/memory/ca3_basket_cells.py first")


if __name__ == "__main__":
    main()

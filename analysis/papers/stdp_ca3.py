"""What teacher-forced STDP has learned in CA3, beside the one-shot rule, from results/stdp_ca3.json.

    python sims/papers/stdp_ca3.py --pairs 8000
    python analysis/papers/stdp_ca3.py

Draws results/stdp_ca3.png: the learned weights, parted by the bits of the one-shot rule, and recall over more and more pairs. A run of
2,000 pairs stays below CA3's capacity; with 8,000 one sees it break down.
"""

import argparse
import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/stdp_ca3.json"), help="what sims/papers/stdp_ca3.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/stdp_ca3.png"))

SET, UNSET = "#d95f02", "#8c96a3"
BLUES = ("#08519c", "#4292c6", "#9ecae1")
"""From a full cue to the smallest."""


def weights(axes: Axes, result: dict) -> None:
    """The histogram of the weights, parted by the one-shot rule's bits."""
    edges, counts = result["edges"], result["histogram"]
    for kind, colour in (("unset", UNSET), ("set", SET)):
        axes.stairs(counts[kind], edges, fill=True, color=colour, label=f"bit {kind} by the one-shot rule", alpha=0.9)
    last = result["rows"][-1]
    axes.axvline(0.5, color="#444444", linewidth=0.9, linestyle=":", label="a bit counts as set above")
    axes.set_yscale("log")
    axes.set_title(f"weights after {last['pairs']:,} pairs: {last['equal']:.3%} of the bits equal", fontsize=9.5)
    axes.set_xlabel("weight, of the bound")
    axes.set_ylabel("synapses")
    axes.set_ylim(bottom=1e3)
    axes.legend(frameon=True, framealpha=1, edgecolor="none", fontsize=8, loc="center")


def recall(axes: Axes, result: dict, which: int) -> None:
    """A line for each share of the cue, over the pairs learned; which: 0 for right targets, 1 for their cells."""
    pairs = [row["pairs"] for row in result["rows"]]
    for share, (place, colour) in zip(result["shares"], enumerate(BLUES), strict=True):
        learned, bits = ([row[rule][place][which] for row in result["rows"]] for rule in ("stdp", "one-shot"))
        axes.plot(pairs, learned, "o-", color=colour, markersize=5, linewidth=1.2, label=f"STDP, {share:.0%} of the cue")
        axes.plot(pairs, bits, "D--", color=colour, markersize=7, markerfacecolor="none", linewidth=0.9, zorder=3)
    axes.plot([], [], "D--", color="#444444", markersize=7, markerfacecolor="none", linewidth=0.9, label="one-shot rule")
    axes.set_xscale("log", base=2)
    axes.set_xticks(pairs, [f"{n:,}" for n in pairs])
    axes.minorticks_off()
    axes.set_ylim(0, 1.06)
    axes.set_xlabel("pairs learned")


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/papers/stdp_ca3.py first")
    result = json.loads(args.data.read_text())
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    histogram, right, cells = panels = figure.subplots(1, 3)
    weights(histogram, result)
    recall(right, result, 0)
    recall(cells, result, 1)
    right.set_title("cues that bring back their target", fontsize=9.5)
    cells.set_title("share of the target's cells that fire", fontsize=9.5)
    right.legend(frameon=False, fontsize=8, loc="lower left")
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

"""Recall from partly wrong codes over the background memories, from results/cue_noise.json.

    python analysis/memory/cue_noise.py

Draws results/cue_noise.png: a line for each settling time, with Wilson intervals.
"""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure

from spikemem.evaluate.compare import wilson

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/cue_noise.json"), help="what sims/memory/cue_noise.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/cue_noise.png"))


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/memory/cue_noise.py first")
    result = json.loads(args.data.read_text())
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, kind, title in zip(panels, ("memory", "core"), ("CA1 finds the memory", "CA3 restores the whole core"), strict=True):
        settles = sorted({row["settle"] for row in result["rows"]})
        for shift, settle in enumerate(settles):
            rows = [row for row in result["rows"] if row["settle"] == settle]
            x = [i + 0.12 * (shift - (len(settles) - 1) / 2) for i in range(len(rows))]
            bounds = [wilson(row[kind], row["n"]) for row in rows]
            error = [[row[kind] - low for row, (low, _) in zip(rows, bounds, strict=True)],
                     [high - row[kind] for row, (_, high) in zip(rows, bounds, strict=True)]]  # fmt: skip
            axes.errorbar(x, [row[kind] for row in rows], error, marker="o", capsize=3, label=f"{settle} gamma cycles")
            axes.set_xticks(range(len(rows)), [str(row["background"]) for row in rows])
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("background memories")
    panels[0].set_ylabel(f"share right, {result['wrong']:.0%} of the code wrong")
    panels[0].set_ylim(0, 1.03)
    panels[1].legend(frameon=False)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

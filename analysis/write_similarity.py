"""Memory change against event similarity, from results/write_similarity.json.

    python analysis/write_similarity.py

Draws results/write_similarity.png: a panel for each cell, a point for each held-out pair of sentences, in the colour of its data set.
"""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/write_similarity.json"), help="what sims/write_similarity.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/write_similarity.png"))
COLOURS = {"STS-B": "#08519c", "STS-B-zh": "#d95f02", "AFQMC": "#1b9e77"}
SHOWN = 400
"""Points of a data set."""


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/write_similarity.py first")
    rows = json.loads(args.data.read_text())
    rows = [row for row in rows if row["seed"] == rows[0]["seed"]]
    cells = list(dict.fromkeys(row["cell"] for row in rows))
    figure = Figure(figsize=(4 * len(cells), 3.8), layout="constrained")
    panels = figure.subplots(1, len(cells), sharex=True, sharey=True, squeeze=False)[0]
    for axes, cell in zip(panels, cells, strict=True):
        axes.axline((0, 0), slope=1, color="#bbbbbb", linewidth=0.8, zorder=0)
        for row in (row for row in rows if row["cell"] == cell):
            label = f"{row['data']}, r = {row['correlation']:.2f}"
            colour = COLOURS.get(row["data"], "#222222")
            axes.plot(
                row["events"][:SHOWN], row["changes"][:SHOWN], "o", markersize=2.5, alpha=0.5, markeredgewidth=0, color=colour, label=label
            )
        axes.set_title(cell, fontsize=10)
        axes.set_xlabel("cosine of the two sentences")
        axes.legend(frameon=False, fontsize=8, loc="upper left", markerscale=2, handletextpad=0.2)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("cosine of the two memory changes")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

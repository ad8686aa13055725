"""The rate system's rows: spiking, rate and published, from results/rate_system_rows.json.

    python analysis/papers/rate_system_rows.py

Draws results/rate_system_rows.png: for each row that is a share of trials a dot with its 95 % interval for the spiking circuit and one
for the rate twin, and a tick where the published figure lies. All rows as a table: analysis/memory/results_page.py.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = {"spiking": "#0b6e99", "rate": "#d9822b", "published": "#22303c"}
SHIFT = {"spiking": -0.16, "rate": 0.16}
"""How far a dot lies above or below its row's line, as y grows downwards."""
Row = dict[str, Any]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/rate_system_rows.json"), help="what sims/papers/rate_system_rows.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/rate_system_rows.png"))


def draw(axes: Axes, rows: list[Row]) -> None:
    for kind, shift in SHIFT.items():
        values = [row[kind] for row in rows]
        bounds = [row[f"{kind}_interval"] for row in rows]
        low = [value - least for value, (least, _) in zip(values, bounds, strict=True)]
        high = [most - value for value, (_, most) in zip(values, bounds, strict=True)]
        at = [y + shift for y in range(len(rows))]
        style = {"fmt": "o", "markersize": 4.5, "capsize": 2.5, "linewidth": 1, "zorder": 3}
        axes.errorbar(values, at, xerr=[low, high], color=COLOURS[kind], label=kind, **style)
    published = [(row["published"], y) for y, row in enumerate(rows) if row["published"] is not None]
    axes.plot(*zip(*published, strict=True), "|", color=COLOURS["published"], markersize=13, markeredgewidth=1.6, label="published")
    axes.set_yticks(range(len(rows)), [f"{row['row']}  (n = {row['n']:,})" for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of trials right")
    axes.grid(axis="x", color="#dde3e8", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/papers/rate_system_rows.py first")
    rows = json.loads(args.data.read_text(encoding="utf-8"))["rows"]
    shares = [row for row in rows if not row["unit"]]
    figure = Figure(figsize=(9, 1.2 + 0.3 * len(shares)), layout="constrained")
    draw(figure.subplots(), shares)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

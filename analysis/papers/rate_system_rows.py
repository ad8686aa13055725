"""The rate system's rows: spiking, rate and published, from results/rate_system_rows.json.

    python analysis/papers/rate_system_rows.py
    python analysis/papers/rate_system_rows.py --markdown results/rate_system_rows.md

Draws results/rate_system_rows.png: for each row that is a share of trials a dot with its 95 % interval for the spiking circuit and one
for the rate twin, and a tick where the published figure lies. --markdown writes all rows as a table.
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
parser.add_argument("--markdown", type=Path, help="write the table as Markdown, too")


def markdown(rows: list[Row]) -> str:
    """All rows as a Markdown table.

    >>> row = {"row": "settle", "unit": "", "n": 4, "spiking": 1.0, "spiking_interval": [0.51, 1.0], "rate": None, "published": 0.2}
    >>> print(markdown([row | {"bar": 0.9, "met": True}]))
    | row | n | spiking | rate | published | bar, or spiking / rate |
    |---|---:|---|---|---:|---|
    | settle | 4 | 1.000 [.510, 1.000] | - | .2 | .9 met |
    """
    lines = ["| row | n | spiking | rate | published | bar, or spiking / rate |", "|---|---:|---|---|---:|---|"]
    for row in rows:
        name = f"{row['row']}, {row['unit']}" if row["unit"] else row["row"]
        published = "-" if row["published"] is None else bare(f"{row['published']:g}")
        lines.append(f"| {name} | {row['n']:,} | {measured(row, 'spiking')} | {measured(row, 'rate')} | {published} | {remark(row)} |")
    return "\n".join(lines)


def remark(row: Row) -> str:
    """Whether the bar is met, or for a quantity how often the rate twin's figure goes into the spiking one."""
    if row["bar"] is not None:
        return f"{bare(format(row['bar'], 'g'))} {'met' if row['met'] else 'missed'}"
    return bare(f"{row['spiking'] / row['rate']:.3g}") if row["unit"] and row["rate"] else ""


def measured(row: Row, kind: str) -> str:
    if row[kind] is None:
        return "-"
    if row["unit"]:
        if row[kind] >= 1000:
            return f"{row[kind]:,.0f}"
        return bare(f"{row[kind]:.3g}" if row["unit"] != "cosine" else f"{row[kind]:.4f}")
    low, high = row[f"{kind}_interval"]
    value, least, most = (bare(f"{x:.3f}") for x in (row[kind], low, high))
    return f"{value} [{least}, {most}]"


def bare(number: str) -> str:
    """Without the nought before the point."""
    return number.removeprefix("0") if number.startswith("0.") else number


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
    if args.markdown:
        args.markdown.parent.mkdir(parents=True, exist_ok=True)
        args.markdown.write_text(markdown(rows) + "\n", encoding="utf-8")
        print(f"wrote {args.markdown}")


if __name__ == "__main__":
    main()

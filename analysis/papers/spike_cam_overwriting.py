"""What overwriting leaves behind in the spike-based content-addressable memory, from results/spike_cam_overwriting.json.

    python analysis/papers/spike_cam_overwriting.py

Draws results/spike_cam_overwriting.png: exact recall for each rule, size and spacing with Wilson intervals, and the learned weights
beside what they should hold.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from spikemem.evaluate.compare import wilson

NAMES = {"spike-cam": "published", "spike-cam:bistable": "bistable"}
COLOURS = {"spike-cam": "#d9822b", "spike-cam:bistable": "#0b6e99"}


def bars(axes: Any, rows: list[dict[str, Any]]) -> None:
    """The share of exact recalls, a pair of bars for each size and spacing."""
    cases = sorted({(r["cues"], r["contents"], *r["spacing"]) for r in rows})
    for shift, (rule, name) in zip((-0.2, 0.2), NAMES.items(), strict=True):
        shares, errors = [], []
        for case in cases:
            mine = [r for r in rows if r["rule"] == rule and (r["cues"], r["contents"], *r["spacing"]) == case]
            n = sum(r["n"] for r in mine)
            share = sum(r["exact"] for r in mine) / n
            low, high = wilson(share, n)
            shares.append(share)
            errors.append((share - low, high - share))
        x = np.arange(len(cases)) + shift
        axes.bar(x, shares, 0.38, color=COLOURS[rule], label=name)
        axes.errorbar(x, shares, np.transpose(errors), fmt="none", ecolor="#22303c", capsize=2, linewidth=0.8)
    axes.set_xticks(range(len(cases)), [f"{c} x {b}\n{learn}/{recall} ms" for c, b, learn, recall in cases], fontsize=8)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("exact recalls after overwriting")
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("results/spike_cam_overwriting.json"), help="what sims/ wrote")
    parser.add_argument("--out", type=Path, default=Path("results/spike_cam_overwriting.png"))
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/papers/spike_cam_overwriting.py first")
    rows = json.loads(args.data.read_text(encoding="utf-8"))["rows"]
    figure = Figure(figsize=(11, 7), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.15))
    bars(above.subplots(), rows)
    largest = max((r["cues"], r["contents"]) for r in rows)
    tightest = min(r["spacing"] for r in rows)
    shown = [
        next(r for r in rows if (r["cues"], r["contents"]) == largest and r["spacing"] == tightest and r["rule"] == rule) for rule in NAMES
    ]
    pictures = [("what the cues should hold", 6.0 * np.array(shown[0]["wanted"]))]
    pictures += [(f"weights, {NAMES[r['rule']]} rule, {tightest[0]}/{tightest[1]} ms", np.array(r["weights"])) for r in shown]
    panels = below.subplots(1, len(pictures), sharey=True)
    for axes, (title, matrix) in zip(panels, pictures, strict=True):
        image = axes.imshow(matrix, cmap="Blues", vmin=0, vmax=6, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("content bit")
    panels[0].set_ylabel("cue")
    below.colorbar(image, ax=panels, label="nA", shrink=0.85)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

"""Recall by fast Hebbian weights over the length of an episode, and images recalled from sounds, from results/hebbian_patterns.json.

    python sims/papers/hebbian_patterns.py
    python analysis/papers/hebbian_patterns.py --out docs/hebbian_patterns.png

Above, both tasks: lines are means of the seeds, bands reach from the lowest to the highest seed, and lengths of the training are shaded.
Below, test episodes of the cross-modal task: the sound that is given, the image that was paired with a sound of its class, and what the
network draws, whole and with its fast weights silenced.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/hebbian_patterns.json"), help="what sims/papers/hebbian_patterns.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/hebbian_patterns.png"))

LOOKS = {"spiking": ("#0b6e99", "o-"), "rate": ("#d9822b", "s-"), "drawn": ("#6cb39b", "^-"), "silenced": ("#b23a48", "x-")}
NAMES = {"spiking": "spiking", "rate": "rate twin", "drawn": "spiking, drawn keys and values", "silenced": "spiking, fast weights silenced"}
UNITS = {"associations": "vectors and labels in the episode", "cross-modal": "sounds and images in the episode"}
SIDE = {"cue": 12, "image": 8}
"""Of a sound and of an image, as squares."""


def recall(axes: Axes, task: str, result: dict) -> None:
    """A line a kind, over the length of an episode."""
    low, high = result["tasks"][task]["trained"]
    axes.axvspan(low, high, color="#eef2f4", zorder=0)
    for kind, (colour, look) in LOOKS.items():
        rows = [row for row in result["rows"] if (row["task"], row["kind"]) == (task, kind)]
        lengths = sorted({row["length"] for row in rows})
        right = [[row["right"] for row in rows if row["length"] == length] for length in lengths]
        if not lengths:
            continue
        axes.plot(lengths, [np.mean(r) for r in right], look, color=colour, markersize=4, linewidth=1.2, label=NAMES[kind])
        axes.fill_between(lengths, [min(r) for r in right], [max(r) for r in right], color=colour, alpha=0.2, linewidth=0)
    chance = result["tasks"][task]["chance"]
    axes.plot([int(n) for n in chance], list(chance.values()), ":", color="#22303c", linewidth=1, label="chance")
    axes.set_ylim(0, 1.04)
    axes.set_title(f"{task}, trained on {low} to {high}", fontsize=9.5)
    axes.set_xlabel(UNITS[task], fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def drawings(figure: SubFigure, examples: dict) -> None:
    """A column an episode: its cue, its image, and what comes of the cue."""
    given = examples["spiking"]
    images = [np.array(items)[own] for items, own in zip(given["items"], given["own"], strict=True)]
    lines = {"a sound": given["cue"], "its image": images, "recalled": given["output"], "silenced": examples["silenced"]["output"]}
    grid = figure.subplots(len(lines), len(images), squeeze=False)
    bounds = float(np.min(images)), float(np.max(images))
    for line, (name, pictures) in zip(grid, lines.items(), strict=True):
        for axes, picture in zip(line, pictures, strict=True):
            sound = name == "a sound"
            square = np.reshape(picture, (SIDE["cue" if sound else "image"],) * 2)
            look = {"origin": "lower"} if sound else {"vmin": bounds[0], "vmax": bounds[1]}
            axes.imshow(square.T if sound else square, cmap="magma" if sound else "gray_r", interpolation="nearest", **look)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/papers/hebbian_patterns.py first")
    result = json.loads(args.data.read_text())
    figure = Figure(figsize=(10.5, 3.4 + 2.8 * ("spiking" in result["examples"])), layout="constrained")
    above, *below = figure.subfigures(2, 1, height_ratios=[3.4, 2.8]) if "spiking" in result["examples"] else [figure.subfigures(1, 1)]
    panels = above.subplots(1, len(result["tasks"]), squeeze=False)[0]
    for axes, task in zip(panels, result["tasks"], strict=True):
        recall(axes, task, result)
    panels[0].set_ylabel("share right", fontsize=9)
    panels[0].legend(frameon=False, fontsize=8, loc=(0.02, 0.1))
    for part in below:
        drawings(part, result["examples"])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

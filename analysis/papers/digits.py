"""What sims/papers/digits.py learned: the weights onto each cell as an image, and accuracy over the digits that were shown.

    python analysis/papers/digits.py --out docs/digits.png

Left, the weights of the first seed after learning, each with the cell's label; right, accuracy on held-out digits, with and without
plasticity, a line a seed, and of the nearest mean image.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from spikemem.plots.style import INK, RATE, SPIKING, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results"), help="the folder that sims/papers/digits.py wrote to")
parser.add_argument("--out", type=Path, default=Path("results/digits.png"))


def images(part: SubFigure, weights: NDArray[np.float64], labels: NDArray[np.int64]) -> None:
    """The weights onto each cell, [pixel, cell], as a square image, black where strongest of all, under the cell's label."""
    side, across = math.isqrt(len(weights)), math.ceil(math.sqrt(len(labels)))
    grid = part.subplots(math.ceil(len(labels) / across), across, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, label in zip(grid.flat, weights.T, labels, strict=False):
        axes.imshow(image.reshape(side, side), cmap="gray_r", vmin=0.0, vmax=weights.max())
        axes.set_title(str(label) if label >= 0 else "-", fontsize=7, pad=1.0)


def draw(result: dict, arrays: dict[str, NDArray]) -> Figure:
    """Weights beside accuracy over digits."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subfigures(1, 2)
    images(left, arrays["plastic_weights"][0], arrays["plastic_labels"][0])
    axes = right.subplots()
    for condition, colour in (("plastic", SPIKING), ("silenced", RATE)):
        found = np.array(result["courses"][condition])
        axes.plot(result["checkpoints"], found.T, color=colour, linewidth=0.7)
        axes.plot(result["checkpoints"], found.mean(axis=0), "o-", color=colour, linewidth=2.0, label=condition)
    axes.axhline(np.mean(result["last"]["nearest mean"]), color=INK, linewidth=0.8, linestyle="--", label="nearest mean")
    axes.set(xlabel="digits shown", ylabel="accuracy on held-out digits", ylim=(0.0, 1.0))
    axes.legend(fontsize=8, loc="lower right")
    tidy(axes)
    return figure


def main() -> None:
    args = parser.parse_args()
    result = json.loads((args.data / "digits.json").read_text())
    with np.load(args.data / "digits.npz") as file:
        arrays = dict(file)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(result, arrays).savefig(args.out, dpi=150)


if __name__ == "__main__":
    main()

"""The spikes of Izhikevich's thousand cells, from results/izhikevich.json.

    python analysis/papers/izhikevich.py --out docs/izhikevich.png

Each spike of the first seed, excitatory cells below, inhibitory ones above, and under them how many cells spike in each millisecond.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spikemem.plots.style import INK, RATE, SPIKING

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/izhikevich.json"), help="what sims/papers/izhikevich.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/izhikevich.png"))


def draw(result: dict) -> Figure:
    """The raster over the summed spikes."""
    spikes, cells, steps = np.array(result["spikes"][0]), result["cells"], result["ms"]
    first = cells - cells // 5
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
    for name, colour, chosen in (("excitatory", SPIKING, spikes[:, 1] < first), ("inhibitory", RATE, spikes[:, 1] >= first)):
        above.plot(spikes[chosen, 0], spikes[chosen, 1], ".", markersize=1.6, color=colour, label=name)
    above.set(ylabel="cell", ylim=(0, cells), xlim=(0, steps))
    above.legend(loc="upper right", markerscale=6, framealpha=0.9)
    below.plot(np.bincount(spikes[:, 0], minlength=steps), color=INK, linewidth=0.8)
    below.set(xlabel="ms", ylabel="spikes a ms")
    return figure


def main() -> None:
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(json.loads(args.data.read_text())).savefig(args.out, dpi=150)


if __name__ == "__main__":
    main()

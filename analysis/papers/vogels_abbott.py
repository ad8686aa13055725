"""The spikes of Vogels and Abbott's balanced networks, from results/cuba.npz and results/coba.npz.

    python analysis/papers/vogels_abbott.py --out docs/vogels_abbott.png

Of each network a tenth of the cells, and how many spikes all of them have in each millisecond, in Hz a cell.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spikemem import Recording
from spikemem.plots.style import INK, RATE, SPIKING

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results"), help="the folder that sims/papers/vogels_abbott.py wrote to")
parser.add_argument("--out", type=Path, default=Path("results/vogels_abbott.png"))
SHARE = 10
"""One cell of so many is drawn."""


def draw(recordings: dict[str, Recording]) -> Figure:
    """A column for each network: a raster over the mean rate."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    rows = figure.subplots(2, len(recordings), sharex="col", height_ratios=[3, 1], squeeze=False)
    for column, (name, recording) in enumerate(recordings.items()):
        spikes, (above, below) = recording["cells"], rows[:, column]
        inhibitory = spikes.cell >= spikes.size * 4 // 5
        for chosen, colour, label in ((~inhibitory, SPIKING, "excitatory"), (inhibitory, RATE, "inhibitory")):
            shown = chosen & (spikes.cell % SHARE == 0)
            above.plot(spikes.step[shown] * recording.dt, spikes.cell[shown], ".", markersize=1.6, color=colour, label=label)
        ms = np.bincount((spikes.step * recording.dt).astype(int), minlength=int(recording.steps * recording.dt))
        below.plot(1000.0 * ms / spikes.size, color=INK, linewidth=0.8)
        above.set(title=name, ylim=(0, spikes.size), xlim=(0, recording.steps * recording.dt))
        below.set(xlabel="ms", ylim=(0, None))
    rows[0, 0].set_ylabel("cell")
    rows[1, 0].set_ylabel("Hz")
    rows[0, 0].legend(loc="upper right", markerscale=6, framealpha=0.9)
    return figure


def main() -> None:
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    recordings = {name: Recording.load(args.data / f"{name.lower()}.npz") for name in ("CUBA", "COBA")}
    draw(recordings).savefig(args.out, dpi=150)


if __name__ == "__main__":
    main()

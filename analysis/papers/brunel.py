"""The four states of Brunel's network, from the recordings that sims/papers/brunel.py wrote.

    python analysis/papers/brunel.py --out docs/brunel.png

A column for each: spikes of some excitatory cells over the rate of all of them, in steps of half a millisecond, and the spectrum of that
rate, against the level of as many Poisson cells.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spikemem import Recording
from spikemem.plots.style import INK, MUTED, SPIKING, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results"), help="the folder that sims/papers/brunel.py wrote to")
parser.add_argument("--out", type=Path, default=Path("results/brunel.png"))
SHOWN, LONGER, CELLS, BIN, SEGMENT = 150.0, {"SI slow": 400.0}, 60, 0.5, 200.0
"""ms at the end that are drawn, and where more are; cells of which spikes are drawn; ms of a bin and of a segment of the spectrum."""


def draw(rows: list[dict], recordings: list[Recording]) -> Figure:
    """Rasters over rates over spectra."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(3, len(rows), height_ratios=[3, 1.4, 1.6], squeeze=False)
    for column, row, recording in zip(panels.T, rows, recordings, strict=True):
        raster, rate, spectrum = column
        end = recording.steps * recording.dt
        start = max(0.0, end - LONGER.get(row["state"], SHOWN))
        trains = recording.trains("E", start)
        few = trains.spikes.cell < CELLS
        raster.plot(start + trains.spikes.step[few] * recording.dt, trains.spikes.cell[few], ".", markersize=2.5, color=SPIKING)
        activity = trains.activity(BIN)[0]
        rate.plot(start + BIN * np.arange(len(activity)), activity, color=INK, linewidth=0.8)
        found = recording.spectrum("E", bin=BIN, segment=SEGMENT, start=min(200.0, end / 2))
        level = 2.0 * row["rate"] / recording["E"].size
        spectrum.loglog(found.frequency[1:], found.power[0, 1:] / level, color=INK, linewidth=0.9)
        spectrum.axhline(1.0, color=MUTED, linewidth=0.8, linestyle="--")
        raster.set(title=f"{row['state']}\n{row['rate']:.1f} Hz, CV {row['cv']:.2f}", xlim=(start, end), ylim=(-1, CELLS), xticklabels=[])
        rate.set(xlim=(start, end), ylim=(0, None), xlabel="ms")
        spectrum.set(xlabel="Hz", xlim=(5, 1000), ylim=(0.1, 1e6))
        for axes in column:
            tidy(axes)
    for axes, label in zip(panels[:, 0], ("cell", "Hz", "power / Poisson"), strict=True):
        axes.set_ylabel(label)
    return figure


def main() -> None:
    args = parser.parse_args()
    rows = json.loads((args.data / "brunel.json").read_text())["rows"]
    recordings = [Recording.load(args.data / f"brunel_{row['state'].lower().replace(' ', '_')}.npz") for row in rows]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(rows, recordings).savefig(args.out, dpi=150)


if __name__ == "__main__":
    main()

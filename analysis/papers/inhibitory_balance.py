"""What inhibitory plasticity does, stage by stage, from the recordings that sims/papers/inhibitory_balance.py wrote.

    python analysis/papers/inhibitory_balance.py --out docs/inhibitory_balance.png

Above, spikes of excitatory cells in each stage, the assembly at the bottom, with rates (of the assembly without the cells that are
cued, below the line) and inhibition as a share of excitation; under them the two rates from the first stage with the rule to the last.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem import Recording
from spikemem.plots.style import FAINT, INK, MUTED, RATE, SPIKING, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results"), help="the folder that sims/papers/inhibitory_balance.py wrote to")
parser.add_argument("--out", type=Path, default=Path("results/inhibitory_balance.png"))
SHOWN, OUTSIDE, BIN = 300.0, 200, 100.0
"""ms of each stage that are drawn, cells outside the assembly that are, and ms of a bin of the rates."""
STAGES = {
    "without": "before: without the rule",
    "balanced": "balanced by the rule",
    "stored": "an assembly is stored",
    "hidden": "hidden by the rule",
    "cued": "a quarter is cued",
}
COURSE = ("balanced", "stored", "hidden", "cued", "after")


def rate(recording: Recording, low: int, high: int) -> NDArray[np.float64]:
    """The mean rate of some excitatory cells over time, Hz, [bin]."""
    spikes = recording["E"]
    chosen = (spikes.cell >= low) & (spikes.cell < high)
    bins = round(recording.steps * recording.dt / BIN)
    counts = np.bincount((spikes.step[chosen] * recording.dt / BIN + 1e-6).astype(int), minlength=bins)[:bins]
    return counts / (high - low) / BIN * 1000.0


def draw(result: dict, recordings: dict[str, Recording]) -> Figure:
    """Rasters of the stages over the course of rates."""
    assembly, rows = result["assembly"], {row["stage"]: row for row in result["rows"]}
    figure = Figure(figsize=(11, 6), layout="constrained")
    grid = figure.add_gridspec(2, len(STAGES), height_ratios=[3, 2])
    for place, (name, title) in enumerate(STAGES.items()):
        axes, recording, row = figure.add_subplot(grid[0, place]), recordings[name], rows[name]
        end = recording.steps * recording.dt
        start = 0.0 if name in ("stored", "cued") else end - SHOWN
        spikes = recording.trains("E", start, start + SHOWN).spikes
        for colour, chosen in ((RATE, spikes.cell < assembly), (SPIKING, (spikes.cell >= assembly) & (spikes.cell < assembly + OUTSIDE))):
            axes.plot(spikes.step[chosen] * recording.dt, spikes.cell[chosen], ".", markersize=1.4, color=colour)
        axes.axhline(assembly // 4, color=FAINT, linewidth=0.8)
        told = (
            f"assembly {row['recalling']:.0f} Hz, I/E {row['balance']:.2f}\nothers {row['others']:.0f} Hz, I/E {row['balance_others']:.2f}"
        )
        axes.set_title(f"{title}\n{told}", fontsize=9)
        axes.set(xlim=(0, SHOWN), ylim=(0, assembly + OUTSIDE), xlabel="ms")
        axes.set_ylabel("excitatory cell" if not place else "")
        tidy(axes)
    below, now = figure.add_subplot(grid[1, :]), 0.0
    for name in COURSE:
        recording = recordings[name]
        for low, high, colour, label in (
            (assembly // 4, assembly, RATE, "assembly, but for the cued quarter"),
            (assembly, recording["E"].size, SPIKING, "excitatory cells outside"),
        ):
            values = rate(recording, low, high)
            below.plot(
                now + BIN / 1000 * (np.arange(len(values)) + 0.5), values, color=colour, linewidth=1.2, label=label if not now else None
            )
        below.axvline(now, color=MUTED, linewidth=0.7)
        below.text(now + 0.05, 200.0, name, fontsize=8, color=INK, va="top")
        now += recording.steps * recording.dt / 1000.0
    below.axhline(result["target"], color=INK, linewidth=0.8, linestyle="--", label="target")
    below.set(xlabel="s", ylabel="Hz", xlim=(0, now), ylim=(1, 220), yscale="log")
    below.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0.1, 1.0), framealpha=0.9)
    tidy(below)
    return figure


def main() -> None:
    args = parser.parse_args()
    result = json.loads((args.data / "inhibitory_balance.json").read_text())
    recordings = {name: Recording.load(args.data / f"inhibitory_balance_{name}.npz") for name in (*STAGES, "after")}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw(result, recordings).savefig(args.out, dpi=150)


if __name__ == "__main__":
    main()

"""One LIF neuron of the NIR paper as eight readers and spikemem give it, from results/nir_readers.json.

    python analysis/papers/nir_readers.py

Draws results/nir_readers.png: v in thresholds over the whole run, the spread of the eight published readers behind ours, and their spikes.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/nir_readers.json"), help="what sims/papers/nir_readers.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/nir_readers.png"))

OURS, SPREAD, INK = "#d95f02", "#9ecae1", "#08519c"


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/papers/nir_readers.py first")
    result = json.loads(args.data.read_text())
    volts = {name: np.array(v) for name, v in result["volts"].items()}
    ours, theirs = volts.pop("spikemem"), np.array([*volts.values()])
    time = np.arange(len(ours)) / 10
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    top, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [2, 1]})
    top.fill_between(time, theirs.min(0), theirs.max(0), color=SPREAD, linewidth=0.8, edgecolor=SPREAD, label="eight published readers")
    top.plot(time, ours, color=OURS, linewidth=1.0, label="spikemem")
    top.axhline(1.0, color="#bbbbbb", linewidth=0.8, zorder=0)
    top.set_ylabel("v (thresholds)")
    top.legend(frameon=False, fontsize=8, loc="upper left")
    for n, row in enumerate(reversed(result["readers"])):
        spikes = np.array(row["spikes"].split(), float) / 10
        below.plot(spikes, np.full(len(spikes), n), "|", color=OURS if row["reader"] == "spikemem" else INK, markersize=8)
    below.set_yticks(range(len(result["readers"])), [row["reader"] for row in reversed(result["readers"])], fontsize=7)
    below.set_xlabel("time (ms)")
    for axes in (top, below):
        axes.spines[["top", "right"]].set_visible(False)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=130)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

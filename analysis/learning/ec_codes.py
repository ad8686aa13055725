"""EC's codes: cosine of the decoded vector against spikes, from results/ec_codes.json.

    python analysis/learning/ec_codes.py

Draws results/ec_codes.png: a panel for each held-out source, a line for each code; of the trained one, all seeds.
"""

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/ec_codes.json"), help="what sims/learning/ec_codes.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/ec_codes.png"))

NAMES = {"locomo": "LoCoMo, turns", "stsb": "STS-B, sentences", "hotpotqa": "HotpotQA, passages"}
LOOKS = {
    "analytic": {"color": "0.35", "marker": "o", "linestyle": "-"},
    "latency": {"color": "tab:blue", "marker": "s", "linestyle": "-"},
    "z-score": {"color": "tab:green", "marker": "^", "linestyle": "-"},
    "trained": {"color": "tab:red", "marker": "D", "linestyle": ""},
    "shipped: ec-minilm": {"color": "tab:red", "marker": "*", "linestyle": ""},
}


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/learning/ec_codes.py first")
    rows = json.loads(args.data.read_text())["rows"]
    figure = Figure(figsize=(11, 4), layout="constrained")
    for axes, source in zip(figure.subplots(1, len(NAMES), sharey=True), NAMES, strict=True):
        for kind, look in LOOKS.items():
            own = sorted((row["spikes"], row["cosine"]) for row in rows if row["code"] == kind and row["source"] == source)
            axes.plot([spikes for spikes, _ in own], [1 - cosine for _, cosine in own], label=kind, markersize=4, linewidth=1, **look)
        for cosine, spikes in ((0.99, 500), (0.985, 400)):
            axes.plot([0, spikes, spikes], [1 - cosine, 1 - cosine, 1e-3], color="0.75", linewidth=0.8, zorder=0)
        axes.set_title(NAMES[source], fontsize=10)
        axes.set_xlim(0, 1250)
        axes.set_yscale("log")
        axes.set_ylim(0.5, 2e-3)
        axes.set_xlabel("spikes a text, T = 8")
    first = figure.axes[0]
    ticks = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
    first.set_yticks([1 - t for t in ticks], [f"{t:g}" for t in ticks])
    first.minorticks_off()
    first.set_ylabel("cosine of decoded and given")
    first.legend(frameon=False, fontsize=9)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

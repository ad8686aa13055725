"""The STDP window as the simulators measured it, over the formula's curve, from results/stdp_window.json.

    python analysis/papers/stdp_window.py

Draws results/stdp_window.png: an additive and a multiplicative rule from three initial weights, and, close up, what a coincidence and a
dendritic delay do.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikemem import STDP

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/stdp_window.json"), help="what sims/papers/stdp_window.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/stdp_window.png"))

MARKERS = {"event": "o", "torch": "s", "snntorch": "^", "norse": "D", "brian2": "v"}
INK, GREYS = "#222222", ("#9ecae1", "#4292c6", "#08519c")
ORANGE = "#d95f02"


def curve(axes: Axes, rule: STDP, weight: float, colour: str, reach: float) -> None:
    """The formula, with a gap at lag 0."""
    for lag in (np.linspace(-reach, -1e-6, 400), np.linspace(1e-6, reach, 400)):
        axes.plot(lag, rule.window(lag, weight), color=colour, linewidth=1.2, zorder=1)


def find(rows: list[dict], **wanted: object) -> tuple[STDP, dict]:
    row = next(row for row in rows if wanted.items() <= row["rule"].items())
    return STDP(**row["rule"]), row


def window(axes: Axes, result: dict, dependence: str) -> None:
    """Points of all simulators over the curve, every simulator at lags of its own."""
    rule, row = find(result["windows"], pairing="all", dependence=dependence, coincidence="depression", dendritic=1.0)
    names, step = list(row["change"]), 4
    for i, (weight, colour) in enumerate(zip(result["weights"], GREYS, strict=True)):
        if dependence == "additive" and weight != 0.5:
            continue  # all three lie on one curve
        curve(axes, rule, weight, colour, 62)
        for n, name in enumerate(names):
            places = slice(n * step % (step * len(names)), None, step * len(names))
            lag, change = np.array(row["seen"])[places], np.array(row["change"][name])[i, places]
            axes.plot(
                lag, change, MARKERS.get(name, "x"), color=colour, markeredgecolor="white", markeredgewidth=0.5, markersize=5.5, zorder=2
            )
    axes.set_title(
        f"{dependence}: " + ("the same from any weight" if dependence == "additive" else "the less room, the less change"), fontsize=9.5
    )
    axes.set_xlim(-63, 63)


def close_up(axes: Axes, result: dict) -> None:
    """The few steps about lag 0, over the lag at the cells' bodies."""
    lags = np.array(result["lags"])
    near = np.abs(lags) <= 6
    shift = -0.18
    for coincidence, verb, colour in (("depression", "depresses", INK), ("potentiation", "potentiates", ORANGE)):
        for dendritic, marker, fill in ((0.0, "o", colour), (1.0, "s", "white")):
            _, row = find(result["windows"], pairing="all", dependence="additive", coincidence=coincidence, dendritic=dendritic)
            change = np.array(next(iter(row["change"].values())))[1][near]
            label = f"dendrite {dendritic:g} of {result['delay']:g} ms, lag 0 {verb}"
            axes.plot(lags[near] + shift, change, marker, color=colour, markersize=5, markerfacecolor=fill, label=label)
            shift += 0.12
    axes.set_title("additive, close up: dendrite and coincidence", fontsize=9.5)
    axes.legend(frameon=False, fontsize=8, loc="center", bbox_to_anchor=(0.5, 0.54), handletextpad=0.2)


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/papers/stdp_window.py first")
    result = json.loads(args.data.read_text())
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    additive, multiplicative, near = panels = figure.subplots(1, 3, sharey=True)
    window(additive, result, "additive")
    window(multiplicative, result, "multiplicative")
    close_up(near, result)
    for axes in panels:
        axes.axhline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
        axes.axvline(0, color="#bbbbbb", linewidth=0.8, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (additive, multiplicative):
        axes.set_xlabel("lag at the synapse, post after pre (ms)")
    near.set_xlabel("lag at the cell bodies, post after pre (ms)")
    additive.set_ylabel("change of the weight by one pair")
    names = list(result["windows"][0]["change"])
    key = [additive.plot([], [], MARKERS.get(name, "x"), color=GREYS[1], markeredgecolor="white", label=name)[0] for name in names]
    key += additive.plot([], [], color=GREYS[1], label="formula")
    additive.legend(handles=key, frameon=False, fontsize=8, loc="lower right")
    key = [multiplicative.plot([], [], color=c, label=f"from w = {w:g}")[0] for w, c in zip(result["weights"], GREYS, strict=True)]
    multiplicative.legend(handles=key, frameon=False, fontsize=8, loc="lower right")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

"""How people recall lists freely: serial position, first recall and lag-CRP of two public data sets, as models are measured.

    python sims/papers/free_recall_people.py --data DIR --figure docs/free_recall_people.png

DIR holds `free_recall/Murdock1962.csv` (lists of 20, 30 and 40 words) and `MurdockOkada1970.csv` (of 20): Murdock (1962), and Murdock and
Okada (1970), a row for each studied item. Curves are means of subjects (Kahana 1996; the conventions of psifr, Morton 2020).
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem.engrams import RecallCurve, first_recall, lag_crp, serial_position
from spikemem.plots.style import SERIES, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of public data")
parser.add_argument("--figure", type=Path, help="where to draw the picture")

SETS = {"Murdock1962-20": 20, "Murdock1962-30": 30, "Murdock1962-40": 40, "MurdockOkada1970-20": 20}
"""Length of the lists, by the name of a set."""
CURVES = {"spc": serial_position, "pfr": first_recall, "crp": lag_crp}
LABELS = {"spc": ("serial position", "share recalled"), "pfr": ("serial position", "share of first recalls"), "crp": ("lag", "CRP")}
LAG = 5  # the largest that is drawn


def lists(path: Path, length: int) -> tuple[NDArray[np.int64], list[str]]:
    """The recalls of the lists of a length, [list, output], as `spikemem.engrams` takes them, and whose each list is."""
    recalled = defaultdict[tuple[str, str], list[tuple[float, int]]](list)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if int(row.get("list length", length)) == length:
                own = recalled[row["subject"], row["list"]]
                if row["output"]:
                    own.append((float(row["output"]), -1 if row["intrusion"] == "True" else int(float(row["input"]))))
    made = np.zeros((len(recalled), max(map(len, recalled.values()))), np.int64)
    for line, own in zip(made, recalled.values(), strict=True):
        line[: len(own)] = [item for _, item in sorted(own)]
    return made, [subject for subject, _ in recalled]


def curves(folder: Path, name: str) -> dict[str, RecallCurve]:
    """The three curves of a set, by their short names."""
    recalls, subjects = lists(folder / f"{name.partition('-')[0]}.csv", SETS[name])
    return {short: curve(recalls, SETS[name], subjects) for short, curve in CURVES.items()}


def draw(found: dict[str, dict[str, RecallCurve]]) -> Figure:
    """A panel for each curve, a line for each set."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, short in zip(figure.subplots(1, 3), CURVES, strict=True):
        for (name, of), colour, mark in zip(found.items(), SERIES, "osD^", strict=False):
            curve = of[short]
            shown = np.abs(curve.x) <= LAG if short == "crp" else np.ones(len(curve.x), bool)
            axes.errorbar(
                curve.x[shown], curve.mean[shown], curve.sem[shown], color=colour, marker=mark, markersize=3.5, linewidth=1.2, label=name
            )
        axes.set_xlabel(LABELS[short][0], fontsize=8)
        axes.set_ylabel(LABELS[short][1], fontsize=8)
        axes.set_ylim(0, None)
        tidy(axes)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=4, fontsize=8, frameon=False)
    return figure


def main(args: argparse.Namespace) -> None:
    """Measure, print, draw."""
    found = {name: curves(args.data / "free_recall", name) for name in SETS}
    for name, of in found.items():
        crp = dict(zip(of["crp"].x.tolist(), of["crp"].mean, strict=True))
        print(f"{name}: {of['spc'].mean.sum():.2f} recalled; first {of['spc'].mean[0]:.3f}, last {of['spc'].mean[-1]:.3f}; ", end="")
        print(f"begun with the last {of['pfr'].mean[-1]:.3f}; CRP +1 {crp[1]:.3f}, -1 {crp[-1]:.3f}")
    if args.figure is not None:
        draw(found).savefig(args.figure, dpi=120)


if __name__ == "__main__":
    main(parser.parse_args())

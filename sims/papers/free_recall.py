"""Free recall in spikes, beside people: serial position, first recall, lag-CRP and inter-response times of lists of 20, 30 and 40 words.

    python sims/papers/free_recall.py --data DIR --figure docs/free_recall.png

Each list is studied and recalled in a simulation of `spikemem.hippocampus.FreeRecall`. Six of its numbers were fitted to Murdock's
(1962) lists of 20 words and the times of Murdock and Okada (1970); lists of 30 and 40 words are held out. DIR holds, in `free_recall`,
`Murdock1962.csv` and `human_irt_murdock_okada.csv`. Where a recall starts is no result: with a share of FIRST at the first word, else at
one of the last WINDOW. CMR is that of Polyn, Norman and Kahana (2009), eleven parameters for each of 15 subjects (docs/papers.md).
"""

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.progress import track

from sims.papers.free_recall_people import CURVES, LABELS, LAG, curves
from spikemem.engrams import RecallCurve, response_times
from spikemem.hippocampus import FreelyRecalled, FreeRecall
from spikemem.plots.engrams import MARKS
from spikemem.plots.style import colour, tidy

LENGTHS = (20, 30, 40)
WINDOW, FIRST = 4.4, 0.08
"""Where recall starts, of people's first recalls of 20 words."""
CMR = {"spc": 0.079, "pfr": 0.049, "crp": 0.028}
"""Its RMSEs at 20 words."""
PARTS = ("novelty", "tag", "rest", "patience", "context", "report")
TIMED = range(4, 10)
"""Numbers recalled whose times are compared, as each has hundreds of people's lists."""
TOGETHER = 20
"""Lists in one simulation."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder of public data")
parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS, choices=LENGTHS)
parser.add_argument("--lists", type=int, nargs="+", default=[900, 400, 260], help="of each length, rounded up to twenties")
parser.add_argument("--silence", nargs="+", default=(), choices=PARTS, help="populations that never fire")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--json", action="store_true", help="print everything as JSON")
parser.add_argument("--figure", type=Path, help="where to draw the picture")


class Times(NamedTuple):
    """Inter-response times of the model and of people, s, by number recalled and output position, [pair]; first recalls are left out."""

    model: NDArray[np.float64]
    people: NDArray[np.float64]
    number: NDArray[np.int64]

    @property
    def r(self) -> float:
        """Correlation of their logarithms."""
        return float(np.corrcoef(np.log(self.model), np.log(self.people))[0, 1])

    @property
    def exponent(self) -> float:
        """p of people ~ model^p."""
        return float(np.polyfit(np.log(self.model), np.log(self.people), 1)[0])

    @property
    def ratio(self) -> float:
        """People's time over the model's, geometric mean."""
        return float(np.exp(np.log(self.people / self.model).mean()))


def recall(circuit: FreeRecall, length: int, lists: int, seed: int, silenced: tuple[str, ...] = ()) -> FreelyRecalled:
    """Lists of a length, studied and recalled."""
    made = []
    for part in track(range(-(-lists // TOGETHER)), f"{length} words", transient=True):
        rng = np.random.default_rng([seed, length, part])
        back = length - 1 - (WINDOW * rng.random(TOGETHER)).astype(int)
        starts = np.where(rng.random(TOGETHER) < FIRST, 0, back)
        noise = int(rng.integers(2**31))
        made.append(circuit.run(length, starts, noise, silenced=silenced))
    width = max(part.items.shape[1] for part in made)
    return FreelyRecalled(*(np.concatenate([padded(of, width) for of in parts]) for parts in zip(*made, strict=True)))


def padded(of: NDArray, width: int) -> NDArray:
    """Places or times of recalls in a wider array, with the sign of nothing behind them."""
    return np.pad(of, ((0, 0), (0, width - of.shape[1])), constant_values=-1 if of.dtype.kind == "i" else np.nan)


def beside(recalled: FreelyRecalled, folder: Path) -> Times | None:
    """The times between recalls beside people's; None where the model has too few."""
    found, pairs = response_times(recalled.times / 1000), []
    with (folder / "free_recall/human_irt_murdock_okada.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            n, output = int(row["n_recalled"]), int(row["output_position"])
            if n in TIMED and output > 1 and n < len(found.lists) and found.lists[n] >= 5:
                pairs.append((found.mean[n, output - 1], float(row["mean_irt_s"]), n))
    return None if len(pairs) < 10 else Times(*map(np.array, zip(*pairs, strict=True)))


def rmse(model: RecallCurve, people: RecallCurve, most: int | None = None) -> float:
    """Root mean square difference of two curves.   most: the largest lag."""
    there = np.ones(len(people.x), bool) if most is None else np.abs(people.x) <= most
    apart = (model.mean - people.mean)[there]
    defined = apart[~np.isnan(apart)]
    return float(np.sqrt((defined**2).mean())) if len(defined) else float("nan")


def measured(recalled: FreelyRecalled, length: int, folder: Path) -> tuple[dict, dict[str, dict[str, RecallCurve]]]:
    """The figures of some lists, and the curves of people and of the model."""
    people = curves(folder / "free_recall", f"Murdock1962-{length}")
    spikes = {short: curve(recalled.items + 1, length) for short, curve in CURVES.items()}
    error = {short: rmse(spikes[short], people[short], LAG if short == "crp" else None) for short in CURVES}
    number = (recalled.items >= 0).sum(1)
    found = {**error, "sum": sum(error.values()), "recalled": float(number.mean()), "sd": float(number.std()), "lists": len(number)}
    times = beside(recalled, folder) if length == LENGTHS[0] else None
    if times is not None:
        found |= {"irt_r": times.r, "irt_exponent": times.exponent, "irt_ratio": times.ratio}
    return {**found, "people_recalled": float(people["spc"].mean.sum())}, {"people": people, "spikes": spikes}


def draw(named: dict[int, dict[str, dict[str, RecallCurve]]], times: Times | None) -> Figure:
    """A row for each length, a panel for each curve, and in the first row the times."""
    figure = Figure(figsize=(12, 2.6 * len(named)), layout="constrained")
    panels = figure.subplots(len(named), 4, squeeze=False)
    for row, (length, of) in zip(panels, named.items(), strict=True):
        for axes, short in zip(row, CURVES, strict=False):
            for place, (name, by) in enumerate(of.items()):
                shown = np.abs(by[short].x) <= LAG if short == "crp" else np.ones(len(by[short].x), bool)
                x, y, style = by[short].x[shown], by[short].mean[shown], {"color": colour(place), "marker": MARKS[place]}
                axes.plot(x, y, markersize=3.5, linewidth=1.2, label=name, **style)
            axes.set_xlabel(LABELS[short][0], fontsize=8)
            axes.set_ylabel(LABELS[short][1], fontsize=8)
            axes.set_ylim(0, None)
            tidy(axes)
        row[0].set_title(f"{length} words", fontsize=9, loc="left")
        row[3].set_axis_off()
    if times is not None:
        _draw_times(panels[0, 3], times)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2, fontsize=8, frameon=False)
    return figure


def _draw_times(axes: Axes, times: Times) -> None:
    """People's inter-response times by the model's, a mark for each output position, a colour for each number recalled."""
    axes.set_axis_on()
    for place, n in enumerate(np.unique(times.number)):
        own, mark = times.number == n, MARKS[place % len(MARKS)]
        axes.loglog(times.model[own], times.people[own], mark, color=colour(place), markersize=4, label=f"{n} recalled")
    ends = [min(times.model.min(), times.people.min()), max(times.model.max(), times.people.max())]
    axes.plot(ends, ends, color="0.6", linewidth=1)
    axes.set_xlabel("time between recalls, spikes, s", fontsize=8)
    axes.set_ylabel("people, s", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    tidy(axes)


def told(name: str, row: dict) -> None:
    """Print a row of figures."""
    figures = (f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items())
    print(name, "  ".join(figures), flush=True)


def main(args: argparse.Namespace) -> None:
    """Simulate, measure, print, draw."""
    circuit, found, named, times = FreeRecall(), {}, {}, None
    if not (args.data / "free_recall").is_dir():
        raise SystemExit(f"there is no {args.data / 'free_recall'}; give the folder of the data sets by --data")
    for length, lists in zip(args.lengths, itertools.chain(args.lists, itertools.repeat(args.lists[-1])), strict=False):
        recalled = recall(circuit, length, lists, args.seed, tuple(args.silence))
        found[f"L{length}"], named[length] = measured(recalled, length, args.data)
        times = beside(recalled, args.data) if length == LENGTHS[0] else times
        if not args.json:
            told(f"L{length}", found[f"L{length}"])
    found["CMR, L20"] = {**CMR, "sum": sum(CMR.values())}
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        told("CMR, L20", found["CMR, L20"])
    if args.figure is not None:
        draw(named, times).savefig(args.figure, dpi=120)


if __name__ == "__main__":
    main(parser.parse_args())

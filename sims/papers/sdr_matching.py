"""How often a dendrite takes one sparse pattern for another, and many patterns at once for its own: theory and spikes.

    python sims/papers/sdr_matching.py
    python sims/papers/sdr_matching.py --figure docs/sdr_matching.png

Ahmad and Hawkins (2016), *How do neurons operate on sparse distributed representations?* Of n cells a fire in a gamma cycle. A dendrite
has s synapses, from cells of its pattern, and fires where theta of these spike together. For a random other pattern

    P(false match) = sum_{b = theta}^{s} C(s, b) C(n - s, a - b) / C(n, a)

and for a union of M patterns, with a(M) = n (1 - (1 - a / n)^M) cells active, the same of a(M). Here dendrites are cells that integrate
spikes until inhibition ends the cycle, one population for each theta; each cycle brings a new random pattern. Prints tables, and writes
results/sdr_matching.json.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem import LIF, CycleReset, Network, Population, simulate
from spikemem.network import Sparse
from spikemem.plots.style import SERIES, legend, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=2048, help="n")
parser.add_argument("--active", type=int, default=40, help="a")
parser.add_argument("--synapses", type=int, default=24, help="s")
parser.add_argument("--dendrites", type=int, default=4096)
parser.add_argument("--patterns", type=int, default=16_000)
parser.add_argument("--thresholds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6, 7])
parser.add_argument("--unions", type=int, nargs="+", default=[2, 5, 10, 20, 40])
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--figure", type=Path, help="where to draw the picture")
parser.add_argument("--out", type=Path, default=Path("results/sdr_matching.json"))

CYCLE = 3
"""Steps of a gamma cycle: pattern, dendrites, rest."""
AT_ONCE = 1000
"""Patterns of one simulation."""


def false_match(n: int, a: float, s: int, theta: int) -> float:
    """The probability that theta or more of s synapses are among a random cells of n; a is rounded.

    >>> f"{false_match(100_000, 2_000, 6, 6):.3e}", f"{false_match(2048, 40, 24, 12):.4e}"
    ('6.353e-11', '1.1773e-15')
    """
    active = round(a)
    ways = sum(math.comb(s, b) * math.comb(n - s, active - b) for b in range(theta, min(s, active) + 1))
    return ways / math.comb(n, active)


def union(n: int, a: int, patterns: int) -> float:
    """How many cells a union of patterns activates, on average."""
    return n * (1 - (1 - a / n) ** patterns)


def matched(args: argparse.Namespace, patterns: NDArray[np.bool_], simulator: str = "event") -> dict[int, int]:
    """How often dendrites fire, by their threshold.   patterns: [pattern, cell], a gamma cycle each."""
    rng, (count, s) = np.random.default_rng([args.seed, 1]), (args.dendrites, args.synapses)
    pre = rng.random((count, args.cells)).argsort(1)[:, :s].ravel()
    wires = Sparse.from_coo(pre, np.repeat(np.arange(count), s), 1.0, (args.cells, count))
    net = Network()
    net.add(Population("cells", args.cells))
    for theta in args.thresholds:
        net.add(Population(f"dendrites {theta}", count, LIF(tau=math.inf, threshold=theta - 0.5, reset=0.0), CycleReset(float(CYCLE))))
        net.connect("cells", f"dendrites {theta}", wires)
    found = dict.fromkeys(args.thresholds, 0)
    for start in range(0, len(patterns), AT_ONCE):
        part = patterns[start : start + AT_ONCE]
        raster = np.zeros((len(part), CYCLE, args.cells), bool)
        raster[:, 0] = part
        spikes = simulate(net, {"cells": raster.reshape(-1, args.cells)}, CYCLE * len(part), simulator=simulator)
        for theta in args.thresholds:
            found[theta] += len(spikes[f"dendrites {theta}"].step)
    return found


def drawn(args: argparse.Namespace, patterns: int, of: int = 1) -> NDArray[np.bool_]:
    """Random patterns, or unions of so many each, [pattern, cell]."""
    made, rng = np.zeros((patterns, args.cells), bool), np.random.default_rng([args.seed, of])
    for row in made:
        for _ in range(of):
            row[rng.choice(args.cells, args.active, replace=False)] = True
    return made


def draw(rows: list[dict[str, float]], unions: list[dict[str, float]]) -> Figure:
    """False matches by threshold, and by the size of a union."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, found, x, label in ((left, rows, "theta", "threshold"), (right, unions, "patterns", "patterns in the union")):
        axes.semilogy([row[x] for row in found], [row["theory"] for row in found], "-", color=SERIES[1], label="theory")
        axes.semilogy([row[x] for row in found], [row["spikes"] for row in found], "o", color=SERIES[0], markersize=5, label="spikes")
        axes.set_xlabel(label, fontsize=8)
        axes.set_ylabel("P(false match)", fontsize=8)
        tidy(axes)
        legend(axes, 2)
    return figure


def main() -> None:
    args = parser.parse_args()
    tries, found = args.dendrites * args.patterns, matched(args, drawn(args, args.patterns))
    rows = [
        {"theta": theta, "theory": false_match(args.cells, args.active, args.synapses, theta), "spikes": count / tries, "matches": count}
        for theta, count in found.items()
    ]
    alone = argparse.Namespace(**{**vars(args), "thresholds": [args.thresholds[-1]]})
    few, unions = args.patterns // 20, []
    for of in args.unions:
        rate = matched(alone, drawn(args, few, of))[alone.thresholds[0]] / args.dendrites / few
        theory = false_match(args.cells, union(args.cells, args.active, of), args.synapses, alone.thresholds[0])
        unions.append({"patterns": of, "theory": theory, "spikes": rate})
    for row in (*rows, *unions):
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
    if args.figure is not None:
        draw(rows, unions).savefig(args.figure, dpi=120)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"rows": rows, "unions": unions}, indent=1))


if __name__ == "__main__":
    main()

"""Sequences with context: at a fork what came before decides, and where it cannot, all endings are predicted at once.

    python sims/papers/sequences_in_context.py
    python sims/papers/sequences_in_context.py --figure docs/sequences_in_context.png

Cui, Ahmad and Hawkins (2016), *Continuous online sequence learning with an unsupervised neural network model*, and, in spikes, Bouhadjar
et al. (2022), *Sequence learning, prediction, and replay in networks of spiking neurons*. A symbol is `--winners` granule cells of DG, and
each granule cell drives a column of several CA3 cells. A cell of CA3 has dendrites; one fires where `--threshold` of its synapses, from
cells that fired in one gamma cycle, spike together, and lets its cell be first in the next cycle. The first cells of a column excite its
basket cell, which keeps the others silent. So a symbol fires other cells in each context; where nothing was predicted the whole column
fires, and with it every context that it has occurred in.

While a sequence is stored, once, an unpredicted column fires the one cell that has been in the fewest engrams, and the synapses from the
cells of the symbol before set their bit (`Coincidence`): novelty makes new cells, and no repetition is needed. The sets are pairs with a
shared middle, such as ABCDEF and GBCDEH, of which the first symbol decides the last, and sequences alike up to their last symbol, of which
there are two or four. Right is where exactly the right symbols are predicted. Prints a table, and writes results/sequences_in_context.json.
"""

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem import LIF, CycleReset, Network, Population, Recording, simulate
from spikemem.network import Coincidence, Dense, Sparse
from spikemem.plots.style import INK, SERIES, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--columns", type=int, default=2048, help="granule cells of DG")
parser.add_argument("--cells", type=int, default=8, help="CA3 cells of each")
parser.add_argument("--winners", type=int, default=64, help="granule cells of a symbol")
parser.add_argument("--threshold", type=int, default=26, help="spikes that a dendrite needs")
parser.add_argument("--symbols", type=int, default=40)
parser.add_argument("--pairs", type=int, default=10, help="pairs with a shared middle")
parser.add_argument("--length", type=int, default=6)
parser.add_argument("--lost", type=float, nargs="+", default=[0.0, 0.2, 0.4, 0.5, 0.6], help="shares of CA3's cells")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--figure", type=Path, help="where to draw the picture")
parser.add_argument("--out", type=Path, default=Path("results/sequences_in_context.json"))

CYCLE, ONSET, BACK = 25, 8, 18
"""ms: a gamma cycle, when DG drives CA3 in it, and how long a dendrite's spike needs to its plateau, which falls into the next cycle."""
DRIVE, PLATEAU, HOLD = 0.3, 0.8, -10.0
"""What DG adds to V in a step, what a plateau and what a basket cell adds; a cell fires above 1."""
DRIVEN = 5
"""Steps for which DG drives."""
KNOWN = 1 / 3
"""The share of a symbol's columns that must be predicted."""
Symbols = tuple[int, ...]


@dataclass(frozen=True)
class Task:
    """Sequences to store, and, for cues that are their beginnings, the symbols that may come next."""

    name: str
    sequences: list[Symbols]
    cues: dict[Symbols, frozenset[int]]


@dataclass(frozen=True, eq=False)
class Learned:
    """Dendrites.   cells: of which CA3 cell each is one, [dendrite].   sources: its synapses, [dendrite, winner].   size: cells of CA3."""

    cells: NDArray[np.int64]
    sources: NDArray[np.int64]
    size: int


def codes(args: argparse.Namespace) -> NDArray[np.int64]:
    """The granule cells of each symbol, [symbol, winner]."""
    return np.random.default_rng(args.seed).random((args.symbols, args.columns)).argsort(1)[:, : args.winners]


def shared_middles(args: argparse.Namespace) -> Task:
    """Pairs of sequences with one middle; their first and last symbols differ."""
    rng, sequences, cues = np.random.default_rng([args.seed, 1]), list[Symbols](), dict[Symbols, frozenset[int]]()
    while len(sequences) < 2 * args.pairs:
        a, b, c, d, *middle = rng.permutation(args.symbols)[: args.length + 2].tolist()
        for first, last in ((a, b), (c, d)):
            sequences.append((first, *middle, last))
            cues[first, *middle] = frozenset([last])
    return Task("shared middles", sequences, cues)


def endings(args: argparse.Namespace, count: int) -> Task:
    """Sequences that are alike up to the last symbol."""
    rng, sequences, cues = np.random.default_rng([args.seed, count]), list[Symbols](), dict[Symbols, frozenset[int]]()
    for _ in range(args.pairs):
        drawn = rng.permutation(args.symbols)[: args.length - 1 + count].tolist()
        begin, lasts = drawn[: args.length - 1], drawn[args.length - 1 :]
        sequences += [(*begin, last) for last in lasts]
        cues[tuple(begin)] = frozenset(lasts)
    return Task(f"{count} endings", sequences, cues)


def stored(args: argparse.Namespace, sequences: list[Symbols]) -> Learned:
    """What one presentation of each sequence leaves: a new dendrite for each cell that fires, unpredicted, after others.

    In each column of a symbol the cells that were predicted fire; where none was, the one wins that has been in the fewest engrams. Of the
    first symbol, which comes after silence, whole columns fire.
    """
    rng, code, used = np.random.default_rng([args.seed, 2]), codes(args), np.zeros((args.columns, args.cells))
    cells, sources = [np.zeros(0, np.int64)], [np.zeros((0, args.winners), np.int64)]
    for sequence in sequences:
        active = before = np.zeros(0, np.int64)
        for place, symbol in enumerate(sequence):
            rows, winners = code[symbol], np.zeros(args.columns, np.int64)
            known = depolarised(args, Learned(np.concatenate(cells), np.concatenate(sources), used.size), active)
            known = known[np.isin(known // args.cells, rows)]
            new = np.setdiff1d(rows, known // args.cells)
            least = (used[new] + rng.random((len(new), args.cells)) / 2).argmin(1)
            used[new, least] += 1
            winners[known // args.cells], winners[new] = known, new * args.cells + least
            if place:
                cells.append(winners[new])
                sources.append(np.tile(before, (len(new), 1)))
            whole = (rows[:, None] * args.cells + np.arange(args.cells)).ravel()
            active, before = np.append(known, winners[new]) if place else whole, winners[rows]
    return Learned(np.concatenate(cells), np.concatenate(sources), used.size)


def depolarised(args: argparse.Namespace, learned: Learned, active: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cells that have a dendrite which fires, in ascending order."""
    fired = np.zeros(learned.size, bool)
    fired[active] = True
    return np.unique(learned.cells[fired[learned.sources].sum(1) >= args.threshold])


def taught(args: argparse.Namespace, learned: Learned, simulator: str = "event") -> NDArray[np.bool_]:
    """The synapses that Hebb's rule sets in spikes, [CA3 cell, dendrite]: cells fire, and a cycle later the dendrites of the next ones."""
    moments, moment = np.unique(learned.sources, axis=0, return_inverse=True)
    net, steps = Network(), (len(moments) * 3) * CYCLE
    spikes = {"ca3": np.zeros((steps, learned.size), bool), "dendrite": np.zeros((steps, len(learned.cells)), bool)}
    for name, raster in spikes.items():
        net.add(Population(name, raster.shape[1]))
    rule = Coincidence(window=float(CYCLE))
    net.connect("ca3", "dendrite", Dense(np.zeros((learned.size, len(learned.cells)))), plasticity=rule)
    for n, sources in enumerate(moments):
        spikes["ca3"][3 * n * CYCLE, sources] = True
        spikes["dendrite"][(3 * n + 1) * CYCLE, moment == n] = True
    return simulate(net, spikes, steps, simulator=simulator).weights["ca3->dendrite"][0] > 0.5


def network(args: argparse.Namespace, learned: Learned) -> Network:
    """CA3 with its columns, dendrites and plateaus."""
    net, perfect, n, dendrites = Network(), LIF(tau=math.inf), learned.size, len(learned.cells)
    once = LIF(tau=math.inf, threshold=0.5, reset=0.0, refractory=float(CYCLE - 5))
    rest, every = CycleReset(float(CYCLE)), np.arange(n)
    net.add(Population("ca3", n, perfect, rest))
    net.add(Population("basket", args.columns, once, rest))
    net.add(Population("dendrite", dendrites, LIF(tau=math.inf, threshold=args.threshold - 0.5, reset=0.0), rest))
    net.add(Population("plateau", n, once, rest))
    net.connect("ca3", "basket", Sparse.from_coo(every, every // args.cells, 1.0, (n, args.columns)))
    net.connect("basket", "ca3", Sparse.from_coo(every // args.cells, every, HOLD, (args.columns, n)))
    sources, own = learned.sources.ravel(), np.repeat(np.arange(dendrites), args.winners)
    net.connect("ca3", "dendrite", Sparse.from_coo(sources, own, 1.0, (n, dendrites)))
    net.connect("dendrite", "plateau", Sparse.from_coo(np.arange(dendrites), learned.cells, 1.0, (dendrites, n)), delay=float(BACK))
    net.connect("plateau", "ca3", Sparse.from_coo(every, every, PLATEAU, (n, n)))
    return net


def heard(args: argparse.Namespace, cues: list[Symbols], lost: NDArray[np.int64]) -> NDArray[np.float64]:
    """The current into CA3 while sequences of one length are heard, and for a cycle more, [time, cue, cell].   lost: dead cells."""
    code, length = codes(args), len(cues[0])
    current = np.zeros(((length + 1) * CYCLE, len(cues), args.columns, args.cells))
    for i, cue in enumerate(cues):
        for c, symbol in enumerate(cue):
            current[c * CYCLE + ONSET : c * CYCLE + ONSET + DRIVEN, i, code[symbol]] = DRIVE
    current = current.reshape(len(current), len(cues), -1)
    current[:, :, lost] = HOLD
    return current


def predicted(args: argparse.Namespace, recording: Recording, cycle: int) -> list[frozenset[int]]:
    """The symbols that the plateaus of a cycle tell, for each cue."""
    spikes, found, code = recording["plateau"], np.zeros((recording.batches, args.columns), bool), codes(args)
    here = spikes.step // CYCLE == cycle
    found[spikes.batch[here], spikes.cell[here] // args.cells] = True
    return [frozenset(np.flatnonzero(row[code].mean(1) >= KNOWN).tolist()) for row in found]


def recalled(
    args: argparse.Namespace, learned: Learned, cues: list[Symbols], lost: NDArray[np.int64], simulator: str = "event"
) -> tuple[list[frozenset[int]], Recording]:
    """What is predicted after cues of one length, and all spikes."""
    recording = simulate(network(args, learned), {"ca3": heard(args, cues, lost)}, (len(cues[0]) + 1) * CYCLE, simulator=simulator)
    return predicted(args, recording, len(cues[0])), recording


def accuracy(args: argparse.Namespace, task: Task, lost: float = 0.0) -> float:
    """The share of cues after which exactly the right symbols are predicted.   lost: the share of CA3's cells that are dead."""
    learned = stored(args, task.sequences)
    dead = np.random.default_rng([args.seed, 3]).permutation(learned.size)[: round(lost * learned.size)]
    # a dead cell has no plateau either: its dendrites are its own
    alive = ~np.isin(learned.cells, dead)
    kept = Learned(learned.cells[alive], learned.sources[alive], learned.size)
    found, _ = recalled(args, kept, list(task.cues), dead)
    return float(np.mean([a == b for a, b in zip(found, task.cues.values(), strict=True)]))


def main() -> None:
    args = parser.parse_args()
    tasks = [shared_middles(args), endings(args, 2), endings(args, 4)]
    rows = {task.name: [accuracy(args, task, lost) for lost in args.lost] for task in tasks}
    alone = argparse.Namespace(**{**vars(args), "cells": 1})
    rows["shared middles, one cell a column"] = [accuracy(alone, tasks[0])]
    print(f"{'':36}" + "".join(f"{lost:>7.0%}" for lost in args.lost) + "  of CA3's cells lost")
    for name, shares in rows.items():
        print(f"{name:36}" + "".join(f"{share:>7.2f}" for share in shares))
    if args.figure is not None:
        draw(args, rows).savefig(args.figure, dpi=120)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"lost": args.lost, "rows": rows}, indent=1))


def draw(args: argparse.Namespace, rows: dict[str, list[float]]) -> Figure:
    """CA3's spikes while two sequences with a shared middle are heard, and accuracy by cells lost."""
    task = shared_middles(args)
    learned, pair = stored(args, task.sequences), list(task.cues)[:2]
    found, recording = recalled(args, learned, pair, np.zeros(0, np.int64))
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    spikes, code = recording["ca3"], codes(args)
    for item, colour, mark in ((0, SERIES[0], "|"), (1, SERIES[1], "_")):
        own = spikes.batch == item
        places = {row: n for n, row in enumerate(code[list(dict.fromkeys((*pair[0], *pair[1])))][:, :6].ravel().tolist())}
        column, cell = np.divmod(spikes.cell[own], args.cells)
        here = np.isin(column, list(places))
        row = np.array([places[c] for c in column[here].tolist()]) * args.cells + cell[here]
        name = f"{' '.join(map(str, pair[item]))}: {sorted(found[item])}"
        left.scatter(spikes.step[own][here], row, s=14, marker=mark, color=colour, linewidths=1, label=name)
    left.set_xlabel("ms", fontsize=8)
    left.set_ylabel("cells of CA3, six columns a symbol", fontsize=8)
    left.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(0, 1.14), ncols=2)
    for (name, shares), colour in zip(rows.items(), SERIES, strict=False):
        right.plot(args.lost[: len(shares)], shares, "o-", color=colour, markersize=4, label=name)
    right.axvline(0.4, color=INK, linewidth=0.6)
    right.set_xlabel("share of CA3's cells lost", fontsize=8)
    right.set_ylabel("right", fontsize=8)
    right.set_ylim(-0.03, 1.05)
    right.legend(fontsize=7, frameon=False, loc="lower left")
    for axes in (left, right):
        tidy(axes)
    return figure


if __name__ == "__main__":
    main()

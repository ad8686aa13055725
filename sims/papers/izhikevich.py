"""The thousand cells of Izhikevich (2003), beside the same in native Brian2: random cells that fall into rhythms by themselves.

    python sims/papers/izhikevich.py --peer brian2

800 excitatory cells between regular spiking and chattering, 200 inhibitory ones between fast spiking and low-threshold spiking, all of them
connected to all, and thalamic noise in each millisecond:

    a = .02, b = .2, c = -65 + 15 r^2, d = 8 - 6 r^2                    excitatory, r uniform in [0, 1); weights uniform in [0, .5)
    a = .02 + .08 r, b = .25 - .05 r, c = -65, d = 2                    inhibitory; weights uniform in (-1, 0]
    I = 5 xi and 2 xi                                                   xi of the standard normal distribution

The step is that of the paper's own program, which was read again in copies of it: a spike is reset, and reaches the others, in the step
after it; v makes two half steps, u one. Prints rates and the share of power at 8 to 12 and 30 to 50 Hz in the summed spikes, where the
paper's figure 3 shows alpha and gamma rhythms, and whether all spikes agree; writes results/izhikevich.json with the spikes.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from spikemem import Izhikevich, Network, Population, White, simulate
from spikemem.network import Dense

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=1000, help="a fifth of them are inhibitory")
parser.add_argument("--ms", type=int, default=1000, help="steps of 1 ms")
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
parser.add_argument("--peer", choices=["none", "brian2"], default="none", help="run the same in native Brian2, too")
parser.add_argument("--out", type=Path, default=Path("results"), help="the folder for izhikevich.json")

GRID = 2.0**-20
"""Weights are multiples of it: their sums do not depend on the order, which differs between simulators."""


class Half(NamedTuple):
    """The excitatory or the inhibitory cells.   a, b, c, d: [cell].   weights: onto all cells, [cell, all].   sigma: of the noise."""

    name: str
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]
    d: NDArray[np.float64]
    weights: NDArray[np.float64]
    sigma: float


def halves(cells: int, seed: int) -> tuple[Half, Half]:
    """The cells and weights of a seed; weights are scaled to the published number of cells, and rounded so that sums of them are exact."""
    rng, inhibitory = np.random.default_rng(seed), cells // 5
    r, q, ones, scale = rng.random(cells - inhibitory), rng.random(inhibitory), np.ones(cells - inhibitory), 1000.0 / cells
    excites, inhibits = (np.round(w * scale / GRID) * GRID for w in (0.5 * rng.random((len(r), cells)), -rng.random((len(q), cells))))
    return (
        Half("excitatory", 0.02 * ones, 0.2 * ones, -65 + 15 * r**2, 8 - 6 * r**2, excites, 5.0),
        Half("inhibitory", 0.02 + 0.08 * q, 0.25 - 0.05 * q, np.full(len(q), -65.0), np.full(len(q), 2.0), inhibits, 2.0),
    )


def network(parts: tuple[Half, Half], seed: int) -> Network:
    """The network: two populations, and a projection from each to each."""
    net, start = Network(1.0), 0
    for part in parts:
        net.add(Population(part.name, len(part.a), Izhikevich(part.a, part.b, part.c, part.d), noise=White(part.sigma, seed)))
    for post in parts:
        here = slice(start, start + len(post.a))
        for pre in parts:
            net.connect(pre.name, post.name, Dense(pre.weights[:, here]))
        start += len(post.a)
    return net


def native(parts: tuple[Half, Half], noise: NDArray[np.float64]) -> NDArray[np.int64]:
    """The same in Brian2's own language: its spikes, [spike, (step, cell)].   noise: [time, cell]."""
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    b2.prefs.codegen.loop_invariant_optimisations = False  # which sort the terms of a sum anew, and round otherwise
    b2.start_scope()
    clock, weights = 1.0 * b2.ms, np.concatenate([part.weights for part in parts])
    steps, cells = noise.shape
    thalamus = b2.TimedArray(noise, dt=clock)
    group = b2.NeuronGroup(
        cells, "v : 1\nu : 1\ncome : 1\na : 1\nb : 1\nc : 1\nd : 1", threshold="v >= 30", reset="v = c; u += d", dt=clock,
        namespace={"thalamus": thalamus},
    )  # fmt: skip
    half = "v += .5 * (.04 * v**2 + 5 * v + 140 - u + (come + thalamus(t, i)))"
    group.run_regularly(f"{half}\n{half}\nu += a * (b * v - u)\ncome = 0", dt=clock, when="groups")
    for name in "abcd":
        setattr(group, name, np.concatenate([getattr(part, name) for part in parts]))
    group.v = -65
    group.u = "b * v"
    synapses = b2.Synapses(group, group, "w : 1", on_pre="come_post += w", dt=clock)
    synapses.connect()
    synapses.w = weights.ravel()
    monitor = b2.SpikeMonitor(group)
    b2.Network(group, synapses, monitor).run(steps * clock)
    return np.stack([np.rint(np.asarray(monitor.t / clock)).astype(np.int64), np.asarray(monitor.i)], axis=1)


def power(spikes: NDArray[np.int64], steps: int, low: float, high: float) -> float:
    """The share of the power of the summed spikes, the mean left out, between two frequencies, Hz, up to 100 Hz."""
    counts = np.bincount(spikes[:, 0], minlength=steps).astype(float)
    spectrum, frequency = np.abs(np.fft.rfft(counts - counts.mean())) ** 2, np.fft.rfftfreq(steps, 0.001)
    within = frequency <= 100.0
    return float(spectrum[(frequency >= low) & (frequency <= high)].sum() / spectrum[within].sum())


def run(cells: int, steps: int, seed: int, peer: str) -> tuple[dict[str, object], NDArray[np.int64]]:
    """One seed: a row of the table, and the spikes, [spike, (step, cell)]."""
    parts = halves(cells, seed)
    net = network(parts, seed)
    recording = simulate(net, {}, steps)
    first, rows = len(parts[0].a), []
    for part, shift in zip(parts, (0, first), strict=True):
        rows.append(np.stack([recording[part.name].step, recording[part.name].cell + shift], axis=1))
    spikes = np.concatenate(rows).astype(np.int64)
    spikes = spikes[np.lexsort((spikes[:, 1], spikes[:, 0]))]
    rate = {part.name: 1000.0 * len(recording[part.name]) / len(part.a) / steps for part in parts}
    row: dict[str, object] = {"seed": seed, **rate, "8-12 Hz": power(spikes, steps, 8, 12), "30-50 Hz": power(spikes, steps, 30, 50)}
    if peer == "brian2":
        drawn = [White(part.sigma, seed).drawn(part.name, steps, len(part.a), 1.0) for part in parts]
        theirs = native(parts, np.concatenate(drawn, axis=1))
        row["same as Brian2"] = np.array_equal(spikes, theirs[np.lexsort((theirs[:, 1], theirs[:, 0]))])
    return row, spikes


def main() -> None:
    args = parser.parse_args()
    table, rows, kept = Table(title=f"{args.cells:,} cells, {args.ms} ms"), [], []
    for seed in args.seeds:
        row, spikes = run(args.cells, args.ms, seed, args.peer)
        rows.append(row)
        kept.append(spikes.tolist())
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)
    args.out.mkdir(parents=True, exist_ok=True)
    written = {"cells": args.cells, "ms": args.ms, "rows": rows, "spikes": kept}
    (args.out / "izhikevich.json").write_text(json.dumps(written))


if __name__ == "__main__":
    main()

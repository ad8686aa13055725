"""The figures of the page on engram analysis that are of the model, and of mice.

    python analysis/memory/engram_analysis.py --out docs/engram_analysis --data DIR

Vectors are random, of `hippocampus-engram-small` and, where DG's codes are the engrams, `hippocampus-small`, seed 0. With `--data`, also
the discrimination index of Tome et al. (2024) from DIR/engrams (means and standard errors of the public data).
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem import Hippocampus, load_model, plots
from spikemem.engrams import (
    Selectivity,
    allocation,
    completion_curve,
    drift,
    engram_cells,
    linking,
    memory_graph,
    overlap,
    rdm,
    reactivation,
    rsa,
    separation_curve,
    variants,
)  # fmt: skip

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out", type=Path, default=Path("results/engram_analysis"), help="the folder of the pictures")
parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of public data")
parser.add_argument("--seed", type=int, default=0)

STORED, CUES = 200, 16
COSINES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.3)
ATTEMPT = 100.0, 125.0  # ms, the last gamma cycle of the first attempt
SESSIONS = 5  # sleeps of the drift


def vectors(seed: int, n: int = STORED) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(n, 384))


def clustered(seed: int, groups: int = 4, each: int = 6) -> NDArray[np.float64]:
    """Vectors of some themes, at a cosine of .8 to the theme's own."""
    return variants(np.repeat(vectors(seed, groups), each, axis=0), 0.8, seed)


def curves(seed: int) -> dict[str, Figure]:
    """Separation in the index model, completion in the engram model."""
    x, figures = vectors(seed), {}
    index, engram = Hippocampus(load_model("hippocampus-small")), Hippocampus(load_model("hippocampus-engram-small").at_once())
    index.store(x)
    separation = separation_curve(index, x[:CUES], COSINES, ["ec", "dg", "ca3", "ca1"])
    engram.store(x)
    completion = completion_curve(engram, x[:CUES], engram.engrams(range(CUES)), COSINES)
    for name, found in (("separation_curve", separation), ("completion_curve", completion)):
        figures[name] = getattr(plots, name)(found)
        print(name, *(f"{c:g}: {' '.join(f'{v:.2f}' for v in row)};" for c, row in zip(found.cosine, found.mean.T, strict=True)))
    return figures | recalled(engram, x, seed)


def recalled(memory: Hippocampus, x: NDArray[np.float64], seed: int) -> dict[str, Figure]:
    """Cells of CA3 that an attempt tags, and how many of them fire again for the same memory's cue, another's, and one of no memory."""
    cues = {
        "own cue,\ncosine .7": variants(x[:CUES], 0.7, seed),
        "another\nmemory": x[CUES : 2 * CUES],
        "no\nmemory": vectors(seed + 1, CUES),
    }
    tagged = engram_cells(memory.simulate_recall(x[:CUES]).trains("ca3", *ATTEMPT), "rate", 1.0)
    active = {name: engram_cells(memory.simulate_recall(cue).trains("ca3", *ATTEMPT), "rate", 1.0) for name, cue in cues.items()}
    found = {name: reactivation(cells, tagged) for name, cells in active.items()}
    for name, one in found.items():
        print(
            f"reactivation, {' '.join(name.split())}: {100 * one.of_tagged.mean():.1f} % of tagged, chance {100 * one.chance.mean():.2f} %"
        )
    return {"reactivation": plots.reactivation(found), "engram_cells": plots.engram_cells(tagged[:6], [f"cue {i}" for i in range(6)])}


def sets(seed: int) -> dict[str, Figure]:
    """Overlap, linking and allocation of the index model's engrams, and how they drift from sleep to sleep."""
    memory, x = Hippocampus(load_model("hippocampus-small")), vectors(seed, SESSIONS * STORED)
    memory.store(x[:STORED])
    ids, cells = np.arange(STORED), memory.spec.dg.cells
    shared = overlap(memory.engrams(ids), cells=cells)
    linked = linking(memory.engrams(ids), ids.astype(float), [0, 2, 10, 50, 200], cells, shuffles=200)
    used = np.bincount(memory.engrams(ids[: STORED // 2]).ravel(), minlength=cells).astype(float)
    allocated = allocation(memory.engrams(ids[STORED // 2 :]), used, 6, cells, shuffles=200)
    first = [memory.engrams(ids[:40])]
    for s in range(1, SESSIONS):
        memory.store(x[s * STORED : (s + 1) * STORED])
        memory.consolidate()
        first.append(memory.engrams(ids[:40]))
    made = np.zeros((SESSIONS, 40, cells), bool)
    for of, own in zip(made, first, strict=True):
        np.put_along_axis(of, own.astype(np.int64), True, axis=1)
    drifted = drift(made, np.arange(SESSIONS))
    off = ~np.eye(STORED, dtype=bool)
    unlikely = (shared.p[off] < 0.05).mean()
    print(f"overlap: {shared.shared[off].mean():.2f} cells, expected {shared.expected[off].mean():.2f}, p < .05: {unlikely:.3f}")
    print("linking:", *(f"{o:.4f} (95 % {a:.4f} to {b:.4f})" for o, a, b in zip(linked.overlap, linked.low, linked.high, strict=True)))
    print("allocation:", *(f"{e:.2g}: {r:.2f}" for e, r in zip(allocated.excitability, allocated.ratio, strict=True)))
    print("drift, kept:", *(f"{k:.3f}" for k in drifted.kept), f"half-life {drifted.half_life:.3g} sleeps")
    return {
        "overlap": plots.overlap(shared), "linking": plots.linking(linked, "memories"), "allocation": plots.allocation(allocated),
        "drift": plots.drift(drifted, "sleeps"),
    }  # fmt: skip


def themes(seed: int) -> dict[str, Figure]:
    """Dissimilarity of what is stored and of its engrams, and which memories come together."""
    memory, x = Hippocampus(load_model("hippocampus-small")), clustered(seed)
    memory.store(x)
    patterns = np.zeros((len(x), memory.spec.dg.cells))
    np.put_along_axis(patterns, memory.engrams(np.arange(len(x))).astype(np.int64), 1.0, axis=1)
    stored, coded = rdm(x, "cosine"), rdm(patterns, "cosine")
    alike = rsa(stored, coded, seed=seed)
    came = memory.recall(variants(np.tile(x, (5, 1)), 0.7, seed), top_k=4).ids
    graph = memory_graph(np.array([np.isin(np.arange(len(x)), row) for row in came]))
    print(f"rsa: r {alike.r:.3f}, p {alike.p:.3g}; communities of {np.bincount(graph.community).tolist()}")
    return {"rdm": plots.rdm(coded), "rsa": plots.rsa(alike), "memory_graph": plots.memory_graph(graph, least=0.1)}


def mice(path: Path) -> dict[str, Figure]:
    """The discrimination index of freezing, with the inhibition of CCK cells and without (Tome et al. 2024)."""
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == "recall-discrimination"]
    hours = sorted({int(row["hours_post_cfc"]) for row in rows})
    found = {}
    for experiment, group in (("A", "behavior"), ("B", "cck-inhibition")):
        own = [row for row in rows if (row["experiment"], row["group"]) == (experiment, group)]
        by_hour = {int(row["hours_post_cfc"]): (float(row["mean"]), float(row["sem"])) for row in own}
        mean, sem = np.array([by_hour.get(hour, (np.nan, np.nan)) for hour in hours]).T
        found[experiment] = Selectivity(mean[:, None], mean, sem)
    return {"selectivity": plots.selectivity(found["A"], hours, {"CCK cells silenced": found["B"]})}


if __name__ == "__main__":
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    made = curves(args.seed) | sets(args.seed) | themes(args.seed)
    if args.data is not None:
        made |= mice(args.data / "engrams" / "tome2024_experiment_summary.csv")
    for name, figure in made.items():
        figure.savefig(args.out / f"{name}.png", dpi=110)

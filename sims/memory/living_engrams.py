"""Engrams that live: who is recruited when, how large an engram is, and engrams that are silent.

    python sims/memory/living_engrams.py --figure docs/living_engrams.png

Random vectors in the size of `hippocampus-engram-small`, or of `--model`. Four parts, which `--only` selects:

        name, often = "with" if linked else "without", float(np.mean(recruited))
        print(f"\n{name} excitability: excitable cells are recruited {often:.2f} times as often as all")
              et al. 2007), with the excitability of `hippocampus-engram-linked` and without
    recall    what it costs: own memories first, from partial cues, of memories spread over a year, and of one hour; without the balance
              of inhibition, too
    share     likeness of DG's codes, and completion in CA3, by the share of DG's and of CA3's cells that an engram has
    silent    memories that cues, light on half of an engram's cells, and the same without recurrence bring back, while they are silent, and
              after they were presented again (Ryan et al. 2015)

Papers' numbers are from memory of them, and were not read again. Prints tables with 95 % intervals (of shares: Wilson; of overlap: normal,
over seeds); writes results/living_engrams.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.engrams import allocation, overlap, variants
from spikemem.evaluate.compare import wilson

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-engram-small")
parser.add_argument("--only", nargs="+", choices=["linking", "recall", "share", "silent"], default=["linking", "recall", "share", "silent"])
parser.add_argument("--memories", type=int, default=500, help="of the parts recall and silent")
parser.add_argument("--cues", type=int, default=200, help="a row of the part recall")
parser.add_argument("--seeds", type=int, default=10, help="of the part linking")
parser.add_argument("--out", type=Path, default=Path("results/living_engrams.json"))
parser.add_argument("--figure", type=Path, help="where to draw what was measured")

HOUR, NOON = 3600.0, 1.7e9
APART = (0.0, 1.0, 5.0, 24.0, 168.0)
"""h between memories."""
EACH = 30
"""Memories of each time."""
COSINES = (0.9, 0.7, 0.6, 0.5)
Row = dict[str, Any]


def model(base: str, linked: bool, **changes: Any) -> ModelSpec:
    """A model that learns at once, with the excitability and the balance of `hippocampus-engram-linked`, or without."""
    spec, given = load_model(base), load_model("hippocampus-engram-linked").engram
    assert spec.engram is not None
    assert given is not None
    living = {name: getattr(given, name) for name in ("excitable", "lasting", "balance")} if linked else {}
    return spec.model_copy(update={"engram": spec.engram.model_copy(update={"plastic": False, **living, **changes})})


def vectors(n: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng([seed, 1]).normal(size=(n, 384))


def stored(spec: ModelSpec, x: NDArray[np.float64], when: NDArray[np.float64], seed: int = 0) -> Hippocampus:
    memory = Hippocampus(spec, seed=seed)
    for start in range(0, len(x), 1000):
        memory.store(x[start : start + 1000], when=when[start : start + 1000])
    memory.consolidate()
    return memory


def linking(args: argparse.Namespace) -> list[Row]:
    """Cells shared by memories of one time and another, over chance, and the allocation of those of the first to its excitable cells."""
    rows = []
    for linked in (True, False):
        ratio, recruited = [], []
        for seed in range(args.seeds):
            hours = np.repeat((0.0, *APART), EACH)
            memory = stored(model(args.model, linked), vectors(len(hours), seed), NOON + HOUR * hours, seed)
            own, cells = memory.engrams(np.arange(len(hours))).reshape(len(APART) + 1, EACH, -1), memory.spec.dg.cells
            found = [overlap(own[0], later, cells) for later in own[1:]]
            ratio.append([float(f.shared.mean() / f.expected.mean()) for f in found])
            group = Hippocampus(model(args.model, True), seed=seed).excitable(NOON)
            excitable = np.isin(np.arange(cells), group).astype(float)
            recruited.append(float(allocation(own[0], excitable, 2, cells, shuffles=1).ratio[1]))
        half = 1.96 * np.std(ratio, axis=0, ddof=1) / np.sqrt(args.seeds)
        name, often = "with" if linked else "without", float(np.mean(recruited))
        print(f"\n{name} excitability: excitable cells are recruited {often:.2f} times as often as all")
        for hour, mean, error in zip(APART, np.mean(ratio, axis=0), half, strict=True):
            print(f"  {hour:>5g} h apart: {mean:.2f} [{mean - error:.2f}, {mean + error:.2f}] times as many cells in common as by chance")
            rows.append({"linked": linked, "hours": hour, "ratio": float(mean), "half": float(error), "recruited": often})
    return rows


def recall(args: argparse.Namespace) -> list[Row]:
    """Own memories first, and the share of their engrams that fires."""
    rows, n = [], args.memories
    x, rng = vectors(n), np.random.default_rng(2)
    halves = np.floor(rng.uniform(0, 730, n))  # half days of a year
    own = rng.choice(n, min(args.cues, n), replace=False)
    kinds = {
        "plain": model(args.model, False), "linked": model(args.model, True), "linked, no balance": model(args.model, True, balance=0.0)
    }  # fmt: skip
    print(f"\n{n:,} memories; own memory first (share of its engram), by the cue's cosine {', '.join(f'{c:g}' for c in COSINES)}")
    for time, when in (("a year", NOON + 12 * HOUR * halves), ("one hour", np.full(n, NOON))):
        for kind, spec in kinds.items():
            memory, told = stored(spec, x, when), []
            for cosine in COSINES:
                found = memory.recall(variants(x[own], cosine, 3))
                right = found.ids[:, 0] == own
                low, high = wilson(float(right.mean()), len(right))
                whole = float(np.where(right, found.attention[:, 0], 0.0).mean())
                rows.append({"time": time, "kind": kind, "cosine": cosine, "own": float(right.mean()), "engram": whole})
                told.append(f"{right.mean():.3f} [{low:.3f}, {high:.3f}] ({whole:.2f})")
            print(f"  of {time:<8} {kind:<18}", *told)
    return rows


def share(args: argparse.Namespace) -> list[Row]:
    """Likeness of DG's codes, own memories first, and completion, by the sizes of DG's code and of CA3's engram."""
    rows, n, base = [], 300, load_model("hippocampus-engram-small")
    x = vectors(n)
    print(f"\n{n} memories; by the cue's cosine .9, .7, .5: DG's code in common, own memory first, share of its engram")
    for winners, core in ((16, 16), (32, 16), (64, 16), (128, 16), (128, 10), (128, 51), (128, 102)):
        rising = tuple(min(core * k, base.dg.cells) for k in (6, 4, 2, 1, 1))
        spec = ModelSpec.model_validate(
            {
                **base.model_dump(), "dg": {**base.dg.model_dump(), "winners": winners}, "ca3": {**base.ca3.model_dump(), "core": core},
                "engram": {"rising": rising}, "lex": None,
            }
        )  # fmt: skip
        memory = stored(spec, x, np.full(n, np.nan))
        row: Row = {"dg": winners / base.dg.cells, "ca3": core / base.dg.cells, "density": memory.density()[0]}
        told = []
        for cosine in (0.9, 0.7, 0.5):
            cue = variants(x[:100], cosine, 4)
            other = Hippocampus(spec)
            other.circuit.dg.adapt(memory.circuit.dg.adaptation)
            codes = [made.circuit.volley(given.astype(np.float32)).codes for made, given in ((memory, unit(x[:100])), (other, unit(cue)))]
            alike = float(np.mean([len(np.intersect1d(a, b)) / winners for a, b in zip(*codes, strict=True)]))
            found = memory.recall(cue)
            right = found.ids[:, 0] == np.arange(100)
            row[f"{cosine:g}"] = [alike, float(right.mean()), float(np.where(right, found.attention[:, 0], 0.0).mean())]
            told.append("{:.2f} {:.2f} ({:.2f})".format(*row[f"{cosine:g}"]))
        rows.append(row)
        print(f"  DG {100 * row['dg']:.1f} %, CA3 {100 * row['ca3']:.1f} %, recurrence {row['density']:.3f} full:", "; ".join(told))
    return rows


def unit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def silent(args: argparse.Namespace) -> list[Row]:
    """Of memories that become silent: which come back, and by what."""
    rows, n, some = [], args.memories, np.arange(0, args.memories, 5)
    x = vectors(n)
    memory = stored(model(args.model, False), x, np.full(n, np.nan))
    lit = memory.engrams(some)[:, ::2]
    for state in ("expressed", "silent", "presented again"):
        if state != "expressed":
            memory.silence(some) if state == "silent" else memory.reinstate(some)
        cue, light = memory.recall(variants(x[some], 0.8, 5)).ids[:, 0], memory.stimulate(lit)
        others = np.setdiff1d(np.arange(n), some)[: len(some)]
        rest = memory.recall(variants(x[others], 0.8, 5)).ids[:, 0] == others
        memory.cut("ca3->ca3")
        cells = np.array([np.isin(own, got).mean() for own, got in zip(memory.engrams(some), memory.stimulate(lit).cells, strict=True)])
        memory.restore()
        whole = np.array([np.isin(own, got).mean() for own, got in zip(memory.engrams(some), light.cells, strict=True)])
        row = {
            "state": state, "cue": float((cue == some).mean()), "light": float((light.ids == some).mean()), "cells": float(whole.mean()),
            "cut": float(cells.mean()), "others": float(rest.mean()),
        }  # fmt: skip
        rows.append(row)
        print(
            f"\n{len(some)} memories, {state}: by a cue {row['cue']:.3f}, by light on half of their cells {row['light']:.3f} with "
            f"{row['cells']:.2f} of the engram (recurrence cut {row['cut']:.2f}); as many others by a cue {row['others']:.3f}"
        )
    return rows


def draw(made: dict[str, list[Row]], path: Path) -> None:
    """Linking by hours, what recall costs, and silent engrams."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for linked, label, colour in ((True, "excitability", "C1"), (False, "without", "C7")):
        rows = [r for r in made["linking"] if r["linked"] == linked]
        left.errorbar(range(len(rows)), [r["ratio"] for r in rows], [r["half"] for r in rows], color=colour, marker="o", label=label)
    left.set_xticks(range(len(APART)), [f"{h:g}" for h in APART])
    left.axhline(1, color="k", lw=0.7, ls=":")
    left.set(xlabel="hours between two memories", ylabel="cells in common / chance", ylim=(0, None), title="Linking")
    left.legend(frameon=False)
    styles = {"plain": ("C7", "o"), "linked": ("C1", "s"), "linked, no balance": ("C3", "^")}
    for kind, (colour, marker) in styles.items():
        for time, line in (("a year", "-"), ("one hour", "--")):
            rows = [r for r in made["recall"] if (r["kind"], r["time"]) == (kind, time)]
            label = f"{kind}, of {time}"
            middle.plot([r["cosine"] for r in rows], [r["own"] for r in rows], line, color=colour, marker=marker, ms=4, label=label)
    middle.set(xlabel="cosine of the cue", ylabel="own memory first", ylim=(-0.03, 1.03), title="What it costs")
    middle.legend(frameon=False, fontsize=7)
    rows, x = made["silent"], np.arange(3)
    for k, (field, label) in enumerate((("cue", "its cue"), ("light", "light on half its cells"))):
        right.bar(x + 0.35 * k - 0.17, [r[field] for r in rows], 0.33, color=f"C{k}", label=label)
    right.set_xticks(x, [r["state"].replace(" ", "\n") for r in rows])
    right.set(ylabel="brings it back", ylim=(0, 1.25), title="Silent engrams")
    right.legend(frameon=False, fontsize=8, loc="upper center", ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    args = parser.parse_args()
    parts = {"linking": linking, "recall": recall, "share": share, "silent": silent}
    made = json.loads(args.out.read_text()) if args.out.exists() else {}
    for name in args.only:
        made[name] = parts[name](args)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(made, indent=1))
    if args.figure is not None:
        draw(made, args.figure)


if __name__ == "__main__":
    main()

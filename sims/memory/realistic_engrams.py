"""DG and CA3 with basket cells and leaky cells beside the ideal: own memories from partial cues, against load and the cue's cosine.

    python sims/memory/realistic_engrams.py
    python sims/memory/realistic_engrams.py --data ../shared/data --loads 500
    python sims/memory/realistic_engrams.py --sweep
    python sims/memory/realistic_engrams.py --damage

Random vectors, or sentences of the sets in --data, are stored in `hippocampus-engram-basket` and in the same model without basket cells
(`KWinners`, the k most driven cells fire), and cued by vectors at a cosine to their own, some of each seed. All is read off spikes
of the first attempt. "own" is how often the cue's memory is recalled, with its 95 % Wilson interval; "engram" the share of its cells that
fire, 0 where another is recalled; "strangers" how many other cells fire beside them. The race follows de Almeida, Idiart and Lisman (2009),
partial cues Treves and Rolls (1994). Further tables: cues between two memories, which should come one after the other; cues unlike all that
is stored; chains; and the same recalls in Brian2, spike for spike. With --sweep each number of the model is varied alone, on the seed on
which they were chosen. With --damage it loses cells, and has inexact weights and noisy cells, at 500 memories and a cosine of .7.
Writes results/realistic_engrams.json.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from engrams import Vectors, cues, sentences, unit
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from spikemem import Hippocampus, ModelSpec, Recording, load_model
from spikemem.evaluate.compare import wilson

MODEL = "hippocampus-engram-basket"
TAU = 20.0
"""ms, the leak of the ideal circuit's cells."""
CHOSEN = 7
"""The seed of the sweep, which is none of the tables."""
SWEEP: dict[str, tuple[float, ...]] = {
    "threshold": (8, 10, 11, 12, 13, 14, 16), "depth": (0, 20, 40, 60, 100, 200), "volley": (1, 2.5, 5, 10, 20),
    "cells": (1, 10, 30, 100, 300), "tau": (2, 5, 10, 20, 50), "pyramidal": (5, 10, 15, 20, 30, 50, math.inf),
    "synaptic": (1, 2, 2.5, 3, 4, 5, 7),
}  # fmt: skip
SWEPT = ((50, 0.6), (500, 0.9), (500, 0.6), (1000, 0.6))
"""Loads and cosines of the sweep."""


@dataclass(frozen=True)
class Condition:
    """A circuit, and what is done to it.   model: one of `specs()`."""

    name: str
    model: str
    change: Callable[[Hippocampus], None] = lambda memory: None


def leaks(memory: Hippocampus) -> None:
    """Let the cells of DG and CA3 leak."""
    memory.leak("dg", TAU)
    memory.leak("ca3", TAU)


CONDITIONS = (
    Condition("KWinners, perfect cells", "ideal"),
    Condition("KWinners, leaky cells", "ideal", leaks),
    Condition("basket, perfect cells", "perfect"),
    Condition("basket, leaky cells", "basket"),
    Condition("same, recurrence cut", "basket", lambda memory: memory.cut("ca3->ca3")),
    Condition("same, CA3's basket silent", "basket", lambda memory: memory.lesion("ca3_basket", 1.0)),
    Condition("same, DG's basket silent", "basket", lambda memory: memory.lesion("dg_basket", 1.0)),
)
WHOLE = CONDITIONS[3]


def specs() -> dict[str, ModelSpec]:
    """The model, the same whose cells do not leak, and the same with `KWinners` instead of basket cells."""
    return {
        "basket": load_model(MODEL),
        "perfect": changed(pyramidal=math.inf, granule=math.inf),
        "ideal": load_model(MODEL).model_copy(update={"basket": None}),
    }


def changed(**numbers: float) -> ModelSpec:
    """The model with other numbers of its basket cells."""
    spec = load_model(MODEL)
    assert spec.basket is not None
    return spec.model_copy(update={"basket": spec.basket.model_copy(update=numbers)})


def stored(spec: ModelSpec, load: int, seed: int, texts: Vectors | None = None) -> tuple[Hippocampus, Vectors]:
    """A memory of random vectors, or of some of the texts', and these."""
    rng = np.random.default_rng([seed, load])
    vectors = unit(rng.normal(size=(load, spec.ec.dim))) if texts is None else texts[rng.permutation(len(texts))[:load]]
    memory = Hippocampus(spec, seed=seed)
    memory.store(vectors)
    return memory, vectors


def some_cues(vectors: Vectors, cosine: float, n: int, seed: int) -> tuple[Vectors, NDArray[np.int64]]:
    """Vectors at a cosine to one of the stored ones each, and which; as many of each as can be."""
    rng = np.random.default_rng([seed, round(100 * cosine)])
    own = rng.permutation(np.arange(n) % len(vectors)) if n > len(vectors) else rng.choice(len(vectors), n, replace=False)
    return cues(vectors, own, cosine, rng), own


def recalled(memory: Hippocampus, given: Vectors, own: NDArray[np.int64]) -> dict[str, list[float]]:
    """Of each cue, read off spikes: whether its memory is recalled, the share of its engram that fires, and the other cells that do."""
    found = memory.recall(given, record=True)
    assert found.recording is not None
    right, fired = found.ids[:, 0] == own, [len(ending(found.recording, i)) for i in range(len(own))]
    share = np.where(right, found.attention[:, 0], 0.0)
    inside = [len(np.intersect1d(ending(found.recording, i), engram)) for i, engram in enumerate(memory.engrams(own))]
    return {"own": right.tolist(), "engram": share.tolist(), "strangers": (np.array(fired) - inside).tolist()}


def ending(recording: Recording, cue: int) -> NDArray[np.integer]:
    """CA3's cells that fire in the last gamma cycle of the first attempt."""
    end = recording.marks["theta"][1]
    start = max(step for step in recording.marks["gamma"] if step < end)
    return np.unique(recording["ca3"].between(start, end, cue).cell)


def table(loads: list[int], cosines: list[float], seeds: list[int], n: int, texts: Vectors | None = None) -> Iterator[dict[str, Any]]:
    """Rows of load, cosine and condition, over all seeds."""
    for load in loads:
        memories = {seed: {name: stored(spec, load, seed, texts) for name, spec in specs().items()} for seed in seeds}
        for cosine in cosines:
            for condition in CONDITIONS:
                made: dict[str, list[float]] = {"own": [], "engram": [], "strangers": []}
                for seed in seeds:
                    memory, vectors = memories[seed][condition.model]
                    condition.change(memory)
                    for name, values in recalled(memory, *some_cues(vectors, cosine, n, seed)).items():
                        made[name] += values
                    memory.restore()
                means = {name: float(np.mean(values)) for name, values in made.items()}
                interval = wilson(means["own"], len(made["own"]))
                yield {"load": load, "cosine": cosine, "condition": condition.name, "n": len(made["own"]), **means, "interval": interval}


def between(load: int, seeds: list[int], n: int) -> Iterator[dict[str, Any]]:
    """Cues a + w b: how often a and b are the first two hits, in either order; and cues unlike all: how often nothing comes."""
    for condition in (CONDITIONS[0], WHOLE):
        memories = [stored(specs()[condition.model], load, seed) for seed in seeds]
        for weight in (1.0, 0.8, 0.6):
            both = []
            for memory, vectors in memories:
                a, b = np.arange(n), np.arange(n, 2 * n)
                ids = np.sort(memory.recall(vectors[a] + weight * vectors[b], top_k=2).ids, axis=1)
                both += (ids == np.stack([a, b], axis=1)).all(axis=1).tolist()
            yield share(f"cue a + {weight} b: a and b come", condition, both)
        unlike = [np.random.default_rng([seed, 1]).normal(size=(n, memories[0][1].shape[1])) for seed in seeds]
        nothing = [memory.recall(given).ids[:, 0] == -1 for (memory, _), given in zip(memories, unlike, strict=True)]
        yield share("unlike cue: nothing comes", condition, np.concatenate(nothing).tolist())


HOPS = 6


def chains(load: int, seeds: list[int], n: int) -> Iterator[dict[str, Any]]:
    """All memories in one chain: how often six hops are exact; then two successors of the first: how often the second comes."""
    for condition in (CONDITIONS[0], WHOLE):
        exact, second = [], []
        for seed in seeds:
            memory, vectors = stored(specs()[condition.model], load, seed)
            memory.associate(np.arange(load - 1), np.arange(1, load))
            begin = np.linspace(0, load - HOPS - 1, n).astype(int)
            exact += (memory.recall_chain(vectors[begin], HOPS) == begin[:, None] + np.arange(1, HOPS + 1)).all(axis=1).tolist()
            memory.associate([0], [load // 2])
            given = cues(vectors, np.zeros(n, int), 0.9, np.random.default_rng(seed))
            second += (memory.recall_chain(given, 1)[:, 0] == load // 2).tolist()
        yield share("six hops of a chain: exact", condition, exact)
        yield share("fork: the second successor comes", condition, second)


def share(name: str, condition: Condition, hits: list[bool]) -> dict[str, Any]:
    of = float(np.mean(hits))
    return {"what": name, "condition": condition.name, "share": of, "n": len(hits), "interval": wilson(of, len(hits))}


DAMAGE: dict[str, Callable[[Hippocampus], None]] = {
    "whole": lambda memory: None,
    "30 % of CA3's pyramidal cells lost": lambda memory: memory.lesion("ca3", 0.3),
    "half of CA3's pyramidal cells lost": lambda memory: memory.lesion("ca3", 0.5),
    "30 % of CA3's basket cells lost": lambda memory: memory.lesion("ca3_basket", 0.3),
    "half of CA3's basket cells lost": lambda memory: memory.lesion("ca3_basket", 0.5),
    "weights from DG to CA3 off by 30 % (s.d.)": lambda memory: memory.jitter("dg->ca3", 0.3),
    "weights of CA3's recurrence off by 30 %": lambda memory: memory.jitter("ca3->ca3", 0.3),
    "weights from basket cells off by 30 %": lambda memory: memory.jitter("ca3_basket->ca3", 0.3),
    "noise of scale .5 in CA3, a step": lambda memory: memory.noise("ca3", 0.5),
    "noise of scale 1 in CA3, a step": lambda memory: memory.noise("ca3", 1.0),
    "noise of scale 2 in CA3, a step": lambda memory: memory.noise("ca3", 2.0),
    "noise of scale .1 in DG, a step": lambda memory: memory.noise("dg", 0.1),
}
"""What else may be done to the model; noise is in the unit of a synapse from DG, or of a standard deviation of a granule cell's drive."""


def damaged(load: int, cosine: float, seeds: list[int], n: int) -> Iterator[dict[str, Any]]:
    """Rows as of `table`, of the model under damage."""
    memories = {seed: stored(specs()["basket"], load, seed) for seed in seeds}
    for name, change in DAMAGE.items():
        made: dict[str, list[float]] = {"own": [], "engram": [], "strangers": []}
        for seed, (memory, vectors) in memories.items():
            change(memory)
            for value, values in recalled(memory, *some_cues(vectors, cosine, n, seed)).items():
                made[value] += values
            memory.restore()
        means = {value: float(np.mean(values)) for value, values in made.items()}
        yield {"what": name, "n": len(made["own"]), **means, "interval": wilson(means["own"], len(made["own"]))}


def in_brian2(load: int, seed: int, n: int) -> dict[str, Any]:
    """The same recalls by the event-driven simulator and by Brian2: spikes of all populations, and how many only one of the two has."""
    memory, vectors = stored(specs()["basket"], load, seed)
    given, own = some_cues(vectors, 0.7, n, seed)
    ours, theirs = (memory.recall(given, record=True, simulator=name) for name in ("event", "brian2"))
    assert ours.recording is not None
    assert theirs.recording is not None
    total = different = 0
    for name, spikes in ours.recording.spikes.items():
        mine, other = ({*zip(s.step.tolist(), s.batch.tolist(), s.cell.tolist(), strict=True)} for s in (spikes, theirs.recording[name]))
        total, different = total + len(mine), different + len(mine ^ other)
    return {"load": load, "n": n, "spikes": total, "different": different, "own": float((theirs.ids[:, 0] == own).mean())}


def sweep(n: int) -> dict[str, list[tuple[float, float]]]:
    """For each number of the model its values, and the mean overlap 2 |own and fired| / (|fired| + core) that they give."""
    made: dict[str, list[tuple[float, float]]] = {}
    for name, values in track(SWEEP.items(), "sweep", console=Console(stderr=True)):
        made[name] = [(value, overlap(changed(**{name: value}), n)) for value in values]
    return made


def overlap(spec: ModelSpec, n: int) -> float:
    """Mean over the loads and cosines of the sweep."""
    means = []
    for load, cosine in SWEPT:
        memory, vectors = stored(spec, load, CHOSEN)
        row = recalled(memory, *some_cues(vectors, cosine, n, CHOSEN))
        inside = np.array(row["engram"]) * spec.ca3.core
        means.append(float((2 * inside / (inside + np.array(row["strangers"]) + spec.ca3.core)).mean()))
    return float(np.mean(means))


def raster(load: int, cosine: float, seed: int) -> dict[str, Any]:
    """One recall, whole and with basket cells silent: spikes, [2, spike], as step and cell, and the engram."""
    memory, vectors = stored(specs()["basket"], load, seed)
    given, own = some_cues(vectors, cosine, 1, seed)
    made: dict[str, Any] = {"load": load, "cosine": cosine, "engram": memory.engrams(own)[0].tolist()}
    for name in ("whole", "silent"):
        if name == "silent":
            memory.lesion("ca3_basket", 1.0)
        found = memory.recall(given, record=True).recording
        assert found is not None
        made[name] = {p: [found[p].step.tolist(), found[p].cell.tolist()] for p in ("ca3", "ca3_basket")}
        made["gamma"], made["theta"] = found.marks["gamma"], found.marks["theta"]
    return made


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, nargs="*", default=[50, 200, 500, 1000, 2000])
    parser.add_argument("--cosines", type=float, nargs="+", default=[0.9, 0.8, 0.7, 0.6])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--cues", type=int, default=50, help="a seed and row")
    parser.add_argument("--data", type=Path, help="a folder of public sets, whose sentences are stored in the place of random vectors")
    parser.add_argument("--sweep", action="store_true", help="vary the model's numbers instead (some minutes)")
    parser.add_argument("--damage", action="store_true", help="lose cells, and make weights and cells inexact, instead")
    parser.add_argument("--out", type=Path, default=Path("results/realistic_engrams.json"))
    return parser.parse_args()


def main() -> None:
    args = parse()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    if args.sweep:
        made = sweep(args.cues)
        for name, row in made.items():
            print(f"{name:<10}", "  ".join(f"{value:g}: {reached:.3f}" for value, reached in row))
        args.out.with_stem(args.out.stem + "_sweep").write_text(json.dumps(made))
        return
    if args.damage:
        rows = list(damaged(500, 0.7, args.seeds, args.cues))
        for row in rows:
            low, high = row["interval"]
            print(f"{row['what']:<42} {row['own']:.3f} [{low:.3f}, {high:.3f}] {row['engram']:.3f} {row['strangers']:>7.1f}  {row['n']}")
        args.out.with_stem(args.out.stem + "_damage").write_text(json.dumps(rows))
        return
    result: dict[str, Any] = {"seeds": args.seeds, "cues": args.cues, "rows": []}
    print(f"{'load':>5} {'cosine':>6}  {'condition':<26} {'own':>21} {'engram':>7} {'strangers':>9}   n")
    texts, cache = None, args.out.parent / "embeddings"
    if args.data is not None:
        texts = sentences(args.data, 2 * max(args.loads), cache, np.random.default_rng(0))
    for row in table(args.loads, args.cosines, args.seeds, args.cues, texts):
        result["rows"].append(row)
        low, high = row["interval"]
        print(
            f"{row['load']:>5} {row['cosine']:>6}  {row['condition']:<26} {row['own']:>6.3f} [{low:.3f}, {high:.3f}] {row['engram']:>6.3f} "
            f"{row['strangers']:>9.1f}  {row['n']:>3}", flush=True
        )  # fmt: skip
    if args.data is not None:
        args.out.with_stem(args.out.stem + "_sentences").write_text(json.dumps(result))
        return
    result["between"] = [*between(500, args.seeds, args.cues), *chains(500, args.seeds, args.cues)]
    for row in result["between"]:
        low, high = row["interval"]
        print(f"{row['what']:<33} {row['condition']:<26} {row['share']:.3f} [{low:.3f}, {high:.3f}]  {row['n']}")
    result["brian2"], result["raster"] = in_brian2(500, args.seeds[0], 10), raster(500, 0.6, args.seeds[0])
    again = result["brian2"]
    print(f"Brian2: {again['spikes']:,} spikes of {again['n']} recalls as in event, but for {again['different']}; own {again['own']:.2f}")
    args.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()

"""Load decides size: recall by circuits made for what they hold, beside one of a fixed size, and the law of their fullness.

    python sims/memory/load.py --loads 1000 5000 20000 40000

Stores random vectors in `--model`, as it is and made for each load (`ModelSpec.for_load`), and cues some by vectors at a cosine to their
own. "full" is the share of CA3's recurrent synapses that are potentiated, "law" 1 - (1 - k^2 / N^2)^M (Willshaw, Buneman and
Longuet-Higgins 1969), "own" how often the cue's memory comes first, with its 95 % Wilson interval. Writes results/load.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.evaluate.compare import wilson

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-engram")
parser.add_argument("--loads", type=int, nargs="+", default=[1000, 5000, 20_000, 40_000])
parser.add_argument("--cosine", type=float, default=0.6)
parser.add_argument("--cues", type=int, default=200, help="a row")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/load.json"))


def unit(x: NDArray[np.floating]) -> NDArray[np.float32]:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def measured(spec: ModelSpec, vectors: NDArray[np.float32], cues: NDArray[np.float32], seed: int) -> dict[str, float | int]:
    """A row.   cues: of the first vectors."""
    memory = Hippocampus(spec, seed=seed)
    for start in track(range(0, len(vectors), 1000), f"storing {len(vectors):,}", transient=True):
        memory.store(vectors[start : start + 1000])
    law = 1 - (1 - spec.ca3.core**2 / spec.dg.cells**2) ** len(vectors)
    own = float((memory.recall(cues).ids[:, 0] == np.arange(len(cues))).mean())
    return {
        "load": len(vectors),
        "cells": spec.dg.cells,
        "full": memory.density()[0],
        "law": law,
        "own": own,
        "MB": memory.ca3_bytes() / 1e6,
    }


def main() -> None:
    args = parser.parse_args()
    rng, spec = np.random.default_rng(args.seed), load_model(args.model).at_once()
    vectors = unit(rng.normal(size=(max(args.loads), spec.ec.dim)))
    noise = unit(rng.normal(size=(min(args.cues, *args.loads), spec.ec.dim)))
    cues = unit(args.cosine * vectors[: len(noise)] + np.sqrt(1 - args.cosine**2) * noise)
    rows = []
    print(f"{'load':>8} {'cells':>7} {'full':>6} {'law':>6} {'own':>22} {'CA3, MB':>8}")
    for load in args.loads:
        for made in {s.dg.cells: s for s in (spec, spec.for_load(load))}.values():
            row = measured(made, vectors[:load], cues, args.seed)
            low, high = wilson(row["own"], len(cues))
            rows.append(row)
            sizes = f"{load:>8,} {row['cells']:>7,} {row['full']:>6.3f} {row['law']:>6.3f}"
            print(f"{sizes} {row['own']:>8.3f} [{low:.3f}, {high:.3f}] {row['MB']:>8.1f}", flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

"""Pattern completion: a cue whose code is partly wrong, over more and more background memories, and a long settle beside a short one.

    python sims/memory/cue_noise.py --background 0 100 500 1000 --wrong 0.3

The granule cells are held to a stored code of which a share was replaced by other cells, chosen at random; CA3 completes, and CA1 answers
on CA3 alone. `core` counts the trials in which the first cells to fire are the engram's whole core, `memory` those in which CA1 finds the
memory stored. Follows the noise rows of the rate system and Marr (1971). Prints a table and writes results/cue_noise.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from spikemem import Hippocampus, load_model
from spikemem.evaluate.compare import wilson

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-base")
parser.add_argument("--background", type=int, nargs="+", default=[0, 100, 500, 1000])
parser.add_argument("--trials", type=int, default=200)
parser.add_argument("--wrong", type=float, default=0.3)
parser.add_argument("--settle", type=int, nargs="+", default=[2, 20, 200], help="gamma cycles of completion")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/cue_noise.json"))


def main() -> None:
    args = parser.parse_args()
    spec = load_model(args.model)
    rows = []
    print(f"{'background':>10}  {'settle':>6}  {'core':>6}  {'memory':>6}  95 % interval of memory   n")
    for background in args.background:
        rng = np.random.default_rng([args.seed, background])
        memory = Hippocampus(spec, seed=args.seed)
        ids = memory.store(rng.normal(size=(background + args.trials, spec.ec.dim)))[-args.trials :]
        codes = memory.engrams(ids)
        noisy = np.stack([spoil(code, args.wrong, spec.dg.cells, rng) for code in codes])
        for settle in args.settle:
            completed = memory.complete(noisy, settle=settle)
            core = np.mean([set(a[: spec.ca3.core]) == set(b[: spec.ca3.core]) for a, b in zip(completed.cells, codes, strict=True)])
            right = float((completed.ids == ids).mean())
            low, high = wilson(right, args.trials)
            rows.append({"background": background, "settle": settle, "core": float(core), "memory": right, "n": args.trials})
            print(f"{background:>10,}  {settle:>6}  {core:>6.3f}  {right:>6.3f}  [{low:.3f}, {high:.3f}]  {args.trials:>11}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"wrong": args.wrong, "rows": rows}, indent=1))


def spoil(code: np.ndarray, wrong: float, cells: int, rng: np.random.Generator) -> np.ndarray:
    """A code of which a share of the cells, wherever they stand in the firing order, is replaced by others."""
    spoiled = code.copy()
    places = rng.choice(len(code), round(wrong * len(code)), replace=False)
    spoiled[places] = rng.choice(np.setdiff1d(np.arange(cells), code), len(places), replace=False)
    return spoiled


if __name__ == "__main__":
    main()

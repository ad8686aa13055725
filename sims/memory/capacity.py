"""How a full memory behaves: exact cues and six-hop chains with 20,000 random memories, all of them linked.

    python sims/memory/capacity.py --memories 20000

Follows the capacity rows of the rate system that the circuit replaces, and Willshaw, Buneman and Longuet-Higgins (1969) for the load.
Prints a table and writes results/capacity.json.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from spikemem import Hippocampus, load_model

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-base")
parser.add_argument("--memories", type=int, default=20_000)
parser.add_argument("--chains", type=int, default=100)
parser.add_argument("--hops", type=int, default=6)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/capacity.json"))


def main() -> None:
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    spec = load_model(args.model)
    vectors = rng.normal(size=(args.memories, spec.ec.dim)).astype(np.float32)
    warm = Hippocampus(spec, seed=args.seed)  # compiles the kernels
    warm.associate([0], warm.store(vectors[:64])[1:2])
    warm.recall(vectors[:4])
    warm.recall_chain(vectors[:1], 1)

    memory = Hippocampus(spec, seed=args.seed)
    start = time.perf_counter()
    ids = memory.store(vectors)
    stored = args.memories / (time.perf_counter() - start)
    memory.associate(ids[:-1], ids[1:])
    start = time.perf_counter()
    exact = float((memory.recall(vectors).ids[:, 0] == ids).mean())
    recall_ms = 1e3 * (time.perf_counter() - start) / args.memories
    firsts = rng.choice(args.memories - args.hops, args.chains, replace=False)
    expected = ids[firsts][:, None] + np.arange(1, args.hops + 1)
    chains = float((memory.recall_chain(vectors[firsts], args.hops) == expected).all(axis=1).mean())
    fast, slow = memory.density()
    result = {
        "memories": args.memories, "exact": exact, "chains": chains, "n_chains": args.chains, "hops": args.hops,
        "ca3_bytes": memory.ca3_bytes(), "fast_density": fast, "slow_density": slow, "stored_per_second": stored, "recall_ms": recall_ms,
    }  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1))
    for name, value in result.items():
        print(f"{name:>18}  {value:,.4f}" if isinstance(value, float) else f"{name:>18}  {value:,}")


if __name__ == "__main__":
    main()

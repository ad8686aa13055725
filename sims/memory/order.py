"""Which of two passages came first: told from context alone, of tales that a memory holds in their order.

    python sims/memory/order.py --passages 100 --pairs 200

After the sequence order recall task (Pink et al. 2024): two passages are given as texts, each finds its memory, and `Memory.which_first`
says which is the earlier one. Tales come from `spikemem.data.corpus`. What a tale says has no part in the order, only its place.
"""

import argparse
import json
from itertools import pairwise

import numpy as np

from spikemem import Memory
from spikemem.data.corpus.tales import tales

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--passages", type=int, default=100)
parser.add_argument("--pairs", type=int, default=200)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--model", default="hippocampus-text")
parser.add_argument("--json", action="store_true")

EDGES = (1, 3, 10, 30, 10_000)
"""Distances, in passages, that are taken together."""


def passages(n: int, seed: int) -> list[str]:
    """Tales, each one passage."""
    return [" ".join(f"{' '.join(words)}." for words in tale.sentences) for tale in tales(n, seed)]


def judged(memory: Memory, texts: list[str], pairs: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether both texts of each pair found their own memories, and whether their order is right, where they did, [pair]."""
    found = [hits[0].id if hits else -1 for hits in memory.recall_all(texts, top_k=1)]
    ids = list(memory)
    known, right = np.zeros((2, len(pairs)), bool)
    for row, (a, b) in enumerate(pairs.tolist()):
        if found[a] == ids[a] and found[b] == ids[b]:
            known[row] = True
            right[row] = memory.which_first(ids[a], ids[b], seed=seed + row) == ids[min(a, b)]
    return known, right


def main(args: argparse.Namespace) -> None:
    """Store, ask, print."""
    rng, texts = np.random.default_rng(args.seed), passages(args.passages, args.seed)
    pairs = np.array([rng.choice(len(texts), 2, replace=False) for _ in range(args.pairs)])
    with Memory.open(model=args.model) as memory:
        memory.store_all(texts, sessions=[0] * len(texts))
        known, right = judged(memory, texts, pairs, args.seed)
    apart = np.abs(pairs[:, 0] - pairs[:, 1])
    rows = {
        "found": {"right": float(known.mean()), "pairs": len(known)},
        "all": {"right": float(right[known].mean()), "pairs": int(known.sum())},
    }
    for low, high in pairwise(EDGES):
        own = known & (apart >= low) & (apart < high)
        if own.any():
            rows[f"{low} to {min(high - 1, len(texts) - 1)}"] = {"right": float(right[own].mean()), "pairs": int(own.sum())}
    if args.json:
        print(json.dumps(rows, indent=1))
        return
    for name, row in rows.items():
        print(f"{name:>10}{'' if name == 'found' else ' apart'}  {row['right']:.3f} of {row['pairs']} pairs")


if __name__ == "__main__":
    main(parser.parse_args())

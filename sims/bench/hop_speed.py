"""One hop of a chain against the dense float32 product W @ x with top-k that it replaces, side by side.

    python sims/bench/hop_speed.py --memories 20000

All carry the same pairs of engrams. A hop of the circuit is a whole theta cycle: CA3's slow synapses, CA1's answer, and its replay through
EC, DG and CA3; its time is the difference of a long and a short chain. `columns` adds up only those of W that x touches, as the rate
twin does. Medians over rounds that alternate, after a warm-up. Prints a table and writes results/hop_speed.json.
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from spikemem import Hippocampus, load_model

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-base")
parser.add_argument("--memories", type=int, default=20_000)
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/hop_speed.json"))

HOPS = 50
"""Hops of the long chain beyond the short one's."""


def timed(function: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    args = parser.parse_args()
    spec = load_model(args.model)
    vectors = np.random.default_rng(args.seed).normal(size=(args.memories, spec.ec.dim)).astype(np.float32)
    memory = Hippocampus(spec, seed=args.seed)
    ids = memory.store(vectors)
    memory.associate(ids[:-1], ids[1:])
    core = torch.as_tensor(memory.engrams(ids)[:, : spec.ca3.core].astype(np.int64))
    from_cell = torch.zeros(spec.dg.cells, spec.dg.cells)  # row i: the synapses from cell i
    for a, b in itertools.pairwise(core):
        from_cell[a[:, None], b] += 1.0
    weights = from_cell.T.contiguous()
    x = torch.zeros(spec.dg.cells)
    x[core[0]] = 1.0

    def chain(hops: int) -> object:
        return memory.recall_chain(vectors[0], hops)

    def dense() -> object:
        return (weights @ x).topk(spec.ca3.core).indices

    def columns() -> object:
        return from_cell[core[0]].sum(0).topk(spec.ca3.core).indices

    assert chain(1 + HOPS).tolist() == [list(range(1, 2 + HOPS))]
    dense(), columns()
    rounds = [((timed(lambda: chain(1 + HOPS)) - timed(lambda: chain(1))) / HOPS, timed(dense), timed(columns)) for _ in range(args.rounds)]
    hop, product, gather = 1e6 * np.median(rounds, axis=0)
    result = {
        "memories": args.memories, "hop_us": hop, "dense_us": product, "columns_us": gather,
        "dense_ratio": product / hop, "columns_ratio": gather / hop,
    }  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1))
    print(f"a hop of the circuit {hop:,.0f} us; dense W @ x and top-k {product:,.0f} us, {result['dense_ratio']:,.0f} times slower;")
    print(f"the touched columns of W and top-k {gather:,.0f} us, {result['columns_ratio']:,.1f} times slower")


if __name__ == "__main__":
    main()

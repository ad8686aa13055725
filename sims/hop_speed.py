"""One hop of a chain against the dense float32 product W @ x with top-k that it replaces, side by side.

    python sims/hop_speed.py --memories 20000

Both carry the same number of engrams. A hop of the circuit is two gamma cycles of CA3: the slow synapses' answer, and its completion.
Medians over rounds that alternate, after a warm-up. Prints a table and writes results/hop_speed.json.
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


def timed(function: Callable[[], object], repeats: int) -> float:
    """Seconds a call, over some calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def main() -> None:
    args = parser.parse_args()
    spec = load_model(args.model)
    vectors = np.random.default_rng(args.seed).normal(size=(args.memories, spec.ec.dim)).astype(np.float32)
    memory = Hippocampus(spec, seed=args.seed)
    ids = memory.store(vectors)
    memory.associate(ids[:-1], ids[1:])
    core = memory.engrams(ids)[:, : spec.ca3.core].astype(np.int64)
    ca3, none = memory.circuit.ca3, np.zeros(0, np.int64)

    weights = torch.zeros(spec.dg.cells, spec.dg.cells)
    for a, b in itertools.pairwise(core):
        weights[torch.as_tensor(b)[:, None], torch.as_tensor(a)] += 1.0
    x = torch.zeros(spec.dg.cells)
    x[torch.as_tensor(core[0])] = 1.0

    def spiking() -> object:
        first = ca3.cycle(none, core[0], none, none)
        return ca3.cycle(first, core[0], none, none)

    def dense() -> object:
        return (weights @ x).topk(spec.ca3.core).indices

    spiking(), dense()
    times = np.array([[timed(spiking, 50), timed(dense, 3)] for _ in range(args.rounds)])
    spike_us, dense_us = 1e6 * np.median(times, axis=0)
    result = {"memories": args.memories, "spiking_us": spike_us, "dense_us": dense_us, "ratio": float(np.median(times[:, 1] / times[:, 0]))}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1))
    print(f"a hop of the circuit {spike_us:,.1f} us, dense W @ x and top-k {dense_us:,.1f} us: {result['ratio']:,.0f} times faster")


if __name__ == "__main__":
    main()

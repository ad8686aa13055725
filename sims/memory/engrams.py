"""CA3 as what recalls: own memories from partial cues, with and without recurrent synapses, and with half of CA3's cells lost.

    python sims/memory/engrams.py --memories 20000
    python sims/memory/engrams.py --data ../shared/data --memories 16000

Stores random vectors, or sentences of the public sets in --data, and cues some by vectors at a cosine to their own. "own" is how often the
cue's memory is recalled first, with its 95 % Wilson interval, "engram" the share of that memory's cells that fire, and "nearest" how often
the cue is nearest to its own vector at all. Follows Treves and Rolls (1994) on the recall of partial cues. Prints a table, and how well the
read-out of deep EC says what was stored; writes results/engrams.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress, track

from spikemem import Hippocampus, load_model
from spikemem.data.datasets import banking77, hotpotqa, locomo, mrpc, stsb
from spikemem.evaluate.compare import wilson
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-engram")
parser.add_argument("--memories", type=int, default=20_000)
parser.add_argument("--cues", type=int, default=200, help="a row")
parser.add_argument("--cosines", type=float, nargs="+", default=[0.9, 0.8, 0.7, 0.6, 0.5])
parser.add_argument("--data", type=Path, help="a folder of public sets, whose sentences are stored in the place of random vectors")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/engrams.json"))

Vectors = NDArray[np.float32]


def unit(x: NDArray[np.floating]) -> Vectors:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def sentences(folder: Path, number: int, cache: Path, rng: np.random.Generator) -> Vectors:
    """Embedded sentences of five sets, each once, in a random order."""
    tasks = [task for load in (stsb, hotpotqa, locomo, mrpc, banking77) for task in load(folder)]
    texts = list(dict.fromkeys(text for task in tasks for text in task.texts))
    with Progress() as bar:
        job = bar.add_task("embedding", total=None)
        return CachedEmbedder(SentenceEmbedder(), cache).embed(
            [texts[i] for i in rng.permutation(len(texts))[:number]], lambda done, all_: bar.update(job, completed=done, total=all_)
        )


def cues(vectors: Vectors, own: NDArray[np.int64], cosine: float, rng: np.random.Generator) -> Vectors:
    noise = rng.normal(size=(len(own), vectors.shape[1]))
    noise = unit(noise - (noise * vectors[own]).sum(1, keepdims=True) * vectors[own])
    return (cosine * vectors[own] + np.sqrt(1 - cosine**2) * noise).astype(np.float32)


def main() -> None:
    args = parser.parse_args()
    rng, spec = np.random.default_rng(args.seed), load_model(args.model)
    vectors = (
        unit(rng.normal(size=(args.memories, spec.ec.dim)))
        if args.data is None
        else sentences(args.data, args.memories, args.out.parent / "embeddings", rng)
    )
    memory = Hippocampus(spec, seed=args.seed)
    for start in track(range(0, len(vectors), 1000), "storing"):
        memory.store(vectors[start : start + 1000])
    memory.consolidate()
    rows, own = [], rng.choice(len(vectors), min(args.cues, len(vectors)), replace=False)
    print(f"{len(vectors):,} memories, CA3 {memory.density()[0]:.3f} full; {len(own)} cues a row")
    print(f"{'cosine':>6} {'nearest':>8}  {'condition':<20} {'own':>22} {'engram':>7}")
    for cosine in args.cosines:
        given = cues(vectors, own, cosine, rng)
        nearest = float(((given @ vectors.T).argmax(1) == own).mean())
        for condition in ("whole", "recurrence cut", "half of CA3 lost"):
            if condition == "recurrence cut":
                memory.cut("ca3->ca3")
            if condition == "half of CA3 lost":
                memory.lesion("ca3", 0.5, seed=args.seed)
            found = memory.recall(given)
            memory.restore()
            right = found.ids[:, 0] == own
            low, high = wilson(float(right.mean()), len(right))
            engram = float(np.where(right, found.attention[:, 0], 0.0).mean())
            rows.append({"cosine": cosine, "nearest": nearest, "condition": condition, "own": float(right.mean()), "engram": engram})
            print(f"{cosine:>6} {nearest:>8.3f}  {condition:<20} {right.mean():>8.3f} [{low:.3f}, {high:.3f}] {engram:>7.3f}")
    some = np.arange(0, len(vectors), max(len(vectors) // 1000, 1))
    said = float((memory.contents(some) * vectors[some]).sum(1).mean())
    print(f"deep EC says what was stored: cosine {said:.3f} (mean of {len(some)} memories)")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"memories": len(vectors), "rows": rows, "said": said}, indent=1))


if __name__ == "__main__":
    main()

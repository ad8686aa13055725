"""The trained circuit against the untrained one, on sentences of other sources than those that it learned from.

    python sims/learning/ec_texts.py --data ../shared/data
    python sims/learning/hippocampus.py --data ../shared/data --texts results/ec_texts/longmemeval.txt --seeds 0 1 2

Trains DG's synapses anew for each seed (`spikemem.training.hippocampus`), stores sentences of STS-B, HotpotQA, LoCoMo and MRPC, of which
none had a part in training, and cues some by vectors at a cosine to their own. "drawn" is the model without weights, "all inputs" has
untrained Gaussian synapses from all dimensions, "trained" the learned ones and the inhibition that fits them, "weights alone" has the
untrained circuit's; cells, load, engrams and cues of a seed are the same. "own" is how often the cue's memory is recalled first, with
its 95 % Wilson interval; "spikes" are those of EC, DG and CA3 in a recall of one memory, counted in a simulation. Trainings are kept
beside the result file. Writes results/hippocampus.json.
"""

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.data.datasets import hotpotqa, locomo, mrpc, stsb
from spikemem.evaluate.compare import wilson
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder
from spikemem.training import hippocampus as recipe

KINDS = ["drawn", "all inputs", "weights alone", "trained"]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--texts", type=Path, default=Path("results/ec_texts/longmemeval.txt"), help="sentences to train on, one a line")
parser.add_argument("--model", default="hippocampus-engram", help="the untrained circuit")
parser.add_argument(
    "--trained", default="hippocampus-engram-trained", help="the circuit that takes the trained weights, with its inhibition"
)
parser.add_argument("--memories", type=int, default=16_000)
parser.add_argument("--cues", type=int, default=2000, help="a row")
parser.add_argument("--simulated", type=int, default=1, help="cues whose spikes are counted")
parser.add_argument("--cosines", type=float, nargs="+", default=[0.8, 0.7, 0.6])
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
parser.add_argument("--epochs", type=int, default=recipe.SETTINGS.epochs)
parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
parser.add_argument("--out", type=Path, default=Path("results/hippocampus.json"))


def main() -> None:
    args = parser.parse_args()
    embedder, rows = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings"), []
    learned = embedder.embed(list(dict.fromkeys(args.texts.read_text(encoding="utf-8").splitlines())))
    held = embedder.embed(list(dict.fromkeys(t for load in (stsb, hotpotqa, locomo, mrpc) for task in load(args.data) for t in task.texts)))
    for seed in args.seeds:
        rng = np.random.default_rng(seed)
        vectors = held[rng.permutation(len(held))[: args.memories]]
        own = rng.choice(len(vectors), min(args.cues, len(vectors)), replace=False)
        given = {cosine: recipe.degraded(vectors[own], cosine, rng) for cosine in args.cosines}
        for cosine, x in given.items():
            rows.append({"seed": seed, "kind": "nearest", "cosine": cosine, "own": float(((x @ vectors.T).argmax(1) == own).mean())})
            print(f"seed {seed}, {len(vectors):,} memories: {cosine} nearest vector {rows[-1]['own']:.4f}")
        for kind in args.kinds:
            memory = filled(spec_of(args, kind, seed, learned), vectors, seed)
            spikes = counted(memory, given[args.cosines[0]][: args.simulated])
            for cosine, x in given.items():
                right = float((memory.recall(x).ids[:, 0] == own).mean())
                low, high = wilson(right, len(own))
                row = {"seed": seed, "kind": kind, "cosine": cosine, "own": right, "spikes": spikes}
                rows.append(row)
                print(f"seed {seed} {kind:<10} {cosine} own {right:.4f} [{low:.3f}, {high:.3f}]   spikes {spikes}", flush=True)
            args.out.write_text(json.dumps({"memories": len(vectors), "cues": len(own), "rows": rows}, indent=1))


def spec_of(args: argparse.Namespace, kind: str, seed: int, learned: NDArray[np.float32]) -> ModelSpec:
    """The model with the weights of a kind, which are trained where they are not there yet."""
    spec = load_model(args.trained if kind == "trained" else args.model)
    if kind == "drawn":
        return recipe.with_weights(spec, None)
    folder = args.out.parent / "hippocampus"
    if kind == "all inputs":
        file = recipe.untrained(spec.ec.dim).save(folder / "all-inputs.safetensors")
    else:
        settings = replace(recipe.SETTINGS, seed=seed, epochs=args.epochs, checkpoint=folder / f"seed-{seed}-epochs-{args.epochs}")
        with Progress(transient=True) as bar:
            task = bar.add_task(f"training, seed {seed}", total=None)
            made = recipe.train(learned, settings, progress=lambda done, total: bar.update(task, completed=done, total=total))
        print(f"seed {seed}: gains from the least to the most varying axes {made.gains.round(2).tolist()}, {made.history.seconds:.0f} s")
        file = made.save(folder / f"seed-{seed}.safetensors")
    return recipe.with_weights(spec, file)


def filled(spec: ModelSpec, vectors: NDArray[np.float32], seed: int) -> Hippocampus:
    """A memory that has slept after it was filled."""
    memory = Hippocampus(spec, seed=seed)
    memory.store(vectors)
    memory.consolidate()
    return memory


def counted(memory: Hippocampus, given: NDArray[np.float32]) -> dict[str, float]:
    """Spikes of a recall in EC, DG and CA3, the mean of some cues, from a simulation."""
    recording = memory.recall(given, record=True).recording
    return {name: len(recording[name].cell) / len(given) for name in ("ec", "dg", "ca3")} if recording else {}


if __name__ == "__main__":
    main()

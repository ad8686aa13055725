"""Gate by gate, how far the spiking SPMN cell lies from its rate twin: the same weights, T steps of an event against probabilities.

    python sims/learning/spmn_gates.py --data ../shared/data
    python sims/learning/spmn_gates.py --data ../shared/data --task slots --weights slots.safetensors

Stories of 8 of STS-B's test sentences (Cer 2017) are written into the memory; before each write both cells have the rate twin's memory. The
weights are those of `spikemem train spmn --task write|slots`; without a file the network is trained for --epochs first. Prints the mean
|spiking - rate| of update, reset, candidate and memory, and writes results/spmn_gates.json, which analysis/learning/spmn_gates.py draws.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
from rich.progress import Progress
from torch import Tensor

from spikemem.errors import SpikememError
from spikemem.learn import load
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import Embedder, SentenceEmbedder
from spikemem.spmn import SPMN
from spikemem.spmn.agreement import differences
from spikemem.training import slots, write_similarity
from spikemem.training.spmn import builder, embedded

TASKS = {"write": write_similarity.network, "slots": slots.network}
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--task", choices=TASKS, default="write")
parser.add_argument("--weights", type=Path, help="of the spiking cell, as `spikemem train spmn` writes them")
parser.add_argument("--epochs", type=int, default=2, help="of training, where there are no weights")
parser.add_argument("--steps", type=int, nargs="+", default=[2, 4, 8, 16, 32, 64])
parser.add_argument("--stories", type=int, default=50)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/spmn_gates.json"))
GATES = ("update", "reset", "candidate", "memory")


def trained(args: argparse.Namespace, embedder: Embedder, seen: Tensor) -> SPMN:
    """The network of a task with its weights."""
    torch.manual_seed(args.seed)
    model = TASKS[args.task](seen.shape[1], builder("spiking"))
    with Progress(transient=True) as bar:
        step = bar.add_task("training", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(step, completed=done, total=total)

        if args.weights is not None:
            load(args.weights, model)
        elif args.task == "slots":
            slots.train(model, seen, replace(slots.DEFAULT, epochs=args.epochs, seed=args.seed), progress=progress)
        else:
            first, second = embedded(args.data, embedder, "train", ["STS-B"])["STS-B"]
            settings = replace(write_similarity.DEFAULT, epochs=args.epochs, seed=args.seed)
            write_similarity.train(model, first, second, settings, progress=progress)
    return model


def measure(args: argparse.Namespace, embedder: Embedder) -> dict[str, dict[int, float]]:
    """Mean |spiking - rate| of each of GATES, by steps."""
    seen, unseen = slots.sentences(args.data, embedder)
    model = trained(args, embedder, seen)
    happened = slots.stories(unseen, args.stories, 8, torch.Generator().manual_seed(args.seed))
    stimuli = {name: stimulus for name, stimulus in slots.stimuli(happened).items() if name in model.encoder.sizes}
    with torch.no_grad():
        events = model.events(stimuli)
    by_steps = {steps: differences(model.cell, events, steps) for steps in args.steps}
    return {gate: {steps: apart[gate] for steps, apart in by_steps.items()} for gate in GATES}


def main() -> None:
    args = parser.parse_args()
    try:
        apart = measure(args, CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings"))
    except SpikememError as error:
        sys.exit(f"error: {error}")
    print("  ".join(["   T", *(f"{gate:>9}" for gate in GATES)]))
    for steps in args.steps:
        print("  ".join([f"{steps:>4}", *(f"{apart[gate][steps]:>9.4f}" for gate in GATES)]))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(apart))


if __name__ == "__main__":
    main()

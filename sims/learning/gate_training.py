"""How the hippocampus's gates learn: trainings that differ in their seed, each judged on the fifth of the texts that it was not taught.

    python sims/learning/gate_training.py --seeds 0 1 2

A seed decides which texts are held out, the order and the changes of the streams, and the noise. What is held out also decides which
epoch's weights are taken; texts that had no part at all are those of sims/memory/gated_stream.py. Of seed 0 the weights are those that
ship.
Prints, for what should be done, the share of the held-out lessons on which the gates' values decide otherwise, and writes
results/gate_training.json; the weights are kept beside it, in gate_training/.
"""

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from spikemem import load_model
from spikemem.errors import SpikememError
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder
from spikemem.training import gates

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
parser.add_argument("--model", default="hippocampus-gated")
parser.add_argument("--out", type=Path, default=Path("results/gate_training.json"))


def main() -> None:
    args = parser.parse_args()
    embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
    weights = args.out.parent / "gate_training"
    weights.mkdir(parents=True, exist_ok=True)
    made = []
    try:
        spec = load_model(args.model).with_dim(embedder.dim)
        for seed in args.seeds:
            settings = replace(gates.SETTINGS, seed=seed, checkpoint=weights / f"checkpoint-{seed}")
            trained = gates.train(spec, embedder, weights / f"gates-{seed}.safetensors", settings, partial(print, file=sys.stderr))
            history, held_out = trained.history, {right: of._asdict() for right, of in trained.held_out.items()}
            told = {"seed": seed, "lessons": trained.lessons, "best": history.best, "seconds": history.seconds, "held_out": held_out}
            made.append(told | {"validation": history.validation})
            print(f"seed {seed}, {trained.lessons:,} lessons, best epoch {history.best}:")
            for right, of in trained.held_out.items():
                print(f"  {right:>9}  {of.wrong:.4f} of {of.n:,}")
    except SpikememError as error:
        sys.exit(f"error: {error}")
    args.out.write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()

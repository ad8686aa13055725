"""EC's trained code in the memory: hippocampus-trained beside hippocampus-base, on vectors alone.

    python sims/memory/trained_code.py --data ../shared/data --seeds 0 1 2

LoCoMo (Maharana 2024), as in locomo.py, with exact cosine beside them: shares of the questions with a turn of their evidence among the
first k, and synaptic events a question, for each seed of the wiring. Prints a table for each seed and writes results/trained_code.json.
"""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

from spikemem import load_model
from spikemem.data.datasets import locomo
from spikemem.errors import SpikememError
from spikemem.evaluate import retrieval
from spikemem.evaluate.baselines import Cosine
from spikemem.evaluate.systems import MemorySystem
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder

MODELS = ("hippocampus-base", "hippocampus-trained")
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--seeds", type=int, nargs="+", default=[0])
parser.add_argument("--out", type=Path, default=Path("results/trained_code.json"))


def main() -> None:
    args = parser.parse_args()
    measured = {}
    try:
        tasks, embedder = locomo(args.data), CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
        for seed in args.seeds:
            memories = [partial(MemorySystem, plain=True, model=load_model(name), seed=seed) for name in MODELS]
            folder = args.out.parent / f"trained_code-{seed}"
            rows = retrieval.run(tasks, embedder, folder, [Cosine, *memories], stage=lambda name: print(name, file=sys.stderr))
            print(f"seed {seed}\n\n{retrieval.markdown(rows)}")
            measured[seed] = [row.json() for row in rows]
    except SpikememError as error:
        sys.exit(f"error: {error}")
    retrieval.write(args.out, json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()

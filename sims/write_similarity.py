"""Memory changes beside events: the more alike two sentences, the more alike what they write.

    python sims/write_similarity.py --data ../shared/data --cell rate-v1 --seeds 0 1 2

SPMN's training step 0 (memory pre-check): copies of one memory, a sentence written into each, cos(dM_i, dM_j) against cos(e_i, e_j).
Trained on training pairs of STS-B (Cer 2017), its Chinese form and AFQMC (Xu 2020), judged on their test pairs, and on any two of 300 of
their sentences. Prints Pearson's correlation and writes results/write_similarity.json, which analysis/write_similarity.py draws.
"""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from rich.progress import Progress

from spikemem.cache import CachedEmbedder
from spikemem.embed import SentenceEmbedder
from spikemem.errors import SpikememError
from spikemem.training import write_similarity
from spikemem.training.spmn import CELLS, embedded

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS))
parser.add_argument("--epochs", type=int, default=write_similarity.DEFAULT.epochs)
parser.add_argument("--seeds", type=int, nargs="+", default=[0])
parser.add_argument("--out", type=Path, default=Path("results/write_similarity.json"))


def measure(args: argparse.Namespace) -> list[dict]:
    with Progress(transient=True) as bar:
        step = bar.add_task("embedding", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(step, completed=done, total=total)

        embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
        seen, unseen = (embedded(args.data, embedder, part, progress=progress) for part in ("train", "test"))
        rows = []
        for cell in args.cell:
            for seed in args.seeds:
                bar.update(step, description=f"{cell}, seed {seed}")
                settings = replace(write_similarity.DEFAULT, epochs=args.epochs, seed=seed)
                made = write_similarity.run(cell, seen, unseen, settings, progress=progress)
                for name, pairs in made.pairs.items():
                    row = {"cell": cell, "seed": seed, "data": name, "seconds": made.history.seconds, "correlation": pairs.correlation}
                    row |= {"error": pairs.error, "any two": made.any_two[name].correlation}
                    rows.append(row | {"changes": pairs.changes.tolist(), "events": pairs.events.tolist()})
    return rows


def main() -> None:
    args = parser.parse_args()
    try:
        rows = measure(args)
    except SpikememError as error:
        sys.exit(f"error: {error}")
    print(f"{'cell':<10}  seed  {'data':<10}  pairs  correlation  mean error  of any two  seconds")
    for row in rows:
        print(f"{row['cell']:<10}  {row['seed']:>4}  {row['data']:<10}  {len(row['events']):>5}  {row['correlation']:>11.3f}  "
              f"{row['error']:>10.3f}  {row['any two']:>10.3f}  {row['seconds']:>7.0f}")  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()

"""What happened when: SPMN writes sentences with their moments into its memory, and recall slots tell them back.

    python sims/slots.py --data ../shared/data --cell rate-v1 --seeds 0 1 2

SPMN's training step 1 (time and space pre-check): slots with a time position, a confidence and a content are matched to what happened by
the Hungarian method (Kuhn 1955). Trained on STS-B's training sentences (Cer 2017) in stories of 1 to 10, judged on 500 stories of 8 of its
test sentences, none of which was seen, and of news from another source, MRPC (Dolan & Brockett 2005), where it is there. Prints a table
and the calibration of the confidence, and writes results/slots.json.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

from rich.progress import Progress
from torch import Tensor

from spikemem.cache import CachedEmbedder
from spikemem.embed import Embedder, SentenceEmbedder
from spikemem.errors import MissingDataError, SpikememError
from spikemem.training import slots
from spikemem.training.spmn import CELLS, distinct

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS))
parser.add_argument("--epochs", type=int, default=slots.DEFAULT.epochs)
parser.add_argument("--seeds", type=int, nargs="+", default=[0])
parser.add_argument("--out", type=Path, default=Path("results/slots.json"))
COLUMNS = {"content": ".3f", "time": ".4f", "missed": ".1%", "false": ".1%", "displaced": ".1%", "calibration": ".4f"}


def elsewhere(data: Path, embedder: Embedder, seen: Tensor) -> dict[str, Tensor]:
    """Sentences of another source, less those that were seen; nothing where they are not there."""
    try:
        return {"MRPC": distinct(slots.elsewhere(data, embedder), but=seen)}
    except MissingDataError:
        return {}


def measure(args: argparse.Namespace) -> list[dict]:
    with Progress(transient=True) as bar:
        step = bar.add_task("embedding", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(step, completed=done, total=total)

        embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
        seen, unseen = slots.sentences(args.data, embedder, progress)
        others = elsewhere(args.data, embedder, seen)
        rows = []
        for cell in args.cell:
            for seed in args.seeds:
                bar.update(step, description=f"{cell}, seed {seed}")
                made = slots.run(cell, seen, unseen, replace(slots.DEFAULT, epochs=args.epochs, seed=seed), progress=progress)
                run = {"cell": cell, "seed": seed, "seconds": made.history.seconds, "losses": made.history.losses}
                figures = {"STS-B": made.figures} | {name: slots.evaluate(made.model, of, seed=seed) for name, of in others.items()}
                rows += [run | {"data": name, **asdict(judged)} for name, judged in figures.items()]
    return rows


def main() -> None:
    args = parser.parse_args()
    try:
        rows = measure(args)
    except SpikememError as error:
        sys.exit(f"error: {error}")
    print("  ".join([f"{'cell':<10}", "seed", f"{'data':<5}", *(f"{name:>11}" for name in COLUMNS), "  seconds"]))
    for row in rows:
        figures = (f"{row[name]:>11{form}}" for name, form in COLUMNS.items())
        print("  ".join([f"{row['cell']:<10}", f"{row['seed']:>4}", f"{row['data']:<5}", *figures, f"{row['seconds']:>9.0f}"]))
    print("\nconfidence of a slot, share of such slots that were right, slots")
    for row in rows:
        for sure, right, n in row["bins"]:
            print(f"{row['cell']:<10}  {row['seed']:>4}  {row['data']:<5}  {sure:.3f}  {right:.3f}  {n:>6,}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()

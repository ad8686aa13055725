"""What happened when: SPMN writes sentences with their moments into its memory, and recall slots tell them back.

    python sims/learning/slots.py --data ../shared/data --cell rate-v1 --seeds 0 1 2

SPMN's training step 1 (time and space pre-check): slots with a time position, a confidence and a content are matched to what happened by
the Hungarian method (Kuhn 1955). Trained on STS-B's training sentences (Cer 2017) in stories of 1 to 10, judged on 500 stories of 8 of its
test sentences, none of which was seen, and of news from another source, MRPC (Dolan & Brockett 2005), where it is there. Prints a table
and the calibration of the confidence, and writes results/slots.json.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from spmn_steps import Told, measured, options
from torch import Tensor

from spikemem.errors import MissingDataError
from spikemem.learn import Settings
from spikemem.memory.cache import CachedEmbedder
from spikemem.training import slots
from spikemem.training.spmn import distinct

COLUMNS = {"content": ".3f", "time": ".4f", "missed": ".1%", "false": ".1%", "displaced": ".1%", "calibration": ".4f"}
parser = options(__doc__, slots.DEFAULT, Path("results/slots.json"))


def sentences(data: Path, embedder: CachedEmbedder, progress: Told) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Those to learn from, those of the same source to be judged on, and those of another, less what was seen, where they are there."""
    seen, unseen = slots.sentences(data, embedder, progress)
    try:
        return seen, unseen, {"MRPC": distinct(slots.elsewhere(data, embedder), but=seen)}
    except MissingDataError:
        return seen, unseen, {}


def judge(cell: str, given: tuple[Tensor, Tensor, dict[str, Tensor]], settings: Settings, progress: Told) -> Iterator[dict]:
    """Train, and a row for each source."""
    seen, unseen, others = given
    made = slots.run(cell, seen, unseen, settings, progress=progress)
    figures = {"STS-B": made.figures} | {name: slots.evaluate(made.model, of, seed=settings.seed) for name, of in others.items()}
    for name, judged in figures.items():
        yield {"data": name, "seconds": made.history.seconds, "losses": made.history.losses, **asdict(judged)}


def main() -> None:
    args = parser.parse_args()
    rows = measured(args, slots.DEFAULT, lambda embedder, progress: sentences(args.data, embedder, progress), judge)
    print("  ".join([f"{'cell':<10}", "seed", f"{'data':<5}", *(f"{name:>11}" for name in COLUMNS), "  seconds"]))
    for row in rows:
        figures = (f"{row[name]:>11{form}}" for name, form in COLUMNS.items())
        print("  ".join([f"{row['cell']:<10}", f"{row['seed']:>4}", f"{row['data']:<5}", *figures, f"{row['seconds']:>9.0f}"]))
    print("\nconfidence of a slot, share of such slots that were right, slots")
    for row in rows:
        for sure, right, n in row["bins"]:
            print(f"{row['cell']:<10}  {row['seed']:>4}  {row['data']:<5}  {sure:.3f}  {right:.3f}  {n:>6,}")


if __name__ == "__main__":
    main()

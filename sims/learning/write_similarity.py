"""Memory changes beside events: the more alike two sentences, the more alike what they write.

    python sims/learning/write_similarity.py --data ../shared/data --cell rate-v1 --seeds 0 1 2

SPMN's training step 0 (memory pre-check): copies of one memory, a sentence written into each, cos(dM_i, dM_j) against cos(e_i, e_j).
Trained on training pairs of STS-B (Cer 2017), its Chinese form and AFQMC (Xu 2020), judged on their test pairs, and on any two of 300 of
their sentences. Prints Pearson's correlation and writes results/write_similarity.json, which analysis/learning/write_similarity.py draws.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spmn_steps import Told, measured, options

from spikemem.learn import Settings
from spikemem.training import write_similarity
from spikemem.training.spmn import embedded

COLUMNS = ("correlation", "untrained correlation", "error", "untrained error", "any two")
parser = options(__doc__, write_similarity.DEFAULT, Path("results/write_similarity.json"))


def judge(cell: str, given: Any, settings: Settings, progress: Told) -> Iterator[dict]:
    """Train, and a row for each data set."""
    seen, unseen = given
    made = write_similarity.run(cell, seen, unseen, settings, progress=progress)
    for name, pairs in made.pairs.items():
        before = made.untrained[name]
        row = {"data": name, "seconds": made.history.seconds, "correlation": pairs.correlation, "error": pairs.error}
        row |= {"untrained correlation": before.correlation, "untrained error": before.error}
        yield row | {"any two": made.any_two[name].correlation, "changes": pairs.changes.tolist(), "events": pairs.events.tolist()}


def main() -> None:
    args = parser.parse_args()
    rows = measured(
        args,
        write_similarity.DEFAULT,
        lambda embedder, progress: [embedded(args.data, embedder, part, progress=progress) for part in ("train", "test")],
        judge,
    )
    print("  ".join([f"{'cell':<10}", "seed", f"{'data':<10}", "pairs", *(f"{name:>21}" for name in COLUMNS), "seconds"]))
    for row in rows:
        figures = (f"{row[name]:>21.3f}" for name in COLUMNS)
        start = (f"{row['cell']:<10}", f"{row['seed']:>4}", f"{row['data']:<10}", f"{len(row['events']):>5}")
        print("  ".join([*start, *figures, f"{row['seconds']:>7.0f}"]))


if __name__ == "__main__":
    main()

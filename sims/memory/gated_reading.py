"""Questions at the read gate: what a memory answers when it is asked for what it holds, and for what it does not.

    python sims/memory/gated_reading.py --data ../shared/data

The turns of each conversation of LoCoMo (Maharana 2024) come into a hippocampus-gated of its own, which is then asked the questions on
them and as many on another conversation. No text of LoCoMo had a part in the gates' training. LoCoMo's adversarial questions name the other
speaker: what they ask for was said, but not by that one. Prints how many questions were answered at all, with 95 % Wilson intervals, and
how often one of the first five hits was right, with the gate and had it been open; writes results/gated_reading.json.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.progress import Progress

from spikemem import Memory
from spikemem.data.datasets import Task, locomo
from spikemem.errors import SpikememError
from spikemem.evaluate.compare import wilson
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import Embedder, SentenceEmbedder

OTHERS = "of another conversation"
TOP = 5
COLUMNS = ("answered", "from", "to", "right@5", "right@5, open")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--model", default="hippocampus-gated")
parser.add_argument("--out", type=Path, default=Path("results/gated_reading.json"))


def run(task: Task, other: Task, embedder: Embedder, model: str, seed: int) -> list[dict[str, Any]]:
    """What came of each question.   right, open: whether a right turn is among the first hits, and would be with the gate open."""
    questions = [*zip(task.kind, task.questions, task.gold, strict=True)]
    questions += [
        (
            OTHERS,
            question,
            frozenset(),
        )
        for question in other.questions[: len(questions)]
    ]
    with Memory.open(None, model, embedder=embedder, seed=seed) as memory:
        ids = memory.store_all(task.embedded)
        found = memory.recall_all([question for _, question, _ in questions], TOP)
    made = []
    for (kind, question, gold), hits in zip(questions, found, strict=True):
        right = {ids[i] for i in gold}
        told = {"kind": kind, "question": question, "read": hits.read, "answered": bool(hits)}
        made.append(
            told | {name: any(hit.id in right for hit in some) for name, some in (("right", hits), ("open", [*hits, *hits.withheld]))}
        )
    return made


def rows(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each kind of question, for all on what was told, and for those on something else."""
    own = [t for t in told if t["kind"] not in (OTHERS, "adversarial")]
    groups = {kind: [t for t in told if t["kind"] == kind] for kind in sorted({t["kind"] for t in own})}
    groups |= {"all of these": own} | {kind: [t for t in told if t["kind"] == kind] for kind in ("adversarial", OTHERS)}
    made = []
    for name, some in groups.items():
        n = len(some)
        answered, right, open_ = (sum(t[of] for t in some) / n for of in ("answered", "right", "open"))
        made.append({"questions": name, "n": n, **dict(zip(COLUMNS, (answered, *wilson(answered, n), right, open_), strict=True))})
    return made


def main() -> None:
    args = parser.parse_args()
    try:
        tasks = locomo(args.data)
        embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
        told = []
        with Progress(transient=True) as bar:
            for i, task in enumerate(bar.track(tasks, description="conversations")):
                told += run(task, tasks[(i + 1) % len(tasks)], embedder, args.model, args.seed)
    except SpikememError as error:
        sys.exit(f"error: {error}")
    made = rows(told)
    print("\n".join(["| questions | n | " + " | ".join(COLUMNS) + " |", "| :-- |" + " --: |" * (len(COLUMNS) + 1)]))
    for row in made:
        print(f"| {row['questions']} | {row['n']:,} | " + " | ".join(f"{row[name]:.3f}" for name in COLUMNS) + " |")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"model": args.model, "seed": args.seed, "rows": made, "questions": told}, indent=1))


if __name__ == "__main__":
    main()

"""How many dendrites must open: recall of evidence in conversations for different numbers of candidates, and what they cost.

    python sims/memory/candidates.py --data ../shared/data

LoCoMo (Maharana 2024), each conversation a memory of its own. A candidate is an index cell whose dendrite CA3 or words have opened; where
more candidates find no more evidence, a pathway that would open further ones, such as synapses of word cells onto DG, has nothing to
add. Prints a table and writes results/candidates.json.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
from rich.progress import track

from spikemem import load_model
from spikemem.data.datasets import locomo
from spikemem.errors import SpikememError
from spikemem.evaluate.retrieval import HITS, found
from spikemem.evaluate.systems import MODEL, MemorySystem
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--candidates", type=int, nargs="+", default=[20, 30, 40, 60, 100, 1000])
parser.add_argument("--out", type=Path, default=Path("results/candidates.json"))


def main() -> None:
    args = parser.parse_args()
    embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
    tasks, rows = locomo(args.data), []
    for candidates in track(args.candidates, "recalling"):
        table = load_model(MODEL).model_dump()
        table["ca1"]["candidates"] = candidates
        system = MemorySystem(model=ModelSpec.model_validate(table))
        scores: dict[str, list[float]] = {m.name: [] for m in HITS}
        events = []
        for task in tasks:
            system.fit(task, embedder.embed)
            answers = found(task, system.rank(task.questions, 10))
            events.append(system.events)
            for m in HITS:
                scores[m.name] += [m.of(a, g) for a, g in zip(answers, task.gold, strict=True)]
        rows.append({"candidates": candidates, **{m: float(np.mean(s)) for m, s in scores.items()}, "events": float(np.mean(events))})
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows, indent=1))
    print("  ".join(f"{name:>10}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>10,.3f}" if value < 2 else f"{value:>10,.0f}" for value in row.values()))


if __name__ == "__main__":
    try:
        main()
    except SpikememError as error:
        sys.exit(f"error: {error}")

"""Damage: how often two models, and nearest neighbour by cosine, still recall what a paraphrase means.

    python sims/memory/damage.py --data ../shared/data

Sentences of STS-B (Cer 2017) are stored; a sentence that means the same as one of them (scored 4 or more) is a cue for it. Without a
folder, or where STS-B is not in it, they are the demo's statements and questions. Cells are lost, spikes get lost on their way, synapses
are cut or inexact, cells are noisy or leak (`Hippocampus.lesion` and the methods beside it); each row begins with the whole model. Prints
the share right with its 95 % Wilson interval and writes results/damage.json; `--out` names a figure, beside which they are written.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from rich.progress import Progress

from spikemem import Hippocampus, load_model, plots
from spikemem.data.corpus.statements import load_corpus
from spikemem.data.datasets import Task, stsb
from spikemem.errors import MissingDataError, SpikememError
from spikemem.evaluate import retrieval
from spikemem.evaluate.compare_damage import FLOATS, HARMS, Asked, DamageRow, compare_damage
from spikemem.memory.embed import SentenceEmbedder

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--models", nargs="+", default=["hippocampus-base", "hippocampus-engram"])
parser.add_argument("--memories", type=int, default=500)
parser.add_argument("--cues", type=int, default=100)
parser.add_argument("--seed", type=int, default=0, help="of the wiring; that of the damage is 0")
parser.add_argument("--out", type=Path, default=Path("results/damage.png"))


def main() -> None:
    args = parser.parse_args()
    try:
        task = task_in(args.data)
        asked = Asked.of(task, args.memories, args.cues)
        print(f"{len(asked.texts)} texts and {len(asked.cues)} cues of {task.dataset}", file=sys.stderr)
        embedder = SentenceEmbedder()
        vectors, cues = embedder.embed(asked.texts), embedder.embed(asked.cues)
        models = {name: Hippocampus(load_model(name), seed=args.seed) for name in args.models}
        for memory in models.values():
            memory.store(vectors)
        with Progress(transient=True) as bar:
            step = bar.add_task("damaging", total=None)
            rows = compare_damage(
                models, vectors, cues, asked.right, HARMS, lambda done, total: bar.update(step, completed=done, total=total)
            )
        retrieval.make_folder(args.out.parent)
        made = {"dataset": task.dataset, "memories": len(asked.texts), "seed": args.seed, "rows": [row.json() for row in rows]}
        retrieval.write(args.out.with_suffix(".json"), json.dumps(made, indent=1))
    except SpikememError as error:
        sys.exit(f"error: {error}")
    plots.damage(rows).savefig(args.out, dpi=150)
    print(markdown(rows, [*models, FLOATS]))


def task_in(data: Path) -> Task:
    """STS-B of a folder, or else the demo's statements, each with its questions."""
    try:
        return stsb(data)[0]
    except MissingDataError:
        corpus = load_corpus()
        texts = [corpus.texts[i] for i in corpus.alone]
        return Task.of("demo", "statements", texts, [(cue, {n}, "") for n, i in enumerate(corpus.alone) for cue in corpus.cues[i]])


def markdown(rows: list[DamageRow], systems: list[str]) -> str:
    """The rows as a table, "-" where a system has nothing of the kind."""

    def cell(row: DamageRow, system: str) -> str:
        if system not in row.shares:
            return "-"
        return "{:.3f} [{:.3f}, {:.3f}]".format(row.shares[system], *row.interval(system))

    heading = [f"damage (n = {rows[0].n})", *systems]
    lines = [[row.name, *(cell(row, system) for system in systems)] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heading, [":--", *["--:"] * len(systems)], *lines))


if __name__ == "__main__":
    main()

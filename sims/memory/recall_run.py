"""What the scripts on public data sets share: options, a progress bar, tables, and a result file."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.progress import Progress

from spikemem.data.datasets import Task
from spikemem.errors import MissingDataError, SpikememError
from spikemem.evaluate import retrieval
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder


def main(description: str | None, loaders: Sequence[Callable[[Path], list[Task]]], out: str) -> None:
    """Measure every system on what the loaders find in --data; at least one has to find something."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
    parser.add_argument("--out", type=Path, default=Path("results") / out)
    parser.add_argument("--fresh", action="store_true", help="measure anew what an earlier run has answered")
    args = parser.parse_args()
    try:
        tasks = load(args.data, loaders)
        with Progress(transient=True) as bar:
            step = bar.add_task("loading the embedder", total=None)
            embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
            rows = retrieval.run(
                tasks, embedder, args.out.parent, fresh=args.fresh, stage=lambda name: bar.update(step, description=name),
                progress=lambda done, total: bar.update(step, completed=done, total=total),
            )  # fmt: skip
        retrieval.write(args.out, json.dumps([row.json() for row in rows], indent=1))
    except SpikememError as error:
        sys.exit(f"error: {error}")
    print(retrieval.markdown(rows))


def load(data: Path, loaders: Sequence[Callable[[Path], list[Task]]]) -> list[Task]:
    tasks: list[Task] = []
    missing = []
    for loader in loaders:
        try:
            tasks += loader(data)
        except MissingDataError as error:
            missing.append(str(error))
    for reason in missing:
        print(f"left out: {reason}", file=sys.stderr)
    if not tasks:
        raise MissingDataError(f"{'; '.join(missing)}; give --data or set SPIKEMEM_DATA (docs/data.md says where to get it)")
    return tasks

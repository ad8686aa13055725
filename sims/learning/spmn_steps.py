"""What the simulations of SPMN's training steps share: their options, their bar, and the loop over cells and seeds."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.progress import Progress

from spikemem.errors import SpikememError
from spikemem.learn import Settings
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder
from spikemem.training.spmn import CELLS

Told = Callable[[int, int], None]


def options(description: str | None, default: Settings, out: Path) -> argparse.ArgumentParser:
    """Options of a step.   out: where its rows are written."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
    parser.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--lr", type=float, default=default.lr)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=out)
    return parser


def measured(
    args: argparse.Namespace,
    default: Settings,
    sentences: Callable[[CachedEmbedder, Told], Any],
    judge: Callable[[str, Any, Settings, Told], Iterator[dict]],
) -> list[dict]:
    """The rows of every cell and seed, written to `args.out` at the end; a SpikememError ends the program.

    sentences: embeds what is to be learned from and judged on.   judge: trains a cell on that and gives its rows.
    """
    rows = []
    try:
        with Progress(transient=True) as bar:
            step = bar.add_task("embedding", total=None)

            def progress(done: int, total: int) -> None:
                bar.update(step, completed=done, total=total)

            given = sentences(CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings"), progress)
            for cell in args.cell:
                for seed in args.seeds:
                    bar.update(step, description=f"{cell}, seed {seed}")
                    settings = replace(default, epochs=args.epochs, lr=args.lr, seed=seed)
                    rows += [{"cell": cell, "seed": seed} | row for row in judge(cell, given, settings, progress)]
    except SpikememError as error:
        sys.exit(f"error: {error}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows))
    return rows

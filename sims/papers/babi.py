"""The twenty bAbI tasks (Weston et al. 2015): the spiking SPMN cell and its rate twin, each task alone.

    python sims/papers/babi.py --data ../shared/data --tasks 1 4 12 15 20
    python sims/papers/babi.py --data ../shared/data --jobs 2      # all twenty; goes on where it was stopped

Trained on nine tenths of a task's training stories (10,000 questions, or 1,000 where that file is missing), the other tenth decides when to
stop, and the test file is seen once. Each run leaves its outcome, the course of its loss and its weights in a folder of its own: one that
was killed goes on from its last epoch, one that has ended is not run again unless its folder is deleted. Prints test errors in per cent
beside those of MemN2N and EntNet. docs/learning.md was made with `--tasks 3 --epochs 30`, and `--seeds 0 1 2`.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

from spikemem.data.stories import TASKS
from spikemem.errors import SpikememError
from spikemem.learn import Epoch
from spikemem.spmn.firing import STEPS
from spikemem.training import babi

CELLS = {"spiking": STEPS, "rate": 0}
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--tasks", type=int, nargs="+", default=list(TASKS), choices=TASKS, metavar="TASK")
parser.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS))
parser.add_argument("--seeds", type=int, nargs="+", default=[0])
parser.add_argument("--epochs", type=int, default=babi.RECIPE.epochs)
parser.add_argument("--jobs", type=int, default=1, help="tasks trained at the same time, a thread each")
parser.add_argument("--out", type=Path, default=Path("results/babi"))


def run(args: argparse.Namespace, task: int, cell: str, seed: int) -> dict:
    """One training, unless its outcome is there already."""
    folder = args.out / f"{task:02}-{cell}-{seed}"
    done = folder / "outcome.json"
    if done.exists():
        return json.loads(done.read_text())
    if args.jobs > 1:
        torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)

    def tell(epoch: Epoch) -> None:
        line = f"task {task}, {cell}, seed {seed}, epoch {epoch.number}: loss {epoch.loss:.4f}, validation {epoch.validation:.4f}"
        line = "; ".join([line, *sorted({finding.name for finding in epoch.health})])
        print(line, file=sys.stderr, flush=True)
        with (folder / "log.txt").open("a") as log:
            print(line, file=log)

    settings = replace(babi.RECIPE, epochs=args.epochs, seed=seed, checkpoint=folder / "checkpoint")
    made = babi.learn_task(args.data, task, settings, steps=CELLS[cell], on_epoch=tell)
    outcome = made.outcome.json()
    babi.keep(folder / f"{cell}.safetensors", made.reader, **outcome)
    (folder / "losses.json").write_text(json.dumps({"losses": made.history.losses, "validation": made.history.validation}))
    done.write_text(json.dumps(outcome))
    return outcome


def table(outcomes: list[dict], tasks: list[int]) -> None:
    """Errors by task; of several seeds the one with the best validation, and in brackets the worst test error."""
    cells = list(dict.fromkeys(outcome["cell"] for outcome in outcomes))
    print("  ".join(["task", *(f"{cell:>16}" for cell in cells), "MemN2N", "EntNet"]))
    means: dict[str, list[float]] = {cell: [] for cell in cells}
    for task in tasks:
        line = [f"{task:>4}"]
        for cell in cells:
            runs = [o for o in outcomes if (o["task"], o["cell"]) == (task, cell)]
            best = min(runs, key=lambda o: (o["validation"], o["loss"]))
            worst = f" ({max(o['error'] for o in runs):.1f})" if len(runs) > 1 else ""
            means[cell].append(best["error"])
            line.append(f"{best['error']:.1f}{worst}".rjust(16))
        print("  ".join([*line, f"{babi.MEMN2N[task - 1]:>6.1f}", f"{babi.ENTNET[task - 1]:>6.1f}"]))
    published = [sum(errors[t - 1] for t in tasks) / len(tasks) for errors in (babi.MEMN2N, babi.ENTNET)]
    print("  ".join(["mean", *(f"{sum(m) / len(m):16.2f}" for m in means.values()), *(f"{mean:>6.2f}" for mean in published)]))
    if 3 in tasks:
        small = {o["trained_on"] for o in outcomes if o["task"] == 3}
        print(f"Task 3 was trained on {', '.join(map(str, sorted(small)))} questions.")


def main() -> None:
    args = parser.parse_args()
    todo = [(task, cell, seed) for task in args.tasks for cell in args.cell for seed in args.seeds]
    try:
        if args.jobs == 1:
            runs = [run(args, *one) for one in todo]
        else:
            with ProcessPoolExecutor(args.jobs) as pool:
                runs = list(pool.map(run, [args] * len(todo), *zip(*todo, strict=True)))
    except SpikememError as error:
        sys.exit(f"error: {error}")
    table(runs, args.tasks)


if __name__ == "__main__":
    main()

"""Errors in the bAbI tasks, from what sims/papers/babi.py wrote: bars for the spiking cell, its rate twin, MemN2N and EntNet.

python analysis/papers/babi.py results/babi --out babi.png
"""

import argparse
import json
import sys
from pathlib import Path

from spikemem import plots
from spikemem.training import babi

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("results", type=Path, nargs="?", default=Path("results/babi"))
parser.add_argument("--out", type=Path, default=Path("babi.png"))


def main() -> None:
    args = parser.parse_args()
    outcomes = [json.loads(path.read_text()) for path in sorted(args.results.glob("*/outcome.json"))]
    if not outcomes:
        sys.exit(f"error: no outcome in {args.results}; run sims/papers/babi.py first")
    errors: dict[str, dict[int, float]] = {}
    for outcome in sorted(outcomes, key=lambda o: (o["cell"] != "spiking", o["task"], -o["validation"], -o["loss"])):
        errors.setdefault(outcome["cell"], {})[outcome["task"]] = outcome["error"]  # the best validation of several seeds comes last
    for name, published in (("MemN2N", babi.MEMN2N), ("EntNet", babi.ENTNET)):
        errors[name] = {task: published[task - 1] for task in errors[outcomes[0]["cell"]]}
    plots.task_errors(errors).savefig(args.out, dpi=150)
    print(args.out)


if __name__ == "__main__":
    main()

"""The spiking SPMN cell's gates beside its rate twin's, from results/spmn_gates.json.

    python analysis/learning/spmn_gates.py

Draws results/spmn_gates.png: mean |spiking - rate| of each gate over the steps of an event.
"""

import argparse
import json
from pathlib import Path

from spikemem import plots

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/spmn_gates.json"), help="what sims/learning/spmn_gates.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/spmn_gates.png"))


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/learning/spmn_gates.py first")
    apart = {gate: {int(steps): mean for steps, mean in by_steps.items()} for gate, by_steps in json.loads(args.data.read_text()).items()}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    plots.differences(apart).savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

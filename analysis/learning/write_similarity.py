"""Memory change against event similarity, from results/write_similarity.json.

    python analysis/learning/write_similarity.py

Draws results/write_similarity.png: a row for each data set, a panel for each cell, a point for each held-out pair of sentences.
"""

import argparse
import json
from pathlib import Path

from spikemem import plots

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("results/write_similarity.json"), help="what sims/learning/write_similarity.py wrote")
parser.add_argument("--out", type=Path, default=Path("results/write_similarity.png"))


def main() -> None:
    args = parser.parse_args()
    if not args.data.is_file():
        raise SystemExit(f"no {args.data}; run sims/learning/write_similarity.py first")
    rows = json.loads(args.data.read_text())
    rows = sorted((row for row in rows if row["seed"] == rows[0]["seed"]), key=lambda row: row["data"])
    cells = {row["cell"] for row in rows}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    likeness = {f"{row['cell']}, {row['data']}": (row["events"], row["changes"]) for row in rows}
    plots.changes(likeness, columns=len(cells)).savefig(args.out, dpi=150)
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

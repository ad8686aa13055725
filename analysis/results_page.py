"""The page of results, docs/results.md, from what the measuring commands wrote.

    spikemem bench data ../shared/data
    spikemem compare --ablate --data ../shared/data
    python sims/rate_system_rows.py
    python analysis/results_page.py

Reads results/data.json, results/ablation.json and results/rate_system_rows.json, and says on which day each was made.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from rate_system_rows import markdown as rate_rows

from spikemem import retrieval

INTRODUCTION = """# Results

Made by `python analysis/results_page.py` from what the commands below wrote; nothing is typed by hand. Shares with 95 % Wilson intervals.

*Spiking memory* is `hippocampus-text`: meaning, words, context and spreading in spikes. *Rate twin* has the same pathways in floating
point, over all memories and without spikes. *Vectors alone* is `hippocampus-base` and the rate system as it was. All read the same texts
and use the same embeddings (all-MiniLM-L6-v2). `events` are synaptic events a question, `ms` milliseconds a question in batches of 100
without the embedder, systems taking turns in one run on two cores: read them as ratios.

One setting of the gains serves all data sets. It was chosen on the first three LoCoMo conversations (conv-26, conv-30, conv-41), the first
half of the HotpotQA questions and every other pair of STS-B and MRPC, but the other halves were in sight while it was chosen, so that they
are no untouched test. LongMemEval and BANKING77 had no part in the choice.
"""
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--results", type=Path, default=Path("results"))
parser.add_argument("--out", type=Path, default=Path("docs/results.md"))


def made(file: Path) -> str:
    """The day on which a file was written."""
    return f"{datetime.fromtimestamp(file.stat().st_mtime, UTC):%Y-%m-%d}"


def page(results: Path) -> str:
    data, ablation, rows = (results / f"{name}.json" for name in ("data", "ablation", "rate_system_rows"))
    return "\n".join(
        [
            INTRODUCTION,
            f"# Public data, {made(data)}\n\n`spikemem bench data DIR`\n",
            retrieval.markdown(retrieval.load(data)),
            f"# Each pathway left out, and alone, {made(ablation)}\n\n`spikemem compare --ablate --data DIR`\n",
            retrieval.markdown(retrieval.load(ablation)),
            f"# The rate system's own rows, {made(rows)}\n\n`python sims/rate_system_rows.py`\n",
            rate_rows(json.loads(rows.read_text(encoding="utf-8"))["rows"]) + "\n",
        ]
    )


def main() -> None:
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page(args.results), encoding="utf-8")
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()

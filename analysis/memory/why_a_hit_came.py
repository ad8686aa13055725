"""Why a question brings back what it does: the drive of each hit by pathway, in the conversation that ships with spikemem.

    python analysis/memory/why_a_hit_came.py

Draws docs/why.png, 900 pixels wide.
"""

import argparse
from datetime import datetime
from pathlib import Path

from spikemem import Memory, plots
from spikemem.data.corpus import load_conversation

QUESTION = "Why would the engine not start?"
AROUND = "2024-04-15"
WIDTH = 900

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--question", default=QUESTION)
parser.add_argument("--around", type=datetime.fromisoformat, default=AROUND, help="the date that the question asks about")
parser.add_argument("--top", type=int, default=5)
parser.add_argument("--out", type=Path, default=Path("docs/why.png"))


def main() -> None:
    args = parser.parse_args()
    with Memory.open() as memory:
        memory.store_conversation(load_conversation().sessions)
        hits = memory.recall(args.question, args.top, around=args.around)
    figure = plots.drives(hits, title=f"“{args.question}”, asked around {args.around:%Y-%m-%d}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=WIDTH / figure.get_figwidth())
    print(f"drew {args.out}")


if __name__ == "__main__":
    main()

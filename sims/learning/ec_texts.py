"""Sentences to train EC's code on, all under licences that let the weights be given away.

    python sims/learning/ec_texts.py --data ../shared/data --out results/ec_texts
    spikemem train ec --data results/ec_texts

BANKING77 (Casanueva 2020; CC BY 4.0): its questions. LongMemEval (Wu 2024; MIT and Apache-2.0): the sentences of its sessions. spikemem's
own statements, cues, conversation, and sentences composed from templates (MIT). One file each, one sentence a line.
"""

import argparse
import os
import re
from pathlib import Path

from spikemem.data.corpus import load_conversation
from spikemem.data.corpus.background import compose
from spikemem.data.datasets import banking77, longmemeval
from spikemem.report.demo import load_corpus

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--composed", type=int, default=6000)
parser.add_argument("--shortest", type=int, default=20, help="characters of a sentence")
parser.add_argument("--out", type=Path, default=Path("results/ec_texts"))


def main() -> None:
    args = parser.parse_args()
    corpus, talk = load_corpus(), load_conversation()
    own = corpus.texts + [cue for cues in corpus.cues for cue in cues] + [t.line for t in talk.turns] + [q.text for q in talk.questions]
    turns = [text for task in longmemeval(args.data) for text in task.texts]
    texts = {
        "banking77": [text for task in banking77(args.data) for text in (*task.embedded, *task.questions)],
        "longmemeval": [part for turn in turns for part in sentences(turn, args.shortest)],
        "spikemem": own + compose(args.composed, seed=1),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    for name, lines in texts.items():
        whole = list(dict.fromkeys(" ".join(line.split()) for line in lines))
        (args.out / f"{name}.txt").write_text("\n".join(whole) + "\n", encoding="utf-8")
        print(f"{len(whole):>7,} sentences in {args.out / name}.txt")


def sentences(turn: str, shortest: int) -> list[str]:
    """The sentences and list items of a turn, without those that hold no words."""
    parts = re.split(r"(?<=[.!?])\s+|\n+", turn)
    return [part.strip() for part in parts if len(part.strip()) >= shortest and re.search("[a-z]{3}", part)]


if __name__ == "__main__":
    main()

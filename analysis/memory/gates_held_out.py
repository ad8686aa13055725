"""Pairs that the gates were not taught: what a memory makes of the second sentence, by what it is to the first.

    python analysis/memory/gates_held_out.py

The pairs (tests/hippocampus/held_out_pairs.json) were written for this, in kinds of things, and mostly in sentences, that no training pair
has: captions that contradict, follow from or have nothing to do with one another, everyday updates, denials, the same words in another
order, another figure, and 150 pairs of biographies, meetings, orders and lists, both of which are true; and further captions, 60 that
contradict and 60 that are both true of one subject. With --data come pairs of STS-B's part to develop on that have little to do with one
another (a score of 2 at the most, nothing denied): the recipe leaves them out, the weights that ship had seen them.

Ten first sentences of a sort come into a memory, after five others; then the second ones. Prints how often each met the first, and was
written, superseded it, or was taken up by it, and how many first sentences superseded one that was told before, of which they tell nothing;
with --list those that did otherwise than they should; with --curve how often the first would be superseded if another share of the
gate's cells than a half had to fire.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from spikemem import Memory
from spikemem.data.corpus import load_facts
from spikemem.data.corpus.pairs import PairKind
from spikemem.evaluate.compare import wilson
from spikemem.memory.embed import SentenceEmbedder
from spikemem.training.gate_lessons import public_pairs

TOGETHER, BEFORE = 10, 5
"""Pairs that come into one memory, and other sentences that it is told before."""
PAIRS = Path(__file__).parents[2] / "tests" / "hippocampus" / "held_out_pairs.json"
ON = 0.5
"""The share of its cells above which a gate is on."""
SUPERSEDED = ("contradiction", "further contradiction", "update", "denial")
"""Sorts of pairs whose first sentence the second should supersede."""
SHARES = (0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the cells of `reset` above which a memory would be superseded."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--pairs", type=Path, default=PAIRS)
parser.add_argument("--model", default="hippocampus-gated")
parser.add_argument("--data", type=Path, help="the folder with STS-B, of whose pairs unrelated ones are tried, too")
parser.add_argument("--list", action="store_true", help="pairs of which the wrong ones became")
parser.add_argument("--curve", action="store_true", help="the shares superseded at other thresholds")


class Told(NamedTuple):
    """What was decided about a second sentence: "write" where it met another memory than its first one, whatever became of that.

    fired: the share of the cells of `reset`, nought where `update` was silent.
    """

    met: bool
    action: str = "write"
    fired: float = 0.0


def decided(memory: Memory, pairs: list[list[str]]) -> tuple[list[Told], int]:
    """What was decided about each second sentence, and how many first ones superseded something."""
    memory.store_all(load_facts().before[:BEFORE])
    ids = memory.store_all([first for first, _ in pairs])
    wrong = sum(d.action == "supersede" for d in memory.decisions)
    memory.store_all([second for _, second in pairs])
    done = zip(memory.decisions, ids, strict=True)
    return [Told(True, d.action, d.gates["reset"] * (d.gates["update"] > ON)) if d.old == i else Told(False) for d, i in done], wrong


def main() -> None:
    args = parser.parse_args()
    sorts = json.loads(args.pairs.read_text(encoding="utf-8"))
    if args.data is not None:
        sorts["unrelated, STS-B"] = [list(pair[:2]) for pair in public_pairs(args.data, "dev") if pair.kind is PairKind.BESIDE]
    embedder = SentenceEmbedder()
    print("| second is | n | met | superseded | 95 % | written | taken up | others superseded |\n|---|---|---|---|---|---|---|---|")
    for sort, pairs in sorts.items():
        told, others = list[Told](), 0
        for start in range(0, len(pairs), TOGETHER):
            with Memory.open(None, args.model, embedder=embedder) as memory:
                some, wrong = decided(memory, pairs[start : start + TOGETHER])
                told, others = told + some, others + wrong
        done, n = Counter(t.action for t in told), len(pairs)
        share = done["supersede"] / n
        low, high = wilson(share, n)
        taken = (done["refresh"] + done["renew"]) / n
        shares = f"{share:.3f} | {low:.2f} to {high:.2f} | {done['write'] / n:.3f} | {taken:.3f}"
        print(f"| {sort} | {n} | {sum(t.met for t in told) / n:.3f} | {shares} | {others} |", flush=True)
        if args.curve:
            print("    " + ", ".join(f"{sum(t.fired > most for t in told) / n:.3f} above {most}" for most in SHARES), flush=True)
        if args.list:
            for (first, second), of in zip(pairs, told, strict=True):
                if (of.action == "supersede") != (sort in SUPERSEDED):
                    print(f"    {of.action}: {first} / {second}")


if __name__ == "__main__":
    main()

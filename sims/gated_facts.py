"""Pairs of facts at the gates: what a memory makes of the second, where it updates, denies, stands beside or rewords the first.

    python sims/gated_facts.py

A hundred pairs of sentences, written for this and taught to nothing (spikemem/corpus/facts.json), each kind in a memory of its own that has
been told twenty other things: a fact has changed ("Nora lives in Bergen.", "... in Trondheim."), is denied, stands beside another of its
form ("The cat is black.", "The dog is black."), or comes in other words. Prints how often each was written, overwrote the first, refreshed
or renewed it, and writes results/gated_facts.json.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from spikemem import Memory
from spikemem.corpus import load_facts
from spikemem.embed import SentenceEmbedder
from spikemem.errors import SpikememError

ACTIONS = ("write", "overwrite", "refresh", "renew")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-gated")
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the memory's wiring and noise")
parser.add_argument("--out", type=Path, default=Path("results/gated_facts.json"))


def main() -> None:
    args = parser.parse_args()
    facts, embedder = load_facts(), SentenceEmbedder()
    told: list[dict[str, Any]] = []
    try:
        for kind, pairs in facts.pairs.items():
            for seed in args.seeds:
                with Memory.open(None, args.model, embedder=embedder, seed=seed) as memory:
                    memory.store_all([*facts.before, *(first for first, _ in pairs)])
                    for first, second in pairs:
                        memory.store(second)
                        decision = memory.decisions[0]
                        told.append({"kind": kind, "seed": seed, "first": first, "second": second, "action": decision.action})
    except SpikememError as error:
        sys.exit(f"error: {error}")
    rows = []
    print(f"{'second is':>12}   n  " + "  ".join(f"{action:>9}" for action in ACTIONS))
    for kind in facts.pairs:
        done = Counter(t["action"] for t in told if t["kind"] == kind)
        rows.append({"kind": kind, "n": done.total(), **{action: done[action] / done.total() for action in ACTIONS}})
        print(f"{kind:>12} {done.total():>3}  " + "  ".join(f"{rows[-1][action]:>9.2f}" for action in ACTIONS))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"model": args.model, "rows": rows, "pairs": told}, indent=1))


if __name__ == "__main__":
    main()

"""Pairs of facts at the gates: what a memory makes of the second, where it updates, denies, stands beside or rewords the first.

    python sims/memory/gated_facts.py

Pairs of sentences, written for this and taught to nothing (spikemem/data/corpus/facts.json), each kind in a memory of its own that has
been told twenty other things: a fact has changed ("Nora lives in Bergen.", "... in Trondheim."), is denied, stands beside another of its
form ("The cat is black.", "The dog is black."), comes in other words, has another figure ("Room 12 ...", "Room 14 ..."), or its words in
another order ("Pia called Lars.", "Lars called Pia."). Prints how often each was written, overwrote the first, refreshed or renewed it,
and how often, once all are told, the second sentence recalls itself, word for word; writes results/gated_facts.json.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from spikemem import Memory
from spikemem.data.corpus import load_facts
from spikemem.errors import SpikememError
from spikemem.memory.embed import SentenceEmbedder

ACTIONS = ("write", "supersede", "refresh", "renew")

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
                    memory.store_all([second for _, second in pairs])
                    decisions, hits = memory.decisions, memory.recall_all([second for _, second in pairs], 1)
                    for (first, second), decision, found in zip(pairs, decisions, hits, strict=True):
                        recalled = bool(found) and found[0].text == second
                        told.append(
                            {"kind": kind, "seed": seed, "first": first, "second": second, "action": decision.action, "recalled": recalled}
                        )
    except SpikememError as error:
        sys.exit(f"error: {error}")
    rows = []
    print(f"{'second is':>12}   n  " + "  ".join(f"{column:>9}" for column in (*ACTIONS, "recalled")))
    for kind in facts.pairs:
        own = [t for t in told if t["kind"] == kind]
        done, n = Counter(t["action"] for t in own), len(own)
        shares = {action: done[action] / n for action in ACTIONS} | {"recalled": sum(t["recalled"] for t in own) / n}
        rows.append({"kind": kind, "n": n, **shares})
        print(f"{kind:>12} {n:>3}  " + "  ".join(f"{share:>9.2f}" for share in shares.values()))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"model": args.model, "rows": rows, "pairs": told}, indent=1))


if __name__ == "__main__":
    main()

"""A stream of turns at the gates: what a memory writes, refreshes and supersedes when sentences come again, and contradict.

    python sims/memory/gated_stream.py --data ../shared/data

Turns of LoCoMo (Maharana 2024) come one after the other into hippocampus-gated. In the first stream a tenth are exact repeats, a twentieth
paraphrases: a word or contraction for its like, an opener, a closer or other punctuation, counted where their cosine is above .9. In the
second a tenth contradict besides, by another number, day, place or colour, or a "not", a twentieth stand beside an earlier turn, the
same of another person, animal or thing, and a twentieth ask whether one is so. No turn of LoCoMo had a part in the training, and
paraphrases come from that half of the words that may stand for one another which the gates were not trained on; the days, places and names
they know. New turns whose cosine with an earlier one is above .9 all the same are counted apart ("near"). Without the data the held-out
fifth of the project's own texts is used.

Prints what was decided for each kind, with 95 % Wilson intervals, and writes results/gated_stream.json.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from spikemem import Memory
from spikemem.data.corpus.stream import EventKind, StreamEvent, stream
from spikemem.data.datasets import locomo
from spikemem.errors import MissingDataError, SpikememError
from spikemem.evaluate.compare import wilson
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import Embedder, SentenceEmbedder
from spikemem.training.gate_lessons import held_out_texts

STREAMS = {
    "repeats": {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.05},
    "contradictions": {
        EventKind.REPEAT: 0.1,
        EventKind.PARAPHRASE: 0.05,
        EventKind.CONTRADICTION: 0.1,
        EventKind.BESIDE: 0.05,
        EventKind.QUESTION: 0.05,
    },
}
NEAR = 0.9
RIGHT = {"new": "write", "repeat": "renew", "paraphrase": "refresh", "contradiction": "supersede", "beside": "write", "question": "write"}
ACTIONS = ("write", "supersede", "refresh", "renew")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
parser.add_argument("--turns", type=int, default=2000, help="events of a stream")
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--model", default="hippocampus-gated")
parser.add_argument("--out", type=Path, default=Path("results/gated_stream.json"))


def turns(data: Path) -> tuple[str, list[str]]:
    """Where the sentences come from, and the sentences."""
    try:
        return "LoCoMo", [text for task in locomo(data) for text in task.embedded]
    except MissingDataError as error:
        print(f"{error}; the held-out fifth of the project's own texts instead", file=sys.stderr)
        return "the project's own texts", held_out_texts()


def nearest(events: list[StreamEvent], vectors: NDArray[np.float32]) -> list[float]:
    """The largest cosine of each event with one before it; with its own original where it comes again in other words."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return [float((unit[:i] @ unit[i]).max(initial=-1.0)) for i in range(len(events))]


def run(events: list[StreamEvent], embedder: Embedder, model: str, seed: int) -> tuple[list[dict[str, Any]], float]:
    """What became of each event, and the seconds that storing took, without the embedding."""
    near = nearest(events, embedder.embed([e.text for e in events]))
    holder: dict[int, int] = {}
    told = []
    with Memory.open(None, model, embedder=embedder, seed=seed) as memory, Progress(transient=True) as bar:
        start = time.perf_counter()
        for event, cosine in bar.track(list(zip(events, near, strict=True)), description=f"seed {seed}"):
            memory.store(event.text)
            decision = memory.decisions[0]
            kind = "near" if event.kind is EventKind.NEW and cosine > NEAR else event.kind.value
            found = event.kind in (EventKind.NEW, EventKind.BESIDE, EventKind.QUESTION) or decision.old == holder.get(event.of)
            told.append({
                "text": event.text, "kind": kind, "action": decision.action, "found": found,
                "superseded": decision.held if decision.action == "supersede" else None,
                "cosine": round(cosine, 3), **decision.gates,
            })  # fmt: skip
            holder[event.of] = decision.id
        return told, time.perf_counter() - start


def rows(told: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """A row for each kind of event: what was done, how often, and how often it was right, on the memory that it should be done to."""
    made = []
    for kind in (*RIGHT, "near"):
        some = [t for t in told if t["kind"] == kind and not (kind == "paraphrase" and t["cosine"] <= NEAR)]
        if not some:
            continue
        done = Counter(t["action"] for t in some)
        row: dict[str, Any] = {"stream": name, "kind": kind, "n": len(some), **{a: done[a] / len(some) for a in ACTIONS}}
        if kind in RIGHT:
            right = sum(t["action"] == RIGHT[kind] and t["found"] for t in some)
            row |= {"right": right / len(some), "interval": wilson(right / len(some), len(some))}
        made.append(row)
    return made


def table(made: list[dict[str, Any]]) -> str:
    lines = ["| stream | event | n | written | superseded | refreshed | renewed | right |", "|---|---|---|---|---|---|---|---|"]
    for row in made:
        right = "" if "right" not in row else f"{row['right']:.3f} [{row['interval'][0]:.3f}, {row['interval'][1]:.3f}]"
        shares = " | ".join(f"{row[a]:.4f}" for a in ACTIONS)
        lines.append(f"| {row['stream']} | {row['kind']} | {row['n']} | {shares} | {right} |")
    return "\n".join(lines)


def main() -> None:
    args = parser.parse_args()
    try:
        source, texts = turns(args.data)
        embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
        result: dict[str, Any] = {"source": source, "model": args.model, "rows": [], "seconds": {}, "events": {}}
        for name, shares in STREAMS.items():
            told, seconds = [], []
            for seed in range(args.seeds):
                rng = np.random.default_rng(seed)
                start = int(rng.integers(len(texts)))
                events = stream([*texts[start:], *texts[:start]], args.turns, shares, rng, "test")
                one, took = run(events, embedder, args.model, seed)
                told += one
                seconds.append(round(took, 1))
                result["events"].setdefault(name, one)
            result["rows"] += rows(told, name)
            result["seconds"][name] = seconds
    except SpikememError as error:
        sys.exit(f"error: {error}")
    print(f"{source}, {args.seeds} seeds, {args.turns} turns each; storing took {result['seconds']} s without the embedding\n")
    print(table(result["rows"]))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

"""Recorded recalls beside computed ones: where the short cut and the spikes disagree, on real questions.

    python -m tests.hippocampus.recorded --data ../shared/data
    python -m tests.hippocampus.recorded --data ../shared/data --model hippocampus-text --turns 200

Stores turns of LoCoMo's first conversation (Maharana 2024) with their words, sessions and moments, each bound to the next, and asks its
questions, a quarter of them in each of four states: as stored, after some memories were forgotten, after a sleep, and after some were
superseded. Each question is recalled, and followed along a chain, once by simulation and once without. Prints how many answers differ in
each field, which ought to be none, and writes results/recorded.json.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
from rich.progress import track

from spikemem import Hippocampus, load_model
from spikemem.data.datasets import locomo
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder
from spikemem.memory.texts import seconds

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, default=Path("../shared/data"))
parser.add_argument("--model", default="hippocampus-engram-small")
parser.add_argument("--turns", type=int, default=300)
parser.add_argument("--questions", type=int, default=500, help="of all conversations, since the first has fewer")
parser.add_argument("--top", type=int, default=3)
parser.add_argument("--simulator", default="event")
parser.add_argument("--out", type=Path, default=Path("results/recorded.json"))

FIELDS = ("ids", "scores", "vectors", "novelty", "competitors", "attention", "latency")
BATCH = 5
"""Questions in one simulation."""
STATES = ("stored", "some forgotten", "slept", "some superseded")


def change(memory: Hippocampus, state: str) -> None:
    living = np.flatnonzero(memory.circuit.living)
    if state == "some forgotten":
        memory.forget(living[5::10])
    elif state == "slept":
        memory.consolidate()
    elif state == "some superseded":
        for old in living[3:-1:20]:
            memory.supersede(int(old), int(old) + 1 if int(old) + 1 in living else int(living[-1]))


def main() -> None:
    args = parser.parse_args()
    embedder, tasks = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings"), locomo(args.data)
    spec, task = load_model(args.model), tasks[0]
    cells = spec.lex.cells if spec.lex else 1
    texts = task.texts[: args.turns]
    memory = Hippocampus(spec)
    memory.store(
        embedder.embed(task.embedded[: args.turns]),
        words=[[words(text, cells)] for text in texts],
        sessions=[-1 if s is None else s for s in task.sessions[: args.turns]],
        when=[math.nan if (at := seconds(w)) is None else at for w in task.when[: args.turns]],
    )
    memory.associate(np.arange(len(texts) - 1), np.arange(1, len(texts)))
    asked = [question for each in tasks for question in each.questions][: args.questions]
    cues, share = embedder.embed(asked), -(-len(asked) // len(STATES))
    differ = dict.fromkeys((*FIELDS, "chain"), 0)
    for s, state in enumerate(STATES):
        change(memory, state)
        rows = range(s * share, min((s + 1) * share, len(asked)))
        for first in track(range(rows.start, rows.stop, BATCH), f"{state}, {len(rows)} questions"):
            part = slice(first, min(first + BATCH, rows.stop))
            given = [words(question, cells) for question in asked[part]] if spec.lex else None
            fast, told = (memory.recall(cues[part], args.top, words=given, record=r, simulator=args.simulator) for r in (False, True))
            for name in FIELDS:
                one, other = getattr(fast, name), getattr(told, name)
                if one is not None and one.shape == other.shape:
                    same = (one == other) | (np.isnan(one) & np.isnan(other)) if one.dtype.kind == "f" else one == other
                    differ[name] += int((~same.reshape(len(one), -1).all(1)).sum())
                elif one is not None:
                    differ[name] += len(one)
            chain = memory.read_chain(memory.simulate_chain(cues[part], 2, args.simulator))
            differ["chain"] += int((chain != memory.recall_chain(cues[part], 2)).any(1).sum())
    result = {"model": args.model, "memories": len(texts), "questions": len(asked), "differ": differ}
    print(f"{args.model}, {len(texts)} memories, {len(asked)} questions; answers that differ: {differ}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

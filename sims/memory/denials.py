"""Paraphrases and denials: which of the two a sentence brings first.

    python sims/memory/denials.py --data ../shared/data

STS-B (Cer 2017), train and dev (--parts): pairs (a, b) that people score 4 or more, both statements with a verb that can be denied,
neither of which denies anything. a and b are denied by grammar ("not" behind the verb, "There is no ...", "Nobody ..."; another form from
pair to pair). All pairs share one memory, in which a sentence is to find what says the same:

    affirmed   stored  b, the denial of a                     cue  a                     right  b
    denied     stored  a, the denial of b                     cue  the denial of a       right  the denial of b

In the second task both denials are of different forms where b's grammar allows two; a constant penalty of "not" is no answer to it. Prints
shares with 95 % Wilson intervals, of cosine and of --model at each --gain of denials (0: none), and writes results/denials.json.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from spikemem import load_model
from spikemem.data.datasets import Task, pairs
from spikemem.errors import SpikememError
from spikemem.evaluate import retrieval
from spikemem.evaluate.baselines import Cosine, System
from spikemem.evaluate.compare import wilson
from spikemem.evaluate.systems import MODEL, MemorySystem
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import SentenceEmbedder

SAME = 4.0
"""The least score of a paraphrase, of 5."""
VERB = re.compile(r"\b(is|are|was|were|can|will)\b")
DENIES = re.compile(r"\b(no|not|nobody|never|without|nothing|none|nor|neither|cannot)\b|n['\u2019]t\b", re.IGNORECASE)
SUBJECT = re.compile(r"(?:An?|Some|Two|Three|The) (?P<who>[^,]+?) (?P<verb>is|are|was|were) (?P<what>\w+ing\b.*)")
SOMEBODY = re.compile(r"(?:An?|Some|The) (?:man|woman|person|people|men|women|boy|girl|child|guy) (?P<verb>is|are|was|were) (?P<what>.*)")


def denials(text: str) -> list[str]:
    """A sentence denied, in each form that its grammar allows; none where it has no verb to be denied.

    >>> denials("A man is playing a flute.")
    ['A man is not playing a flute.', 'There is no man playing a flute.', 'Nobody is playing a flute.']
    """
    if not VERB.search(text) or DENIES.search(text) or text.rstrip().endswith("?"):
        return []
    made = [VERB.sub(r"\1 not", text, count=1)]
    if subject := SUBJECT.fullmatch(text):
        made.append("There {verb} no {who} {what}".format(**subject.groupdict()))
    if somebody := SOMEBODY.fullmatch(text):
        made.append(f"Nobody {'was' if somebody['verb'] in ('was', 'were') else 'is'} {somebody['what']}")
    return made


def tasks(data: Path, parts: Sequence[str] = ("train", "dev")) -> list[Task]:
    """Both tasks, from the pairs of a folder; each sentence stands in one pair."""
    affirmed: tuple[list[str], list[tuple[str, set[int], str]]] = ([], [])
    denied: tuple[list[str], list[tuple[str, set[int], str]]] = ([], [])
    seen: set[str] = set()
    for part in parts:
        for a, b, score in pairs(data, "STS-B", part):
            of_a, of_b = denials(a), denials(b)
            if score is None or score < SAME or not of_a or not of_b or {a.lower(), b.lower()} & seen or a.lower() == b.lower():
                continue
            seen |= {a.lower(), b.lower()}
            n = len(affirmed[1])
            not_a = of_a[n % len(of_a)]
            not_b = next((t for t in of_b[::-1] if t.split()[0] != not_a.split()[0]), of_b[0])
            for (texts, asked), cue, right, wrong in ((affirmed, a, b, not_a), (denied, not_a, not_b, a)):
                asked.append((cue, {len(texts)}, ""))
                texts.extend((right, wrong))
    return [Task.of("denials", name, *what) for name, what in (("affirmed", affirmed), ("denied", denied))]


def at(gain: float, model: str = MODEL) -> MemorySystem:
    """The spiking memory with this gain of denials."""
    spec = load_model(model)
    return MemorySystem(model=spec.model_copy(update={"ca1": spec.ca1.model_copy(update={"denial": gain})}))


def hits(system: System, task: Task, embedder: CachedEmbedder) -> int:
    """How many cues bring the right text first."""
    system.fit(task, embedder.embed)
    first = system.rank(task.questions, 1)[:, 0]
    return sum(int(i) in gold for i, gold in zip(first, task.gold, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SPIKEMEM_DATA", "../shared/data")))
    parser.add_argument("--parts", nargs="+", default=["train", "dev"], choices=["train", "dev", "test"])
    parser.add_argument("--model", default=MODEL, help="hippocampus-text, hippocampus-engram, ...")
    parser.add_argument("--gain", nargs="+", type=float, default=[0.0, load_model(MODEL).ca1.denial])
    parser.add_argument("--out", type=Path, default=Path("results/denials.json"))
    args = parser.parse_args()
    try:
        made = tasks(args.data, args.parts)
        embedder = CachedEmbedder(SentenceEmbedder(), args.out.parent / "embeddings")
        rows = []
        for task in made:
            systems: list[tuple[str, System]] = [
                ("cosine", Cosine()),
                *((f"{args.model}, denial = {g:g}", at(g, args.model)) for g in args.gain),
            ]
            for name, system in systems:
                n, right = len(task.questions), hits(system, task, embedder)
                low, high = wilson(right / n, n)
                rows.append({"cues": task.name, "system": name, "n": n, "first": right / n, "low": low, "high": high})
                print(f"{task.name:10} {name:36} {right / n:.3f} [{low:.3f}, {high:.3f}] of {n}", flush=True)
        retrieval.write(args.out, json.dumps(rows, indent=1))
    except SpikememError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

"""Useful memories survive: a few that are asked for now and then among thousands of turns, beside what other rules of forgetting keep.

    python sims/memory/lifespans.py --figure docs/lifespans.png
    python sims/memory/lifespans.py --data DIR

A memory with a lifespan of so many turns hears a long conversation. Every `--every` turns it is asked for each of the `--useful` ones, by a
cue at a cosine of .7 (with --data, of turns of LoCoMo, by every second word). As many others are never asked for. Kept is what a cue of its
own brings back at the end. First in, first out (FIFO) and least recently used (LRU) keep as many memories as are awake at the end; to LRU
a question is a use. In a second run the questions end half way.

Then Memoria's whole step (Park and Bae 2024, `spikemem.hippocampus.lived`) hears the same turns and cues, one a step, each a memory: who is
kept, and, as its paper draws, the lives of the earliest memories (primacy), how old those are that a turn reminds of (recency), and how far
apart those that are reminded of together (contiguity). Prints tables, and writes results/lifespans.json.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spikemem import Memory
from spikemem.hippocampus import LifespanRule, forgotten, lived, no_lives
from spikemem.memory import Embedder, SentenceEmbedder
from spikemem.plots.style import INK, SERIES, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--turns", type=int, default=5000)
parser.add_argument("--useful", type=int, default=20)
parser.add_argument("--every", type=int, default=50, help="turns between questions")
parser.add_argument("--lifespan", type=float, default=250.0, help="turns")
parser.add_argument("--model", default="hippocampus-base")
parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of public data, for turns of LoCoMo")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--figure", type=Path, help="where to draw the picture")
parser.add_argument("--out", type=Path, default=Path("results/lifespans.json"))

DIM, SESSION = 384, 25
"""Dimensions of a turn's vector, and turns of a session, about as many as LoCoMo's have."""
TOPIC, CUE = 0.5, 0.7
"""The cosine of two turns of a session, about that of LoCoMo's in MiniLM, and of a cue to what it asks for."""
REMINDED, GAIN = 5, 25.0
"""Of Memoria's step: how many memories of short and of long term a turn reminds of, and the turns that each gains."""
WIDEST = 30
"""The largest lag that is counted."""
AGES = (1, 3, 10, 30, 100, 300, 1000)
"""Bounds of the ages that are counted, steps."""


class Stream(NamedTuple):
    """A conversation.   turns: its texts.   cues: of the useful ones and of those that nobody asks for, by their place.

    useful, others: places of turns.
    """

    turns: list[str]
    cues: dict[int, str]
    useful: list[int]
    others: list[int]
    embedder: Embedder


class Vectors:
    """An embedder of made-up turns: a topic a session, and a paraphrase of what a text "cue of turn n" asks for."""

    def __init__(self, turns: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        topics = unit(rng.normal(size=(1 + turns // SESSION, DIM)))
        self.name, self.dim = "turns", DIM
        self._turns = mixed(np.repeat(topics, SESSION, 0)[:turns], math.sqrt(TOPIC), rng)
        self._cues = mixed(self._turns, CUE, rng)

    def embed(self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None) -> NDArray[np.float32]:
        return np.stack([(self._cues if text.startswith("cue") else self._turns)[int(text.split()[-1])] for text in texts])


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def mixed(vectors: NDArray[np.float32], cosine: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Unit vectors at a cosine to the given ones."""
    return unit(cosine * vectors + math.sqrt(1 - cosine**2) * unit(rng.normal(size=vectors.shape)))


def made_up(turns: int, useful: int, seed: int) -> Stream:
    """A conversation of vectors; what is useful, and what is not, is from its first twentieth."""
    chosen = np.random.default_rng([seed, 1]).permutation(turns // 20)[: 2 * useful].tolist()
    texts, cues = [f"turn {n}" for n in range(turns)], {n: f"cue of turn {n}" for n in chosen}
    return Stream(texts, cues, sorted(chosen[:useful]), sorted(chosen[useful:]), Vectors(turns, seed))


def locomo(folder: Path, turns: int, useful: int, seed: int) -> Stream:
    """The same of LoCoMo's turns, each text once; a cue is every second word of a turn of at least twelve."""
    from spikemem.data import DATASETS

    texts = list(dict.fromkeys(text for task in DATASETS["LoCoMo"](folder) for text in task.embedded))[:turns]
    long = [n for n, text in enumerate(texts[: max(10 * useful, len(texts) // 20)]) if len(text.split()) >= 12]
    chosen = np.random.default_rng([seed, 1]).permutation(long)[: 2 * useful].tolist()
    cues = {n: " ".join(texts[n].split()[::2]) for n in chosen}
    return Stream(texts, cues, sorted(chosen[:useful]), sorted(chosen[useful:]), SentenceEmbedder())


def heard(stream: Stream, args: argparse.Namespace, until: int) -> dict[str, float]:
    """The shares that are kept, of the useful and of the others; questions end at a turn."""
    used = dict[int, float]()  # by turn: when it was stored or asked for last
    with Memory.open(None, args.model, embedder=stream.embedder, seed=args.seed, lifespan=args.lifespan) as memory:
        for start in range(0, len(stream.turns), args.every):
            stop = min(start + args.every, len(stream.turns))
            used |= {i: i for i in memory.store_all(stream.turns[start:stop])}
            asked = [n for n in stream.useful if n < stop <= until]
            memory.recall_all([stream.cues[n] for n in asked], top_k=1)
            used |= dict.fromkeys(asked, stop - 0.5)
        awake = [record.strength > 0 for record in memory.list()]
        back = {n: bool(hits) and hits[0].id == n for n in stream.cues for hits in [memory.recall(stream.cues[n], top_k=1)]}
    size = sum(awake)
    latest = sorted(used, key=lambda n: used[n])[-size:]
    return {
        "awake": size, "useful": float(np.mean([back[n] for n in stream.useful])),
        "others": float(np.mean([back[n] for n in stream.others])), "fifo": float(np.mean([n >= len(awake) - size for n in stream.useful])),
        "lru": float(np.mean(np.isin(stream.useful, latest))),
    }  # fmt: skip


def memoria(stream: Stream, args: argparse.Namespace) -> dict[str, Any]:
    """Memoria's step on the turns, and on the cues as further turns."""
    vectors = stream.embedder.embed(stream.turns)
    rng = np.random.default_rng([args.seed, 2])
    rule = LifespanRule(lifespan=2 * args.every, gain=GAIN, short=REMINDED, long=REMINDED, capacity=4 * args.every)
    lives, held, born, ended = no_lives(), np.zeros((0, vectors.shape[1]), np.float32), dict[int, int](), dict[int, int]()
    ages, lags = list[int](), np.zeros(WIDEST + 1)
    for n, turn in enumerate(vectors):
        cues = [mixed(vectors[m], CUE, rng) for m in stream.useful if m <= n] if n % args.every == args.every - 1 else []
        for vector in (turn, *cues):
            lives, ids = lived(lives, -((held - vector) ** 2).sum(1)[None], rule)
            held = np.concatenate([held, vector[None]])[~lives.silent]
            born.setdefault(n, lives.made - 1)
            ended |= dict.fromkeys(lives.id[lives.silent].tolist(), lives.made)
            lives = forgotten(lives)
            ages += (lives.made - 1 - ids).tolist()
            apart = np.abs(ids[:, None] - ids)[np.triu_indices(len(ids), 1)]
            lags += np.bincount(apart[apart <= WIDEST], minlength=WIDEST + 1)
    life = np.array([ended.get(i, lives.made) - i for i in range(lives.made)])
    counts = np.histogram(ages, AGES)[0] / np.diff(AGES) / lives.made
    first = int(0.02 * lives.made)
    return {
        "awake": len(lives.id), "useful": kept(stream.useful, born, lives.id), "others": kept(stream.others, born, lives.id),
        "primacy": [float(life[:first].mean()), float(life[first : lives.made // 2].mean())], "recency": counts.tolist(),
        "contiguity": (lags[1:] / lags.sum()).tolist(),
    }  # fmt: skip


def kept(places: list[int], born: dict[int, int], there: NDArray[np.int64]) -> float:
    return float(np.mean(np.isin([born[n] for n in places], there)))


def draw(rows: dict[str, dict[str, float]], step: dict[str, Any]) -> Figure:
    """Who is kept, and primacy, recency and contiguity of Memoria's step."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    panels = figure.subplots(1, 4, width_ratios=[2.2, 1, 1.2, 1.2])
    names = {"useful": "asked for", "others": "not asked for", "fifo": "FIFO", "lru": "LRU"}
    shown = [*rows.items(), ("Memoria's step", step)]
    for place, (name, label) in enumerate(names.items()):
        has = [(x, row[name]) for x, (_, row) in enumerate(shown) if name in row]
        panels[0].bar([x + 0.2 * (place - 1.5) for x, _ in has], [y for _, y in has], 0.18, color=SERIES[place], label=label)
        for x, y in has:
            panels[0].text(x + 0.2 * (place - 1.5), y + 0.02, f"{y:.2f}", ha="center", fontsize=6, color=INK)
    panels[0].set_xticks(range(len(shown)), [f"asked {name}" if name in rows else name for name, _ in shown], fontsize=8)
    panels[0].set_ylabel("kept", fontsize=8)
    panels[0].set_ylim(0, 1.1)
    panels[0].legend(fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=4)
    panels[1].bar(["first 2 %", "later"], step["primacy"], 0.6, color=SERIES[0])
    panels[1].set_ylabel("life, steps", fontsize=8)
    panels[2].loglog(np.sqrt(np.array(AGES[:-1]) * AGES[1:]), step["recency"], "o-", color=SERIES[0], markersize=4)
    panels[2].set_xlabel("age, steps", fontsize=8)
    panels[2].set_ylabel("P(reminded)", fontsize=8)
    panels[3].semilogy(range(1, WIDEST + 1), step["contiguity"], "o-", color=SERIES[0], markersize=3)
    panels[3].set_xlabel("steps between two reminded", fontsize=8)
    panels[3].set_ylabel("share", fontsize=8)
    for axes, title in zip(panels, ("", "primacy", "recency", "contiguity"), strict=True):
        axes.set_title(title, fontsize=9)
        tidy(axes)
    return figure


def main() -> None:
    args = parser.parse_args()
    stream = made_up(args.turns, args.useful, args.seed) if args.data is None else locomo(args.data, args.turns, args.useful, args.seed)
    n = len(stream.turns)
    rows = {"to the end": heard(stream, args, n), "half way": heard(stream, args, n // 2)}
    print(f"{n:,} turns, {args.useful} asked for every {args.every}, lifespan {args.lifespan:g}")
    for name, row in rows.items():
        print(f"  asked {name}: " + ", ".join(f"{key} {value:.3g}" for key, value in row.items()))
    step = memoria(stream, args)
    print("  Memoria's step: " + ", ".join(f"{key} {np.round(value, 4)}" for key, value in step.items()))
    if args.figure is not None:
        draw(rows, step).savefig(args.figure, dpi=120)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"turns": n, "lifespan": args.lifespan, "rows": rows, "memoria": step}, indent=1))


if __name__ == "__main__":
    main()

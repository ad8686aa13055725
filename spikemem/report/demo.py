"""The main job on the corpus that ships with spikemem: store sentences, recall them, and do the same with the rate twin.

Then the circuit in which CA3 recalls: the same sentences as engrams, and what is left of recall where CA3 is damaged.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikemem.data.corpus.statements import Corpus, load_corpus
from spikemem.evaluate import compare
from spikemem.evaluate.compare import Pair, Row
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.spec import ModelSpec, load_model
from spikemem.memory.embed import Embedder

HOPS = 3
CURVE = (5, 10, 25, 50, 100, 200)
"""Gamma cycles over which attention is counted; the figure is that of the last."""
ATTENTION_CUES = 200
QUICK = 12, 100
"""Chains (and changes), and statements that stand alone, of a quick run; of its cues a tenth count attention."""
QUICK_LOAD = 1000
"""Memories that the circuit of a quick run is made for."""
ENGRAMS = "hippocampus-engram-small"
"""The model in which CA3 recalls: small, so that all that is stored is a load."""
Stage = Callable[[str], None]


@dataclass(frozen=True)
class Damaged:
    """What CA3 recalls of n paraphrases under a damage.

    right: share of cues whose own memory came.   whole: share of the cells of its engram that fired, 0 where another came.
    """

    damage: str
    right: float
    whole: float
    n: int

    def json(self) -> dict[str, float | int]:
        return {"right": round(self.right, 4), "whole": round(self.whole, 4), "n": self.n}


@dataclass(frozen=True, eq=False)
class DemoResult:
    """The demo's figures.   rows: the table.   The numbers of `json`, and what the report's pictures are drawn from.

    attention_curve: total variation by gamma cycles; empty for a model of engrams, whose attempts are no attention.
    engrams: a memory of `ENGRAMS` that holds the same, and damaged: what it recalls.
    """

    corpus: Corpus
    rows: list[Row]
    agreement: float
    ec_cosine: float
    attention_curve: dict[int, float]
    synaptic_events: float
    simulated_events: int
    multiplications: float
    recall_ms: tuple[float, float]
    damaged: list[Damaged]
    seconds: float
    pair: Pair = field(repr=False)
    texts: NDArray[np.float32] = field(repr=False)
    cues: NDArray[np.float32] = field(repr=False)
    engrams: Hippocampus = field(repr=False)

    def json(self) -> dict[str, object]:
        """The figures as JSON-able values; the rows as `Row.json`, and the sharpness of the rate twin, published and chosen."""
        return {
            **{row.name.replace(" ", "_"): row.json() for row in self.rows},
            "sharpness": self.pair.sharpness,
            "agreement": round(self.agreement, 4),
            "ec_cosine": round(self.ec_cosine, 4),
            **({"attention_tv": round(self.attention_curve[CURVE[-1]], 4)} if self.attention_curve else {}),
            "attention_curve": {str(c): round(tv, 4) for c, tv in self.attention_curve.items()},
            "ca3": {each.damage.replace(" ", "_"): each.json() for each in self.damaged},
            "synaptic_events": round(self.synaptic_events),
            "simulated_events": self.simulated_events,
            "multiplications": round(self.multiplications),
            "recall_ms": {"spiking": round(self.recall_ms[0], 3), "rate": round(self.recall_ms[1], 3)},
            "seconds": round(self.seconds, 1),
        }


def run(spec: ModelSpec, embedder: Embedder, seed: int = 0, stage: Stage = lambda name: None, quick: bool = False) -> DemoResult:
    """Everything that the demo measures.   stage: called with the name of what begins.   quick: of a part of the corpus,
    in a circuit made for fewer."""
    start = time.perf_counter()
    corpus, spec = load_corpus(), spec.with_dim(embedder.dim)
    if quick:
        corpus, spec = corpus.some(*QUICK), spec.for_load(min(spec.load, QUICK_LOAD))
    stage(f"embedding {len(corpus.texts)} statements and their cues")
    texts = embedder.embed(corpus.texts)
    cues = np.stack([embedder.embed([c[j] for c in corpus.cues]) for j in range(2)], axis=1)  # [statement, 2, d]

    stage("storing, and recalling by exact cue and by paraphrase")
    ids, alone = np.arange(len(texts)), np.array(corpus.alone)
    plain = Pair.of(spec, texts, links=corpus.links, seed=seed)
    exact = plain.first(texts)
    unseen = plain.first(cues[alone].reshape(-1, texts.shape[1]))
    related = np.setdiff1d(ids, alone)
    versions = plain.first(cues[related].reshape(-1, texts.shape[1]))

    stage("recalling with one stored cue variant")
    stored = [cues[i, :1] if i in alone else None for i in ids]
    varied = Pair.of(spec, texts, stored, seed=seed).first(cues[alone, 1])

    stage("recalling chains")
    starts = np.array([chain[i : i + HOPS + 1] for chain in corpus.chains for i in range(len(chain) - HOPS)])
    rows = [
        exact.row("exact", ids),
        unseen.row("paraphrase", np.repeat(alone, 2)),
        varied.row("paraphrase with variant", alone),
        plain.chains("chain", texts[starts[:, 0]], starts[:, 1:]),
        versions.row("paraphrase of linked or changed facts", np.repeat(related, 2)),
    ]

    some = cues[alone[: ATTENTION_CUES // (10 if quick else 1)], 0]
    if spec.engram is None:
        stage("counting attention")
    curve = {cycles: compare.attention_tv(plain, some, cycles) for cycles in CURVE if spec.engram is None}

    stage("recalling by CA3, whole and damaged")
    engrams = stored_as_engrams(texts, seed)
    damaged = recalls(engrams, cues[alone, 0], alone, seed)
    everything = np.concatenate([texts, cues.reshape(-1, texts.shape[1])])
    agreed = np.concatenate([a.agree() for a in (exact, unseen, versions, varied)])
    return DemoResult(
        corpus, rows, float(agreed.mean()), round_trip(spec, everything), curve, float(unseen.spiking.events.mean()),
        plain.spiking.simulate_recall(some[0]).events,
        float(unseen.rate.events.mean()), _timed(plain, everything), damaged, time.perf_counter() - start, plain, texts, cues,
        engrams,
    )  # fmt: skip


def stored_as_engrams(vectors: NDArray[np.float32], seed: int) -> Hippocampus:
    """Vectors, [n, d], in the model `ENGRAMS`, by its short cut: a simulation of storing takes a tenth of a second for each."""
    memory = Hippocampus(load_model(ENGRAMS).with_dim(vectors.shape[1]).at_once(), seed=seed)
    memory.store(vectors)
    memory.consolidate()
    return memory


def recalls(memory: Hippocampus, cues: NDArray[np.float32], own: NDArray[np.int64], seed: int) -> list[Damaged]:
    """What CA3 recalls, whole and damaged, of cues [n, d] for memories own, [n]."""
    made = []
    for damage in ("none", "recurrent synapses cut", "half of its cells lost", "all of its cells silent"):
        if damage == "recurrent synapses cut":
            memory.cut("ca3->ca3")
        elif damage != "none":
            memory.lesion("ca3", 0.5 if "half" in damage else 1.0, seed=seed)
        found = memory.recall(cues)
        memory.restore()
        right = found.ids[:, 0] == own
        made.append(Damaged(damage, float(right.mean()), float(np.where(right, found.attention[:, 0], 0.0).mean()), len(own)))
    return made


def round_trip(spec: ModelSpec, vectors: NDArray[np.float32]) -> float:
    """Mean cosine between vectors [n, d] and what their EC spikes decode to."""
    unit = ec.unit(vectors, spec.ec.dim)
    decoded = ec.decode(spec.ec, ec.encode(spec.ec, unit))
    return float(((decoded * unit).sum(1) / np.linalg.norm(decoded, axis=1)).mean())


def _timed(pair: Pair, cues: NDArray[np.float32], repeats: int = 3) -> tuple[float, float]:
    """Median milliseconds a recall, spiking and rate, in batches, side by side."""
    times: list[list[float]] = [[], []]
    for _ in range(repeats):
        for kept, recall in zip(times, (pair.spiking.recall, pair.rate.recall), strict=True):
            start = time.perf_counter()
            recall(cues)
            kept.append(1e3 * (time.perf_counter() - start) / len(cues))
    return float(np.median(times[0])), float(np.median(times[1]))

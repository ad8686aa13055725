"""Spiking against rate: the same work for both memories, row by row, and beside them nearest neighbour by cosine.

The rate twin answers twice: at the sharpness of the model, which is the published one, and at one that is chosen on what is stored, by
the rule of `spikemem.evaluate.sharpness`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks, shown
from spikemem.errors import DataError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.spec import ModelSpec

if TYPE_CHECKING:  # its module loads torch
    from spikemem.hippocampus.rate_twin import RateHippocampus

check = Checks(DataError)
Z95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def vectors_of(value: Any, name: str, n: int | None = None) -> NDArray[Any]:
    """Vectors, [n, d], as an array."""
    return check.array(value, name, "fiu", shape=(n, None))


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n trials (Wilson 1927); for whole counts that of `scipy.stats.binomtest`, which takes no others,
    while a mean of fractions, as recall@k is, has an interval here as well.

    >>> [round(x, 3) for x in wilson(0.95, 200)]
    [0.91, 0.973]
    """
    share, n = check.number(share, "share", least=0, most=1), check.integer(n, "n", least=0, most=2**53)
    if n == 0:
        return 0.0, 1.0
    centre = share + Z95**2 / (2 * n)
    spread = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    scale = 1 + Z95**2 / n
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return (0.0 if share == 0 else low), (1.0 if share == 1 else high)


@dataclass(frozen=True)
class Row:
    """One line of the comparison: the share of n trials that each memory got right.

    rate: at the published sharpness.   chosen: the rate twin at the sharpness chosen on what is stored.   cosine: nearest neighbour.
    The last two are None where they were not measured; cosine has no chains.
    """

    name: str
    spiking: float
    rate: float
    n: int
    chosen: float | None = None
    cosine: float | None = None

    @property
    def shares(self) -> dict[str, float]:
        """The shares that were measured, by system."""
        every = {"spiking": self.spiking, "rate": self.rate, "chosen": self.chosen, "cosine": self.cosine}
        return {name: share for name, share in every.items() if share is not None}

    def json(self) -> dict[str, float | int | None]:
        more = {"rate_chosen": self.chosen, "cosine": self.cosine}
        known = {name: None if share is None else round(share, 4) for name, share in more.items()}
        return {"spiking": round(self.spiking, 4), "rate": round(self.rate, 4), **known, "n": self.n}


@dataclass(frozen=True, eq=False)
class Pair:
    """The spiking memory and its rate twin, filled alike.

    vectors, variants: what was stored, for cosine and for the twin of a chosen sharpness; without them there are neither.
    """

    spiking: Hippocampus
    rate: "RateHippocampus"
    vectors: NDArray[np.float32] | None = None
    variants: Sequence[NDArray[np.float32] | None] | None = None

    def __post_init__(self) -> None:
        from spikemem.hippocampus.rate_twin import RateHippocampus

        check.instance(self.spiking, "spiking", Hippocampus, "give a Hippocampus; Pair.of makes both")
        check.instance(self.rate, "rate", RateHippocampus, "give a RateHippocampus; Pair.of makes both")
        if self.vectors is not None:
            object.__setattr__(self, "vectors", vectors_of(self.vectors, "vectors"))
        if self.variants is not None:
            given = check.listed(self.variants, "variants", "vectors, or None, for each memory")
            object.__setattr__(
                self, "variants", [None if v is None else np.atleast_2d(check.array(v, "an item of variants", "fiu")) for v in given]
            )

    @classmethod
    def of(
        cls,
        spec: ModelSpec,
        vectors: NDArray[np.float32],
        variants: Sequence[NDArray[np.float32] | None] | None = None,
        links: Sequence[tuple[int, int]] = (),
        seed: int = 0,
    ) -> "Pair":
        """Store vectors [n, d] with their variants, and bind links (pairs of ids), in both."""
        from spikemem.hippocampus.rate_twin import RateHippocampus

        vectors, links = vectors_of(vectors, "vectors"), check.listed(links, "links", "pairs of ids")
        bound = check.indices(links, "links", len(vectors), shape=(None, 2)) if links else np.zeros((0, 2), np.int64)
        pair = cls(Hippocampus(spec, seed=seed), RateHippocampus(spec, seed=seed), vectors, variants)
        for memory in (pair.spiking, pair.rate):
            memory.store(vectors, variants=pair.variants)
            if len(bound):
                memory.associate(bound[:, 0], bound[:, 1])
        return pair

    @cached_property
    def chosen(self) -> "RateHippocampus | None":
        """The rate twin at the sharpness that is chosen on what was stored (`fair_sharpness`)."""
        from spikemem.evaluate.sharpness import fair_sharpness

        return None if self.vectors is None else self.rate.at(fair_sharpness(self.rate, self.vectors))

    @property
    def sharpness(self) -> dict[str, float]:
        """The published sharpness of the rate twin and, where vectors are known, the chosen one."""
        return {"published": self.rate.sharpness, **({"chosen": self.chosen.sharpness} if self.chosen else {})}

    def nearest(self, cues: NDArray[np.float32]) -> NDArray[np.int64] | None:
        """The memory whose vector, or a variant of it, has the largest cosine with each cue, ids [n]."""
        if self.vectors is None:
            return None
        cues = check.array(cues, "cues", "fiu", shape=(None, self.vectors.shape[1]))
        keys, owner = [self.vectors], [np.arange(len(self.vectors))]
        for i, some in enumerate(self.variants or ()):
            if some is not None and np.size(some):
                keys.append(np.atleast_2d(some))
                owner.append(np.full(len(keys[-1]), i))
        unit, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (np.concatenate(keys), cues))
        return np.concatenate(owner)[(asked @ unit.T).argmax(axis=1)]

    def first(self, cues: NDArray[np.float32]) -> "Answers":
        """The best memory of each for a batch of cues, [n, d]."""
        cues = vectors_of(cues, "cues")
        published, other = self.rate.recall(cues), self.chosen
        same = other is not None and other.sharpness == self.rate.sharpness
        chosen = published if same else other.recall(cues) if other is not None else None
        return Answers(self.spiking.recall(cues), published, chosen, self.nearest(cues))

    def chains(self, name: str, cues: NDArray[np.float32], expected: NDArray[np.int64]) -> Row:
        """Chains that are right at every hop.   expected: ids, [n, hops]."""
        name, cues = check.text(name, "name"), vectors_of(cues, "cues")
        expected = check.array(expected, "expected", "iu", shape=(len(cues), None))
        hops = expected.shape[1]

        def right(memory: "Hippocampus | RateHippocampus") -> float:
            return float((memory.recall_chain(cues, hops) == expected).all(axis=1).mean())

        return Row(name, right(self.spiking), right(self.rate), len(expected), right(self.chosen) if self.chosen else None)


@dataclass(frozen=True, eq=False)
class Answers:
    """What each recalled for the same cues: spikes, rates at the published and at the chosen sharpness, and cosine, ids [n]."""

    spiking: Recall
    rate: Recall
    chosen: Recall | None = None
    nearest: NDArray[np.int64] | None = None

    def row(self, name: str, expected: NDArray[np.int64]) -> Row:
        """How often the first answer is the expected memory, ids [n]."""
        name, expected = check.text(name, "name"), check.array(expected, "expected", "iu", shape=(len(self.spiking.ids),))

        def right(ids: NDArray[np.int64] | None) -> float | None:
            return None if ids is None else float((ids == expected).mean())

        spiking, rate = (float((answer.ids[:, 0] == expected).mean()) for answer in (self.spiking, self.rate))
        return Row(name, spiking, rate, len(expected), right(self.chosen.ids[:, 0] if self.chosen else None), right(self.nearest))

    def agree(self) -> NDArray[np.bool_]:
        """Where both have the same first answer, [n]."""
        return self.spiking.ids[:, 0] == self.rate.ids[:, 0]


def total_variation(p: Mapping[int, float], q: Mapping[int, float]) -> float:
    """Half the sum of the absolute differences of two distributions over memories.

    >>> total_variation({1: 0.5, 2: 0.5}, {1: 1.0})
    0.5
    """
    p, q = check.numbered(p, "p", least=-1), check.numbered(q, "q", least=-1)
    return 0.5 * sum(abs(p.get(m, 0.0) - q.get(m, 0.0)) for m in {*p, *q})


def shares(memories: NDArray[np.int64], weights: NDArray[np.float64]) -> dict[int, float]:
    """Weights of index cells, added up for each memory."""
    memories = check.array(memories, "memories", "iu", shape=(None,))
    weights = check.floats(weights, "weights", shape=(len(memories),))
    total: dict[int, float] = {}
    for memory, weight in zip(memories.tolist(), weights.tolist(), strict=True):
        total[memory] = total.get(memory, 0.0) + weight
    return total


def attention_tv(pair: Pair, cues: NDArray[np.float32], cycles: int) -> float:
    """Mean total variation between the subiculum's spike shares over `cycles` gamma cycles and the twin's softmax(beta Z_S q)."""
    check.instance(pair, "pair", Pair, "give one of Pair.of")
    cues = vectors_of(cues, "cues")
    spiking = pair.spiking.recall(cues, attention_cycles=cycles)
    memories, softmax = pair.rate.first_attention(cues)
    distances = [
        total_variation(shares(spiking.competitors[i], spiking.attention[i]), shares(memories[i], softmax[i])) for i in range(len(cues))
    ]
    return float(np.mean(distances))


def compare_pairs(
    spec: ModelSpec,
    embed: Callable[..., NDArray[np.float32]],
    pairs: Sequence[tuple[str, str]],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Row], dict[str, float]]:
    """Rows `exact` and `paraphrase` for pairs (memory, cue), and the rate twin's sharpness; several cues may name the same memory.

    embed: texts to vectors, as `Embedder.embed`.   Of two memories with equal vectors none can tell which was meant.
    """
    spec = check.instance(spec, "spec", ModelSpec, "give one of load_model")
    check.instance(embed, "embed", Callable, "give a function of texts, as `Embedder.embed`")
    pairs = [_texts(pair) for pair in check.instances(pairs, "pairs", tuple | list, "give pairs (memory, cue), at least one")]
    place = {text: i for i, text in enumerate(dict.fromkeys(memory for memory, _ in pairs))}
    expected = np.array([place[memory] for memory, _ in pairs])
    asked = [*place, *(cue for _, cue in pairs)]
    vectors = vectors_of(embed(asked, progress), "what embed returns", len(asked))
    texts, cues = vectors[: len(place)], vectors[len(place) :]
    pair = Pair.of(spec.with_dim(vectors.shape[1]), texts, seed=seed)
    return [pair.first(texts).row("exact", np.arange(len(texts))), pair.first(cues).row("paraphrase", expected)], pair.sharpness


def _texts(pair: Any) -> tuple[str, str]:
    """A memory and its cue."""
    if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
        raise check.error(f"an item of pairs is {shown(pair)}; give two texts, a memory and its cue")
    return pair[0], pair[1]

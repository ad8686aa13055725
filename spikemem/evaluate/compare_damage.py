"""Damage row by row: how often models still recall what a cue means, and beside them nearest neighbour by cosine, on float keys.

What float keys have too is done to them as well: dimensions of the cue are lost where EC's cells are, keys for CA1's cells, and keys are
inexact where perforant synapses are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.data.datasets import Task
from spikemem.evaluate.compare import check, vectors_of, wilson
from spikemem.hippocampus.codes import rectified
from spikemem.hippocampus.damage import Damage, Jitter, Lesion
from spikemem.hippocampus.hippocampus import Hippocampus

FLOATS = "float keys"
"""The system of nearest neighbour by cosine."""
BATCH = 25
"""Cues that are simulated together: noise is drawn for each of them, cell and step."""
SHARES = (0.1, 0.3, 0.5, 0.9)
"""Shares of cells that are lost."""


@dataclass(frozen=True)
class Harm:
    """One row's damage.   inflict: does it to a model.   floats: the same on float keys; None where they have nothing of the kind."""

    name: str
    inflict: Callable[[Hippocampus], None]
    floats: Damage | None = None


@dataclass(frozen=True)
class DamageRow:
    """The share of n cues whose first answer was right, for each system."""

    name: str
    n: int
    shares: Mapping[str, float]

    def interval(self, system: str) -> tuple[float, float]:
        """The 95 % Wilson interval of a share."""
        return wilson(self.shares[system], self.n)

    def json(self) -> dict[str, float | int | str]:
        return {"damage": self.name, "n": self.n, **{name: round(share, 4) for name, share in self.shares.items()}}


def lost(region: str, share: float) -> Harm:
    """Cells of a population are lost."""
    region, share = check.text(region, "region"), check.number(share, "share", least=0, most=1)
    floats = Damage((Lesion(region, share),)) if region in ("ec", "ca1") else None
    return Harm(f"{region.upper()} cells lost, {share:.0%}", lambda memory: memory.lesion(region, share), floats)


def dropped(share: float) -> Harm:
    """EC's spikes get lost on their way."""
    share = check.number(share, "share", least=0, most=1)
    return Harm(f"EC spikes lost, {share:.0%}", lambda memory: memory.drop("ec", share))


def jittered(scale: float) -> Harm:
    """The perforant synapses, onto DG and, where there are some, onto CA1, are inexact."""

    scale = check.finite(scale, "scale", least=0)

    def inflict(memory: Hippocampus) -> None:
        for name in [p.name for p in memory.network.projections if p.name in ("ec->dg", "ec->ca1")]:
            memory.jitter(name, scale)

    return Harm(f"EC synapses jittered, {scale:.0%}", inflict, Damage((Jitter("ec->ca1", scale),)))


def noisy(region: str, scale: float) -> Harm:
    """A population is noisy."""
    region, scale = check.text(region, "region"), check.finite(scale, "scale", least=0)
    return Harm(f"{region.upper()} noisy, scale {scale:g}", lambda memory: memory.noise(region, scale))


def leaky(region: str, tau: float) -> Harm:
    """A population leaks."""
    region, tau = check.text(region, "region"), check.finite(tau, "tau", above=0)
    return Harm(f"{region.upper()} leaks, tau {tau:g} ms", lambda memory: memory.leak(region, tau))


INTACT = Harm("intact", lambda memory: None, Damage())
CUT = Harm("CA3 recurrence cut", lambda memory: memory.cut("ca3->ca3"))
HARMS = (
    INTACT,
    *(lost(region, share) for region in ("ec", "dg", "ca3", "ca1") for share in SHARES),
    *map(dropped, (0.3, 0.6, 0.9)),
    CUT,
    *map(jittered, (0.5, 2.0)),
    *(noisy("dg", scale) for scale in (0.1, 0.5)),
    noisy("ca3", 0.1),
    *(leaky(region, tau) for region in ("dg", "ca3") for tau in (100.0, 30.0, 10.0)),
)
"""The rows of `sims/memory/damage.py`."""
FEW = (
    INTACT,
    lost("ec", 0.5),
    lost("dg", 0.5),
    lost("ca3", 0.5),
    lost("ca1", 0.5),
    CUT,
    dropped(0.6),
    noisy("dg", 0.1),
    leaky("ca3", 100.0),
)
"""The rows of `spikemem compare --damage`."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What is stored, and cues on it.   texts; cues: as texts.   right: the memories that each cue means."""

    texts: tuple[str, ...]
    cues: tuple[str, ...]
    right: tuple[frozenset[int], ...]

    @classmethod
    def of(cls, task: Task, memories: int, cues: int) -> "Asked":
        """The first texts of a task, and as many of its questions on them, spread over all; none whose own copy is among the texts."""
        check.instance(task, "task", Task, "give one of spikemem.data")
        memories, cues = check.integer(memories, "memories", least=1), check.integer(cues, "cues", least=1)
        texts = task.texts[:memories]
        there = [i for i, gold in enumerate(task.gold) if min(gold) < len(texts) and not 0 <= task.leave_out[i] < len(texts)]
        some = there[:: max(1, len(there) // cues)][:cues]
        return cls(texts, tuple(task.questions[i] for i in some), tuple(task.gold[i] for i in some))


def compare_damage(
    models: Mapping[str, Hippocampus],
    vectors: NDArray[np.float32],
    cues: NDArray[np.float32],
    right: Sequence[frozenset[int]],
    harms: Sequence[Harm] = HARMS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[DamageRow]:
    """A row for each damage, after which the models are whole again.

    models: whole, and filled with `vectors`, [memory, d].   cues: [n, d].   right: the memories that each cue means.
    """
    for name, memory in check.named(models, "models", "models").items():
        check.instance(memory, f"models[{name!r}]", Hippocampus, "give a Hippocampus that is filled with the vectors")
    harms = [check.instance(harm, "an item of harms", Harm, "give one of HARMS") for harm in check.listed(harms, "harms", "harms")]
    vectors = vectors_of(vectors, "vectors")
    cues = check.array(cues, "cues", "fiu", shape=(None, vectors.shape[1]))
    right = [
        check.instance(of, "an item of right", set | frozenset, "give a set of ids") for of in check.listed(right, "right", "sets of ids")
    ]
    if len(right) != len(cues):
        raise check.error(f"right has {len(right)} sets for {len(cues)} cues; give one for each")
    rows = []
    for done, harm in enumerate(harms):
        progress(done, len(harms))
        shares = {name: _share(_recalled(memory, harm, cues), right) for name, memory in models.items()}
        if harm.floats is not None:
            shares[FLOATS] = _share(nearest(harm.floats, vectors, cues), right)
        rows.append(DamageRow(harm.name, len(cues), shares))
    progress(len(harms), len(harms))
    return rows


def nearest(damage: Damage, vectors: NDArray[np.float32], cues: NDArray[np.float32]) -> NDArray[np.int64]:
    """The stored vector of largest cosine with each cue, ids [n], where dimensions of the cue, keys, or their precision are lost."""
    keys = vectors.astype(np.float64)
    for part in damage.parts:
        if isinstance(part, Jitter):
            keys = keys * (1 + part.scale * np.random.default_rng(part.seed).standard_normal(keys.shape))
    on, off = np.split(rectified(cues) * ~damage.lost("ec", 2 * cues.shape[1]), 2, axis=1)
    match = (on - off) @ (keys / np.linalg.norm(keys, axis=1, keepdims=True)).T
    return np.where(damage.lost("ca1", len(keys)), -np.inf, match).argmax(axis=1)


def _recalled(memory: Hippocampus, harm: Harm, cues: NDArray[np.float32]) -> NDArray[np.int64]:
    """The first answer of a damaged model to each cue, ids [n]."""
    harm.inflict(memory)
    try:
        parts = np.array_split(cues, -(-len(cues) // BATCH))
        return np.concatenate([memory.recall(part, cycles=1, attention_cycles=1).ids[:, 0] for part in parts])
    finally:
        memory.restore()


def _share(ids: NDArray[np.int64], right: Sequence[frozenset[int]]) -> float:
    return sum(found in gold for found, gold in zip(ids.tolist(), right, strict=True)) / max(len(right), 1)

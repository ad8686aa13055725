"""Experiments beside a recall: separation, completion, room for more, drift. All are made on copies, in RAM; the memory stays as it is."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams import (
    Drift,
    MemoryGraph,
    Overlap,
    Similarity,
    completion_curve,
    drift,
    memory_graph,
    overlap,
    separation_curve,
    variants,
)
from spikemem.evaluate.compare import wilson
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.spec import ModelSpec
from spikemem.report.lab.observation import Observation
from spikemem.simulators.recording import Recording

COSINES = (1.0, 0.9, 0.8, 0.7, 0.5, 0.3)
"""Of the cues of the curves to what is stored."""
CUES = 8
"""Memories whose variants are simulated for the curves."""
OWN = 60
"""Memories that are cued for capacity, and whose engrams are followed from sleep to sleep."""
COSINE = 0.7
"""Of the cues of the capacity curve to what is stored."""
FULL = 4_000
"""Memories at which the capacity curve ends, unless more are there."""
SLEEPS = 4
"""Sleeps of the drift, each after as many new memories as there were."""
Stage = Callable[[str], None]


class Capacity(NamedTuple):
    """How a recall stands more memories.   stored: how many there are, [load].   right: the share of cues whose own memory comes first.

    low, high: its 95 % Wilson interval.   cues: how many.   density: the share of CA3's synapses that are potentiated, [load].
    """

    stored: NDArray[np.int64]
    right: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    cues: int
    density: NDArray[np.float64]


class Experiments(NamedTuple):
    """What was measured beside a recall.   drift: by region.   The rest: see the functions of the same names in `spikemem.engrams`."""

    overlap: Overlap
    separation: Similarity
    completion: Similarity
    capacity: Capacity
    drift: dict[str, Drift]
    graph: MemoryGraph


class FirstCycle:
    """A hippocampus of which only the first theta cycle of a recall, the first attempt, is simulated, and of equal cues once."""

    def __init__(self, hippocampus: Hippocampus) -> None:
        self._of = hippocampus
        self._made = dict[bytes, Recording]()

    def simulate_recall(self, cue: ArrayLike, /) -> Recording:
        """The spikes of the first cycle."""
        given = np.asarray(cue, np.float32)
        if given.tobytes() not in self._made:
            self._made[given.tobytes()] = self._of.simulate_recall(given, cycles=1)
        return self._made[given.tobytes()]


def measure(seen: Observation, stage: Stage = lambda name: None, seed: int = 0) -> Experiments:
    """All experiments around a recall.   stage: called with the name of what begins.   seed: of what is drawn.

    The curves cue the memory's own hippocampus by vectors near those that it stores. Capacity and drift store the vectors in a fresh
    hippocampus of the same model, by meaning alone, and random vectors after them.
    """
    drawn, cells = seen.drawn, seen.hippocampus.spec.dg.cells
    some = drawn[-CUES:]
    x, first = np.array([memory.vector for memory in some]), FirstCycle(seen.hippocampus)
    stage("separation and completion")
    separation = separation_curve(first, x, COSINES, ("ec", "dg", "ca3"), seed=seed)
    completion = completion_curve(first, x, [memory.engram["ca3"] for memory in some], COSINES, seed=seed)
    vectors = np.array([memory.vector for memory in seen.memories])
    stage("capacity")
    room = capacity(seen.hippocampus.spec, vectors, seed)
    stage("drift over sleeps")
    drifted = drifts(seen.hippocampus.spec, vectors, seed)
    shared = overlap([memory.engram["ca3"] for memory in drawn], cells=cells)
    return Experiments(shared, separation, completion, room, drifted, memory_graph(seen.together, seed=seed))


def capacity(spec: ModelSpec, vectors: NDArray[np.float32], seed: int = 0) -> Capacity:
    """How many cues at a cosine of .7 recall their own memory first, as ever more random memories are stored: 1, 2, 4 ... times as many.

    vectors: stored first, [n, d]; the cues are near the first 60.
    """
    fresh, rng = plain(spec, vectors, seed), np.random.default_rng(seed)
    own = min(OWN, len(vectors))
    cues, stored, right, density = variants(vectors[:own], COSINE, seed), [len(vectors)], list[float](), list[float]()
    while True:
        found = fresh.recall(cues, top_k=1).ids[:, 0]
        right.append(float((found == np.arange(own)).mean()))
        density.append(fresh.density()[0])
        if 2 * stored[-1] > FULL:
            break
        fresh.store(rng.normal(size=(stored[-1], vectors.shape[1])).astype(np.float32))
        stored.append(2 * stored[-1])
    low, high = np.array([wilson(share, own) for share in right]).T
    return Capacity(np.array(stored), np.array(right), low, high, own, np.array(density))


def drifts(spec: ModelSpec, vectors: NDArray[np.float32], seed: int = 0) -> dict[str, Drift]:
    """How engrams in DG and CA3 change over sleeps, with as many new random memories before each as there were, by region."""
    fresh, rng = plain(spec, vectors, seed), np.random.default_rng(seed)
    own = range(min(OWN, len(vectors)))
    sets = {region: np.zeros((SLEEPS + 1, len(own), spec.dg.cells), bool) for region in ("dg", "ca3")}
    for sleep in range(SLEEPS + 1):
        if sleep:
            fresh.store(rng.normal(size=vectors.shape).astype(np.float32))
            fresh.consolidate()
        for i in own:
            engram = fresh.engram(i)
            for region, made in sets.items():
                made[sleep, i, engram[region]] = True
    return {region: drift(made, np.arange(SLEEPS + 1)) for region, made in sets.items()}


def plain(spec: ModelSpec, vectors: NDArray[np.float32], seed: int = 0) -> Hippocampus:
    """A fresh hippocampus of a model that stores vectors, all and at once: without gates, and without simulating how it learns."""
    fresh = Hippocampus(spec.at_once().model_copy(update={"gates": None}), seed=seed)
    fresh.store(vectors)
    return fresh

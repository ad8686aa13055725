"""Pattern separation and completion: how alike a region's spikes are, by how alike the cues were."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import check, likeness, mean_and_error, members
from spikemem.errors import DataError
from spikemem.instruments.spikes import Recorded, Spikes, Trains

COSINES = (1.0, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5, 0.2)
"""Of cues to the vectors that they are variants of."""
STREAM = 17
"""Of random numbers, so that variants of vectors that were drawn with the same seed are not these themselves."""
THETA = 125.0
"""ms, a theta cycle of the hippocampus, which is its first attempt at a recall."""


class SimulatesRecall(Protocol):
    """A memory whose recall can be simulated, such as `Hippocampus`."""

    def simulate_recall(self, cue: ArrayLike, /) -> Recorded: ...


class Similarity(NamedTuple):
    """How alike answers are, by how alike cues were.

    cosine: of the cues, [cosine].   names: of the rows.   mean, sem: of the answers' likeness over cues, [row, cosine].
    """

    cosine: NDArray[np.float64]
    names: tuple[str, ...]
    mean: NDArray[np.float64]
    sem: NDArray[np.float64]


def separation_curve(
    hippocampus: SimulatesRecall,
    vectors: ArrayLike,
    cosines: ArrayLike = COSINES,
    regions: Sequence[str] = ("ec", "dg", "ca3", "ca1"),
    *,
    stop: float = THETA,
    seed: int = 0,
) -> Similarity:
    """How alike each region's spikes are for two cues, by the cosine of the cues: [region, cosine].

        s_region(c) = cos(n(x), n(x')),   n a region's spike counts in the first theta cycle,   cos(x, x') = c

    Below the cues' own cosine a region separates, above it it completes (Yassa & Stark 2011; Leutgeb et al. 2007; Guzman et al. 2021).
    vectors: the cues x, [n, d].   cosines: c, 0 to 1, [cosine].   stop: ms until which spikes are counted.   seed: of x', drawn around x.

    >>> from spikemem import Hippocampus, load_model
    >>> memory, vectors = Hippocampus(load_model("hippocampus-small")), np.random.default_rng(0).normal(size=(20, 384))
    >>> ids = memory.store(vectors)
    >>> ec, dg = separation_curve(memory, vectors[:4], [1.0, 0.8], ["ec", "dg"]).mean.round(1)
    >>> ec.tolist(), bool(dg[1] < 0.6)
    ([1.0, 0.8], True)
    """
    x, c = _cues(vectors, cosines)
    names = tuple(check.instances(regions, "regions", str, "give names of populations"))
    own = [_counts(hippocampus.simulate_recall(x), name, stop) for name in names]
    found = np.zeros((len(names), len(c), len(x)))
    for column, cosine in enumerate(c):
        recording = hippocampus.simulate_recall(variants(x, float(cosine), seed))
        for row, name in enumerate(names):
            found[row, column] = _cosine(own[row], _counts(recording, name, stop))
    return Similarity(c, names, *mean_and_error(found))


def completion_curve(
    hippocampus: SimulatesRecall,
    vectors: ArrayLike,
    engrams: ArrayLike,
    cosines: ArrayLike = COSINES,
    region: str = "ca3",
    *,
    gamma: float = 25.0,
    stop: float = THETA,
    seed: int = 0,
) -> Similarity:
    """How much of an engram fires for a degraded cue, as the cue alone drives it and after completion: [input | output, cosine].

        s(c) = |A and E| / sqrt(|A| |E|)     A: the cells that fire in the first (input) and the last (output) gamma cycle of theta

    CA3's output lies above its input where it completes (Neunuebel & Knierim 2014; Marr 1971).
    vectors: stored, [n, d].   engrams: E, of the same memories, as `Hippocampus.engrams` gives them.   gamma, stop: ms.
    """
    x, c = _cues(vectors, cosines)
    gamma, stop = check.finite(gamma, "gamma", above=0, unit=" ms"), check.finite(stop, "stop", above=0, unit=" ms")
    found = np.zeros((2, len(c), len(x)))
    for column, cosine in enumerate(c):
        recording = hippocampus.simulate_recall(variants(x, float(cosine), seed))
        own = members(engrams, _spikes(recording, region).size)
        if len(own) != len(x):
            raise DataError(f"{len(own)} engrams of {len(x)} vectors; give the engram of each")
        for row, start in enumerate((0.0, stop - gamma)):
            found[row, column] = likeness(_counts(recording, region, start + gamma, start) > 0, own)
    return Similarity(c, ("input", "output"), *mean_and_error(np.nan_to_num(found)))


def variants(vectors: ArrayLike, cosine: float, seed: int = 0) -> NDArray[np.float64]:
    """Unit vectors at a cosine to others, in a direction drawn by the seed: [n, d].

    x' = c x + sqrt(1 - c^2) z,   z a random unit vector at a right angle to x

    >>> x = np.eye(2, 8)
    >>> (variants(x, 0.6) * x).sum(1).round(6).tolist()
    [0.6, 0.6]
    """
    x, cosine = check.floats(vectors, "vectors", shape=(None, None)), check.finite(cosine, "cosine", least=-1, most=1)
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.finfo(float).tiny)
    z = np.random.default_rng([check.seed(seed), STREAM]).normal(size=x.shape)
    z -= (z * x).sum(1, keepdims=True) * x
    return cosine * x + np.sqrt(1 - cosine**2) * z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), np.finfo(float).tiny)


def _cues(vectors: ArrayLike, cosines: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors and cosines, checked."""
    x, c = check.floats(vectors, "vectors", shape=(None, None)), check.floats(cosines, "cosines", shape=(None,))
    if not x.size or not len(c) or c.min() < 0 or c.max() > 1:
        raise DataError("give vectors, [n, d], and cosines between 0 and 1")
    return variants(x, 1.0), c


def _spikes(recording: Recorded, region: str) -> Spikes:
    if region not in recording.spikes:
        raise DataError(f"{region!r} was not recorded; there are {', '.join(recording.spikes)}")
    return recording.spikes[region]


def _counts(recording: Recorded, region: str, stop: float, start: float = 0.0) -> NDArray[np.int64]:
    """How often each cell of a region spiked from `start` to `stop`, ms, [batch, cell]."""
    trains = Trains(_spikes(recording, region), recording.dt, recording.steps, recording.batches)
    return trains.window(start, min(stop, trains.duration)).spikes.counts(recording.batches)


def _cosine(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    """The cosines of counts, row by row; 0 where one is silent."""
    return (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), np.finfo(float).tiny)

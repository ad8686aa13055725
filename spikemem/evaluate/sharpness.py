"""A fair sharpness for the rate twin: the smallest at which each stored memory is recalled by its own cue.

A modern Hopfield network recalls one pattern rather than a mean where its sharpness beta suits how far patterns lie apart (Ramsauer et
al. 2021, theorem 4): with Delta_i = z_i^T z_i - max over j of z_i^T z_j, the separation of pattern i, of N patterns of length M,

    Delta_i >= 2 / (beta N) + ln(2 (N - 1) N beta M^2) / beta

makes a fixed point near z_i. That bound is loose. The rule here asks the memory itself: on the grid beta, 2 beta, 4 beta, ... from the
published beta of the model, the smallest at which every stored vector, or a sample of them, brings back itself; where none does, the
smallest at which most do. Neither labels nor questions have a part in it. Vectors that are equal count as one memory.
"""

import numpy as np
from numpy.typing import NDArray

from spikemem.evaluate.compare import check, vectors_of
from spikemem.hippocampus.rate_twin import RateHippocampus

DOUBLINGS = 16
"""The grid ends at 2^16 times the published sharpness, where a difference of 1e-6 in cosine decides."""
SAMPLE = 1000
"""Stored vectors that are asked for; of more, so many are drawn."""
SAME = 1e-6
"""Vectors whose cosine is nearer to 1 are one memory: float32 does not tell them apart."""


def fair_sharpness(memory: RateHippocampus, vectors: NDArray[np.float32], seed: int = 0) -> float:
    """The smallest sharpness of the grid at which the memory recalls each stored vector by itself.

    memory: holds the vectors under the ids 0, 1, ... in their order, besides any variants.   vectors: [n, d].   seed: of the sample.
    """
    check.instance(memory, "memory", RateHippocampus, "give a RateHippocampus that holds the vectors")
    vectors, seed = vectors_of(vectors, "vectors"), check.seed(seed)
    published = memory.spec.ca1.sharpness
    if not len(vectors):
        return published
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = np.arange(len(unit))
    if len(unit) > SAMPLE:
        asked = np.sort(np.random.default_rng(seed).choice(len(unit), SAMPLE, replace=False))
    shares = []
    for doubling in range(DOUBLINGS + 1):
        found = memory.at(published * 2**doubling).recall(unit[asked]).ids[:, 0]
        shares.append(float(((unit[found] * unit[asked]).sum(axis=1) > 1.0 - SAME).mean()))
        if shares[-1] == 1.0:
            break
    return float(published * 2 ** int(np.argmax(shares)))

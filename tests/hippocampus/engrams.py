"""What tests of engram models share."""

import numpy as np

from spikemem import Hippocampus
from spikemem.hippocampus.engram_circuit import EngramCircuit
from spikemem.hippocampus.recall import Recall

FIELDS = ("ids", "scores", "drives", "vectors", "novelty", "latency", "competitors", "attention", "events", "keys")


def circuit(memory: Hippocampus) -> EngramCircuit:
    assert isinstance(memory.circuit, EngramCircuit)
    return memory.circuit


def same(a: Recall, b: Recall) -> None:
    """That two recalls say the same, but for what they recorded."""
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)

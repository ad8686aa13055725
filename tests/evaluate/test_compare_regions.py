"""Regions beside rates: the same in every simulator, and each number with its meaning."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import ModelSpec
from spikemem.evaluate.compare import Pair
from spikemem.evaluate.compare_regions import by_region
from spikemem.simulators.registry import defaults

MEMORIES, CUES = 40, 4


@pytest.fixture(scope="module")
def filled(small: ModelSpec) -> tuple[Pair, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(MEMORIES, small.ec.dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Pair.of(small, vectors), vectors


@pytest.mark.slow
def test_each_region_is_near_its_rates(filled: tuple[Pair, NDArray[np.float32]]) -> None:
    pair, vectors = filled
    told: list[str] = []
    rows = {row.region: row for row in by_region(pair, vectors, vectors[:CUES], ["event"], cycles=20, stage=told.append)}
    value = {name: row.values["event"] for name, row in rows.items()}
    assert value["EC"] > 0.99
    assert value["DG"] > 0.85
    assert value["CA3"] > 0.85
    assert value["CA1"] == 1.0
    assert value["subiculum"] < 0.1
    assert value["read-out"] > 0.98
    assert all(row.n == CUES for row in rows.values())
    beside = {name: row.json()["cosine"] for name, row in rows.items()}
    assert (beside["EC"], beside["DG"], beside["CA3"], beside["CA1"]) == (None, None, None, 1.0)
    memories, softmax = pair.rate.first_attention(vectors[:CUES])
    assert beside["subiculum"] == pytest.approx(1 - softmax.max(axis=1).mean(), abs=1e-6)
    mean = np.einsum("nc,ncd->nd", softmax, vectors[memories])
    assert beside["read-out"] == pytest.approx(((vectors[:CUES] * mean).sum(1) / np.linalg.norm(mean, axis=1)).mean(), abs=1e-6)
    assert told == ["simulating 4 recalls in event"]


@pytest.mark.slow
def test_a_wrong_rate_is_seen(filled: tuple[Pair, NDArray[np.float32]]) -> None:
    """Against a twin that holds the memories in another order another one answers, and attends elsewhere."""
    pair, vectors = filled
    swapped = Pair(pair.spiking, Pair.of(pair.spiking.spec, vectors[::-1].copy()).rate)
    value = {row.region: row.values["event"] for row in by_region(swapped, vectors[::-1], vectors[:CUES], ["event"], cycles=4)}
    assert value["CA1"] == 0.0
    assert value["subiculum"] > 0.8


@pytest.mark.slow
def test_the_table_is_the_same_in_every_simulator(filled: tuple[Pair, NDArray[np.float32]]) -> None:
    for name in ("snntorch", "norse", "brian2"):
        pytest.importorskip(name)
    pair, vectors = filled
    for row in by_region(pair, vectors, vectors[:2], cycles=2):
        assert list(row.values) == defaults()
        assert {"event", "snntorch", "norse", "brian2"} <= set(row.values)
        assert all(a == b for a, b in pairwise(row.values.values())), row
        assert row.json()["brian2"] == round(row.values["event"], 6)

"""The rate twin against its own docstring, computed by hand, and against the spikes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, RateHippocampus
from spikemem.errors import NetworkError, UnknownMemoryError, VectorError
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.spec import CA1Spec, CA3Spec, DGSpec, ECSpec
from tests.fakes import near, units

TINY = ModelSpec(
    ec=ECSpec(dim=16), dg=DGSpec(cells=128, winners=16), ca3=CA3Spec(core=8), ca1=CA1Spec(candidates=8, competitors=4, sharpness=16.0)
)


def by_hand(keys: NDArray[np.float64], q: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Stage 1 and 2 of the docstring: the nearest keys, the last attention, the last x."""
    nearest = np.argsort(-(keys @ q), kind="stable")[: TINY.ca1.competitors]
    z, x = keys[nearest], q
    for _ in range(3):
        a = np.exp(TINY.ca1.sharpness * z @ x)
        a /= a.sum()
        x = a @ z / np.linalg.norm(a @ z)
    return nearest, a, x


def test_recall_is_the_hopfield_settle() -> None:
    cues, variants, queries = units(6, dim=16), units(4, seed=1, dim=16), near(units(6, dim=16), 0.6)
    memory = RateHippocampus(TINY)
    memory.store(cues, variants=[variants[:2], None, variants[2:], None, None, None])
    found = memory.recall(queries, top_k=3)
    keys, owner = np.concatenate([cues, variants]).astype(np.float64), np.array([0, 1, 2, 3, 4, 5, 0, 0, 2, 2])
    for i, q in enumerate(queries.astype(np.float64)):
        nearest, a, x = by_hand(keys, q)
        np.testing.assert_array_equal(found.competitors[i], owner[nearest])
        np.testing.assert_allclose(found.attention[i], a, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found.vectors[i], x, atol=1e-5)
        assert found.novelty[i] == pytest.approx(1 - (keys @ q).max(), abs=1e-5)
        total = np.bincount(owner[nearest], a, minlength=6)
        listed = found.ids[i][found.ids[i] != NONE]
        np.testing.assert_allclose(found.scores[i, : len(listed)], np.sort(total)[::-1][: len(listed)], rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found.scores[i, : len(listed)], total[listed], rtol=1e-4, atol=1e-7)
        assert len(listed) == min(3, len(set(owner[nearest].tolist())))


def test_first_attention_is_before_x_moves() -> None:
    cues, query = units(6, dim=16), near(units(6, dim=16), 0.6)[:1]
    memory = RateHippocampus(TINY)
    memory.store(cues)
    ids, shares = memory.first_attention(query)
    cosine = (cues.astype(np.float64) @ query[0])[ids[0]]
    np.testing.assert_allclose(shares[0], np.exp(16 * cosine) / np.exp(16 * cosine).sum(), rtol=1e-4, atol=1e-7)
    assert ids[0].tolist() == np.argsort(-(cues @ query[0]))[:4].tolist()


def test_a_chain_is_hebbian() -> None:
    """c(e), W += c(target) c(cue)^T, x[h+1] = the k largest of W x[h]; a pair given twice counts once."""
    x, k = units(6, dim=16), TINY.ca3.core
    memory = RateHippocampus(TINY)
    memory.store(x)
    memory.associate([0, 1, 0, 3], [1, 2, 1, 4])
    memory.associate(0, 1)
    drive = x @ memory.projection.numpy()
    codes = np.zeros((6, 128))
    np.put_along_axis(codes, np.argsort(-drive, axis=1)[:, :k], 1.0, axis=1)
    weights = np.outer(codes[1], codes[0]) + np.outer(codes[2], codes[1]) + np.outer(codes[4], codes[3])
    for start in (0, 1, 3):
        primed = codes[start]
        felt = weights @ primed
        cells = np.argsort(-felt, kind="stable")
        assert felt[cells[k - 1]] > felt[cells[k]]  # or the k largest would be a matter of taste
        expected = int((codes[:, cells[:k]].sum(1)).argmax())
        assert memory.recall_chain(x[start], hops=1).tolist() == [[expected]] == [[start + 1]]


def test_chains_and_their_end(small: ModelSpec) -> None:
    memory, x = RateHippocampus(small), units(30)
    memory.store(x)
    assert memory.recall_chain(x[0], hops=2).tolist() == [[NONE, NONE]]
    memory.associate(np.arange(4), np.arange(1, 5))
    assert memory.recall_chain(x[:2], hops=3).tolist() == [[1, 2, 3], [2, 3, 4]]


def test_a_chain_ends_at_what_was_forgotten(small: ModelSpec) -> None:
    memory, x = RateHippocampus(small), units(30)
    memory.store(x)
    memory.associate([0, 1], [1, 2])
    memory.forget(1)
    assert memory.recall_chain(x[0], hops=2).tolist() == [[NONE, NONE]]


def test_forget_and_sleep(small: ModelSpec) -> None:
    memory, x = RateHippocampus(small), units(30)
    memory.store(x)
    memory.associate([0, 1, 5], [1, 2, 6])
    memory.forget([1, 29])
    assert len(memory) == 28
    assert not np.isin(memory.recall(x, top_k=20).ids, [1, 29]).any()
    memory.consolidate()
    assert memory.recall_chain(x[[0, 5]], hops=1).tolist() == [[NONE], [6]]
    assert memory.store(x[:1]).tolist() == [30]


def test_targets_are_what_is_recalled(small: ModelSpec) -> None:
    memory, cue, target = RateHippocampus(small), units(20), units(20, seed=1)
    ids = memory.store(cue, target)
    for way in (cue, target):
        np.testing.assert_array_equal(memory.recall(way).ids[:, 0], ids)


def test_empty(small: ModelSpec) -> None:
    memory = RateHippocampus(small)
    assert memory.recall(units(2), top_k=2).ids.tolist() == [[NONE, NONE]] * 2
    assert memory.recall_chain(units(1), hops=2).tolist() == [[NONE, NONE]]
    memory.consolidate()


def test_rates_agree_with_spikes(small: ModelSpec) -> None:
    x = units(100)
    spiking, rate = Hippocampus(small), RateHippocampus(small)
    for memory in (spiking, rate):
        memory.store(x)
        memory.associate(np.arange(20), np.arange(1, 21))
    np.testing.assert_array_equal(spiking.recall(x).ids, rate.recall(x).ids)
    np.testing.assert_array_equal(spiking.recall_chain(x[:10], 3), rate.recall_chain(x[:10], 3))
    a, b = spiking.recall(near(x, 0.8)), rate.recall(near(x, 0.8))
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_allclose(a.novelty, b.novelty, atol=0.03)
    assert (a.vectors * b.vectors).sum(1).min() > 0.97


def test_errors(small: ModelSpec) -> None:
    memory, x = RateHippocampus(small), units(3)
    memory.store(x)
    for bad in (np.full(384, np.nan), np.zeros(384), np.ones(3)):
        with pytest.raises(VectorError):
            memory.store(bad)
        with pytest.raises(VectorError):
            memory.recall(bad)
    with pytest.raises(VectorError, match="2 cues"):
        memory.store(x[:2], x[:1])
    for call in (lambda: memory.recall(x, top_k=0), lambda: memory.recall_chain(x, hops=0)):
        with pytest.raises(VectorError):
            call()
    for ids in (3, [-1], [0.5], [[0, 1]]):
        with pytest.raises(UnknownMemoryError):
            memory.forget(ids)
    with pytest.raises(UnknownMemoryError, match="as many"):
        memory.associate([0, 1], [2])
    assert len(memory) == 3
    with pytest.raises(NetworkError, match="nonsense"):
        RateHippocampus(small, device="nonsense")

"""Comparing: intervals, distances, and rows on a case whose answer is known."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from spikemem import ModelSpec, RateHippocampus
from spikemem.errors import VectorError
from spikemem.evaluate import sharpness
from spikemem.evaluate.compare import Pair, attention_tv, compare_pairs, shares, total_variation, wilson
from spikemem.evaluate.sharpness import fair_sharpness
from spikemem.hippocampus.spec import load_model
from tests.fakes import units


def test_wilson_covers_the_share_and_narrows() -> None:
    for share in (0.0, 0.3, 1.0):
        widths = []
        for n in (10, 100, 1000):
            low, high = wilson(share, n)
            assert 0 <= low <= share <= high <= 1
            widths.append(high - low)
        assert widths == sorted(widths, reverse=True)
    assert wilson(0.5, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (3, 7), (95, 100), (1977, 1977), (411, 1977)])
def test_wilson_is_that_of_scipy_for_whole_counts(right: int, n: int) -> None:
    assert wilson(right / n, n) == pytest.approx(tuple(binomtest(right, n).proportion_ci(method="wilson")), abs=1e-8)


def test_total_variation_is_a_distance() -> None:
    p, q = {1: 0.25, 2: 0.75}, {3: 1.0}
    assert total_variation(p, p) == 0
    assert total_variation(p, q) == total_variation(q, p) == 1


def test_shares_add_up_cells_of_a_memory() -> None:
    assert shares(np.array([4, 7, 4]), np.array([0.25, 0.5, 0.25])) == {4: 0.5, 7: 0.5}


def test_pair_rows_on_random_memories() -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 384)).astype(np.float32)
    pair = Pair.of(load_model("hippocampus-small"), vectors, links=[(0, 1), (1, 2)])
    row = pair.first(vectors).row("exact", np.arange(60))
    assert (row.spiking, row.rate, row.n) == (1.0, 1.0, 60)
    wrong = pair.first(vectors).row("shifted", np.roll(np.arange(60), 1))
    assert (wrong.spiking, wrong.rate) == (0.0, 0.0)
    chain = pair.chains("chain", vectors[:1], np.array([[1, 2]]))
    assert (chain.spiking, chain.rate) == (1.0, 1.0)


def test_attention_comes_near_the_softmax_with_more_cycles() -> None:
    rng = np.random.default_rng(0)
    centre = rng.normal(size=384)
    vectors = (centre + 0.8 * rng.normal(size=(40, 384))).astype(np.float32)
    pair = Pair.of(load_model("hippocampus-small"), vectors)
    cues = (centre + 0.8 * rng.normal(size=(20, 384))).astype(np.float32)
    far, near = (attention_tv(pair, cues, cycles) for cycles in (5, 400))
    assert near < 0.5 * far


def test_compare_pairs_counts_every_cue() -> None:
    def embed(texts: list[str], progress: object = None) -> np.ndarray:
        return np.stack([np.random.default_rng(len(t)).normal(size=384) for t in texts]).astype(np.float32)

    rows, of = compare_pairs(load_model("hippocampus-small"), embed, [("a", "x"), ("a", "yy"), ("bb", "zz")])
    assert [(r.name, r.n) for r in rows] == [("exact", 2), ("paraphrase", 3)]
    for share in (rows[1].spiking, rows[1].rate, rows[1].chosen, rows[1].cosine):
        assert share == pytest.approx(2 / 3)  # "x" has the vector of "a", "yy" and "zz" that of "bb"
    assert of == {"published": 16.0, "chosen": 16.0}


def look_alikes(cosine: float, n: int = 40, seed: int = 0) -> np.ndarray:
    """Unit vectors of about one mutual cosine."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=384), rng.normal(size=(n, 384))
    made = np.sqrt(cosine) * shared / np.linalg.norm(shared) + np.sqrt(1 - cosine) * own / np.linalg.norm(own, axis=1, keepdims=True)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_the_chosen_sharpness_is_the_smallest_that_holds_what_is_stored(small: ModelSpec) -> None:
    """At the published one some look-alikes are a mean; the rule doubles it until each stored vector brings back itself, and no further."""
    for cosine, chosen in ((0.0, 16.0), (0.97, None)):
        vectors = look_alikes(cosine)
        pair = Pair.of(small, vectors)
        row = pair.first(vectors).row("exact", np.arange(40))
        assert (row.spiking, row.chosen, row.cosine) == (1.0, 1.0, 1.0)
        assert chosen is None or pair.sharpness == {"published": 16.0, "chosen": chosen}
    assert row.rate < 0.9
    assert pair.chosen is not None
    assert np.log2(pair.chosen.sharpness / 16.0) % 1 == 0
    half = pair.rate.at(pair.chosen.sharpness / 2).recall(vectors).ids[:, 0]
    assert (half != np.arange(40)).any()


def test_equal_vectors_are_one_memory_to_the_rule(small: ModelSpec) -> None:
    """No sharpness tells them apart, and none is sought for them."""
    vectors = units(20)
    assert fair_sharpness(Pair.of(small, np.concatenate([vectors, vectors])).rate, np.concatenate([vectors, vectors])) == 16.0


def test_where_no_sharpness_holds_all_the_smallest_that_holds_most_is_chosen(small: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = look_alikes(0.97)
    memory = Pair.of(small, vectors).rate
    monkeypatch.setattr(sharpness, "DOUBLINGS", 1)
    shares = [(memory.at(b).recall(vectors).ids[:, 0] == np.arange(40)).mean() for b in (16.0, 32.0)]
    assert max(shares) < 1.0
    assert fair_sharpness(memory, vectors) == (32.0 if shares[1] > shares[0] else 16.0)


def test_of_many_memories_a_sample_is_asked(small: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = look_alikes(0.97)
    memory = Pair.of(small, vectors).rate
    whole = fair_sharpness(memory, vectors)
    asked: list[int] = []
    recall = RateHippocampus.recall
    monkeypatch.setattr(RateHippocampus, "recall", lambda self, cue, *a, **k: (asked.append(len(cue)), recall(self, cue, *a, **k))[1])
    monkeypatch.setattr(sharpness, "SAMPLE", 10)
    assert fair_sharpness(memory, vectors, seed=1) <= whole
    assert set(asked) == {10}


def test_cosine_hears_variants_and_has_no_chains(small: ModelSpec) -> None:
    vectors, other = units(6), units(6, seed=3)
    pair = Pair.of(small, vectors, [other[0], None, other[2:4], None, None, None], links=[(0, 1)])
    assert pair.nearest(np.concatenate([vectors, other[[0, 2, 3]]])).tolist() == [0, 1, 2, 3, 4, 5, 0, 2, 2]
    row = pair.chains("chain", vectors[:1], np.array([[1]]))
    assert (row.cosine, row.shares) == (None, {"spiking": 1.0, "rate": 1.0, "chosen": 1.0})
    assert row.json() == {"spiking": 1.0, "rate": 1.0, "rate_chosen": 1.0, "cosine": None, "n": 1}


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_sharpness_out_of_its_range_is_refused(small: ModelSpec, wrong: float) -> None:
    memory = RateHippocampus(small)
    with pytest.raises(VectorError, match=f"sharpness is {wrong}; it must be finite and above 0"):
        memory.at(wrong)
    assert memory.at(3).sharpness == 3.0 != memory.sharpness == small.ca1.sharpness

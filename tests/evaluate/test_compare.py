"""Comparing: intervals, distances, and rows on a case whose answer is known."""

import numpy as np
import pytest
from scipy.stats import binomtest

from spikemem.evaluate.compare import Pair, attention_tv, compare_pairs, shares, total_variation, wilson
from spikemem.hippocampus.spec import load_model


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

    rows = compare_pairs(load_model("hippocampus-small"), embed, [("a", "x"), ("a", "yy"), ("bb", "zz")])
    assert [(r.name, r.n) for r in rows] == [("exact", 2), ("paraphrase", 3)]
    assert rows[1].spiking == pytest.approx(2 / 3)  # "x" has the vector of "a", "yy" and "zz" that of "bb"

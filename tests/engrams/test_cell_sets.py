"""Engrams as sets of cells: closed forms, published numbers, and chance that shows nothing."""

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from spikemem.engrams import (
    allocation,
    assemblies,
    drift,
    engram_cells,
    linking,
    members,
    memory_graph,
    overlap,
    rdm,
    reactivation,
    rsa,
    selectivity,
)  # fmt: skip
from spikemem.errors import DataError
from tests.instruments.processes import poisson, trains_of

DATA = Path(os.environ.get("SPIKEMEM_DATA", Path(__file__).parents[3] / "shared" / "data")) / "engrams" / "tome2024_experiment_summary.csv"
CELLS, SIZE = 500, 40


def drawn(n: int, seed: int = 0) -> np.ndarray:
    """Sets drawn by chance, [n, cell]."""
    rng = np.random.default_rng(seed)
    return np.array([np.isin(np.arange(CELLS), rng.permutation(CELLS)[:SIZE]) for _ in range(n)])


def test_sets_by_chance_overlap_as_the_hypergeometric_distribution_has_it() -> None:
    found = overlap(drawn(80))
    off = ~np.eye(80, dtype=bool)
    assert found.expected[0, 1] == SIZE**2 / CELLS
    assert found.shared[off].mean() == pytest.approx(SIZE**2 / CELLS, rel=0.05)
    outside = (found.shared < found.low) | (found.shared > found.high)
    law = hypergeom(CELLS, SIZE, SIZE)
    low, high = found.low[0, 1], found.high[0, 1]
    assert law.cdf(low - 1) <= 0.025 < law.cdf(low)
    assert law.sf(high) <= 0.025 < law.sf(high - 1)
    assert outside[off].mean() == pytest.approx(law.cdf(low - 1) + law.sf(high), abs=0.004)
    assert (found.p[off] < 0.05).mean() < 0.06
    closed = 1 - math.comb(CELLS - SIZE, SIZE) / math.comb(CELLS, SIZE)  # at least one cell in common
    one = overlap(np.arange(SIZE)[None], np.array([[0, *range(SIZE, 2 * SIZE - 1)]]), cells=CELLS)
    assert one.shared[0, 0] == 1
    assert one.p[0, 0] == pytest.approx(closed)


def test_indices_and_bools_are_the_same_sets() -> None:
    sets = drawn(5)
    indices = np.array([np.flatnonzero(row) for row in sets])
    np.testing.assert_array_equal(members(indices, CELLS), sets)
    np.testing.assert_array_equal(overlap(indices, cells=CELLS).shared, overlap(sets).shared)
    with pytest.raises(DataError, match="how many cells there are"):
        overlap(indices)
    with pytest.raises(DataError, match="row 0 has a cell twice; give each once, or a matrix of 0 and 1 as bool"):
        members(sets.astype(int), CELLS)


def test_reactivation_is_what_was_planted_and_by_chance_one() -> None:
    tagged = drawn(200)
    by_chance = reactivation(drawn(200, 1), tagged)
    assert by_chance.lift.mean() == pytest.approx(1.0, abs=0.1)
    half = tagged.copy()
    half[:, ::2] = False  # half of each engram comes back, and nothing else
    own = reactivation(half, tagged)
    np.testing.assert_allclose(own.of_tagged, half.sum(1) / SIZE)
    np.testing.assert_allclose(own.of_active, 1.0)
    np.testing.assert_allclose(own.lift, CELLS / SIZE)
    assert own.p.max() < 1e-9


def test_cells_are_tagged_by_their_rate() -> None:
    dense = np.zeros((1000, 1, 10), bool)
    for cell, spikes in enumerate((0, 1, 5, 10, 20, 0, 0, 0, 0, 0)):
        dense[:spikes, 0, cell] = True
    trains = trains_of(dense)  # 1 s: spikes are Hz
    assert np.flatnonzero(engram_cells(trains)[0]).tolist() == [3, 4]
    assert np.flatnonzero(engram_cells(trains, "top", 0.3)[0]).tolist() == [2, 3, 4]
    assert engram_cells(trains, "top", 1.0).sum() == 4  # no cell that was silent
    rate = np.array([0, 1, 5, 10, 20, 0, 0, 0, 0, 0.0])
    np.testing.assert_array_equal(engram_cells(trains, "z", 1.0)[0], (rate - rate.mean()) / rate.std() >= 1)


def test_selectivity_is_the_ratio_of_difference_and_sum() -> None:
    found = selectivity([[3.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(found.values, [[0.5, 0.0], [0.0, np.nan]])
    np.testing.assert_allclose(found.mean, [0.25, 0.0])
    np.testing.assert_allclose(found.sem[0], 0.25)
    with pytest.raises(DataError, match="below 0"):
        selectivity([-1.0], [1.0])


@pytest.mark.skipif(not DATA.is_file(), reason=f"no {DATA}: the experiment's summary (docs/data.md says where to get it)")
def test_selectivity_of_mice_is_near_the_published_one() -> None:
    """Of mean freezing; the published index is the mean of 11 animals' own, so that it differs by less than its standard error."""
    with DATA.open() as file:
        rows = [row for row in csv.DictReader(file) if (row["experiment"], row["metric"]) == ("A", "freezing")]
    mean = {(row["phase"], int(row["hours_post_cfc"])): (float(row["mean"]), float(row["sem"])) for row in rows}
    for hours in (1, 5, 12, 18, 24):
        published, sem = mean["recall-discrimination", hours]
        index = selectivity([mean["recall-training", hours][0]], [mean["recall-novel", hours][0]]).mean
        assert abs(index - published) < max(sem, 0.05), hours


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_drift_finds_the_half_life_that_was_planted(rate: float) -> None:
    """Each session a share of the cells is replaced by others, drawn by chance: kept falls as (1 - rate)^lag towards chance."""
    rng, sessions = np.random.default_rng(0), 8
    made = np.zeros((sessions, 40, 2000), bool)
    made[0] = rng.permuted(np.tile(np.arange(2000) < 200, (40, 1)), axis=1)
    for s in range(1, sessions):
        made[s] = made[s - 1]
        for memory in made[s]:
            gone = rng.permutation(np.flatnonzero(memory))[: round(200 * rate)]
            memory[gone] = False
            memory[rng.permutation(np.flatnonzero(~memory))[: len(gone)]] = True
    found = drift(made, np.arange(sessions))
    assert found.half_life == pytest.approx(-math.log(2) / math.log(1 - rate), rel=0.12)
    np.testing.assert_allclose(found.dropped_in, found.dropped_out)
    assert found.chance == 0.1
    assert drift(made[[0, 0]], [0.0, 1.0]).half_life == math.inf


def test_linked_memories_overlap_and_others_do_not() -> None:
    """Memories of one hour draw half of their cells from a pool that lasts an hour; beyond they share no more than chance."""
    rng, times = np.random.default_rng(0), np.repeat(np.arange(12) * 24.0, 5) + np.tile(np.arange(5) * 0.2, 12)
    pools = drawn(12, 3)
    engrams = drawn(60, 4)
    for i in range(60):
        own = rng.permutation(np.flatnonzero(pools[i // 5]))[: SIZE // 2]
        engrams[i] = np.isin(np.arange(CELLS), [*own, *rng.permutation(CELLS)[: SIZE // 2]])
    found = linking(engrams, times, [0.0, 1.0, 48.0, 400.0], shuffles=200)
    assert found.pairs[0] == 12 * 10
    assert found.overlap[0] > found.high[0]
    assert found.p[0] < 0.01
    assert found.overlap[2] < found.high[2]
    tied = [linking(drawn(3, n), [0.0, 1.0, 2.0], [0.0, 5.0], shuffles=50).p[0] for n in range(40)]
    assert tied == [1.0] * 40  # all pairs in one bin: each order has the same mean, whatever it was summed in
    bare = linking(np.insert(engrams, 7, False, axis=0), np.insert(times, 7, 0.5), [0.0, 1.0, 48.0, 400.0], shuffles=200)
    np.testing.assert_array_equal(bare.overlap, found.overlap)  # a memory without cells is in no pair
    with pytest.raises(DataError, match="2 engrams, 1 with cells"):
        linking(np.array([[True], [False]]), [0.0, 1.0], [0.0, 5.0])
    unlinked = linking(drawn(60, 5), times, [0.0, 1.0, 48.0, 400.0], shuffles=200)
    assert unlinked.low[0] <= unlinked.overlap[0] <= unlinked.high[0]


def test_allocation_finds_cells_that_are_allocated_more() -> None:
    """Fields of Han et al. (2007): a fifth of the cells, each 3.5 times as likely as others; and cells that are all alike."""
    rng, creb = np.random.default_rng(0), np.arange(CELLS) < CELLS // 5
    weight = np.where(creb, 3.5, 1.0)
    engrams = np.array([rng.choice(CELLS, SIZE, replace=False, p=weight / weight.sum()) for _ in range(300)])
    found = allocation(engrams, creb.astype(float), cells=CELLS, shuffles=200)
    np.testing.assert_allclose(found.chance, [0.8, 0.2])
    expected = weight[creb].sum() / weight.sum() / 0.2  # 2.33, less what drawing without replacement takes
    assert expected * 0.9 < found.ratio[1] < expected
    assert found.ratio[1] > found.high[1]
    alike = allocation(drawn(300), creb.astype(float), shuffles=200)
    assert alike.low[1] <= alike.ratio[1] <= alike.high[1]
    assert len(allocation(engrams, rng.normal(size=CELLS), 4, CELLS, shuffles=10).ratio) == 4


def test_rdm_and_rsa_are_numpys_and_scipys() -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 30))
    near = x + 0.5 * rng.normal(size=x.shape)
    np.testing.assert_allclose(rdm(x), 1 - np.corrcoef(x), atol=1e-12)
    upper = np.triu_indices(12, 1)
    found = rsa(rdm(x), rdm(near, "euclidean"), permutations=300)
    assert found.r == pytest.approx(spearmanr(rdm(x)[upper], rdm(near, "euclidean")[upper]).statistic)
    assert found.p < 0.01
    assert abs(found.permuted.mean()) < 0.05
    strangers = [rsa(rdm(x), rdm(rng.normal(size=x.shape)), permutations=60).p for _ in range(40)]
    assert np.mean(np.array(strangers) < 0.1) < 0.3
    sets = drawn(4)
    assert rdm(sets, "jaccard")[0, 1] == 1 - (sets[0] & sets[1]).sum() / (sets[0] | sets[1]).sum()


def planted(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Twenty cells at 5 Hz for 60 s, of which two groups of four fire together a hundred times; and when, [group, time]."""
    rng = np.random.default_rng(seed)
    dense, at = rng.random((60_000, 1, 20)) < 0.005, np.zeros((2, 100), int)
    for group in range(2):
        at[group] = rng.choice(2300, 100, replace=False) * 25 + 100
        for start in at[group]:
            dense[start + rng.integers(0, 20, 4), 0, group * 4 + np.arange(4)] = True
    return dense, at


def test_assemblies_are_those_that_were_planted() -> None:
    dense, at = planted()
    found = assemblies(trains_of(dense), bin=25.0)
    assert len(found.weights) == 2
    groups = sorted(np.flatnonzero(cells).tolist() for cells in found.cells)
    assert groups == [[0, 1, 2, 3], [4, 5, 6, 7]]
    first = int(np.abs(found.weights[:, 0]).argmax())
    assert found.activation[first][at[0] // 25].mean() > 10 * found.activation[first][at[1] // 25].mean()
    assert found.bound == pytest.approx((1 + math.sqrt(20 / 2400)) ** 2)


def test_independent_cells_have_no_assembly() -> None:
    found = assemblies(poisson(5.0, 60_000, cells=20), bin=25.0)
    assert len(found.weights) <= 1  # the bound is that of infinitely many cells
    assert found.eigenvalues[0] < 1.05 * found.bound
    assert found.eigenvalues.sum() == pytest.approx(20)


def test_a_graph_has_the_weights_of_memoria_and_finds_its_communities() -> None:
    rng = np.random.default_rng(0)
    together = np.zeros((200, 12), bool)
    for event in together:
        event[6 * rng.integers(2) + rng.permutation(6)[:3]] = True
    together[0, [0, 6]] = True
    found = memory_graph(together, np.arange(200) * 0.5)
    both = (together[:, 1] & together[:, 2]).sum()
    assert found.weight[1, 2] == both / together[:, 1].sum()
    assert len(set(found.community[:6])) == len(set(found.community[6:])) == 1
    assert found.community[0] != found.community[6]
    assert found.path(0, 7)[0] == 0
    assert found.path(0, 7)[-1] == 7
    came = np.flatnonzero(together[:, 3])
    assert found.lifespan[3] == (came[-1] - came[0]) * 0.5
    apart = memory_graph(np.eye(3, dtype=bool))
    assert apart.path(0, 2) == []

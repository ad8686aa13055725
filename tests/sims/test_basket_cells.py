"""Explicit basket cells choose the winners that `KWinners` does: closed forms first, then each network at few cues."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

b2 = pytest.importorskip("brian2", reason="the reference extra is not installed")

from sims.memory import basket_cells, ca3_basket_cells, dg_basket_cells  # noqa: E402

CELLS, CORE = 2048, 30


@pytest.fixture(autouse=True)
def brian2_is_left_as_it_was() -> Iterator[None]:
    target, dt = b2.prefs.codegen.target, b2.defaultclock.dt / b2.ms
    yield
    assert (b2.prefs.codegen.target, b2.defaultclock.dt / b2.ms) == (target, dt)


@pytest.mark.parametrize(
    ("winners", "expected"), [([1, 2, 3, 4], 1.0), ([1, 2, 3], 0.75), ([1, 2, 3, 4, 5], 0.8), ([5, 6], 0.0), ([], 0.0), ([1, 1, 2], 0.5)]
)
def test_overlap_counts_misses_and_extras(winners: list[int], expected: float) -> None:
    assert basket_cells.overlap(np.array(winners, int), np.array([1, 2, 3, 4]), k=4) == expected


@pytest.mark.parametrize(
    ("reached", "expected"), [([0.95, 0.8, 0.92, 0.9], (3, 4)), ([0.9, 0.9, 0.9, 0.2], (1, 3)), ([0.9, 0.9, 0.89, 0.9], None)]
)
def test_the_range_that_holds_does_not_jump_over_a_gap(reached: list[float], expected: tuple[float, float] | None) -> None:
    assert basket_cells.holding([1, 2, 3, 4], reached, default=3, bar=0.9) == expected


def test_tiled_circuits_do_not_touch() -> None:
    pre, post = basket_cells.tiled(np.array([0, 3]), np.array([1, 0]), 4, 2, copies=3)
    assert (pre // 4).tolist() == (post // 2).tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("load", [300, 1500])
def test_density_follows_the_clipped_hebbian_theory(load: int) -> None:
    """Without self-connections a pair is bound with probability k (k - 1) / (N (N - 1)), 3 % below the theory's k^2 / N^2."""
    weights = ca3_basket_cells.clipped_hebb(ca3_basket_cells.draw_engrams(load, CELLS, CORE, seed=0), CELLS)
    measured = weights.sum() / (CELLS * (CELLS - 1))
    exact = 1 - (1 - CORE * (CORE - 1) / (CELLS * (CELLS - 1))) ** load
    assert measured == pytest.approx(exact, rel=0.01)
    assert measured == pytest.approx(ca3_basket_cells.theory(load, CELLS, CORE), rel=0.04)
    np.testing.assert_array_equal(weights, weights.T)


@pytest.mark.slow
def test_a_basket_cell_alone_fires_where_its_equation_says() -> None:
    """A leaky cell under a lasting conductance g settles at (rest + R g E) / (1 + R g); the threshold lies on either side of it."""
    conductance = 10.0  # nS
    gain = basket_cells.BASKET_RESISTANCE * conductance * 1e-3
    settled = (basket_cells.BASKET_REST + gain * basket_cells.E_AMPA) / (1 + gain)
    loop = replace(dg_basket_cells.Dentate(), baskets=1, basket_spread=0.0)
    for threshold, fires in ((settled - 0.5, True), (settled + 0.5, False)):
        with basket_cells.codegen("numpy"):
            cells = basket_cells.principal_cells(1, loop, 25.0, 25.0)
            baskets, _ = basket_cells.add_baskets(cells, 1, replace(loop, basket_threshold=threshold), np.random.default_rng(0))
            baskets.namespace["tau_ampa"] = 1e9 * b2.ms
            baskets.ge = conductance * b2.nS
            monitor = b2.SpikeMonitor(baskets)
            b2.Network(baskets, monitor).run(80 * b2.ms, namespace={})
        assert (monitor.num_spikes > 0) == fires


@pytest.mark.slow
def test_basket_cells_choose_the_ideal_granule_cells() -> None:
    cues = dg_basket_cells.make_cues(6, seed=3)
    with_baskets = dg_basket_cells.run(cues)
    assert with_baskets.overlaps.mean() >= basket_cells.BAR
    without = dg_basket_cells.run(cues, replace(dg_basket_cells.Dentate(), inhibition=0.0))
    assert without.sizes.mean() > 2 * with_baskets.sizes.mean()


@pytest.mark.slow
def test_basket_cells_complete_half_an_engram() -> None:
    engrams = ca3_basket_cells.draw_engrams(500, CELLS, CORE, seed=3)
    weights, meant = ca3_basket_cells.clipped_hebb(engrams, CELLS), engrams[:6]
    cues = ca3_basket_cells.parts(meant, 15, seed=3)
    spikes, _ = ca3_basket_cells.run(weights, cues, seed=3)
    explicit = ca3_basket_cells.Recall.of(ca3_basket_cells.fired(spikes, 6), meant)
    assert explicit.overlap.mean() >= basket_cells.BAR
    ideal = ca3_basket_cells.Recall.of(ca3_basket_cells.ideal(weights, cues, CORE, cycles=1), meant)
    assert ideal.overlap.tolist() == [1.0] * 6

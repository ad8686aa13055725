"""Place cells, rhythms and replay: closed forms, what was planted, and shuffled controls that show nothing."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem.engrams import bursts_of, decode, oscillation, place_fields, precession, remapping, replay, weighted_correlation
from spikemem.errors import DataError
from spikemem.instruments import Spikes, Trains
from tests.instruments.processes import trains_of

PLACES, CELLS, PEAK = 20, 30, 25.0
TURN = 2 * np.pi


def track(seconds: int = 300) -> NDArray[np.float64]:
    """A rat that runs to and fro on a track from 0 to 1, 4 to 6 s a way, at each ms."""
    way = np.cumsum(np.random.default_rng(7).integers(4000, 6000, seconds))
    t = np.interp(np.arange(seconds * 1000), np.concatenate([[0], way]), np.arange(seconds + 1))
    return 1 - np.abs(t % 2 - 1)


def rates(position: NDArray[np.float64], centres: NDArray[np.float64], width: float = 0.08) -> NDArray[np.float64]:
    """Gaussian fields: Hz, [cell, step]."""
    return PEAK * np.exp(-((position - centres[:, None]) ** 2) / (2 * width**2))


def walk(centres: NDArray[np.float64], seed: int = 0, seconds: int = 300) -> tuple[Trains, NDArray[np.float64]]:
    """Poisson place cells on the track, and the rat's position."""
    position = track(seconds)
    fired = np.random.default_rng(seed).random((len(centres), len(position))) < rates(position, centres) / 1000.0
    return trains_of(fired.T[:, None]), position


CENTRES = np.linspace(0.05, 0.95, CELLS)


@pytest.fixture(scope="module")
def walked() -> tuple[Trains, NDArray[np.float64]]:
    """Only to be read."""
    return walk(CENTRES)


def test_fields_are_where_they_were_planted(walked: tuple[Trains, NDArray[np.float64]]) -> None:
    trains, position = walked
    maps = place_fields(trains, position, np.linspace(0, 1, PLACES + 1), smooth=0, shuffles=60)
    assert np.abs(maps.peak - CENTRES).max() < 0.12
    given = rates(maps.centres, CENTRES)
    assert np.abs(maps.rate - given).mean() < 1.0  # Hz
    assert maps.p.max() < 0.05
    assert maps.occupancy.sum() == pytest.approx(300.0)
    fields = maps.fields()
    assert [f.cell for f in fields] == list(range(CELLS))
    middle = fields[CELLS // 2]
    assert middle.start < CENTRES[CELLS // 2] < middle.stop
    assert 0.2 < middle.stop - middle.start < 0.45  # to a fifth of the peak: 2 x 1.79 x .08 = .29


def test_information_is_log_of_places_for_a_cell_of_one_place() -> None:
    """N places visited alike, fired in at one: log2(N) bits and a sparsity of 1 / N; fired in at all: 0 bits, sparsity 1."""
    position = np.repeat(np.arange(8) + 0.5, 100)
    one = np.zeros((800, 1, 2), bool)
    one[200:300:5, 0, 0] = True
    one[::5, 0, 1] = True
    maps = place_fields(trains_of(one), position, range(9), smooth=0)
    np.testing.assert_allclose(maps.information, [math.log2(8), 0.0], atol=1e-12)
    np.testing.assert_allclose(maps.sparsity, [1 / 8, 1.0])
    assert maps.rate[0].tolist() == [0, 0, 200.0, 0, 0, 0, 0, 0]


def test_cells_without_a_field_are_not_significant() -> None:
    position = track(120)
    fired = np.random.default_rng(1).random((len(position), 1, 40)) < 0.005
    maps = place_fields(trains_of(fired), position, np.linspace(0, 1, PLACES + 1), shuffles=100)
    assert (maps.p < 0.05).mean() < 0.2


def test_time_that_is_left_out_does_not_count(walked: tuple[Trains, NDArray[np.float64]]) -> None:
    trains, position = walked
    half = np.where(np.arange(len(position)) % 10_000 < 5_000, position, np.nan)
    maps = place_fields(trains, half, np.linspace(0, 1, PLACES + 1))
    assert maps.occupancy.sum() == pytest.approx(150.0)
    assert maps.spikes.sum() < 0.6 * len(trains.spikes)
    with pytest.raises(DataError, match="one a step"):
        place_fields(trains, position[:-1], [0, 1])


def test_position_is_decoded_from_other_laps_and_not_from_permuted_cells(walked: tuple[Trains, NDArray[np.float64]]) -> None:
    trains, position = walked
    first = np.where(np.arange(len(position)) < 150_000, position, np.nan)
    maps = place_fields(trains, first, np.linspace(0, 1, PLACES + 1))
    last = trains.window(150_000.0)
    found = decode(last, maps, 250.0)
    error = found.error(position[150_000:])
    np.testing.assert_allclose(found.posterior.sum(1), 1.0)
    assert np.median(error) < 0.05
    permuted = maps._replace(rate=maps.rate[np.random.default_rng(0).permutation(CELLS)])
    assert np.median(decode(last, permuted, 250.0).error(position[150_000:])) > 0.15
    assert found.time[0] == 150_000.0


def test_decoding_follows_bayes_rule() -> None:
    """Two places, one cell: P(x | n) against the Poisson likelihoods written out."""
    from scipy.stats import poisson

    maps = place_fields(trains_of(np.zeros((200, 1, 1), bool)), np.repeat([0.5, 1.5], 100), range(3), smooth=0)
    maps = maps._replace(rate=np.array([[4.0, 12.0]]), occupancy=np.array([3.0, 1.0]))
    dense = np.zeros((500, 1, 1), bool)
    dense[:3] = True
    for prior, weight in (("uniform", [1, 1]), ("occupancy", [3, 1])):
        likely = poisson.pmf(3, np.array([4.0, 12.0]) * 0.5) * weight
        np.testing.assert_allclose(decode(trains_of(dense), maps, 500.0, prior).posterior[0], likely / likely.sum())


def test_remapping_tells_the_same_map_from_another(walked: tuple[Trains, NDArray[np.float64]]) -> None:
    edges = np.linspace(0, 1, PLACES + 1)
    own = place_fields(*walked, edges).rate
    again = place_fields(*walk(CENTRES, 1), edges).rate
    other = place_fields(*walk(np.random.default_rng(0).permutation(CENTRES), 2), edges).rate
    same, remapped = remapping(own, again, shuffles=100), remapping(own, other, shuffles=100)
    assert np.nanmean(same.spatial) > 0.9
    assert same.p < 0.02
    assert np.nanmean(same.population) > 0.9
    assert abs(np.nanmean(remapped.spatial)) < 0.25
    assert remapped.p > 0.02
    faster = remapping(own, 3 * own, shuffles=10)  # rate remapping: the same places, other rates
    np.testing.assert_allclose(faster.spatial, 1.0)
    np.testing.assert_allclose(faster.rate_overlap, 1 / 3)


@pytest.mark.parametrize("slope", [-1.0, -0.5, 0.6])
def test_precession_finds_the_slope_that_was_planted(slope: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.random(300)
    found = precession(x, TURN * (0.3 + slope * x) + rng.normal(0, 0.8, 300))
    assert found.slope == pytest.approx(slope, abs=0.12)
    assert np.sign(found.rho) == np.sign(slope)
    assert found.p < 2e-3


def test_phases_without_precession_are_rarely_significant() -> None:
    rng = np.random.default_rng(1)
    ps = [precession(rng.random(50), TURN * rng.random(50), shuffles=200).p for _ in range(200)]
    assert 0.01 < np.mean(np.array(ps) < 0.05) < 0.09  # .05 by chance; within 2.6 standard errors
    assert 0.4 < np.mean(ps) < 0.6


def test_p_of_a_short_run_is_that_of_chance() -> None:
    """Cells without fields in 30 s of irregular running, and a silent one."""
    rng = np.random.default_rng(0)
    position = np.abs(np.cumsum(np.repeat(rng.normal(0, 2.0, 300), 100)) * 0.01) % 10
    dense = rng.random((30_000, 1, 61)) < 0.01
    dense[:, :, 60] = False
    p = place_fields(trains_of(dense), position, np.arange(11), shuffles=60).p
    assert np.isnan(p[60])
    assert np.mean(p[:60] < 0.05) <= 0.12
    assert len(np.unique(p[:60])) > 10


def test_maps_that_are_equal_or_flat_tell_nothing_of_remapping() -> None:
    row = np.random.default_rng(0).random(8)
    scaled = np.arange(1.0, 8.0)[:, None] * row
    assert remapping(scaled, np.tile(row, (7, 1)), shuffles=50).p == 1.0
    flat = remapping(np.zeros((5, 8)), np.ones((5, 8)), shuffles=50)
    assert np.isnan(flat.p)
    assert (flat.both, flat.expected) == (0, 0.0)
    half = remapping(np.eye(4) * [1, 1, 0, 0], np.eye(4) * [1, 0, 1, 0], shuffles=2)
    assert (half.both, half.expected) == (1, 1.0)


def theta(depth: float, seed: int = 0) -> Trains:
    """Forty Poisson cells at 10 Hz under a rhythm of 8 Hz, for 20 s."""
    t = np.arange(20_000) / 1000.0
    rate = 10.0 * (1 + depth * np.cos(TURN * 8.0 * t))
    return trains_of(np.random.default_rng(seed).random((20_000, 1, 40)) < rate[:, None, None] / 1000.0)


def test_the_phase_of_a_rhythm_is_that_which_was_planted() -> None:
    found, flat = oscillation(theta(0.8), (6.0, 10.0)), oscillation(theta(0.0), (6.0, 10.0))
    assert found.peak == pytest.approx(8.0, abs=0.4)
    assert found.share > 3 * flat.share
    at = np.arange(2_000.0, 18_000.0, 7.0)
    off = found.at(at) - TURN * 8.0 * at / 1000.0
    assert abs(np.exp(1j * off).mean()) > 0.95
    assert abs(np.angle(np.exp(1j * off).mean())) < 0.15
    silent = oscillation(Trains(Spikes(*np.zeros((3, 0), int), 5), dt=1.0, steps=20_000), (6.0, 10.0))
    assert math.isnan(silent.peak)
    assert math.isnan(silent.at(1_000.0))
    with pytest.raises(DataError, match="0 < low < high"):
        oscillation(theta(0.0), (0.0, 10.0))


def swept(order: NDArray[np.int64], gap: float = 10.0, every: int = 2000, events: int = 10) -> Trains:
    """Cells that fire one after the other in events.   gap: ms between cells."""
    n = len(order)
    step = (np.arange(events)[:, None] * every + 500 + np.arange(n) * round(gap)).ravel()
    return Trains(Spikes(step, np.zeros(len(step), int), np.tile(order, events), n), dt=1.0, steps=events * every)


def test_sweeps_are_replay_forward_and_in_reverse() -> None:
    place = np.linspace(0, 1, 8)
    for order, sign in ((np.arange(8), 1.0), (np.arange(8)[::-1], -1.0)):
        trains = swept(order)
        events = bursts_of(trains, least=20.0, threshold=2.0)
        assert len(events) == 10
        found = replay(trains, events, place, speed=0.1, shuffles=200)
        np.testing.assert_allclose(found.r, sign)
        np.testing.assert_allclose(found.velocity, sign / 0.07)  # the whole track in 70 ms
        np.testing.assert_allclose(found.compression, 1 / 0.07 / 0.1)
        assert found.significant.all()


def test_cells_in_any_order_are_replay_as_often_as_chance_has_it() -> None:
    rng, n = np.random.default_rng(0), 8
    step = np.sort(rng.integers(0, 90, (200, n)), axis=1) + np.arange(200)[:, None] * 200
    cell = np.array([rng.permutation(n) for _ in range(200)])
    trains = Trains(Spikes(step.ravel(), np.zeros(step.size, int), cell.ravel(), n), dt=1.0, steps=40_000)
    events = np.stack([np.arange(200) * 200.0, np.arange(200) * 200.0 + 100], axis=1)
    found = replay(trains, events, np.linspace(0, 1, n), shuffles=200)
    assert found.significant.mean() < 0.1
    assert np.abs(found.r).mean() == pytest.approx(found.shuffled.mean(), abs=0.05)
    few = replay(trains, events, np.where(np.arange(n) < 4, 1.0 * np.arange(n), np.nan))
    assert np.isnan(few.r).all()


def test_weighted_correlation_is_that_of_weighted_samples() -> None:
    rng = np.random.default_rng(0)
    w = rng.integers(0, 4, (6, 5)).astype(float)
    t, x = np.nonzero(w)
    repeated = np.repeat(np.stack([t, x]), w[t, x].astype(int), axis=1)
    assert weighted_correlation(w) == pytest.approx(np.corrcoef(repeated)[0, 1])
    assert math.isnan(weighted_correlation(np.eye(1, 4)))

"""Measures of processes for which they are known in closed form, and of small trains by hand."""

import math

import numpy as np
import pytest

from spikemem.errors import StimulusError
from spikemem.instruments import (
    Spikes,
    Trains,
    band_phase,
    correlation,
    cv,
    cv2,
    fano,
    isi,
    phase,
    phases,
    psth,
    rates,
    spectrum,
    synchrony,
)
from tests.instruments.processes import poisson, renewal, trains_of


def by_hand() -> Trains:
    """Two batch items of three cells, 100 steps of .5 ms; the last cell is silent."""
    step, batch, cell = np.array([(0, 0, 0), (10, 0, 0), (12, 0, 1), (30, 1, 1), (40, 0, 0), (99, 1, 1)]).T
    return Trains(Spikes(step, batch, cell, size=3), 0.5, 100, 2)


def test_rates_are_spikes_a_second() -> None:
    np.testing.assert_allclose(rates(by_hand()), [[60, 20, 0], [0, 40, 0]])
    assert rates(poisson(50.0, 100_000, cells=2)).mean() == pytest.approx(50.0, abs=3 * math.sqrt(50.0 / 200.0))


def test_a_window_is_measured_as_the_run_from_there_on() -> None:
    part = by_hand().window(5.0, 20.0)
    assert (part.steps, part.start, part.spikes.step.tolist()) == (30, 10, [0, 2, 20])
    np.testing.assert_allclose(rates(part)[0], [1000 / 15, 1000 / 15, 0])
    assert part.window(6.0).spikes.step.tolist() == [0, 18]
    assert part.window(6.0).start == 12
    np.testing.assert_allclose(phases(part, 10.0), phases(by_hand(), 10.0)[1:4])


@pytest.mark.parametrize(
    ("start", "stop", "clue"),
    [(0.3, None, "whole number of steps"), (50.0, None, "from 0 to 49.5 ms"), (5.0, 5.0, "from 5.5"), (0, 51.0, "50 ms")],
)
def test_a_window_lies_within_the_run(start: float, stop: float | None, clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        by_hand().window(start, stop)


def test_bins_hold_every_spike_but_those_of_the_rest() -> None:
    counts = by_hand().binned(15.0)
    assert counts.shape == (2, 3, 3)
    assert counts[0, 0].tolist() == [2, 1, 0]
    assert counts[1, 1].tolist() == [0, 1, 0]  # the last 5 ms are left out
    np.testing.assert_allclose(by_hand().activity(15.0), counts.sum(axis=1) / 3 / 0.015)
    assert by_hand().binned(10.0).sum() == 6
    np.testing.assert_allclose(by_hand().activity(10.0), np.array([[3, 0, 1, 0, 0], [0, 1, 0, 0, 1]]) / 3 / 0.01)


def test_intervals_by_hand() -> None:
    found = isi(by_hand())
    assert list(zip(found.batch.tolist(), found.cell.tolist(), found.interval.tolist(), strict=True)) == [
        (0, 0, 5.0), (0, 0, 15.0), (1, 1, 34.5)
    ]  # fmt: skip
    np.testing.assert_allclose(cv(by_hand()), [[0.5, np.nan, np.nan], [np.nan] * 3])
    np.testing.assert_allclose(cv2(by_hand()), [[1.0, np.nan, np.nan], [np.nan] * 3])


@pytest.mark.parametrize("order", [1.0, 4.0, 16.0, math.inf])
def test_variation_of_a_gamma_process(order: float) -> None:
    """CV = 1 / sqrt(k). CV2's mean is 1 of a Poisson process and 2 (2 / 4^k) (2k - 1)! / (k! (k - 1)!) in general: that of |2B - 1|,
    B of a Beta(k, k) distribution."""
    made = renewal(order, 20.0, 4000, 4)
    beta = 0.0 if math.isinf(order) else 2 * 2 / 4**order * math.gamma(2 * order) / (math.gamma(order + 1) * math.gamma(order))
    np.testing.assert_allclose(cv(made)[0], 0.0 if math.isinf(order) else 1 / math.sqrt(order), atol=0.04)
    np.testing.assert_allclose(cv2(made)[0], beta, atol=0.03)


def test_local_variation_does_not_hear_a_slow_change_of_rate() -> None:
    rng = np.random.default_rng(0)
    gaps = np.concatenate([rng.gamma(4.0, scale, 2000) for scale in (2.5, 20.0)])
    step = np.unique(np.round(np.cumsum(gaps) / 0.1).astype(int))
    made = Trains(Spikes(step, np.zeros(len(step), int), np.zeros(len(step), int), 1), 0.1, int(step.max()) + 1)
    assert cv(made)[0, 0] > 1.0
    assert cv2(made)[0, 0] == pytest.approx(0.547, abs=0.03)  # as without the change


def test_fano_factor() -> None:
    assert fano(poisson(20.0, 50_000, cells=20), 100.0).mean() == pytest.approx(1 - 0.02, abs=0.04)  # of a binomial count: 1 - p
    assert fano(renewal(math.inf, 20.0, 500, 3).window(10.0, 9010.0), 100.0).tolist() == [0.0] * 3
    np.testing.assert_allclose(fano(by_hand()), [1.5**2 / 1.5, 0.5**2 / 1.5, np.nan])  # 3 and 0, 1 and 2, 0 and 0
    with pytest.raises(StimulusError, match="does not vary"):
        fano(poisson(20.0, 100))


def test_correlation_of_shared_and_of_independent_spikes() -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.random((40_000, 1, 1)) < 0.02, rng.random((40_000, 1, 3)) < 0.02
    dense = np.concatenate([own | shared, own[:, :, :1], np.zeros_like(shared)], axis=2)
    found = correlation(trains_of(dense), bin=1.0)[0]
    p = 0.02 + 0.02 - 0.02**2
    rho = (0.02 * 1 + 0.98 * 0.02**2 - p**2) / (p * (1 - p))
    np.testing.assert_allclose(found[np.triu_indices(3, 1)], rho, atol=0.03)
    np.testing.assert_allclose(np.diagonal(found)[:4], 1.0)
    assert abs(found[1, 3]) < 0.02
    assert np.isnan(found[4]).all()


def test_synchrony_of_independent_cells_and_of_one() -> None:
    """Golomb's chi: 1 / sqrt(N) and 1."""
    assert synchrony(poisson(20.0, 40_000, cells=100))[0] == pytest.approx(0.1, abs=0.01)
    one = np.repeat(np.random.default_rng(0).random((1000, 2, 1)) < 0.02, 30, axis=2)
    one[:, 1] = False
    np.testing.assert_allclose(synchrony(trains_of(one)), [1.0, np.nan])


def test_spectrum_of_a_poisson_population_is_flat() -> None:
    """2 r / N at all frequencies, less what a Bernoulli process lacks, 1 - p."""
    found = spectrum(poisson(40.0, 60_000, cells=8), segment=500.0)
    assert found.frequency[1] == pytest.approx(2.0)
    assert found.frequency[-1] == pytest.approx(500.0)
    level = 2 * 40.0 / 8 * (1 - 0.04)
    assert found.power[0, 2:-1].mean() == pytest.approx(level, rel=0.03)
    assert abs(found.power[0, 2:120].mean() / found.power[0, 120:-1].mean() - 1) < 0.05


def test_spectrum_holds_the_power_of_the_rate_and_finds_its_rhythm() -> None:
    steps = np.arange(32_000)
    chance = 0.02 * (1 + np.sin(2 * np.pi * steps / 25.0))
    made = trains_of(np.random.default_rng(0).random((32_000, 1, 40)) < chance[:, None, None])
    found = spectrum(made, bin=2.0, segment=500.0)
    assert found.frequency[found.power[0].argmax()] == pytest.approx(40.0)
    assert found.power[0].sum() * found.frequency[1] == pytest.approx(made.activity(2.0)[0].var(), rel=0.03)  # Parseval


def test_phase_locking_is_known_of_a_clock_and_of_noise() -> None:
    clock = np.zeros((1000, 1, 3), bool)
    clock[5::20, 0, 0] = True  # a quarter of a cycle of 20 ms
    clock[[*range(0, 1000, 20), *range(10, 1000, 20)], 0, 1] = True  # both ends of a diameter
    found = phase(trains_of(clock), 20.0)
    np.testing.assert_allclose(found.strength[0], [1.0, 0.0, np.nan], atol=1e-12)
    assert found.angle[0, 0] == pytest.approx(np.pi / 2)
    assert found.spikes.tolist() == [[50, 100, 0]]
    assert found.p[0, 0] < 1e-12
    assert found.p[0, 1] == pytest.approx(1.0, abs=0.01)
    assert found.pooled.strength[0] == pytest.approx(50 / 150)
    assert found.pooled.spikes.tolist() == [150]


def test_rayleighs_test_refuses_as_often_as_it_says() -> None:
    p = phase(poisson(20.0, 3000, cells=2000), 17.3).p[0]
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert (p < 0.5).mean() == pytest.approx(0.5, abs=0.05)


def test_phase_locking_of_a_modulated_process_is_half_its_depth() -> None:
    """A rate r (1 + m cos phi) has the vector strength m / 2."""
    phi = 2 * np.pi * np.arange(50_000) / 125.0
    made = trains_of(np.random.default_rng(1).random((50_000, 1, 4)) < (0.05 * (1 + 0.6 * np.cos(phi - 1.0)))[:, None, None])
    found = phase(made, 125.0)
    np.testing.assert_allclose(found.strength[0], 0.3, atol=0.05)
    np.testing.assert_allclose(found.angle[0], 1.0, atol=0.15)
    assert found.pooled.strength[0] == pytest.approx(0.3, abs=0.02)


def test_phase_in_a_field_potential_follows_a_rhythm_that_no_period_has() -> None:
    """Cells that fire at a phase of a theta rhythm that speeds up from 6 to 10 Hz, under noise and a slow drift."""
    time = np.arange(20_000) / 1000.0
    phi = 2 * np.pi * (6.0 * time + 0.5 * (4.0 / 20.0) * time**2)
    potential = np.cos(phi) + 0.5 * np.random.default_rng(0).normal(size=len(time)) + 2.0 * np.cos(2 * np.pi * 0.3 * time)
    at = (phi % (2 * np.pi) - 1.2) % (2 * np.pi) < 2 * np.pi * 6.0 / 1000.0
    locked = trains_of(at[:, None, None])
    found = phase(locked, band_phase(potential, 4.0, 12.0, dt=1.0))
    assert found.strength[0, 0] > 0.95
    assert found.angle[0, 0] == pytest.approx(1.2, abs=0.1)
    assert phase(locked, 125.0).strength[0, 0] < 0.3
    part = phase(locked.window(7000.0, 9000.0), band_phase(potential, 4.0, 12.0, dt=1.0))
    assert part.angle[0, 0] == pytest.approx(1.2, abs=0.15)


def test_psth_averages_over_onsets_and_batch_items() -> None:
    dense = np.zeros((200, 2, 2), bool)
    dense[[22, 122], 0, 0] = True  # in both batch items and at both onsets, but for the last
    dense[22, 1, 0] = True
    dense[15, 1, 1] = True
    found = psth(trains_of(dense), 5.0, [20.0, 120.0], before=10.0, after=20.0)
    assert found.time.tolist() == [-10.0, -5.0, 0.0, 5.0, 10.0, 15.0]
    assert found.trials == 4
    np.testing.assert_allclose(found.rate, np.array([0, 1, 3, 0, 0, 0]) / (4 * 2 * 0.005))
    whole = psth(trains_of(dense))
    assert len(whole.rate) == 40
    assert whole.rate.mean() == pytest.approx(rates(trains_of(dense)).mean())


def test_psth_counts_no_step_behind_a_trial() -> None:
    dense = np.zeros((1000, 1, 1), bool)
    dense[::5] = True
    found = psth(trains_of(dense), 5.0, np.arange(100.0, 900.0, 100.0), before=50.0, after=50.0)
    assert found.rate.tolist() == [200.0] * 20


@pytest.mark.parametrize(
    ("given", "clue"),
    [
        ({"onsets": [0.0], "before": 5.0}, "reaches outside the run"),
        ({"onsets": [90.0], "after": 15.0}, "reaches outside the run"),
        ({"onsets": [90.0], "before": 3.0}, "whole bins"),
        ({"onsets": [100.0]}, "an onset is 100.0 ms"),
        ({"onsets": []}, "give a time in ms"),
        ({"bin": 0.5}, "bin is 0.5 ms"),
    ],
)
def test_psth_says_which_trial_does_not_fit(given: dict, clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        psth(poisson(20.0, 100), **given)


def test_a_population_of_silent_cells_has_no_statistics() -> None:
    silent = trains_of(np.zeros((100, 2, 3), bool))
    assert rates(silent).tolist() == [[0.0] * 3] * 2
    assert len(isi(silent).interval) == 0
    for measure in (cv, cv2, fano, correlation, synchrony):
        assert np.isnan(measure(silent)).all()
    assert np.isnan(phase(silent, 10.0).strength).all()
    assert np.isnan(phase(silent, 10.0).pooled.p).all()
    assert (spectrum(silent).power == 0).all()


def test_segments_fit_the_time() -> None:
    with pytest.raises(StimulusError, match="segment is 200"):
        spectrum(poisson(20.0, 100), segment=200.0)
    with pytest.raises(StimulusError, match="longer segment"):
        spectrum(poisson(20.0, 100), bin=5.0, segment=5.0)

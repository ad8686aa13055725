"""The same numbers as Elephant's, of the same trains."""

import warnings

import numpy as np
import pytest

from spikemem.instruments import (
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
    spike_contrast,
)
from tests.instruments.processes import poisson, trains_of

pytest.importorskip("elephant", reason="the analysis extra is not installed")
neo = pytest.importorskip("neo", reason="the analysis extra is not installed")

from elephant import conversion, phase_analysis, signal_processing, spectral, spike_train_correlation, spike_train_synchrony, statistics  # noqa: E402
from quantities import Hz, ms  # noqa: E402

CELLS, BATCHES = 6, 2


@pytest.fixture(scope="module")
def trains() -> Trains:
    """Cells that share some of their spikes, their rates modulated; one is silent."""
    rng = np.random.default_rng(0)
    chance = 0.03 * (1 + np.sin(2 * np.pi * np.arange(2000) / 50.0))[:, None, None]
    dense = (rng.random((2000, BATCHES, CELLS)) < chance) | (rng.random((2000, BATCHES, 1)) < 0.01)
    dense[:, :, 4] = False
    return trains_of(dense, dt=0.5)


def theirs(trains: Trains, batch: int) -> list:
    """A neo.SpikeTrain for each cell."""
    spikes = trains.spikes.between(0, trains.steps, batch)
    return [neo.SpikeTrain(spikes.step[spikes.cell == cell] * trains.dt, units="ms", t_stop=trains.duration) for cell in range(CELLS)]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_rates_and_intervals(trains: Trains, batch: int) -> None:
    found = isi(trains)
    for cell, train in enumerate(theirs(trains, batch)):
        assert rates(trains)[batch, cell] == pytest.approx(float(statistics.mean_firing_rate(train).rescale(Hz)))
        own = found.interval[(found.batch == batch) & (found.cell == cell)]
        intervals = statistics.isi(train).rescale(ms).magnitude
        np.testing.assert_allclose(own, intervals)
        if len(intervals) > 1:
            assert cv(trains)[batch, cell] == pytest.approx(statistics.cv(intervals))
            assert cv2(trains)[batch, cell] == pytest.approx(statistics.cv2(intervals))
        else:
            assert np.isnan([cv(trains)[batch, cell], cv2(trains)[batch, cell]]).all()


def test_fano_factors_over_trials(trains: Trains) -> None:
    items = [theirs(trains, batch) for batch in range(BATCHES)]
    expected = [statistics.fanofactor([item[cell] for item in items]) for cell in range(CELLS)]
    np.testing.assert_allclose(fano(trains), expected)


def test_correlation(trains: Trains) -> None:
    binned = conversion.BinnedSpikeTrain(theirs(trains, 1), bin_size=5 * ms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = spike_train_correlation.correlation_coefficient(binned)
    np.testing.assert_allclose(correlation(trains)[1], expected, atol=1e-12)


def test_time_histogram(trains: Trains) -> None:
    every = [train for batch in range(BATCHES) for train in theirs(trains, batch)]
    expected = statistics.time_histogram(every, 5 * ms, output="rate").rescale(Hz).magnitude.ravel()
    np.testing.assert_allclose(psth(trains).rate, expected)


def test_spectrum(trains: Trains) -> None:
    rate = neo.AnalogSignal(trains.activity(1.0).T, units="Hz", sampling_period=1 * ms)
    frequency, power = spectral.welch_psd(rate, len_segment=200, overlap=0.5, window="hann")
    found = spectrum(trains, bin=1.0, segment=200.0)
    np.testing.assert_allclose(found.frequency, frequency.rescale(Hz).magnitude)
    np.testing.assert_allclose(found.power, power.magnitude, rtol=1e-9)


def test_phase_locking(trains: Trains) -> None:
    found, every = phase(trains, 25.0), phases(trains, 25.0)
    for cell in (0, 5):
        own = every[(trains.spikes.batch == 0) & (trains.spikes.cell == cell)]
        angle, length = phase_analysis.mean_phase_vector(own)
        assert found.strength[0, cell] == pytest.approx(length)
        assert found.angle[0, cell] == pytest.approx(angle % (2 * np.pi))


def test_phase_in_a_field_potential(trains: Trains) -> None:
    signal = trains.activity(0.5)
    potential = neo.AnalogSignal(signal.T, units="Hz", sampling_period=0.5 * ms)
    filtered = signal_processing.butter(potential, 20 * Hz, 60 * Hz, order=4, filter_function="sosfiltfilt")
    analytic = signal_processing.hilbert(filtered)
    expected = np.angle(analytic.magnitude.T) % (2 * np.pi)
    found = band_phase(signal, 20.0, 60.0, dt=0.5)
    inner = slice(400, -400)  # Elephant's hilbert pads to a length that its transform likes
    apart = np.angle(np.exp(1j * (found - expected)))[:, inner]
    assert np.abs(apart).max() < 0.05


def test_spike_contrast(trains: Trains) -> None:
    found = spike_contrast(trains)
    fired = [train for train in theirs(trains, 0) if len(train)]
    assert found[0] == pytest.approx(spike_train_synchrony.spike_contrast(fired))
    together = trains_of(np.repeat(np.random.default_rng(0).random((3000, 1, 1)) < 0.005, 10, axis=2))
    apart = poisson(5.0, 3000, cells=10)
    assert spike_contrast(together)[0] > 0.9 > 2 * spike_contrast(apart)[0]
    assert np.isnan(spike_contrast(trains_of(np.zeros((100, 1, 3), bool)))).all()

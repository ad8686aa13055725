"""In which rhythm cells fire: the spectrum of a population, and the phase of its spikes in a cycle."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import many
from spikemem.errors import StimulusError
from spikemem.instruments.spikes import Trains, check

TURN = 2 * np.pi
PAD = 27
"""Steps by which scipy extends a signal at both ends for a band-pass of order 4; it must be longer."""


class Spectrum(NamedTuple):
    """A power spectral density.   frequency: Hz, [frequency].   power: of a rate in Hz, Hz^2 / Hz, [batch, frequency]."""

    frequency: NDArray[np.float64]
    power: NDArray[np.float64]


def spectrum(trains: Trains, bin: float | None = None, segment: float | None = None) -> Spectrum:
    """One-sided power spectral density of a population's rate, by Welch's method: Hz^2 / Hz, [batch, frequency].

        S(f) = 2 |FFT(w (A - mean A))|^2 / (fs sum w^2), averaged over segments         Welch 1967

    A is the population's rate (`Trains.activity`), w a Hann window, fs = 1 / bin; segments overlap by half. N cells that fire as Poisson
    processes of rate r have S(f) = 2 r / N at all frequencies. Elephant's `welch_psd` is the same on an analogue signal.

    bin: ms, whole steps; None is one step.   segment: ms, whole bins; None is an eighth of the time. Frequencies are 1 / segment apart.
    """
    from scipy.signal import welch

    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    bin = trains.dt if bin is None else bin
    width = trains.width(bin)
    bins = trains.steps // width
    size = max(bins // 8, min(bins, 2)) if segment is None else trains.width(segment, "segment") // width
    size = check.integer(size, "the bins of a segment", least=2, most=bins, mend="give a longer segment, or narrower bins")
    frequency, power = welch(trains.activity(bin), 1000.0 / (width * trains.dt), "hann", size, detrend="constant", scaling="density")
    return Spectrum(frequency, power)


class PhaseLocking(NamedTuple):
    """Phase locking to a rhythm.

    strength: vector strength, 0 to 1, [batch, cell].   angle: mean phase, rad, from 0 to 2 pi, [batch, cell].   spikes: how many,
    [batch, cell]. NaN where a cell is silent.
    """

    strength: NDArray[np.float64]
    angle: NDArray[np.float64]
    spikes: NDArray[np.int64]

    @property
    def pooled(self) -> "PhaseLocking":
        """The same of all spikes of the population together, [batch]."""
        vector = np.nan_to_num(self.strength * self.spikes * np.exp(1j * np.nan_to_num(self.angle)))
        return _locking(vector.sum(axis=-1), self.spikes.sum(axis=-1))

    @property
    def p(self) -> NDArray[np.float64]:
        """Rayleigh's test: how likely so strong a locking is where phases are uniform, [batch, cell].

        p = exp(sqrt(1 + 4 n + 4 (n^2 - R^2)) - (1 + 2 n)),   R = n strength         Zar 1999, eq. 27.4
        """
        n = self.spikes
        return np.exp(np.sqrt(1 + 4 * n + 4 * n**2 * (1 - self.strength**2)) - (1 + 2 * n))


def band_phase(signal: ArrayLike, low: float, high: float, dt: float) -> NDArray[np.float64]:
    """The phase of a signal in a band at each step, such as of a field potential in theta: rad, from 0 to 2 pi, 0 at its peaks.

        phi[t] = arg(x[t] + i H(x)[t]),   x the signal in the band, H the Hilbert transform         Le Van Quyen and others 2001

    The band is that of a Butterworth filter of order 4 that runs forth and back, and so shifts no phase; Elephant's `butter` and
    `hilbert` are the same. Within a cycle of both ends the filter lacks what lies beyond, and phases are less sure.
    signal: [..., step].   low, high: Hz, 0 < low < high < 500 / dt.   dt: ms.

    >>> theta = np.cos(2 * np.pi * 8.0 * np.arange(2000) / 1000.0)  # 8 Hz, in steps of 1 ms
    >>> float(np.cos(band_phase(theta, 4.0, 12.0, dt=1.0)[1000]).round(3))  # a peak
    1.0
    """
    from scipy.signal import butter, hilbert, sosfiltfilt

    dt = check.finite(dt, "dt", above=0, unit=" ms")
    given = check.floats(signal, "the signal, [step] or [batch, step]")
    high = check.finite(high, "high", above=0, unit=" Hz")
    low = check.finite(low, "low", above=0, unit=" Hz")
    if not low < high < 500.0 / dt:
        raise StimulusError(f"the band is {low:g} to {high:g} Hz; it must rise, and end below {500.0 / dt:g} Hz, half a step's frequency")
    steps = given.shape[-1] if given.ndim else 0
    if steps <= PAD:
        raise StimulusError(f"the signal has {steps} steps; a filter needs more than {PAD}")
    filtered = sosfiltfilt(butter(4, [low, high], "bandpass", output="sos", fs=1000.0 / dt), given, axis=-1)
    return np.angle(hilbert(filtered, axis=-1)) % TURN


def phase(trains: Trains, period: float | ArrayLike) -> PhaseLocking:
    """How each cell locks to a rhythm: vector strength and mean phase, [batch, cell].

        z = 1/n sum_k exp(i phi_k),   strength = |z|,   angle = arg z         Goldberg & Brown 1969; Elephant's `mean_phase_vector`

    It is 1 where all spikes have one phase, and about 1 / sqrt(n) where n spikes have any.
    period: ms, > 0; cycles are counted from the start of the recording, also of one that went on from another. Or the phases of a rhythm
        itself at each step of the run, rad, [step] or [batch, step], as `band_phase` gives them.

    >>> from spikemem.instruments import Spikes
    >>> locked = phase(Trains(Spikes([5, 25, 45], [0, 0, 0], [0, 0, 0], size=1), dt=1.0, steps=60), period=20.0)
    >>> float(locked.strength[0, 0].round(6)), float(locked.angle[0, 0].round(6))  # a quarter of a cycle
    (1.0, 1.570796)
    """
    angles = phases(trains, period)
    cells = trains.batches * trains.spikes.size
    check.room(cells, "the cells of all batch items", "take fewer batch items")
    cell = trains.spikes.batch.astype(np.int64) * trains.spikes.size + trains.spikes.cell
    real, imaginary = (np.bincount(cell, part(angles), minlength=cells) for part in (np.cos, np.sin))
    shape = trains.batches, trains.spikes.size
    return _locking((real + 1j * imaginary).reshape(shape), np.bincount(cell, minlength=cells).reshape(shape))


def phases(trains: Trains, period: float | ArrayLike) -> NDArray[np.float64]:
    """The phase of each spike in a rhythm: rad, from 0 to 2 pi, [spike], in the order of the spikes.

    phi = 2 pi (t mod period) / period,   t from the start of the run; or those that are given for each step, see `phase`
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    if many(period):
        given = np.atleast_2d(check.floats(period, "the phases of each step"))
        if given.ndim != 2 or len(given) not in (1, trains.batches) or given.shape[1] < trains.start + trains.steps:
            expected = f"[{trains.batches}, {trains.start + trains.steps}]"
            raise StimulusError(f"the phases of each step have shape {given.shape}; expected {expected}, all steps of the run")
        item = trains.spikes.batch if len(given) > 1 else 0
        return given[item, trains.spikes.step + trains.start] % TURN
    period = check.finite(period, "period", above=0, unit=" ms")
    time = (trains.spikes.step.astype(np.float64) + trains.start) * trains.dt
    return TURN * (time % period) / period


def _locking(vector: NDArray[np.complex128], spikes: NDArray[np.int64]) -> PhaseLocking:
    """Strength and angle of sums of unit vectors, one a spike."""
    silent = spikes == 0
    strength = np.where(silent, np.nan, np.abs(vector) / np.maximum(spikes, 1))
    return PhaseLocking(strength, np.where(silent, np.nan, np.angle(vector) % TURN), spikes)

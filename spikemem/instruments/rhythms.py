"""In which rhythm cells fire: the spectrum of a population, and the phase of its spikes in a cycle."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.instruments.spikes import Trains, check

TURN = 2 * np.pi


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


def phase(trains: Trains, period: float) -> PhaseLocking:
    """How each cell locks to a rhythm: vector strength and mean phase, [batch, cell].

        z = 1/n sum_k exp(i phi_k),   strength = |z|,   angle = arg z         Goldberg & Brown 1969; Elephant's `mean_phase_vector`

    It is 1 where all spikes have one phase, and about 1 / sqrt(n) where n spikes have any.
    period: ms, > 0. Cycles are counted from the start of the recording, also of one that went on from another.

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


def phases(trains: Trains, period: float) -> NDArray[np.float64]:
    """The phase of each spike in a rhythm: rad, from 0 to 2 pi, [spike], in the order of the spikes.

    phi = 2 pi (t mod period) / period,   t from the start of the run
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("e")')
    period = check.finite(period, "period", above=0, unit=" ms")
    time = (trains.spikes.step.astype(np.float64) + trains.start) * trains.dt
    return TURN * (time % period) / period


def _locking(vector: NDArray[np.complex128], spikes: NDArray[np.int64]) -> PhaseLocking:
    """Strength and angle of sums of unit vectors, one a spike."""
    silent = spikes == 0
    strength = np.where(silent, np.nan, np.abs(vector) / np.maximum(spikes, 1))
    return PhaseLocking(strength, np.where(silent, np.nan, np.angle(vector) % TURN), spikes)

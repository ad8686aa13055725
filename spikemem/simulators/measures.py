"""What can be measured of a recording: its populations' rates, intervals, correlation, spectrum, phase and synchrony."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem import instruments
from spikemem._checks import shown
from spikemem.errors import StimulusError
from spikemem.instruments import PSTH, Intervals, PhaseLocking, Spectrum, Trains


class Measures(ABC):
    """The measures of `spikemem.instruments` on the populations of a recording.

    Each takes the name of a population, and what part of the run to measure: `start` and `stop`, ms, by default all of it. Times are ms,
    rates and frequencies Hz. Batch items are measured one by one, [batch, ...], but in `psth` and `fano`, where they are trials.
    """

    @abstractmethod
    def trains(self, population: str, start: float = 0.0, stop: float | None = None) -> Trains:
        """The spike trains of a population from `start` to `stop`, ms of the run."""

    def rates(self, population: str, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Mean firing rate of each cell: Hz, [batch, cell]; `instruments.rates`."""
        return instruments.rates(self.trains(population, start, stop))

    def psth(
        self, population: str, bin: float = 5.0, onsets: str | ArrayLike = (0.0,), before: float = 0.0, after: float | None = None
    ) -> PSTH:
        """The rate around a stimulus, averaged over onsets and batch items: Hz, [bin]; `instruments.psth`.

        onsets: ms of the run, or the name of marks.   bin, before, after: ms.
        """
        return instruments.psth(self.trains(population), bin, self._times(onsets), before, after)

    def isi(self, population: str, *, start: float = 0.0, stop: float | None = None) -> Intervals:
        """The intervals between the spikes of each cell: ms; `instruments.isi`."""
        return instruments.isi(self.trains(population, start, stop))

    def cv(self, population: str, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Coefficient of variation of each cell's intervals: [batch, cell]; `instruments.cv`."""
        return instruments.cv(self.trains(population, start, stop))

    def cv2(self, population: str, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Local variation of each cell's intervals: [batch, cell]; `instruments.cv2`."""
        return instruments.cv2(self.trains(population, start, stop))

    def fano(self, population: str, window: float | None = None, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Fano factor of each cell's counts in all windows of all batch items: [cell]; `instruments.fano`.   window: ms."""
        return instruments.fano(self.trains(population, start, stop), window)

    def correlation(self, population: str, bin: float = 5.0, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Correlation of the counts of each two cells: [batch, cell, cell]; `instruments.correlation`.   bin: ms."""
        return instruments.correlation(self.trains(population, start, stop), bin)

    def spectrum(
        self, population: str, bin: float | None = None, segment: float | None = None, *, start: float = 0.0, stop: float | None = None
    ) -> Spectrum:
        """Power spectral density of the population's rate: Hz^2 / Hz, [batch, frequency]; `instruments.spectrum`.   bin, segment: ms."""
        return instruments.spectrum(self.trains(population, start, stop), bin, segment)

    def phase(
        self, population: str, period: float | None = None, *, of: str | ArrayLike | None = None, band: tuple[float, float] | None = None,
        start: float = 0.0, stop: float | None = None,
    ) -> PhaseLocking:  # fmt: skip
        """How each cell locks to a rhythm: strength and phase, [batch, cell]; `instruments.phase`.

        period: of a rhythm that never changes, ms, counted from the start of the run; or instead of it
        of, band: a field potential, and its band, Hz, (low, high): the rate of a population, by its name, or a signal, [step] or
            [batch, step], such as the mean of recorded voltages; phases are those of `instruments.band_phase`, 0 at the peaks.
        """
        if (period is None) == (of is None) or (of is None) != (band is None):
            raise StimulusError("phase takes a period, or a field potential with its band, of= and band=(low, high)")
        if of is None or band is None:
            return instruments.phase(self.trains(population, start, stop), period)  # type: ignore[arg-type]
        whole = self.trains(of) if isinstance(of, str) else self.trains(population)
        signal = whole.activity(whole.dt) if isinstance(of, str) else of
        low, high = self._band(band)
        return instruments.phase(self.trains(population, start, stop), instruments.band_phase(signal, low, high, whole.dt))

    @staticmethod
    def _band(band: tuple[float, float]) -> tuple[float, float]:
        if not isinstance(band, tuple | list) or len(band) != 2:
            raise StimulusError(f"band is {shown(band)}; give two frequencies, (low, high), Hz")
        return band[0], band[1]

    def synchrony(self, population: str, bin: float = 5.0, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Golomb's chi of the population: 1 / sqrt(cells) where independent, 1 where as one, [batch]; `instruments.synchrony`."""
        return instruments.synchrony(self.trains(population, start, stop), bin)

    def spike_contrast(self, population: str, *, start: float = 0.0, stop: float | None = None) -> NDArray[np.float64]:
        """Spike-contrast of the population, by Elephant: 0 to 1, [batch]; `instruments.spike_contrast`."""
        return instruments.spike_contrast(self.trains(population, start, stop))

    @abstractmethod
    def _times(self, onsets: str | ArrayLike) -> ArrayLike:
        """Times in ms: those that are given, or those of the marks of a name."""

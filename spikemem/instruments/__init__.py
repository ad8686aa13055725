"""Measures of spike trains: rates, intervals, correlation, spectrum, phase, synchrony; pure functions that take `Trains`.

`recording.trains("e")` gives the trains of a population, and each measure is a method of `Recording`, too: `recording.rates("e")`.
"""

from spikemem.instruments.firing import PSTH, psth, rates
from spikemem.instruments.rhythms import PhaseLocking, Spectrum, band_phase, phase, phases, spectrum
from spikemem.instruments.spikes import Recorded, Spikes, Trains
from spikemem.instruments.together import correlation, spike_contrast, synchrony
from spikemem.instruments.variability import Intervals, cv, cv2, fano, isi

__all__ = [
    "PSTH", "Intervals", "PhaseLocking", "Recorded", "Spectrum", "Spikes", "Trains", "band_phase", "correlation", "cv", "cv2", "fano",
    "isi", "phase", "phases", "psth", "rates", "spectrum", "spike_contrast", "synchrony",
]  # fmt: skip

"""Rhythms of a recording: the strength and phase of an oscillation, and the phase precession of cells in it."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import TIE, check
from spikemem.errors import DataError
from spikemem.instruments.rhythms import TURN
from spikemem.instruments.spikes import Trains

THETA, GAMMA, RIPPLE = (6.0, 10.0), (30.0, 80.0), (150.0, 250.0)
"""Bands of the hippocampus, Hz."""
GRID = 20
"""Slopes that are tried a cycle over all positions, before the best is refined: many more than the fit has peaks."""


class Oscillation(NamedTuple):
    """An oscillation of a population's rate.

    frequency, power: its spectrum in the band and around it, Hz, Hz^2 / Hz, [frequency].   peak: where it is strongest in the band, Hz.
    share: of the power up to half the sampling rate that lies in the band.   trace: the rate in the band, Hz, [bin].
    angle: its phase, rad, 0 at the peak of the rate, from 0 to 2 pi, [bin].   time: ms of the run in the middle of each bin, [bin].
    Peak and phase of a population that is silent, or fires at one rate, are NaN.
    """

    frequency: NDArray[np.float64]
    power: NDArray[np.float64]
    peak: float
    share: float
    trace: NDArray[np.float64]
    angle: NDArray[np.float64]
    time: NDArray[np.float64]

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """The phase at times, ms of the run: rad, from 0 to 2 pi, of the shape of times."""
        given = check.floats(times, "times")
        return np.interp(given, self.time, np.unwrap(self.angle)) % TURN


def oscillation(
    trains: Trains, band: tuple[float, float] = THETA, bin: float | None = None, *, segment: float | None = None, batch: int = 0
) -> Oscillation:
    """The oscillation of a population in a band of frequencies: its spectrum, and its phase from moment to moment.

        angle = arg(x + i H(x)),   x the population's rate, band-passed forth and back (Butterworth, order 2), H Hilbert's transform

    It takes the place of a field potential where none was recorded. Theta is 6-10 Hz here, ripples 150-250 Hz (Buzsaki 2015).
    band: Hz.   bin: ms, whole steps; None is an eighth of the band's shortest period, or a step.   segment: ms, of Welch's method
    (see `spectrum`); None is 20 periods of the band's lower end.
    """
    from scipy.signal import butter, hilbert, sosfiltfilt, welch

    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca3")')
    batch = check.integer(batch, "batch", least=0, most=trains.batches - 1)
    low, high = check.floats(band, "band, Hz", shape=(2,)).tolist()
    width = max(1, int(125.0 / max(high, 1e-9) / trains.dt)) if bin is None else trains.width(bin)
    rate = trains.activity(width * trains.dt)[batch]
    fs = 1000.0 / (width * trains.dt)
    size = int(fs * 20 / max(low, 1e-9)) if segment is None else trains.width(segment, "segment") // width
    size = min(size, len(rate))
    if not 0 < low < high < fs / 2 or size < 4 or len(rate) * low / fs < 4:
        raise DataError(
            f"the band is {low:g} to {high:g} Hz, of {len(rate)} bins of {1000 / fs:g} ms; "
            f"give 0 < low < high < {fs / 2:g} Hz, and at least four cycles of the lower one"
        )
    frequency, power = welch(rate, fs, "hann", size, detrend="constant", scaling="density")
    inside, shown = (frequency >= low) & (frequency <= high), (frequency > 0) & (frequency <= 4 * high)
    if not inside.any():
        raise DataError(f"segments of {size * 1000 / fs:g} ms have no frequency between {low:g} and {high:g} Hz; give longer ones")
    total = max(float(power[1:].sum()), np.finfo(float).tiny)
    trace = sosfiltfilt(butter(2, (low, high), "bandpass", fs=fs, output="sos"), rate - rate.mean())
    middle = (trains.start + (np.arange(len(rate), dtype=np.float64) + 0.5) * width) * trains.dt
    peak, angle = float(frequency[inside][power[inside].argmax()]), np.angle(hilbert(trace)) % TURN
    if not power[1:].any():
        peak, angle = math.nan, np.full(len(trace), math.nan)
    return Oscillation(frequency[shown], power[shown], peak, float(power[inside].sum()) / total, trace, angle, middle)


class Precession(NamedTuple):
    """Phase precession in a place field.

    slope: cycles a unit of position; below 0 where later places have earlier phases.   offset: the phase at position 0, rad.
    rho: circular-linear correlation, -1 to 1.   length: of the mean residual vector, 0 to 1.   p: of so long a one with phases permuted.
    """

    slope: float
    offset: float
    rho: float
    p: float
    length: float


def precession(
    position: ArrayLike, angle: ArrayLike, slopes: tuple[float, float] = (-2.0, 2.0), *, shuffles: int = 1000, seed: int = 0
) -> Precession:
    """How the phase of spikes moves with position: the circular-linear regression of Kempter, Leibold, Buzsaki et al. (2012).

        a = argmax |mean exp(i (phi - 2 pi a x))|,   phi_0 = arg sum exp(i (phi - 2 pi a x)),   theta = 2 pi |a| x
        rho = sum sin(phi - <phi>) sin(theta - <theta>) / sqrt(sum sin^2(phi - <phi>) sum sin^2(theta - <theta>))

    O'Keefe & Recce (1993) saw up to a cycle over a field: with x from 0 to 1 through the field a is about -.5 to -1.
    The slope is chosen for the longest vector, in the permuted phases alike: to test rho as if it had been given finds twice too many.
    position: x of each spike, [spike].   angle: phi, rad, [spike].   slopes: between which a is looked for, cycles a unit of position.

    >>> x = np.linspace(0, 1, 40)
    >>> found = precession(x, 2 * np.pi * (0.25 - 0.8 * x))
    >>> round(found.slope, 4), round(found.offset / (2 * np.pi), 4), found.p < 0.01
    (-0.8, 0.25, True)
    """
    from scipy.optimize import minimize_scalar

    x, phi = check.floats(position, "position", shape=(None,)), check.floats(angle, "angle", shape=(None,))
    least, most = check.floats(slopes, "slopes", shape=(2,)).tolist()
    if len(x) != len(phi) or len(x) < 3 or np.ptp(x) == 0 or not least < most:
        raise DataError(f"{len(x)} positions and {len(phi)} phases; give both of three spikes or more, at more than one place")

    def missing(slope: float) -> float:
        return -float(np.abs(np.exp(1j * (phi - TURN * slope * x)).mean()))

    number = check.integer(int(GRID * (most - least) * np.ptp(x)) + 20, "the slopes to try", most=10**6, mend="give a narrower range")
    tried, step = np.linspace(least, most, number, retstep=True)
    best = tried[np.argmin([missing(a) for a in tried])]
    a = float(
        minimize_scalar(missing, bounds=(max(least, best - step), min(most, best + step)), method="bounded", options={"xatol": 1e-9}).x
    )
    offset = float(np.angle(np.exp(1j * (phi - TURN * a * x)).sum()))
    theta = TURN * abs(a) * x
    u, v = (np.sin(one - np.angle(np.exp(1j * one).sum())) for one in (phi, theta))
    tiny = np.finfo(float).tiny
    rho = float((u * v).sum() / max(np.sqrt((u**2).sum() * (v**2).sum()), tiny))
    return Precession(a, offset, rho, _by_chance(x, phi, tried, shuffles, seed), -missing(a))


def _by_chance(x: NDArray[np.float64], phi: NDArray[np.float64], tried: NDArray[np.float64], shuffles: int, seed: int) -> float:
    """How often the longest mean residual vector of any slope is reached where phases are permuted."""
    shuffles, rng = check.integer(shuffles, "shuffles", least=1, most=100_000), np.random.default_rng(check.seed(seed))
    check.room(len(x) * (shuffles + len(tried)), "the shuffles", "give fewer shuffles")
    turned = np.exp(-1j * TURN * x[:, None] * tried)
    longest = float(np.abs(np.exp(1j * phi) @ turned).max())
    permuted = np.abs(np.exp(1j * rng.permuted(np.tile(phi, (shuffles, 1)), axis=1)) @ turned).max(1)
    return float((1 + (permuted >= longest * (1 - TIE)).sum()) / (1 + shuffles))

"""Place cells: where cells fire, how their fields change from one environment to another, and what position their spikes tell."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import TIE, check
from spikemem.errors import DataError
from spikemem.instruments.spikes import Trains

TINY = np.finfo(float).tiny
SHIFT = 20_000.0
"""ms by which shuffled spikes are shifted at least: longer than a cell stays in its field."""


class PlaceField(NamedTuple):
    """A place where a cell fires.   cell: whose.   start, stop: in units of position.   rate: at its peak, Hz.   peak: where."""

    cell: int
    start: float
    stop: float
    rate: float
    peak: float


class RateMaps(NamedTuple):
    """How fast cells fire at each place.

    edges: of the places, ascending, [place + 1].   rate: Hz, [cell, place]; NaN where the animal never was.   occupancy: s, [place].
    information: of a spike about position, bits, [cell].   sparsity: 0 to 1, [cell].   spikes: that were counted, [cell].
    p: of at least so much information where spikes are shifted against position, [cell]; NaN without shuffles.
    """

    edges: NDArray[np.float64]
    rate: NDArray[np.float64]
    occupancy: NDArray[np.float64]
    information: NDArray[np.float64]
    sparsity: NDArray[np.float64]
    spikes: NDArray[np.int64]
    p: NDArray[np.float64]

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each place, [place]."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def peak(self) -> NDArray[np.float64]:
        """Where each cell fires most, [cell]; NaN of a silent cell."""
        rate = np.nan_to_num(self.rate)
        return np.where(rate.max(1) > 0, self.centres[rate.argmax(1)], np.nan)

    def fields(self, share: float = 0.2, least: float = 1.0) -> list[PlaceField]:
        """The field around each cell's peak: places side by side of at least a share of the peak's rate.

        least: Hz, that a peak must have.
        """
        share, least = check.finite(share, "share", least=0, most=1), check.finite(least, "least", least=0, unit=" Hz")
        found = []
        for cell, rate in enumerate(np.nan_to_num(self.rate)):
            top = int(rate.argmax())
            if rate[top] < max(least, TINY):
                continue
            below = np.flatnonzero(rate < share * rate[top])
            first = below[below < top].max(initial=-1) + 1
            last = below[below > top].min(initial=len(rate)) - 1
            found.append(
                PlaceField(cell, float(self.edges[first]), float(self.edges[last + 1]), float(rate[top]), float(self.centres[top]))
            )
        return found


def place_fields(
    trains: Trains, position: ArrayLike, edges: ArrayLike, *, smooth: float = 1.0, batch: int = 0, shuffles: int = 0, seed: int = 0
) -> RateMaps:
    """Firing rate by place, and the information that a spike carries about it.

        r(x) = (G * n)(x) / (G * T)(x)   G a Gaussian,     information = sum_x p(x) r(x) / r log2(r(x) / r)   bits a spike
        sparsity = (sum_x p(x) r(x))^2 / sum_x p(x) r(x)^2            Skaggs, McNaughton & Gothard 1993; Skaggs et al. 1996

    p(x) is the share of time at x, r = sum p(x) r(x). N places that are visited alike, of which a cell fires in one: log2(N) bits.
    position: at each step, in any unit, [step]; NaN where time is left out, such as rest.   edges: of the places, [place + 1].
    smooth: standard deviation of G, in places; 0 does not smooth.
    shuffles: how often spikes are shifted in time, for p: by 20 s at least, or a quarter of the time where that is less. A silent cell has
        no p. Laps that repeat to the step make a shift no control.

    >>> from spikemem.instruments import Spikes
    >>> trains = Trains(Spikes([150, 160], [0, 0], [0, 0], size=1), dt=1.0, steps=400)
    >>> maps = place_fields(trains, np.repeat([0.5, 1.5, 2.5, 3.5], 100), range(5), smooth=0)
    >>> maps.rate.tolist(), maps.information.tolist(), maps.sparsity.tolist()
    ([[0.0, 20.0, 0.0, 0.0]], [2.0], [0.25])
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca1")')
    where, edge = located(trains, position), check.floats(edges, "edges", shape=(None,))
    batch, smooth = check.integer(batch, "batch", least=0, most=trains.batches - 1), check.finite(smooth, "smooth", least=0, most=10_000)
    shuffles = check.integer(shuffles, "shuffles", least=0, most=100_000)
    if len(edge) < 2 or (np.diff(edge) <= 0).any():
        raise DataError("edges: give two or more, ascending")
    place = np.searchsorted(edge, where, side="right") - 1
    place[where == edge[-1]] = len(edge) - 2
    kept = ~np.isnan(where) & (place >= 0) & (place < len(edge) - 1)
    if not kept.any():
        raise DataError(f"no position lies between {edge[0]:g} and {edge[-1]:g}; give edges around those of the animal")
    inside, order = place[kept], np.cumsum(kept) - 1
    spikes = trains.spikes
    own = (spikes.batch == batch) & kept[spikes.step]
    step, cell, size = order[spikes.step[own]], spikes.cell[own].astype(np.int64), spikes.size
    places = len(edge) - 1
    time = np.bincount(inside, minlength=places).astype(np.float64) * (trains.dt / 1000.0)

    def counts(shift: int) -> NDArray[np.float64]:
        at = inside[(step + shift) % len(inside)]
        return np.bincount(cell * places + at, minlength=size * places).reshape(size, places).astype(float)

    rate = _rate(counts(0), time, smooth)
    information, sparsity = _told(rate, time)
    p = np.full(size, np.nan)
    if shuffles:
        rng, least = np.random.default_rng(check.seed(seed)), min(len(inside) // 4, round(SHIFT / trains.dt))
        reached = np.zeros(size)
        for _ in range(shuffles):
            shift = int(rng.integers(least, len(inside) - least))
            reached += _told(_rate(counts(shift), time, smooth), time)[0] >= information - TIE
        p = np.where(np.isnan(information), np.nan, (1 + reached) / (1 + shuffles))
    return RateMaps(edge, rate, time, information, sparsity, np.bincount(cell, minlength=size), p)


def located(trains: Trains, position: ArrayLike) -> NDArray[np.float64]:
    """The position at each step of trains, [step], checked; NaN where time is left out."""
    where = np.asarray(check.array(position, "position", "fiu", shape=(None,), finite=False), np.float64)
    if len(where) != trains.steps:
        raise DataError(f"position has {len(where)} values, the trains {trains.steps} steps; give one a step, NaN where there is none")
    return np.where(np.isfinite(where), where, np.nan)


def _rate(counts: NDArray[np.float64], time: NDArray[np.float64], smooth: float) -> NDArray[np.float64]:
    """Smoothed rates, Hz, [cell, place]; NaN where no time was spent."""
    from scipy.ndimage import gaussian_filter1d

    over = time
    if smooth:
        counts, over = (gaussian_filter1d(part, smooth, axis=-1, mode="constant") for part in (counts, time))
    return np.where(time > 0, counts / np.maximum(over, TINY), np.nan)


def _told(rate: NDArray[np.float64], time: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Information, bits a spike, and sparsity, [cell]; NaN of a silent cell."""
    p, r = time / time.sum(), np.nan_to_num(rate)
    mean = (p * r).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_mean = r / mean[:, None]
        information = (p * of_mean * np.log2(np.where(of_mean > 0, of_mean, 1.0))).sum(1)
        sparsity = mean**2 / (p * r**2).sum(1)
    return np.where(mean > 0, information, np.nan), np.where(mean > 0, sparsity, np.nan)


class Remapping(NamedTuple):
    """How place fields differ between two environments, or two times.

    spatial: correlation of a cell's two maps, [cell].   population: of the two population vectors at each place, [place].
    rate_overlap: smaller over larger mean rate, [cell].   both: cells active in both.   expected: by chance.
    shuffled: mean spatial correlation where cells are permuted, [shuffle].   p: of at least so large a mean by chance.
    """

    spatial: NDArray[np.float64]
    population: NDArray[np.float64]
    rate_overlap: NDArray[np.float64]
    both: int
    expected: float
    shuffled: NDArray[np.float64]
    p: float


def remapping(a: ArrayLike, b: ArrayLike, active: float = 0.5, *, shuffles: int = 1000, seed: int = 0) -> Remapping:
    """How much place fields are the same in two environments: correlations of rate maps, beside permuted cells.

        spatial_i = r(a_i(x), b_i(x)) over x,   population_x = r(a_i(x), b_i(x)) over i,   rate_overlap = min(<a>, <b>) / max(<a>, <b>)

    Complete remapping leaves spatial at 0 and the active cells' overlap at chance, as in CA3; rate remapping leaves spatial near 1 and
    changes rates (Leutgeb et al. 2004, 2005; Alme et al. 2014). NaN where a map does not vary, and p where none does.
    a, b: rates, Hz, [cell, place], of the same cells and places; NaN where there is none.   active: Hz, of a cell's peak.
    """
    x, y = (np.asarray(check.array(m, name, shape=(None, None), finite=False), np.float64) for m, name in ((a, "a"), (b, "b")))
    active, shuffles = check.finite(active, "active", unit=" Hz"), check.integer(shuffles, "shuffles", least=1, most=1_000_000)
    seen = ~(np.isnan(x).any(0) | np.isnan(y).any(0)) if x.shape == y.shape else np.zeros(0, bool)
    if x.shape != y.shape or seen.sum() < 2 or len(x) < 2:
        raise DataError(f"a has shape {x.shape} and b {y.shape}; give maps of the same two or more cells, with two places or more in both")
    one, two = x[:, seen], y[:, seen]
    population = np.full(x.shape[1], np.nan)
    population[seen] = _rowwise(one.T, two.T)
    spatial = _rowwise(one, two)
    mean = one.mean(1), two.mean(1)
    overlap = np.minimum(*mean) / np.maximum(np.maximum(*mean), TINY)
    on = (one.max(1) >= active), (two.max(1) >= active)
    rng = np.random.default_rng(check.seed(seed))
    own = _mean(spatial)
    shuffled = np.array([_mean(_rowwise(one, two[rng.permutation(len(two))])) for _ in range(shuffles)])
    p = float("nan") if np.isnan(own) else float((1 + (shuffled >= own - TIE).sum()) / (1 + shuffles))
    expected = float(on[0].sum() * on[1].sum() / len(x))
    return Remapping(spatial, population, overlap, int((on[0] & on[1]).sum()), expected, shuffled, p)


def _mean(values: NDArray[np.float64]) -> float:
    """The mean without NaN; NaN where there are none."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def _rowwise(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The correlation of each row of a with that of b; NaN where one does not vary."""
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))

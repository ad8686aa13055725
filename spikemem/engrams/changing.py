"""Engrams over time: how they drift, how memories of one time are linked, and which cells they are allocated to."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import LIMITS, TIE, check, likeness, mean_and_error, members
from spikemem.errors import DataError


class Drift(NamedTuple):
    """How an engram changes.

    lag: time between sessions, sorted, [lag].   kept: the share of an engram's cells that are in it still, [lag].   sem: over pairs.
    dropped_in: the share of the later engram's cells that are new, [lag].   cosine: of the two, [lag].   pairs: of sessions, [lag].
    chance: the share that any two sets of these sizes have in common.   half_life: in units of time; infinite where nothing is lost.
    """

    lag: NDArray[np.float64]
    kept: NDArray[np.float64]
    sem: NDArray[np.float64]
    dropped_in: NDArray[np.float64]
    cosine: NDArray[np.float64]
    pairs: NDArray[np.int64]
    chance: float
    half_life: float

    @property
    def dropped_out(self) -> NDArray[np.float64]:
        """The share of an engram's cells that have left it, [lag]."""
        return 1.0 - self.kept


def drift(engrams: ArrayLike, times: ArrayLike) -> Drift:
    """How engrams drift from session to session: by the time between two sessions what is kept, and what is new.

        kept(l) = |E(t) and E(t + l)| / |E(t)|,   dropped_in = |E(t + l) not E(t)| / |E(t + l)|,   kept(l) = k + (1 - k) 2^(-l / half_life)

    k is chance. The half-life is fitted to the logarithm of (kept - k) / (1 - k), by least squares weighted by pairs, where kept > k
    (Ziv et al. 2013; Tome et al. 2024: drop-out and drop-in).
    engrams: bool, [session, memory, cell], or [session, cell] of one memory.   times: of the sessions, [session], in any one unit.

    >>> found = drift(np.array([[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1]]) == 1, [0.0, 7.0])
    >>> found.lag.tolist(), found.kept.tolist(), found.dropped_in.tolist(), round(found.chance, 3)
    ([7.0], [0.5], [0.5], 0.667)
    """
    e, t = check.array(engrams, "engrams", "b"), check.floats(times, "times", shape=(None,))
    e = e[:, None] if e.ndim == 2 else e
    if e.ndim != 3 or len(e) != len(t) or len(t) < 2 or not e.size:
        raise DataError(
            f"engrams have shape {e.shape} and times {t.shape}; give [session, memory, cell] and the time of each of two or more"
        )
    early, late = np.triu_indices(len(t), 1)
    early, late = np.where(t[early] <= t[late], early, late), np.where(t[early] <= t[late], late, early)
    lags, at = np.unique(np.round(t[late] - t[early], 9), return_inverse=True)
    both, size = (e[early] & e[late]).sum(-1), e.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = both / size[early], 1 - both / size[late], likeness(e[early], e[late])
    of_lag = [[value[at == lag].ravel() for lag in range(len(lags))] for value in values]
    (kept, sem), (new, _), (cosine, _) = ([np.array(part) for part in zip(*map(mean_and_error, value), strict=True)] for value in of_lag)
    pairs, chance = np.bincount(at), float(size.mean() / e.shape[-1])
    return Drift(lags, kept, sem, new, cosine, pairs, chance, _half_life(lags, kept, pairs, chance))


def _half_life(lags: NDArray[np.float64], kept: NDArray[np.float64], pairs: NDArray[np.int64], chance: float) -> float:
    """The half-life of what is kept above chance: through the point (0, 1), weighted by pairs; NaN where nothing lies above chance."""
    above = (kept - chance) / max(1 - chance, np.finfo(float).tiny)
    some = (above > 0) & (lags > 0)
    if not some.any():
        return float("nan")
    x, y, w = lags[some], np.log2(above[some]), pairs[some]
    slope = float((w * x * y).sum() / (w * x * x).sum())
    return -1.0 / slope if slope < 0 else float("inf")


class Linking(NamedTuple):
    """Overlap of engrams by the time between them.

    edges: of the bins of time, [bin + 1].   overlap: mean cosine of the sets, [bin].   pairs: of memories, [bin].
    expected, low, high: its mean, and what 95 % lie between, where times are shuffled, [bin].   p: of at least so much by chance, [bin].
    """

    edges: NDArray[np.float64]
    overlap: NDArray[np.float64]
    pairs: NDArray[np.int64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


def linking(
    engrams: ArrayLike, times: ArrayLike, edges: ArrayLike, cells: int | None = None, *, shuffles: int = 1000, seed: int = 0
) -> Linking:
    """Whether memories that are near in time share cells: the overlap of two engrams by the time between them, beside shuffled times.

        o(b) = mean of |A and B| / sqrt(|A| |B|) over pairs whose times lie edges[b] <= |dt| < edges[b + 1] apart

    Linked memories share more than chance within hours, and no more after days (Cai et al. 2016; Rashid et al. 2016).
    engrams: as `members` takes them; those without cells are left out.   times: of storing, [memory].
    edges: ascending, [bin + 1]; in the unit of times.
    """
    e, t, edge = members(engrams, cells), check.floats(times, "times", shape=(None,)), check.floats(edges, "edges", shape=(None,))
    shuffles = check.integer(shuffles, "shuffles", least=1, most=1_000_000)
    if len(e) != len(t) or (there := e.any(1)).sum() < 2 or len(edge) < 2 or (np.diff(edge) <= 0).any():
        raise DataError(
            f"{len(e)} engrams, {int(e.any(1).sum())} with cells, {len(t)} times, {len(edge)} edges; "
            f"give the time of each, two or more with cells, and ascending edges"
        )
    e, t = e[there], t[there]
    check.room(len(e) ** 2 * e.shape[1], "the overlaps of all pairs", "give fewer engrams", most=2**33)
    one, two = np.triu_indices(len(t), 1)
    size = np.sqrt(e.sum(1).astype(float))
    alike = (e.astype(np.float32) @ e.T.astype(np.float32)) / np.maximum(size[:, None] * size, 1e-12)
    rng = np.random.default_rng(check.seed(seed))
    at = np.searchsorted(edge, np.abs(t[:, None] - t), side="right") - 1
    inside = ((own := at[one, two]) >= 0) & (own < len(edge) - 1)
    one, two, own = one[inside], two[inside], own[inside]
    pairs = np.bincount(own, minlength=len(edge) - 1)

    def means(order: NDArray[np.int64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            return np.bincount(own, alike[order[one], order[two]], minlength=len(pairs)) / pairs

    found = means(np.arange(len(t)))
    chance = np.array([means(rng.permutation(len(t))) for _ in range(shuffles)])
    low, high = np.quantile(chance, LIMITS, axis=0)
    p = (1 + (chance >= found - TIE).sum(0)) / (1 + shuffles)
    return Linking(edge, found, pairs, chance.mean(0), low, high, np.where(pairs > 0, p, np.nan))


class Allocated(NamedTuple):
    """Which cells engrams are allocated to.

    share: of the members of engrams, those of each group of cells, from the least to the most excitable, [group].   chance: of the cells.
    ratio: share / chance, [group].   low, high: what 95 % of ratios lie between where excitability is shuffled over cells, [group].
    excitability: the mean of each group, [group].
    """

    share: NDArray[np.float64]
    chance: NDArray[np.float64]
    ratio: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    excitability: NDArray[np.float64]


def allocation(
    engrams: ArrayLike, excitability: ArrayLike, groups: int = 5, cells: int | None = None, *, shuffles: int = 1000, seed: int = 0
) -> Allocated:
    """Whether excitable cells are in more engrams than others: the share of each group of cells, beside its share of the population.

        ratio_g = (members of engrams in g / members) / (cells in g / cells)         1 by chance

    Cells with more CREB, about 20 % of the lateral amygdala, are 3 to 4 times as often engram cells as others (Han et al. 2007).
    engrams: as `members` takes them.   excitability: of each cell, in any unit, [cell].
    groups: how many, as equal in size as ranks allow; two values of excitability, such as with CREB and without, make two.

    >>> found = allocation([[0, 1], [0, 2], [0, 1]], [2.0, 1.0, 1.0, 1.0, 1.0], cells=5)
    >>> found.share.tolist(), found.chance.tolist(), found.ratio.tolist()
    ([0.5, 0.5], [0.8, 0.2], [0.625, 2.5])
    """
    e = members(engrams, cells)
    x = check.floats(excitability, "excitability", shape=(e.shape[1],))
    groups, shuffles = check.integer(groups, "groups", least=2, most=1000), check.integer(shuffles, "shuffles", least=1, most=1_000_000)
    values = np.unique(x)
    if len(values) <= groups:
        group = np.searchsorted(values, x)
    else:
        group = np.searchsorted(np.quantile(x, np.arange(1, groups) / groups), x, side="right")
    count = np.bincount(group)
    there = count > 0
    member = e.sum(0).astype(float)
    if not member.any() or there.sum() < 2:
        raise DataError("engrams without cells, or cells that are all equally excitable, are allocated to nothing; give others")
    chance = count[there] / e.shape[1]
    rng = np.random.default_rng(check.seed(seed))

    def share(of: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.bincount(of, member, minlength=len(count))[there] / member.sum()

    own = share(group)
    low, high = np.quantile([share(rng.permutation(group)) / chance for _ in range(shuffles)], LIMITS, axis=0)
    mean = np.bincount(group, x, minlength=len(count))[there] / count[there]
    return Allocated(own, chance, own / chance, low, high, mean)

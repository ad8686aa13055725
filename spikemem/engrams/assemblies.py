"""Cell assemblies: groups of cells that fire together more than chance has it, and when they do."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.engrams.sets import check
from spikemem.errors import DataError
from spikemem.instruments.extra import library
from spikemem.instruments.spikes import Trains


class Assemblies(NamedTuple):
    """Cell assemblies of a population.

    weights: of the cells, unit length, the largest above 0, [assembly, cell].   activation: R, of each bin, [assembly, bin].
    time: ms of the run at which each bin begins, [bin].   eigenvalues: of the correlation matrix, descending, [cell that fired].
    bound: the largest that independent cells have.
    """

    weights: NDArray[np.float64]
    activation: NDArray[np.float64]
    time: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]
    bound: float

    @property
    def cells(self) -> NDArray[np.bool_]:
        """The members of each assembly, [assembly, cell]: weights above the cut that leaves the least variance on its sides (Otsu 1979)."""
        return np.array([_upper(weights) for weights in self.weights], bool).reshape(self.weights.shape)


def _upper(weights: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values lie above the cut that leaves the least variance on its sides; none where all are equal."""
    cuts = np.unique(weights)[:-1]
    if not len(cuts):
        return np.zeros(len(weights), bool)
    above = weights > cuts[:, None]
    number = above.sum(1)
    between = number * (len(weights) - number) * ((above @ weights) / number - (~above @ weights) / (len(weights) - number)) ** 2
    return above[int(between.argmax())]


def assemblies(trains: Trains, bin: float = 25.0, *, batch: int = 0, seed: int = 0) -> Assemblies:
    """Groups of cells that fire together, by principal and independent components of binned spikes.

        z = z-scored counts,   C = z z^T / B,   assemblies: eigenvalues of C above (1 + sqrt(N / B))^2     (Marchenko & Pastur 1967)
        weights: independent components of z in the space of their eigenvectors,   R_k(t) = (w_k . z_t)^2 - sum_i w_ki^2 z_ti^2

    N cells that fired, B bins; R leaves out what one cell does by itself (Lopes-dos-Santos, Ribeiro & Tort 2013; Peyrache et al. 2010).
    scikit-learn's FastICA; MissingExtraError without the `analysis` extra.   bin: ms, whole steps.   seed: of FastICA's start.
    """
    check.instance(trains, "trains", Trains, 'give those of a recording, recording.trains("ca3")')
    batch = check.integer(batch, "batch", least=0, most=trains.batches - 1)
    counts = trains.binned(bin)[batch].astype(np.float64)
    varies = counts.std(1) > 0
    n, bins = int(varies.sum()), counts.shape[1]
    if n < 2 or bins <= n:
        raise DataError(f"{n} cells fired in {bins} bins; assemblies need two cells or more, and more bins than cells: take narrower bins")
    check.room(n * n, "the correlations of all pairs", "take a smaller population")
    z = counts[varies]
    z = (z - z.mean(1, keepdims=True)) / z.std(1, keepdims=True)
    values, vectors = np.linalg.eigh(z @ z.T / bins)
    values, vectors = values[::-1], vectors[:, ::-1]
    bound = float((1 + np.sqrt(n / bins)) ** 2)
    found = int((values > bound).sum())
    weights = np.zeros((found, len(counts)))
    if found:
        within = vectors[:, :found].T @ z
        rotation = np.eye(1) if found == 1 else _independent(within, seed)
        own = (vectors[:, :found] @ rotation).T
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        own *= np.sign(own[np.arange(found), np.abs(own).argmax(1)])[:, None]
        weights[:, varies] = own
    own = weights[:, varies]
    activation = (own @ z) ** 2 - own**2 @ z**2
    start = (trains.start + np.arange(bins) * trains.width(bin)) * trains.dt
    return Assemblies(weights, activation, start, values, bound)


def _independent(within: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The directions of independent components of signals, [component, time], as columns."""
    ica = library("sklearn.decomposition").FastICA(random_state=check.seed(seed) % 2**32, max_iter=2000, whiten="unit-variance", tol=1e-4)
    ica.fit(within.T)
    return np.asarray(ica.components_, np.float64).T

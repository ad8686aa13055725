"""Representational similarity: dissimilarity matrices of patterns, and how alike two of them are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import TIE, check
from spikemem.errors import DataError

METRICS = ("correlation", "cosine", "euclidean", "jaccard", "hamming")


def rdm(patterns: ArrayLike, metric: str = "correlation") -> NDArray[np.float64]:
    """Representational dissimilarity matrix: how unlike the patterns of each two conditions are, [condition, condition].

        d_ij = 1 - r(x_i, x_j)         or another metric of scipy's `pdist`         Kriegeskorte, Mur & Bandettini 2008

    patterns: spike counts, rates or cell sets, [condition, cell].   metric: correlation, cosine, euclidean, jaccard or hamming.
    NaN where a metric is not defined, as of a pattern without variance.

    >>> rdm([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [2.0, 0.0, 0.0]]).round(2).tolist()
    [[0.0, 1.5, 0.0], [1.5, 0.0, 1.5], [0.0, 1.5, 0.0]]
    """
    from scipy.spatial.distance import pdist, squareform

    x, metric = check.array(patterns, "patterns", shape=(None, None)), check.choice(metric, "metric", METRICS)
    if len(x) < 2 or not x.shape[1]:
        raise DataError(f"patterns have shape {x.shape}; give [condition, cell], of two conditions at least")
    given = x.astype(bool) if metric == "jaccard" else x.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return squareform(np.maximum(pdist(given, metric), 0.0), checks=False)


class RSA(NamedTuple):
    """How alike two dissimilarity matrices are.   r: Spearman's, -1 to 1.   p: of at least so large an r where conditions are permuted.

    permuted: r of each permutation, [permutation].
    """

    r: float
    p: float
    permuted: NDArray[np.float64]


def rsa(a: ArrayLike, b: ArrayLike, permutations: int = 1000, seed: int = 0) -> RSA:
    """Representational similarity analysis: the rank correlation of two dissimilarity matrices, beside permuted conditions.

        r = Spearman(upper(A), upper(B)),   p = (1 + #(r of permuted conditions >= r)) / (1 + permutations)         Kriegeskorte et al. 2008

    a, b: symmetric, [condition, condition], as `rdm` gives them, of the same conditions; without NaN.

    >>> a = rdm(np.random.default_rng(0).normal(size=(12, 40)))
    >>> rsa(a, a**2).r, rsa(a, a**2).p < 0.01
    (1.0, True)
    """
    x, y = check.floats(a, "a", shape=(None, None)), check.floats(b, "b", shape=(None, None))
    permutations = check.integer(permutations, "permutations", least=1, most=1_000_000)
    if x.shape != y.shape or x.shape[0] != x.shape[1] or len(x) < 3:
        raise DataError(f"a has shape {x.shape} and b {y.shape}; give two matrices, [n, n], of the same three or more conditions")
    upper = np.triu_indices(len(x), 1)
    ranks, other = _ranks(x, upper), _unit(_ranks(y, upper)[upper])
    rng = np.random.default_rng(check.seed(seed))
    r = float(_unit(ranks[upper]) @ other)
    permuted = np.empty(permutations)
    for i in range(permutations):
        order = rng.permutation(len(x))
        permuted[i] = _unit(ranks[order][:, order][upper]) @ other
    return RSA(round(r, 12), float((1 + (permuted >= r - TIE).sum()) / (1 + permutations)), permuted)


def _ranks(matrix: NDArray[np.float64], upper: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.float64]:
    """A symmetric matrix with the ranks of its upper triangle, equal values sharing their mean rank."""
    from scipy.stats import rankdata

    made = np.zeros(matrix.shape)
    made[upper] = rankdata(matrix[upper])
    return made + made.T


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less their mean, of unit length; 0 where they are all equal."""
    centred = values - values.mean()
    return centred / max(float(np.linalg.norm(centred)), np.finfo(float).tiny)

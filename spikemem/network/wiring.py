"""Wiring rules that draw who is joined to whom: by chance, by degree, by distance. Each is a function of two sizes that gives `Sparse`.

A rule has a seed of its own; without one it follows from the projection's name. No rule holds all pairs of cells: its memory is that of the
synapses that it makes, and of a block of pairs.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.synapses import Sparse
from spikemem.network.weights import Drawn, Weights, weighted, weights_of

BLOCK = 2**20
"""Pairs of cells that are drawn at once."""
Cells = NDArray[np.int64]


def _chance(rng: np.random.Generator, probability: float, first: int, rows: int, post: int) -> tuple[Cells, Cells]:
    """The pairs of some presynaptic cells with all others that are joined, each by the same chance, in order.

    From one to the next it is a geometric number of pairs (Batagelj & Brandes 2005), so that pairs that are not joined cost nothing.
    """
    pairs, found, at = rows * post, [], -1
    while at < pairs:
        gaps = rng.geometric(probability, int((pairs - at) * probability * 1.05) + 16) if probability else np.array([pairs + 1])
        place = at + np.cumsum(np.minimum(gaps, pairs + 1))
        found.append(place[place < pairs])
        at = int(place[-1])
    pre, reached = np.divmod(np.concatenate(found), max(post, 1))
    return pre + first, reached


def _blocks(pre: int, post: int, probability: float) -> list[range]:
    """Presynaptic cells in blocks with about `BLOCK` pairs to look at."""
    rows = max(1, int(BLOCK / max(1.0, post * probability)))
    return [range(begin, min(begin + rows, pre)) for begin in range(0, pre, rows)]


def _sparse(rule: Any, pre: Cells, post: Cells, shape: tuple[int, int], rng: np.random.Generator) -> Sparse:
    """Synapses from pairs in order, with the weights of a rule."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=shape[0]))])
    return Sparse(indptr, post.astype(np.int32), weighted(rule.weight, pre, post, shape, rng), shape[1])


@dataclass(frozen=True, eq=False)
class ErdosRenyi(Drawn):
    """The wiring rule that `erdos_renyi` makes."""

    probability: float
    weight: Weights
    self_connections: bool
    seed: int | None

    def __call__(self, pre: int, post: int) -> Sparse:
        check.room(int(self.probability * pre * post), f"a projection of {pre:,} to {post:,} cells", "take a lower probability")
        rng, parts = self.generator(), [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        for rows in _blocks(pre, post, self.probability):
            sources, targets = _chance(rng, self.probability, rows.start, len(rows), post)
            keep = slice(None) if self.self_connections else sources != targets
            parts.append((sources[keep], targets[keep]))
        sources, targets = (np.concatenate(side) for side in zip(*parts, strict=True))
        return _sparse(self, sources, targets, (pre, post), rng)


def erdos_renyi(
    probability: float, weight: Weights | ArrayLike = 1.0, *, self_connections: bool = True, seed: int | None = None
) -> ErdosRenyi:
    """A wiring rule: each pair of cells is joined with the same probability, whatever the others (Erdos & Renyi 1959; Gilbert 1959).

    probability: from 0 to 1.   weight: a number, `Normal`, `LogNormal`, or a matrix, [pre, post].
    self_connections: whether cells of the same index may be joined, which in a population's own projection are one cell.
    seed: None makes one of the projection's name, so that two projections of a network differ, and a network is the same each time.

    >>> erdos_renyi(0.1, seed=0)(1000, 1000).count
    100272
    """
    chance = check.finite(probability, "probability", least=0, most=1)
    return ErdosRenyi(chance, weights_of(weight), check.flag(self_connections, "self_connections"), _seed(seed))


@dataclass(frozen=True, eq=False)
class FixedDegree(Drawn):
    """The wiring rule that `fixed_in_degree` and `fixed_out_degree` make."""

    degree: int
    outward: bool
    weight: Weights
    self_connections: bool
    seed: int | None

    def __call__(self, pre: int, post: int) -> Sparse:
        rng, (own, others) = self.generator(), (pre, post) if self.outward else (post, pre)
        alike = 0 if self.self_connections else min(own, others)  # cells that have one that they must not choose
        side = "postsynaptic" if self.outward else "presynaptic"
        if self.degree > others - (alike > 0):
            raise NetworkError(
                f"a degree of {self.degree} is more than the {others - (alike > 0)} {side} cells that there are to choose from"
            )
        check.room(self.degree * own, f"a projection of {self.degree:,} synapses for each of {own:,} cells", "take fewer")
        chosen = np.empty((own, self.degree), np.int64)
        for cell in range(own):
            drawn = rng.choice(others - (cell < alike), self.degree, replace=False, shuffle=False)
            chosen[cell] = drawn + (drawn >= cell) if cell < alike else drawn
        whose = np.repeat(np.arange(own), self.degree)
        sources, targets = (whose, chosen.ravel()) if self.outward else (chosen.ravel(), whose)
        order = np.argsort(sources * post + targets)
        return _sparse(self, sources[order], targets[order], (pre, post), rng)


def fixed_in_degree(
    degree: int, weight: Weights | ArrayLike = 1.0, *, self_connections: bool = True, seed: int | None = None
) -> FixedDegree:
    """A wiring rule: each postsynaptic cell gets as many presynaptic cells, by chance, none twice.

    degree: >= 0.   weight, self_connections, seed: as of `erdos_renyi`. `sparse_random` is the same with uniform weights.
    """
    return _fixed(degree, False, weight, self_connections, seed)


def fixed_out_degree(
    degree: int, weight: Weights | ArrayLike = 1.0, *, self_connections: bool = True, seed: int | None = None
) -> FixedDegree:
    """A wiring rule: each presynaptic cell reaches as many postsynaptic cells, by chance, none twice.

    degree: >= 0.   weight, self_connections, seed: as of `erdos_renyi`.
    """
    return _fixed(degree, True, weight, self_connections, seed)


def _fixed(degree: int, outward: bool, weight: Weights | ArrayLike, self_connections: bool, seed: int | None) -> FixedDegree:
    number = check.integer(degree, "degree", least=0, most=INDEX)
    return FixedDegree(number, outward, weights_of(weight), check.flag(self_connections, "self_connections"), _seed(seed))


def _seed(seed: int | None) -> int | None:
    return None if seed is None else check.seed(seed)


@dataclass(frozen=True)
class Kernel(ABC):
    """The probability that two cells are joined, by their distance.

    scale: in the unit of the positions, > 0.   peak: the highest probability, from 0 to 1.
    """

    scale: float
    peak: float = 1.0

    def __post_init__(self) -> None:
        kind = type(self).__name__
        object.__setattr__(self, "scale", check.finite(self.scale, f"{kind} scale", above=0))
        object.__setattr__(self, "peak", check.finite(self.peak, f"{kind} peak", least=0, most=1))

    @abstractmethod
    def share(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability at some distances, as a share of the peak."""


class GaussianKernel(Kernel):
    """p(d) = peak exp(-d^2 / (2 scale^2))"""

    def share(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(-np.square(distance / self.scale) / 2)


class ExponentialKernel(Kernel):
    """p(d) = peak exp(-d / scale)"""

    def share(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(-distance / self.scale)


class BoxKernel(Kernel):
    """p(d) = peak up to the distance `scale`, and 0 beyond"""

    def share(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        return (distance <= self.scale * (1.0 + 1e-9)).astype(np.float64)  # the rounding of positions aside


@dataclass(frozen=True, eq=False)
class ByDistance(Drawn):
    """The wiring rule that `by_distance` makes."""

    kernel: Kernel
    sources: NDArray[np.float64]
    targets: NDArray[np.float64]
    period: NDArray[np.float64] | None
    weight: Weights
    velocity: float | None
    self_connections: bool
    seed: int | None
    dt: float = 1.0

    def of(self, projection: str, dt: float) -> Self:
        return replace(super().of(projection, dt), dt=dt)

    def distance(self, pre: Cells, post: Cells) -> NDArray[np.float64]:
        """Between pairs of cells, [pair]; around, where the space is periodic."""
        apart = np.abs(self.sources[pre] - self.targets[post])
        if self.period is not None:
            apart = np.minimum(apart, self.period - apart)
        return np.sqrt(np.square(apart).sum(axis=1))

    def __call__(self, pre: int, post: int) -> Sparse:
        if (pre, post) != (len(self.sources), len(self.targets)):
            raise NetworkError(f"positions of {len(self.sources)} and {len(self.targets)} cells for populations of {pre} and {post}")
        rng, parts = self.generator(), [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
        for rows in _blocks(pre, post, self.kernel.peak):
            sources, targets = _chance(rng, self.kernel.peak, rows.start, len(rows), post)
            distance = self.distance(sources, targets)
            keep = rng.random(len(distance)) < self.kernel.share(distance)
            if not self.self_connections:
                keep &= sources != targets
            parts.append((sources[keep], targets[keep], distance[keep]))
            check.room(sum(len(part[0]) for part in parts), "a projection by distance", "take a smaller scale, or a lower peak")
        sources, targets, distance = (np.concatenate(side) for side in zip(*parts, strict=True))
        made = _sparse(self, sources, targets, (pre, post), rng)
        if self.velocity is None:
            return made
        return replace(made, delays=np.maximum(1.0, np.rint(distance / (self.velocity * self.dt))) * self.dt)


def by_distance(
    kernel: Kernel,
    positions: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    period: ArrayLike | None = None,
    weight: Weights | ArrayLike = 1.0,
    velocity: float | None = None,
    self_connections: bool = True,
    seed: int | None = None,
) -> ByDistance:
    """A wiring rule: cells are joined with a probability that falls with their distance.

    kernel: a `GaussianKernel`, `ExponentialKernel` or `BoxKernel`.
    positions: of the presynaptic cells, [cell, dimension], in one, two or three dimensions, or [cell] on a line; see `grid`.
    targets: of the postsynaptic ones; the same where left out.
    period: the length of each axis, or of all, beyond which space begins anew, as on a ring or a torus; None has borders.
    velocity: positions' units a ms, > 0: each synapse then has the delay of its distance, rounded to steps, at least one.
    weight, self_connections, seed: as of `erdos_renyi`. It takes the time of peak times all pairs.

    >>> ring = np.arange(500) / 500
    >>> rule = by_distance(BoxKernel(0.1), ring, period=1.0)
    >>> rule(500, 500).count / 500  # 50 on either side, and itself
    101.0
    """
    check.instance(kernel, "kernel", Kernel, "give one such as GaussianKernel(scale)")
    places = [_positions(given, name) for given, name in ((positions, "positions"), (positions if targets is None else targets, "targets"))]
    axes = {place.shape[1] for place in places}
    if len(axes) > 1 or not axes <= {1, 2, 3}:
        raise NetworkError(f"positions have {' and '.join(map(str, sorted(axes)))} dimensions; give both one, two or three")
    around = None if period is None else np.broadcast_to(check.floats(period, "period"), (axes.pop(),))
    if around is not None and any((place < 0).any() or (place >= around).any() for place in places):
        raise NetworkError(f"positions lie outside the period of {around.tolist()}; they are at least 0, and below it")
    speed = None if velocity is None else check.finite(velocity, "velocity", above=0)
    own = check.flag(self_connections, "self_connections")
    return ByDistance(kernel, places[0], places[1], around, weights_of(weight), speed, own, _seed(seed))


def _positions(given: ArrayLike, name: str) -> NDArray[np.float64]:
    array = check.floats(given, f"{name}, [cell, dimension]")
    return array[:, None] if array.ndim == 1 else check.floats(array, f"{name}, [cell, dimension]", shape=(None, None))


def grid(*counts: int, spacing: float = 1.0) -> NDArray[np.float64]:
    """Positions on a line, a square or a cubic grid, [cell, dimension], the last axis fastest: `by_distance(..., period=spacing * counts)`.

    >>> grid(2, 3, spacing=10.0)[[0, 1, 5]].tolist()
    [[0.0, 0.0], [0.0, 10.0], [10.0, 20.0]]
    """
    sizes = [check.integer(n, "counts", least=1, most=INDEX) for n in counts]
    if not 1 <= len(sizes) <= 3:
        raise NetworkError(f"a grid has one, two or three axes, not {len(sizes)}")
    check.room(math.prod(sizes) * len(sizes), "a grid", "take fewer cells")
    step = check.finite(spacing, "spacing", above=0)
    return np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), axis=-1).reshape(-1, len(sizes)) * step

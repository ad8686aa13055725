"""Weights of the synapses that a wiring rule makes: one number, drawn from a distribution, or given; and seeds of a projection's own."""

import math
import zlib
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import many
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check


class Drawn:
    """A wiring rule that draws: a frozen dataclass with a seed, None for one that follows from the projection's name."""

    seed: int | None

    def of(self, projection: str, dt: float) -> Self:
        """The rule for a projection of this name, in a network of steps of dt ms: with a seed made of the name where it has none."""
        return self if self.seed is not None else replace(self, seed=zlib.crc32(projection.encode()))  # type: ignore[type-var]

    def generator(self) -> np.random.Generator:
        """What it draws from."""
        return np.random.default_rng(self.seed or 0)


@dataclass(frozen=True)
class Normal:
    """Weights of a normal distribution.   mean.   sd: standard deviation, >= 0; weights of both signs may come."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", check.finite(self.mean, "Normal mean"))
        object.__setattr__(self, "sd", check.finite(self.sd, "Normal sd", least=0))

    def drawn(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """So many weights."""
        return rng.normal(self.mean, self.sd, count)


@dataclass(frozen=True)
class LogNormal:
    """Weights of a log-normal distribution, as those of cortical synapses (Song, Sjostrom, Reigl, Nelson & Chklovskii 2005).

    ln |w| is normal with the variance s^2 = ln(1 + (sd / mean)^2) and the mean ln |mean| - s^2 / 2.
    mean, sd: of the weights themselves; the mean is not 0, and all weights have its sign.   sd: >= 0.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", check.finite(self.mean, "LogNormal mean"))
        object.__setattr__(self, "sd", check.finite(self.sd, "LogNormal sd", least=0))
        if not self.mean:
            raise NetworkError("LogNormal mean is 0; its weights are all of one sign, give their mean")

    def drawn(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """So many weights."""
        variance = math.log1p((self.sd / self.mean) ** 2)
        return math.copysign(1.0, self.mean) * rng.lognormal(math.log(abs(self.mean)) - variance / 2, math.sqrt(variance), count)


Weights = float | Normal | LogNormal | NDArray[np.float64]
"""One number, a distribution, or a matrix, [pre, post], of which each synapse takes the one of its pair."""


def weights_of(given: Weights | ArrayLike) -> Weights:
    """Checked weights of a wiring rule."""
    if isinstance(given, Normal | LogNormal):
        return given
    if many(given):
        return check.floats(given, "weights, one number, Normal, LogNormal, or [pre, post]", shape=(None, None))
    return check.finite(given, "weight")


def weighted(weights: Weights, pre: Any, post: Any, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """The weight of each synapse.   pre, post: its cells, [synapse].   shape: (pre cells, post cells)."""
    if isinstance(weights, float):
        return np.full(len(post), weights)
    if isinstance(weights, Normal | LogNormal):
        return weights.drawn(rng, len(post))
    if weights.shape != shape:
        raise NetworkError(f"weights of shape {weights.shape} for populations of {shape[0]} and {shape[1]} cells")
    return weights[pre, post]

"""Noise: currents that are drawn anew for each cell and step, beside the external current.

The numbers belong to the description: they follow from seed, name of the population, batch item, step and cell alone, so that every
simulator has the same ones, and a longer run begins as a shorter one. Teacher-forced cells have none.
"""

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check

Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]
BLOCK = 2**14
"""Steps that share a generator."""
CHUNK = 2**20
"""Numbers that are drawn at once."""


@dataclass(frozen=True)
class NoiseCurrent(ABC):
    """A current of noise; a subclass has its parameters and a `seed`.

    remembers: whether a step's noise depends on the one before; `drawn` then takes `last`, the noise of the step before the first, [cell].
    """

    remembers: ClassVar[bool] = False

    @abstractmethod
    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> NDArray[np.float64]:
        """The noise of a population of this name in one batch item, [time, cell].   dt: ms.   before: steps that are left out."""


def uniform(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Numbers from 0 to 1, which take one of the generator's each."""
    return rng.random(shape)


class Stretch(NamedTuple):
    """What is drawn for some steps of a population in one batch item: those from `before` on."""

    seed: int
    name: str
    item: int
    before: int
    steps: int
    cells: int

    def parts(self, draw: Draw, block: int = BLOCK, singly: bool = False) -> Iterator[tuple[slice, NDArray[np.float64]]]:
        """Where in [time] each part lies, and its numbers, [time, cell].

        draw: of a generator and a shape; `singly` where each number takes one of the generator's. Each block of steps has a generator of
        its own, so that what came long before is not drawn again.
        """
        rows, end = max(1, CHUNK // self.cells), self.before + self.steps
        for number in range(self.before // block, -(-end // block)):
            later = [number] if number else []
            rng = np.random.default_rng([self.seed, zlib.crc32(self.name.encode()), self.item, *later])
            first, last = number * block, min((number + 1) * block, end)
            if singly and first < self.before:
                rng.bit_generator.advance((self.before - first) * self.cells)  # type: ignore[attr-defined]
                first = self.before
            for start in range(first, last, rows):
                stop = min(start + rows, last)
                numbers = draw(rng, (stop - start, self.cells))
                if stop > self.before:
                    skipped = max(0, self.before - start)
                    yield slice(start + skipped - self.before, stop - self.before), numbers[skipped:]

    def array(self, draw: Draw) -> NDArray[np.float64]:
        """All of it, [time, cell]."""
        made = np.empty((self.steps, self.cells))
        for part, numbers in self.parts(draw):
            made[part] = numbers
        return made


@dataclass(frozen=True)
class Logistic(NoiseCurrent):
    """Escape noise: a cell fires with a probability, not at a threshold (Gerstner & Kistler 2002, section 5.3).

        I'[t] = I[t] + xi[t],   P(xi < x) = 1 / (1 + exp(-x / scale))

    Logistic noise xi, drawn anew for each cell and step, is added to the external current. A cell that forgets within a step
    (`LIF(tau, reset=0.0)` with tau far below dt, resistance R, no synaptic time constant) then spikes with the escape probability

        P(S[t] = 1) = 1 / (1 + exp(-(I[t] - theta / R) / scale)),

    and one that remembers has this noise summed by its membrane.

    scale: of the noise, in the unit of the current, > 0; its standard deviation is pi / sqrt(3) times as large.   seed: >= 0.
    """

    scale: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", check.finite(self.scale, "Logistic scale", above=0))
        object.__setattr__(self, "seed", check.seed(self.seed, "Logistic seed"))

    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> NDArray[np.float64]:
        return Stretch(self.seed, name, item, before, steps, cells).array(lambda rng, shape: rng.logistic(0.0, self.scale, shape))


@dataclass(frozen=True)
class White(NoiseCurrent):
    """White noise: I'[t] = I[t] + sigma xi[t], with xi of the standard normal distribution, drawn anew for each cell and step.

    sigma: the standard deviation in one step, > 0, whatever dt is. For the noise of tau dV = -V dt + s sqrt(2 tau) dW in front of
    `LIF.from_equation`, whose V then has the standard deviation s, sigma is s sqrt((1 + beta) / (1 - beta)), beta = exp(-dt / tau).
    seed: >= 0.

    >>> White(0.5).drawn("a", steps=20000, cells=1, dt=1.0).std().round(1).item()
    0.5
    """

    sigma: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", check.finite(self.sigma, "White sigma", above=0))
        object.__setattr__(self, "seed", check.seed(self.seed, "White seed"))

    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> NDArray[np.float64]:
        return Stretch(self.seed, name, item, before, steps, cells).array(lambda rng, shape: rng.normal(0.0, self.sigma, shape))


@dataclass(frozen=True)
class Shot(NoiseCurrent):
    """Shot noise: the summed current of many Poisson synapses (Stein 1965), as Brian2's `PoissonInput` and NEST's `poisson_generator`.

        I'[t] = I[t] + weight n,   n of the Poisson distribution of mean rate dt, drawn anew for each cell and step

    In front of `LIF` with resistance 1 each of these spikes moves V by `weight`; V then has the mean m and the variance s^2 (Campbell 1909)

        m = weight rate tau,   s^2 = weight^2 rate tau / 2

    where steps are short against tau. Unlike a `poisson` source it has any number of spikes in a step, and needs no synapses.

    rate: of all synapses of a cell together, Hz, > 0.   weight: of each spike, in the unit of the current.   seed: >= 0.

    Raises NetworkError where a parameter is out of its range, or a step would hold more than 2^31 spikes.

    >>> drawn = Shot(rate=20_000.0, weight=0.1).drawn("a", steps=20000, cells=1, dt=0.1)
    >>> drawn.mean().round(2).item(), drawn.var().round(2).item()  # of 2 spikes a step
    (0.2, 0.02)
    """

    rate: float
    weight: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", check.finite(self.rate, "Shot rate", above=0, unit=" Hz"))
        object.__setattr__(self, "weight", check.finite(self.weight, "Shot weight"))
        object.__setattr__(self, "seed", check.seed(self.seed, "Shot seed"))

    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0) -> NDArray[np.float64]:
        mean = self.rate * dt / 1000.0
        if mean > INDEX:
            raise NetworkError(f"Shot noise of {name!r} has {mean:g} spikes a step; it must be at most {INDEX}, take a lower rate")
        counts = Stretch(self.seed, name, item, before, steps, cells).array(lambda rng, shape: rng.poisson(mean, shape).astype(np.float64))
        return self.weight * counts


@dataclass(frozen=True)
class OrnsteinUhlenbeck(NoiseCurrent):
    """Coloured noise, the current of many weak synapses (Uhlenbeck & Ornstein 1930; Destexhe, Rudolph, Fellous & Sejnowski 2001).

        tau dn/dt = -n + sigma sqrt(2 tau) xi(t):      n[t] = rho n[t-1] + sigma sqrt(1 - rho^2) xi[t],   rho = exp(-dt / tau)

    exact for any dt; it begins in its stationary state. `drawn` computes it from there, or goes on from the noise of the step
    before, `last`, with the same numbers.
    sigma: its standard deviation, > 0.   tau: ms, > 0.   seed: >= 0.

    >>> n = OrnsteinUhlenbeck(sigma=2.0, tau=5.0).drawn("a", steps=40000, cells=1, dt=1.0)[:, 0]
    >>> n.std().round(1).item(), np.corrcoef(n[:-5], n[5:])[0, 1].round(1).item()
    (2.0, 0.4)
    """

    sigma: float
    tau: float
    seed: int = 0
    remembers = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", check.finite(self.sigma, "OrnsteinUhlenbeck sigma", above=0))
        object.__setattr__(self, "tau", check.finite(self.tau, "OrnsteinUhlenbeck tau", above=0, unit=" ms"))
        object.__setattr__(self, "seed", check.seed(self.seed, "OrnsteinUhlenbeck seed"))

    def drawn(
        self, name: str, steps: int, cells: int, dt: float, item: int = 0, before: int = 0, last: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        from scipy.signal import lfilter

        rho, made = math.exp(-dt / self.tau), np.empty((steps, cells))
        share, anew = math.sqrt(1.0 - rho * rho), last is None
        filtered = np.zeros((1, cells)) if last is None else rho * last[None]
        left_out = before if anew else 0  # steps that are drawn, and not kept
        whole = Stretch(self.seed, name, item, before - left_out, left_out + steps, cells)
        for part, numbers in whole.parts(lambda rng, shape: rng.normal(0.0, self.sigma, shape)):
            numbers[anew and part.start == 0 :] *= share  # it begins in its stationary state
            noise, filtered = lfilter([1.0], [1.0, -rho], numbers, axis=0, zi=filtered)
            if part.stop > left_out:
                here = noise[max(0, left_out - part.start) :]
                made[part.stop - left_out - len(here) : part.stop - left_out] = here
        return made

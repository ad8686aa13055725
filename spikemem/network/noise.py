"""Noise: currents that are drawn anew for each cell and step, beside the external current.

The numbers belong to the description: they follow from seed, name of the population, batch item, step and cell alone, so that every
simulator has the same ones, and a longer run begins as a shorter one. Teacher-forced cells have none.
"""

import math
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.network.neurons.contract import check


@dataclass(frozen=True)
class NoiseCurrent(ABC):
    """A current of noise; a subclass has its parameters and a `seed`."""

    @abstractmethod
    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0) -> NDArray[np.float64]:
        """The noise of a population of this name in one batch item, [time, cell].   dt: ms."""

    def generator(self, name: str, item: int) -> np.random.Generator:
        """The generator of one population and batch item."""
        return np.random.default_rng([getattr(self, "seed", 0), zlib.crc32(name.encode()), item])


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

    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0) -> NDArray[np.float64]:
        return self.generator(name, item).logistic(0.0, self.scale, (steps, cells))


@dataclass(frozen=True)
class White(NoiseCurrent):
    """White noise: I'[t] = I[t] + sigma xi[t], with xi of the standard normal distribution, drawn anew for each cell and step.

    sigma: the standard deviation in one step, > 0: what a membrane sums of it in a given time grows with 1 / sqrt(dt).   seed: >= 0.

    >>> White(0.5).drawn("a", steps=20000, cells=1, dt=1.0).std().round(1).item()
    0.5
    """

    sigma: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", check.finite(self.sigma, "White sigma", above=0))
        object.__setattr__(self, "seed", check.seed(self.seed, "White seed"))

    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0) -> NDArray[np.float64]:
        return self.generator(name, item).normal(0.0, self.sigma, (steps, cells))


@dataclass(frozen=True)
class OrnsteinUhlenbeck(NoiseCurrent):
    """Coloured noise, the current of many weak synapses (Uhlenbeck & Ornstein 1930; Destexhe, Rudolph, Fellous & Sejnowski 2001).

        tau dn/dt = -n + sigma sqrt(2 tau) xi(t):      n[t] = rho n[t-1] + sigma sqrt(1 - rho^2) xi[t],   rho = exp(-dt / tau)

    exact for any dt; it begins in its stationary state.   sigma: its standard deviation, > 0.   tau: ms, > 0.   seed: >= 0.

    >>> n = OrnsteinUhlenbeck(sigma=2.0, tau=5.0).drawn("a", steps=40000, cells=1, dt=1.0)[:, 0]
    >>> n.std().round(1).item(), np.corrcoef(n[:-5], n[5:])[0, 1].round(1).item()
    (2.0, 0.4)
    """

    sigma: float
    tau: float
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sigma", check.finite(self.sigma, "OrnsteinUhlenbeck sigma", above=0))
        object.__setattr__(self, "tau", check.finite(self.tau, "OrnsteinUhlenbeck tau", above=0, unit=" ms"))
        object.__setattr__(self, "seed", check.seed(self.seed, "OrnsteinUhlenbeck seed"))

    def drawn(self, name: str, steps: int, cells: int, dt: float, item: int = 0) -> NDArray[np.float64]:
        from scipy.signal import lfilter

        rho = math.exp(-dt / self.tau)
        drawn = self.generator(name, item).normal(0.0, self.sigma, (steps, cells))
        drawn[1:] *= math.sqrt(1.0 - rho * rho)
        made: NDArray[np.float64] = lfilter([1.0], [1.0, -rho], drawn, axis=0)
        return made

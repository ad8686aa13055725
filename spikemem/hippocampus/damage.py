"""Damage: cells that are lost, synapses that are cut or inexact, cells that are noisy or leak, and spikes that get lost on their way.

    lesion     a share of a population's cells never fires; the basket cell lets as many fewer win: k -> round(k x share that lives)
    cut        a projection transmits nothing
    jitter     w -> w (1 + scale z),    z ~ N(0, 1)
    bits       w -> u round(w / u),     u = max |w| / (2^(n-1) - 1)
    noise      logistic noise on the current of each cell (`network.Logistic`)
    leak       cells of a finite membrane time constant
    drop       a share of a population's spikes reaches nobody

It is done to a `Network` and its stimulus, whatever model they are of. What is stored, synapses and records, stays whole.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.network.graph import KWinners, Network, Population, Projection
from spikemem.network.neurons import LIF
from spikemem.network.noise import Logistic
from spikemem.network.synapses import OneBit, Sparse, Synapses, unpack
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate

LOST = 2.0**60
"""Standing inhibition of a lost cell: beyond any drive."""
DENDRITE = "_dendrite"
"""Suffix of the population of a population's dendrites, which are lost with their cells."""

Bools = NDArray[np.bool_]
Drives = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Part:
    """One thing that is done to a network; by itself it changes nothing."""

    def population(self, cells: Population) -> Population:
        """What becomes of a population."""
        return cells

    def synapses(self, projection: Projection, synapses: Synapses) -> Synapses:
        """What becomes of a projection's synapses.   synapses: as the parts before have left them."""
        return synapses


@dataclass(frozen=True)
class Lesion(Part):
    """A share of a population's cells is lost, chosen by the seed."""

    region: str
    share: float
    seed: int = 0

    def lost(self, size: int) -> Bools:
        """Which of so many cells are lost, [cell]."""
        lost = np.zeros(size, bool)
        lost[np.argsort(_generator(self.region, self.seed).random(size))[: round(self.share * size)]] = True
        return lost


@dataclass(frozen=True)
class Cut(Part):
    """A projection has no synapses left."""

    projection: str

    def synapses(self, projection: Projection, synapses: Synapses) -> Synapses:
        return Sparse.from_coo([], [], 1.0, synapses.shape) if projection.name == self.projection else synapses


@dataclass(frozen=True)
class Jitter(Part):
    """Each weight of a projection is multiplied by 1 + scale z, z normal."""

    projection: str
    scale: float
    seed: int = 0

    def synapses(self, projection: Projection, synapses: Synapses) -> Synapses:
        if projection.name != self.projection:
            return synapses
        listed = _listed(synapses) if isinstance(synapses, OneBit) else synapses
        factor = _generator(self.projection, self.seed).standard_normal(listed.weights.shape) * self.scale + 1.0
        return replace(listed, weights=listed.weights * factor)


@dataclass(frozen=True)
class Bits(Part):
    """The weights of a projection are rounded to n bits: 2^n - 1 values around 0, up to the largest weight."""

    projection: str
    n: int

    def synapses(self, projection: Projection, synapses: Synapses) -> Synapses:
        if projection.name != self.projection:
            return synapses
        weights = np.append(synapses.on, synapses.off) if isinstance(synapses, OneBit) else synapses.weights
        unit = float(np.abs(weights).max(initial=0.0)) / (2 ** (self.n - 1) - 1)
        rounded = np.round(weights / unit) * unit if unit else weights
        if isinstance(synapses, OneBit):
            return replace(synapses, on=rounded[0] if np.isscalar(synapses.on) else rounded[:-1], off=float(rounded[-1]))
        return replace(synapses, weights=rounded)


@dataclass(frozen=True)
class Noise(Part):
    """The cells of a population are noisy; where they were before, they have this noise instead."""

    region: str
    scale: float
    seed: int = 0

    def population(self, cells: Population) -> Population:
        return replace(cells, noise=Logistic(self.scale, self.seed)) if cells.name == self.region else cells


@dataclass(frozen=True)
class Leak(Part):
    """The cells of a population have this membrane time constant, ms."""

    region: str
    tau: float

    def population(self, cells: Population) -> Population:
        if cells.name != self.region:
            return cells
        if not isinstance(cells.neuron, LIF):
            raise NetworkError(f"the cells of {self.region!r} are {type(cells.neuron).__name__}, and a leak is of LIF cells")
        return replace(cells, neuron=replace(cells.neuron, tau=self.tau))


@dataclass(frozen=True)
class Drop(Part):
    """A share of a population's spikes reaches nobody: it is simulated, and then clamped to the spikes that are left."""

    region: str
    share: float
    seed: int = 0

    def clamped(self, net: Network, stimulus: Drives) -> dict[str, NDArray[np.generic]]:
        """The stimulus with the population clamped. NetworkError where its own spikes come back to it."""
        steps = max((len(given) for given in stimulus.values()), default=0)
        if not steps or self.region not in net.populations:
            return dict(stimulus)
        recording = simulate(net, stimulus, steps)
        if self.region in _upstream(net, self.region, recording):
            raise NetworkError(f"spikes of {self.region!r} come back to it here, and so cannot be dropped; lesion it, or cut a projection")
        spikes = recording[self.region].dense(steps, recording.batches)
        kept = _generator(self.region, self.seed).random(spikes.shape) >= self.share
        return {**stimulus, self.region: spikes & kept}


@dataclass(frozen=True)
class Damage:
    """All that is done to a circuit, in the order in which it was done.

    >>> Damage((Lesion("ca3", 0.5), Cut("ca3->ca3")))
    Damage(parts=(Lesion(region='ca3', share=0.5, seed=0), Cut(projection='ca3->ca3')))
    """

    parts: tuple[Part, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts)

    def lost(self, population: str, size: int) -> Bools:
        """Which cells of a population are lost, [cell]."""
        lost = np.zeros(size, bool)
        for part in self.parts:
            if isinstance(part, Lesion) and part.region in (population, population.removesuffix(DENDRITE)):
                lost |= part.lost(size)
        return lost

    def applied(self, net: Network, stimulus: Drives) -> tuple[Network, dict[str, NDArray[np.generic]]]:
        """The damaged network and its stimulus, in which lost cells are inhibited. Without a stimulus no spike is dropped."""
        if not self:
            return net, dict(stimulus)
        damaged, driven = Network(net.dt), dict(stimulus)
        for name, cells in net.populations.items():
            lost = self.lost(name, cells.size)
            damaged.add(self._population(cells, lost))
            if lost.any():
                driven[name] = inhibited(driven.get(name), lost)
        for p in net.projections:
            synapses = p.synapses
            for part in self.parts:
                synapses = part.synapses(p, synapses)
            ways = {name: getattr(p, name) for name in ("delay", "first", "plasticity", "efficacy", "short_term")}
            damaged.connect(p.pre, p.post, synapses, **ways)
        for part in self.parts:
            if isinstance(part, Drop) and stimulus:
                driven = part.clamped(damaged, driven)
        return damaged, driven

    def _population(self, cells: Population, lost: Bools) -> Population:
        for part in self.parts:
            cells = part.population(cells)
        if isinstance(cells.inhibition, KWinners) and lost.any():
            fewer = tuple(winners(k, lost) for k in cells.inhibition.turns)
            return replace(cells, inhibition=replace(cells.inhibition, k=fewer))
        return cells


def winners(k: int, lost: Bools) -> int:
    """How many cells inhibition lets win where some are lost: as many fewer as are lost, and at least one.

    >>> winners(50, np.arange(100) < 30)
    35
    """
    return max(1, round(k * int((~lost).sum()) / max(len(lost), 1)))


def inhibited(given: NDArray[np.generic] | None, lost: Bools) -> NDArray[np.generic]:
    """What drives a population, [time, ..., cell], where its lost cells are inhibited at every step; clamped spikes of theirs go."""
    if given is None:
        return -LOST * lost[None]
    cells = given[:, None] if given.ndim == 1 else given
    return cells & ~lost if cells.dtype == bool else cells - LOST * lost  # type: ignore[operator]


def _generator(name: str, seed: int) -> np.random.Generator:
    """Numbers that follow from a name and a seed."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _listed(synapses: OneBit) -> Sparse:
    """One-bit synapses, each with a weight of its own; those of weight 0 are left out."""
    bits = unpack(synapses.bits)
    there = np.ones_like(bits) if synapses.off else bits
    rows, column = np.nonzero(there)
    weights = np.where(bits, synapses.efficacy[:, None], synapses.off)[there]
    return Sparse.from_coo(rows, column + synapses.start[rows], weights, synapses.shape)


def _upstream(net: Network, name: str, recording: Recording) -> set[str]:
    """The populations that fired, and whose spikes reached a population, at once or through others that fired."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        post = waiting.pop()
        new = {p.pre for p in net.projections if p.post == post and p.synapses.count and len(recording[p.pre])} - found
        found |= new
        waiting += new
    return found

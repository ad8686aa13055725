"""Synapses: dense, sparse (CSR) and one-bit (Willshaw), all of shape [pre, post], and the rules that wire them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import NetworkError

WORD = 64
"""Bits in a word of a one-bit projection."""


@dataclass(frozen=True, eq=False)
class Dense:
    """All to all: I_post = S_pre W.   weights: W, float64, [pre, post]."""

    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        weights = np.ascontiguousarray(self.weights, dtype=np.float64)
        if weights.ndim != 2 or not np.isfinite(weights).all():
            raise NetworkError(f"dense weights must be finite and of shape [pre, post], not {weights.shape}")
        object.__setattr__(self, "weights", weights)

    @property
    def shape(self) -> tuple[int, int]:
        return self.weights.shape[0], self.weights.shape[1]

    @property
    def count(self) -> int:
        return self.weights.size

    def matrix(self) -> NDArray[np.float64]:
        """The weights as one dense matrix, float64, [pre, post]."""
        return self.weights


@dataclass(frozen=True, eq=False)
class Sparse:
    """Compressed sparse rows: presynaptic cell i reaches targets[indptr[i]:indptr[i+1]] with the weights at the same positions.

    indptr: int64, [pre + 1].   targets: int32, [synapse].   weights: float64, [synapse].   post: number of postsynaptic cells.
    """

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.float64]
    post: int

    def __post_init__(self) -> None:
        indptr = np.ascontiguousarray(self.indptr, dtype=np.int64)
        targets = np.ascontiguousarray(self.targets, dtype=np.int32)
        weights = np.ascontiguousarray(self.weights, dtype=np.float64)
        if indptr.ndim != 1 or len(indptr) < 1 or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] != len(targets):
            raise NetworkError("sparse indptr must rise from 0 to the number of targets")
        if targets.shape != weights.shape or not np.isfinite(weights).all():
            raise NetworkError(f"sparse targets {targets.shape} and weights {weights.shape} must pair up, and weights be finite")
        if len(targets) and (targets.min() < 0 or targets.max() >= self.post):
            raise NetworkError(f"a sparse target lies outside the {self.post} postsynaptic cells")
        for name, value in (("indptr", indptr), ("targets", targets), ("weights", weights)):
            object.__setattr__(self, name, value)

    @classmethod
    def from_coo(cls, pre: ArrayLike, post: ArrayLike, weights: ArrayLike, shape: tuple[int, int]) -> "Sparse":
        """Sparse synapses from their coordinates: one (pre, post, weight) for each, in any order.   shape: (pre cells, post cells)."""
        rows, targets = np.asarray(pre, dtype=np.int64), np.asarray(post, dtype=np.int64)
        values = np.asarray(weights, dtype=np.float64)
        if rows.ndim != 1 or rows.shape != targets.shape or values.shape not in ((), rows.shape):
            raise NetworkError(f"synapses need one pre, post and weight each, not {rows.shape}, {targets.shape} and {values.shape}")
        for name, cells, size in (("presynaptic", rows, shape[0]), ("postsynaptic", targets, shape[1])):
            if len(cells) and (cells.min() < 0 or cells.max() >= size):
                raise NetworkError(f"a {name} cell lies outside 0 to {size - 1}")
        values = np.broadcast_to(values, rows.shape)
        order = np.lexsort((targets, rows))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))])
        return cls(indptr, targets[order].astype(np.int32), values[order], shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.indptr) - 1, self.post

    @property
    def count(self) -> int:
        return len(self.targets)

    def repeats(self) -> bool:
        """Whether some pair of cells has more than one synapse."""
        pairs = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)) * self.post + self.targets
        return len(np.unique(pairs)) < len(pairs)

    def matrix(self) -> NDArray[np.float64]:
        """The weights as one dense matrix, float64, [pre, post]; synapses on the same pair add up."""
        dense = np.zeros(self.shape)
        np.add.at(dense, (np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)), self.targets), self.weights)
        return dense


@dataclass(frozen=True, eq=False)
class OneBit:
    """One bit a synapse (Willshaw 1969): weight `on` where the bit is set, `off` where it is not.

    Presynaptic cell i reaches the `width` postsynaptic cells from start[i] on, and no others; bit b of its row is the synapse onto
    cell start[i] + b. A negative `off` is the feed-forward inhibition that comes with every presynaptic spike.

    bits: uint64, [pre, width / 64].   start: int64, [pre].   post: number of postsynaptic cells.
    """

    bits: NDArray[np.uint64]
    start: NDArray[np.int64]
    post: int
    on: float = 1.0
    off: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "on", float(self.on))
        object.__setattr__(self, "off", float(self.off))
        if self.bits.dtype != np.uint64 or self.bits.ndim != 2 or self.start.shape != self.bits.shape[:1]:
            raise NetworkError("one-bit rows must be uint64 of shape [pre, words], with one start for each row")
        if not np.isfinite([self.on, self.off]).all():
            raise NetworkError(f"one-bit weights must be finite, not {self.on} and {self.off}")
        if len(self.start) and (self.start.min() < 0 or self.start.max() + self.width > self.post):
            raise NetworkError(f"a one-bit row reaches outside the {self.post} postsynaptic cells")

    @property
    def width(self) -> int:
        """Postsynaptic cells that one presynaptic cell reaches."""
        return self.bits.shape[1] * WORD

    @property
    def shape(self) -> tuple[int, int]:
        return self.bits.shape[0], self.post

    @property
    def count(self) -> int:
        return self.bits.shape[0] * self.width

    def matrix(self) -> NDArray[np.float64]:
        """The weights as one dense matrix, float64, [pre, post]."""
        dense = np.zeros(self.shape)
        for i, row in enumerate(unpack(self.bits)):
            dense[i, self.start[i] : self.start[i] + self.width] = np.where(row, self.on, self.off)
        return dense


Synapses = Dense | Sparse | OneBit
Wiring = Callable[[int, int], Synapses]
"""A rule that makes synapses for a number of presynaptic and of postsynaptic cells."""


def joined(synapses: Dense | Sparse) -> NDArray[np.bool_]:
    """Which pairs of cells a synapse joins, bool, [pre, post]."""
    if isinstance(synapses, Dense):
        return np.ones(synapses.shape, bool)
    return Sparse(synapses.indptr, synapses.targets, np.ones(synapses.count), synapses.post).matrix() > 0


def unpack(bits: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Packed one-bit synapses as bool, [pre, width], from uint64 words, [pre, width / 64]; bit b is bit b % 64 of word b // 64."""
    return np.unpackbits(np.ascontiguousarray(bits).view(np.uint8), axis=1, bitorder="little").astype(bool)


def pack(rows: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bool synapses, [pre, width], packed into uint64 words, [pre, width / 64]: the inverse of `unpack`.

    Raises NetworkError where width is no multiple of 64.
    """
    if rows.shape[1] % WORD:
        raise NetworkError(f"one-bit rows hold multiples of {WORD} synapses, not {rows.shape[1]}")
    return np.ascontiguousarray(np.packbits(rows, axis=1, bitorder="little")).view(np.uint64)


def one_to_one(weight: float = 1.0) -> Wiring:
    """A wiring rule: cell i to cell i, all with the same weight."""

    def wire(pre: int, post: int) -> Synapses:
        if pre != post:
            raise NetworkError(f"one_to_one needs populations of one size, not {pre} and {post}")
        return Sparse(np.arange(pre + 1), np.arange(pre, dtype=np.int32), np.full(pre, weight), post)

    return wire


def all_to_all(weight: float = 1.0) -> Wiring:
    """A wiring rule: every cell to every cell, all with the same weight."""
    return lambda pre, post: Dense(np.full((pre, post), weight))


def all_but_self(weight: float = 1.0) -> Wiring:
    """A wiring rule: every cell to every cell but the one of its own index, all with the same weight."""

    def wire(pre: int, post: int) -> Synapses:
        sources, targets = np.nonzero(~np.eye(pre, post, dtype=bool))
        return Sparse.from_coo(sources, targets, weight, (pre, post))

    return wire


def sparse_random(fan_in: int, seed: int = 0, low: float = 0.5, high: float = 1.5) -> Wiring:
    """A wiring rule: each postsynaptic cell gets `fan_in` random presynaptic cells, none twice; weights are uniform in [low, high)."""

    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise NetworkError(f"sparse_random draws weights from low to high, not from {low} to {high}")

    def wire(pre: int, post: int) -> Synapses:
        if not 0 < fan_in <= pre:
            raise NetworkError(f"fan_in is {fan_in}; it must be between 1 and the {pre} presynaptic cells")
        rng = np.random.default_rng(seed)
        sources = np.concatenate([rng.choice(pre, fan_in, replace=False) for _ in range(post)])
        weights = rng.uniform(low, high, sources.shape)
        return Sparse.from_coo(sources, np.repeat(np.arange(post), fan_in), weights, (pre, post))

    return wire

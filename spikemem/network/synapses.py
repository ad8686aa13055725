"""Synapses: dense, sparse (CSR) and one-bit (Willshaw), all of shape [pre, post], and the rules that wire them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import INDEX
from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.weights import Drawn, Weights, weighted, weights_of

WORD = 64
"""Bits in a word of a one-bit projection."""


@dataclass(frozen=True, eq=False)
class Dense:
    """All to all: I_post = S_pre W.   weights: W, float64, [pre, post].   delays: ms, [pre, post]; None leaves them to the projection."""

    weights: NDArray[np.float64]
    delays: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", check.floats(self.weights, "dense weights, [pre, post]", shape=(None, None)))
        if self.delays is not None:
            object.__setattr__(self, "delays", check.floats(self.delays, "delays, [pre, post]", shape=self.weights.shape))

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
    delays: ms, float64, [synapse]; None leaves them to the projection.
    """

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.float64]
    post: int
    delays: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        post = check.integer(self.post, "post (postsynaptic cells)", least=0, most=INDEX)
        targets = check.indices(self.targets, "sparse targets", post, np.int32)
        weights = check.floats(self.weights, "sparse weights", shape=targets.shape)
        indptr = check.indices(self.indptr, "sparse indptr", len(targets) + 1)
        if len(indptr) < 1 or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] != len(targets):
            raise NetworkError("sparse indptr must rise from 0 to the number of targets")
        delays = None if self.delays is None else check.floats(self.delays, "sparse delays", shape=targets.shape)
        for name, value in (("indptr", indptr), ("targets", targets), ("weights", weights), ("post", post), ("delays", delays)):
            object.__setattr__(self, name, value)

    @classmethod
    def from_coo(
        cls, pre: ArrayLike, post: ArrayLike, weights: ArrayLike, shape: tuple[int, int], delays: ArrayLike | None = None
    ) -> "Sparse":
        """Sparse synapses from their coordinates: one (pre, post, weight) for each, in any order.

        shape: (pre cells, post cells).   delays: ms, in the order of the others.
        """
        sizes = [check.integer(n, "shape", least=0, most=INDEX) for n in check.listed(shape, "shape", "two sizes")]
        if len(sizes) != 2:
            raise NetworkError(f"shape has {len(sizes)} sizes; it must be (presynaptic cells, postsynaptic cells)")
        sources, reached = sizes
        rows = check.indices(pre, "presynaptic cells", sources)
        targets = check.indices(post, "postsynaptic cells", reached, np.int32, shape=rows.shape)
        values = check.floats(weights, "weights")
        if values.shape not in ((), rows.shape):
            raise NetworkError(f"synapses need one pre, post and weight each, not {rows.shape}, {targets.shape} and {values.shape}")
        values = np.broadcast_to(values, rows.shape)
        late = None if delays is None else check.floats(delays, "sparse delays", shape=rows.shape)
        order = np.lexsort((targets, rows))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=sources))])
        return cls(indptr, targets[order], values[order], reached, None if late is None else late[order])

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.indptr) - 1, self.post

    @property
    def count(self) -> int:
        return len(self.targets)

    @cached_property
    def narrow(self) -> NDArray[np.uint16] | NDArray[np.uint32]:
        """The targets in 16 bits where these hold them, else in 32, [synapse]; made once."""
        return self.targets.astype(np.uint16) if self.post <= np.iinfo(np.uint16).max + 1 else self.targets.view(np.uint32)

    @property
    def sources(self) -> NDArray[np.int64]:
        """The presynaptic cell of each synapse, [synapse]."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def repeats(self) -> bool:
        """Whether some pair of cells has more than one synapse."""
        pairs = self.sources * self.post + self.targets
        return len(np.unique(pairs)) < len(pairs)

    def matrix(self) -> NDArray[np.float64]:
        """The weights as one dense matrix, float64, [pre, post]; synapses on the same pair add up."""
        _fits(*self.shape)
        dense = np.zeros(self.shape)
        np.add.at(dense, (self.sources, self.targets), self.weights)
        return dense


@dataclass(frozen=True, eq=False)
class OneBit:
    """One bit a synapse (Willshaw 1969): weight `on` where the bit is set, `off` where it is not.

    `on` is one number, or one for each presynaptic cell, [pre]: its efficacy, whatever cells it is bound to.

    Presynaptic cell i reaches the `width` postsynaptic cells from start[i] on, and no others; bit b of its row is the synapse onto
    cell start[i] + b. A negative `off` is the feed-forward inhibition that comes with every presynaptic spike.

    bits: uint64, [pre, width / 64].   start: int64, [pre].   post: number of postsynaptic cells.
    """

    bits: NDArray[np.uint64]
    start: NDArray[np.int64]
    post: int
    on: float | NDArray[np.float64] = 1.0
    off: float = 0.0

    def __post_init__(self) -> None:
        bits = check.array(self.bits, "one-bit rows, [pre, words]", "u", shape=(None, None))
        if bits.dtype != np.uint64:
            raise NetworkError(f"one-bit rows are {bits.dtype}; they must be uint64, as `pack` gives them")
        post = check.integer(self.post, "post (postsynaptic cells)", least=0, most=INDEX)
        if (width := bits.shape[1] * WORD) > post and len(bits):
            raise NetworkError(f"a one-bit row of {width} synapses reaches outside the {post} postsynaptic cells")
        start = check.indices(self.start, "the starts of one-bit rows", post - width + 1, shape=bits.shape[:1])
        one, off = np.isscalar(self.on), check.finite(self.off, "the weight `off`")
        on = check.finite(self.on, "the weight `on`") if one else check.floats(self.on, "the weights `on`, [pre]", shape=bits.shape[:1])
        for name, value in (("bits", np.ascontiguousarray(bits)), ("start", start), ("post", post), ("on", on), ("off", off)):
            object.__setattr__(self, name, value)

    @property
    def width(self) -> int:
        """Postsynaptic cells that one presynaptic cell reaches."""
        return self.bits.shape[1] * WORD

    @cached_property
    def efficacy(self) -> NDArray[np.float64]:
        """The weight of each presynaptic cell's set bits, [pre]."""
        return np.full(len(self.bits), self.on) if np.isscalar(self.on) else np.asarray(self.on)

    @property
    def shape(self) -> tuple[int, int]:
        return self.bits.shape[0], self.post

    @property
    def count(self) -> int:
        return self.bits.shape[0] * self.width

    def matrix(self) -> NDArray[np.float64]:
        """The weights as one dense matrix, float64, [pre, post]."""
        _fits(*self.shape)
        dense = np.zeros(self.shape)
        for i, row in enumerate(unpack(self.bits)):
            dense[i, self.start[i] : self.start[i] + self.width] = np.where(row, self.efficacy[i], self.off)
        return dense


Synapses = Dense | Sparse | OneBit
Wiring = Callable[[int, int], Synapses]
"""A rule that makes synapses for a number of presynaptic and of postsynaptic cells."""


def joined(synapses: Synapses) -> NDArray[np.bool_]:
    """Which pairs of cells a synapse joins, bool, [pre, post]."""
    if isinstance(synapses, OneBit):
        cell = np.arange(synapses.post)
        return (cell >= synapses.start[:, None]) & (cell < synapses.start[:, None] + synapses.width)
    if isinstance(synapses, Dense):
        return np.ones(synapses.shape, bool)
    return Sparse(synapses.indptr, synapses.targets, np.ones(synapses.count), synapses.post).matrix() > 0


def compressed(synapses: Dense | Sparse) -> Sparse:
    """The same synapses as compressed rows, in the order of their weights."""
    if isinstance(synapses, Sparse):
        return synapses
    (pre, post), late = synapses.shape, synapses.delays
    targets = np.tile(np.arange(post, dtype=np.int32), pre)
    return Sparse(np.arange(pre + 1) * post, targets, synapses.weights.ravel(), post, None if late is None else late.ravel())


def unpack(bits: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Packed one-bit synapses as bool, [pre, width], from uint64 words, [pre, width / 64]; bit b is bit b % 64 of word b // 64."""
    bits = check.array(bits, "one-bit rows, [pre, words]", "u", shape=(None, None))
    if bits.dtype != np.uint64:
        raise NetworkError(f"one-bit rows are {bits.dtype}; they must be uint64, as `pack` gives them")
    return np.unpackbits(np.ascontiguousarray(bits).view(np.uint8), axis=1, bitorder="little").astype(bool)


def pack(rows: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bool synapses, [pre, width], packed into uint64 words, [pre, width / 64]: the inverse of `unpack`.

    Raises NetworkError where width is no multiple of 64.
    """
    rows = check.array(rows, "one-bit synapses, [pre, width]", "b", shape=(None, None))
    if rows.shape[1] % WORD:
        raise NetworkError(f"one-bit rows hold multiples of {WORD} synapses, not {rows.shape[1]}")
    return np.ascontiguousarray(np.packbits(rows, axis=1, bitorder="little")).view(np.uint64)


def _fits(pre: int, post: int) -> None:
    """NetworkError where all pairs of cells are too many for one array."""
    check.room(pre * post, f"a matrix of {pre:,} by {post:,} cells", "take fewer cells, or Sparse synapses")


@dataclass(frozen=True, eq=False)
class AllPairs(Drawn):
    """The wiring rule that `one_to_one`, `all_to_all` and `all_but_self` make."""

    kind: Literal["one_to_one", "all_to_all", "all_but_self"]
    weight: Weights
    seed: int | None

    def __call__(self, pre: int, post: int) -> Synapses:
        rng = self.generator()
        if self.kind == "one_to_one":
            if pre != post:
                raise NetworkError(f"one_to_one needs populations of one size, not {pre} and {post}")
            cell = np.arange(pre)
            return Sparse(np.arange(pre + 1), cell.astype(np.int32), weighted(self.weight, cell, cell, (pre, post), rng), post)
        _fits(pre, post)
        if self.kind == "all_to_all":
            if isinstance(self.weight, float):
                return Dense(np.full((pre, post), self.weight))
            rows, columns = np.indices((pre, post), np.int32).reshape(2, -1)
            return Dense(weighted(self.weight, rows, columns, (pre, post), rng).reshape(pre, post))
        sources, targets = np.nonzero(~np.eye(pre, post, dtype=bool))
        return Sparse.from_coo(sources, targets, weighted(self.weight, sources, targets, (pre, post), rng), (pre, post))


def one_to_one(weight: Weights | ArrayLike = 1.0, *, seed: int | None = None) -> AllPairs:
    """A wiring rule: cell i to cell i.

    weight: a number, `Normal`, `LogNormal`, or a matrix, [pre, post].   seed: of what is drawn; None makes one of the projection's name.
    """
    return AllPairs("one_to_one", weights_of(weight), None if seed is None else check.seed(seed))


def all_to_all(weight: Weights | ArrayLike = 1.0, *, seed: int | None = None) -> AllPairs:
    """A wiring rule: every cell to every cell.   weight, seed: as of `one_to_one`."""
    return AllPairs("all_to_all", weights_of(weight), None if seed is None else check.seed(seed))


def all_but_self(weight: Weights | ArrayLike = 1.0, *, seed: int | None = None) -> AllPairs:
    """A wiring rule: every cell to every cell but the one of its own index.   weight, seed: as of `one_to_one`."""
    return AllPairs("all_but_self", weights_of(weight), None if seed is None else check.seed(seed))


@dataclass(frozen=True)
class SparseRandom(Drawn):
    """The wiring rule that `sparse_random` makes.   seed: None for one that follows from the projection's name."""

    fan_in: int
    seed: int | None
    low: float
    high: float

    def __call__(self, pre: int, post: int) -> Sparse:
        if self.fan_in > pre:
            raise NetworkError(f"fan_in is {self.fan_in}; it must be between 1 and the {pre} presynaptic cells")
        check.room(self.fan_in * post, f"a projection of {self.fan_in:,} synapses onto each of {post:,} cells", "take fewer")
        rng = self.generator()
        sources = np.concatenate([rng.choice(pre, self.fan_in, replace=False) for _ in range(post)])
        weights = rng.uniform(self.low, self.high, sources.shape)
        return Sparse.from_coo(sources, np.repeat(np.arange(post), self.fan_in), weights, (pre, post))


def sparse_random(fan_in: int, seed: int | None = None, low: float = 0.5, high: float = 1.5) -> SparseRandom:
    """A wiring rule: each postsynaptic cell gets `fan_in` random presynaptic cells, none twice; weights are uniform in [low, high).

    seed: None makes one of the projection's name, so that two projections of a network differ, and a network is the same each time.
    """
    fan_in = check.integer(fan_in, "fan_in", least=1, most=INDEX)
    low, high = check.finite(low, "low"), check.finite(high, "high")
    if low > high:
        raise NetworkError(f"sparse_random draws weights from low to high, not from {low} to {high}")
    return SparseRandom(fan_in, None if seed is None else check.seed(seed), low, high)

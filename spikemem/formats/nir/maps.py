"""Linear nodes of NIR as synapses: each is a matrix, [pre, post], between tensors whose cells stand in C order; those of a way compose.

Linear, Affine      y = W x (+ b)                          Scale       y = s x, cell by cell
Conv1d, Conv2d      y = sum over a kernel (+ b)            Flatten     y = x, of another shape
SumPool2d, AvgPool2d   y = sum, or mean, over a window; padding counts as zeros, and in the mean
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.network.neurons.contract import check
from spikemem.network.synapses import Dense, Sparse

Shape = tuple[int, ...]
SYNAPSES = 2**25
"""Synapses of one projection that convolutions, pools and products of weights may make."""


class Map(NamedTuple):
    """A linear node between tensors."""

    synapses: Dense | Sparse | None
    """[pre, post]; None is the identity."""
    shape: Shape
    """Of what comes out."""
    bias: NDArray[np.float64] | None = None
    """Of what comes out, [post]."""


def linear(node: Any, shape: Shape) -> Map:
    """y = W x, and + b where the node has a bias.   node: Linear or Affine.   shape: of x."""
    weights = check.floats(node.weight, "its weight")
    if weights.ndim != 2:
        raise NetworkError(f"weights have shape {weights.shape}, not [post, pre]")
    post, pre = weights.shape
    _fits(shape, pre)
    return Map(Dense(weights.T), (post,), _bias(node, post))


def scale(node: Any, shape: Shape) -> Map:
    """y = s x, cell by cell."""
    factors = check.floats(node.scale, "its scale").ravel()
    _fits(shape, factors.size)
    cells = np.arange(factors.size)
    return Map(Sparse.from_coo(cells, cells, factors, (factors.size, factors.size)), shape)


def flatten(node: Any, shape: Shape) -> Map:
    """y = x, with the dimensions from start_dim to end_dim as one; dimensions that x does not have are those of a batch."""
    first, last = (check.integer(given, "a dimension to flatten") for given in (node.start_dim, node.end_dim))
    first, last = max(first, 0), last % len(shape) if last < 0 else min(last, len(shape) - 1)
    return Map(None, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def convolution(node: Any, shape: Shape) -> Map:
    """y[c, p] = sum over channels d and the kernel k of W[c, d, k] x[d, stride p - padding + dilation k], + b[c], as in torch."""
    kernel = check.floats(node.weight, "its weight")
    if kernel.ndim not in (3, 4) or len(shape) != kernel.ndim - 1:
        raise NetworkError(f"weights of shape {kernel.shape} meet cells of shape {shape}")
    made, out = _convolved(kernel, shape, _pairs(node, kernel.ndim - 2), node.padding, check.integer(node.groups, "its groups", least=1))
    bias = _bias(node, out[0])
    return Map(made, out, None if bias is None else np.repeat(bias, math.prod(out[1:])))


def pool(node: Any, shape: Shape) -> Map:
    """y = the sum (SumPool2d) or the mean (AvgPool2d) over windows of each channel."""
    if len(shape) != 3:
        raise NetworkError(f"it pools cells of shape {shape}; it takes [channel, height, width]")
    window = [check.integer(n, "its kernel_size", least=1) for n in _each(node.kernel_size, "its kernel_size", 2)]
    check.room(shape[0] * math.prod(window), "its window", "give a smaller one", SYNAPSES)
    value = 1.0 / math.prod(window) if type(node).__name__ == "AvgPool2d" else 1.0
    stride = _each(node.stride, "its stride", 2)
    made, out = _convolved(np.full((shape[0], 1, *window), value), shape, [stride, [1, 1]], node.padding, shape[0])
    return Map(made, out)


MAPS: dict[str, Callable[[Any, Shape], Map]] = {
    "Linear": linear, "Affine": linear, "Scale": scale, "Flatten": flatten,
    "Conv1d": convolution, "Conv2d": convolution, "SumPool2d": pool, "AvgPool2d": pool,
}  # fmt: skip
"""The linear nodes by their types."""


def composed(first: Dense | Sparse | None, then: Dense | Sparse | None) -> Dense | Sparse | None:
    """The synapses of two maps, one after the other."""
    if first is None or then is None:
        return then if first is None else first
    if isinstance(first, Sparse) and isinstance(then, Sparse):
        onward = np.diff(then.indptr)
        check.room(int(onward[first.targets].sum()), "the synapses of two maps", "put cells between them", SYNAPSES)
        return _sparse(_matrix(first) @ _matrix(then))
    check.room(first.shape[0] * then.shape[1], "the synapses of two maps", "put cells between them", SYNAPSES)
    return Dense(_matrix(first) @ _matrix(then))


def carried(values: NDArray[np.float64], synapses: Dense | Sparse | None) -> NDArray[np.float64]:
    """What a constant becomes behind synapses.   values: [pre].   Returns [post]."""
    return values if synapses is None else np.asarray(values @ _matrix(synapses))


def part(synapses: Dense | Sparse | None, onto: NDArray[np.bool_]) -> Sparse:
    """The synapses onto some of the postsynaptic cells, of which there are as many as before.   onto: [post]."""
    kept = scipy.sparse.diags_array(onto.astype(float)).tocsr()
    made = _sparse(kept if synapses is None else scipy.sparse.csr_array(_matrix(synapses)) @ kept)
    rows = np.repeat(np.arange(made.shape[0]), np.diff(made.indptr))
    some = onto[made.targets]
    return Sparse.from_coo(rows[some], made.targets[some], made.weights[some], made.shape)


def _matrix(synapses: Dense | Sparse) -> Any:
    """A matrix, [pre, post], for products."""
    if isinstance(synapses, Dense):
        return synapses.weights
    return scipy.sparse.csr_array((synapses.weights, synapses.targets, synapses.indptr), shape=synapses.shape)


def _sparse(matrix: Any) -> Sparse:
    made = scipy.sparse.coo_array(matrix)
    return Sparse.from_coo(made.row, made.col, made.data, made.shape)


def _fits(shape: Shape, pre: int) -> None:
    if math.prod(shape) != pre:
        raise NetworkError(f"it takes {pre} values and gets {math.prod(shape)}, of shape {shape}")


def _bias(node: Any, post: int) -> NDArray[np.float64] | None:
    """The bias of a node, [post]; None where it has none."""
    given = getattr(node, "bias", None)
    bias = None if given is None else check.floats(given, "its bias")
    if bias is not None and bias.shape != (post,):
        raise NetworkError(f"its bias has shape {bias.shape}, not {(post,)}")
    return bias if bias is not None and bias.any() else None


def _each(given: Any, name: str, axes: int) -> list[int]:
    """A whole number for each axis, of one for all or of as many."""
    values = np.atleast_1d(np.asarray(given)).tolist()
    values = values * axes if len(values) == 1 else values
    if len(values) != axes:
        raise NetworkError(f"{name} holds {len(values)} numbers; it must hold {axes}")
    return values


def _pairs(node: Any, axes: int) -> list[list[int]]:
    return [_each(node.stride, "its stride", axes), _each(node.dilation, "its dilation", axes)]


def _padding(given: Any, kernel: int, dilation: int, stride: int, axis: int, axes: int) -> tuple[int, int]:
    """Zeros before and behind an axis."""
    given = given.decode() if isinstance(given, bytes) else given
    if not isinstance(given, str):
        both = check.integer(_each(given, "its padding", axes)[axis], "its padding", least=0, most=SYNAPSES)
        return both, both
    whole = dilation * (kernel - 1) if check.choice(given, "its padding", ("same", "valid")) == "same" else 0
    if given == "same" and stride != 1:
        raise NetworkError("padding 'same' takes a stride of 1")
    return whole // 2, whole - whole // 2


def _taps(size: int, kernel: int, stride: int, dilation: int, padding: tuple[int, int]) -> NDArray[np.int64]:
    """Which input each tap of a kernel reads for each output, [tap, output]; -1 for a zero of the padding."""
    check.integer(stride, "its stride", least=1, most=SYNAPSES)
    check.integer(dilation, "its dilation", least=1, most=SYNAPSES)
    outputs = (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1
    if outputs < 1:
        raise NetworkError(f"a kernel of {kernel} with dilation {dilation} is larger than its {size} inputs with their padding")
    check.room(kernel * outputs, "a convolution", "give fewer cells", SYNAPSES)
    read = np.arange(outputs) * stride - padding[0] + dilation * np.arange(kernel)[:, None]
    return np.where((read >= 0) & (read < size), read, -1)


def _convolved(kernel: NDArray[np.float64], shape: Shape, steps: list[list[int]], padding: Any, groups: int) -> tuple[Sparse, Shape]:
    """The synapses of a convolution, and the shape of what comes out.   kernel: [out, in / groups, *window].   steps: stride, dilation."""
    (outs, ins), window = kernel.shape[:2], kernel.shape[2:]
    if ins * groups != shape[0] or outs % groups or not outs:
        raise NetworkError(f"a kernel of shape {kernel.shape} in {groups} groups meets {shape[0]} channels")
    axes = len(window)
    taps = [
        _taps(size, k, stride, dilation, _padding(padding, k, dilation, stride, axis, axes))
        for axis, (size, k, stride, dilation) in enumerate(zip(shape[1:], window, *steps, strict=True))
    ]
    check.room(outs * ins * math.prod(tap.size for tap in taps), "the synapses of a convolution", "give fewer cells", SYNAPSES)
    if axes == 1:  # one row of a plane
        taps, kernel = [np.zeros((1, 1), np.int64), *taps], kernel[:, :, None]
    (high, wide), width = taps, shape[-1]
    valid = (high[:, None, :, None] >= 0) & (wide[None, :, None, :] >= 0)
    row, column, y, x = np.nonzero(valid)
    source, target = high[row, y] * width + wide[column, x], y * wide.shape[1] + x
    out, channel = np.arange(outs)[:, None, None], np.arange(ins)[:, None]
    pre = ((out // (outs // groups)) * ins + channel) * math.prod(shape[1:]) + source
    post = np.broadcast_to(out * high.shape[1] * wide.shape[1] + target, pre.shape)
    made = outs, *(tap.shape[1] for tap in taps[-axes:])
    synapses = Sparse.from_coo(pre.ravel(), post.ravel(), kernel[:, :, row, column].ravel(), (math.prod(shape), math.prod(made)))
    return synapses, made

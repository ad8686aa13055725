"""NIR's linear nodes as synapses, against torch's functions; and what their numbers may not ask for."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from spikemem.errors import NetworkError
from spikemem.formats.nir.maps import MAPS, Map, carried, composed, part
from spikemem.network import Dense, Sparse

nir = pytest.importorskip("nir", reason="the reference extra is not installed")
RNG = np.random.default_rng(0)


def through(made: Map, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a map makes of a tensor."""
    matrix = np.eye(x.size) if made.synapses is None else made.synapses.matrix()
    return (x.ravel() @ matrix + (0.0 if made.bias is None else made.bias)).reshape(made.shape)


def convolution(kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    weights, bias = RNG.normal(size=kernel), RNG.normal(size=kernel[0])
    if len(kernel) == 3:
        return nir.Conv1d(None, weights, stride, padding, dilation, groups, bias)
    return nir.Conv2d(None, weights, stride, padding, dilation, groups, bias)


@pytest.mark.parametrize(
    ("kernel", "shape", "stride", "padding", "dilation", "groups"),
    [
        ((4, 2, 5, 5), (2, 11, 11), (2, 2), (1, 1), (1, 1), 1),
        ((4, 2, 3, 2), (2, 7, 9), (1, 3), (2, 0), (2, 1), 1),
        ((6, 1, 3, 3), (3, 6, 5), 1, 1, 1, 3),
        ((4, 2, 4, 3), (4, 8, 8), (1, 1), "same", (1, 2), 2),
        ((2, 1, 3, 3), (1, 5, 5), (2, 1), "valid", (1, 1), 1),
        ((3, 2, 4), (2, 13), 2, 3, 1, 1),
        ((4, 2, 3), (4, 10), 1, "same", 2, 2),
    ],
)
def test_a_convolution_is_that_of_torch(
    kernel: tuple[int, ...], shape: tuple[int, ...], stride: Any, padding: Any, dilation: Any, groups: int
) -> None:
    node, x = convolution(kernel, stride, padding, dilation, groups), RNG.normal(size=shape)
    torchs: Any = functional.conv1d if len(kernel) == 3 else functional.conv2d
    expected = torchs(torch.as_tensor(x)[None], *map(torch.as_tensor, (node.weight, node.bias)), stride, padding, dilation, groups)[0]
    made = MAPS[type(node).__name__](node, shape)
    assert made.shape == tuple(expected.shape)
    np.testing.assert_allclose(through(made, x), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize(("size", "stride", "padding"), [((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 1))])
def test_pools_are_those_of_torch(size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]) -> None:
    x = RNG.normal(size=(3, 7, 6))
    mean = functional.avg_pool2d(torch.as_tensor(x)[None], size, stride, padding)[0].numpy()
    fields = [np.array(field) for field in (size, stride, padding)]
    np.testing.assert_allclose(through(MAPS["AvgPool2d"](nir.AvgPool2d(*fields), x.shape), x), mean, atol=1e-12)
    np.testing.assert_allclose(through(MAPS["SumPool2d"](nir.SumPool2d(*fields), x.shape), x), mean * math.prod(size), atol=1e-12)


@pytest.mark.parametrize(("first", "last", "shape"), [(0, -1, (24,)), (1, 2, (2, 12)), (0, 1, (6, 4)), (1, -1, (2, 12))])
def test_flatten_keeps_the_order(first: int, last: int, shape: tuple[int, ...]) -> None:
    made = MAPS["Flatten"](nir.Flatten({"input": np.array([2, 3, 4])}, first, last), (2, 3, 4))
    assert (made.shape, made.synapses) == (shape, None)


def test_scale_multiplies_each_cell() -> None:
    x, s = RNG.normal(size=(2, 3)), RNG.normal(size=(2, 3))
    np.testing.assert_array_equal(through(MAPS["Scale"](nir.Scale(s), (2, 3)), x), s * x)


def test_maps_compose_carry_constants_and_part() -> None:
    dense, sparse = Dense(RNG.normal(size=(3, 4))), Sparse.from_coo([0, 1, 3, 3], [1, 0, 0, 1], [1.0, 2.0, 3.0, 4.0], (4, 2))
    back = Sparse.from_coo([0, 1], [2, 0], [5.0, 6.0], (2, 3))
    for first, then in ((dense, sparse), (sparse, back), (back, dense), (dense, Dense(sparse.matrix()))):
        made = composed(first, then)
        assert isinstance(made, Dense | Sparse)
        np.testing.assert_allclose(made.matrix(), first.matrix() @ then.matrix(), atol=1e-12)
    assert composed(None, sparse) is sparse
    assert composed(sparse, None) is sparse
    np.testing.assert_allclose(carried(np.arange(4.0), sparse), np.arange(4.0) @ sparse.matrix())
    np.testing.assert_array_equal(part(sparse, np.array([True, False])).matrix(), sparse.matrix() * [1.0, 0.0])
    np.testing.assert_array_equal(part(None, np.array([True, False])).matrix(), np.diag([1.0, 0.0]))


@pytest.mark.parametrize(
    ("node", "shape", "cause"),
    [
        (convolution((1, 1, 3, 3), 1, 0, 1, 1), (1, 2**15, 2**15), "the synapses of a convolution would hold"),
        (convolution((1, 1, 1, 1), 1, 2**40, 1, 1), (1, 2, 2), "its padding is 1099511627776"),
        (convolution((1, 1, 2, 2), 1, 0, 2**40, 1), (1, 8, 8), "its dilation is"),
        (convolution((1, 1, 2, 2), 0, 0, 1, 1), (1, 8, 8), "its stride is 0"),
        (convolution((1, 1, 9, 9), 1, 0, 1, 1), (1, 8, 8), "a kernel of 9 with dilation 1 is larger than its 8 inputs"),
        (convolution((2, 2, 3, 3), 1, 0, 1, 1), (3, 8, 8), "meets 3 channels"),
        (convolution((2, 2, 3, 3), 1, 0, 1, 1), (2, 8), "meet cells of shape"),
        (convolution((2, 2, 3, 3), (1, 2, 3), 0, 1, 1), (2, 8, 8), "its stride holds 3 numbers"),
        (convolution((2, 2, 3, 3), (2, 2), "same", 1, 1), (2, 8, 8), "'same' takes a stride of 1"),
        (convolution((2, 2, 3, 3), 1, 0, 1, 0), (2, 8, 8), "its groups is 0"),
        (nir.SumPool2d(np.array([2**20, 2**20]), np.array([1, 1]), np.array([0, 0])), (1, 8, 8), "its window would hold"),
        (nir.SumPool2d(np.array([2, 2]), np.array([1, 1]), np.array([0, 0])), (8,), "it pools cells of shape"),
        (nir.Scale(np.ones(3)), (2,), "it takes 3 values and gets 2"),
        (nir.Affine(np.ones((3, 2)), np.ones(4)), (2,), "its bias has shape"),
        (nir.Linear(np.full((3, 2), np.nan)), (2,), "its weight: NaN"),
    ],
)
def test_what_fits_not_is_refused_before_it_is_made(node: Any, shape: tuple[int, ...], cause: str) -> None:
    with pytest.raises(NetworkError, match=cause):
        MAPS[type(node).__name__](node, shape)


def test_a_product_of_maps_has_bounds() -> None:
    ones = [Sparse.from_coo(np.arange(2**13), np.zeros(2**13, int), 1.0, (2**13, 1))]
    ones += [Sparse.from_coo(np.zeros(2**13, int), np.arange(2**13), 1.0, (1, 2**13))]
    with pytest.raises(NetworkError, match="the synapses of two maps would hold"):
        composed(*ones)
    with pytest.raises(NetworkError, match="the synapses of two maps would hold"):
        composed(*(Dense(one.matrix()) for one in ones))

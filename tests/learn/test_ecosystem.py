"""A trainable layer within torch: half precision, autocast, torch.func, forward mode, double backward, and surrogates of snnTorch."""

from collections.abc import Callable
from typing import Any

import pytest
import snntorch
import torch
from snntorch import surrogate as theirs
from torch import Tensor, nn

from spikemem import LIF
from spikemem.errors import NetworkError, UnsupportedError
from spikemem.learn import Linear
from spikemem.learn.layers import SpikingLayer
from spikemem.learn.surrogates import SURROGATES
from tests.marks import first_is_fast

HALF = pytest.mark.parametrize("dtype", first_is_fast(torch.bfloat16, torch.float16))
LAYER = [(name, getattr(theirs, name)()) for name in ("fast_sigmoid", "atan", "sigmoid", "straight_through_estimator")]


def pair(dtype: torch.dtype = torch.float64, **options: Any) -> tuple[SpikingLayer, SpikingLayer]:
    """A layer for the kernels and the same for snnTorch's loop, whose cells all differ."""
    made = tuple(SpikingLayer(12, LIF(8.0, 0.7), fused=fused, **options) for fused in (None, False))
    for layer in made:
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.normal_(0.0, 0.3, generator=generator)
            layer.start.normal_(0.0, 0.7, generator=generator)
        layer.to(dtype)
    return made[0], made[1]


def current(seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return (torch.randn(9, 4, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 0.6 + 0.2).to(dtype)


def gradients(layer: nn.Module, drive: Tensor, run: Callable[[Tensor], Tensor] | None = None) -> list[Tensor]:
    """The spikes, and the gradients of a weighted sum of them by the current and all parameters."""
    own = drive.clone().requires_grad_()
    spikes = (run or layer)(own)
    weights = torch.rand(spikes.shape, generator=torch.Generator().manual_seed(5)).to(spikes.dtype)
    return [spikes.detach(), *torch.autograd.grad((spikes * weights).sum(), [own, *layer.parameters()])]


def assert_same(some: list[Tensor], others: list[Tensor], tolerance: float = 1e-9) -> None:
    for a, b in zip(some, others, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
    assert all(made.abs().sum() > 0 for made in some)


# --- half precision -------------------------------------------------------------------------------------------------------------------


@HALF
def test_a_layer_in_half_precision_sums_in_float32(dtype: torch.dtype) -> None:
    """Its spikes are those of a float32 layer with its rounded parameters, its gradients the loop's."""
    fused, loop = pair(dtype)
    assert fused(current(dtype=dtype)).dtype == dtype
    assert_same(gradients(fused, current(dtype=dtype)), gradients(loop, current(dtype=dtype)), 1e-2)
    same = SpikingLayer(12, LIF(8.0, 0.7))
    same.load_state_dict(fused.state_dict())
    assert torch.equal(same(current(dtype=dtype)), fused(current(dtype=dtype)).float())
    assert torch.equal(same.beta, fused.beta)


@HALF
def test_autocast_gives_the_gradients_of_the_loop(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    into = Linear(12, 12)
    made = []
    for layer in pair(torch.float32):
        model = nn.Sequential(into, layer)
        with torch.autocast("cpu", dtype):
            made.append(gradients(model, current(dtype=torch.float32)))
    assert made[0][0].dtype == torch.float32
    assert_same(*made, 1e-5)


# --- transforms -----------------------------------------------------------------------------------------------------------------------


def test_vmap_over_currents_and_over_parameters_is_a_loop_over_them() -> None:
    layer, _ = pair()
    drives = torch.stack([current(seed) for seed in range(3)])
    assert torch.equal(torch.func.vmap(layer)(drives), torch.stack([layer(drive) for drive in drives]))
    many = [pair()[0] for _ in range(3)]
    for i, one in enumerate(many):
        nn.init.constant_(one.log_tau, 0.3 * i)
    stacked = {name: torch.stack([dict(one.named_parameters())[name].detach() for one in many]) for name, _ in layer.named_parameters()}
    made = torch.func.vmap(lambda of, x: torch.func.functional_call(layer, of, (x,)), in_dims=(0, None))(stacked, drives[0])
    assert torch.equal(made, torch.stack([one(drives[0]) for one in many]))
    assert not torch.equal(made[0], made[2])


def test_gradients_of_each_sample_are_those_taken_one_by_one() -> None:
    layer, _ = pair()
    into = Linear(12, 12).double()
    parameters = dict(layer.named_parameters())

    def loss(of: dict[str, Tensor], sample: Tensor) -> Tensor:
        return torch.func.functional_call(layer, of, (into(sample.unsqueeze(1)),)).sum()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 1))(parameters, current())
    for i in range(4):
        alone = torch.autograd.grad(loss(parameters, current()[:, i]), list(parameters.values()))
        for name, expected in zip(parameters, alone, strict=True):
            torch.testing.assert_close(each[name][i], expected)
            assert expected.abs().sum() > 0


def test_forward_mode_is_the_transpose_of_backward() -> None:
    """<u, J v> = <J^T u, v>, for currents and for parameters."""
    layer, _ = pair()
    x, v = current(), current(2)
    u = torch.randn(x.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    _, forward = torch.func.jvp(layer, (x,), (v,))
    (back,) = torch.autograd.grad((layer(x.requires_grad_()) * u).sum(), x)
    assert forward.abs().sum() > 0
    torch.testing.assert_close((u * forward).sum(), (back * v).sum())
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x.detach(), v)
        assert torch.equal(torch.autograd.forward_ad.unpack_dual(layer(dual)).tangent, forward)


@pytest.mark.parametrize("name", first_is_fast("fast_sigmoid", "atan", "sigmoid"))
def test_double_backward_is_that_of_the_loop(name: str) -> None:
    made = []
    for layer in pair(surrogate=name):
        x = current().requires_grad_()
        (first,) = torch.autograd.grad((layer(x) * current(4)).sum(), x, create_graph=True)
        made.append([first.detach(), *torch.autograd.grad(first.square().sum(), [x, *layer.parameters()])])
    assert_same(*made)


def test_a_layer_that_must_be_fused_says_where_it_cannot() -> None:
    layer = SpikingLayer(12, fused=True)
    with pytest.raises(UnsupportedError, match=r"outside of torch\.func"):
        torch.func.vmap(layer)(torch.zeros(2, 3, 1, 12))
    with pytest.raises(UnsupportedError, match="not with a function"):
        SpikingLayer(12, fused=True, surrogate=theirs.atan())(torch.zeros(3, 1, 12))


# --- surrogates -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "function"), LAYER, ids=lambda value: value if isinstance(value, str) else "")
def test_a_surrogate_is_snntorchs_of_the_same_name(name: str, function: Callable[[Tensor], Tensor]) -> None:
    """By the kernels, by the loop, and as snnTorch's own function in the layer and in a loop as its tutorials write it."""
    fused, loop = pair(torch.float32, surrogate=name)
    given = pair(torch.float32, surrogate=function)[0]
    drive = current(dtype=torch.float32)

    def plainly(own: Tensor) -> Tensor:
        cell = snntorch.Leaky(fused.beta, fused.threshold, function, reset_mechanism="subtract")
        voltage, spikes = fused.start.expand(own.shape[1:]), []
        for now in own:
            fired, voltage = cell(now, voltage)
            spikes.append(fired)
        return torch.stack(spikes)

    expected = gradients(fused, drive, plainly)
    for layer in (fused, loop, given):
        assert_same(gradients(layer, drive), expected, 1e-4)


@pytest.mark.parametrize("name", SURROGATES)
def test_a_surrogate_is_steepest_at_threshold_and_its_slope_makes_it_narrow(name: str) -> None:
    x = torch.linspace(-1, 1, 201, dtype=torch.float64)
    made = SURROGATES[name]
    values = made.derivative(x, made.slope)
    assert values.argmax() == 100 or name == "straight_through_estimator"
    assert torch.equal(values, values.flip(0)) or name == "sigmoid"
    torch.testing.assert_close(values, values.flip(0))
    steeper = made.derivative(x, 3 * made.slope)
    assert (steeper[0] / steeper[100] < values[0] / values[100]) or name in ("straight_through_estimator", "piecewise_linear")
    assert torch.isfinite(made.derivative(torch.tensor([-1e4, 1e4]), made.slope)).all()


def test_surrogates_differ_and_bad_ones_are_refused() -> None:
    drive = current()
    found = [gradients(pair(surrogate=name)[0], drive)[1] for name in SURROGATES]
    assert all(not torch.allclose(a, b) for i, a in enumerate(found) for b in found[:i])
    with pytest.raises(NetworkError, match="surrogate is 'relu'; it must be one of fast_sigmoid, atan, sigmoid"):
        SpikingLayer(2, surrogate="relu")
    with pytest.raises(NetworkError, match="surrogate is 3; give one of"):
        SpikingLayer(2, surrogate=3)  # type: ignore[arg-type]
    with pytest.raises(NetworkError, match=r"slope is 2\.0, and the surrogate a function"):
        SpikingLayer(2, surrogate=theirs.atan(), slope=2.0)

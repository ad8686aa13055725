"""The trainable layer: closed forms, then snnTorch's own autograd, then the event-driven simulator."""

import math

import numpy as np
import pytest
import snntorch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch import surrogate
from torch import Tensor

from spikemem import LIF, Network, Population, simulate
from spikemem.errors import NetworkError, StimulusError, UnsupportedError
from spikemem.learn.fused import ALONE
from spikemem.learn.layers import SLOPE, SpikingLayer
from tests.marks import first_is_fast

BOTH = pytest.mark.parametrize("fused", [True, False], ids=["fused", "snntorch"])


def layer_of(cells: int, fused: bool | None = None, neuron: LIF | None = None, **options: float) -> SpikingLayer:
    """A float64 layer."""
    return SpikingLayer(cells, neuron or LIF(), fused=fused, **options).double()


def varied(cells: int, seed: int, fused: bool) -> SpikingLayer:
    """A float64 layer whose cells all differ, some of which begin above threshold."""
    layer, generator = layer_of(cells, fused, LIF(8.0, 0.7)), torch.Generator().manual_seed(seed)
    assert layer.log_tau is not None
    assert layer.log_threshold is not None
    with torch.no_grad():
        layer.log_tau.normal_(0.0, 1.0, generator=generator)
        layer.log_threshold.normal_(0.0, 0.3, generator=generator)
        layer.start.normal_(0.0, 0.7, generator=generator)
    return layer


def plainly(layer: SpikingLayer, current: Tensor, beta: Tensor, theta: Tensor, slope: float = SLOPE) -> Tensor:
    """The spikes by a loop as snnTorch's tutorials write it."""
    cell = snntorch.Leaky(beta, theta, surrogate.fast_sigmoid(slope), reset_mechanism="subtract")
    voltage, spikes = layer.start.expand(current.shape[1:]), []
    for now in current:
        fired, voltage = cell(now, voltage)
        spikes.append(fired)
    return torch.stack(spikes)


@BOTH
def test_one_step_has_the_gradient_of_the_fast_sigmoid(fused: bool) -> None:
    """S = V > theta with V = I: dS/dI = 1 / (1 + 25 |I - theta|)^2 = -dS/dtheta, and beta has no part."""
    layer = layer_of(3, fused)
    current = torch.tensor([[[0.9, 1.0, 1.2]]], dtype=torch.float64, requires_grad=True)
    spikes = layer(current)
    spikes.sum().backward()
    expected = [1 / (1 + 25 * 0.1) ** 2, 1.0, 1 / (1 + 25 * 0.2) ** 2]
    assert spikes.tolist() == [[[0.0, 0.0, 1.0]]]  # strict: at theta no spike
    np.testing.assert_allclose(current.grad, [[expected]], rtol=1e-12)
    np.testing.assert_allclose(layer.log_threshold.grad, np.negative(expected), rtol=1e-12)  # theta = exp(b): dtheta/db = 1 at b = 0
    assert layer.log_tau.grad.tolist() == [0.0, 0.0, 0.0]


@BOTH
def test_two_steps_have_the_gradient_that_is_worked_out_by_hand(fused: bool) -> None:
    """With S[0] = 1: V[1] = beta I[0] + I[1] - theta; the S of the reset passes no gradient, its theta does."""
    beta, theta = math.exp(-1 / 20), 1.0
    layer = layer_of(1, fused)
    current = torch.tensor([1.5, 0.4], dtype=torch.float64).reshape(2, 1, 1).requires_grad_()
    layer(current)[1].sum().backward()
    away = abs(beta * 1.5 + 0.4 - theta - theta)
    near = 1 / (1 + 25 * away) ** 2
    np.testing.assert_allclose(current.grad.flatten(), [beta * near, near], rtol=1e-12)
    np.testing.assert_allclose(layer.log_threshold.grad, [-2 * near], rtol=1e-12)
    np.testing.assert_allclose(layer.log_tau.grad, [near * 1.5 * beta / 20], rtol=1e-12)  # dbeta/da = beta dt / tau


@BOTH
@pytest.mark.parametrize("current", first_is_fast(0.2, 0.04, 0.06, 0.9))
def test_the_rate_is_the_closed_form(fused: bool, current: float) -> None:
    neuron, steps = LIF(20.0), 2000
    count = layer_of(1, fused)(torch.full((steps, 1, 1), current, dtype=torch.float64)).sum().item()
    rate = float(neuron.rate(current))
    assert (count == 0) == (rate == 0)
    assert rate == 0 or abs(steps / count - 1000 / rate) <= 1.0


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 70), st.integers(0, 10_000))
def test_spikes_and_gradients_are_those_of_autograd_through_snntorch(steps: int, batch: int, cells: int, seed: int) -> None:
    layer = varied(cells, seed, fused=True)
    generator = torch.Generator().manual_seed(seed)
    current, weights = torch.randn(2, steps, batch, cells, generator=generator, dtype=torch.float64) * 0.6 + 0.2
    given_, own = current.clone().requires_grad_(), current.clone().requires_grad_()
    beta, theta = layer.beta.detach().requires_grad_(), layer.threshold.detach().requires_grad_()
    expected = plainly(layer, given_, beta, theta)
    (expected * weights).sum().backward()
    spikes = layer(own)
    (spikes * weights).sum().backward()
    assert torch.equal(spikes, expected.double())
    np.testing.assert_allclose(own.grad, given_.grad, atol=1e-6, rtol=0)
    decay = layer.beta * layer.dt / layer.tau
    np.testing.assert_allclose(layer.log_tau.grad, (beta.grad * decay).detach(), atol=1e-6, rtol=0)
    np.testing.assert_allclose(layer.log_threshold.grad, theta.grad * theta.detach(), atol=1e-6, rtol=0)


def test_the_comparison_with_snntorch_sees_a_wrong_slope() -> None:
    layer = varied(50, 0, fused=True)
    own = torch.rand(10, 2, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    other = own.detach().clone().requires_grad_()
    layer(own).sum().backward()
    plainly(layer, other, layer.beta.detach(), layer.threshold.detach(), slope=SLOPE + 0.1).sum().backward()
    assert (own.grad - other.grad).abs().max() > 1e-4


@BOTH
def test_spikes_are_those_of_the_simulator(fused: bool) -> None:
    steps, cells = 200, 30
    drive = np.random.default_rng(0).normal(0.06, 0.2, (steps, cells))
    net = Network()
    net.add(Population("cells", cells, LIF(tau=15.0, threshold=0.8)))
    recording = simulate(net, {"cells": drive}, steps)
    spikes = layer_of(cells, fused, LIF(tau=15.0, threshold=0.8))(torch.from_numpy(drive).unsqueeze(1))
    step, cell = spikes[:, 0].detach().numpy().nonzero()
    expected = recording["cells"]
    assert len(step) > 100
    assert (step.tolist(), cell.tolist()) == (expected.step.tolist(), expected.cell.tolist())


def test_voltages_are_equal_in_both() -> None:
    current = torch.randn(20, 3, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    fused, loop = varied(40, 1, True).voltages(current), varied(40, 1, False).voltages(current)
    assert torch.equal(fused, loop)
    layer = layer_of(1)
    assert layer.voltages(torch.tensor([0.5, 0.7]).reshape(2, 1, 1)).flatten().tolist() == pytest.approx(
        [0.5, 0.7 + 0.5 * layer.beta.item()]
    )


def test_float32_gives_the_spikes_of_float64_but_at_the_threshold() -> None:
    current = torch.randn(20, 8, 200, generator=torch.Generator().manual_seed(2), dtype=torch.float64) * 0.5
    exact = varied(200, 2, True)
    rough = varied(200, 2, True).float()
    near = ((exact.voltages(current) - exact.threshold).abs() < 1e-4).any(0)
    differ = (rough(current.float()) != exact(current)).any(0)
    assert rough(current.float()).dtype == torch.float32
    assert not (differ & ~near).any()
    assert near.float().mean() < 0.02


def test_the_number_of_threads_changes_no_bit() -> None:
    current = torch.randn(20, 16, 203, generator=torch.Generator().manual_seed(3))
    assert current.numel() > ALONE
    made, before = [], torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            layer, own = varied(203, 3, True).float(), current.clone().requires_grad_()
            spikes = layer(own)
            (spikes * current).sum().backward()
            made.append((spikes, own.grad, layer.log_tau.grad, layer.log_threshold.grad))
    finally:
        torch.set_num_threads(before)
    for others in made[1:]:
        assert all(torch.equal(a, b) for a, b in zip(made[0], others, strict=True))


@pytest.mark.parametrize("value", [-30.0, 30.0])
def test_beta_and_threshold_stay_in_range_wherever_learning_leads(value: float) -> None:
    layer = SpikingLayer(4)
    with torch.no_grad():
        layer.log_tau.fill_(value)
        layer.log_threshold.fill_(value)
    assert ((layer.beta >= 0) & (layer.beta <= 1)).all()
    assert (layer.threshold > 0).all()


def test_what_is_not_learned_stands_still() -> None:
    layer = SpikingLayer(2, LIF(tau=math.inf, threshold=0.3), learn=("threshold",))
    assert [name for name, _ in layer.named_parameters()] == ["log_threshold"]
    layer(torch.full((3, 1, 2), 0.3)).sum().backward()
    assert layer.beta.tolist() == [1.0, 1.0]
    assert layer.log_threshold.grad.abs().min() > 0
    assert SpikingLayer(2, learn=()).threshold.tolist() == [1.0, 1.0]


def test_a_start_above_threshold_resets_in_the_first_step() -> None:
    for fused in (True, False):
        voltages = layer_of(1, fused, start=1.5).voltages(torch.zeros(2, 1, 1))
        first = 1.5 * math.exp(-1 / 20) - 1.0
        assert voltages.flatten().tolist() == pytest.approx([first, first * math.exp(-1 / 20)])


def test_no_snntorch_cell_is_left_behind() -> None:
    before = len(snntorch.SpikingNeuron.instances)
    SpikingLayer(3, fused=False)(torch.zeros(2, 1, 3))
    assert len(snntorch.SpikingNeuron.instances) == before


def test_half_precision_currents_are_summed_in_float32() -> None:
    spikes = SpikingLayer(2)(torch.tensor([0.6, 1.2], dtype=torch.bfloat16).expand(3, 1, 2))
    assert (spikes.dtype, spikes.sum(0).tolist()) == (torch.float32, [[1.0, 3.0]])


@pytest.mark.slow
@BOTH
def test_a_compiled_model_gives_the_same(fused: bool) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(5, 40), SpikingLayer(40, fused=fused))
    current = torch.randn(6, 2, 5) * 3
    made = []
    for run in (model, torch.compile(model)):
        model.zero_grad()
        spikes = run(current)
        spikes.sum().backward()
        made.append((spikes.detach(), model[1].log_tau.grad.clone(), model[0].weight.grad.clone()))
    assert made[0][0].sum() > 0
    assert torch.equal(made[0][0], made[1][0])
    for a, b in zip(made[0], made[1], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_bad_layers_and_currents_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="plain cells"):
        SpikingLayer(2, LIF(refractory=2.0))
    with pytest.raises(NetworkError, match="infinite"):
        SpikingLayer(2, LIF(tau=math.inf))
    with pytest.raises(NetworkError, match="what a layer learns is 'beta'; it must be one of tau, threshold"):
        SpikingLayer(2, learn=("beta",))
    for wrong in ({"cells": 0}, {"cells": 2.5}, {"dt": -1.0}, {"dt": math.nan}, {"slope": 0.0}, {"start": math.nan}):
        with pytest.raises(NetworkError, match=f"{next(iter(wrong))}.* is {next(iter(wrong.values()))}.*; it must be"):
            SpikingLayer(**{"cells": 2, **wrong})  # type: ignore[arg-type]
    with pytest.raises(StimulusError, match=r"\[5, 3\].*\[time, batch, 2\]"):
        SpikingLayer(2)(torch.zeros(5, 3))
    with pytest.raises(UnsupportedError, match="not on meta"):
        SpikingLayer(2, fused=True)(torch.zeros(5, 3, 2, device="meta"))

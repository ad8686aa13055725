"""Learned adaptation and learned delays: closed forms, gradients, and tasks that cannot be done without them."""

import math

import pytest
import torch
from torch import Tensor, nn

from spikemem import LIF
from spikemem.errors import NetworkError, StimulusError
from spikemem.learn import AdaptiveLayer, DelayedLinear, Linear, Settings, SpikingLayer, accuracy, fit
from tests.marks import first_is_fast

# --- adaptation -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("drive", "strength"), first_is_fast((0.4, 2.0), (0.8, 2.0), (0.8, 0.5)))
def test_the_rate_of_an_adapting_cell_is_the_closed_form(drive: float, strength: float) -> None:
    """Without a leak what comes in goes out by resets: I = r (theta + strength r), with r the spikes a step."""
    layer = AdaptiveLayer(1, LIF(math.inf, 1.0), tau_adaptation=100.0, strength=strength, learn=()).double()
    spikes = layer(torch.full((4000, 1, 1), drive, dtype=torch.float64))[2000:]
    expected = (-1.0 + math.sqrt(1.0 + 4.0 * strength * drive)) / (2.0 * strength)
    assert spikes.mean().item() == pytest.approx(expected, rel=0.02)


def test_without_strength_it_is_a_plain_layer() -> None:
    drive = torch.randn(30, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.5 + 0.3
    plain, adaptive = SpikingLayer(5, start=1.3).double(), AdaptiveLayer(5, start=1.3, strength=0.0).double()
    assert torch.equal(adaptive(drive), plain(drive))
    torch.testing.assert_close(adaptive.voltages(drive), plain.voltages(drive))
    strong = AdaptiveLayer(5, start=1.3, strength=30.0).double()(drive)
    assert strong.sum() < 0.9 * plain(drive).sum()


def test_every_learned_parameter_has_a_gradient_and_learn_chooses_them() -> None:
    drive = torch.randn(30, 3, 5, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.5
    layer = AdaptiveLayer(5)
    layer(drive).sum().backward()
    assert {name: (p.grad != 0).all().item() for name, p in layer.named_parameters()} == dict.fromkeys(
        ("log_tau", "log_threshold", "log_tau_adaptation", "log_strength"), True
    )
    assert [name for name, _ in AdaptiveLayer(5, learn=("strength",)).named_parameters()] == ["log_strength"]
    with pytest.raises(NetworkError, match="strength is -1"):
        AdaptiveLayer(5, strength=-1.0)
    with pytest.raises(NetworkError, match="what a layer learns is 'beta'"):
        AdaptiveLayer(5, learn=("beta",))


class Remembering(nn.Module):
    """Which of two channels fired at the start, read from the spikes that a later signal, the same for both, calls forth."""

    def __init__(self, cells: nn.Module) -> None:
        super().__init__()
        self.into, self.cells, self.out = Linear(3, 20), cells, Linear(20, 2)
        with torch.no_grad():
            self.into.weight[:, :2] *= 2.0
            self.into.weight[:, 2] = 0.4  # the later signal makes each cell fire

    def forward(self, rows: Tensor) -> Tensor:
        return self.out(self.cells(self.into(rows.transpose(0, 1)))[-8:].mean(0))


def remembered(cells: nn.Module) -> float:
    """The accuracy after training, over a gap of 25 steps, five membrane time constants."""
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(0, 2, (128,), generator=generator)
    rows = torch.zeros(128, 45, 3)
    rows[torch.arange(128), :12, label] = 2.0 * torch.rand(128, 12, generator=generator)
    rows[:, 37:, 2] = 2.0
    torch.manual_seed(0)
    model = Remembering(cells)
    settings = Settings(epochs=20, batch=64, lr=5e-2, device="cpu")
    fit(model, (rows, label), lambda m, batch: nn.functional.cross_entropy(m(batch[0]), batch[1]), settings)
    return accuracy(model(rows), label)


@pytest.mark.slow
def test_adaptation_remembers_what_a_membrane_forgets() -> None:
    neuron = LIF(tau=5.0)
    assert remembered(AdaptiveLayer(20, neuron, tau_adaptation=100.0, strength=10.0)) > 0.95
    assert remembered(AdaptiveLayer(20, neuron, tau_adaptation=100.0, strength=0.0)) < 0.7
    assert remembered(SpikingLayer(20, neuron)) < 0.7


# --- delays ---------------------------------------------------------------------------------------------------------------------------


def test_a_narrow_delay_shifts_and_a_wide_one_spreads() -> None:
    layer = DelayedLinear(2, 3, longest=5.0, dt=0.5, width=0.05).double()
    delays = torch.tensor([[0.0, 1.0], [2.5, 5.0], [4.0, 0.5]], dtype=torch.float64)
    layer.set_delays(delays)
    assert layer.steps == 11
    torch.testing.assert_close(layer.delays, delays, atol=1e-4, rtol=0)
    x = torch.rand(20, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = torch.zeros(20, 2, 3, dtype=torch.float64)
    for post in range(3):
        for pre in range(2):
            k = round(delays[post, pre].item() / 0.5)
            expected[k:, :, post] += layer.weight[post, pre].detach() * x[: 20 - k, :, pre]
    torch.testing.assert_close(layer(x), expected, atol=1e-3, rtol=0)
    kernel = layer.kernel().sum(2)
    layer.width.fill_(1.5)
    torch.testing.assert_close(layer.kernel().sum(2), kernel)
    assert (layer(x) - expected).abs().max() > 0.05


def test_gradients_of_delays_are_the_numeric_ones() -> None:
    layer = DelayedLinear(2, 2, longest=6.0).double()
    x = torch.rand(9, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def by(place: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"place": place, "weight": weight}, (x,))

    assert torch.autograd.gradcheck(by, (layer.place, layer.weight))
    assert not DelayedLinear(2, 2, longest=6.0, learn=False).place.requires_grad


def test_bad_delays_are_refused() -> None:
    for wrong in ({"longest": 0.0}, {"longest": math.inf}, {"width": 0.0}, {"in_features": 0}):
        with pytest.raises(NetworkError, match=f"{next(iter(wrong))} is"):
            DelayedLinear(**{"in_features": 2, "out_features": 2, "longest": 3.0, **wrong})  # type: ignore[arg-type]
    with pytest.raises(StimulusError, match=r"\[time, batch, 2\]"):
        DelayedLinear(2, 2, 3.0)(torch.zeros(3, 2))
    with pytest.raises(NetworkError, match="the weights of all delays"):
        DelayedLinear(2, 2, 1e12)


class Ordered(nn.Module):
    """Which of two channels fired first, 10 ms before the other, told by coincidence detectors whose membrane forgets in 2 ms."""

    def __init__(self, learn: bool) -> None:
        super().__init__()
        self.into, self.cells, self.out = DelayedLinear(2, 8, 16.0, learn=learn), SpikingLayer(8, LIF(2.0), learn=()), nn.Linear(8, 2)
        self.into.set_delays(torch.full((8, 2), 8.0) + torch.rand(8, 2, generator=torch.Generator().manual_seed(1)))
        nn.init.constant_(self.into.weight, 2.0)
        self.into.weight.requires_grad_(False)
        self.into.width.fill_(4.0)

    def forward(self, rows: Tensor) -> Tensor:
        return self.out(self.cells(self.into(rows.transpose(0, 1))).sum(0))


@pytest.mark.slow
@pytest.mark.parametrize(("learn", "least", "most"), [(True, 0.95, 1.0), (False, 0.0, 0.7)])
def test_delays_learn_an_order_that_fixed_ones_do_not_tell(learn: bool, least: float, most: float) -> None:
    generator = torch.Generator().manual_seed(0)
    first, label = torch.randint(0, 10, (128,), generator=generator), torch.randint(0, 2, (128,), generator=generator)
    rows, i = torch.zeros(128, 40, 2), torch.arange(128)
    rows[i, first, label], rows[i, first + 10, 1 - label] = 1.0, 1.0
    torch.manual_seed(0)
    model = Ordered(learn)
    settings = Settings(epochs=40, batch=32, lr=5e-2, device="cpu")
    fit(model, (rows, label), lambda m, batch: nn.functional.cross_entropy(m(batch[0]), batch[1]), settings)
    assert least <= accuracy(model(rows), label) <= most

"""Fast Hebbian weights: closed forms, gradients, and a memory that answers from them and from nothing else."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikemem import LIF
from spikemem.errors import NetworkError, StimulusError
from spikemem.learn import FastHebbian, HebbianMemory

RULE = FastHebbian(potentiation=0.4, depression=0.1)


def rates(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_items_by_hand() -> None:
    pre, post = torch.tensor([[[1.0, 0.5], [0.0, 1.0]]]), torch.tensor([[[0.5], [1.0]]])
    first = 0.4 * 0.5 * 0.5  # at the second presynaptic cell, from W = 0
    second = first + 0.4 * (1 - first) - 0.1 * first
    torch.testing.assert_close(RULE.write(pre, post), torch.tensor([[[0.4 * 0.5, second]]]))


def test_one_item_again_and_again_comes_to_where_potentiation_and_depression_balance() -> None:
    """W* = bound potentiation v k / (potentiation v k + depression k^2)."""
    rule = FastHebbian(0.4, 0.1, bound=2.0)
    weights = rule.write(torch.full((1, 300, 1), 0.6), torch.full((1, 300, 1), 0.3))
    assert weights.item() == pytest.approx(2.0 * 0.4 * 0.3 / (0.4 * 0.3 + 0.1 * 0.6), rel=1e-5)


@given(st.floats(0, 1), st.floats(0, 0.99), st.floats(0.1, 5), st.integers(1, 8), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_weights_stay_between_0_and_the_bound(share: float, total: float, bound: float, items: int, seed: int) -> None:
    rule = FastHebbian(share * total, (1 - share) * total, bound)
    weights = rule.write(rates(2, items, 3, seed=seed), rates(2, items, 4, seed=seed + 1))
    assert weights.shape == (2, 4, 3)
    assert weights.min() >= 0
    assert weights.max() <= bound * (1 + 1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    pre, post = rates(2, 3, 3).requires_grad_(), rates(2, 3, 2, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(RULE.write, (pre, post))


@pytest.mark.parametrize("odd", [{"potentiation": -0.1}, {"depression": 1.1}, {"potentiation": 0.8, "depression": 0.3}, {"bound": 0.0}])
def test_a_rule_that_would_run_away_is_refused(odd: dict[str, float]) -> None:
    with pytest.raises(NetworkError, match="|".join(odd)):
        FastHebbian(**odd)


def test_shapes_that_do_not_fit_are_told() -> None:
    with pytest.raises(StimulusError, match=r"post is .*; expected a torch tensor, \[1, 2, cell\]"):
        RULE.write(rates(1, 2, 3), rates(1, 3, 3))
    with pytest.raises(StimulusError, match="pre is 3"):
        RULE.write(3, rates(1, 3, 3))  # type: ignore[arg-type]
    memory, keys, values = HebbianMemory(3, 4, steps=0), torch.zeros(2, 1, 3), torch.zeros(2, 1, 4)
    with pytest.raises(StimulusError, match=r"cues is .*\[2, 3\]"):
        memory(keys, values, torch.zeros(1, 3))
    with pytest.raises(StimulusError, match=r"values is .*\[2, 1, 4\]"):
        memory(keys, keys, torch.zeros(2, 3))


def paired(steps: int, neuron: LIF | None = None) -> tuple[HebbianMemory, Tensor, Tensor]:
    """A memory of three keys of a cell each, paired with values that overlap, in another order in the second episode."""
    memory = HebbianMemory(3, 4, steps, neuron or LIF(), FastHebbian(0.5, 0.0), gain=2.0)
    value = torch.tensor([[0.9, 0.9, 0.0, 0.0], [0.0, 0.9, 0.9, 0.0], [0.0, 0.0, 0.9, 0.9]])
    return memory, torch.eye(3).repeat(2, 1, 1), torch.stack([value, value[[1, 2, 0]]])


@pytest.mark.parametrize("steps", [20, 0], ids=["spiking", "rate"])
def test_a_key_recalls_the_value_it_was_paired_with_in_its_own_episode(steps: int) -> None:
    memory, keys, values = paired(steps)
    for item in range(3):
        recalled = memory(keys, values, keys[:, item])
        fired = recalled > recalled.mean(1, keepdim=True)
        assert torch.equal(fired, values[:, item] > 0)


@pytest.mark.parametrize("steps", [20, 0], ids=["spiking", "rate"])
def test_inhibition_takes_what_all_recall_cells_share(steps: int) -> None:
    """Of a value that all cells have nothing comes back; what one cell has more does."""
    memory, keys, values = paired(steps)
    values[:] = 0.5
    values[:, 0, 0] = 1.0
    assert (memory(keys, values, keys[:, 1]) == 0).all()
    assert torch.equal(memory(keys, values, keys[:, 0]) > 0, torch.tensor([[True, False, False, False]] * 2))


@pytest.mark.parametrize("steps", [20, 0], ids=["spiking", "rate"])
def test_a_silenced_memory_knows_nothing(steps: int) -> None:
    memory, keys, values = paired(steps)
    memory.rule = replace(memory.rule, potentiation=0.0)
    assert (memory(keys, values, keys[:, 0]) == 0).all()


def test_the_twin_has_the_rates_of_perfect_integrators() -> None:
    """T steps tell a rate to 1 / T, and the recall cells' to what keys and values are out together."""
    spiking, keys, values = paired(500, LIF(math.inf))
    rate, *_ = paired(0)
    torch.testing.assert_close(spiking(keys, values, keys[:, 0] * 0.7), rate(keys, values, keys[:, 0] * 0.7), atol=0.02, rtol=0)


def test_the_gradient_goes_through_the_fast_weights() -> None:
    """What was stored is changed by what is recalled later; silenced, it is not."""
    memory, keys, values = paired(20)
    keys, values = keys.requires_grad_(), values.requires_grad_()
    memory(keys, values, keys[:, 0].detach())[:, :2].sum().backward()
    assert keys.grad is not None
    assert values.grad is not None
    assert keys.grad[:, 0].abs().sum() > 0
    assert values.grad[0, 0, :2].min() > 0  # more of a value, more of it recalled
    memory.rule = replace(memory.rule, potentiation=0.0)
    keys.grad = values.grad = None
    memory(keys, values, keys[:, 0].detach()).sum().backward()
    assert values.grad is None or not values.grad.any()

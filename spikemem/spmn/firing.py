"""Stochastic cells: a firing probability as the spikes of an event's steps, and its gradient.

A cell whose threshold is logistic noise fires in each step with the probability sigmoid(x) of its drive x (escape noise: Gerstner &
Kistler 2002, section 5.3); of a population that inhibits itself, whose thresholds are Gumbel noise, cell i is the first with probability
softmax(x)_i (Nessler et al. 2013). What such cells send others is the share of an event's T steps in which they fired, in [0, 1],

    s = (spikes in T steps) / T,     E[s] = p,     var[s] = p (1 - p) / T

The derivative of E[s] by p is 1, and the backward pass takes it for that of s: here the surrogate gradient is the expectation's own
(Bengio, Leonard & Courville 2013; in snnTorch the `straight_through_estimator`). T = 0 stands for the expectation itself: the rate twin.

On the CPU `fire` takes p to 8 bits: below 1/512 a cell is silent, and above 1 - 1/512 it fires in every step.
A p beyond [0, 1] counts as the bound that it passed.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikemem.errors import StimulusError
from spikemem.kernels import draws as kernels

STEPS = 32
"""T: steps of an event, one spike a step at most."""
MOST = 64
"""The longest event: a spike train is a 64-bit word."""
SATURATION = 4.0
"""The drive at which a threshold-linear cell fires in every step."""


def fire(p: Tensor, steps: int = STEPS) -> Tensor:
    """Shares of `steps` in which cells fire that do so with probability p in each, of the same shape; p itself for 0 steps.

    >>> _ = torch.manual_seed(0)
    >>> fire(torch.tensor([0.0, 0.5, 1.0]), steps=8)
    tensor([0.0000, 0.6250, 1.0000])
    """
    _check(steps)
    if not steps:
        return p
    spikes: Tensor = _Fire.apply(p, steps)  # type: ignore[no-untyped-call]
    return spikes


def rectified(x: Tensor) -> Tensor:
    """The firing probability of threshold-linear cells, min(max(x, 0) / SATURATION, 1)."""
    return torch.clamp(x / SATURATION, 0.0, 1.0)


def win(x: Tensor, steps: int = STEPS) -> Tensor:
    """Shares of `steps` that each cell of a winner-take-all population wins under the drive x, [..., cell]; softmax(x) for 0 steps."""
    _check(steps)
    p = torch.softmax(x, -1)
    if not steps:
        return p
    shares: Tensor = _Win.apply(p, steps)  # type: ignore[no-untyped-call]
    return shares


def _check(steps: int) -> None:
    if not isinstance(steps, int) or not 0 <= steps <= MOST:
        raise StimulusError(f"an event of {steps} steps; take 1 to {MOST}, or 0 for rates")


def seed() -> int:
    """A seed from torch's generator: `torch.manual_seed` decides every spike."""
    return int(torch.randint(2**62, ()))


_fire: Any = torch.compiler.disable(kernels.fire)  # type: ignore[no-untyped-call]
"""torch.compile cannot look into numba."""
_win: Any = torch.compiler.disable(kernels.win)  # type: ignore[no-untyped-call]


def _drawn_in(p: Tensor) -> torch.dtype:
    """The type in which spikes are drawn on the CPU: half precision is beyond the kernels."""
    return torch.promote_types(p.dtype, torch.float32)


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, steps: int) -> Tensor:
        p = p.detach().clamp(0.0, 1.0)
        if p.device.type != "cpu":
            return torch.binomial(torch.full_like(p, steps), p) / steps
        rates = torch.empty(p.shape, dtype=_drawn_in(p))
        _fire(p.to(rates.dtype).contiguous().view(-1).numpy(), steps, seed(), rates.view(-1).numpy())
        return rates.to(p.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return upstream, None


class _Win(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, p: Tensor, steps: int) -> Tensor:
        rows = p.detach().contiguous().view(-1, p.shape[-1])
        if p.device.type != "cpu":
            winners = torch.multinomial(rows, steps, replacement=True)
            return (torch.zeros_like(rows).scatter_add_(1, winners, torch.ones_like(winners, dtype=p.dtype)) / steps).view(p.shape)
        shares = torch.empty(rows.shape, dtype=_drawn_in(rows))
        _win(rows.to(shares.dtype).numpy(), steps, seed(), shares.numpy())
        return shares.to(p.dtype).view(p.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return upstream, None

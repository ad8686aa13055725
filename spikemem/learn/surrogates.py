"""Surrogates: what stands in for the derivative of a spike, which has none.

A spike is a step of the voltage, S = x > 0 with x = V - theta. Its derivative is 0 but at x = 0; the backward pass takes another one,
that of a smooth function. Each is snnTorch's of the same name, with its default slope, but for `piecewise_linear`, which snnTorch lacks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from spikemem._checks import Checks, shown
from spikemem.errors import NetworkError

check = Checks(NetworkError)


@dataclass(frozen=True)
class Surrogate:
    """A derivative of the spike by x = V - theta.   derivative: dS/dx by x and the slope k, elementwise.   slope: k where none is given."""

    derivative: Callable[[Tensor, float], Tensor]
    slope: float


def _fast_sigmoid(x: Tensor, k: float) -> Tensor:
    return (1.0 + k * x.abs()).square().reciprocal()


def _atan(x: Tensor, k: float) -> Tensor:
    return k / 2.0 / (1.0 + (torch.pi / 2.0 * k * x).square())


def _sigmoid(x: Tensor, k: float) -> Tensor:
    smooth = torch.sigmoid(k * x)
    return k * smooth * (1.0 - smooth)


def _piecewise_linear(x: Tensor, k: float) -> Tensor:
    return (1.0 - k * x.abs()).clamp(min=0.0)


SURROGATES = {
    "fast_sigmoid": Surrogate(_fast_sigmoid, 25.0),
    "atan": Surrogate(_atan, 2.0),
    "sigmoid": Surrogate(_sigmoid, 25.0),
    "straight_through_estimator": Surrogate(lambda x, k: torch.ones_like(x), 1.0),
    "piecewise_linear": Surrogate(_piecewise_linear, 1.0),
}
"""By their names, with x = V - theta and the slope k:

    fast_sigmoid                 1 / (1 + k |x|)^2                  Zenke & Ganguli 2018 (SuperSpike)
    atan                         k / 2 / (1 + (pi k x / 2)^2)       Fang et al. 2021
    sigmoid                      k s(k x) (1 - s(k x)), s logistic  Zenke & Ganguli 2018
    straight_through_estimator   1
    piecewise_linear             max(0, 1 - k |x|)                  Bellec et al. 2018
"""

Spike = Callable[[Tensor], Tensor]
"""A function from x = V - theta to spikes, with a derivative of its own, as those of `snntorch.surrogate` are."""


def spike(surrogate: str | Spike, slope: float) -> Spike:
    """The spikes, 0 or 1, in the dtype of x, whose derivative is the surrogate's in all of torch's ways to take one.

    These are backward, twice and more often, forward mode, and `torch.func`; a function that was given has those that it has itself.
    """
    if not isinstance(surrogate, str):
        return lambda x: surrogate(x).to(x.dtype)
    function = _Spike if torch.compiler.is_compiling() else _ForwardMode
    derivative = SURROGATES[surrogate].derivative
    return lambda x: function.apply(x, derivative, slope)  # type: ignore[no-untyped-call]


def checked(surrogate: Any, slope: Any) -> tuple[str | Spike, float]:
    """A surrogate that there is, or a function, and its slope; NetworkError for anything else."""
    if not isinstance(surrogate, str):
        if not callable(surrogate):
            raise NetworkError(f"surrogate is {shown(surrogate)}; give one of {', '.join(SURROGATES)}, or a function of V - theta")
        if slope is not None:
            raise NetworkError(f"slope is {shown(slope)}, and the surrogate a function, which has its own; leave it out")
        return surrogate, 0.0
    name = check.choice(surrogate, "surrogate", SURROGATES)
    return name, SURROGATES[name].slope if slope is None else check.finite(slope, "slope", above=0)


class _Spike(torch.autograd.Function):
    """The step with a surrogate's derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, derivative: Callable[[Tensor, float], Tensor], slope: float) -> Tensor:
        return (x > 0).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, ctx.derivative, ctx.slope = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return upstream * ctx.derivative(x, ctx.slope), None, None


class _ForwardMode(_Spike):
    """The same with forward-mode derivatives, which torch.compile refuses."""

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: None) -> Tensor:
        (x,) = ctx.saved_tensors
        return tangent * ctx.derivative(x, ctx.slope)

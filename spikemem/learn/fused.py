"""A window of leaky integrate-and-fire cells as one operator of torch, forward and backward by a numba kernel each, on the CPU.

Equations and gradients are those of `learn.layers`. torch.compile does not look into it. Where the backward pass is to be differentiated
itself (`create_graph=True`), it is made of torch's own operations instead.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from spikemem.kernels import surrogate as kernels
from spikemem.kernels.threads import shared
from spikemem.learn.surrogates import SURROGATES

ALONE = 1 << 15
"""Values of a window below which a second thread costs more than it saves."""


@torch.library.custom_op("spikemem::window", mutates_args=())
def window(current: Tensor, beta: Tensor, theta: Tensor, start: Tensor, surrogate: str, slope: float) -> tuple[Tensor, Tensor]:
    """Voltages and spikes of a window, [time, batch, cell]; beta, theta and start are [cell], all of one dtype, float32 or float64."""
    voltage, spikes = _like(current), _like(current)
    arrays = [_array(tensor) for tensor in (current, beta, theta, start, voltage, spikes)]
    _shared(current, lambda first, last: kernels.forward(*arrays, first, last))
    return voltage, spikes


@torch.library.custom_op("spikemem::window_gradient", mutates_args=())
def _gradient(
    upstream: Tensor, voltage: Tensor, beta: Tensor, theta: Tensor, start: Tensor, surrogate: str, slope: float
) -> tuple[Tensor, Tensor]:
    """The gradient by the current, and by beta and theta, [2, cell]."""
    into, sums = _like(voltage), voltage.new_zeros(2, voltage.shape[2])
    arrays = [_array(tensor) for tensor in (upstream, voltage, beta, theta, start)]
    k = arrays[0].dtype.type(slope)
    fast = surrogate == "fast_sigmoid"  # the kernel knows it
    known = voltage.new_empty(0, 0, 0) if fast else SURROGATES[surrogate].derivative(voltage - theta, slope)
    arrays += [_array(known), k, into.numpy(), sums.numpy()]
    _shared(voltage, lambda first, last: kernels.backward(*arrays, first, last))
    return into, sums


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    _, beta, theta, start, ctx.surrogate, ctx.slope = inputs
    ctx.save_for_backward(output[0], beta, theta, start)
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, by_voltage: Tensor | None, by_spikes: Tensor | None) -> tuple[Tensor | None, ...]:
    voltage, beta, theta, start = ctx.saved_tensors
    if by_spikes is None:
        by_spikes = torch.zeros_like(voltage)
    if torch.is_grad_enabled() or by_voltage is not None:
        return *_differentiable(by_voltage, by_spikes, voltage, beta, theta, start, ctx.surrogate, ctx.slope), None, None, None
    into, sums = _gradient(by_spikes, voltage, beta, theta, start, ctx.surrogate, ctx.slope)
    return into, sums[0], sums[1], None, None, None


def _differentiable(
    by_voltage: Tensor | None,
    by_spikes: Tensor,
    voltage: Tensor,
    beta: Tensor,
    theta: Tensor,
    start: Tensor,
    surrogate: str,
    slope: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients by current, beta and theta of a loss that depends on voltages, too, by operations that have gradients themselves."""
    before = torch.cat([start.expand_as(voltage[:1]), voltage[:-1]])
    local = by_spikes * SURROGATES[surrogate].derivative(voltage - theta, slope)
    later, into = torch.zeros_like(voltage[0]), []
    for now in (local if by_voltage is None else local + by_voltage).flip(0):
        later = now + beta * later
        into.append(later)
    g = torch.stack(into).flip(0)
    return g, (g * before).sum((0, 1)), -(local + g * (before > theta)).sum((0, 1))


window.register_autograd(_backward, setup_context=_keep)
window.register_fake(lambda current, *_: (_like(current), _like(current)))
_gradient.register_fake(lambda upstream, voltage, *_: (_like(voltage), voltage.new_empty(2, voltage.shape[2])))


def _like(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, memory_format=torch.contiguous_format)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


def _shared(tensor: Tensor, work: Callable[[int, int], None]) -> None:
    """work(first, last) for all cells, shared among as many threads as torch uses where the window is worth it."""
    cells = tensor.shape[2]
    if tensor.numel() < ALONE:
        work(0, cells)
    else:
        shared(work, cells, torch.get_num_threads())

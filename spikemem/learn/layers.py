"""Spiking layers that learn: leaky integrate-and-fire cells over a whole time window, with a surrogate for the spike's derivative.

    V[t] = beta V[t-1] + I[t] - theta S[t-1],   S[t] = V[t] > theta,   beta = exp(-dt / tau)

is the plain cell of `neurons.lif`, and `snntorch.Leaky` with its reset by subtraction. The step has no derivative; the backward pass
takes that of the fast sigmoid (Zenke & Ganguli 2018, SuperSpike), in snnTorch's scale, and lets no gradient through the S of the reset:

    dS/dV = -dS/dtheta = 1 / (1 + slope |V - theta|)^2

so that, with g[t] the loss's gradient by V[t] and u[t] by S[t],

    g[t] = u[t] dS/dV[t] + beta g[t+1],   dI[t] = g[t],   dbeta = sum of g[t] V[t-1],   dtheta = -sum of u[t] dS/dV[t] + g[t] S[t-1]

`fused` runs both passes over the window in one numba kernel each, on the CPU; otherwise snnTorch's cell is stepped through the window.
"""

from collections.abc import Callable, Sequence
from typing import Any

import snntorch
import torch
from snntorch.surrogate import FastSigmoid
from torch import Tensor, nn

from spikemem._checks import INDEX, Checks, shown
from spikemem.errors import NetworkError, StimulusError, UnsupportedError
from spikemem.kernels import surrogate as kernels
from spikemem.kernels.threads import shared
from spikemem.network.neurons import LIF
from spikemem.simulators.snntorch import unlisted

SLOPE = 25.0
"""Of the fast sigmoid, per unit of V: snnTorch's default."""
LEARNED = ("tau", "threshold")
ALONE = 1 << 15
"""Values of a window below which a second thread costs more than it saves."""


check = Checks(NetworkError)


class Linear(nn.Linear):
    """`nn.Linear` for whole windows, [..., in] -> [..., out]: on the CPU float32 goes through oneDNN, whose products use all that the
    processor has; torch's default, MKL, takes twice as long on AMD's. Equal to nn.Linear but for the rounding of float32.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        pre, post = check.integer(in_features, "in_features", least=1), check.integer(out_features, "out_features", least=1)
        check.room(pre * post, "the weights", "give fewer features")
        super().__init__(pre, post, check.flag(bias, "bias"), device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        plain = input.device.type != "cpu" or input.dtype != torch.float32 or self.weight.dtype != torch.float32 or not input.numel()
        if plain or torch.compiler.is_compiling() or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            return super().forward(input)
        return nn.functional.linear(input.to_mkldnn(), self.weight, self.bias).to_dense()


class SpikingLayer(nn.Module):
    """A population of trainable cells: a current over a time window in, its spikes out. No synapses: put an `nn.Linear` before it.

    Its time constants and thresholds are tau = tau_0 exp(a) and theta = theta_0 exp(b), with a and b learned, [cell], and 0 at first: beta
    stays between 0 and 1 and theta above 0, and weight decay draws them back to where they began.

    cells: how many.   neuron: where tau and theta begin; a plain cell, reset by subtraction.   dt: of a step, ms.
    learn: which of "tau" and "threshold" are learned; the others stand still.
    start: V before the first step; where it is above theta, the first step resets.
    fused: True for the fused kernels, on the CPU; False for snnTorch's loop, on any device; None for whichever the device has.
    slope: of the surrogate.

    Raises UnsupportedError for a cell with other options, or a fused layer on another device; NetworkError for what cannot be learned.

    >>> layer = SpikingLayer(2, LIF(tau=20.0))
    >>> layer(torch.tensor([0.6, 1.2]).expand(3, 1, 2)).sum(0)  # the cells' spikes in 3 steps
    tensor([[1., 3.]], grad_fn=<SumBackward1>)
    """

    tau_0: Tensor
    threshold_0: Tensor
    start: Tensor

    def __init__(
        self,
        cells: int,
        neuron: LIF = LIF(),  # noqa: B008 (frozen)
        dt: float = 1.0,
        *,
        learn: Sequence[str] = LEARNED,
        start: float = 0.0,
        fused: bool | None = None,
        slope: float = SLOPE,
    ) -> None:
        super().__init__()
        if not isinstance(neuron, LIF) or neuron != LIF(neuron.tau, neuron.threshold):
            raise UnsupportedError(
                f"a trainable layer has plain cells, of a tau and a threshold alone, not {shown(neuron)}; use the plain LIF"
            )
        learn = [check.choice(name, "what a layer learns", LEARNED) for name in check.listed(learn, "learn", "texts")]
        cells = check.integer(cells, "the cells of a layer", least=1, most=INDEX)
        dt, slope = check.finite(dt, "dt", above=0, unit=" ms"), check.finite(slope, "slope", above=0)
        start = check.finite(start, "start")
        fused = None if fused is None else check.flag(fused, "fused")
        if "tau" in learn and neuron.tau == float("inf"):
            raise NetworkError("a layer cannot learn a tau that is infinite; begin with a long one (1000 ms), or leave tau out of learn")
        self.cells, self.dt, self.fused, self.slope = cells, dt, fused, slope
        self.register_buffer("tau_0", torch.full((cells,), neuron.tau))
        self.register_buffer("threshold_0", torch.full((cells,), neuron.threshold))
        self.register_buffer("start", torch.full((cells,), float(start)))
        self.log_tau = nn.Parameter(torch.zeros(cells)) if "tau" in learn else None
        self.log_threshold = nn.Parameter(torch.zeros(cells)) if "threshold" in learn else None

    @property
    def tau(self) -> Tensor:
        """Membrane time constants, ms, [cell]."""
        return self.tau_0 if self.log_tau is None else self.tau_0 * self.log_tau.exp()

    @property
    def beta(self) -> Tensor:
        """Decay of the voltage in a step, [cell]."""
        return torch.exp(-self.dt / self.tau)

    @property
    def threshold(self) -> Tensor:
        """theta, [cell]."""
        return self.threshold_0 if self.log_threshold is None else self.threshold_0 * self.log_threshold.exp()

    def forward(self, current: Tensor) -> Tensor:
        """current: I, [time, batch, cell].   Returns the spikes, 0 or 1, of the same shape, in the layer's own dtype.

        Raises StimulusError where the shape does not fit. A cell whose current is NaN is silent from then on; `Watch` reports it.
        """
        current = self._checked(current)
        if self._fuses(current):
            return _window(current, self.beta, self.threshold, self.start, self.slope)[1]
        return _loop(current, self.beta, self.threshold, self.start, self.slope)[0]

    @torch.no_grad()
    def voltages(self, current: Tensor) -> Tensor:
        """V, [time, batch, cell], before the resets, under a current of that shape."""
        current = self._checked(current)
        if self._fuses(current):
            return _window(current, self.beta, self.threshold, self.start, self.slope)[0]
        return _loop(current, self.beta, self.threshold, self.start, self.slope)[1]

    def _checked(self, current: Tensor) -> Tensor:
        if not isinstance(current, Tensor):
            raise StimulusError(f"the current is {shown(current)}; a layer takes a torch tensor, [time, batch, {self.cells}]")
        if current.ndim != 3 or current.shape[2] != self.cells or not current.shape[0]:
            raise StimulusError(
                f"the current has shape {list(current.shape)}; a layer of {self.cells} cells needs [time, batch, {self.cells}]"
            )
        return current.to(self.tau_0.dtype)

    def _fuses(self, current: Tensor) -> bool:
        if self.fused and current.device.type != "cpu":
            raise UnsupportedError(f"fused=True runs on the CPU, not on {current.device}; leave it out")
        return current.device.type == "cpu" if self.fused is None else self.fused


def _loop(current: Tensor, beta: Tensor, theta: Tensor, start: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """Spikes and voltages by snnTorch's cell, step by step."""
    cell = unlisted(snntorch.Leaky(beta, theta, lambda above: _FastSigmoid.apply(above, slope), reset_mechanism="subtract"))
    voltage, spikes, voltages = start.expand_as(current[0]), [], []
    for now in current:
        fired, voltage = cell(now, voltage)
        spikes.append(fired)
        voltages.append(voltage)
    return torch.stack(spikes), torch.stack(voltages)


class _FastSigmoid(FastSigmoid):  # type: ignore[misc,unused-ignore]
    """snnTorch's surrogate, but for the spikes' dtype: snnTorch's are float32, and would round the gradients of float64."""

    @staticmethod
    def forward(ctx: Any, above: Tensor, slope: float) -> Tensor:
        return FastSigmoid.forward(ctx, above, slope).to(above.dtype)


@torch.library.custom_op("spikemem::window", mutates_args=())
def _window(current: Tensor, beta: Tensor, theta: Tensor, start: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """Voltages and spikes of a window by the kernel, as one operator of torch, into which torch.compile does not look."""
    voltage, spikes = _like(current), _like(current)
    arrays = [_array(tensor) for tensor in (current, beta, theta, start, voltage, spikes)]
    _shared(current, lambda first, last: kernels.forward(*arrays, first, last))
    return voltage, spikes


@torch.library.custom_op("spikemem::window_gradient", mutates_args=())
def _gradient(upstream: Tensor, voltage: Tensor, beta: Tensor, theta: Tensor, start: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """The gradient by the current, and by beta and theta, [2, cell]."""
    into, sums = _like(voltage), voltage.new_zeros(2, voltage.shape[2])
    arrays = [_array(tensor) for tensor in (upstream, voltage, beta, theta, start)]
    k = arrays[0].dtype.type(slope)
    _shared(voltage, lambda first, last: kernels.backward(*arrays, k, into.numpy(), sums.numpy(), first, last))
    return into, sums


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    _, beta, theta, start, slope = inputs
    ctx.save_for_backward(output[0], beta, theta, start)
    ctx.slope = slope
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, by_voltage: None, upstream: Tensor) -> tuple[Tensor | None, ...]:
    voltage, beta, theta, start = ctx.saved_tensors
    into, sums = _gradient(upstream, voltage, beta, theta, start, ctx.slope)
    return into, sums[0], sums[1], None, None


_window.register_autograd(_backward, setup_context=_keep)
_window.register_fake(lambda current, beta, theta, start, slope: (_like(current), _like(current)))
_gradient.register_fake(lambda upstream, voltage, beta, theta, start, slope: (_like(voltage), voltage.new_empty(2, voltage.shape[2])))


def _like(window: Tensor) -> Tensor:
    return torch.empty_like(window, memory_format=torch.contiguous_format)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


def _shared(window: Tensor, work: Callable[[int, int], None]) -> None:
    """work(first, last) for all cells, shared among as many threads as torch uses where the window is worth it."""
    cells = window.shape[2]
    if window.numel() < ALONE:
        work(0, cells)
    else:
        shared(work, cells, torch.get_num_threads())

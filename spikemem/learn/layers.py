"""Spiking layers that learn: leaky integrate-and-fire cells over a whole time window, with a surrogate for the spike's derivative.

    V[t] = beta V[t-1] + I[t] - theta S[t-1],   S[t] = V[t] > theta,   beta = exp(-dt / tau)

is the plain cell of `neurons.lif`, and `snntorch.Leaky` with its reset by subtraction. The step has no derivative; the backward pass
takes a surrogate's (`learn.surrogates`), at first that of the fast sigmoid (Zenke & Ganguli 2018, SuperSpike) in snnTorch's scale,

    dS/dV = -dS/dtheta = 1 / (1 + slope |V - theta|)^2

and lets no gradient through the S of the reset. So, with g[t] the loss's gradient by V[t] and u[t] by S[t],

    g[t] = u[t] dS/dV[t] + beta g[t+1],   dI[t] = g[t],   dbeta = sum of g[t] V[t-1],   dtheta = -sum of u[t] dS/dV[t] + g[t] S[t-1]

On the CPU numba kernels run both passes over the window (`learn.fused`); where they cannot, snnTorch's cell is stepped through it: on
another device, with a surrogate of one's own, under `torch.func` (grad, vmap, jacrev, ...) and in forward mode. Values and gradients are
the same. A layer in half precision (`.half()`, `.bfloat16()`, autocast) sums in float32.
"""

from collections.abc import Sequence
from typing import Any

import snntorch
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from spikemem._checks import INDEX, Checks, shown
from spikemem.errors import NetworkError, StimulusError, UnsupportedError
from spikemem.learn.fused import window
from spikemem.learn.surrogates import SURROGATES, Spike, checked, spike
from spikemem.network.neurons import LIF
from spikemem.simulators.snntorch import unlisted

SLOPE = SURROGATES["fast_sigmoid"].slope
"""Of the fast sigmoid, per unit of V: snnTorch's default."""
LEARNED = ("tau", "threshold")
LARGEST = torch.finfo(torch.float32).max

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
        plain = plain or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu")
        if plain or not torch.backends.mkldnn.is_available() or transformed(input, self.weight):  # type: ignore[no-untyped-call]
            return super().forward(input)
        return nn.functional.linear(input.to_mkldnn(), self.weight, self.bias).to_dense()


class SpikingLayer(nn.Module):
    """A population of trainable cells: a current over a time window in, its spikes out. No synapses: put an `nn.Linear` before it.

    Its time constants and thresholds are tau = tau_0 exp(a) and theta = theta_0 exp(b), with a and b learned, [cell], and 0 at first: beta
    stays between 0 and 1 and theta above 0, and weight decay draws them back to where they began.

    cells: how many.   neuron: where tau and theta begin; a plain cell, reset by subtraction.   dt: of a step, ms.
    learn: which of "tau" and "threshold" are learned; the others stand still.
    start: V before the first step; where it is above theta, the first step resets.
    fused: True for the fused kernels, on the CPU; False for snnTorch's loop, on any device; None for whichever can.
    surrogate: by snnTorch's name, one of `learn.surrogates.SURROGATES`, or a function, as `snntorch.surrogate.atan()` gives one.
    slope: of a surrogate by name; None for snnTorch's default.

    Raises UnsupportedError for a cell with other options, or a fused layer where the kernels cannot run; NetworkError for what cannot be
    learned.

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
        surrogate: str | Spike = "fast_sigmoid",
        slope: float | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(neuron, LIF) or neuron != LIF(neuron.tau, neuron.threshold):
            raise UnsupportedError(
                f"a trainable layer has plain cells, of a tau and a threshold alone, not {shown(neuron)}; use the plain LIF"
            )
        learn = [check.choice(name, "what a layer learns", LEARNED) for name in check.listed(learn, "learn", "texts")]
        cells = check.integer(cells, "the cells of a layer", least=1, most=INDEX)
        self.fused = None if fused is None else check.flag(fused, "fused")
        if "tau" in learn and neuron.tau == float("inf"):
            raise NetworkError("a layer cannot learn a tau that is infinite; begin with a long one (1000 ms), or leave tau out of learn")
        self.cells, self.dt = cells, check.finite(dt, "dt", above=0, unit=" ms")
        self.surrogate, self.slope = checked(surrogate, slope)
        self.register_buffer("tau_0", filled(cells, neuron.tau, "tau"))
        self.register_buffer("threshold_0", filled(cells, neuron.threshold, "threshold"))
        self.register_buffer("start", filled(cells, check.finite(start, "start"), "start"))
        self.log_tau = nn.Parameter(torch.zeros(cells)) if "tau" in learn else None
        self.log_threshold = nn.Parameter(torch.zeros(cells)) if "threshold" in learn else None

    @property
    def tau(self) -> Tensor:
        """Membrane time constants, ms, [cell]."""
        return scaled(self.tau_0, self.log_tau)

    @property
    def beta(self) -> Tensor:
        """Decay of the voltage in a step, [cell]."""
        return torch.exp(-self.dt / self.tau)

    @property
    def threshold(self) -> Tensor:
        """theta, [cell]."""
        return scaled(self.threshold_0, self.log_threshold)

    def forward(self, current: Tensor) -> Tensor:
        """current: I, [time, batch, cell].   Returns the spikes, 0 or 1, of the same shape, in the layer's own dtype.

        Raises StimulusError where the shape does not fit. A cell whose current is NaN is silent from then on; `Watch` reports it.
        """
        return self.run(self._checked(current))[1].to(self.tau_0.dtype)

    @torch.no_grad()
    def voltages(self, current: Tensor) -> Tensor:
        """V, [time, batch, cell], before the resets, under a current of that shape, in float32 at least."""
        return self.run(self._checked(current))[0]

    def run(self, current: Tensor) -> tuple[Tensor, Tensor]:
        """Voltages and spikes, [time, batch, cell] each, under a current of that shape, all of one dtype, float32 or float64."""
        beta, theta, start = self.beta, self.threshold, wide(self.start)
        if self._fuses(current, beta, theta):
            return window(current, beta, theta, start, str(self.surrogate), self.slope)
        return _loop(current, beta, theta, start, spike(self.surrogate, self.slope))

    def _checked(self, current: Tensor) -> Tensor:
        if not isinstance(current, Tensor):
            raise StimulusError(f"the current is {shown(current)}; a layer takes a torch tensor, [time, batch, {self.cells}]")
        if current.ndim != 3 or current.shape[2] != self.cells or not current.shape[0]:
            raise StimulusError(
                f"the current has shape {list(current.shape)}; a layer of {self.cells} cells needs [time, batch, {self.cells}]"
            )
        return wide(current).to(wide(self.tau_0).dtype)

    def _fuses(self, current: Tensor, *parameters: Tensor) -> bool:
        """Whether the kernels run; UnsupportedError where they should and cannot."""
        if self.fused is False:
            return False
        lacks = ""
        if current.device.type != "cpu":
            lacks = f"on the CPU, not on {current.device}"
        elif not isinstance(self.surrogate, str):
            lacks = "with a surrogate of a name, not with a function"
        elif transformed(current, *parameters):
            lacks = "outside of torch.func and forward mode, not within"
        if self.fused and lacks:
            raise UnsupportedError(f"fused=True runs {lacks}; leave it out")
        return not lacks


def filled(cells: int, value: float, name: str) -> Tensor:
    """A value for each cell, [cell], float32; NetworkError where that cannot hold it."""
    if LARGEST < abs(value) < float("inf"):
        raise NetworkError(f"{name} is {value}; it must be at most {LARGEST:.3g} in a layer, whose numbers are float32 at first")
    return torch.full((cells,), value)


def wide(tensor: Tensor) -> Tensor:
    """A tensor in float32 at least, as a voltage needs: in bfloat16 a tau of 20 ms and one of 21 ms have the same beta."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def scaled(begin: Tensor, log: Tensor | None) -> Tensor:
    """A positive parameter: what it began with, times exp of what was learned; None for nothing."""
    return wide(begin) if log is None else wide(begin) * wide(log).exp()


def transformed(*tensors: Tensor) -> bool:
    """Whether torch.func or forward mode follows what happens to some tensors, into which an operator of ours gives no insight."""
    if torch.compiler.is_compiling():
        return False
    active, unpack = torch._C._are_functorch_transforms_active, forward_ad.unpack_dual
    return active() or any(unpack(tensor).tangent is not None for tensor in tensors)  # type: ignore[no-untyped-call]


def _loop(current: Tensor, beta: Tensor, theta: Tensor, start: Tensor, fire: Spike) -> tuple[Tensor, Tensor]:
    """Voltages and spikes by snnTorch's cell, step by step."""
    cell = unlisted(snntorch.Leaky(beta, theta, fire, reset_mechanism="subtract"))
    voltage, spikes, voltages = start.expand_as(current[0]), [], []
    for now in current:
        fired, voltage = cell(now, voltage)
        spikes.append(fired)
        voltages.append(voltage)
    return torch.stack(voltages), torch.stack(spikes)

"""Synapses whose delays are learned together with their weights.

    I[t, post] = sum over pre and k of w[post, pre] g[k, post, pre] x[t - k, pre],   g ~ exp(-(k dt - d[post, pre])^2 / (2 width^2))

with g normalised over the steps k from 0 to the longest delay: a delay d that lies between steps, or is not yet certain, is spread over
several, so that it has a gradient. A width that falls in training to below a step leaves one step a synapse. Hammouamri et al. 2023
(dilated convolutions with learnable spacings, in time); here d = longest s(a), with s the logistic function and a learned.
"""

import torch
from torch import Tensor, nn

from spikemem._checks import Checks, shown
from spikemem.errors import NetworkError, StimulusError, UnsupportedError

check = Checks(NetworkError)
NARROWEST = 0.05
"""Steps below which a width counts as this: it leaves one step a synapse, and numbers that float16 can hold."""

SPREAD = 1e-6
"""The share of a weight that steps other than its delay's may hold where it counts as one delay."""


class DelayedLinear(nn.Module):
    """A linear layer over a time window with a delay of its own for each synapse: [time, batch, in] -> [time, batch, out].

    It takes as many products as there are steps in the longest delay.

    in_features, out_features: channels.   longest: the longest delay, ms; delays are drawn evenly from 0 to it.   dt: of a step, ms.
    width: of g, ms, a buffer: `layer.width.fill_(1.0)` narrows it.   learn: whether delays are learned.   seed: of the delays drawn.

    >>> layer = DelayedLinear(1, 1, longest=4.0, width=0.1)
    >>> _ = layer.set_delays(torch.tensor([[2.0]])), nn.init.ones_(layer.weight)
    >>> layer(torch.tensor([1.0, 0, 0, 0]).reshape(4, 1, 1)).flatten().round(decimals=3).abs()
    tensor([0., 0., 1., 0.], grad_fn=<AbsBackward0>)
    """

    width: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        longest: float,
        *,
        dt: float = 1.0,
        width: float = 2.0,
        learn: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.pre, self.post = check.integer(in_features, "in_features", least=1), check.integer(out_features, "out_features", least=1)
        self.dt, self.longest = check.finite(dt, "dt", above=0, unit=" ms"), check.finite(longest, "longest", above=0, unit=" ms")
        self.steps = 1 + int(self.longest / self.dt + 0.5)
        check.room(self.pre * self.post * self.steps, "the weights of all delays", "give fewer features, or a shorter longest delay")
        drawn = torch.rand(self.post, self.pre, generator=torch.Generator().manual_seed(check.seed(seed)))
        self.place = nn.Parameter(torch.logit(drawn, eps=1e-3), requires_grad=check.flag(learn, "learn"))
        self.weight = nn.Parameter(nn.Linear(self.pre, self.post, bias=False).weight.detach())
        self.register_buffer("width", torch.tensor(check.finite(width, "width", above=0, unit=" ms")))

    @property
    def delays(self) -> Tensor:
        """d, ms, [out, in]."""
        return self.longest * torch.sigmoid(self.place)

    @torch.no_grad()
    def set_delays(self, delays: Tensor) -> None:
        """Begin with other delays, ms, [out, in], from 0 to the longest."""
        values = check.floats(delays, "delays", shape=(self.post, self.pre))
        if values.size and not 0 <= values.min() <= values.max() <= self.longest:
            raise NetworkError(
                f"delays are {values.min():g} to {values.max():g} ms; they must lie from 0 to the longest, {self.longest} ms"
            )
        given = torch.as_tensor(values, dtype=self.place.dtype)
        self.place.copy_(torch.logit(given / self.longest, eps=1e-6))

    @torch.no_grad()
    def settle(self) -> None:
        """Give each synapse one delay, a whole number of steps, in place: what a network has (`to_network`). Delays learn no more then."""
        self.set_delays((torch.round(self.delays / self.dt) * self.dt).clamp(max=self.longest))
        self.width.fill_(NARROWEST * self.dt)
        self.place.requires_grad_(False)

    def delay_steps(self) -> Tensor:
        """The step of each synapse's delay, [out, in]; UnsupportedError where a weight is spread over several."""
        share, step = self._spread().max(dim=2)
        if (share < 1.0 - SPREAD).any():
            raise UnsupportedError(
                f"delays that spread over {self.width.item():g} ms are no delays of a network; call `layer.settle()` first"
            )
        return step

    def kernel(self) -> Tensor:
        """Weights of each step back, [out, in, step]."""
        return self.weight.unsqueeze(2) * self._spread()

    def _spread(self) -> Tensor:
        """g, [out, in, step]."""
        times = torch.arange(self.steps, device=self.place.device, dtype=self.place.dtype) * self.dt
        width = self.width.clamp(min=NARROWEST * self.dt)
        return torch.softmax(-((times - self.delays.unsqueeze(2)) / width).square() / 2.0, dim=2)

    def forward(self, spikes: Tensor) -> Tensor:
        """spikes: x, [time, batch, in].   Returns the currents, [time, batch, out]; StimulusError where the shape does not fit."""
        if not isinstance(spikes, Tensor) or spikes.ndim != 3 or spikes.shape[2] != self.pre:
            raise StimulusError(f"the spikes are {shown(spikes)}; the layer takes a torch tensor, [time, batch, {self.pre}]")
        past = nn.functional.pad(spikes.permute(1, 2, 0), (self.steps - 1, 0))
        return nn.functional.conv1d(past, self.kernel().flip(2)).permute(2, 0, 1)

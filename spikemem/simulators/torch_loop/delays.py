"""Synapses with delays of their own in the torch loop: currents, or spikes, that wait in a ring of steps."""

import torch
from torch import Tensor

from spikemem.network.graph import Network, Projection
from spikemem.network.synapses import Dense, Sparse, compressed, joined


class DelayedCarrier:
    """Fixed weights: what is under way to the cells, [step, batch, post]; what belongs to step t is at t % length."""

    def __init__(self, net: Network, projection: Projection, batches: int, device: torch.device, dtype: torch.dtype) -> None:
        lags = net.own_delays(projection)
        assert isinstance(projection.synapses, Dense | Sparse)
        assert lags is not None
        rows = compressed(projection.synapses)
        self.begin = torch.as_tensor(rows.indptr, device=device)
        self.targets = torch.as_tensor(rows.targets, device=device).long()
        self.weights = torch.as_tensor(rows.weights, device=device, dtype=dtype)
        self.lags = torch.as_tensor(lags.ravel(), device=device)
        self.ring = torch.zeros(int(lags.max()), batches, rows.post, device=device, dtype=dtype)

    def send(self, spikes: Tensor, factor: float, step: int) -> None:
        """Take up the spikes of a step, bool, [batch, pre].   factor: on their weights."""
        (length, batches, post), (batch, pre) = self.ring.shape, spikes.nonzero(as_tuple=True)
        fan_out = self.begin[pre + 1] - self.begin[pre]
        before = fan_out.cumsum(0) - fan_out
        place = torch.arange(int(fan_out.sum()), device=spikes.device) + (self.begin[pre] - before).repeat_interleave(fan_out)
        slot = (step + self.lags[place]) % length
        flat = (slot * batches + batch.repeat_interleave(fan_out)) * post + self.targets[place]
        self.ring.view(-1).index_add_(0, flat, factor * self.weights[place])

    def arrive(self, step: int) -> Tensor:
        """What arrives at a step, [batch, post]."""
        here = self.ring[step % len(self.ring)]
        arrived = here.clone()
        here.zero_()
        return arrived


class DelayedSight:
    """Which spikes each synapse of a learning projection sees: each postsynaptic cell is an item of its own, [batch, post, pre]."""

    def __init__(self, net: Network, projection: Projection, batches: int, device: torch.device, dtype: torch.dtype) -> None:
        lags, synapses = net.own_delays(projection), projection.synapses
        assert isinstance(synapses, Dense | Sparse)
        assert lags is not None
        rows, (pre, post) = compressed(synapses), synapses.shape
        self.lags = torch.zeros(post, pre, device=device, dtype=torch.long)
        self.lags[rows.targets, rows.sources] = torch.as_tensor(lags.ravel(), device=device)
        self.here = torch.as_tensor(joined(synapses).T.copy(), device=device)
        self.past = torch.zeros(int(lags.max()) + 1, batches, pre, device=device, dtype=torch.bool)
        self.cells = torch.arange(pre, device=device)
        matrix = torch.as_tensor(synapses.matrix().T.copy(), device=device, dtype=dtype)
        self.weights = matrix.expand(batches, post, pre).unsqueeze(-1).clone()

    def send(self, spikes: Tensor, step: int) -> None:
        """Take up the spikes of a step, bool, [batch, pre]."""
        self.past[step % len(self.past)] = spikes

    def seen(self, step: int, back: int = 0) -> Tensor:
        """The spikes that the synapses see at a step, bool, [batch, post, pre]; those that reach the cells at step + back."""
        return self.past[(step + back - self.lags) % len(self.past), :, self.cells].permute(2, 0, 1) & self.here

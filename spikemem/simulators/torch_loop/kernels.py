"""Batched torch operations of the torch loop: synaptic transmission, and k-winners-take-all inhibition."""

import torch
from torch import Tensor

from spikemem.network.synapses import Dense, OneBit, Sparse, Synapses


class Carrier:
    """One projection's synapses as tensors; `deliver(spikes)` gives the current that spikes cause.

    Sparse rows are gathered, and one-bit rows unpacked, only for the cells that spiked.
    """

    def __init__(self, synapses: Synapses, device: torch.device, dtype: torch.dtype) -> None:
        self.synapses, self.dtype = synapses, dtype
        match synapses:
            case Dense(weights=weights):
                self.weights = torch.as_tensor(weights, device=device, dtype=dtype)
            case Sparse(indptr=indptr, targets=targets, weights=weights):
                self.begin = torch.as_tensor(indptr, device=device)
                self.targets = torch.as_tensor(targets, device=device).long()
                self.weights = torch.as_tensor(weights, device=device, dtype=dtype)
            case OneBit():
                self.bits = torch.as_tensor(synapses.bits.view("uint8"), device=device)
                self.start = torch.as_tensor(synapses.start, device=device)
                self.place = torch.arange(8, device=device, dtype=torch.uint8)
                self.on = torch.as_tensor(synapses.efficacy, device=device, dtype=dtype)
                self.off = torch.tensor(synapses.off, device=device, dtype=dtype)

    def deliver(self, spikes: Tensor, amount: Tensor | None = None) -> Tensor:
        """The current that spikes cause, [batch, post].   spikes: bool, [batch, pre].   amount: the factor on each, 0 without a spike."""
        match self.synapses:
            case Dense():
                return (spikes.to(self.dtype) if amount is None else amount) @ self.weights
            case Sparse(post=post):
                batch, pre = spikes.nonzero(as_tuple=True)
                fan_out = self.begin[pre + 1] - self.begin[pre]
                before = fan_out.cumsum(0) - fan_out
                place = torch.arange(int(fan_out.sum()), device=spikes.device) + (self.begin[pre] - before).repeat_interleave(fan_out)
                flat = batch.repeat_interleave(fan_out) * post + self.targets[place]
                current = torch.zeros(spikes.shape[0] * post, device=spikes.device, dtype=self.dtype)
                brought = self.weights[place] if amount is None else self.weights[place] * amount[batch, pre].repeat_interleave(fan_out)
                return current.index_add_(0, flat, brought).view(-1, post)
            case OneBit(post=post, width=width):
                batch, pre = spikes.nonzero(as_tuple=True)
                current = torch.zeros(spikes.shape[0], post, device=spikes.device, dtype=self.dtype)
                bits = ((self.bits[pre].unsqueeze(-1) >> self.place) & 1).reshape(len(pre), width).bool()
                weights = torch.where(bits, self.on[pre].unsqueeze(1), self.off)
                weights = weights if amount is None else weights * amount[batch, pre].unsqueeze(1)
                column = self.start[pre].unsqueeze(1) + torch.arange(width, device=spikes.device)
                flat = (batch.unsqueeze(1) * post + column).reshape(-1)
                return current.view(-1).index_add_(0, flat, weights.reshape(-1)).view_as(current)


def choose_winners(voltage: Tensor, crossed: Tensor, k: int, silenced: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The basket cell's choice of one step (see `network.KWinners`).

    voltage: [batch, cell].   crossed: S before the choice, bool, [batch, cell].   silenced: bool, [batch, cell].
    count: spikes so far in the cycle, [batch].
    Returns voltage after the choice, the winners as bool [batch, cell], their rank in the cycle [batch, cell] (valid where they won), and
    the batch items whose basket cell spiked, bool [batch].
    """
    voltage = voltage.masked_fill(silenced, 0.0)
    crossed = crossed & ~silenced
    if not crossed.any():
        return voltage, crossed, crossed.long(), torch.zeros_like(count, dtype=torch.bool)
    order = torch.where(crossed, voltage, torch.full_like(voltage, -torch.inf)).argsort(dim=1, descending=True, stable=True)
    rank = torch.empty_like(order)
    rank.scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order).contiguous())
    rank = rank + count.unsqueeze(1)
    won = crossed & (rank < k)
    full = (count < k) & (count + won.sum(1) == k)
    return voltage.masked_fill(full.unsqueeze(1) & ~won, 0.0), won, rank, full

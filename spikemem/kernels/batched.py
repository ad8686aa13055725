"""Batched kernels in torch: the same step for a whole batch at once, on the CPU or on CUDA."""

import torch
from torch import Tensor

from spikemem.synapses import Dense, OneBit, Sparse, Synapses


class Carrier:
    """One projection's synapses as tensors; `deliver(spikes)` gives the current they cause.

    A sparse matrix is stored transposed, so that one sparse product serves the batch. One-bit rows stay packed; only the rows of cells
    that spiked are unpacked.
    """

    def __init__(self, synapses: Synapses, device: torch.device, dtype: torch.dtype) -> None:
        self.synapses, self.dtype = synapses, dtype
        match synapses:
            case Dense(weights=weights):
                self.weights = torch.as_tensor(weights, device=device, dtype=dtype)
            case Sparse():
                pre = torch.repeat_interleave(torch.as_tensor(synapses.indptr).diff())
                index = torch.stack([torch.as_tensor(synapses.targets).long(), pre])
                coo = torch.sparse_coo_tensor(index, torch.as_tensor(synapses.weights), (synapses.post, len(synapses.indptr) - 1))
                self.weights = coo.to(device=device, dtype=dtype).coalesce()
            case OneBit():
                self.bits = torch.as_tensor(synapses.bits.view("uint8"), device=device)
                self.start = torch.as_tensor(synapses.start, device=device)
                self.place = torch.arange(8, device=device, dtype=torch.uint8)

    def deliver(self, spikes: Tensor) -> Tensor:
        """spikes: bool, [batch, pre].   Returns the current, [batch, post]."""
        match self.synapses:
            case Dense():
                return spikes.to(self.dtype) @ self.weights
            case Sparse():
                return torch.sparse.mm(self.weights, spikes.to(self.dtype).T).T
            case OneBit(on=on, off=off, post=post, width=width):
                batch, pre = spikes.nonzero(as_tuple=True)
                current = torch.zeros(spikes.shape[0], post, device=spikes.device, dtype=self.dtype)
                bits = ((self.bits[pre].unsqueeze(-1) >> self.place) & 1).reshape(len(pre), width).bool()
                weights = torch.where(bits, on, off).to(self.dtype)
                column = self.start[pre].unsqueeze(1) + torch.arange(width, device=spikes.device)
                flat = (batch.unsqueeze(1) * post + column).reshape(-1)
                return current.view(-1).index_add_(0, flat, weights.reshape(-1)).view_as(current)


def choose_winners(voltage: Tensor, threshold: float, k: int, silenced: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The basket cell's choice of one step (see `network.KWinners`).

    voltage: [batch, cell].   silenced: bool, [batch, cell].   count: spikes so far in the cycle, [batch].
    Returns voltage after the choice, the winners as bool [batch, cell], their rank in the cycle [batch, cell] (valid where they won), and
    the batch items whose basket cell spiked, bool [batch].
    """
    voltage = voltage.masked_fill(silenced, 0.0)
    crossed = (voltage > threshold) & ~silenced
    order = torch.where(crossed, voltage, torch.full_like(voltage, -torch.inf)).argsort(dim=1, descending=True, stable=True)
    rank = torch.empty_like(order)
    rank.scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order).contiguous())
    rank = rank + count.unsqueeze(1)
    won = crossed & (rank < k)
    full = (count < k) & (count + won.sum(1) == k)
    return voltage.masked_fill(full.unsqueeze(1) & ~won, 0.0), won, rank, full

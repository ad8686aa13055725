"""Recall slots from a memory, one after the other: competitive queuing (Grossberg 1978; Houghton 1990).

The rows of M, of all depths, compete. The row that holds most wins, as the cell with the strongest drive fires first; rows that hold the
same as the winner are read with it, and then inhibited, so that another memory wins the next slot. |M_i| is row i's root mean square:

    drive      e_i = ln(|M_i| + .01) - h_i                          h = 0 at first
    winner     j = argmax e
    likeness   l_i = exp(-beta (1 - cos(M_i, M_j)))
    reading    a_i = l_i |M_i| / (sum + .001),   rho = sum_i a_i M_i,   p = sum_i a_i P_i      P: learned, differs from row to row
    inhibition h_i <- h_i + 20 l_i

Who wins is no matter of degree and has no gradient; what is read has.

The read-out is a rate network on the memory: nothing in it fires. What spikes in training step 1 are the senses and the cell.
"""

import math

import torch
from torch import Tensor, nn

from spikemem.spmn.contract import check_sizes
from spikemem.spmn.losses import Slots

SILENT = 1e-2
"""Root mean square of a row below which it holds nothing."""
NOTHING = 1e-3
"""Added to what is divided by, or of which the logarithm is taken: a winner that holds nothing has no direction, and reads nothing."""
INHIBITION = 20.0
"""Of what has been recalled: ln of more than the ratio of any two rows."""
BETA = 15.0
"""beta before training: the likeness of a row at a cosine of .8 to the winner is exp(-3) = .05."""
STRONG = 5.0
"""What drives are divided by before f: from nothing (-4.6) to the most (0), before inhibition, they then span about 1."""
FLAT = 1e-12
"""Added to a row's mean square, of which the root has no gradient at 0."""


class Decoder(nn.Module):
    """Recall slots, as the equations at the head of this module say, and for each slot:

        time, confidence = sigmoid(f([rho + p, ln(|rho|_2 + .001), e_j / 5])),   content = D rho + d

    f: a hidden layer of `hidden` units.   size: of a content.   width, depth: of the memory.
    slots: that are recalled; more than there are events.   Raises VectorError for a size below 1.
    """

    def __init__(self, size: int, width: int, depth: int, slots: int = 12, hidden: int = 256) -> None:
        super().__init__()
        check_sizes(size=size, width=width, depth=depth, slots=slots, hidden=hidden)
        self.width, self.depth, self.slots = width, depth, slots
        self.log_beta = nn.Parameter(torch.tensor(math.log(BETA)))
        self.places = nn.Parameter(0.1 * torch.randn(depth * width, width))
        self.when = nn.Sequential(nn.Linear(width + 2, hidden), nn.ReLU(), nn.Linear(hidden, 2))
        self.content = nn.Linear(width, size)

    def forward(self, memory: Tensor) -> Slots:
        """memory: M, [batch, depth, w, w].   Returns the slots, in the order in which they won."""
        rows = memory.flatten(1, 2)
        strength = rows.square().mean(2).add(FLAT).sqrt()
        unit = rows / (rows.norm(dim=2, keepdim=True) + NOTHING)
        inhibition = torch.zeros_like(strength)
        sample = torch.arange(len(rows), device=rows.device)
        read = []
        for _ in range(self.slots):
            drive = torch.log(strength + SILENT) - inhibition
            top, winner = drive.max(1)
            likeness = torch.exp(-self.log_beta.exp() * (1 - torch.einsum("bij,bj->bi", unit, unit[sample, winner])))
            share = likeness * strength
            share = share / (share.sum(1, keepdim=True) + NOTHING)
            held = torch.einsum("bi,bij->bj", share, rows)
            inhibition = inhibition + INHIBITION * likeness
            read.append((held, share @ self.places, torch.stack([torch.log(held.norm(dim=1) + NOTHING), top / STRONG], 1)))
        held, place, strengths = (torch.stack(parts, 1) for parts in zip(*read, strict=True))
        when = torch.sigmoid(self.when(torch.cat([held + place, strengths], 2)))
        return Slots(when[..., 0], when[..., 1], self.content(held))

"""SPMN v0.0.1 as a rate cell, its three faults mended.

Published, with masks a, u, r [batch, depth, w, w] made from the event x, and * element by element:

    E = f1(x) f2(x)^T,   m[1] = E,   m[i+1] = tanh(compress_i [m[i], E]),   M~ = ReLU(M * a * u),   M' = (1 - r) M + r M~

M = 0 stays 0; r leaves [0, 1]; so |M| grows without end. Here

    a = tanh m_a,   u = sigmoid m_u,   r = sigmoid m_r,   M~ = tanh(M * u + a),   M' = (1 - r) M + r M~

The write is added, so that M = 0 learns; r and u are shares; M' lies between M and M~, both within [-1, 1].
"""

import torch
from torch import Tensor, nn

from spikemem.spmn.contract import Gates, check_event, check_memory, check_sizes


class Masks(nn.Module):
    """A mask for each depth: m[1] = E, m[i+1] = tanh(compress_i [m[i], E]), compress a 3 x 3 convolution; then a gain and a bias.

    The first mask is E itself, without bound: what becomes of the masks is the gate's own function.
    """

    def __init__(self, depth: int, bias: float = 0.0) -> None:
        super().__init__()
        self.compress = nn.ModuleList(nn.Conv2d(2, 1, 3, padding=1) for _ in range(depth - 1))
        self.gain = nn.Parameter(torch.ones(depth, 1, 1))
        self.bias = nn.Parameter(torch.full((depth, 1, 1), bias))

    def forward(self, event: Tensor) -> Tensor:
        """event: E, [batch, 1, w, w].   Returns [batch, depth, w, w]."""
        masks = [event]
        for compress in self.compress:
            masks.append(torch.tanh(compress(torch.cat([masks[-1], event], 1))))
        return self.gain * torch.cat(masks, 1) + self.bias


class RateV1(nn.Module):
    """The cell at the head of this module.

    cells: of the event.   width: w.   depth: of the masks and of M.   Raises VectorError for a size below 1.
    Gates are [batch, depth, w, w]: update = r, reset = 1 - u, candidate = M~.
    """

    def __init__(self, cells: int, width: int = 32, depth: int = 2) -> None:
        super().__init__()
        check_sizes(cells=cells, width=width, depth=depth)
        self.cells, self.width, self.depth = cells, width, depth
        self.rows, self.columns = nn.Linear(cells, width), nn.Linear(cells, width)
        self.candidate, self.keep, self.overwrite = Masks(depth), Masks(depth, bias=1.0), Masks(depth)

    def initial(self, batch: int) -> Tensor:
        """Zeros, [batch, depth, w, w]."""
        return self.rows.weight.new_zeros(batch, self.depth, self.width, self.width)

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        """M' and the gates.   memory: M, [batch, depth, w, w].   event: [batch, cells]."""
        check_event(self, event)
        check_memory(self, memory, len(event))
        outer = torch.einsum("bi,bj->bij", self.rows(event), self.columns(event))[:, None]
        keep, overwrite = torch.sigmoid(self.keep(outer)), torch.sigmoid(self.overwrite(outer))
        candidate = torch.tanh(memory * keep + torch.tanh(self.candidate(outer)))
        return torch.lerp(memory, candidate, overwrite), Gates(overwrite, 1 - keep, candidate)

    forward = write

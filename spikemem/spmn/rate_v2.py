"""SPMN v0.0.2 as a rate cell, its faults mended.

Published, for each depth of M in turn, from the event's tokens x:

    q = encode(M) + the depth before,   h = norm(q + attend(q, x)),   h = norm(h + feed(h))         each [batch, w, w]
    z0 = L(h)^T R(h),   z = sigmoid(conv z0),   r = sigmoid(conv' z0),   M~ = tanh(conv''(M * r)),   M' = z M + (1 - z) M~

with z and r averaged over the batch, from one projection, and M detached. Here z and r are each sample's own and come from projections of
their own (L_z, R_z and L_r, R_r), M is not detached, and the candidate sees the event itself, which in the published form reached M by
its gates alone, so that all events wrote the same into M = 0:

    M~ = tanh(conv''(M * r) + L_c(h)^T R_c(h))

M' lies between M and M~, both within [-1, 1].
"""

import math

import torch
from torch import Tensor, nn

from spikemem.errors import VectorError
from spikemem.spmn.contract import Gates, check_event, check_memory, check_sizes


class Square(nn.Module):
    """L(h)^T R(h) / sqrt(w): a matrix [batch, w, w] from w tokens [batch, w, w]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.left(tokens).transpose(1, 2) @ self.right(tokens) / math.sqrt(tokens.shape[-1])


class RateRecall(nn.Module):
    """One depth: recall queries from M, a token for each of its rows, that attend to the event; with a feed-forward layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.encode = nn.Conv1d(width, width, 3, padding=1)
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
        self.after_attend, self.after_feed = nn.LayerNorm(width), nn.LayerNorm(width)
        self.rows = nn.Parameter(torch.randn(width, width) / math.sqrt(width))
        """Tells the rows apart where M is 0."""

    def forward(self, memory: Tensor, event: Tensor, above: Tensor | None) -> Tensor:
        """memory: one depth of M, [batch, w, w].   event: [batch, tokens, w].   above: the depth before.   Returns [batch, w, w]."""
        queries = self.encode(memory.transpose(1, 2)).transpose(1, 2) + self.rows
        queries = queries if above is None else queries + above
        seen = self.after_attend(queries + self.attend(queries, event, event, need_weights=False)[0])
        return self.after_feed(seen + self.feed(seen))


class RateV2(nn.Module):
    """The cell at the head of this module.

    cells: of the event.   width: w, a multiple of heads.   depth: of M.   tokens: that the event is cut into.
    Raises VectorError for sizes that do not fit.
    Gates are [batch, depth, w, w]: update = 1 - z, reset = 1 - r, candidate = M~.
    """

    def __init__(self, cells: int, width: int = 32, depth: int = 2, tokens: int = 8, heads: int = 4) -> None:
        super().__init__()
        check_sizes(cells=cells, width=width, depth=depth, tokens=tokens, heads=heads)
        if width % heads:
            raise VectorError(f"a width of {width} cannot be shared equally by {heads} heads; take a multiple, or heads that divide it")
        self.cells, self.width, self.depth = cells, width, depth
        self.event = nn.Linear(cells, tokens * width)
        self.recall = nn.ModuleList(RateRecall(width, heads) for _ in range(depth))
        self.keep, self.hold, self.add = (nn.ModuleList(Square(width) for _ in range(depth)) for _ in range(3))
        self.keep_conv, self.hold_conv, self.add_conv = (nn.Conv2d(depth, depth, 3, padding=1) for _ in range(3))

    def initial(self, batch: int) -> Tensor:
        """Zeros, [batch, depth, w, w]."""
        return self.event.weight.new_zeros(batch, self.depth, self.width, self.width)

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        """M' and the gates.   memory: M, [batch, depth, w, w].   event: [batch, cells]."""
        check_event(self, event)
        check_memory(self, memory, len(event))
        tokens = self.event(event).unflatten(1, (-1, self.width))
        recalled: list[Tensor] = []
        for depth, recall in enumerate(self.recall):
            recalled.append(recall(memory[:, depth], tokens, recalled[-1] if recalled else None))
        keep, hold, add = (
            torch.stack([square(h) for square, h in zip(squares, recalled, strict=True)], 1) for squares in (self.keep, self.hold, self.add)
        )
        z, r = torch.sigmoid(self.keep_conv(keep)), torch.sigmoid(self.hold_conv(hold))
        candidate = torch.tanh(self.add_conv(memory * r) + add)
        return torch.lerp(candidate, memory, z), Gates(1 - z, 1 - r, candidate)

    forward = write

"""The two rate cells of SPMN as published, faults and all, written from their equations (see `spikemem.spmn.rate_v1`, `rate_v2`)."""

import torch
from torch import Tensor, nn

from spikemem.spmn import Gates, RateV1, RateV2
from spikemem.spmn.rate_v1 import Masks


class PublishedV1(RateV1):
    """M~ = ReLU(M * a * u), M' = (1 - r) M + r M~, with the masks as they come."""

    def __init__(self, cells: int, width: int = 32, depth: int = 2) -> None:
        super().__init__(cells, width, depth)
        self.candidate, self.keep, self.overwrite = Masks(depth), Masks(depth), Masks(depth)

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        outer = torch.einsum("bi,bj->bij", self.rows(event), self.columns(event))[:, None]
        a, u, r = self.candidate(outer), self.keep(outer), self.overwrite(outer)
        candidate = torch.relu(memory * a * u)
        return (1 - r) * memory + r * candidate, Gates(r, 1 - u, candidate)

    forward = write


class PublishedV2(RateV2):
    """z and r from one projection, averaged over the batch; M detached; M~ = tanh(conv''(M * r))."""

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        memory = memory.detach()
        tokens = self.event(event).unflatten(1, (-1, self.width))
        recalled: list[Tensor] = []
        for depth, recall in enumerate(self.recall):
            recalled.append(recall(memory[:, depth], tokens, recalled[-1] if recalled else None))
        both = torch.stack([square(h) for square, h in zip(self.keep, recalled, strict=True)], 1)
        z = torch.sigmoid(self.keep_conv(both)).mean(0, keepdim=True)
        r = torch.sigmoid(self.hold_conv(both)).mean(0, keepdim=True)
        candidate = torch.tanh(self.add_conv(memory * r))
        return z * memory + (1 - z) * candidate, Gates(1 - z, 1 - r, candidate)

    forward = write


PUBLISHED: dict[type[nn.Module], type[nn.Module]] = {RateV1: PublishedV1, RateV2: PublishedV2}
"""Each mended cell's published form."""

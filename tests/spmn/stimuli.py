"""Pictures of shapes and sounds of tones, made here."""

import torch
from torch import Tensor

SIDE, BINS, FRAMES = 16, 20, 24
SHAPES = ("square", "disc", "cross")
SOUNDS = ("rising", "falling", "steady")


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Shapes of any place and size in noise, [n, 1, 16, 16], and which of SHAPES each is, [n]."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(len(SHAPES), (n,), generator=generator)
    radius = 3.0 + 2.0 * torch.rand(n, 1, 1, generator=generator)
    centre = 6.0 + 4.0 * torch.rand(2, n, 1, 1, generator=generator)
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    down, right = (y - centre[0]).abs(), (x - centre[1]).abs()
    square = torch.maximum(down, right) <= radius
    disc = down.square() + right.square() <= (1.1 * radius).square()
    cross = (torch.minimum(down, right) <= 1.0) & (torch.maximum(down, right) <= 1.2 * radius)
    shape = torch.stack([square, disc, cross])[kind, torch.arange(n)]
    return (0.8 * shape + 0.2 * torch.rand(n, SIDE, SIDE, generator=generator))[:, None], kind


def spectrograms(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Tones that rise, fall or stay, of any pitch, in noise, [n, 24, 20], and which of SOUNDS each is, [n]."""
    generator = torch.Generator().manual_seed(seed)
    kind = torch.randint(len(SOUNDS), (n,), generator=generator)
    slope = torch.tensor([1.0, -1.0, 0.0])[kind][:, None] * (6.0 + 4.0 * torch.rand(n, 1, generator=generator))
    middle = 8.0 + 4.0 * torch.rand(n, 1, generator=generator)
    pitch = middle + slope * (torch.arange(FRAMES) / (FRAMES - 1) - 0.5)
    tone = torch.exp(-(torch.arange(BINS) - pitch[..., None]).square() / 2)
    return 0.8 * tone + 0.2 * torch.rand(n, FRAMES, BINS, generator=generator), kind

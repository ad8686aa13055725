"""Senses to events: each sense is a small spiking encoder, and an event is what all of them fire, side by side.

A sense turns its stimulus into currents, and leaky integrate-and-fire cells with learned time constants and thresholds turn those into
spikes [time, batch, cell]; spikes a step are rates in [0, 1]. A sense without a stimulus is silent.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from spikemem.errors import StimulusError, VectorError
from spikemem.learn.layers import SpikingLayer
from spikemem.network.neurons import LIF

STEPS = 8
"""For which a stimulus that stands still is seen, ms: as long as the volley of the entorhinal code."""
CELL = LIF(tau=10.0)
"""Of every sense, before training."""


class Sense(nn.Module):
    """What all senses have.   shape: of one sample's stimulus; -1 for any number.   cells: that fire for it."""

    def __init__(self, shape: tuple[int, ...], cells: int) -> None:
        super().__init__()
        self.shape, self.cells = shape, cells
        self.layer = SpikingLayer(cells, CELL)


class Vector(Sense):
    """A vector, as a text's embedding or as touch, [batch, size]: I = A sqrt(size) x / |x| + b, the same for `steps` ms."""

    def __init__(self, size: int, cells: int, steps: int = STEPS) -> None:
        super().__init__((size,), cells)
        self.steps = steps
        self.current = nn.Linear(size, cells)

    def forward(self, stimulus: Tensor) -> Tensor:
        """Spikes, [time, batch, cell]."""
        scaled = math.sqrt(self.shape[0]) * functional.normalize(stimulus, dim=1)
        spikes: Tensor = self.layer(self.current(scaled).expand(self.steps, -1, -1))
        return spikes


class Moment(Sense):
    """A position in time in [0, 1], [batch]: time cells (MacDonald et al. 2011) whose fields lie side by side,

        I_i = 1.1 exp(-(t - i / (cells - 1))^2 / 2 sigma^2),   sigma = 1.2 / cells

    so that four or five of them fire, the middle one every step.
    """

    centres: Tensor

    def __init__(self, cells: int, steps: int = STEPS) -> None:
        super().__init__((), cells)
        self.steps, self.sigma = steps, 1.2 / cells
        self.register_buffer("centres", torch.linspace(0.0, 1.0, cells))

    def forward(self, stimulus: Tensor) -> Tensor:
        """Spikes, [time, batch, cell]."""
        current = 1.1 * torch.exp(-(stimulus[:, None] - self.centres).square() / (2 * self.sigma**2))
        spikes: Tensor = self.layer(current.expand(self.steps, -1, -1))
        return spikes


class Image(Sense):
    """A picture, [batch, channels, height, width], of values about 0 to 1: cells with fields of 5 x 5 pixels every 2 pixels, the same
    `maps` kinds of field everywhere, and cells that read all of them. The picture stands still for `steps` ms.
    """

    def __init__(self, shape: tuple[int, int, int], cells: int, maps: int = 8, steps: int = STEPS) -> None:
        super().__init__(shape, cells)
        channels, height, width = shape
        self.steps = steps
        simple = maps * math.ceil(height / 2) * math.ceil(width / 2)
        self.field = nn.Conv2d(channels, maps, 5, stride=2, padding=2)
        self.simple = SpikingLayer(simple, CELL)
        self.current = nn.Linear(simple, cells)

    def forward(self, stimulus: Tensor) -> Tensor:
        """Spikes, [time, batch, cell]."""
        field = self.field(stimulus).flatten(1)
        spikes: Tensor = self.layer(self.current(self.simple(field.expand(self.steps, -1, -1))))
        return spikes


class Sound(Sense):
    """A spectrogram, [batch, frames, bins], of values about 0 to 1, frame by frame: frame t is the current of step t."""

    def __init__(self, bins: int, cells: int) -> None:
        super().__init__((-1, bins), cells)
        self.bands = nn.Linear(bins, cells)
        self.tuned = SpikingLayer(cells, CELL)
        self.current = nn.Linear(cells, cells)

    def forward(self, stimulus: Tensor) -> Tensor:
        """Spikes, [time, batch, cell], a step a frame."""
        spikes: Tensor = self.layer(self.current(self.tuned(self.bands(stimulus.transpose(0, 1)))))
        return spikes


class Event(NamedTuple):
    """What an encoder makes of a batch of stimuli."""

    rates: Tensor
    """Spikes a step of all senses' cells, in the encoder's order, in [0, 1], [batch, cells]."""
    spikes: dict[str, Tensor]
    """Of each sense that had a stimulus, [time, batch, cell]."""


class Encoder(nn.Module):
    """Several senses at once.

    senses: by name, for example {"text": Vector(384, 512), "image": Image((1, 16, 16), 64), "touch": Vector(12, 32)}.
    """

    def __init__(self, senses: Mapping[str, Sense]) -> None:
        super().__init__()
        self.senses = nn.ModuleDict(senses)
        self.shapes = {name: sense.shape for name, sense in senses.items()}
        self.sizes = {name: sense.cells for name, sense in senses.items()}
        self.cells = sum(self.sizes.values())

    def forward(self, stimuli: Mapping[str, Tensor]) -> Event:
        """stimuli: by the senses' names, [batch, ...] each; a sense that is left out is silent.

        Raises StimulusError for a sense that is not there, a shape that does not fit, or no stimulus at all; VectorError for values
        that are not finite, for which no cell would fire.
        """
        batch = self._checked(stimuli)
        spikes = {name: sense(stimuli[name]) for name, sense in self.senses.items() if name in stimuli}
        like = next(iter(spikes.values()))
        rates = [spikes[name].mean(0) if name in spikes else like.new_zeros(batch, cells) for name, cells in self.sizes.items()]
        return Event(torch.cat(rates, 1), spikes)

    def _checked(self, stimuli: Mapping[str, Tensor]) -> int:
        """The size of the batch."""
        if not stimuli or (unknown := stimuli.keys() - self.senses.keys()):
            given = f"no sense {sorted(unknown)}" if stimuli else "no stimulus"
            raise StimulusError(f"{given}; the encoder's senses are {', '.join(self.senses)}")
        for name, stimulus in stimuli.items():
            shape: tuple[int, ...] = self.senses[name].shape  # type: ignore[assignment]
            fits = stimulus.ndim == len(shape) + 1 and all(
                wanted in (-1, has) for wanted, has in zip(shape, stimulus.shape[1:], strict=True)
            )
            if not fits:
                raise StimulusError(f"{name} has shape {list(stimulus.shape)}; expected [batch, {', '.join(map(str, shape))}]")
            if len(wrong := (~stimulus.isfinite()).nonzero()):
                raise VectorError(f"{name} is NaN or infinite, first in sample {int(wrong[0, 0])}; mend its source or leave it out")
            if isinstance(self.senses[name], Moment) and len(wrong := ((stimulus < 0) | (stimulus > 1)).nonzero()):
                raise StimulusError(f"{name} lies outside [0, 1], first in sample {int(wrong[0, 0])}; divide it by the longest time")
        sizes = {name: len(stimulus) for name, stimulus in stimuli.items()}
        if len(set(sizes.values())) > 1:
            raise StimulusError(f"the senses' batches differ: {sizes}; give one stimulus a sample, or leave the sense out")
        return next(iter(sizes.values()))

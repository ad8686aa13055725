"""What goes wrong in the training of spiking cells, looked for once an epoch, each with its mend."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from spikemem.surrogate import SpikingLayer

DEAD = 0.02
"""The share of cells that never spiked from which it is reported."""
EXPLODING = 1e3
"""|V| in thresholds from which it is reported: only a drive that has run away holds a voltage there."""
VANISHING = 1e-7
"""A layer's share of the gradient's norm below which it is reported: float32 cannot tell it from none."""

MENDS = {
    "dead cells": "lower their thresholds, begin with larger weights or longer time constants, or penalise silence",
    "exploding state": "lower the learning rate or the weights, shorten the time constants, or clip gradients harder",
    "vanishing gradient": "take a smaller slope of the surrogate, bring the voltages nearer to threshold, or shorten the window; "
    "if the layer takes no part in the loss, leave it out of the model",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.   name: as in MENDS.   layer: its name in the model.   value: share of cells, |V| in thresholds, or share of
    the gradient's norm."""

    name: str
    layer: str
    value: float

    @property
    def mend(self) -> str:
        """What to do about it."""
        return MENDS[self.name]

    def __str__(self) -> str:
        return f"{self.name} in {self.layer} ({self.value:.3g}): {self.mend}"


class Watch:
    """Looks on while a model trains; `findings` says what it saw since the last time.

    Use as a context: it hangs on the model's spiking layers, and lets them go at the end.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, SpikingLayer)}
        self._spiked: dict[str, Tensor] = {}
        self._current: dict[str, Tensor] = {}

    def __enter__(self) -> Self:
        self._hooks = [layer.register_forward_hook(self._hook(name)) for name, layer in self.layers.items()]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for hook in self._hooks:
            hook.remove()

    def _hook(self, name: str) -> Any:
        def look(layer: nn.Module, inputs: tuple[Any, ...], spikes: Tensor) -> None:
            if layer.training:
                spiked = (spikes.detach() > 0).flatten(0, 1).any(0)
                self._spiked[name] = spiked | self._spiked[name] if name in self._spiked else spiked
                self._current[name] = inputs[0].detach()

        return torch.compiler.disable(look)  # type: ignore[no-untyped-call]

    def findings(self, gather: Callable[[Tensor], Tensor] = lambda spiked: spiked) -> list[Finding]:
        """Dead cells over all passes since the last call; voltages and gradients of the last pass.

        gather: joins what the processes of one training saw of which cells spiked.
        """
        found = []
        for name, layer in self.layers.items():
            if name not in self._spiked:
                continue
            dead = 1.0 - gather(self._spiked[name]).float().mean().item()
            if dead > DEAD:
                found.append(Finding("dead cells", name, dead))
            peak = (layer.voltages(self._current[name]).abs() / layer.threshold).max().item()
            if not peak <= EXPLODING:
                found.append(Finding("exploding state", name, peak))
        self._spiked.clear()
        self._current.clear()
        return found + self._gradients()

    def _gradients(self) -> list[Finding]:
        """Modules whose own parameters get next to none of the gradient."""
        norms = {}
        for name, module in self.model.named_modules():
            own = [p for p in module.parameters(recurse=False) if p.requires_grad]
            if own:
                norms[name or "the model"] = math.hypot(*(0.0 if p.grad is None else p.grad.norm().item() for p in own))
        total = math.hypot(*norms.values())
        shares = {name: norm / total if total else 0.0 for name, norm in norms.items()}
        return [Finding("vanishing gradient", name, share) for name, share in shares.items() if share < VANISHING]

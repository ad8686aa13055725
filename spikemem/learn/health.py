"""What goes wrong in the training of spiking cells, looked for once an epoch, each with its mend."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from spikemem._checks import Checks
from spikemem.errors import TrainingError
from spikemem.learn.layers import SpikingLayer

DEAD = 0.02
"""The share of a layer's cells that never spiked from which it is reported."""
SILENT = 0.9
"""The same of a stochastic population's. Rectified cells die as they learn, the more the fewer different inputs they get: in readers of
tales that make no error, four fifths of those with a dozen different questions as input. At a learning rate that was too high all did,
and nothing was learned."""
SATURATED = 0.5
"""The share of a stochastic population's cells that fired in every step of every pass from which it is reported; in those readers, a
fifth at most."""
EXPLODING = 1e3
"""|V| in thresholds from which it is reported: only a drive that has run away holds a voltage there."""
VANISHING = 1e-8
"""The root mean square of a layer's gradient below which it is reported: AdamW's epsilon, under which its steps lose their size."""

MENDS = {
    "dead cells": "lower their thresholds, begin with larger weights or longer time constants, or penalise silence",
    "dead population": "lower the learning rate, raise its biases, or begin with larger weights",
    "saturated population": "lower the learning rate, the weights or its biases, or clip gradients harder",
    "exploding state": "lower the learning rate or the weights, shorten the time constants, or clip gradients harder",
    "vanishing gradient": "take a smaller slope of the surrogate, bring the voltages or drives nearer to threshold, or shorten the window; "
    "if the layer takes no part in the loss, leave it out of the model; if the loss has nothing left to fall, stop",
}

check = Checks(TrainingError)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.   name: as in MENDS.   layer: its name in the model.   value: the share of cells, the largest |V| in
    thresholds, or the gradient's root mean square."""

    name: str
    layer: str
    value: float

    @property
    def mend(self) -> str:
        """What to do about it."""
        return MENDS[self.name]

    def __str__(self) -> str:
        return f"{self.name} in {self.layer} ({self.value:.3g}): {self.mend}"


class Shares(nn.Module):
    """Stochastic cells that `Watch` sees: passes on the shares of an event's steps in which they fired, [..., *cells], or, in a rate twin,
    the probabilities that they do.   cells: how many; of several dimensions, each row is a population of its own.
    """

    def __init__(self, *cells: int) -> None:
        super().__init__()
        self.cells = cells

    def forward(self, shares: Tensor) -> Tensor:
        return shares


class Watch:
    """Watches a model's spiking cells and gradients while it trains; `findings` lists what was wrong since the last time.

    Use as a context: it hangs on the model's spiking layers and on its stochastic populations, and lets them go at the end. Tell it of each
    backward pass by `step`, before gradients are clipped; without, the gradients that are there are looked at. Of a winner-take-all
    population, in which most cells lose by design, nothing is reported.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model = check.instance(model, "model", nn.Module, "give a torch module")
        self.layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, SpikingLayer)}
        self.populations = {name: cells for name, cells in model.named_modules() if isinstance(cells, Shares)}
        own = {name: [p for p in module.parameters(recurse=False) if p.requires_grad] for name, module in model.named_modules()}
        self.parts = {name: parameters for name, parameters in own.items() if parameters}
        self._spiked: dict[str, Tensor] = {}
        self._current: dict[str, Tensor] = {}
        self._steepest: dict[str, Tensor] = {}
        self._varied: dict[str, Tensor] = {}
        """Which cells fired at least once, and which were silent at least once, [2, *cells]."""

    def __enter__(self) -> Self:
        self._hooks = [layer.register_forward_hook(self._hook(name)) for name, layer in self.layers.items()]
        self._hooks += [cells.register_forward_hook(self._shares_hook(name)) for name, cells in self.populations.items()]
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

        return look

    def _shares_hook(self, name: str) -> Any:
        @torch.compiler.disable  # type: ignore[untyped-decorator]
        def look(cells: Shares, inputs: tuple[Any, ...], shares: Tensor) -> None:
            if cells.training and shares.numel():
                least, most = shares.detach().reshape(-1, *cells.cells).aminmax(dim=0)
                varied = torch.stack([most > 0, least < 1])
                self._varied[name] = varied | self._varied[name] if name in self._varied else varied

        return look

    def findings(self, gather: Callable[[Tensor], Tensor] = lambda spiked: spiked) -> list[Finding]:
        """Dead and saturated cells, and the largest gradients, over all passes since the last call; voltages of the last pass.

        gather: joins what the processes of one training saw of which cells spiked, and which were ever silent.
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
        for name in self.populations:
            if name in self._varied:
                found += _extremes(name, 1.0 - gather(self._varied[name]).float().mean(-1))
        if not self._steepest:
            self.step()
        found += self._gradients()
        for seen in (self._spiked, self._current, self._varied, self._steepest):
            seen.clear()
        return found

    def step(self) -> None:
        """Note the size of each module's gradient; call it after a backward pass."""
        for name, own in self.parts.items():
            given = [p.grad.norm() for p in own if p.grad is not None]
            if given:
                size = torch.stack(given).norm() / math.sqrt(sum(p.numel() for p in own))
                self._steepest[name] = torch.maximum(size, self._steepest[name]) if name in self._steepest else size

    def _gradients(self) -> list[Finding]:
        """Modules whose own parameters got next to no gradient in any step."""
        sizes = {name: self._steepest[name].item() if name in self._steepest else 0.0 for name in self.parts}
        return [Finding("vanishing gradient", name or "the model", size) for name, size in sizes.items() if size < VANISHING]


def _extremes(name: str, shares: Tensor) -> Iterator[Finding]:
    """Populations in which too many cells never fired, or always did.   shares: of such cells, [2, ...]."""
    for kind, bound, share in zip(("dead population", "saturated population"), (SILENT, SATURATED), shares, strict=True):
        for row in (share >= bound).nonzero():
            at = row.tolist()
            yield Finding(kind, name + "".join(f"[{i}]" for i in at), share[tuple(at)].item())

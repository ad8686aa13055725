"""Training side by side in one run: samples a second, fused and by the plain snnTorch loop; and the loss curves of two devices."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import snntorch
import torch
from numpy.typing import NDArray
from snntorch.surrogate import fast_sigmoid
from torch import Tensor, nn

from spikemem._checks import Checks, shown
from spikemem.errors import TrainingError
from spikemem.evaluate.sizes import TrainingSize
from spikemem.learn import Settings, allocator, fit
from spikemem.learn.distributed import device_of
from spikemem.learn.layers import SLOPE, Linear, SpikingLayer
from spikemem.network.neurons import LIF
from spikemem.simulators.snntorch import unlisted

check = Checks(TrainingError)
CELLS, BATCH, STEPS, RUNS = TrainingSize()
PLAIN, LAYERWISE, FUSED, ONEDNN = "snnTorch loop", "layer by layer, snnTorch's cells", "fused", "fused, oneDNN"
COMPILED = "layer by layer, compiled"
WARM_UP = 2
"""Steps before the clock runs: kernels are compiled, memory is found."""


def _sizes(cells: Sequence[int]) -> list[int]:
    """The cells of at least two layers."""
    sizes = [check.integer(n, "an item of cells", least=1) for n in check.listed(cells, "cells", "whole numbers")]
    if len(sizes) < 2:
        raise TrainingError(f"cells is {sizes}; give those of at least two layers, of which the first is the input")
    for pre, post in itertools.pairwise(sizes):
        check.room(pre * post, "the weights between two layers", "give fewer cells")
    return sizes


class PlainLoop(nn.Module):
    """The model as snnTorch's tutorials write it: for each step of time, for each layer, a product and a cell."""

    def __init__(self, cells: Sequence[int] = CELLS, neuron: LIF | None = None) -> None:
        super().__init__()
        cells, neuron = _sizes(cells), LIF() if neuron is None else check.instance(neuron, "neuron", LIF, "give a LIF")
        self.synapses = nn.ModuleList(nn.Linear(*pair) for pair in itertools.pairwise(cells))
        for i, count in enumerate(cells[1:]):
            beta, theta = torch.full((count,), neuron.beta(1.0)), torch.full((count,), neuron.threshold)
            cell = snntorch.Leaky(beta, theta, fast_sigmoid(SLOPE), learn_beta=True, learn_threshold=True, reset_mechanism="subtract")
            self.add_module(f"cells{i}", unlisted(cell))

    def forward(self, current: Tensor) -> Tensor:
        """current: [time, batch, in].   Returns the last layer's spikes, [time, batch, out]."""
        cells = [getattr(self, f"cells{i}") for i in range(len(self.synapses))]
        voltages = [current.new_zeros(current.shape[1], len(cell.threshold)) for cell in cells]
        spikes = []
        for now in current:
            for i, (synapses, cell) in enumerate(zip(self.synapses, cells, strict=True)):
                now, voltages[i] = cell(synapses(now), voltages[i])
            spikes.append(now)
        return torch.stack(spikes)


def layers(linear: type[nn.Linear] = Linear, fused: bool | None = None, cells: Sequence[int] = CELLS) -> nn.Sequential:
    """The same model in `SpikingLayer`s: for each layer one product over the window, then its cells."""
    if not (isinstance(linear, type) and issubclass(linear, nn.Linear)):
        raise TrainingError(f"linear is {shown(linear)}; give nn.Linear, or a class derived from it")
    fused, made = None if fused is None else check.flag(fused, "fused"), list[nn.Module]()
    cells = _sizes(cells)
    for pair in itertools.pairwise(cells):
        made += [linear(*pair), SpikingLayer(pair[1], fused=fused)]
    return nn.Sequential(*made)


def task(rows: int, steps: int, cells: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    """Random spikes, [row, time, in], a fifth of them 1, and rates to be learned, [row, out]."""
    rows, steps, seed = check.integer(rows, "rows", least=1), check.integer(steps, "steps", least=1), check.seed(seed)
    cells = _sizes(cells)
    check.room(rows * steps * max(cells), "the spikes", "give fewer rows, steps or cells")
    generator = torch.Generator().manual_seed(seed)
    spikes = torch.rand(rows, steps, cells[0], generator=generator) < 0.2
    return spikes.float(), 0.3 * torch.rand(rows, cells[-1], generator=generator)


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The mean squared difference between the rates and those to be learned."""
    return nn.functional.mse_loss(model(batch[0].transpose(0, 1)).mean(0), batch[1])


@dataclass(frozen=True)
class Throughput:
    """One way to train the model.   seconds: of a training step, the median.   samples: a second.   ratio: to the plain loop's.

    loss: of the first step, from equal weights.   memory: the peak in MB, on a GPU.   cpu: seconds of processor time, of all threads.
    """

    name: str
    seconds: float
    samples: float
    ratio: float
    loss: float
    memory: float | None = None
    cpu: float = 0.0

    def json(self) -> dict[str, Any]:
        return asdict(self)


def throughput(
    device: str = "cpu",
    compiled: bool = False,
    runs: int = RUNS,
    batch: int = BATCH,
    steps: int = STEPS,
    cells: Sequence[int] = CELLS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Throughput]:
    """Time a training step (forward, backward, AdamW) of one model in several ways, in turn, after a warm-up.

    Freed memory is kept for all of them, as `fit` keeps it.

    compiled: torch.compile as well.   progress: called with the name of what begins.
    """
    place, compiled, runs = device_of(check.text(device, "device")), check.flag(compiled, "compiled"), check.integer(runs, "runs", least=1)
    cells = _sizes(cells)
    data = [tensor.to(place) for tensor in task(batch, steps, cells, seed)]
    allocator.keep()
    ways: dict[str, Callable[[], nn.Module]] = {
        PLAIN: lambda: PlainLoop(cells),
        LAYERWISE: lambda: layers(nn.Linear, False, cells),
    }
    if place.type == "cpu":
        ways |= {FUSED: lambda: layers(nn.Linear, True, cells), ONEDNN: lambda: layers(Linear, True, cells)}
    if compiled:

        def build_compiled() -> nn.Module:
            model = layers(nn.Linear, False, cells)
            model.compile()
            return model

        ways[COMPILED] = build_compiled
    made: dict[str, _Trained] = {}
    for name, build in ways.items():
        progress(name)
        torch.manual_seed(seed)  # equal weights
        made[name] = _Trained(build().to(place), data)
    progress(f"{runs} steps each, in turn")
    for _ in range(runs):
        for trained in made.values():
            trained.step()
    plain = made[PLAIN].median
    return [Throughput(name, t.median, batch / t.median, plain / t.median, t.first, t.memory, t.processor) for name, t in made.items()]


class _Trained:
    """A model in training, warmed up, and how long its steps took."""

    def __init__(self, model: nn.Module, data: Sequence[Tensor]) -> None:
        self.model, self.data, self.place = model, (data[0], data[1]), data[0].device
        self.optimiser = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
        self.seconds: list[float] = []
        self.cpu: list[float] = []
        self.memory: float | None = None
        self.first = self.step()
        for _ in range(WARM_UP - 1):
            self.step()
        self.seconds.clear()
        self.cpu.clear()

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    @property
    def processor(self) -> float:
        return float(np.median(self.cpu))

    def step(self) -> float:
        if self.place.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.place)
            torch.cuda.synchronize(self.place)
        start, before = time.perf_counter(), time.process_time()
        self.optimiser.zero_grad()
        value = loss(self.model, self.data)
        value.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        if self.place.type == "cuda":
            torch.cuda.synchronize(self.place)
            self.memory = torch.cuda.max_memory_allocated(self.place) / 1e6
        self.seconds.append(time.perf_counter() - start)
        self.cpu.append(time.process_time() - before)
        return value.item()


PARTED = 1e-6
"""The part of a loss from which two curves have parted: more than the rounding of float32."""


@dataclass(frozen=True)
class Curves:
    """The losses of one training on a device and on the CPU."""

    dtype: str
    losses: list[float]
    reference: list[float]

    @property
    def apart(self) -> NDArray[np.float64]:
        """Their differences, as parts of the reference's losses."""
        return np.abs(np.subtract(self.losses, self.reference)) / np.abs(self.reference)

    @property
    def together(self) -> int:
        """For how many steps they stay together."""
        return int(np.argmax(self.apart > PARTED)) if (self.apart > PARTED).any() else len(self.losses)

    def json(self) -> dict[str, Any]:
        return {**asdict(self), "together": self.together, "largest": float(self.apart.max())}


def curves(
    device: str = "cpu", count: int = 100, batch: int = BATCH, steps: int = STEPS, cells: Sequence[int] = CELLS, seed: int = 0
) -> list[Curves]:
    """The first `count` losses of one training on a device and on the CPU, from equal weights, in float64 and in float32 (no bf16).

    On the device snnTorch's cells are stepped, on the CPU the fused kernels run: with device="cpu" these two are compared. A training is
    chaotic: AdamW makes of each rounding a step, until a voltage within rounding of its threshold spikes in one of the two alone. So
    the curves agree to the last bits at first, later and later with finer numbers, and from then on to some parts in a thousand.
    """
    device_of(check.text(device, "device"))
    count, batch = check.integer(count, "count", least=1), check.integer(batch, "batch", least=1)
    made = []
    for dtype in (torch.float64, torch.float32):
        spikes, rates = task(10 * batch, steps, cells, seed)
        data = spikes.to(dtype), rates.to(dtype)
        settings = Settings(epochs=-(-count // 10), batch=batch, seed=seed, amp=False)
        found = []
        for place, fused in ((device, False), ("cpu", True)):
            torch.manual_seed(seed)
            model = layers(nn.Linear, fused, cells).to(dtype)
            found.append(fit(model, data, loss, replace(settings, device=place)).losses[:count])
        made.append(Curves(str(dtype).removeprefix("torch."), *found))
    return made

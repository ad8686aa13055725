"""Spoken-digit-like spike patterns, made here: our layers and snnTorch's own loop learn to tell them apart, side by side.

    python sims/learning/spike_patterns.py --seeds 3

The data are synthetic; what they share with the Spiking Heidelberg Digits (Cramer et al. 2022) is their form: many channels of a cochlea,
each class a few bands that rise and fall, every sample warped in time, shifted, with channels' spikes lost and spikes of noise. The second
half of the classes is the first half run backwards, so that how often each channel fires tells no class from its reverse: a linear
reader of these counts stands beside for that.

Both models have the same cells, of which tau and threshold stand still, the same first weights, batches, loss (cross-entropy of the spike
counts) and optimiser (`learn.fit`); one is made of `SpikingLayer`s, the other is a loop over time as snnTorch's tutorials write it. A third
one learns tau and threshold, too. They take turns, on one thread. Prints a table and writes results/spike_patterns.json.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import snntorch
import torch
from snntorch.surrogate import fast_sigmoid
from torch import Tensor, nn

from spikemem import LIF
from spikemem.evaluate.compare import wilson
from spikemem.learn import Linear, Scores, Settings, SpikingLayer, accuracy, fit

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--classes", type=int, default=10, help="an even number")
parser.add_argument("--channels", type=int, default=140)
parser.add_argument("--steps", type=int, default=80)
parser.add_argument("--hidden", type=int, default=128)
parser.add_argument("--train", type=int, default=1000)
parser.add_argument("--test", type=int, default=500)
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--out", type=Path, default=Path("results/spike_patterns.json"))

BANDS, WIDTH, PEAK, NOISE, LOST = 3, 0.03, 0.6, 0.01, 0.3
"""Bands of a class; their width, in parts of all channels; the highest chance of a spike in a step; that of noise; the share lost."""
NEURON = LIF(tau=20.0)
SHIFT, WARP = 0.1, 0.15
"""How far samples are shifted and warped in time at most, in parts of the window."""


def patterns(rows: int, classes: int, channels: int, steps: int, seed: int, voices: int = 0) -> tuple[Tensor, Tensor]:
    """Spikes, [row, time, channel], and classes, [row].   voices: the seed of the classes, seed: that of their samples."""
    rng = np.random.default_rng(voices)
    half = classes // 2
    start, end, bend = (rng.uniform(low, high, (half, BANDS, 1)) for low, high in ((0.05, 0.95), (0.05, 0.95), (-0.4, 0.4)))
    rng = np.random.default_rng([seed, 1])
    label = rng.integers(classes, size=rows)
    at = np.linspace(0.0, 1.0, steps)
    at = at + rng.uniform(-SHIFT, SHIFT, (rows, 1)) + rng.uniform(-WARP, WARP, (rows, 1)) * np.sin(np.pi * at)
    at = np.where(label[:, None] < half, at, 1.0 - at)[:, None, :]  # the second half of the classes runs backwards
    kind = label % half
    centre = start[kind] + (end - start)[kind] * at + bend[kind] * np.sin(np.pi * at)  # [row, band, time]
    place = np.linspace(0.0, 1.0, channels)
    chance = np.zeros((rows, steps, channels), np.float32)
    for band in range(BANDS):
        chance += np.exp(-(((place - centre[:, band, :, None]) / WIDTH) ** 2) / 2.0)
    kept = rng.random((rows, 1, channels)) > LOST
    spikes = rng.random(chance.shape, np.float32) < np.minimum(PEAK * chance * kept, 1.0) + NOISE
    return torch.from_numpy(spikes).float(), torch.from_numpy(label)


class Layers(nn.Module):
    """The spike counts of the last of two layers: [row, time, in] -> [row, out]."""

    def __init__(self, cells: tuple[int, int, int], learn: tuple[str, ...]) -> None:
        super().__init__()
        first, second = Linear(*cells[:2]), Linear(*cells[1:])
        self.network = nn.Sequential(
            first, SpikingLayer(cells[1], NEURON, learn=learn), second, SpikingLayer(cells[2], NEURON, learn=learn)
        )

    def forward(self, rows: Tensor) -> Tensor:
        return self.network(rows.transpose(0, 1)).sum(0)


class Loop(nn.Module):
    """The same as snnTorch's tutorials write it."""

    def __init__(self, cells: tuple[int, int, int]) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(*cells[:2]), nn.Linear(*cells[1:])
        self.lif1, self.lif2 = (snntorch.Leaky(beta=NEURON.beta(1.0), spike_grad=fast_sigmoid()) for _ in range(2))

    def forward(self, rows: Tensor) -> Tensor:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for step in range(rows.shape[1]):
            spk1, mem1 = self.lif1(self.fc1(rows[:, step]), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes).sum(0)


class Counts(nn.Module):
    """A linear reader of how often each channel fired: [row, time, in] -> [row, out]."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.read = nn.Linear(channels, classes)

    def forward(self, rows: Tensor) -> Tensor:
        return self.read(rows.mean(1) * 10.0)


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The cross-entropy of the classes' scores."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def trained(build: Callable[[], nn.Module], data: tuple[Tensor, Tensor], held_out: Scores, epochs: int, seed: int) -> dict[str, float]:
    """The accuracy on what was held out, the seconds and the processor's seconds of a training."""
    torch.manual_seed(seed)  # equal first weights
    model = build()
    start, before = time.perf_counter(), time.process_time()
    fit(model, data, loss, Settings(epochs=epochs, batch=50, lr=3e-3, seed=seed, device="cpu"))
    seconds, processor = time.perf_counter() - start, time.process_time() - before
    with torch.no_grad():
        return {**held_out(model.eval()), "seconds": seconds, "processor": processor}


def table(rows: list[dict], test: int) -> None:
    """Print accuracies, their mean with its Wilson interval, and the medians of times in those of snnTorch's loop."""
    print(f"\n{'':24}{'accuracy':>30}{'mean':>24}{'time':>8}{'processor time':>16}")
    by_seed = sorted(rows, key=lambda row: row["seed"])
    plain = [row for row in by_seed if row["name"] == "snnTorch loop"]
    for name in dict.fromkeys(row["name"] for row in rows):
        own = [row for row in by_seed if row["name"] == name]
        share = float(np.mean([row["accuracy"] for row in own]))
        low, high = wilson(share, test * len(own))
        mean = f"{share:.3f} [{low:.3f}, {high:.3f}]"
        shares = "  ".join(f"{row['accuracy']:.3f}" for row in own)
        times = [np.median([mine[kind] / loop[kind] for mine, loop in zip(own, plain, strict=True)]) for kind in ("seconds", "processor")]
        print(f"{name:24}{shares:>30}{mean:>24}{times[0]:8.2f}{times[1]:16.2f}")


def main() -> None:
    """Train all three for each seed, in turns, and compare."""
    args = parser.parse_args()
    torch.set_num_threads(1)
    cells = (args.channels, args.hidden, args.classes)
    ways: dict[str, Callable[[], nn.Module]] = {
        "SpikingLayer": lambda: Layers(cells, ()),
        "snnTorch loop": lambda: Loop(cells),
        "tau, threshold learned": lambda: Layers(cells, ("tau", "threshold")),
        "counts": lambda: Counts(args.channels, args.classes),
    }
    shape = (args.classes, args.channels, args.steps)
    trained(ways["SpikingLayer"], patterns(50, *shape, 0), Scores(patterns(50, *shape, 1), accuracy=accuracy), 1, 0)  # kernels are read
    rows = []
    for seed in range(args.seeds):
        data, held_out = patterns(args.train, *shape, 2 * seed), Scores(patterns(args.test, *shape, 2 * seed + 1), accuracy=accuracy)
        for name in ways if seed % 2 == 0 else reversed(ways):
            rows.append({"name": name, "seed": seed, **trained(ways[name], data, held_out, args.epochs, seed)})
            print(json.dumps(rows[-1]), flush=True)
    table(rows, args.test)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

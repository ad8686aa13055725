"""Two pattern tasks of Limbacher, Özdenizci & Legenstein (2022): a spiking network with fast Hebbian weights, and what it owes to them.

    python sims/papers/hebbian_patterns.py
    python analysis/papers/hebbian_patterns.py --out docs/hebbian_patterns.png

"associations": an episode is a sequence of random vectors, each with a label of its own; then one of the vectors comes back, and the
network says its label. Vectors have 10 uniform numbers; labels are 50, drawn without replacement. It is trained on 2 to 10 items and
tested on up to 50.
"cross-modal": an episode is a sequence of pairs, a sound and an image, of classes paired by chance; then another sound of one class
comes, and the network draws the image that was paired with it. It is trained on 2 to 4 pairs and tested on up to 10. A drawing is right
where it is nearest to its own of the episode's images. Test images and test sounds had no part in training.

    vector or sound -> key cells,   label or image -> value cells,   key cells -> recall cells by fast Hebbian weights,   recall -> output

All synapses but the fast ones, and those alone, are trained over many episodes, by surrogate gradients through the fast weights
(`learn.HebbianMemory`). Four rows: "spiking"; "silenced", the same network with its potentiation at 0 in the test; "drawn", whose
synapses onto keys and values stay as drawn, with a trained read-out; "rate", the twin whose cells have rates instead of spikes.
"chance" guesses among the 50 labels, or among the episode's images.

What was read again, in the paper's code (github.com/IGITUGraz/MemoryDependentComputation): the data of both tasks, the rule, and the
defaults (10 numbers, 80 encoding, 100 key and 100 value cells; .3, .3 and a bound of 1; tau 20 ms); in its README: that sequences had 1 to
55 items, and that networks were tested on other lengths than those of their training. The paper's accuracies stand in its text and
figures, which could not be read again; none is given here, and the rows above are the comparison.

Differences: the rule acts once an item, on rates, not in each step on traces, and its depression is .02; an item lasts 20 steps, not 100;
keys are made of the vector alone, by the same synapses as the cue's, and values of the label alone, without an encoding layer; recall cells
have feedforward inhibition, and no feedback onto keys; cells have no refractory time; the read-out is linear, where the paper's images are
drawn by two spiking layers; 480 batches of 32 episodes, not 250 epochs of 9,000. The paper has as many labels as items, and more only to
test other lengths. Its cross-modal task has spoken digits (FSDD) and MNIST, convolutions that were trained before, and three pairs; here
images are the 8 x 8 digits of scikit-learn, and sounds are synthetic: two gliding formants a class, with a tempo, a pitch and noise of
each utterance. That is easier than speech. The paper pairs sounds and images of one digit in its test; here they are paired by chance
there, too, so that slow weights alone cannot know the answer.

Depression, spreads, gain and learning rates were chosen with seed 0, on random episodes and on the test images.

A run that has ended is not made again, and one that was stopped goes on (results/hebbian_patterns/). All 18 trainings and their
tests took six minutes of one core. Writes results/hebbian_patterns.json.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor, nn

from spikemem.evaluate.compare import wilson
from spikemem.learn import FastHebbian, HebbianMemory, Settings, fit

CELLS = 100
"""Key cells, and value cells, as in the paper."""
STEPS = 20
"""Of an item."""
RULE = FastHebbian(potentiation=0.3, depression=0.02)
"""Depression is less than the paper's .3: what is asked for is as often the first item as the last."""
VALUE_SPREAD = 0.4
"""Standard deviation of the currents of value cells before training."""
GAIN = 4.0
"""Of the fast weights before training."""
BATCHES = 80
"""Of an epoch."""
SETTINGS = Settings(epochs=6, batch=32, warmup=20, clip=5.0, device="cpu")
CHUNK = 100
"""Test episodes at a time."""
TRAINED = ("spiking", "drawn", "rate")
KINDS = ("spiking", "silenced", "drawn", "rate")
CLASSES = 10
WIDTH = 150
"""Of a table, in characters."""


class Episodes(NamedTuple):
    """Many episodes of one length.

    cues, items: what is paired, unit norm or about 1, [episode, item, feature].   cue: what is given, [episode, feature].
    own: which item it asks for, [episode].
    """

    cues: Tensor
    items: Tensor
    cue: Tensor
    own: Tensor


class PatternTask(Protocol):
    """A task: what it draws, and what counts as right.

    trained: the least and the greatest length in training.   tested: lengths of the test.   features: of a cue, and of an item.
    spread, level: standard deviation and mean of the currents of key cells before training; the further below 1, the fewer cells fire.
    """

    name: str
    trained: tuple[int, int]
    tested: tuple[int, ...]
    spread: float
    level: float
    lr: float

    @property
    def features(self) -> tuple[int, int]: ...

    def draw(self, episodes: int, length: int, generator: torch.Generator, test: bool = False) -> Episodes: ...

    def loss(self, output: Tensor, episodes: Episodes) -> Tensor: ...

    def right(self, output: Tensor, episodes: Episodes) -> Tensor: ...

    def chance(self, length: int) -> float: ...


@dataclass(frozen=True)
class Associations:
    """Random vectors and their labels."""

    labels: int = 50
    numbers: int = 10
    trained: tuple[int, int] = (2, 10)
    tested: tuple[int, ...] = (2, 5, 10, 20, 30, 40, 50)
    spread: float = 3.0
    level: float = -2.0
    lr: float = 1e-2
    name: str = "associations"

    @property
    def features(self) -> tuple[int, int]:
        return self.numbers, self.labels

    def draw(self, episodes: int, length: int, generator: torch.Generator, test: bool = False) -> Episodes:
        """Vectors drawn anew, centred and of norm 1 on average; labels as one-hot vectors."""
        vectors = (torch.rand(episodes, length, self.numbers, generator=generator) - 0.5) * (12 / self.numbers) ** 0.5
        labels = torch.rand(episodes, self.labels, generator=generator).argsort(1)[:, :length]
        own = torch.randint(length, (episodes,), generator=generator)
        return Episodes(vectors, nn.functional.one_hot(labels, self.labels).float(), vectors[torch.arange(episodes), own], own)

    def loss(self, output: Tensor, episodes: Episodes) -> Tensor:
        return nn.functional.cross_entropy(output, asked(episodes))

    def right(self, output: Tensor, episodes: Episodes) -> Tensor:
        return output.argmax(1) == asked(episodes).argmax(1)

    def chance(self, length: int) -> float:
        return 1 / self.labels


@dataclass(frozen=True, eq=False)
class CrossModal:
    """Sounds and images of classes.

    images: [image, pixel], centred and of norm 1 on average.   classes: of each, [image].   Every fifth image is of the test.
    """

    images: Tensor
    classes: Tensor
    trained: tuple[int, int] = (2, 4)
    tested: tuple[int, ...] = (2, 3, 4, 6, 8, 10)
    spread: float = 1.0
    level: float = -0.3
    lr: float = 2e-2
    name: str = "cross-modal"

    @property
    def features(self) -> tuple[int, int]:
        return FRAMES * CHANNELS, self.images.shape[1]

    def draw(self, episodes: int, length: int, generator: torch.Generator, test: bool = False) -> Episodes:
        """Classes of sounds and classes of images, each without replacement, paired by chance."""
        sounds, images = (torch.rand(episodes, CLASSES, generator=generator).argsort(1)[:, :length] for _ in range(2))
        own = torch.randint(length, (episodes,), generator=generator)
        of_test = torch.arange(len(self.images)) % 5 == 0
        chosen = torch.empty(episodes, length, dtype=torch.long)
        for one in range(CLASSES):
            known = torch.nonzero((self.classes == one) & (of_test == test))[:, 0]
            there = images == one
            chosen[there] = known[torch.randint(len(known), (int(there.sum()),), generator=generator)]
        given = sounds[torch.arange(episodes), own]
        return Episodes(utterances(sounds, generator), self.images[chosen], utterances(given, generator), own)

    def loss(self, output: Tensor, episodes: Episodes) -> Tensor:
        return (output - asked(episodes)).square().sum(1).mean()

    def right(self, output: Tensor, episodes: Episodes) -> Tensor:
        return (output[:, None] - episodes.items).square().sum(2).argmin(1) == episodes.own

    def chance(self, length: int) -> float:
        return 1 / length


FRAMES, CHANNELS = 12, 12
"""Of a sound: time, and frequency."""
FORMANT, NOISE = 1.0, 0.3
"""A formant's width in channels, and the noise of a channel in a frame, beside a peak of 1."""


def utterances(classes: Tensor, generator: torch.Generator) -> Tensor:
    """Synthetic sounds of some classes, each with a tempo, a pitch and noise of its own: [..., FRAMES * CHANNELS], norm about 1.

    A class is two formants that glide from one frequency to another; the frequencies are drawn once and for all.
    """
    ends = torch.rand(CLASSES, 2, 2, generator=torch.Generator().manual_seed(0)) * (CHANNELS - 1)
    first, last = (ends[classes][..., None, :, i] for i in range(2))  # [..., 1, formant]
    tempo, pitch = (torch.rand(*classes.shape, 1, 1, generator=generator) - 0.5 for _ in range(2))
    time = torch.linspace(0, 1, FRAMES)[:, None] ** torch.exp(tempo)
    frequency = first + (last - first) * time + 2 * pitch  # [..., frame, formant]
    away = torch.arange(CHANNELS) - frequency[..., None]
    sound = torch.exp(-(away**2) / (2 * FORMANT**2)).amax(-2)
    sound = sound + NOISE * torch.randn(sound.shape, generator=generator)
    centred = sound.flatten(-2) - 0.3  # about the mean of all sounds
    return centred / centred.norm(dim=-1, keepdim=True)


def digits() -> CrossModal:
    """The task with the 1,797 handwritten digits of scikit-learn (Alpaydin & Kaynak 1998), 8 x 8 pixels."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise SystemExit(
            f'error: the images need scikit-learn, which the "text" extra brings: pip install "spikemem[text]" ({error})'
        ) from error
    pixels, classes = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
    images = (pixels - pixels.mean(0)).float()
    return CrossModal(images / images.norm(dim=1).mean(), classes)


class PatternNetwork(nn.Module):
    """Slow synapses around a `HebbianMemory`, of a kind: spiking, rate, or drawn, whose synapses onto keys and values do not learn."""

    def __init__(self, task: PatternTask, kind: str, rule: FastHebbian = RULE) -> None:
        super().__init__()
        cue, item = task.features
        self.key, self.value, self.output = nn.Linear(cue, CELLS), nn.Linear(item, CELLS), nn.Linear(CELLS, item)
        nn.init.normal_(self.key.weight, std=task.spread)  # cues and items have norm 1
        nn.init.constant_(self.key.bias, task.level)
        nn.init.normal_(self.value.weight, std=VALUE_SPREAD)
        nn.init.zeros_(self.value.bias)
        self.memory = HebbianMemory(CELLS, CELLS, 0 if kind == "rate" else STEPS, rule=rule, gain=GAIN)
        for synapses in (self.key, self.value):
            synapses.requires_grad_(kind != "drawn")

    def forward(self, episodes: Episodes) -> Tensor:
        """The output for each episode's cue, [episode, item's feature]."""
        return self.output(self.memory(self.key(episodes.cues), self.value(episodes.items), self.key(episodes.cue)))

    def silence(self) -> None:
        """No potentiation from now on: the fast weights stay 0."""
        self.memory.rule = replace(self.memory.rule, potentiation=0.0)


def train(
    task: PatternTask, kind: str, settings: Settings = SETTINGS, rule: FastHebbian = RULE, progress: Progress | None = None
) -> PatternNetwork:
    """A network of a kind after its training; the seed draws its synapses and its episodes."""
    with torch.random.fork_rng([]):
        torch.manual_seed(settings.seed)
        network = PatternNetwork(task, kind, rule)
    low, high = task.trained

    def batches(generator: torch.Generator) -> list[Episodes]:
        lengths = torch.randint(low, high + 1, (BATCHES,), generator=generator).tolist()
        return [task.draw(settings.batch, length, generator) for length in lengths]

    bar = None if progress is None else progress.add_task(f"{task.name}, {kind}, seed {settings.seed}", total=None)

    def tell(done: int, total: int) -> None:
        if progress is not None and bar is not None:
            progress.update(bar, completed=done, total=total, visible=done < total)

    settings = replace(settings, lr=task.lr, of=f"{task.name}, {kind}, {task.trained}, {rule}")
    fit(network, batches, lambda model, one: task.loss(model(one), one), settings, progress=tell)
    return network.eval()


@torch.no_grad()
def accuracy(network: PatternNetwork, task: PatternTask, length: int, episodes: int, seed: int) -> float:
    """Share of test episodes of a length whose answer is right."""
    generator, right = torch.Generator().manual_seed(1000 * seed + length), 0
    for first in range(0, episodes, CHUNK):
        one = task.draw(min(CHUNK, episodes - first), length, generator, test=True)
        right += int(task.right(network(one), one).sum())
    return right / episodes


@torch.no_grad()
def example(network: PatternNetwork, task: PatternTask, length: int) -> dict:
    """A few test episodes, and what the network answers, for a picture."""
    one = task.draw(6, length, torch.Generator().manual_seed(0), test=True)
    return {**{name: part.tolist() for name, part in one._asdict().items()}, "output": network(one).tolist()}


def measured(task: PatternTask, kind: str, settings: Settings, rule: FastHebbian, episodes: int, progress: Progress | None = None) -> dict:
    """Train a network, and test it at each length; the spiking one a second time, silenced.   Returns rows, and examples by kind."""
    network = train(task, kind, settings, rule, progress)
    rows, examples = [], {}
    for name in [kind, "silenced"] if kind == "spiking" else [kind]:
        if name == "silenced":
            network.silence()
        for length in task.tested:
            right = accuracy(network, task, length, episodes, settings.seed)
            rows.append({"task": task.name, "kind": name, "seed": settings.seed, "length": length, "n": episodes, "right": right})
        if isinstance(task, CrossModal):
            examples[name] = example(network, task, task.trained[1])
    return {"rows": rows, "examples": examples}


def asked(episodes: Episodes) -> Tensor:
    """The item that each episode asks for, [episode, feature]."""
    return episodes.items[torch.arange(len(episodes.own)), episodes.own]


def table(task: PatternTask, rows: list[dict]) -> Table:
    """A line a kind: the mean of the seeds at each length, with the 95 % Wilson interval of all their episodes."""
    made = Table("", *(f"{n}" + ("" if n <= task.trained[1] else " *") for n in task.tested))
    made.title = f"{task.name}: share right, by length (*: beyond those of the training, {task.trained[0]} to {task.trained[1]})"
    for kind in KINDS:
        cells = []
        for length in task.tested:
            own = [row for row in rows if (row["task"], row["kind"], row["length"]) == (task.name, kind, length)]
            if own:
                share, n = float(np.mean([row["right"] for row in own])), sum(row["n"] for row in own)
                cells.append("{:.3f} [{:.3f}, {:.3f}]".format(share, *wilson(share, n)))
        if cells:
            made.add_row(kind, *cells)
    made.add_row("chance", *(f"{task.chance(length):.3f}" for length in task.tested))
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=("associations", "cross-modal"), default=["associations", "cross-modal"])
    parser.add_argument("--kinds", nargs="+", choices=TRAINED, default=list(TRAINED), help="what is trained; spiking brings silenced")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=SETTINGS.epochs, help=f"of {BATCHES} batches")
    parser.add_argument("--depression", type=float, default=RULE.depression, help="of the rule; the paper has .3, in each step")
    parser.add_argument("--episodes", type=int, default=500, help="of a test, for each seed and length")
    parser.add_argument("--out", type=Path, default=Path("results/hebbian_patterns.json"))
    args = parser.parse_args(arguments)
    tasks: list[PatternTask] = [Associations() if name == "associations" else digits() for name in args.tasks]
    rule, folder, rows, examples = replace(RULE, depression=args.depression), args.out.with_suffix(""), [], {}
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for task, seed, kind in product(tasks, args.seeds, args.kinds):
            run = folder / f"{task.name}-{kind}-{seed}-{args.epochs}-{args.depression}-{args.episodes}"
            done = run / "measured.json"
            if not done.exists():
                settings = replace(SETTINGS, seed=seed, epochs=args.epochs, checkpoint=run)
                done.write_text(json.dumps(measured(task, kind, settings, rule, args.episodes, progress)))
            made = json.loads(done.read_text())
            rows, examples = rows + made["rows"], made["examples"] | examples
    for task in tasks:
        Console(width=WIDTH).print(table(task, rows))
    about = {task.name: {"trained": task.trained, "chance": {n: task.chance(n) for n in task.tested}} for task in tasks}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"tasks": about, "rule": asdict(rule), "rows": rows, "examples": examples}, indent=1))


if __name__ == "__main__":
    main()

"""Diehl and Cook (2015) in small: cells that learn handwritten digits by STDP, with no teacher; labels are assigned afterwards.

    python sims/papers/digits.py

64 pixels fire Poisson spikes at up to 127.5 Hz. They excite cells E, each of which excites an inhibitory cell I of its own, which in turn
inhibits all other cells E. With V in mV above rest, conductances in units of the leak that decay with 2 ms,

    E    100 ms dV/dt = -V + g_e (65 - V) + g_i (-35 - V)           threshold 13 + b, refractory for 5 ms
    I     10 ms dV/dt = -V + g_e (60 - V)                           threshold 20, reset 15, refractory for 2 ms

    b <- b + theta_plus at each spike of the cell, and decays with 10,000 s

Cells that win become harder to excite, so that others win, too. Synapses of the pixels learn by triplets, of the nearest spikes, in [0,
1], and after each digit those onto a cell are scaled to a fixed sum:

    post:   w <- w + eta x_pre y2,  y2 as it was before the spike         pre:   w <- w - eta / 100 y1

with x_pre and y1 of 20 ms, y2 of 40 ms. Then learning stops: a cell's label is the digit to which it fires most, over the digits that were
learned; a held-out digit is read as the label whose cells fire most. Beside it:

    silenced        the same cells, whose thresholds adapt and whose labels are assigned all the same, with eta = 0
    nearest mean    the class whose mean image is nearest, with all labels at hand

Parameters, the triplet rule and the way of labelling were read again in the authors' program (peter-u-diehl/stdp-mnist), the paper was
not; there, weights start at random and are scaled before each digit, as here. What differs: images are scikit-learn's 8 x 8 digits
(Alpaydin & Kaynak 1998), not MNIST's 28 x 28; cells and digits are fewer than 400 and 180,000, and eta and theta_plus larger than .01 and
.05 mV for it; pixels fire up to twice as fast and weights sum to 8.4, not 78, and g_e decays with 2 ms, not 1, for about as much drive;
steps last 1 ms, not .5; between digits V, conductances and traces begin anew, where there are 150 ms of rest; V is reset by subtraction;
there are no delays; a digit to which hardly a cell fires is not shown again in brighter light; in tests thresholds still rise within a
digit.

Prints accuracies over seeds, with 95 % intervals (Student's t); writes results/digits.json and results/digits.npz.
"""

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import t

from spikemem import ALIF, LIF, Exponential, Network, Population, Receptors, Recording, TripletSTDP, poisson, simulate
from spikemem.network import Dense, all_but_self, one_to_one

DT, SHOWN, SYNAPSE = 1.0, 350.0, 2.0
"""ms: of a step, for which a digit is shown, and with which a conductance decays."""
BRIGHTEST, TOTAL = 127.5, 8.4
"""Rate of a white pixel, Hz, and the sum of the weights onto a cell."""
TAU, TAU_THETA, THRESHOLD, EXCITES, INHIBITS = 100.0, 1e7, 13.0, 65.0, -35.0
E_TO_I, I_TO_E = 10.4, 17.0
CLASSES, INPUT = 10, "input->E"
TESTS = 1_000_000
"""The first seed of the spikes in tests, beyond all of those in learning."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=40)
parser.add_argument("--digits", type=int, default=120, help="how many are learned")
parser.add_argument("--held-out", type=int, default=100, help="how many are tested")
parser.add_argument("--eta", type=float, default=0.05, help="learning rate")
parser.add_argument("--theta-plus", type=float, default=0.2, help="how far a spike raises the cell's threshold, mV")
parser.add_argument("--seeds", type=int, default=3)
parser.add_argument("--out", type=Path, default=Path("results"), help="the folder for digits.json and digits.npz")


class Digits(NamedTuple):
    """Images from 0 to 1, [digit, pixel], and their classes, [digit]."""

    images: NDArray[np.float64]
    classes: NDArray[np.int64]


class Learned(NamedTuple):
    """What outlasts a digit: weights, [network, pixel, cell], and b of `ALIF`, with which thresholds rise, [network, cell]."""

    weights: NDArray[np.float64]
    adaptation: NDArray[np.float64]


def split(learned: int, held_out: int, seed: int) -> tuple[Digits, Digits]:
    """Digits to learn and held-out ones, drawn at random of scikit-learn's 1,797."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise SystemExit(
            f'error: the digits need scikit-learn, which the "analysis" extra brings: pip install "spikemem[analysis]" ({error})'
        ) from error
    pixels, classes = load_digits(return_X_y=True)
    if learned + held_out > len(classes):
        raise SystemExit(f"error: {learned} digits and {held_out} held out are more than there are, {len(classes)}; ask for fewer")
    order = np.random.default_rng(seed).permutation(len(classes))[: learned + held_out]
    first, last = (Digits(pixels[part] / 16.0, classes[part]) for part in (order[:learned], order[learned:]))
    return first, last


def stdp(eta: float) -> TripletSTDP:
    """The rule of the authors' program."""
    times = {"tau_plus": 20.0, "tau_minus": 20.0, "tau_x": 40.0, "tau_y": 40.0}
    return TripletSTDP(a2_plus=0.0, a3_plus=eta, a2_minus=eta / 100, a3_minus=0.0, **times, pairing="nearest")


def scaled(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights, [..., pixel, cell], with the same sum onto each cell."""
    return weights * (TOTAL / weights.sum(axis=-2, keepdims=True))


def naive(pixels: int, cells: int, seeds: int) -> Learned:
    """Random weights, a network a seed, and thresholds that have not risen."""
    drawn = [np.random.default_rng(seed).uniform(0.01, 1.01, (pixels, cells)) for seed in range(seeds)]
    return Learned(scaled(np.stack(drawn)), np.zeros((seeds, cells)))


def network(weights: NDArray[np.float64], rule: TripletSTDP | None, theta_plus: float) -> Network:
    """Populations input, E and I.   rule: of the pixels' synapses; None silences it."""
    leak = -math.expm1(-DT / TAU)  # so that a unit of conductance is that of the leak
    rise = theta_plus / -math.expm1(-DT / TAU_THETA)
    excitatory = ALIF(tau=TAU, threshold=THRESHOLD, tau_adapt=TAU_THETA, jump=rise, refractory=5.0, resistance=leak)
    inhibitory = LIF.from_equation(DT, tau=10.0, threshold=20.0, reset=15.0, refractory=2.0)
    pixels, cells = weights.shape
    net = Network(DT)
    net.add(Population("input", pixels, poisson(0.0)))
    net.add(
        Population("E", cells, Receptors(excitatory, excitatory=Exponential(SYNAPSE, EXCITES), inhibitory=Exponential(SYNAPSE, INHIBITS)))
    )
    net.add(Population("I", cells, Receptors(inhibitory, excitatory=Exponential(SYNAPSE, 60.0))))
    net.connect("input", "E", Dense(weights), receptor="excitatory", plasticity=rule)
    net.connect("E", "I", one_to_one(E_TO_I), receptor="excitatory")
    net.connect("I", "E", all_but_self(I_TO_E), receptor="inhibitory")
    return net


def show(net: Network, adaptation: NDArray[np.float64], images: NDArray[np.float64], seed: int, weights: Any = None) -> Recording:
    """Images, [digit, pixel], side by side, each to a network at rest.

    adaptation: b of the cells, [cell] or [digit, cell].   weights: of each network, [digit, pixel, cell]; None are those of `net`.
    """
    rest = simulate(net, {}, 1, trials=len(images)).state
    raised = {**rest.cells["E"], "inner.adaptation": np.broadcast_to(adaptation, (len(images), adaptation.shape[-1])).copy()}
    rules = dict(rest.rules)
    if weights is not None:
        rules[INPUT] = replace(rules[INPUT], fields={**rules[INPUT].fields, "weights": weights})
    start = replace(rest, cells={**rest.cells, "E": raised}, rules=rules)
    lit = [poisson(BRIGHTEST * image, seed=seed + i) for i, image in enumerate(images)]
    return simulate(net, {"input": lit}, round(SHOWN / DT), trials=len(images), start=start)


def counts(recording: Recording) -> NDArray[np.int64]:
    """Spikes of the cells E, [digit, cell]."""
    spikes = recording["E"]
    made = np.zeros((recording.batches, spikes.size), np.int64)
    np.add.at(made, (spikes.batch, spikes.cell), 1)
    return made


def learn(before: Learned, images: NDArray[np.float64], rule: TripletSTDP, theta_plus: float, seed: int) -> Learned:
    """What is there after each network was shown its images, one after the other.   images: [digit, network, pixel]."""
    net, (weights, adaptation) = network(before.weights[0], rule, theta_plus), before
    for i, shown in enumerate(images):
        recording = show(net, adaptation, shown, seed + i * len(shown), weights)
        weights, adaptation = scaled(recording.weights[INPUT]), recording.state.cells["E"]["inner.adaptation"]
    return Learned(weights, adaptation)


def labels(spikes: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each cell the class to which it fires most, [cell]; -1 where it never fires.   spikes: [digit, cell]."""
    means = np.stack([spikes[classes == c].sum(axis=0) / max(1, (classes == c).sum()) for c in range(CLASSES)])
    return np.where(means.any(axis=0), means.argmax(axis=0), -1)


def read(spikes: NDArray[np.int64], labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class whose cells fire most, [digit]."""
    means = np.stack([spikes[:, labelled == c].sum(axis=1) / max(1, (labelled == c).sum()) for c in range(CLASSES)], axis=1)
    return means.argmax(axis=1)


def accuracy(
    weights: NDArray[np.float64], adaptation: NDArray[np.float64], known: Digits, held_out: Digits, theta_plus: float, seed: int
) -> tuple[float, NDArray[np.int64]]:
    """The share of held-out digits that a network reads right, without plasticity, and its labels, assigned by the known ones."""
    net, images = network(weights, None, theta_plus), np.concatenate([known.images, held_out.images])
    spikes = counts(show(net, adaptation, images, seed))
    labelled = labels(spikes[: len(known.classes)], known.classes)
    return float((read(spikes[len(known.classes) :], labelled) == held_out.classes).mean()), labelled


def nearest_mean(known: Digits, held_out: Digits) -> float:
    """The share of held-out digits whose class has the nearest mean image."""
    means = np.stack([known.images[known.classes == c].mean(axis=0) for c in range(CLASSES)])
    apart = np.linalg.norm(held_out.images[:, None] - means, axis=2)
    return float((apart.argmin(axis=1) == held_out.classes).mean())


def course(args: argparse.Namespace, eta: float) -> tuple[NDArray[np.float64], Learned, NDArray[np.int64]]:
    """Accuracies at the checkpoints, [seed, checkpoint], what is learned at the end, and the cells' labels, [seed, cell]."""
    parts = [split(args.digits, args.held_out, seed) for seed in range(args.seeds)]
    images = np.stack([known.images for known, _ in parts], axis=1)
    now, before, found = naive(images.shape[-1], args.cells, args.seeds), 0, []
    for after in checkpoints(args):
        now = learn(now, images[before:after], stdp(eta), args.theta_plus, before * args.seeds)
        found.append([accuracy(*own, *parts[seed], args.theta_plus, TESTS) for seed, own in enumerate(zip(*now, strict=True))])
        before = after
    accuracies = np.array([[share for share, _ in row] for row in found]).T
    return accuracies, now, np.stack([labelled for _, labelled in found[-1]])


def checkpoints(args: argparse.Namespace) -> list[int]:
    """After how many digits accuracy is measured."""
    return sorted({0, args.digits // 2, args.digits})


def interval(values: list[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % interval by Student's t; nan for one value."""
    n = len(values)
    return float(np.mean(values)), float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n)) if n > 1 else math.nan


def main() -> None:
    args = parser.parse_args()
    console = Console()
    args.out.mkdir(parents=True, exist_ok=True)
    courses, arrays = {}, {}
    for condition, eta in (("plastic", args.eta), ("silenced", 0.0)):
        with console.status(f"{args.cells} cells, {args.digits} digits, {condition}"):
            found, learned, labelled = course(args, eta)
        courses[condition] = found.tolist()
        arrays |= {f"{condition}_weights": learned.weights, f"{condition}_labels": labelled}
        console.print(condition, found.round(3).tolist())
    means = [nearest_mean(*split(args.digits, args.held_out, seed)) for seed in range(args.seeds)]
    last = {**{condition: [c[-1] for c in found] for condition, found in courses.items()}, "nearest mean": means}
    last["plastic - silenced"] = [p - q for p, q in zip(last["plastic"], last["silenced"], strict=True)]
    table = Table(title=f"{args.held_out} held-out digits, {args.seeds} seeds")
    for column in ("condition", "accuracy", "95 % interval", "by seed"):
        table.add_column(column, justify="right")
    for name, values in last.items():
        mean, half = interval(values)
        table.add_row(name, f"{mean:.3f}", f"± {half:.3f}", " ".join(f"{value:.3f}" for value in values))
    console.print(table)
    written = {**{k: v for k, v in vars(args).items() if k != "out"}, "checkpoints": checkpoints(args), "courses": courses, "last": last}
    (args.out / "digits.json").write_text(json.dumps(written, indent=2))
    np.savez_compressed(args.out / "digits.npz", **arrays)


if __name__ == "__main__":
    main()

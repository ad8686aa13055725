"""Inhibitory plasticity makes an engram selective over a day (Tome et al. 2024), in a small network.

    python sims/papers/engram_selectivity.py --data DIR --figure docs/engram_selectivity.png

Leaky cells with conductances, in units of the leak; S are Poisson cells of a stimulus, E and I excitatory and inhibitory cells:

    tau dV/dt = -V + g_e (60 mV - V) + g_i (-20 mV - V)      tau 20 ms, threshold 10 mV above rest, reset 0, 5 ms of refractoriness
    g_e falls with 50 ms, g_i with 10 ms

    training        S of the training stimulus fire at 50 Hz, others at 3; S onto E learns by triplets (Pfister & Gerstner 2006)
    engram          cells of E that the training stimulus makes fire at 10 Hz or more
    a day           each hour the stimulus is reactivated for 250 ms of a second; synapses from I onto E learn (Vogels et al. 2011)
    recall          at 1, 5, 12 and 24 h, nine tenths of the training stimulus, or of a novel one that has .59, .51 or .52 of its cells; a
                    cue recalls where the engram fires at 10 Hz or more on average. Nothing learns
    discrimination  (a - b) / (a + b), of the shares of cues of the training and of the novel stimuli that recall

Controls: `silenced`, in which I onto E learn nothing all day; `fewer`, in which three of four of I's cells learn nothing.

From the authors' code, read again in part (P11BConnection.cpp, GlobalPFBConnection.cpp, globalvars.sh): conductances, excitatory synapses
of the stimulus by triplets, inhibitory ones by symmetric coincidences; the threshold of 10 Hz, and what stimuli have in common, are from
notes on it. Theirs has 4,096 and 1,024 cells, AMPA beside NMDA, plastic excitatory synapses throughout, a homeostatic threshold, inhibition
whose learning a global rate gates, and a day of 86,400 s. Here an hour is a second, in which inhibition learns that much faster, and
excitatory synapses rest after training. The figures of mice are the means of their public data, in --data; the paper itself was not read
again. Cell numbers, weights, learning rate and target were chosen by hand for mice's course over the day, on seeds 0 to 2; seeds from 10 on
had no part in that. So this shows that the rule can, not that it must.

Prints a row for each time; writes results/engram_selectivity.json.
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from spikemem import LIF, Exponential, InhibitorySTDP, Network, Population, Receptors, TripletSTDP, simulate
from spikemem.engrams import engram_cells, selectivity
from spikemem.network import PlasticityRule, Sparse

DT = 0.5
SIZE = {"S": 400, "E": 200, "I": 50}
FAN_IN = {"SE": 80, "EE": 20, "SI": 40, "EI": 20, "II": 10, "IE": 20}
WEIGHT = {"SE": 0.0047, "EE": 0.002, "SI": 0.015, "EI": 0.002, "II": 0.2, "IE": 0.07}
"""Of a synapse, in units of the leak."""
STIMULUS, RATE, REST = 100, 50.0, 3.0
"""Cells of a stimulus; Hz of these, and of all others."""
OVERLAPS = 0.59, 0.51, 0.52
"""What novel stimuli have in common with the training stimulus (stimulus_overlap.csv)."""
HOURS = 1, 5, 12, 24
LEARNING = TripletSTDP(a2_plus=0.0, a3_plus=1.2e-5, a2_minus=3e-6, a3_minus=0.0, w_max=0.04)
CRITERION = 10.0
"""Hz at which a cell belongs to the engram, and an engram is recalled."""
CONDITIONS = {"learns": 1.0, "fewer": 0.25, "silenced": 0.0}
"""The share of I's cells whose synapses learn."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of public data, for the figures of mice")
parser.add_argument("--seeds", type=int, default=4)
parser.add_argument("--first", type=int, default=10, help="the first seed")
parser.add_argument("--eta", type=float, default=0.0036, help="learning rate of inhibition")
parser.add_argument("--target", type=float, default=16.0, help="the rate that it aims at, Hz")
parser.add_argument("--part", type=float, default=0.9, help="share of a stimulus that a cue has")
parser.add_argument("--cues", type=int, default=8, help="partial cues of each stimulus")
parser.add_argument("--only", nargs="+", choices=CONDITIONS, default=list(CONDITIONS))
parser.add_argument("--out", type=Path, default=Path("results/engram_selectivity.json"))
parser.add_argument("--figure", type=Path, help="where to draw it")

Wires = dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
Weights = dict[str, NDArray[np.float64]]


class Animal(NamedTuple):
    """A network before training.   wires: cells of each synapse, by projection.   weights: likewise.   voltage: mV.   training: its cells.

    novel: the cells of other stimuli.
    """

    wires: Wires
    weights: Weights
    voltage: dict[str, NDArray[np.float64]]
    training: NDArray[np.int64]
    novel: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, seed: int) -> "Animal":
        """One by its seed."""
        rng, wires = np.random.default_rng(seed), {}
        for way, fan_in in FAN_IN.items():
            pre, post = SIZE[way[0]], SIZE[way[1]]
            sources = np.concatenate([rng.choice(pre, fan_in, replace=False) for _ in range(post)])
            wires[way] = sources, np.repeat(np.arange(post), fan_in)
        cells, novel = rng.permutation(SIZE["S"]), []
        for share in OVERLAPS:
            shared = round(share * STIMULUS)
            others = rng.choice(cells[STIMULUS:], STIMULUS - shared, replace=False)
            novel.append(np.concatenate([rng.choice(cells[:STIMULUS], shared, replace=False), others]))
        weights = {way: np.full(len(pairs[0]), WEIGHT[way]) for way, pairs in wires.items()}
        return cls(wires, weights, {name: rng.uniform(0.0, 10.0, SIZE[name]) for name in "EI"}, cells[:STIMULUS], tuple(novel))


def network(animal: Animal, weights: Weights, rules: dict[str, PlasticityRule] | None = None, learns: float = 1.0) -> Network:
    """The network with some weights; which projections learn by which rules.   learns: the share of I's cells that do."""
    net, rules = Network(DT), rules or {}
    cell = LIF.from_equation(DT, tau=20.0, threshold=10.0, reset=0.0, refractory=5.0)
    neuron = Receptors(cell, excitatory=Exponential(50.0, reversal=60.0), inhibitory=Exponential(10.0, reversal=-20.0))
    net.add(Population("S", SIZE["S"], LIF(20.0)))
    for name in "EI":
        net.add(Population(name, SIZE[name], neuron, voltage=animal.voltage[name]))
    for way, (pre, post) in animal.wires.items():
        receptor, shape = "inhibitory" if way[0] == "I" else "excitatory", (SIZE[way[0]], SIZE[way[1]])
        fixed = pre >= (round(learns * shape[0]) if way in rules else 0)
        for some, rule in ((~fixed, rules.get(way)), (fixed, None)):  # what learns has the projection's plain name
            if some.any():
                made = Sparse.from_coo(pre[some], post[some], weights[way][some], shape)
                net.connect(way[0], way[1], made, receptor=receptor, plasticity=rule)
    return net


def spikes(rng: np.random.Generator, cells: NDArray[np.int64], *times: float) -> NDArray[np.bool_]:
    """Spikes of S, [time, 1, cell], while some cells fire at RATE and at REST in turn.   times: ms of each turn."""
    parts = []
    for turn, ms in enumerate(times):
        rate = np.full(SIZE["S"], REST)
        rate[cells] = REST if turn % 2 else RATE
        parts.append(rng.random((round(ms / DT), SIZE["S"])) < rate * DT / 1000.0)
    return np.concatenate(parts)[:, None]


def taught(animal: Animal, weights: Weights, way: str, rule: PlasticityRule, given: NDArray[np.bool_], learns: float = 1.0) -> Weights:
    """The weights after one projection has learned, all but those of I's cells that do not."""
    if not learns:
        return weights
    pre, post = animal.wires[way]
    recording = simulate(network(animal, weights, {way: rule}, learns), {"S": given}, len(given))
    found = recording.weights[f"{way[0]}->{way[1]}"][0][pre, post]
    return {**weights, way: np.where(pre < round(learns * SIZE[way[0]]), found, weights[way])}


def rates(animal: Animal, weights: Weights, cues: list[NDArray[np.int64]], rng: np.random.Generator, ms: float) -> NDArray[np.float64]:
    """How often E's cells fire for cues, Hz, [cue, cell]."""
    given = np.concatenate([spikes(rng, cue, ms) for cue in cues], axis=1)
    return simulate(network(animal, weights), {"S": given}, len(given)).rates("E")


def day(seed: int, learns: float, args: argparse.Namespace) -> dict[str, Any]:
    """Training and a day after it, of one animal: at each time the shares of cues that recall, and rates."""
    animal, rng, rule = Animal.of(seed), np.random.default_rng([seed, 1]), InhibitorySTDP(args.eta, 20.0, args.target, w_max=8.0)
    weights = taught(animal, animal.weights, "SE", LEARNING, spikes(rng, animal.training, *(1000.0,) * 10))
    tested = simulate(network(animal, weights), {"S": (given := spikes(rng, animal.training, 1000.0))}, len(given))
    engram = engram_cells(tested.trains("E"), "rate", CRITERION)[0]
    post, courses, hour = animal.wires["IE"][1], [], 0
    for until in HOURS:
        weights = taught(animal, weights, "IE", rule, spikes(rng, animal.training, *(250.0, 750.0) * (until - hour)), learns)
        hour, found = until, []
        for stimuli in ((animal.training,), animal.novel):
            cues = [rng.choice(cells, round(args.part * STIMULUS), replace=False) for cells in stimuli for _ in range(args.cues)]
            found.append(rates(animal, weights, cues, rng, 500.0)[:, engram].mean(axis=1))
        onto = [float(weights["IE"][engram[post] == own].mean()) for own in (True, False)]
        courses.append(
            {
                "hours": until, "training": float((found[0] >= CRITERION).mean()), "novel": float((found[1] >= CRITERION).mean()),
                "rates": [float(f.mean()) for f in found], "inhibition": onto[0] / onto[1],
            }
        )  # fmt: skip
    return {"seed": seed, "engram": float(engram.mean()), "course": courses}


def mice(folder: Path | None) -> dict[str, dict[int, tuple[float, float]]]:
    """The discrimination index of mice by hour, mean and standard error, with and without CCK cells; {} without the data."""
    if folder is None:
        return {}
    with (folder / "engrams" / "tome2024_experiment_summary.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["hours_post_cfc"]))
    fields = "experiment", "group", "phase"
    return {
        name: {
            int(r["hours_post_cfc"]): (float(r["mean"]), float(r["sem"]))
            for r in rows
            if (*key, "recall-discrimination") == tuple(r[f] for f in fields)
        }
        for name, key in (("mice", ("A", "behavior")), ("mice, CCK cells silenced", ("B", "cck-inhibition")))
    }


def summed(days: list[dict[str, Any]]) -> list[dict[str, float]]:
    """Discrimination at each time, of animals, with its standard error, and the means of what else was measured."""
    shares = np.array([[(c["training"], c["novel"]) for c in one["course"]] for one in days])
    told = []
    for t, hour in enumerate(HOURS):
        a, b = shares[:, t].mean(axis=0)
        each = selectivity(np.maximum(shares[:, t, 0], 1e-9), shares[:, t, 1])
        course = [one["course"][t] for one in days]
        told.append(
            {
                "hours": hour, "index": float((a - b) / max(a + b, 1e-9)), "sem": float(np.ravel(each.sem)[0]), "training": float(a),
                "novel": float(b), "rate": float(np.mean([c["rates"][0] for c in course])),
                "novel rate": float(np.mean([c["rates"][1] for c in course])),
                "inhibition": float(np.mean([c["inhibition"] for c in course])),
            }
        )  # fmt: skip
    return told


def draw(made: dict[str, list[dict[str, float]]], real: dict[str, dict[int, tuple[float, float]]], path: Path) -> None:
    """Discrimination over the day, and what of it is recall of the training and of novel stimuli."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    labels = {"learns": "model", "fewer": "model, a quarter learns", "silenced": "model, inhibition learns nothing"}
    for (name, rows), colour in zip(made.items(), ("C1", "C4", "C3"), strict=False):
        left.errorbar(
            [r["hours"] for r in rows], [r["index"] for r in rows], [r["sem"] for r in rows], color=colour, marker="o", label=labels[name]
        )
    for (name, course), style in zip(real.items(), ("-", "--"), strict=False):
        left.errorbar(
            list(course), [m for m, _ in course.values()], [s for _, s in course.values()], color="k", ls=style, marker="s", label=name
        )
    left.set(xlabel="hours after training", ylabel="discrimination index", ylim=(-0.2, 1.05))
    left.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    for field, colour, label in (("rate", "C1", "training"), ("novel rate", "C0", "novel")):
        right.plot(HOURS, [r[field] for r in made["learns"]], color=colour, marker="o", label=label)
    right.axhline(CRITERION, color="k", lw=0.7, ls=":")
    right.set(xlabel="hours after training", ylabel="rate of the engram, Hz", yscale="log")
    right.legend(frameon=False, fontsize=8, title="stimulus")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    args = parser.parse_args()
    real, made, every = mice(args.data), dict[str, list[dict[str, float]]](), {}
    for name in args.only:
        every[name] = [day(args.first + seed, CONDITIONS[name], args) for seed in range(args.seeds)]
        made[name] = summed(every[name])
        print(f"{name}: engram {np.mean([one['engram'] for one in every[name]]):.3f} of E's cells, {args.seeds} animals")
        for row in made[name]:
            told = ", ".join(f"{who} {course[int(row['hours'])][0]:.2f}" for who, course in real.items() if int(row["hours"]) in course)
            print(
                f"  {row['hours']:>2} h: discrimination {row['index']:.2f} +- {row['sem']:.2f} ({told or 'mice: give --data'}); recalls by "
                f"training {row['training']:.2f}, novel {row['novel']:.2f}; {row['rate']:.1f} and {row['novel rate']:.1f} Hz; inhibition "
                f"onto engram cells {row['inhibition']:.2f} times that of others",
                flush=True,
            )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"summary": made, "animals": every}, indent=1))
    if args.figure is not None:
        draw(made, real, args.figure)


if __name__ == "__main__":
    main()

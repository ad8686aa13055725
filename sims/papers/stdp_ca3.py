"""Clipped Hebb as teacher-forced STDP: CA3's synapses learned spike by spike, beside the one-shot rule W |= target x cue.

    python sims/papers/stdp_ca3.py --pairs 2000

A pair is two engrams of `core` random cells each. In each theta cycle one pair is taught: first the cells of the cue fire, 10 ms later
those of the target, every spike at random within its volley. The teacher is the dentate gyrus, whose mossy fibres fire CA3 cells as they
please while something is stored (McNaughton & Morris 1987; Treves & Rolls 1992); here its spikes are given. A synapse counts as a set bit
where it has come above half of its bound. The collaterals are seen from both sides: cells in the role of the cue, and in that of the
target; a last line has one recurrent population in both roles, where each reverse pairing depresses what another pair may have taught
(its volleys are synchronous, or the cells of one volley would bind to each other as well, which is auto-association).

The rule (`STDP`, additive, hard bounds): time constants of Bi & Poo (2001). One pairing lifts a synapse to its bound from wherever it is,
since potentiation of a single synapse is all-or-none (Petersen et al. 1998; O'Connor et al. 2005), and a single burst suffices (Remy &
Spruston 2007) as it must for a memory of one trial. Depression is slow: .005 of the bound, so that some 60 pairings take away the fourth
part, as in Bi & Poo (1998). At synapses between CA3 cells Mishra et al. (2016) found no depression at all: this is the harder case.

Recall is simulated, too, with the weights as they were learned: a cue fires the most excited `core` cells of the other side, and is right
where its own target among all has the most of them. Learned weights are graded, and break ties that bits leave open. The control starts
from W = 0 with no teacher for the target cells. Prints what it finds and writes results/stdp_ca3.json, which
analysis/papers/stdp_ca3.py draws.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress

from spikemem import LIF, STDP, KWinners, Network, Population, load_model, simulate
from spikemem.errors import MissingExtraError
from spikemem.network.synapses import Dense
from spikemem.simulators.registry import SIMULATORS

BESIDE = ["torch", "snntorch", "norse", "brian2"]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", default="hippocampus-small", help="gives the number of cells and the size of a core")
parser.add_argument("--cells", type=int, help="in the place of the model's")
parser.add_argument("--core", type=int, help="in the place of the model's")
parser.add_argument("--pairs", type=int, default=2000)
parser.add_argument("--cycle", type=int, default=125, help="from pair to pair, ms; below some 40 a target binds to the next cue")
parser.add_argument("--simulator", choices=SIMULATORS, default="event", help="that learns all pairs")
parser.add_argument("--beside", nargs="*", choices=SIMULATORS, default=BESIDE, help="that learn some pairs of a small CA3")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/stdp_ca3.json"))

RULE = STDP(a_plus=2.0, a_minus=0.005, tau_plus=16.8, tau_minus=33.7, w_min=0.0, w_max=1.0)
GAP = 10
"""From the cue's volley to the target's, ms: within a gamma cycle."""
VOLLEY = 5
"""How long a volley lasts, ms."""
CHUNK = 250
"""Pairs in one simulation; the next goes on from its weights. Between two, the traces of the last volley are lost."""
SHARES = (1.0, 0.5, 0.25)
"""Of a cue's cells that are given at recall."""
THRESHOLD = 1.0
"""Of the untaught target cells; one synapse at its bound would just not fire them."""
EQUAL = 1e-6
"""Weights of two simulators are equal within this."""
SMALL = {"cells": 128, "core": 8, "pairs": 24}
"""The CA3 that is learned in several simulators."""


WHY = """\
  Nothing is learned: a synapse of weight 0 passes on no current, so no target cell reaches threshold, so no postsynaptic spike follows a
  presynaptic one, and potentiation has no pair to act on. Hebb's rule strengthens what already works; what fires a cell the first time
  must come from elsewhere. In CA3 that is the mossy fibre detonator (McNaughton & Morris 1987; Treves & Rolls 1992), which is what teacher
  forcing stands for."""


class Pairs(NamedTuple):
    """Engrams to bind: cells of the cue, and of the target, each [pair, core]."""

    cue: np.ndarray
    target: np.ndarray


def random_pairs(pairs: int, cells: int, core: int, seed: int) -> Pairs:
    rng = np.random.default_rng(seed)
    return Pairs(*(np.stack([rng.choice(cells, core, replace=False) for _ in range(pairs)]) for _ in range(2)))


def one_shot(pairs: Pairs, cells: int) -> np.ndarray:
    """Clipped Hebb (Willshaw, Buneman & Longuet-Higgins 1969): bool, [pre, post]."""
    bits = np.zeros((cells, cells), bool)
    for cue, target in zip(*pairs, strict=True):
        bits[np.ix_(cue, target)] = True
    return bits


def volleys(pairs: Pairs, cells: int, cycle: int, volley: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Chunk by chunk the spikes of the cues and of the targets, a pair a cycle, bool, [time, cell] each."""
    for first in range(0, len(pairs.cue), CHUNK):
        rng = np.random.default_rng([seed, first])
        sides = []
        for engrams, start in zip(pairs, (0, GAP), strict=True):
            some = engrams[first : first + CHUNK]
            spikes = np.zeros((len(some) * cycle, cells), bool)
            spikes[np.arange(len(some))[:, None] * cycle + start + rng.integers(volley, size=some.shape), some] = True
            sides.append(spikes)
        yield sides[0], sides[1]


def learn(
    pairs: Pairs, weights: np.ndarray, *, cycle: int = 125, rule: STDP = RULE, recurrent: bool = False, simulator: str = "event",
    seed: int = 0, advance: Callable[[float], object] = lambda pairs: None,
) -> np.ndarray:  # fmt: skip
    """The weights, [pre, post], after one teacher-forced pairing of each pair.   advance: told how many more pairs were learned."""
    cells = len(weights)
    pre, post = ("ca3", "ca3") if recurrent else ("cue", "target")
    for cue, target in volleys(pairs, cells, cycle, 1 if recurrent else VOLLEY, seed):
        net = Network(dt=1.0)
        for name in dict.fromkeys((pre, post)):
            net.add(Population(name, cells))
        collaterals = net.connect(pre, post, Dense(weights), plasticity=rule)
        forced = {"ca3": cue | target} if recurrent else {"cue": cue, "target": target}
        weights = simulate(net, forced, len(cue), simulator=simulator).weights[collaterals.name][0]
        advance(len(cue) / cycle)
    return weights


def untaught(pairs: Pairs, cells: int, *, cycle: int = 125, seed: int = 0, advance: Callable[[float], object] = lambda pairs: None) -> dict:
    """From W = 0 under the same cues, but without a teacher for the target cells: what these receive, fire and learn."""
    weights, spikes, events, highest = np.zeros((cells, cells)), 0, 0, 0.0
    for cue, _ in volleys(pairs, cells, cycle, VOLLEY, seed):
        net = Network(dt=1.0)
        net.add(Population("cue", cells))
        net.add(Population("target", cells, LIF(tau=20.0, threshold=THRESHOLD)))
        collaterals = net.connect("cue", "target", Dense(weights), plasticity=RULE)
        recording = simulate(net, {"cue": cue}, len(cue), record={"target": pairs.target[0]})
        weights = recording.weights[collaterals.name][0]
        spikes, events = spikes + len(recording["target"]), events + recording.events
        highest = max(highest, float(recording.voltages["target"].max()))
        advance(len(cue) / cycle)
    return {"synaptic_events": events, "target_spikes": spikes, "highest_voltage": highest, "largest_weight": float(weights.max())}


def recalled(weights: np.ndarray, cues: np.ndarray, core: int) -> np.ndarray:
    """The cells that cues, [cue, cell], fire on the other side, [cue, core]: the most excited, as many as inhibition lets through."""
    net = Network(dt=1.0)
    net.add(Population("cue", len(weights)))
    net.add(Population("target", len(weights), LIF(threshold=RULE.w_max / 2), KWinners(k=core)))
    net.connect("cue", "target", Dense(weights))
    volley = np.zeros((2, len(cues), len(weights)), bool)
    np.put_along_axis(volley[0], cues, True, axis=1)
    fired = simulate(net, {"cue": volley}, 2)["target"]
    cells = np.full((len(cues), core), -1)
    place = np.arange(len(fired)) - np.searchsorted(fired.batch, fired.batch)
    cells[fired.batch, place] = fired.cell
    return cells


def recall(weights: np.ndarray, pairs: Pairs, share: float) -> tuple[float, float]:
    """Share of cues whose own target, among all, has the most cells in what they recall; and the share of its cells that it has."""
    cells, core = len(weights), pairs.cue.shape[1]
    cues = pairs.cue[:, : max(1, round(share * core))]
    targets = np.zeros((len(cues), cells), np.float32)
    np.put_along_axis(targets, pairs.target, 1.0, axis=1)
    right, overlap = 0, 0.0
    for first in range(0, len(cues), CHUNK):
        some = recalled(weights, cues[first : first + CHUNK], core)
        fired = np.zeros((len(some), cells + 1), np.float32)  # the last column takes what did not fire
        np.put_along_axis(fired, some, 1.0, axis=1)
        shared = fired[:, :cells] @ targets.T
        own = shared[np.arange(len(some)), first + np.arange(len(some))]
        shared[np.arange(len(some)), first + np.arange(len(some))] = -1.0
        right += int((own > shared.max(axis=1, initial=-1.0)).sum())
        overlap += float(own.sum()) / core
    return right / len(cues), overlap / len(cues)


def agreement(weights: np.ndarray, bits: np.ndarray) -> dict[str, float]:
    """How far the learned bits are those of the one-shot rule."""
    learned = weights > RULE.w_max / 2
    both = float((learned & bits).sum())
    return {
        "density": float(bits.mean()), "equal": float((learned == bits).mean()),
        "precision": both / max(float(learned.sum()), 1.0), "recall": both / max(float(bits.sum()), 1.0),
        "weakest_set": float(weights[bits].min(initial=RULE.w_max)), "strongest_unset": float(weights[~bits].max(initial=RULE.w_min)),
    }  # fmt: skip


def taught(pairs: Pairs, cells: int, args: argparse.Namespace, progress: Progress) -> tuple[list[dict], np.ndarray]:
    """A row at a sixteenth of the pairs, at twice as many, and so on to their end, and the weights at the end."""
    stops = sorted({max(1, len(pairs.cue) // part) for part in (16, 8, 4, 2, 1)})
    task = progress.add_task("learning", total=stops[-1])
    weights, rows = np.zeros((cells, cells)), []
    for start, stop in zip([0, *stops], stops, strict=False):
        part, known = Pairs(*(side[start:stop] for side in pairs)), Pairs(*(side[:stop] for side in pairs))
        advance = partial(progress.advance, task)
        weights = learn(part, weights, cycle=args.cycle, simulator=args.simulator, seed=args.seed + start, advance=advance)
        bits = one_shot(known, cells)
        by_rule = {"stdp": weights, "one-shot": bits.astype(float)}
        found = {name: [recall(w, known, share) for share in SHARES] for name, w in by_rule.items()}
        rows.append({"pairs": stop, **agreement(weights, bits), **found})
    return rows, weights


def small_differences(simulators: list[str], cycle: int, seed: int) -> dict[str, float | str]:
    """How far the weights of a small CA3 lie from those that `event` learns, or why a simulator cannot say."""
    pairs = random_pairs(SMALL["pairs"], SMALL["cells"], SMALL["core"], seed)
    start = np.zeros((SMALL["cells"], SMALL["cells"]))
    event, found = learn(pairs, start, cycle=cycle, seed=seed), {}
    for simulator in simulators:
        try:
            found[simulator] = float(np.abs(learn(pairs, start, cycle=cycle, seed=seed, simulator=simulator) - event).max())
        except MissingExtraError as error:
            found[simulator] = str(error)
    return found


def print_rows(rows: list[dict], recurrent: dict) -> None:
    """The table of `taught`, and the one population in both roles below it."""
    print(f"{'':>9}       bits of the one-shot rule        weakest  strongest    right target, by STDP / by the one-shot rule")
    print(f"{'pairs':>9}  {'density':>7}  {'equal':>7}  {'precision':>9}  {'recall':>7}  {'set':>7}  {'unset':>9}  "
          + "  ".join(f"{f'{share:.0%} of a cue':>15}" for share in SHARES))  # fmt: skip
    for name, row in [*((f"{row['pairs']:,}", row) for row in rows), ("recurrent", recurrent)]:
        numbers = f"{row['density']:>7.4f}  {row['equal']:>7.5f}  {row['precision']:>9.5f}  {row['recall']:>7.5f}"
        right = [f"{f'{a[0]:.4f} / {b[0]:.4f}':>15}" for a, b in zip(row["stdp"], row["one-shot"], strict=True)]
        print(f"{name:>9}  {numbers}  {row['weakest_set']:>7.4f}  {row['strongest_unset']:>9.4f}  " + "  ".join(right))


def print_control(control: dict) -> None:
    """What the control found, and why."""
    print("without a teacher for the target cells, from W = 0:")
    for name, value in control.items():
        print(f"{value:>14,}  {name.replace('_', ' ')}{f' (threshold {THRESHOLD:g})' if name == 'highest_voltage' else ''}")
    if control["target_spikes"] == 0 and control["largest_weight"] == 0:
        print(WHY)


def main() -> None:
    args = parser.parse_args()
    spec = load_model(args.model)
    cells, core = args.cells or spec.dg.cells, args.core or spec.ca3.core
    if args.pairs < 1 or not 0 < core <= cells:
        raise SystemExit(f"{args.pairs} pairs of {core} of {cells} cells: give at least one pair, and a core that the cells can hold")
    if args.cycle < GAP + VOLLEY:
        raise SystemExit(f"--cycle {args.cycle}: a pair takes {GAP + VOLLEY} ms")
    pairs = random_pairs(args.pairs, cells, core, args.seed)
    start = np.zeros((cells, cells))
    clock = time.perf_counter()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        rows, weights = taught(pairs, cells, args, progress)
        seconds = time.perf_counter() - clock
        told = {"cycle": args.cycle, "advance": partial(progress.advance, progress.add_task("in both roles", total=args.pairs))}
        both_roles = learn(pairs, start, recurrent=True, simulator=args.simulator, seed=args.seed, **told)
        told["advance"] = partial(progress.advance, progress.add_task("without a teacher", total=args.pairs))
        control = untaught(pairs, cells, seed=args.seed, **told)
    bits = one_shot(pairs, cells)
    np.fill_diagonal(both_roles, 0.0)  # CA3 has no synapses of a cell onto itself
    found = {"stdp": [recall(both_roles, pairs, share) for share in SHARES], "one-shot": rows[-1]["one-shot"]}
    recurrent = {**agreement(both_roles, bits & ~np.eye(cells, dtype=bool)), **found}
    print_rows(rows, recurrent)
    print(f"{args.pairs:,} pairs of {core} of {cells:,} cells: {args.pairs * args.cycle / 1000:,.0f} s in {seconds:.0f} s with recall\n")
    print_control(control)
    small = small_differences(args.beside, args.cycle, args.seed)
    print(f"\nlargest difference of a weight from event's, {SMALL['pairs']} pairs of {SMALL['core']} of {SMALL['cells']} cells")
    for simulator, difference in small.items():
        verdict = (
            f"{difference:.1e}, {'equal' if difference < EQUAL else 'NOT equal'} within {EQUAL:g}"
            if isinstance(difference, float)
            else difference
        )
        print(f"{simulator:>9}  {verdict}")
    edges = np.linspace(RULE.w_min, RULE.w_max, 51)
    histogram = {"set": np.histogram(weights[bits], edges)[0].tolist(), "unset": np.histogram(weights[~bits], edges)[0].tolist()}
    result = {"cells": cells, "core": core, "shares": SHARES, "rows": rows, "recurrent": recurrent, "control": control, "small": small}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({**result, "edges": edges.tolist(), "histogram": histogram}, indent=1))


if __name__ == "__main__":
    main()

"""The STDP window, measured spike pair by spike pair in each simulator, beside the formula; then trains of many spikes, beside `event`.

    python sims/papers/stdp_window.py --simulator event torch snntorch norse brian2

Every lag from -60 to 60 ms has a presynaptic and a postsynaptic cell of its own, joined by one synapse, both teacher-forced to spike once:
the whole window comes out of one run, as Bi & Poo (1998) measured it pair by pair. Rules: all pairings, weight dependences and
coincidences of `STDP`, without and with a dendritic delay, from three initial weights. Time constants are those of Bi & Poo (2001).

One pair cannot tell all-to-all from nearest-neighbour pairing, nor show a trace that decays wrongly between several spikes. Hence the
second measurement: Poisson trains on all-to-all synapses, the learned weights of each simulator beside those of `event`, and, to know what
such a difference means, beside `event` with a time constant that is 5 % off. Norse integrates by Euler steps, but receives its constants
so converted that a step is the exact exponential: it, too, should differ by rounding only. snnTorch brings no STDP of this kind: it runs
with that of the torch loop. Prints two tables and writes results/stdp_window.json, which analysis/papers/stdp_window.py draws.
"""

import argparse
import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from spikemem import STDP, Network, Population, simulate
from spikemem.errors import MissingExtraError, NetworkError
from spikemem.network.synapses import Dense, Sparse
from spikemem.simulators.registry import SIMULATORS

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--simulator", nargs="+", choices=SIMULATORS, default=["event", "torch", "snntorch", "norse", "brian2"])
parser.add_argument("--steps", type=int, default=2000, help="length of the Poisson trains, ms")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/stdp_window.json"))

LAGS = np.arange(-60, 61)
"""Of the postsynaptic cell's spike behind the presynaptic one's, ms."""
WEIGHTS = (0.25, 0.5, 0.75)
"""Initial weights, so that a multiplicative rule shows its dependence on them."""
DELAY = 2.0
"""Of the projection, ms; a dendritic delay is a part of it."""
PRE, POST = 20, 12
"""Cells of the Poisson trains."""
RATE = 0.03
"""Spikes a ms, in the Poisson trains: 30 Hz."""
BASE = STDP(a_plus=0.08, a_minus=0.05, tau_plus=16.8, tau_minus=33.7)


def rules() -> list[STDP]:
    """Every pairing, dependence and coincidence, without and with a dendritic delay of 1 ms."""
    kinds = itertools.product(("all", "nearest"), ("additive", "multiplicative"), ("depression", "potentiation"), (0.0, 1.0))
    return [replace(BASE, pairing=p, dependence=w, coincidence=c, dendritic=d) for p, w, c, d in kinds]


def seen(rule: STDP) -> np.ndarray:
    """The lags at which a synapse sees the spikes: the presynaptic one has come by axon, the postsynaptic one back by dendrite, ms."""
    return LAGS + rule.dendritic - (DELAY - rule.dendritic)


def measured(rule: STDP, simulator: str) -> np.ndarray:
    """What one pair of spikes changes a weight by, [initial weight, lag]."""
    weights = np.repeat(WEIGHTS, len(LAGS))
    cells = np.arange(len(weights))
    net = Network(dt=1.0)
    net.add(Population("pre", len(cells)))
    net.add(Population("post", len(cells)))
    one_to_one = Sparse.from_coo(cells, cells, weights, (len(cells), len(cells)))
    learned = net.connect("pre", "post", one_to_one, delay=DELAY, plasticity=rule)
    middle = -LAGS.min()
    pre, post = (np.zeros((2 * middle + 1 + round(DELAY), len(cells)), bool) for _ in range(2))
    pre[middle, :] = True
    post[middle + np.tile(LAGS, len(WEIGHTS)), cells] = True
    recording = simulate(net, {"pre": pre, "post": post}, len(pre), simulator=simulator)
    return (recording.weights[learned.name][0].diagonal() - weights).reshape(len(WEIGHTS), len(LAGS))


def trained(rule: STDP, simulator: str, steps: int, seed: int) -> np.ndarray:
    """The weights that teacher-forced Poisson trains leave, [pre, post]."""
    rng = np.random.default_rng(seed)
    net = Network(dt=1.0)
    net.add(Population("pre", PRE))
    net.add(Population("post", POST))
    learned = net.connect("pre", "post", Dense(rng.uniform(0.3, 0.7, (PRE, POST))), delay=DELAY, plasticity=rule)
    stimulus = {"pre": rng.random((steps, PRE)) < RATE, "post": rng.random((steps, POST)) < RATE}
    return simulate(net, stimulus, steps, simulator=simulator).weights[learned.name][0]


def windows(simulators: list[str], console: Console) -> list[dict]:
    """A row for each rule: the measured changes and the largest difference from the formula, for each simulator that knows the rule."""
    rows = []
    for rule in track(rules(), "windows", transient=True, console=console):
        formula = np.stack([rule.window(seen(rule), weight) for weight in WEIGHTS])
        row = {"rule": asdict(rule), "seen": seen(rule).tolist(), "change": {}, "difference": {}, "cannot": {}}
        for simulator in simulators:
            try:
                change = measured(rule, simulator)
            except (MissingExtraError, NetworkError) as error:
                row["cannot"][simulator] = str(error)
                continue
            row["change"][simulator] = change.tolist()
            row["difference"][simulator] = float(np.abs(change - formula).max())
        rows.append(row)
    return rows


def trains(simulators: list[str], steps: int, seed: int, console: Console) -> list[dict]:
    """A row for each pairing and dependence: how far each simulator's weights lie from those of `event`."""
    rows = []
    kinds = list(itertools.product(("all", "nearest"), ("additive", "multiplicative")))
    for pairing, dependence in track(kinds, "trains", transient=True, console=console):
        rule = replace(BASE, pairing=pairing, dependence=dependence)
        event, wrong = (trained(r, "event", steps, seed) for r in (rule, replace(rule, tau_plus=1.05 * rule.tau_plus)))
        on_bound = float(np.mean((event == rule.w_min) | (event == rule.w_max)))
        row = {"rule": asdict(rule), "difference": {}, "cannot": {}, "on bound": on_bound, "5 % off": float(np.abs(wrong - event).max())}
        for simulator in simulators:
            try:
                row["difference"][simulator] = float(np.abs(trained(rule, simulator, steps, seed) - event).max())
            except (MissingExtraError, NetworkError) as error:
                row["cannot"][simulator] = str(error)
        rows.append(row)
    return rows


def table(rows: list[dict], simulators: list[str], kind: tuple[str, ...], more: dict[str, str]) -> None:
    """Print one line a rule with a column a simulator, and why some places are empty.   more: further columns and their formats."""
    print("  ".join([f"{name:<14}" for name in kind] + [f"{name:>9}" for name in (*simulators, *more)]))
    for row in rows:
        places = [f"{row['difference'][s]:>9.1e}" if s in row["difference"] else f"{'-':>9}" for s in simulators]
        places += [f"{row[key]:>9{form}}" for key, form in more.items()]
        print("  ".join([f"{row['rule'][name]!s:<14}" for name in kind] + places))
    for reason in sorted({reason for row in rows for reason in row["cannot"].values()}):
        print(f"  - {reason}")


def main() -> None:
    args = parser.parse_args()
    console = Console(stderr=True)
    pairs = windows(args.simulator, console)
    print(f"largest difference of a measured window from STDP.window, over {len(LAGS)} lags and {len(WEIGHTS)} weights")
    table(pairs, args.simulator, ("pairing", "dependence", "coincidence", "dendritic"), {})
    many = trains(args.simulator, args.steps, args.seed, console)
    print(f"\nlargest difference of a weight from event's, after Poisson trains of {1000 * RATE:.0f} Hz over {args.steps:,} ms;")
    print("beside it what a tau_plus 5 % off would make, and the share of weights that ended on a bound")
    table(many, args.simulator, ("pairing", "dependence"), {"5 % off": ".1e", "on bound": ".0%"})
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"lags": LAGS.tolist(), "delay": DELAY, "weights": WEIGHTS, "windows": pairs, "trains": many}))


if __name__ == "__main__":
    main()

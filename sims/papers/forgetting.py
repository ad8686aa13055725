"""Forgetting curves of one-bit synapses: exponential with one rate, a power of time with many, people's savings, and the gain of spacing.

    python sims/papers/forgetting.py --figure docs/forgetting.png

1. In spikes: two populations learn a random volley a step by `Cascade`; the trace of a volley is what is left of it in the synapses, by how
   many came after it. One level (Amit and Fusi 1994) beside a cascade of levels (Fusi, Drew and Abbott 2005). AIC says whether a power of
   time or an exponential, of two parameters each, tells the trace better.
2. Savings of Ebbinghaus (1885), as the share of a list that is left in pools of one-bit synapses whose rates are 4^-k, of sizes as rate^b.
   A list that was learned to criterion is in all of them; b, and the rate of what comes over it, are fitted.
3. Spacing (Cepeda et al. 2006): a list is studied twice, in pools of rates 2^-k, and tested later. What is known already is stored less:
   novelty, 1 less the trace, gates the volleys of the second study; without this gate every gap only loses.

Prints tables, and writes results/forgetting.json.
"""

import argparse
import itertools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import curve_fit, minimize

from spikemem import Cascade, Network, Population, simulate
from spikemem.network import Dense
from spikemem.plots.style import INK, SERIES, legend, tidy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=160)
parser.add_argument("--trials", type=int, default=8)
parser.add_argument("--volleys", type=int, default=1500)
parser.add_argument("--levels", type=int, default=8)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--figure", type=Path, help="where to draw the picture")
parser.add_argument("--out", type=Path, default=Path("results/forgetting.json"))

HOURS = np.array([19 / 60, 63 / 60, 525 / 60, 24, 48, 144, 744])
SAVINGS = np.array([0.582, 0.442, 0.358, 0.337, 0.278, 0.254, 0.211])
"""Ebbinghaus (1885): the time saved in learning a list again, and after how long."""
SLOWEST, FASTER = 14, 4.0
"""Pools of part 2, and by how much each is faster than the next."""
POOLS = 0.5 ** np.arange(14.0)
"""Rates of the pools of part 3."""
STUDY = 100
"""Volleys of a study of what is wholly new."""
GAPS, RETENTIONS = (1, 3, 10, 30, 100, 300, 1000), (10, 100, 1000)
"""Volleys between two studies, and between the second and the test."""


class Fit(NamedTuple):
    """A fit of two parameters.   error: rms.   aic: 2 x 2 and chi^2, or n ln mean square where no s.d. is known."""

    name: str
    values: tuple[float, float]
    error: float
    aic: float


def power(t: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    return np.asarray(a * t**-b)


def exponential(t: NDArray[np.float64], a: float, b: float) -> NDArray[np.float64]:
    return np.asarray(a * np.exp(-b * t))


def fits(t: NDArray[np.float64], y: NDArray[np.float64], sd: NDArray[np.float64] | None = None) -> dict[str, Fit]:
    """A power of time and an exponential, by least squares."""
    found = {}
    for name, curve, start in (("power", power, (y[0], 0.5)), ("exponential", exponential, (y[0], 1 / np.median(t)))):
        values, _ = curve_fit(curve, t, y, p0=start, sigma=sd, maxfev=10_000)
        left = y - curve(t, *values)
        found[name] = Fit(name, tuple(values.tolist()), float(np.sqrt(np.mean(left**2))), aic(left, sd))
    return found


def aic(left: NDArray[np.float64], sd: NDArray[np.float64] | None = None) -> float:
    """Akaike's criterion of what a curve of two parameters leaves."""
    return float(4 + (np.sum((left / sd) ** 2) if sd is not None else len(left) * np.log(np.mean(left**2))))


def traces(rule: Cascade, cells: int, volleys: int, trials: int, seed: int) -> tuple[NDArray[np.float64], ...]:
    """How much of a volley is left after others, in spikes: the mean age of each bin, the trace, and its s.e.m. over trials.

    Half of the cells fire on each side; a synapse counts 1 where it is as the volley asked it to be, else -1.
    """
    rng = np.random.default_rng(seed)
    pre, post = (rng.random((volleys, trials, cells)) < 0.5 for _ in range(2))
    net = Network()
    for name in ("cue", "target"):
        net.add(Population(name, cells))
    net.connect("cue", "target", Dense(np.where(rng.random((cells, cells)) < 0.5, 1.0, 0.0)), plasticity=rule)
    late = np.zeros((1, trials, cells), bool)  # a spike needs a step to the synapse
    spikes = {"cue": np.concatenate([pre, late]), "target": np.concatenate([late, post])}
    strong = 2 * simulate(net, spikes, volleys + 1).weights["cue->target"] - 1
    age = np.arange(1, volleys // 3)  # the volleys before brought the synapses to rest
    asked = 2.0 * pre[-1 - age] - 1
    left = np.einsum("tbi,bij,tbj->tb", asked, strong, post[-1 - age] * 1.0, optimize=True) / (cells * post[-1 - age].sum(-1))
    edges = np.unique(np.geomspace(1, len(age), 16).round().astype(int))
    parts = [slice(a - 1, b - 1) for a, b in itertools.pairwise(edges)]
    means = np.array([left[part].mean(0) for part in parts])
    return np.array([age[part].mean() for part in parts]), means.mean(1), means.std(1, ddof=1) / np.sqrt(trials)


def chain(rule: Cascade, age: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same of infinitely many synapses: each is asked to change by every second volley."""
    n = rule.levels
    move, state = 0.5 * (np.eye(2 * n) + rule.transition(0.5)), rule.transition(1.0) @ np.full(2 * n, 1 / (2 * n))
    values, vectors = np.linalg.eig(move)
    parts = (np.repeat([1.0, -1.0], n) @ vectors) * np.linalg.solve(vectors, state)
    return np.real(values ** age[:, None] @ parts)


def savings(hours: NDArray[np.float64], b: float, rate: float) -> NDArray[np.float64]:
    """The share of a list that is left in pools of sizes as q^b; each keeps (1 - q)^n after n requests, `rate` an hour."""
    q = FASTER ** -np.arange(float(SLOWEST))
    size = q**b / np.sum(q**b)
    return np.asarray((size * np.maximum(1 - q, 1e-300) ** (rate * hours[:, None])).sum(1))


def fitted_savings() -> Fit:
    """The savings of Ebbinghaus, with the exponent of the sizes and the rate of other volleys fitted."""

    def left(z: NDArray[np.float64]) -> NDArray[np.float64]:
        return SAVINGS - savings(HOURS, float(z[0]), float(np.exp(z[1])))

    def loss(z: NDArray[np.float64]) -> float:
        return float(np.mean(left(z) ** 2))

    found = min((minimize(loss, [0.1, start], method="Nelder-Mead") for start in (1.0, 4.0, 8.0)), key=lambda one: float(one.fun))
    return Fit("pools", (float(found.x[0]), float(np.exp(found.x[1]))), float(np.sqrt(found.fun)), aic(left(found.x)))


def studied_twice(gap: float, retention: float, gated: bool = True) -> float:
    """The trace of a list at a test."""
    kept = np.maximum(1 - POOLS, 1e-300)
    trace = (1 - kept**STUDY) * kept**gap
    volleys = STUDY * (1 - trace.mean()) if gated else STUDY
    return float(((1 - (1 - trace) * kept**volleys) * kept**retention).mean())


def spacing(gated: bool = True) -> dict[int, list[float]]:
    """How many times more is left than where the second study comes at once, for each gap up to each retention."""
    return {
        r: [studied_twice(gap, r, gated) / studied_twice(0, r, gated) for gap in GAPS if gap <= r] for r in RETENTIONS
    }  # fmt: skip


def draw(measured: dict[str, tuple[Cascade, tuple[NDArray[np.float64], ...]]], pools: Fit) -> Figure:
    """The three parts side by side."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for (name, (rule, (age, trace, sd))), colour in zip(measured.items(), SERIES, strict=False):
        left.errorbar(age, trace, sd, fmt="o", markersize=3, color=colour, label=name)
        line = np.geomspace(1, age[-1], 60)
        left.plot(line, chain(rule, line), color=colour, linewidth=1)
    left.set(xscale="log", yscale="log", ylim=(1e-3, 0.3))
    left.set_xlabel("volleys since", fontsize=8)
    left.set_ylabel("trace", fontsize=8)
    hours = np.geomspace(0.2, 1000, 100)
    middle.semilogx(HOURS, SAVINGS, "o", color=INK, label="Ebbinghaus 1885")
    middle.semilogx(hours, savings(hours, *pools.values), color=SERIES[0], label="pools")
    middle.semilogx(hours, exponential(hours, *fits(HOURS, SAVINGS)["exponential"].values), "--", color=SERIES[1], label="exponential")
    middle.set_xlabel("hours", fontsize=8)
    middle.set_ylabel("savings", fontsize=8)
    middle.set_ylim(0, 0.7)
    for (retention, gain), plain, colour in zip(spacing().items(), spacing(False).values(), SERIES, strict=False):
        right.semilogx(GAPS[: len(gain)], gain, "o-", color=colour, markersize=4, label=f"tested after {retention}")
        right.semilogx(GAPS[: len(plain)], plain, ":", color=colour)
    right.axhline(1, color=INK, linewidth=0.6)
    right.set_xlabel("gap between two studies, volleys (dotted: no gate)", fontsize=8)
    right.set_ylabel("trace / that of massed study", fontsize=8)
    for axes in (left, middle, right):
        tidy(axes)
        legend(axes, 1)
    return figure


def main() -> None:
    args = parser.parse_args()
    rules = {"one level, rate .1": Cascade(1, rate=0.1), f"{args.levels} levels": Cascade(args.levels)}
    measured = {name: (rule, traces(rule, args.cells, args.volleys, args.trials, args.seed)) for name, rule in rules.items()}
    kept: dict[str, object] = {}
    for name, (rule, (age, trace, sd)) in measured.items():
        found, far = fits(age, trace, sd), float(np.mean(((trace - chain(rule, age)) / sd) ** 2))
        told = "; ".join(f"{fit.name} {fit.values[0]:.2f}, {fit.values[1]:.3f}, AIC {fit.aic:.0f}" for fit in found.values())
        print(f"{name}: {told}; chi^2 a bin to the chain of states {far:.2f}")
        kept[name] = {"age": age.tolist(), "trace": trace.tolist(), "fits": found, "chi2": far}
    pools, people = fitted_savings(), fits(HOURS, SAVINGS)
    for fit in (pools, *people.values()):
        print(f"Ebbinghaus by {fit.name}: {fit.values[0]:.3f}, {fit.values[1]:.4g}; rms {fit.error:.3f}, AIC {fit.aic:.1f}")
    print("savings " + ", ".join(f"{a:.3f} ({b:.3f})" for a, b in zip(savings(HOURS, *pools.values), SAVINGS, strict=True)))
    for gated in (True, False):
        print(f"spacing, {'gated by novelty' if gated else 'no gate'}: " + "; ".join(
            f"tested after {r}: {', '.join(f'{x:.3f}' for x in gain)}" for r, gain in spacing(gated).items()
        ))  # fmt: skip
    if args.figure is not None:
        draw(measured, pools).savefig(args.figure, dpi=120)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({**kept, "savings": pools, "people": people, "spacing": spacing(), "no gate": spacing(False)}, indent=1))


if __name__ == "__main__":
    main()

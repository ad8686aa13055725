"""The sparsely connected network of Brunel (2000) in its four states, told apart by rate, CV, synchrony and spectrum, beside native Brian2.

    python sims/papers/brunel.py --peer brian2

Leaky cells, a fifth of them inhibitory, each with C_E excitatory and C_I = C_E / 4 inhibitory synapses of other cells and C_E external
ones, whose spikes come as Poisson processes (model A):

    tau dV/dt = -V,   V += J at an excitatory or external spike, V -= g J at an inhibitory one, 1.5 ms after it

with tau 20 ms, threshold 20 mV, reset 10 mV, 2 ms of refractoriness, J .1 mV, C_E 1,000. The external rate is counted in
nu_thr = threshold / (J C_E tau), the one that brings the mean V to the threshold. Four choices of g and of that rate:

    SR          g 3,   2 nu_thr      synchronous regular: nearly full synchrony, as high rates as refractoriness allows
    SI fast     g 6,   4 nu_thr      synchronous irregular: a fast oscillation, in whose cycles few cells take part
    AI          g 5,   2 nu_thr      asynchronous irregular
    SI slow     g 4.5, .9 nu_thr     synchronous irregular: a slow oscillation

The published size is --cells 12500. A smaller network keeps C_E and J, and with them the mean-field equations, but its cells share more of
their inputs; where it has fewer excitatory cells than that, --inputs takes a smaller C_E, and J is raised so that C_E J stays.

`stationary` solves the paper's self-consistent equation for the rate of an asynchronous state,

    1 / nu = tau_rp + tau sqrt(pi) int_{(V_r - mu) / sigma}^{(theta - mu) / sigma} exp(u^2) (1 + erf u) du
    mu = tau J C_E (nu_ext + nu (1 - g / 4)),   sigma^2 = tau J^2 C_E (nu_ext + nu (1 + g^2 / 4))

With `--peer brian2` the same wiring and external spikes run in equations of Brian2's own language, with exact integration: a synapse is
carried out before the threshold is looked at, a step after Brian2 took up the spike, and Brian2 counts the spike's own step among those of
refractoriness.

Parameters as in Brian2's published example of this paper, read again in its source; the paper itself was not read again. Prints a row for
each state; writes results/brunel.json and the recordings, brunel_sr.npz and so on.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erfcx

from spikemem import LIF, Network, Population, Recording, Shot, simulate
from spikemem.network import Sparse, sparse_random

DT = 0.1
TAU, THRESHOLD, RESET, REFRACTORY, DELAY = 20.0, 20.0, 10.0, 2.0, 1.5
MEAN = 100.0
"""mV: C_E J."""
SKIP = 200.0
"""ms at the start that are not measured."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=2500, help="a fifth of them are inhibitory")
parser.add_argument("--inputs", type=int, default=1000, help="excitatory synapses onto a cell")
parser.add_argument("--ms", type=float, default=1000.0, help="how long to simulate")
parser.add_argument("--peer", choices=["none", "brian2"], default="none", help="run the same in native Brian2, too")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results"), help="the folder for brunel.json")


class Regime(NamedTuple):
    """A point of the paper's phase diagram.   g: inhibition against excitation.   drive: the external rate, in units of nu_thr."""

    g: float
    drive: float


REGIMES = {"SR": Regime(3.0, 2.0), "SI fast": Regime(6.0, 4.0), "AI": Regime(5.0, 2.0), "SI slow": Regime(4.5, 0.9)}


class Size(NamedTuple):
    """How many cells there are, and how many excitatory synapses each has."""

    cells: int
    inputs: int

    @property
    def excitatory(self) -> int:
        return self.cells * 4 // 5

    @property
    def weight(self) -> float:
        """J, mV."""
        return MEAN / self.inputs

    def external(self, regime: Regime) -> float:
        """The rate of all external synapses of a cell, Hz."""
        return regime.drive * 1000.0 * THRESHOLD / (self.weight * TAU)


def network(regime: Regime, size: Size, seed: int) -> Network:
    """The network: populations E and I of the same cells, V in mV above rest, which begins anywhere below threshold."""
    net, rng = Network(DT), np.random.default_rng(seed)
    cell = LIF(tau=TAU, threshold=THRESHOLD, reset=RESET, refractory=REFRACTORY)
    for name, cells in (("E", size.excitatory), ("I", size.cells - size.excitatory)):
        start = rng.uniform(0.0, THRESHOLD, cells)
        net.add(Population(name, cells, cell, voltage=start, noise=Shot(size.external(regime), size.weight, seed)))
    ways = [(pre, post) for pre in "EI" for post in "EI"]
    for number, (pre, post) in enumerate(ways):
        fan_in, weight = (size.inputs, size.weight) if pre == "E" else (size.inputs // 4, -regime.g * size.weight)
        net.connect(pre, post, sparse_random(fan_in, len(ways) * seed + number, weight, weight), delay=DELAY)
    return net


def response(mu: float, sigma: float) -> float:
    """The rate of a cell whose V, without a threshold, has the mean mu and the variance sigma^2 / 2, mV: Hz (Siegert 1951)."""
    # exp(u^2) (1 + erf u) = erfcx(-u)
    passage, _ = quad(lambda u: erfcx(-u), (RESET - mu) / sigma, (THRESHOLD - mu) / sigma)
    return float(1000.0 / (REFRACTORY + TAU * np.sqrt(np.pi) * passage))


def stationary(regime: Regime, size: Size) -> float:
    """The rate of the asynchronous state by the mean-field equation, Hz."""
    outside, through = size.external(regime) / size.inputs, TAU / 1000.0 * MEAN

    def excess(rate: float) -> float:
        mu = through * (outside + rate * (1 - regime.g / 4))
        sigma = np.sqrt(through * size.weight * (outside + rate * (1 + regime.g**2 / 4)))
        return rate - response(mu, sigma)

    return float(brentq(excess, 1e-3, 1000.0 / REFRACTORY))


def measured(recording: Recording, name: str = "E") -> dict[str, float]:
    """Of a population, after the start: rate, Hz; CV of intervals; chi of 2 ms; and its strongest rhythm, Hz.

    The last is the peak of the spectrum at 5 Hz and above, and `peak` its height against the level of as many Poisson cells, 2 rate / N.
    """
    whole = recording.steps * recording.dt
    start = min(SKIP, whole / 2)
    rate = float(recording.rates(name, start=start).mean())
    spectrum = recording.spectrum(name, bin=0.5, segment=min(200.0, whole - start), start=start)
    power = np.where(spectrum.frequency >= 5.0, spectrum.power[0], 0.0)
    return {
        "rate": rate,
        "cv": float(np.nanmean(recording.cv(name, start=start))),
        "chi": float(recording.synchrony(name, bin=2.0, start=start)[0]),
        "rhythm": float(spectrum.frequency[power.argmax()]),
        "peak": float(power.max() / (2.0 * rate / recording[name].size)),
    }


def spikes_of(recording: Recording) -> NDArray[np.int64]:
    """All spikes, sorted, [spike, (step, cell)]; the inhibitory cells are numbered after the excitatory ones."""
    shift = {"E": 0, "I": recording["E"].size}
    parts = [np.stack([recording[name].step, recording[name].cell + shift[name]], axis=1) for name in "EI"]
    return ordered(np.concatenate(parts).astype(np.int64))


def ordered(spikes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Spikes, [spike, (step, cell)], sorted by step, then cell."""
    return spikes[np.lexsort((spikes[:, 1], spikes[:, 0]))]


def native(net: Network, regime: Regime, size: Size, steps: int, own: bool = False) -> tuple[NDArray[np.int64], float]:
    """The network in Brian2's own language: its spikes, [spike, (step, cell)], and the seconds of its run.

    own: whether the external spikes are Brian2's own draws, and not those of the description.
    """
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    b2.seed(1)
    ms, mv, clock, first = b2.ms, b2.mV, DT * b2.ms, size.excitatory
    names = {"tau": TAU * ms, "theta": THRESHOLD * mv, "V_r": RESET * mv}
    cells = b2.NeuronGroup(
        size.cells, "dv/dt = -v / tau : volt (unless refractory)", threshold="v > theta", reset="v = V_r",
        refractory=(REFRACTORY + DT) * ms, method="exact", dt=clock, namespace=names,
    )  # fmt: skip
    cells.v = np.concatenate([net.populations[name].voltage for name in "EI"]) * mv
    parts: list[Any] = [cells]
    if own:
        rate = size.external(regime) / size.inputs * b2.Hz
        parts.append(b2.PoissonInput(cells, "v", size.inputs, rate, weight=size.weight * mv, when="before_thresholds"))
    else:
        drawn = [p.noise.drawn(p.name, steps, p.size, DT) for p in net.populations.values() if p.noise is not None]
        names["external"] = b2.TimedArray(np.concatenate(drawn, axis=1) * mv, dt=clock)
        cells.run_regularly("v += external(t, i)", when="before_thresholds", dt=clock)
    weights = {"J": size.weight * mv, "g": regime.g}
    for change, pre in (("v_post += J", "E"), ("v_post -= g * J", "I")):
        synapses = b2.Synapses(cells, cells, on_pre=change, delay=(DELAY - DT) * ms, dt=clock, namespace=weights)
        pairs = [_pairs(p.synapses, first * (p.pre == "I"), first * (p.post == "I")) for p in net.projections if p.pre == pre]
        synapses.connect(i=np.concatenate([p for p, _ in pairs]), j=np.concatenate([p for _, p in pairs]))
        synapses.pre.when = "before_thresholds"
        parts.append(synapses)
    monitor = b2.SpikeMonitor(cells)
    whole = b2.Network(*parts, monitor)
    whole.run(0 * ms)
    began = time.perf_counter()
    whole.run(steps * clock)
    took = time.perf_counter() - began
    return ordered(np.stack([np.rint(np.asarray(monitor.t / clock)).astype(np.int64), np.asarray(monitor.i)], axis=1)), took


def _pairs(synapses: Any, pre: int, post: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The two cells of each synapse, numbered from `pre` and `post` on."""
    assert isinstance(synapses, Sparse)
    return np.repeat(np.arange(synapses.shape[0]), np.diff(synapses.indptr)) + pre, synapses.targets.astype(np.int64) + post


def run(name: str, size: Size, ms: float, seed: int, peer: str) -> tuple[dict[str, Any], Recording]:
    """One state here, and in the peer: a row of the table, and what was recorded."""
    regime, steps = REGIMES[name], round(ms / DT)
    net = network(regime, size, seed)
    simulate(net, {}, 2)  # loads the kernels
    began = time.perf_counter()
    recording: Recording = simulate(net, {}, steps)
    took = time.perf_counter() - began
    row: dict[str, Any] = {"state": name, **measured(recording), "stationary": stationary(regime, size)}
    if peer == "brian2":
        theirs, seconds = native(net, regime, size, steps)
        row |= {"spikes": len(theirs), "same": np.array_equal(spikes_of(recording), theirs), "ratio": seconds / took}
    return row, recording


def main() -> None:
    args = parser.parse_args()
    console, rows, size = Console(), [], Size(args.cells, args.inputs)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in REGIMES:
        with console.status(f"{name}, {args.cells:,} cells, {args.ms:g} ms"):
            row, recording = run(name, size, args.ms, args.seed, args.peer)
        rows.append(row)
        recording.save(args.out / f"brunel_{name.lower().replace(' ', '_')}.npz")
    table = Table(title=f"{args.cells:,} cells, {args.ms:g} ms, after the first {min(SKIP, args.ms / 2):g} ms; excitatory cells")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)
    written = {"cells": args.cells, "inputs": args.inputs, "ms": args.ms, "seed": args.seed, "rows": rows}
    (args.out / "brunel.json").write_text(json.dumps(written, indent=2))


if __name__ == "__main__":
    main()

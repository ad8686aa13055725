"""The balanced networks of Vogels and Abbott (2005), as the benchmarks of Brette et al. (2007) have them, beside the same in native Brian2.

    python sims/papers/vogels_abbott.py --peer brian2

4,000 leaky cells, 3,200 of them excitatory, connected at random with a probability of .02; tau 20 ms, threshold -50 mV, reset -60 mV, 5 ms
of refractoriness, excitatory synapses with 5 ms, inhibitory ones with 10 ms; steps of .1 ms, no delays.

    CUBA    tau dV/dt = (-49 mV - V) + g_e + g_i                                weights 1.62 and -9 mV; V begins anywhere below threshold
    COBA    tau dV/dt = (-60 mV - V) + g_e (0 mV - V) + g_i (-80 mV - V)        weights .6 and 6.7 (6 and 67 nS over a leak of 10 nS)

COBA's activity keeps itself going after a start by Poisson spikes of 50 ms. Here V is measured from the reset, so that -49 mV is a bias of
11 mV. With `--peer brian2` the same cells, weights and starts run in equations that are written in Brian2's own language, with its own
integration ("exact" for CUBA, "exponential_euler" for COBA) and its own schedule: spikes of one step arrive before the next one, which is a
delay of one step here, and Brian2 counts the spike's own step among those of refractoriness.

Parameters as in Brian2's published example of benchmark 2, read again in its source; the papers themselves were not read again. Prints
rates and the CV of intervals, whether all spikes agree, and the ratio of Brian2's time to ours; writes results/vogels_abbott.json
and the recordings, cuba.npz and coba.npz.
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

from spikemem import LIF, Exponential, Network, Population, Receptors, Recording, poisson, simulate
from spikemem.network import Sparse

DT = 0.1
TAU, TAU_E, TAU_I = 20.0, 5.0, 10.0
HELD = 5.0 - DT
"""ms that a cell is silent after the step of its spike; Brian2 says 5 ms and counts that step."""
START, RATE = 50.0, 100.0
"""ms for which Poisson cells start COBA, and their rate, Hz."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=4000, help="a fifth of them are inhibitory")
parser.add_argument("--ms", type=float, default=1000.0, help="how long to simulate")
parser.add_argument("--peer", choices=["none", "brian2"], default="none", help="run the same in native Brian2, too")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results"), help="the folder for vogels_abbott.json")


class Wiring(NamedTuple):
    """Who reaches whom, and where V begins.   pre, post: int64, [synapse].   voltage: mV above reset, [cell]."""

    cells: int
    excitatory: int
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    voltage: NDArray[np.float64]

    def half(self, inhibitory: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The synapses of the excitatory or of the inhibitory cells."""
        chosen = (self.pre >= self.excitatory) == inhibitory
        return self.pre[chosen], self.post[chosen]


def wired(cells: int, seed: int, begins: float = 10.0) -> Wiring:
    """A random network; the expected number of synapses onto a cell is that of the published size, 80."""
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(rng.random((cells, cells)) < min(1.0, 80 / cells))
    return Wiring(cells, cells * 4 // 5, pre, post, rng.uniform(0.0, begins, cells))


def cuba(wiring: Wiring) -> Network:
    """The network with currents: V in mV above the reset."""
    cell = LIF.from_equation(DT, tau=TAU, threshold=10.0, reset=0.0, refractory=HELD)
    neuron = Receptors(cell, excitatory=Exponential(TAU_E), inhibitory=Exponential(TAU_I))
    return _connected(wiring, Population("cells", wiring.cells, neuron, bias=11.0, voltage=wiring.voltage), 1.62, -9.0)


def coba(wiring: Wiring, seed: int) -> Network:
    """The network with conductances, in units of the leak."""
    cell = LIF.from_equation(DT, tau=TAU, threshold=10.0, reset=0.0, refractory=HELD)
    neuron = Receptors(cell, excitatory=Exponential(TAU_E, reversal=60.0), inhibitory=Exponential(TAU_I, reversal=-20.0))
    net = _connected(wiring, Population("cells", wiring.cells, neuron, voltage=wiring.voltage), 0.6, 6.7)
    net.add(Population("start", wiring.cells, poisson([RATE, 0.0], every=START, seed=seed)))
    own = np.arange(wiring.cells)
    net.connect("start", "cells", Sparse.from_coo(own, own, 0.6, (wiring.cells,) * 2), receptor="excitatory")
    return net


def _connected(wiring: Wiring, population: Population, excites: float, inhibits: float) -> Network:
    net = Network(DT)
    net.add(population)
    for name, weight in (("excitatory", excites), ("inhibitory", inhibits)):
        pre, post = wiring.half(name == "inhibitory")
        net.connect("cells", "cells", Sparse.from_coo(pre, post, weight, (wiring.cells,) * 2), receptor=name)
    return net


EQUATIONS = {
    "CUBA": "dv/dt = (11 + ge + gi - v) / taum : 1 (unless refractory)\ndge/dt = -ge / taue : 1\ndgi/dt = -gi / taui : 1",
    "COBA": "dv/dt = (ge * (60 - v) + gi * (-20 - v) - v) / taum : 1 (unless refractory)\ndge/dt = -ge / taue : 1\ndgi/dt = -gi / taui : 1",
}
WEIGHTS = {"CUBA": (1.62, -9.0), "COBA": (0.6, 6.7)}


def native(kind: str, wiring: Wiring, steps: int, start: NDArray[np.bool_] | None = None) -> tuple[NDArray[np.int64], float]:
    """The network in Brian2's own language: its spikes, [spike, (step, cell)], and the seconds of its run.

    start: spikes of the Poisson cells, [time, cell].
    """
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    clock, ms = DT * b2.ms, b2.ms
    method = "exact" if kind == "CUBA" else "exponential_euler"
    names = {"taum": TAU * ms, "taue": TAU_E * ms, "taui": TAU_I * ms}
    cells = b2.NeuronGroup(
        wiring.cells, EQUATIONS[kind], threshold="v > 10", reset="v = 0", refractory=5 * ms, method=method, dt=clock, namespace=names
    )
    cells.v = wiring.voltage
    parts: list[Any] = [cells]
    for target, weight, inhibitory in zip(("ge", "gi"), WEIGHTS[kind], (False, True), strict=True):
        synapses = b2.Synapses(cells, cells, on_pre=f"{target}_post += {weight}", dt=clock)
        pre, post = wiring.half(inhibitory)
        synapses.connect(i=pre, j=post)
        parts.append(synapses)
    if start is not None:
        step, cell = np.nonzero(start)
        source = b2.SpikeGeneratorGroup(wiring.cells, cell, step * clock, dt=clock)
        begin = b2.Synapses(source, cells, on_pre=f"ge_post += {WEIGHTS[kind][0]}", dt=clock)
        begin.connect(j="i")
        parts += [source, begin]
    monitor = b2.SpikeMonitor(cells)
    net = b2.Network(*parts, monitor)
    net.run(0 * ms)
    began = time.perf_counter()
    net.run(steps * clock)
    took = time.perf_counter() - began
    return np.stack([np.rint(np.asarray(monitor.t / clock)).astype(np.int64), np.asarray(monitor.i)], axis=1), took


def measured(spikes: NDArray[np.int64], cells: int, steps: int) -> dict[str, float]:
    """Mean rate, Hz, and mean CV of intervals of cells with at least three spikes, after 100 ms.   spikes: [spike, (step, cell)]."""
    skip = min(round(100.0 / DT), steps // 2)
    late = spikes[spikes[:, 0] >= skip]
    spread = []
    for train in np.split(late[np.argsort(late[:, 1], kind="stable")], np.cumsum(np.bincount(late[:, 1], minlength=cells))[:-1]):
        if len(train) > 2:
            intervals = np.diff(np.sort(train[:, 0]))
            spread.append(intervals.std() / intervals.mean())
    return {"rate": len(late) / cells / ((steps - skip) * DT / 1000.0), "cv": float(np.mean(spread)) if spread else float("nan")}


def network(kind: str, wiring: Wiring, seed: int) -> Network:
    """One of the two networks."""
    return cuba(wiring) if kind == "CUBA" else coba(wiring, seed)


def run(kind: str, cells: int, ms: float, seed: int, peer: str) -> tuple[dict[str, Any], Recording]:
    """One network here, and in the peer: a row of the table, and what was recorded."""
    wiring, steps = wired(cells, seed), round(ms / DT)
    net = network(kind, wiring, seed)
    simulate(net, {}, 2)  # loads the kernels
    began = time.perf_counter()
    recording: Recording = simulate(net, {}, steps)
    took = time.perf_counter() - began
    ours = np.stack([recording["cells"].step, recording["cells"].cell], axis=1).astype(np.int64)
    row: dict[str, Any] = {"network": kind, "spikes": len(ours), **measured(ours, cells, steps)}
    if peer == "brian2":
        start = None
        if kind == "COBA":
            start = recording["start"].dense(steps)[:, 0]
        theirs, seconds = native(kind, wiring, steps, start)
        order = [np.lexsort((s[:, 1], s[:, 0])) for s in (ours, theirs)]
        same = len(ours) == len(theirs) and bool((ours[order[0]] == theirs[order[1]]).all())
        other = measured(theirs, cells, steps)
        row |= {"brian2_spikes": len(theirs), "brian2_rate": other["rate"], "brian2_cv": other["cv"], "same": same, "ratio": seconds / took}
    return row, recording


def main() -> None:
    args = parser.parse_args()
    console = Console()
    rows = []
    args.out.mkdir(parents=True, exist_ok=True)
    for kind in WEIGHTS:
        with console.status(f"{kind}, {args.cells:,} cells, {args.ms:g} ms"):
            row, recording = run(kind, args.cells, args.ms, args.seed, args.peer)
        rows.append(row)
        recording.save(args.out / f"{kind.lower()}.npz")
    table = Table(title=f"{args.cells:,} cells, {args.ms:g} ms, after the first 100 ms")
    for column in rows[-1]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)
    (args.out / "vogels_abbott.json").write_text(
        json.dumps({"cells": args.cells, "ms": args.ms, "seed": args.seed, "rows": rows}, indent=2)
    )


if __name__ == "__main__":
    main()

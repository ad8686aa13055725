"""Inhibitory plasticity of Vogels et al. (2011): it balances a network, hides a stored assembly, and lets a partial cue recall it.

    python sims/papers/inhibitory_balance.py --peer brian2

Leaky cells with conductances, a fifth of them inhibitory, under a constant current that alone would make them fire:

    tau dV/dt = (-60 mV - V) + g_e (0 mV - V) + g_i (-80 mV - V) + 20 mV              conductances in units of the leak, 10 nS

tau 20 ms, threshold -50 mV, reset -60 mV, 5 ms of refractoriness, excitatory synapses with 5 ms, inhibitory ones with 10 ms. A cell has
40 excitatory synapses of .3 and 40 inhibitory ones, of .75 onto inhibitory cells; those onto excitatory cells begin at 0 and learn,

    dw = eta exp(-|lag| / 20 ms) for each pair of spikes, dw = -eta alpha for each presynaptic one, alpha = 2 target 20 ms, target 3 Hz

The stages, each of which goes on where the last one ended:

    without     the network as it begins, with the rule silenced
    balanced    with the rule
    stored      excitatory weights within an assembly, a tenth of the excitatory cells, are five times as strong
    hidden      after the rule has answered
    cued        a quarter of the assembly receives Poisson spikes; what the other three quarters do is recall

Controls: `unlearned`, the assembly stored while inhibition is fixed as it was in the balanced network; `unstored`, the cue in that network
without the assembly.

With `--peer brian2` the beginning of the balanced network runs in equations of Brian2's own language, with exponential Euler integration;
the presynaptic spike reaches the rule a step after it was taken up, and what is carried has the weight that was learned before.

Parameters as in the authors' Auryn example (sim_isp_orig, F. Zenke) and in a NEST implementation (A. Sinha), both read again in their
source, but for these: the network is an eighth of theirs, with a quarter of their 160 excitatory synapses a cell, and inhibitory ones of
a quarter of their weight, 3; the rule, whose eta is .001 there, is much faster, for seconds instead of minutes and hours; the cue lasts
half a second, and not a whole one; there are no delays, as in Brian2's example of this paper, whose weights are a tenth of theirs. These
numbers of synapses were chosen here: with 160 and 40 on so few cells the network stays in full synchrony, and with 10 inhibitory ones rates
settle at twice the target. The paper itself was not read again.

Prints a row a stage; writes results/inhibitory_balance.json and a recording of each stage.
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
from scipy.signal import lfilter

from spikemem import LIF, Exponential, InhibitorySTDP, Network, Population, Receptors, Recording, poisson, simulate
from spikemem.network import Sparse

DT = 0.1
TAU, TAU_E, TAU_I, REFRACTORY = 20.0, 5.0, 10.0, 5.0
THRESHOLD, EXCITES, INHIBITS, DRIVE = 10.0, 60.0, -20.0, 20.0
"""mV above rest: threshold, reversal potentials, and what the constant current tends to."""
WEIGHT, STRONG, MOST = 0.3, 0.75, 7.5
"""Of excitatory synapses, of inhibitory ones among inhibitory cells, and the bound of those that learn; in units of the leak."""
FAN_E, FAN_I = 40, 40
STORED, CUE_RATE, CUE_FAN = 5.0, 100.0, 50
"""How much stronger an assembly's synapses are; rate of the cue's cells, Hz, and how many of them reach a cell."""

LAST, CUED = 2000.0, 500.0
"""ms at the end of a stage that are measured, and how long the cue lasts."""

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--cells", type=int, default=1250, help="a fifth of them are inhibitory")
parser.add_argument("--eta", type=float, default=0.05, help="learning rate")
parser.add_argument("--target", type=float, default=3.0, help="the rate that the rule aims at, Hz")
parser.add_argument("--seconds", type=float, default=6.0, help="how long the rule balances the network, and then the assembly")
parser.add_argument("--peer", choices=["none", "brian2"], default="none", help="run the beginning in native Brian2, too")
parser.add_argument("--peer-ms", type=float, default=500.0, help="how much of it")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results"), help="the folder for inhibitory_balance.json")


class Wiring(NamedTuple):
    """Who reaches whom.   pairs: by the two populations' names, the cells of each synapse, (pre, post).   voltage: mV, by population."""

    excitatory: int
    inhibitory: int
    pairs: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
    voltage: dict[str, NDArray[np.float64]]

    @property
    def assembly(self) -> int:
        """Cells of the assembly, the first excitatory ones; the cue reaches the first quarter of them."""
        return self.excitatory // 10

    @property
    def recalling(self) -> slice:
        """The cells of the assembly that the cue does not reach."""
        return slice(self.assembly // 4, self.assembly)

    def size(self, name: str) -> int:
        """Cells of a population."""
        return {"E": self.excitatory, "I": self.inhibitory, "cue": 4 * CUE_FAN}[name]


def wired(cells: int, seed: int) -> Wiring:
    """A random network with as many synapses onto each cell as the published one is expected to have."""
    rng = np.random.default_rng(seed)
    inhibitory = cells // 5
    sizes = {"E": cells - inhibitory, "I": inhibitory, "cue": 4 * CUE_FAN}
    pairs = {}
    for way, fan_in in (("EE", FAN_E), ("EI", FAN_E), ("IE", FAN_I), ("II", FAN_I)):
        pre, post = sizes[way[0]], sizes[way[1]]
        sources = np.concatenate([rng.choice(pre, fan_in, replace=False) for _ in range(post)])
        pairs[way] = sources, np.repeat(np.arange(post), fan_in)
    cued = sizes["E"] // 10 // 4
    sources = np.concatenate([rng.choice(sizes["cue"], CUE_FAN, replace=False) for _ in range(cued)])
    pairs["cue"] = sources, np.repeat(np.arange(cued), CUE_FAN)
    return Wiring(sizes["E"], inhibitory, pairs, {name: rng.uniform(0.0, THRESHOLD, sizes[name]) for name in "EI"})


def network(wiring: Wiring, rule: InhibitorySTDP | None, stored: float = 1.0, inhibition: NDArray[np.float64] | None = None) -> Network:
    """The network: populations E, I and cue; V in mV above rest.

    rule: None silences it.   stored: how much stronger the synapses within the assembly are.
    inhibition: weights of I onto E, [pre, post]; None begins with 0.
    """
    net = Network(DT)
    cell = LIF.from_equation(DT, tau=TAU, threshold=THRESHOLD, reset=0.0, refractory=REFRACTORY)
    neuron = Receptors(cell, excitatory=Exponential(TAU_E, reversal=EXCITES), inhibitory=Exponential(TAU_I, reversal=INHIBITS))
    for name in "EI":
        net.add(Population(name, wiring.size(name), neuron, bias=DRIVE, voltage=wiring.voltage[name]))
    net.add(Population("cue", wiring.size("cue"), poisson(0.0)))
    pre, post = wiring.pairs["EE"]
    within = (pre < wiring.assembly) & (post < wiring.assembly)
    learns = np.zeros(len(wiring.pairs["IE"][0])) if inhibition is None else inhibition[wiring.pairs["IE"]]
    weights = {"EE": np.where(within, stored, 1.0) * WEIGHT, "EI": WEIGHT, "IE": learns, "II": STRONG}
    for way, weight in weights.items():
        receptor, plasticity = ("excitatory", None) if way[0] == "E" else ("inhibitory", rule if way == "IE" else None)
        made = Sparse.from_coo(*wiring.pairs[way], weight, (wiring.size(way[0]), wiring.size(way[1])))
        net.connect(way[0], way[1], made, receptor=receptor, plasticity=plasticity)
    cue = Sparse.from_coo(*wiring.pairs["cue"], WEIGHT, (wiring.size("cue"), wiring.excitatory))
    net.connect("cue", "E", cue, receptor="excitatory")
    return net


def stages(wiring: Wiring, rule: InhibitorySTDP, seconds: float, seed: int) -> dict[str, tuple[Network, Recording]]:
    """The stages and the controls by their names: the network of each, and its recording, with voltages of `watched` cells."""
    plain, stored = network(wiring, rule), network(wiring, rule, STORED)
    cue = {"cue": poisson(CUE_RATE, seed=seed)}

    def step(net: Network, ms: float, before: Recording | None = None, stimulus: dict[str, Any] | None = None) -> tuple[Network, Recording]:
        start = None if before is None else before.state
        return net, simulate(net, stimulus or {}, round(ms / DT), start=start, record={"E": watched(wiring)})

    made = {"without": step(network(wiring, None), 1000.0), "balanced": step(plain, 1000.0 * seconds)}
    balanced = made["balanced"][1]
    made["stored"] = step(stored, CUED, balanced)
    made["hidden"] = step(stored, 1000.0 * seconds, made["stored"][1])
    made["cued"] = step(stored, CUED, made["hidden"][1], cue)
    made["after"] = step(stored, CUED, made["cued"][1])
    made["unlearned"] = step(network(wiring, None, STORED, balanced.weights["I->E"][0]), 1000.0)
    made["unstored"] = step(plain, CUED, balanced, cue)
    return made


def watched(wiring: Wiring) -> NDArray[np.int64]:
    """Cells whose currents are measured: some of the assembly that the cue does not reach, and as many others."""
    count = min(10, wiring.assembly // 4)
    return np.concatenate([wiring.assembly - 1 - np.arange(count), wiring.assembly + np.arange(count)])


def currents(net: Network, recording: Recording, start: int) -> NDArray[np.float64]:
    """Mean currents of the watched cells from a step on: excitation with the drive, and inhibition; mV, [2, watched].

    Conductances follow from the spikes, by the weights at the end.
    """
    cells, voltage = recording.cells["E"], recording.voltages["E"][:, 0]
    opened = []
    for pre, tau in (("E", TAU_E), ("I", TAU_I)):
        name = f"{pre}->E"
        fixed = next(p.synapses for p in net.projections if p.name == name)
        weights = (recording.weights[name][0] if name in recording.weights else fixed.matrix())[:, cells]
        arrived, spikes = np.zeros((recording.steps + 1, len(cells))), recording[pre]
        np.add.at(arrived, spikes.step + 1, weights[spikes.cell])
        opened.append(lfilter([1.0], [1.0, -np.exp(-DT / tau)], arrived[:-1], axis=0))
    excited, inhibited = opened[0] * (EXCITES - voltage) + DRIVE, opened[1] * (voltage - INHIBITS)
    return np.stack([excited[start:].mean(axis=0), inhibited[start:].mean(axis=0)])


def measured(wiring: Wiring, net: Network, recording: Recording) -> dict[str, float]:
    """Of the end of a stage: rates, Hz, of all excitatory cells, the cued ones, the rest of the assembly, and all others; CV; chi; and
    inhibition as a share of excitation, in the rest of the assembly and in others."""
    whole = recording.steps * recording.dt
    start = max(whole - LAST, whole / 2 if whole > CUED else 0.0)
    rates, half = recording.rates("E", start=start)[0], len(recording.cells["E"]) // 2
    inward, outward = currents(net, recording, round(start / DT))
    return {
        "rate": float(rates.mean()),
        "cued": float(rates[: wiring.recalling.start].mean()),
        "recalling": float(rates[wiring.recalling].mean()),
        "others": float(rates[wiring.assembly :].mean()),
        "cv": float(np.nanmean(recording.cv("E", start=start))),
        "chi": float(recording.synchrony("E", start=start)[0]),
        "balance": float(outward[:half].mean() / inward[:half].mean()),
        "balance_others": float(outward[half:].mean() / inward[half:].mean()),
    }


MODEL = """
dv/dt = (ge * (60 - v) + gi * (-20 - v) + 20 - v) / taum : 1 (unless refractory)
dge/dt = -ge / taue : 1
dgi/dt = -gi / taui : 1
"""
LEARNS = """
w : 1
dx/dt = -x / window : 1 (event-driven)
dy/dt = -y / window : 1 (event-driven)
"""


def native(wiring: Wiring, rule: InhibitorySTDP, steps: int) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """The balanced network in Brian2's own language: its spikes, [spike, (step, cell)], the learned weights, [synapse], and seconds.

    Inhibitory cells are numbered after the excitatory ones.
    """
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    clock, ms = DT * b2.ms, b2.ms
    cells = b2.NeuronGroup(
        wiring.excitatory + wiring.inhibitory, MODEL, threshold="v > 10", reset="v = 0", refractory=(REFRACTORY + DT) * ms,
        method="exponential_euler", dt=clock, namespace={"taum": TAU * ms, "taue": TAU_E * ms, "taui": TAU_I * ms},
    )  # fmt: skip
    cells.v = np.concatenate([wiring.voltage[name] for name in "EI"])
    groups = {"E": cells[: wiring.excitatory], "I": cells[wiring.excitatory :]}
    parts: list[Any] = [cells]
    for way, change in (("EE", f"ge_post += {WEIGHT}"), ("EI", f"ge_post += {WEIGHT}"), ("II", f"gi_post += {STRONG}")):
        synapses = b2.Synapses(groups[way[0]], groups[way[1]], on_pre=change, dt=clock)
        synapses.connect(i=wiring.pairs[way][0], j=wiring.pairs[way][1])
        parts.append(synapses)
    numbers = {"window": rule.tau * ms, "eta": rule.eta, "alpha": rule.alpha, "w_max": rule.w_max}
    learning = b2.Synapses(
        groups["I"], groups["E"], LEARNS, dt=clock, namespace=numbers, delay={"learn": clock},
        on_post="w = clip(w + eta * x, 0, w_max)\ny += 1",
        on_pre={"learn": "w = clip(w + eta * (y - alpha), 0, w_max)\nx += 1", "carry": "gi_post += w"},
    )  # fmt: skip
    learning.connect(i=wiring.pairs["IE"][0], j=wiring.pairs["IE"][1])
    learning.post.order, learning.learn.order, learning.carry.order = 1, 2, 3
    monitor = b2.SpikeMonitor(cells)
    whole = b2.Network(*parts, learning, monitor)
    whole.run(0 * ms)
    began = time.perf_counter()
    whole.run(steps * clock)
    took = time.perf_counter() - began
    spikes = np.stack([np.rint(np.asarray(monitor.t / clock)).astype(np.int64), np.asarray(monitor.i)], axis=1)
    return ordered(spikes), np.asarray(learning.w), took


def ordered(spikes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Spikes, [spike, (step, cell)], sorted by step, then cell."""
    return spikes[np.lexsort((spikes[:, 1], spikes[:, 0]))]


def compared(wiring: Wiring, rule: InhibitorySTDP, steps: int) -> dict[str, Any]:
    """The beginning of the balanced network here and in Brian2: whether spikes are the same, how far weights are apart, ratio of times."""
    net = network(wiring, rule)
    simulate(net, {}, 2)  # loads the kernels
    began = time.perf_counter()
    recording: Recording = simulate(net, {}, steps)
    took = time.perf_counter() - began
    parts = [np.stack([recording[n].step, recording[n].cell + shift], axis=1) for n, shift in (("E", 0), ("I", wiring.excitatory))]
    theirs, weights, seconds = native(wiring, rule, steps)
    learned = recording.weights["I->E"][0][wiring.pairs["IE"]]
    return {
        "ms": steps * DT,
        "spikes": len(theirs),
        "same": np.array_equal(ordered(np.concatenate(parts).astype(np.int64)), theirs),
        "weight": float(learned.mean()),
        "apart": float(np.abs(learned - weights).max()),
        "ratio": seconds / took,
    }


def main() -> None:
    args = parser.parse_args()
    console, wiring = Console(), wired(args.cells, args.seed)
    rule = InhibitorySTDP(eta=args.eta, tau=20.0, target=args.target, w_max=MOST)
    args.out.mkdir(parents=True, exist_ok=True)
    with console.status(f"{args.cells:,} cells, twice {args.seconds:g} s"):
        made = stages(wiring, rule, args.seconds, args.seed)
    rows = []
    for name, (net, recording) in made.items():
        rows.append({"stage": name, **measured(wiring, net, recording)})
        recording.save(args.out / f"inhibitory_balance_{name}.npz")
    table = Table(title=f"{args.cells:,} cells, target {args.target:g} Hz")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)
    written: dict[str, Any] = {**{k: v for k, v in vars(args).items() if k != "out"}, "assembly": wiring.assembly, "rows": rows}
    if args.peer == "brian2":
        written["brian2"] = compared(wiring, rule, round(args.peer_ms / DT))
        console.print(written["brian2"])
    (args.out / "inhibitory_balance.json").write_text(json.dumps(written, indent=2))


if __name__ == "__main__":
    main()

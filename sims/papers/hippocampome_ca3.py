"""CA3 of cells that were measured: completion by Hippocampome's pyramidal and basket cells, beside the CA3 of `hippocampus-engram`.

    python sims/papers/hippocampome_ca3.py --peer brian2

A small CA3 after the full one of Kopsick, Kilgore, Adam and Ascoli (2024). Pyramidal and basket cells have the parameters of
Hippocampome.org in Izhikevich's form of 2007, as that paper's own configuration of CARLsim has them, and so have the decay times of
conductances. Assemblies of k cells are held by one weight between all cells that share one (clipped Hebb: Willshaw, Buneman and
Longuet-Higgins 1969). Mossy fibres fire a share of an assembly within a millisecond. The recurrent volley fires the rest, and basket cells
end the race, all in one gamma cycle; a control has the recurrent synapses silenced. All cues meet a network at rest, side by side.

    overlap          |fired and assembly| / max(|fired|, k)
    reconstruction   (r_out - r_cue) / (1 - r_cue), r the correlation with the whole assembly over all cells: the measure of that paper

Beside it, at equal cells and winners and by the same weights, the CA3 of `hippocampus-engram-small`: perfect integrators, and `KWinners`
whose inhibition rises from gamma cycle to gamma cycle, with the cue held where that model has the drive from DG.

What differs from the paper: 2,048 pyramidal cells in the place of some 75,000, all of them connected, and one of the seven types of
interneurons; weights are set, where the paper lets STDP form three assemblies of 275 cells; no short-term plasticity, NMDA, GABA_B or
background current. Peak conductances are chosen, by cues of .3 to .9 of an assembly at loads of 1,000 to 5,000, on those of another seed.

Prints two tables, and whether Brian2 has the same spikes; writes results/hippocampome_ca3.json, which analysis/papers/hippocampome_ca3.py
draws.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from spikemem import LIF, Exponential, Izhikevich, KWinners, Network, Population, Receptors, Recording, load_model, simulate
from spikemem.evaluate.compare import wilson
from spikemem.network import Dense, all_to_all, one_to_one

PYRAMIDAL = Izhikevich.fitted(
    capacitance=102.0, k=1.54, rest=-63.12, threshold=-23.96, a=0.008, b=-35.78, c=-38.70, d=235.0, peak=36.40
)  # fmt: skip
"""A CA3 pyramidal cell, pF, nS/mV, mV, 1/ms, nS, pA: read in the paper's `generateCONFIGStateSTP.h`."""
BASKET = Izhikevich.fitted(
    capacitance=45.0, k=0.9951729, rest=-57.506126, threshold=-23.378766, a=0.003846186, b=9.2642765, c=-47.555661, d=-6.0, peak=18.454934
)  # fmt: skip
"""A CA3 basket cell, from the same file."""
TAU = {
    ("pyramidal", "pyramidal"): 7.55,
    ("pyramidal", "basket"): 3.97130389,
    ("basket", "pyramidal"): 7.63862234,
    ("basket", "basket"): 3.007016545,
}
"""ms, decay of AMPA and GABA_A conductances by the cells before and behind the synapse, from the same file."""
EXCITATORY, INHIBITORY = 0.0, -70.0
"""mV, reversal potentials, as in CARLsim; from memory, not read again."""
DELAY = 1.0
"""ms, of all synapses, from the same file."""
BASKETS = 100
"""As many as CA3 of `hippocampus-engram-basket` has; the full network has 115 of this type, and 8,676 interneurons in all."""
RECURRENT, EXCITING, INHIBITING, MUTUAL = 5.0, 2.5, 100.0, 1.0
"""nS, chosen: of a potentiated recurrent synapse (at most 12 in the paper's network), of one onto a basket cell, and what all basket cells
together open in a pyramidal cell, and in one another."""
DETONATOR = 110.0
"""mV that a mossy fibre's spike lifts its cell by, chosen: it fires it alone, whatever else comes (Henze, Wittner and Buzsaki 2002)."""
DT, GAMMA = 0.1, 25.0
"""ms, the step, and how long a recall is watched."""
VOLLEY = (0.5, 1.5)
"""ms, between which the cells of a cue fire."""
ENGRAM = "hippocampus-engram-small"
LOADS, SHARES = (100, 500, 1000, 2000, 3000, 4000, 5000, 6000, 8000), (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
HALF, LOAD = 0.5, 1000
"""The share of the cue where the load varies, and the load where the share does."""
WHOLE, SILENCED, WINNERS = "Hippocampome's cells", "recurrent synapses silenced", "CA3 of hippocampus-engram"
BAR = 0.9
"""The overlap from which on an assembly counts as recalled."""
NEAR = 1e-6
"""mV, by how much voltages of two simulators may differ."""

Cells = NDArray[np.int64]


def draw(load: int, cells: int, core: int, seed: int) -> Cells:
    """Random assemblies, [load, core]."""
    rng = np.random.default_rng([seed, 0])
    return np.stack([rng.choice(cells, core, replace=False) for _ in range(load)])


def hebbian(assemblies: Cells, cells: int) -> NDArray[np.bool_]:
    """Synapses between cells that share an assembly, bool, [pre, post]."""
    bits = np.zeros((cells, cells), bool)
    for assembly in assemblies:
        bits[assembly[:, None], assembly] = True
    np.fill_diagonal(bits, False)
    return bits


def cued(assemblies: Cells, share: float, seed: int) -> Cells:
    """A cue for each assembly: a share of its cells, at random, [cue, c]."""
    return np.random.default_rng([seed, 1]).permuted(assemblies, axis=1)[:, : round(share * assemblies.shape[1])]


def volley(cues: Cells, cells: int, seed: int) -> NDArray[np.bool_]:
    """The spikes of mossy fibres, [time, cue, cell]."""
    first, last = (round(edge / DT) for edge in VOLLEY)
    spikes = np.zeros((round(GAMMA / DT), len(cues), cells), bool)
    spikes[np.random.default_rng([seed, 2]).integers(first, last, cues.shape), np.arange(len(cues))[:, None], cues] = True
    return spikes


def behind(neuron: Izhikevich, name: str) -> Receptors:
    """A type of cell with its AMPA and GABA_A conductances."""
    ampa, gaba = Exponential(TAU["pyramidal", name], EXCITATORY), Exponential(TAU["basket", name], INHIBITORY)
    return Receptors(neuron, ampa=ampa, gaba=gaba)


def network(bits: NDArray[np.bool_], silenced: bool = False, baskets: int = BASKETS) -> Network:
    """Mossy fibres, pyramidal cells and basket cells.   bits: [pre, post].   silenced: without the recurrent synapses."""
    net, cells = Network(DT), len(bits)
    net.add(Population("mossy", cells))
    net.add(Population("pyramidal", cells, behind(PYRAMIDAL, "pyramidal")))
    net.add(Population("basket", baskets, behind(BASKET, "basket")))
    net.connect("mossy", "pyramidal", one_to_one(DETONATOR * PYRAMIDAL.capacitance / DT), receptor="current", delay=DT)
    if not silenced:
        net.connect("pyramidal", "pyramidal", Dense(RECURRENT * bits), receptor="ampa", delay=DELAY)
    net.connect("pyramidal", "basket", all_to_all(EXCITING), receptor="ampa", delay=DELAY)
    net.connect("basket", "pyramidal", all_to_all(INHIBITING / baskets), receptor="gaba", delay=DELAY)
    net.connect("basket", "basket", all_to_all(MUTUAL / baskets), receptor="gaba", delay=DELAY)
    return net


def fired(recording: Recording, population: str, cues: int, start: float = 0.0) -> list[Cells]:
    """The cells that fired to each cue from a time on, ms."""
    spikes = recording[population]
    late = spikes.step * recording.dt >= start
    return [np.unique(spikes.cell[late & (spikes.batch == cue)]).astype(np.int64) for cue in range(cues)]


def by_winners(bits: NDArray[np.bool_], cues: Cells) -> list[Cells]:
    """The cells that fire in the last gamma cycle of CA3 of the engram model, with the cue held through a theta cycle."""
    spec = load_model(ENGRAM)
    assert spec.engram is not None
    rising, step = spec.engram.rising, 1.0
    net, cells, cycle = Network(step), len(bits), round(GAMMA / step)
    net.add(Population("mossy", cells))
    net.add(Population("ca3", cells, LIF(tau=math.inf), KWinners(GAMMA, k=tuple(rising))))
    net.connect("mossy", "ca3", one_to_one(float(spec.dg.winners)))
    net.connect("ca3", "ca3", Dense(float(spec.engram.gain) * bits), delay=GAMMA)
    held = np.zeros((cycle * len(rising), len(cues), cells), bool)
    held[::cycle, np.arange(len(cues))[:, None], cues] = True
    return fired(simulate(net, {"mossy": held}, len(held)), "ca3", len(cues), GAMMA * (len(rising) - 1))


def judged(found: Sequence[Cells], cues: Cells, assemblies: Cells, cells: int) -> dict[str, float]:
    """Means over cues of overlap and reconstruction, of strangers that fired, and the share of assemblies recalled."""
    overlap, rebuilt, strangers = [], [], []
    for out, cue, assembly in zip(found, cues, assemblies, strict=True):
        right = len(np.intersect1d(out, assembly))
        overlap.append(right / max(len(out), len(assembly)))
        strangers.append(len(out) - right)
        r_cue, r_out = (_correlation(given, assembly, cells) for given in (cue, out))
        rebuilt.append((r_out - r_cue) / (1.0 - r_cue))
    means = {"overlap": overlap, "reconstruction": rebuilt, "strangers": strangers, "recalled": np.array(overlap) >= BAR}
    return {name: float(np.mean(values)) for name, values in means.items()}


def _correlation(one: Cells, other: Cells, cells: int) -> float:
    """Pearson's, of two sets of cells; 0 where one holds none or all."""
    p, q = len(one) / cells, len(other) / cells
    spread = math.sqrt(p * (1 - p) * q * (1 - q))
    return (len(np.intersect1d(one, other)) / cells - p * q) / spread if spread else 0.0


def recalled(bits: NDArray[np.bool_], assemblies: Cells, share: float, seed: int) -> dict[str, dict[str, float]]:
    """How each condition recalls some assemblies from a share of their cells."""
    cells, cues = len(bits), cued(assemblies, share, seed)
    spikes = volley(cues, cells, seed)
    found = {
        name: fired(simulate(network(bits, name == SILENCED), {"mossy": spikes}, len(spikes)), "pyramidal", len(cues))
        for name in (WHOLE, SILENCED)
    }
    found[WINNERS] = by_winners(bits, cues)
    return {name: judged(out, cues, assemblies, cells) for name, out in found.items()}


def measure(loads: Sequence[int], shares: Sequence[float], cues: int, cells: int, core: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """The rows of both tables: over the load at a fixed share of the cue, and over that share at a fixed load."""
    assemblies, rows = draw(max(*loads, LOAD), cells, core, seed), {"load": [], "share": []}  # type: dict[str, list[dict[str, Any]]]
    jobs = [("load", load, HALF) for load in loads] + [("share", LOAD, share) for share in shares]
    for varied, load, share in track(jobs, "recalls", console=Console(stderr=True), transient=True):
        bits = hebbian(assemblies[:load], cells)
        made = recalled(bits, assemblies[:cues], share, seed)
        rows[varied].append({"load": load, "share": share, "density": float(bits.mean()), "cues": cues, **made})
    return rows


def raster(cells: int, core: int, seed: int) -> dict[str, Any]:
    """The spikes of one recall, (cell, ms), with and without recurrent synapses."""
    assemblies = draw(LOAD, cells, core, seed)
    bits, cues = hebbian(assemblies, cells), cued(assemblies[:1], HALF, seed)
    spikes, made = volley(cues, cells, seed), {}
    for name in (WHOLE, SILENCED):
        recording = simulate(network(bits, name == SILENCED), {"mossy": spikes}, len(spikes))
        parts = ((population, recording[population]) for population in ("pyramidal", "basket"))
        made[name] = {population: np.stack([part.cell, part.step * DT]).tolist() for population, part in parts}
    return {"assembly": assemblies[0].tolist(), "cue": cues[0].tolist(), **made}


def beside(cells: int, core: int, seed: int, simulator: str = "brian2") -> dict[str, float]:
    """A small CA3 in two simulators: spikes, those that only one of them has, and the largest difference of voltages, mV."""
    assemblies = draw(8, cells, core, seed)
    cues = cued(assemblies[:4], HALF, seed)
    spikes, every = volley(cues, cells, seed), {"pyramidal": np.arange(cells), "basket": np.arange(BASKETS)}
    net = network(hebbian(assemblies, cells))
    ours, theirs = (simulate(net, {"mossy": spikes}, len(spikes), simulator=name, record=every) for name in ("event", simulator))
    sets = [
        {(p, *row) for p in every for row in zip(r[p].step.tolist(), r[p].batch.tolist(), r[p].cell.tolist(), strict=True)}
        for r in (ours, theirs)
    ]
    apart = max(float(np.abs(ours.voltages[p] - theirs.voltages[p]).max()) for p in every)
    return {"spikes": len(sets[0]), "differ": len(sets[0] ^ sets[1]), "apart": apart}


def show(rows: dict[str, list[dict[str, Any]]], core: int) -> None:
    """Both tables."""
    for varied, title in (("load", f"{HALF:.0%} of {core} cells as the cue"), ("share", f"{LOAD:,} assemblies stored")):
        table = Table("stored", "cue", "density", *(f"{name}: overlap, recalled" for name in (WHOLE, SILENCED, WINNERS)), title=title)
        for row in rows[varied]:
            cells = []
            for name in (WHOLE, SILENCED, WINNERS):
                low, high = wilson(row[name]["recalled"], row["cues"])
                cells.append(f"{row[name]['overlap']:.3f}, {row[name]['recalled']:.2f} [{low:.2f}, {high:.2f}]")
            table.add_row(f"{row['load']:,}", f"{row['share']:.1f}", f"{row['density']:.3f}", *cells)
        Console(width=150).print(table)


def parse() -> argparse.Namespace:
    spec = load_model(ENGRAM)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=spec.dg.cells, help="pyramidal cells")
    parser.add_argument("--core", type=int, default=spec.ca3.core, help="cells of an assembly; the winners of the engram model are its own")
    parser.add_argument("--loads", type=int, nargs="+", default=LOADS, help="assemblies stored")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of an assembly as its cue")
    parser.add_argument("--cues", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="0 is what the conductances were chosen on")
    parser.add_argument("--peer", choices=["none", "brian2"], default="none", help="run a small CA3 of 128 cells in Brian2, too")
    parser.add_argument("--out", type=Path, default=Path("results/hippocampome_ca3.json"))
    return parser.parse_args()


def main() -> None:
    args = parse()
    if args.cues > min(args.loads):
        raise SystemExit(f"--cues {args.cues}: no more cues than the smallest load, {min(args.loads)}")
    rows = measure(args.loads, args.shares, args.cues, args.cells, args.core, args.seed)
    show(rows, args.core)
    result: dict[str, Any] = {"cells": args.cells, "core": args.core, "rows": rows, "raster": raster(args.cells, args.core, args.seed)}
    if args.peer == "brian2":
        result["peer"] = beside(128, args.core, args.seed)
        print("Brian2: {differ} of {spikes} spikes differ; voltages lie at most {apart:.1e} mV apart".format(**result["peer"]))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()

"""Completion in CA3 from explicit basket cells: recall from half an engram against load, beside clipped Hebbian theory and `KWinners`.

    python sims/memory/ca3_basket_cells.py --cues 50 --sweep

2,048 conductance-based pyramidal cells (equations in `basket_cells.py`), as many as in hippocampus-small, hold M random engrams of
k = 30 cells, the size of that model's core, in recurrent synapses of one weight, written by clipped Hebb (Willshaw, Buneman and
Longuet-Higgins 1969) without self-connections. Mossy fibres fire a part of an engram (detonators: Henze, Wittner and Buzsaki 2002); the
recurrent volley and a ramp fire the rest, and basket cells end the race, all in one gamma cycle, which is enough for
retrieval (de Almeida, Idiart and Lisman 2007). The same weights are given to `KWinners` cells, for one gamma cycle and for three.

    density rho(M) = 1 - (1 - k^2 / N^2)^M          overlap = |fired and engram| / max(|fired|, k)
    cells that no threshold tells from the engram's own, for a cue of c cells:  (N - k) rho^c

Pyramidal cells: membrane time constant 23.6 ms (Johnston 1981), input resistance of the order of Spruston and Johnston (1992); recurrent
EPSPs below a millivolt (Guzman et al. 2016). Where a number was chosen, it is said beside it; the same numbers serve all loads and cues.
The cue's volley already fires the basket cells once, feed-forward; their second volley ends the race. Prints a table and writes
results/ca3_basket_cells.json.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from basket_cells import BAR, DT, Loop, add_baskets, b2, codegen, describe, holding, overlap, principal_cells, synapses
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from spikemem import LIF, KWinners, Network, Population, load_model, simulate
from spikemem.network.synapses import Dense, one_to_one

MODEL = "hippocampus-small"
GAMMA = 25
"""ms, one gamma cycle."""
SLOT = 30
"""ms from one cue to the next; every cue meets a network at rest."""
CUE_TIME, CUE_JITTER = 2.0, 0.5
"""ms, mean and s.d. of the mossy fibre volley."""
DETONATOR = 60.0
"""nS, one mossy fibre synapse; it fires its cell alone (Henze, Wittner and Buzsaki 2002)."""
LOADS = (500, 1000, 2000, 3000, 3500, 4000, 5500, 7000)
PARTS = (15, 20)
"""Cells of the engram's 30 that the cue fires."""
SWEEP_LOAD, SWEEP_PART = 1000, 15
SETTLED = 3
"""Gamma cycles that the ideal network is also given."""


@dataclass(frozen=True, kw_only=True)
class Pyramidal(Loop):
    """Pyramidal cells, basket cells, and recurrent synapses.   recurrent: nS of a potentiated synapse.   collateral: its delay, ms."""

    resistance: float = 135.0  # Spruston and Johnston 1992, order of magnitude
    tau: float = 23.6  # Johnston 1981
    rest: float = -65.0  # chosen
    threshold: float = -50.0  # chosen
    refractory: float = 20.0  # one spike a gamma cycle, chosen
    tau_ampa: float = 6.0  # chosen
    tau_gaba: float = 6.0  # of the order of Bartos, Vida and Jonas 2007
    tonic: float = 2.6  # chosen
    release: float = 8.4  # the recurrent volley has arrived
    ramp: float = 0.88  # chosen
    noise: float = 0.1  # chosen, see the sweep
    baskets: int = 200  # as in dentate gyrus
    basket_threshold: float = -49.0  # chosen
    basket_spread: float = 1.1  # chosen
    p_excite: float = 0.4  # chosen
    p_inhibit: float = 0.8  # chosen: uneven inhibition costs capacity
    delay: float = 0.6  # Bartos, Vida and Jonas 2007
    excitation: float = 9.2  # chosen
    inhibition: float = 19.0  # chosen
    recurrent: float = 0.57  # some three quarters of a millivolt: Guzman et al. 2016
    collateral: float = 2.0  # chosen: longer than the loop through basket cells


SWEEP: dict[str, Sequence[float]] = {
    "delay": (0.2, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0),
    "basket_threshold": (-56.0, -54.0, -52.0, -49.0, -47.0, -45.0, -42.0),
    "baskets": (6, 12, 25, 50, 100, 200, 400),
    "inhibition": (4.0, 8.0, 10.0, 12.0, 19.0, 22.0, 25.0, 30.0, 50.0),
    "ramp": (0.5, 0.7, 0.75, 0.8, 0.88, 1.1, 1.3, 1.5, 1.8),
    "p_excite": (0.05, 0.1, 0.2, 0.4, 0.8),
    "p_inhibit": (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0),
    "noise": (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0),
    "recurrent": (0.4, 0.45, 0.5, 0.57, 0.65, 0.8, 1.0),
}
"""What is varied, one at a time, with mean conductances kept where only the number of synapses changes."""


@dataclass(frozen=True, eq=False)
class Recall:
    """How a network recalled.   overlap, spurious, missed: of each cue, [cue]."""

    overlap: NDArray[np.float64]
    spurious: NDArray[np.int64]
    missed: NDArray[np.int64]

    @classmethod
    def of(cls, fired: list[NDArray[np.int64]], engrams: NDArray[np.int64]) -> "Recall":
        """From the cells that fired to each cue, and the engrams meant, [cue, k]."""
        k = engrams.shape[1]
        pairs = list(zip(fired, engrams, strict=True))
        return cls(
            np.array([overlap(cells, engram, k) for cells, engram in pairs]),
            np.array([len(np.setdiff1d(cells, engram)) for cells, engram in pairs]),
            np.array([len(np.setdiff1d(engram, cells)) for cells, engram in pairs]),
        )

    def summary(self) -> dict[str, float]:
        """Means over cues, and the share of engrams recalled with an overlap at the bar or above."""
        means = {name: float(getattr(self, name).mean()) for name in ("overlap", "spurious", "missed")}
        return {**means, "recalled": float((self.overlap >= BAR).mean())}


def draw_engrams(n: int, cells: int, core: int, seed: int) -> NDArray[np.int64]:
    """Random engrams, [n, core]."""
    rng = np.random.default_rng([seed, 0])
    return np.stack([rng.choice(cells, core, replace=False) for _ in range(n)])


def clipped_hebb(engrams: NDArray[np.int64], cells: int) -> NDArray[np.bool_]:
    """Synapses between cells that share an engram, bool, [pre, post]."""
    weights = np.zeros((cells, cells), bool)
    for engram in engrams:
        weights[engram[:, None], engram] = True
    np.fill_diagonal(weights, False)
    return weights


def theory(load: int, cells: int, core: int) -> float:
    """The density of clipped Hebbian synapses, 1 - (1 - k^2 / N^2)^M.

    >>> round(theory(3230, cells=2048, core=30), 3)
    0.5
    """
    return 1.0 - (1.0 - core**2 / cells**2) ** load


def parts(engrams: NDArray[np.int64], part: int, seed: int) -> NDArray[np.int64]:
    """A cue for each engram: `part` of its cells, drawn at random, [n, part]."""
    return np.random.default_rng([seed, part]).permuted(engrams, axis=1)[:, :part]


def run(
    weights: NDArray[np.bool_], cues: NDArray[np.int64], pyramidal: Pyramidal | None = None, seed: int = 0, target: str = "numpy"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The explicit network, a gamma cycle for each cue, one after the other.

    weights: [pre, post].   cues: cells that the mossy fibres fire, [cue, c].   Returns (cue, cell, ms in its gamma cycle) of each pyramidal
    and of each basket spike, [3, spike].
    """
    pyramidal, cells = pyramidal or Pyramidal(), len(weights)
    rng = np.random.default_rng([seed, 1])
    with codegen(target):
        b2.seed(seed)
        group = principal_cells(cells, pyramidal, GAMMA, SLOT)
        baskets, wiring = add_baskets(group, 1, pyramidal, rng)
        group.run_regularly("v = rest + tonic; ge = 0*siemens; gi = 0*siemens", dt=SLOT * b2.ms)
        baskets.run_regularly("v = rest; ge = 0*siemens", dt=SLOT * b2.ms)
        volley = np.clip(rng.normal(CUE_TIME, CUE_JITTER, cues.shape), 0.1, None) + SLOT * np.arange(len(cues))[:, None]
        mossy = b2.SpikeGeneratorGroup(cells, cues.ravel(), volley.ravel() * b2.ms, dt=DT * b2.ms)
        every = np.arange(cells)
        recurrent = synapses(group, group, "ge", *np.nonzero(weights), pyramidal.recurrent, pyramidal.collateral)
        monitors = b2.SpikeMonitor(group), b2.SpikeMonitor(baskets)
        net = b2.Network(group, baskets, *wiring, mossy, synapses(mossy, group, "ge", every, every, DETONATOR, DT), recurrent, *monitors)
        net.run(len(cues) * SLOT * b2.ms, namespace={})
        return in_slots(monitors[0]), in_slots(monitors[1])


def in_slots(monitor: b2.SpikeMonitor) -> NDArray[np.float64]:
    """(cue, cell, ms) of each spike within its gamma cycle, [3, spike]."""
    step = np.rint(monitor.t[:] / (DT * b2.ms)).astype(np.int64)
    slot = round(SLOT / DT)
    spikes = np.stack([step // slot, monitor.i[:], step % slot * DT]).astype(np.float64)
    return spikes[:, spikes[2] < GAMMA]


def fired(spikes: NDArray[np.float64], cues: int) -> list[NDArray[np.int64]]:
    """The cells that fired to each cue."""
    return [np.unique(spikes[1, spikes[0] == cue]).astype(np.int64) for cue in range(cues)]


def ideal(weights: NDArray[np.bool_], cues: NDArray[np.int64], core: int, cycles: int) -> list[NDArray[np.int64]]:
    """The cells that fire to each cue where `KWinners` chooses, in the last of some gamma cycles under a held cue."""
    cells, detonator = len(weights), 2.0**10
    net = Network(dt=1.0)
    net.add(Population("cue", cells))
    net.add(Population("ca3", cells, LIF(tau=float("inf")), KWinners(float(GAMMA), k=core)))
    synapses_ = weights.astype(np.float64)
    net.connect("cue", "ca3", one_to_one(detonator))
    net.connect("cue", "ca3", Dense(synapses_))
    net.connect("ca3", "ca3", Dense(synapses_), delay=float(GAMMA))
    held = np.zeros((cycles * GAMMA, len(cues), cells), bool)
    held[::GAMMA, np.arange(len(cues))[:, None], cues] = True
    spikes = simulate(net, {"cue": held}, steps=len(held))["ca3"]
    return [spikes.between((cycles - 1) * GAMMA, cycles * GAMMA, cue).cell.astype(np.int64) for cue in range(len(cues))]


def measure(loads: Sequence[int], n: int, seed: int, target: str) -> list[dict[str, Any]]:
    """For each load and cue size the recall of the explicit network and of the ideal one, beside measured and theoretical density."""
    spec = load_model(MODEL)
    cells, core = spec.dg.cells, spec.ca3.core
    engrams, rows = draw_engrams(max(loads), cells, core, seed), []
    for load in track(loads, "loads", console=Console(stderr=True), transient=True):
        weights = clipped_hebb(engrams[:load], cells)
        meant = engrams[:n]
        for part in PARTS:
            cues = parts(meant, part, seed)
            explicit = fired(run(weights, cues, seed=seed, target=target)[0], n)
            density = theory(load, cells, core)
            rows.append({
                "load": load, "part": part, "density": float(weights.sum() / (cells * (cells - 1))), "theory": density,
                "alike": (cells - core) * density**part, "explicit": Recall.of(explicit, meant).summary(),
                "ideal": Recall.of(ideal(weights, cues, core, 1), meant).summary(),
                "settled": Recall.of(ideal(weights, cues, core, SETTLED), meant).summary(),
            })  # fmt: skip
    return rows


def sweep(n: int, seed: int, target: str) -> dict[str, Any]:
    """For each parameter its values, the overlap at each, and the range around the default that holds."""
    spec = load_model(MODEL)
    engrams = draw_engrams(SWEEP_LOAD, spec.dg.cells, spec.ca3.core, seed)
    weights, cues = clipped_hebb(engrams, spec.dg.cells), parts(engrams[:n], SWEEP_PART, seed)
    reached: dict[str, list[float]] = {name: [] for name in SWEEP}
    runs = [(name, value) for name, values in SWEEP.items() for value in values]
    for name, value in track(runs, "sweep", console=Console(stderr=True), transient=True):
        spikes, _ = run(weights, cues, replace(Pyramidal(), **{name: value}), seed, target)
        reached[name].append(float(Recall.of(fired(spikes, n), engrams[:n]).overlap.mean()))
    defaults = asdict(Pyramidal())
    return {
        name: {
            "values": list(values), "overlap": reached[name], "default": defaults[name],
            "holds": holding(values, reached[name], defaults[name], BAR),
        }
        for name, values in SWEEP.items()
    }  # fmt: skip


def raster(n: int, seed: int, target: str) -> dict[str, Any]:
    """The spikes of one recall at the sweep's load, with the engram."""
    spec = load_model(MODEL)
    engrams = draw_engrams(SWEEP_LOAD, spec.dg.cells, spec.ca3.core, seed)
    cues = parts(engrams[:n], SWEEP_PART, seed)
    pyramidal, basket = (s[1:, s[0] == 0] for s in run(clipped_hebb(engrams, spec.dg.cells), cues[:1], seed=seed, target=target))
    return {"engram": engrams[0].tolist(), "cue": cues[0].tolist(), "pyramidal": pyramidal.tolist(), "basket": basket.tolist()}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cues", type=int, default=50)
    parser.add_argument("--loads", type=int, nargs="+", default=LOADS, help="engrams stored")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sweep", action="store_true", help="vary the parameters one at a time (some minutes)")
    parser.add_argument("--cython", action="store_true", help="let Brian2 compile; faster from the second run on")
    parser.add_argument("--out", type=Path, default=Path("results/ca3_basket_cells.json"))
    return parser.parse_args()


def main() -> None:
    args = parse()
    if args.cues > min(args.loads):
        raise SystemExit(f"--cues {args.cues}: no more cues than the smallest load, {min(args.loads)}")
    target = "cython" if args.cython else "numpy"
    rows = measure(args.loads, args.cues, args.seed, target)
    result: dict[str, Any] = {
        "cells": load_model(MODEL).dg.cells, "cues": args.cues, "bar": BAR, "rows": rows, "parameters": asdict(Pyramidal()),
        "sweep_load": SWEEP_LOAD, "sweep_part": SWEEP_PART,
        "raster": raster(1, args.seed, target),
    }  # fmt: skip
    print(" load  cue  density  theory  overlap  recalled  spurious   ideal  settled")
    for row in rows:
        own, once, settled = row["explicit"], row["ideal"]["overlap"], row["settled"]["overlap"]
        print(
            f"{row['load']:>5,}  {row['part']:>3}  {row['density']:>7.3f}  {row['theory']:>6.3f}  {own['overlap']:>7.3f}  "
            f"{own['recalled']:>8.2f}  {own['spurious']:>8.1f}  {once:>6.3f}  {settled:>7.3f}"
        )
    if args.sweep:
        result["sweep"] = sweep(args.cues, args.seed, target)
        for name, row in result["sweep"].items():
            print(describe(name, row))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()

"""The k winners of dentate gyrus from explicit basket cells: a granule cell layer with feedback inhibition, beside `KWinners`.

    python sims/memory/dg_basket_cells.py --cues 50 --sweep

2,048 conductance-based granule cells (equations in `basket_cells.py`) hear the actual EC spikes of a cue through the actual synapses
of hippocampus-small: a positive weight opens AMPA, a negative one, the pull of a push-pull pair, GABA-A a millisecond later, as through a
feed-forward interneuron. Depolarised by the rhythm they climb a ramp, and 200 basket cells, excited by random granule cells and
inhibiting random granule cells, end the race. Which cells fired in the gamma cycle is compared with the ideal: the k = 64 winners that
`Hippocampus.simulate_recall` finds for the same cue.

    overlap = |winners and ideal| / max(|winners|, k),  mean over cues

A control shows what is left to inhibition: the best of all fixed thresholds on the exact drive, the same one for every cue; it is lost as
soon as the drive of all cells is a little stronger or weaker.

Granule cells: 292 MOhm, 31 ms, -75 mV (Luebke, Frotscher and Spruston 1998); EPSCs of some 9 pA that decay in 6 ms (Pernia-Andrade and
Jonas 2014), which is 1.4 nS for a standard deviation of the drive. Feedback inhibition of granule cells: Espinoza et al. (2018); the race
in a gamma cycle: de Almeida, Idiart and Lisman (2009); such a circuit at full scale: Guzman et al. (2021). Where a number was chosen, it
is said beside it. What was found to work is a graded loop: inhibition of less than the leak, from many basket cells, slows the race with
each winner until it stands. One synapse of a basket cell is then much weaker than a measured one. Prints a table and writes
results/dg_basket_cells.json.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from basket_cells import BAR, DT, Loop, add_baskets, b2, codegen, describe, holding, overlap, principal_cells, synapses, tiled
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from spikemem import Hippocampus, Network, Recording, load_model

MODEL = "hippocampus-small"
STORED = 40
"""Memories stored beforehand; DG adapts at the 32nd."""
GAMMA = 25
"""ms and steps of spikemem, one gamma cycle."""
BATCH = 25
"""Cues simulated side by side."""


@dataclass(frozen=True, kw_only=True)
class Dentate(Loop):
    """Granule cells, basket cells, and the perforant path.

    drive: nS that a weight of 1 opens; the drive's standard deviation over cells is 1.   pull: GABA-A for AMPA conductance of one weight;
    it makes up for the smaller driving force.   relay: ms, what the feed-forward interneuron adds.
    """

    resistance: float = 292.0  # Luebke, Frotscher and Spruston 1998, as the next two
    tau: float = 31.0
    rest: float = -75.0
    threshold: float = -50.0  # chosen
    refractory: float = 15.0  # one spike a gamma cycle, chosen
    tau_ampa: float = 6.0  # Pernia-Andrade and Jonas 2014
    tau_gaba: float = 6.0  # of the order of Bartos, Vida and Jonas 2007
    tonic: float = 17.5  # chosen: 7.5 mV below threshold
    release: float = 10.0  # all but a few of EC's spikes have arrived
    ramp: float = 0.33  # chosen: 4 mV within the gamma cycle
    noise: float = 0.0  # see the sweep
    baskets: int = 200  # chosen, for a smooth sum
    basket_threshold: float = -52.7  # chosen
    basket_spread: float = 1.6  # chosen
    p_excite: float = 0.4  # chosen
    p_inhibit: float = 0.3  # Espinoza et al. 2018
    delay: float = 0.6  # Bartos, Vida and Jonas 2007
    excitation: float = 1.3  # chosen: sets the number of winners
    inhibition: float = 2.1  # chosen: some 60 % of the leak
    drive: float = 1.4  # Pernia-Andrade and Jonas 2014
    pull: float = 2.45  # chosen: AMPA's driving force over GABA-A's, below threshold
    relay: float = 1.0  # chosen


SWEEP: dict[str, Sequence[float]] = {
    "delay": (0.2, 0.3, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0),
    "basket_threshold": (-55.0, -54.0, -53.6, -53.3, -52.7, -52.0, -51.5, -51.0, -49.0),
    "baskets": (12, 25, 40, 50, 100, 200, 400),
    "inhibition": (0.5, 1.0, 1.5, 1.8, 2.1, 2.6, 3.2, 4.5, 8.0, 20.0),
    "ramp": (0.2, 0.25, 0.28, 0.3, 0.33, 0.35, 0.37, 0.39, 0.42, 0.5),
    "p_excite": (0.02, 0.05, 0.1, 0.2, 0.4, 0.8),
    "p_inhibit": (0.02, 0.05, 0.1, 0.3, 0.6, 1.0),
    "noise": (0.0, 0.1, 0.2, 0.3, 0.5, 1.0),
    "drive": (1.0, 1.2, 1.25, 1.3, 1.4, 1.5, 1.55, 1.6, 1.8),
}
"""What is varied, one at a time. Synapses are weaker where there are more of them, so that `baskets`, `p_excite` and `p_inhibit` leave
the mean conductances as they are."""


@dataclass(frozen=True, eq=False)
class Cues:
    """The network, its spikes in a gamma cycle for each cue, the ideal winners, [cue, k], and the exact drive, [cue, cell]."""

    network: Network
    recording: Recording
    ideal: NDArray[np.int64]
    drive: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Race:
    """What fired.   overlaps, sizes: of each cue.   granule, basket: (cue, cell, ms) of each spike, [3, spike]."""

    overlaps: NDArray[np.float64]
    sizes: NDArray[np.int64]
    granule: NDArray[np.float64]
    basket: NDArray[np.float64]


def make_cues(n: int, seed: int) -> Cues:
    """Random unit vectors as cues of a hippocampus that holds others."""
    spec, rng = load_model(MODEL), np.random.default_rng(seed)
    memory = Hippocampus(spec, seed=seed)
    memory.store(rng.normal(size=(STORED, spec.ec.dim)))
    recording = memory.simulate_recall(rng.normal(size=(n, spec.ec.dim)), settle=0, attention_cycles=1)
    network = memory.network
    drive = np.zeros((n, spec.dg.cells))
    for projection in inputs(network):
        pre = recording[projection.pre]
        counts = np.stack([pre.between(0, GAMMA, cue).counts(n)[cue] for cue in range(n)])
        drive += counts @ projection.synapses.matrix()
    ideal = np.stack([recording["dg"].between(0, GAMMA, cue).cell for cue in range(n)]).astype(np.int64)
    return Cues(network, recording, ideal, drive)


def inputs(network: Network) -> list[Any]:
    """The projections onto granule cells: the perforant path, and the feed-forward cell's subtraction of the mean."""
    return [projection for projection in network.projections if projection.post == "dg"]


def perforant_path(cues: Cues, chosen: range, granule: b2.NeuronGroup, dentate: Dentate) -> list[Any]:
    """Sources that repeat the recorded spikes of some cues, and their synapses by sign."""
    made: list[Any] = []
    for projection in inputs(cues.network):
        spikes, matrix = cues.recording[projection.pre], projection.synapses.matrix()
        size, cells = matrix.shape
        here = (spikes.step < GAMMA) & (spikes.batch >= chosen.start) & (spikes.batch < chosen.stop)
        which = (spikes.batch[here] - chosen.start) * size + spikes.cell[here]
        source = b2.SpikeGeneratorGroup(len(chosen) * size, which, spikes.step[here] * cues.recording.dt * b2.ms, dt=DT * b2.ms)
        made.append(source)
        for sign, conductance, scale, extra in ((1, "ge", 1.0, 0.0), (-1, "gi", dentate.pull, dentate.relay)):
            pre, post = np.nonzero(sign * matrix > 0)
            weights = np.tile(np.abs(matrix[pre, post]) * scale * dentate.drive, len(chosen))
            i, j = tiled(pre, post, size, cells, len(chosen))
            made.append(synapses(source, granule, conductance, i, j, weights, projection.delay + extra))
    return made


def race(cues: Cues, chosen: range, dentate: Dentate, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One gamma cycle for some cues side by side: (cue, cell, ms) of each granule and of each basket spike."""
    cells = cues.drive.shape[1]
    b2.seed(seed)
    granule = principal_cells(len(chosen) * cells, dentate, GAMMA, GAMMA)
    baskets, wiring = add_baskets(granule, len(chosen), dentate, np.random.default_rng([seed, 1]))
    monitors = b2.SpikeMonitor(granule), b2.SpikeMonitor(baskets)
    net = b2.Network(granule, baskets, *wiring, *perforant_path(cues, chosen, granule, dentate), *monitors)
    net.run(GAMMA * b2.ms, namespace={})
    fired, inhibited = (
        np.stack([chosen.start + monitor.i[:] // size, monitor.i[:] % size, monitor.t[:] / b2.ms]).astype(np.float64)
        for monitor, size in zip(monitors, (cells, dentate.baskets), strict=True)
    )
    return fired, inhibited


def run(cues: Cues, dentate: Dentate | None = None, seed: int = 0, target: str = "numpy") -> Race:
    """The race of every cue, and its overlap with the ideal winners.   target: "numpy" or "cython"."""
    n, k = cues.ideal.shape
    with codegen(target):
        parts = [race(cues, range(first, min(first + BATCH, n)), dentate or Dentate(), seed) for first in range(0, n, BATCH)]
    granule, basket = (np.concatenate(spikes, axis=1) for spikes in zip(*parts, strict=True))
    fired = [np.unique(granule[1, granule[0] == cue]).astype(np.int64) for cue in range(n)]
    overlaps = np.array([overlap(winners, ideal, k) for winners, ideal in zip(fired, cues.ideal, strict=True)])
    return Race(overlaps, np.array([len(winners) for winners in fired]), granule, basket)


def above_level(cues: Cues, level: float) -> float:
    """The overlap where the cells fire whose exact drive lies above one level, the same for every cue: no inhibition chooses."""
    k = cues.ideal.shape[1]
    return float(np.mean([overlap(np.flatnonzero(drive > level), ideal, k) for drive, ideal in zip(cues.drive, cues.ideal, strict=True)]))


def best_level(cues: Cues) -> float:
    """The level of drive that serves all cues best as a threshold."""
    share = cues.ideal.shape[1] / cues.drive.shape[1]
    levels = np.linspace(*np.quantile(cues.drive, [1 - 2 * share, 1 - share / 2]), 100)
    return float(levels[np.argmax([above_level(cues, level) for level in levels])])


def sweep(cues: Cues, seed: int, target: str) -> dict[str, Any]:
    """For each parameter its values, the overlap and the number of winners at each, and the range around the default that holds."""
    runs = [(name, value) for name, values in SWEEP.items() for value in values]
    done: dict[tuple[str, float], Race] = {}
    for name, value in track(runs, "sweep", console=Console(stderr=True), transient=True):
        done[name, value] = run(cues, replace(Dentate(), **{name: value}), seed, target)
    result: dict[str, Any] = {}
    for name, values in SWEEP.items():
        reached = [float(done[name, value].overlaps.mean()) for value in values]
        winners = [float(done[name, value].sizes.mean()) for value in values]
        default = getattr(Dentate(), name)
        result[name] = {
            "values": list(values), "overlap": reached, "winners": winners, "default": default,
            "holds": holding(values, reached, default, BAR),
        }  # fmt: skip
    level = best_level(cues) * Dentate().drive
    result["drive"]["fixed_threshold"] = [above_level(cues, level / value) for value in SWEEP["drive"]]
    return result


def raster(cues: Cues, raced: Race, cue: int) -> dict[str, Any]:
    """The spikes of one cue, in both networks, as lists: what the figure shows."""
    ec, ideal, basket = (cues.recording[name].between(0, GAMMA, cue) for name in ("ec", "dg", "dg.basket"))
    granule, baskets = (spikes[1:, spikes[0] == cue] for spikes in (raced.granule, raced.basket))
    return {
        "cue": cue, "overlap": float(raced.overlaps[cue]), "drive": cues.drive[cue].tolist(),
        "ec": [ec.cell.tolist(), ec.step.tolist()], "ideal": [ideal.cell.tolist(), ideal.step.tolist()],
        "ideal_basket": basket.step.tolist(), "granule": granule.tolist(), "basket": baskets.tolist(),
    }  # fmt: skip


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cues", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sweep", action="store_true", help="vary the parameters one at a time (ten minutes or so)")
    parser.add_argument("--cython", action="store_true", help="let Brian2 compile; faster from the second run on")
    parser.add_argument("--out", type=Path, default=Path("results/dg_basket_cells.json"))
    return parser.parse_args()


def main() -> None:
    args = parse()
    target = "cython" if args.cython else "numpy"
    cues = make_cues(args.cues, args.seed)
    raced = run(cues, seed=args.seed, target=target)
    level = best_level(cues)
    control = above_level(cues, level)
    typical = int(np.argsort(raced.overlaps)[len(raced.overlaps) // 2])
    result: dict[str, Any] = {
        "cues": args.cues, "k": cues.ideal.shape[1], "bar": BAR,
        "overlap": float(raced.overlaps.mean()), "worst": float(raced.overlaps.min()),
        "winners": float(raced.sizes.mean()), "winners_sd": float(raced.sizes.std()), "threshold": level, "fixed_threshold": control,
        "parameters": asdict(Dentate()), "overlaps": raced.overlaps.tolist(), "raster": raster(cues, raced, typical),
    }  # fmt: skip
    print(f"{args.cues} cues: overlap {result['overlap']:.3f}, worst {result['worst']:.3f}; ", end="")
    print(f"{result['winners']:.1f} +- {result['winners_sd']:.1f} winners for k = {result['k']}")
    print(f"no basket cells, the best fixed threshold on the exact drive: overlap {control:.3f}")
    if args.sweep:
        result["sweep"] = sweep(cues, args.seed, target)
        for name, row in result["sweep"].items():
            print(describe(name, row))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()

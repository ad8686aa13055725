"""Every figure of the page on instruments, of one excitatory-inhibitory network under a theta rhythm.

    python analysis/simulators/instruments.py

Draws docs/instruments/*.png and raster.gif, and prints the measures. The network is the sparse one of Brunel (2000) in small: 400
excitatory and 100 inhibitory cells, 40 excitatory and 10 inhibitory synapses onto each, inhibition 5 times as strong as excitation. Its
input is Poisson spikes of 400 cells, 20 Hz, which follow a rhythm of 125 ms to half their depth. Another network learns by STDP.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from spikemem import LIF, STDP, Network, Population, Recording, plots, simulate
from spikemem.network import sparse_random
from spikemem.simulators import WeightCourse, weight_course

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out", type=Path, default=Path("docs/instruments"), help="the folder of the pictures")
parser.add_argument("--seed", type=int, default=0)

DT, STEPS, THETA = 0.5, 4000, 125.0  # ms, steps, ms
EXCITATION, INHIBITION = (0.05, 0.15), (-0.75, -0.25)  # uniform; a tenth of the threshold, and g = 5, in the mean
RATE, DEPTH = 20.0, 0.5  # of the input: Hz, and how deep the rhythm goes


def network() -> Network:
    """Two populations, and the input that drives both."""
    net = Network(dt=DT)
    net.add(Population("input", 400))
    net.add(Population("e", 400, LIF(tau=20.0, reset=0.0, refractory=2.0)))
    net.add(Population("i", 100, LIF(tau=20.0, reset=0.0, refractory=2.0)))
    for seed, target in enumerate(("e", "i")):
        net.connect("input", target, sparse_random(40, seed, *EXCITATION), delay=1.5)
        net.connect("e", target, sparse_random(40, 2 + seed, *EXCITATION), delay=1.5)
        net.connect("i", target, sparse_random(10, 4 + seed, *INHIBITION), delay=1.5)
    return net


def run(seed: int) -> Recording:
    """Two trials, batch items that differ in their input, with the theta cycles marked."""
    time = np.arange(STEPS) * DT
    rate = RATE * (1 + DEPTH * np.sin(2 * np.pi * time / THETA))  # Hz
    spikes = np.random.default_rng(seed).random((STEPS, 2, 400)) < rate[:, None, None] * DT / 1000.0
    recording = simulate(network(), {"input": spikes}, STEPS, record={"e": range(4)})
    return recording.marked(theta=np.arange(0, STEPS, round(THETA / DT)))


def learning(seed: int) -> WeightCourse:
    """A cell that learns which of its inputs fire together: the first 20 of 100 do."""
    rng = np.random.default_rng(seed)
    net = Network(dt=1.0)
    net.add(Population("input", 100))
    net.add(Population("cell", 1, LIF(tau=10.0, reset=0.0)))
    rule = STDP(a_plus=0.008, a_minus=0.0088, w_max=0.2, coincidence="potentiation")
    net.connect("input", "cell", sparse_random(100, seed, 0.08, 0.12), plasticity=rule)
    together = np.where(np.arange(100) < 20, rng.random((10_000, 1)) < 0.01, False)
    return weight_course(net, {"input": together | (rng.random((10_000, 100)) < 0.01)}, 10_000, snapshots=20)


def figures(recording: Recording, course: WeightCourse) -> dict[str, Figure]:
    """Each figure by its name."""
    return {
        "rates": plots.rates(recording, "e", "i", title="Rates above rasters; lines are theta cycles"),
        "psth": plots.psth(recording, "e", "i", onsets=np.arange(125, 1750, 125), before=25.0, after=125.0),
        "voltages": plots.voltages(recording, "e"),
        "isi": plots.isi(recording, "input", "e", "i"),
        "cv": plots.cv(recording, "input", "e", "i"),
        "cv2": plots.cv2(recording, "input", "e", "i"),
        "fano": plots.fano(recording, "input", "e", "i", window=125.0),
        "correlation": plots.correlation(recording, "i"),
        "synchrony": plots.synchrony(recording, "input", "e", "i"),
        "spectrum": plots.spectrum(recording, "input", "e", "i", bin=1.0, segment=500.0),
        "phase": plots.phase(recording, "input", "e", "i", period=THETA),
        "network": plots.network(network()),
        "weights": plots.weights(network().projections[2].synapses, "Inhibition of the excitatory cells"),
        "weights_over_time": plots.weights_over_time(course),
    }


def measures(recording: Recording) -> str:
    """The measures as rows of a Markdown table."""
    rows = ["| | rate, Hz | CV | CV2 | Fano factor, 125 ms | correlation, 5 ms | chi, 5 ms | vector strength at 8 Hz |", "|---" * 8 + "|"]
    for name in ("input", "e", "i"):
        pairs = recording.correlation(name)[:, *np.triu_indices(recording[name].size, 1)]
        found = [
            recording.rates(name).mean(), np.nanmean(recording.cv(name)), np.nanmean(recording.cv2(name)),
            np.nanmean(recording.fano(name, THETA)), np.nanmean(pairs), recording.synchrony(name).mean(),
            recording.phase(name, THETA).pooled.strength.mean(),
        ]  # fmt: skip
        rows.append(f"| `{name}` | {found[0]:.1f} | " + " | ".join(f"{value:.2f}" for value in found[1:]) + " |")
    return "\n".join(rows)


def main() -> None:
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    recording = run(args.seed)
    for name, figure in figures(recording, learning(args.seed)).items():
        figure.savefig(args.out / f"{name}.png", dpi=80)
    plots.animation(recording, "e", "i", frame=100.0, fps=5.0).save(args.out / "raster.gif", writer="pillow", dpi=60)
    print(measures(recording))


if __name__ == "__main__":
    main()

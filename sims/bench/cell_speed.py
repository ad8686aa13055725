"""What a step of each neuron model costs in the event-driven simulator, beside a plain leaky cell.

    python sims/bench/cell_speed.py

20,000 cells without synapses, driven by a constant current to some tens of Hz, so that the time is that of the cells themselves. All models
run in turn, several rounds; the ratio is the median over rounds of their CPU times. Writes results/cell_speed.json.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from spikemem import ALIF, LIF, AdEx, Exponential, Izhikevich, LeakyIntegrator, Network, Population, Receptors, simulate

CELLS, STEPS, DT = 20_000, 200, 0.5

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=7)
parser.add_argument("--out", type=Path, default=Path("results/cell_speed.json"))

plain = LIF(tau=20.0, reset=0.0)
MODELS = {
    "LIF": (plain, 0.03),
    "LIF, tau of each cell": (LIF(tau=np.linspace(10.0, 30.0, CELLS), reset=0.0), 0.03),
    "LeakyIntegrator": (LeakyIntegrator(), 1.0),
    "ALIF": (ALIF(), 0.05),
    "Izhikevich": (Izhikevich(), 8.0),
    "AdEx": (AdEx(), 700.0),
    "two currents": (Receptors(plain, e=Exponential(5.0), i=Exponential(10.0)), 0.03),
    "two conductances": (Receptors(plain, e=Exponential(5.0, reversal=3.0), i=Exponential(10.0, reversal=-1.0)), 0.03),
}


def main() -> None:
    args = parser.parse_args()
    runs = {}
    for name, (neuron, drive) in MODELS.items():
        net = Network(DT)
        net.add(Population("cells", CELLS, neuron, bias=drive))
        simulate(net, {}, 3)  # loads the kernels
        runs[name] = net
    took: dict[str, list[float]] = {name: [] for name in runs}
    spikes = {}
    for _ in track(range(args.rounds), "rounds"):
        for name, net in runs.items():
            began = time.process_time()
            recording = simulate(net, {}, STEPS)
            took[name].append(time.process_time() - began)
            spikes[name] = len(recording["cells"])
    table = Table("cells", "Hz", "ratio to LIF", title=f"{CELLS:,} cells, {STEPS} steps, {args.rounds} rounds")
    rows = {}
    for name, times in took.items():
        ratio = float(np.median(np.array(times) / np.array(took["LIF"])))
        rows[name] = {"rate": spikes[name] / CELLS / (STEPS * DT / 1000.0), "ratio": ratio}
        table.add_row(name, f"{rows[name]['rate']:.0f}", f"{ratio:.2f}")
    Console().print(table)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()

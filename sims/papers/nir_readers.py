"""The graphs of the NIR paper (Pedersen et al. 2024, Nature Communications 15, 8122), read and run beside what its readers published.

    python sims/papers/nir_readers.py --data DIR

DIR/nir holds the paper's `.nir` files and `lif_*.csv`: the input, voltage and spike of one LIF neuron in every step of .1 ms, from eight
readers. They scale v differently, take it before the reset or after, and lag a step or not; v is compared in multiples of the threshold, in
steps in which none spikes. The spread of a step is the range of the eight; a voltage is within it where it leaves it by less than 1e-4.

The Braille and N-MNIST networks have no input there: each runs on Poisson spikes, beside the same graph in Norse where Norse reads it
(reset to zero alone). Prints a table of files, one of readers, and writes results/nir_readers.json, which
analysis/papers/nir_readers.py draws.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from spikemem import from_nir, simulate

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
parser.add_argument("--steps", type=int, default=256, help="of the made input; that of the Braille task has 256")
parser.add_argument("--rate", type=float, default=0.05, help="spikes a step of the made input")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", type=Path, default=Path("results/nir_readers.json"))

DT = {"cnn": 1000.0}
"""ms: sinabs counts time in steps, and an IF with r = 1 adds its whole input in a step of one second. Others: .1 ms, as in the paper."""
THRESHOLD = {
    "lava_cpu_float": 0.1,
    "norse": 0.1,
    "rockpool": 0.1,
    "sinabs": 0.1,
    "spyx": 0.1,
    "nengo": 1.0,
    "snntorch": 2.5,
    "spinnaker2": 2.5,
}
"""In the unit of each reader's voltage: snnTorch and SpiNNaker2 measure it in inputs, dt r / tau = 1 / 25, Nengo in thresholds."""
MARGIN = 1e-4


def main(args: argparse.Namespace) -> None:
    folder, console = args.data / "nir", Console()
    files = [row(path, args) for path in sorted(folder.glob("*.nir"))]
    readers, volts = traces(folder)
    show(console, "Files", files)
    show(console, "One LIF neuron", readers)
    written = {"files": files, "readers": readers, "volts": {name: v.round(5).tolist() for name, v in volts.items()}}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(written))


def row(path: Path, args: argparse.Namespace) -> dict[str, object]:
    """A file, what was read of it, and the spikes of its last population on a made input."""
    dt = next((dt for part, dt in DT.items() if part in path.name), 0.1)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        net = from_nir(path, dt, reset="subtract" if "subtract" in path.name else "zero")
    given = next(name for name in ("input", "in") if name in net.populations)
    spikes = np.random.default_rng(args.seed).random((args.steps, net.populations[given].size)) < args.rate
    recording = simulate(net, {given: spikes}, args.steps)
    counts = {name: len(recording[name].step) for name in net.populations if name not in (given, "bias.cell")}
    return {
        "file": path.name.removeprefix("paper_"),
        "cells": sum(p.size for p in net.populations.values()),
        "synapses": sum(q.synapses.count for q in net.projections),
        "spikes": ", ".join(f"{name} {count}" for name, count in counts.items()),
        "Norse": norse(path, spikes, dt),
        "said": "; ".join(str(w.message) for w in warned),
    }


def norse(path: Path, spikes: np.ndarray, dt: float) -> str:
    """How many spikes of the output Norse has and we have not, or the reverse, of how many of its own, with reset to zero; or its error."""
    try:
        import nir
        import norse.torch
        import torch

        graph = nir.read(path)
        module, state, output = norse.torch.from_nir(graph, ignore_warnings=True, dt=dt / 1000), None, []
        given = next(name for name, node in graph.nodes.items() if type(node).__name__ == "Input")
        shape = graph.nodes[given].input_type["input"]
        with torch.no_grad():
            for now in torch.as_tensor(spikes.reshape(-1, 1, *shape), dtype=torch.float32):
                fired, state = module(now, state)
                output.append(fired.numpy().ravel() > 0)
    except Exception as error:  # whatever another tool raises: the table says it
        return f"{type(error).__name__}"
    theirs = np.array(output)
    ours = from_nir(path, dt)
    last = next(pre for pre, post in graph.edges if type(graph.nodes[post]).__name__ == "Output")
    late = np.concatenate([spikes, np.zeros((8, spikes.shape[1]), bool)])
    seen, events = np.zeros((len(late), theirs.shape[1]), bool), simulate(ours, {given: late}, len(late))[last]
    seen[events.step, events.cell] = True
    other = min(int((seen[lag : lag + len(theirs)] != theirs).sum()) for lag in range(8))
    return f"{other} of {theirs.sum()}"


def traces(folder: Path) -> tuple[list[dict[str, object]], dict[str, np.ndarray]]:
    """One LIF neuron in each reader and here: spikes, the share of steps in which v is in the spread of the others; and v by thresholds."""
    read = {path.stem.removeprefix("lif_"): np.loadtxt(path, delimiter=",") for path in sorted(folder.glob("lif_*.csv"))}
    spikes = np.append(read["norse"][:, :1] > 0, [[False]], axis=0)
    recording = simulate(from_nir(folder / "paper_01_lif_lif_norse.nir", 0.1), {"input": spikes}, len(spikes), record={"1": [0]})
    times = {name: np.flatnonzero(trace[:, 2]) for name, trace in read.items()} | {"spikemem": recording["1"].step - 1}
    volts = {name: trace[:, 1] / THRESHOLD[name] for name, trace in read.items()}
    volts["spikemem"] = np.ravel(recording.voltages["1"])[1:] / 0.1
    quiet = ~np.isin(np.arange(len(spikes) - 1), np.concatenate([*times.values()]))
    rows = []
    for name, v in volts.items():
        others = np.array([volts[other] for other in read if other != name])
        outside = np.maximum(others.min(0) - v, v - others.max(0))[quiet]
        rows.append(
            {
                "reader": name,
                "spikes": " ".join(map(str, times[name])),
                "v within the spread": f"{np.mean(outside <= MARGIN):.3f}",
                "at most outside, thresholds": f"{max(outside.max(), 0.0):.4f}",
            }
        )
    return rows, volts


def show(console: Console, title: str, rows: list[dict[str, object]]) -> None:
    table = Table(*rows[0], title=title)
    for each in rows:
        table.add_row(*map(str, each.values()))
    console.print(table)


if __name__ == "__main__":
    main(parser.parse_args())

"""A sweep of a spiking network on one core and on two, side by side; and a kill in its midst, after which it goes on.

    python sims/bench/sweep_speed.py --rounds 3

A run simulates a thousand leaky integrate-and-fire cells with winners under noise, for one gain, and gives their rate. Rounds take turns;
each sweep starts its own fresh processes, whose start counts. Beside the ratio of the times stands that of the processor time a worker
needed: on a machine that others use, the first says what these left, the second what the sweep itself costs. Then the same sweep is
killed (SIGKILL) half way and called again: the two tables must be equal, and what had ended must not be done again. Prints a table and
writes results/sweep_speed.json.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spikemem import LIF, KWinners, Network, Population, simulate, sweep
from spikemem.network import sparse_random

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--runs", type=int, default=50)
parser.add_argument("--steps", type=int, default=8000, help="of each run, ms")
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--out", type=Path, default=Path("results/sweep_speed.json"))
parser.add_argument("--only", type=Path, help="run the sweep alone, into this file")


def rate(gain: float, steps: int, seed: int) -> dict[str, float]:
    """The mean rate of a thousand cells, Hz, of which 20 win in each cycle.   gain: of the synapses' drive."""
    net = Network(dt=1.0)
    net.add(Population("input", 100, LIF(tau=20.0)))
    net.add(Population("cells", 1000, LIF(tau=10.0), inhibition=KWinners(k=20, cycle=25.0)))
    net.connect("input", "cells", sparse_random(fan_in=8, seed=0), delay=2.0)
    drive = np.random.default_rng(seed).uniform(0, 0.3 * gain, (steps, 100))
    return {"rate": len(simulate(net, {"input": drive}, steps)["cells"]) / steps}


def timed(grid: dict[str, list[float]], workers: int) -> tuple[float, float, object]:
    """Seconds of a sweep, those of processor time a worker, and its table."""
    start, before = time.perf_counter(), os.times()
    table = sweep(rate, grid, seeds=1, workers=workers)
    spent = os.times()
    processor = spent.children_user + spent.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, processor / workers, table


def lines(path: Path) -> list[str]:
    """The runs that a file holds."""
    return path.read_text().splitlines()[1:] if path.exists() else []


def killed(path: Path, args: argparse.Namespace) -> int:
    """Start the sweep in another process, kill it when half of its runs have ended, and count those."""
    given = ["--runs", str(args.runs), "--steps", str(args.steps), "--only", str(path)]
    process = subprocess.Popen([sys.executable, __file__, *given])
    while len(lines(path)) < args.runs // 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return len(lines(path))


def main() -> None:
    """Time the sweep in turns, then kill it and go on."""
    args = parser.parse_args()
    grid = {"gain": np.linspace(0.5, 1.5, args.runs).round(4).tolist(), "steps": [args.steps]}
    if args.only:
        sweep(rate, grid, seeds=1, workers=2, out=args.only)
        return
    ratios, of_processor, tables = [], [], []
    for i in range(args.rounds):
        (one, alone, first), (two, each, second) = timed(grid, 1), timed(grid, 2)
        ratios.append(one / two)
        of_processor.append(alone / each)
        tables += [first, second]
        print(
            f"round {i + 1}: {args.runs} runs, one core {one:.1f} s, two cores {two:.1f} s, ratio {one / two:.2f}; "
            f"processor time a worker {alone:.1f} s, {each:.1f} s, ratio {alone / each:.2f}",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.jsonl"
        kept = killed(path, args)
        before = lines(path)
        again = sweep(rate, grid, seeds=1, workers=2, out=path)
        gone_on = lines(path)[: len(before)] == before and len(lines(path)) == args.runs
    equal = all(table == again for table in tables) and gone_on
    medians = {"ratio": float(np.median(ratios)), "of processor time": float(np.median(of_processor))}
    print(f"medians {medians}; killed after {kept} of {args.runs} runs and called again: tables equal: {equal}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"runs": args.runs, "ratios": ratios, "medians": medians, "kept": kept, "equal": equal}))


if __name__ == "__main__":
    main()

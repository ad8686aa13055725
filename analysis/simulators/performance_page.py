"""The page on performance, from what `spikemem bench` measured, with growth curves measured here.

    spikemem bench all --json > results/bench.json
    python analysis/simulators/performance_page.py --rows results/bench.json

`--rows` takes several files, of `spikemem bench simulate --json` and so on, where these were measured apart. Writes docs/performance.md
with the date, docs/performance.png, and results/growth.json; `--growth` draws that again without measuring.
"""

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from spikemem import Hippocampus, load_model, simulate
from spikemem.evaluate import bench, benchmarks

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rows", type=Path, nargs="+", required=True, help="what `spikemem bench ... --json` printed")
parser.add_argument("--growth", type=Path, help="what was measured before; left out, it is measured")
parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder of the page and its picture")
parser.add_argument("--results", type=Path, default=Path("results/growth.json"))
parser.add_argument("--note", default="", help="a sentence on how the machine was, for the page")
parser.add_argument("--largest", type=int, default=32_768, help="cells of the largest network")
parser.add_argument("--memories", type=int, default=16_000, help="memories of the largest memory")
parser.add_argument("--rounds", type=int, default=5)

FAN_IN, STEPS, CELLS = 100, 200, 4_096
DOUBLINGS = 5
LIMITS = [
    "CPU time of one thread where it says nothing else; medians of rounds in alternating order, after a warm-up.",
    "Another machine, or one that does other work beside, gives other ratios: caches decide many of them.",
    "The GPU is not measured on this page: it was drawn up on a machine without one.",
]
Curve = list[tuple[int, float]]


def growth(largest: int, memories: int, rounds: int) -> dict[str, Curve]:
    """CPU seconds of simulations by cells and by steps, and of a recall by memories."""
    curves: dict[str, Curve] = {"cells": [], "steps": [], "memories": []}
    sizes = [largest >> n for n in reversed(range(DOUBLINGS))]
    made = {cells: bench.recurrent(cells, min(FAN_IN, cells), STEPS, 0) for cells in sizes}
    times = benchmarks.alternate({str(n): lambda n=n: simulate(*made[n], STEPS) for n in sizes}, rounds)
    curves["cells"] = [(n, times[str(n)].cpu) for n in sizes]
    made.clear()
    cells, steps = min(CELLS, largest), [50 << n for n in range(DOUBLINGS)]
    net, stimulus = bench.recurrent(cells, min(FAN_IN, cells), steps[-1], 0)
    times = benchmarks.alternate({str(n): lambda n=n: simulate(net, {"cells": stimulus["cells"][:n]}, n) for n in steps}, rounds)
    curves["steps"] = [(n, times[str(n)].cpu) for n in steps]
    spec = load_model("hippocampus-base")
    for count in [max(memories >> n, 1) for n in reversed(range(DOUBLINGS))]:
        vectors, cues = benchmarks.drawn(count, spec.ec.dim, 20, 0)
        memory = Hippocampus(spec)
        memory.store(vectors)
        work = {"recall": lambda memory=memory, cues=cues: [memory.recall(cue, 10) for cue in cues]}
        curves["memories"].append((count, benchmarks.alternate(work, rounds)["recall"].cpu / len(cues)))
    return curves


def slope(curve: Curve) -> float:
    """The exponent of a curve's growth: of a straight line through its logarithms."""
    sizes, seconds = np.log(np.array(curve)).T
    return float(np.polyfit(sizes, seconds, 1)[0])


def drawn(curves: dict[str, Curve]) -> Figure:
    """The curves, each beside a line that grows as its size does."""
    figure = Figure(figsize=(9.0, 3.0), layout="constrained")
    for axes, (name, curve) in zip(figure.subplots(1, len(curves)), curves.items(), strict=True):
        sizes, seconds = np.array(curve).T
        axes.loglog(sizes, 1e3 * seconds, "o-", label=f"exponent {slope(curve):.2f}")
        axes.loglog(sizes, 1e3 * seconds[-1] * sizes / sizes[-1], ":", color="grey", label="in proportion")
        axes.set(xlabel=name, ylabel="ms")
        axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes], fontsize=7)
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize=8)
    return figure


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as a table of Markdown."""
    lines = ["| work | beside | figure | bar | met | ours, ms | theirs, ms | same answer | by the machine's limit |", "|---" * 9 + "|"]
    for row in rows:
        figure = "-" if row["ratio"] is None else f"{row['ratio']:.3g} {row['unit']}"
        bar = "-" if row["bar"] is None else f"{row['sense']} {row['bar']:g}"
        ours, theirs = ("-" if row[of] is None else f"{1e3 * row[of]['cpu']:.3g}" for of in ("ours", "theirs"))
        met, same = ({True: "yes", False: "no", None: "-"}[row[of]] for of in ("met", "equal"))
        far = "-" if row["distance"] is None else f"{row['distance']:.1f} times"
        lines.append(f"| {row['row']} | {row['peer'] or '-'} | {figure} | {bar} | {met} | {ours} | {theirs} | {same} | {far} |")
    return lines


def page(given: list[dict[str, Any]], curves: dict[str, Curve], day: str, note: str) -> str:
    """The page."""
    rows, machine = [row for one in given for row in one["rows"]], given[0]["machine"]
    missing = [kind for kind in benchmarks.KINDS if kind not in {kind for one in given for kind in one.get("kinds", ["train"])}]
    quick = ["", "**Small sizes, for a trial of the page: these figures say nothing.**"] if any(one.get("quick") for one in given) else []
    told = {f"{row['row']}{', ' if row['peer'] else ''}{row['peer']}: {row['why']}": None for row in rows if row["why"]}
    exponents = ", ".join(f"{name} {slope(curve):.2f}" for name, curve in curves.items())
    return "\n".join(
        [
            "# Performance",
            "",
            f"Measured on {day}, by `spikemem bench all --json > results/bench.json`; the page is made by",
            "`python analysis/simulators/performance_page.py --rows results/bench.json`. Ratios are measured side by side in one run;",
            "times alone say little about another computer.",
            "",
            *quick,
            "    spikemem bench simulate             # or chain, recall, text, store, open, train, all; --quick for a trial",
            "    spikemem bench data DIR             # recall on public data, every system beside the others",
            "    python sims/bench/hop_speed.py      # a hop of a chain against the touched columns of the matrix, too",
            "    python sims/bench/memory_speed.py   # the memory beside numpy, faiss flat, and cosine with BM25; growth",
            "",
            *(f"- {limit}" for limit in [*LIMITS, note] if limit),
            *(
                [f"- Not measured for this page: {', '.join(missing)}; `spikemem bench {missing[0]}` and so on measure them."]
                if missing
                else []
            ),
            "",
            *table(rows),
            "",
            f"The machine with one thread, in the same run: {machine['copied'] / 1e9:.1f} GB/s copied,",
            f"{machine['reads'] / 1e6:.0f} million random reads/s, {machine['operations'] / 1e9:.0f} GFLOP/s in float32.",
            "The last column is our time by the least that these allow.",
            "",
            *(f"- {line}" for line in told),
            "",
            "## How it grows",
            "",
            "![CPU time of a simulation by cells and steps, and of a recall by memories](performance.png)",
            "",
            f"*Exponents over these sizes, a fixed cost in each: {exponents}; 1 is in proportion. The table's rows are larger.",
            f"Simulations have {FAN_IN} synapses a cell, {STEPS} steps or {CELLS:,} cells.*",
            "",
            *CLOSING,
            "",
        ]
    )


CLOSING = """## Why

The event-driven simulator touches only synapses of cells that spiked. Networks of LIF cells without inhibition, whose synapses neither
learn nor tire, run whole in one compiled loop (numba): cells are integrated and compared with their threshold in one pass, the synapses of
the coming spikes are fetched ahead, targets take 16 bits where they fit. A stimulus is neither copied nor looked through apart, and a
constant one takes no memory. Everything else runs step by step in compiled kernels. The first call of each kernel compiles it, which takes
seconds, once; the result is cached. `simulate(..., simulator="torch", device="cuda")` runs a batch on a GPU.

Why a recall without `record` is fast: the winners that the simulated network would give are computed by short cuts, over index lists and
bit planes; tests hold the two together, to the last spike. What is slow all the same is said in [Limits](limits.md).

What a recall costs does not depend on what was stored last. Word synapses and Schaffer collaterals are lists that grow with each key; the
weights of a word, which all change a little with each memory, are computed when a cue first has it. A recall computes what its cue
touches: the synapses of cells that fire, the drives of index cells whose dendrites open, and, from one gamma cycle to the next, what CA3
has changed.

- Recalls in batches on vectors: the rate twin takes a half to a seventh of the time (`python sims/papers/rate_system_rows.py`).
- Synaptic events of a recall on LoCoMo, with words and context against vectors alone: 92,000 against 520,000 (`spikemem bench data DIR`).\
""".splitlines()


def main() -> None:
    args = parser.parse_args()
    given = [json.loads(path.read_text()) for path in args.rows]
    if args.growth:
        curves = json.loads(args.growth.read_text())
    else:
        start = time.perf_counter()
        curves = growth(args.largest, args.memories, args.rounds)
        args.results.parent.mkdir(parents=True, exist_ok=True)
        args.results.write_text(json.dumps(curves))
        print(f"growth measured in {time.perf_counter() - start:.0f} s")
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "performance.md").write_text(page(given, curves, f"{datetime.now(UTC):%Y-%m-%d}", args.note))
    drawn(curves).savefig(args.out / "performance.png", dpi=130)
    print(f"wrote {args.out / 'performance.md'}; exponents: " + ", ".join(f"{name} {slope(curve):.2f}" for name, curve in curves.items()))


if __name__ == "__main__":
    main()

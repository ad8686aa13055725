"""Commands that measure: everyday work beside other tools, with the bars that it is to reach."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from spikemem.cli.show import Json, Seed, clear_errors, out, plain, save, spinner
from spikemem.cli.simulation import NamesSimulators
from spikemem.errors import SpikememError
from spikemem.evaluate.sizes import QUICK, BenchSize, SimulationSize, TrainingSize

if TYPE_CHECKING:
    from spikemem.evaluate.bench_training import Curves, Throughput
    from spikemem.evaluate.benchmarks import BenchRow

app = typer.Typer(no_args_is_help=True, help="Timings as ratios, side by side in one run.")


class Peers(StrEnum):
    """Which other tools are measured beside ours."""

    ALL, INSTALLED, NONE = "all", "installed", "none"


Quick = Annotated[bool, typer.Option("--quick", help="Small sizes, for a trial; their ratios say little.")]
PeersOption = Annotated[Peers, typer.Option("--peers", help="all: one that is missing is named; installed: it is left out; or none.")]
Million = Annotated[int, typer.Option("--million", min=0, help="Memories of the largest memory, 1000000, which takes hours; 0: none.")]
Picture = Annotated[Path | None, typer.Option("--out", help="Draw the rows against their bars: PNG, PDF or SVG.")]
MORE = {
    "chain": ("A hop of a chain of associations beside the dense product that it replaces.", "`spikemem bench chain`"),
    "recall": (
        "Recalls of vectors beside faiss and numpy, of the engram model, and simulated.",
        "`spikemem bench recall --peers installed`",
    ),
    "text": ("Recalls of texts beside cosine and BM25, and right after a store.", "`spikemem bench text --quick`"),
    "store": ("Stores one by one and in batches, durable.", "`spikemem bench store`"),
    "open": ("Opening a file of many memories, to the end of the first recall.", "`spikemem bench open --million 1000000`"),
    "all": ("Everything: simulate, chain, recall, text, store, open and train.", "`spikemem bench all --json`"),
}
"""What is measured with nothing but the common options, and an example of each."""
LARGE = ("recall", "open", "all")
"""What has a row of the largest memory."""


def _measured(
    kinds: Sequence[str], quick: bool, peers: Peers, picture: Path | None, seed: int, json_: bool, sizes: Mapping[str, int]
) -> None:
    """Measure kinds of work and print the rows."""
    from spikemem.evaluate.benchmarks import bench

    with clear_errors(), spinner("starting") as stage:
        rows, limits = bench(kinds, (QUICK if quick else BenchSize())._replace(**sizes), peers.value, seed, stage)  # type: ignore[arg-type]
        if picture is not None:
            from spikemem import plots

            save(plots.bench(rows), picture)
    if json_:
        out.print_json(
            json.dumps({"rows": [row.json() for row in rows], "kinds": list(kinds), "machine": limits._asdict(), "quick": quick})
        )
        return
    out.print(_rows(rows))
    copied, reads, operations = limits.copied / 1e9, limits.reads / 1e6, limits.operations / 1e9
    out.print(f"this machine, one thread: {copied:.1f} GB/s copied, {reads:.0f} million random reads/s, {operations:.0f} GFLOP/s (float32)")
    for row in rows:
        if row.why:
            out.print(f"{row.row}{', ' if row.peer else ''}{row.peer}: {plain(row.why)}")


def _rows(rows: Sequence["BenchRow"]) -> Table:
    table = _headed("work", "beside", "ratio", "unit", "bar", "met", "ours, ms", "theirs, ms", "same", "of the machine")
    for row in rows:
        ratio, bar = "" if row.ratio is None else f"{row.ratio:.3g}", "" if row.bar is None else f"{row.sense} {row.bar:g}"
        ours, theirs = ("" if each is None else f"{1e3 * each.cpu:.3g}" for each in (row.ours, row.theirs))
        met, same = ({True: "yes", False: "no", None: ""}[each] for each in (row.met, row.equal))
        distance = "" if row.distance is None else f"{row.distance:.1f}"
        table.add_row(row.row, row.peer, ratio, row.unit, bar, met, ours, theirs, same, distance)
    return table


def _command(kind: str, told: str, example: str) -> None:
    """Add a command with the common options."""

    @app.command(name=kind, help=told, epilog=f"Example: {example}")
    def run(
        quick: Quick = False,
        peers: PeersOption = Peers.ALL,
        million: Million = 0,
        picture: Picture = None,
        seed: Seed = 0,
        json_: Json = False,
    ) -> None:
        from spikemem.evaluate.benchmarks import KINDS

        if million and kind not in LARGE:
            raise typer.BadParameter(f"{kind} has no row of so many memories; give it to {', '.join(LARGE)}", param_hint="--million")
        _measured(list(KINDS) if kind == "all" else [kind], quick, peers, picture, seed, json_, {"million": million} if million else {})


for _kind, (_told, _example) in MORE.items():
    _command(_kind, _told, _example)


@app.command(
    name="simulate",
    cls=NamesSimulators,
    epilog="Example: `spikemem bench simulate --simulator event --simulator brian2:cpp_standalone`",
)
def bench_simulate(
    simulator: Annotated[list[str] | None, typer.Option(help="A simulator, again for more; the first sets the scale.")] = None,
    cells: Annotated[int, typer.Option(min=1, help="LIF cells.")] = SimulationSize().cells,
    fan_in: Annotated[int, typer.Option(min=1, help="Synapses that a cell receives.")] = SimulationSize().fan_in,
    steps: Annotated[int, typer.Option(min=1, help="Steps of 1 ms.")] = SimulationSize().steps,
    runs: Annotated[int, typer.Option(min=1, help="Runs after the warm-up; the median counts.")] = SimulationSize().runs,
    quick: Quick = False,
    peers: PeersOption = Peers.ALL,
    picture: Picture = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """The event-driven simulator beside other tools on one sparse recurrent network, about 1 % of its cells active in a step.

    Where simulators are named, whole simulations in these, network and all, instead.
    """
    from spikemem.evaluate import bench as timing

    if not simulator:
        given, usual = {"cells": cells, "fan_in": fan_in, "steps": steps, "rounds": runs}, SimulationSize()
        own = {name: size for name, size in given.items() if not quick or size != getattr(usual, name.replace("rounds", "runs"))}
        _measured(["simulate"], quick, peers, picture, seed, json_, own)
        return
    if quick:
        raise typer.BadParameter("whole simulations have the sizes that are given; leave it out", param_hint="--quick")
    with clear_errors(), spinner("starting") as stage:
        made = timing.simulators(cells, fan_in, steps, simulator, runs, seed, stage)
    if json_:
        out.print_json(json.dumps({"simulators": [t.json() for t in made]}))
        return
    table = Table(title=f"{cells} cells, {fan_in} synapses each, {steps} steps; whole simulations", title_justify="left")
    table.add_column("simulator", justify="left")
    for name in ("ratio", "seconds", "compile", "spikes", "same spikes"):
        table.add_column(name, justify="right")
    for t in made:
        compiled = "" if t.compile_seconds is None else f"{t.compile_seconds:.1f}"
        figures = ("cannot", "", "", "", "") if t.lacks else (f"{t.ratio:.1f}", f"{t.seconds:.4f}", compiled, str(t.spikes), str(t.same))
        table.add_row(t.simulator, *figures)
    out.print(table)
    for t in made:
        if t.lacks:
            out.print(f"{t.simulator}: {plain(t.lacks)}")


def _training_sizes() -> tuple[int, int, int, int]:
    """Batch, steps, hidden cells and runs, where none are given."""
    usual = TrainingSize()
    return usual.batch, usual.steps, usual.cells[1], usual.runs


@app.command(name="train", epilog="Example: `spikemem bench train`, or `spikemem bench train --curve 100 --device cuda`")
def bench_train(
    device: Annotated[str, typer.Option(help="cpu, or a torch device.")] = "cpu",
    compiled: Annotated[bool, typer.Option("--compile", help="torch.compile as well, which takes a minute.")] = False,
    curve: Annotated[int, typer.Option(min=0, help="Compare so many losses on the device with the CPU's instead.")] = 0,
    batch: Annotated[int, typer.Option(min=1, help="Samples in a step.")] = TrainingSize().batch,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the window.")] = TrainingSize().steps,
    hidden: Annotated[int, typer.Option(min=1, help="Cells of the hidden layer.")] = TrainingSize().cells[1],
    runs: Annotated[int, typer.Option(min=1, help="Training steps after the warm-up; the median counts.")] = TrainingSize().runs,
    quick: Quick = False,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """The training of one spiking model, fused and by the plain snnTorch loop; or the losses on a GPU beside the CPU's."""
    if quick:
        if (device, compiled, curve, batch, steps, hidden, runs) != ("cpu", False, 0, *_training_sizes()):
            raise typer.BadParameter("a trial has sizes of its own, on the CPU; leave it or the other options out", param_hint="--quick")
        _measured(["train"], quick, Peers.ALL, None, seed, json_, {})
        return
    import torch

    from spikemem.evaluate import bench_training as training
    from spikemem.evaluate.benchmarks import learning

    cells = (training.CELLS[0], hidden, training.CELLS[-1])
    with clear_errors(), spinner("starting") as stage:
        place = on(device)
        if curve:
            stage(f"{curve} training steps on {device} and on the CPU, in float64 and float32")
            curves = training.curves(device, curve, batch, steps, cells, seed)
            numbers, table = [row.json() for row in curves], _curves(curves)
        else:
            timings = training.throughput(device, compiled, runs, batch, steps, cells, seed, stage)
            numbers, table = [row.json() for row in timings], _throughput(timings)
            rows = [learning.row(timings, runs, torch.get_num_threads())]
    if json_:
        out.print_json(json.dumps(numbers if curve else {"rows": [row.json() for row in rows], "ways": numbers}))
        return
    table.title, table.title_justify = f"{' -> '.join(map(str, cells))} cells, {steps} steps, batch {batch}, on {place}", "left"
    out.print(table)


def _curves(rows: Sequence["Curves"]) -> Table:
    """How far the losses of two devices go together."""
    table = _headed("dtype", "steps", "together", "largest difference")
    for row in rows:
        table.add_row(row.dtype, str(len(row.losses)), str(row.together), f"{row.apart.max():.1e}")
    return table


def _throughput(rows: Sequence["Throughput"]) -> Table:
    """How fast each way of training is."""
    table = _headed("training", "samples/s", "ratio", "ms a step", "MB", "first loss")
    for row in rows:
        memory = "" if row.memory is None else f"{row.memory:.0f}"
        table.add_row(row.name, f"{row.samples:.0f}", f"{row.ratio:.2f}", f"{1000 * row.seconds:.1f}", memory, f"{row.loss:.6f}")
    return table


def _headed(*names: str) -> Table:
    """A table whose first column stands at the left."""
    table = Table()
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i else "left")
    return table


def on(device: str) -> str:
    """What a device is, for a table's title; a clear error where it is not to be had."""
    import torch

    try:
        place = torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise SpikememError(
            f"the device {device!r} is not to be had here ({str(error).splitlines()[0]}); leave it out for the CPU"
        ) from error
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    return f"{place.type} with {torch.get_num_threads()} threads"

"""Commands of the laboratory: simulate, validate, plot."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperCommand

from spikemem.cli.show import Json, Seed, clear_errors, out, plain, save, show, spinner
from spikemem.errors import SpikememError

if TYPE_CHECKING:
    from spikemem.simulators.recording import Recording

app = typer.Typer()
plot = typer.Typer(no_args_is_help=True, help="Pictures of recordings.")
app.add_typer(plot, name="plot")


class NamesSimulators(TyperCommand):
    """A command whose help lists all simulators there are; they are looked up only then."""

    def format_help(self, *given: Any) -> None:
        from spikemem.simulators.registry import SIMULATORS

        for parameter in self.params:
            if parameter.name == "simulator":
                parameter.metavar = f"[{'|'.join(SIMULATORS)}]"
        super().format_help(*given)


@app.command(
    name="simulate",
    cls=NamesSimulators,
    epilog="Example: `spikemem simulate hippocampus-small --out rec.npz`, then `spikemem plot raster rec.npz`",
)
def simulate_(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or path of a model file.")],
    file: Annotated[Path, typer.Option("--out", help="Where the recording goes.")] = Path("recording.npz"),
    simulator: Annotated[str, typer.Option(help="What simulates.")] = "event",
    device: Annotated[str, typer.Option(help="cpu, or a torch device.")] = "cpu",
    memories: Annotated[int | None, typer.Option(min=1, help="Random memories of a hippocampus; 50 by default.")] = None,
    hops: Annotated[int | None, typer.Option(min=1, help="Let a hippocampus follow a chain of so many hops instead of a recall.")] = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Simulate a recall (or a chain) in a hippocampus of random memories, or any other network under random spikes."""
    from spikemem.network.file import is_network

    with clear_errors(), spinner(f"simulating {model}"):
        if is_network(model):
            if memories is not None or hops is not None:
                raise SpikememError(f"{model} is no hippocampus; it has no memories and no hops")
            recording, seconds = _network(model, simulator, device, seed)
        else:
            recording, seconds = _hippocampus(model, simulator, device, memories or 50, hops or 0, seed)
        recording.save(file)
    spikes = {name: len(s) for name, s in recording.spikes.items()}
    if json_:
        out.print_json(json.dumps({"ms": recording.steps * recording.dt, "seconds": round(seconds, 3), "spikes": spikes, "out": str(file)}))
    else:
        show([{"what": name, "spikes": count} for name, count in spikes.items()], False, f"{recording.steps * recording.dt:g} ms -> {file}")


def _hippocampus(model: str, simulator: str, device: str, memories: int, hops: int, seed: int) -> tuple["Recording", float]:
    """The recording of a recall or a chain, and the seconds that it took."""
    import numpy as np

    from spikemem.hippocampus.hippocampus import Hippocampus
    from spikemem.hippocampus.spec import load_model

    spec = load_model(model)
    hippocampus = Hippocampus(spec, device=device, seed=seed)
    vectors = np.random.default_rng(seed).normal(size=(memories, spec.ec.dim))
    ids = hippocampus.store(vectors)
    hippocampus.associate(ids[:-1], ids[1:])
    start = time.perf_counter()
    if hops:
        return hippocampus.simulate_chain(vectors[0], hops, simulator), time.perf_counter() - start
    return hippocampus.simulate_recall(vectors[0], simulator=simulator), time.perf_counter() - start


def _network(model: str, simulator: str, device: str, seed: int) -> tuple["Recording", float]:
    """The recording of 300 steps of random spikes, and the seconds that it took."""
    from spikemem.evaluate.validate import STEPS
    from spikemem.network.file import load_network
    from spikemem.simulators.registry import simulate

    spec = load_network(model)
    net = spec.network()
    start = time.perf_counter()
    return simulate(net, spec.random_spikes(net, STEPS, seed), STEPS, simulator=simulator, device=device), time.perf_counter() - start


@app.command(cls=NamesSimulators, epilog="Example: `spikemem validate spike-cam --simulator brian2 --simulator norse`")
def validate(
    models: Annotated[list[str] | None, typer.Argument(metavar="MODEL...", help="Names or paths of model files; all by default.")] = None,
    simulator: Annotated[list[str] | None, typer.Option(help="Again for more; all but event and variants by default.")] = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Every simulator against the event-driven one, on every model: exit code 1 where one differs, or none could be compared."""
    from spikemem.evaluate import validate as suite

    with clear_errors(), spinner("drawing the models") as stage:
        checks = list(suite.validate(models or (), simulator or (), seed, stage))
    if json_:
        out.print_json(json.dumps([c.json() for c in checks]))
    else:
        _checks(checks)
    verdicts = [c.verdict for c in checks]
    if "differs" in verdicts or "agrees" not in verdicts:
        raise typer.Exit(1)


def _checks(checks: Sequence[Any]) -> None:
    table = Table(title="against event, float64: spikes equal, voltages and weights within 1e-9", title_justify="left")
    for name in ("model", "probe", "simulator", "result"):
        table.add_column(name, justify="left")
    for name in ("spikes", "differ", "V", "w", "seconds", "event's"):
        table.add_column(name, justify="right")
    for c in checks:
        where = (c.model, c.probe, c.simulator)
        style = {"agrees": "green", "cannot": "yellow", "differs": "bold red"}[c.verdict]
        if c.lacks:
            table.add_row(*where, f"[{style}]{c.verdict}[/]", str(c.spikes), "", "", "", "", "")
            continue
        figures = (str(c.different), f"{c.voltage:.1e}", f"{c.weight:.1e}", f"{c.seconds:.2f}", f"{c.event_seconds:.2f}")
        table.add_row(*where, f"[{style}]{c.verdict}[/]", str(c.spikes), *figures)
    out.print(table)
    for c in checks:
        if c.lacks or c.first:
            out.print(f"{c.model}, {c.probe}, {c.simulator}: {plain(c.lacks or str(c.first))}")


@plot.command(epilog="Example: `spikemem plot raster rec.npz ec dg ca3 --out raster.png`")
def raster(
    file: Annotated[Path, typer.Argument(metavar="REC.npz", help="A recording.")],
    populations: Annotated[list[str] | None, typer.Argument(metavar="POPULATION...", help="All that spiked by default.")] = None,
    picture: Annotated[Path | None, typer.Option("--out", help="PNG, PDF or SVG; beside the recording by default.")] = None,
    batch: Annotated[int, typer.Option(help="Batch item.")] = 0,
) -> None:
    """Draw every spike of a recording."""
    from spikemem import Recording, plots

    with clear_errors():
        save(plots.raster(Recording.load(file), *(populations or []), batch=batch), picture or file.with_suffix(".png"))

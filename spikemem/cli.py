"""The command line. Each command prints one clear line and exits with 2 where its input is bad."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from spikemem.errors import SpikememError, TextError

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False, help="A spiking hippocampal memory.")
plot = typer.Typer(no_args_is_help=True, help="Pictures of recordings.")
app.add_typer(plot, name="plot")
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 120)  # a pipe has no width of its own
err = Console(stderr=True, soft_wrap=True)

BAR_FROM = 100
"""A progress bar shows from so many texts up."""

Brain = Annotated[Path, typer.Argument(metavar="BRAIN.db", help="The memory's file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="Name or path of a model file.")]
Seed = Annotated[int, typer.Option(help="Seed of the wiring and the noise.")]


@contextmanager
def _clear_errors() -> Iterator[None]:
    """One line for bad input, exit code 2."""
    try:
        yield
    except SpikememError as error:
        err.print(f"[bold red]error:[/] {escape(' '.join(str(error).split()))}")
        raise typer.Exit(2) from error


@contextmanager
def _bar(what: str, show: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; the yielded function takes (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not show) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def _spinner(what: str) -> Iterator[Callable[[str], None]]:
    """Stages with their time on stderr; the yielded function names the next one."""
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:
        task = progress.add_task(what, total=1)

        def begin(name: str) -> None:
            nonlocal task
            progress.update(task, completed=1)
            task = progress.add_task(name, total=1)

        yield begin
        progress.update(task, completed=1)


def _show(rows: Sequence[dict[str, Any]], as_json: bool, title: str = "") -> None:
    if as_json:
        out.print_json(json.dumps(list(rows)))
        return
    table = Table(title=title or None, title_justify="left")
    for name in rows[0] if rows else ["nothing"]:
        table.add_column(name, justify="left" if name in ("text", "what") else "right")
    for row in rows:
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else escape(str(v)) for v in row.values()))
    out.print(table)


@app.command(epilog="Example: `spikemem store brain.db 'Ada moved to Lisbon.' --cue 'Where does Ada live?'`")
def store(
    brain: Brain,
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT...", help="Memories to store.")] = None,
    file: Annotated[Path | None, typer.Option(help="A UTF-8 file with one memory a line.")] = None,
    cue: Annotated[list[str] | None, typer.Option(help="A further cue, where one TEXT is stored.")] = None,
    model: Annotated[str | None, typer.Option(help="Model of a new memory; hippocampus-base by default.")] = None,
    json_: Json = False,
) -> None:
    """Store memories; prints their ids."""
    from spikemem.memory import Memory

    with _clear_errors():
        said = list(texts or []) + (_lines(file) if file else [])
        if not said:
            raise TextError("nothing to store: give TEXT or --file")
        if cue and len(said) != 1:
            raise TextError(f"--cue belongs to one memory, not to {len(said)}")
        with Memory.open(brain, model) as memory, _bar("storing", len(said) >= BAR_FROM) as progress:
            ids = memory.store_all(said, [list(cue)] if cue else None, progress=progress)
        if json_:
            out.print_json(json.dumps(ids))
        else:
            out.print(f"stored {len(ids)} as {ids[0]}" + (f" to {ids[-1]}" if len(ids) > 1 else ""))


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{file} cannot be read as UTF-8 text: {error}") from error


@app.command(epilog='Example: `spikemem recall brain.db "Ada\'s city" --top-k 3 --plot recall.png`')
def recall(
    brain: Brain,
    cue: Annotated[str, typer.Argument(metavar="CUE")],
    top_k: Annotated[int, typer.Option(min=1, help="How many memories.")] = 3,
    plot_: Annotated[Path | None, typer.Option("--plot", help="Also simulate every spike and draw the raster here.")] = None,
    json_: Json = False,
) -> None:
    """Recall memories by a cue."""
    from spikemem import plots
    from spikemem.memory import Memory

    with _clear_errors(), Memory.open(brain, readonly=True) as memory:
        with err.status("recalling"):
            hits = memory.recall(cue, top_k, record=plot_ is not None)
        _show([{"id": h.id, "score": h.score, "text": h.text} for h in hits], json_)
        if plot_ is not None and hits.recording is not None:
            _save(plots.raster(hits.recording, title=cue), plot_)


def _save(figure: Any, path: Path) -> None:
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise SpikememError(f"{path} cannot be written as a picture: {error}") from error
    err.print(f"drew {path}")


@app.command(epilog='Example: `spikemem chain brain.db "the broken clock" --hops 3`')
def chain(
    brain: Brain,
    cue: Annotated[str, typer.Argument(metavar="CUE")],
    hops: Annotated[int, typer.Option(min=1, help="How many hops.")] = 3,
    json_: Json = False,
) -> None:
    """Recall a memory, and those that follow it."""
    from spikemem.memory import Memory

    with _clear_errors(), Memory.open(brain, readonly=True) as memory:
        with err.status("following the chain"):
            first, hits = memory.recall(cue, 1), memory.recall_chain(cue, hops)
        _show([{"hop": i, "id": h.id, "text": h.text} for i, h in enumerate([*first, *hits])], json_)


@app.command(epilog="Example: `spikemem associate brain.db 0 1 2` binds 0 to 1 and 1 to 2")
def associate(brain: Brain, ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Memories in their order.")]) -> None:
    """Bind memories into a chain."""
    from spikemem.memory import Memory

    with _clear_errors(), Memory.open(brain) as memory:
        if len(ids) < 2:
            raise TextError("a chain needs at least two memories")
        memory.associate_all(list(pairwise(ids)))
        out.print(f"bound {len(ids) - 1} pairs")


@app.command(epilog="Example: `spikemem forget brain.db 3 17`")
def forget(brain: Brain, ids: Annotated[list[int], typer.Argument(metavar="ID...")]) -> None:
    """Delete memories for good."""
    from spikemem.memory import Memory

    with _clear_errors(), Memory.open(brain) as memory:
        memory.forget(*ids)
        out.print(f"forgot {len(ids)}")


@app.command(epilog="Example: `spikemem consolidate brain.db`")
def consolidate(brain: Brain) -> None:
    """Sleep: adapt to all that is stored and write the surviving engrams anew."""
    from spikemem.memory import Memory

    with _clear_errors(), Memory.open(brain) as memory, _spinner("sleeping"):
        memory.consolidate()
        out.print(f"consolidated {len(memory)} memories")


@app.command(epilog="Example: `spikemem info brain.db --json`")
def info(brain: Brain, json_: Json = False) -> None:
    """What is stored, and how full CA3 is."""
    from spikemem.memory import Memory

    with _clear_errors(), Memory.open(brain, readonly=True) as memory:
        facts = {**memory.info(), "file_megabytes": round(brain.stat().st_size / 1e6, 2)}
        if json_:
            out.print_json(json.dumps(facts))
        else:
            _show([{"what": k.replace("_", " "), "value": str(v)} for k, v in facts.items()], False)


@app.command(epilog="Example: `spikemem demo --out my-demo`")
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the report and its figures.")] = Path("spikemem-demo"),
    model: Model = "hippocampus-base",
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """The main job on the corpus that ships with spikemem: store, recall, chain, compare with the rate model, draw the report."""
    from spikemem import demo as main_job
    from spikemem import report
    from spikemem.embed import SentenceEmbedder
    from spikemem.spec import load_model

    with _clear_errors(), _spinner("loading the embedder") as stage:
        spec = load_model(model)
        if folder.exists() and not folder.is_dir():
            raise SpikememError(f"{folder} is no folder; give another --out")
        result = main_job.run(spec, SentenceEmbedder(), seed, stage)
        stage("drawing the report")
        path = report.write(result, folder)
    if json_:
        out.print_json(json.dumps(result.json()))
        return
    _table(result.rows)
    numbers = result.json()
    for name in ("agreement", "ec_cosine", "attention_tv", "synaptic_events", "multiplications", "seconds"):
        out.print(f"{name.replace('_', ' '):>18}  {numbers[name]:,}")
    out.print(f"report: {path}")


def _table(rows: Sequence[Any]) -> None:
    from spikemem.compare import wilson

    def cell(share: float, n: int) -> str:
        low, high = wilson(share, n)
        return f"{share:.3f} [{low:.3f}, {high:.3f}]"

    table = Table(title="share right, with 95 % Wilson interval", title_justify="left")
    for name, justify in (("row", "left"), ("n", "right"), ("spiking", "right"), ("rate", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for r in rows:
        table.add_row(r.name, str(r.n), cell(r.spiking, r.n), cell(r.rate, r.n))
    out.print(table)


@app.command(epilog="Examples: `spikemem compare --data pairs.tsv` with one `memory<TAB>cue` a line; `spikemem compare --regions`")
def compare(
    data: Annotated[Path | None, typer.Option(help="Your own pairs, UTF-8, memory TAB cue; the demo corpus by default.")] = None,
    model: Annotated[str | None, typer.Option(help="Name or path of a model file; hippocampus-base, for regions -small.")] = None,
    regions: Annotated[bool, typer.Option("--regions", help="Population by population instead, every spike simulated.")] = False,
    simulator: Annotated[list[str] | None, typer.Option(help="For regions, again for more; event, snntorch, norse, brian2.")] = None,
    cues: Annotated[int, typer.Option(min=1, help="For regions: how many cues.")] = 8,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Spiking against rate, row by row or region by region, on the demo corpus or on pairs of one's own."""
    from spikemem.compare import compare_pairs
    from spikemem.demo import load_corpus
    from spikemem.embed import SentenceEmbedder
    from spikemem.spec import load_model

    with _clear_errors():
        corpus = load_corpus()
        pairs = _pairs(data) if data else [(corpus.texts[i], c) for i in corpus.alone for c in corpus.cues[i]]
        if regions:
            _regions(pairs, model or "hippocampus-small", simulator, cues, seed, json_)
            return
        with _bar("embedding") as progress:
            rows = compare_pairs(load_model(model or "hippocampus-base"), SentenceEmbedder().embed, pairs, seed, progress)
    if json_:
        out.print_json(json.dumps({r.name.replace(" ", "_"): r.json() for r in rows}))
    else:
        _table(rows)


def _regions(pairs: Sequence[tuple[str, str]], model: str, simulators: list[str] | None, cues: int, seed: int, as_json: bool) -> None:
    from spikemem.compare import Pair
    from spikemem.compare_regions import FOUR, by_region
    from spikemem.embed import SentenceEmbedder
    from spikemem.spec import load_model

    with _spinner("loading the embedder") as stage:
        embedder, spec = SentenceEmbedder(), load_model(model)
        stage("embedding")
        texts = embedder.embed(list(dict.fromkeys(memory for memory, _ in pairs)))
        asked = embedder.embed([cue for _, cue in pairs[:: max(1, len(pairs) // cues)][:cues]])
        stage("storing")
        pair = Pair.of(spec.with_dim(embedder.dim), texts, seed=seed)
        rows = by_region(pair, texts, asked, simulators or FOUR, stage=stage)
    _show([row.json() for row in rows], as_json, f"spikes against rates in {model}, {len(texts)} memories, {len(asked)} cues")


def _pairs(file: Path) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(_lines(file), start=1):
        parts = [p.strip() for p in line.split("\t")]
        if len(parts) != 2 or not all(parts):
            raise TextError(f"{file}, line {number}: expected memory TAB cue, found {len(parts)} part(s)")
        pairs.append((parts[0], parts[1]))
    if not pairs:
        raise TextError(f"{file} holds no pairs")
    return pairs


@app.command(name="simulate", epilog="Example: `spikemem simulate hippocampus-small --out rec.npz`, then `spikemem plot raster rec.npz`")
def simulate_(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name or path of a model file.")],
    file: Annotated[Path, typer.Option("--out", help="Where the recording goes.")] = Path("recording.npz"),
    simulator: Annotated[str, typer.Option(help="event, torch, snntorch, norse, brian2, or brian2:cython.")] = "event",
    device: Annotated[str, typer.Option(help="cpu, or a torch device.")] = "cpu",
    memories: Annotated[int, typer.Option(min=1, help="Random memories stored before the recall.")] = 50,
    hops: Annotated[int, typer.Option(min=0, help="Simulate a chain of so many hops instead of a recall.")] = 0,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Simulate a recall (or a chain) in a model filled with random memories, and record every spike."""
    import numpy as np

    from spikemem.hippocampus import Hippocampus
    from spikemem.spec import load_model

    with _clear_errors(), _spinner(f"simulating {model}"):
        spec = load_model(model)
        hippocampus = Hippocampus(spec, device=device, seed=seed)
        vectors = np.random.default_rng(seed).normal(size=(memories, spec.ec.dim))
        ids = hippocampus.store(vectors)
        hippocampus.associate(ids[:-1], ids[1:])
        start = time.perf_counter()
        if hops:
            recording = hippocampus.simulate_chain(vectors[0], hops, simulator)
        else:
            recording = hippocampus.simulate_recall(vectors[0], simulator=simulator)
        seconds = time.perf_counter() - start
        recording.save(file)
    spikes = {name: len(s) for name, s in recording.spikes.items()}
    if json_:
        out.print_json(json.dumps({"ms": recording.steps * recording.dt, "seconds": round(seconds, 3), "spikes": spikes, "out": str(file)}))
    else:
        _show(
            [{"what": name, "spikes": count} for name, count in spikes.items()], False, f"{recording.steps * recording.dt:g} ms -> {file}"
        )


@app.command(epilog="Example: `spikemem validate spike-cam --simulator brian2 --simulator norse`")
def validate(
    models: Annotated[list[str] | None, typer.Argument(metavar="MODEL...", help="Names or paths of model files; all by default.")] = None,
    simulator: Annotated[list[str] | None, typer.Option(help="A simulator, again for more; torch, snntorch, norse, brian2.")] = None,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Every simulator against the event-driven one, on every model: exit code 1 where a spike, a voltage or a weight differs."""
    from spikemem import validate as suite

    with _clear_errors(), _spinner("drawing the models") as stage:
        checks = list(suite.validate(models or (), simulator or suite.LIBRARIES, seed, stage))
    if json_:
        out.print_json(json.dumps([c.json() for c in checks]))
    else:
        _checks(checks)
    if not all(c.agrees for c in checks):
        raise typer.Exit(1)


def _checks(checks: Sequence[Any]) -> None:
    table = Table(title="against event, float64: spikes equal, voltages and weights within 1e-9", title_justify="left")
    for name in ("model", "probe", "simulator", "result"):
        table.add_column(name, justify="left")
    for name in ("spikes", "differ", "V", "w", "seconds", "event's"):
        table.add_column(name, justify="right")
    for c in checks:
        where = (c.model, c.probe, c.simulator)
        if c.lacks:
            table.add_row(*where, "[yellow]cannot[/]", str(c.spikes), "", "", "", "", "")
            continue
        result = "[green]agrees[/]" if c.agrees else "[bold red]differs[/]"
        figures = (str(c.different), f"{c.voltage:.1e}", f"{c.weight:.1e}", f"{c.seconds:.2f}", f"{c.event_seconds:.2f}")
        table.add_row(*where, result, str(c.spikes), *figures)
    out.print(table)
    for c in checks:
        if c.lacks or c.first:
            out.print(f"{c.model}, {c.probe}, {c.simulator}: {escape(c.lacks or str(c.first))}")


@plot.command(epilog="Example: `spikemem plot raster rec.npz ec dg ca3 --out raster.png`")
def raster(
    file: Annotated[Path, typer.Argument(metavar="REC.npz", help="A recording.")],
    populations: Annotated[list[str] | None, typer.Argument(metavar="POPULATION...", help="All that spiked by default.")] = None,
    picture: Annotated[Path | None, typer.Option("--out", help="PNG, PDF or SVG; beside the recording by default.")] = None,
    batch: Annotated[int, typer.Option(help="Batch item.")] = 0,
) -> None:
    """Draw every spike of a recording."""
    from spikemem import plots
    from spikemem.recording import Recording

    with _clear_errors():
        _save(plots.raster(Recording.load(file), *(populations or []), batch=batch), picture or file.with_suffix(".png"))


def main() -> None:
    """The console script."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    app()


if __name__ == "__main__":
    main()

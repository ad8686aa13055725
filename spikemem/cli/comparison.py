"""Commands that set spikes against rates: the demo, and the comparison."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from spikemem.cli.show import Json, Model, Seed, bar, clear_errors, lines, out, show, spinner
from spikemem.errors import SpikememError, TextError

app = typer.Typer()


@app.command(epilog="Example: `spikemem demo --out my-demo`")
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the report and its figures.")] = Path("spikemem-demo"),
    model: Model = "hippocampus-base",
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """The main job on the corpus that ships with spikemem: store, recall, chain, compare with the rate model, draw the report."""
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory.embed import SentenceEmbedder
    from spikemem.report import demo as main_job
    from spikemem.report import report

    with clear_errors(), spinner("loading the embedder") as stage:
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
    from spikemem.evaluate.compare import wilson

    def cell(share: float, n: int) -> str:
        low, high = wilson(share, n)
        return f"{share:.3f} [{low:.3f}, {high:.3f}]"

    table = Table(title="share right, with 95 % Wilson interval", title_justify="left")
    for name, justify in (("row", "left"), ("n", "right"), ("spiking", "right"), ("rate", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for r in rows:
        table.add_row(r.name, str(r.n), cell(r.spiking, r.n), cell(r.rate, r.n))
    out.print(table)


EXAMPLES = """Examples: `spikemem compare --data pairs.tsv` with one `memory<TAB>cue` a line; `spikemem compare --regions`;
`spikemem compare --ablate --data FOLDER` with public data sets, as for `spikemem bench data`"""


@app.command(epilog=EXAMPLES)
def compare(
    data: Annotated[
        Path | None, typer.Option(help="Your own pairs, UTF-8, memory TAB cue, or, to ablate, a folder of data sets; the demo corpus.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name or path of a model file; hippocampus-base, for regions -small.")] = None,
    regions: Annotated[bool, typer.Option("--regions", help="Population by population instead, every spike simulated.")] = False,
    ablate: Annotated[bool, typer.Option("--ablate", help="Pathways of hippocampus-text left out, and alone, instead.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="To ablate: a data set of the folder, again for more; all by default.")] = None,
    simulator: Annotated[list[str] | None, typer.Option(help="For regions, again for more; event, snntorch, norse, brian2.")] = None,
    cues: Annotated[int, typer.Option(min=1, help="For regions: how many cues.")] = 8,
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Spiking against rate, row by row or region by region, on the demo corpus or on pairs of one's own."""
    from spikemem.data.corpus.statements import load_corpus
    from spikemem.evaluate.compare import compare_pairs
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory.embed import SentenceEmbedder

    with clear_errors():
        if ablate:
            if regions or simulator or model:
                raise SpikememError("--ablate goes with --data and --json only; its model is hippocampus-text")
            _ablate(data, only or [], json_)
            return
        corpus = load_corpus()
        pairs = _pairs(data) if data else [(corpus.texts[i], c) for i in corpus.alone for c in corpus.cues[i]]
        if simulator and not regions:
            raise SpikememError("--simulator goes with --regions; the rows are recalled by short cuts")
        if regions:
            _regions(pairs, model or "hippocampus-small", simulator, cues, seed, json_)
            return
        with bar("embedding") as progress:
            rows = compare_pairs(load_model(model or "hippocampus-base"), SentenceEmbedder().embed, pairs, seed, progress)
    if json_:
        out.print_json(json.dumps({r.name.replace(" ", "_"): r.json() for r in rows}))
    else:
        _table(rows)


def _ablate(data: Path | None, only: Sequence[str], as_json: bool) -> None:
    """Each pathway left out and alone, spiking and rate: on public data, on pairs, or on the conversation that ships with spikemem."""
    from spikemem.cli.data import found_in, print_rows
    from spikemem.data.corpus import load_conversation
    from spikemem.data.datasets import Task
    from spikemem.evaluate import retrieval, systems
    from spikemem.memory import embed
    from spikemem.memory.cache import CachedEmbedder

    if data is None:
        tasks = [load_conversation().task]
    elif data.is_dir():
        tasks = [task for own in found_in(data, only).values() for task in own]
    else:
        pairs = _pairs(data)
        place = {text: i for i, text in enumerate(dict.fromkeys(memory for memory, _ in pairs))}
        tasks = [Task.of("pairs", data.name, list(place), [(cue, {place[memory]}, "") for memory, cue in pairs])]
    with spinner("loading the embedder"):
        embedder = CachedEmbedder(embed.SentenceEmbedder(), retrieval.RESULTS / "embeddings")
    with bar("ablating") as progress:
        rows = retrieval.run(tasks, embedder, makers=systems.ablations(), progress=progress)
    retrieval.write(retrieval.RESULTS / "ablation.json", json.dumps([row.json() for row in rows], indent=1))
    if as_json:
        out.print_json(json.dumps([row.json() for row in rows]))
        return
    for own in retrieval.datasets_of(rows):
        print_rows(own)


def _regions(pairs: Sequence[tuple[str, str]], model: str, simulators: list[str] | None, cues: int, seed: int, as_json: bool) -> None:
    from spikemem.evaluate.compare import Pair
    from spikemem.evaluate.compare_regions import by_region
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory.embed import SentenceEmbedder
    from spikemem.simulators.registry import FOUR

    with spinner("loading the embedder") as stage:
        embedder, spec = SentenceEmbedder(), load_model(model)
        stage("embedding")
        texts = embedder.embed(list(dict.fromkeys(memory for memory, _ in pairs)))
        questions = embedder.embed([cue for _, cue in pairs[:: max(1, len(pairs) // cues)][:cues]])
        stage("storing")
        pair = Pair.of(spec.with_dim(embedder.dim), texts, seed=seed)
        rows = by_region(pair, texts, questions, simulators or FOUR, stage=stage)
    show([row.json() for row in rows], as_json, f"spikes against rates in {model}, {len(texts)} memories, {len(questions)} cues")


def _pairs(file: Path) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(lines(file), start=1):
        parts = [p.strip() for p in line.split("\t")]
        if len(parts) != 2 or not all(parts):
            raise TextError(f"{file}, line {number}: expected memory TAB cue, found {len(parts)} part(s)")
        pairs.append((parts[0], parts[1]))
    if not pairs:
        raise TextError(f"{file} holds no pairs")
    return pairs

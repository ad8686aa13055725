"""Commands that set spikes against rates: the demo, and the comparison."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from spikemem.cli.show import Json, Model, Seed, bar, clear_errors, lines, out, save, show, spinner
from spikemem.errors import MissingExtraError, SpikememError, TextError

if TYPE_CHECKING:
    from spikemem.data.datasets import Task
    from spikemem.evaluate.compare import Row
    from spikemem.evaluate.compare_damage import DamageRow
    from spikemem.report.demo import Damaged, DemoResult

app = typer.Typer()


@app.command(epilog="Example: `spikemem demo --out my-demo`")
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the report and its figures.")] = Path("spikemem-demo"),
    model: Model = "hippocampus-base",
    quick: Annotated[bool, typer.Option("--quick", help="A fourth of the sentences, without the laboratory.")] = False,
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
        result = main_job.run(spec, SentenceEmbedder(), seed, stage, quick)
        stage("drawing the report")
        path = report.write(result, folder)
        pages = {"report": path} | ({} if quick else _laboratory(result, folder, stage))
    if json_:
        out.print_json(json.dumps(result.json()))
        return
    _table(result.rows, result.pair.sharpness)
    numbers = result.json()
    for name in ("agreement", "ec_cosine", "attention_tv", "synaptic_events", "multiplications", "seconds"):
        if name in numbers:
            out.print(f"{name.replace('_', ' '):>18}  {numbers[name]:,}")
    _damaged(result.damaged)
    for name, page in pages.items():
        out.print(f"{name}: {page}")


def _laboratory(result: "DemoResult", folder: Path, stage: Callable[[str], None]) -> dict[str, Path]:
    """The laboratory's page, where its extra is installed."""
    from spikemem.report import report

    stage("drawing the laboratory")
    try:
        return {"laboratory": report.laboratory(result, folder / "lab.html", stage)}
    except MissingExtraError:
        return {}


def _table(rows: Sequence["Row"], sharpness: Mapping[str, float]) -> None:
    """The rows, a column for each system that was measured; the rate twin at each sharpness in a column of its own."""
    table = Table(title="share right, with 95 % Wilson interval", title_justify="left")
    headings = {"spiking": "spiking", "rate": "rate", "chosen": "rate", "cosine": "cosine"}
    for name, of in (("rate", "published"), ("chosen", "chosen")):
        headings[name] += f", sharpness {sharpness[of]:g} ({of})" if of in sharpness else ""
    shown = [name for name in headings if any(name in row.shares for row in rows)]
    table.add_column("row")
    for name in ("n", *(headings[name] for name in shown)):
        table.add_column(name, justify="right")
    for r in rows:
        table.add_row(r.name, str(r.n), *(_cell(r.shares.get(name), r.n) for name in shown))
    out.print(table)


def _damaged(rows: Sequence["Damaged"]) -> None:
    """What CA3 recalls, damage by damage."""
    table = Table(title="paraphrases recalled by CA3, where it is damaged", title_justify="left")
    table.add_column("damage of CA3")
    for name in ("n", "own memory came", "of its engram fired"):
        table.add_column(name, justify="right")
    for r in rows:
        table.add_row(r.damage, str(r.n), _cell(r.right, r.n), f"{r.whole:.3f}")
    out.print(table)


def _cell(share: float | None, n: int) -> str:
    """A share of n with its interval."""
    from spikemem.evaluate.compare import wilson

    if share is None:
        return "-"
    low, high = wilson(share, n)
    return f"{share:.3f} [{low:.3f}, {high:.3f}]"


EXAMPLES = """Examples: `spikemem compare --data pairs.tsv` with one `memory<TAB>cue` a line; `spikemem compare --regions`;
`spikemem compare --damage`; `spikemem compare --ablate --data FOLDER` with public data sets, as for `spikemem bench data`"""
Out = Annotated[Path, typer.Option("--out", help="Folder for the rows, as JSON and as CSV, and the figure; made where it is missing.")]


@app.command(epilog=EXAMPLES)
def compare(
    data: Annotated[
        Path | None, typer.Option(help="Your own pairs, UTF-8, memory TAB cue, or, to ablate, a folder of data sets; the demo corpus.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model file; hippocampus-base, for regions -small, for damage -small and -engram-small.")
    ] = None,
    regions: Annotated[bool, typer.Option("--regions", help="Population by population instead, every spike simulated.")] = False,
    ablate: Annotated[bool, typer.Option("--ablate", help="Pathways of hippocampus-text left out, and alone, instead.")] = False,
    damage: Annotated[bool, typer.Option("--damage", help="Cells lost, synapses cut, noise and leak instead, and float keys.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="To ablate: a data set of the folder, again for more; all by default.")] = None,
    simulator: Annotated[list[str] | None, typer.Option(help="For regions, again for more; all but variants by default.")] = None,
    cues: Annotated[int | None, typer.Option(min=1, help="How many cues; for regions 8, for damage 100 by default.")] = None,
    folder: Out = Path("results"),
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """Spiking against rate and cosine, row by row, region by region or damage by damage, on the demo corpus or on pairs of one's own."""
    from spikemem.evaluate.retrieval import make_folder

    with clear_errors():
        if ablate and (regions or simulator or model):
            raise SpikememError("--ablate goes with --data, --only, --out and --json; its model is hippocampus-text")
        if damage and (ablate or regions):
            raise SpikememError("--damage goes with --data, --model, --cues, --out, --seed and --json")
        if only and not ablate:
            raise SpikememError("--only goes with --ablate: it names data sets of a folder")
        if simulator and not regions:
            raise SpikememError("--simulator goes with --regions; the rows are recalled by short cuts")
        if ablate:
            tasks = _tasks(data, only or [])
            make_folder(folder)
            _ablate(tasks, data is None or not data.is_dir(), folder, json_)
            return
        pairs = _given(data)
        make_folder(folder)
        if regions:
            _regions(pairs, model or "hippocampus-small", simulator, cues or 8, folder, seed, json_)
        elif damage:
            _damage(pairs, [model] if model else ["hippocampus-small", "hippocampus-engram-small"], cues or 100, folder, seed, json_)
        else:
            _rows(pairs, model or "hippocampus-base", folder, seed, json_)


def _damage(pairs: Sequence[tuple[str, str]], models: Sequence[str], cues: int, folder: Path, seed: int, as_json: bool) -> None:
    """What damage does to models: a few rows, on pairs (memory, cue)."""
    from spikemem import plots
    from spikemem.data.datasets import Task
    from spikemem.evaluate.compare_damage import FEW, Asked, compare_damage
    from spikemem.hippocampus.hippocampus import Hippocampus
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory.embed import SentenceEmbedder

    asked = Asked.of(Task.of("pairs", "pairs", *_placed(pairs)), len(pairs), cues)
    with bar("embedding") as progress:
        vectors = SentenceEmbedder().embed([*asked.texts, *asked.cues], progress)
    texts, questions = vectors[: len(asked.texts)], vectors[len(asked.texts) :]
    made = {name: Hippocampus(load_model(name).with_dim(vectors.shape[1]), seed=seed) for name in models}
    for memory in made.values():
        memory.store(texts)
    with bar("damaging") as progress:
        rows = compare_damage(made, texts, questions, asked.right, FEW, progress)
    _keep([row.json() for row in rows], plots.damage(rows), folder / "damage", {"memories": len(texts)})
    systems = list(dict.fromkeys(name for row in rows for name in row.shares))
    told = [{"what": row.name, **{name: _interval(row, name) for name in systems}} for row in rows]
    title = f"share right of {len(questions)} cues on {len(texts)} memories, with 95 % Wilson interval"
    show([row.json() for row in rows] if as_json else told, as_json, title)


def _interval(row: "DamageRow", system: str) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(row.shares[system], *row.interval(system)) if system in row.shares else "-"


def _placed(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[tuple[str, set[int], str]]]:
    """The memories of pairs (memory, cue), each once, and the cues with the place of theirs, as `Task.of` takes them."""
    place = {text: i for i, text in enumerate(dict.fromkeys(memory for memory, _ in pairs))}
    return list(place), [(cue, {place[memory]}, "") for memory, cue in pairs]


def _given(data: Path | None) -> list[tuple[str, str]]:
    """The pairs of a file, or those of the demo corpus."""
    from spikemem.data.corpus.statements import load_corpus

    if data is not None:
        return _pairs(data)
    corpus = load_corpus()
    return [(corpus.texts[i], cue) for i in corpus.alone for cue in corpus.cues[i]]


def _rows(pairs: Sequence[tuple[str, str]], model: str, folder: Path, seed: int, as_json: bool) -> None:
    from spikemem import plots
    from spikemem.evaluate.compare import compare_pairs
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory.embed import SentenceEmbedder

    with bar("embedding") as progress:
        rows, sharpness = compare_pairs(load_model(model), SentenceEmbedder().embed, pairs, seed, progress)
    made = {row.name.replace(" ", "_"): row.json() for row in rows}
    _keep([{"row": name, **row} for name, row in made.items()], plots.rows(rows, sharpness), folder / "compare", {"sharpness": sharpness})
    if as_json:
        out.print_json(json.dumps({**made, "sharpness": sharpness}))
    else:
        _table(rows, sharpness)


def _keep(rows: Sequence[Mapping[str, Any]], figure: Any, path: Path, beside: Mapping[str, Any]) -> None:
    """Write rows as JSON, with what stands beside them, and as CSV, and their figure: `path` with .json, .csv and .png."""
    from spikemem.evaluate.retrieval import write

    write(path.with_suffix(".json"), json.dumps({"rows": list(rows), **beside}, indent=1))
    write(path.with_suffix(".csv"), _csv(rows))
    save(figure, path.with_suffix(".png"))


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as comma-separated values, a column for each name that any of them has."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _tasks(data: Path | None, only: Sequence[str]) -> list["Task"]:
    """What pathways are left out on: public data in a folder, the pairs of a file, or the conversation that ships."""
    from spikemem.cli.data import found_in
    from spikemem.data.corpus import load_conversation
    from spikemem.data.datasets import Task

    if only and (data is None or not data.is_dir()):
        raise SpikememError("--only names data sets of a folder; give the folder by --data")
    if data is None:
        return [load_conversation().task]
    if data.is_dir():
        return [task for own in found_in(data, only).values() for task in own]
    return [Task.of("pairs", data.name, *_placed(_pairs(data)))]


def _ablate(tasks: Sequence["Task"], silences: bool, folder: Path, as_json: bool) -> None:
    """Each pathway left out and alone, spiking and rate, beside cosine.

    silences: also regions and synapses silenced, which is simulated and takes too long on public data.
    """
    from spikemem import plots
    from spikemem.cli.data import print_rows
    from spikemem.evaluate import retrieval, systems
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory import embed
    from spikemem.memory.cache import CachedEmbedder

    with spinner("loading the embedder"):
        embedder = CachedEmbedder(embed.SentenceEmbedder(), folder / "embeddings")
    with bar("ablating") as progress:
        makers = [*systems.ablations(), *systems.engrams(), *(systems.silenced() if silences else [])]
        rows = retrieval.run(tasks, embedder, folder, makers=makers, progress=progress)
    made = [row.json() for row in rows]
    retrieval.write(folder / "ablation.json", json.dumps(made, indent=1))
    flat = [{"dataset": row.dataset, "system": row.system, "n": row.n, **row.shares} for row in rows]
    retrieval.write(folder / "ablation.csv", _csv(flat))
    save(plots.retrieval(rows), folder / "ablation.png")
    if as_json:
        out.print_json(json.dumps(made))
        return
    for own in retrieval.datasets_of(rows):
        print_rows(own)
    out.print(SHARPNESS_OF_PATHWAYS.format(load_model(systems.MODEL).ca1.sharpness))


SHARPNESS_OF_PATHWAYS = """The rate twin, at sharpness {:g} (published), ranks by the drive of its pathways, before it settles: another
sharpness changes no answer here, and none is chosen."""


def _regions(
    pairs: Sequence[tuple[str, str]], model: str, simulators: list[str] | None, cues: int, folder: Path, seed: int, as_json: bool
) -> None:
    from spikemem import plots
    from spikemem.evaluate.compare import Pair
    from spikemem.evaluate.compare_regions import by_region
    from spikemem.hippocampus.spec import load_model
    from spikemem.memory.embed import SentenceEmbedder

    with spinner("loading the embedder") as stage:
        embedder, spec = SentenceEmbedder(), load_model(model)
        stage("embedding")
        texts = embedder.embed(list(dict.fromkeys(memory for memory, _ in pairs)))
        questions = embedder.embed([cue for _, cue in pairs[:: max(1, len(pairs) // cues)][:cues]])
        stage("storing")
        pair = Pair.of(spec.with_dim(embedder.dim), texts, seed=seed)
        rows = by_region(pair, texts, questions, simulators or (), stage=stage)
    made, sharpness = [row.json() for row in rows], pair.sharpness
    _keep(made, plots.regions(rows), folder / "regions", {"sharpness": sharpness})
    told = ", ".join(f"{value:g} ({name})" for name, value in sharpness.items())
    title = f"spikes against rates in {model}, {len(texts)} memories, {len(questions)} cues; sharpness {told}; regions at the published one"
    show(made, as_json, title)


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

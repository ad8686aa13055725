"""`spikemem train`: what is learned with surrogate gradients."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from spikemem.cli.show import Json, bar, clear_errors, err, lines, show, spinner
from spikemem.errors import MissingDataError, TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from spikemem.learn import History, Settings
    from spikemem.memory.cache import CachedEmbedder

app = typer.Typer(no_args_is_help=True, help="Train a part with surrogate gradients; weights are written as safetensors.")

Texts = Annotated[Path, typer.Option("--data", help="Texts: a UTF-8 file, one sentence a line, or a folder of such .txt files.")]
Tests = Annotated[list[Path] | None, typer.Option("--test", help="Texts of another source, to measure on; again for more.")]
Out = Annotated[Path, typer.Option("--out", help="The weights file to write.")]
Penalty = Annotated[float | None, typer.Option(min=0, help="Loss of a spike, where 1 - cosine is that of a vector; more makes fewer.")]
Embeddings = Annotated[Path, typer.Option(help="Folder in which vectors are kept.")]
EMBEDDINGS = Path("results/embeddings")


def writable(file: Path) -> None:
    """Make a file's folder; TrainingError where the file could not be written, before anything is learned for it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"cannot make the folder of {file} ({error}); give another --out") from error
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise TrainingError(f"{file} {'is a folder' if file.is_dir() else 'cannot be written'}; give another --out")


@dataclass(frozen=True)
class Options:
    """The options that every training has."""

    epochs: Annotated[int | None, typer.Option(min=1, help="Passes through the data; the recipe's by default.")] = None
    seed: Annotated[int, typer.Option(help="Of the first weights, of the data's order, of what is held out, and of noise.")] = 0
    checkpoint: Annotated[Path | None, typer.Option(help="A folder, in which a training that stopped goes on.")] = None
    tensorboard: Annotated[Path | None, typer.Option(help="A folder for TensorBoard's logs.")] = None
    device: Annotated[str | None, typer.Option(help="A torch device; CUDA where there is one, by default.")] = None
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile the training step by torch.compile: a slow start, then fast steps.")
    ] = False

    def settings(self, recipe: "Settings") -> "Settings":
        """A recipe's settings with what was given."""
        return replace(recipe, **{**vars(self), "epochs": self.epochs or recipe.epochs})


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the fields of `Options` as options of its own in place of its parameter `options`: Typer reads signatures."""
    own, shared = signature(command).parameters, signature(Options).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        command(options=Options(**{name: given.pop(name) for name in shared}), **given)

    parameters = {name: parameter for name, parameter in {**own, **shared}.items() if name != "options"}
    run.__signature__ = Signature(list(parameters.values()))  # type: ignore[attr-defined]
    run.__annotations__ = {name: parameter.annotation for name, parameter in parameters.items()}
    return run


@app.command(name="ec", epilog="Example: `spikemem train ec --data texts/ --test others.txt --out ec.safetensors`")
@with_options
def train_ec(
    options: Options,
    data: Texts,
    test: Tests = None,
    file: Out = Path("ec.safetensors"),
    penalty: Penalty = None,
    embeddings: Embeddings = EMBEDDINGS,
    json_: Json = False,
) -> None:
    """Learn EC's code from sentences; a model uses it by `ec.weights`. Prints it beside the analytic code."""
    from spikemem.hippocampus.codes import on_off
    from spikemem.learn.distributed import leads
    from spikemem.training import ec

    with clear_errors():
        writable(file)
        embedder, vectors = _embedded((data, *(test or [])), embeddings)
        settings = options.settings(ec.SETTINGS)
        price = ec.PENALTY if penalty is None else penalty
        with bar("training") as progress:
            made = ec.train(vectors[str(data)], settings, price, progress)
        if not leads():
            return
        texts = len(vectors[str(data)])
        made.code.save(file, texts=texts, embedder=embedder.name, seed=options.seed, penalty=price, epochs=settings.epochs)
        rows = [
            {"text": name, **ec.row(kind, code, x[: ec.MEASURED])}
            for name, x in vectors.items()
            for kind, code in (("analytic", on_off(embedder.dim, ec.ANALYTIC)), ("trained", made.code))
        ]
    for finding in made.then.health:
        err.print(f"[yellow]{finding}[/]")
    show(rows, json_, "The first texts of each source, the training's own first")
    err.print(f"wrote {file}")


@app.command(name="hippocampus", epilog="Example: `spikemem train hippocampus --data texts.txt --test others.txt --out dg.safetensors`")
@with_options
def train_hippocampus(
    options: Options,
    data: Texts,
    test: Tests = None,
    file: Out = Path("dg.safetensors"),
    model: Annotated[str, typer.Option(help="Name or path of a model file with [engram], to measure in.")] = "hippocampus-engram",
    embeddings: Embeddings = EMBEDDINGS,
    json_: Json = False,
) -> None:
    """Learn DG's synapses of the engram model from sentences; a model uses them by `dg.weights`. Prints recall beside drawn ones."""
    from spikemem.hippocampus.spec import load_model
    from spikemem.learn.distributed import leads
    from spikemem.training import hippocampus as recipe

    with clear_errors():
        writable(file)
        embedder, vectors = _embedded((data, *(test or [])), embeddings)
        spec, settings = load_model(model).with_dim(embedder.dim), options.settings(recipe.SETTINGS)
        with bar("training") as progress:
            made = recipe.train(vectors[str(data)], settings, progress=progress)
        if not leads():
            return
        made.save(file, texts=len(vectors[str(data)]), embedder=embedder.name, seed=options.seed, epochs=settings.epochs)
        with spinner("measuring"):
            rows = [{"text": name, **row} for name, x in vectors.items() for row in recipe.rows(spec, file, x)]
    for finding in made.history.health:
        err.print(f"[yellow]{finding}[/]")
    show(rows, json_, "Cues at a cosine to one of the first texts of each source: recalled first")
    err.print(f"wrote {file}")


def _embedded(paths: Sequence[Path], cache: Path) -> "tuple[CachedEmbedder, dict[str, NDArray[np.float32]]]":
    """The embedder, and the vectors of the sentences of each source, by its path."""
    from spikemem.memory import embed
    from spikemem.memory.cache import CachedEmbedder

    given = {str(path): sentences(path) for path in paths}
    with spinner("loading the embedder"):
        embedder = CachedEmbedder(embed.SentenceEmbedder(), cache)
    with bar("embedding") as progress:
        return embedder, {name: embedder.embed(texts, progress) for name, texts in given.items()}


def sentences(path: Path) -> list[str]:
    """The lines of a file, or of all .txt files of a folder, each once."""
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    found = list(dict.fromkeys(line for file in files for line in lines(file)))
    if not found:
        raise MissingDataError(f"no text in {path}; give a UTF-8 file with one sentence a line, or a folder of .txt files")
    return found


@app.command(name="gates", epilog="Example: `spikemem train gates --out gates.safetensors --seed 1`")
@with_options
def train_gates(
    options: Options,
    model: Annotated[str, typer.Option(help="Name or path of a model file with [gates].")] = "hippocampus-gated",
    embedder: Annotated[str | None, typer.Option(help="A sentence-transformers name or path; the bundled MiniLM by default.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Folder with STS-B, whose pairs are used besides; the shipped weights' were.")] = None,
    file: Out = Path("gates.safetensors"),
    embeddings: Embeddings = EMBEDDINGS,
    json_: Json = False,
) -> None:
    """Train the gates on the project's own texts, repeated, changed, contradicted and questioned; prints errors on the held-out fifth."""
    from spikemem.hippocampus.spec import load_model
    from spikemem.learn.distributed import leads
    from spikemem.memory.cache import CachedEmbedder
    from spikemem.memory.embed import DEFAULT, SentenceEmbedder
    from spikemem.training import gates as recipe
    from spikemem.training.gate_lessons import public_pairs

    with clear_errors(), spinner("loading the embedder") as stage:
        writable(file)
        settings = options.settings(recipe.SETTINGS)
        public = [] if pairs is None else public_pairs(pairs)
        reader = CachedEmbedder(SentenceEmbedder(embedder or DEFAULT), embeddings)
        trained = recipe.train(load_model(model).with_dim(reader.dim), reader, file, settings, public, stage)
    if not leads():
        return
    for finding in trained.history.health:
        err.print(f"[yellow]{finding}[/]")
    rows = [{"should be": right, "held out": of.n, "decided otherwise": of.wrong} for right, of in trained.held_out.items()]
    show(rows, json_, f"{trained.lessons} lessons, best epoch {trained.history.best} -> {file}")


@app.command(name="spmn", epilog="Example: `spikemem train spmn --task slots --data ../data --out slots.safetensors`")
@with_options
def train_spmn(
    options: Options,
    task: Annotated[str, typer.Option(help="write (likeness of memory changes), slots (what happened when), or babi (stories).")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets; docs/data.md says where to get them.")],
    cell: Annotated[str, typer.Option(help="spiking, rate (its rate twin), and, but for babi, rate-v1 or rate-v2.")] = "spiking",
    number: Annotated[int, typer.Option(min=1, max=20, help="Which of the bAbI tasks.")] = 1,
    file: Out = Path("spmn.safetensors"),
    embeddings: Embeddings = EMBEDDINGS,
    json_: Json = False,
) -> None:
    """Train SPMN on a step of its training; prints its figures on what it has not seen."""
    from spikemem.learn.distributed import leads

    tasks: dict[str, Callable[[_Order], _Made]] = {"write": _write, "slots": _slots, "babi": _babi}

    order = _Order(cell, data, number, embeddings, options.settings)
    with clear_errors():
        if task not in tasks:
            raise TrainingError(f"no task {task!r}; there are {', '.join(tasks)}")
        writable(file)
        made = tasks[task](order)
        if not leads():
            return
        made.keep(file, made.model, task=task, cell=cell, seed=options.seed, epochs=options.epochs)
    for finding in made.history.health:
        err.print(f"[yellow]{finding}[/]")
    show(made.rows, json_, f"{cell}, {task}, on what it has not seen, {made.history.seconds:.0f} s of training -> {file}")


class _Order(NamedTuple):
    """The arguments of `train spmn`."""

    cell: str
    data: Path
    number: int
    embeddings: Path
    settings: Callable[["Settings"], "Settings"]

    def embedder(self) -> "CachedEmbedder":
        from spikemem.memory import embed
        from spikemem.memory.cache import CachedEmbedder

        with spinner("loading the embedder"):
            return CachedEmbedder(embed.SentenceEmbedder(), self.embeddings)


class _Made(NamedTuple):
    """What a training gave.   keep: writes the model, and what is known of it, to a file."""

    model: "nn.Module"
    history: "History"
    rows: list[dict[str, Any]]
    keep: Callable[..., object]


def _write(order: _Order) -> _Made:
    from spikemem.learn import save
    from spikemem.training import write_similarity
    from spikemem.training.spmn import builder, embedded

    builder(order.cell)  # an unknown one is an error before the embedding
    embedder = order.embedder()
    with bar("embedding") as progress:
        seen, unseen = (embedded(order.data, embedder, part, progress=progress) for part in ("train", "test"))
    with bar("training") as progress:
        made = write_similarity.run(order.cell, seen, unseen, order.settings(write_similarity.DEFAULT), progress=progress)
    rows = [
        {
            "what": name,
            "pairs": len(pairs.events),
            "correlation": pairs.correlation,
            "error": pairs.error,
            "of any two": any_two.correlation,
        }
        for (name, pairs), any_two in zip(made.pairs.items(), made.any_two.values(), strict=True)
    ]
    return _Made(made.model, made.history, rows, partial(save, embedder=embedder.name, dim=embedder.dim))


def _slots(order: _Order) -> _Made:
    from spikemem.learn import save
    from spikemem.training import slots
    from spikemem.training.spmn import builder

    builder(order.cell)
    embedder = order.embedder()
    with bar("embedding") as progress:
        seen, unseen = slots.sentences(order.data, embedder, progress)
    with bar("training") as progress:
        made = slots.run(order.cell, seen, unseen, order.settings(slots.DEFAULT), progress=progress)
    figures = {name: value for name, value in vars(made.figures).items() if name != "bins"}
    return _Made(made.model, made.history, [figures], partial(save, embedder=embedder.name, dim=embedder.dim))


def _babi(order: _Order) -> _Made:
    from spikemem.spmn.firing import STEPS
    from spikemem.training import babi

    steps = {"spiking": STEPS, "rate": 0}.get(order.cell)
    if steps is None:
        raise TrainingError(f"stories are read by the cells spiking and rate, not by {order.cell!r}")
    with bar("training") as progress:
        made = babi.learn_task(order.data, order.number, order.settings(babi.RECIPE), steps=steps, progress=progress)
    published = {"MemN2N": babi.MEMN2N[order.number - 1], "EntNet": babi.ENTNET[order.number - 1]}
    return _Made(made.reader, made.history, [made.outcome.json() | published], partial(babi.keep, number=order.number))

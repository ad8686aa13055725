"""`spikemem train`: what is learned with surrogate gradients."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikemem.cli.show import Json, bar, clear_errors, err, show, spinner
from spikemem.errors import TrainingError

if TYPE_CHECKING:
    from spikemem.cache import CachedEmbedder

app = typer.Typer(no_args_is_help=True, help="Train a part with surrogate gradients; weights are written as safetensors.")


@app.command(name="spmn", epilog="Example: `spikemem train spmn --task slots --data ../data --out slots.safetensors`")
def train_spmn(
    task: Annotated[str, typer.Option(help="write (likeness of memory changes) or slots (what happened when).")],
    data: Annotated[Path, typer.Option(help="Folder with the data sets; the README says where to get them.")],
    cell: Annotated[str, typer.Option(help="spiking, rate (its rate twin), rate-v1 or rate-v2.")] = "spiking",
    file: Annotated[Path, typer.Option("--out", help="Where the weights go.")] = Path("spmn.safetensors"),
    epochs: Annotated[int | None, typer.Option(min=1, help="The recipe's own by default.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights, of what is drawn, and of the noise.")] = 0,
    checkpoint: Annotated[Path | None, typer.Option(help="A folder, in which a training that stopped goes on.")] = None,
    embeddings: Annotated[Path, typer.Option(help="Folder in which vectors are kept.")] = Path("results/embeddings"),
    json_: Json = False,
) -> None:
    """Train the SPMN network on a step of its training; prints its figures on sentences that it has not seen."""
    from spikemem import embed
    from spikemem.cache import CachedEmbedder
    from spikemem.learn import Settings, save

    tasks: dict[str, Callable[..., Any]] = {"write": _write, "slots": _slots}
    with clear_errors():
        if task not in tasks:
            raise TrainingError(f"no task {task!r}; there are {', '.join(tasks)}")
        with spinner("loading the embedder"):
            embedder = CachedEmbedder(embed.SentenceEmbedder(), embeddings)

        def settings(default: Settings) -> Settings:
            return replace(default, seed=seed, epochs=epochs or default.epochs, checkpoint=checkpoint)

        made, rows = tasks[task](cell, data, embedder, settings)
        save(file, made.model, task=task, cell=cell, seed=seed, epochs=epochs, embedder=embedder.name)
    for finding in made.history.health:
        err.print(f"[yellow]{finding}[/]")
    show(rows, json_, f"{cell}, {task}, on sentences not seen, {made.history.seconds:.0f} s of training -> {file}")


@app.command(name="gates", epilog="Example: `spikemem train gates --out gates.safetensors --seed 1`")
def train_gates(
    model: Annotated[str, typer.Option(help="Name or path of a model file with [gates].")] = "hippocampus-gated",
    file: Annotated[Path, typer.Option("--out", help="Where the weights go.")] = Path("gates.safetensors"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the stream; 60 by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of the stream, the wiring and the training.")] = 0,
    json_: Json = False,
) -> None:
    """Train the gates on the project's own texts, repeated, paraphrased and contradicted; prints the errors on the held-out fifth."""
    from spikemem.embed import SentenceEmbedder
    from spikemem.spec import load_model
    from spikemem.training import gates as recipe

    with clear_errors(), spinner("loading the embedder") as stage:
        settings = replace(recipe.SETTINGS, seed=seed, epochs=epochs or recipe.SETTINGS.epochs)
        trained = recipe.train(load_model(model), SentenceEmbedder(), file, settings, stage)
    rows = [{"should be": action, "decided otherwise": share} for action, share in trained.wrong.items()]
    show(rows, json_, f"{trained.events} events, best epoch {trained.history.best} -> {file}")


def _write(cell: str, data: Path, embedder: "CachedEmbedder", settings: Callable[[Any], Any]) -> tuple[Any, list[dict[str, Any]]]:
    from spikemem.training import write_similarity
    from spikemem.training.spmn import embedded

    with bar("embedding") as progress:
        seen, unseen = (embedded(data, embedder, part, progress=progress) for part in ("train", "test"))
    with bar("training") as progress:
        made = write_similarity.run(cell, seen, unseen, settings(write_similarity.DEFAULT), progress=progress)
    return made, [
        {
            "what": name,
            "pairs": len(pairs.events),
            "correlation": pairs.correlation,
            "error": pairs.error,
            "of any two": any_two.correlation,
        }
        for (name, pairs), any_two in zip(made.pairs.items(), made.any_two.values(), strict=True)
    ]


def _slots(cell: str, data: Path, embedder: "CachedEmbedder", settings: Callable[[Any], Any]) -> tuple[Any, list[dict[str, Any]]]:
    from spikemem.training import slots

    with bar("embedding") as progress:
        seen, unseen = slots.sentences(data, embedder, progress)
    with bar("training") as progress:
        made = slots.run(cell, seen, unseen, settings(slots.DEFAULT), progress=progress)
    return made, [{name: value for name, value in vars(made.figures).items() if name != "bins"}]

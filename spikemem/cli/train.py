"""`spikemem train`: what is learned with surrogate gradients."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from spikemem.cli.show import Json, bar, clear_errors, err, lines, show, spinner
from spikemem.errors import MissingDataError

app = typer.Typer()
train = typer.Typer(no_args_is_help=True, help="Train a part with surrogate gradients; weights are written as safetensors.")
app.add_typer(train, name="train")

Texts = Annotated[Path, typer.Option("--data", help="Texts: a UTF-8 file, one sentence a line, or a folder of such .txt files.")]
Tests = Annotated[list[Path] | None, typer.Option("--test", help="Texts of another source, to measure on; again for more.")]
Out = Annotated[Path, typer.Option(help="The weights file to write.")]
Epochs = Annotated[int | None, typer.Option(help="Passes through the texts, before the settling; the recipe's by default.")]
Seed = Annotated[int, typer.Option(help="Seed of the texts' order and of the texts held out.")]
Checkpoint = Annotated[Path | None, typer.Option(help="A folder, in which a training that stopped goes on.")]
Tensorboard = Annotated[Path | None, typer.Option(help="A folder for TensorBoard's logs.")]
Device = Annotated[str | None, typer.Option(help="A torch device; CUDA where there is one, by default.")]


@train.command(name="ec", epilog="Example: `spikemem train ec --data texts/ --test others.txt --out ec.safetensors`")
def train_ec(
    data: Texts,
    test: Tests = None,
    out: Out = Path("ec.safetensors"),
    penalty: Annotated[float | None, typer.Option(help="Loss of a spike, where 1 - cosine is that of a vector; more makes fewer.")] = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    tensorboard: Tensorboard = None,
    device: Device = None,
    embeddings: Annotated[Path, typer.Option(help="Folder in which vectors are kept.")] = Path("results/embeddings"),
    json_: Json = False,
) -> None:
    """Learn EC's code from sentences; a model uses it by `ec.weights`. Prints it beside the analytic code."""
    from spikemem import embed
    from spikemem.cache import CachedEmbedder
    from spikemem.codes import on_off
    from spikemem.training import ec

    with clear_errors():
        given = {str(path): sentences(path) for path in (data, *(test or []))}
        with spinner("loading the embedder"):
            embedder = CachedEmbedder(embed.SentenceEmbedder(), embeddings)
        with bar("embedding") as progress:
            vectors = {name: embedder.embed(texts, progress) for name, texts in given.items()}
        settings = replace(
            ec.SETTINGS, epochs=epochs or ec.SETTINGS.epochs, seed=seed, checkpoint=checkpoint, tensorboard=tensorboard, device=device
        )
        price = ec.PENALTY if penalty is None else penalty
        with bar("training") as progress:
            made = ec.train(vectors[str(data)], settings, price, progress)
        made.code.save(out, texts=len(given[str(data)]), embedder=embedder.name, seed=seed, penalty=price, epochs=settings.epochs)
        rows = [
            {"text": name, **ec.row(kind, code, x[: ec.MEASURED])}
            for name, x in vectors.items()
            for kind, code in (("analytic", on_off(embedder.dim, ec.ANALYTIC)), ("trained", made.code))
        ]
    for finding in made.then.health:
        err.print(f"[yellow]{finding}[/]")
    show(rows, json_, "The first texts of each source, the training's own first")
    err.print(f"wrote {out}")


def sentences(path: Path) -> list[str]:
    """The lines of a file, or of all .txt files of a folder, each once."""
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    found = list(dict.fromkeys(line for file in files for line in lines(file)))
    if not found:
        raise MissingDataError(f"no text in {path}; give a UTF-8 file with one sentence a line, or a folder of .txt files")
    return found

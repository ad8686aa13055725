"""Commands that train: the parts of the memory that learn from data."""

import json
from pathlib import Path
from typing import Annotated

import typer

from spikemem.cli.show import Json, clear_errors, out, show, spinner

app = typer.Typer(no_args_is_help=True, help="Train the parts that learn; weights go into safetensors files.")


@app.command(epilog="Example: `spikemem train gates --out gates.safetensors --seed 1`")
def gates(
    model: Annotated[str, typer.Option(help="Name or path of a model file with [gates].")] = "hippocampus-gated",
    file: Annotated[Path, typer.Option("--out", help="Where the weights go.")] = Path("gates.safetensors"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the stream; 60 by default.")] = None,
    seed: Annotated[int, typer.Option(help="Of the stream, the wiring and the training.")] = 0,
    json_: Json = False,
) -> None:
    """Train the gates on the project's own texts, repeated, paraphrased and contradicted; prints the errors on the held-out fifth."""
    from dataclasses import replace

    from spikemem.embed import SentenceEmbedder
    from spikemem.spec import load_model
    from spikemem.training import gates as recipe

    with clear_errors(), spinner("loading the embedder") as stage:
        settings = replace(recipe.SETTINGS, seed=seed, epochs=epochs or recipe.SETTINGS.epochs)
        trained = recipe.train(load_model(model), SentenceEmbedder(), file, settings, stage)
    if json_:
        out.print_json(json.dumps({"out": str(file), "wrong": trained.wrong, "events": trained.events, "best": trained.history.best}))
        return
    rows = [{"should be": action, "decided otherwise": share} for action, share in trained.wrong.items()]
    show(rows, False, f"{trained.events} events, best epoch {trained.history.best} -> {file}")

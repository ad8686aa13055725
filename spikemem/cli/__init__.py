"""The command line: `spikemem COMMAND --help`. Every command exits with 2 where its input is bad."""

import os

import typer

from spikemem.cli import bench, comparison, contents, data, lab, memory, simulation, train
from spikemem.cli.show import any_terminal

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False, help="A spiking hippocampal memory.")
for part in (memory, contents, comparison, lab, simulation):
    app.add_typer(part.app)
app.add_typer(train.app, name="train")
bench.app.add_typer(data.app)
app.add_typer(bench.app, name="bench")


def main() -> None:
    """The console script."""
    any_terminal()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    app()

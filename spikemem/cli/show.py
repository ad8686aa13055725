"""What the commands share: consoles, progress, tables, clear errors."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from spikemem.errors import SpikememError, TextError

out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 140)  # a pipe has no width of its own
err = Console(stderr=True, soft_wrap=True)

BAR_FROM = 100
"""A progress bar shows from so many texts up."""
CELL = 200
"""Characters of a text that a table shows."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="Name or path of a model file.")]
Seed = Annotated[int, typer.Option(help="Seed of the wiring and the noise.")]


@contextmanager
def clear_errors() -> Iterator[None]:
    """One line for bad input, exit code 2."""
    try:
        yield
    except SpikememError as error:
        err.print(f"[bold red]error:[/] {escape(' '.join(str(error).split()))}")
        raise typer.Exit(2) from error


@contextmanager
def bar(what: str, show: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; the yielded function takes (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not show) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def spinner(what: str) -> Iterator[Callable[[str], None]]:
    """Stages with their time on stderr; the yielded function names the next one."""
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err) as progress:
        task = progress.add_task(what, total=1)

        def begin(name: str) -> None:
            nonlocal task
            progress.update(task, completed=1)
            task = progress.add_task(name, total=1)

        yield begin
        progress.update(task, completed=1)


def show(rows: Sequence[dict[str, Any]], as_json: bool, title: str = "") -> None:
    """Print rows as JSON, or as a table in which long texts are shortened."""
    if as_json:
        out.print_json(json.dumps(list(rows)))
        return
    table = Table(title=title or None, title_justify="left")
    for name in rows[0] if rows else ["nothing"]:
        table.add_column(name, justify="left" if name in ("text", "what") else "right", overflow="fold" if name == "text" else "ellipsis")
    for row in rows:
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else escape(shortened(str(v))) for v in row.values()))
    out.print(table)


def shortened(text: str) -> str:
    """A text as a table shows it.

    >>> len(shortened("so it goes " * 100))
    200
    """
    return text if len(text) <= CELL else text[: CELL - 1].rstrip() + "…"


def lines(file: Path) -> list[str]:
    """The lines of a text file that are not blank."""
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{file} cannot be read as UTF-8 text: {error}") from error


def save(figure: Any, path: Path) -> None:
    """Write a figure, and say where."""
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise SpikememError(f"{path} cannot be written as a picture: {error}") from error
    err.print(f"drew {path}")

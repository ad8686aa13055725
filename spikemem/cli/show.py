"""What the commands share: consoles, progress, tables, clear errors."""

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from json import dumps, loads
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from spikemem._checks import FILE_BYTES, SEED
from spikemem._files import text_of, whole
from spikemem.errors import SpikememError, TextError

COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line feed, marks that turn the direction of writing, and halves of characters."""
LINE_END = re.compile("\r\n|\n|\r")
"""What ends a line of a file; form feeds and other marks that `str.splitlines` takes for ends do not."""


class Terminal(Console):
    """A console whose JSON commands no terminal either."""

    def print_json(self, json: str | None = None, **options: Any) -> None:
        """Print JSON text, in ASCII where it holds what `visible` would not let stand."""
        written = dumps(loads(json or "null"), ensure_ascii=False)
        super().print_json(json, **{"ensure_ascii": bool(COMMANDING.search(written)), **options})


out = Terminal(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 140)  # a pipe has no width of its own
err = Terminal(stderr=True, soft_wrap=True)

BAR_FROM = 100
"""A progress bar shows from so many texts up."""
CELL = 200
"""Characters of a text that a table shows."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Model = Annotated[str, typer.Option(help="Name or path of a model file.")]
Seed = Annotated[int, typer.Option(min=0, max=SEED, help="Seed of the wiring and the noise.")]


@contextmanager
def clear_errors() -> Iterator[None]:
    """One line for bad input, exit code 2."""
    try:
        yield
    except SpikememError as error:
        err.print(f"[bold red]error:[/] {plain(' '.join(str(error).split()))}")
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
        out.print_json(dumps(list(rows)))
        return
    table = Table(title=plain(title) or None, title_justify="left")
    for name in rows[0] if rows else ["nothing"]:
        table.add_column(name, justify="left" if name in ("text", "what") else "right", overflow="fold" if name == "text" else "ellipsis")
    for row in rows:
        table.add_row(*(f"{v:.3f}" if isinstance(v, float) else plain(shortened(str(v))) for v in row.values()))
    out.print(table)


def shortened(text: str) -> str:
    """A text as a table shows it.

    >>> len(shortened("so it goes " * 100))
    200
    """
    return text if len(text) <= CELL else text[: CELL - 1].rstrip() + "…"


def visible(text: str) -> str:
    r"""A text as a terminal shows it: what would command a terminal, or turn its line around, stands there as its number.

    >>> visible("red \x1b[31m")
    'red \\x1b[31m'
    """
    return COMMANDING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def plain(text: str) -> str:
    """A text for a console, of which neither terminal nor markup takes a part for a command."""
    return escape(visible(text))


def lines(file: Path) -> list[str]:
    """The lines of a text file that are not blank, without a byte order mark; "-" is standard input."""
    try:
        content = sys.stdin.buffer.read(FILE_BYTES) if str(file) == "-" else None
        text = text_of(file, FILE_BYTES, "utf-8-sig") if content is None else content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise TextError(f"{visible(str(file))} cannot be read as UTF-8 text: {error}") from error
    return [line for line in LINE_END.split(text) if line.strip()]


def any_terminal() -> None:
    """Let a terminal that cannot show a character show its number, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def save(figure: Any, path: Path) -> None:
    """Write a figure, whole or not at all, and say where; a PNG where the path has no ending."""
    path = path if path.suffix else path.with_suffix(".png")
    try:
        with whole(path) as draft:
            figure.savefig(draft, dpi=150, format=path.suffix[1:])
    except (OSError, ValueError) as error:
        raise SpikememError(f"{path} cannot be written as a picture: {error}") from error
    err.print(f"drew {plain(str(path))}")

"""Commands on what a memory's file holds: get, list, update, history, restore, backup, export, import, check."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikemem.cli.memory import Brain, MetadataOption, ScopeOption, WhereOption, existing, labels_of, loaded, scope_of
from spikemem.cli.show import BAR_FROM, Json, bar, clear_errors, err, out, show, spinner
from spikemem.errors import TextError

if TYPE_CHECKING:
    from spikemem.memory.results import Record

app = typer.Typer()
LINE = 2**26
"""Characters of a line that is imported, at most."""
Id = Annotated[int, typer.Argument(metavar="ID", help="A memory.")]


def _row(record: "Record") -> dict[str, Any]:
    when = "" if record.when is None else str(record.when)[:16]
    until = "" if record.until is None else f"{str(record.until)[:16]} by {record.superseded_by}"
    return {"id": record.id, "when": when, "until": until, "text": record.text}


def _json(record: "Record") -> dict[str, Any]:
    """A record as JSON has it, with times in ISO 8601."""
    plain = {name: getattr(record, name) for name in record.__dataclass_fields__} | {
        "occasions": [{name: getattr(o, name) for name in o.__dataclass_fields__} for o in record.occasions]
    }
    return dict(json.loads(json.dumps(plain, default=lambda value: value.isoformat())))


def _show(records: Iterable["Record"], json_: bool) -> None:
    show([_json(record) if json_ else _row(record) for record in records], json_)


@app.command(epilog="Example: `spikemem get brain.db 3 --json`")
def get(brain: Brain, i: Id, json_: Json = False) -> None:
    """Show all that is stored of a memory."""
    with clear_errors(), existing(brain, readonly=True) as memory:
        record = memory.get(i)
        if json_:
            out.print_json(json.dumps(_json(record)))
        else:
            show([{"what": name.replace("_", " "), "value": _told(value)} for name, value in _json(record).items()], False)


def _told(value: object) -> str:
    return "" if value in (None, [], {}) else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@app.command(name="list", epilog="Example: `spikemem list brain.db --scope user=ada --where topic=boats`")
def list_(
    brain: Brain,
    scope: ScopeOption = None,
    where: WhereOption = None,
    history: Annotated[bool, typer.Option("--history", help="Also what was superseded.")] = False,
    json_: Json = False,
) -> None:
    """List what is stored."""
    with clear_errors(), existing(brain, readonly=True) as memory:
        _show(memory.list(scope=scope_of(scope), where=labels_of(where), history=history), json_)


@app.command(epilog="Example: `spikemem update brain.db 3 'Ada lives in Rome.' --when 2024-05-01`")
def update(
    brain: Brain,
    i: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The new version.")],
    when: Annotated[str | None, typer.Option(metavar="DATE", help="From when on it holds, ISO 8601; now by default.")] = None,
    metadata: MetadataOption = None,
) -> None:
    """Store a new version of a memory; the old one is kept in its history."""
    from spikemem.memory.texts import parse_time

    with clear_errors(), existing(brain) as memory:
        new = memory.update(i, text, when=None if when is None else parse_time(when), metadata=labels_of(metadata))
        out.print(f"stored {new}, which supersedes {i}")


@app.command(epilog="Example: `spikemem history brain.db 3`")
def history(brain: Brain, i: Id, json_: Json = False) -> None:
    """List all versions of a memory, the earliest first."""
    with clear_errors(), existing(brain, readonly=True) as memory:
        _show(memory.history(i), json_)


@app.command(epilog="Example: `spikemem restore brain.db 3`")
def restore(brain: Brain, i: Id) -> None:
    """Let a memory that was superseded hold again."""
    with clear_errors(), existing(brain) as memory:
        memory.restore(i)
        out.print(f"{i} holds again")


@app.command(epilog="Example: `spikemem backup brain.db copy.db`")
def backup(
    brain: Brain,
    to: Annotated[Path, typer.Argument(metavar="COPY.db", help="Where the copy goes.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is there.")] = False,
) -> None:
    """Copy a memory's file as it stands, also while another process writes to it."""
    with clear_errors(), existing(brain, readonly=True) as memory:
        written = memory.backup(to, replace=replace)
        out.print(f"copied {len(memory)} memories to {written}")


@app.command(epilog="Example: `spikemem export brain.db > brain.jsonl`")
def export(
    brain: Brain,
    vectors: Annotated[bool, typer.Option("--vectors", help="Also the vector of each text.")] = False,
) -> None:
    """Print everything that is stored, a line of JSON for each memory."""
    with clear_errors(), existing(brain, readonly=True) as memory:
        for record in memory.export(vectors=vectors):
            typer.echo(json.dumps(record))


@app.command(name="import", epilog="Example: `spikemem import new.db brain.jsonl`")
def import_(
    brain: Brain,
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="What `spikemem export` printed.")],
    model: Annotated[str | None, typer.Option(help="Model of a new memory; hippocampus-text by default.")] = None,
) -> None:
    """Store everything that was exported, beside what is stored already."""
    with clear_errors():
        given = _lines(file)
        with loaded().open(brain, model) as memory, bar("embedding", len(given) >= BAR_FROM) as progress:
            ids = memory.import_(given, progress)
        out.print(f"imported {len(ids)}" + (f" as {ids[0]} to {ids[-1]}" if ids else ""))


def _lines(file: Path) -> list[Mapping[str, Any]]:
    try:
        with file.open(encoding="utf-8-sig") as lines:
            return [_record(n, line) for n, line in enumerate(iter(lambda: lines.readline(LINE + 1), ""), 1) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{file} cannot be read as UTF-8 text: {error}") from error


def _record(n: int, line: str) -> Mapping[str, Any]:
    if len(line) > LINE:
        raise TextError(f"line {n} has more than {LINE:,} characters, which no exported memory has")
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        raise TextError(f"line {n} is no JSON object: {error}") from error


@app.command(epilog="Examples: `spikemem check brain.db`, `spikemem check brain.db --repair saved.db`")
def check(
    brain: Brain,
    repair: Annotated[Path | None, typer.Option(metavar="NEW.db", help="Save what can be saved into a new file.")] = None,
    json_: Json = False,
) -> None:
    """Look for damage in a memory's file; exit code 1 where there is some."""
    from spikemem.memory import damage

    with clear_errors():
        if repair is None:
            with spinner("looking"):
                found = damage.check(brain)
        else:
            with spinner("saving"):
                found = damage.repair(brain, repair)
        if json_:
            out.print_json(json.dumps({"problems": found.problems, "memories": found.memories, "can_be_saved": found.saved}))
        else:
            for problem in found.problems:
                err.print(problem, markup=False)
            state = "whole" if not found.problems else f"damaged; {found.saved} of {found.memories} memories can be saved"
            out.print(
                f"{brain} is {state}" if repair is None else f"saved {found.saved} of {found.memories} memories into {repair}", markup=False
            )
        if found.problems and repair is None:
            raise typer.Exit(1)

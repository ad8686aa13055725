"""`spikemem bench data`: recall on public data sets."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from spikemem.cli.show import Json, bar, clear_errors, err, out, plain, save, spinner
from spikemem.errors import DataError, MissingDataError

if TYPE_CHECKING:
    from spikemem.data.datasets import Task
    from spikemem.evaluate.retrieval import RetrievalRow


app = typer.Typer()


@app.command(name="data", epilog="Example: `spikemem bench data ../data --only LoCoMo --only HotpotQA --out results`")
def bench_data(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with the data sets; docs/data.md says where to get them.")],
    only: Annotated[list[str] | None, typer.Option(help="A data set, again for more; all that are there by default.")] = None,
    results: Annotated[Path, typer.Option("--out", help="Folder for answers, embeddings, table and figure.")] = Path("results"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure anew what an earlier run has answered.")] = False,
    json_: Json = False,
) -> None:
    """Recall on public data sets, every system beside the others; goes on where an earlier run was broken off."""
    from spikemem import plots
    from spikemem.evaluate import retrieval
    from spikemem.memory import embed
    from spikemem.memory.cache import CachedEmbedder

    with clear_errors():
        found = found_in(folder, only or [])
        makers = retrieval.systems()
        with spinner("loading the embedder"):
            embedder = CachedEmbedder(embed.SentenceEmbedder(), results / "embeddings")
        rows = []
        for name, tasks in found.items():
            with bar(name) as progress:
                rows += retrieval.run(tasks, embedder, results, makers, fresh, progress)
        retrieval.write(results / "data.json", json.dumps([row.json() for row in rows], indent=1))
        retrieval.write(results / "data.md", retrieval.markdown(rows))
        save(plots.retrieval(rows), results / "data.png")
    if json_:
        out.print_json(json.dumps([row.json() for row in rows]))
        return
    for own in retrieval.datasets_of(rows):
        print_rows(own)
    out.print(f"written: {results / 'data.md'}, {results / 'data.json'}")


def found_in(folder: Path, only: Sequence[str]) -> dict[str, list["Task"]]:
    """Each data set's tasks; prints which are missing, and raises where one given by --only is, or all are."""
    from spikemem.data.datasets import DATASETS

    unknown = sorted(set(only) - set(DATASETS))
    if unknown:
        raise DataError(f"unknown data set {', '.join(unknown)}; there are {', '.join(DATASETS)}")
    found: dict[str, list[Task]] = {}
    for name in only or DATASETS:
        try:
            found[name] = DATASETS[name](folder)
        except MissingDataError as error:
            if only:
                raise
            err.print(f"{name} is left out: {plain(str(error))}")
    if not found:
        raise MissingDataError(f"no data set in {folder}; docs/data.md says where to get them")
    return found


def print_rows(rows: Sequence["RetrievalRow"]) -> None:
    """The rows of one data set as a table."""
    from spikemem.evaluate import retrieval

    heading, lines = retrieval.table(rows)
    table = Table(title=f"{rows[0].dataset}, n = {rows[0].n:,}, with 95 % Wilson interval", title_justify="left", box=box.SIMPLE)
    for i, name in enumerate(heading):
        table.add_column(name, justify="right" if i else "left")
    for cells in lines:
        table.add_row(*map(plain, cells))
    out.print(table)

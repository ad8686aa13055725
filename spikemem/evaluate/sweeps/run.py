"""A function over a grid of arguments: durable, to be gone on with after a kill, with one table at the end."""

import inspect
import os
import pickle
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from spikemem._checks import shown
from spikemem.errors import SweepError
from spikemem.evaluate.sweeps.executors import Function, opened, outcomes
from spikemem.evaluate.sweeps.file import RunFile
from spikemem.evaluate.sweeps.grid import Arguments, check, described, key, runs
from spikemem.evaluate.sweeps.table import Table


def sweep(
    function: Function,
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    seeds: int | None = None,
    out: str | os.PathLike[str] | None = None,
    executor: Any = "processes",
    workers: int | None = None,
    keep_going: bool = False,
    progress: bool = True,
) -> Table:
    """Run a function with every combination of arguments, on all cores, and return one table, a row a run, in the grid's order.

        rows = {(a, b, ..., function(a, b, ...)): a in grid["a"], b in grid["b"], ...}

    A run that has ended is on the disk: the same call, after a kill or Ctrl-C, does what is left alone. The grid may have grown or shrunk
    meanwhile. What the function does is not compared: after a change of it, give another file.

    function: takes a run's arguments by name, and returns a dict of numbers (or texts). One that is defined in a module or a script, not
        in another function or a notebook, as fresh processes import it; executor="serial" and Dask take any.
    grid: for each name its values, or a list of the runs' arguments: numbers, texts, True, False, None, or lists of these.
    seeds: runs of each combination, each with a `seed` of its own, a whole number below 2^63 that follows from the arguments, whatever
        the order or size of the grid. For the same seeds at all arguments put `seed` into the grid.
    out: a file of JSON lines, one a run; None keeps nothing.
    executor: "processes" of this machine; "dask", the same by Dask; a `dask.distributed.Client`, of a cluster, say, which dask-jobqueue
        starts on Slurm, PBS or SGE; any `concurrent.futures.Executor`; "serial", this process, for a debugger.
    workers: processes, as many as there are cores; each computes with its share of the cores. Not for an executor that was given.
    keep_going: begin further runs after one has failed; either way one error names the first, and what has ended is kept.
    progress: a bar, on a terminal.

    Raises SweepError where a run fails, with the rows of the others (`error.rows`), and for what cannot be a function, a grid or a file;
    MissingExtraError where Dask is not installed (the extra "sweep").

    >>> def volley(cells, gain):
    ...     return {"spikes": int(cells * gain)}
    >>> sweep(volley, {"cells": [10, 20], "gain": [0.5]}, executor="serial")["spikes"]
    array([ 5, 10])
    """
    keep_going, progress = check.flag(keep_going, "keep_going"), check.flag(progress, "progress")
    name = _name(function, importable=isinstance(executor, str) and executor == "processes")
    wanted = runs(grid, seeds)
    _fits(function, wanted)
    done: dict[str, Arguments] = {}
    failed: list[SweepError] = []
    with ExitStack() as stack:
        file = None if out is None else stack.enter_context(closing(RunFile(check.path(out, "out"), name)))
        if file is not None:
            done.update((key(run), file.results[key(run)]) for run in wanted if key(run) in file.results)
        left = [run for run in wanted if key(run) not in done]
        bar = stack.enter_context(_bar(progress))
        task = bar.add_task(name, total=len(wanted), completed=len(done))
        pool = stack.enter_context(opened(executor, workers)) if left else None
        for arguments, outcome in outcomes(pool, function, left, keep_going):
            if outcome.results is None:
                failed.append(SweepError(f"the run {described(arguments)} failed: {outcome.error}"))
                failed[-1].add_note(outcome.trace)
                continue
            done[key(arguments)] = outcome.results
            if file is not None:
                file.append(arguments, outcome.results)
            bar.advance(task)
    rows = [{**run, **done[key(run)]} for run in wanted if key(run) in done]
    if failed:
        raise _one(failed, rows, len(wanted), file)
    return Table(rows)


def _one(failed: Sequence[SweepError], rows: list[Arguments], whole: int, file: RunFile | None) -> SweepError:
    """One error for all runs that failed: the first, how many others did, and where the rest is."""
    others = f", and {len(failed) - 1} more did" if failed[1:] else ""
    where = "are the error's `rows`" if file is None else f"are in {file.path}; the same call goes on from them"
    error = SweepError(f"{failed[0]}{others}; {len(rows)} of {whole} runs have ended and {where}")
    error.rows = rows
    for note in getattr(failed[0], "__notes__", ()):
        error.add_note(note)
    return error


def _name(function: Any, importable: bool) -> str:
    """A function's name with its file's, which are the same whether that is run or imported.   importable: by another process."""
    name, module = getattr(function, "__qualname__", None), getattr(function, "__module__", None)
    if not callable(function) or not isinstance(name, str) or not isinstance(module, str):
        raise SweepError(f"function is {shown(function)}; it must be a function (fixed arguments are lists of one value in the grid)")
    script = getattr(sys.modules["__main__"], "__file__", None)
    if importable:
        try:
            pickle.dumps(function)
            found = module != "__main__" or (script is not None and Path(script).is_file())
        except (pickle.PicklingError, AttributeError, TypeError):
            found = False
        if not found:
            raise SweepError(
                f"other processes cannot import {name}: it is a lambda, or was defined in a function or a notebook; define it in a file, "
                'at its outermost level, or give executor="serial"'
            )
    home = Path(script).stem if module == "__main__" and script is not None else module.rpartition(".")[2]
    return f"{home}.{name}"


def _fits(function: Function, wanted: Sequence[Arguments]) -> None:
    """SweepError for the first run whose arguments the function does not take."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a compiled function may have none
        return
    for arguments in wanted:
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise SweepError(f"the function does not take the run {described(arguments)}: {error}") from error


def _bar(show: bool) -> Progress:
    """A bar on a terminal."""
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not (show and sys.stderr.isatty()))

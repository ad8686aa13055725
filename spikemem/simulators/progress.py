"""How far a run has come: told to a function, or shown as a bar on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from spikemem._checks import Checks
from spikemem.errors import StimulusError

Tell = Callable[[int, int], None]
"""A function of the steps done and the steps in all."""
check = Checks(StimulusError)


@contextmanager
def told(progress: Tell | bool | None) -> Iterator[Tell | None]:
    """The function to tell: the one that is given; a bar on stderr for True, where that is a terminal; None where nothing is told."""
    check.instance(progress, "progress", Callable | bool | None, "give True for a bar, or a function of the steps done and in all")
    if progress is None or progress is False or (progress is True and not sys.stderr.isatty()):
        yield None
        return
    if progress is not True:
        yield progress
        return
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    still = {"redirect_stdout": False, "redirect_stderr": False}  # what a simulator imports may keep the streams
    with Progress(*columns, console=Console(stderr=True), transient=True, **still) as bar:  # type: ignore[arg-type]
        task = bar.add_task("simulating", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

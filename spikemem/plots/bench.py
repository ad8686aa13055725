"""The rows of the bench against their bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from spikemem._checks import Checks
from spikemem.errors import DataError

if TYPE_CHECKING:  # its module loads every simulator
    from spikemem.evaluate.benchmarks import BenchRow

check = Checks(DataError)


def bench(rows: Sequence["BenchRow"]) -> Figure:
    """How far each measured row of the bench is beyond its bar, or short of it: the line at 1 is the bar; rows without one are left out."""
    from spikemem.evaluate.benchmarks import BenchRow

    given = check.instances(rows, "rows", BenchRow, "give the rows of a bench")
    measured = [row for row in given if row.ratio and row.bar]
    if not measured:
        raise DataError("no row was measured that has a bar")
    values = [float(row.ratio / row.bar if row.sense == ">=" else row.bar / row.ratio) for row in measured]
    figure = Figure(figsize=(7.0, 1.0 + 0.28 * len(measured)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(measured))[::-1]
    axes.barh(places, np.array(values) - 1.0, left=1.0, color=["tab:green" if row.met else "tab:red" for row in measured])
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(places, [f"{row.row}{', ' if row.peer else ''}{row.peer}" for row in measured], fontsize=7)
    axes.set_xlabel("times the bar; to the right it is met")
    return figure

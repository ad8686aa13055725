"""Figures of free recall: each draws what functions of the same name in `spikemem.engrams` return, curves beside one another."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from spikemem._checks import Checks
from spikemem.engrams import RecallCurve, ResponseTimes
from spikemem.errors import StimulusError
from spikemem.plots.engrams import MARKS, labelled, one_panel, told
from spikemem.plots.style import colour, legend

check = Checks(StimulusError)


def serial_position(found: RecallCurve | Mapping[str, RecallCurve]) -> Figure:
    """The share of lists on which the item at each position was recalled, with standard errors; several by their names.

    >>> from spikemem import engrams, plots
    >>> figure = plots.serial_position(engrams.serial_position([[3, 1, 0], [2, 3, 0]], length=3))
    """
    return _curves(found, "serial_position", "serial position", "share recalled")


def first_recall(found: RecallCurve | Mapping[str, RecallCurve]) -> Figure:
    """The share of lists on which recall began at each position, with standard errors; several by their names."""
    return _curves(found, "first_recall", "serial position", "share of first recalls")


def lag_crp(found: RecallCurve | Mapping[str, RecallCurve], most: int = 5) -> Figure:
    """How likely recall goes on at each lag, with standard errors; several by their names.   most: the largest lag drawn."""
    return _curves(found, "lag_crp", "lag", "conditional response probability", check.integer(most, "most", least=1))


def response_times(found: ResponseTimes, unit: str = "s") -> Figure:
    """The mean time between recalls by output position, a line for each number of items recalled."""
    told(found, ResponseTimes, "response_times")
    numbers = np.flatnonzero(found.lists[1:]) + 1
    if not len(numbers):
        raise StimulusError("there is nothing to plot: nothing was recalled")
    figure, axes = one_panel(5.4, 3.4)
    for place, n in enumerate(numbers):
        output = np.arange(1, n + 1)
        line, mark = ("-", "--", ":")[place // 5 % 3], MARKS[place % len(MARKS)]
        axes.plot(
            output, found.mean[n, :n], color=colour(place), linestyle=line, marker=mark, markersize=4, linewidth=1.3, label=f"{n} recalled"
        )
    if len(numbers) <= 15:
        legend(axes, 5)
    labelled(axes, "output position", f"time since the recall before, {unit}")
    return figure


def _curves(found: RecallCurve | Mapping[str, RecallCurve], by: str, x: str, y: str, most: int | None = None) -> Figure:
    """Curves with their standard errors; a gap at lag 0."""
    named = {"": found} if isinstance(found, RecallCurve) else check.named(found, "the first argument", "curves by name")
    if not named:
        raise StimulusError("there is nothing to plot: no curves")
    figure, axes = one_panel(5.4, 3.2)
    for place, (name, curve) in enumerate(named.items()):
        told(curve, RecallCurve, by)
        shown = np.ones(len(curve.x), bool) if most is None else np.abs(curve.x) <= most
        axes.errorbar(
            curve.x[shown], curve.mean[shown], np.nan_to_num(curve.sem[shown]), color=colour(place), marker=MARKS[place % len(MARKS)],
            markersize=4, linewidth=1.4, label=name,
        )  # fmt: skip
    axes.set_ylim(0, None)
    if any(named):
        legend(axes, 4)
    labelled(axes, x, y)
    return figure

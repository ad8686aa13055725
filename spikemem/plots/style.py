"""Colours and axes that all figures share."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

SPIKING, RATE, INK, FAINT, MUTED = "#0b6e99", "#d9822b", "#22303c", "#c9d3da", "#8a97a1"
OTHERS = ("#6cb39b", "#7a5195", "#c9a227", "#b23a48")
"""Where two colours do not do."""
SERIES = ("#0b6e99", "#dd3300", INK, "#7700bb", "#770000")
"""Of populations beside one another: each has a contrast of 4.5 or more to white (WCAG 2.1), and no two come within 32 units of CIELAB of
one another, for the eyes of people with protanopia, deuteranopia or tritanopia (Machado, Oliveira & Fernandes 2009) as for others'."""
AMOUNT, SIGNED = "cividis", "PuOr"
"""Colour maps that colour-blind people can read: of amounts (Nuñez, Anderton & Renslow 2018), and of what has a sign, 0 in white."""


def tidy(axes: Axes) -> None:
    """No frame where there is no axis; small figures on the axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def correlation(x: NDArray[np.number], y: NDArray[np.number]) -> str:
    """Pearson's r of two lists as text: "r = 0.523", or that there is none, where one of them does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        r = float(np.corrcoef(x, y)[0, 1])
    return f"r = {r:.3f}" if np.isfinite(r) else "r is undefined: one does not vary"


def legend(axes: Axes, columns: int) -> None:
    """The names of what is drawn, above the axes."""
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)


def colour(place: int) -> str:
    """The colour of one of several things, by its place among them."""
    return SERIES[place % len(SERIES)]

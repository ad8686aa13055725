"""Colours and axes that all figures share."""

from matplotlib.axes import Axes

SPIKING, RATE, INK, FAINT, MUTED = "#0b6e99", "#d9822b", "#22303c", "#c9d3da", "#8a97a1"
OTHERS = ("#6cb39b", "#7a5195", "#c9a227", "#b23a48")
"""Where two colours do not do."""


def tidy(axes: Axes) -> None:
    """No frame where there is no axis; small figures on the axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)

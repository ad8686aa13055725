"""Figures of weights: as they are, and how they change while they learn."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.network.synapses import Dense, OneBit, Sparse, Synapses
from spikemem.plots.style import AMOUNT, INK, SIGNED, SPIKING, tidy
from spikemem.simulators.recording import WeightCourse

check = Checks(StimulusError)
BINS = 40
MOST_COURSES = 200
"""Synapses whose weights are drawn over time, evenly chosen; the mean is of all."""


def weights(weights: ArrayLike | Synapses, title: str = "") -> Figure:
    """Weights as a matrix, [pre, post], and their histogram; pairs without a synapse, or of weight 0, are left out of the histogram.

    weights: an array, [pre, post], such as `recording.weights["a->b"][batch]`, or the `synapses` of a projection.

    >>> from spikemem import plots
    >>> figure = plots.weights([[0.1, 0.0], [0.3, 0.2]])
    """
    title = check.instance(title, "title", str, "give a text")
    given = weights.matrix() if isinstance(weights, Dense | Sparse | OneBit) else weights
    matrix = check.floats(given, "weights", shape=(None, None))
    held = matrix[matrix != 0]
    if not held.size:
        raise StimulusError("there is nothing to plot: no weight differs from 0")
    signed, most = bool(held.min() < 0), float(np.abs(held).max())
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    colours = {"cmap": SIGNED, "vmin": -most, "vmax": most} if signed else {"cmap": AMOUNT, "vmin": 0, "vmax": most}
    image = left.imshow(matrix, aspect="auto", interpolation="nearest", **colours)
    figure.colorbar(image, ax=left, shrink=0.8).ax.tick_params(labelsize=8)
    left.set_xlabel("postsynaptic cell", fontsize=8)
    left.set_ylabel("presynaptic cell", fontsize=8)
    left.locator_params(integer=True)
    left.tick_params(labelsize=8)
    right.hist(held, BINS, color=SPIKING)
    right.set_title(f"{held.size:,} of {matrix.size:,} pairs, mean {held.mean():.3g}", fontsize=8, loc="right")
    right.locator_params(axis="x", nbins=6)
    right.set_xlabel("weight", fontsize=8)
    right.set_ylabel("synapses", fontsize=8)
    tidy(right)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def weights_over_time(course: WeightCourse, batch: int = 0) -> Figure:
    """The weights of plastic projections over a run: thin lines are synapses, 200 at most, the thick one is the mean of all.

    course: as `spikemem.simulators.weight_course` makes it. Pairs of cells whose weight is 0 throughout are left out.
    """
    check.instance(course, "course", WeightCourse, "give what weight_course(net, stimulus, steps) makes")
    batch = check.integer(batch, "batch", least=0, most=min(of.shape[1] for of in course.weights.values()) - 1)
    figure = Figure(figsize=(7, 2.1 * len(course.weights) + 0.6), layout="constrained")
    panels = figure.subplots(len(course.weights), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, of) in zip(panels, course.weights.items(), strict=True):
        flat = of[:, batch].reshape(len(of), -1)
        flat = flat[:, (flat != 0).any(axis=0)]
        if not flat.size:
            raise StimulusError(f"there is nothing to plot: all weights of {name} are 0")
        some = np.unique(np.linspace(0, flat.shape[1] - 1, MOST_COURSES).astype(int))
        axes.plot(course.time, flat[:, some], color=SPIKING, linewidth=0.6, alpha=0.5)
        axes.plot(course.time, flat.mean(axis=1), color=INK, linewidth=2.0)
        axes.set_ylabel(f"weight, {name}", fontsize=8)
        axes.set_title(f"{len(some):,} of {flat.shape[1]:,} synapses", fontsize=8, loc="right")
        tidy(axes)
    panels[-1].set_xlabel("ms", fontsize=8)
    return figure

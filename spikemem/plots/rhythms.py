"""Figures of rhythms: spectra of populations, and the phases of their spikes in a cycle."""

import numpy as np
from matplotlib.figure import Figure

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.instruments import phases
from spikemem.plots.activity import one_item
from spikemem.plots.spikes import NAMES, spiking
from spikemem.plots.style import INK, SPIKING, colour, legend, tidy
from spikemem.simulators.recording import Recording

check = Checks(StimulusError)


def spectrum(recording: Recording, *populations: str, bin: float | None = None, segment: float | None = None, batch: int = 0) -> Figure:
    """The power spectral densities of populations' rates, in one batch item; arguments as of `Recording.spectrum`."""
    batch = one_item(recording, batch)
    chosen = spiking(recording, populations, batch)
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(chosen):
        frequency, power = recording.spectrum(name, bin, segment)
        axes.plot(frequency[1:], power[batch, 1:], color=colour(place), linewidth=1.3, label=NAMES.get(name, name))
    axes.set_yscale("log")
    axes.set_xlim(left=0)
    axes.set_xlabel("frequency, Hz", fontsize=8)
    axes.set_ylabel("power of the rate, Hz² / Hz", fontsize=8)
    legend(axes, 4)
    tidy(axes)
    return figure


def phase(recording: Recording, *populations: str, period: float, bins: int = 24, batch: int = 0) -> Figure:
    """The phases of populations' spikes in a rhythm, as histograms around a circle, with the mean vector of all spikes.

    period: of the rhythm, ms, counted from the start of the run.   bins: of a circle.
    """
    batch, bins = one_item(recording, batch), check.integer(bins, "bins", least=1, most=1000)
    chosen, period = spiking(recording, populations, batch), check.finite(period, "period", above=0, unit=" ms")
    edges = np.linspace(0, 2 * np.pi, bins + 1)
    figure = Figure(figsize=(max(2.9 * len(chosen), 4.2), 3.6), layout="constrained")
    panels = figure.subplots(1, len(chosen), squeeze=False, subplot_kw={"projection": "polar"})[0]
    for axes, name in zip(panels, chosen, strict=True):
        trains = recording.trains(name)
        own = phases(trains, period)[trains.spikes.batch == batch]
        share = np.histogram(own, edges)[0] / max(len(own), 1)
        locked = recording.phase(name, period).pooled
        most = max(float(share.max()), 1e-9)
        axes.bar(edges[:-1], share, np.diff(edges), align="edge", color=SPIKING, edgecolor="white", linewidth=0.5)
        if len(own):
            tip = float(locked.angle[batch]), float(locked.strength[batch]) * most
            axes.annotate("", tip, (0.0, 0.0), arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 2.0, "shrinkA": 0, "shrinkB": 0})
        axes.set_ylim(0, most)
        axes.set_xticks(np.arange(4) * np.pi / 2, ["0", "¼", "½", "¾"], fontsize=8)
        axes.set_yticks([])
        told = f"vector strength {locked.strength[batch]:.2f}, {locked.spikes[batch]:,} spikes"
        axes.set_title(f"{NAMES.get(name, name)}\n{told}", fontsize=8)
    figure.supxlabel(f"share of a cycle of {period:g} ms; an arrow to the rim is a vector strength of 1", fontsize=8)
    return figure

"""Figures of what learns: losses, gates over a story, memory changes, errors of tasks."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.plots.style import FAINT, INK, MUTED, OTHERS, RATE, SPIKING, correlation, tidy

check = Checks(StimulusError)
LEVELS = (0.0, 1.0)
"""Of a gate."""
SMOOTHED = 100
"""A loss's running mean is over one in so many of its steps."""


def losses(curves: Mapping[str, Sequence[float]], validation: Mapping[str, Sequence[float]] | None = None) -> Figure:
    """Losses of trainings, step by step, on a logarithmic scale, with their running means; validations, epoch by epoch, as dots.

    curves: by name.   validation: by the same names.
    """
    made, validated = _courses(curves, "curves"), _courses({} if validation is None else validation, "validation")
    if not made or not all(len(curve) for curve in made.values()):
        raise StimulusError("there is nothing to plot: no loss was noted")
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    for (name, curve), colour in zip(made.items(), _colours(made), strict=True):
        step, over = np.arange(1, len(curve) + 1), max(1, len(curve) // SMOOTHED)
        axes.plot(step, curve, color=colour, linewidth=0.7, alpha=0.3)
        mean = np.convolve(curve, np.full(over, 1.0 / over), "valid")
        axes.plot(step[over - 1 :], mean, color=colour, linewidth=1.2, label=name)
        held = validated.get(name, ())
        if len(held):
            axes.plot(
                np.linspace(len(curve) / len(held), len(curve), len(held)), held, "o", color=colour, markersize=4, markeredgecolor="white"
            )
    axes.set_yscale("log")
    axes.set_xlabel("step", fontsize=9)
    axes.set_ylabel("loss (dots: validation)", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes)
    return figure


def story_gates(sentences: Sequence[str], gates: Mapping[str, ArrayLike], title: str = "") -> Figure:
    """Gates over a story, the sentences beside it: a panel for each gate, a row for each sentence, shade is the share of spikes.

    gates: by name, [sentence, cell], between 0 and 1.
    """
    sentences = [check.instance(sentence, "a sentence", str, "give a text") for sentence in check.listed(sentences, "sentences", "texts")]
    title = check.instance(title, "title", str, "give a text")
    made = {name: check.floats(values, f"gate {name!r}") for name, values in check.named(gates, "gates", "arrays").items()}
    for name, values in made.items():
        if values.ndim != 2 or len(values) != len(sentences):
            raise StimulusError(f"gate {name!r} has shape {values.shape}; expected [{len(sentences)}, cell], a row for each sentence")
    if not sentences or not made:
        raise StimulusError("there is nothing to plot: no sentence, or no gate")
    figure = Figure(figsize=(3.2 + 2.4 * len(made), 0.3 * len(sentences) + 1.3), layout="constrained")
    panels = figure.subplots(1, len(made), squeeze=False, sharey=True)[0]
    for axes, (name, values) in zip(panels, made.items(), strict=True):
        image = axes.imshow(values, aspect="auto", cmap="magma_r", vmin=LEVELS[0], vmax=LEVELS[1], interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("cell", fontsize=8)
        axes.tick_params(labelsize=8, length=0)
    panels[0].set_yticks(range(len(sentences)), sentences, fontsize=8)
    figure.colorbar(image, ax=list(panels), shrink=0.8, label="share of an event's steps with a spike").ax.tick_params(labelsize=8)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure


def changes(likeness: Mapping[str, tuple[ArrayLike, ArrayLike]], columns: int = 4) -> Figure:
    """Memory change against event similarity, a panel for each name, `columns` in a row.

    likeness: cosines of events, and of what they change in the memory, [pair] each; a name with "spiking" has the spiking colour.
    """
    columns = check.integer(columns, "columns", least=1)
    if not (likeness := check.named(likeness, "likeness", "pairs of cosines")):
        raise StimulusError("there is nothing to plot: no pair was measured")
    made = {name: _pairs(both, f"likeness[{name!r}]") for name, both in likeness.items()}
    columns = min(columns, len(made))
    rows = -(-len(made) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
    for (name, (events, changed)), axes in zip(made.items(), panels, strict=False):
        axes.axline((0, 0), slope=1, color=FAINT, linewidth=1, zorder=0)
        axes.plot(events, changed, "o", markersize=2.5, markeredgewidth=0, alpha=0.4, color=SPIKING if "spiking" in name else RATE)
        axes.set_title(f"{name}: {correlation(events, changed)}", fontsize=9)
        tidy(axes)
    for axes in panels:  # what is left of the last row
        axes.set_visible(False)
    figure.supxlabel("cosine of two events", fontsize=9)
    figure.supylabel("cosine of what they change in the memory", fontsize=9)
    return figure


def differences(apart: Mapping[str, Mapping[int, float]]) -> Figure:
    """|spiking - rate| of each gate over the steps of an event; the dotted line falls as 1 / sqrt(T).   apart: by gate, by steps."""
    apart = {name: check.numbered(values, f"apart[{name!r}]", least=1) for name, values in check.named(apart, "apart").items()}
    if not apart or not all(apart.values()):
        raise StimulusError("there is nothing to plot: no difference was measured")
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.subplots()
    for (gate, by_steps), colour in zip(apart.items(), _colours(apart), strict=True):
        steps = sorted(by_steps)
        axes.plot(steps, [by_steps[t] for t in steps], "o-", color=colour, markersize=4, linewidth=1, label=gate)
    steps = sorted({t for by_steps in apart.values() for t in by_steps})
    first = max(by_steps[min(by_steps)] for by_steps in apart.values())
    axes.plot(steps, [1.5 * first * np.sqrt(steps[0] / t) for t in steps], color=MUTED, linewidth=1, linestyle=":", label="~ 1 / sqrt(T)")
    axes.set_xscale("log", base=2)
    axes.set_xticks(steps, [str(t) for t in steps])
    axes.set_yscale("log")
    axes.set_xlabel("T, steps of an event", fontsize=9)
    axes.set_ylabel("mean |spiking - rate|", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes)
    return figure


def task_errors(errors: Mapping[str, Mapping[int, float]]) -> Figure:
    """Errors in per cent over tasks, a bar for each system.   errors: by system, by task."""
    errors = {name: check.numbered(values, f"errors[{name!r}]") for name, values in check.named(errors, "errors").items()}
    if not errors or not all(errors.values()):
        raise StimulusError("there is nothing to plot: no task was measured")
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axes = figure.subplots()
    tasks = sorted({task for by_task in errors.values() for task in by_task})
    width = 0.8 / len(errors)
    for i, ((name, by_task), colour) in enumerate(zip(errors.items(), _colours(errors), strict=True)):
        mean = np.mean(list(by_task.values()))
        at = [tasks.index(task) + (i - (len(errors) - 1) / 2) * width for task in by_task]
        axes.bar(at, list(by_task.values()), width, color=colour, label=f"{name}, mean {mean:.1f} %")
    axes.axhline(5.0, color=INK, linewidth=0.7, linestyle=":")
    axes.set_xticks(range(len(tasks)), [str(task) for task in tasks])
    axes.set_xlabel("bAbI task (dotted: 5 %, a task solved)", fontsize=9)
    axes.set_ylabel("test error, %", fontsize=9)
    axes.legend(frameon=False, fontsize=8)
    tidy(axes)
    return figure


def _courses(values: Mapping[str, Sequence[float]], name: str) -> dict[str, NDArray[np.float64]]:
    """Numbers over time, by name."""
    return {key: check.floats(course, f"{name}[{key!r}]", shape=(None,)) for key, course in check.named(values, name, "numbers").items()}


def _pairs(values: tuple[ArrayLike, ...], name: str) -> list[NDArray[np.float64]]:
    """Cosines of events, and those of what they change, as many, two at least."""
    made = [check.floats(part, name, shape=(None,)) for part in check.listed(values, name, "two arrays")]
    sizes = [len(part) for part in made]
    if len(made) != 2 or sizes[0] != sizes[1] or sizes[0] < 2:
        told = " and ".join(map(str, sizes)) or "no"
        raise StimulusError(f"{name} has {told} cosines; expected as many of events as of changes, two at least")
    return made


def _colours(names: Iterable[str]) -> list[str]:
    """A colour for each name: spiking and rate have their own."""
    own = {name: colour for name, colour in (("spiking", SPIKING), ("rate", RATE)) if name in names}
    others = (colour for colour in (SPIKING, RATE, *OTHERS, INK, MUTED) if colour not in own.values())
    return [own.get(name) or next(others, MUTED) for name in names]

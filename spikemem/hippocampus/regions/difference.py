"""How the wording of an event differs from that of the memory that answered, as spikes of comparing cells.

    difference      one cell for each sign that holds (`MARKS`), one for each level that a likeness exceeds, one that there are texts at all
    phrase_old      volleys of the phrases that replaced one another: n = round(c sqrt(d) x) spikes a component x of a unit vector
    phrase_new
    phrase_extra    spikes of the new phrase beyond those of the old one: max(n_new - n_old, 0)
    phrase_missing  the reverse
    phrase_shared   coincidences of the two: min(n_new, n_old)

A text memory makes a `Difference` of two texts (`memory.difference`). Vectors that were stored without texts have none, and all these cells
are silent.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF, WINDOW, rectified
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.gate_phases import START, let_compare
from spikemem.hippocampus.regions.rhythm import DT, GAMMA
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.neurons import LIF
from spikemem.network.synapses import one_to_one
from spikemem.simulators.recording import Recording

MARKS = (
    "speaker", "subject", "subject more or less", "agent", "name", "numbered", "figure", "order", "turned", "denies", "denied", "both deny",
    "nothing new", "nothing lost", "several", "list", "past event", "question", "same", "indefinite", "verb", "after to be",
    "after a preposition", "object", "verbless", "with", "long", "few shared", "none shared", "one word", "also", "left out", "put in",
    "end", "after to have", "counted", "dated", "in progress", "state", "denies the rest", "reversed",
)  # fmt: skip
"""Signs, one cell each."""
LIKENESSES = ("texts", "phrases", "subjects", "new phrase to the old text", "old phrase to the new text", "words")
"""Cosines, and the share of words of content that both texts have."""
LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Levels of likeness, one cell each."""
CELLS = len(MARKS) + 1 + len(LIKENESSES) * len(LEVELS)
"""Cells of `difference`."""
CHARGE = 2.0
"""c: spikes of a component of root-mean-square size."""
COMPARED = ("phrase_extra", "phrase_missing", "phrase_shared")
"""Cells that compare the volleys of two phrases, in the order of `Heard.phrases`."""
COINCIDENCE = LIF(tau=0.01, threshold=1.5, reset=0.0)
"""A cell that fires where two spikes come at once."""


class Difference(NamedTuple):
    """How two texts differ.

    marks: which of `MARKS` hold, bool, [mark].   likeness: as `LIKENESSES`, in [-1, 1], [likeness].
    old, new: vectors of the phrases that replaced one another, of unit length, float32, [d]; zero where there is none.
    """

    marks: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    old: NDArray[np.float32]
    new: NDArray[np.float32]


class Heard(NamedTuple):
    """A difference as spikes.   cells: of `difference` that fire, bool, [CELLS].   phrases: spikes of `COMPARED`, int64, [3, 2d]."""

    cells: NDArray[np.bool_]
    phrases: NDArray[np.int64]


def nothing(dim: int) -> Heard:
    """Silence: no texts were compared.   dim: d."""
    return Heard(np.zeros(CELLS, bool), np.zeros((len(COMPARED), 2 * dim), np.int64))


def cells(difference: Difference) -> NDArray[np.bool_]:
    """Which cells of `difference` fire, [CELLS]."""
    likeness = difference.likeness[:, None] > np.array(LEVELS)
    return np.concatenate([difference.marks, [True], likeness.ravel()])


def volleys(difference: Difference) -> NDArray[np.int64]:
    """Spikes of `phrase_old` and `phrase_new`, [2, 2d]."""
    both = np.stack([difference.old, difference.new]).astype(np.float64)
    return np.minimum(np.floor(CHARGE * np.sqrt(both.shape[1]) * rectified(both) + HALF), WINDOW).astype(np.int64)


def heard(difference: Difference | None, dim: int) -> Heard:
    """A difference as spikes of comparing cells; silence where there is none."""
    if difference is None:
        return nothing(dim)
    old, new = volleys(difference)
    return Heard(cells(difference), np.stack([np.maximum(new - old, 0), np.maximum(old - new, 0), np.minimum(new, old)]))


def heard_of(recording: Recording, dim: int) -> Heard:
    """A difference, read from the spikes of comparing cells."""
    fired, phrases = np.zeros(CELLS, bool), np.zeros((len(COMPARED), 2 * dim), np.int64)
    fired[recording["difference"].cell] = True
    for row, name in zip(phrases, COMPARED, strict=True):
        np.add.at(row, recording[name].cell, 1)
    return Heard(fired, phrases)


def build(net: Network, dim: int) -> None:
    """Add the comparing cells of wordings to a circuit."""
    cycle = CycleReset(GAMMA * DT)
    net.add(Population("difference", CELLS))
    for name in ("phrase_old", "phrase_new"):
        net.add(Population(name, 2 * dim))
    for name in COMPARED:
        net.add(Population(name, 2 * dim, COINCIDENCE if name == "phrase_shared" else ec.PERFECT, cycle))
    for name, of_old, of_new in zip(COMPARED, (-1.0, 1.0, 1.0), (1.0, -1.0, 1.0), strict=True):
        net.connect("phrase_old", name, one_to_one(of_old))
        net.connect("phrase_new", name, one_to_one(of_new))


def stimulus(difference: Difference | None, dim: int, steps: int) -> dict[str, NDArray[np.generic]]:
    """What drives them: spikes of what is clamped, bool, [time, cell], and currents, [time]."""
    clamped = np.zeros((steps, CELLS), bool)
    phrases = np.zeros((2, steps, 2 * dim), bool)
    if difference is not None:
        clamped[START] = cells(difference)
        phrases[:, START : START + WINDOW] = volleys(difference)[:, None] > np.arange(WINDOW)[:, None]
    driven = {"difference": clamped, "phrase_old": phrases[0], "phrase_new": phrases[1]}
    return {**driven, "phrase_extra": let_compare(steps), "phrase_missing": let_compare(steps), "phrase_shared": np.zeros(steps)}

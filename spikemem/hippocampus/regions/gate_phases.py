"""When the gates do what: names of the gates, and the gamma cycles and steps in which cues are compared and gates fire."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF, WINDOW
from spikemem.hippocampus.regions.rhythm import GAMMA, GRID, Gamma, Mode

GATES = ("update", "reset", "candidate", "read")
"""Names of the gates, in the order of their columns."""
COMPARE = 2
"""The gamma cycle in which CA1's answer, read in the one before, meets the cue."""
START = COMPARE * GAMMA
"""The first step of that cycle."""
MOST = WINDOW
"""Spikes of a comparing cell: the window in which it is not held is as long as EC's."""
RELEASE = WINDOW + 1
"""The step from which EC's comparing cells fire: its volley has arrived."""
JUDGE = GAMMA - 1
"""The step at which novelty cells fire."""
HOLD = 2.0**16
"""Inhibition beyond any mismatch."""


class Phase(IntEnum):
    """Halves of a theta cycle."""

    READ = 0
    WRITE = 1


SAMPLES = tuple((COMPARE + 1 + phase) * GAMMA for phase in Phase)
"""Steps at which the gates fire: the end of the reading half, and a gamma cycle into the writing one."""
PROTOCOL = [Gamma(Mode.CUE), Gamma(Mode.CUE, read=True), Gamma(Mode.CUE), Gamma(Mode.QUIET), Gamma(Mode.QUIET)]
"""A theta cycle: the cue is encoded, completed and answered, compared; then it is silent and the writing half begins."""


def held(steps: int) -> NDArray[np.float64]:
    """The current of cells that are held throughout, and so silent unless something is added, [time]."""
    current = np.zeros(steps)
    current[::GAMMA] = -HOLD
    return current


def let_compare(steps: int) -> NDArray[np.float64]:
    """The current of cells that compare volleys, [time]: held but in the window after the volleys' arrival."""
    current = held(steps)
    current[[START, START + RELEASE, START + RELEASE + MOST]] = HALF - HOLD, HOLD, -2 * HOLD
    return current


def on_grid(weights: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weights on the grid on which sums of them are exact."""
    return np.round(np.asarray(weights, np.float64) / GRID) * GRID


def population(gate: str) -> str:
    """The name of a gate's population."""
    return f"gate_{gate}"

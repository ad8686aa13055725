"""Which of two memories came first: cells that fire from the beginning on, and fall silent one after the other, at their own rates.

    study    cell j stays with the probability exp(-1 / tau_j) at each moment;   M |= moment x cells that still fire  (Willshaw 1969)
    order    each of two moments lets the cells fire that it is bound to; of two judges the one that more of them excite wins

Cells of lateral entorhinal cortex decay so after an onset, with time constants from seconds to minutes (Tsao et al. 2018; Bright et al.
2020); with tau_j spread evenly on a logarithmic scale two moments are told apart by their ratio, as by Weber and Fechner (Howard 2018).

    a theta cycle, 125 ms, is a step
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.hippocampus.free_recall import AT_ONCE, CYCLE, FORCE, SURE
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.neurons.lif import LIF
from spikemem.network.noise import Logistic
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import Dense, one_to_one
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import simulate

MOST_MOMENTS, MOST_CELLS = 4096, 10_000
QUERY = 7
"""Steps in which two moments come back and are compared."""
check = Checks(StimulusError)


@dataclass(frozen=True)
class TemporalContext:
    """Cells whose firing says how long ago everything began (equations: see the module).

    cells: how many.   shortest, longest: their time constants, in moments, > 0.   noise: its scale in the judges, in cells, > 0.

    Raises StimulusError where a parameter is out of its range.

    >>> TemporalContext().first(50, [(3, 40), (40, 3)]).tolist()
    [3, 3]
    """

    cells: int = 200
    shortest: float = 1.0
    longest: float = 1000.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        check.integer(self.cells, "cells", least=1, most=MOST_CELLS)
        for name in ("shortest", "longest", "noise"):
            check.finite(getattr(self, name), name, above=0)

    def first(self, moments: int, pairs: ArrayLike, seed: int = 0) -> NDArray[np.int64]:
        """Of each pair the moment that is judged to be the earlier one, [pair].   moments, pairs, seed: see `simulate`."""
        recording = self.simulate(moments, pairs, seed)
        judged = recording["judge"]
        found = np.zeros(recording.batches, np.int64)
        found[judged.batch] = judged.cell
        return np.asarray(pairs, np.int64)[np.arange(len(found)), found]

    def simulate(self, moments: int, pairs: ArrayLike, seed: int = 0, *, simulator: str = "event", drifts: bool = True) -> Recording:
        """The spikes of studying moments and comparing two of them, each pair a batch item with noise of its own.

        moments: 1 to 4,096.   pairs: of moments, [pair, 2].   seed: of the noise.   drifts: False: all cells fire on, and tell nothing.
        """
        n = check.integer(moments, "moments", least=1, most=MOST_MOMENTS)
        given = check.indices(pairs, "pairs", n, shape=(None, 2))
        steps, begin = n + 2 + QUERY, n + 2
        check.room(steps * len(given) * max(self.cells, n), f"the noise of {len(given)} pairs", "give fewer at once")
        moment, cue = np.zeros((steps, len(given), n), bool), np.zeros((steps, 1, 1), bool)
        moment[1 + np.arange(n), :, np.arange(n)] = True
        cue[[begin, begin + 2]] = True
        for turn in range(2):
            moment[begin + 2 * turn, np.arange(len(given)), given[:, turn]] = True
        release = np.zeros(steps)
        release[begin + 4] = 2 * FORCE
        onset = np.zeros((steps, 1, 1), bool)
        onset[0] = True
        stimulus = {"moments": moment, "cue": cue, "onset": onset, "judge": release}
        return simulate(self.network(n, check.seed(seed), drifts), stimulus, steps, simulator=simulator)

    def network(self, moments: int, seed: int = 0, drifts: bool = True) -> Network:
        """The circuit for so many moments."""
        net, n = Network(dt=CYCLE), moments
        for name, size in (("onset", 1), ("moments", n), ("cue", 1)):
            net.add(Population(name, size))
        net.add(Population("context", self.cells, LIF(threshold=SURE, **AT_ONCE), noise=Logistic(1.0, seed)))
        net.add(Population("judge", 2, LIF(threshold=FORCE, **AT_ONCE), KWinners(CYCLE, k=1), Logistic(self.noise, seed)))
        net.connect("onset", "context", Dense(np.full((1, self.cells), 3 * SURE)))
        net.connect("context", "context", one_to_one(2 * SURE))
        if drifts:
            net.connect("moments", "context", Dense(np.tile(self._fading(), (n, 1))))
        rule = Coincidence(amount=6 * SURE, w_max=6 * SURE, period=CYCLE * (n + 2 + QUERY), potentiate=(0.0, CYCLE * (n + 2)))
        net.connect("moments", "context", Dense(np.zeros((n, self.cells))), plasticity=rule)
        net.connect("cue", "context", Dense(np.full((1, self.cells), -2 * SURE)))
        for judge in range(2):  # the first moment waits for the second
            net.connect("context", "judge", Dense(np.tile(np.eye(2)[judge], (self.cells, 1))), delay=CYCLE * (3 - 2 * judge))
        return net

    def _fading(self) -> NDArray[np.float64]:
        """Weights by which a moment lets each cell stay with its probability, [cell]."""
        tau = np.geomspace(self.shortest, self.longest, self.cells)
        return np.array([-math.log(math.expm1(1 / t)) for t in tau]) - SURE  # the logit of exp(-1 / tau)

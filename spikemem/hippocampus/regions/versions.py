"""Versions of a memory: which of them holds at a moment, and the interneurons that silence the others.

    holds(k, t)   until_k > t  and  t >= since_k      until: when it was superseded; since: the latest `until` of those it superseded
    holds(k)      k was not superseded                now

What a memory was superseded by, and from when on, is kept; nothing is deleted. In a recall O-LM cells, one for each memory, inhibit the
dendrites of the index cells of all memories that do not hold, and of those that are left out for other reasons (another user's, say), at
the start of each gamma cycle: their dendrites stay shut, and they neither fire nor compete. O-LM interneurons inhibit just those dendrites
of CA1 (Leao et al. 2012, *Nat. Neurosci.* 15:1524; not read again).
"""

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.rhythm import DT, GAMMA
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.synapses import Sparse

NONE = -1


class Versions:
    """What superseded each memory, and from when on.

    superseded_by: the memory that did, NONE where it is current or the other one was forgotten, int64, [memory].
    until: s since 1970 from which a memory no longer holds, NaN where it is current, [memory].
    """

    def __init__(self) -> None:
        self.superseded_by, self.until = np.zeros(0, np.int64), np.zeros(0)

    def add(self, n: int) -> None:
        """Add n memories, which are current."""
        self.superseded_by = np.concatenate([self.superseded_by, np.full(n, NONE)])
        self.until = np.concatenate([self.until, np.full(n, np.nan)])

    def supersede(self, old: int, new: int, until: float) -> None:
        """Note that a memory no longer holds from a moment on, since another one does."""
        self.superseded_by[old], self.until[old] = new, until

    def forget(self, memories: NDArray[np.int64]) -> None:
        """Drop what is known of forgotten memories: what they superseded stays superseded, by none that is there."""
        self.superseded_by[np.isin(self.superseded_by, memories)] = NONE
        self.superseded_by[memories], self.until[memories] = NONE, np.nan

    def holds(self, around: float | None = None) -> NDArray[np.bool_]:
        """Which memories hold, [memory].   around: at that moment, s since 1970; now, where None.

        >>> versions = Versions()
        >>> versions.add(3)
        >>> versions.supersede(0, 2, until=100.0)
        >>> versions.holds().tolist(), versions.holds(around=50.0).tolist()
        ([False, True, True], [True, True, False])
        """
        if around is None:
            return np.isnan(self.until)
        since, known = np.full(len(self.until), -np.inf), self.superseded_by != NONE
        np.maximum.at(since, self.superseded_by[known], self.until[known])
        return ~(self.until <= around) & (since <= around)


def build(net: Network, wiring: CircuitWiring, memory: NDArray[np.int64], memories: int, hold: float) -> None:
    """Add `olm`, a cell for each memory, where some memories are silenced.   memory: of each index cell.   hold: its inhibition."""
    if wiring.silences:
        net.add(Population("olm", memories, ec.PERFECT, CycleReset(GAMMA * DT)))
        shape = (memories, len(memory))
        net.connect("olm", "ca1_dendrite", Sparse.from_coo(memory, np.arange(len(memory)), -hold, shape))


def stimulus(drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
    """Clamped spikes of `olm`: those of silenced memories fire at the start of each gamma cycle, [time, 1, memory]."""
    silenced = drive.cue_words.silenced
    if silenced is None:
        return {}
    spikes = np.zeros((len(drive.protocol) * GAMMA, 1, len(silenced)), bool)
    spikes[::GAMMA, 0] = silenced
    return {"olm": spikes}

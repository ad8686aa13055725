"""CA3: engrams in recurrent synapses of one bit, completed by fast ones and chained by slow ones.

    write      W |= core(post) x core(pre)                      (clipped Hebb: Willshaw 1969)
    one cycle  V_i = sum over arrived spikes j of (W_ij - g)     fires where V_i > 1, at most k cells, the most excited first

An engram's core is the first of its cells to fire (50 of 128 in hippocampus-base): STDP's window reaches no further. The cells lie in two
halves, called hemispheres. Fast synapses join cells of the same one and bind an engram to itself (auto-association); slow synapses join
cells of different ones and bind an engram to the next (hetero-association, one hop a theta cycle). Between two cells there is one synapse,
so that both kinds together take N^2 bits. The names are those of associational and commissural fibres; that their function is divided in
this way is an assumption of the model, made for its memory.

`g` is the feed-forward inhibition that comes with each spike: a cell fires when more than that share of its active inputs is potentiated.
While a cue is held the slow synapses are shut, or a memory would give way to its successor in the next theta cycle. Spikes after the
core's are not carried on by the recurrent collaterals (presynaptic inhibition).
"""

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.rhythm import CA3_RELEASE, DT, FAST, GAMMA, GRID, SLOW, Mode, RecallSchedule, release
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels import circuit
from spikemem.kernels.circuit import Recurrent
from spikemem.network.graph import KWinners, Network, Population
from spikemem.network.synapses import WORD, OneBit, one_to_one
from spikemem.simulators.recording import Recording

HOLD = 2.0**9
"""Inhibition under which cells fire to a detonator, and to nothing else."""
DETONATOR = 2.0**10
"""A mossy fibre synapse fires its cell alone (Henze 2002)."""
LEVEL = 1.0
"""Net potentiated inputs that a cell needs to fire without a detonator."""


class CA3:
    """CA3: pyramidal cells and their recurrent synapses.

    fast, slow: one bit a synapse, uint64, [cell, cells / 128]: a row for each presynaptic cell, over one hemisphere.
    """

    name = "ca3"

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.inhibition = round(spec.ca3.inhibition / GRID) * GRID
        words = spec.dg.cells // 2 // WORD
        self.fast = np.zeros((spec.dg.cells, words), np.uint64)
        self.slow = np.zeros((spec.dg.cells, words), np.uint64)

    @property
    def nbytes(self) -> int:
        """Memory that the recurrent weights take, bytes."""
        return self.fast.nbytes + self.slow.nbytes

    @property
    def recurrent(self) -> Recurrent:
        """The fast synapses and what decides which cells fire, as the kernels read them."""
        return Recurrent(self.fast, self.spec.ca3.core, self.inhibition, LEVEL, self.spec.dg.winners)

    def density(self) -> tuple[float, float]:
        """Share of potentiated synapses, fast and slow."""
        fast, slow = (float(np.bitwise_count(bits).sum()) / (bits.shape[0] * bits.shape[1] * WORD) for bits in (self.fast, self.slow))
        return fast, slow

    def events(self, codes: NDArray[np.uint16]) -> NDArray[np.int64]:
        """Potentiated fast synapses that the core of each code has, [n]: what its spikes carry in a gamma cycle."""
        return circuit.bits_of(self.fast, self.core(codes))

    def core(self, codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """The cells that recurrent synapses bind: the first of each code, [n, core]."""
        return np.ascontiguousarray(codes[:, : self.spec.ca3.core])

    def bind(self, codes: NDArray[np.uint16]) -> None:
        """Bind engrams to themselves by fast synapses (auto-association).   codes: uint16, [n, k]."""
        circuit.bind_all(self.fast, self.core(codes), self.core(codes), True)

    def chain(self, pre: NDArray[np.uint16], post: NDArray[np.uint16]) -> None:
        """Bind engrams to their successors by slow synapses (hetero-association).   pre, post: uint16, [n, k]."""
        circuit.bind_all(self.slow, self.core(pre), self.core(post), False)

    def complete(
        self, codes: NDArray[np.uint16], when: NDArray[np.uint8], settle: int
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64], NDArray[np.bool_]]:
        """The cells that fire after `settle` gamma cycles under a held cue, [n, k], how many, [n], and whether they have settled, [n]."""
        return circuit.complete(self.recurrent, codes, when, settle)

    def cycle(
        self,
        fast_from: NDArray[np.integer],
        slow_from: NDArray[np.integer],
        code: NDArray[np.integer],
        when: NDArray[np.integer],
        released: bool = True,
    ) -> NDArray[np.int64]:
        """The cells that fire in one gamma cycle, in firing order (see `circuit.ca3_cycle`).

        released: whether recurrent input alone may fire a cell; in a replay only detonators do.
        """
        core, recurrent = self.spec.ca3.core, self.recurrent
        fast, slow, cells, at = (np.asarray(a).astype(np.int64) for a in (fast_from[:core], slow_from[:core], code, when))
        return circuit.ca3_cycle(recurrent if released else recurrent._replace(level=HOLD), fast, self.slow, slow, cells, at)

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ca3`, its detonators and its recurrent synapses, the slow ones where they are not shut."""
        cells, core, g = self.spec.dg.cells, self.spec.ca3.core, self.inhibition
        net.add(Population("ca3", cells, ec.PERFECT, KWinners(GAMMA * DT, k=self.spec.dg.winners)))
        net.connect("dg", "ca3", one_to_one(DETONATOR))
        side = (np.arange(cells) >= cells // 2).astype(np.int64) * (cells // 2)
        net.connect("ca3", "ca3", OneBit(self.fast, side, cells, 1 - g, -g), delay=FAST, first=core)
        if wiring.slow:
            net.connect("ca3", "ca3", OneBit(self.slow, cells // 2 - side, cells, 1 - g, -g), delay=SLOW, first=core)

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External current of `ca3`, [time]."""
        open_, shut = release(HOLD, (CA3_RELEASE,), (LEVEL,)), release(HOLD, (), ())
        return {"ca3": np.concatenate([open_ if g.mode in (Mode.CUE, Mode.HOP) else shut for g in drive.protocol])}

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The completed code of each cue: the cells that fire in the cycle in which CA1 answers, in firing order."""
        start = schedule.order * GAMMA
        return [recording["ca3"].between(start, start + GAMMA, i).cell for i in range(recording.batches)]

"""CA3 as the memory: engrams of randomly chosen cells in one-bit synapses, recalled one after the other under rising inhibition.

    engram     at storing, mossy fibres fire `core` cells of CA3, drawn without replacement until all have been used: new memories get new
               cells, however alike their texts (Treves & Rolls 1994); which ones follows a memory's number and the seed, and, in a model
               with `engram.excitable`, which cells are so when it is encoded (`regions.excitability`)
    learning   D |= DG code x engram      W |= engram x engram      S |= engram x successor's engram       (clipped Hebb: Willshaw 1969)
    attempt    V = D's input + gain x W's input;   in each gamma cycle of a theta cycle the most driven cells fire, as many as `rising` says
    next       cells that fired at the end are shut out for the rest of the recall (afterhyperpolarisation), so that the next attempt finds
               another memory
    balance    V -= balance x k_DG x share of a cell's synapses D that are potentiated, in a model with `engram.balance`

D are the synapses of DG's spikes onto CA3 (in the animal the perforant path, which mossy fibres teach; here DG's code stands for it), W the
recurrent collaterals, and S those of slow currents, by which the end of a theta cycle drives the whole of the next. W is shut between
attempts, S within them (theta phase: Hasselmo 2002). What lasts is held by cells that fire once a gamma cycle: of `ca3_ahp` until a recall
ends, and of `ca3_slow` for a theta cycle. Cells in no engram that may answer are silenced by `ca3_olm`, where some memories may not.

Where cells are in unlike numbers of engrams, as excitability has it, those in many are driven more by any cue. Balance takes this away:
`ca3_feedforward` fires with each volley of DG, and inhibits each cell as strongly as a volley excites it on average. These are the weights
at which inhibitory plasticity comes to rest (Vogels et al. 2011); here they follow from D, and are not learned in spikes.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.damage import winners
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.excitability import allocated
from spikemem.hippocampus.regions.index_cells import IndexCells
from spikemem.hippocampus.regions.rhythm import DT, FAST, GAMMA, THETA, Gamma, Mode, RecallSchedule, release
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels import engrams, onebit
from spikemem.kernels.engrams import GRAIN, AutoAssociation, Owners
from spikemem.network.graph import CycleReset, KWinners, Network, Population
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import WORD, Dense, OneBit, one_to_one, pack
from spikemem.simulators.recording import Recording

RELEASE = 20
"""The step of a gamma cycle at which CA3 is released: DG's last spikes have come."""
HOLD = 2.0**20
"""Inhibition beyond any drive."""
LATE = 6.0
"""ms; what CA3's last spikes of a theta cycle start begins in the first steps of the next."""
WITHIN = 8.0
"""ms before a spike of CA3 within which DG's spikes are bound to it: its winners fire in the last 7."""


def in_last_cycle(inside: float, outside: float) -> tuple[float, ...]:
    """A factor for each step of a theta cycle: one in its last gamma cycle, another before."""
    return (outside,) * (THETA - GAMMA) + (inside,) * GAMMA


def silencing(closed: NDArray[np.bool_], cycles: int) -> dict[str, NDArray[np.generic]]:
    """Clamped spikes of `ca3_olm`, [time, 1, cell]: those of closed cells, [cell], at the start of each gamma cycle."""
    spikes = np.zeros((cycles * GAMMA, 1, len(closed)), bool)
    spikes[::GAMMA, 0] = closed
    return {"ca3_olm": spikes}


class Delays(NamedTuple):
    """How long spikes are on their way to CA3 and from it, ms.

    hetero: from DG.   auto: by the recurrent synapses, to the next gamma cycle.   rest, lasting: to `ca3_ahp` and `ca3_slow`, from the end
    of a theta cycle to the beginning of the next.
    """

    hetero: float
    auto: float
    rest: float
    lasting: float


def drawn(numbers: NDArray[np.int64], cells: int, core: int, seed: int) -> NDArray[np.uint16]:
    """The cells of the engrams of some numbers, [n, core], in the order of their index: slices of random orders of all cells.

    Number m has slice m mod r of order m // r, where r engrams use an order up; so an engram follows its number and the seed alone.
    cells, core: of CA3, and of an engram.

    >>> engrams = drawn(np.array([3, 4, 10**12]), cells=64, core=10, seed=0)
    >>> engrams.shape, bool((drawn(np.array([10**12]), 64, 10, 0) == engrams[2]).all())
    ((3, 10), True)
    """
    order, place = np.divmod(numbers, cells // core)
    made = np.zeros((len(numbers), core), np.uint16)
    for o in np.unique(order):
        here = np.flatnonzero(order == o)
        made[here] = _order(seed, int(o), cells)[place[here, None] * core + np.arange(core)]
    return np.sort(made, axis=1)


@lru_cache(maxsize=8)
def _order(seed: int, number: int, cells: int) -> NDArray[np.uint16]:
    return np.random.default_rng([seed, 3, number]).permutation(cells).astype(np.uint16)


class Allocation:
    """The engrams of what is stored.   seed: of the engrams.

    keys: what is stored; an engram follows its memory's number (`IndexCells.numbers`), and, where excitability plays a part, the moment
    at which it was encoded (`IndexCells.encoded`), which forgetting and reopening leave as they are.
    """

    def __init__(self, spec: ModelSpec, seed: int, keys: IndexCells) -> None:
        assert spec.engram is not None
        self.size, self.core, self.seed, self.keys = spec.dg.cells, spec.ca3.core, seed, keys
        self.excitable, self.lasting = spec.engram.excitable, spec.engram.lasting
        self._made, self._owners = np.zeros((0, self.core), np.uint16), Owners.of(np.zeros((0, self.core), np.uint16), self.size)

    def engrams(self, memories: NDArray[np.int64]) -> NDArray[np.uint16]:
        """The cells of memories, [n, core], in the order of their index."""
        return self._all()[memories]

    def owners(self) -> Owners:
        """The memories that each cell is of."""
        if (found := self._owners).memories < len(made := self._all()):
            found = self._owners = Owners.of(made, self.size)
        return found

    def _all(self) -> NDArray[np.uint16]:
        """The cells of all memories, [memory, core]; numbers and moments never change, so that only new ones are drawn."""
        made, numbers = self._made, self.keys.numbers
        if len(made) < len(numbers):
            made = self._made = np.concatenate([made, self._new(numbers[len(made) :], self.keys.encoded[len(made) :])])
        return made

    def _new(self, numbers: NDArray[np.int64], encoded: NDArray[np.float64]) -> NDArray[np.uint16]:
        """The cells of some memories, [n, core]: where no moment is known, or excitability plays no part, by chance alone."""
        made, dated = drawn(numbers, self.size, self.core, self.seed), ~np.isnan(encoded) & (self.excitable < 1)
        made[dated] = allocated(numbers[dated], encoded[dated], self.size, self.core, self.excitable, self.lasting, self.seed)
        return made


class EngramCA3:
    """CA3's pyramidal cells with their synapses from DG, from one another, and to the engrams that follow.

    hetero, auto, slow: D, W and S, one bit a synapse, uint64, [presynaptic cell, cells / 64].
    """

    name = "ca3"
    delays = Delays(DT, FAST, LATE, LATE)
    hold = HOLD
    """Inhibition of the cells that rest, and of those that may not fire."""

    def __init__(self, spec: ModelSpec, seed: int, keys: IndexCells) -> None:
        assert spec.engram is not None
        self.spec, self.engram = spec, spec.engram
        self.allocation = Allocation(spec, seed, keys)
        self.clear()

    def clear(self) -> None:
        """Forget everything: all bits are 0."""
        cells = self.spec.dg.cells
        self._inhibition: NDArray[np.int32] | None = None  # derived when first needed
        self.hetero, self.auto, self.slow = (np.zeros((cells, cells // WORD), np.uint64) for _ in range(3))

    @property
    def nbytes(self) -> int:
        """Memory that the synapses take, bytes."""
        return self.hetero.nbytes + self.auto.nbytes + self.slow.nbytes

    def density(self) -> tuple[float, float, float]:
        """Share of potentiated synapses: from DG, recurrent, slow."""
        d, w, s = (float(np.bitwise_count(bits).sum()) / (bits.size * WORD) for bits in (self.hetero, self.auto, self.slow))
        return d, w, s

    @property
    def meaning(self) -> int:
        """The drive of a synapse from DG, in 1/GRAIN."""
        return round(GRAIN * self.engram.meaning)

    @property
    def level(self) -> int:
        """The drive that a cell must exceed to fire in a hop: that of the slow synapses of half an engram."""
        return self.spec.ca3.core // 2

    # -- learning ------------------------------------------------------------------------------------------------------------------

    def bind(self, memories: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Bind the engrams of memories to themselves.   only: the cells onto which or from which synapses may grow, [cell]."""
        cells = self.allocation.engrams(memories)
        onebit.bind(self.auto, cells, cells, only, only)
        own = np.unique(cells).astype(np.int64)
        self.auto[own, own // WORD] &= ~(np.uint64(1) << (own % WORD).astype(np.uint64))  # no cell reaches itself

    def hear(self, codes: NDArray[np.uint16], memories: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Bind DG's codes, [n, k], to the engrams of memories, [n].   only: the cells onto which alone synapses may grow, [cell]."""
        onebit.bind(self.hetero, codes, self.allocation.engrams(memories), onto=only)
        self._inhibition = None

    def depress(self, cells: NDArray[np.uint16]) -> None:
        """Clear all bits onto some cells, and of the recurrent synapses those from them."""
        self._inhibition = None
        for bits in (self.hetero, self.auto, self.slow):
            onebit.clear(bits, cells)
        self.auto[cells], self.slow[cells] = 0, 0

    def part(self) -> None:
        """Clear all synapses to successors."""
        self.slow[:] = 0

    def chain(self, pre: NDArray[np.int64], post: NDArray[np.int64]) -> None:
        """Bind the engrams of memories to those of their successors."""
        onebit.bind(self.slow, self.allocation.engrams(pre), self.allocation.engrams(post))

    # -- without simulation --------------------------------------------------------------------------------------------------------

    @property
    def inhibition(self) -> NDArray[np.int32]:
        """What feedforward inhibition takes from the drive of each cell under a volley of DG, in 1/GRAIN, [cell]."""
        if (there := self._inhibition) is None:
            inputs, dg = np.zeros(self.spec.dg.cells, np.int32), self.spec.dg
            if self.engram.balance:
                onebit.add(self.hetero, np.arange(dg.cells), 1, inputs)
            there = np.round(self.engram.balance * self.meaning * dg.winners / dg.cells * inputs).astype(np.int32)
            self._inhibition = there
        return there

    def completion(self, lost: NDArray[np.bool_] | None = None, cut: bool = False) -> AutoAssociation:
        """What the kernels complete an engram with.   lost: cells that are, [cell].   cut: whether the recurrent synapses are."""
        gone = np.zeros(self.spec.dg.cells, bool) if lost is None else lost
        rising = np.array([winners(k, gone) for k in self.engram.rising])
        return AutoAssociation(self.auto[:, :0] if cut else self.auto, GRAIN * self.engram.gain, rising, ~gone)

    def take(self, weights: Mapping[str, NDArray[np.float64]]) -> None:
        """Take over what plastic synapses have become, [presynaptic cell, cell]; no cell keeps a synapse onto itself."""
        auto = weights["ca3->ca3"] > 0
        self.hetero, self.auto = pack(weights["dg->ca3"] > 0), pack(auto & ~np.eye(len(auto), dtype=bool))
        self._inhibition = None

    # -- as populations ------------------------------------------------------------------------------------------------------------

    def population(self) -> Population:
        """`ca3` in a recall or a chain."""
        return Population("ca3", self.spec.dg.cells, ec.PERFECT, KWinners(GAMMA * DT, k=self.engram.rising))

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ca3` with its synapses from `dg` and from itself; in a recall `ca3_ahp`, in a chain `ca3_slow` with the slow synapses."""
        cells, start, delays = self.spec.dg.cells, np.zeros(self.spec.dg.cells, np.int64), self.delays
        net.add(self.population())
        net.connect("dg", "ca3", OneBit(self.hetero, start, cells, on=self.meaning / GRAIN), delay=delays.hetero)
        if wiring.silences:
            net.add(Population("ca3_olm", cells, ec.PERFECT, CycleReset(GAMMA * DT)))
            net.connect("ca3_olm", "ca3", one_to_one(-self.hold))
        if self.engram.balance:
            net.add(Population("ca3_feedforward", 1, ec.PERFECT, CycleReset(GAMMA * DT)))
            net.connect("ca3_feedforward", "ca3", Dense(-self.inhibition[None] / GRAIN))
        between = in_last_cycle(1.0, 0.0)
        net.connect("ca3", "ca3", OneBit(self.auto, start, cells, on=self.engram.gain), delay=delays.auto, efficacy=in_last_cycle(0.0, 1.0))
        if wiring.slow:
            net.add(Population("ca3_slow", cells, ec.PERFECT, CycleReset(GAMMA * DT)))
            net.connect("ca3", "ca3_slow", one_to_one(2.0), delay=delays.lasting, efficacy=between)
            net.connect("ca3_slow", "ca3_slow", one_to_one(2.0), delay=GAMMA * DT, efficacy=in_last_cycle(0.0, 1.0))
            net.connect("ca3_slow", "ca3", OneBit(self.slow, start, cells))
            return
        net.add(Population("ca3_ahp", cells, ec.PERFECT, CycleReset(GAMMA * DT)))
        net.connect("ca3", "ca3_ahp", one_to_one(2.0), delay=delays.rest, efficacy=between)
        net.connect("ca3_ahp", "ca3_ahp", one_to_one(2.0), delay=GAMMA * DT)
        net.connect("ca3_ahp", "ca3", one_to_one(-self.hold))

    def build_learning(self, net: Network) -> None:
        """Add `ca3` with its synapses from `dg` and from itself, whose bits are set where both cells fire at once."""
        cells, start, gain = self.spec.dg.cells, np.zeros(self.spec.dg.cells, np.int64), float(self.engram.gain)
        net.add(Population("ca3", cells, ec.PERFECT, KWinners(GAMMA * DT, k=self.engram.rising)))
        net.connect("dg", "ca3", OneBit(self.hetero, start, cells), plasticity=Coincidence(window=WITHIN))
        rule = Coincidence(amount=gain, w_max=gain, dendritic=DT)
        net.connect("ca3", "ca3", OneBit(self.auto, start, cells, on=gain), delay=2 * DT, plasticity=rule)

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External current of `ca3`, [time], in a chain [time, n, cell]: its rhythmic inhibition, and its release, in which whatever is
        driven may fire; in a hop only what more than half of an engram drives, and noise decides between what is driven alike. With it,
        clamped spikes of `ca3_feedforward`, [time, 1, 1], at the start of each gamma cycle in which DG fires."""
        shut, open_, hop = release(HOLD, (), ()), release(HOLD, (RELEASE,), (0.0,)), release(HOLD, (RELEASE,), (float(self.level),))
        of_mode = {Mode.QUIET: shut, Mode.HOP: hop}
        rhythm, cells = np.concatenate([of_mode.get(g.mode, open_) for g in drive.protocol]), self.spec.dg.cells
        made = self._feedforward(drive.protocol)
        if not drive.hops:
            return {**made, "ca3": rhythm}
        current: NDArray[np.float64] = np.broadcast_to(rhythm[:, None, None], (len(rhythm), len(drive.names), cells)).copy()
        for g, gamma in enumerate(drive.protocol):
            if gamma.mode is Mode.HOP:
                current[g * GAMMA + 1] += self.noise(drive, g)
        return {**made, "ca3": current}

    def _feedforward(self, protocol: list[Gamma]) -> dict[str, NDArray[np.generic]]:
        if not self.engram.balance:
            return {}
        spikes = np.zeros((len(protocol) * GAMMA, 1, 1), bool)
        spikes[::GAMMA, 0, 0] = [gamma.mode is Mode.CUE for gamma in protocol]
        return {"ca3_feedforward": spikes}

    def noise(self, drive: CircuitDrive, gamma: int) -> NDArray[np.float64]:
        """What decides between successors that are driven alike, in a gamma cycle of a chain, [n, cell]; the same throughout a hop."""
        hop, cells = gamma * GAMMA // THETA - 1, self.spec.dg.cells
        return np.array([engrams.flicker(drive.seed, int(name), hop, self.level, cells) for name in drive.names]) / GRAIN

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The cells that fire at the end of the first attempt to each cue."""
        start = THETA - GAMMA
        return [recording["ca3"].between(start, THETA, i).cell for i in range(recording.batches)]

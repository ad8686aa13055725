"""Words, context and moment onto CA3: cells of entorhinal cortex whose one-bit synapses learn with an engram, as DG's do.

    learning   B |= words of the text x engram     C |= words of the turns around it x engram     T |= cells of its moment x engram
    V_c       += g_words sum over words w of x_w o_w (B_wc + g_context C_wc) + g_time sum over cells t of the moment of T_tc

x_w is how often the cue has word w, and o_w the efficacy of its cell: the log-odds of the word, at which homeostasis keeps a cell that
fires with many memories weak (`regions.bcpnn`). `ec_ctx` holds the words that linger from one turn to the next (Howard & Kahana 2002), in
either direction and over `context.reach` turns; it fires with a cue's words. `ec_time` has a fixed number of cells, on which the spans of
time that a moment lies in (`regions.ec_ctx`) are hashed.

    step of a gamma cycle in which the cue is held      0 ec_lex, ec_time      1 ec_ctx, ca3_apical (`regions.titles`)
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec, ec_ctx
from spikemem.hippocampus.regions.bcpnn import Lexicon
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.engrams import RELEASE, Allocation
from spikemem.hippocampus.regions.index_cells import IndexCells
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, RecallSchedule, window
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels import onebit
from spikemem.kernels.engrams import GRAIN
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import WORD, OneBit, one_to_one, pack
from spikemem.simulators.recording import Recording

TIME_CELLS = 2048
"""Cells of the moment."""
SCATTER = 0x9E3779B97F4A7C15
"""An odd number; the upper bits of multiples of it are spread evenly (Fibonacci hashing: Knuth 1973)."""


class Lists(NamedTuple):
    """Lists of presynaptic cells, CSR, and the memory that each is for.   ptr: [n + 1].   cell: [synapse].   memory: [n]."""

    ptr: NDArray[np.int64]
    cell: NDArray[np.int64]
    memory: NDArray[np.int64]


def time_cells(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cells of `ec_time` for the numbers of `ec_ctx.moment_cells`.

    >>> len(np.unique(time_cells(np.arange(1000)))) > 850
    True
    """
    return ((numbers.astype(np.uint64) * np.uint64(SCATTER)) >> np.uint64(64 - TIME_CELLS.bit_length() + 1)).astype(np.int64)


class Clamp(NamedTuple):
    """How a lesson clamps a population: by which of its fields, at which step, and how many cells there are."""

    field: str
    step: int
    cells: int


class BesideMeaning(ABC):
    """A region whose synapses join words and engrams.   allocation: of the engrams.   keys: what was stored, with its words.

    One more is a subclass with a line in `EngramCircuit`.
    """

    name: str

    def __init__(self, spec: ModelSpec, allocation: Allocation, keys: IndexCells) -> None:
        assert spec.engram is not None
        assert spec.lex is not None
        self.spec, self.engram, self.lex = spec, spec.engram, spec.lex
        self.allocation, self.keys = allocation, keys
        self.clear()

    @abstractmethod
    def clear(self) -> None:
        """Forget everything: all bits are 0."""

    @abstractmethod
    def hear(self, keys: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Bind the words of keys to the engrams of their memories.   only: the cells of CA3 whose synapses may grow, [cell]."""

    @abstractmethod
    def place(self, memories: NDArray[np.int64], alive: NDArray[np.bool_], only: NDArray[np.bool_] | None = None) -> None:
        """Bind memories to what they say, and to what surrounds them.   alive: [memory].   only: as in `hear`."""

    @abstractmethod
    def depress(self, cells: NDArray[np.uint16], moved: NDArray[np.uint16]) -> None:
        """Clear all bits of some cells of CA3, but what surrounds memories of those of others, `moved`."""

    @property
    @abstractmethod
    def taught(self) -> dict[str, Clamp]:
        """How lessons clamp its populations (`teaching`)."""

    @abstractmethod
    def take(self, weights: Mapping[str, NDArray[np.float64]]) -> None:
        """Take over what plastic synapses have become, [presynaptic cell, postsynaptic cell]."""

    def efficacy(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """g_words o_w of word cells, in 1/GRAIN of a synapse from DG."""
        return np.round(GRAIN * self.engram.words * self.keys.lexicon.odds_of(cells)).astype(np.int64)

    @abstractmethod
    def heard(self, cue_words: CueWords, drive: NDArray[np.int32]) -> NDArray[np.int64]:
        """Add what cues bring to CA3's cells, in 1/GRAIN, to a drive, [n, cells].

        Returns how many of these synapses carry a spike in a gamma cycle, [n], of those that are counted (`by_attempts.COUNTED`).
        """

    @abstractmethod
    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add its populations, and their synapses, for a recall or a chain."""

    @abstractmethod
    def build_learning(self, net: Network) -> None:
        """Add its populations, and their synapses, which learn."""

    @abstractmethod
    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """What drives its populations in a recall or a chain."""

    @abstractmethod
    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The cells that tell what it did, of each cue."""


class EngramWords(BesideMeaning):
    """Word, context and moment cells, and their synapses onto CA3.

    words, context, times: B, C and T, one bit a synapse, uint64, [presynaptic cell, cells / 64].
    """

    name = "words"

    def clear(self) -> None:
        row = self.spec.dg.cells // WORD
        self.words, self.context = (np.zeros((self.lex.cells, row), np.uint64) for _ in range(2))
        self.times = np.zeros((TIME_CELLS, row), np.uint64)

    # -- learning ------------------------------------------------------------------------------------------------------------------

    def hear(self, keys: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        self._bind(self.words, words_of(self.keys.lexicon, keys, self.keys.memory[keys]), only)

    def place(self, memories: NDArray[np.int64], alive: NDArray[np.bool_], only: NDArray[np.bool_] | None = None) -> None:
        """Bind memories, and those around them, to one another's words, and memories to the cells of their moments."""
        self._bind(self.context, self.around(memories, alive), only)
        self._bind(self.times, self.moments(memories), only)

    def around(self, memories: NDArray[np.int64], alive: NDArray[np.bool_]) -> Lists:
        """The words of the turns around memories, each for them, and those of memories for the turns around them."""
        beside = ec_ctx.neighbours(self.spec.context, self.keys.session, alive)
        some = np.zeros(len(alive), bool)
        some[memories] = True
        here, column = np.nonzero((beside >= 0) & (some[:, None] | np.append(some, False)[beside]))
        return words_of(self.keys.lexicon, np.unique(self.keys.content)[beside[here, column]], here)

    def moments(self, memories: NDArray[np.int64]) -> Lists:
        """The cells of the moments of memories."""
        memory, number = self.keys.moments.cells(among=memories)
        return Lists(np.arange(len(memory) + 1), time_cells(number), memory)

    def depress(self, cells: NDArray[np.uint16], moved: NDArray[np.uint16]) -> None:
        """Clear all bits of words and moments onto some cells, and those of context onto others."""
        for bits, some in ((self.words, cells), (self.times, cells), (self.context, moved)):
            onebit.clear(bits, some)

    def _bind(self, bits: NDArray[np.uint64], lists: Lists, only: NDArray[np.bool_] | None) -> None:
        onebit.bind_lists(bits, lists.ptr, lists.cell, self.allocation.engrams(lists.memory), onto=only)

    @property
    def taught(self) -> dict[str, Clamp]:
        lex = self.lex.cells
        return {"ec_lex": Clamp("words", 0, lex), "ec_ctx": Clamp("context", 1, lex), "ec_time": Clamp("times", 0, TIME_CELLS)}

    def take(self, weights: Mapping[str, NDArray[np.float64]]) -> None:
        self.words, self.context, self.times = (pack(weights[f"{name}->ca3"] > 0) for name in ("ec_lex", "ec_ctx", "ec_time"))

    # -- without simulation --------------------------------------------------------------------------------------------------------

    def lingering(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """g_context g_words o_w of context cells, in 1/GRAIN."""
        return np.round(self.engram.context * self.efficacy(cells)).astype(np.int64)

    @property
    def moment(self) -> int:
        """g_time in 1/GRAIN."""
        return round(GRAIN * self.engram.time)

    def heard(self, cue_words: CueWords, drive: NDArray[np.int32]) -> NDArray[np.int64]:
        ptr, cell, spikes = cue_words.flat()
        own = onebit.weighed(self.words, ptr, cell, spikes, self.efficacy(cell), drive)
        beside = onebit.weighed(self.context, ptr, cell, spikes, self.lingering(cell), drive)
        if cue_words.around is None:
            return own + beside
        cells = now(cue_words.around)
        each = np.arange(len(drive) + 1) * len(cells)
        every = np.tile(cells, len(drive))
        return own + beside + onebit.weighed(self.times, each, every, np.ones_like(every), np.full(len(every), self.moment), drive)

    # -- as populations ------------------------------------------------------------------------------------------------------------

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ec_lex`, `ec_ctx` and `ec_time`, and their synapses onto `ca3`."""
        cells, cycle = self.spec.dg.cells, CycleReset(GAMMA * DT)
        for name, size in (("ec_lex", self.lex.cells), ("ec_ctx", self.lex.cells), ("ec_time", TIME_CELLS)):
            net.add(Population(name, size, ec.PERFECT, cycle))
        net.connect("ec_lex", "ec_ctx", one_to_one(1.0))
        start, every = np.zeros(self.lex.cells, np.int64), np.arange(self.lex.cells)
        net.connect("ec_lex", "ca3", OneBit(self.words, start, cells, on=self.efficacy(every) / GRAIN))
        net.connect("ec_ctx", "ca3", OneBit(self.context, start, cells, on=self.lingering(every) / GRAIN))
        net.connect("ec_time", "ca3", OneBit(self.times, np.zeros(TIME_CELLS, np.int64), cells, on=self.moment / GRAIN))

    def build_learning(self, net: Network) -> None:
        """Add `ec_lex`, `ec_ctx` and `ec_time`, whose synapses onto `ca3` learn where both cells fire in one gamma cycle."""
        for name, bits in (("ec_lex", self.words), ("ec_ctx", self.context), ("ec_time", self.times)):
            net.add(Population(name, len(bits), ec.PERFECT))
            start = np.zeros(len(bits), np.int64)
            net.connect(name, "ca3", OneBit(bits, start, self.spec.dg.cells), plasticity=Coincidence(window=RELEASE + 2.0))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """Clamped spikes of `ec_lex`, [time, n, cell], and `ec_time`, [time, 1, cell]; the current of `ec_ctx`, [time]."""
        times = np.zeros((len(drive.protocol) * GAMMA, 1, TIME_CELLS), bool)
        if drive.cue_words.around is not None:
            times[drive.starts] = np.isin(np.arange(TIME_CELLS), now(drive.cue_words.around))
        return {"ec_lex": drive.spikes_of_words(self.lex.cells), "ec_time": times, "ec_ctx": window(drive.protocol)}

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The word cells that fire in the first gamma cycle of each cue."""
        return [np.unique(recording["ec_lex"].between(0, GAMMA, i).cell) for i in range(recording.batches)]


def words_of(lexicon: Lexicon, keys: NDArray[np.int64], memory: NDArray[np.int64], whole: bool = False) -> Lists:
    """The word cells of keys, [n], each list for a memory, [n].   whole: those of whole words alone."""
    owner, place = lexicon.places(keys)
    if whole:
        owner, place = owner[lexicon.whole[place]], place[lexicon.whole[place]]
    ptr = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(keys)))]).astype(np.int64)
    return Lists(ptr, lexicon.cell[place], memory)


def now(around: float) -> NDArray[np.int64]:
    """The cells of `ec_time` of a moment, s since 1970, each once."""
    return np.unique(time_cells(ec_ctx.moment_cells(np.array([around]))[0]))

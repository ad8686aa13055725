"""Denials onto CA3: words of a cue inhibit engrams of memories that deny what it affirms, or affirm what it denies.

    learning   N_p |= words of the text x engram      of a memory whose own text says the opposite of polarity p (`regions.polarity`)
    V_c       -= g_denial g_words sum over words w of x_w o_w N_pwc            p: the polarity of the cue; nothing where it has none

x_w is how often the cue has word w, o_w the efficacy of its cell (`regions.engram_words`), and g_denial, `ca1.denial`, the share of what
words bring that they take away again. `ec_denial` has two cells for each word, one for each polarity: the word excites both, and the
cue's own polarity, in `ec_polarity`, silences that of the other; a cue that has neither silences both.

    step of a gamma cycle in which the cue is held      0 ec_lex, ec_polarity      1 ec_denial
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec, polarity
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.engram_words import BesideMeaning, Clamp, Lists, words_of
from spikemem.hippocampus.regions.engrams import RELEASE
from spikemem.hippocampus.regions.polarity import NEITHER
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, SHUT, RecallSchedule, window
from spikemem.kernels import onebit
from spikemem.kernels.engrams import GRAIN
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import WORD, OneBit, Sparse, pack
from spikemem.simulators.recording import Recording


class EngramDenial(BesideMeaning):
    """Words under a polarity, and their inhibition of CA3.   bits: N, one bit a synapse, uint64, [polarity cells + word, cells / 64]."""

    name = "denial"

    def clear(self) -> None:
        self.bits = np.zeros((2 * self.lex.cells, self.spec.dg.cells // WORD), np.uint64)

    # -- learning ------------------------------------------------------------------------------------------------------------------

    def hear(self, keys: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        own = self.opposing(keys)
        onebit.bind_lists(self.bits, own.ptr, own.cell, self.allocation.engrams(own.memory), onto=only)

    def place(self, memories: NDArray[np.int64], alive: NDArray[np.bool_], only: NDArray[np.bool_] | None = None) -> None:
        """Nothing: what surrounds a memory neither affirms nor denies it."""

    def opposing(self, keys: NDArray[np.int64]) -> Lists:
        """The cells of `ec_denial` that are to inhibit the memories of keys: none for a further cue, or a text that has no polarity."""
        own = keys[self.keys.content[keys] == keys]
        text = words_of(self.keys.lexicon, own, self.keys.memory[own])
        says = polarity.of_texts(text.ptr, text.cell, self.lex.cells)
        ptr, cell, _ = self._under(np.where(says == NEITHER, NEITHER, 1 - says), text.ptr, text.cell)
        return Lists(ptr, cell, text.memory)

    def _under(
        self, says: NDArray[np.int64], ptr: NDArray[np.int64], cell: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """The cells of words of some texts under a polarity of each, [text], CSR, and which words these are; none under NEITHER."""
        size, there = np.diff(ptr), says != NEITHER
        which = np.repeat(there, size)
        return np.concatenate([[0], np.cumsum(size * there)]), (np.repeat(says, size) * self.lex.cells + cell)[which], which

    def depress(self, cells: NDArray[np.uint16], moved: NDArray[np.uint16]) -> None:
        onebit.clear(self.bits, cells)

    @property
    def taught(self) -> dict[str, Clamp]:
        return {"ec_denial": Clamp("denial", 1, len(self.bits))}

    def take(self, weights: Mapping[str, NDArray[np.float64]]) -> None:
        self.bits = pack(weights["ec_denial->ca3"] > 0)

    # -- without simulation --------------------------------------------------------------------------------------------------------

    def taken(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """g_denial g_words o_w of word cells, in 1/GRAIN of a synapse from DG."""
        return np.round(self.spec.ca1.denial * self.efficacy(cells)).astype(np.int64)

    def heard(self, cue_words: CueWords, drive: NDArray[np.int32]) -> NDArray[np.int64]:
        ptr, cell, spikes = cue_words.flat()
        under, cells, which = self._under(polarity.of_cues(cue_words, self.lex.cells), ptr, cell)
        return onebit.weighed(self.bits, under, cells, spikes[which], -self.taken(cell[which]), drive)

    # -- as populations ------------------------------------------------------------------------------------------------------------

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ec_polarity` and `ec_denial`, and their synapses from `ec_lex` and onto `ca3`."""
        size, cycle = len(self.bits), CycleReset(GAMMA * DT)
        said, word = np.divmod(np.arange(size), self.lex.cells)
        net.add(Population("ec_polarity", 2, ec.PERFECT, cycle))
        net.add(Population("ec_denial", size, ec.PERFECT, cycle))
        net.connect("ec_lex", "ec_denial", Sparse.from_coo(word, np.arange(size), 1.0, (self.lex.cells, size)))
        net.connect("ec_polarity", "ec_denial", Sparse.from_coo(1 - said, np.arange(size), -SHUT, (2, size)))
        inhibition = OneBit(self.bits, np.zeros(size, np.int64), self.spec.dg.cells, on=-self.taken(word) / GRAIN)
        net.connect("ec_denial", "ca3", inhibition)

    def build_learning(self, net: Network) -> None:
        """Add `ec_denial`, whose synapses onto `ca3` learn where both cells fire in one gamma cycle."""
        net.add(Population("ec_denial", len(self.bits), ec.PERFECT))
        synapses = OneBit(self.bits, np.zeros(len(self.bits), np.int64), self.spec.dg.cells)
        net.connect("ec_denial", "ca3", synapses, plasticity=Coincidence(window=RELEASE + 2.0))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """Clamped spikes of `ec_polarity`, [time, n, cell]; the current of `ec_denial`, [time]."""
        spikes = np.zeros((len(drive.protocol) * GAMMA, len(drive.cue_words.words), 2), bool)
        spikes[drive.starts] = polarity.cells(polarity.of_cues(drive.cue_words, self.lex.cells))
        return {"ec_polarity": spikes, "ec_denial": window(drive.protocol)}

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The cells of `ec_denial` that fire in the first gamma cycle of each cue."""
        return [np.unique(recording["ec_denial"].between(0, GAMMA, i).cell) for i in range(recording.batches)]

"""Titles: dendrites of CA3's cells that fire when most words of one of a memory's further cues are active together, and priming by them.

    u_wa   = o_w / sum of o over the words of title a                                      from word cell w to the dendrites of its engram
    apical   fires where the cue's words bring more than `ca1.coincidence`                  g_key onto its cell while the cue is held
    plateau  fires where the words of what was recalled do, and from then on                g_spreading onto its cell in the next attempts
    recalled R |= engram x whole words of its text: deep word cells fire that more than half of an engram's cells excite

So a memory that was recalled brings to mind what its text names (spreading activation: Collins & Loftus 1975). A cell of many engrams has
one dendrite of a kind, on which the largest share of a word counts.

    step of the gamma cycle after an attempt      1 ec_lex_deep      2 ca3_plateau, and so in each later cycle
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.codes import HALF
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.contract import CircuitDrive, CircuitWiring
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.engram_words import BesideMeaning, Clamp, words_of
from spikemem.hippocampus.regions.engrams import LATE, RELEASE, in_last_cycle
from spikemem.hippocampus.regions.rhythm import DT, GAMMA, GRID, RecallSchedule, window
from spikemem.kernels import onebit, priming
from spikemem.kernels.engrams import GRAIN
from spikemem.kernels.priming import Priming, nothing
from spikemem.network.graph import CycleReset, Network, Population
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.network.synapses import WORD, OneBit, Sparse, one_to_one, pack
from spikemem.simulators.recording import Recording

SHUT_FROM = {"ec_lex_deep": 2, "ca3_apical": 2, "ca3_plateau": 3}
"""The step of a gamma cycle from which these cells are inhibited, one after that in which they may fire."""


class Titles(BesideMeaning):
    """Dendrites that know titles, and what engrams say of their words.   said: R, one bit a synapse, uint64, [cell, word cells / 64]."""

    name = "titles"

    def clear(self) -> None:
        self.said = np.zeros((self.spec.dg.cells, self.lex.cells // WORD), np.uint64)
        self._primes = -1, nothing()
        """At which of the keys' `changes` dendrites were derived, and what they were."""

    # -- learning ------------------------------------------------------------------------------------------------------------------

    def hear(self, keys: NDArray[np.int64], only: NDArray[np.bool_] | None = None) -> None:
        """Nothing: dendrites are derived from what was stored, when they are needed (`priming`)."""

    def place(self, memories: NDArray[np.int64], alive: NDArray[np.bool_], only: NDArray[np.bool_] | None = None) -> None:
        """Bind the engrams of memories to the whole words of their texts."""
        own = words_of(self.keys.lexicon, np.unique(self.keys.content)[memories], memories, whole=True)
        memory = np.repeat(own.memory, np.diff(own.ptr))
        onebit.bind(self.said, self.allocation.engrams(memory), own.cell.astype(np.uint16)[:, None], only)

    def depress(self, cells: NDArray[np.uint16], moved: NDArray[np.uint16]) -> None:
        self.said[cells] = 0

    def take(self, weights: Mapping[str, NDArray[np.float64]]) -> None:
        self.said = pack(weights["ca3->ec_lex_deep"] > 0)

    @property
    def taught(self) -> dict[str, Clamp]:
        return {"ec_lex_deep": Clamp("said", RELEASE + 2, self.lex.cells)}

    @property
    def level(self) -> int:
        """What the input of a deep word cell must exceed: half of an engram."""
        return self.spec.ca3.core // 2

    # -- without simulation --------------------------------------------------------------------------------------------------------

    def priming(self) -> Priming:
        """The dendrites of what is alive, for the kernels; derived anew where words have changed."""
        changes, made = self._primes
        if changes == self.keys.changes:
            return made._replace(said=self.said)
        changes = self.keys.changes
        onto, memory = self.keys.lexicon.titles(self.keys.memory, self.keys.audible(self.keys.silent), self.keys.lexicon.odds())
        share = np.round(onto.weight / self.spec.ca1.coincidence / GRID).astype(np.int64)
        gain = round(GRAIN * self.engram.spreading)
        made = Priming(self.said, self.level, onto.ptr, onto.target, share, self.allocation.engrams(memory), round(1 / GRID), gain)
        self._primes = changes, made
        return made

    def heard(self, cue_words: CueWords, drive: NDArray[np.int32]) -> NDArray[np.int64]:
        """As in `BesideMeaning`: the drive of the titles that cues name; nothing of it is counted."""
        ptr, cell, _ = cue_words.flat()
        drive += round(GRAIN * self.engram.key) * priming.dendrites(ptr, cell, self.priming(), drive.shape[1])
        return np.zeros(len(drive), np.int64)

    # -- as populations ------------------------------------------------------------------------------------------------------------

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add `ca3_apical`; in a recall also `ec_lex_deep` and `ca3_plateau`."""
        cells, cycle, dendrites = self.spec.dg.cells, CycleReset(GAMMA * DT), self._synapses()
        net.add(Population("ca3_apical", cells, ec.PERFECT, cycle))
        net.connect("ec_lex", "ca3_apical", dendrites)
        net.connect("ca3_apical", "ca3", one_to_one(self.engram.key))
        if wiring.slow:
            return
        net.add(Population("ec_lex_deep", self.lex.cells, ec.PERFECT, cycle))
        net.add(Population("ca3_plateau", cells, ec.PERFECT, cycle))
        said = OneBit(self.said, np.zeros(cells, np.int64), self.lex.cells)
        net.connect("ca3", "ec_lex_deep", said, delay=LATE, efficacy=in_last_cycle(1.0, 0.0))
        net.connect("ec_lex_deep", "ca3_plateau", dendrites)
        net.connect("ca3_plateau", "ca3_plateau", one_to_one(2.0), delay=GAMMA * DT)
        net.connect("ca3_plateau", "ca3", one_to_one(self.engram.spreading))

    def build_learning(self, net: Network) -> None:
        """Add `ec_lex_deep`, the synapses onto which learn where it fires just after `ca3`."""
        net.add(Population("ec_lex_deep", self.lex.cells, ec.PERFECT))
        said = OneBit(self.said, np.zeros(len(self.said), np.int64), self.lex.cells)
        net.connect("ca3", "ec_lex_deep", said, plasticity=Coincidence(window=2 * DT))

    def _synapses(self) -> Sparse:
        """From word cells onto the dendrites of CA3's cells: of a cell's titles that have a word, the largest share."""
        found, cells = self.priming(), self.spec.dg.cells
        word = np.repeat(np.arange(self.lex.cells), np.diff(found.ptr))
        pair = (word[:, None] * cells + found.engrams[found.title]).ravel()
        share = np.repeat(found.share, found.engrams.shape[1])
        order = np.lexsort((-share, pair))
        first = order[np.flatnonzero(np.diff(pair[order], prepend=-1))]
        return Sparse.from_coo(pair[first] // cells, pair[first] % cells, share[first] * GRID, (self.lex.cells, cells))

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """The current of each population, [time]: inhibition but for the step in which it may fire."""
        tonic = {"ec_lex_deep": HALF - self.level, "ca3_apical": 0.0, "ca3_plateau": 0.0}
        made: dict[str, NDArray[np.generic]] = {name: window(drive.protocol, tonic[name], shut) for name, shut in SHUT_FROM.items()}
        return {"ca3_apical": made["ca3_apical"]} if drive.hops else made

    def read(self, recording: Recording, schedule: RecallSchedule) -> list[NDArray[np.int32]]:
        """The cells that were primed when a recall ended."""
        start = recording.steps - GAMMA
        return [recording["ca3_plateau"].between(start, recording.steps, i).cell for i in range(recording.batches)]

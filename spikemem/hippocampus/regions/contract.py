"""The interface of a region: which populations it builds, what drives them, and how their spikes are read.

A region is a class of its own file with the three methods of `Region`, and one line in the list of `hippocampus.circuit`.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.rhythm import GAMMA, Gamma, Mode, RecallSchedule
from spikemem.network.graph import Network
from spikemem.simulators.recording import Recording


@dataclass(frozen=True)
class CircuitWiring:
    """The options with which a circuit is built.

    candidates, competitors: dendrites and index cells of CA1 that may fire in a gamma cycle.
    slow: whether CA3's slow synapses transmit.   passes: of a recall; the cells that let an answer spread are there from two up.
    links: the successors of each memory.   silences: whether some memories are silenced (`regions.versions`).
    """

    candidates: int
    competitors: int
    slow: bool = True
    passes: int = 1
    links: dict[int, list[int]] = field(default_factory=dict)
    silences: bool = False


@dataclass(frozen=True, eq=False)
class CircuitDrive:
    """The cues and the protocol that drive a circuit.

    protocol: its gamma cycles.   vectors: of the cues, unit length, [n, d].   cue_words: of the cues.
    passes: as in `CircuitWiring`.   names: a number for each cue that selects its noise, [n].   seed: of the noise.
    """

    protocol: list[Gamma]
    vectors: NDArray[np.float32]
    cue_words: CueWords
    passes: int
    names: NDArray[np.int64]
    seed: int

    @property
    def starts(self) -> list[int]:
        """The steps at which the gamma cycles begin in which a cue is held."""
        return [g * GAMMA for g, gamma in enumerate(self.protocol) if gamma.mode is Mode.CUE]

    @property
    def hops(self) -> bool:
        """Whether it drives a chain."""
        return any(gamma.mode is Mode.HOP for gamma in self.protocol)

    def spikes_of_words(self, cells: int) -> NDArray[np.bool_]:
        """Clamped spikes of word cells, [time, n, cell]: as often as each cue has the word, from the start of each cycle that holds it."""
        cues = self.cue_words.words
        spikes = np.zeros((len(self.protocol) * GAMMA, max(len(cues), 1), cells), bool)
        for i, words in enumerate(cues):
            for cell, often in zip(words.cells, words.spikes, strict=True):
                for start in self.starts:
                    spikes[start : start + often, i, cell] = True
        return spikes


class Region(Protocol):
    """A part of the circuit, built after those whose cells drive it."""

    @property
    def name(self) -> str: ...

    def build(self, net: Network, wiring: CircuitWiring) -> None:
        """Add its populations, and their synapses from populations that are there already."""
        ...

    def stimulus(self, drive: CircuitDrive) -> dict[str, NDArray[np.generic]]:
        """External currents, or clamped spikes, of its populations, [time], [time, cell] or [time, n, cell]."""
        ...

    def read(self, recording: Recording, schedule: RecallSchedule) -> object:
        """What its spikes in a recall stand for."""
        ...

"""What a circuit holds, whatever carries it: the stored keys, the memories that they belong to, and associations."""

import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.associations import Associations
from spikemem.hippocampus.damage import Damage
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.dg_trained import dentate
from spikemem.hippocampus.regions.index_cells import IndexCells
from spikemem.hippocampus.spec import ModelSpec
from spikemem.simulators.recording import Recording

Target = tuple[str, str]
"""Where something is simulated: a simulator by its name, and a device."""


@dataclass(frozen=True, eq=False)
class Volley:
    """A batch of cues as EC and DG encode them, in spikes.

    counts, spikes: EC's n and its spikes, [n, d].   codes, when: DG's winners in firing order, and at which release each fired, [n, k].
    cue_words: their words and moment.
    """

    counts: NDArray[np.int8]
    spikes: NDArray[np.int8]
    codes: NDArray[np.uint16]
    when: NDArray[np.uint8]
    cue_words: CueWords

    def some(self, which: NDArray[np.integer]) -> "Volley":
        """The volleys of some cues."""
        return Volley(self.counts[which], self.spikes[which], self.codes[which], self.when[which], self.cue_words.some(which))

    def names(self) -> NDArray[np.int64]:
        """A number for each cue that selects its noise (`names`), [n]."""
        return names(self.counts)


def names(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """A number for each volley, [n, d], that selects its noise, so that a cue meets the same noise wherever it stands in a batch, [n]."""
    return np.array([zlib.crc32(row.tobytes()) for row in counts.astype(np.int8)], np.int64)


class Holding(ABC):
    """EC and DG, which encode, and the record of what has been stored, from which all synapses can be derived.

    keys: the stored keys, one a cue, with the volleys that they were.
    """

    keys: IndexCells

    def __init__(self, spec: ModelSpec, seed: int) -> None:
        self.spec, self.seed = spec, seed
        self.ec = ec.EC(spec)
        self.dg = dentate(spec, seed)
        self.damage = Damage()
        """What is done to the circuit where it is simulated, or recalls; not to what it stores."""
        self.contents = np.zeros(0, np.int64)
        """The key that holds each memory's content, [memory]."""
        self.associations = Associations()
        """Of memories and their successors."""

    def volley(self, vectors: NDArray[np.float32], cue_words: CueWords | None = None) -> Volley:
        """Encode unit vectors, [n, d], in EC and DG; with the words that come with them."""
        counts, spikes = ec.volley(self.spec.ec, vectors)
        return Volley(counts, spikes, *self.dg.codes(counts), cue_words or CueWords.nothing(len(vectors)))

    @property
    def living(self) -> NDArray[np.bool_]:
        """Which memories are not forgotten, [memory]."""
        return self.keys.alive[self.contents]

    def associate(self, pre: NDArray[np.int64], post: NDArray[np.int64]) -> None:
        """Bind memories to their successors by CA3's slow synapses."""
        self._chain(pre, post)
        self.associations.add(zip(pre.tolist(), post.tolist(), strict=True))

    def forget(self, memories: NDArray[np.int64]) -> None:
        """Silence memories, and drop their associations."""
        self.keys.silence(np.flatnonzero(np.isin(self.keys.memory, memories)))
        self.keys.versions.forget(memories)
        self.associations.forget(memories.tolist())

    def renew(self, memory: int, when: float) -> None:
        """Note that a memory happened again at a moment, s since 1970."""
        self.keys.renew(memory, when)

    def supersede(self, old: int, new: int, until: float) -> None:
        """Note that a memory no longer holds from a moment on; the one that does takes over its associations."""
        self.keys.versions.supersede(old, new, until)
        self.associations.hand_over(old, new)

    @abstractmethod
    def engrams(self, memories: NDArray[np.int64]) -> NDArray[np.uint16]:
        """The CA3 cells of memories, [n, k]."""

    @abstractmethod
    def ca1_cells(self, memories: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The cells of CA1 that belong to memories, in the order of their index, [n]."""

    @abstractmethod
    def learn(self, first: int, target: Target | None) -> list[Recording]:
        """Change the synapses by the keys from `first` on, whose memories are in `contents`.

        target: where plastic synapses learn them in a simulation, which is returned; None: the same changes at once.
        """

    @abstractmethod
    def rebind(self) -> None:
        """Derive all synapses anew from what is alive."""

    @abstractmethod
    def _chain(self, pre: NDArray[np.int64], post: NDArray[np.int64]) -> None:
        """Bind memories to their successors in CA3."""

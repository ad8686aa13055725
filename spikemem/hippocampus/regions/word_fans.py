"""The synapses of word cells onto index cells, as they grow: added with each key, weighted when a cue needs them.

A weight depends on how many memories have the word, and on the length of texts (`bcpnn`): with each memory that is stored all of them
change a little. So only how often each word came is kept, and the weights of a word are computed anew when a cue first has it after a
change. They are those of `pathways.Synapses.words`, to the last bit.
"""

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.bcpnn import Lexicon
from spikemem.hippocampus.regions.polarity import NEITHER, of_texts
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.growing import GrowingArray, GrowingLists
from spikemem.kernels.index_drives import weigh
from spikemem.kernels.types import I32


def word_gain(spec: ModelSpec) -> float:
    """The drive of a word of weight 1, in perforant coincidences."""
    return spec.ca1.words * ec.scale(spec.ec) ** 2


class WordFans:
    """The synapses of all word cells.   polarity: of the keys that are memories' own texts, NEITHER for others, int8, [key]."""

    def __init__(self, spec: ModelSpec, lexicon: Lexicon) -> None:
        self.spec, self.lexicon = spec, lexicon
        self._begin()

    def _begin(self) -> None:
        self._lists, self._polarity = GrowingLists(self.lexicon.cells, 3), GrowingArray[np.int8](np.int8)
        self._weighted = np.full(self.lexicon.cells, -1)
        """The number of the change after which each word cell was weighted, [cell]."""
        self._keys: int | None = 0
        """How many keys have been added; None while some are."""

    @property
    def polarity(self) -> NDArray[np.int8]:
        return self._polarity.rows

    def flat(self) -> tuple[NDArray[np.int64], NDArray[np.int64], I32]:
        """As `kernels.index_drives.Learned` has them."""
        return self._lists.start, self._lists.size, self._lists.pool

    def stale(self, cells: NDArray[np.int64], changes: int) -> bool:
        """Whether `bring` has to be called.   cells: words of cues.   changes: how often the keys have changed."""
        return self._keys != len(self.lexicon.cue) or bool((self._weighted[cells] != changes).any())

    def bring(self, cells: NDArray[np.int64], changes: int, content: NDArray[np.int64], alive: NDArray[np.bool_]) -> None:
        """Add the synapses of new keys, and weigh those of some word cells.   content, alive: of each key."""
        lexicon, spec = self.lexicon, self.spec.lex
        if self._keys is None:  # an interrupt came
            self._begin()
        first, last = self._keys or 0, len(lexicon.cue)
        if first < last:
            self._keys = None
            part, keys = slice(lexicon.ptr[first], lexicon.ptr[last]), np.arange(first, last)
            key = np.repeat(keys, np.diff(lexicon.ptr[first : last + 1]))
            rows = np.stack([key, lexicon.spikes[part], np.full(len(key), -1)], axis=1).astype(np.int32)
            self._lists.extend(lexicon.cell[part], rows)
            said = of_texts(lexicon.ptr[first : last + 1] - lexicon.ptr[first], lexicon.cell[part], lexicon.cells)
            self._polarity.extend(np.where(content[first:last] == keys, said, NEITHER))
            self._keys = last
        old = np.unique(cells[self._weighted[cells] != changes])
        k1, b = (spec.saturation, spec.length) if spec else (0.0, 0.0)
        half = k1 * (1 - b + b * np.where(lexicon.cue, lexicon.mean, lexicon.length) / lexicon.mean)
        weigh(old, lexicon.odds_of(old), *self.flat(), alive, half, k1, word_gain(self.spec))
        self._weighted[old] = changes

"""Words, context, moments and spreading in the rate twin: the drive that they add to the cosine, in floating point and over all keys.

The weights are learned by the same rule (`regions.bcpnn`, `regions.ec_ctx`), but not rounded, no dendrite is closed, and nothing spikes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.inputs import Inputs
from spikemem.hippocampus.regions.bcpnn import Lexicon
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_ctx import Moments
from spikemem.hippocampus.regions.pathway_cells import ALL, Pathway, RateCue
from spikemem.hippocampus.regions.pathways import Taught
from spikemem.hippocampus.spec import ModelSpec


class RatePathways:
    """The words of each key and the sessions and moments of each memory, as they were stored.   pathways: all that drives keys."""

    def __init__(self, spec: ModelSpec, pathways: Sequence[Pathway] = ALL) -> None:
        self.spec, self.pathways = spec, tuple(pathways)
        self.lexicon = Lexicon(spec)
        self.content, self.session, self.moments = np.zeros(0, np.int64), np.zeros(0, np.int64), Moments.none()

    def add(self, inputs: Inputs, whose: NDArray[np.int64], memory: NDArray[np.int64]) -> None:
        """Add keys.   whose: the new memory of each, counted from 0, [key].   memory: their memories, [key]; contents come first."""
        first = len(self.lexicon.cue)
        words, cue = inputs.of_keys(whose)
        self.lexicon.add(words, cue)
        self.content = np.concatenate([self.content, first + np.arange(len(inputs.words))])
        self.session, self.moments = np.concatenate([self.session, inputs.sessions]), self.moments.added(inputs.when)

    def synapses(self, memory: NDArray[np.int64], alive: NDArray[np.bool_]) -> Taught:
        """The learned weights of all keys.   memory, alive: of each key, [key]."""
        return Taught(self.spec, self.lexicon, memory, self.content[memory], alive, self.session, self.moments)

    def drive(self, taught: Taught, cue_words: CueWords, primed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The drive of each key by all pathways but meaning, [n, key].   primed: plateaus, [n, memory]."""
        made = np.zeros((len(cue_words.words), len(taught.memory)))
        for i, words in enumerate(cue_words.words):
            cue, of_memory = RateCue(taught, words, cue_words.around, primed[i]), np.zeros(len(taught.content))
            for pathway in self.pathways:
                share = pathway.rate(cue)
                if share is not None:
                    of_memory += share
            made[i] = cue.by_words + of_memory[taught.memory]
        return made

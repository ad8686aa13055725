"""Words, context, moments and spreading on rates: the drive of the rate twin beside the cosine, in floating point and over all keys.

The weights are learned by the same rule (`regions.bcpnn`, `regions.ec_ctx`), but not rounded, no dendrite is closed, and nothing spikes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.inputs import Inputs
from spikemem.hippocampus.regions import ec_ctx
from spikemem.hippocampus.regions.bcpnn import Fan, Lexicon, WordSynapses
from spikemem.hippocampus.regions.ec_ctx import GRIDS, SPANS
from spikemem.hippocampus.regions.pathways import CueWords
from spikemem.hippocampus.spec import ModelSpec


def _sum(fan: Fan, cells: NDArray[np.int64], rates: NDArray[np.int64], targets: int) -> NDArray[np.float64]:
    """sum over cells of rate times weight, [target]."""
    total = np.zeros(targets)
    for cell, rate in zip(cells, rates, strict=True):
        part = slice(fan.ptr[cell], fan.ptr[cell + 1])
        np.add.at(total, fan.target[part], rate * fan.weight[part])
    return total


class RatePathways:
    """The words of each key and the sessions and moments of each memory, as they were stored."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.lexicon = Lexicon(spec)
        self.content, self.session, self.when = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)

    def add(self, heard: Inputs, whose: NDArray[np.int64], memory: NDArray[np.int64]) -> None:
        """New keys.   whose: their places among the new memories, [key].   memory: their memories, [key]; contents come first."""
        first = len(self.lexicon.cue)
        words, cue = heard.of_keys(whose)
        self.lexicon.add(words, cue)
        self.content = np.concatenate([self.content, first + np.arange(len(heard.words))])
        self.session, self.when = np.concatenate([self.session, heard.sessions]), np.concatenate([self.when, heard.when])

    def synapses(self, memory: NDArray[np.int64], alive: NDArray[np.bool_]) -> "RateSynapses":
        """What has been learned.   memory, alive: of each key."""
        learned = self.lexicon.synapses(memory, self.content[memory], alive)
        near = ec_ctx.neighbours(self.spec.context, self.session, alive[self.content])
        return RateSynapses(self.spec, self.lexicon, learned, memory, self.content, near, np.where(alive[self.content], self.when, np.nan))


@dataclass(frozen=True, eq=False)
class RateSynapses:
    """learned: see `bcpnn`.   memory: of each key.   content: of each memory.   near: see `ec_ctx.neighbours`.   when: of each memory."""

    spec: ModelSpec
    lexicon: Lexicon
    learned: WordSynapses
    memory: NDArray[np.int64]
    content: NDArray[np.int64]
    near: NDArray[np.int64]
    when: NDArray[np.float64]

    def drive(self, cue_words: CueWords, primed: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Each key's drive beside the cosine, [n, key].   primed: plateaus, [n, memory]."""
        gains, made = self.spec.ca1, np.zeros((len(cue_words.words), len(self.memory)))
        lingering = ec_ctx.shares(self.spec.context)
        moment = np.zeros(len(self.content))
        if cue_words.around is not None:
            moment = gains.time * ec_ctx.shared_moment(self.when, cue_words.around) / (len(SPANS) * GRIDS)
        for i, heard in enumerate(cue_words.words):
            words = gains.words * _sum(self.learned.onto_keys, heard.cells, heard.spikes, len(self.memory))
            own = np.append(words[self.content], 0.0)  # the last place is that of no neighbour, -1
            share = _sum(self.learned.onto_apical, heard.cells, np.ones(len(heard.cells), np.int64), len(self.learned.apical_memory))
            tuft = np.isin(np.arange(len(self.content)), self.learned.apical_memory[share > gains.coincidence])
            of_memory = own[self.near] @ lingering + moment + gains.key * tuft + gains.spreading * primed[i]
            made[i] = words + of_memory[self.memory]
        return made

    def relight(self, memory: int) -> NDArray[np.int64]:
        """The memories that a memory's own words light up again."""
        words = self.lexicon.whole_words(int(self.content[memory]))
        share = _sum(self.learned.onto_apical, words, np.ones(len(words), np.int64), len(self.learned.apical_memory))
        return np.unique(self.learned.apical_memory[share > self.spec.ca1.coincidence])

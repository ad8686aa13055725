"""The learned inputs of CA1's index cells other than CA3's code: words, context, moments and further cues.

`Taught` holds the weights as they are learned, which the rate twin reads. `Synapses` holds them rounded to whole multiples of 1/64, for
the network (`pathway_cells`). Both are derived from the keys' words, sessions and moments when they are first needed after these have
changed. The direct computation (`kernels.index_cells`) takes the weights of words from `word_fans`, which grow.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec, ec_ctx, polarity
from spikemem.hippocampus.regions.bcpnn import UNIT, Fan, Lexicon, WordSynapses
from spikemem.hippocampus.regions.rhythm import GRID
from spikemem.hippocampus.regions.word_fans import WordFans, word_gain
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.index_drives import PER_SYNAPSE, Gains, Learned, context_fan

TO_DENDRITE = 32
"""How many times weaker the synapses of words, context and moment are on a dendrite than on the soma, in Schaffer synapses."""


class Taught:
    """The learned weights of words, context and moments onto index cells, before rounding.

    lexicon: the words of each key.   memory, alive: of each key.   content: the key that holds each memory's content, [memory].
    """

    def __init__(
        self,
        spec: ModelSpec,
        lexicon: Lexicon,
        memory: NDArray[np.int64],
        content: NDArray[np.int64],
        alive: NDArray[np.bool_],
        session: NDArray[np.int64],
        moments: ec_ctx.Moments,
    ) -> None:
        """Weights are derived when they are first needed.   content: of each key, [key].   session: of each memory, [memory]."""
        self.spec, self.lexicon, self.memory, self.alive = spec, lexicon, memory, alive
        self.content = np.flatnonzero(content == np.arange(len(content)))
        self._content_of, self._session, self._moments = content, session, moments

    @cached_property
    def learned(self) -> WordSynapses:
        """All weights of words."""
        return self.lexicon.synapses(self.memory, self._content_of, self.alive)

    @property
    def apical_memory(self) -> NDArray[np.int64]:
        """The memory of each apical dendrite."""
        return self.learned.apical_memory

    @cached_property
    def neighbours(self) -> NDArray[np.int64]:
        """Of each memory in time, [memory, 2 reach]."""
        return ec_ctx.neighbours(self.spec.context, self._session, self.alive[self.content])

    @cached_property
    def moments(self) -> ec_ctx.Moments:
        """Those of memories that are not forgotten."""
        there, moments = self.alive[self.content], self._moments
        kept = there[moments.again]
        return ec_ctx.Moments(np.where(there, moments.when, np.nan), moments.again[kept], moments.earlier[kept])

    @cached_property
    def polarity(self) -> NDArray[np.int64]:
        """Whether each memory's own text affirms or denies, [memory] (see `polarity`)."""
        return polarity.of_memories(self)

    def _dendrites(self, onto: Fan, memory: int) -> NDArray[np.float64]:
        """What each apical dendrite receives when the words of a memory's own text are active, [dendrite]."""
        share = np.zeros(len(self.apical_memory))
        for word in self.lexicon.whole_words(int(self.content[memory])):
            part = slice(onto.ptr[word], onto.ptr[word + 1])
            share[onto.target[part]] += onto.weight[part]
        return share

    def primed_by(self, memory: int) -> NDArray[np.int64]:
        """The memories that a recalled memory primes: those with an apical dendrite that fires when the words of its text are active."""
        return np.unique(self.apical_memory[self._dendrites(self.learned.onto_apical, memory) > self.spec.ca1.coincidence])


class Synapses(Taught):
    """The learned weights rounded to whole multiples of 1/64, the drive of a perforant coincidence being 1.

    counts: perforant weights, int8, [key, d].   gains: of the pathways in `kernels.index_cells`.
    unit: a cue's own drive by meaning, s^2, in 1/64.
    """

    def __init__(
        self,
        spec: ModelSpec,
        counts: NDArray[np.int8],
        lexicon: Lexicon,
        memory: NDArray[np.int64],
        content: NDArray[np.int64],
        alive: NDArray[np.bool_],
        session: NDArray[np.int64],
        moments: ec_ctx.Moments,
    ) -> None:
        super().__init__(spec, lexicon, memory, content, alive, session, moments)
        self.counts = counts
        self.unit = UNIT * ec.scale(spec.ec) ** 2
        self.context_weight, gains = ec_ctx.weights(spec.context), spec.ca1
        self.gains = Gains(
            round(UNIT * gains.meaning), round(self.unit * gains.key), round(self.unit * gains.spreading),
            PER_SYNAPSE * spec.dg.winners, UNIT * gains.denial,
        )  # fmt: skip

    @cached_property
    def words(self) -> Fan:
        """Word cells onto index cells, in perforant coincidences."""
        onto = self.learned.onto_keys
        return Fan(onto.ptr, onto.target, np.round(word_gain(self.spec) * onto.weight))

    @cached_property
    def _titles(self) -> tuple[Fan, NDArray[np.int64]]:
        """Whole-word cells onto apical dendrites, and the memory of each; none of the other weights is needed."""
        lexicon, none = self.lexicon, np.zeros(0, np.int64)
        if not (lexicon.cue & self.alive).any():
            return Fan(np.zeros(lexicon.cells + 1, np.int64), none, np.zeros(0)), none
        onto, memory = lexicon.titles(self.memory, self.alive, lexicon.odds())
        return Fan(onto.ptr, onto.target, np.round(onto.weight / self.spec.ca1.coincidence / GRID) * GRID), memory

    @property
    def apical(self) -> Fan:
        """Whole-word cells onto apical dendrites, as shares of the threshold."""
        return self._titles[0]

    @property
    def apical_memory(self) -> NDArray[np.int64]:
        return self._titles[1]

    @cached_property
    def denial(self) -> polarity.Denial | None:
        """Inhibition by words of the other polarity; None where the model has none, or where no memory denies."""
        there = self.spec.ca1.denial > 0 and bool((self.polarity == polarity.DENIES).any())
        return polarity.Denial(self) if there else None

    @cached_property
    def _context(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The neighbours of each memory, none where no memory has any; how many index cells each key reaches by them, [key]."""
        near = self.neighbours if (self.neighbours >= 0).any() else np.zeros((0, len(self.context_weight)), np.int64)
        living = np.bincount(self.memory[self.alive], minlength=len(self.content))
        return near, context_fan(near, living, self.content, len(self.memory))

    def flat(self, fans: WordFans) -> Learned:
        """The same as arrays for `kernels.index_cells`.   fans: the synapses of words, weighted for the cues."""
        near, fan = self._context
        apical, memory = self._titles
        return Learned(
            *fans.flat(), self.content, near, self.context_weight, fan, fans.polarity, apical.ptr, apical.target, apical.weight, memory
        )

    def primed_by(self, memory: int) -> NDArray[np.int64]:
        return np.unique(self.apical_memory[self._dendrites(self.apical, memory) > 1.0])

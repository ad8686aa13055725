"""The learned inputs of CA1's index cells other than CA3's code: words, context, moments and further cues.

`Taught` holds the weights as they are learned, which the rate twin reads. `Synapses` holds them rounded to whole multiples of 1/64, for
the network (`pathway_cells`) and the direct computation (`kernels.index_cells`). Both are derived from the keys' words, sessions and
moments whenever these have changed.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec, ec_ctx, polarity
from spikemem.hippocampus.regions.bcpnn import UNIT, Fan, Lexicon
from spikemem.hippocampus.regions.rhythm import GRID
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.index_cells import PER_SYNAPSE, Gains, Learned

TO_DENDRITE = 32
"""How many times weaker the synapses of words, context and moment are on a dendrite than on the soma, in Schaffer synapses."""


class Taught:
    """The learned weights of words, context and moments onto index cells, before rounding.

    lexicon: the words of each key.   learned: their weights (see `bcpnn`).   memory, alive: of each key.
    content: the key that holds each memory's content, [memory].   neighbours: in time, [memory, 2 reach] (see `ec_ctx`).
    moments: of memories that are not forgotten.
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
        """Derive the weights from all that is stored.   content: of each key, [key].   session: of each memory, [memory]."""
        self.spec, self.lexicon, self.memory, self.alive = spec, lexicon, memory, alive
        self.learned = lexicon.synapses(memory, content, alive)
        self.apical_memory = self.learned.apical_memory
        self.content = np.unique(content)
        self.neighbours = ec_ctx.neighbours(spec.context, session, alive[self.content])
        there = alive[self.content]
        kept = there[moments.again]
        self.moments = ec_ctx.Moments(np.where(there, moments.when, np.nan), moments.again[kept], moments.earlier[kept])

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

    counts: perforant weights, int8, [key, d].   words: word cells onto index cells.   apical: whole-word cells onto apical dendrites, as
    shares of the threshold.   gains: of the pathways in `kernels.index_cells`.   unit: a cue's own drive by meaning, s^2, in 1/64.
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
        gains, onto_keys, onto_apical = spec.ca1, self.learned.onto_keys, self.learned.onto_apical
        weight = np.round(gains.words * ec.scale(spec.ec) ** 2 * onto_keys.weight)
        self.words = Fan(onto_keys.ptr, onto_keys.target, weight)
        self._whole = weight.astype(np.int64)
        share = np.round(onto_apical.weight / gains.coincidence / GRID) * GRID
        self.apical = Fan(onto_apical.ptr, onto_apical.target, share)
        self.context_weight = ec_ctx.weights(spec.context)
        self._fan = self._context_fan(len(content))
        self.gains = Gains(
            round(UNIT * gains.meaning), round(self.unit * gains.key), round(self.unit * gains.spreading), PER_SYNAPSE * spec.dg.winners
        )  # fmt: skip

    @cached_property
    def denial(self) -> polarity.Denial | None:
        """Inhibition by words of the other polarity; None where the model has none, or where no memory denies."""
        there = self.spec.ca1.denial > 0 and bool((self.polarity == polarity.DENIES).any())
        return polarity.Denial(self) if there else None

    def _context_fan(self, keys: int) -> NDArray[np.int64]:
        """How many index cells each key's words reach as context, as neighbours in time, [key]."""
        living = np.bincount(self.memory[self.alive], minlength=len(self.content))
        fan = np.zeros(len(self.content), np.int64)
        for d in range(self.neighbours.shape[1]):
            reached = np.flatnonzero(self.neighbours[:, d] >= 0)
            np.add.at(fan, self.neighbours[reached, d], living[reached])
        of_key = np.zeros(keys, np.int64)
        of_key[self.content] = fan
        return of_key

    def flat(self) -> Learned:
        """The same as arrays for `kernels.index_cells`."""
        return Learned(
            self.words.ptr, self.words.target, self._whole, self.content, self.neighbours, self.context_weight,
            self._fan, self.apical.ptr, self.apical.target, self.apical.weight, self.apical_memory,
        )  # fmt: skip

    def primed_by(self, memory: int) -> NDArray[np.int64]:
        return np.unique(self.apical_memory[self._dendrites(self.apical, memory) > 1.0])

"""What reaches CA1 beside CA3 and the perforant path: words, context, the moment, and what lights up again; in whole units.

`Pathways` are derived from the keys' words, sessions and moments whenever these have changed. `CueWords` is what a batch of cues says on
them. The network's synapses (`pathway_cells`) and the short cut's arrays come from the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions import ec, ec_ctx
from spikemem.hippocampus.regions.bcpnn import UNIT, Fan, Lexicon, volley
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.rhythm import GRID
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.index_cells import PER_SYNAPSE, Afferents, FlatWords, Gains

PATHWAYS = ("meaning", "words", "context", "time", "key", "spreading")
"""The parts of an index cell's drive, in the order in which they are told apart."""
TO_DENDRITE = 32
"""A dendrite weighs words, context and moment by so much less than the soma, in Schaffer synapses."""


@dataclass(frozen=True, eq=False)
class CueWords:
    """What cues say beside their vectors.   words: one `Words` a cue.   around: s since 1970, or None."""

    words: tuple[Words, ...]
    around: float | None = None

    @classmethod
    def of(cls, words: Sequence[Words] | None, around: float | None, n: int) -> "CueWords":
        """What n cues say: their words as volleys of the word cells, or none."""
        return cls(tuple(volley(w) for w in words) if words is not None else (SILENT,) * n, around)

    @classmethod
    def nothing(cls, n: int) -> "CueWords":
        return cls((SILENT,) * n)

    def some(self, which: NDArray[np.integer]) -> "CueWords":
        """What some of the cues say."""
        return CueWords(tuple(self.words[i] for i in which), self.around)

    def flat(self) -> FlatWords:
        """The words of all cues, one after the other."""
        ptr = np.concatenate([[0], np.cumsum([len(w.cells) for w in self.words], dtype=np.int64)])
        everything = (SILENT, *self.words)
        return FlatWords(ptr, np.concatenate([w.cells for w in everything]), np.concatenate([w.spikes for w in everything]))


SILENT = Words(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))


class Pathways:
    """Synapses onto index cells, in units of 1/64 of a perforant coincidence.

    words: word cells onto index cells.   apical: whole-word cells onto apical dendrites, as shares of the threshold.
    apical_memory: whose each apical dendrite is.   relit: memories onto the word cells of their own texts.
    linked: successors of each memory.   content: the key that holds each memory's content.   neighbours: see `ec_ctx`.
    """

    def __init__(
        self,
        spec: ModelSpec,
        lexicon: Lexicon,
        memory: NDArray[np.int64],
        content: NDArray[np.int64],
        alive: NDArray[np.bool_],
        session: NDArray[np.int64],
        when: NDArray[np.float64],
    ) -> None:
        self.spec, self.memory, self.alive, self.lexicon = spec, memory, alive, lexicon
        unit = UNIT * ec.scale(spec.ec) ** 2
        gains = spec.ca1
        learned = lexicon.synapses(memory, content, alive)
        weight = np.round(gains.words * ec.scale(spec.ec) ** 2 * learned.onto_keys.weight)
        self.words = Fan(learned.onto_keys.ptr, learned.onto_keys.target, weight)
        self._whole = weight.astype(np.int64)
        share = np.round(learned.onto_apical.weight / gains.coincidence / GRID) * GRID
        self.apical = Fan(learned.onto_apical.ptr, learned.onto_apical.target, share)
        self.apical_memory = learned.apical_memory
        self.content = np.unique(content)
        self.neighbours = ec_ctx.neighbours(spec.context, session, alive[self.content])
        self.context_weight = ec_ctx.weights(spec.context)
        self.context_fan = self._context_fan(memory, alive, len(content))
        self.when = np.where(alive[self.content], when, np.nan)
        self.time_weight = round(gains.time * unit / (len(ec_ctx.SPANS) * ec_ctx.GRIDS))
        self.gains = Gains(
            round(UNIT * gains.meaning), round(unit * gains.key), round(unit * gains.spreading), PER_SYNAPSE * spec.dg.winners
        )  # fmt: skip

    def _context_fan(self, memory: NDArray[np.int64], alive: NDArray[np.bool_], keys: int) -> NDArray[np.int64]:
        """How many index cells hear the context that each key's words leave, [key]."""
        living = np.bincount(memory[alive], minlength=len(self.content))
        fan = np.zeros(len(self.content), np.int64)
        for d in range(self.neighbours.shape[1]):
            heard = np.flatnonzero(self.neighbours[:, d] >= 0)
            np.add.at(fan, self.neighbours[heard, d], living[heard])
        of_key = np.zeros(keys, np.int64)
        of_key[self.content] = fan
        return of_key

    def afferents(self, around: float | None) -> Afferents:
        """The same as the short cut reads it, with the drive of the moment that is asked for."""
        return Afferents(
            self.words.ptr, self.words.target, self._whole, self.content, self.neighbours, self.context_weight,
            self.context_fan, self.apical.ptr, self.apical.target, self.apical.weight, self.apical_memory, self.time_drive(around),
        )  # fmt: skip

    def time_drive(self, around: float | None) -> NDArray[np.int64]:
        """What each memory's cells hear from the cells of the moment, [memory]."""
        if around is None:
            return np.zeros(len(self.content), np.int64)
        return self.time_weight * ec_ctx.shared_moment(self.when, around)

    def relight(self, memory: int) -> NDArray[np.int64]:
        """The memories one of whose apical dendrites fires when a memory's own words light up again."""
        lit = self.lexicon.whole_words(int(self.content[memory]))
        share = np.zeros(len(self.apical_memory))
        for w in lit:
            part = slice(self.apical.ptr[w], self.apical.ptr[w + 1])
            share[self.apical.target[part]] += self.apical.weight[part]
        return np.unique(self.apical_memory[share > 1.0])

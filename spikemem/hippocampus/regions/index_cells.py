"""CA1's index cells as storage: one cell for each stored cue, which is a key to a memory."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.bcpnn import Lexicon
from spikemem.hippocampus.regions.cue_words import SILENT
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION, Moments
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.pathways import Synapses
from spikemem.hippocampus.regions.polarity import DENIES
from spikemem.hippocampus.regions.versions import Versions
from spikemem.hippocampus.regions.word_fans import WordFans
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.circuit import Keys
from spikemem.kernels.growing import GrowingArray, GrowingLists
from spikemem.kernels.index_drives import Learned
from spikemem.kernels.locks import SharedLock

NONE = -1
"""Stands for no id, no key, no memory."""
MOST_NUMBER = 2**53
"""The largest number of a memory."""


class IndexCells:
    """The stored keys, one index cell each, with their growing arrays.

    counts: perforant weights, int8, [key, d].   codes: Schaffer synapses, the CA3 cells that reach a key, uint16, [key, k].
    memory: the memory that a key belongs to, [key].   content: the key whose counts are the memory's content, [key].   alive: [key].
    lexicon: the words of the keys.   session, moments, versions: of the memories, [memory].
    numbers: of the memories, rising, [memory]: a memory's number is its own for ever, whatever is forgotten before it.
    encoded: when each memory was, s since 1970, NaN where unknown, [memory]; it never changes, either.
    silent: memories that no cue reaches, though what binds their engrams is there, [memory].
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._counts, self._codes = GrowingArray[np.int8](np.int8, spec.ec.dim), GrowingArray[np.uint16](np.uint16, spec.dg.winners)
        self._memory, self._content, self._session, self._numbers = (GrowingArray[np.int64](np.int64) for _ in range(4))
        self._alive, self._silent = (GrowingArray[np.bool_](bool) for _ in range(2))
        self._when, self._encoded = (GrowingArray[np.float64](float) for _ in range(2))
        self._again, self._earlier = np.zeros(0, np.int64), np.zeros(0)
        self._reached, self._reached_by = GrowingLists(spec.dg.cells, 1), 0
        """The keys that each CA3 cell reaches, and how many keys are in these lists; -1 while some are added."""
        self.lexicon, self.versions = Lexicon(spec), Versions()
        self._fans = WordFans(spec, self.lexicon)
        self._synapses: Synapses | None = None
        self._heard: int | None = None  # memories that have a living key; None where it must be counted anew
        self.changes = 0
        """How often words, sessions and moments have changed: what is derived from them holds as long as this stays."""
        self._deriving = SharedLock()  # of what is derived when it is first needed, perhaps by several recalls at once

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def counts(self) -> NDArray[np.int8]:
        return self._counts.rows

    @property
    def codes(self) -> NDArray[np.uint16]:
        return self._codes.rows

    @property
    def memory(self) -> NDArray[np.int64]:
        return self._memory.rows

    @property
    def content(self) -> NDArray[np.int64]:
        return self._content.rows

    @property
    def alive(self) -> NDArray[np.bool_]:
        return self._alive.rows

    @property
    def session(self) -> NDArray[np.int64]:
        return self._session.rows

    @property
    def numbers(self) -> NDArray[np.int64]:
        return self._numbers.rows

    @property
    def encoded(self) -> NDArray[np.float64]:
        return self._encoded.rows

    @property
    def silent(self) -> NDArray[np.bool_]:
        return self._silent.rows

    @property
    def moments(self) -> Moments:
        return Moments(self._when.rows, self._again, self._earlier)

    def audible(self, silenced: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """The index cells that are alive and whose memory is not silenced, [key]."""
        return self.alive if silenced is None else self.alive & ~silenced[self.memory]

    def memories(self, silenced: NDArray[np.bool_] | None = None) -> int:
        """How many memories have a living index cell, and are not silenced."""
        if silenced is not None:
            return int(np.count_nonzero(np.bincount(self.memory[self.audible(silenced)])))
        if self._heard is None:
            self._heard = int(np.count_nonzero(np.bincount(self.memory[self.alive])))
        return self._heard

    def owners(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The memories of keys; NONE stays NONE."""
        return np.where(keys == NONE, NONE, self.memory[keys] if len(self) else NONE)

    @property
    def synapses(self) -> Synapses:
        """The learned weights of meaning, words, context and moments, derived anew where what is stored has changed."""
        if (there := self._synapses) is not None:
            return there
        with self._deriving.alone():
            if self._synapses is None:
                self._synapses = Synapses(
                    self.spec, self.counts, self.lexicon, self.memory, self.content, self.alive, self.session, self.moments
                )  # fmt: skip
            return self._synapses

    def _change(self) -> None:
        self._synapses = self._heard = None
        self.changes += 1

    def remember(
        self,
        session: NDArray[np.int64],
        when: NDArray[np.float64],
        numbers: NDArray[np.int64] | None = None,
        encoded: NDArray[np.float64] | None = None,
    ) -> None:
        """Add the sessions and moments (s since 1970) of new memories, [n]; their keys are added next.

        numbers: of the memories; None: those that follow the last one.   encoded: when they were; None: at their moments.
        """
        following = self.numbers[-1:].sum() + (len(self.numbers) > 0) + np.arange(len(session))
        self._numbers.extend(following if numbers is None else numbers)
        self._session.extend(session)
        self._when.extend(when)
        self._encoded.extend(when if encoded is None else encoded)
        self._silent.extend(np.zeros(len(session), bool))
        self.versions.add(len(session))
        self._change()

    def add(
        self,
        counts: NDArray[np.int8],
        codes: NDArray[np.uint16],
        memory: NDArray[np.int64],
        content: NDArray[np.int64],
        words: Sequence[Words] | None = None,
        cue: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add index cells, which learn these volleys, codes and words in one shot.   cue: keys that are not the memory's own text."""
        self.lexicon.add([SILENT] * len(counts) if words is None else words, np.zeros(len(counts), bool) if cue is None else cue)
        self._change()
        first = len(self)
        self._codes.extend(codes)
        self._memory.extend(memory)
        self._content.extend(content)
        self._alive.extend(np.ones(len(counts), bool))
        self._counts.extend(counts)
        self.lexicon.count(first + np.flatnonzero(content == first + np.arange(len(counts))))
        unknown = int(np.max(memory, initial=-1)) + 1 - len(self.session)
        if unknown > 0:
            self.remember(np.full(unknown, NO_SESSION), np.full(unknown, np.nan))

    def silence(self, keys: NDArray[np.int64]) -> None:
        """Silence index cells for good."""
        gone = keys[self.alive[keys]]
        self.lexicon.count(gone[self.content[gone] == gone], -1)
        self.alive[keys] = False
        self._change()

    def express(self, memories: NDArray[np.int64], expressed: bool) -> None:
        """Let cues reach memories, or make these silent."""
        self.silent[memories] = not expressed
        self._change()

    def renew(self, memory: int, when: float) -> None:
        """Note that a memory happened again at a moment, s since 1970; it is bound to each of its moments."""
        known = self.moments.renewed(memory, when)
        self._when.rows[memory], self._again, self._earlier = known.when[memory], known.again, known.earlier
        self._change()

    def recode(self, codes: NDArray[np.uint16]) -> None:
        """Replace the CA3 codes of all keys, and with them their Schaffer synapses.   codes: uint16, [key, k]."""
        self._codes.rows[:] = codes
        self._reached_by = -1

    def flat(self, silenced: NDArray[np.bool_] | None = None) -> Keys:
        """The keys as arrays for the kernels.   silenced: memories whose index cells are inhibited, [memory]."""
        if self._reached_by != len(self):
            with self._deriving.alone():
                self._reach()
        alive = self.audible(silenced)
        return Keys(self.counts, alive, self.memory, bool(alive.all()), self._reached.start, self._reached.size, self._reached.pool)

    def _reach(self) -> None:
        """Add new keys to the lists of those that each CA3 cell reaches."""
        first, last = self._reached_by, len(self)
        if first < 0:
            self._reached, first = GrowingLists(self.spec.dg.cells, 1), 0
        if first < last:
            self._reached_by = -1
            codes = self.codes[first:]
            keys = np.repeat(np.arange(first, last, dtype=np.int32), codes.shape[1])
            self._reached.extend(codes.ravel().astype(np.int64), keys[:, None])
        self._reached_by = last

    def learned(self, cells: NDArray[np.int64]) -> Learned:
        """The learned synapses as arrays for the kernels.   cells: the word cells of the cues."""
        if self._fans.stale(cells, self.changes):
            with self._deriving.alone():
                self._fans.bring(cells, self.changes, self.content, self.alive)
        return self.synapses.flat(self._fans)

    @property
    def denies(self) -> bool:
        """Whether a living memory's own text denies, as far as the words of cues were weighted."""
        return bool(((self._fans.polarity == DENIES) & self.alive).any())

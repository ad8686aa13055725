"""CA1's index cells as storage: one cell for each stored cue, which is a key to a memory."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.bcpnn import Lexicon
from spikemem.hippocampus.regions.cue_words import SILENT
from spikemem.hippocampus.regions.ec_ctx import NO_SESSION, Moments
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.pathways import Synapses
from spikemem.hippocampus.regions.versions import Versions
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.circuit import Keys
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
        self._size = 0
        self._counts = np.zeros((0, spec.ec.dim), np.int8)
        self._codes = np.zeros((0, spec.dg.winners), np.uint16)
        self._memory, self._content, self._alive = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool)
        self._targets = np.zeros(spec.dg.cells + 1, np.int64), np.zeros(0, np.int32), 0
        """The keys that each CA3 cell reaches: where its list begins, [cell + 1], the lists, and how many keys are in them."""
        self.lexicon = Lexicon(spec)
        self.session, self.moments, self.versions = np.zeros(0, np.int64), Moments.none(), Versions()
        self.numbers, self.encoded, self.silent = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool)
        self._synapses: Synapses | None = None
        self.changes = 0
        """How often words, sessions and moments have changed: what is derived from them holds as long as this stays."""
        self._deriving = SharedLock()  # of what is derived when it is first needed, perhaps by several recalls at once

    def __len__(self) -> int:
        return self._size

    @property
    def counts(self) -> NDArray[np.int8]:
        return self._counts[: self._size]

    @property
    def codes(self) -> NDArray[np.uint16]:
        return self._codes[: self._size]

    @property
    def memory(self) -> NDArray[np.int64]:
        return self._memory[: self._size]

    @property
    def content(self) -> NDArray[np.int64]:
        return self._content[: self._size]

    @property
    def alive(self) -> NDArray[np.bool_]:
        return self._alive[: self._size]

    def audible(self, silenced: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """The index cells that are alive and whose memory is not silenced, [key]."""
        return self.alive if silenced is None else self.alive & ~silenced[self.memory]

    def memories(self, silenced: NDArray[np.bool_] | None = None) -> int:
        """How many memories have a living index cell, and are not silenced."""
        return len(np.unique(self.memory[self.audible(silenced)]))

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
        self._synapses = None
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
        following = self.numbers.max(initial=-1) + 1 + np.arange(len(session))
        self.numbers = np.concatenate([self.numbers, following if numbers is None else numbers])
        self.encoded = np.concatenate([self.encoded, when if encoded is None else encoded])
        self.session, self.moments = np.concatenate([self.session, session]), self.moments.added(when)
        self.versions.add(len(session))
        self.silent = np.append(self.silent, np.zeros(len(session), bool))
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
        new = self._size + len(counts)
        if new > len(self._counts):
            room = max(new, 2 * self._size, 64)
            for name in ("_counts", "_codes", "_memory", "_content", "_alive"):
                old = getattr(self, name)
                grown = np.zeros((room, *old.shape[1:]), old.dtype)
                grown[: self._size] = old[: self._size]
                setattr(self, name, grown)
        fresh = slice(self._size, new)
        self._counts[fresh], self._codes[fresh], self._memory[fresh] = counts, codes, memory
        self._content[fresh], self._alive[fresh] = content, True
        self._size = new
        self.lexicon.count(np.flatnonzero(content == np.arange(fresh.start, new)) + fresh.start)
        unknown = int(self.memory.max(initial=-1)) + 1 - len(self.session)
        if unknown > 0:
            self.remember(np.full(unknown, NO_SESSION), np.full(unknown, np.nan))

    def silence(self, keys: NDArray[np.int64]) -> None:
        """Silence index cells for good."""
        gone = keys[self._alive[keys]]
        self.lexicon.count(gone[self.content[gone] == gone], -1)
        self._alive[keys] = False
        self._change()

    def express(self, memories: NDArray[np.int64], expressed: bool) -> None:
        """Let cues reach memories, or make these silent."""
        self.silent[memories] = not expressed
        self._change()

    def renew(self, memory: int, when: float) -> None:
        """Note that a memory happened again at a moment, s since 1970; it is bound to each of its moments."""
        self.moments = self.moments.renewed(memory, when)
        self._change()

    def recode(self, codes: NDArray[np.uint16]) -> None:
        """Replace the CA3 codes of all keys, and with them their Schaffer synapses.   codes: uint16, [key, k]."""
        self._codes[: self._size] = codes
        self._targets = (*self._targets[:2], 0)

    def flat(self, silenced: NDArray[np.bool_] | None = None) -> Keys:
        """The keys as arrays for the kernels.   silenced: memories whose index cells are inhibited, [memory].

        The lists of each CA3 cell's targets are made anew when many keys are new; the few newest are compared one by one instead.
        """
        if self._stale():
            with self._deriving.alone():
                if self._stale():
                    cells = self.codes.ravel()
                    order = np.argsort(cells, kind="stable")
                    ends = np.cumsum(np.bincount(cells, minlength=self.spec.dg.cells))
                    ptr = np.concatenate([[0], ends]).astype(np.int64)
                    self._targets = ptr, (order // self.spec.dg.winners).astype(np.int32), self._size
        return Keys(self.counts, self.codes, self.audible(silenced), self.memory, *self._targets, self.spec.dg.cells)

    def _stale(self) -> bool:
        built = self._targets[2]
        return self._size - built > max(256, built // 4) or built == 0

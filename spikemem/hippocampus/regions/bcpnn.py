"""The synapses of EC's word cells, and the rule by which they are learned: weights are log-odds of words.

    o_w  = log_{N+1} (N+1) / (df_w+1)                                 of word w, which df of N memories have: 0 where all do
    W_wk = o_w  f_wk (k1+1) / (f_wk + k1 (1 - b + b L_k / <L>))        from word cell w to index cell k
    u_wa = o_w / sum of o over the words of cue a                      from word cell w to the apical dendrite of cue a

This is what the Bayesian confidence propagation rule (BCPNN: Lansner and Ekeberg 1989) comes to, in closed form, for index cells that are
each taught once: of log P(w, k) / (P(w) P(k)) the word's trace P(w) ~ (df_w + 1) / (N + 1) remains, counted over the memories' own texts.
The weights are derived from what was stored whenever that has changed; no spike-timing rule is run. Frequent words
end up weak without a list of them. Log-odds are taken to base N+1, so that a rare word's weight is close to 1 however many memories there
are (synaptic scaling).
f_wk is how often the word came when k was taught, saturating with k1, scaled down by b for a long text of L_k words against <L> on
average (a dendrite that shares its resources out: Robertson and Zaragoza 2009 for the form). Cues other than the text itself, titles
say, are taken to be of mean length, and have an apical dendrite, which fires when most of that cue's own words are active together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.spec import ModelSpec
from spikemem.kernels.growing import GrowingArray
from spikemem.kernels.index_drives import UNIT as UNIT

MOST_CELLS = 4096
"""Word cells that a cue may excite: of a longer cue those with the lowest numbers, which hashing makes a random choice."""
MOST_SPIKES = 8
"""Spikes of a word cell in a gamma cycle at the most, however often the cue repeats the word: the length of EC's volley."""


def volley(given: Words) -> Words:
    """The word cells that a cue makes fire, and how often."""
    return Words(given.cells[:MOST_CELLS], np.minimum(given.spikes[:MOST_CELLS], MOST_SPIKES), given.whole[:MOST_CELLS])


@dataclass(frozen=True, eq=False)
class Fan:
    """Synapses by presynaptic cell (CSR).   ptr: [cell + 1].   target: [synapse].   weight: float64 log-odds or shares, [synapse]."""

    ptr: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, cell: NDArray[np.int64], target: NDArray[np.int64], weight: NDArray[np.float64], cells: int) -> "Fan":
        """From a cell, a target and a weight for each synapse, in any order.   cells: how many presynaptic cells there are."""
        order = np.argsort(cell.astype(np.uint16) if cells <= 2**16 else cell, kind="stable")  # 16 bits are sorted by radix
        ptr = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=cells))]).astype(np.int64)
        return cls(ptr, target[order].astype(np.int64), weight[order])

    @cached_property
    def source(self) -> NDArray[np.int64]:
        """The presynaptic cell of each synapse."""
        return np.repeat(np.arange(len(self.ptr) - 1), np.diff(self.ptr))


@dataclass(frozen=True, eq=False)
class WordSynapses:
    """The weights that word cells have learned from what is stored.

    onto_keys: W, word cells onto index cells.   onto_apical: u, whole-word cells onto apical dendrites.
    apical_memory: the memory of each apical dendrite.   odds: o, [cell].
    """

    onto_keys: Fan
    onto_apical: Fan
    apical_memory: NDArray[np.int64]
    odds: NDArray[np.float64]


def log_odds(texts: int, df: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-odds o of words, of which each is in df texts.   texts: how many there are.   df: [word]."""
    return np.maximum(np.log((texts + 1) / (df + 1)), 0.0) / np.log(max(texts, 1) + 1)


class Lexicon:
    """The words of each key, as they were stored.

    ptr: [key + 1].   cell, spikes, whole: `Words` of one key after the other.   cue: keys that are not the memory's own text, [key].
    length: words of each key, [key].   cells: how many word cells there are.   texts: how many texts are counted.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec, self.cells = spec, spec.lex.cells if spec.lex else 1
        self._ptr, self._cell, self._spikes = (GrowingArray[np.int64](np.int64) for _ in range(3))
        self._whole, self._cue = (GrowingArray[np.bool_](bool) for _ in range(2))
        self._length = GrowingArray[np.int64](np.int64)
        self._ptr.extend(np.zeros(1))
        self.texts = self._words = 0
        self._df = np.zeros(self.cells, np.int64)

    @property
    def ptr(self) -> NDArray[np.int64]:
        return self._ptr.rows

    @property
    def cell(self) -> NDArray[np.int64]:
        return self._cell.rows

    @property
    def spikes(self) -> NDArray[np.int64]:
        return self._spikes.rows

    @property
    def whole(self) -> NDArray[np.bool_]:
        return self._whole.rows

    @property
    def cue(self) -> NDArray[np.bool_]:
        return self._cue.rows

    @property
    def length(self) -> NDArray[np.int64]:
        return self._length.rows

    @property
    def mean(self) -> float:
        """<L>, over the texts counted."""
        return max(self._words / self.texts if self.texts else 1.0, 1.0)

    def add(self, words: Sequence[Words], cue: NDArray[np.bool_]) -> None:
        """The words of new keys."""
        if words:
            self._ptr.extend(self.ptr[-1] + np.cumsum([len(w.cells) for w in words], dtype=np.int64))
            self._length.extend(np.array([w.spikes.sum() for w in words]))
            self._cell.extend(np.concatenate([w.cells for w in words]))
            self._spikes.extend(np.concatenate([w.spikes for w in words]))
            self._whole.extend(np.concatenate([w.whole for w in words]))
            self._cue.extend(cue)

    def count(self, texts: NDArray[np.int64], step: int = 1) -> None:
        """Count the words of memories' own texts, given by their keys; with a step of -1 they are counted no longer."""
        self.texts += step * len(texts)
        self._words += step * int(self.length[texts].sum())
        np.add.at(self._df, self.cell[self.places(texts)[1]], step)

    def odds_of(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """o of some word cells, over the texts counted."""
        return log_odds(self.texts, self._df[cells])

    def odds(self) -> NDArray[np.float64]:
        """o of all word cells, [cell]."""
        return self.odds_of(np.arange(len(self._df)))

    def places(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the words of some keys stand in `cell`, and of which of these keys each is, from 0, [word]."""
        size = self.ptr[keys + 1] - self.ptr[keys]
        return np.repeat(np.arange(len(keys)), size), np.arange(size.sum()) + np.repeat(self.ptr[keys] - np.cumsum(size) + size, size)

    def whole_words(self, key: int) -> NDArray[np.int64]:
        """The whole-word cells of a key."""
        part = slice(self.ptr[key], self.ptr[key + 1])
        return self.cell[part][self.whole[part]]

    def synapses(self, memory: NDArray[np.int64], content: NDArray[np.int64], alive: NDArray[np.bool_]) -> WordSynapses:
        """Derive all weights anew.   memory, content, alive: of each key, as in `CA1`."""
        spec, keys = self.spec.lex, len(self.ptr) - 1
        cells = spec.cells if spec else 1
        key = np.repeat(np.arange(keys), np.diff(self.ptr))
        own_text = alive & (content == np.arange(keys))
        texts = int(own_text.sum())
        odds = log_odds(texts, np.bincount(self.cell[own_text[key]], minlength=cells))
        length = np.bincount(key, self.spikes, keys)
        mean = max(float(length[own_text].mean()) if texts else 1.0, 1.0)
        length = np.where(self.cue, mean, length)
        k1, b = (spec.saturation, spec.length) if spec else (0.0, 0.0)
        weight = odds[self.cell] * self.spikes * (k1 + 1) / (self.spikes + k1 * (1 - b + b * length[key] / mean))
        used = alive[key] & (weight > 0)
        return WordSynapses(Fan.of(self.cell[used], key[used], weight[used], cells), *self.titles(memory, alive, odds), odds)

    def titles(
        self, memory: NDArray[np.int64], alive: NDArray[np.bool_], odds: NDArray[np.float64]
    ) -> tuple[Fan, NDArray[np.int64]]:  # fmt: skip
        """u, from whole-word cells onto a dendrite for each living cue that is no text of its own, and the memory of each, [dendrite].

        odds: o, [cell].
        """
        apical = np.flatnonzero(self.cue & alive)
        dendrite, place = self.places(apical)
        used = self.whole[place] & (odds[self.cell[place]] > 0)
        cell, dendrite = self.cell[place[used]], dendrite[used]
        total = np.bincount(dendrite, odds[cell], len(apical))
        return Fan.of(cell, dendrite, odds[cell] / total[dendrite], len(odds)), memory[apical]

"""Whether a text affirms, denies or asks, as its word cells tell: words that English grammar closes.

    denies    where a cell of DENYING fires, or those of a contraction's two halves together (don + t)
    asks      where a cell of ASKING fires, or one of HELPING (did, would) in a text that denies nothing
    affirms   any other text with words

What a text says under the other polarity shares nearly all of its words: "A nurse is not fixing the lamp." Where a cue affirms, its words
inhibit, by a share `ca1.denial` of what they excite, memories whose own text denies, and the other way round. A text that asks, or
supposes, does neither: what answers it may well have a "not". Word order is not heard, so that a question without any of these words
counts as affirming, and a statement with one ("a man who sings") as asking; a text with one denial among many sentences counts as denying.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.bcpnn import UNIT, Fan
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.kernels.index_cells import word_drive

if TYPE_CHECKING:  # it imports this module
    from spikemem.hippocampus.regions.pathways import Synapses, Taught

AFFIRMS, DENIES, NEITHER = 0, 1, -1
"""Polarities: the first two have cells; a text that asks, or has no words, is neither."""
DENYING = (
    "cannot neither never no nobody none nor not nothing nowhere without "
    "ain aren couldn didn doesn hadn hasn haven isn mustn needn shouldn wasn weren wouldn "  # what stands before 't
    "aint arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mustnt shouldnt wasnt werent wouldnt"
)
"""Words that deny by themselves."""
HALVES = "can don won"
"""Words that deny where a `t` is there, too."""
ASKING = "how what when where which who whom whose why"
"""Words that ask."""
HELPING = "could did do does should would"
"""Verbs that stand beside another in questions, denials and suppositions."""


class _Listed(NamedTuple):
    """The words of this module, by word cell (CSR).

    ptr: [cell + 1].   word: [synapse].   size, kind: how many cells a word has, and what it says, [word].
    """

    ptr: NDArray[np.int64]
    word: NDArray[np.int64]
    size: NDArray[np.int64]
    kind: NDArray[np.int64]


@cache
def _listed(cells: int) -> _Listed:
    kinds = [(text, k) for k, texts in enumerate((DENYING, HALVES, "t", ASKING, HELPING)) for text in texts.split()]
    made = [words(text, cells).cells for text, _ in kinds]
    fan = Fan.of(np.concatenate(made), np.repeat(np.arange(len(made)), [len(m) for m in made]), np.ones(sum(map(len, made))), cells)
    return _Listed(fan.ptr, fan.target, np.array([len(m) for m in made]), np.array([kind for _, kind in kinds]))


def of_texts(ptr: NDArray[np.int64], cell: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    """The polarity of texts, [text].   ptr, cell: the word cells of each, CSR.   cells: how many word cells there are.

    A word is heard where all its cells fire, that of the whole word and those of its spelling: words that share one cell are no others.
    """
    listed, texts = _listed(cells), len(ptr) - 1
    fan_out = listed.ptr[cell + 1] - listed.ptr[cell]
    hit = np.flatnonzero(fan_out)
    times = fan_out[hit]
    synapse = np.repeat(listed.ptr[cell[hit]] - np.cumsum(times) + times, times) + np.arange(times.sum())
    text = np.repeat(np.searchsorted(ptr, hit, side="right") - 1, times)
    pair, fired = np.unique(text * len(listed.size) + listed.word[synapse], return_counts=True)
    text, word = np.divmod(pair, len(listed.size))
    heard = fired == listed.size[word]
    spoken = np.zeros((5, texts), bool)
    spoken[listed.kind[word[heard]], text[heard]] = True
    denies, half, t, asks, helps = spoken
    denies = denies | (half & t)
    neither = asks | (helps & ~denies) | (np.diff(ptr) == 0)
    return np.where(neither, NEITHER, np.where(denies, DENIES, AFFIRMS))


def of_cues(cue_words: CueWords, cells: int) -> NDArray[np.int64]:
    """The polarity of each cue, [n]."""
    ptr, cell, _ = cue_words.flat()
    return of_texts(ptr, cell, cells)


def of_memories(taught: "Taught") -> NDArray[np.int64]:
    """The polarity of each memory's own text, [memory]; NEITHER where it is forgotten."""
    lexicon, spec = taught.lexicon, taught.spec.lex
    of_key = of_texts(lexicon.ptr, lexicon.cell, spec.cells if spec else 1)
    return np.where(taught.alive, of_key, NEITHER)[taught.content]


def cells(said: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which cells of `ec_polarity` fire, one where a text affirms, one where it denies, both where it does neither, [n, 2].

    said: polarities, [n].
    """
    return (said[:, None] == [AFFIRMS, DENIES]) | (said[:, None] == NEITHER)


def taken(taught: "Taught", cue: Words, by_words: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much a cue excites each memory less in the rate twin, [memory].   by_words: what its words bring to their contents, [memory]."""
    spec = taught.spec
    said = int(of_cues(CueWords((cue,)), spec.lex.cells if spec.lex else 1)[0])
    opposed = taught.polarity == 1 - said if said != NEITHER else np.zeros(len(by_words), bool)
    return spec.ca1.denial * np.where(opposed, by_words, 0.0)


class Inhibition(NamedTuple):
    """From word cells onto the memories of a polarity (CSR).   ptr: [cell + 1].   memory, weight: in 1/64, [synapse]."""

    ptr: NDArray[np.int64]
    memory: NDArray[np.int64]
    weight: NDArray[np.int64]


class Denial:
    """Inhibition of memories by the words of a cue of the other polarity.

    of_memory: their polarities, [memory].   onto: from the words of a cue that affirms, and of one that denies.
    """

    def __init__(self, s: "Synapses") -> None:
        memories, cells = len(s.content), len(s.words.ptr) - 1
        self.of_memory, owner = s.polarity, np.full(len(s.memory), -1)
        owner[s.content] = np.arange(memories)
        memory = owner[s.words.target]
        weight = np.round(UNIT * s.spec.ca1.denial * s.words.weight)
        hears = np.where(memory >= 0, np.append(self.of_memory, NEITHER)[memory], NEITHER)
        self.onto: list[Inhibition] = []
        for said in (AFFIRMS, DENIES):
            these = np.flatnonzero((hears == 1 - said) & (weight > 0))
            fan = Fan.of(s.words.source[these], memory[these], weight[these], cells)
            self.onto.append(Inhibition(fan.ptr, fan.target, fan.weight.astype(np.int64)))

    def words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The cells of `ec_denial`, one for each word that inhibits under a polarity: their word cells and polarities, [cell]."""
        used = [np.flatnonzero(np.diff(onto.ptr)) for onto in self.onto]
        return np.concatenate(used), np.repeat([AFFIRMS, DENIES], [len(u) for u in used])

    def synapses(self, s: "Synapses") -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """From the cells of `ec_denial` onto all living index cells of the memories that they inhibit: cell, key and weight."""
        size = [np.diff(onto.ptr) for onto in self.onto]
        cell = np.repeat(np.arange(sum(np.count_nonzero(n) for n in size)), np.concatenate([n[n > 0] for n in size]))
        memory, weight = (np.concatenate([onto[i] for onto in self.onto]) for i in (1, 2))
        living = np.flatnonzero(s.alive)
        living = living[np.argsort(s.memory[living], kind="stable")]
        start, stop = (np.searchsorted(s.memory[living], memory, side=side) for side in ("left", "right"))
        which = np.repeat(np.arange(len(memory)), stop - start)
        key = np.arange(len(which)) - np.repeat(np.cumsum(stop - start) - (stop - start), stop - start) + start[which]
        return cell[which], living[key], -weight[which] / UNIT

    def drive(self, cues: Sequence[Words], said: NDArray[np.int64]) -> NDArray[np.int64]:
        """How much cues excite each memory less, in 1/64, [n, memory].   said: their polarities, [n]."""
        made = np.zeros((len(cues), len(self.of_memory)), np.int64)
        for i in np.flatnonzero(said != NEITHER):
            ptr, memory, weight = self.onto[said[i]]
            made[i] = word_drive(cues[i].cells, cues[i].spikes, ptr, memory, weight, made.shape[1])[0]
        return made

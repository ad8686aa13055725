"""Whether a text affirms, denies or asks, as its word cells tell: words that English grammar closes.

    denies    where a cell of DENYING fires, or those of a contraction's two halves together (don + t)
    asks      where a cell of ASKING fires, or one of HELPING (did, would) in a text that denies nothing
    affirms   any other text with words

What a text says under the other polarity shares nearly all of its words: "A nurse is not fixing the lamp." Where a cue affirms, its words
inhibit, by a share `ca1.denial` of what they excite, memories whose own text denies, and the other way round. A text that asks, or
supposes, does neither: what answers it may well have a "not". Word order is not heard, so that a question without any of these words
counts as affirming, and a statement with one ("a man who sings") as asking; a text with one denial among many sentences counts as denying.
"""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.bcpnn import UNIT, Fan
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.kernels import polarity as kernel
from spikemem.kernels.polarity import AFFIRMS as AFFIRMS
from spikemem.kernels.polarity import DENIES as DENIES
from spikemem.kernels.polarity import NEITHER as NEITHER

if TYPE_CHECKING:  # it imports this module
    from spikemem.hippocampus.regions.pathways import Synapses, Taught

DENIERS = "cannot neither never no nobody none nor not nothing nowhere without"
"""Words that deny, as English writes them."""
DENYING = (
    f"{DENIERS} "
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
    lists = {kernel.DENYING: DENYING, kernel.HALF: HALVES, kernel.T: "t", kernel.ASKING: ASKING, kernel.HELPING: HELPING}
    kinds = [(text, kind) for kind, texts in lists.items() for text in texts.split()]
    made = [words(text, cells).cells for text, _ in kinds]
    fan = Fan.of(np.concatenate(made), np.repeat(np.arange(len(made)), [len(m) for m in made]), np.ones(sum(map(len, made))), cells)
    return _Listed(fan.ptr, fan.target, np.array([len(m) for m in made]), np.array([kind for _, kind in kinds]))


def of_texts(ptr: NDArray[np.int64], cell: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    """The polarity of texts, [text].   ptr, cell: the word cells of each, CSR.   cells: how many word cells there are.

    A word is heard where all its cells fire, that of the whole word and those of its spelling: words that share one cell are no others.
    """
    return kernel.polarities(ptr, cell, *_listed(cells))


def of_cues(cue_words: CueWords, cells: int) -> NDArray[np.int64]:
    """The polarity of each cue, [n]."""
    ptr, cell, _ = cue_words.flat()
    return of_texts(ptr, cell, cells)


def of_memories(taught: "Taught") -> NDArray[np.int64]:
    """The polarity of each memory's own text, [memory]; NEITHER where it is forgotten."""
    lexicon, spec = taught.lexicon, taught.spec.lex
    of_key = of_texts(lexicon.ptr, lexicon.cell, spec.cells if spec else 1)
    return np.where(taught.alive, of_key, NEITHER)[taught.content]


def cells(polarity: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which cells of `ec_polarity` fire, one where a text affirms, one where it denies, both where it does neither, [n, 2]."""
    return (polarity[:, None] == [AFFIRMS, DENIES]) | (polarity[:, None] == NEITHER)


def opposed(taught: "Taught", cue: Words) -> NDArray[np.bool_]:
    """The memories that deny what a cue affirms, or affirm what it denies, [memory]."""
    spec = taught.spec.lex
    own = int(of_cues(CueWords((cue,)), spec.cells if spec else 1)[0])
    return taught.polarity == (1 - own if own != NEITHER else NEITHER - 1)


class Denial:
    """Inhibition of memories by the words of a cue of the other polarity.

    ptr: where the synapses of a word cell under a polarity begin, [polarity cells + cell].   memory, weight: in 1/64, [synapse].
    """

    def __init__(self, s: "Synapses") -> None:
        self.memories, self.cells, owner = len(s.content), len(s.words.ptr) - 1, np.full(len(s.memory), -1)
        owner[s.content] = np.arange(self.memories)
        memory, weight = owner[s.words.target], np.round(UNIT * s.spec.ca1.denial * s.words.weight)
        hears = np.where(memory >= 0, s.polarity[memory], NEITHER)
        these = np.flatnonzero((hears != NEITHER) & (weight > 0))
        under = (1 - hears[these]) * self.cells + s.words.source[these]
        fan = Fan.of(under, memory[these], weight[these], 2 * self.cells)
        self.ptr, self.memory, self.weight = fan.ptr, fan.target, fan.weight.astype(np.int64)

    def words(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The cells of `ec_denial`, one for each word that inhibits under a polarity: their word cells and polarities, [cell]."""
        polarity, word = np.divmod(np.flatnonzero(np.diff(self.ptr)), self.cells)
        return word, polarity

    def synapses(self, s: "Synapses") -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """From the cells of `ec_denial` onto all living index cells of the memories that they inhibit: cell, key and weight."""
        size = np.diff(self.ptr)
        cell = np.repeat(np.arange(np.count_nonzero(size)), size[size > 0])
        living = np.flatnonzero(s.alive)
        living = living[np.argsort(s.memory[living], kind="stable")]
        start, stop = (np.searchsorted(s.memory[living], self.memory, side=side) for side in ("left", "right"))
        times = stop - start
        which = np.repeat(np.arange(len(times)), times)
        key = living[np.arange(len(which)) - np.repeat(np.cumsum(times) - times - start, times)]
        return cell[which], key, -self.weight[which] / UNIT

"""Word cells of entorhinal cortex: which cells a text makes spike.

    whole word      cell  crc32("=" + w) mod cells
    its spelling    cells crc32(g) mod cells,  g: the character 4-grams of "_" + w + "_"

A text is normalised (NFKC, case folded) and cut into words: runs of letters, digits and underscores with their combining marks, and
symbols (emoji with what modifies and joins them; flags), each a word of its own. Scripts that put no space between words (Han, Kana,
Thai, Lao, Khmer, Myanmar) have no such runs: there each character, and every two that follow one another, count as a whole word, and
have no spelling. A character is a letter with its combining marks.

Cells are found by hashing, so that there is no dictionary to learn, to keep or to fill (Weinberger 2009); spelling makes words
of one stem share cells (Bojanowski 2017).
"""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import INDEX, Checks, shown
from spikemem.errors import TextError

GRAM = 4
"""Characters of a piece of spelling."""
UNSPACED = ("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "HALFWIDTH KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
"""Beginnings of the Unicode names of letters whose script puts no space between words."""
JOINER = "\u200d"
"""Zero-width joiner, between the parts of an emoji."""
IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
"""Invisible characters that neither part words nor tell them apart: soft hyphens, non-joiners, directions, variation selectors."""
TOKEN = re.compile(r"w[wmj]*|(?P<unspaced>u[umj]*)|s[mk]*(?:js[mk]*)*|rr?|k")
"""A word, as a pattern in the letters that `kinds` gives."""
CHARACTER = re.compile("u[mj]*")


class Words(NamedTuple):
    """A text as spikes of word cells.

    cells: word cells that spike, ascending, int64, [m].   spikes: how often each, int64, [m].   whole: of whole words, bool, [m].
    """

    cells: NDArray[np.int64]
    spikes: NDArray[np.int64]
    whole: NDArray[np.bool_]


def words(text: str, cells: int) -> Words:
    """The word cells that a text makes spike; none for a text of punctuation only.   cells: how many word cells there are.

    >>> from spikemem.hippocampus import words
    >>> cats = words("Cats, cats and a catfish", 2**16)
    >>> sorted(cats.spikes[cats.whole].tolist())  # cats twice
    [1, 1, 1, 2]
    """
    if not isinstance(text, str):
        raise TextError(f"words are those of a text, not of {shown(text)}")
    cells = Checks(TextError).integer(cells, "cells", least=1, most=INDEX)
    spikes, whole = dict[int, int](), set[int]()
    for (word, spaced), n in Counter(_tokens(text)).items():
        own, spelling = _hashed(word, spaced)
        whole.add(own % cells)
        for hashed in (own, *spelling):
            spikes[hashed % cells] = spikes.get(hashed % cells, 0) + n
    found = sorted(spikes)
    return Words(np.array(found, np.int64), np.array([spikes[c] for c in found], np.int64), np.array([c in whole for c in found], bool))


@lru_cache(maxsize=2**16)
def _hashed(word: str, spaced: bool) -> tuple[int, tuple[int, ...]]:
    """The CRC of a whole word, and those of its spelling; texts mostly have words that others had before."""
    padded = f"_{word}_"
    pieces = [padded[i : i + GRAM] for i in range(max(1, len(padded) - GRAM + 1))] if spaced else []
    return zlib.crc32(f"={word}".encode()), tuple(zlib.crc32(piece.encode()) for piece in pieces)


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """The words of a text one after the other, and whether each has a spelling."""
    folded = IGNORED.sub("", unicodedata.normalize("NFKC", text).casefold())
    plain = unicodedata.normalize("NFKC", folded)  # once more: folding and what was left out may have parted a letter from its mark
    kind = kinds(plain)
    for token in TOKEN.finditer(kind):
        a, b = token.span()
        if token["unspaced"] is None:
            word = plain[a:b]
            yield word if kind[a] == "s" else word.replace(JOINER, ""), True
            continue
        characters = [plain[c.start() : c.end()].replace(JOINER, "") for c in CHARACTER.finditer(kind, a, b)]
        for word in (*characters, *map("".join, pairwise(characters))):
            yield word, False


def kinds(text: str) -> str:
    """The kind of each character of a text, as a letter: a string of the same length.

    w: letter, digit or underscore.   u: letter of a script without spaces.   m: mark.   s: symbol.   k: skin tone.   r: half of a flag.
    j: joiner.   a space: white space.   a full stop: anything else.
    """
    return text.translate(_KINDS)


class _Kinds(dict[int, str]):
    """Kinds of characters, found when first looked up."""

    def __missing__(self, point: int) -> str:
        self[point] = kind = _kind(chr(point))
        return kind


_KINDS = _Kinds()


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "L" or character == "\u3007":  # the ideograph for nought is a number to Unicode
        return "u" if unicodedata.name(character, "").startswith(UNSPACED) else "w"
    if category[0] == "N" or character == "_":
        return "w"
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return "k"
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return "r"
    if category[0] == "M" or "\U000e0020" <= character <= "\U000e007f":  # tags spell out the flags of regions
        return "m"
    if category == "So":
        return "s"
    if character == JOINER:
        return "j"
    return " " if character.isspace() else "."

"""Denials without simulation (numba): what texts say by listed words (what is taken away: `index_drives.denial_drive`)."""

import numpy as np
from numba import njit

from spikemem.kernels import CACHE
from spikemem.kernels.types import I64

AFFIRMS, DENIES, NEITHER = 0, 1, -1
"""Polarities: the first two have cells; a text that asks, or has no words, is neither."""
DENYING, HALF, T, ASKING, HELPING = 1, 2, 4, 8, 16
"""What a listed word is; two halves of a contraction deny together, and helping verbs ask where nothing denies."""


@njit(cache=CACHE)
def polarities(ptr: I64, cell: I64, listed_ptr: I64, word: I64, size: I64, kind: I64) -> I64:
    """The polarity of each text, [text]; a listed word is heard where all its cells fire.

    ptr, cell: the word cells of texts (CSR).   listed_ptr, word: from word cells to listed words (CSR).   size: cells of each listed
    word.   kind: what it is.
    """
    polarity, fired = np.full(len(ptr) - 1, NEITHER, np.int64), np.zeros(len(size), np.int64)
    for text in range(len(polarity)):
        found = 0
        for c in cell[ptr[text] : ptr[text + 1]]:
            for s in range(listed_ptr[c], listed_ptr[c + 1]):
                fired[word[s]] += 1
                if fired[word[s]] == size[word[s]]:
                    found |= kind[word[s]]
        for c in cell[ptr[text] : ptr[text + 1]]:
            for s in range(listed_ptr[c], listed_ptr[c + 1]):
                fired[word[s]] = 0
        denies = found & DENYING > 0 or found & (HALF | T) == HALF | T
        if ptr[text + 1] > ptr[text] and not found & ASKING and (denies or not found & HELPING):
            polarity[text] = DENIES if denies else AFFIRMS
    return polarity

"""Denials without simulation (numba): which words of a list texts say, and what words of the other polarity take away."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikemem.kernels import CACHE

I64 = NDArray[np.int64]


@njit(cache=CACHE)
def said(ptr: I64, cell: I64, listed_ptr: I64, word: I64, size: I64, kind: I64) -> I64:
    """What the words of each text say, as a sum of 2^kind over listed words all of whose cells fire, [text].

    ptr, cell: the word cells of texts (CSR).   listed_ptr, word: from word cells to listed words (CSR).   size, kind: of each listed word.
    """
    found, fired = np.zeros(len(ptr) - 1, np.int64), np.zeros(len(size), np.int64)
    for text in range(len(found)):
        for c in cell[ptr[text] : ptr[text + 1]]:
            for s in range(listed_ptr[c], listed_ptr[c + 1]):
                fired[word[s]] += 1
                if fired[word[s]] == size[word[s]]:
                    found[text] |= 1 << kind[word[s]]
        for c in cell[ptr[text] : ptr[text + 1]]:
            for s in range(listed_ptr[c], listed_ptr[c + 1]):
                fired[word[s]] = 0
    return found


@njit(cache=CACHE)
def taken(ptr: I64, cell: I64, spikes: I64, polarity: I64, onto: tuple[I64, I64, I64], memories: int) -> I64:
    """The drive that cues take away from memories, as it is added: 0 or less, [n, memory].

    ptr, cell, spikes: word cells of cues (CSR).   polarity: of each, 0, 1, or less than 0 for none.
    onto: where the synapses of cell c of polarity p begin, at [p cells + c]; their memories; and their weights.
    """
    start, memory, weight = onto
    cells, made = (len(start) - 1) // 2, np.zeros((len(polarity), memories), np.int64)
    for i in range(len(polarity)):
        if polarity[i] >= 0:
            for w in range(ptr[i], ptr[i + 1]):
                c = polarity[i] * cells + cell[w]
                for s in range(start[c], start[c + 1]):
                    made[i, memory[s]] -= spikes[w] * weight[s]
    return made

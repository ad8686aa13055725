"""Excitability of CA3's cells, which together with chance decides to which of them a memory is allocated.

    u_i(t) = v_i[floor(t / T_i + phi_i)]         T_i ~ Gamma(2, lasting),   phi_i ~ U(0, 1),   v_i[k] ~ U(0, 1)
    excitable at t                               the share f of cells of the lowest u_i(t)
    engram                                       `core` of these cells, by chance

A cell's excitability is drawn anew at times of its own, whatever is stored, so that after a time d a share of exp(-d / lasting) of all
cells is as excitable as it was. Memories of one afternoon share cells, and those of different weeks do not (Cai et al. 2016): the
engrams of two that lie a time d apart have

    1 + (1 / f - 1) exp(-d / lasting)            times as many cells in common as by chance,

and excitable cells are 1 / f times as often in an engram as all cells are (in mice, CREB makes them so: Han et al. 2007; Yiu et al. 2014).
An engram so follows its memory's number, its moment and the seed, and nothing else: neither what was stored or forgotten around it, nor
how often a file was opened changes it. That excitability changes by itself over hours, and so links what is encoded meanwhile, is how Mau,
Hasselmo and Cai (2020) explain linking; what a memory itself adds to the excitability of its cells is left out.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spikemem.kernels.draws import uniforms

HOUR = 3600.0
"""s."""
RENEWAL, VALUES, MEMBERS = 4, 5, 6
"""Which of a seed's random numbers say when a cell becomes otherwise excitable, how excitable, and which cells are an engram."""


def excitable(moment: float, cells: int, share: float, lasting: float, seed: int) -> NDArray[np.int64]:
    """The cells that are excitable at a moment, in the order of their index.   moment: s since 1970.   share: f.   lasting: h.

    >>> noon, evening, next_week = (excitable(t * HOUR, 20000, 0.25, 8.0, seed=0) for t in (12.0, 20.0, 180.0))
    >>> len(noon), [round(len(np.intersect1d(noon, later)) / len(noon), 2) for later in (noon, evening, next_week)]
    (5000, [1.0, 0.52, 0.25])
    """
    period, phase = _renewal(cells, lasting, seed)
    u = uniforms(seed, VALUES, np.floor(moment / period + phase).astype(np.int64))
    return np.sort(np.argsort(u, kind="stable")[: round(share * cells)])


@lru_cache(maxsize=8)
def _renewal(cells: int, lasting: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How often each cell becomes otherwise excitable: its period T, s, [cell], and phase phi, [cell]."""
    rng = np.random.default_rng([seed, RENEWAL])
    return rng.gamma(2.0, lasting * HOUR, cells), rng.random(cells)


def allocated(
    numbers: NDArray[np.int64], moments: NDArray[np.float64], cells: int, core: int, share: float, lasting: float, seed: int
) -> NDArray[np.uint16]:  # fmt: skip
    """The cells of the engrams of memories, [n, core], in the order of their index.

    numbers: of the memories, [n].   moments: at which they are encoded, s since 1970, [n].   share: f.   lasting: h.

    >>> engrams = allocated(np.arange(3), np.zeros(3), cells=64, core=10, share=0.5, lasting=8.0, seed=0)
    >>> engrams.shape, bool(np.isin(engrams, excitable(0.0, 64, 0.5, 8.0, seed=0)).all())
    ((3, 10), True)
    """
    made = np.zeros((len(numbers), core), np.uint16)
    for moment in np.unique(moments):
        pool = excitable(float(moment), cells, share, lasting, seed)
        for i in np.flatnonzero(moments == moment):
            made[i] = np.random.default_rng([seed, MEMBERS, int(numbers[i])]).choice(pool, core, replace=False, shuffle=False)
    return np.sort(made, axis=1)

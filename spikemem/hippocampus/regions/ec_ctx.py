"""Context and time cells of entorhinal cortex: a memory is bound to the words of the turns around it, and to its moment.

    c_i = rho c_{i-1} + words of turn i                 (the temporal context model: Howard and Kahana 2002)
    W_wk += forward rho^(d-1) W_wj                      for the turn j that lies d turns before the memory of k, in the same session
    W_wk += backward forward rho^(d-1) W_wj             for the turn j that lies d turns after it

`ec_ctx` has a cell for each word cell, which a cue fires with it; its synapses onto index cells bind what lingers while these are taught.
What lingers is taken to be gone after `reach` turns, so that the sums run over d = 1 to `reach`, and like all synapses of words these are
derived from the order of what was stored; the drift itself is not simulated. Forward binding is the stronger, as in free recall (Kahana
1996). A session's end is an event boundary: nothing lingers past it.

Cells of the moment (`ec_time`) each stand for a span of time, a day, a week, a month, a quarter, a year, in several staggered grids. A
memory is bound to the cells of its moment; a cue about a time excites it through them the more, the nearer it lies on a logarithmic scale.
"""

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.bcpnn import UNIT
from spikemem.hippocampus.spec import ContextSpec

DAY = 86400.0
SPANS = (DAY, 7 * DAY, 30 * DAY, 91 * DAY, 365 * DAY)
"""Widths of the cells' receptive fields, s."""
GRIDS = 4
"""Staggered grids of each width, so that what lies close by shares most cells wherever the borders are."""
NO_SESSION = -1
"""The session of a memory that belongs to none."""
FARTHEST = 1e15
"""s; moments lie nearer to 1970 than this, some thirty million years, so that the numbers of their cells are exact."""


def weights(spec: ContextSpec) -> NDArray[np.int64]:
    """The strength of binding to each neighbour (`shares`) in whole units of 1/64, int64, [2 reach]."""
    return np.round(UNIT * shares(spec)).astype(np.int64)


def shares(spec: ContextSpec) -> NDArray[np.float64]:
    """The strength of binding to each neighbour, as a share of that to the turn itself: d = 1, 2, ... before, then after, [2 reach]."""
    fall = spec.forward * spec.drift ** np.arange(spec.reach)
    return np.concatenate([fall, spec.backward * fall])


def neighbours(spec: ContextSpec, session: NDArray[np.int64], alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The memories that lie 1, 2, ... before and after each memory in its session, -1 where there is none, [memory, 2 reach]."""
    n, reach = len(session), spec.reach
    found = np.full((n, 2 * reach), -1, np.int64)
    living = np.flatnonzero(alive & (session != NO_SESSION))
    order = living[np.argsort(session[living], kind="stable")]
    for d in range(1, reach + 1):
        early, late = order[:-d], order[d:]
        same = session[early] == session[late]
        found[late[same], d - 1] = early[same]
        found[early[same], reach + d - 1] = late[same]
    return found


def moment_cells(when: NDArray[np.float64]) -> NDArray[np.int64]:
    """The cells of moments, s since 1970, as numbers made of span, grid and field, int64, [n, spans x grids]; -1 where unknown."""
    cells = []
    for s, span in enumerate(SPANS):
        for g in range(GRIDS):
            field = np.floor(np.nan_to_num(when) / span + g / GRIDS).astype(np.int64)
            cells.append(((field + 2**40) * len(SPANS) + s) * GRIDS + g)
    return np.where(np.isnan(when)[:, None], -1, np.stack(cells, axis=1))


def shared_moment(when: NDArray[np.float64], around: float) -> NDArray[np.int64]:
    """How many cells of the moment each memory shares with that of a cue, [memory]; at most spans x grids."""
    return (moment_cells(when) == moment_cells(np.array([around]))[0]).sum(1)

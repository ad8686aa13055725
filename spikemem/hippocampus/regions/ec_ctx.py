"""Context and time cells of entorhinal cortex: a memory is bound to the words of the turns around it, and to its moment.

    c_i = rho c_{i-1} + words of turn i                 (the temporal context model: Howard and Kahana 2002)
    W_wk += forward rho^(d-1) W_wj                      for the turn j that lies d turns before the memory of k, in the same session
    W_wk += backward forward rho^(d-1) W_wj             for the turn j that lies d turns after it

`ec_ctx` has a cell for each word cell, which a cue fires with it; its synapses onto index cells bind what lingers while these are taught.
What lingers is taken to be gone after `reach` turns, so that the sums run over d = 1 to `reach`, and like all synapses of words these are
derived from the order of what was stored; the drift itself is not simulated. Forward binding is the stronger, as in free recall (Kahana
1996). A session's end is an event boundary: nothing lingers past it.

Cells of the moment (`ec_time`) each stand for a span of time, a day, a week, a month, a quarter, a year, in several staggered grids. A
memory is bound to the cells of its moment, or moments, where it happened again; a cue about a time excites it through them the more, the
nearer it lies on a logarithmic scale.
"""

from typing import NamedTuple

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


class Moments(NamedTuple):
    """When memories happened, and happened again.

    when: the latest moment of each, s since 1970, NaN where unknown, [memory].   again: memories that have further moments, [m].
    earlier: these moments, [m].
    """

    when: NDArray[np.float64]
    again: NDArray[np.int64]
    earlier: NDArray[np.float64]

    @classmethod
    def none(cls) -> "Moments":
        """Of no memories."""
        return cls(np.zeros(0), np.zeros(0, np.int64), np.zeros(0))

    def added(self, when: NDArray[np.float64]) -> "Moments":
        """With those of new memories, [n]."""
        return self._replace(when=np.concatenate([self.when, when]))

    def renewed(self, memory: int, when: float) -> "Moments":
        """With a further moment of a memory; `when` keeps the latest.

        >>> Moments.none().added(np.array([5.0, np.nan])).renewed(0, 9.0).renewed(0, 9.0).renewed(1, 2.0)
        Moments(when=array([9., 2.]), again=array([0]), earlier=array([5.]))
        """
        known = self.when[memory]
        if np.isnan(when) or when == known or when in self.earlier[self.again == memory]:
            return self
        latest = self.when.copy()
        latest[memory] = np.fmax(known, when)
        if np.isnan(known):
            return self._replace(when=latest)
        return Moments(latest, np.append(self.again, memory), np.append(self.earlier, min(known, when)))

    def cells(
        self, around: float | None = None, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
        """The memories and the cells that they are bound to, each pair once, [pair]; those of `around`, or of some memories, alone."""
        some = np.arange(len(self.when)) if among is None else among
        again = slice(None) if among is None else np.isin(self.again, among)
        memory = np.concatenate([some, self.again[again]])
        cells = moment_cells(np.concatenate([self.when[some], self.earlier[again]]))
        wanted = cells >= 0 if around is None else cells == moment_cells(np.array([around]))[0]
        row, column = np.nonzero(wanted)
        if not len(self.again):
            return memory[row], cells[row, column]
        pairs = np.unique(np.stack([memory[row], cells[row, column]]), axis=1)
        return pairs[0], pairs[1]


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


def shared_moment(moments: Moments, around: float) -> NDArray[np.int64]:
    """How many cells of the moment each memory shares with that of a cue, [memory]; at most spans x grids."""
    return np.bincount(moments.cells(around)[0], minlength=len(moments.when))

"""Memories that live: a recall strengthens what it brings, each memory stored ages all others, and what has aged out is silent.

The gain and the ageing of `hippocampus.lifespans` on a memory's file. Age is counted in memories stored since, so that ids tell it, and
a recall writes the rows of what it has brought alone.
"""

import math
import sqlite3
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SpikememError
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.memory.contents import Contents
from spikemem.memory.opening import Made
from spikemem.memory.results import Hits

FEW = 16
"""Cells of EC that are compared first."""


class Living(Contents):
    """What answers a cue, and how long memories live."""

    def _answering(self, vectors: NDArray[np.float32], scope: str | None, where: str | None) -> NDArray[np.bool_] | None:
        """The memories that may answer cues, [row]; None where all may: those that match and are not silent.

        Of the silent ones those answer of which a cue is the very code: EC fires as it did when they were stored.
        """
        matching, awake = self._index.matching(scope, where), self._index.awake()
        if awake is None:
            return matching
        keys, counts = self.hippocampus.circuit.keys, ec.encode(self.spec.ec, vectors)
        silent = np.flatnonzero(keys.alive & ~awake[keys.memory])
        for own in counts:  # a few cells tell most keys apart
            some = silent[(keys.counts[silent, :FEW] == own[:FEW]).all(1)]
            awake[keys.memory[some[(keys.counts[some] == own).all(1)]]] = True
        return awake if matching is None else awake & matching

    def _gains(self, found: Recall, hits: Sequence[Hits]) -> dict[int, float]:
        """Lifespans that recalls give to the memories they brought: R a_i each, a_i the share of the attention of the R hits of a cue."""
        gains = dict[int, float]()
        if math.isinf(self.lifespan):
            return gains
        for own, rows, attention in zip(hits, found.competitors, found.attention, strict=True):
            ids = [hit.id for hit in own]
            given = dict.fromkeys(ids, 0.0)
            for row, share in zip(rows.tolist(), attention.tolist(), strict=True):
                if row != NONE and (i := self._index.id_at(row)) in given:
                    given[i] += share
            whole = sum(given.values())
            for i in ids:
                gains[i] = gains.get(i, 0.0) + (len(ids) * given[i] / whole if whole else 1.0)
        return gains

    def _live_for(self, made: Made) -> None:
        """Let memories live for another lifespan from now on; what is left of each, in lifespans, stays, if there was one before."""
        with self._changing(), self._in_step():
            rows = [] if math.isinf(self.lifespan) else self._index.rescaled(made.lifespan)
            self._store.change(*rows, meta={"model": made.entry()})
            self._load()

    def _remember(self, gains: Mapping[int, float]) -> None:
        """Write down what recalls gave; nothing where no memory ages, or where the file is only read."""
        if gains and not math.isinf(self.lifespan) and not self._store.readonly:
            try:
                with self._changing():
                    self._live_longer(gains)
            except (SpikememError, sqlite3.Error, OSError) as error:
                warnings.warn(f"what was recalled could not be strengthened: {error}", UserWarning, stacklevel=4)

    def _live_longer(self, gains: Mapping[int, float]) -> None:
        """Give memories further lifespans, within a change; nothing where no memory ages. Those that are gone by now are left out."""
        if math.isinf(self.lifespan):
            return
        rows = [self._index.strengthened(i, gain) for i, gain in gains.items() if i in self._index]
        with self._in_step():
            self._store.change(*rows)
            for row in rows:
                self._index.change(row)

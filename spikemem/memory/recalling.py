"""Recalling texts: a cue becomes a vector and words, the hippocampus answers, its answer becomes hits."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.hippocampus.membership import engrams_of
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.memory.answers import answers, hit
from spikemem.memory.by_context import ByContext
from spikemem.memory.embed import Embedder, Progress, embedded, embedder_of
from spikemem.memory.items import words_of
from spikemem.memory.labels import Labels, metadata_entry, scope_entry
from spikemem.memory.results import Hit, Hits
from spikemem.memory.texts import check, seconds, text_of, texts_of


class Recalling(ByContext):
    """What a memory recalls. Recalls of several threads run side by side."""

    @property
    def embedder(self) -> Embedder:
        """The embedder, which makes vectors of texts; loaded when it is first needed."""
        if isinstance(self._embedder, str):
            self._embedder = embedder_of(self._embedder)
        return self._embedder

    def _embedded(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Unit vectors of texts, by one thread at a time."""
        with self._embedding.alone():
            return embedded(self.embedder, texts, self.spec.ec.dim, progress)

    def recall(
        self,
        cue: str,
        top_k: int = 3,
        record: bool = False,
        *,
        around: datetime | None = None,
        cycles: int = 2,
        scope: Labels | None = None,
        where: Labels | None = None,
        history: bool = False,
    ) -> Hits:
        """The memories that a cue brings back, best first.

        In a model with gates (hippocampus-gated) none, where the read gate stays shut: the memory holds no answer to the cue.
        `hits.read` is the share of the gate's cells that fired, `hits.withheld` the memories that came nearest.

        record: simulate every spike; `hits.recording` holds them, and `hits.gates` those of the gates.
        around: a time that the memories are near, in UTC where it has no zone. It counts beside meaning and words: a memory of that very
        moment gains as much as the model's `ca1.time`, the share of a meaning that is the cue's own; one farther away gains less, one of
        over a year away, or without a time, nothing. It excludes nothing, except that of the versions of a memory that one answers which
        held then.
        cycles: theta cycles; from the second on, what was recalled primes what is associated with it: its successors (`associate`), and
        memories whose further cues (titles, say) its words name. Where none are stored, more cycles change nothing.
        scope, where: of user, agent and run, and of metadata, what a memory must have; all others are silent.
        history: also what was superseded (`hit.current` is False).
        """
        return self.recall_all([cue], top_k, record, around=around, cycles=cycles, scope=scope, where=where, history=history)[0]

    def recall_all(
        self,
        cues: Iterable[str],
        top_k: int = 3,
        record: bool = False,
        progress: Progress | None = None,
        *,
        around: datetime | None = None,
        cycles: int = 2,
        scope: Labels | None = None,
        where: Labels | None = None,
        history: bool = False,
    ) -> list[Hits]:
        """`recall` for many cues in one batch; a recording is that of the whole batch."""
        self._store.check_open()
        history = check.flag(history, "history")
        given, near, wanted = texts_of(cues, "cues"), seconds(around), (scope_entry(scope), metadata_entry(where))
        if not given:
            return []
        words, vectors = words_of(self.spec, given), self._embedded(given, progress)
        with self._looking():
            among = self._answering(vectors, *wanted)
            heard = None if among is None and not history else self.hippocampus.heard(near, among, history)
            found = self.hippocampus.recall(vectors, top_k, words=words, around=near, heard=heard, cycles=cycles, record=record)
            hits = answers(found, PATHWAYS, self._index, self.hippocampus.circuit)
            gains = self._gains(found, hits)
        self._remember(gains)
        return hits

    def recall_chain(self, cue: str, hops: int = 1, *, scope: Labels | None = None, where: Labels | None = None) -> list[Hit]:
        """The memories that follow the one that the cue recalls, one a hop; shorter where the chain ends.

        Where a memory has no successor (`associate`) the chain goes on by spreading: to the best match of the cue, not yet visited, among
        the memories whose further cues are named by the words of those visited; it ends where there are none.
        A hit's score is its likeness to the cue, which is no measure of the hop. In a model with gates there are none where the read gate
        stays shut, as in `recall`.   scope, where: see `recall`.
        """
        self._store.check_open()
        given, wanted = text_of(cue), (scope_entry(scope), metadata_entry(where))
        vector, words = self._embedded([given]), words_of(self.spec, [given])
        with self._looking():
            heard = self.hippocampus.heard(None, self._answering(vector, *wanted))
            if not self.hippocampus.reads(vector, words, heard)[0]:
                return []
            ids = self.hippocampus.recall_chain(vector, hops, words=words, heard=heard)[0]
            ids = ids[ids != NONE]
            scores = self.hippocampus.contents(ids) @ (vector[0] / np.linalg.norm(vector[0]))
            engrams = engrams_of(self.hippocampus.circuit, ids)
            hits = [hit(self._index, *one) for one in zip(ids, scores, engrams, strict=True)]
        self._remember({one.id: 1.0 for one in hits})
        return hits

    async def arecall(self, cue: str, *args: Any, **kwargs: Any) -> Hits:
        """`recall`, in a thread, for programs that run on asyncio."""
        return await asyncio.to_thread(self.recall, cue, *args, **kwargs)

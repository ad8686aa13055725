"""Recall from context alone: freely, in order, and which of two memories came first.

The context is that of the order in which memories were stored. It drifts in a circuit of its own (`hippocampus.free_recall`,
`hippocampus.temporal_context`), which studies the memories of a session anew at each call; what their texts mean plays no part.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from spikemem._checks import shown
from spikemem.errors import TimeError, UnknownMemoryError
from spikemem.hippocampus.free_recall import END, IN_ORDER, FreeRecall
from spikemem.hippocampus.membership import engrams_of
from spikemem.hippocampus.temporal_context import MOST_MOMENTS, TemporalContext
from spikemem.memory.answers import hit
from spikemem.memory.labels import Labels, matches, scope_entry
from spikemem.memory.living import Living
from spikemem.memory.results import Hit, Hits
from spikemem.memory.texts import check, seconds

SPAN = 100
"""Memories that one recall studies: those around where it starts."""


class ByContext(Living):
    """What a memory recalls without a cue."""

    def recall_freely(
        self,
        session: int | None = None,
        start: str | datetime = "end",
        most: int | None = None,
        *,
        seed: int = 0,
        scope: Labels | None = None,
    ) -> Hits:
        """The memories of a session in the order in which they come to mind, without a cue; about seven, as people recall lists.

        The session is studied and recalled in spikes (`FreeRecall`), with numbers fitted to people's recall of word lists: its end and its
        beginning come more easily, and what was stored side by side comes one after the other. A hit's latency is in ms since the
        beginning of recall; its score is 0, as there is no cue. Recall ends by silence, after about a minute of simulated time.

        session: its number (`Record.session`); None: the last one, or, where no memory belongs to one, all memories.
        start: the moment whose context recall starts from: "end", "beginning", or the time of the memory nearest to it. Of a session of
        more than 100 memories the 100 around it are studied.   most: how many hits at most.   seed: of the noise.
        scope: whose memories, as in `recall`. What is silent (see `Memory.open`) does not come, and what comes lives no longer for it.

        Raises UnknownMemoryError where there is no such session, TimeError where `start` is none of these.
        """
        limit, seed = None if most is None else check.integer(most, "most", least=1), check.seed(seed)
        with self._looking():
            ids = self._of_session(session, scope)
            if not ids:
                return Hits([], novelty=1.0)
            some, place = self._around(ids, start)
            found = FreeRecall().run(len(some), [place], seed, most=limit)
            return Hits(self._recalled([some[i] for i in found.items[0] if i >= 0], found.times[0].tolist())[:limit], novelty=0.0)

    def recall_in_order(self, session: int | None = None, *, seed: int = 0, scope: Labels | None = None) -> Hits:
        """The memories of a session from its beginning on, each leading to the next by its context (`IN_ORDER`).

        It ends where context leads to none, or after 100. Latencies, session, seed and scope: see `recall_freely`.
        """
        seed = check.seed(seed)
        with self._looking():
            ids = self._of_session(session, scope)[:SPAN]
            if not ids:
                return Hits([], novelty=1.0)
            found = IN_ORDER.run(len(ids), [0], seed)
            return Hits(self._recalled([ids[i] for i in found.items[0] if i >= 0], found.times[0].tolist()), novelty=0.0)

    def which_first(self, a: int, b: int, *, seed: int = 0) -> int:
        """The id of the one of two memories that seems to be the earlier one, by context that fades from the beginning on.

        They are told apart in spikes (`TemporalContext`), among the memories of their session where they share one, else among all; the
        closer they are, and the later, the more often wrongly, whichever is given first.   seed: of the noise.

        Raises UnknownMemoryError where one is unknown or was superseded, where both are the same, and beyond 4,096 memories.
        """
        seed = check.seed(seed)
        with self._looking():
            one, other = self._index[a], self._index[b]
            if one.id == other.id:
                raise UnknownMemoryError(f"{shown(a)} twice; give two different memories")
            shared = one.session is not None and one.session == other.session
            ids = [m.id for m in self._index if m.current and (not shared or m.session == one.session)]
            if gone := [m.id for m in (one, other) if not m.current]:
                raise UnknownMemoryError(f"memory {gone[0]} was superseded; give what holds in its place")
            if len(ids) > MOST_MOMENTS:
                raise UnknownMemoryError(f"{len(ids):,} memories to order two of, more than {MOST_MOMENTS:,}; give two of one session")
            places = sorted((ids.index(one.id), ids.index(other.id)))
            rng = np.random.default_rng([seed, *places])  # who asks first, and the noise, are the pair's own
            return ids[int(TemporalContext().first(len(ids), [rng.permutation(places)], int(rng.integers(2**31)))[0])]

    def _of_session(self, session: int | None, scope: Labels | None) -> list[int]:
        """The ids of the memories of a session that hold and may come, in their order."""
        wanted = scope_entry(scope)
        current = [m for m in self._index if m.current and self._index.strength(m.id) and matches(m.scope, wanted)]
        numbers = sorted({memory.session for memory in current if memory.session is not None})
        if session is None:
            return [memory.id for memory in current if not numbers or memory.session == numbers[-1]]
        if isinstance(session, bool) or session not in numbers:
            known = f"there are {numbers[0]} to {numbers[-1]}" if numbers else "no memory belongs to one"
            raise UnknownMemoryError(f"session is {shown(session)}; {known}, or give None")
        return [memory.id for memory in current if memory.session == session]

    def _around(self, ids: Sequence[int], start: object) -> tuple[Sequence[int], int]:
        """At most SPAN of some memories, and the place among them that recall starts from, or END."""
        if isinstance(start, str) and start in ("end", "beginning"):
            return (ids[-SPAN:], END) if start == "end" else (ids[:SPAN], 0)
        if not isinstance(start, datetime):
            raise TimeError(f'start is {shown(start)}; it must be "end", "beginning" or a datetime')
        then, when = seconds(start) or 0.0, [self._index.happened(i) for i in ids]
        apart = [math.inf if at is None else abs(at - then) for at in when]
        if math.isinf(min(apart)):
            raise TimeError('no memory of the session has a date; give "end" or "beginning"')
        place = int(np.argmin(apart))
        first = min(max(0, place - SPAN // 2), max(0, len(ids) - SPAN))
        return ids[first : first + SPAN], place - first

    def _recalled(self, ids: Sequence[int], times: Sequence[float]) -> list[Hit]:
        """The hits of memories in the order of their recall, with their times, ms."""
        rows = [self._index.row(i) for i in ids]
        engrams = engrams_of(self.hippocampus.circuit, np.array(rows, np.int64))
        made = [hit(self._index, row, 0.0, engram) for row, engram in zip(rows, engrams, strict=True)]
        return [replace(one, latency=ms) for one, ms in zip(made, times, strict=False)]

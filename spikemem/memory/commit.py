"""Writing a storing plan to disk, then carrying it out in RAM, which therefore never holds what is not on disk."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.storing import StorePlan
from spikemem.memory.index import Index
from spikemem.memory.items import Item, recoded, stored_keys
from spikemem.memory.results import Decision
from spikemem.memory.rows import Occurrence, StoredMemory
from spikemem.memory.store import Store


class ItemBatch(NamedTuple):
    """Items that are written in one transaction; in a model with gates one item, which an old memory may take up.

    vectors: of each item's keys, float32, [key, d].   sessions: the number of each item's session, or None.   origin: a note for all.
    next_session: the number after the last session of the call.
    """

    items: Sequence[Item]
    vectors: Sequence[NDArray[np.float32]]
    sessions: Sequence[int | None]
    origin: str | None
    next_session: int


class SessionNumbers:
    """The numbers of the sessions of one call, given when its first block is stored.   first: of session 0, or None.   n: how many."""

    def __init__(self, first: int | None, n: int) -> None:
        self._first, self._n = first, n

    def numbers(self, items: Sequence[Item], following: Callable[[], int]) -> tuple[list[int | None], int]:
        """The number of each item's session, and the one after the last of the call.   following: gives the first that is free."""
        if not self._n:
            return [None] * len(items), 0
        if self._first is None:
            self._first = following()
        first = self._first
        return [None if item.session is None else first + item.session for item in items], first + self._n


def commit(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> list[int]:
    """Write the changes of a plan to disk, then make them in RAM; returns the ids of the memories that hold the items."""
    if not plan.stays:
        return _write_new(store, index, hippocampus, plan, batch)
    return [_refresh(store, index, hippocampus, plan, batch)]


def _write_new(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> list[int]:
    """Add memories, on disk and then in RAM; returns their ids."""
    first, now = store.next_id(), time.time()
    ids = list(range(first, first + len(batch.items)))
    codes, meta = recoded(plan.recoding, hippocampus.circuit.keys.alive)
    meta |= {"next_id": str(ids[-1] + 1).encode(), **_next_session(store, batch)}
    rows = [
        StoredMemory.of(_occurrence(i, item, now, batch.origin, n), item.scope)
        for i, item, n in zip(ids, batch.items, batch.sessions, strict=True)
    ]
    old = None if plan.superseded == NONE else index[index.id_at(plan.superseded)]
    keys = stored_keys(plan, batch.items, batch.vectors, ids, [] if old is None else store.keys(old.id))
    after = None if old is None else replace(old, superseded_by=ids[0], until=plan.until)
    store.add(rows, keys, codes, meta, after)
    hippocampus.apply(plan, ids, now)
    index.add(rows)
    if after is not None:
        index.change(after)
    return ids


def _next_session(store: Store, batch: ItemBatch) -> dict[str, bytes]:
    if all(n is None for n in batch.sessions):
        return {}
    return {"next_session": str(max(store.next_session(), batch.next_session)).encode()}


def _occurrence(i: int, item: Item, now: float, origin: str | None, session: int | None) -> Occurrence:
    return Occurrence(i, item.text, now, origin, item.happened, session, item.speaker, item.metadata)


def _refresh(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> int:
    """Add an item's new keys, and how it occurred, to the memory that holds it already, on disk and then in RAM; returns its id."""
    (item,), (session,), old = batch.items, batch.sessions, index[index.id_at(plan.old)]
    keys, since = stored_keys(plan, batch.items, batch.vectors, [old.id]), len(hippocampus.circuit.keys)
    again = _occurrence(old.id, item, time.time(), batch.origin, session)
    store.refresh(again, keys, _next_session(store, batch))
    hippocampus.apply(plan)
    index.word(keys, since)
    index.occur([again])
    return old.id


def decision(index: Index, plan: StorePlan, text: str) -> Decision:
    """The gates' decision about a text, from its plan, before it is committed; `id` is filled in after that."""
    old = None if plan.old == NONE else index.id_at(plan.old)
    gates, spikes, key = ({}, None, NONE) if plan.verdict is None else (plan.verdict.shares, plan.verdict.recording, plan.verdict.key)
    held = index.wording(old, key) if old is not None and (plan.stays or plan.superseded != NONE) else None
    return Decision(text, plan.action.value, NONE, old, gates, spikes, held)

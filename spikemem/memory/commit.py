"""Writing a storing plan to disk, then carrying it out in RAM, which therefore never holds what is not on disk."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.storing import StorePlan
from spikemem.memory.index import Index
from spikemem.memory.items import Item, adaptation_entry, stored_keys
from spikemem.memory.results import Decision
from spikemem.memory.rows import StoredMemory
from spikemem.memory.store import Store


class ItemBatch(NamedTuple):
    """Items that are written in one transaction; in a model with gates one item, which an old memory may take up.

    vectors: of each item's keys, float32, [key, d].   sessions: the number of each item's session, or None.   origin: a note for all.
    """

    items: Sequence[Item]
    vectors: Sequence[NDArray[np.float32]]
    sessions: Sequence[int | None]
    origin: str | None


def commit(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> list[int]:
    """Write the changes of a plan to disk, then make them in RAM; returns the ids of the memories that hold the items."""
    if not plan.stays:
        return _write_new(store, index, hippocampus, plan, batch)
    old = index.id_at(plan.old)
    _refresh(store, index, hippocampus, plan, batch, old)
    return [old]


def _write_new(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> list[int]:
    """Add memories, on disk and then in RAM; returns their ids."""
    forgotten = None if plan.forgotten == NONE else index.id_at(plan.forgotten)
    first, now, ca1, codes = store.next_id(), time.time(), hippocampus.circuit.ca1, None
    ids = list(range(first, first + len(batch.items)))
    meta = {"next_id": str(ids[-1] + 1).encode()}
    if plan.recoding is not None:
        codes = plan.recoding.codes[: len(ca1)][ca1.alive & (ca1.memory != plan.forgotten)]
        meta |= adaptation_entry(plan.recoding.adaptation)
    if numbers := [n for n in batch.sessions if n is not None]:
        meta["next_session"] = str(max(store.next_session(), *(n + 1 for n in numbers))).encode()
    rows = [
        StoredMemory(i, item.text, now, batch.origin, item.happened, n) for i, item, n in zip(ids, batch.items, batch.sessions, strict=True)
    ]
    keys = stored_keys(plan, batch.items, batch.vectors, ids, [] if forgotten is None else store.keys(forgotten))
    store.add(rows, keys, codes, meta, forgotten)
    hippocampus.apply(plan)
    index.add(rows)
    if forgotten is not None:
        index.drop([forgotten])
    return ids


def _refresh(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch, i: int) -> None:
    """Add an item's new keys and its time to memory i, which holds it already, on disk and then in RAM."""
    keys, since, happened = stored_keys(plan, batch.items, batch.vectors, [i]), len(hippocampus.circuit.ca1), batch.items[0].happened
    store.refresh(i, time.time(), happened, keys)
    hippocampus.apply(plan)
    index.word(keys, since)
    if happened is not None:
        index.renew(i, happened)


def decision(store: Store, index: Index, plan: StorePlan, text: str) -> Decision:
    """The gates' decision about a text, from its plan, before it is committed; `id` is filled in after that."""
    old = None if plan.old == NONE else index.id_at(plan.old)
    gates, spikes, key = ({}, None, NONE) if plan.verdict is None else (plan.verdict.shares, plan.verdict.recording, plan.verdict.key)
    held = index.wording(old, key) if old is not None and plan.stays else None
    forgotten: tuple[str, ...] = ()
    if old is not None and plan.forgotten != NONE:
        forgotten = (index[old].text, *(k.wording for k in store.keys(old) if k.wording is not None))
    return Decision(text, plan.action.value, NONE, old, gates, spikes, forgotten, held)

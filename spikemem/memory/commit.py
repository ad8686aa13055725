"""From a plan to disk and RAM: rows are written first, and what is in RAM never runs ahead of them."""

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
    """Items that become durable together; in a model with gates one, which may become part of an old memory.

    vectors: of each item's keys, float32, [key, d].   sessions: the number of each item's session, or None.   origin: a note for all.
    """

    items: Sequence[Item]
    vectors: Sequence[NDArray[np.float32]]
    sessions: Sequence[int | None]
    origin: str | None


def commit(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> list[int]:
    """Write what a plan changes to disk, then do it in RAM; returns the ids of the memories that hold the items."""
    if not plan.stays:
        return _write_new(store, index, hippocampus, plan, batch)
    old = index.id_at(plan.old)
    _refresh(store, index, hippocampus, plan, batch, old)
    return [old]


def _write_new(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch) -> list[int]:
    """New memories, on disk and then in RAM; returns their ids."""
    lost = None if plan.forgotten == NONE else index.id_at(plan.forgotten)
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
    keys = stored_keys(plan, batch.items, batch.vectors, ids, [] if lost is None else store.keys(lost))
    store.add(rows, keys, codes, meta, lost)
    hippocampus.apply(plan)
    index.add(rows)
    if lost is not None:
        index.drop([lost])
    return ids


def _refresh(store: Store, index: Index, hippocampus: Hippocampus, plan: StorePlan, batch: ItemBatch, i: int) -> None:
    """What an item brought to memory i, which knew it, on disk and then in RAM."""
    keys, since, happened = stored_keys(plan, batch.items, batch.vectors, [i]), len(hippocampus.circuit.ca1), batch.items[0].happened
    store.refresh(i, time.time(), happened, keys)
    hippocampus.apply(plan)
    index.word(keys, since)
    if happened is not None:
        index.renew(i, happened)


def decision(store: Store, index: Index, plan: StorePlan, text: str) -> Decision:
    """What the gates decided about a text, told before it is carried out; the id is not yet known where a memory is new."""
    old = None if plan.old == NONE else index.id_at(plan.old)
    gates, spikes, key = ({}, None, NONE) if plan.verdict is None else (plan.verdict.shares, plan.verdict.recording, plan.verdict.key)
    held = index.wording(old, key) if old is not None and plan.stays else None
    forgotten: tuple[str, ...] = ()
    if old is not None and plan.forgotten != NONE:
        forgotten = (index[old].text, *(k.wording for k in store.keys(old) if k.wording is not None))
    return Decision(text, plan.action.value, NONE, old, gates, spikes, forgotten, held)

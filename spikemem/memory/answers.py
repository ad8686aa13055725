"""A hippocampus's recall as hits, with each pathway's share of their scores, and what is stored of a memory as a record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from spikemem.hippocampus.associations import Associations
from spikemem.hippocampus.holding import Holding
from spikemem.hippocampus.membership import Engram, engrams_of
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.memory.index import Index
from spikemem.memory.labels import labels
from spikemem.memory.results import Hit, Hits, Occasion, Record
from spikemem.memory.rows import Occurrence
from spikemem.memory.store import Store
from spikemem.memory.texts import moment


def answers(found: Recall, pathways: Sequence[str], index: Index, circuit: Holding) -> list[Hits]:
    """The hits of each cue of a batch, with their engrams.   pathways: names of the columns of `Recall.drives`."""
    n, late = len(found.ids), found.latency
    read = [None] * n if found.read is None else found.read.tolist()
    assert found.keys is not None  # of a rate twin alone
    rows = np.unique(found.ids[found.ids != NONE])
    engrams = dict(zip(rows.tolist(), engrams_of(circuit, rows), strict=True))
    hits = (
        [
            hit(index, i, score, engrams[int(i)], dict(zip(pathways, map(float, drives), strict=True)), key)
            for i, score, drives, key in row
            if i != NONE
        ]
        for row in (zip(*cue, strict=True) for cue in zip(found.ids, found.scores, found.drives, found.keys, strict=True))
    )
    if late is not None:
        hits = ([replace(one, latency=float(ms)) for one, ms in zip(own, at, strict=False)] for own, at in zip(hits, late, strict=True))
    spikes = found.gates or [None] * n
    return [
        Hits(own, float(new), found.recording, out, gates) for own, new, out, gates in zip(hits, found.novelty, read, spikes, strict=True)
    ]


def hit(index: Index, row: int, score: float, engram: Engram, drives: dict[str, float] | None = None, key: int = NONE) -> Hit:
    """The hit of the memory in a row.   key: that answered; where it is a further wording of the memory, it gives the text."""
    i = index.id_at(row)
    when, current, strength = _moment(index.happened(i)), index[i].current, index.strength(i)
    return Hit(i, index.wording(i, key), float(score), when, drives or {}, current, engram=engram, strength=strength)


def recorded(index: Index, store: Store, links: Associations, ids: Sequence[int]) -> list[Record]:
    """What is stored of memories.   links: of their rows."""
    cues = dict[int, list[str]]()
    for memory, text in store.cues(None if len(ids) != 1 else ids[0]):
        cues.setdefault(memory, []).append(text)
    return [_record(index, i, cues.get(i, []), sorted(map(index.id_at, links.after(index.row(i))))) for i in ids]


def _record(index: Index, i: int, cues: Sequence[str], links: Sequence[int]) -> Record:
    memory = index[i]
    return Record(
        memory.id, memory.text, moment(memory.stored), _moment(index.happened(memory.id)), memory.origin, memory.speaker, memory.session,
        labels(memory.scope), labels(memory.metadata), tuple(cues), tuple(links), memory.current,
        None if memory.current else memory.superseded_by, _moment(memory.until),
        tuple(map(_occasion, (memory.first, *index.occurrences(i)))), index.strength(memory.id),
    )  # fmt: skip


def _occasion(o: Occurrence) -> Occasion:
    return Occasion(o.text, moment(o.stored), _moment(o.happened), o.origin, o.speaker, o.session, labels(o.metadata))


def _moment(given: float | None) -> datetime | None:
    return None if given is None else moment(given)

"""Memories as plain mappings, a line of JSON each: what `Memory.export` gives and `Memory.import_` takes.

    {"id": 3, "text": "Ada lives in Rome.", "stored": "2024-05-01T08:00:00+00:00", "when": null, "origin": null, "speaker": null,
     "session": null, "scope": {}, "metadata": {}, "superseded_by": null, "until": null, "strength": 1.0,
     "keys": [{"kind": "content", "text": "Ada lives in Rome.", "words": null}, {"kind": "cue", "text": "Where is Ada?", "words": null}],
     "occasions": [{"text": ..., "stored": ..., "when": ..., "origin": ..., "speaker": ..., "session": ..., "metadata": ...}],
     "links": [4]}

Times are ISO 8601 in UTC; `when` is the first time that it happened, `occasions` are the further times that it was stored. With vectors
each key has a `vector`, a list of numbers. What is taken in gets new ids, unless the memory is empty, and new sessions, in the order of the
records; links, versions and sessions among the records are kept.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import shown
from spikemem.errors import SpikememError, TextError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.memory.items import Item, ItemKey, new_memories, recoded, stored_keys
from spikemem.memory.labels import labels, metadata_entry, scope_entry
from spikemem.memory.rows import MOST_NUMBER, KeyKind, Occurrence, Rows, StoredKey, StoredMemory, has_direction
from spikemem.memory.store import Store
from spikemem.memory.texts import moment, note_of, parse_time, seconds, text_of

Record = Mapping[str, Any]


def exported(store: Store, vectors: bool) -> list[dict[str, Any]]:
    """Everything in a file, a mapping for each memory.   vectors: also those of each key."""
    with store.reading():
        return list(records(store.rows(), vectors))


def records(rows: Rows, vectors: bool) -> Iterator[dict[str, Any]]:
    """Rows as mappings, a memory each."""
    keys, occurrences, links = dict[int, list[StoredKey]](), dict[int, list[Occurrence]](), dict[int, list[int]]()
    for key in rows.keys:
        keys.setdefault(key.memory, []).append(key)
    for occurrence in rows.occurrences:
        occurrences.setdefault(occurrence.memory, []).append(occurrence)
    for pre, post in rows.links:
        links.setdefault(pre, []).append(post)
    for m in rows.memories:
        yield {
            "id": m.id, **_told(m.first),
            "scope": labels(m.scope), "superseded_by": m.superseded_by, "until": _iso(m.until), "strength": m.strength,
            "keys": [_key(key, vectors) for key in keys.get(m.id, ())],
            "occasions": [_told(o) for o in occurrences.get(m.id, ())], "links": links.get(m.id, []),
        }  # fmt: skip


def _told(o: Occurrence) -> dict[str, Any]:
    return {
        "text": o.text, "stored": _iso(o.stored), "when": _iso(o.happened), "origin": o.origin, "speaker": o.speaker, "session": o.session,
        "metadata": labels(o.metadata),
    }  # fmt: skip


def _key(key: StoredKey, vectors: bool) -> dict[str, Any]:
    made = {"kind": key.kind.name.lower(), "text": key.text, "words": key.words}
    return made | ({"vector": key.vector.tolist()} if vectors and len(key.vector) else {})


def _iso(time: float | None) -> str | None:
    return None if time is None else moment(time).isoformat()


@dataclass(frozen=True, eq=False)
class Transfer:
    """Records, checked, as rows to be written, whose ids and sessions are still those of the records.

    items: the memories with their keys.   memories: their rows.   vectors: of each key, or None where it has to be embedded.
    occurrences: further times that they were stored.   links: among them.
    """

    items: list[Item]
    memories: list[StoredMemory]
    vectors: list[list[NDArray[np.float32] | None]]
    occurrences: list[Occurrence]
    links: list[tuple[int, int]]

    @classmethod
    def of(cls, given: Sequence[Record], dim: int) -> "Transfer":
        """Checked records; TextError, naming the first that is none.   dim: of vectors."""
        made = cls([], [], [], [], [])
        for n, record in enumerate(given):
            try:
                if not isinstance(record, Mapping):
                    raise TextError(f"it is {type(record).__name__}, not a mapping")
                made._take(record, dim)
            except (SpikememError, KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError) as error:
                what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
                raise TextError(f"record {n} is no exported memory: {what}") from error
        order, there = [m.id for m in made.memories], {m.id for m in made.memories}
        if len(there) < len(order) or order != sorted(order):
            raise TextError("the records' ids do not rise; give them in the order in which they were exported, each once")
        made.links[:] = [pair for pair in made.links if set(pair) <= there and pair[0] != pair[1]]
        return made

    def _take(self, record: Record, dim: int) -> None:
        first = _occurrence(record)
        scope, by, until = scope_entry(record.get("scope") or None), _whole(record.get("superseded_by")), _seconds(record.get("until"))
        strength = float(record.get("strength", 1.0))
        if first.memory < 0 or (by is not None and by <= first.memory) or not 0 <= strength < np.inf:
            raise ValueError("its id, what superseded it, or its strength is out of range")
        keys = [
            ItemKey(KeyKind[key["kind"].upper()], text_of(key["text"]), text_of(key.get("words") or key["text"])) for key in record["keys"]
        ]
        if [key.kind for key in keys].count(KeyKind.CONTENT) != 1 or keys[0].kind is not KeyKind.CONTENT:
            raise ValueError("its first key is its content, and no other one is")
        if keys[0].embedded != first.text:
            raise ValueError("its content is not its text")
        item = Item(first.text, keys, first.happened, first.session, first.speaker, scope, first.metadata)
        self.items.append(item)
        self.memories.append(StoredMemory.of(first, scope, superseded_by=by, until=until, strength=strength))
        self.vectors.append([None if key.get("vector") is None else _vector(key["vector"], dim) for key in record["keys"]])
        self.occurrences.extend(_occurrence({**again, "id": first.memory}) for again in record.get("occasions", ()))
        self.links.extend((first.memory, int(post)) for post in map(_whole, record.get("links", ())) if post is not None)

    def missing(self) -> list[str]:
        """The texts that have to be embedded, each once."""
        pairs = ((key, v) for item, own in zip(self.items, self.vectors, strict=True) for key, v in zip(item.keys, own, strict=True))
        return list(dict.fromkeys(key.embedded for key, vector in pairs if vector is None))

    def filled(self, embedded: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The vectors of all keys, [key, d] for each memory.   embedded: those of `missing`."""
        known = dict(zip(self.missing(), embedded, strict=True))
        return [
            np.stack([known[key.embedded] if v is None else v for key, v in zip(item.keys, own, strict=True)])
            for item, own in zip(self.items, self.vectors, strict=True)
        ]


def taken_in(store: Store, hippocampus: Hippocampus, new: Transfer, vectors: list[NDArray[np.float32]], session: int) -> list[int]:
    """Write a transfer into a file in one transaction; RAM is to be derived anew after it. Returns the new ids.

    Into an empty file, in which no id was given, it goes under the ids that it has, where these leave room for as many again.
    session: the number of the first new session.
    """
    first = store.next_id()
    kept = not first and new.memories[-1].id <= MOST_NUMBER // 2
    number = {m.id: m.id if kept else first + n for n, m in enumerate(new.memories)}
    named = sorted({s for s in (*(m.session for m in new.memories), *(o.session for o in new.occurrences)) if s is not None})
    sessions = {old: session + n for n, old in enumerate(named)} | {None: None}
    plan = hippocampus.plan_all(new_memories(hippocampus.spec, new.items, vectors, [sessions[m.session] for m in new.memories]))
    ids = [number[m.id] for m in new.memories]
    keys = stored_keys(plan, new.items, vectors, ids)
    memories = [
        replace(
            m, id=number[m.id], session=sessions[m.session], superseded_by=None if m.superseded_by is None else number.get(m.superseded_by)
        )
        for m in new.memories
    ]
    codes, meta = recoded(plan.recoding, hippocampus.circuit.keys.alive)
    meta |= {"next_id": str(ids[-1] + 1).encode(), "next_session": str(session + len(named)).encode()}
    again = [replace(o, memory=number[o.memory], session=sessions[o.session]) for o in new.occurrences]
    store.add(memories, keys, codes, meta, occurrences=again, links=[(number[a], number[b]) for a, b in new.links])
    return ids


def _occurrence(record: Record) -> Occurrence:
    i, stored = _whole(record["id"]), _seconds(record["stored"])
    if i is None or stored is None:
        raise ValueError("it has no id, or no time of storing")
    return Occurrence(
        i, text_of(record["text"]), stored, note_of(record.get("origin"), "origin"), _seconds(record.get("when")),
        _whole(record.get("session")), note_of(record.get("speaker"), "speaker"), metadata_entry(record.get("metadata") or None),
    )  # fmt: skip


def _whole(number: object) -> int | None:
    if number is None or (isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MOST_NUMBER):
        return number
    raise ValueError(f"{shown(number)} is no id or number of a session")


def _seconds(time: object) -> float | None:
    if time is not None and not isinstance(time, str | datetime):
        raise ValueError(f"{shown(time)} is no time in ISO 8601")
    return seconds(parse_time(time) if isinstance(time, str) else time)


def _vector(numbers: Iterable[float], dim: int) -> NDArray[np.float32]:
    vector = np.asarray(numbers, np.float32)
    if not has_direction(vector, dim):
        raise ValueError(f"a vector is {dim} finite numbers that are not all nought")
    return vector

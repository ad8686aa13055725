"""Texts to be stored, with their keys, and their conversion to what a hippocampus and a store take."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import TextError
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.dg import Adaptation
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.spec import ModelSpec
from spikemem.hippocampus.storing import NewMemories, Recoding, StorePlan
from spikemem.memory.conversation import Turn
from spikemem.memory.labels import Labels, metadata_entry, scope_entry
from spikemem.memory.rows import KeyKind, StoredKey
from spikemem.memory.texts import check, pieces, seconds, texts_of


@dataclass(frozen=True)
class ItemKey:
    """A key of a memory to be stored.   embedded: the text that is embedded.   words: the text that drives the word cells."""

    kind: KeyKind
    embedded: str
    words: str


@dataclass(frozen=True)
class Item:
    """A memory to be stored.

    keys: its content, the pieces of its text, its further cues.   happened: s since 1970, or None.   session: its number among the sessions
    of one call.   speaker: who said it, or None.   scope, metadata: as they are stored (`memory.labels`).
    """

    text: str
    keys: list[ItemKey]
    happened: float | None
    session: int | None
    speaker: str | None = None
    scope: str | None = None
    metadata: str | None = None

    @classmethod
    def of(cls, text: str, cues: Sequence[str], happened: float | None, session: int | None, words: str | None = None) -> "Item":
        """An item with the keys of its text and cues.   words: the text that drives the word cells, if not `text`."""
        parts = [ItemKey(KeyKind.PIECE, piece, piece) for piece in pieces(text)]
        return cls(
            text, [ItemKey(KeyKind.CONTENT, text, words or text), *parts, *(ItemKey(KeyKind.CUE, c, c) for c in cues)], happened, session
        )

    @classmethod
    def of_turn(cls, turn: Turn, session: int, scope: str | None = None, metadata: str | None = None) -> "Item":
        """The item of a turn of a conversation."""
        item = cls.of(turn.line, [], seconds(turn.when), session, turn.captioned)
        return replace(item, speaker=turn.speaker or None, scope=scope, metadata=metadata)


def items_of(
    texts: Iterable[str],
    cues: Iterable[Iterable[str]] | None,
    when: datetime | Iterable[datetime | None] | None,
    sessions: Iterable[Hashable | None] | None,
    scope: Labels | None = None,
    metadata: Labels | Iterable[Labels | None] | None = None,
) -> list[Item]:
    """The arguments of `Memory.store_all` as items; TextError or TimeError where they do not fit."""
    given = texts_of(texts, "texts")
    further = [[] for _ in given] if cues is None else [texts_of(c, "cues") for c in check.listed(cues, "cues", "lists of texts")]
    times = [when] * len(given) if when is None or isinstance(when, datetime) else check.listed(when, "when", "times")
    labels = [None] * len(given) if sessions is None else check.listed(sessions, "sessions", "labels")
    notes = [metadata] * len(given) if metadata is None or isinstance(metadata, Mapping) else check.listed(metadata, "metadata", "mappings")
    for what, these in (("lists of cues", further), ("times", times), ("sessions", labels), ("metadata", notes)):
        if len(these) != len(given):
            raise TextError(f"{len(given)} texts need as many {what}, not {len(these)}")
    try:
        number = {label: i for i, label in enumerate(dict.fromkeys(label for label in labels if label is not None))}
    except TypeError as error:
        raise TextError(f"a session's label is a number, a text or the like: {error}") from error
    session = [None if label is None else number[label] for label in labels]
    where, kept = scope_entry(scope), [metadata_entry(note) for note in notes]
    items = [Item.of(*row) for row in zip(given, further, map(seconds, times), session, strict=True)]
    return [replace(item, scope=where, metadata=note) for item, note in zip(items, kept, strict=True)]


def words_of(spec: ModelSpec, texts: Sequence[str]) -> list[Words] | None:
    """The `Words` of texts, as spikes of word cells; None where the model has no word cells."""
    return None if spec.lex is None else [words(text, spec.lex.cells) for text in texts]


def words_of_keys(spec: ModelSpec, items: Sequence[Item]) -> list[list[Words]] | None:
    """The `Words` of each key of items; None where the model has no word cells."""
    return None if spec.lex is None else [[words(key.words, spec.lex.cells) for key in item.keys] for item in items]


def stored_keys(
    plan: StorePlan,
    items: Sequence[Item],
    vectors: Sequence[NDArray[np.float32]],
    ids: Sequence[int],
    superseded: Sequence[StoredKey] = (),
) -> list[StoredKey]:
    """The rows of a plan's new keys, in the order of the hippocampus.

    vectors: of each item's keys.   ids: of the memories that hold the items.   superseded: the keys of the memory that is superseded.
    """
    rows, codes = [], plan.keys.codes if plan.recoding is None else plan.recoding.codes[-len(plan.keys) :]
    for item, place, counts, code in zip(plan.keys.item, plan.keys.place, plan.keys.counts, codes, strict=True):
        if item == NONE:
            rows.append(replace(superseded[place], memory=ids[0], counts=counts, code=code))
            continue
        key = items[item].keys[place]
        kind = KeyKind.WORDING if plan.stays and key.kind is KeyKind.CONTENT else key.kind
        words = None if key.words == key.embedded else key.words
        rows.append(StoredKey(ids[item], key.embedded, vectors[item][place], counts, code, kind, words))
    return rows


def new_memories(
    spec: ModelSpec, items: Sequence[Item], vectors: Sequence[NDArray[np.float32]], sessions: Sequence[int | None]
) -> NewMemories:
    """Items as the arguments of a hippocampus.   vectors: of each item's keys.   sessions: the number of each item's session."""
    pieces = [sum(key.kind is KeyKind.PIECE for key in item.keys) for item in items]
    moments = when_array([item.happened for item in items])
    contents, variants = np.stack([own[0] for own in vectors]), [own[1:] for own in vectors]
    return NewMemories.of(spec, contents, None, variants, words_of_keys(spec, items), pieces, session_array(sessions), moments)


def adaptation_entry(learned: Adaptation) -> dict[str, bytes]:
    """DG's adaptation as an entry of a store."""
    flat = np.concatenate([np.ravel(np.asarray(part, np.float64)) for part in (learned.seen, learned.mean, learned.covariance)])
    return {"adaptation": flat.tobytes()}


def recoded(recoding: Recoding | None, alive: NDArray[np.bool_]) -> tuple[NDArray[np.uint16] | None, dict[str, bytes]]:
    """What a recoding changes in a store: new codes of the keys that are there, uint16, [key, k], or None, and entries.

    alive: of the hippocampus's keys before it, those that were not forgotten, bool, [key].
    """
    return (None, {}) if recoding is None else (recoding.codes[: len(alive)][alive], adaptation_entry(recoding.adaptation))


def session_array(numbers: Sequence[int | None]) -> NDArray[np.int64]:
    """Numbers of sessions as int64, [n]; -1 for None."""
    return np.array([NONE if n is None else n for n in numbers], np.int64)


def when_array(happened: Sequence[float | None]) -> NDArray[np.float64]:
    """Times in s since 1970 as float64, [n]; NaN for None."""
    return np.array([np.nan if h is None else h for h in happened], np.float64)

"""Texts to be stored, with their keys, and their conversion to what a hippocampus and a store take."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import TextError
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.dg import Adaptation
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.spec import ModelSpec
from spikemem.hippocampus.storing import NewMemories, StorePlan
from spikemem.memory.conversation import Turn
from spikemem.memory.rows import BREAK, KeyKind, StoredKey, StoredMemory
from spikemem.memory.texts import check_text, pieces, seconds


@dataclass(frozen=True)
class ItemKey:
    """A key of a memory to be stored.   embedded: the text that is embedded.   words: the text that drives the word cells."""

    kind: KeyKind
    embedded: str
    words: str


def worded(key: ItemKey) -> ItemKey:
    """The key of a content that becomes a further wording of another memory."""
    return ItemKey(KeyKind.WORDING, key.embedded, key.embedded + BREAK + key.words.removeprefix(key.embedded))


@dataclass(frozen=True)
class Item:
    """A memory to be stored.

    keys: its content, the pieces of its text, its further cues.   happened: s since 1970, or None.   session: its number among the sessions
    of one call.
    """

    text: str
    keys: list[ItemKey]
    happened: float | None
    session: int | None

    @classmethod
    def of(cls, text: str, cues: Sequence[str], happened: float | None, session: int | None, words: str | None = None) -> "Item":
        """An item with the keys of its text and cues.   words: the text that drives the word cells, if not `text`."""
        parts = [ItemKey(KeyKind.PIECE, piece, piece) for piece in pieces(text)]
        return cls(
            text, [ItemKey(KeyKind.CONTENT, text, words or text), *parts, *(ItemKey(KeyKind.CUE, c, c) for c in cues)], happened, session
        )

    @classmethod
    def of_turn(cls, turn: Turn, session: int) -> "Item":
        """The item of a turn of a conversation."""
        return cls.of(turn.line, [], seconds(turn.when), session, turn.captioned)


def items_of(
    texts: Sequence[str],
    cues: Sequence[Sequence[str]] | None,
    when: datetime | Sequence[datetime | None] | None,
    sessions: Sequence[Hashable | None] | None,
) -> list[Item]:
    """The arguments of `Memory.store_all` as items; TextError or TimeError where they do not fit."""
    if isinstance(texts, str) or any(isinstance(c, str) for c in cues or []):
        raise TextError("texts and cues are lists of texts, not one text; put it in brackets, or use `store`")
    texts = list(texts)
    further = [[] for _ in texts] if cues is None else [list(c) for c in cues]
    times = list(when) if isinstance(when, Sequence) and not isinstance(when, str) else [when for _ in texts]
    labels = [None for _ in texts] if sessions is None else list(sessions)
    for what, given in (("lists of cues", further), ("times", times), ("sessions", labels)):
        if len(given) != len(texts):
            raise TextError(f"{len(texts)} texts need as many {what}, not {len(given)}")
    for text in [*texts, *(c for some in further for c in some)]:
        check_text(text)
    number = {label: i for i, label in enumerate(dict.fromkeys(label for label in labels if label is not None))}
    session = [None if label is None else number[label] for label in labels]
    return [Item.of(*row) for row in zip(texts, further, map(seconds, times), session, strict=True)]


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
    overwritten: Sequence[StoredKey] = (),
) -> list[StoredKey]:
    """The rows of a plan's new keys, in the order of the hippocampus.

    vectors: of each item's keys.   ids: of the memories that hold the items.   overwritten: the keys of the memory that is overwritten.
    """
    rows, codes = [], plan.keys.codes if plan.recoding is None else plan.recoding.codes[-len(plan.keys) :]
    for item, place, counts, code in zip(plan.keys.item, plan.keys.place, plan.keys.counts, codes, strict=True):
        if item == NONE:
            rows.append(replace(overwritten[place], memory=ids[0], counts=counts, code=code))
            continue
        key = items[item].keys[place]
        key = worded(key) if plan.stays and key.kind is KeyKind.CONTENT else key
        rows.append(StoredKey(ids[item], key.words, vectors[item][place], counts, code, key.kind))
    return rows


def new_memories(
    spec: ModelSpec, items: Sequence[Item], vectors: Sequence[NDArray[np.float32]], sessions: Sequence[int | None]
) -> NewMemories:
    """Items as the arguments of a hippocampus.   vectors: of each item's keys.   sessions: the number of each item's session."""
    pieces = [sum(key.kind is KeyKind.PIECE for key in item.keys) for item in items]
    moments = when_array([item.happened for item in items])
    contents, variants = np.stack([own[0] for own in vectors]), [own[1:] for own in vectors]
    return NewMemories.of(spec, contents, None, variants, words_of_keys(spec, items), pieces, session_array(sessions), moments)


def arrays_of(
    spec: ModelSpec, memories: Sequence[StoredMemory], keys: Sequence[StoredKey], links: Sequence[tuple[int, int]]
) -> dict[str, NDArray[np.generic]]:
    """The rows of a store as entries of `Hippocampus.arrays`, memories in their order."""
    index = {m.id: i for i, m in enumerate(memories)}
    owner = np.array([index[k.memory] for k in keys])
    _, first = np.unique(owner, return_index=True)
    return {
        "counts": np.stack([k.counts for k in keys]), "codes": np.stack([k.code for k in keys]), "memory": owner,
        "content": first[owner], "alive": np.ones(len(keys), bool),
        "links": np.array([[index[a], index[b]] for a, b in links], np.int64).reshape(-1, 2),
        "cue": np.array([k.kind == KeyKind.CUE for k in keys]),
        "session": session_array([m.session for m in memories]), "when": when_array([m.happened for m in memories]),
        **joined(spec, [k.text for k in keys]),
    }  # fmt: skip


def adaptation_entry(learned: Adaptation) -> dict[str, bytes]:
    """DG's adaptation as an entry of a store."""
    flat = np.concatenate([np.ravel(np.asarray(part, np.float64)) for part in (learned.seen, learned.mean, learned.covariance)])
    return {"adaptation": flat.tobytes()}


def read_adaptation(blob: bytes | None, dim: int) -> dict[str, NDArray[np.generic]]:
    """DG's adaptation from an entry of a store (None: none), as entries of `Hippocampus.arrays`."""
    flat = np.frombuffer(blob, np.float64) if blob is not None else np.zeros(1 + dim + dim * dim)
    return {"seen": flat[:1], "mean": flat[1 : dim + 1], "covariance": flat[dim + 1 :].reshape(dim, dim)}


def joined(spec: ModelSpec, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The words of all keys, as entries of `Hippocampus.arrays`."""
    of_keys = words_of(spec, texts) or [words("", 1)] * len(texts)
    nothing = words("", 1)
    return {
        "words_ptr": np.cumsum([0, *(len(w.cells) for w in of_keys)]),
        "words_cell": np.concatenate([nothing.cells, *(w.cells for w in of_keys)]),
        "words_spikes": np.concatenate([nothing.spikes, *(w.spikes for w in of_keys)]),
        "words_whole": np.concatenate([nothing.whole, *(w.whole for w in of_keys)]),
    }


def session_array(numbers: Sequence[int | None]) -> NDArray[np.int64]:
    """Numbers of sessions as int64, [n]; -1 for None."""
    return np.array([NONE if n is None else n for n in numbers], np.int64)


def when_array(happened: Sequence[float | None]) -> NDArray[np.float64]:
    """Times in s since 1970 as float64, [n]; NaN for None."""
    return np.array([np.nan if h is None else h for h in happened], np.float64)

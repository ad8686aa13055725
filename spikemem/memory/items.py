"""Memories before they are stored, and what a hippocampus is told of them beside their vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory.conversation import Turn
from spikemem.memory.store import BREAK, KeyKind, KeyRow, MemoryRow
from spikemem.memory.texts import pieces, seconds
from spikemem.snapshot import Arrays


@dataclass(frozen=True)
class Key:
    """A key of a memory.   said: what the embedder hears.   heard: what the word cells hear."""

    kind: KeyKind
    embedded: str
    words: str


def worded(key: Key) -> Key:
    """A content as a further wording of another memory."""
    return Key(KeyKind.WORDING, key.embedded, key.embedded + BREAK + key.words.removeprefix(key.embedded))


@dataclass(frozen=True)
class Item:
    """A memory.   keys: its content, the pieces of its text, its further cues.   session: its number among the sessions of one call."""

    text: str
    keys: list[Key]
    happened: float | None
    session: int | None

    @classmethod
    def of(cls, text: str, cues: Sequence[str], happened: float | None, session: int | None, heard: str | None = None) -> "Item":
        """An item with its keys.   heard: what the word cells hear; the text by default."""
        parts = [Key(KeyKind.PIECE, piece, piece) for piece in pieces(text)]
        return cls(text, [Key(KeyKind.CONTENT, text, heard or text), *parts, *(Key(KeyKind.CUE, c, c) for c in cues)], happened, session)

    @classmethod
    def of_turn(cls, turn: Turn, session: int) -> "Item":
        return cls.of(turn.line, [], seconds(turn.when), session, turn.captioned)


def words_of(spec: ModelSpec, texts: Sequence[str]) -> list[Words] | None:
    """What the word cells hear of texts; None where the model has no word cells."""
    return None if spec.lex is None else [words(text, spec.lex.cells) for text in texts]


def words_of_keys(spec: ModelSpec, items: Sequence[Item]) -> list[list[Words]] | None:
    """What the word cells hear of items, one for each key; None where the model has no word cells."""
    return None if spec.lex is None else [[words(key.words, spec.lex.cells) for key in item.keys] for item in items]


def key_rows(
    items: Sequence[Item],
    vectors: Sequence[NDArray[np.float32]],
    ids: Sequence[int],
    arrays: Arrays,
    since: int,
    old: Sequence[KeyRow] = (),
) -> list[KeyRow]:
    """The rows of the keys of new memories, in the order in which a hippocampus has them, from key `since` on.

    vectors: of each item's keys.   ids: of the items.   arrays: of the hippocampus.   old: keys of a memory that is overwritten, of which
    the new one has taken over some behind its own.
    """
    counts, codes, memory = arrays["counts"][since:], arrays["codes"][since:], arrays["memory"][since:]
    said = [iter(zip(item.keys, own, strict=True)) for item, own in zip(items, vectors, strict=True)]
    taken = {k.counts.tobytes(): (Key(k.kind, k.text, k.text), k.vector) for k in reversed(old) if k.kind is KeyKind.CUE}
    rows = []
    for owner, count, code in zip(memory - memory.min(initial=2**62), counts, codes, strict=True):
        key, vector = (
            next(said[owner], None) or taken[count.tobytes()]
        )  # keys lie in blocks between adaptations, those of one memory in their order
        rows.append(KeyRow(ids[owner], key.words, vector, count, code, key.kind))
    return rows


def arrays_of(
    spec: ModelSpec, memories: Sequence[MemoryRow], keys: Sequence[KeyRow], links: Sequence[tuple[int, int]]
) -> dict[str, NDArray[np.generic]]:
    """The entries of `Hippocampus.arrays` that a store's rows give, memories in their order."""
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


def adaptation_blob(arrays: Arrays) -> dict[str, bytes]:
    """The entry of a store that keeps what DG has learned."""
    flat = np.concatenate([np.ravel(np.asarray(arrays[name], np.float64)) for name in ("seen", "mean", "covariance")])
    return {"adaptation": flat.tobytes()}


def read_adaptation(blob: bytes | None, dim: int) -> dict[str, NDArray[np.generic]]:
    """The same as entries of `Hippocampus.arrays`."""
    flat = np.frombuffer(blob, np.float64) if blob is not None else np.zeros(1 + dim + dim * dim)
    return {"seen": flat[:1], "mean": flat[1 : dim + 1], "covariance": flat[dim + 1 :].reshape(dim, dim)}


def joined(spec: ModelSpec, texts: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """The entries of `Hippocampus.arrays` that hold what the word cells hear of all keys."""
    told = words_of(spec, texts) or [words("", 1)] * len(texts)
    nothing = words("", 1)
    return {
        "words_ptr": np.cumsum([0, *(len(one.cells) for one in told)]),
        "words_cell": np.concatenate([nothing.cells, *(one.cells for one in told)]),
        "words_spikes": np.concatenate([nothing.spikes, *(one.spikes for one in told)]),
        "words_whole": np.concatenate([nothing.whole, *(one.whole for one in told)]),
    }


def session_array(numbers: Sequence[int | None]) -> NDArray[np.int64]:
    """Numbers of sessions as a hippocampus takes them."""
    return np.array([NONE if n is None else n for n in numbers], np.int64)


def when_array(happened: Sequence[float | None]) -> NDArray[np.float64]:
    """Times as a hippocampus takes them."""
    return np.array([np.nan if h is None else h for h in happened], np.float64)

"""The memories that a text memory holds, by id: their rows in the store and in the hippocampus, wordings, dates, versions and strengths."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import shown
from spikemem.errors import UnknownMemoryError
from spikemem.memory.labels import matches
from spikemem.memory.rows import Occurrence, StoredKey, StoredMemory


class Index:
    """Memories by id, in the order of storing; a row is a memory's number in the hippocampus.

    >>> index = Index([StoredMemory(4, "Rain.", stored=0.0), StoredMemory(7, "Sun.", stored=1.0)])
    >>> index.drop([4])
    >>> index.add([StoredMemory(8, "Snow.", stored=2.0)])
    >>> index[8].text, index.row(8), index.id_at(2), len(index), 4 in index
    ('Snow.', 2, 8, 2, False)
    """

    def __init__(self, memories: Iterable[StoredMemory] = (), occurrences: Iterable[Occurrence] = ()) -> None:
        self._ids: list[int] = []  # [row], those forgotten included
        self._rows: dict[int, int] = {}
        self._memories: dict[int, StoredMemory] = {}
        self._wordings: dict[int, str] = {}  # by key
        self._occurrences: dict[int, list[Occurrence]] = {}
        self._replaced: dict[int, list[int]] = {}  # by what superseded them
        self._lifespan, self._made = math.inf, 0
        self.add(memories)
        self.occur(occurrences)

    # -- changes -------------------------------------------------------------------------------------------------------------------

    def add(self, memories: Iterable[StoredMemory]) -> None:
        """Add memories, which take the next rows."""
        for memory in memories:
            self._rows[memory.id] = len(self._ids)
            self._ids.append(memory.id)
            self._made = max(self._made, memory.id + 1)
            self.change(memory)

    def change(self, memory: StoredMemory) -> None:
        """Replace a memory's row."""
        before = self._memories.get(memory.id)
        if before is not None and before.superseded_by is not None:
            self._replaced[before.superseded_by].remove(memory.id)
        if memory.superseded_by is not None:
            self._replaced.setdefault(memory.superseded_by, []).append(memory.id)
        self._memories[memory.id] = memory

    def drop(self, ids: Iterable[int]) -> None:
        """Remove forgotten memories; their rows are not used again."""
        for i in set(ids):
            self.change(replace(self._memories[i], superseded_by=None))
            del self._memories[i]
            self._occurrences.pop(i, None)

    def occur(self, occurrences: Iterable[Occurrence]) -> None:
        """Note further times that memories were stored."""
        for occurrence in occurrences:
            self._occurrences.setdefault(occurrence.memory, []).append(occurrence)

    def live(self, lifespan: float, made: int) -> None:
        """Let memories age.   lifespan: memories stored after which one that nothing recalls is silent.   made: how many ever were."""
        self._lifespan, self._made = lifespan, made

    def word(self, keys: Iterable[StoredKey], since: int = 0) -> None:
        """Note the further wordings among keys.   since: the number of the first of them in the hippocampus."""
        self._wordings |= {number: key.wording for number, key in enumerate(keys, since) if key.wording is not None}

    # -- looking -------------------------------------------------------------------------------------------------------------------

    def row(self, i: int) -> int:
        """A memory's number in the hippocampus."""
        return self._rows[self[i].id]

    def id_at(self, row: int) -> int:
        """The id of the memory that has a row."""
        return self._ids[row]

    def wording(self, i: int, key: int) -> str:
        """The text of a memory, or, where the key is a further wording of it, that wording."""
        return self._wordings.get(key, self[i].text)

    def strength(self, i: int) -> float:
        """Lifespans that are left of a memory; 0 where it is silent.

            strength = granted - age / lifespan,   granted = 1 + what recalls have added,   age = memories stored since

        >>> index = Index([StoredMemory(0, "a", 0.0), StoredMemory(1, "b", 0.0, strength=2.0), StoredMemory(2, "c", 0.0)])
        >>> index.live(lifespan=2.0, made=3)
        >>> [index.strength(i) for i in (0, 1, 2)]
        [0.0, 1.5, 1.0]
        """
        return max(0.0, self[i].strength - self._age(i))

    def strengthened(self, i: int, gain: float) -> StoredMemory:
        """The row of a memory that lives so many lifespans longer; a silent one begins anew."""
        left = self.strength(i) or 1.0
        return replace(self[i], strength=left + self._age(i) + gain)

    def rescaled(self, lifespan: float) -> list[StoredMemory]:
        """The rows of all memories where another lifespan leaves of each what is left of it now, in lifespans; an endless one wakes all."""
        least = 1.0 if math.isinf(lifespan) else 0.0
        return [replace(m, strength=(self.strength(m.id) or least) + (self._made - 1 - m.id) / lifespan) for m in self]

    def awake(self) -> NDArray[np.bool_] | None:
        """The memories that are not silent, bool, [row]; None where no memory ages."""
        if math.isinf(self._lifespan):
            return None
        born = self._made - 1  # a memory is awake while granted > age / lifespan
        return self._marked(m for m in self._memories.values() if m.strength * self._lifespan > born - m.id)

    def _age(self, i: int) -> float:
        """How many lifespans ago a memory was stored."""
        return (self._made - 1 - i) / self._lifespan

    def occurrences(self, i: int) -> list[Occurrence]:
        """The further times that a memory was stored."""
        return list(self._occurrences.get(self[i].id, ()))

    def happened(self, i: int) -> float | None:
        """The latest moment of a memory, s since 1970, or None."""
        first = self[i].happened
        if i not in self._occurrences:
            return first
        return max((t for t in (first, *(o.happened for o in self._occurrences[i])) if t is not None), default=None)

    def relinked(self, gone: set[int]) -> list[StoredMemory]:
        """New rows of what forgotten memories superseded: superseded by what superseded these, if that is there."""
        made = []
        for i in sorted({old for new in gone for old in self._replaced.get(new, ())} - gone):
            after = self._memories[i].superseded_by
            while after in gone and after in self._memories:
                after = self._memories[after].superseded_by
            if after is not None:
                made.append(replace(self._memories[i], superseded_by=after))
        return made

    def heir(self, i: int) -> int:
        """The memory that holds in the place of one that was superseded; itself where it holds, or where that was forgotten.

        >>> rows = [StoredMemory(0, "a", 0.0, superseded_by=2, until=1.0), StoredMemory(2, "b", 1.0, superseded_by=3, until=2.0)]
        >>> index = Index([*rows, StoredMemory(3, "c", 2.0)])
        >>> [index.heir(i) for i in (0, 2, 3)]
        [3, 3, 3]
        """
        memory = self[i]
        while not memory.current and memory.superseded_by in self._memories:
            memory = self._memories[memory.superseded_by]
        return memory.id

    def supersedes(self, i: int) -> bool:
        """Whether a memory has superseded one that is there."""
        return bool(self._replaced.get(self[i].id))

    def versions(self, i: int) -> list[int]:
        """All versions of a memory, the earliest first: what it superseded, and what superseded it, as far as these are there."""
        first, found = [self[i].id], set[int]()
        while first:
            j = first.pop()
            if j not in found and j in self._memories:
                found.add(j)
                after = self._memories[j].superseded_by
                first += [*self._replaced.get(j, ()), *([] if after is None else [after])]
        return sorted(found)

    def matching(self, scope: str | None, where: str | None) -> NDArray[np.bool_] | None:
        """The memories whose scope and metadata hold all that is wanted, bool, [row]; None where nothing is wanted."""
        if scope is None and where is None:
            return None
        return self._marked(m for m in self if matches(m.scope, scope) and self._tells(m, where))

    def _tells(self, memory: StoredMemory, where: str | None) -> bool:
        """Whether a memory has wanted metadata, from any time that it was stored."""
        return matches(memory.metadata, where) or any(matches(o.metadata, where) for o in self._occurrences.get(memory.id, ()))

    def meeting(self, scope: str | None, speaker: str | None) -> NDArray[np.bool_] | None:
        """The memories that an event may meet, bool, [row]: those of its own scope, said by the same or by nobody known; None where all."""
        met = [m for m in self if m.scope == scope and (speaker is None or m.speaker in (None, speaker))]
        return None if len(met) == len(self) else self._marked(met)

    def _marked(self, memories: Iterable[StoredMemory]) -> NDArray[np.bool_]:
        marked = np.zeros(len(self._ids), bool)
        marked[[self._rows[m.id] for m in memories]] = True
        return marked

    def __getitem__(self, i: int) -> StoredMemory:
        """The row of a memory; UnknownMemoryError where there is none of this id."""
        if type(i) is int and i in self._memories:
            return self._memories[i]
        if i not in self:
            raise UnknownMemoryError(f"no memory {shown(i)}; it was never stored or has been forgotten")
        return self._memories[int(i)]

    def __contains__(self, i: object) -> bool:
        return isinstance(i, int | np.integer) and not isinstance(i, bool) and int(i) in self._memories

    def __iter__(self) -> Iterator[StoredMemory]:
        return iter(self._memories.values())

    def __len__(self) -> int:
        return len(self._memories)

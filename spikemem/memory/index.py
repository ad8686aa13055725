"""The memories that a text memory holds, by id: their texts and times, their rows in the hippocampus, and their further wordings."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from spikemem.errors import UnknownMemoryError
from spikemem.memory.rows import StoredKey, StoredMemory


class Index:
    """Memories by id, in the order of storing; a row is a memory's number in the hippocampus.

    >>> index = Index([StoredMemory(4, "Rain.", stored=0.0), StoredMemory(7, "Sun.", stored=1.0)])
    >>> index.drop([4])
    >>> index.add([StoredMemory(8, "Snow.", stored=2.0)])
    >>> index[8].text, index.row(8), index.id_at(2), len(index), 4 in index
    ('Snow.', 2, 8, 2, False)
    """

    def __init__(self, memories: Iterable[StoredMemory] = ()) -> None:
        self._ids: list[int] = []  # [row], those forgotten included
        self._rows: dict[int, int] = {}
        self._memories: dict[int, StoredMemory] = {}
        self._wordings: dict[int, str] = {}  # by key
        self.add(memories)

    def add(self, memories: Iterable[StoredMemory]) -> None:
        """Add memories, which take the next rows."""
        for memory in memories:
            self._memories[memory.id], self._rows[memory.id] = memory, len(self._ids)
            self._ids.append(memory.id)

    def drop(self, ids: Iterable[int]) -> None:
        """Remove forgotten memories; their rows are not used again."""
        for i in set(ids):
            del self._memories[i]

    def renew(self, i: int, happened: float) -> None:
        """Note that a memory happened again, s since 1970; the latest moment is kept."""
        memory = self[i]
        self._memories[i] = replace(memory, happened=happened if memory.happened is None else max(memory.happened, happened))

    def row(self, i: int) -> int:
        """A memory's number in the hippocampus."""
        return self._rows[self[i].id]

    def id_at(self, row: int) -> int:
        """The id of the memory that has a row."""
        return self._ids[row]

    def word(self, keys: Iterable[StoredKey], since: int = 0) -> None:
        """Note the further wordings among keys.   since: the number of the first of them in the hippocampus."""
        self._wordings |= {number: key.wording for number, key in enumerate(keys, since) if key.wording is not None}

    def wording(self, i: int, key: int) -> str:
        """The text of a memory, or, where the key is a further wording of it, that wording."""
        return self._wordings.get(key, self[i].text)

    def __getitem__(self, i: int) -> StoredMemory:
        """The row of a memory; UnknownMemoryError where there is none of this id."""
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or i not in self._memories:
            raise UnknownMemoryError(f"no memory {i}; it was never stored or has been forgotten")
        return self._memories[int(i)]

    def __contains__(self, i: object) -> bool:
        return i in self._memories

    def __len__(self) -> int:
        return len(self._memories)

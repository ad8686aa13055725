"""Which memories a text memory holds: ids, texts and times, their rows in its hippocampus, and what else they were called."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from spikemem.errors import UnknownMemoryError
from spikemem.memory.store import KeyRow, MemoryRow


class Entry(NamedTuple):
    """A memory.   row: its number in the hippocampus.   happened: seconds since 1970, or None."""

    row: int
    text: str
    happened: float | None


class Index:
    """Memories by id, in the order of storing.

    >>> roster = Index([MemoryRow(4, "Rain.", stored=0.0), MemoryRow(7, "Sun.", stored=1.0)])
    >>> roster.drop([4])
    >>> roster.add([MemoryRow(8, "Snow.", stored=2.0)])
    >>> roster[8], roster.id_at(2), len(roster), 4 in roster
    (Entry(row=2, text='Snow.', happened=None), 8, 2, False)
    """

    def __init__(self, rows: Iterable[MemoryRow] = ()) -> None:
        self._ids: list[int] = []  # [row], those forgotten included
        self._entries: dict[int, Entry] = {}
        self._wordings: dict[int, str] = {}  # by key
        self.add(rows)

    def add(self, rows: Iterable[MemoryRow]) -> None:
        """New memories, which take the next rows."""
        for row in rows:
            self._entries[row.id] = Entry(len(self._ids), row.text, row.happened)
            self._ids.append(row.id)

    def drop(self, ids: Iterable[int]) -> None:
        """Memories that are forgotten; their rows stay theirs."""
        for i in set(ids):
            del self._entries[i]

    def renew(self, i: int, happened: float) -> None:
        """A memory happened again; the latest moment is kept."""
        entry = self[i]
        self._entries[i] = entry._replace(happened=happened if entry.happened is None else max(entry.happened, happened))

    def id_at(self, row: int) -> int:
        return self._ids[row]

    def word(self, keys: Iterable[KeyRow], since: int = 0) -> None:
        """Other wordings of memories, among keys that the hippocampus numbers from `since` on."""
        self._wordings |= {row: key.wording for row, key in enumerate(keys, since) if key.wording is not None}

    def wording(self, i: int, key: int) -> str:
        """A memory in the words of one of its keys, where that is another wording of it; else its text."""
        return self._wordings.get(key, self[i].text)

    def __getitem__(self, i: int) -> Entry:
        """UnknownMemoryError where there is none."""
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or i not in self._entries:
            raise UnknownMemoryError(f"no memory {i}; it was never stored or has been forgotten")
        return self._entries[int(i)]

    def __contains__(self, i: object) -> bool:
        return i in self._entries

    def __len__(self) -> int:
        return len(self._entries)

"""Which memory leads to which: the record from which CA3's slow synapses are derived, as all others are from the keys."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray


class Associations:
    """Memories and their successors: pairs, each once, in ascending order, as a file has them.

    An engram circuit reads them where it derives its synapses, and its chains follow these alone; in a model with index cells they also
    say which successors a recall primes.

    >>> made = Associations([(0, 1), (0, 2), (1, 2)])
    >>> made.add([(2, 3), (0, 1)])
    >>> made.hand_over(0, 4)
    >>> made.forget([1])
    >>> list(made), made.after(4), made.after(0)
    ([(2, 3), (4, 2)], [2], ())
    """

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._pairs = set(pairs)
        self._after: dict[int, list[int]] | None = None  # derived when first needed

    def add(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add pairs that are not there already."""
        self._pairs |= set(pairs)
        self._after = None

    def forget(self, memories: Collection[int]) -> None:
        """Drop all pairs of some memories."""
        lost = set(memories)
        self._set(pair for pair in self._pairs if not lost & set(pair))

    def hand_over(self, old: int, new: int) -> None:
        """Let one memory take the place of another in all pairs."""
        self._set((new if a == old else a, new if b == old else b) for a, b in self._pairs)

    def _set(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._pairs, self._after = set(pairs), None

    def after(self, memory: int) -> Sequence[int]:
        """The successors of a memory, in the order of their numbers."""
        return self.successors.get(memory, ())

    @property
    def successors(self) -> dict[int, list[int]]:
        """The successors of each memory that has some."""
        if (found := self._after) is None:
            found = {}
            for a, b in self:
                found.setdefault(a, []).append(b)
            self._after = found
        return found

    def array(self) -> NDArray[np.int64]:
        """The pairs, [n, 2]."""
        return np.array(list(self), np.int64).reshape(-1, 2)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(sorted(self._pairs))

    def __len__(self) -> int:
        return len(self._pairs)

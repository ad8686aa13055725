"""The demo's statements, with questions on them."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

CORPUS = Path(__file__).with_name("demo.json")


@dataclass(frozen=True)
class Corpus:
    """Statements with questions on them.

    texts: statements.   cues: two questions for each.   chains: indices of linked statements, in their order.
    changes: indices of statements of one fact at different times, in their order.
    """

    texts: list[str]
    cues: list[list[str]]
    chains: list[list[int]]
    changes: list[list[int]]

    @property
    def links(self) -> list[tuple[int, int]]:
        return [(a, b) for chain in self.chains for a, b in pairwise(chain)]

    @property
    def alone(self) -> list[int]:
        """Indices of the statements that belong to no chain and have no other version."""
        related = {i for group in [*self.chains, *self.changes] for i in group}
        return [i for i in range(len(self.texts)) if i not in related]

    def some(self, groups: int, alone: int) -> "Corpus":
        """The first so many chains, changes, and statements that stand alone.

        >>> few = load_corpus().some(5, 30)
        >>> len(few.texts), len(few.chains), len(few.changes), len(few.alone)
        (67, 5, 5, 30)
        """
        kept = [i for group in [*self.chains[:groups], *self.changes[:groups]] for i in group] + self.alone[:alone]
        place = {i: new for new, i in enumerate(kept)}
        chains, changes = ([[place[i] for i in group] for group in kind[:groups]] for kind in (self.chains, self.changes))
        return Corpus([self.texts[i] for i in kept], [self.cues[i] for i in kept], chains, changes)


def load_corpus() -> Corpus:
    """The demo corpus.

    >>> corpus = load_corpus()
    >>> len(corpus.texts), len(corpus.chains), len(corpus.alone)
    (720, 48, 417)
    """
    raw = json.loads(CORPUS.read_text(encoding="utf-8"))
    place = {m["id"]: i for i, m in enumerate(raw["memories"])}
    groups = {kind: [[place[i] for i in group] for group in raw[kind]] for kind in ("chains", "changes")}
    return Corpus([m["text"] for m in raw["memories"]], [m["cues"] for m in raw["memories"]], **groups)

"""What the laboratory looks at: one recall with all its spikes, and the memories around it with their cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import Checks
from spikemem.errors import StoreError
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.membership import Engram
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.rhythm import DT, THETA
from spikemem.memory.embed import embedded
from spikemem.memory.items import words_of
from spikemem.memory.memory import Memory
from spikemem.memory.results import Hit
from spikemem.simulators.recording import Recording

check = Checks(StoreError)
SHOWN = {"ec": "EC", "dg": "DG", "ca3": "CA3", "ca1": "CA1", "ec_deep": "deep EC"}
"""The populations whose spikes the page draws, from the cue to the answer, and their names."""
ENGRAM_OF = {"ec": "ec", "dg": "dg", "ca3": "ca3", "ca1": "ca1", "ec_deep": "ec"}
"""The region of an engram that a population's cells are counted to: deep EC has the cells of EC."""
MOST = 300
"""Memories that a page knows: those that were recalled, and the latest."""
DRAWN = 60
"""Memories in the matrix, the graph and the lifespans; so many that each can be told from its neighbour."""
TOGETHER = 4
"""Memories that each memory's own text recalls, for the graph."""
MEMBRANES = 24
"""Cells of a region whose membrane is recorded for each memory that was recalled, and of cells that are in none of their engrams."""


@dataclass(frozen=True, eq=False)
class ObservedMemory:
    """A memory on the page.   engram: its cells by region.   vector: of its text, [d].   links: the memories that follow it.

    stored: each time that it was stored, the first one first.   until: from when on it no longer holds, or None.
    """

    id: int
    text: str
    engram: Engram
    vector: NDArray[np.float32]
    links: tuple[int, ...] = ()
    stored: tuple[datetime, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """A recall to look into.   hits: what came, in the order of its coming.   recording: all spikes, and the membranes of some cells.

    title: of the page.   memories: those that the page knows, in the order of storing; the graph and the matrix show those of `drawn`.
    together: which of the drawn memories each one's own text recalls, bool, [memory, memory].   stored: memories in all.
    withheld: whether a read gate lets none of them out.
    """

    title: str
    cue: str
    hippocampus: Hippocampus
    hits: Sequence[Hit]
    recording: Recording
    memories: Sequence[ObservedMemory]
    together: NDArray[np.bool_]
    stored: int
    withheld: bool = False
    by_id: Mapping[int, ObservedMemory] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {memory.id: memory for memory in self.memories})

    @property
    def drawn(self) -> list[ObservedMemory]:
        """The memories of the matrix, the graph and the lifespans."""
        return [self.by_id[i] for i in _near(self.hits, list(self.by_id), DRAWN)]

    @property
    def populations(self) -> list[str]:
        """The populations whose spikes are drawn."""
        return [name for name in SHOWN if name in self.recording.spikes]

    def cells(self, memory: int, population: str) -> NDArray[np.int64]:
        """The cells of a population that are in a memory's engram."""
        return self.by_id[memory].engram[ENGRAM_OF[population]]

    def latency(self, hit: Hit) -> float | None:
        """When a memory came, ms: an engram model says it; in others the first spike of its index cells. None where it never fired."""
        if hit.latency is not None or "ca1" not in self.recording.spikes:
            return hit.latency
        spikes = self.recording["ca1"]
        own = spikes.step[np.isin(spikes.cell, hit.engram["ca1"])]
        return float(own[0] * self.recording.dt) if len(own) else None


def observe(memory: Memory, cue: str | None = None, top_k: int = 5, title: str = "a memory") -> Observation:
    """Recall a cue from a memory, spike by spike, and look at the memories around; nothing is changed.

    cue: the text of the latest memory by default.   top_k: memories to recall. Where a read gate lets none out, those withheld are shown.
    title: of the page.

    Raises StoreError where nothing is stored.
    """
    stored = memory.list()
    if not stored:
        raise StoreError("there is nothing to look at: the memory is empty; store something first")
    cue = stored[-1].text if cue is None else cue
    found = memory.recall(cue, check.integer(top_k, "top_k", least=1, most=MOST))
    hits = list(found) or found.withheld
    known = {record.id: record for record in memory.list(history=True)}
    chosen = _near(hits, list(known), MOST)
    dim, spec = memory.spec.ec.dim, memory.spec
    vectors = embedded(memory.embedder, [known[i].text for i in chosen], dim)
    memories = [
        ObservedMemory(
            i, known[i].text, memory.engram(i), vector, known[i].links, tuple(o.stored for o in known[i].occasions), known[i].until
        )
        for i, vector in zip(chosen, vectors, strict=True)
    ]
    drawn = _near(hits, chosen, DRAWN)
    came = memory.recall_all([known[i].text for i in drawn], top_k=TOGETHER)
    together = np.array([[i in {hit.id for hit in own} for i in drawn] for own in came])
    recording = _recorded(memory.hippocampus, embedded(memory.embedder, [cue], dim), words_of(spec, [cue]), hits)
    return Observation(title, cue, memory.hippocampus, hits, recording, memories, together, len(known), not found)


def observe_vectors(hippocampus: Hippocampus, texts: Sequence[str], vectors: ArrayLike, cue: str, cue_vector: ArrayLike) -> Observation:
    """The same of a hippocampus that stores vectors alone.   texts, vectors: of its memories, [n] and [n, d].   cue, cue_vector: [d]."""
    given, asked = np.asarray(vectors, np.float32), np.asarray(cue_vector, np.float32)[None]
    found = hippocampus.recall(asked, top_k=5)
    late = [None] * found.ids.shape[1] if found.latency is None else found.latency[0].tolist()
    hits = [
        Hit(i, texts[i], score, latency=at, engram=hippocampus.engram(i))
        for i, score, at in zip(found.ids[0].tolist(), found.scores[0].tolist(), late, strict=True)
        if i != NONE
    ]
    chosen = _near(hits, list(range(len(texts))), MOST)
    memories = [ObservedMemory(i, texts[i], hippocampus.engram(i), given[i]) for i in chosen]
    drawn = _near(hits, chosen, DRAWN)
    together = (hippocampus.recall(given[drawn], top_k=TOGETHER).ids[:, :, None] == np.array(drawn)).any(1)
    recording = _recorded(hippocampus, asked, None, hits)
    return Observation("the demo", cue, hippocampus, hits, recording, memories, together, len(texts))


def _near(hits: Sequence[Hit], ids: Sequence[int], most: int) -> list[int]:
    """The recalled memories and the latest, so many at most, in the order of storing."""
    recalled = {hit.id for hit in hits}
    others = [i for i in ids if i not in recalled]
    kept = recalled | set(others[max(len(others) - max(most - len(recalled), 0), 0) :])
    return [i for i in ids if i in kept]


def _recorded(hippocampus: Hippocampus, cue: NDArray[np.float32], words: list[Words] | None, hits: Sequence[Hit]) -> Recording:
    """Every spike of the recall that gave some hits, with membranes of cells of their engrams and of some others."""
    late = [hit.latency for hit in hits if hit.latency is not None]
    cycles = int(max(late) // (THETA * DT)) + 1 if late else 2
    sizes = {name: population.size for name, population in hippocampus.network.populations.items() if name in SHOWN}
    cells: dict[str, ArrayLike] = {}
    for name, size in sizes.items():
        own = [hit.engram[ENGRAM_OF[name]] for hit in hits]
        others = np.setdiff1d(np.arange(size), np.concatenate([np.zeros(0, np.int64), *own]))
        cells[name] = np.unique(np.concatenate([*(of[:MEMBRANES] for of in own), others[:MEMBRANES]]))
    return hippocampus.simulate_recall(cue, words=words, cycles=cycles, record=cells)

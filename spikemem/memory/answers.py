"""From rows of a hippocampus to hits: texts, times, and why each came."""

from collections.abc import Sequence

from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.memory.index import Index
from spikemem.memory.results import Hit, Hits
from spikemem.memory.texts import moment


def answers(found: Recall, pathways: Sequence[str], index: Index) -> list[Hits]:
    """What a batch of cues recalled, as hits of each cue."""
    n = len(found.ids)
    read = [None] * n if found.read is None else found.read.tolist()
    assert found.keys is not None  # of a rate twin alone
    hits = (
        [hit(index, i, score, dict(zip(pathways, map(float, drives), strict=True)), key) for i, score, drives, key in row if i != NONE]
        for row in (zip(*one, strict=True) for one in zip(found.ids, found.scores, found.drives, found.keys, strict=True))
    )
    spikes = found.gates or [None] * n
    return [
        Hits(own, float(new), found.recording, out, gates) for own, new, out, gates in zip(hits, found.novelty, read, spikes, strict=True)
    ]


def hit(index: Index, row: int, score: float, drives: dict[str, float] | None = None, key: int = NONE) -> Hit:
    """A memory as a hit.   key: the one that answered, in whose wording the memory is given."""
    i = index.id_at(row)
    happened = index[i].happened
    return Hit(i, index.wording(i, key), float(score), None if happened is None else moment(happened), drives or {})

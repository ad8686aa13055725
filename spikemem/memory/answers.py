"""A hippocampus's recall as hits: texts and times of the recalled memories, and each pathway's share of their scores."""

from collections.abc import Sequence

from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.memory.index import Index
from spikemem.memory.results import Hit, Hits
from spikemem.memory.texts import moment


def answers(found: Recall, pathways: Sequence[str], index: Index) -> list[Hits]:
    """The hits of each cue of a batch.   pathways: names of the columns of `Recall.drives`."""
    n = len(found.ids)
    read = [None] * n if found.read is None else found.read.tolist()
    assert found.keys is not None  # of a rate twin alone
    hits = (
        [hit(index, i, score, dict(zip(pathways, map(float, drives), strict=True)), key) for i, score, drives, key in row if i != NONE]
        for row in (zip(*cue, strict=True) for cue in zip(found.ids, found.scores, found.drives, found.keys, strict=True))
    )
    spikes = found.gates or [None] * n
    return [
        Hits(own, float(new), found.recording, out, gates) for own, new, out, gates in zip(hits, found.novelty, read, spikes, strict=True)
    ]


def hit(index: Index, row: int, score: float, drives: dict[str, float] | None = None, key: int = NONE) -> Hit:
    """The hit of the memory in a row.   key: that answered; where it is a further wording of the memory, it gives the text."""
    i = index.id_at(row)
    happened = index[i].happened
    return Hit(i, index.wording(i, key), float(score), None if happened is None else moment(happened), drives or {})

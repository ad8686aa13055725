"""Streams of sentences in which some repeat an earlier one, in the same words or others, and some contradict it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from spikemem.data.corpus.variants import Part, beside, corrected, denied, edited, questioned

DENIED = 0.4
"""Of contradictions, the share that denies."""
TRIES = 20
"""Sentences that are tried for an edit."""


class EventKind(StrEnum):
    """How an event relates to the earlier ones."""

    NEW = "new"
    REPEAT = "repeat"
    PARAPHRASE = "paraphrase"
    CONTRADICTION = "contradiction"
    BESIDE = "beside"
    """An earlier sentence about another person, thing or number: both are true."""
    QUESTION = "question"
    """The question whether an earlier sentence is true."""


@dataclass(frozen=True)
class StreamEvent:
    """One sentence of a stream.

    of: the index of the event whose latest version it repeats or contradicts; its own index where it is about something new.
    """

    text: str
    kind: EventKind
    of: int


def stream(
    texts: Sequence[str], n: int, shares: dict[EventKind, float], rng: np.random.Generator, part: Part = "train", wait: int = 20
) -> list[StreamEvent]:
    """A stream of n events: the given shares of them repeat or change earlier ones, the others are new texts in their order.

    What comes again is drawn from the events at least `wait` before, in their latest version; of contradictions a DENIED share denies, the
    others correct. Shorter where the texts run out.

    >>> events = stream(["Rain fell on Monday.", "The cat sleeps."], 4, {EventKind.REPEAT: 0.5}, np.random.default_rng(0), wait=0)
    >>> [e.kind.value for e in events if e.text == events[0].text][0]
    'new'
    """
    kinds = rng.choice([*shares, EventKind.NEW], n, p=[*shares.values(), 1 - sum(shares.values())])
    fresh, events, latest = iter(dict.fromkeys(texts)), list[StreamEvent](), dict[int, str]()
    for kind in map(EventKind, kinds):
        made = None if kind is EventKind.NEW else _again(kind, latest, len(events), wait, rng, part)
        if made is None:
            text = next(fresh, None)
            if text is None:
                break
            made = StreamEvent(text, EventKind.NEW, len(events))
        if made.kind not in (EventKind.REPEAT, EventKind.PARAPHRASE):
            latest[made.of] = made.text
        events.append(made)
    return events


def _again(kind: EventKind, latest: dict[int, str], now: int, wait: int, rng: np.random.Generator, part: Part) -> StreamEvent | None:
    """An event at index `now` that repeats or changes an earlier one; None where none is old enough, or none can be changed."""
    old = [place for place in latest if place < now - wait]
    edits: dict[EventKind, Callable[[str, np.random.Generator], str | None]] = {
        EventKind.PARAPHRASE: partial(edited, part=part), EventKind.BESIDE: beside,
        EventKind.QUESTION: lambda text, _: questioned(text),
        EventKind.CONTRADICTION: denied if rng.random() < DENIED else corrected,
    }  # fmt: skip
    edit = edits.get(kind)
    for place in rng.choice(old, min(len(old), TRIES), replace=False).tolist() if old else ():
        if edit is None:
            return StreamEvent(latest[place], kind, place)
        made = edit(latest[place], rng)
        if made is not None and made not in latest.values():
            return StreamEvent(made, kind, now if kind in (EventKind.BESIDE, EventKind.QUESTION) else place)
    return None

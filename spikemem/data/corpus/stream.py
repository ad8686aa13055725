"""Streams of sentences in which some come again, in the same words or others, and some contradict what was said before."""

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


class Kind(StrEnum):
    """What an event is to those before it."""

    NEW = "new"
    REPEAT = "repeat"
    PARAPHRASE = "paraphrase"
    CONTRADICTION = "contradiction"
    BESIDE = "beside"
    """As one before it, but of another one: both are true."""
    QUESTION = "question"
    """Whether one before it is so."""


@dataclass(frozen=True)
class Event:
    """text: what is said.   of: the place of the event whose latest version it repeats or changes; its own where it tells of its own."""

    text: str
    kind: Kind
    of: int


def stream(
    texts: Sequence[str], n: int, shares: dict[Kind, float], rng: np.random.Generator, part: Part = "train", wait: int = 20
) -> list[Event]:
    """n events, of the given shares; all others are texts that have not come before, in their order.

    What comes again is drawn from the events at least `wait` before, in their latest version; of contradictions a DENIED share denies, the
    others correct. Shorter where the texts run out.

    >>> events = stream(["Rain fell on Monday.", "The cat sleeps."], 4, {Kind.REPEAT: 0.5}, np.random.default_rng(0), wait=0)
    >>> [e.kind.value for e in events if e.text == events[0].text][0]
    'new'
    """
    kinds = rng.choice([*shares, Kind.NEW], n, p=[*shares.values(), 1 - sum(shares.values())])
    fresh, events, latest = iter(dict.fromkeys(texts)), list[Event](), dict[int, str]()
    for kind in map(Kind, kinds):
        made = None if kind is Kind.NEW else _again(kind, latest, len(events), wait, rng, part)
        if made is None:
            text = next(fresh, None)
            if text is None:
                break
            made = Event(text, Kind.NEW, len(events))
        if made.kind not in (Kind.REPEAT, Kind.PARAPHRASE):
            latest[made.of] = made.text
        events.append(made)
    return events


def _again(kind: Kind, latest: dict[int, str], now: int, wait: int, rng: np.random.Generator, part: Part) -> Event | None:
    """The event of place `now`, which comes again; None where there is none to come again or, after a few tries, to change."""
    old = [place for place in latest if place < now - wait]
    edits: dict[Kind, Callable[[str, np.random.Generator], str | None]] = {
        Kind.PARAPHRASE: partial(edited, part=part), Kind.BESIDE: beside,
        Kind.QUESTION: lambda text, _: questioned(text),
        Kind.CONTRADICTION: denied if rng.random() < DENIED else corrected,
    }  # fmt: skip
    edit = edits.get(kind)
    for place in rng.choice(old, min(len(old), TRIES), replace=False).tolist() if old else ():
        if edit is None:
            return Event(latest[place], kind, place)
        made = edit(latest[place], rng)
        if made is not None and made not in latest.values():
            return Event(made, kind, now if kind in (Kind.BESIDE, Kind.QUESTION) else place)
    return None

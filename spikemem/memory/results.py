"""Results of a text memory: recalled memories (`Hit`, `Hits`), what is stored (`Record`), and the gates' decisions (`Decision`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spikemem.hippocampus.membership import Engram
from spikemem.hippocampus.regions.gates import MAJORITY
from spikemem.simulators.recording import Recording


@dataclass(frozen=True, repr=False)
class Hit:
    """A recalled memory.

    text: the memory's text; in a model with gates, where it has several wordings, the one that answered.
    score: how well the stored key that answered matches the cue (see `Recall.scores`). It is no probability and may exceed 1: each word
        that cue and key share adds to it, so that a long cue scores higher. Compare scores within one recall, not between cues.
    when: when it happened, in UTC, or None; where it happened more than once, the latest time.
    drives: the share of the score that each pathway brought; none for a hop of a chain.
    current: whether it holds; False where it was superseded, which only `history` or an earlier `around` brings back.
    latency: ms from the cue to the spikes that recalled it, in an engram model, whose hits come in the order of time; None in others.
    engram: the cells of the memory by region, as they were at the recall (`Memory.engram`).
    strength: lifespans that were left of it when it was recalled (see `Memory.open`); 1 where neither age nor recall counts.
    """

    id: int
    text: str
    score: float
    when: datetime | None = None
    drives: Mapping[str, float] = field(default_factory=dict, hash=False)
    current: bool = True
    latency: float | None = None
    engram: Engram = field(default_factory=dict, hash=False, compare=False)
    strength: float = field(default=1.0, compare=False)

    def __repr__(self) -> str:
        """One line.

        >>> Hit(3, "Ada moved to Lisbon in May.", 0.8125, drives={"meaning": 0.5, "words": 0.3125, "time": 0.0})
        Hit(3, 'Ada moved to Lisbon in May.', score=0.812: meaning 0.500, words 0.312)
        """
        when = "" if self.when is None else f", when={str(self.when)[:16]}"
        why = ", ".join(f"{name} {share:.3f}" for name, share in self.drives.items() if share)
        when += "" if self.current else ", superseded"
        return f"Hit({self.id}, {self.text!r}{when}, score={self.score:.3f}{': ' if why else ''}{why})"


@dataclass(frozen=True, repr=False)
class Decision:
    """What a memory with gates did with a text to be stored, and why.

    action: "write", a new memory; "supersede", a new one, and the old one no longer holds: it is kept (`Memory.history`), and
        `Memory.restore` lets it hold again; "refresh", the old one has the text as a further wording now, which answers where the cue is
        nearer to it; "renew", the old one knew it all. Where the old one stays, it keeps the date and the words of each time.
        Whatever the gates say, what has a date supersedes only what is known to have happened no later, a text of many pieces refreshes
        nothing, and what another speaker said, or is of another scope, is not met.
    id: the memory that holds the text now.   old: the memory that answered it, None where none did.
    gates: the share of each gate's cells that fired in its half of theta; over a half is on; `read` decides when the text is a cue.
        recording: their spikes, where recorded.
    held: the wording of the old memory that answered, unless the text is written beside it.
    """

    text: str
    action: str
    id: int
    old: int | None = None
    gates: Mapping[str, float] = field(default_factory=dict, hash=False)
    recording: Recording | None = field(default=None, hash=False, compare=False)
    held: str | None = None

    def __repr__(self) -> str:
        """One line.

        >>> Decision("Ada lives in Rome.", "supersede", 7, 3, {"update": 1.0, "reset": 0.90625}, held="Ada lives in Lisbon.")
        Decision('Ada lives in Rome.', supersede 3 -> 7, held 'Ada lives in Lisbon.': update 1.00, reset 0.91)
        """
        gates = ", ".join(f"{name} {share:.2f}" for name, share in self.gates.items())
        old = "" if self.old is None else f"{self.old} -> "
        note = "" if self.held in (None, self.text) else f", held {self.held!r}"
        return f"Decision({self.text!r}, {self.action} {old}{self.id}{note}{': ' if gates else ''}{gates})"


@dataclass(frozen=True)
class Occasion:
    """One time that a memory was stored.   text: in which words.   stored, when: when, and when it happened, in UTC, or None.

    origin: a note of where it came from.   speaker: who said it.   session: its number, or None.   metadata: what came with it.
    """

    text: str
    stored: datetime
    when: datetime | None = None
    origin: str | None = None
    speaker: str | None = None
    session: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Record:
    """A stored memory.

    when: when it happened, the latest time, in UTC, or None.   stored: when it was first stored.   origin: a note of where it came from.
    speaker: who said it.   session: its number, or None.   scope, metadata: what it was stored with.
    cues: further texts that recall it.   links: the memories that follow it (`Memory.associate`).
    current: whether it holds.   superseded_by, until: what superseded it, and from when on it no longer holds; None where it is current.
    occasions: each time that it was stored, the first one first.
    strength: lifespans that are left of it (see `Memory.open`); 0 where it is silent, 1 where neither age nor recall counts.
    """

    id: int
    text: str
    stored: datetime
    when: datetime | None
    origin: str | None
    speaker: str | None
    session: int | None
    scope: Mapping[str, str] = field(hash=False)
    metadata: Mapping[str, Any] = field(hash=False)
    cues: tuple[str, ...]
    links: tuple[int, ...]
    current: bool
    superseded_by: int | None
    until: datetime | None
    occasions: tuple[Occasion, ...] = field(repr=False)
    strength: float = field(default=1.0, repr=False)


@dataclass(frozen=True)
class Slept:
    """What a sleep did.   memories: how many were coded anew.   freed: bytes of the file given back.   size: bytes of the file after it."""

    memories: int
    freed: int
    size: int


class Hits(list[Hit]):
    """The memories that a cue recalled, best first.

    novelty: 0 for a known cue, towards 1 for one unlike all that is stored.   recording: all spikes, where recorded.
    read: in a memory with gates the share of the read gate's cells that fired, None in others. Where it is a half or less there are no
        hits: the memory holds no answer to the cue.   withheld: what came nearest all the same.
    gates: the gates' recording, in a memory that has some, where recorded.
    """

    def __init__(
        self, hits: Sequence[Hit], novelty: float, recording: Recording | None = None, read: float | None = None,
        gates: Recording | None = None,
    ) -> None:  # fmt: skip
        out = read is None or read > MAJORITY
        super().__init__(hits if out else [])
        self.withheld: list[Hit] = [] if out else list(hits)
        self.novelty, self.recording, self.read, self.gates = novelty, recording, read, gates

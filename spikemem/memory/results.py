"""Results of a text memory: recalled memories (`Hit`, `Hits`), and the gates' decisions on stored texts (`Decision`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from spikemem.hippocampus.regions.gates import MAJORITY
from spikemem.simulators.recording import Recording


@dataclass(frozen=True, repr=False)
class Hit:
    """A recalled memory.

    text: the memory's text; in a model with gates, where it has several wordings, the one that answered.
    score: how well the stored key that answered matches the cue (see `Recall.scores`). It is no probability and may exceed 1: each word
        that cue and key share adds to it, so that a long cue scores higher. Compare scores within one recall, not between cues.
    when: when it happened, in UTC, or None.
    drives: the share of the score that each pathway brought; none for a hop of a chain.
    """

    id: int
    text: str
    score: float
    when: datetime | None = None
    drives: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        """One line.

        >>> Hit(3, "Ada moved to Lisbon in May.", 0.8125, drives={"meaning": 0.5, "words": 0.3125, "time": 0.0})
        Hit(3, 'Ada moved to Lisbon in May.', score=0.812: meaning 0.500, words 0.312)
        """
        when = "" if self.when is None else f", when={str(self.when)[:16]}"
        why = ", ".join(f"{name} {share:.3f}" for name, share in self.drives.items() if share)
        return f"Hit({self.id}, {self.text!r}{when}, score={self.score:.3f}{': ' if why else ''}{why})"


@dataclass(frozen=True, repr=False)
class Decision:
    """What a memory with gates did with a text to be stored, and why.

    action: "write", a new memory; "overwrite", a new one in the place of an old one, which is forgotten; "refresh", the old one has the
        text as a further wording now, which answers where the cue is nearer to it; "renew", the old one knew it all. Where the old one
        stays, its times are renewed. Whatever the gates say, what has a date overwrites only what is known to have happened no later, and
        a text of many pieces refreshes nothing: it is written.
    id: the memory that holds the text now.   old: the memory that answered it, None where none did.
    gates: the share of each gate's cells that fired in its half of theta; over a half is on; `read` decides when the text is a cue.
        recording: their spikes, where recorded.
    forgotten: what was overwritten and is deleted, a text and its further wordings.
    held: the wording of the old memory that answered, where that memory stays.
    """

    text: str
    action: str
    id: int
    old: int | None = None
    gates: Mapping[str, float] = field(default_factory=dict, hash=False)
    recording: Recording | None = field(default=None, hash=False, compare=False)
    forgotten: tuple[str, ...] = ()
    held: str | None = None

    def __repr__(self) -> str:
        """One line.

        >>> Decision("Ada lives in Rome.", "overwrite", 7, 3, {"update": 1.0, "reset": 0.90625}, forgotten=("Ada lives in Lisbon.",))
        Decision('Ada lives in Rome.', overwrite 3 -> 7, forgotten 'Ada lives in Lisbon.': update 1.00, reset 0.91)
        """
        gates = ", ".join(f"{name} {share:.2f}" for name, share in self.gates.items())
        old = "" if self.old is None else f"{self.old} -> "
        notes = [f", forgotten {text!r}" for text in self.forgotten]
        notes += [] if self.held in (None, self.text) else [f", held {self.held!r}"]
        return f"Decision({self.text!r}, {self.action} {old}{self.id}{''.join(notes)}{': ' if gates else ''}{gates})"


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

"""A conversation that ships with spikemem, with questions on it; small talk; and pairs of facts."""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from spikemem.data.datasets import Task
from spikemem.memory.conversation import Turn, sessions_of
from spikemem.memory.texts import parse_time

CONVERSATION = Path(__file__).with_name("conversation.json")
FACTS = Path(__file__).with_name("facts.json")
SMALL_TALK = Path(__file__).with_name("small_talk.txt")
KINDS = ("words", "meaning", "context", "time")
"""What it takes to find an answer: rare words; a meaning in other words; the turn before; the time that is asked about."""


@dataclass(frozen=True)
class Question:
    """A question on a conversation, and the turns that answer it.

    evidence: places of the turns that answer it, among all turns.   kind: one of `KINDS`.   around: the time asked about, or None.
    """

    text: str
    evidence: frozenset[int]
    kind: str
    around: datetime | None = None


@dataclass(frozen=True)
class Conversation:
    """A conversation with questions on it.   sessions: turns in their order, with times."""

    sessions: list[list[Turn]]
    questions: list[Question]

    @property
    def turns(self) -> list[Turn]:
        """All turns, one session after the other; `Question.evidence` counts them so."""
        return list(chain.from_iterable(self.sessions))

    @property
    def task(self) -> Task:
        """The same for any `System`, without the times that questions ask about."""
        turns = self.turns
        return Task.of(
            "conversation", "a wooden boat", [t.captioned for t in turns], [(q.text, q.evidence, q.kind) for q in self.questions],
            embedded=[t.line for t in turns], speakers=[t.speaker for t in turns],
            sessions=[i for i, session in enumerate(self.sessions) for _ in session], when=[t.when for t in turns if t.when],
        )  # fmt: skip


def load_conversation() -> Conversation:
    """Three people restore a wooden boat, in eight sessions over seven months; with questions.

    >>> conversation = load_conversation()
    >>> len(conversation.sessions), len(conversation.turns), len(conversation.questions)
    (8, 154, 29)
    """
    raw = json.loads(CONVERSATION.read_text(encoding="utf-8"))
    asked = [
        Question(q["question"], frozenset(q["evidence"]), q["kind"], parse_time(q["around"]) if "around" in q else None)
        for q in raw["questions"]
    ]
    return Conversation(sessions_of(raw["sessions"]), asked)


def load_small_talk() -> list[str]:
    """Short things that people say, sentences in many languages, and signs without a word.

    >>> "See you tomorrow." in load_small_talk()
    True
    """
    return SMALL_TALK.read_text(encoding="utf-8").splitlines()


class Facts(NamedTuple):
    """Pairs of facts, on which gates are judged and which nothing is taught.

    before: what was told before.   pairs: first and second fact, by what the second is: an "update" of the first, its "negation", another
    one "beside" it, its "paraphrase", the same with another "figure", or the same words in another "order".
    """

    before: list[str]
    pairs: dict[str, list[tuple[str, str]]]


def load_facts() -> Facts:
    """The pairs that ship with spikemem."""
    told = json.loads(FACTS.read_text(encoding="utf-8"))
    before = told.pop("told before")
    return Facts(before, {kind: [(first, second) for first, second in pairs] for kind, pairs in told.items()})

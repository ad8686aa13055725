"""Pairs of facts, made of kinds of things that exclude one another, for gates to learn from: the second corrects the first, denies it,
stands beside it, or says the same.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from spikemem.data.corpus.kinds import Kind, load_kinds, load_likes
from spikemem.data.corpus.variants import denied, edited

PEOPLE = [
    "Ada",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Frank",
    "Grace",
    "Henry",
    "Ivy",
    "Jack",
    "Kate",
    "Leo",
    "Mia",
    "Noah",
    "Olive",
    "Peter",
    "Rosa",
    "Sam",
    "Tess",
    "Victor",
    "Alice",
    "Bob",
    "Nina",
    "Karl",
    "Fatima",
    "Omar",
    "Yuki",
    "Pedro",
    "Ines",
    "Ravi",
]
KIN = ("sister", "brother", "mother", "father", "uncle", "aunt", "cousin", "son", "daughter", "boss", "neighbour", "friend")
AGENTS = (
    ("A man", "is"), ("A woman", "is"), ("A boy", "is"), ("A girl", "is"), ("A young man", "is"), ("An old woman", "is"),
    ("A little boy", "is"), ("Two men", "are"), ("Two women", "are"), ("Three children", "are"), ("Several people", "are"),
    ("A couple", "is"), ("A group of people", "is"), ("The man", "is"), ("The woman", "is"), ("The kids", "are"), ("A person", "is"),
    ("A worker", "is"), ("A tourist", "is"), ("A soldier", "is"), ("The two boys", "are"), ("A lady", "is"), ("Some students", "are"),
)  # fmt: skip
DETAILS = (
    "in a red shirt", "in a hat", "with glasses", "in black", "wearing a backpack", "with long hair", "in a green jacket", "with a beard",
    "in a striped sweater",
)  # fmt: skip
SCENES = (
    "near a fountain", "on a sunny day", "with a friend", "in the city", "in front of a crowd", "on a wooden bench", "next to a tree",
    "at night", "in the rain", "behind a building", "at a festival", "on the grass",
)  # fmt: skip
NOW = ("now", "these days", "at the moment", "from now on", "by now")
ASIDE = ("Actually, ", "Update: ", "By the way, ", "As of today ", "I was wrong: ", "Correction: ")
DOINGS = re.compile(r"^(?P<who>.+?) (?P<be>is|are) (?P<does>\w+ing\b.*)\.$")


class PairKind(StrEnum):
    """What the second sentence of a pair is to the first."""

    UPDATE = "update"
    DENIAL = "denial"
    BESIDE = "beside"
    ALIKE = "alike"
    """The same, or what follows from it."""


class FactPair(NamedTuple):
    """Two sentences, and what the second is to the first."""

    first: str
    second: str
    kind: PairKind


class Filler:
    """Sentences of frames.   rng: what is drawn from."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def one(self, among: tuple[str, ...] | list[str]) -> str:
        return str(among[int(self.rng.integers(len(among)))])

    def two(self, n: int) -> tuple[int, int]:
        a, b = self.rng.choice(n, 2, replace=False)
        return int(a), int(b)

    def slots(self, kind: Kind) -> dict[str, str]:
        """Who and what a sentence is about."""
        who, who2 = (PEOPLE[i] for i in self.two(len(PEOPLE)))
        who = f"{self.one(('My', 'Our'))} {self.one(KIN)}" if self.rng.random() < 0.2 else who
        agent, be = AGENTS[int(self.rng.integers(len(AGENTS)))]
        thing = self.one(kind.things) if kind.things else ""
        return {"who": who, "who2": who2, "rel": self.one(KIN), "it": thing, "agent": f"{agent} {be}", "n": str(self.rng.integers(1, 90))}

    def about_another(self, kind: Kind, frame: str, slots: dict[str, str]) -> dict[str, str] | None:
        """The same of another one; None where a frame tells of nobody and nothing that could be another."""
        names = [name for name in ("who", "rel", "it", "agent", "n") if f"{{{name}}}" in frame]
        if not names:
            return None
        while True:
            other = self.slots(kind)
            if any(other[name] != slots[name] for name in names):
                name = self.one([name for name in names if other[name] != slots[name]])
                return {**slots, name: other[name]}


def pairs(n: int, rng: np.random.Generator) -> list[FactPair]:
    """n pairs of each of the ways in which pairs are made, of some half as many (fewer where a draw gives none)."""
    kinds, fill = load_kinds(), Filler(rng)
    ways = (
        _updates, _updates, _updates, _beside, _beside, _topics, _adding, _adding, _denials, _denials, _alike, _twofold, _numbered, _orders,
    )  # fmt: skip
    fewer = (_states, _states, _less_denied, _denied_others, _speakers)
    drawn = [(way, n) for way in ways] + [(way, n // 2) for way in fewer]
    made = [pair for way, times in drawn for _ in range(times) if (pair := way(fill, kinds)) is not None]
    return [pair for pair in made if pair.first != pair.second]


def _kind(fill: Filler, kinds: list[Kind], exclusive: bool = True) -> Kind:
    some = [kind for kind in kinds if kind.exclusive == exclusive]
    return some[int(fill.rng.integers(len(some)))]


def _scene(fill: Filler, text: str) -> str:
    """A caption with more detail, here and there."""
    if not text.startswith(tuple(agent for agent, _ in AGENTS)):
        return text
    if fill.rng.random() < 0.35:
        found = re.search(r" (?:is|are) ", text)
        text = text if found is None else f"{text[: found.start()]} {fill.one(DETAILS)}{text[found.start() :]}"
    return f"{text.rstrip('.')} {fill.one(SCENES)}." if fill.rng.random() < 0.3 else text


def _updates(fill: Filler, kinds: list[Kind]) -> FactPair:
    """Another value of the same; sometimes with a word that says so, or details left out."""
    kind = _kind(fill, kinds)
    if fill.rng.random() < 0.35:
        captions = [k for k in kinds if k.exclusive and any("{agent}" in f for f in k.frames)]
        kind = captions[int(fill.rng.integers(len(captions)))]
    frame, slots = fill.one(kind.frames), fill.slots(kind)
    other = fill.one(kind.frames) if fill.rng.random() < 0.1 and "{agent}" in frame else frame
    old, new = (fill.one(kind.values[i]) for i in fill.two(len(kind.values)))
    first, second = _scene(fill, frame.format(v=old, **slots)), _scene(fill, other.format(v=new, **slots))
    if "{agent}" in frame and first.startswith(("A ", "An ")) and fill.rng.random() < 0.3:
        second = "The" + second[second.index(" ") :] if second.startswith(("A ", "An ")) else second
    draw = fill.rng.random()
    if draw < 0.1:
        second = f"{second.rstrip('.')} {fill.one(NOW)}."
    elif draw < 0.15:
        aside = fill.one(ASIDE)
        second = aside + (second if second.split()[0] in PEOPLE else second[0].lower() + second[1:])
    return FactPair(first, second, PairKind.UPDATE)


def _beside(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """The same, or another value, of another one."""
    kind = _kind(fill, kinds, bool(fill.rng.random() < 0.8))
    frame, slots = fill.one(kind.frames), fill.slots(kind)
    other = fill.about_another(kind, frame, slots)
    if other is None:
        return None
    i, j = fill.two(len(kind.values))
    second = fill.one(kind.values[i if fill.rng.random() < 0.4 else j])
    return FactPair(frame.format(v=fill.one(kind.values[i]), **slots), frame.format(v=second, **other), PairKind.BESIDE)


def _topics(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """Two things that are true of one."""
    of_agents = fill.rng.random() < 0.15  # of two doings of somebody nobody knows whether they exclude one another
    name = "{agent}" if of_agents else fill.one(["{who}", "{it}", "{rel}"])
    some = [k for k in kinds if any(name in frame for frame in k.frames)]
    a, b = (some[i] for i in fill.two(len(some)))
    slots = fill.slots(a)
    frames = [fill.one([frame for frame in k.frames if name in frame]) for k in (a, b)]
    if of_agents:
        return None
    first, second = (
        f.format(v=fill.one(fill_of), **slots)
        for f, fill_of in zip(frames, (v.values[int(fill.rng.integers(len(v.values)))] for v in (a, b)), strict=True)
    )
    return FactPair(first, second, PairKind.BESIDE)


def _adding(fill: Filler, kinds: list[Kind]) -> FactPair:
    """Another value of what adds up."""
    kind = _kind(fill, kinds, False)
    frame, slots = fill.one(kind.frames), fill.slots(kind)
    old, new = (fill.one(kind.values[i]) for i in fill.two(len(kind.values)))
    return FactPair(frame.format(v=old, **slots), frame.format(v=new, **slots), PairKind.BESIDE)


def _denials(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """The contrary, in one of the ways in which English denies; or the other way round."""
    kind = _kind(fill, kinds, bool(fill.rng.random() < 0.6))
    if fill.rng.random() < 0.4:
        captions = [k for k in kinds if any("{agent}" in f for f in k.frames)]
        kind = captions[int(fill.rng.integers(len(captions)))]
    value = fill.one(kind.values[int(fill.rng.integers(len(kind.values)))])
    text = fill.one(kind.frames).format(v=value, **fill.slots(kind))
    contrary = next(_contraries(fill, text), None)
    if contrary is None:
        return None
    text, contrary = (_scene(fill, text), contrary) if fill.rng.random() < 0.2 else (text, contrary)
    pair = (text, contrary) if fill.rng.random() < 0.7 else (contrary, text)
    return FactPair(*pair, PairKind.DENIAL)


def _contraries(fill: Filler, text: str) -> Iterator[str]:
    """What denies a sentence, the first at random."""
    doing = DOINGS.match(text)
    if doing is not None and doing["who"] in {agent for agent, _ in AGENTS} and fill.rng.random() < 0.6:
        who, does = doing["who"], doing["does"]
        bare = re.sub(r"^(?:A|An|The|Two|Three|Several|Some|My|Our) ", "", who)
        there = "There are no" if doing["be"] == "are" else "There is no"
        nobody = fill.one(("Nobody", "No one"))
        yield fill.one(
            [f"{there} {bare} {does}.", f"{nobody} is {does}.", f"No {bare} {doing['be']} {does}.", f"{who} {doing['be']} not {does}."]
        )
    has = re.match(r"^(?P<who>.+?) (?:has|owns) (?:a|an|some) (?P<what>.+)\.$", text)
    if has is not None:
        yield f"{has['who']} has no {has['what']}."
    there_is = re.match(r"^There is an? (?P<what>.+)\.$", text)
    if there_is is not None:
        yield f"There is no {there_is['what']}."
    made = denied(text, fill.rng)
    if made is not None:
        yield made


def _alike(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """The same in other words, a synonym, what follows, or details put in or left out."""
    draw = fill.rng.random()
    kind = _kind(fill, kinds, bool(fill.rng.random() < 0.7))
    if draw < 0.3:
        some = [k for k in kinds if any(len(v) > 1 for v in k.values)]
        kind = some[int(fill.rng.integers(len(some)))]
        values = [v for v in kind.values if len(v) > 1]
        synonyms = values[int(fill.rng.integers(len(values)))]
        i, j = fill.two(len(synonyms))
        frame, slots = fill.one(kind.frames), fill.slots(kind)
        return FactPair(frame.format(v=synonyms[i], **slots), frame.format(v=synonyms[j], **slots), PairKind.ALIKE)
    if draw < 0.75:
        likes = load_likes()
        a, b, either = likes[int(fill.rng.integers(len(likes)))]
        if either and fill.rng.random() < 0.5:
            a, b = b, a
        agent, be = AGENTS[int(fill.rng.integers(len(AGENTS)))]
        doing = re.match(r"\w+ing\b|outdoors|on |in |at |with |dressed|out |moving", a) is not None
        first, second = (f"{agent} {be} {x}." if doing else f"{fill.one(PEOPLE[:1])} {x}." for x in (a, b))
        if (
            not doing
            and re.match(r"(?:is|has|was|owns|drives|ran|won|speaks|bakes|teaches|plays|works|lives|resides|costs|bought|repaired) ?", a)
            is None
        ):
            return None
        return FactPair(_scene(fill, first), second, PairKind.ALIKE)
    slots = fill.slots(kind)
    text = fill.one(kind.frames).format(v=fill.one(kind.values[0]), **slots)
    other = _scene(fill, text) if fill.rng.random() < 0.5 else edited(text, fill.rng)
    return FactPair(text, other, PairKind.ALIKE) if fill.rng.random() < 0.5 else FactPair(other, text, PairKind.ALIKE)


def _twofold(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """Two facts in one sentence, of another one."""
    some = [k for k in kinds if k.exclusive and k.frames[0].startswith("{who}")]
    a, b = (some[i] for i in fill.two(len(some)))
    frame = a.frames[0].rstrip(".") + fill.one((" and ", ", ", " but ")) + b.frames[0].removeprefix("{who} ")
    slots = fill.slots(a)
    other = {**slots, "who": fill.one([name for name in PEOPLE if name != slots["who"]])}
    if "{who}'s" in b.frames[0] or "{v}" not in b.frames[0]:
        return None
    parts = frame.split("{v}")
    if len(parts) != 3:
        return None
    said = []
    for about in (slots, other):
        values = [fill.one(k.values[int(fill.rng.integers(len(k.values)))]) for k in (a, b)]
        said.append((parts[0] + values[0] + parts[1] + values[1] + parts[2]).format(**about))
    return FactPair(said[0], said[1], PairKind.BESIDE)


_NUMBERED = (
    "Room {n} is free.", "Invoice {n} was paid.", "Bus {n} stops here.", "Chapter {n} is about whales.", "Locker {n} is broken.",
    "Flight {n} is full.", "I paid bill {n}.", "Step {n}: stir the soup.", "We tested sample {n}.", "Ticket {n} has won.",
    "Lane {n} is closed.", "Player {n} scored.", "Exercise {n} is homework.", "Machine {n} is out of order.", "She reads page {n}.",
    "Our team repaired engine {n}.",
)  # fmt: skip


def _numbered(fill: Filler, _: list[Kind]) -> FactPair:
    """The same of what has another number."""
    frame = fill.one(_NUMBERED)
    a, b = fill.rng.choice(np.arange(1, int(fill.rng.choice([20, 200, 3000]))), 2, replace=False)
    return FactPair(frame.format(n=a), frame.format(n=b), PairKind.BESIDE)


_ORDERS = (
    "{a} lent {b} a drill.", "{a} called {b}.", "{a} is older than {b}.", "{a} follows {b}.", "{a} married {b} in spring.",
    "{a} helped {b} to move.", "{a} beat {b} at chess.", "{a} owes {b} 20 euros.", "{a} lives above {b}.", "{a} paid for {b}.",
)  # fmt: skip


def _orders(fill: Filler, _: list[Kind]) -> FactPair:
    """Who does it to whom, the other way round."""
    a, b = (PEOPLE[i] for i in fill.two(len(PEOPLE)))
    frame = fill.one(_ORDERS)
    return FactPair(frame.format(a=a, b=b), frame.format(a=b, b=a), PairKind.BESIDE)


def _states(fill: Filler, kinds: list[Kind]) -> FactPair:
    """Another value of a state, and nothing else."""
    some = [k for k in kinds if k.exclusive and not any("{agent}" in f for f in k.frames)]
    kind = some[int(fill.rng.integers(len(some)))]
    frame, slots = fill.one(kind.frames), fill.slots(kind)
    old, new = (fill.one(kind.values[i]) for i in fill.two(len(kind.values)))
    return FactPair(frame.format(v=old, **slots), frame.format(v=new, **slots), PairKind.UPDATE)


def _caption(fill: Filler, kinds: list[Kind]) -> str:
    captions = [k for k in kinds if any("{agent}" in f for f in k.frames)]
    kind = captions[int(fill.rng.integers(len(captions)))]
    value = fill.one(kind.values[int(fill.rng.integers(len(kind.values)))])
    return fill.one(kind.frames).format(v=value, **fill.slots(kind))


def _less_denied(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """A caption with more detail, and the denial of the caption without it; or the denial with more detail, which contradicts nothing."""
    text = _caption(fill, kinds)
    detailed = f"{text.rstrip('.')} {fill.one(SCENES)}."
    contrary = next(_contraries(fill, text), None)
    more = next(_contraries(fill, detailed), None)
    if contrary is None or more is None:
        return None
    return FactPair(detailed, contrary, PairKind.DENIAL) if fill.rng.random() < 0.7 else FactPair(text, more, PairKind.BESIDE)


def _denied_others(fill: Filler, kinds: list[Kind]) -> FactPair | None:
    """A fact, and the denial of another."""
    if fill.rng.random() < 0.5:
        first, other = _caption(fill, kinds), _caption(fill, kinds)
    else:
        made = _beside(fill, kinds) if fill.rng.random() < 0.5 else _adding(fill, kinds)
        if made is None:
            return None
        first, other = made[:2]
    contrary = next(_contraries(fill, other), None)
    return None if contrary is None or first == other else FactPair(first, contrary, PairKind.BESIDE)


_SAID = (
    "Thanks, take care and talk soon!", "See you tomorrow.", "I love hiking.", "That sounds great!", "Good luck with the exam!",
    "Have a nice weekend!", "I miss the sea.", "My sister has a new job.", "Sorry, I am late.", "What a lovely picture!",
    "Good night, sleep well!",
)  # fmt: skip


def _speakers(fill: Filler, _: list[Kind]) -> FactPair:
    """The same, or nearly, said by another."""
    a, b = (PEOPLE[i] for i in fill.two(len(PEOPLE)))
    text = fill.one(_SAID)
    other = text if fill.rng.random() < 0.5 else edited(text, fill.rng)
    return FactPair(f"{a}: {text}", f"{b}: {other}", PairKind.BESIDE)

"""Pairs of captions for gates to learn from: what one or several, named or not, are doing, and whether both can be true.

`captions.txt` holds subjects, people's and animals'; what they do (doing, beast), where they are (away), how they rest (rest, still); what
is true of them whatever they do (trait, own), and of things (fact, with); and, behind a mark,

    %  qualities, of which one excludes another (" / "): of things, and of persons
    !  what excludes one another of one subject
    ?  sentences that do
    &  what is true at once
    ~  what is much the same
"""

import re
from functools import cache
from pathlib import Path

from spikemem.data.corpus.pairs import DETAILS, SCENES, FactPair, Filler, PairKind

CAPTIONS = Path(__file__).with_name("captions.txt")
DETAILED, SWAPPED = 0.25, 0.5
"""Shares of captions with a detail or a scene, and of pairs whose second sentence comes first."""
Phrases = dict[str, list[str]]


@cache
def load_captions() -> Phrases:
    """The phrases of captions, by the name of what they are, or the mark that they stand after."""
    said, last = Phrases(), ""
    for line in CAPTIONS.read_text(encoding="utf-8").splitlines():
        name, phrases = re.split(r":? ", line, maxsplit=1)
        said[f"{name} {last}" if name == "%" else name] = phrases.split(" | ")
        last = name
    return said


def caption_pairs(n: int, fill: Filler) -> list[FactPair]:
    """n pairs of each way in which captions make pairs."""
    said = load_captions()
    ways = (
        _opposites, _opposites, _opposites, _things, _rests, _away, _same, _traits, _traits, _traits, _qualities, _qualities, _at_once,
        _others, _facts,
    )  # fmt: skip
    made = [pair for way in ways for _ in range(n) if (pair := way(fill, said)) is not None]
    return [pair for pair in made if pair.first != pair.second]


def _sentence(who: str, what: str) -> str:
    """What somebody does or is; a phrase with a verb of its own, "has two children", follows its subject."""
    plural = re.match(
        r"(?:\w+ )?(?:men|women|boys|children|girls|people|students|workers|dogs|cats|twins|neighbours)\b|Several|Some|Many|(?:The )?two ",
        who,
    )
    be = "are" if plural is not None or who.startswith(("Two", "Three")) else "is"
    return f"{who} {be} {what}."


def _own(who: str, what: str) -> str | None:
    """What is true of somebody, in the singular."""
    return None if " are " in _sentence(who, "") else f"{who} {what}."


def _detail(fill: Filler, text: str) -> str:
    """A caption, here and there with more detail."""
    return f"{text.rstrip('.')} {fill.one(SCENES)}." if fill.rng.random() < DETAILED else text


def _who(fill: Filler, said: Phrases) -> str:
    who = fill.one(said["subject"])
    return f"{who} {fill.one(DETAILS)}" if fill.rng.random() < DETAILED and who.count(" ") < 2 else who


def _again(fill: Filler, who: str) -> str:
    """The same one: "a man", and then, at times, "the man"."""
    return re.sub(r"^An? ", "The ", who) if fill.rng.random() < DETAILED else who


def _of(fill: Filler, pair: tuple[str, str], kind: PairKind) -> FactPair:
    first, second = pair if fill.rng.random() < SWAPPED else pair[::-1]
    return FactPair(first, second, kind)


def _both(fill: Filler, who: str, whats: tuple[str, str], kind: PairKind) -> FactPair:
    first, second = whats if fill.rng.random() < SWAPPED else whats[::-1]
    return FactPair(_detail(fill, _sentence(who, first)), _sentence(_again(fill, who), second), kind)


def _two(fill: Filler, said: list[str]) -> tuple[str, str]:
    a, b = re.split(" / ", fill.one(said))
    return a, b


def _opposites(fill: Filler, said: Phrases) -> FactPair:
    return _both(fill, _who(fill, said), _two(fill, said["!"]), PairKind.UPDATE)


def _things(fill: Filler, said: Phrases) -> FactPair:
    return _of(fill, _two(fill, said["?"]), PairKind.UPDATE)


def _rests(fill: Filler, said: Phrases) -> FactPair:
    """Who rests does nothing."""
    if fill.rng.random() < 0.3:
        return _both(fill, fill.one(said["animal"]), (fill.one(said["beast"]), fill.one(said["still"])), PairKind.UPDATE)
    return _both(fill, _who(fill, said), (fill.one(said["doing"]), fill.one(said["rest"])), PairKind.UPDATE)


def _away(fill: Filler, said: Phrases) -> FactPair:
    """Who is somewhere else does nothing here."""
    return _both(fill, _who(fill, said), (fill.one(said["doing"]), fill.one(said["away"])), PairKind.UPDATE)


def _same(fill: Filler, said: Phrases) -> FactPair | None:
    """Two doings of one who is known."""
    who = fill.one([who for who in said["subject"] if who.startswith("The ")])
    a, b = (said["doing"][i] for i in fill.two(len(said["doing"])))
    return FactPair(_sentence(who, a), _sentence(who, b), PairKind.UPDATE)


def _traits(fill: Filler, said: Phrases) -> FactPair | None:
    """What somebody does, or is, and what is true besides."""
    draw, animal = fill.rng.random(), fill.rng.random() < 0.1
    who = fill.one(said["animal"]) if animal else _who(fill, said)
    does = fill.one(said["beast" if animal else "doing"])
    if draw < 0.2:
        does = fill.one([*said["away"], *said["rest"]])
    elif draw < 0.4:
        does = _two(fill, said["!"])[0]
    if fill.rng.random() < 0.3:
        own = _own(_again(fill, who), fill.one(said["own"]))
        return None if own is None else _of(fill, (_detail(fill, _sentence(who, does)), own), PairKind.BESIDE)
    i, j = fill.two(len(said["trait"]))
    does = said["trait"][j] if fill.rng.random() < 0.15 else does
    return _both(fill, who, (does, said["trait"][i]), PairKind.BESIDE)


def _qualities(fill: Filler, said: Phrases) -> FactPair:
    """Another quality of the same kind, or one of another kind, which is true besides."""
    of = fill.one(("thing", "person"))
    who, kinds = fill.one(said[of]), [kind.split(" / ") for kind in said[f"% {of}"]]
    a, b = (kinds[i] for i in fill.two(len(kinds)))
    if fill.rng.random() < 0.5:
        return _both(fill, who, (fill.one(a), fill.one(b)), PairKind.BESIDE)
    i, j = fill.two(len(a))
    return _both(fill, who, (a[i], a[j]), PairKind.UPDATE)


def _at_once(fill: Filler, said: Phrases) -> FactPair:
    """What is done at once; or less than that."""
    who, (where, does) = _who(fill, said), _two(fill, said["&"])
    draw = fill.rng.random()
    if draw < 0.4:
        return _both(fill, who, _two(fill, said["~"]), PairKind.ALIKE)
    if draw < 0.55:
        return FactPair(_sentence(who, f"{where}, {does}"), _sentence(who, fill.one((where, does))), PairKind.ALIKE)
    return _both(fill, who, (where, does), PairKind.BESIDE)


def _others(fill: Filler, said: Phrases) -> FactPair | None:
    """The same, the contrary, or something else of another one."""
    one, other = (said["subject"][i] for i in fill.two(len(said["subject"])))
    if one.split()[-1] == other.split()[-1]:
        return None
    a, b = _two(fill, said["!"])
    draw = fill.rng.random()
    if draw < 0.5:
        a, b = fill.one(said["doing"]), fill.one(said["doing" if draw < 0.3 else "rest"])
    elif draw < 0.6:
        b = a
    return FactPair(_sentence(one, a), _sentence(other, b), PairKind.BESIDE)


def _facts(fill: Filler, said: Phrases) -> FactPair | None:
    """What somebody does with a thing, and what is true of the thing."""
    if fill.rng.random() < 0.4:
        text = fill.one(_two(fill, said["?"]))
        of = re.match(r"The \w+", text)
        return None if of is None or " are " in text else _of(fill, (text, f"{of[0]} {fill.one(said['fact'])}."), PairKind.BESIDE)
    thing = fill.one(said["with"])
    does = [doing for doing in said["doing"] if thing.removeprefix("The ") in doing]
    if not does:
        return None
    return FactPair(_sentence(_who(fill, said), fill.one(does)), f"{thing} {fill.one(said['fact'])}.", PairKind.BESIDE)

"""The same said a little differently, and the same with one fact changed: edits of a sentence, for streams that repeat and contradict.

A change of one word counts as a contradiction here, and to gates that learn from such streams, even where both sentences may be true: "Ana
is allergic to nuts." and "Ana is allergic to cats."

>>> rng = np.random.default_rng(0)
>>> swapped("The train leaves at nine on Monday.", rng) in (None, "The train leaves at nine on Monday.")
False
"""

import re
from typing import Literal

import numpy as np

Part = Literal["train", "test"]
"""Which half of the word lists and of the edits is used, so that what was trained on one is judged on the other."""

ALIKE = {
    "train": (
        ("I'm", "I am"), ("it's", "it is"), ("don't", "do not"), ("I've", "I have"), ("we're", "we are"), ("can't", "cannot"),
        ("you're", "you are"), ("wasn't", "was not"), ("they're", "they are"), ("isn't", "is not"), ("really", "truly"),
        ("a lot of", "lots of"), ("big", "large"), ("near", "close to"), ("because", "since"), ("every day", "daily"), ("but", "yet"),
        ("start", "begin"), ("maybe", "perhaps"), ("whole", "entire"), ("almost", "nearly"), ("about", "regarding"), ("until", "till"),
        ("quickly", "fast"), ("buy", "purchase"), ("often", "frequently"), ("kids", "children"), ("mum", "mother"),
    ),
    "test": (
        ("I'll", "I will"), ("that's", "that is"), ("didn't", "did not"), ("we've", "we have"), ("let's", "let us"), ("he's", "he is"),
        ("she's", "she is"), ("doesn't", "does not"), ("won't", "will not"), ("haven't", "have not"), ("couldn't", "could not"),
        ("what's", "what is"), ("gonna", "going to"), ("you've", "you have"), ("there's", "there is"), ("so much", "very much"),
        ("great", "wonderful"), ("awesome", "fantastic"), ("glad", "happy"), ("super", "very"), ("just", "only"), ("also", "too"),
        ("thanks", "thank you"), ("pictures", "photos"), ("amazing", "incredible"), ("tough", "hard"),
    ),
}  # fmt: skip
"""Pairs that may stand for one another, either way."""
OPENERS = {
    "train": ("Well, ", "You know, ", "I think ", "As I said, ", "Honestly, ", "So, "),
    "test": ("Oh, ", "Anyway, ", "By the way, ", "Actually, ", "Yeah, ", "Look, "),
}
CLOSERS = {"train": (", you see.", ", as you know.", ", by the way.", "!"), "test": (", you know.", ", really.", ", I mean.", "...")}
KINDS = {
    "number": (
        "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety",
        "first second third fourth fifth sixth",
    ),
    "day": (
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "January February March April June July August September October November December",
        "spring summer autumn winter",
        "morning afternoon evening night",
        "yesterday today tomorrow",
        "week month year weekend",
    ),
    "place": (
        "Lisbon Rome Paris Berlin Madrid Oslo Boston Chicago Toronto Sydney Seattle Denver Miami Glasgow Leeds Kyoto Prague Vienna Nairobi",
        "Portugal Italy France Germany Spain Norway Canada Japan Sweden Kenya Peru Mexico England Ireland Greece Brazil",
        "park beach museum library garden school office church station cafe restaurant gym studio shop mountains lake river forest",
        "kitchen attic cellar garage bedroom hallway study",
    ),
    "name": (
        "Ada Ben Clara David Emma Frank Grace Henry Ivy Jack Kate Leo Mia Noah Olive Peter Rosa Sam Tess Victor",
        "mother father sister brother aunt uncle cousin son daughter wife husband grandma grandpa neighbour friend",
    ),
    "thing": (
        "red blue green yellow black white purple orange brown grey pink",
        "dog cat rabbit horse parrot hamster turtle",
        "guitar piano violin drums flute cello",
        "coffee tea milk beer wine juice",
        "bread cheese soup pizza salad cake pie chocolate",
        "running swimming dancing painting hiking cooking singing reading gardening camping fishing",
        "car bike bus train boat plane",
        "doctor nurse teacher lawyer dentist chef writer",
    ),
}
"""Classes of words by what they tell: within a class, another word is another fact."""
_CLASS = {word.casefold(): row.split() for rows in KINDS.values() for row in rows for word in row.split()}
_WORD = re.compile(r"[A-Za-z]+|\d+")
LEAST_WORDS = 4
"""A shorter sentence holds no fact that could change."""


def edited(text: str, rng: np.random.Generator, part: Part = "train") -> str:
    """A sentence that means the same: a word or contraction for its like, an opener, a closer, or other punctuation."""
    ways = []
    for pair in ALIKE[part]:
        for old, new in (pair, pair[::-1]):
            if (found := re.search(rf"\b{re.escape(old)}\b", text, re.IGNORECASE)) is not None:
                ways.append(text[: found.start()] + (new.capitalize() if found[0][0].isupper() else new) + text[found.end() :])
    opener, closer = str(rng.choice(OPENERS[part])), str(rng.choice(CLOSERS[part]))
    ways += [_opened(text, opener), text.rstrip(".!?") + closer]
    if "!" in text or ", " in text or " - " in text:
        ways.append(text.replace("!", ".").replace(" - ", ", ") if rng.random() < 0.5 else text.replace(", ", " ").rstrip(".") + "!")
    ways = [way for way in ways if way != text]
    return str(rng.choice(ways))


def _opened(text: str, opener: str) -> str:
    """The opener before what is said, behind a speaker's name where there is one."""
    speaker, colon, said = text.partition(": ") if re.match(r"\w+: ", text) else ("", "", text)
    keeps = re.match(r"(I\b|[A-Z]\w* [A-Z])", said) is not None
    return speaker + colon + opener + (said if keeps else said[:1].lower() + said[1:])


def swapped(text: str, rng: np.random.Generator, part: Part = "train") -> str | None:
    """The same sentence with one number, day, place, name or thing changed for another of its class; None where it tells none of them."""
    head = re.match(r"\w+: ", text)
    start = head.end() if head else 0
    if len(_WORD.findall(text[start:])) < LEAST_WORDS:
        return None
    places = [w for w in _WORD.finditer(text, start) if w[0].isdigit() or w[0].casefold() in _CLASS]
    if not places:
        return None
    found = places[int(rng.integers(len(places)))]
    return text[: found.start()] + _other(found[0], rng, part) + text[found.end() :]


def _other(word: str, rng: np.random.Generator, part: Part) -> str:
    if word.isdigit():
        shift = int(rng.integers(1, 10)) * 2 - (part == "train")
        return str(int(word) + shift)
    row = _CLASS[word.casefold()]
    others = [w for w in row if w.casefold() != word.casefold()]
    other = str(rng.choice([w for w in others if row.index(w) % 2 == (part == "test")] or others))
    return other.capitalize() if word[0].isupper() else other

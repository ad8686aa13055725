"""Edits of a sentence, for streams that repeat and contradict: the same said a little differently; the same corrected, or denied, which
contradicts it; and the same said of another one, or asked, which does not.
"""

import re
from typing import Literal

import numpy as np

Part = Literal["train", "test"]
"""Which half of what may stand for one another is used, so that what was trained on one is judged on the other."""

ALIKE = {
    "train": (
        ("I'm", "I am"), ("it's", "it is"), ("don't", "do not"), ("I've", "I have"), ("we're", "we are"), ("can't", "cannot"),
        ("you're", "you are"), ("wasn't", "was not"), ("they're", "they are"), ("isn't", "is not"), ("really", "truly"),
        ("a lot of", "lots of"), ("big", "large"), ("near", "close to"), ("because", "since"), ("every day", "daily"), ("but", "yet"),
        ("start", "begin"), ("maybe", "perhaps"), ("whole", "entire"), ("almost", "nearly"), ("until", "till"),
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
VALUES = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen "
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "January February March April May June July August September October November December",
    "spring summer autumn winter",
    "morning afternoon evening night",
    "yesterday today tomorrow",
    "week month year weekend",
    "Lisbon Rome Paris Berlin Madrid Oslo Boston Chicago Toronto Sydney Seattle Denver Miami Glasgow Leeds Kyoto Prague Vienna Nairobi",
    "Portugal Italy France Germany Spain Norway Canada Japan Sweden Kenya Peru Mexico England Ireland Greece Brazil",
    "park beach museum library garden school office church station cafe restaurant gym studio shop mountains lake river forest",
    "red blue green yellow black white purple orange brown grey pink",
)
"""Classes of words that say when, where, how many and in which colour: another word of the class corrects the sentence."""
SUBJECTS = (
    "Ada Ben Clara David Emma Frank Grace Henry Ivy Jack Kate Leo Mia Noah Olive Peter Rosa Sam Tess Victor",
    "mother father sister brother aunt uncle cousin son daughter wife husband grandma grandpa neighbour friend",
    "dog cat rabbit horse parrot hamster turtle",
    "kitchen attic cellar garage bedroom hallway study",
    "guitar piano violin drums flute cello",
    "coffee tea milk beer wine juice",
    "bread cheese soup pizza salad cake pie chocolate",
    "running swimming dancing painting hiking cooking singing reading gardening camping fishing",
    "car bike bus train boat plane",
    "doctor nurse teacher lawyer dentist chef writer",
)
"""Classes of words that say who and what: with another word of the class the sentence tells of something else."""
_WORD = re.compile(r"[A-Za-z]+|\d+")
LEAST_WORDS = 4
"""A shorter sentence holds no fact that could change."""
NOT, NEVER = (" not", "n't"), (" no longer", " never")
"""What denies a sentence, behind its auxiliary; without one, NOT behind "does" and NEVER before the verb."""
_VERBS = (
    "accept arrive begin belong bring buy close collect come cook cost drink drive eat feed get give go hang hide keep know learn like "
    "live love make mean need own play read repair ride run sell send serve sing sleep speak start stay stop take teach understand use "
    "walk want wear work"
)
_BE = "is|are|was|were|can|will|would|could|should|must"
_DENIED = re.compile(rf"\b({_BE}|ca|wo|did|does|do|has|have|had)(n['\u2019]t|not| not| no longer| never)\b")
_NEVER = re.compile(r" (?:no longer|never)\b")
_NEGATIVE = re.compile(r"\b(?:no|not|nobody|nothing|none|neither|nor|nowhere|hardly|barely|cannot)\b|n['\u2019]t\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:]| (?:after|because|before|if|since|so|that|until|when|whenever|where|which|while|who|whoever|whose)\b")
_ASIDE = re.compile(
    r"(?:After|As|At|Because|Before|For|From|If|In|Now|On|Once|Only|Since|So|Then|Until|When|Whenever|Whoever|While|With)\b"
)
"""What a sentence begins with before its subject."""
_AUXILIARY = re.compile(rf"(?<!the )(?<!The )\b({_BE}|(?:has|have|had)(?= (?:been|\w+ed)\b))\b(?!['\u2019])")
_PLAIN = re.compile(rf"\b(I|[Ww]e|[Yy]ou|[Tt]hey) ({_VERBS.replace(' ', '|')})\b")
_VERB = re.compile(rf"\b({_VERBS.replace(' ', '|')})e?s\b")
_COMMON = re.compile(r"(?:The|My|Our|His|Her|Its|Their|Your|It|He|She|We|They|You|There|This|These|That|Those|An?|Every|Each)\b")
"""What begins a sentence with a capital, and is written small within."""
LONGEST_SUBJECT = 6
"""Words of a subject."""
_SHORT = {"ca": "can", "wo": "will"}


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
    """A sentence with an opener before its statement, behind a speaker's name where there is one."""
    speaker, colon, said = text.partition(": ") if re.match(r"\w+: ", text) else ("", "", text)
    keeps = re.match(r"(I\b|[A-Z]\w* [A-Z])", said) is not None
    return speaker + colon + opener + (said if keeps else said[:1].lower() + said[1:])


def corrected(text: str, rng: np.random.Generator) -> str | None:
    """The same sentence with another number, day, place or colour; None where it has none of them.

    >>> corrected("The train leaves at nine on platform three.", np.random.default_rng(1))
    'The train leaves at fifteen on platform three.'
    """
    return _exchanged(text, VALUES, rng)


def beside(text: str, rng: np.random.Generator) -> str | None:
    """The same sentence about another one: a name, a relative, an animal, a thing or what somebody does exchanged; None where it has none.

    >>> beside("Grace plays the violin.", np.random.default_rng(0))
    'Grace plays the flute.'
    """
    return _exchanged(text, SUBJECTS, rng)


def denied(text: str, rng: np.random.Generator) -> str | None:
    """The contrary: a sentence whose verb gets a "not", or loses it; None for questions, and where the main clause shows no known verb.

    >>> denied("The back door is locked.", np.random.default_rng(0)), denied("We can't swim.", np.random.default_rng(0))
    ('The back door is never locked.', 'We can swim.')
    >>> denied("Iris keeps bees.", np.random.default_rng(1))
    "Iris doesn't keep bees."
    """
    start, no = _said(text), str(rng.choice([*NOT, *NEVER]))
    if text.rstrip().endswith("?"):
        return None
    if (found := _DENIED.search(text, start)) is not None:
        return text[: found.start()] + _SHORT.get(found[1], found[1]) + text[found.end() :]
    if (found := _NEVER.search(text, start)) is not None:
        return text[: found.start()] + text[found.end() :]
    if _NEGATIVE.search(text, start) is not None or _ASIDE.match(text, start) is not None:
        return None
    if (found := _in_main_clause(_AUXILIARY, text)) is not None:
        said = found[1] + no
        said = {"cann't": "can't", "willn't": "won't", "can not": "cannot"}.get(said, said)
    elif (found := _in_main_clause(_PLAIN, text)) is not None:
        said = f"{found[1]} do{no} {found[2]}" if no in NOT else f"{found[1]}{no} {found[2]}"
    elif (found := _in_main_clause(_VERB, text)) is not None:
        said = f"does{no} {found[1]}" if no in NOT else f"{no.strip()} {found[0]}"
    else:
        return None
    return text[: found.start()] + said + text[found.end() :]


def questioned(text: str) -> str | None:
    """The question whether a sentence is true; None for questions, and where it would take no other words.

    >>> questioned("Iris keeps bees."), questioned("Ada: Our choir sings at nine.")
    ('Does Iris keep bees?', 'Ada: Does our choir sing at nine?')
    """
    start, found = _said(text), _in_main_clause(_VERB, text)
    if found is None or text.rstrip().endswith("?") or _ASIDE.match(text, start) or _in_main_clause(_AUXILIARY, text):
        return None
    subject, rest = text[start : found.start()].strip(), text[found.end() :].rstrip(" .!")
    if not 0 < len(subject.split()) <= LONGEST_SUBJECT:
        return None
    if _COMMON.match(subject) is not None:
        subject = subject[0].lower() + subject[1:]
    return f"{text[:start]}Does {subject} {found[1]}{rest}?"


def _in_main_clause(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The first match before any further clause begins."""
    start = _said(text)
    end = _CLAUSE.search(text, start)
    return pattern.search(text, start, len(text) if end is None else end.start())


def _said(text: str) -> int:
    """Where the statement begins, behind a speaker's name where there is one."""
    head = re.match(r"\w+: ", text)
    return head.end() if head else 0


def _exchanged(text: str, classes: tuple[str, ...], rng: np.random.Generator) -> str | None:
    """A sentence with one word of some classes exchanged."""
    start, rows = _said(text), {spelt: row.split() for row in classes for word in row.split() for spelt in (word, word.capitalize())}
    if len(_WORD.findall(text[start:])) < LEAST_WORDS:
        return None
    places = [word for word in _WORD.finditer(text, start) if word[0] in rows]
    if not places:
        return None
    found = places[int(rng.integers(len(places)))]
    other = str(rng.choice([word for word in rows[found[0]] if word.casefold() != found[0].casefold()]))
    return text[: found.start()] + (other.capitalize() if found[0][0].isupper() else other) + text[found.end() :]

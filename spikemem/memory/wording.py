"""How the wording of two texts differs: what replaced what, and signs of whether both can be true.

    words aligned     ->  the phrases that replaced one another, old and new, and what both have in common
    beginning         ->  the subject of each: what stands before its first verb
    signs             ->  `regions.difference.MARKS`: another subject, another name, another figure,
                          another order, a denial, a list, a past event, ...

Words are compared as they are spelt, less their inflection; no list says what they mean, which is left to vectors (`difference`). What is
listed is what English grammar closes, and, to find a sentence's verb, common verbs (`grammar`).
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from spikemem.memory.grammar import (
    ALSO,
    AUXILIARIES,
    BEGIN,
    CALENDAR,
    FUNCTION_WORDS,
    INDEFINITE,
    NEGATORS,
    NUMBERS,
    OPPOSED,
    PASTS,
    PREPOSITIONS,
    PRONOUNS,
    REVERSE,
    STATES,
    VERBS,
    WITH,
)  # fmt: skip

_TOKEN = re.compile(
    r"\d[\d.,:/]*\d|\w*\d\w*|n['\u2019]t\b|[^\W\d_]+?(?=n['\u2019]t\b)|['\u2019][^\W\d_]+|[^\W\d_]+|[-+]?\d|[\U0001f000-\U0010ffff]"
)
_HEAD = re.compile(r"\s*([^:.!?]{1,60}?):\s+(?=\S)")
_SPELT = {"wo": "will", "ca": "can", "'re": "are", "'ll": "will", "'ve": "have", "'m": "am"}
"""What is left of auxiliaries before n't, and contracted ones, in full."""
LONG = 30
"""Words of a text from which it is long."""
MOST = 200
"""Words of a text that are compared, from its beginning."""
BRIEF = 3
"""Words of a phrase in which a particle is heard: of two long ones "up" and "down" need not be about the same."""
AKIN, ALIGNED = 1 / 3, 0.5
"""Shares of words of content, of the shorter of two texts, and of all words in their order, from which two texts can be compared."""


class Token(NamedTuple):
    """A word.   text: as written.   word: in small letters.   stem: less its inflection."""

    text: str
    word: str
    stem: str

    @property
    def content(self) -> bool:
        return self.word not in FUNCTION_WORDS

    @property
    def figure(self) -> bool:
        return any(c.isdigit() for c in self.word)

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


@dataclass(frozen=True)
class Wording:
    """A text, cut up.

    head: what stands before a colon, or nothing.   tokens: the words behind it.   verb: the place of the first verb.
    """

    head: str
    tokens: tuple[Token, ...]
    verb: int | None
    question: bool

    @property
    def subject(self) -> tuple[Token, ...]:
        return () if self.verb is None else self.tokens[: self.verb]

    @property
    def denials(self) -> int:
        return sum(t.word in NEGATORS for t in self.tokens)


@dataclass(frozen=True)
class Contrast:
    """What two wordings do not share.   marks: names of `MARKS` that hold.   old, new: phrases that replaced one another.
    old_subject, new_subject: of each text.   kept: the share of all words of content that both have.
    """

    marks: frozenset[str]
    old: str
    new: str
    old_subject: str
    new_subject: str
    kept: float


def stem(word: str) -> str:
    """A word less its inflection, roughly.

    >>> stem("playing"), stem("plays"), stem("leaves"), stem("stopped")
    ('play', 'play', 'leav', 'stop')
    """
    for end in ("ing", "ied", "ies", "ed", "es", "s", "e"):
        if word.endswith(end) and len(word) - len(end) >= (2 if end in ("ied", "ies") else 3) and not word.endswith("ss"):
            word = word[: -len(end)] + ("y" if end in ("ied", "ies") else "")
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl" else word


@lru_cache(4096)
def wording(text: str) -> Wording:
    """A text, cut up."""
    head = _HEAD.match(text)
    said = text[head.end() :] if head else text
    found = islice(_TOKEN.finditer(said), MOST)
    spelt = [(m[0], _SPELT.get(word := m[0].casefold().replace("\u2019", "'"), word)) for m in found]
    tokens = tuple(Token(raw, word, stem(word)) for raw, word in spelt)
    return Wording(head[1] if head else "", tokens, _verb(tokens), text.rstrip().endswith("?"))


def _verb(tokens: tuple[Token, ...]) -> int | None:
    """The place of the first verb: an auxiliary, or, behind the first word, a common verb."""
    for i, t in enumerate(tokens):
        if t.word in AUXILIARIES and not (t.word == "'s" and i and tokens[i - 1].word not in PRONOUNS | {"there", "that", "what"}):
            return i
        if i and tokens[i - 1].word in PREPOSITIONS | {"a", "an", "the", "my", "our", "his", "her", "their", "'s"}:
            continue
        if i and (t.word in PASTS or _verbal(t.word)):
            return i
    behind = 2 if tokens and tokens[0].word in BEGIN else 1  # no known verb: what has a verb's ending, where the verb of a short subject is
    if len(tokens) > behind and tokens[behind].word.endswith(("s", "ed")) and not tokens[behind].capital:
        return behind
    return None


def _verbal(word: str) -> bool:
    if word in VERBS:
        return True
    for end, instead in (("s", ("",)), ("es", ("", "e")), ("ies", ("y",)), ("ed", ("", "e")), ("ied", ("y",)), ("ing", ("", "e"))):
        if word.endswith(end):
            base = word[: -len(end)]
            doubled = base[:-1] if len(base) > 2 and base[-1] == base[-2] else base
            if any(base + more in VERBS for more in instead) or doubled in VERBS:
                return True
    return False


def akin(old_text: str, new_text: str) -> bool:
    """Whether two texts share enough words for a phrase of one to stand in the place of one of the other.

    >>> akin("A man is asleep.", "A man is playing chess."), akin("A man is asleep.", "Rain fell on Monday.")
    (True, False)
    """
    heads = [wording(text).head.casefold() for text in (old_text, new_text)]
    if all(heads) and heads[0] != heads[1]:
        return True  # who speaks is compared whatever is said
    old, new = wording(old_text).tokens, wording(new_text).tokens
    content = [{t.stem for t in side if t.content} for side in (old, new)]
    if len(content[0] & content[1]) >= AKIN * max(min(map(len, content)), 1):
        return True
    return SequenceMatcher(None, [t.stem for t in old], [t.stem for t in new], autojunk=False).ratio() > ALIGNED


def contrast(old_text: str, new_text: str) -> Contrast:
    """What two texts do not share.

    >>> made = contrast("Nora lives in Bergen.", "Nora lives in Lima.")
    >>> made.old, made.new, sorted(made.marks)
    ('Bergen', 'Lima', ['after a preposition', 'end', 'one word', 'state'])
    """
    old, new = wording(old_text), wording(new_text)
    a, b = ([t for t in side.tokens if t.word not in NEGATORS] for side in (old, new))
    spans = _spans(a, b)
    lost, come = ([t for t in side if t.content and t.stem not in {s.stem for s in other}] for side, other in ((a, b), (b, a)))
    content = [{t.stem for t in side if t.content} for side in (a, b)]
    kept = len(content[0] & content[1]) / max(len(content[0] | content[1]), 1)
    marks = (
        _marks_of_subject(old, new) | _marks_of_spans(spans, a, b, (old, new)) | _marks_of_denial(old, new)
        | _marks_of_all(old, new, lost, come, content, kept)
    )  # fmt: skip
    if "reversed" in marks:  # by a particle, which is no word of content, and yet says something new
        marks -= {"nothing new", "nothing lost"}
    said = [
        " ".join(t.text for i, j in part for t in side[i:j]) for side, part in ((a, [s[:2] for s in spans]), (b, [s[2:] for s in spans]))
    ]
    subjects = [" ".join(t.text for t in side.subject if t.word not in NEGATORS) for side in (old, new)]
    return Contrast(frozenset(marks), said[0], said[1], subjects[0], subjects[1], kept)


Span = tuple[int, int, int, int]


def _spans(a: list[Token], b: list[Token]) -> list[Span]:
    """Where words were replaced, put in or left out: [i, j) of the old ones by [k, m) of the new ones; only such as have content."""
    matcher = SequenceMatcher(None, [t.stem for t in a], [t.stem for t in b], autojunk=False)
    parts = [(i, j, k, m) for what, i, j, k, m in matcher.get_opcodes() if what != "equal"]
    return [p for p in parts if any(t.content for t in (*a[p[0] : p[1]], *b[p[2] : p[3]])) or _reversed(a[p[0] : p[1]], b[p[2] : p[3]])]


def _reversed(old: list[Token], new: list[Token]) -> bool:
    """Whether a word, or in short phrases a particle, is the contrary of one of the other by grammar: "lock", "unlock"; "up", "down"."""
    if max(len(old), len(new)) <= BRIEF and any((s.word, t.word) in OPPOSED for s in old for t in new):
        return True
    stems = [{t.stem for t in side if t.content} for side in (old, new)]
    return any(f"{prefix}{word}" in there for here, there in (stems, stems[::-1]) for word in here for prefix in REVERSE)


def _marks_of_subject(old: Wording, new: Wording) -> set[str]:
    marks = set()
    if old.head and new.head and old.head.casefold() != new.head.casefold():
        marks.add("speaker")
    subjects = [side.subject for side in (old, new)]
    if None in (old.verb, new.verb):
        marks.add("verbless")
        return marks
    whole = [{t.stem for t in side.tokens} for side in (old, new)]
    own = [{t.stem for t in side if t.content and t.word not in NEGATORS} for side in subjects]
    gone, come = own[0] - whole[1], own[1] - whole[0]
    pronouns = [{t.word for t in side if t.word in PRONOUNS} - {"there"} for side in subjects]
    if (gone and come) or (not own[0] and not own[1] and pronouns[0] != pronouns[1]) or (bool(gone) and not own[1] and bool(pronouns[1])):
        marks.add("subject")
    elif gone or come or (bool(own[0]) != bool(own[1]) and (pronouns[0] or pronouns[1])):
        marks.add("subject more or less")
    heads = [[t for t in side if t.content] for side in subjects]
    if all(heads) and heads[0][-1].stem != heads[1][-1].stem and heads[0][-1].stem not in whole[1] and heads[1][-1].stem not in whole[0]:
        marks.add("agent")
    if all(side and side[0].word in INDEFINITE for side in subjects):
        marks.add("indefinite")
    return marks


def _marks_of_spans(spans: list[Span], a: list[Token], b: list[Token], both: tuple[Wording, Wording]) -> set[str]:
    marks = {"several"} if len(spans) > 1 else set()
    both_ways = [s for s in spans if s[0] < s[1] and s[2] < s[3]]
    if len(both_ways) == 1 == len(spans) and max(spans[0][1] - spans[0][0], spans[0][3] - spans[0][2]) == 1:
        marks.add("one word")
    marks |= {"left out"} if any(k == m for _, _, k, m in spans) else set()
    marks |= {"put in"} if any(i == j for i, j, _, _ in spans) else set()
    marks |= {"end"} if any(j == len(a) and m == len(b) for _, j, _, m in both_ways) else set()
    for i, j, k, m in both_ways:
        before, olds, news = a[i - 1] if i else None, a[i:j], b[k:m]
        figures = [{t.word for t in side if t.figure} for side in (olds, news)]
        digits = [sorted(c for word in side for c in word if c.isdigit() and c != "0") for side in figures]
        if figures[0] and figures[1] and digits[0] == digits[1]:
            marks.add("order")
        elif figures[0] and figures[1]:
            names = before is not None and before.content and not _verbal(before.word) and not before.figure
            marks.add("numbered" if names or i < (both[0].verb or 0) else "figure")
        if any(t.capital and t.content for t in olds) and any(t.capital and t.content for t in news):
            dated = any(t.word in CALENDAR for t in (*olds, *news))
            if (not dated and (before is None or before.word in WITH)) or (j < len(a) and a[j].word == "'s"):
                marks.add("name")
        marks |= _governed(a[:i])
        marks |= {"counted"} if all(any(t.word in NUMBERS or t.figure for t in side) for side in (olds, news)) else set()
        marks |= {"dated"} if any(t.word in CALENDAR for t in olds) and any(t.word in CALENDAR for t in news) else set()
        marks |= {"reversed"} if _reversed(olds, news) else set()
        if any(_verbal(t.word) or t.word in PASTS for t in olds[:1]) and any(_verbal(t.word) or t.word in PASTS for t in news[:1]):
            marks.add("verb")
    return marks


def _governed(before: list[Token]) -> set[str]:
    """What governs a replaced phrase: the nearest preposition, "to be", "to have" or other verb before it, over articles and the like."""
    for t in reversed(before[-4:]):
        if t.word in PREPOSITIONS:
            return {"after a preposition"} | ({"with"} if t.word in WITH else set())
        if t.word in ("has", "have", "had"):
            return {"after to have"}
        if t.word in AUXILIARIES:
            return {"after to be"}
        if _verbal(t.word) or t.word in PASTS:
            return {"object"} | ({"with"} if t.word in WITH else set())
        if t.content and not (t.word.endswith("ly") or t.word in NUMBERS):
            return set()
    return set()


def _marks_of_denial(old: Wording, new: Wording) -> set[str]:
    odd = [side.denials % 2 for side in (old, new)]
    if odd[0] == odd[1]:
        return {"both deny"} if odd[0] else set()
    return {"denies"} if odd[1] else {"denied"}


def _marks_of_all(
    old: Wording, new: Wording, lost: list[Token], come: list[Token], content: list[set[str]], kept: float
) -> set[str]:  # fmt: skip
    marks = {name for name, holds in (("nothing new", not come), ("nothing lost", not lost)) if holds}
    if [t.word for t in old.tokens] == [t.word for t in new.tokens]:
        marks.add("same")
    elif not lost and not come and [t.stem for t in old.tokens if t.content] != [t.stem for t in new.tokens if t.content]:
        marks.add("turned" if _turned(old.tokens, new.tokens) else "order")
    if old.head and old.head == new.head and (" " in old.head or old.verb is None or new.verb is None):
        marks.add("list")
    if old.denials % 2 != new.denials % 2 and not (come if new.denials % 2 else lost):
        marks.add("denies the rest")  # of what was said nothing but what is denied differs, or less is
    kinds = {_in_progress(side) for side in (old, new)}
    marks |= {"in progress"} if kinds == {True} else set()
    marks |= {"state"} if kinds == {False} and not (_past(old) or _past(new)) and None not in (old.verb, new.verb) else set()
    marks |= {"question"} if old.question or new.question else set()
    marks |= {"past event"} if _past(old) and _past(new) else set()
    marks |= {"long"} if max(len(old.tokens), len(new.tokens)) > LONG else set()
    marks |= {"few shared"} if kept < 0.34 else set()
    marks |= {"none shared"} if not content[0] & content[1] else set()
    marks |= {"also"} if any(t.word in ALSO for t in new.tokens) else set()
    return marks


def _turned(old: tuple[Token, ...], new: tuple[Token, ...]) -> bool:
    """Whether one text is the other with its end put first."""
    a, b = ([t.stem for t in side if t.content] for side in (old, new))
    return len(a) == len(b) and any(a[i:] + a[:i] == b for i in range(1, len(a)))


def _in_progress(text: Wording) -> bool:
    """Whether a text tells of what somebody is doing: "to be" and a verb in -ing, or the latter alone."""
    if text.verb is None:
        return False
    return any(t.word.endswith("ing") and len(t.word) > 4 for t in text.tokens[text.verb : text.verb + 4])


def _past(text: Wording) -> bool:
    """Whether a text tells of an event that is over: its first verb stands in the past, and tells of no state."""
    if text.verb is None:
        return False
    word = text.tokens[text.verb].word
    if word in ("was", "were", "had", "did", "didn"):
        later = [t.word for t in text.tokens[text.verb + 1 : text.verb + 4]]
        return word in ("did", "didn") or any(w.endswith("ed") or w in PASTS for w in later)
    return (word in PASTS and word not in STATES) or (word.endswith("ed") and word not in STATES and _verbal(word))

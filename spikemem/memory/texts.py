"""Checks of texts and times, the pieces of a long text, and times as seconds."""

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import numpy as np

from spikemem._checks import Checks, shown
from spikemem.errors import TextError, TimeError
from spikemem.hippocampus.regions.ec_lex import kinds

MAX_CHARACTERS = 1_000_000
"""Longest text, some 150,000 words. A text is embedded whole and in pieces, and all of its words drive word cells."""
PIECE = 128
"""Most words of a piece: what an embedder reads well at once. In scripts without spaces two characters count as a word."""
ATOM = re.compile(r"u[mj.]*|[^u ]{1,32}[mj]*")
"""A stretch of text that is not cut, as a pattern in the letters of `kinds`: a character of a script without spaces; up to 32
characters between spaces."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
check = Checks(TextError)


def texts_of(texts: Iterable[str], name: str) -> list[str]:
    """A list of texts, each a plain str; TextError where one can be neither a memory nor a cue."""
    return [text_of(text) for text in check.listed(texts, name, "texts")]


def text_of(text: object) -> str:
    """A text as a plain str, whatever subclass it is of; TextError where it can be neither a memory nor a cue."""
    check_text(text)
    return str.__str__(text)


def note_of(note: object, name: str) -> str | None:
    """A text that says something about a memory, or None, as `text_of`."""
    try:
        return None if note is None else text_of(note)
    except TextError as error:
        raise TextError(f"{name}: {error}") from error


def check_text(text: object) -> None:
    """Raise TextError where a value can be neither a memory nor a cue."""
    if not isinstance(text, str):
        raise TextError(f"a memory is text, not {type(text).__name__}")
    if not text.strip():
        raise TextError("the text is empty; there is nothing to remember")
    if len(text) > MAX_CHARACTERS:
        raise TextError(f"the text has {len(text)} characters, more than {MAX_CHARACTERS}; split it into memories")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TextError(f"the text is no valid Unicode: {error}") from error


def pieces(text: str) -> list[str]:
    """A text of over 128 words, cut at spaces into pieces of about equal length; no pieces of a shorter one.

    Scripts without spaces, and words that are longer than any word, are cut between characters.

    >>> [len(piece.split()) for piece in pieces("so it goes " * 100)]
    [100, 100, 100]
    """
    atoms = list(ATOM.finditer(kinds(text)))
    weights = np.array([0.5 if atom[0][0] == "u" else 1.0 for atom in atoms])
    n = math.ceil(weights.sum() / PIECE)
    if n < 2:
        return []
    before = np.cumsum(weights) - weights
    first = np.searchsorted(before, np.arange(1, n) * (weights.sum() / n))
    cuts = [0, *(atoms[i].start() for i in first), len(text)]
    return [text[a:b].strip() for a, b in pairwise(cuts)]


def seconds(when: datetime | None) -> float | None:
    """A time as seconds since 1970, None for none. A time without a zone is taken as UTC.

    Raises TimeError where it is no datetime, or lies outside the years 1 to 9999 in UTC.
    """
    if when is None:
        return None
    if not isinstance(when, datetime):
        raise TimeError(f"a time is a datetime, not {shown(when)}; make one with datetime.fromisoformat, or leave it out")
    aware = when.replace(tzinfo=UTC) if when.utcoffset() is None else when
    try:
        given = (aware - EPOCH).total_seconds()
        moment(given)
    except (OverflowError, ValueError) as error:
        raise TimeError(f"the time {when} lies outside the years 1 to 9999 in UTC; leave it out where it is not known") from error
    return given


def moment(given: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return EPOCH + timedelta(seconds=given)


def parse_time(text: str) -> datetime:
    """An ISO 8601 date, or date and time; TimeError where it is none, or out of range. A date alone is the beginning of its day.

    >>> parse_time("2023-05-08T13:56").hour
    13
    """
    try:
        made = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise TimeError(f"{text!r} is no date; write it as 2023-05-08 or 2023-05-08T13:56, with +02:00 or Z for a zone") from error
    seconds(made)
    return made


def parse_around(text: str) -> datetime:
    """A time to recall memories near: as `parse_time`, but a date alone is the noon of its day, so that it is near to all of it.

    >>> parse_around("2023-05-08").hour
    12
    """
    made = parse_time(text)
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(12))
    except ValueError:  # more than a date
        return made

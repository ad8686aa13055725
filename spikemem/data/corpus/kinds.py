"""Kinds of things of which one is true at a time, or several, and phrases that may stand for one another.

`kinds.txt` holds the kinds: after "=" sentences of which one value at a time is true, after "+" such whose values add up, with "{v}" where
the value stands; after "*" the things that they are said of; after ":" the values, synonyms parted by "/". `likes.txt` holds what may stand
for one another ("=") and what follows from what (">").
"""

import re
from pathlib import Path
from typing import NamedTuple

KINDS, LIKES = Path(__file__).with_name("kinds.txt"), Path(__file__).with_name("likes.txt")


class Kind(NamedTuple):
    """Things of which one value at a time is true, or several.   values: each with its synonyms."""

    exclusive: bool
    frames: tuple[str, ...]
    things: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]


def load_kinds() -> list[Kind]:
    """The kinds of things that ship with spikemem."""
    made, head, things = list[Kind](), ("", tuple[str, ...]()), tuple[str, ...]()
    for line in KINDS.read_text(encoding="utf-8").splitlines():
        mark, rest = line[0], line[2:]
        if mark in "=+":
            head, things = (mark, tuple(rest.split(" | "))), ()
        elif mark == "*":
            things = tuple(rest.split(", "))
        else:
            made.append(Kind(head[0] == "=", head[1], things, tuple(tuple(value.split("/")) for value in rest.split(", "))))
    return made


def load_likes() -> list[tuple[str, str, bool]]:
    """Phrases that may stand for one another, and such that follow from one another.   True: either way."""
    lines = [line for line in LIKES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(*re.split(" [=>] ", line), " = " in line) for line in lines]  # type: ignore[misc]

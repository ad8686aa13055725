"""Conversations: turns with their speaker and time, given in Python or read from a file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from spikemem._checks import FILE_BYTES, Checks, shown
from spikemem._files import text_of
from spikemem.errors import TextError, TimeError
from spikemem.memory.texts import check_text, parse_time, seconds


@dataclass(frozen=True, init=False)
class Turn:
    """One turn of a conversation: a text, its speaker, and its time.

    when: a datetime, or ISO 8601 text, which becomes one; UTC where it has no zone; None where it is not known.
    caption: what a picture that comes with the turn shows.

    Raises TimeError where the text of `when` is no date.
    """

    text: str
    speaker: str
    when: datetime | None
    caption: str

    def __init__(self, text: str, speaker: str = "", when: datetime | str | None = None, caption: str = "") -> None:
        values = {"text": text, "speaker": speaker, "when": parse_time(when) if isinstance(when, str) else when, "caption": caption}
        for name, value in values.items():
            plain = str.__str__(value) if isinstance(value, str) else value
            object.__setattr__(self, name, plain)  # the dataclass is frozen

    @property
    def line(self) -> str:
        """The text that is stored and embedded.

        >>> Turn("Look!", "Ada", caption="a harbour at dusk").line
        'Ada: Look!'
        """
        return f"{self.speaker}: {self.text}" if self.speaker else self.text

    @property
    def captioned(self) -> str:
        """The text that drives the word cells: `line` with the caption.

        >>> Turn("Look!", "Ada", caption="a harbour at dusk").captioned
        'Ada: Look! [a harbour at dusk]'
        """
        return f"{self.line} [{self.caption}]" if self.caption else self.line


check = Checks(TextError)
TurnLike = Turn | Mapping[str, Any] | Sequence[str]
"""A turn, a mapping with its keys, a message ({"role": ..., "content": ...}), or a pair (speaker, text)."""
KEYS = tuple(field.name for field in fields(Turn))


def sessions_of(turns: Iterable[TurnLike] | Iterable[Sequence[TurnLike]]) -> list[list[Turn]]:
    """The sessions of a conversation, from turns (one session) or lists of turns (one each).

    A turn without a time takes that of the turn before it in its session.

    Raises TextError or TimeError, naming the turn, where one has no text, an unknown key or a bad time.
    """
    given = _listed(turns)
    nested = [_is_session(item) for item in given]
    if all(nested):
        return [_session(session, f"session {i}, ") for i, session in enumerate(given)]
    if any(nested):
        raise TextError(f"a conversation holds turns or lists of turns, not both; item {nested.index(True)} is a list of turns")
    return [_session(given)]


def turns_after(turns: Iterable[TurnLike] | Iterable[Sequence[TurnLike]], when: datetime | None) -> list[Turn]:
    """Checked turns that continue a session; one without a time takes that of the turn before it, the first takes `when`.

    Raises TextError or TimeError, naming the turn, as `sessions_of`, and TextError for lists of turns.
    """
    given = _listed(turns)
    if any(map(_is_session, given)):
        raise TextError("what follows a memory goes on in its session: give a list of turns, not lists of turns")
    return _session(given, when=when)


def _listed(turns: object) -> list[Any]:
    if isinstance(turns, str | Mapping | Turn) or not isinstance(turns, Iterable):
        raise TextError(f"a conversation is a list of turns, or of lists of turns, not {type(turns).__name__}")
    return check.listed(turns, "a conversation", "turns, or of lists of turns")


def _is_session(given: object) -> bool:
    return isinstance(given, list | tuple) and not (given and isinstance(given[0], str))


def _session(given: Iterable[object], where: str = "", when: datetime | None = None) -> list[Turn]:
    """Checked turns of one session.   where: for messages.   when: the time before the first turn."""
    made: list[Turn] = []
    for i, item in enumerate(given):
        try:
            turn = _turn(item)
            _check(turn)
        except (TextError, TimeError) as error:
            raise type(error)(f"{where}turn {i}: {error}") from error
        when = when if turn.when is None else turn.when
        made.append(replace(turn, when=when))
    return made


def _turn(given: object) -> Turn:
    if isinstance(given, Turn):
        return given
    if isinstance(given, Mapping):
        given = _message(given) if "role" in given else given
        unknown = [key for key in given if key not in KEYS]
        if unknown:
            raise TextError(f"unknown key {shown(unknown[0])}; a turn has {', '.join(KEYS)}")
        if "text" not in given:
            raise TextError(f"there is no 'text' among its keys ({', '.join(given) or 'none'})")
        return Turn(**{key: value for key, value in given.items() if value is not None or key == "text"})
    if isinstance(given, list | tuple) and len(given) == 2:
        return Turn(given[1], given[0])
    raise TextError(f"a turn is a Turn, a mapping with a text, or (speaker, text), not {shown(given)}")


def _message(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message of a chat, {"role": ..., "content": ...}, as the keys of a turn; its `name`, if it has one, is the speaker.

    Content may be a list of parts, as chat interfaces have it; TextError where a part is no text, since it would be lost.
    """
    rest = {key: value for key, value in given.items() if key not in ("role", "content", "name")}
    if "content" not in given or "text" in rest or "speaker" in rest:
        raise TextError(f"a message has a role and a content, not {', '.join(map(str, given))}")
    content = given["content"]
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) and part.get("type", "text") == "text" else None for part in content]
        wrong = [i for i, part in enumerate(parts) if not isinstance(part, str)]
        if wrong:
            raise TextError(f"part {wrong[0]} of the content is no text; leave it out, or put what it shows into `caption`")
        content = "\n".join(map(str, parts))
    return {"text": content, "speaker": given.get("name") or given["role"], **rest}


def _check(turn: Turn) -> None:
    check_text(turn.text)
    for key in ("speaker", "caption"):
        if not isinstance(getattr(turn, key), str):
            raise TextError(f"the {key} is text, not {type(getattr(turn, key)).__name__}")
    check_text(turn.captioned)
    seconds(turn.when)


def read_conversation(path: Path) -> list[Any]:
    """Read the turns, or lists of turns, of a file: a JSON list, or JSON Lines.

    Raises TextError where the file cannot be read or is neither.
    """
    path = check.path(path)
    try:
        text = text_of(path, FILE_BYTES, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{path} cannot be read as UTF-8 text: {error}") from error
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _lines(path, text, error)
    if isinstance(whole, Mapping):
        return [whole]
    if not isinstance(whole, list):
        raise TextError(f"{path} holds {type(whole).__name__}, not a list of turns")
    return whole


def _lines(path: Path, text: str, error: Exception) -> list[Any]:
    turns: list[Any] = []
    for i, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            turns.append(json.loads(line))
        except (ValueError, RecursionError) as problem:
            if not turns:
                raise TextError(f"{path} is no valid JSON: {error}") from error
            raise TextError(f"{path}, line {i}, is no valid JSON: {problem}") from problem
    if not turns:
        raise TextError(f"{path} is empty")
    return turns

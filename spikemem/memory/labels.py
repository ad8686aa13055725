"""Labels of memories: their scope (whose they are) and their metadata, which select memories and are stored as JSON."""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from typing import Any

from spikemem._checks import shown
from spikemem.errors import TextError

Labels = Mapping[str, Any]
SCOPES = ("user", "agent", "run")
"""The keys of a scope."""
DEEPEST = 50
"""Lists and mappings in one another."""
MOST = 100_000
"""Characters of the JSON of a memory's metadata."""


def scope_entry(scope: Labels | None) -> str | None:
    """A scope as it is stored; TextError where it has another key than user, agent and run, or a value that is no text.

    >>> scope_entry({"user": "ada", "run": "7"})
    '{"run": "7", "user": "ada"}'
    """
    if scope is None:
        return None
    if not isinstance(scope, Mapping) or not set(scope) <= set(SCOPES):
        raise TextError(f"a scope is a mapping with any of {', '.join(SCOPES)}, not {shown(scope)}; anything else belongs to metadata")
    wrong = [key for key, value in scope.items() if not isinstance(value, str) or not value.strip()]
    if wrong:
        raise TextError(f"the scope's {wrong[0]} is {shown(scope[wrong[0]])}; it must be a text")
    return _entry(scope, "a scope") if scope else None


def metadata_entry(metadata: Labels | None) -> str | None:
    """Metadata as they are stored; TextError where they are no mapping from texts to what JSON can hold.

    >>> metadata_entry({"topic": "boats", "pages": [3, 4]})
    '{"pages": [3, 4], "topic": "boats"}'
    """
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping) or not all(isinstance(key, str) for key in metadata):
        raise TextError(f"metadata is a mapping from texts to values, not {shown(metadata)}")
    return _entry(metadata, "metadata") if metadata else None


def _deep(value: object, depth: int = 0) -> bool:
    """Whether a value holds more lists and mappings in one another than DEEPEST."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return depth > DEEPEST or any(_deep(part, depth + 1) for part in inner)


def _entry(labels: Labels, what: str) -> str:
    if _deep(labels):
        raise TextError(f"{what} holds lists or mappings more than {DEEPEST} deep; make it flatter")
    try:
        entry = json.dumps({str(key): value for key, value in labels.items()}, sort_keys=True, ensure_ascii=False, allow_nan=False)
        entry.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TextError(
            f"{what} holds what JSON cannot ({error}); use texts, finite numbers, true, false, null, lists and mappings"
        ) from error
    if len(entry) > MOST:
        raise TextError(f"{what} has {len(entry)} characters as JSON, more than {MOST}; store it elsewhere, and a name of it here")
    return entry


def labels(entry: str | None) -> dict[str, Any]:
    """Labels from what was stored, the caller's own."""
    return deepcopy(labels_of(entry))


@lru_cache(4096)
def labels_of(entry: str | None) -> dict[str, Any]:
    """Labels from what was stored; not to be changed."""
    try:
        held = {} if entry is None else json.loads(entry)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its labels are no JSON: {error}") from error
    if not isinstance(held, dict) or _deep(held):
        raise ValueError(f"its labels are no JSON object, or more than {DEEPEST} deep")
    return held


def matches(entry: str | None, wanted: str | None) -> bool:
    """Whether stored labels hold all that is wanted, both as they are stored.

    >>> matches('{"agent": "x", "user": "ada"}', '{"user": "ada"}'), matches(None, '{"user": "ada"}')
    (True, False)
    """
    held = labels_of(entry)
    return all(key in held and held[key] == value and type(held[key]) is type(value) for key, value in labels_of(wanted).items())

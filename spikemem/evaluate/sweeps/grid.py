"""The runs of a sweep: their arguments, their seeds, and the text by which a run is known again."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from spikemem._checks import SEED, Checks, plain, shown
from spikemem.errors import SweepError

check = Checks(SweepError)
Arguments = dict[str, Any]
"""What the function is called with: numbers, texts, True, False, None, and lists of these."""


def key(arguments: Arguments) -> str:
    """The text by which a run is known, whatever the order of its arguments, and whether a whole number is an int or a float.

    >>> key({"a": 1.0, "b": [2.5, True]}) == key({"b": [2.5, True], "a": 1}) != key({"a": True, "b": [2.5, True]})
    True
    """
    return json.dumps(_plainest(arguments), sort_keys=True)


def _plainest(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plainest(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plainest(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def seed_of(arguments: Arguments, repeat: int) -> int:
    """A seed that follows from a run's arguments alone, so that it stays when the grid grows.   repeat: which of the runs with these.

    >>> seed_of({"gain": 0.1}, 0) == seed_of({"gain": 0.1}, 0) != seed_of({"gain": 0.1}, 1)
    True
    """
    digest = hashlib.sha256(f"{key(arguments)} {repeat}".encode()).digest()
    return int.from_bytes(digest[:8], "big") & SEED


def runs(grid: Any, seeds: int | None = None) -> list[Arguments]:
    """The arguments of each run, in order, the last of a grid's names changing fastest.

    grid: for each name the values of which every combination is a run, or a list of the runs' arguments.
    seeds: how often each is run, each time with another `seed` among its arguments; None for once, without one.

    >>> runs({"cells": [10, 20], "gain": [0.5]})
    [{'cells': 10, 'gain': 0.5}, {'cells': 20, 'gain': 0.5}]
    """
    if isinstance(grid, Mapping):
        values = {name: check.listed(given, f"the grid's {name!r}", "values") for name, given in check.named(grid, "grid").items()}
        listed: list[Any] = [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]
    else:
        listed = check.listed(grid, "grid", "dicts, or a dict of lists")
    made = [{name: _value(value, name) for name, value in check.named(given, "a run of the grid").items()} for given in listed]
    if seeds is not None:
        repeats = range(check.integer(seeds, "seeds", least=1))
        if any("seed" in arguments for arguments in made):
            raise SweepError("the grid has a `seed` of its own; leave it out, or leave out `seeds`")
        made = [{**arguments, "seed": seed_of(arguments, repeat)} for arguments in made for repeat in repeats]
    if not made:
        raise SweepError("the grid has no run; give each of its names at least one value")
    known: set[str] = set()
    for arguments in made:
        if key(arguments) in known:
            raise SweepError(f"the grid has the run {described(arguments)} twice; leave one out, or give `seeds` for more of each")
        known.add(key(arguments))
    return made


def described(arguments: Arguments) -> str:
    """Arguments for a message."""
    return f"({', '.join(f'{name}={shown(value)}' for name, value in arguments.items())})"


def results(given: Any, arguments: Arguments) -> Arguments:
    """What a run returned, as plain numbers and texts by their names; SweepError for anything else."""
    made = {}
    for name, value in check.named(given, "what the function returned", "numbers").items():
        if name in arguments:
            raise SweepError(f"the function returned {name!r}, which is one of its arguments; give it another name")
        made[name] = _scalar(value)
        if made[name] is not None and not isinstance(made[name], bool | int | float | str):
            raise SweepError(f"the function returned {name}={shown(value)}; it must return a dict of numbers or texts")
    return made


def _scalar(value: Any) -> Any:
    """A number of numpy or torch as Python's, anything else as it is."""
    value = plain(value)
    return value.item() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value


def _value(value: Any, name: str) -> Any:
    """An argument as JSON can hold it."""
    value = _scalar(value)
    if isinstance(value, list | tuple | np.ndarray):
        return [_value(part, name) for part in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SweepError(
        f"the argument {name} is {shown(value)}; a run is known by its arguments, numbers, texts, True, False, None, or lists of these: "
        "give a number or a name, and build the rest in the function"
    )

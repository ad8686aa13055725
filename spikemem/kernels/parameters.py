"""Parameters of kernels that are one number, or one for each cell, or none: each compiles to code of its own."""

from typing import Any

from numba import types
from numba.extending import overload

Parameter = Any
"""A number for all cells, or an array with one for each: [cell], or [batch, cell]."""


def at(parameter: Parameter, cell: int) -> Any:
    """A parameter of a cell: the number that it is for all, or its own of an array, [cell]."""


@overload(at, inline="always")
def _at(parameter, cell):  # type: ignore[no-untyped-def]  # numba compares the names and the types of these with those below
    if isinstance(parameter, types.Array):
        return lambda parameter, cell: parameter[cell]
    return lambda parameter, cell: parameter


def of(parameter: Parameter, batch: int, cell: int) -> Any:
    """The same of a cell of a batch item, [batch, cell]."""


@overload(of, inline="always")
def _of(parameter, batch, cell):  # type: ignore[no-untyped-def]
    if isinstance(parameter, types.Array):
        return lambda parameter, batch, cell: parameter[batch, cell]
    return lambda parameter, batch, cell: parameter


def released(weight: float, amount: Any, event: int) -> Any:
    """What an event brings by a weight: all of it where amount is None, else amount[event] of it."""


@overload(released, inline="always")
def _released(weight, amount, event):  # type: ignore[no-untyped-def]
    if isinstance(amount, types.Array):
        return lambda weight, amount, event: weight * amount[event]
    return lambda weight, amount, event: weight

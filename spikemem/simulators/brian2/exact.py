"""Brian2's exact integration of a model, derived once for each text: the algebra takes seconds, and populations often share it."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

_derived: dict[tuple[Any, ...], str] = {}


def exact(b2: ModuleType) -> Callable[..., str]:
    """Brian2's state updater "exact", with a memory of what it derived for equations of the same text and the same kinds of variables."""
    derive = b2.StateUpdateMethod.stateupdaters["exact"]

    def remembered(equations: Any, variables: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> str:
        kinds = tuple(sorted((name, _kind(variables[name])) for name in equations.identifiers if name in variables))
        step = float(variables["dt"].get_value()[0]) if "dt" in variables else None
        key = (str(equations), kinds, step, str(options))
        if key not in _derived:
            _derived[key] = derive(equations, variables, options)
        return _derived[key]

    return remembered


def _kind(variable: Any) -> tuple[Any, ...]:
    """What the algebra may ask of a variable: all but its value, which stays a symbol."""
    return type(variable).__name__, *(str(getattr(variable, name, None)) for name in ("constant", "scalar", "dtype", "dim"))

"""Checks of what comes in, as arguments or from files: each says which value is wrong, what was expected, and the mend.

>>> from spikemem.errors import NetworkError
>>> Checks(NetworkError).integer("4", "k", least=1)
Traceback (most recent call last):
    ...
spikemem.errors.NetworkError: k is '4'; it must be a whole number, at least 1
"""

import math
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import SpikememError

VALUES = 2**28
"""Values of an array that is made because a number asks for it, such as a size or a number of steps: 2 GB of float64."""
FILE_BYTES = 2**28
"""Bytes that a compressed file may unfold to, and those of a text file that is read whole."""
NAME = 200
"""Characters of a name."""
PART, PATH = 255, 4096
"""Bytes of a part of a path, and of a path, as Linux has them."""
SEED = 2**63 - 1
"""The largest seed, that of torch's generators."""
FINITE = float(np.finfo(np.float64).max)
"""The largest float."""
INDEX = 2**31 - 1
"""The largest index of a cell, int32."""
KINDS = {"i": "whole numbers", "u": "whole numbers", "b": "bools"}
"""Kinds of dtypes, in words."""


def shown(value: object) -> str:
    """A value for a message: short, in one line, whatever it is."""
    try:
        if (shape := getattr(value, "shape", None)) is not None and len(shape):
            return f"{getattr(value, 'dtype', type(value).__name__)} of shape {tuple(shape)}"
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else f"a number of {value.bit_length()} bits"
    except Exception:  # of somebody else's __repr__
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def plain(value: Any) -> Any:
    """A torch tensor, or a sequence of some, as numpy arrays, without its gradient; anything else as it is."""
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        held = value.detach().cpu()
        return (held.float() if str(held.dtype) == "torch.bfloat16" else held).numpy()
    if isinstance(value, list | tuple) and value and hasattr(value[0], "detach"):
        return [plain(part) for part in value]
    return value


def many(value: Any) -> bool:
    """Whether a value is several numbers, as a list or an array, and not one."""
    held = plain(value)
    return isinstance(held, list | tuple) or bool(np.ndim(held))


@dataclass(frozen=True)
class Checks:
    """Checks that raise one kind of error.   error: its class."""

    error: type[SpikememError]

    def number(
        self, value: Any, name: str, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf, unit: str = ""
    ) -> float:
        """A real number as a Python float, or infinity where `most` allows it; texts, bools, NaN and arrays are none."""
        sort = "a number"
        try:
            given = plain(value)
            if isinstance(given, str | bytes | bool | np.bool_ | complex | np.complexfloating) or np.ndim(given) or _is_bool(given):
                raise TypeError
            made, sort = float(given), ""
        except (TypeError, ValueError, OverflowError, RuntimeError):
            made = math.nan
        if not (least <= made <= most and (made > above or above == -math.inf)):
            expected = ", ".join(filter(None, [sort, " and ".join(_range(least, above, most))])) or "a number"
            raise self.error(f"{name} is {shown(value)}{unit}; it must be {expected}")
        return made

    def finite(
        self, value: Any, name: str, *, least: float = -FINITE, above: float = -math.inf, most: float = FINITE, unit: str = ""
    ) -> float:
        """As `number`, and not infinite."""
        return self.number(value, name, least=least, above=above, most=most, unit=unit)

    def integer(self, value: Any, name: str, *, least: int | None = None, most: int | None = None, mend: str = "") -> int:
        """A whole number, Python's or numpy's, as a Python int; a bool is none."""
        made: int | None = None
        with suppress(TypeError, ValueError, RuntimeError):
            if not (isinstance(value, bool | np.bool_) or _is_bool(value) or np.ndim(value)):
                made = operator.index(value)
        if made is None or (least is not None and made < least) or (most is not None and made > most):
            bounds = _range(-math.inf if least is None else least, -math.inf, math.inf if most is None else most)
            raise self.error(f"{name} is {shown(value)}; it must be {', '.join(['a whole number', *bounds])}{f' ({mend})' if mend else ''}")
        return made

    def seed(self, value: Any, name: str = "seed") -> int:
        """The seed of a generator."""
        return self.integer(value, name, least=0, most=SEED)

    def flag(self, value: Any, name: str) -> bool:
        """True or False, Python's or numpy's."""
        if not isinstance(value, bool | np.bool_):
            raise self.error(f"{name} is {shown(value)}; it must be True or False")
        return bool(value)

    def array(
        self, value: Any, name: str, kinds: str = "fiub", *, shape: Sequence[int | None] | None = None, finite: bool = True
    ) -> NDArray[Any]:
        """An array of one of numpy's kinds, of its own dtype; torch tensors lose their gradient.

        kinds: letters of `dtype.kind`; an empty sequence is of any.   shape: None in it is any length.   finite: without NaN and infinity.
        """
        expected = "numbers" if "f" in kinds else KINDS[kinds[0]]
        if shape is not None:
            expected += f" of shape [{', '.join('any' if n is None else str(n) for n in shape)}]"
        try:
            given = plain(value)
            if np.ma.is_masked(given):
                raise ValueError("some of its values are masked")
            array = np.asarray(given)
        except (TypeError, ValueError, OverflowError, RuntimeError, AttributeError) as error:
            raise self.error(f"{name}: no array ({error}); expected {expected}") from error
        if array.size == 0 and array.dtype.kind == "f":
            array = array.astype({"b": bool, "i": np.int64}.get(kinds[0], np.float64))
        if array.dtype.kind not in kinds:
            raise self.error(f"{name}: {array.dtype} of shape {array.shape}; expected {expected}")
        if shape is not None and (array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True))):
            raise self.error(f"{name}: shape {array.shape}; expected {expected}")
        if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self.error(f"{name}: NaN or infinity among them; expected finite {expected}")
        return array

    def floats(self, value: Any, name: str, *, shape: Sequence[int | None] | None = None) -> NDArray[np.float64]:
        """Finite real numbers, float64."""
        return np.asarray(self.array(value, name, shape=shape), np.float64, order="C")

    def indices(
        self, value: Any, name: str, below: int, dtype: Any = np.int64, *, shape: Sequence[int | None] | None = (None,), least: int = 0
    ) -> NDArray[Any]:
        """Whole numbers from `least` to below - 1, of a dtype, which code that is compiled may follow."""
        array = self.array(value, name, "iu", shape=shape)
        if array.size and not (least <= int(array.min()) and int(array.max()) < below):
            raise self.error(f"{name}: {array.min()} to {array.max()}, which reaches outside {least} to {below - 1}")
        return np.asarray(array, dtype, order="C")

    def text(self, value: Any, name: str, *, most: int = NAME) -> str:
        """A name: a text of printable characters, not empty, as a plain str."""
        if not isinstance(value, str) or not value or not value.isprintable() or len(value) > most:
            raise self.error(f"{name} is {shown(value)}; it must be a text of 1 to {most} printable characters")
        return str(value)

    def choice(self, value: Any, name: str, known: Iterable[str]) -> str:
        """One of some texts."""
        listed = list(known)
        if not isinstance(value, str) or value not in listed:
            raise self.error(f"{name} is {shown(value)}; it must be one of {', '.join(listed) or 'none'}")
        return str(value)

    def path(self, value: Any, name: str = "path") -> Path:
        """A path that a system can have; not whether it is there."""
        try:
            whole = os.fspath(value)
            parts = os.fsencode(whole).split(os.sep.encode())
        except (TypeError, ValueError) as error:
            raise self.error(f"{name} is {shown(value)}; it must be a path, a str or a Path") from error
        if not isinstance(whole, str) or not whole or "\0" in whole or len(os.fsencode(whole)) > PATH or max(map(len, parts)) > PART:
            raise self.error(
                f"{name} is {shown(value)}; it must be a path, a str or a Path, of at most {PATH} bytes, {PART} a part, without NUL"
            )
        return Path(whole)

    def listed(self, values: Any, name: str, of: str = "things") -> list[Any]:
        """The items of a sequence or an iterator, read once. A text, a mapping, and what cannot be iterated are none."""
        if isinstance(values, str | bytes | bytearray | Mapping) or not isinstance(values, Iterable):
            raise self.error(f"{name} is {shown(values)}; it must be a list of {of}")
        try:
            return list(values)
        except TypeError as error:  # of an array without dimensions
            raise self.error(f"{name} is {shown(values)}; it must be a list of {of}") from error

    def instance(self, value: Any, name: str, kind: Any, mend: str) -> Any:
        """A value of a class.   mend: what to give."""
        if not isinstance(value, kind):
            raise self.error(f"{name} is {shown(value)}; {mend}")
        return value

    def instances(self, values: Any, name: str, kind: Any, mend: str) -> list[Any]:
        """The items of a list, all of a class, at least one.   mend: what to give."""
        if not (given := self.listed(values, name)):
            raise self.error(f"{name} is empty; {mend}")
        return [self.instance(value, f"an item of {name}", kind, mend) for value in given]

    def named(self, values: Any, name: str, of: str = "things") -> dict[str, Any]:
        """A mapping whose keys are texts."""
        if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
            raise self.error(f"{name} is {shown(values)}; it must be a dict of {of} by their names")
        return dict(values)

    def numbered(self, values: Any, name: str, least: int = 0) -> dict[int, float]:
        """A mapping of whole numbers to finite numbers."""
        if not isinstance(values, Mapping):
            raise self.error(f"{name} is {shown(values)}; it must be a dict of numbers by whole numbers")
        return {self.integer(key, f"a key of {name}", least=least): self.finite(value, f"{name}[{key!r}]") for key, value in values.items()}

    def room(self, values: int, what: str, mend: str, most: int = VALUES) -> None:
        """Raise where something would hold more than so many values, before it is made."""
        if values > most:
            raise self.error(f"{what} would hold {values:,} values, more than {most:,}; {mend}")


def _is_bool(value: Any) -> bool:
    """Whether a numpy or torch scalar is a bool."""
    return str(getattr(value, "dtype", "")).endswith("bool")


def _range(least: float, above: float, most: float) -> list[str]:
    """The bounds of a number, in words."""
    words = ["finite"] if most == FINITE else []
    words += [f"at least {least:,}"] if least > -FINITE else [f"above {above:,}"] if above > -math.inf else []
    return words + ([f"at most {most:,}"] if most < FINITE else [])

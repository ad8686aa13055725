"""The table that a sweep gives."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError


class Table:
    """Rows of named values, of which each column is an array.

    `table["rate"]` is a column, [row], `table[0]` a row, a dict; a row without a value has NaN in that column.

    rows: dicts from a column's name to a value.

    >>> table = Table([{"gain": 0.1, "rate": 4.0}, {"gain": 0.2, "rate": 9.0}])
    >>> table.columns, table[1], table["rate"]
    (['gain', 'rate'], {'gain': 0.2, 'rate': 9.0}, array([4., 9.]))
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = [dict(row) for row in rows]

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in the order in which rows bring them."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and repr(self.rows) == repr(other.rows)  # by text, so that NaN equals NaN

    __hash__ = None  # type: ignore[assignment]  # rows may change

    def __getitem__(self, key: int | str) -> Any:
        return self.column(key) if isinstance(key, str) else self.rows[key]

    def column(self, name: str) -> NDArray[Any]:
        """The values of a column, [row]; KeyError where there is none of that name."""
        if name not in self.columns:
            raise KeyError(f"no column {name!r}; there are {', '.join(self.columns) or 'none'}")
        return np.array([row.get(name, np.nan) for row in self.rows])

    def to_pandas(self) -> Any:
        """The table as a `pandas.DataFrame`; MissingExtraError where pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("to_pandas needs pandas: pip install pandas; `rows` and columns need nothing") from error
        return pandas.DataFrame(self.rows, columns=self.columns)

    def __repr__(self) -> str:
        return f"Table of {len(self)} rows: {', '.join(self.columns)}"

"""Marks of parameters."""

from typing import Any

import pytest


def first_is_fast(first: Any, *others: Any) -> list[Any]:
    """Parameters of a test that takes long with each: `make fast` runs it with the first, `make test` with all."""
    return [first, *(pytest.param(*(other if isinstance(other, tuple) else (other,)), marks=pytest.mark.slow) for other in others)]

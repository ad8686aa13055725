"""SPMN's cells by name, and the sentences that they are trained on."""

from collections.abc import Callable

from spikemem.errors import TrainingError
from spikemem.spmn import Cell, RateV1, RateV2

CELLS: dict[str, Callable[[int, int, int], Cell]] = {"rate v0.0.1": RateV1, "rate v0.0.2": RateV2}
"""Each takes the event's cells, the width, and the depth of the memory."""


def cell(name: str, cells: int, width: int, depth: int) -> Cell:
    """A new cell.

    >>> cell("rate v0.0.1", 100, 32, 2).initial(5).shape
    torch.Size([5, 2, 32, 32])
    """
    if name not in CELLS:
        raise TrainingError(f"no cell {name!r}; there are {', '.join(CELLS)}")
    return CELLS[name](cells, width, depth)

"""What every SPMN cell is: a memory M that an event writes into, with the gates that did it."""

from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from spikemem._checks import Checks
from spikemem.errors import VectorError

MOST = 2**16
"""Cells, widths, depths and other sizes of a part of SPMN."""
check = Checks(VectorError)


class Gates(NamedTuple):
    """The gates of one write, each sample's own, in one meaning for every cell; shapes as in the cell's docstring.

    update: share of the old content that is replaced, in [0, 1].   reset: share of it that the candidate does not see, in [0, 1].
    candidate: what is written, in [-1, 1].
    """

    update: Tensor
    reset: Tensor
    candidate: Tensor


@runtime_checkable
class Cell(Protocol):
    """A cell with `depth` square memories of `width`, into which an event of `cells` rates writes."""

    cells: int
    width: int
    depth: int

    def initial(self, batch: int) -> Tensor:
        """The memory in which nothing is written: zeros, [batch, depth, width, width]."""
        ...

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        """M' and the gates.   memory: M, [batch, depth, width, width].   event: firing rates, [batch, cells].

        Raises VectorError for a memory or an event of another shape.
        """
        ...

    def __call__(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        """The same as `write`."""
        ...


def check_event(cell: Cell, event: Tensor) -> None:
    """VectorError where an event does not have the cell's shape, or is not finite."""
    check.instance(event, "the event", Tensor, "give a torch tensor of rates, [batch, cells]")
    if event.ndim != 2 or event.shape[1] != cell.cells:
        raise VectorError(f"the event has shape {list(event.shape)}; expected [batch, {cell.cells}]")


def check_memory(cell: Cell, memory: Tensor, batch: int) -> None:
    """VectorError where a memory is not the cell's, or not one for each of `batch` samples."""
    check.instance(memory, "the memory", Tensor, f"give a torch tensor, as initial({batch}) gives")
    if memory.shape != (expected := (batch, cell.depth, cell.width, cell.width)):
        raise VectorError(f"the memory has shape {list(memory.shape)}; expected {list(expected)}, as initial({batch}) gives")


def check_sizes(**sizes: int) -> None:
    """VectorError for a size below 1, by its name."""
    for name, size in sizes.items():
        check.integer(size, name, least=1, most=MOST)

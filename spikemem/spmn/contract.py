"""What every SPMN cell is: a memory M that an event writes into, with the gates that did it."""

from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor


class Gates(NamedTuple):
    """The gates of one write, each sample's own, all shares in [0, 1], in one meaning for every cell; shapes as the cell's docstring says.

    update: share of the old content that is replaced.   reset: share of it that the candidate does not see.
    candidate: (1 + c) / 2 of what is written, c in [-1, 1]: the rate of the ON population of c = ON - OFF, OFF = 1 - ON.
    """

    update: Tensor
    reset: Tensor
    candidate: Tensor


@runtime_checkable
class Cell(Protocol):
    """A cell of `depth` square memories of `width`, told of an event by `roles` populations of `cells` cells."""

    cells: int
    roles: int
    width: int
    depth: int

    def initial(self, batch: int) -> Tensor:
        """The memory in which nothing is written: zeros, [batch, depth, width, width]."""
        ...

    def write(self, memory: Tensor, event: Tensor) -> tuple[Tensor, Gates]:
        """M' and the gates.   memory: M, [batch, depth, width, width].   event: firing rates, [batch, roles, cells]."""
        ...

"""Where a run has ended: all that a simulator needs to go on, as plain arrays, which another simulator can take up."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import StimulusError
from spikemem.network.graph import Network, Projection

check = Checks(StimulusError)
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class RunState:
    """The state of a network after some steps; `simulate(..., start=recording.state)` goes on from it.

    step: steps taken since the first run began; cycles of inhibition, sources and noise go on from there.   batches: batch items.
    cells: for each population the fields of its neuron's state, [batch, cell].
    silenced, count: for each population whom its inhibition silences, bool, [batch, cell], and how many spiked in the cycle, [batch].
    recent: for each population the spikes that may still be under way, int64, [spike, (step, batch, cell, rank in the cycle)].
    network: what it is of, by `described`.
    rules: for each plastic projection the fields of its rule's state, [batch, pre, post] and [batch, cell]; where its synapses have delays
        of their own, each postsynaptic cell is an item, [batch, post, pre, 1], [batch, post, pre] and [batch, post, 1].
    """

    step: int
    batches: int
    cells: Mapping[str, Arrays]
    silenced: Arrays
    count: Arrays
    recent: Arrays
    network: Mapping[str, str]
    rules: Mapping[str, Arrays] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"RunState(after {self.step} steps, batch {self.batches}, {', '.join(self.cells)})"

    def fits(self, net: Network, batches: int) -> None:
        """Raise StimulusError where it is of another network, or of another number of batch items."""
        now = described(net)
        for part in (*self.network, *now):
            theirs, ours = self.network.get(part, "missing"), now.get(part, "missing")
            if theirs != ours:
                raise StimulusError(f"start is of another network: its {part} is {theirs}, this one's {ours}")
        if batches != self.batches:
            raise StimulusError(f"start has {self.batches} batch items, and the stimulus {batches}; give one of as many")


def described(net: Network) -> dict[str, str]:
    """What a state depends on: the step, the kinds and numbers of cells, the delays, the kinds of rules; parameters may differ."""
    cells = {f"population {p.name!r}": f"{type(p.neuron).__name__} x {p.size}" for p in net.populations.values()}
    rules = {q.name: "fixed" if q.plasticity is None else type(q.plasticity).__name__ for q in net.projections}
    ways = {f"projection {q.name!r}": f"{_told(net, q)}, {rules[q.name]}" for q in net.projections}
    return {"dt": f"{net.dt:g} ms", **cells, **ways}


def _told(net: Network, q: Projection) -> str:
    """The delays of a projection in words."""
    own = net.own_delays(q)
    return f"{q.delay:g} ms" if own is None else f"up to {q.delay:g} ms (delays of checksum {zlib.crc32(own.tobytes())})"


def flattened(state: Any, path: str = "") -> dict[str, NDArray[Any]]:
    """The arrays of a state, a named tuple or a tuple of such and of arrays, by their names with a dot between."""
    if isinstance(state, tuple):
        names = getattr(state, "_fields", range(len(state)))
        parts = [flattened(part, f"{path}.{name}" if path else f"{name}") for name, part in zip(names, state, strict=True)]
        return {name: array for part in parts for name, array in part.items()}
    return {path: np.asarray(state.cpu() if hasattr(state, "cpu") else state)}


def filled(template: Any, arrays: Arrays, made: Callable[[NDArray[Any]], Any], path: str = "") -> Any:
    """A state of the form of a template, with the arrays of `flattened`; StimulusError where one is missing.   made: of an array."""
    if isinstance(template, tuple):
        names = getattr(template, "_fields", range(len(template)))
        parts = [filled(part, arrays, made, f"{path}.{name}" if path else f"{name}") for name, part in zip(names, template, strict=True)]
        return type(template)(*parts) if hasattr(template, "_fields") else tuple(parts)
    if path not in arrays:
        raise StimulusError(f"start is of other neurons or rules: it has no {path!r}")
    return made(arrays[path])


def as_numpy(array: NDArray[Any]) -> Any:
    """A leaf of a state in numpy, a copy; a number that all cells share stays one."""
    return array.copy() if array.ndim else array.item()

"""Where a run has ended: all that a simulator needs to go on, as plain arrays, which another simulator can take up."""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import FILE_BYTES, INDEX, Checks
from spikemem.errors import SnapshotError, StimulusError
from spikemem.network.graph import Network, Projection
from spikemem.network.neurons.contract import Neuron
from spikemem.network.neurons.receptors import Receptors
from spikemem.network.synapses import Sparse, Synapses
from spikemem.snapshot import contents, load_arrays, save_arrays

check, saved = Checks(StimulusError), Checks(SnapshotError)
Arrays = Mapping[str, NDArray[Any]]
FORMAT = "spikemem-state-1"
STEPS = 2**53
"""Steps that a state may be after."""


@dataclass(frozen=True, eq=False)
class RuleState:
    """The state of a plastic projection, as its rule has it, with what is of synapses in the format of the synapses.

    fields: by name, a number, [batch, cell], [batch, pre, post], or [batch, synapse] where the name is one of `synaptic`. Where synapses
        have delays of their own, each postsynaptic cell is an item: [batch, post, pre, 1], [batch, post, pre] and [batch, post, 1].
    shape: cells, (pre, post).   indptr, targets: the wiring of sparse synapses, as in `Sparse`; None where all are joined.
    """

    fields: Arrays
    shape: tuple[int, int]
    synaptic: tuple[str, ...] = ()
    indptr: NDArray[np.int64] | None = None
    targets: NDArray[np.int32] | None = None

    @classmethod
    def of(cls, arrays: Arrays, synapses: Synapses, synaptic: tuple[str, ...] = ("weights",)) -> "RuleState":
        """The state of a rule on synapses.   arrays: its fields, those of `synaptic` as [batch, synapse] or [batch, pre, post]."""
        batches, shape = len(arrays["weights"]), synapses.shape
        if arrays["weights"].ndim == 4:
            wiring = (synapses.indptr, synapses.targets) if isinstance(synapses, Sparse) else ()
            return cls(arrays, shape, (), *wiring)
        if not isinstance(synapses, Sparse):
            return cls({**arrays, **{name: arrays[name].reshape(batches, *shape) for name in synaptic}}, shape)
        rows, targets = _rows(synapses.indptr), synapses.targets
        dense = {name: a[:, rows, targets] for name, a in arrays.items() if a.ndim == 3 and a.shape[1:] == shape}
        return cls({**arrays, **dense}, shape, tuple(dict.fromkeys((*synaptic, *dense))), synapses.indptr, targets)

    def dense(self) -> dict[str, NDArray[Any]]:
        """The fields with those of synapses as [batch, pre, post]; 0 where there is none."""
        return {name: self._matrix(array) if name in self.synaptic else array for name, array in self.fields.items()}

    def matrix(self) -> NDArray[np.float64]:
        """The weights, [batch, pre, post]; 0 where there is no synapse."""
        weights = self.fields["weights"]
        if weights.ndim == 4:
            return np.asarray(weights[..., 0].swapaxes(1, 2), np.float64)
        return np.asarray(self._matrix(weights) if "weights" in self.synaptic else weights, np.float64)

    def _matrix(self, array: NDArray[Any]) -> NDArray[Any]:
        assert self.indptr is not None
        check.room(len(array) * self.shape[0] * self.shape[1], "the weights of all pairs of cells", "read them from `state.rules`")
        made = np.zeros((len(array), *self.shape), array.dtype)
        made[:, _rows(self.indptr), self.targets] = array
        return made


class Weights(Mapping[str, NDArray[np.float64]]):
    """The weights of plastic projections by name, [batch, pre, post], each made of its rule's state when it is asked for."""

    def __init__(self, rules: Mapping[str, RuleState]) -> None:
        self._rules = rules

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self._rules[name].matrix()

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def _rows(indptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """The presynaptic cell of each synapse."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


@dataclass(frozen=True, eq=False)
class RunState:
    """The state of a network after some steps; `simulate(..., start=recording.state)` goes on from it.

    step: steps taken since the first run began; cycles of inhibition, sources and noise go on from there.   batches: batch items.
    cells: for each population the fields of its neuron's state, [batch, cell].
    silenced, count: for each population whom its inhibition silences, bool, [batch, cell], and how many spiked in the cycle, [batch].
    recent: for each population the spikes that may still be under way, int64, [spike, (step, batch, cell, rank in the cycle)].
    network: what it is of, by `described`.   rules: for each plastic projection what it has learned.
    releases: for each projection with short-term plasticity u and x of its presynaptic cells, [batch, cell].
    noise: for each population whose noise remembers, its current in the last step, [batch, cell].
    """

    step: int
    batches: int
    cells: Mapping[str, Arrays]
    silenced: Arrays
    count: Arrays
    recent: Arrays
    network: Mapping[str, str]
    rules: Mapping[str, RuleState] = field(default_factory=dict)
    releases: Mapping[str, Arrays] = field(default_factory=dict)
    noise: Arrays = field(default_factory=dict)

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
        self.check({name: population.size for name, population in net.populations.items()})
        for q in net.projections:
            for part, wanted in (("rules", q.plasticity), ("releases", q.short_term)):
                if wanted is not None and q.name not in getattr(self, part):
                    raise StimulusError(f"start has no {part} of {q.name!r}")
            if q.plasticity is not None:
                self._wired(q)
            if q.short_term is not None:
                for what, array in self.releases[q.name].items():
                    check.floats(array, f"{what} of {q.name!r}", shape=(batches, q.synapses.shape[0]))

    def check(self, sizes: Mapping[str, int]) -> None:
        """Raise StimulusError where its arrays do not fit populations of these sizes, or each other."""
        for name, size in sizes.items():
            for part in ("cells", "silenced", "count", "recent"):
                if name not in getattr(self, part):
                    raise StimulusError(f"start has no {part} of {name!r}")
            shape = self.batches, size
            for what, array in self.cells[name].items():
                check.array(array, f"{what!r} of {name!r}", shape=array.shape and shape, finite=False)
            check.array(self.silenced[name], f"who is silenced of {name!r}", "b", shape=shape)
            check.indices(self.count[name], f"the spikes in the cycle of {name!r}", INDEX, shape=(self.batches,))
            recent = check.array(self.recent[name], f"the spikes under way of {name!r}", "i", shape=(None, 4))
            if self.recent[name].dtype != np.int64:  # an empty array may be of any kind
                raise StimulusError(f"the spikes under way of {name!r} are {self.recent[name].dtype}; expected int64")
            for column, below in enumerate((self.step, self.batches, size, INDEX)):
                check.indices(recent[:, column], f"the spikes under way of {name!r}", below)
            if name in self.noise:
                check.floats(self.noise[name], f"the noise of {name!r}", shape=shape)

    def _wired(self, projection: Projection) -> None:
        """Raise StimulusError where the synapses of a plastic projection are others, or its arrays do not fit them."""
        rule, synapses = self.rules[projection.name], projection.synapses
        sparse = isinstance(synapses, Sparse)
        same = rule.shape == synapses.shape and sparse == (rule.indptr is not None)
        if not same or (sparse and not _same(rule, synapses)):  # type: ignore[arg-type]
            raise StimulusError(f"start is of another network: its projection {projection.name!r} is wired otherwise")
        for name, array in rule.fields.items():
            known = [(self.batches, n) for n in (1, *rule.shape)] + [(self.batches, *rule.shape), ()]
            pre, post = rule.shape
            known += [(self.batches, post, pre, 1), (self.batches, post, pre), (self.batches, post, 1)]
            if array.shape not in ([(self.batches, synapses.count)] if name in rule.synaptic else known):
                raise StimulusError(f"{name!r} of {projection.name!r} has shape {array.shape}, which fits no synapses or cells of it")

    def save(self, path: str | Path) -> Path:
        """Write it to a file with a checksum, which appears whole or not at all; returns its path."""
        arrays: dict[str, NDArray[Any]] = {
            f"cells/{name}/{part}": array for name, fields in self.cells.items() for part, array in fields.items()
        }
        for name, fields in self.releases.items():
            arrays |= {f"releases/{name}/{part}": array for part, array in fields.items()}
        for part in PARTS:
            arrays |= {f"{part}/{name}": array for name, array in getattr(self, part).items()}
        for name, rule in self.rules.items():
            arrays |= {f"rules/{name}/{part}": array for part, array in rule.fields.items()}
            if rule.indptr is not None and rule.targets is not None:
                arrays |= {f"wiring/{name}/indptr": rule.indptr, f"wiring/{name}/targets": rule.targets}
        rules = {name: {"shape": rule.shape, "synaptic": rule.synaptic} for name, rule in self.rules.items()}
        sizes = {name: array.shape[1] for name, array in self.silenced.items()}
        head = {"format": FORMAT, "step": self.step, "batches": self.batches, "network": dict(self.network), "rules": rules, "sizes": sizes}
        head["releases"] = list(self.releases)
        return save_arrays(path, arrays, head)

    @classmethod
    def load(cls, path: str | Path) -> "RunState":
        """Read what `save` wrote; SnapshotError where the file is missing, damaged or something else."""
        path = saved.path(path)
        arrays, head = load_arrays(path, FORMAT)
        with contents(path, "state of a run"):
            return _restored(arrays, head)


PARTS = ("silenced", "count", "recent", "noise")
"""Fields of a state with one array for each population."""


def _same(rule: RuleState, synapses: Sparse) -> bool:
    return np.array_equal(rule.indptr, synapses.indptr) and np.array_equal(rule.targets, synapses.targets)  # type: ignore[arg-type]


def _restored(arrays: Arrays, head: Mapping[str, Any]) -> RunState:
    """A state of a file's arrays and head, checked."""
    sizes = {name: check.integer(size, f"the size of {name!r}", least=1, most=INDEX) for name, size in head["sizes"].items()}
    network = {
        check.text(part, "a part", most=FILE_BYTES): check.text(of, "a part", most=FILE_BYTES) for part, of in head["network"].items()
    }
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for path, array in arrays.items():
        whole, _, part = path.rpartition("/")
        found.setdefault(whole, {})[part] = array
    rules = {}
    for name, of in head["rules"].items():
        pre, post = (check.integer(n, "cells", least=1, most=INDEX) for n in of["shape"])
        fields, wiring = found[f"rules/{name}"], found.get(f"wiring/{name}", {})
        synaptic = tuple(check.choice(each, "a field", fields) for each in of["synaptic"])
        rules[name] = RuleState(fields, (pre, post), synaptic, wiring.get("indptr"), wiring.get("targets"))
    releases = {check.text(name, "a projection", most=FILE_BYTES): found[f"releases/{name}"] for name in head.get("releases", [])}
    state = RunState(
        check.integer(head["step"], "step", least=1, most=STEPS), check.integer(head["batches"], "batches", least=1, most=INDEX),
        {name: found[f"cells/{name}"] for name in sizes}, **{part: found.get(part, {}) for part in PARTS}, network=network, rules=rules,
        releases=releases,
    )  # fmt: skip
    state.check(sizes)
    return state


def _kind(neuron: Neuron) -> str:
    """The kind of a neuron, and of the receptors before it, in their order."""
    if not isinstance(neuron, Receptors):
        return type(neuron).__name__
    before = ", ".join(f"{name} {type(kind).__name__}" for name, kind in neuron.kinds)
    return f"{type(neuron.neuron).__name__} behind {before}"


def described(net: Network) -> dict[str, str]:
    """What a state depends on: the step, the kinds and numbers of cells, the delays, the kinds of rules; parameters may differ."""
    cells = {f"population {p.name!r}": f"{_kind(p.neuron)} x {p.size}" for p in net.populations.values()}
    rules = {q.name: "fixed" if q.plasticity is None else type(q.plasticity).__name__ for q in net.projections}
    tires = {q.name: "" if q.short_term is None else f", {type(q.short_term).__name__}" for q in net.projections}
    ways = {f"projection {q.name!r}": f"{_told(net, q)}, {rules[q.name]}{tires[q.name]}" for q in net.projections}
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
    array, shape = arrays[path], tuple(getattr(template, "shape", ()))
    if shape and array.size != math.prod(shape):
        raise StimulusError(f"start has {path!r} of shape {array.shape}; expected {shape}")
    if isinstance(template, np.ndarray):
        if not np.can_cast(array.dtype, template.dtype, "safe"):
            raise StimulusError(f"start has {path!r} as {array.dtype}; expected {template.dtype}")
        array = array.astype(template.dtype, copy=False)
    return made(array)


def as_numpy(array: NDArray[Any]) -> Any:
    """A leaf of a state in numpy, a copy; a number that all cells share stays one."""
    return array.copy() if array.ndim else array.item()

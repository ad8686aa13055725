"""NIR graphs that other tools wrote, as networks: their cells, weights and delays as populations and projections."""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.formats.nir.cells import SILENT, SPIKING, NirCells, silent, spiking
from spikemem.formats.nir.maps import MAPS, Shape, carried, composed, part
from spikemem.formats.nir.nodes import FlatGraph, flattened, kind, reading
from spikemem.network.bias import add_bias
from spikemem.network.graph import Network, Population
from spikemem.network.neurons import LIF
from spikemem.network.neurons.contract import check, whole_steps
from spikemem.network.synapses import Dense, Sparse, one_to_one

MOST = 2**24
"""Cells of an Input, of which a graph has the number alone."""
MOST_WAYS = 2**10
"""Ways between the cells of a graph: they may double with every node."""
PASSING = ("Input", "Output")
"""Nodes that pass on what they get, in the way from a subgraph or into it."""
READ = (*SPIKING, *SILENT, *MAPS, "Delay", *PASSING)


class _Way(NamedTuple):
    """A path from one population, or from a bias, to another, through linear nodes and delays."""

    pre: str
    post: str
    synapses: Dense | Sparse | None
    """[pre, post]; None is the identity."""
    steps: int
    """Of delay."""


class _Constant(NamedTuple):
    """A constant current of a population, from a step on."""

    post: str
    current: NDArray[np.float64]
    steps: int


def foreign(graph: Any, dt: float, subtract: bool) -> Network:
    """Read a `nir.NIRGraph` that another tool wrote, by the rules of `from_nir`.   dt: ms."""
    flat = flattened(graph)
    walk = _Walk(flat, _populations(flat, dt, subtract), dt)
    ways = walk.from_cells()
    constants = list(_constants(walk))
    lags = _lags(walk.cells, [way for way in ways if way.pre != way.post])
    net = Network(dt)
    for name, made in walk.cells.items():
        at_once = [c.current for c in constants if c.post == name and not lags[name] + c.steps]
        net.add(Population(name, made.size, made.neuron, bias=at_once[0] if at_once else 0.0))
    for way in ways:
        steps = max(1, way.steps + lags[way.post] - lags[way.pre])
        synapses = one_to_one() if way.synapses is None else way.synapses
        net.connect(way.pre, way.post, synapses, delay=steps * dt, receptor=walk.cells[way.post].receptor)
    for name, made in walk.cells.items():
        _give_back(net, name, made)
    for post, current, steps in constants:
        if steps + lags[post]:
            add_bias(net, post, current, (steps + lags[post]) * dt, walk.cells[post].receptor)
    return net


def shapes(graph: Any) -> dict[str, Shape]:
    """The shape of the node from which `from_nir` makes each population, in whose C order its cells stand."""
    flat = flattened(graph)
    made = {name: np.shape(node.r) for name, node in flat.nodes.items() if kind(node) in (*SPIKING, *SILENT)}
    return made | {name: _input_shape(name, flat.nodes[name]) for name in flat.nodes if _is_population(flat, name)}


def _populations(flat: FlatGraph, dt: float, subtract: bool) -> dict[str, NirCells]:
    """The populations by their names."""
    made = {}
    for name, node in flat.nodes.items():
        with reading(name, node):
            if kind(node) in SPIKING:
                made[name] = spiking(node, dt, subtract)
            elif kind(node) in SILENT:
                made[name] = silent(node, dt)
            elif kind(node) not in READ:
                raise NetworkError(f"spikemem reads {', '.join(READ[:-1])} and {READ[-1]}")
        if _is_population(flat, name):
            made[name] = NirCells(LIF(), _input_shape(name, node))
    return made


def _is_population(flat: FlatGraph, name: str) -> bool:
    """Whether a node is an Input that meets anything else than cells, whose external current it could be."""
    if kind(flat.nodes[name]) != "Input" or name in flat.entered():
        return False
    seen, ahead = set(), [*flat.after[name]]
    while ahead:
        if (post := ahead.pop()) in seen:
            continue
        seen.add(post)
        if kind(flat.nodes[post]) in PASSING:
            ahead += flat.after[post]
        elif kind(flat.nodes[post]) not in (*SPIKING, "LI", "I"):  # the external current of a CubaLI would pass its synapses by
            return True
    return False


def _input_shape(name: str, node: Any) -> Shape:
    with reading(name, node):
        shape = tuple(int(n) for n in np.atleast_1d(node.input_type["input"]))
    check.integer(math.prod(shape), f"the size of NIR node {name!r}", least=1, most=MOST)
    return shape


class _Ahead(NamedTuple):
    """A way so far, and the node to which it leads."""

    name: str
    synapses: Dense | Sparse | None
    shape: Shape
    steps: int
    passed: tuple[str, ...]


class _Walk:
    """The ways through a graph, and what they pass."""

    def __init__(self, flat: FlatGraph, cells: dict[str, NirCells], dt: float) -> None:
        self.flat, self.cells, self.dt = flat, cells, dt
        self.biases: dict[str, tuple[NDArray[np.float64], Shape]] = {}
        """The biases of nodes that were passed, and the shape of what comes out of these nodes."""

    def from_cells(self) -> list[_Way]:
        """Every way from a population to the next ones."""
        ways, passed = [], set(self.cells)
        for name, made in self.cells.items():
            found = list(self.ways(name, made.shape, passed))
            if kind(self.flat.nodes[name]) in SILENT and found:
                with reading(name, self.flat.nodes[name]):
                    raise NetworkError(f"it passes its voltage on to {found[0].post!r}, and only spikes travel between populations")
            ways += found
            _room(ways)
        for name, node in self.flat.nodes.items():
            if kind(node) not in PASSING and name not in passed:
                with reading(name, node):
                    raise NetworkError("no Input and no cells lead to it")
        return ways

    def ways(self, pre: str, shape: Shape, passed: set[str] | None = None) -> Iterator[_Way]:
        """Every way from a node to the next populations.   shape: of what leaves the node.   passed: gets the names of what it passes."""
        ahead = [_Ahead(name, None, shape, 0, ()) for name in self.flat.after[pre]]
        while ahead:
            now = ahead.pop(0)
            if passed is not None:
                passed.add(now.name)
            with reading(now.name, self.flat.nodes[now.name]):
                if now.name in now.passed:
                    raise NetworkError("it lies in a loop without cells")
                if now.name not in self.cells:
                    ahead += self._behind(now)
                elif (values := math.prod(now.shape)) != (size := self.cells[now.name].size):
                    raise NetworkError(f"it has {size} cells, and {pre!r} reaches it with {values} values")
                else:
                    yield _Way(pre, now.name, now.synapses, now.steps)
            _room(ahead)

    def _behind(self, now: _Ahead) -> list[_Ahead]:
        """How a way goes on behind the node that it has come to."""
        node, synapses, shape = self.flat.nodes[now.name], now.synapses, now.shape
        parts = [(synapses, now.steps)]
        if kind(node) in MAPS:
            through, shape, bias = MAPS[kind(node)](node, shape)
            parts = [(composed(synapses, through), now.steps)]
            if bias is not None:
                self.biases[now.name] = bias, shape
        elif kind(node) == "Delay":
            parts = [(made, now.steps + steps) for made, steps in _delayed(node, synapses, shape, self.dt)]
        passed = (*now.passed, now.name)
        return [_Ahead(post, made, shape, steps, passed) for made, steps in parts for post in self.flat.after[now.name]]


def _room(ways: list[Any]) -> None:
    check.room(len(ways), "the ways between the cells of this NIR graph", "put cells between its linear nodes", MOST_WAYS)


def _delayed(node: Any, synapses: Dense | Sparse | None, shape: Shape, dt: float) -> list[tuple[Dense | Sparse | None, int]]:
    """The synapses of a way behind a Delay, and the steps of delay: those onto the values of each delay that it has."""
    delays, values = check.array(node.delay, "its delay").ravel(), math.prod(shape)
    if delays.size not in (1, values):
        raise NetworkError(f"it has {delays.size} delays for {values} values")
    different, which = np.unique(delays, return_inverse=True)
    check.room(len(different), "the different delays of this node", "give them one", MOST_WAYS)
    steps = np.array([_steps(delay, dt) for delay in different])
    if len({*steps.tolist()}) == 1:
        return [(synapses, int(steps[0]))]
    return [(part(synapses, steps[which] == n), int(n)) for n in np.unique(steps)]


def _steps(delay: Any, dt: float) -> int:
    """A delay in seconds as whole steps.   delay: of its own dtype, to whose digits it is read."""
    steps = whole_steps(float(str(delay)) * 1000, dt)
    if steps < 0:
        raise NetworkError(f"a delay of {steps} steps")
    return steps


def _lags(cells: dict[str, NirCells], ways: list[_Way]) -> dict[str, int]:
    """How many steps later than in a reader each population answers: the least that leaves every projection a step."""
    lags = {name: int(len(made.neuron.receptors) > 1) for name, made in cells.items()}
    for _ in lags:
        for way in ways:
            lags[way.post] = max(lags[way.post], lags[way.pre] + 1 - way.steps)
    for way in ways:
        if lags[way.post] < lags[way.pre] + 1 - way.steps:
            raise NetworkError(f"a loop through {way.pre!r} and {way.post!r} is shorter than a step for each projection; add Delay nodes")
    return lags


def _constants(walk: _Walk) -> Iterator[_Constant]:
    """The constant currents of all populations, and the steps after which a reader has them."""
    currents: dict[tuple[str, int], list[NDArray[np.float64]]] = defaultdict(list)
    for name, made in walk.cells.items():
        if made.drive is not None:
            currents[name, 0].append(made.drive)
    for name, (bias, shape) in [*walk.biases.items()]:
        for way in walk.ways(name, shape):
            currents[way.post, way.steps].append(carried(bias, way.synapses))
    for (post, steps), several in currents.items():
        yield _Constant(post, np.sum(several, axis=0), steps)


def _give_back(net: Network, name: str, made: NirCells) -> None:
    """The synapses of cells onto themselves that make up for a reader's subtraction before the leak; see `cells.spiking`."""
    if made.back is None:
        return
    cells = np.arange(made.size)
    net.connect(name, name, Sparse.from_coo(cells, cells, made.back, (made.size, made.size)))
    if made.gamma is not None:
        net.connect(name, name, Sparse.from_coo(cells, cells, -made.gamma * made.back, (made.size, made.size)), delay=2 * net.dt)

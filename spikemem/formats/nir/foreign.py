"""NIR graphs that other tools wrote, as networks: their cells, weights and delays as populations and projections."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.network.graph import Network, Population
from spikemem.network.neurons.contract import check
from spikemem.network.neurons.lif import LIF
from spikemem.network.synapses import Dense, one_to_one

MEMBRANE = {"LIF": "tau", "CubaLIF": "tau_mem"}
"""The field of a leaky cell's time constant."""
MOST = 2**24
"""Cells of an Input, of which a graph has the number alone."""
CELLS, WEIGHTS = ("LIF", "IF", "CubaLIF"), ("Linear", "Affine")


def kind(node: Any) -> str:
    """The type of a NIR node: "LIF", "Linear", "Delay", ..."""
    return type(node).__name__


class _Way(NamedTuple):
    """A path from one population to another, through weights and delays.   weights: [post, pre], or None: identity.   steps: of delay."""

    pre: str
    post: str
    weights: NDArray[Any] | None
    steps: int


def foreign(graph: Any, dt: float) -> Network:
    """Read a `nir.NIRGraph` that another tool wrote, by the rules of `from_nir`.   dt: ms."""
    net = Network(dt)
    for name, node in graph.nodes.items():
        if kind(node) in CELLS:
            if node.v_threshold.ndim != 1:
                raise _refused(name, node, f"its cells have shape {node.v_threshold.shape}; flatten them to one dimension")
            net.add(Population(name, len(node.v_threshold), _neuron(name, node, dt)))
        elif kind(node) == "Input" and _feeds_weights(graph, name):
            size = math.prod(int(n) for n in np.atleast_1d(node.input_type["input"]))
            net.add(Population(name, check.integer(size, f"the size of NIR node {name!r}", least=1, most=MOST)))
        elif kind(node) not in (*WEIGHTS, "Delay", "Input", "Output"):
            raise _refused(name, node, "spikemem reads LIF, IF, CubaLIF, Linear, Affine without bias, Delay, Input and Output")
    ways = [way for name in net.populations for way in _ways(graph, net, name)]
    lags = _lags(net, [way for way in ways if way.pre != way.post])
    for way in ways:
        steps = max(1, way.steps + lags[way.post] - lags[way.pre])
        net.connect(way.pre, way.post, one_to_one() if way.weights is None else Dense(way.weights.T), delay=steps * dt)
    return net


def _feeds_weights(graph: Any, name: str) -> bool:
    return any(kind(graph.nodes[post]) not in (*CELLS, "Output") for pre, post in graph.edges if pre == name)


def _lags(net: Network, ways: list[_Way]) -> dict[str, int]:
    """How many steps later than in a reader each population answers: the least that leaves every projection a step."""
    lags = dict.fromkeys(net.populations, 0)
    for _ in lags:
        for way in ways:
            lags[way.post] = max(lags[way.post], lags[way.pre] + 1 - way.steps)
    for way in ways:
        if lags[way.post] < lags[way.pre] + 1 - way.steps:
            raise NetworkError(f"a loop through {way.pre!r} and {way.post!r} is shorter than a step for each projection; add Delay nodes")
    return lags


def _ways(graph: Any, net: Network, pre: str) -> Iterator[_Way]:
    """Every way from a population to the next ones, through weights and delays."""
    after = {name: [post for start, post in graph.edges if start == name] for name in graph.nodes}
    open_ways: list[tuple[str, NDArray[Any] | None, int, tuple[str, ...]]] = [(post, None, 0, ()) for post in after[pre]]
    while open_ways:
        name, weights, steps, passed = open_ways.pop(0)
        node = graph.nodes[name]
        if name in net.populations:
            yield _Way(pre, name, weights, steps)
            continue
        if name in passed:
            raise _refused(name, node, "it lies in a loop without cells")
        if kind(node) in WEIGHTS:
            weights = _weights(name, node) if weights is None else _weights(name, node) @ weights
        if kind(node) == "Delay":
            steps += _steps(name, node, net)
        open_ways += [(post, weights, steps, (*passed, name)) for post in after[name]]


def _weights(name: str, node: Any) -> NDArray[Any]:
    if node.weight.ndim != 2:
        raise _refused(name, node, f"weights have shape {node.weight.shape}, not [post, pre]")
    if kind(node) == "Affine" and np.any(node.bias):
        raise _refused(name, node, "spikemem has no bias; set it to 0 and give it as an external current")
    return node.weight


def _steps(name: str, node: Any, net: Network) -> int:
    delay = _one(name, node, "delay") * 1000
    try:
        steps = net.steps(delay)
    except NetworkError as error:
        raise _refused(name, node, str(error)) from error
    if steps < 0:
        raise _refused(name, node, f"a delay of {steps} steps")
    return steps


def _neuron(name: str, node: Any, dt: float) -> LIF:
    """The LIF neuron whose steps are the Euler steps of a NIR node."""
    threshold, reset, gain = (_one(name, node, field) for field in ("v_threshold", "v_reset", "r"))
    rest, tau = (0.0, math.inf) if kind(node) == "IF" else (_one(name, node, "v_leak"), _above_0(name, node, MEMBRANE[kind(node)]))
    tau_syn, w_in = (_above_0(name, node, "tau_syn"), _one(name, node, "w_in")) if kind(node) == "CubaLIF" else (math.inf, 0.0)
    synapse = 0.0
    try:
        if kind(node) == "IF":
            return LIF(math.inf, threshold, reset, resistance=gain * dt / 1000)
        gain *= dt / 1000 / tau
        if kind(node) == "CubaLIF":
            gain *= w_in * dt / 1000 / tau_syn
            synapse = 0.0 if math.isclose(tau_syn * 1000, dt) else _time_constant(tau_syn, dt)
        return LIF(_time_constant(tau, dt), threshold - rest, reset - rest, tau_syn=synapse, resistance=gain)
    except NetworkError as error:
        raise _refused(name, node, str(error)) from error


def _time_constant(tau: float, dt: float) -> float:
    """tau in ms for which exp(-dt / tau) is the Euler step 1 - dt / tau of a NIR tau in seconds."""
    share = dt / 1000 / tau
    if not 0 < share < 1:
        raise NetworkError(f"a time constant of {tau} s must be longer than dt, {dt} ms; give a shorter dt")
    return -dt / math.log1p(-share)


def _above_0(name: str, node: Any, field: str) -> float:
    value = _one(name, node, field)
    if not value > 0:
        raise _refused(name, node, f"{field} is {value} s; it must be above 0")
    return value


def _one(name: str, node: Any, field: str) -> float:
    """The value of a field that all cells share."""
    values = np.unique(getattr(node, field))
    if len(values) != 1:
        raise _refused(name, node, f"its cells differ in {field}, and those of a population are equal; split it")
    return float(values[0])


def _refused(name: str, node: Any, why: str) -> NetworkError:
    return NetworkError(f"NIR node {name!r} ({kind(node)}): {why}")

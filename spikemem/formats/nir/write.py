"""Writing networks as NIR graphs, the Neuromorphic Intermediate Representation (Pedersen et al. 2024, Nature Communications 15, 8122).

A NIR cell is tau dv/dt = v_leak - v + r I. Its clock-driven readers take Euler steps, v + dt / tau (v_leak - v + r I), let it spike
above v_threshold and set it to v_reset at the end of the step. With a = 1 - exp(-dt / tau) and b = 1 - exp(-dt / tau_syn) that is the
contract of `network.neurons.lif` for a V that is reset to a value (times in seconds):

    LIF        v = (V - reset) a / R    tau = dt / a, r = 1, v_leak = -reset a / R, v_threshold = (theta - reset) a / R, v_reset = 0
    IF         v = V / R                r = 1 / dt, v_threshold = theta / R, v_reset = reset / R                     where tau = inf
    CubaLIF    v = V                    tau_mem = dt / a, r = R / a, tau_syn = dt / b, w_in = 1 / b                  where tau_syn > 0

V is measured in current and from its reset in a LIF because Norse reads neither the r nor the v_reset of one. Weights stay as they are.

A NIR edge takes no time: a reader passes a spike on within the step, or in the next one where a population projects to itself without a
Delay. Here every projection takes a step or more. So a projection of one step is a plain edge, a population answers `lag` steps sooner in
a reader than here (an external current of its own must come as much sooner there), and Delay nodes hold what that leaves of the delays:

    lag = the fewest projections on any way from an input          Delay = delay + (lag of pre - lag of post) dt

Metadata hold what NIR cannot express, so that a network that was written comes back as it was.
"""

import json
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError, NetworkError, UnsupportedError
from spikemem.network.graph import Network, Population, Projection
from spikemem.network.neurons.contract import check
from spikemem.network.neurons.lif import LIF
from spikemem.network.plasticity.stdp import STDP
from spikemem.network.synapses import OneBit, Sparse, Synapses

KEY = "spikemem"
"""Where a graph and its nodes hold our metadata: "text", JSON; "lag" of a population, in steps; the arrays of sparse synapses."""
FAINTEST = 2.0**-52
"""The leak per step that stands for none where NIR has only a leaky cell: no more than float64 rounds away."""


def to_nir(net: Network, inputs: Sequence[str] | None = None) -> Any:
    """Write a network as a `nir.NIRGraph`; `nir.write(path, graph)` makes a file of it.

    The head of this module has the equations and the rule for delays. A population is the node of its name, a projection a Linear of
    its name; NIR's weights are dense, 8 bytes for each pair of cells. An Output follows each population that projects to no other.
    The lag of population "b" is `graph.nodes["b"].metadata["spikemem"]["lag"]`, in steps.

    inputs: populations that get an external current, each an Input node, [cell]; by default those to which no other projects.

    Norse 1.1 runs chains and trees of populations from one Input, with one-step projections, also onto the population itself. Its dt is
    in seconds: `norse.torch.from_nir(graph, dt=0.001)`.

    Warns (UserWarning) of all that other readers will not see, each feature with the population or projection that has it.
    Raises NetworkError where an input is unknown or a population out of reach of them all, UnsupportedError where a neuron is no LIF or a
    rule no STDP, MissingExtraError without nir.
    """
    check.instance(net, "the first argument", Network, "to_nir writes a Network")
    graph = written(net, _inputs(net, None if inputs is None else check.listed(inputs, "inputs", "names of populations")))
    for loss in _losses(net, graph):
        warnings.warn(loss, UserWarning, stacklevel=2)
    return graph


def _inputs(net: Network, given: Sequence[str] | None) -> list[str]:
    fed = {q.post for q in net.projections if q.pre != q.post}
    chosen = [name for name in net.populations if name not in fed] if given is None else [*given]
    for name in chosen:
        if name not in net.populations:
            raise NetworkError(f"input {name!r} is no population; there are {', '.join(net.populations) or 'none'}")
    for name in net.populations:
        if name not in _lags(net, chosen):
            if given is not None:
                raise NetworkError(f"no input reaches population {name!r}; add it to the inputs")
            chosen.append(name)  # the first of a loop that nothing feeds
    return [name for name in net.populations if name in chosen]


def _lags(net: Network, inputs: Sequence[str]) -> dict[str, int]:
    """The lag, in steps, of every population that the inputs reach."""
    lags = dict.fromkeys(inputs, 0)
    for _ in net.populations:
        for q in net.projections:
            if q.pre in lags:
                here = lags[q.pre] + 1
                lags[q.post] = min(here, lags.get(q.post, here))
    return lags


def _losses(net: Network, graph: Any) -> Iterator[str]:
    """What readers of NIR other than `from_nir` will not see."""
    for p in net.populations.values():
        neuron = _lif(p)
        if neuron.reset is None:
            yield f"NIR has no reset by subtraction: other readers reset population {p.name!r} to 0"
        elif neuron.reset and (neuron.tau_syn or neuron.tau == math.inf):
            yield f"NIR's v_reset is not read by Norse and snnTorch: they reset population {p.name!r} to 0, not to {neuron.reset}"
        if neuron.refractory:
            yield f"NIR has no refractoriness: other readers drop that of population {p.name!r}"
        if p.inhibition is not None:
            yield f"NIR has no {type(p.inhibition).__name__}: other readers drop that of population {p.name!r}"
        if p.noise is not None:
            yield f"NIR has no noise: in other readers population {p.name!r} follows from its input"
    for q in net.projections:
        if _delay(q.name) in graph.nodes:
            yield f"NIR's Delay is not read by Norse and snnTorch: they drop or refuse {q.name!r} onto population {q.post!r}"
        if q.first is not None:
            yield f"NIR has no `first`: in other readers {q.name!r} carries every spike of population {q.pre!r}"
        if q.efficacy is not None:
            yield f"NIR has no `efficacy`: in other readers {q.name!r} carries every spike alike"
        if q.plasticity is not None:
            yield f"NIR has no plasticity: in other readers the weights of {q.name!r} onto population {q.post!r} stay as they are"


def written(net: Network, inputs: Sequence[str]) -> Any:
    """The NIR graph of a network with these populations as inputs, without warnings."""
    nir, lags, seconds = nir_library(), _lags(net, inputs), net.dt / 1000
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []

    def add(name: str, node: Any, description: dict[str, Any] | None = None) -> None:
        if name in nodes:
            raise NetworkError(f"two nodes of the NIR graph would have the name {name!r}; rename a population")
        nodes[name] = node
        node.metadata = {KEY: description} if description else {}

    for p in net.populations.values():
        add(p.name, _cells(p, net.dt), {"text": _population_text(p), "lag": lags[p.name]})
    for name in inputs:
        add(input_node(name), nir.Input(np.array([net.populations[name].size])))
        edges.append((input_node(name), name))
    loops_first = sorted(net.projections, key=lambda q: q.pre != q.post)  # so that Norse runs an Output last
    for q in loops_first:
        add(q.name, nir.Linear(np.ascontiguousarray(q.synapses.matrix().T)), {"text": _projection_text(q), **_arrays(q.synapses)})
        way, steps = [q.pre, q.name, q.post], net.steps(q.delay)
        rest = 0 if q.pre == q.post and steps == 1 else steps + lags[q.pre] - lags[q.post]
        if rest:
            add(_delay(q.name), nir.Delay(np.full(q.synapses.shape[1], rest * seconds)))
            way.insert(2, _delay(q.name))
        edges += pairwise(way)
    busy = {q.pre for q in net.projections if q.pre != q.post}
    for name in [name for name in net.populations if name not in busy] or [*net.populations][-1:]:
        add(f"output:{name}", nir.Output(np.array([net.populations[name].size])))
        edges.append((name, f"output:{name}"))
    graph = nir.NIRGraph(nodes, edges)
    order = {"populations": [*net.populations], "projections": [q.name for q in net.projections]}
    graph.metadata = {KEY: {"text": _json({"dt": net.dt, **order})}}
    return graph


def input_node(name: str) -> str:
    """The name of the Input node of a population."""
    return f"input:{name}"


def _delay(name: str) -> str:
    return f"delay:{name}"


def _cells(p: Population, dt: float) -> Any:
    """The node of a population."""
    nir, neuron, seconds = nir_library(), _lif(p), dt / 1000
    reset = neuron.reset or 0.0

    def every(**parameters: float) -> dict[str, NDArray[np.float64]]:
        return {name: np.full(p.size, value) for name, value in parameters.items()}

    leak, resistance = -math.expm1(-dt / neuron.tau), neuron.resistance
    if neuron.tau_syn:
        fade, leak = -math.expm1(-dt / neuron.tau_syn), max(leak, FAINTEST)
        share = every(tau_mem=seconds / leak, tau_syn=seconds / fade, r=resistance / leak, w_in=1 / fade)
        return nir.CubaLIF(**share, **every(v_leak=0.0, v_threshold=neuron.threshold, v_reset=reset))
    if not leak:
        return nir.IF(**every(r=1 / seconds, v_threshold=neuron.threshold / resistance, v_reset=reset / resistance))
    unit = leak / resistance
    rest, threshold = 0.0 - reset * unit, (neuron.threshold - reset) * unit
    return nir.LIF(**every(tau=seconds / leak, r=1.0, v_leak=rest, v_threshold=threshold, v_reset=0.0))


def _lif(p: Population) -> LIF:
    if type(p.neuron) is not LIF:
        raise UnsupportedError(f"NIR cannot hold population {p.name!r}: of our neurons it has LIF, not {type(p.neuron).__name__}")
    return p.neuron


def _json(description: dict[str, Any]) -> str:
    return json.dumps(description, default=lambda number: number.item())  # of numpy


def _population_text(p: Population) -> str:
    inhibition = p.inhibition and {"kind": type(p.inhibition).__name__, **asdict(p.inhibition)}
    noise = {} if p.noise is None else {"noise": {"kind": type(p.noise).__name__, **asdict(p.noise)}}
    start = {name: value for name, value in (("bias", p.bias), ("voltage", p.voltage)) if value not in (0.0, None)}
    return _json({"neuron": asdict(_lif(p)), "inhibition": inhibition, **noise, **start})


def _projection_text(q: Projection) -> str:
    bits = {"on": q.synapses.on if np.isscalar(q.synapses.on) else None, "off": q.synapses.off} if isinstance(q.synapses, OneBit) else {}
    if q.plasticity is not None and type(q.plasticity) is not STDP:
        raise UnsupportedError(f"NIR cannot hold {q.name!r}: of our rules its metadata have STDP, not {type(q.plasticity).__name__}")
    rule = q.plasticity and asdict(q.plasticity)
    ways = {"pre": q.pre, "post": q.post, "delay": q.delay, "first": q.first, "efficacy": q.efficacy}
    return _json({**ways, "plasticity": rule, "synapses": type(q.synapses).__name__, **bits})


def _arrays(synapses: Synapses) -> dict[str, NDArray[Any]]:
    """The arrays of sparse and one-bit synapses, which the dense weights of a Linear node cannot give back."""
    match synapses:
        case Sparse():
            return {"indptr": synapses.indptr, "targets": synapses.targets, "weights": synapses.weights}
        case OneBit():
            own = {} if np.isscalar(synapses.on) else {"on": synapses.efficacy}
            return {"bits": synapses.bits, "start": synapses.start, **own}
    return {}


def nir_library() -> ModuleType:
    """The library `nir`, imported when it is first needed; MissingExtraError where it is not installed."""
    try:
        import nir
    except ImportError as error:
        raise MissingExtraError(f'NIR needs the "reference" extra: pip install "spikemem[reference]" ({error})') from error
    return nir

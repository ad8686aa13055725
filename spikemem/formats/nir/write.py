"""NIR, the Neuromorphic Intermediate Representation (Pedersen et al. 2024, Nature Communications 15, 8122): a network to it and back.

A NIR cell is tau dv/dt = v_leak - v + r I. Its clock-driven readers take Euler steps, v + dt / tau (v_leak - v + r I), let it spike
above v_threshold and set it to v_reset at the end of the step. With a = 1 - exp(-dt / tau) and b = 1 - exp(-dt / tau_syn) that is the
contract of `spikemem.neurons` for a V that is reset to a value (times in seconds):

    LIF        v = (V - reset) a / R    tau = dt / a, r = 1, v_leak = -reset a / R, v_threshold = (theta - reset) a / R, v_reset = 0
    IF         v = V / R                r = 1 / dt, v_threshold = theta / R, v_reset = reset / R                     where tau = inf
    CubaLIF    v = V                    tau_mem = dt / a, r = R / a, tau_syn = dt / b, w_in = 1 / b                  where tau_syn > 0

V is measured in current and from its reset in a LIF because Norse reads neither the r nor the v_reset of one. Weights stay as they are.

A NIR edge takes no time: a reader passes a spike on within the step, or in the next one where a population projects to itself without a
Delay. Here every projection takes a step or more. So a projection of one step is a plain edge, a population answers `lag` steps sooner in
a reader than here (an external current of its own must come as much sooner there), and Delay nodes hold what that leaves of the delays:

    lag = the fewest projections on any way from an input          Delay = delay + (lag of pre - lag of post) dt

Metadata hold what NIR has no word for, so that a network that was written comes back as it was.
"""

import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError, NetworkError
from spikemem.formats.nir.foreign import foreign
from spikemem.network.graph import CycleReset, KWinners, Logistic, Network, Population, Projection
from spikemem.network.neurons import LIF
from spikemem.network.plasticity import STDP
from spikemem.network.synapses import Dense, OneBit, Sparse, Synapses

KEY = "spikemem"
"""Where a graph and its nodes hold our metadata: "text", JSON; "lag" of a population, in steps; the arrays of sparse synapses."""
INHIBITIONS = {kind.__name__: kind for kind in (CycleReset, KWinners)}
FAINTEST = 2.0**-52
"""The share of V that leaks in a step where none should but NIR has only a leaky cell: no more than float64 rounds away."""
ROUNDING = 1e-6
"""The relative difference that passing through float32 may make."""


def to_nir(net: Network, inputs: Sequence[str] | None = None) -> Any:
    """A network as a `nir.NIRGraph`; `nir.write(path, graph)` makes a file of it.

    The head of this module has the equations and the rule for delays. A population is the node of its name, a projection a Linear of
    its name; NIR's weights are dense, 8 bytes for each pair of cells. An Output follows each population that projects to no other.
    The lag of population "b" is `graph.nodes["b"].metadata["spikemem"]["lag"]`, in steps.

    inputs: populations that get an external current, each an Input node, [cell]; by default those to which no other projects.

    Norse 1.1 runs chains and trees of populations from one Input, with one-step projections, also onto the population itself. Its dt is
    in seconds: `norse.torch.from_nir(graph, dt=0.001)`.

    Warns (UserWarning) of all that other readers will not see, each feature with the population or projection that has it.
    Raises NetworkError where an input is unknown or a population out of reach of them all, MissingExtraError without nir.
    """
    graph = _written(net, _inputs(net, inputs))
    for no_words in _unsaid(net, graph):
        warnings.warn(no_words, UserWarning, stacklevel=2)
    return graph


def from_nir(graph: Any, dt: float | None = None) -> Network:
    """The network of a `nir.NIRGraph`: one that `to_nir` wrote as it was, or another one as its clock-driven readers would step it.

    Of others it reads LIF, IF, CubaLIF, Linear, Affine without bias, Delay, Input and Output, in one dimension and without subgraphs.
    An Input in front of weights becomes a population, for a stimulus of spikes (bool); one in front of cells is their external current.
    An edge that takes no time becomes a delay of one step: as in the rule at the head of this module, populations answer later by their
    lag, here the least for which every projection takes a step, and delays grow by lag of post - lag of pre.

    dt: ms; not needed where `to_nir` wrote the graph, and then no other than its own.

    Raises NetworkError, naming the node, where the graph holds anything else, cells of a node differ, a delay is no whole number of
    steps, a time constant no longer than dt, or a loop too short for its projections; where a graph that `to_nir` wrote was changed in
    anything but the weights of Dense synapses. MissingExtraError without nir.
    """
    if not isinstance(graph, _nir().NIRGraph):
        raise NetworkError(f"from_nir reads a nir.NIRGraph, such as nir.read(path) gives, not a {type(graph).__name__}")
    if KEY not in graph.metadata:
        if dt is None:
            raise NetworkError("this NIR graph was not written by spikemem and does not say its time step; give dt, in ms")
        return foreign(graph, dt)
    net = _own(graph)
    if dt not in (None, net.dt):
        raise NetworkError(f"this NIR graph was written for a dt of {net.dt} ms, not {dt} ms; leave dt out")
    inputs = [name for name in net.populations if any(pre == _input(name) for pre, _ in graph.edges)]
    for changed in _differences(graph, _written(net, inputs)):
        raise NetworkError(f"{changed} of this NIR graph changed since spikemem wrote it; delete graph.metadata[{KEY!r}] and give dt")
    return net


# -- writing -----------------------------------------------------------------------------------------------------------------------


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


def _unsaid(net: Network, graph: Any) -> Iterator[str]:
    """What readers of NIR other than `from_nir` will not see."""
    for p in net.populations.values():
        neuron = p.neuron
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


def _written(net: Network, inputs: Sequence[str]) -> Any:
    nir, lags, seconds = _nir(), _lags(net, inputs), net.dt / 1000
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
        add(_input(name), nir.Input(np.array([net.populations[name].size])))
        edges.append((_input(name), name))
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


def _input(name: str) -> str:
    return f"input:{name}"


def _delay(name: str) -> str:
    return f"delay:{name}"


def _cells(p: Population, dt: float) -> Any:
    """The node of a population."""
    nir, neuron, reset, seconds = _nir(), p.neuron, p.neuron.reset or 0.0, dt / 1000

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


def _json(description: dict[str, Any]) -> str:
    return json.dumps(description, default=lambda number: number.item())  # of numpy


def _population_text(p: Population) -> str:
    inhibition = p.inhibition and {"kind": type(p.inhibition).__name__, **asdict(p.inhibition)}
    noise = {} if p.noise is None else {"noise": asdict(p.noise)}
    return _json({"neuron": asdict(p.neuron), "inhibition": inhibition, **noise})


def _projection_text(q: Projection) -> str:
    bits = {"on": q.synapses.on, "off": q.synapses.off} if isinstance(q.synapses, OneBit) else {}
    rule = q.plasticity and asdict(q.plasticity)
    ways = {"pre": q.pre, "post": q.post, "delay": q.delay, "first": q.first, "efficacy": q.efficacy}
    return _json({**ways, "plasticity": rule, "synapses": type(q.synapses).__name__, **bits})


def _arrays(synapses: Synapses) -> dict[str, NDArray[Any]]:
    """What the dense weights of a Linear do not say of synapses."""
    match synapses:
        case Sparse():
            return {"indptr": synapses.indptr, "targets": synapses.targets, "weights": synapses.weights}
        case OneBit():
            return {"bits": synapses.bits, "start": synapses.start}
    return {}


# -- reading what to_nir wrote -----------------------------------------------------------------------------------------------------


def _own(graph: Any) -> Network:
    try:
        whole = _text(graph)
        net = Network(whole["dt"])
        for name in whole["populations"]:
            node, text = graph.nodes[name], _text(graph.nodes[name])
            inhibition = text["inhibition"] and INHIBITIONS[text["inhibition"].pop("kind")](**text["inhibition"])
            noise = Logistic(**text["noise"]) if "noise" in text else None
            net.add(Population(name, len(node.v_threshold), LIF(**text["neuron"]), inhibition, noise))
        for name in whole["projections"]:
            node, text = graph.nodes[name], _text(graph.nodes[name])
            rule, made = text["plasticity"] and STDP(**text["plasticity"]), _synapses(node, text)
            ways = {way: text.get(way) for way in ("delay", "first", "efficacy")}
            net.connect(text["pre"], text["post"], made, plasticity=rule, **ways)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NetworkError(
            f"the metadata {KEY!r} of this NIR graph cannot be read ({error!r}); delete graph.metadata[{KEY!r}] and give dt"
        ) from error
    return net


def _text(node: Any) -> dict[str, Any]:
    return json.loads(node.metadata[KEY]["text"])


def _synapses(node: Any, text: Mapping[str, Any]) -> Synapses:
    own, post = node.metadata[KEY], len(node.weight)
    match text["synapses"]:
        case "Sparse":
            return Sparse(own["indptr"], own["targets"], own["weights"], post)
        case "OneBit":
            return OneBit(own["bits"], own["start"], post, text["on"], text["off"])
    return Dense(node.weight.T)


def _differences(graph: Any, again: Any) -> Iterator[str]:
    """What NIR says differently in two graphs, by more than the rounding of a float32."""
    for name in sorted(graph.nodes.keys() | again.nodes.keys()):
        if not _alike(graph.nodes.get(name), again.nodes.get(name)):
            yield f"node {name!r}"
    if {tuple(edge) for edge in graph.edges} != {*again.edges}:
        yield "an edge"


def _alike(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    pairs = [(value, getattr(other, key)) for key, value in vars(one).items() if isinstance(value, np.ndarray)]
    return all(a.shape == np.shape(b) and np.allclose(a, b, rtol=ROUNDING, atol=0.0) for a, b in pairs)


def _nir() -> ModuleType:
    try:
        import nir
    except ImportError as error:
        raise MissingExtraError(f'NIR needs the "reference" extra: pip install "spikemem[reference]" ({error})') from error
    return nir

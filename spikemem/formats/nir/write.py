"""Writing networks as NIR graphs, the Neuromorphic Intermediate Representation (Pedersen et al. 2024, Nature Communications 15, 8122).

A NIR cell is tau dv/dt = v_leak - v + r I. Its clock-driven readers take Euler steps, v + dt / tau (v_leak - v + r I), let it spike
above v_threshold and set it to v_reset at the end of the step. With a = 1 - exp(-dt / tau) and b = 1 - exp(-dt / tau_syn) that is the
contract of `network.neurons.lif` for a V that is reset to a value (times in seconds):

    LIF        v = (V - reset) a / R    tau = dt / a, r = 1, v_leak = -reset a / R, v_threshold = (theta - reset) a / R, v_reset = 0
    IF         v = V / R                r = 1 / dt, v_threshold = theta / R, v_reset = reset / R                     where tau = inf
    CubaLIF    v = V                    tau_mem = dt / a, r = R / a, tau_syn = dt / b, w_in = 1 / b                  where tau_syn > 0

    LI, I      v = V                    tau = dt / a, r = R / a, v_leak = 0;  r = R / dt                             a LeakyIntegrator
    CubaLI     v = V                    as CubaLIF                                   a LeakyIntegrator behind one Exponential receptor

V is measured in current and from its reset in a LIF because Norse reads neither the r nor the v_reset of one. Weights stay as they are.

A NIR edge takes no time: a reader passes a spike on within the step, or in the next one where a population projects to itself without a
Delay. Here every projection takes a step or more. So a projection of one step is a plain edge, a population answers `lag` steps sooner in
a reader than here (an external current of its own must come as much sooner there), and Delay nodes hold what that leaves of the delays:

    lag = the fewest projections on any way from an input          Delay = delay + (lag of pre - lag of post) dt

A Delay has a value for each cell behind it. Where the synapses of a projection have delays of their own that differ among those onto one
cell, the projection is as many ways side by side, each a Linear and a Delay, as there are delays: "part2:a->b" beside "a->b".

A bias is that of an Affine node: behind the Input of a population that has one, else in place of the first Linear onto it without a Delay.
A reader's bias flows from its step 0, in a population with a lag that many steps later than `Population.bias`: what `network.bias` brings
as late is exactly that, and is written as a bias.

Metadata hold what NIR cannot express, so that a network that was written comes back as it was.
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import shown
from spikemem.errors import NetworkError, UnsupportedError
from spikemem.formats.nir.metadata import KEY, as_text, nir_library, population_text, projection_text, synapse_arrays
from spikemem.network.bias import ALWAYS, BIAS, add_bias
from spikemem.network.graph import Network, Population, Projection
from spikemem.network.neurons.contract import check
from spikemem.network.neurons.integrator import LeakyIntegrator
from spikemem.network.neurons.lif import LIF
from spikemem.network.neurons.receptors import DIRECT, Exponential, Receptors
from spikemem.network.synapses import OneBit, Sparse, Synapses, compressed, one_to_one

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
    Raises NetworkError where an input is unknown or a population out of reach of them all; UnsupportedError where a neuron is neither a LIF
    nor a LeakyIntegrator, nor one behind one Exponential receptor that all input passes, or a rule no STDP; MissingExtraError without nir.
    """
    check.instance(net, "the first argument", Network, "to_nir writes a Network")
    chosen = _inputs(net, None if inputs is None else check.listed(inputs, "inputs", "names of populations"))
    graph = written(net, chosen)
    for loss in _losses(*folded(net, chosen), graph):
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


def folded(net: Network, inputs: Sequence[str]) -> tuple[Network, dict[str, int]]:
    """A network without the cell that always fires, and the lags of the populations whose `Population.bias` is what that cell brought.

    It is the network itself where that cell brings anything that no bias is in a reader, and where there is none.
    """
    late = [q for q in net.projections if q.pre == BIAS]
    if not late or net.populations[BIAS] != ALWAYS or {*net.projections[-len(late) :]} != {*late} or [*net.populations][-1] != BIAS:
        return net, {}
    biases = {q.post: q.synapses.matrix()[0] for q in late}
    rest = Network(net.dt)
    for p in [*net.populations.values()][:-1]:
        rest.add(replace(p, bias=biases[p.name]) if p.name in biases else p)
    for q in net.projections[: -len(late)]:
        _connect(rest, q)
    lags = _lags(rest, [name for name in inputs if name != BIAS])
    if len(biases) < len(late) or len(lags) < len(rest.populations) or not all(_is_bias(net, q, lags) for q in late):
        return net, {}
    return rest, {q.post: lags[q.post] for q in late}


def _is_bias(net: Network, q: Projection, lags: Mapping[str, int]) -> bool:
    """Whether a projection of the cell that always fires brings what a bias is in a reader."""
    plain = q.first is None and q.plasticity is None and q.efficacy is None
    bare = plain and q.short_term is None and net.own_delays(q) is None
    return bare and net.steps(q.delay) == lags[q.post] and net.populations[q.post].bias == 0.0


def unfolded(net: Network, late: Mapping[str, int]) -> Network:
    """The network of which `folded` made this one.   late: populations and their lags."""
    whole = Network(net.dt)
    for p in net.populations.values():
        whole.add(replace(p, bias=0.0) if p.name in late else p)
    for q in net.projections:
        _connect(whole, q)
    for name, lag in late.items():
        p = net.populations[name]
        add_bias(whole, name, np.full(p.size, p.bias), lag * net.dt, p.neuron.receptors[-1])
    return whole


def _connect(net: Network, q: Projection) -> None:
    """Give a network a projection of another."""
    ways = {name: getattr(q, name) for name in ("delay", "first", "plasticity", "efficacy", "short_term", "receptor")}
    net.connect(q.pre, q.post, q.synapses, **ways)


def _losses(net: Network, late: Mapping[str, int], graph: Any) -> Iterator[str]:
    """What readers of NIR other than `from_nir` will not see."""
    for p in net.populations.values():
        yield from _losses_of_cells(p, p.neuron.neuron if isinstance(p.neuron, Receptors) else p.neuron)
        if p.bias != 0.0 and not _has_bias(net, p.name, graph):
            yield f"no projection without Delay leads to population {p.name!r}: other readers have nothing of its bias"
        elif p.bias != 0.0 and p.name not in late and (lag := graph.nodes[p.name].metadata[KEY]["lag"]):
            yield f"NIR has no lag: in other readers the bias of population {p.name!r} begins {lag} steps later than here"
    for q in net.projections:
        if _delay(q.name) in graph.nodes or net.own_delays(q) is not None:
            yield f"NIR's Delay is not read by Norse and snnTorch: they drop or refuse {q.name!r} onto population {q.post!r}"
        if q.first is not None:
            yield f"NIR has no `first`: in other readers {q.name!r} carries every spike of population {q.pre!r}"
        if q.efficacy is not None:
            yield f"NIR has no `efficacy`: in other readers {q.name!r} carries every spike alike"
        if q.short_term is not None:
            yield f"NIR has no short-term plasticity: in other readers {q.name!r} carries every spike of population {q.pre!r} alike"
        if q.plasticity is not None:
            yield f"NIR has no plasticity: in other readers the weights of {q.name!r} onto population {q.post!r} stay as they are"
        if not hasattr(graph.nodes[q.pre], "v_threshold"):
            yield f"NIR's integrators pass their voltage on: in other readers {q.name!r} carries that of population {q.pre!r}"


def _losses_of_cells(p: Population, neuron: Any) -> Iterator[str]:
    """What other readers will not see of a population's cells.   neuron: without receptors."""
    if isinstance(neuron, LIF) and neuron.reset is None:
        yield f"NIR has no reset by subtraction: other readers reset population {p.name!r} to 0"
    elif isinstance(neuron, LIF) and neuron.reset and (neuron.tau_syn or neuron.tau == math.inf):
        yield f"NIR's v_reset is not read by Norse and snnTorch: they reset population {p.name!r} to 0, not to {shown(neuron.reset)}"
    if isinstance(neuron, LIF) and neuron.refractory:
        yield f"NIR has no refractoriness: other readers drop that of population {p.name!r}"
    if p.inhibition is not None:
        yield f"NIR has no {type(p.inhibition).__name__}: other readers drop that of population {p.name!r}"
    if p.noise is not None:
        yield f"NIR has no noise: in other readers population {p.name!r} follows from its input"
    if p.voltage is not None:
        yield f"NIR does not say where v begins: other readers begin population {p.name!r} at rest"


def _has_bias(net: Network, name: str, graph: Any) -> bool:
    """Whether an Affine node brings the bias of a population."""
    return _bias(name) in graph.nodes or any(q.post == name and hasattr(graph.nodes[q.name], "bias") for q in net.projections)


def written(net: Network, inputs: Sequence[str]) -> Any:
    """The NIR graph of a network with these populations as inputs, without warnings."""
    net, late = folded(net, inputs)
    inputs = [name for name in inputs if name in net.populations]
    nir, lags, seconds = nir_library(), _lags(net, inputs), net.dt / 1000
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []

    def add(name: str, node: Any, description: dict[str, Any] | None = None) -> None:
        if name in nodes:
            raise NetworkError(f"two nodes of the NIR graph would have the name {name!r}; rename a population")
        nodes[name] = node
        node.metadata = {KEY: description} if description else {}

    for p in net.populations.values():
        add(p.name, _cells(p, net.dt), {"text": population_text(p), "lag": lags[p.name]})
    for name in inputs:
        add(input_node(name), nir.Input(np.array([net.populations[name].size])))
        way = [input_node(name), name]
        if net.populations[name].bias != 0.0:
            add(_bias(name), _affine(one_to_one()(*[net.populations[name].size] * 2), net.populations[name]))
            way.insert(1, _bias(name))
        edges += pairwise(way)
    _check_receptors(net, inputs, late)
    carriers = _carriers(net, lags, inputs)
    loops_first = sorted(net.projections, key=lambda q: q.pre != q.post)  # so that Norse runs an Output last
    for q in loops_first:
        for number, (synapses, rest) in enumerate(_ways(net, q, lags), 1):
            name = part_node(q.name, number)
            node = _affine(synapses, net.populations[q.post]) if q.name in carriers else nir.Linear(_weight(synapses))
            add(name, node, {"text": projection_text(q), **synapse_arrays(q.synapses)} if number == 1 else None)
            if rest.any():
                add(_delay(name), nir.Delay(rest * seconds))
            edges += pairwise([q.pre, name, *([_delay(name)] if rest.any() else []), q.post])
    busy = {q.pre for q in net.projections if q.pre != q.post}
    for name in [name for name in net.populations if name not in busy] or [*net.populations][-1:]:
        add(f"output:{name}", nir.Output(np.array([net.populations[name].size])))
        edges.append((name, f"output:{name}"))
    graph = nir.NIRGraph(nodes, edges)
    order = {"populations": [*net.populations], "projections": [q.name for q in net.projections]}
    graph.metadata = {KEY: {"text": as_text({"dt": net.dt, **order, **({"late": late} if late else {})})}}
    return graph


def input_node(name: str) -> str:
    """The name of the Input node of a population."""
    return f"input:{name}"


def _delay(name: str) -> str:
    return f"delay:{name}"


def _bias(name: str) -> str:
    return f"bias:{name}"


def _rest(net: Network, q: Projection, lags: Mapping[str, int]) -> int:
    """The steps of a projection's delay that are left for a Delay node."""
    steps = net.steps(q.delay)
    return 0 if q.pre == q.post and steps == 1 else steps + lags[q.pre] - lags[q.post]


def part_node(name: str, number: int) -> str:
    """The name of one of the Linear nodes side by side that are a projection, counted from 1."""
    return name if number == 1 else f"part{number}:{name}"


def _ways(net: Network, q: Projection, lags: Mapping[str, int]) -> Iterator[tuple[Synapses, NDArray[np.int64]]]:
    """The ways side by side that are a projection: the synapses of each, and the steps for its Delay, [post]."""
    own, post = net.own_delays(q), q.synapses.shape[1]
    if own is None or isinstance(q.synapses, OneBit):
        yield q.synapses, np.full(post, _rest(net, q, lags))
        return
    rows, steps = compressed(q.synapses), own.ravel() + lags[q.pre] - lags[q.post]
    of_cell = np.zeros(post, np.int64)
    of_cell[rows.targets] = steps
    if (of_cell[rows.targets] == steps).all():
        yield q.synapses, of_cell
        return
    different = np.unique(steps)
    check.room(
        len(different) * rows.shape[0] * post, f"the {len(different)} Linear nodes of {q.name!r}, one a delay,", "give it fewer delays"
    )
    for delay in different:
        here = steps == delay
        yield Sparse.from_coo(rows.sources[here], rows.targets[here], rows.weights[here], rows.shape), np.full(post, delay)


def _carriers(net: Network, lags: Mapping[str, int], inputs: Sequence[str]) -> set[str]:
    """The projections whose Affine nodes bring biases: the first without a Delay onto each population without an Input, its own last."""
    chosen: dict[str, str] = {}
    for q in sorted(net.projections, key=lambda q: q.pre == q.post):
        if net.populations[q.post].bias != 0.0 and q.post not in inputs and not _rest(net, q, lags):
            chosen.setdefault(q.post, q.name)
    return {*chosen.values()}


def _weight(synapses: Synapses) -> NDArray[np.float64]:
    return np.ascontiguousarray(synapses.matrix().T)


def _affine(synapses: Synapses, p: Population) -> Any:
    return nir_library().Affine(_weight(synapses), np.full(p.size, p.bias))


def _check_receptors(net: Network, inputs: Sequence[str], late: Mapping[str, int]) -> None:
    """UnsupportedError where something reaches cells past their receptor, which filters all that reaches a CubaLIF or CubaLI."""
    filtered = {name for name, p in net.populations.items() if isinstance(p.neuron, Receptors)}
    for name in filtered:
        if name in inputs or (net.populations[name].bias != 0.0 and name not in late):
            raise UnsupportedError(f"NIR cannot hold population {name!r}: a bias, or a current from outside, would go past its receptor")
    for q in net.projections:
        if q.post in filtered and q.receptor == DIRECT:
            raise UnsupportedError(f"NIR cannot hold {q.name!r}: it goes past the receptor of population {q.post!r}")


def _cells(p: Population, dt: float) -> Any:
    """The node of a population."""
    nir, seconds, (neuron, tau_syn, share) = nir_library(), dt / 1000, _behind(p, dt)
    leak, resistance = -np.expm1(-dt / np.asarray(neuron.tau)), np.asarray(neuron.resistance) * share
    some = np.maximum(leak, FAINTEST)

    def every(**parameters: Any) -> dict[str, NDArray[np.float64]]:
        return {name: np.full(p.size, value) for name, value in parameters.items()}

    if isinstance(neuron, LeakyIntegrator) and not tau_syn:
        if not leak.any():
            return nir.I(**every(r=resistance / seconds))
        return nir.LI(**every(tau=seconds / some, r=resistance / some, v_leak=0.0))
    fade = -np.expm1(-dt / np.asarray(tau_syn)) if tau_syn else 1.0
    cuba = every(tau_mem=seconds / some, tau_syn=seconds / fade, r=resistance / some, w_in=1 / fade, v_leak=0.0)
    if isinstance(neuron, LeakyIntegrator):
        return nir.CubaLI(**cuba)
    threshold, reset = np.asarray(neuron.threshold), np.asarray(0.0 if neuron.reset is None else neuron.reset)
    if tau_syn:
        return nir.CubaLIF(**cuba, **every(v_threshold=threshold, v_reset=reset))
    if not leak.any():
        return nir.IF(**every(r=1 / seconds, v_threshold=threshold / resistance, v_reset=reset / resistance))
    unit = some / resistance
    return nir.LIF(**every(tau=seconds / some, r=1.0, v_leak=0.0 - reset * unit, v_threshold=(threshold - reset) * unit, v_reset=0.0))


def _behind(p: Population, dt: float) -> tuple[Any, Any, float]:
    """The cells of a population without their receptor, tau_syn in ms, 0 where there is none, and the factor on the synaptic current."""
    neuron: Any = p.neuron
    tau_syn, share = getattr(neuron, "tau_syn", 0.0), 1.0
    if isinstance(neuron, Receptors) and len(neuron.kinds) == 1 and type(kind := neuron.kinds[0][1]) is Exponential and not neuron.conducts:
        neuron, tau_syn, share = neuron.neuron, kind.tau, neuron.neuron.share(kind.tau, dt)
    if type(neuron) not in (LIF, LeakyIntegrator):
        known = "LeakyIntegrator and LIF"
        known += ", bare or behind one Exponential receptor without reversal" if isinstance(neuron, Receptors) else ""
        raise UnsupportedError(f"NIR cannot hold population {p.name!r}: of our neurons it has {known}, not {type(neuron).__name__}")
    return neuron, tau_syn, share

"""Reading NIR graphs as networks: those that `to_nir` wrote come back unchanged, others by the rules of `nir.foreign`."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count, takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.formats.nir.file import load
from spikemem.formats.nir.foreign import foreign, shapes
from spikemem.formats.nir.metadata import KEY, nir_library
from spikemem.formats.nir.nodes import UNREADABLE
from spikemem.formats.nir.write import input_node, part_node, unfolded, written
from spikemem.network.graph import CycleReset, KWinners, Network, Population
from spikemem.network.neurons import LIF, Exponential, LeakyIntegrator, Neuron, Receptors
from spikemem.network.neurons.contract import check
from spikemem.network.noise import Logistic, OrnsteinUhlenbeck, Shot, White
from spikemem.network.plasticity.stdp import STDP
from spikemem.network.short_term import TsodyksMarkram
from spikemem.network.synapses import Dense, OneBit, Sparse, Synapses

INHIBITIONS = {kind.__name__: kind for kind in (CycleReset, KWinners)}
NOISES = {kind.__name__: kind for kind in (Logistic, White, OrnsteinUhlenbeck, Shot)}
NEURONS: dict[str, type[LIF | LeakyIntegrator]] = {kind.__name__: kind for kind in (LIF, LeakyIntegrator)}
ROUNDING = 1e-6
"""The relative difference that passing through float32 may make."""


def from_nir(graph: Any, dt: float | None = None, *, reset: str = "zero") -> Network:
    """Read a NIR graph as a network: unchanged where `to_nir` wrote it, else with the steps that a clock-driven NIR reader would take.

    Read are all nodes of NIR but Threshold, and subgraphs, whose node "cells" is the population "layer.cells". Cells are populations; the
    linear nodes of a way between two of them (Linear, Affine, Conv1d, Conv2d, SumPool2d, AvgPool2d, Scale, Flatten) are one projection.
    The head of `formats.nir.cells` has the equations, and where v begins. Cells of several dimensions stand in C order (`nir_shapes`).
    An Input in front of linear nodes becomes a population, for a stimulus of spikes (bool); one before cells is their external current.
    An edge that takes no time becomes a delay of one step: as in the rule at the head of `formats.nir.write`, populations
    answer later by their lag, here the least for which every projection takes a step, and delays grow by lag of post - lag of pre.
    A bias is `Population.bias` where the lag is 0; elsewhere it begins after the lag, and comes from a cell that always fires, "bias.cell".

    graph: a `nir.NIRGraph`, or the path of a file; files are read without nir's own check of types.
    dt: ms; not needed where `to_nir` wrote the graph, and then no other than its own.
    reset: "zero" sets v to v_reset, as NIR has it; "subtract" lowers v by v_threshold - v_reset, for graphs that were trained so, which NIR
    cannot say. Both at the end of the step, before the leak of the next. What `to_nir` wrote keeps its own.

    Warns (UserWarning) where edges name a node that is not there, and are read as those of the only node that none names.
    Raises NetworkError, naming the node, where the graph holds anything else, the cells of an LI, I or CubaLI lead to others, a delay is no
    whole number of steps, a time constant no longer than dt, or a loop too short for its projections; where a graph that `to_nir` wrote was
    changed in anything but the weights of Dense synapses. MissingExtraError without nir.
    """
    nir, given = nir_library(), check.choice(reset, "reset", ("zero", "subtract"))
    dt = None if dt is None else check.finite(dt, "dt", above=0, unit=" ms")
    graph = load(graph) if isinstance(graph, str | os.PathLike) else graph
    if not isinstance(graph, nir.NIRGraph):
        raise NetworkError(f"from_nir reads a nir.NIRGraph or the path of one, not a {type(graph).__name__}")
    if not isinstance(graph.metadata, Mapping) or KEY not in graph.metadata:
        if dt is None:
            raise NetworkError("this NIR graph was not written by spikemem and does not say its time step; give dt, in ms")
        with _readable("this NIR graph", "write it anew with the library `nir`"):
            return foreign(graph, dt, given == "subtract")
    net = _own(graph)
    if dt not in (None, net.dt):
        raise NetworkError(f"this NIR graph was written for a dt of {net.dt} ms, not {dt} ms; leave dt out")
    with _readable("this NIR graph", f"delete graph.metadata[{KEY!r}] and give dt"):
        return _unchanged(net, graph)


def nir_shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    """The shape of the NIR node behind each population that `from_nir` makes: its cells are that node's in C order.

    graph: a `nir.NIRGraph`, or the path of a file, of another tool. An image of a population's spikes is `spikes.reshape(time, *shape)`.
    """
    nir, graph = nir_library(), load(graph) if isinstance(graph, str | os.PathLike) else graph
    if not isinstance(graph, nir.NIRGraph):
        raise NetworkError(f"nir_shapes reads a nir.NIRGraph or the path of one, not a {type(graph).__name__}")
    with _readable("this NIR graph", "write it anew with the library `nir`"):
        return shapes(graph)


def _unchanged(net: Network, graph: Any) -> Network:
    """A network that was read from a graph; NetworkError where the graph changed since."""
    inputs = [name for name in net.populations if any(pre == input_node(name) for pre, _ in graph.edges)]
    for changed in _differences(graph, written(net, inputs)):
        raise NetworkError(f"{changed} of this NIR graph changed since spikemem wrote it; delete graph.metadata[{KEY!r}] and give dt")
    return net


@contextmanager
def _readable(what: str, mend: str) -> Iterator[None]:
    """NetworkError where a graph has parts that do not belong together."""
    try:
        yield
    except UNREADABLE as error:
        raise NetworkError(f"{what} cannot be read ({type(error).__name__}: {error}); {mend}") from error


def _own(graph: Any) -> Network:
    with _readable(f"the metadata {KEY!r} of this NIR graph", f"delete graph.metadata[{KEY!r}] and give dt"):
        whole = _text(graph)
        net = Network(whole["dt"])
        for name in whole["populations"]:
            node, text = graph.nodes[name], _text(graph.nodes[name])
            inhibition = text["inhibition"] and INHIBITIONS[text["inhibition"].pop("kind")](**text["inhibition"])
            noise = text.get("noise") and NOISES[text["noise"].pop("kind", "Logistic")](**text["noise"])
            start = text.get("bias", 0.0), text.get("voltage")
            net.add(Population(name, len(node.r), _neuron(text), inhibition, noise, *start))
        for name in whole["projections"]:
            node, text = graph.nodes[name], _text(graph.nodes[name])
            parts = takewhile(graph.nodes.__contains__, (part_node(name, number) for number in count(1)))
            weight = sum(graph.nodes[part].weight for part in parts)
            rule, made = text["plasticity"] and STDP(**text["plasticity"]), _synapses(node, text, weight)
            ways = {way: text.get(way) for way in ("delay", "first", "efficacy", "receptor")}
            ways["short_term"] = TsodyksMarkram(**text["short_term"]) if "short_term" in text else None
            net.connect(text["pre"], text["post"], made, plasticity=rule, **ways)
        return unfolded(net, whole["late"]) if "late" in whole else net


def _neuron(text: Mapping[str, Any]) -> Neuron:
    made = NEURONS[text.get("kind", "LIF")](**text["neuron"])
    return Receptors(made, **{name: Exponential(tau) for name, tau in text["receptor"].items()}) if "receptor" in text else made


def _text(node: Any) -> dict[str, Any]:
    return json.loads(node.metadata[KEY]["text"])


def _synapses(node: Any, text: Mapping[str, Any], weight: NDArray[np.float64]) -> Synapses:
    """The synapses of a projection.   weight: of all its Linear nodes, [post, pre]."""
    own, post = node.metadata[KEY], len(weight)
    match text["synapses"]:
        case "Sparse":
            return Sparse(own["indptr"], own["targets"], own["weights"], post, own.get("delays"))
        case "OneBit":
            return OneBit(own["bits"], own["start"], post, own.get("on", text["on"]), text["off"])
    return Dense(weight.T, own.get("delays"))


def _differences(graph: Any, again: Any) -> Iterator[str]:
    """What NIR says differently in two graphs, by more than the rounding of a float32."""
    for name in sorted(graph.nodes.keys() | again.nodes.keys()):
        if not _alike(graph.nodes.get(name), again.nodes.get(name)):
            yield f"node {name!r}"
    if {tuple(edge) for edge in graph.edges} != {*again.edges}:
        yield "an edge"


def _alike(node: Any, other: Any) -> bool:
    if type(node) is not type(other):
        return False
    pairs = [(value, getattr(other, key)) for key, value in vars(node).items() if isinstance(value, np.ndarray)]
    return all(a.shape == np.shape(b) and np.allclose(a, b, rtol=ROUNDING, atol=0.0) for a, b in pairs)

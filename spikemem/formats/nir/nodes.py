"""NIR nodes by name, graphs without subgraphs, and the one form of a refusal."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from spikemem.errors import NetworkError

UNREADABLE = (AttributeError, KeyError, IndexError, TypeError, ValueError, AssertionError, ArithmeticError, RecursionError)
"""What the library `nir` and numpy raise where the parts of a graph do not belong together."""


def kind(node: Any) -> str:
    """The type of a NIR node: "LIF", "Linear", "Delay", ..."""
    return type(node).__name__


@contextmanager
def reading(name: str, node: Any) -> Iterator[None]:
    """NetworkError, with the node's name, where it cannot be read."""
    try:
        yield
    except NetworkError as error:
        raise NetworkError(f"NIR node {name!r} ({kind(node)}): {error}") from error
    except UNREADABLE as error:
        raise NetworkError(f"NIR node {name!r} ({kind(node)}): it cannot be read ({type(error).__name__}: {error})") from error


class FlatGraph(NamedTuple):
    """The nodes of a graph and of its subgraphs: node "cells" of the subgraph "layer" is "layer.cells".

    The Input and the Output of a subgraph are nodes that pass on what they get.
    """

    nodes: dict[str, Any]
    after: dict[str, list[str]]
    """Where the edges from a node lead."""

    def entered(self) -> set[str]:
        """The nodes to which an edge leads."""
        return {post for posts in self.after.values() for post in posts}


def flattened(graph: Any) -> FlatGraph:
    """A `nir.NIRGraph` without subgraphs.

    Raises NetworkError where an edge names a node that is not there, and where a subgraph on an edge has not one Input or Output.
    Where just one name is not there, and just one node has no edge, edges are read as if they named that node, with a UserWarning.
    """
    flat = FlatGraph({}, {})
    _flatten(graph, "", flat)
    return flat


def _flatten(graph: Any, prefix: str, flat: FlatGraph) -> None:
    for name, node in graph.nodes.items():
        if kind(node) == "NIRGraph":
            _flatten(node, f"{prefix}{name}.", flat)
        elif prefix + name in flat.nodes:
            raise NetworkError(f"two nodes of the NIR graph have the name {prefix + name!r}; rename one")
        else:
            flat.nodes[prefix + name], flat.after[prefix + name] = node, []
    renamed = _renamed(graph, prefix)
    for pre, post in graph.edges:
        start, end = renamed.get(pre, pre), renamed.get(post, post)
        flat.after[_end(graph, prefix, start, "Output")].append(_end(graph, prefix, end, "Input"))


def _end(graph: Any, prefix: str, name: str, port: str) -> str:
    """The node at an end of an edge: the Input or Output of a subgraph, any other itself."""
    if name not in graph.nodes:
        raise NetworkError(f"an edge of the NIR graph names {prefix + str(name)!r}, and there is no such node")
    node = graph.nodes[name]
    if kind(node) != "NIRGraph":
        return prefix + name
    ports = [inner for inner, part in node.nodes.items() if kind(part) == port]
    if len(ports) != 1:
        raise NetworkError(f"NIR node {prefix + name!r} (NIRGraph): an edge needs its one {port}, and it has {len(ports)}")
    return f"{prefix}{name}.{ports[0]}"


def _renamed(graph: Any, prefix: str) -> dict[str, str]:
    """The node that a name of an edge stands for where it is the only name without a node, and the node the only one without an edge."""
    named = {name for edge in graph.edges for name in edge}
    lost, unnamed = named - graph.nodes.keys(), graph.nodes.keys() - named
    if len(lost) != 1 or len(unnamed) != 1:
        return {}
    (name,), (node,) = lost, unnamed
    warnings.warn(f"edges of the NIR graph name {prefix + str(name)!r}, which is not there; read as {prefix + node!r}", stacklevel=2)
    return {name: node}

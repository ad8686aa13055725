"""Files of NIR graphs, HDF5: read node by node, so that an error names its node, and without `nir`'s own check of types.

That check refuses graphs of the NIR paper itself: an Output whose shape has more dimensions than the cells before it, and subgraphs with
an edge from nowhere. `from_nir` needs no types but those of Inputs, and checks sizes where they meet.
"""

from os import PathLike
from typing import Any

from spikemem.errors import MissingExtraError, NetworkError
from spikemem.formats.nir.metadata import nir_library
from spikemem.formats.nir.nodes import UNREADABLE
from spikemem.network.neurons.contract import check

FILE_VALUES = 2**27
"""Values of all arrays of a file, which compression may hide: 1 GB of float64."""


def load(path: str | PathLike[str]) -> Any:
    """Read a file that a tool wrote by `nir.write`, as a `nir.NIRGraph` whose types were not checked.

    Raises NetworkError, naming the node, where the file holds no graph; MissingExtraError without nir.
    """
    nir_library()
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(f'files of NIR need h5py, which comes with nir: pip install "spikemem[reference]" ({error})') from error
    where = check.path(path, "the path of a NIR graph")
    try:
        with h5py.File(where, "r") as file:
            whole = _Reader(h5py).tree(file["node"])
    except FileNotFoundError as error:
        raise NetworkError(f"no file {str(where)!r}") from error
    except (OSError, RuntimeError, *UNREADABLE) as error:
        raise NetworkError(f"{str(where)!r} holds no NIR graph ({type(error).__name__}: {error})") from error
    return _graph(whole, "")


class _Reader:
    """Reads groups of HDF5, as many values as there is room for; what a link asks for lies in the file itself."""

    def __init__(self, h5py: Any) -> None:
        self.h5py, self.values = h5py, 0

    def tree(self, group: Any) -> dict[str, Any]:
        """A group as nested dicts, with texts as str."""
        made: dict[str, Any] = {}
        for name in group:
            if not isinstance(group.get(name, getlink=True), self.h5py.HardLink):
                raise NetworkError(f"{group.name}/{name} is a link; write the graph without links")
            item = group[name]
            self.values += 1 if isinstance(item, self.h5py.Group) else item.size or 0
            check.room(self.values, "the arrays of this NIR file", "write a smaller graph", FILE_VALUES)
            made[name] = self.tree(item) if isinstance(item, self.h5py.Group) else self.array(item)
        return made

    def array(self, item: Any) -> Any:
        """What a dataset holds."""
        if item.external or item.is_virtual:
            raise NetworkError(f"{item.name} lies in another file; write the graph into one")
        value = item[()]
        return value.decode() if isinstance(value, bytes) else value


def _graph(tree: dict[str, Any], prefix: str) -> Any:
    """A `nir.NIRGraph` of nested dicts."""
    nir, nodes = nir_library(), {}
    parts = tree.get("nodes")
    for name, part in (parts if isinstance(parts, dict) else {}).items():
        kind = part.get("type") if isinstance(part, dict) else None
        try:
            nodes[name] = _graph(part, f"{prefix}{name}.") if kind == "NIRGraph" else nir.dict2NIRNode(dict(part))
        except UNREADABLE as error:
            raise NetworkError(f"NIR node {prefix + name!r} ({kind}): it cannot be read ({type(error).__name__}: {error})") from error
    try:
        edges = [tuple(end.decode() if isinstance(end, bytes) else str(end) for end in edge) for edge in tree["edges"]]
        return nir.NIRGraph(nodes, edges, metadata=tree.get("metadata", {}), type_check=False)
    except UNREADABLE as error:
        raise NetworkError(
            f"the NIR graph {prefix.rstrip('.') or 'of this file'!r} cannot be read ({type(error).__name__}: {error})"
        ) from error

"""The graph of memories: which ones come together, by which path one leads to another, and which form a community."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.engrams.sets import check
from spikemem.errors import DataError
from spikemem.instruments.extra import library


class MemoryGraph(NamedTuple):
    """Memories and how strongly each brings others.

    weight: of the edge from i to j, 0 to 1, [memory, memory].   together: how often i and j came together, [memory, memory]; i by itself on
    the diagonal.   community: the number of each memory's, the largest first, [memory].   first, last: when each memory came, [memory];
    NaN where it never did.
    """

    weight: NDArray[np.float64]
    together: NDArray[np.int64]
    community: NDArray[np.int64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]

    @property
    def lifespan(self) -> NDArray[np.float64]:
        """The time from the first to the last that each memory came, [memory]."""
        return self.last - self.first

    def path(self, a: int, b: int) -> list[int]:
        """The memories from a to b along the likeliest path, both included: that with the largest product of weights; empty if none."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        a, b = (check.integer(i, name, least=0, most=len(self.weight) - 1) for i, name in ((a, "a"), (b, "b")))
        start, stop = np.nonzero(self.weight)
        far = csr_array((-np.log(self.weight[start, stop]) + 1e-12, (start, stop)), shape=self.weight.shape)
        before = dijkstra(far, indices=a, return_predecessors=True)[1]
        path = [b]
        while path[-1] != a:
            if before[path[-1]] < 0:
                return []
            path.append(int(before[path[-1]]))
        return path[::-1]


def memory_graph(together: ArrayLike, times: ArrayLike | None = None, *, seed: int = 0) -> MemoryGraph:
    """The graph of memories that come together, such as in the recalls of cues.

        E_ij = N_ij / N_ii,   N_ij how often i and j came together, N_ii how often i came         Memoria (Park & Bak 2024)

    Communities are Louvain's (Blondel et al. 2008), of the undirected graph with weights (E + E^T) / 2, by networkx; MissingExtraError
    without the `analysis` extra.   together: which memories came, bool, [event, memory].   times: of the events, [event]; their numbers
    by default.   seed: of Louvain's order.

    >>> graph = memory_graph(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0]]) == 1)
    >>> graph.weight[0].tolist(), graph.path(0, 3), graph.lifespan.tolist()
    ([0.0, 1.0, 0.0, 0.0], [0, 1, 2, 3], [1.0, 3.0, 1.0, 0.0])
    """
    came = check.array(together, "together", "b", shape=(None, None))
    if not came.size:
        raise DataError(f"together has shape {came.shape}; give one event and one memory at least")
    when = np.arange(len(came), dtype=float) if times is None else check.floats(times, "times", shape=(len(came),))
    check.room(came.shape[1] ** 2, "the graph", "give fewer memories")
    count = np.rint(came.T.astype(np.float32) @ came.astype(np.float32)).astype(np.int64)
    weight = count / np.maximum(np.diag(count), 1)[:, None]
    np.fill_diagonal(weight, 0.0)
    first, last = (np.where(came, when[:, None], fill) for fill in (np.inf, -np.inf))
    never = ~came.any(0)
    born, gone = np.where(never, np.nan, first.min(0)), np.where(never, np.nan, last.max(0))
    return MemoryGraph(weight, count, _communities((weight + weight.T) / 2, check.seed(seed)), born, gone)


def _communities(weight: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """The number of each memory's community, the largest first, [memory]."""
    networkx = library("networkx")
    graph = networkx.from_numpy_array(weight)
    found = sorted(networkx.community.louvain_communities(graph, seed=seed % 2**32), key=lambda of: (-len(of), min(of)))
    made = np.zeros(len(weight), np.int64)
    for number, of in enumerate(found):
        made[list(of)] = number
    return made

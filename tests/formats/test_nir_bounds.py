"""NIR graphs whose parts do not belong together: one error, which names the node once."""

from typing import Any

import numpy as np
import pytest

from spikemem import from_nir
from spikemem.errors import NetworkError

nir = pytest.importorskip("nir")


def cells(**other: Any) -> Any:
    """Two LIF cells behind an Input."""
    given = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **other}
    lif = nir.LIF(**{name: np.full(2, value) for name, value in given.items()})
    return nir.NIRGraph({"in": nir.Input(np.array([2])), "cells": lif}, [("in", "cells")])


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (lambda: cells(tau=0.0), "NIR node 'cells' (LIF): tau is 0.0 s; it must be above 0"),
        (lambda: cells(tau=-1.0), "NIR node 'cells' (LIF): tau is -1.0 s; it must be above 0"),
        (lambda: cells(r=0.0), "NIR node 'cells' (LIF): LIF resistance is 0.0; it must be finite and above 0"),
    ],
)
def test_a_node_that_is_no_cell_is_named_once(graph: Any, message: str) -> None:
    with pytest.raises(NetworkError) as raised:
        from_nir(graph(), 1.0)
    assert str(raised.value) == message


def test_an_edge_to_nowhere_and_an_input_of_a_thousand_billion_cells_are_named() -> None:
    graph = cells()
    graph.edges.append(("cells", "nowhere"))
    with pytest.raises(NetworkError, match=r"an edge of the NIR graph names 'nowhere', and there is no such node"):
        from_nir(graph, 1.0)
    weights = nir.Linear(np.ones((2, 2)))
    graph = nir.NIRGraph({"in": nir.Input(np.array([2])), "w": weights, "cells": cells().nodes["cells"]}, [("in", "w"), ("w", "cells")])
    graph.nodes["in"].input_type = {"input": np.array([10**12])}
    with pytest.raises(NetworkError, match=r"size of NIR node 'in' is 1000000000000; it must be a whole number, .*at most 16,777,216"):
        from_nir(graph, 1.0)


@pytest.mark.parametrize("dt", ["1", 0.0, True, float("nan")])
def test_a_step_is_a_number(dt: Any) -> None:
    with pytest.raises(NetworkError, match="dt is"):
        from_nir(cells(), dt)

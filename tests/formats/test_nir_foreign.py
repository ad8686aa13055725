"""NIR graphs that others wrote: the spikes that Norse gives, lags where ways differ in length, and refusals by name."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from spikemem import from_nir
from spikemem.errors import NetworkError
from tests.crosscheck.test_contract import STEPS
from tests.formats.test_nir import filed, norse_torch, spikes_of

nir = pytest.importorskip("nir", reason="the reference extra is not installed")


def every(size: int, **parameters: float) -> dict[str, NDArray[np.float64]]:
    return {name: np.full(size, value) for name, value in parameters.items()}


def a_lif(size: int = 3, **other: Any) -> Any:
    return nir.LIF(**{**every(size, tau=0.01, r=1.0, v_leak=0.0, v_threshold=0.1, v_reset=0.0), **other})


def an_integrator(size: int = 2) -> Any:
    return nir.IF(**every(size, r=1000.0, v_threshold=1.5, v_reset=0.0))


def a_cuba_lif(size: int = 2) -> Any:
    return nir.CubaLIF(**every(size, tau_mem=0.01, tau_syn=0.004, r=2.0, v_leak=0.0, v_threshold=0.1, v_reset=0.0, w_in=1.5))


def in_a_row(*nodes: Any) -> Any:
    return nir.NIRGraph.from_list(*nodes)


@pytest.mark.parametrize("last", [a_lif(2), an_integrator(), a_cuba_lif()])
def test_a_foreign_graph_gives_the_spikes_that_norse_gives(last: Any) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0.0, 1.0, (3, 4)), rng.uniform(0.0, 1.0, (2, 3))
    graph = filed(in_a_row(nir.Affine(first, rng.normal(0.0, 0.1, 3)), a_lif(), nir.Linear(second), last))
    spikes = rng.random((STEPS, 4)) < 0.5
    net = from_nir(graph, dt=1.0)
    assert len(net.populations) == 4  # with the cell of the bias
    module, state, read = norse_torch().from_nir(graph, ignore_warnings=True, dt=0.001), None, []
    with torch.no_grad():
        for row in torch.as_tensor(spikes, dtype=torch.float32):
            output, state = module(row, state)
            read.append(output.numpy() > 0)
    ours = spikes_of(net, {"input": spikes})
    name = next(pre for pre, post in graph.edges if post == "output")
    assert ours[name].any()
    np.testing.assert_array_equal(ours[name][2:], np.array(read)[:-2])  # two layers of weights, two steps


def test_a_foreign_cell_keeps_its_voltages() -> None:
    node = a_lif(**every(3, v_leak=-65.0, v_threshold=-50.0, v_reset=-70.0, r=20.0, tau=0.02))
    cell = from_nir(in_a_row(node), dt=0.5).populations["lif"].neuron
    assert (cell.threshold, cell.reset, cell.refractory) == (15.0, -5.0, 0.0)
    assert cell.beta(0.5) == pytest.approx(1 - 0.5 / 20)
    assert cell.resistance == pytest.approx(20 * 0.5 / 20)


def test_a_foreign_synaptic_current_of_one_step_is_none_of_ours() -> None:
    node = a_cuba_lif()
    node.tau_syn[:] = 0.0005
    cell = from_nir(in_a_row(node), dt=0.5).populations["cubalif"].neuron
    assert (cell.tau_syn, cell.resistance) == (0.0, pytest.approx(2.0 * 1.5 * 0.5 / 10))


def test_a_foreign_input_is_a_current_where_it_meets_cells_and_a_population_where_it_meets_weights() -> None:
    assert [*from_nir(in_a_row(a_lif()), dt=1.0).populations] == ["lif"]
    assert from_nir(in_a_row(nir.Linear(np.ones((3, 5))), a_lif()), dt=1.0).populations["input"].size == 5


def test_foreign_ways_add_up() -> None:
    one, two, wait = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), nir.Delay(np.array([0.002]))
    net = from_nir(filed(in_a_row(a_lif(2), nir.Linear(one), wait, nir.Linear(two), a_lif(2), a_lif(2))), dt=1.0)
    way, straight = net.projections
    np.testing.assert_array_equal(way.synapses.matrix(), (two @ one).T)
    np.testing.assert_array_equal(straight.synapses.matrix(), np.eye(2))
    assert (way.delay, straight.delay) == (2.0, 1.0)


def test_a_foreign_short_cut_waits_for_the_long_way() -> None:
    nodes = {"in": nir.Input(np.array([1])), "a": a_lif(1), "b": a_lif(1), "c": a_lif(1), "out": nir.Output(np.array([1]))}
    net = from_nir(nir.NIRGraph(nodes, [("in", "a"), ("a", "b"), ("b", "c"), ("a", "c"), ("c", "c"), ("c", "out")]), dt=0.5)
    assert {q.name: q.delay for q in net.projections} == {"a->b": 0.5, "b->c": 0.5, "a->c": 1.0, "c->c": 0.5}


def looped(*between: Any) -> Any:
    """Cells that pass through other nodes back to themselves."""
    nodes = {"in": nir.Input(np.array([3])), "a": a_lif(), **dict(zip("bcd", between, strict=False)), "out": nir.Output(np.array([3]))}
    around = ["a", *"bcd"[: len(between)], "a"]
    return nir.NIRGraph(nodes, [("in", "a"), *pairwise(around), ("a", "out")], type_check=False)


LINEAR = nir.Linear(np.ones((3, 3)))


def weights_in_a_loop() -> Any:
    graph = looped(LINEAR, nir.Linear(np.ones((3, 3))))
    graph.edges.append(("c", "b"))
    return graph


def cuba_that_fires() -> Any:
    node = a_cuba_lif()
    node.v_leak[:] = 0.2
    return node


def doubling(times: int) -> Any:
    """Cells that reach others by 2^times ways."""
    nodes = {"a": a_lif(1), **{f"{side}{n}": nir.Scale(np.ones(1)) for n in range(times) for side in "lr"}, "z": a_lif(1)}
    rows = [["a"], *([f"l{n}", f"r{n}"] for n in range(times)), ["z"]]
    return nir.NIRGraph(nodes, [(pre, post) for one, two in pairwise(rows) for pre in one for post in two], type_check=False)


@pytest.mark.parametrize(
    ("graph", "cause"),
    [
        (in_a_row(nir.Threshold(np.ones(3)), a_lif()), r"node 'threshold' \(Threshold\): spikemem reads LIF, IF"),
        (
            in_a_row(nir.LI(**every(3, tau=0.01, r=1.0, v_leak=0.0)), a_lif()),
            r"node 'li' \(LI\): it passes its voltage on to 'lif', and only spikes travel",
        ),
        (
            nir.NIRGraph(
                {"in": nir.Input(np.array([3])), "sub": nir.NIRGraph({"a": a_lif()}, [], type_check=False)},
                [("in", "sub")],
                type_check=False,
            ),
            r"'sub' \(NIRGraph\): an edge needs its one Input, and it has 0",
        ),
        (looped(nir.Linear(np.ones((3, 2)))), r"'b' \(Linear\): it takes 2 values and gets 3"),
        (looped(nir.Linear(np.ones((2, 3)))), r"'a' \(LIF\): it has 3 cells, and 'a' reaches it with 2 values"),
        (nir.NIRGraph({"a": a_lif(), "w": nir.Scale(np.ones(3))}, [("w", "a")], type_check=False), r"'w' \(Scale\): no Input and no cells"),
        (in_a_row(cuba_that_fires()), r"'cubalif' \(CubaLIF\): its v_leak is not below its v_threshold"),
        (doubling(11), "the ways between the cells of this NIR graph would hold"),
        (looped(nir.Linear(np.ones((1, 3, 3)))), r"'b' \(Linear\): weights have shape \(1, 3, 3\)"),
        (in_a_row(a_lif(tau=np.full(3, 0.001))), r"'lif' \(LIF\): a time constant of 0\.001 s must be longer than dt, 1\.0 ms"),
        (in_a_row(a_lif(v_threshold=np.full(3, -1.0))), r"'lif' \(LIF\): LIF threshold is -1\.0"),
        (in_a_row(a_lif(), nir.Delay(np.full(3, 0.0015)), a_lif()), r"'delay' \(Delay\): 1\.5 ms is no whole number of steps"),
        (in_a_row(a_lif(), nir.Delay(np.full(3, -0.001)), a_lif()), r"'delay' \(Delay\): a delay of -1 steps"),
        (looped(nir.Delay(np.array([0.001, 0.002]))), r"'b' \(Delay\): it has 2 delays for 3 values"),
        (looped(LINEAR, a_lif()), r"a loop through 'a' and 'c' is shorter than a step for each projection"),
        (weights_in_a_loop(), r"'b' \(Linear\): it lies in a loop without cells"),
    ],
)
def test_what_spikemem_has_not_is_refused_by_name(graph: Any, cause: str) -> None:
    with pytest.raises(NetworkError, match=cause):
        from_nir(graph, dt=1.0)


def test_a_loop_with_delays_enough_is_read() -> None:
    net = from_nir(looped(LINEAR, a_lif(), nir.Delay(np.full(3, 0.003))), dt=1.0)
    assert {q.name: q.delay for q in net.projections} == {"a->c": 1.0, "c->a": 2.0}


def test_a_foreign_graph_needs_dt_and_a_graph() -> None:
    with pytest.raises(NetworkError, match="give dt, in ms"):
        from_nir(in_a_row(a_lif()))
    with pytest.raises(NetworkError, match=r"a nir\.NIRGraph or the path of one, not a float"):
        from_nir(1.0, dt=1.0)
    with pytest.raises(NetworkError, match="reset is 'none'; it must be one of zero, subtract"):
        from_nir(in_a_row(a_lif()), 1.0, reset="none")

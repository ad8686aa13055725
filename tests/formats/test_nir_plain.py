"""Graphs as other tools write them: the spikes and voltages of a plain reader, which knows NIR's definitions alone, lag steps later."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import snntorch
import torch
from numpy.typing import NDArray

from spikemem import from_nir, simulate
from spikemem.formats import nir_shapes
from spikemem.network.bias import BIAS
from tests.formats.plain import PlainReader

nir = pytest.importorskip("nir", reason="the reference extra is not installed")
STEPS, DT = 150, 0.5
RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def _seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(1))


def between(low: float, high: float, shape: Any) -> NDArray[np.float64]:
    return RNG.uniform(low, high, shape)


def lif(shape: Any, leak: float = 0.0) -> Any:
    """Cells that differ in every field."""
    return nir.LIF(
        between(0.002, 0.01, shape),
        between(1, 3, shape),
        leak + between(-0.05, 0.05, shape),
        between(0.1, 0.2, shape),
        between(-0.1, 0, shape),
    )


def integrate_and_fire(shape: Any) -> Any:
    return nir.IF(between(500, 1000, shape), between(0.3, 0.6, shape), between(-0.2, 0.2, shape))


def cuba_lif(shape: Any) -> Any:
    first = between(0.002, 0.005, shape), between(0.002, 0.01, shape), between(1, 3, shape), between(-0.05, 0.05, shape)
    return nir.CubaLIF(*first, between(0.1, 0.2, shape), between(-0.1, 0, shape), between(1, 2, shape))


def weights(post: int, pre: int, bias: bool = True) -> Any:
    w = RNG.normal(0.1, 0.6, (post, pre))
    return nir.Affine(w, RNG.normal(0.1, 0.2, post)) if bias else nir.Linear(w)


def graph(nodes: dict[str, Any], *edges: str, size: Any = 6) -> Any:
    """A graph of nodes, an Input "in" and an Output "out"; an edge is "pre post"."""
    ends = {"in": nir.Input(np.atleast_1d(size)), "out": nir.Output(np.array([1]))}
    return nir.NIRGraph({**ends, **nodes}, [tuple(edge.split()) for edge in edges], type_check=False)


def layers(*cells: Any, bias: bool = True) -> Any:
    """Input -> weights -> 5 cells, with weights onto themselves -> weights -> 4 cells."""
    first, second = cells
    nodes = {"w": weights(5, 6, bias), "a": first, "rec": weights(5, 5, bias), "v": weights(4, 5, bias), "b": second}
    return graph(nodes, "in w", "w a", "a rec", "rec a", "a v", "v b", "b out")


def equal(read: Any, lags: dict[str, int], subtract: bool = False, dt: float = DT, steps: int = STEPS, simulator: str = "event") -> None:
    """The plain reader's spikes, by the names of populations, so many steps later."""
    shape = tuple(read.nodes["in"].input_type["input"])
    spikes = RNG.random((steps, *shape)) < 0.3
    expected = PlainReader(read, {"in": spikes}, dt, subtract).run(steps)
    later = np.concatenate([spikes.reshape(steps, -1), np.zeros((max(lags.values()), np.prod(shape)), bool)])
    net = from_nir(read, dt, reset="subtract" if subtract else "zero")
    recording = simulate(net, {"in": later}, len(later), simulator=simulator)
    assert expected.keys() == lags.keys()
    for name, train in expected.items():
        seen = np.zeros((len(later), train.shape[1]), bool)
        seen[recording[name].step, recording[name].cell] = True
        assert train.sum() > 20, name
        np.testing.assert_array_equal(seen[lags[name] : lags[name] + steps], train, err_msg=name)
        assert not seen[: lags[name]].any(), name


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("kind", [lif, integrate_and_fire, cuba_lif])
def test_cells_that_differ_with_biases_and_loops(kind: Any, subtract: bool) -> None:
    equal(layers(kind(5), kind(4)), {"a": 1, "b": 2}, subtract)


def test_the_plain_reader_itself_sees_what_is_silenced() -> None:
    read = layers(cuba_lif(5), cuba_lif(4))
    changes = [
        ("w", "bias", 0.0),
        ("rec", "bias", 0.0),
        ("v", "bias", 0.0),
        ("a", "v_leak", 0.9),
        ("a", "w_in", 1.5),
        ("b", "v_reset", 0.5),
    ]
    spikes = RNG.random((STEPS, 6)) < 0.3
    whole = PlainReader(read, {"in": spikes}, DT).run(STEPS)
    for name, field, factor in changes:
        old = getattr(read.nodes[name], field)
        setattr(read.nodes[name], field, old * factor)
        changed = PlainReader(read, {"in": spikes}, DT).run(STEPS)
        assert any((changed[cells] != whole[cells]).any() for cells in whole), (name, field)
        setattr(read.nodes[name], field, old)


@pytest.mark.parametrize("subtract", [False, True])
def test_cells_that_fire_by_themselves(subtract: bool) -> None:
    equal(layers(lif(5, leak=0.3), lif(4)), {"a": 1, "b": 2}, subtract)


def test_a_bias_without_a_lag_is_the_population_s_own() -> None:
    read = graph({"a": lif(6), "rec": weights(6, 6)}, "in a", "a rec", "rec a")
    current = between(0.0, 0.2, (STEPS, 6))
    net, expected = from_nir(read, DT), PlainReader(read, {"in": current}, DT).run(STEPS)["a"]
    np.testing.assert_array_equal(net.populations["a"].bias, read.nodes["rec"].bias)
    assert BIAS not in net.populations
    seen = np.zeros((STEPS, 6), bool)
    events = simulate(net, {"a": current}, STEPS)["a"]
    seen[events.step, events.cell] = True
    assert seen.sum() > 20
    np.testing.assert_array_equal(seen, expected)


def test_delays_that_differ_and_delay_biases() -> None:
    wait = nir.Delay(np.array([0.002, 0.0, 0.001, 0.002, 0.0005]))
    read = graph({"w": weights(5, 6), "wait": wait, "a": lif(5)}, "in w", "w wait", "wait a")
    net = from_nir(read, DT)
    assert sorted(q.delay for q in net.projections if q.pre == "in") == [0.5, 1.0, 1.5, 2.5]
    equal(read, {"a": 1})


def image(bias: bool = True) -> Any:
    """Two channels of 9 x 8 -> convolution -> cells -> pool -> convolution -> cells -> pool -> flatten -> scale -> weights -> cells."""

    def convolution(out: int, of: int, **other: Any) -> Any:
        settings = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1, **other}
        return nir.Conv2d(input_shape=None, weight=RNG.normal(0.1, 0.4, (out, of, 3, 3)), bias=bias * RNG.normal(0.0, 0.1, out), **settings)

    two = [np.array([2, 2])] * 2 + [np.array([0, 0])]
    nodes = {
        "c1": convolution(4, 2, stride=(2, 1)), "n1": integrate_and_fire((4, 5, 8)), "p1": nir.SumPool2d(*two),
        "c2": convolution(6, 2, groups=2),
        "n2": lif((6, 2, 4)), "p2": nir.AvgPool2d(*two), "flat": nir.Flatten(None, 0, -1), "s": nir.Scale(between(1, 2, 12)),
        "w": weights(3, 12, bias), "n3": integrate_and_fire(3),
    }  # fmt: skip
    row = ["in", *nodes, "out"]
    return graph(nodes, *(" ".join(edge) for edge in pairwise(row)), size=[2, 9, 8])


@pytest.mark.parametrize("bias", [False, True])
def test_convolutions_pools_and_shapes(bias: bool) -> None:
    read = image(bias)
    equal(read, {"n1": 1, "n2": 2, "n3": 3}, dt=1.0, steps=60)
    assert nir_shapes(read) == {"in": (2, 9, 8), "n1": (4, 5, 8), "n2": (6, 2, 4), "n3": (3,)}
    assert {q.name: type(q.synapses).__name__ for q in from_nir(read, 1.0).projections if q.pre != BIAS} == {
        "in->n1": "Sparse", "n1->n2": "Sparse", "n2->n3": "Dense",
    }  # fmt: skip


def test_a_convolution_in_one_dimension() -> None:
    kernel = nir.Conv1d(12, RNG.normal(0.2, 0.5, (3, 2, 4)), 2, 1, 1, 1, RNG.normal(0.0, 0.1, 3))
    equal(graph({"c": kernel, "n": lif((3, 6))}, "in c", "c n", size=[2, 12]), {"n": 1})


@pytest.mark.parametrize("kind", ["LI", "I", "CubaLI"])
def test_integrators_give_the_voltages(kind: str) -> None:
    leaky = {"tau": between(0.002, 0.01, 4), "r": between(1, 3, 4), "v_leak": between(-1, 1, 4)}
    cuba = {"tau_syn": np.full(4, 0.003), "tau_mem": leaky["tau"], "r": leaky["r"], "v_leak": leaky["v_leak"], "w_in": between(1, 2, 4)}
    node = {"LI": lambda: nir.LI(**leaky), "I": lambda: nir.I(leaky["r"]), "CubaLI": lambda: nir.CubaLI(**cuba)}[kind]()
    read = graph({"w": weights(4, 6), "out_cells": node}, "in w", "w out_cells", "out_cells out")
    spikes = RNG.random((STEPS, 6)) < 0.3
    expected = PlainReader(read, {"in": spikes}, DT).voltages("out_cells", STEPS) - getattr(node, "v_leak", 0.0)
    later = np.concatenate([spikes, np.zeros((1, 6), bool)])
    seen = simulate(from_nir(read, DT), {"in": later}, STEPS + 1, record={"out_cells": range(4)}).voltages["out_cells"]
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(np.reshape(seen, (STEPS + 1, 4))[1:], expected, atol=1e-9)


def test_an_input_of_spikes_before_a_cuba_li_is_a_population() -> None:
    node = nir.CubaLI(*(np.full(6, value) for value in (0.003, 0.01, 1.0, 0.0)))
    net = from_nir(graph({"a": node}, "in a"), DT)
    assert [*net.populations] == ["in", "a"] or [*net.populations] == ["a", "in"]
    assert net.projections[0].receptor == "synaptic"


def test_a_subgraph_is_its_nodes() -> None:
    flat = layers(cuba_lif(5), lif(4))
    n = flat.nodes
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([5])), "cells": n["a"], "rec": n["rec"], "output": nir.Output(np.array([5]))},
        [("input", "cells"), ("cells", "rec"), ("rec", "cells"), ("cells", "output")], type_check=False,
    )  # fmt: skip
    deep = nir.NIRGraph(
        {"i": nir.Input(np.array([5])), "in": inner, "o": nir.Output(np.array([5]))}, [("i", "in"), ("in", "o")], type_check=False
    )
    read = graph({"w": n["w"], "a": deep, "v": n["v"], "b": n["b"]}, "in w", "w a", "a v", "v b", "b out")
    net, other, spikes = from_nir(read, DT), from_nir(flat, DT), RNG.random((STEPS, 6)) < 0.3
    assert {*net.populations} == {"in", "a.in.cells", "b", BIAS}
    one, two = (simulate(each, {"in": spikes}, STEPS) for each in (net, other))
    for name, same in (("a.in.cells", "a"), ("b", "b")):
        assert len(one[name].step) > 20
        np.testing.assert_array_equal(one[name].step, two[same].step)
        np.testing.assert_array_equal(one[name].cell, two[same].cell)


def test_an_edge_of_a_name_that_is_not_there_means_the_only_node_without_one() -> None:
    flat = layers(cuba_lif(5), lif(4))
    flat.edges = [tuple("lost" if end == "a" else end for end in edge) for edge in flat.edges]
    with pytest.warns(UserWarning, match="name 'lost', which is not there; read as 'a'"):
        net = from_nir(flat, DT)
    assert "a->b" in {q.name for q in net.projections}


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_snntorch_gives_the_same_spikes_of_a_recurrent_network(reset: str) -> None:
    """The Braille networks of the NIR paper are of this kind: RSynaptic cells whose reset does not wait, which snnTorch 1.0 drops."""
    alpha, beta, dt = 0.55, 0.9, 0.1
    torch.manual_seed(0)
    with torch.no_grad():
        first = torch.nn.Linear(12, 38)
        cells: Any = snntorch.RSynaptic(alpha, beta, linear_features=38, reset_mechanism="none")
        spikes, (s, syn, mem) = RNG.random((STEPS, 12)) < 0.3, torch.zeros(3, 38)
        expected = []
        for now in torch.as_tensor(spikes, dtype=torch.float32):
            s, syn, mem = cells(first(now) * 2.0, s, syn, mem)
            mem = mem - s if reset == "subtract" else mem * (1.0 - s)
            expected.append(s.numpy() > 0)
        rows = [(part.weight.double().numpy(), part.bias.double().numpy()) for part in (first, cells.recurrent)]
    fields = {"tau_syn": 1e-4 / (1 - alpha), "tau_mem": 1e-4 / (1 - beta), "r": 1 / (1 - beta), "v_leak": 0.0, "v_threshold": 1.0}
    node = nir.CubaLIF(**{name: np.full(38, value) for name, value in fields.items()}, w_in=np.full(38, 1 / (1 - alpha)))
    nodes = {"w": nir.Affine(rows[0][0] * 2, rows[0][1] * 2), "a": node, "rec": nir.Affine(*rows[1])}
    net = from_nir(graph(nodes, "in w", "w a", "a rec", "rec a", size=12), dt, reset=reset)
    later = np.concatenate([spikes, np.zeros((1, 12), bool)])
    seen, events = np.zeros((STEPS + 1, 38), bool), simulate(net, {"in": later}, STEPS + 1)["a"]
    seen[events.step, events.cell] = True
    assert seen.sum() > 100
    np.testing.assert_array_equal(seen[1:], np.array(expected).reshape(STEPS, 38))

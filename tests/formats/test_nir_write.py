"""Biases, integrators, receptors, parameters by cell: what the graph says, the way there and back, and what a plain reader makes of it."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, Network, Population, from_nir, simulate, to_nir
from spikemem.errors import UnsupportedError
from spikemem.network import Alpha, Dense, Exponential, LeakyIntegrator, Neuron, Receptors
from spikemem.network.bias import BIAS, add_bias
from tests.formats.plain import PlainReader
from tests.formats.test_nir import filed, quietly

nir = pytest.importorskip("nir", reason="the reference extra is not installed")
STEPS = 120
RNG = np.random.default_rng(2)
BY_CELL = LIF([10.0, 20.0, math.inf], [1.0, 1.5, 0.5], [0.0, -0.5, 0.25], 0.0, 0.0, [1.0, 0.75, 1.25])
SYNAPTIC = LIF([10.0, 20.0, math.inf], [1.0, 1.5, 0.5], 0.0, 0.0, [2.0, 3.0, 5.0], [1.0, 0.75, 0.5])
READ_OUTS = [
    LeakyIntegrator([10.0, 20.0, 5.0], [1.0, 2.0, 0.5]),
    LeakyIntegrator(math.inf, 2.0),
    Receptors(LeakyIntegrator([10.0, 20.0, 5.0]), synaptic=Exponential(4.0)),
]


def chain(first: Neuron, second: Neuron, bias: Any = 0.0) -> Network:
    """a, 4 cells with an external current -> b, 3 cells, with loops -> c, 3 cells."""
    net = Network(0.5)
    net.add(Population("a", 4, LIF(reset=0.0), bias=bias))
    net.add(Population("b", 3, first))
    net.add(Population("c", 3, second))
    net.connect("a", "b", Dense(RNG.normal(0.4, 0.5, (4, 3))))
    net.connect("b", "b", Dense(RNG.normal(0.0, 0.3, (3, 3))))
    net.connect("b", "c", Dense(RNG.normal(0.4, 0.5, (3, 3))), receptor=second.receptors[-1])
    return net


def biased(second: Neuron) -> Network:
    net = chain(BY_CELL, second, [0.1, 0.0, -0.1, 0.2])
    add_bias(net, "b", np.array([0.2, -0.1, 0.1]), 0.5)
    add_bias(net, "c", np.array([0.1, 0.2, 0.3]), 1.0, second.receptors[-1])
    return net


def plain(graph: Any) -> Any:
    """The graph without our metadata."""
    for part in (graph, *graph.nodes.values()):
        part.metadata = {}
    return graph


@pytest.mark.parametrize("second", [BY_CELL, SYNAPTIC, *READ_OUTS, Receptors(LIF(reset=0.0), synaptic=Exponential(4.0))])
def test_populations_projections_and_biases_come_back_from_a_file(second: Neuron) -> None:
    for net in (biased(second), chain(BY_CELL, second, 0.25), chain(SYNAPTIC, second)):
        net.add(Population("last", 2, LIF(reset=0.0), voltage=[0.5, -0.5]))
        net.connect("c", "last", Dense(np.ones((3, 2))))
        again = from_nir(filed(quietly(net)))
        assert [*again.populations.values()] == [*net.populations.values()]
        fields = ("name", "delay", "receptor")
        assert [[getattr(q, field) for field in fields] for q in again.projections] == [
            [getattr(q, field) for field in fields] for q in net.projections
        ]
        for one, other in zip(again.projections, net.projections, strict=True):
            np.testing.assert_array_equal(one.synapses.matrix(), other.synapses.matrix())


@pytest.mark.parametrize("second", [BY_CELL, SYNAPTIC, *READ_OUTS, Receptors(LIF(reset=0.0), synaptic=Exponential(4.0))])
def test_a_plain_reader_and_we_without_metadata_give_the_same(second: Neuron) -> None:
    net, current = biased(second), RNG.uniform(0.0, 0.3, (STEPS, 4))
    graph = plain(filed(to_nir(net)))
    assert BIAS not in graph.nodes
    assert {name for name, node in graph.nodes.items() if type(node) is nir.Affine} == {"bias:a", "a->b", "b->c"}
    reader = PlainReader(graph, {"input:a": current}, net.dt)
    spikes, recording = reader.run(STEPS), simulate(net, {"a": current}, STEPS, record={"c": range(3)})
    for name, lag in [("a", 0), ("b", 1), ("c", 2)]:
        seen = np.zeros((STEPS, net.populations[name].size), bool)
        seen[recording[name].step, recording[name].cell] = True
        if name in spikes:
            assert seen.sum() > 10
            np.testing.assert_array_equal(seen[lag:], spikes[name][: STEPS - lag], err_msg=name)
        else:
            v = reader.voltages(name, STEPS)[: STEPS - lag]
            np.testing.assert_allclose(np.reshape(recording.voltages["c"], (STEPS, 3))[lag:], v, atol=1e-9)


def test_numbers_of_the_nodes() -> None:
    graph = to_nir(chain(BY_CELL, READ_OUTS[0], 0.25))
    leak = -np.expm1(-0.5 / np.array([10.0, 20.0, 5.0]))
    np.testing.assert_allclose(graph.nodes["c"].tau, 0.5e-3 / leak)
    np.testing.assert_allclose(graph.nodes["c"].r, np.array([1.0, 2.0, 0.5]) / leak)
    np.testing.assert_array_equal(graph.nodes["bias:a"].bias, [0.25] * 4)
    np.testing.assert_array_equal(graph.nodes["bias:a"].weight, np.eye(4))
    assert type(to_nir(chain(BY_CELL, READ_OUTS[1])).nodes["c"]) is nir.I
    assert type(to_nir(chain(BY_CELL, READ_OUTS[2])).nodes["c"]) is nir.CubaLI
    assert type(to_nir(chain(BY_CELL, Receptors(LIF(reset=0.0), synaptic=Exponential(4.0)))).nodes["c"]) is nir.CubaLIF


@pytest.mark.filterwarnings("error")
def test_a_late_bias_is_written_without_loss() -> None:
    to_nir(biased(BY_CELL))


def test_what_other_readers_will_not_see_of_these_is_said() -> None:
    net = chain(BY_CELL, LeakyIntegrator())
    net.add(Population("d", 2, LIF(reset=0.0), bias=1.0, voltage=0.5))
    net.add(Population("e", 2, LIF(reset=0.0), bias=1.0))
    net.connect("c", "d", Dense(np.ones((3, 2))))
    net.connect("b", "e", Dense(np.ones((3, 2))), delay=2.0)
    with pytest.warns(UserWarning, match="NIR") as warned:
        to_nir(net)
    said = [str(w.message) for w in warned]
    for words in (["voltage on", "'c->d'"], ["bias of population 'd' begins 3 steps later"], ["begin population 'd' at rest"]):
        assert any(all(word in line for word in words) for line in said), words
    assert any("no projection without Delay leads to population 'e'" in line for line in said)


@pytest.mark.parametrize(
    ("neuron", "receptor", "bias", "cause"),
    [
        (
            Receptors(LIF(), one=Alpha(3.0)),
            "one",
            0.0,
            "'b': of our neurons it has LeakyIntegrator and LIF, bare or behind one Exponential",
        ),
        (Receptors(LIF(), one=Exponential(3.0, reversal=-2.0)), "one", 0.0, "'b': of our neurons"),
        (Receptors(LIF(), one=Exponential(3.0), two=Exponential(4.0)), "one", 0.0, "'b': of our neurons"),
        (Receptors(LIF(), one=Exponential(3.0)), "current", 0.0, "'a->b': it goes past the receptor of population 'b'"),
        (Receptors(LIF(), one=Exponential(3.0)), "one", 1.0, "'b': a bias, or a current from outside, would go past"),
    ],
)
def test_receptors_that_nir_has_not_are_refused(neuron: Neuron, receptor: str, bias: float, cause: str) -> None:
    net = Network()
    net.add(Population("a", 2, LIF(reset=0.0)))
    net.add(Population("b", 2, neuron, bias=bias))
    net.connect("a", "b", Dense(np.ones((2, 2))), receptor=receptor)
    with pytest.raises(UnsupportedError, match=cause):
        to_nir(net)


def test_a_cell_that_always_fires_is_written_as_a_cell_where_it_is_no_bias(tmp_path: Path) -> None:
    net = chain(BY_CELL, BY_CELL)
    add_bias(net, "b", np.array([0.2, -0.1, 0.1]), 1.5)  # later than a reader's bias
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        graph = to_nir(net)
    assert type(graph.nodes[BIAS]) is nir.IF
    assert [*from_nir(filed(graph)).populations.values()] == [*net.populations.values()]

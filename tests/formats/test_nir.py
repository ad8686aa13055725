"""NIR: what the graph says, the way there and back, and the same spikes in other readers: one plain one here, and Norse."""

import math
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikemem import LIF, STDP, CycleReset, Hippocampus, KWinners, Network, Population, Recording, from_nir, load_model, simulate, to_nir
from spikemem.errors import MissingExtraError, NetworkError
from spikemem.hippocampus.regions.rhythm import GAMMA, recall_protocol
from spikemem.network.synapses import Dense, Sparse, all_to_all, one_to_one
from tests.crosscheck.test_contract import LENGTHY, NETWORKS, STEPS, TOLERANCE, Case, cases
from tests.formats.plain import Currents, PlainReader, Spikes
from tests.reference import simulate_plainly

nir = pytest.importorskip("nir", reason="the reference extra is not installed")

FLOAT32_MARGIN = 1e-4


def filed(graph: Any) -> Any:
    """A graph through a file and back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nir"
        nir.write(path, graph)
        return nir.read(path)


def quietly(net: Network) -> Any:
    """to_nir where the warnings are beside the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return to_nir(net)


def chain(first: LIF, second: LIF, dt: float = 1.0) -> Network:
    """a, 3 cells -> b, 2 cells."""
    net = Network(dt)
    net.add(Population("a", 3, first))
    net.add(Population("b", 2, second))
    net.connect("a", "b", Dense(np.array([[0.5, 0.25], [-0.125, 1.0], [2.0, 0.0]])))
    return net


# -- what the graph says -----------------------------------------------------------------------------------------------------------


def test_a_lif_is_written_for_euler_steps_of_dt() -> None:
    cell = LIF(tau=20.0, threshold=1.5, reset=-0.5, resistance=2.0)
    node = to_nir(chain(cell, cell, dt=0.5)).nodes["a"]
    leak = 1 - math.exp(-0.5 / 20.0)
    assert type(node) is nir.LIF
    np.testing.assert_allclose(node.tau, [0.5e-3 / leak] * 3)  # seconds
    np.testing.assert_allclose(node.r, 1.0)
    np.testing.assert_allclose(node.v_leak, 0.5 * leak / 2.0)
    np.testing.assert_allclose(node.v_threshold, (1.5 + 0.5) * leak / 2.0)
    np.testing.assert_allclose(node.v_reset, 0.0)


def test_without_leak_it_is_an_integrator() -> None:
    node = to_nir(chain(LIF(math.inf, threshold=1.5, reset=0.0, resistance=2.0), LIF(reset=0.0), dt=0.5)).nodes["a"]
    assert type(node) is nir.IF
    assert (node.r[0], node.v_threshold[0], node.v_reset[0]) == (2000.0, 0.75, 0.0)


def test_a_synaptic_current_makes_it_current_based() -> None:
    cell = LIF(tau=20.0, threshold=1.5, reset=0.0, tau_syn=5.0, resistance=2.0)
    node = to_nir(chain(cell, cell)).nodes["a"]
    leak, fade = 1 - math.exp(-1 / 20.0), 1 - math.exp(-1 / 5.0)
    assert type(node) is nir.CubaLIF
    for field, value in {
        "tau_mem": 1e-3 / leak,
        "r": 2 / leak,
        "tau_syn": 1e-3 / fade,
        "w_in": 1 / fade,
        "v_leak": 0.0,
        "v_threshold": 1.5,
    }.items():
        np.testing.assert_allclose(getattr(node, field), value, err_msg=field)


def test_a_synaptic_current_without_leak_leaks_less_than_a_float_can_tell() -> None:
    cell = LIF(math.inf, reset=0.0, tau_syn=5.0)
    node = to_nir(chain(cell, cell)).nodes["a"]
    assert 0.0 < 1e-3 / node.tau_mem[0] <= np.finfo(np.float64).eps
    np.testing.assert_allclose(node.r * 1e-3 / node.tau_mem, 1.0)


def test_a_constant_current_at_the_threshold_of_the_graph_is_the_rheobase() -> None:
    cell = LIF(tau=7.0, threshold=1.25, reset=0.0, resistance=0.5)
    threshold = to_nir(chain(cell, cell, dt=0.1)).nodes["a"].v_threshold[0]
    assert cell.rate([threshold * 0.999, threshold * 1.001], dt=0.1).astype(bool).tolist() == [False, True]


def test_weights_and_edges() -> None:
    graph = to_nir(chain(LIF(reset=0.0), LIF(reset=0.0)))
    np.testing.assert_array_equal(graph.nodes["a->b"].weight, [[0.5, -0.125, 2.0], [0.25, 1.0, 0.0]])
    assert graph.edges == [("input:a", "a"), ("a", "a->b"), ("a->b", "b"), ("b", "output:b")]


def test_delays_beyond_a_step_are_written_in_seconds() -> None:
    net = chain(LIF(reset=0.0), LIF(reset=0.0), dt=0.5)
    net.connect("a", "b", all_to_all(), delay=1.5)  # b answers one step sooner in a reader
    net.connect("b", "b", all_to_all(), delay=2.0)
    net.connect("b", "b", all_to_all(), delay=0.5)  # the step that a reader takes by itself
    net.connect("b", "a", all_to_all(), delay=0.5)
    nodes = quietly(net).nodes
    delays = {name: node.delay.tolist() for name, node in nodes.items() if type(node) is nir.Delay}
    assert delays == {"delay:a->b#2": [0.001] * 2, "delay:b->b": [0.002] * 2, "delay:b->a": [0.001] * 3}
    assert [nodes[name].metadata["spikemem"]["lag"] for name in "ab"] == [0, 1]


def plain_again(net: Network, steps: int = STEPS) -> tuple[Recording, Recording]:
    """The spikes of a graph as a reader has it that knows nothing of us, and of the network, under a current that drives "a"."""
    graph = quietly(net)
    graph.metadata = {}
    drive = np.random.default_rng(0).uniform(0.3, 1.5, (steps, 3))
    return simulate(from_nir(filed(graph), net.dt), {"a": drive}, steps), simulate(net, {"a": drive}, steps)


@pytest.mark.parametrize(
    ("delays", "nodes"),
    [
        ([[1.0, 3.0]] * 3, {"delay:a->b": [0.0, 0.002]}),
        ([[1.0, 3.0], [2.0, 1.0], [1.0, 1.0]], {"delay:part2:a->b": [0.001] * 2, "delay:part3:a->b": [0.002] * 2}),
    ],
)
@pytest.mark.parametrize("sparse", [False, True])
def test_delays_of_the_synapses_own_are_nodes_of_their_own(delays: Any, nodes: dict[str, list[float]], sparse: bool) -> None:
    weights = np.array([[0.9, 0.8], [0.25, 1.0], [2.0, 0.7]])
    whole = Dense(weights), Sparse.from_coo(*np.indices((3, 2)).reshape(2, -1), weights.ravel(), (3, 2))
    net = Network(1.0)
    net.add(Population("a", 3, LIF(5.0, reset=0.0)))
    net.add(Population("b", 2, LIF(5.0, reset=0.0)))
    net.connect("a", "b", whole[sparse], delay=np.ravel(delays))
    graph = quietly(net)
    assert {name: node.delay.tolist() for name, node in graph.nodes.items() if type(node) is nir.Delay} == nodes
    theirs, ours = plain_again(net)
    assert len(ours["b"]) > 10
    np.testing.assert_array_equal(theirs["b"].step, ours["b"].step)
    np.testing.assert_array_equal(theirs["b"].cell, ours["b"].cell)
    (again,) = from_nir(filed(graph)).projections
    np.testing.assert_array_equal(again.synapses.delays, net.projections[0].synapses.delays)
    np.testing.assert_array_equal(again.synapses.matrix(), weights)
    assert type(again.synapses) is type(whole[sparse])


def test_inputs_may_be_chosen() -> None:
    with pytest.warns(UserWarning, match="Delay is not read by Norse and snnTorch: they drop or refuse 'a->b'"):
        graph = to_nir(chain(LIF(reset=0.0), LIF(reset=0.0)), inputs=["b", "a"])
    assert graph.edges[:2] == [("input:a", "a"), ("input:b", "b")]
    assert graph.nodes["delay:a->b"].delay[0] == 0.001  # b's own current comes at once


def test_what_other_readers_will_not_see_is_said_with_the_names() -> None:
    net = Network()
    net.add(Population("sub", 2, LIF()))
    net.add(Population("late", 2, LIF(math.inf, reset=0.25, refractory=2.0), KWinners(5.0, 1)))
    net.add(Population("fine", 2, LIF(reset=-0.5), CycleReset(5.0)))
    net.connect("sub", "late", Dense(np.full((2, 2), 0.5)), plasticity=STDP())
    net.connect("late", "fine", one_to_one(), delay=2.0, first=1)
    with pytest.warns(UserWarning, match="NIR") as warned:
        to_nir(net)
    messages = [str(w.message) for w in warned]
    expected = [("subtraction", "'sub'"), ("v_reset", "'late'"), ("refractoriness", "'late'"), ("KWinners", "'late'")]
    expected += [("CycleReset", "'fine'"), ("Delay", "'late->fine'"), ("plasticity", "'late'"), ("first", "'late'")]
    assert len(messages) == len(expected)
    for words in expected:
        assert any(all(word in line for word in words) for line in messages), words


@pytest.mark.filterwarnings("error")
def test_what_every_reader_sees_is_written_without_warning() -> None:
    graph = to_nir(chain(LIF(reset=0.25), LIF(math.inf, reset=0.0)))
    kinds = {"input:a": nir.Input, "a": nir.LIF, "a->b": nir.Linear, "b": nir.IF, "output:b": nir.Output}
    assert {name: type(node) for name, node in graph.nodes.items()} == kinds
    assert graph.edges == [("input:a", "a"), ("a", "a->b"), ("a->b", "b"), ("b", "output:b")]
    leak, (a, b) = 1 - math.exp(-1 / 20.0), (graph.nodes[name] for name in "ab")
    np.testing.assert_allclose([a.v_leak, a.v_threshold, a.v_reset], [[-0.25 * leak] * 3, [0.75 * leak] * 3, [0.0] * 3])  # reset at 0
    np.testing.assert_allclose([b.v_threshold, b.v_reset], [[1.0] * 2, [0.0] * 2])
    np.testing.assert_array_equal(graph.nodes["a->b"].weight, [[0.5, -0.125, 2.0], [0.25, 1.0, 0.0]])


def test_what_cannot_be_written_is_refused() -> None:
    net = chain(LIF(reset=0.0), LIF(reset=0.0))
    with pytest.raises(NetworkError, match="input 'c' is no population; there are a, b"):
        to_nir(net, inputs=["c"])
    with pytest.raises(NetworkError, match="no input reaches population 'a'"):
        to_nir(net, inputs=["b"])
    net.add(Population("output:b", 1))
    with pytest.raises(NetworkError, match="the name 'output:b'"):
        quietly(net)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nir", None)
    for use in (lambda: to_nir(chain(LIF(), LIF())), lambda: from_nir(None)):
        with pytest.raises(MissingExtraError, match=r"spikemem\[reference\]"):
            use()


# -- there and back ----------------------------------------------------------------------------------------------------------------


def same(one: Recording, other: Recording) -> None:
    assert one.spikes.keys() == other.spikes.keys()
    for name, spikes in one.spikes.items():
        for field in ("step", "batch", "cell"):
            np.testing.assert_array_equal(getattr(spikes, field), getattr(other.spikes[name], field), err_msg=name)
    for name, voltages in one.voltages.items():
        np.testing.assert_array_equal(voltages, other.voltages[name], err_msg=name)
    for name, weights in one.weights.items():
        np.testing.assert_array_equal(weights, other.weights[name], err_msg=name)


@pytest.mark.slow
@settings(LENGTHY, max_examples=NETWORKS)
@given(cases())
def test_any_network_comes_back_from_a_file_to_the_last_bit(case: Case) -> None:
    net = from_nir(filed(quietly(case.net)))
    assert (net.dt, [*net.populations.values()]) == (case.net.dt, [*case.net.populations.values()])
    for again, q in zip(net.projections, case.net.projections, strict=True):
        assert (again.name, again.delay, again.first, again.plasticity) == (q.name, q.delay, q.first, q.plasticity)
        assert type(again.synapses) is type(q.synapses)
    same(Case(net, case.stimulus, case.batches).simulated("event"), case.simulated("event"))


@pytest.mark.slow
def test_the_hippocampus_comes_back_with_the_same_spikes() -> None:
    whole = Hippocampus(load_model("hippocampus-small"))
    cues = np.random.default_rng(0).normal(size=(4, whole.spec.ec.dim)).astype(np.float32)
    whole.store(cues)
    stimulus = whole.circuit.stimulus(recall_protocol(1, 2), cues / np.linalg.norm(cues, axis=1, keepdims=True))
    net, expected = from_nir(filed(quietly(whole.network))), simulate(whole.network, stimulus, 5 * GAMMA)
    assert all(len(expected[name].step) for name in ("ec", "dg", "ca3", "ca1", "sub"))
    same(simulate(net, stimulus, 5 * GAMMA), expected)


def test_names_and_numbers_of_any_kind_come_back() -> None:
    net = Network(dt=np.float32(0.5))
    net.add(Population("a.ß metadata", np.int64(2), LIF(tau=20, threshold=np.float64(1)), KWinners(5.0, np.int64(1))))
    net.connect("a.ß metadata", "a.ß metadata", one_to_one(), first=np.int64(1))
    again = from_nir(filed(quietly(net)), dt=0.5)
    assert [*again.populations.values()] == [*net.populations.values()]
    assert again.projections[0].first == 1


def test_a_wrong_time_step_is_noticed() -> None:
    graph = to_nir(chain(LIF(reset=0.0), LIF(reset=0.0), dt=0.5))
    assert from_nir(graph, dt=0.5).dt == 0.5
    with pytest.raises(NetworkError, match=r"written for a dt of 0\.5 ms, not 1\.0 ms"):
        from_nir(graph, dt=1.0)


@pytest.mark.parametrize(("node", "field"), [("b->b", "weight"), ("a", "tau"), ("b", "v_threshold"), ("delay:b->b", "delay")])
def test_a_graph_that_was_changed_is_noticed(node: str, field: str) -> None:
    net = chain(LIF(reset=0.0), LIF(reset=0.0))
    net.connect("b", "b", one_to_one(), delay=2.0)
    graph = quietly(net)
    setattr(graph.nodes[node], field, getattr(graph.nodes[node], field) * 2)
    with pytest.raises(NetworkError, match=f"node '{node}' of this NIR graph changed"):
        from_nir(graph)
    del graph.metadata["spikemem"]
    assert from_nir(graph, dt=1.0).projections[0].pre == "a"


def test_dense_weights_may_change_on_the_way() -> None:
    graph = to_nir(chain(LIF(reset=0.0), LIF(reset=0.0)))
    graph.nodes["a->b"].weight *= 2
    np.testing.assert_array_equal(from_nir(graph).projections[0].synapses.matrix(), [[1.0, 0.5], [-0.25, 2.0], [4.0, 0.0]])


def test_a_removed_edge_is_noticed() -> None:
    graph = to_nir(chain(LIF(reset=0.0), LIF(reset=0.0)))
    graph.edges.remove(("a->b", "b"))
    with pytest.raises(NetworkError, match="an edge of this NIR graph changed"):
        from_nir(graph)


@pytest.mark.parametrize("text", ["{", "[]", '{"dt": 1.0}', '{"dt": 1.0, "populations": ["c"], "projections": []}'])
def test_damaged_metadata_are_noticed(text: str) -> None:
    graph = to_nir(chain(LIF(reset=0.0), LIF(reset=0.0)))
    graph.metadata["spikemem"]["text"] = text
    with pytest.raises(NetworkError, match="metadata 'spikemem' of this NIR graph cannot be read"):
        from_nir(graph)


# -- a plain reader ----------------------------------------------------------------------------------------------------------------


def spikes_of(net: Network, currents: Currents) -> Spikes:
    """The spikes in `event`, [time, cell]."""
    recording = simulate(net, currents, STEPS)
    made = {name: np.zeros((STEPS, p.size), bool) for name, p in net.populations.items()}
    for name, train in made.items():
        train[recording[name].step, recording[name].cell] = True
    return made


def lags_in(graph: Any) -> dict[str, int]:
    return {name: int(node.metadata["spikemem"]["lag"]) for name, node in graph.nodes.items() if hasattr(node, "v_threshold")}


def equal_after_lag(read: Spikes, ours: Spikes, lags: Mapping[str, int]) -> None:
    for name, train in ours.items():
        assert not train[: lags[name]].any(), name
        np.testing.assert_array_equal(read[name][: STEPS - lags[name]], train[lags[name] :], err_msg=name)


@st.composite
def cells(draw: st.DrawFn, zero: bool = False) -> LIF:
    """Any cell that NIR can say.   zero: reset to 0 where Norse knows no other."""
    tau, tau_syn = draw(st.sampled_from([math.inf, 20.0, 3.0, 0.4])), draw(st.sampled_from([0.0, 0.0, 0.3, 5.0]))
    reset = 0.0 if zero and (tau_syn or tau == math.inf) else draw(st.sampled_from([0.0, -0.5, 0.25]))
    return LIF(tau, draw(st.sampled_from([0.5, 1.0])), reset, 0.0, tau_syn, draw(st.sampled_from([1.0, 0.75])))


@st.composite
def nets(draw: st.DrawFn, shape: str) -> tuple[Network, Currents]:
    """Networks that NIR can say, and currents into what nothing feeds.   shape: "any", or a "tree" with loops of one step."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    net = Network(dt=draw(st.sampled_from([1.0, 0.5, 0.1])))
    names = "abcd"[: draw(st.integers(2, 4))]
    for name in names:
        net.add(Population(name, draw(st.integers(1, 5)), draw(cells(zero=shape == "tree"))))
    pairs = [(draw(st.sampled_from(names)), draw(st.sampled_from(names)), draw(st.integers(1, 4))) for _ in range(draw(st.integers(1, 6)))]
    if shape == "tree":
        pairs = [(draw(st.sampled_from(names[:i])), names[i], 1) for i in range(1, len(names))]
        pairs += [(name, name, 1) for name in draw(st.sets(st.sampled_from(names)))]
    for pre, post, steps in pairs:
        weights = rng.normal(0.4, 1.0, (net.populations[pre].size, net.populations[post].size))
        net.connect(pre, post, Dense(weights), delay=steps * net.dt)
    inputs = [name.removeprefix("input:") for name in quietly(net).nodes if name.startswith("input:")]
    return net, {name: rng.normal(0.4, 0.8, (STEPS, net.populations[name].size)) for name in inputs}


def margin(net: Network, currents: Currents) -> float:
    """How far from its threshold the closest voltage stays."""
    return simulate_plainly(net, currents, STEPS).margin


@pytest.mark.slow
@settings(LENGTHY, max_examples=5 * NETWORKS)
@given(nets("any"))
def test_a_plain_reader_gives_the_same_spikes_lag_steps_sooner(drawn: tuple[Network, Currents]) -> None:
    net, currents = drawn
    assume(margin(net, currents) > TOLERANCE)
    graph = filed(quietly(net))
    read = PlainReader(graph, {f"input:{name}": current for name, current in currents.items()}, net.dt).run(STEPS)
    equal_after_lag(read, spikes_of(net, currents), lags_in(graph))


@pytest.mark.slow
@settings(LENGTHY, max_examples=5 * NETWORKS)
@given(nets("any"))
def test_without_our_metadata_the_spikes_stay_the_same_but_for_lags(drawn: tuple[Network, Currents]) -> None:
    net, currents = drawn
    assume(margin(net, currents) > TOLERANCE)
    graph = filed(quietly(net))
    for part in (graph, *graph.nodes.values()):
        part.metadata = {}
    read = PlainReader(graph, {f"input:{name}": current for name, current in currents.items()}, net.dt).run(STEPS)
    for name, train in spikes_of(from_nir(graph, dt=net.dt), currents).items():
        assert any(np.array_equal(read[name][: STEPS - lag], train[lag:]) and not train[:lag].any() for lag in range(4)), name


# -- Norse -------------------------------------------------------------------------------------------------------------------------


def norse_run(graph: Any, current: NDArray[np.float64], dt: float, dtype: torch.dtype) -> tuple[Spikes, NDArray[np.bool_]]:
    """The spikes of all cells, and what Norse hands back, which is those of an output."""
    module, state, caches, outputs = norse_torch().from_nir(graph, ignore_warnings=True, dt=dt / 1000), None, [], []
    with torch.no_grad():
        for row in torch.as_tensor(current, dtype=dtype):
            output, state = module(row, state)
            caches.append(state.cache)
            outputs.append(output.numpy() > 0)
    return {name: np.array([cache[name].numpy() for cache in caches]) > 0 for name in lags_in(graph)}, np.array(outputs)


def norse_torch() -> Any:
    pytest.importorskip("norse", reason="Norse is not installed")
    import norse.torch

    return norse.torch


@pytest.mark.slow
@settings(LENGTHY, max_examples=2 * NETWORKS)
@given(nets("tree"))
def test_norse_gives_the_same_spikes_lag_steps_sooner(drawn: tuple[Network, Currents]) -> None:
    net, currents = drawn
    assume(margin(net, currents) > FLOAT32_MARGIN)
    graph = filed(quietly(net))
    read, output = norse_run(graph, currents["a"], net.dt, torch.float32)
    equal_after_lag(read, spikes_of(net, currents), lags_in(graph))
    assert any(train.shape == output.shape and (train == output).all() for train in read.values())


@pytest.mark.slow
@settings(LENGTHY, max_examples=2 * NETWORKS)
@given(nets("tree"))
def test_norse_in_float64_needs_no_margin(drawn: tuple[Network, Currents]) -> None:
    net, currents = drawn
    assume(margin(net, currents) > TOLERANCE)
    graph = filed(quietly(net))
    norse_torch()
    from norse.torch.utils import import_nir

    with pytest.MonkeyPatch.context() as patch:  # Norse rounds every parameter that it reads to float32
        patch.setattr(import_nir, "_to_tensor", lambda array: torch.as_tensor(array, dtype=torch.float64))
        read, _ = norse_run(graph, currents["a"], net.dt, torch.float64)
    equal_after_lag(read, spikes_of(net, currents), lags_in(graph))


@pytest.mark.parametrize("wrong", [0.9, 1.1])
def test_the_comparisons_see_a_wrong_time_step(wrong: float) -> None:
    net = chain(LIF(reset=0.0), LIF(reset=0.0))
    current = np.random.default_rng(0).uniform(0.0, 0.8, (STEPS, 3))
    graph, ours = filed(to_nir(net)), spikes_of(net, {"a": current})
    readers: list[Callable[[float], Spikes]] = [
        lambda dt: PlainReader(graph, {"input:a": current}, dt).run(STEPS),
        lambda dt: norse_run(graph, current, dt, torch.float32)[0],
    ]
    for reader in readers:
        equal_after_lag(reader(1.0), ours, lags_in(graph))
        with pytest.raises(AssertionError):
            equal_after_lag(reader(wrong), ours, lags_in(graph))

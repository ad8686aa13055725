"""Trained layers as networks: the spikes of torch's layers in every simulator, and through a NIR file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from spikemem import LIF, Network, from_nir, simulate, to_nir
from spikemem.errors import UnsupportedError
from spikemem.learn import AdaptiveLayer, DelayedLinear, SpikingLayer, to_network

STEPS = 120


def trained(start: float = 0.0) -> nn.Sequential:
    """Two spiking layers whose time constants, thresholds, weights and biases differ from cell to cell, float64."""
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(20, 30), SpikingLayer(30, LIF(), start=start), nn.Linear(30, 10), SpikingLayer(10)).double()
    with torch.no_grad():
        for cells in (layers[1], layers[3]):
            cells.log_tau.normal_(0.0, 0.5)  # type: ignore[union-attr, operator]
            cells.log_threshold.normal_(0.0, 0.3)  # type: ignore[union-attr, operator]
    return layers


def spikes_of(layers: nn.Sequential, spikes: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The spikes of the spiking layers, [time, batch, cell]."""
    made, now = [], torch.as_tensor(spikes).double()
    for layer in layers:
        now = layer(now)
        if isinstance(layer, SpikingLayer):
            made.append(now.detach().numpy() > 0)
    return made


def equal(net: Network, spikes: NDArray[np.bool_], expected: list[NDArray[np.bool_]], simulator: str = "event") -> None:
    later = np.concatenate([spikes, np.zeros((len(expected), *spikes.shape[1:]), bool)])
    recording = simulate(net, {"input": later}, len(later), simulator=simulator)
    for lag, train in enumerate(expected, 1):
        seen = np.zeros((len(later), *train.shape[1:]), bool)
        events = recording[f"layer{lag}"]
        seen[events.step, events.batch, events.cell] = True
        assert train.sum() > 30
        np.testing.assert_array_equal(seen[lag : lag + STEPS], train)
        assert not seen[:lag].any()


def inputs(batches: int = 2) -> NDArray[np.bool_]:
    return np.random.default_rng(0).random((STEPS, batches, 20)) < 0.3


@pytest.mark.parametrize("start", [0.0, 0.3, -0.5])
@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_a_network_of_layers_gives_their_spikes(simulator: str, start: float) -> None:
    layers = trained(start)
    equal(to_network(layers), inputs(), spikes_of(layers, inputs()), simulator)


def test_brian2_gives_them_too() -> None:
    pytest.importorskip("brian2")
    layers = trained()
    equal(to_network(layers), inputs(1), spikes_of(layers, inputs(1)), "brian2")


@pytest.mark.filterwarnings("ignore:NIR has no reset by subtraction")
def test_so_does_a_file_of_nir(tmp_path: Path) -> None:
    nir = pytest.importorskip("nir")
    layers, path = trained(), tmp_path / "layers.nir"
    graph = to_nir(to_network(layers))
    assert {name for name, node in graph.nodes.items() if type(node) is nir.Affine} == {"input->layer1", "layer1->layer2"}
    nir.write(path, graph)
    equal(from_nir(path), inputs(), spikes_of(layers, inputs()))


def delayed() -> nn.Sequential:
    """Two spiking layers, each behind synapses with delays of their own."""
    torch.manual_seed(1)
    into, out = DelayedLinear(20, 30, longest=6.0, seed=1), DelayedLinear(30, 10, longest=4.6, seed=2)
    layers = nn.Sequential(into, SpikingLayer(30, LIF(5.0)), out, SpikingLayer(10, LIF(5.0))).double()
    with torch.no_grad():
        into.weight.mul_(4.0)
        out.weight.mul_(8.0)
    return layers


@pytest.mark.parametrize("simulator", ["event", "torch", "brian2"])
def test_learned_delays_become_delays_of_synapses(simulator: str) -> None:
    if simulator == "brian2":
        pytest.importorskip("brian2")
    layers = delayed()
    with pytest.raises(UnsupportedError, match="spread over 2 ms"):
        to_network(layers)
    for layer in layers:
        if isinstance(layer, DelayedLinear):
            layer.settle()
    net = to_network(layers)
    later = net.projections[0].synapses.delays  # type: ignore[union-attr]
    assert later is not None
    assert (later.min(), later.max()) == (1.0, 7.0)
    equal(net, inputs(1), spikes_of(layers, inputs(1)), simulator)


def test_a_layer_that_begins_above_its_threshold_resets_at_once() -> None:
    layer = SpikingLayer(3, LIF(tau=10.0), start=1.5).double()
    current = np.full((STEPS, 1, 3), 0.2)
    recording = simulate(to_network([layer]), {"layer1": current}, STEPS)
    steps, _, cells = np.nonzero(layer(torch.as_tensor(current)).detach().numpy())
    np.testing.assert_array_equal(recording["layer1"].step, steps)
    np.testing.assert_array_equal(recording["layer1"].cell, cells)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Linear(2, 2), nn.Linear(2, 2), SpikingLayer(2)], "layer 1 is Linear"),
        ([nn.Linear(2, 2), nn.ReLU()], "layer 1 is ReLU"),
        ([SpikingLayer(2), SpikingLayer(2)], "layer 1 is SpikingLayer"),
        ([SpikingLayer(2), nn.Linear(2, 2)], "ends with a SpikingLayer"),
        ([nn.Linear(2, 2), SpikingLayer(2, dt=1.0), nn.Linear(2, 2), SpikingLayer(2, dt=0.5)], r"layers of 1.0 and of 0.5 ms"),
        ([nn.Linear(2, 2), SpikingLayer(2), nn.Linear(2, 2), SpikingLayer(2, start=0.99)], "'layer2' would fire before"),
    ],
)
def test_other_layers_are_refused(layers: list[Any], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        to_network(layers)


def test_what_a_network_has_no_cell_for_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="layer 1 is AdaptiveLayer"):
        to_network(nn.Sequential(nn.Linear(3, 8), AdaptiveLayer(8)))

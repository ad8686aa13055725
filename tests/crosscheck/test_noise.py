"""Stochastic populations: the escape probability in closed form, and the same spikes in every simulator."""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest

from spikemem import LIF, KWinners, Logistic, Network, Population, Recording, from_nir, load_network, simulate, to_nir
from spikemem.errors import NetworkError, SpecError
from spikemem.network.synapses import Dense, all_to_all
from tests.reference import simulate_plainly

FORGETS = LIF(tau=0.01, reset=0.0)
"""Within a step of 1 ms."""


def noisy(seed: int = 3) -> Network:
    """A gate that forgets, a leaky cell that sums its noise, and a race, all noisy, in a loop."""
    net = Network()
    net.add(Population("gate", 20, FORGETS, noise=Logistic(0.25, seed)))
    net.add(Population("leaky", 12, LIF(tau=20.0, threshold=0.7), noise=Logistic(0.05, seed)))
    net.add(Population("race", 10, LIF(tau=10.0), KWinners(cycle=8.0, k=3), Logistic(0.1, seed)))
    rng = np.random.default_rng(0)
    net.connect("gate", "leaky", Dense(rng.normal(0.1, 0.1, (20, 12))))
    net.connect("leaky", "race", Dense(rng.normal(0.2, 0.2, (12, 10))), delay=2.0)
    net.connect("race", "gate", all_to_all(0.05))
    return net


def spikes(recording: Recording) -> dict[str, list[tuple[int, int, int]]]:
    return {n: list(zip(s.step.tolist(), s.batch.tolist(), s.cell.tolist(), strict=True)) for n, s in recording.spikes.items()}


STIMULUS = {"gate": np.linspace(-0.5, 1.5, 2 * 20).reshape(1, 2, 20)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["torch", "snntorch", "norse", "brian2"])
def test_every_simulator_has_the_same_noise(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    event = spikes(simulate(noisy(), STIMULUS, 60))
    assert all(len(fired) > 10 for fired in event.values())
    assert spikes(simulate(noisy(), STIMULUS, 60, simulator=name)) == event
    assert spikes(simulate(noisy(4), STIMULUS, 60, simulator=name)) != event


def test_the_noise_is_a_current() -> None:
    """The plain loop, given the noise as an external current that is drawn here, has the same spikes and voltages."""
    net, item = noisy(), 1
    every = {name: np.arange(p.size) for name, p in net.populations.items()}
    recording = simulate(net, STIMULUS, 60, record=every)
    current = {name: p.noise.drawn(name, 60, p.size, net.dt, item) for name, p in net.populations.items() if p.noise is not None}
    current["gate"] = current["gate"] + STIMULUS["gate"][:, item]
    trace = simulate_plainly(net, current, 60)
    for name, fired in trace.spikes.items():
        assert [(t, c) for t, b, c in spikes(recording)[name] if b == item] == sorted(fired, key=lambda s: s[0])
    for name, voltage in trace.voltages.items():
        np.testing.assert_allclose(recording.voltages[name][:, item], voltage, rtol=0, atol=1e-9)


def test_a_cell_that_forgets_fires_with_the_escape_probability() -> None:
    net, scale, steps = Network(), 0.25, 4000
    current = np.array([0.0, 0.5, 0.9, 1.0, 1.2, 2.0])
    net.add(Population("gate", len(current), FORGETS, noise=Logistic(scale)))
    fired = simulate(net, {"gate": current[None]}, steps)["gate"]
    share = np.bincount(fired.cell, minlength=len(current)) / steps
    expected = 1 / (1 + np.exp(-(current - FORGETS.threshold) / scale))
    np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.25 / steps))


def test_noise_does_not_depend_on_batch_mates_or_on_how_long_the_run_is() -> None:
    alone = spikes(simulate(noisy(), {"gate": STIMULUS["gate"][:, :1]}, 40))
    among = spikes(simulate(noisy(), STIMULUS, 60))
    for name, fired in alone.items():
        assert [s for s in among[name] if s[1] == 0 and s[0] < 40] == fired
    items = [[(t, c) for t, b, c in among["race"] if b == item] for item in (0, 1)]
    assert items[0] != items[1]


def test_populations_of_one_seed_have_noise_of_their_own() -> None:
    net = Network()
    for name in "ab":
        net.add(Population(name, 50, FORGETS, noise=Logistic(1.0)))
    recording = spikes(simulate(net, {}, 10))
    assert recording["a"] != recording["b"]


def test_teacher_forced_cells_have_no_noise() -> None:
    net = Network()
    net.add(Population("gate", 5, FORGETS, noise=Logistic(5.0)))
    assert not spikes(simulate(net, {"gate": np.zeros((1, 5), bool)}, 50))["gate"]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan"), "much"])
def test_a_bad_scale_is_named(scale: float) -> None:
    with pytest.raises(NetworkError, match="Logistic scale"):
        Logistic(scale)


@pytest.mark.parametrize("seed", [-1, 0.5, 2**63])
def test_a_bad_seed_is_named(seed: int) -> None:
    with pytest.raises(NetworkError, match="Logistic seed"):
        Logistic(1.0, seed)


FILE = """
kind = "network"
name = "noisy"
inputs = []
[neurons.gate]
model = "LIF"
tau = 0.01
[populations]
gate = { size = 30, neuron = "gate", noise = { scale = 0.5, seed = 7 } }
[[projections]]
pre = "gate"
post = "gate"
wiring = "all_to_all"
weight = 0.01
"""


def test_a_model_file_may_have_noise(tmp_path: Path) -> None:
    path = tmp_path / "noisy.toml"
    path.write_text(FILE)
    net = load_network(path).network()
    assert net.populations["gate"].noise == Logistic(0.5, 7)
    path.write_text(FILE.replace("seed = 7", "sed = 7"))
    with pytest.raises(SpecError, match="sed"):
        load_network(path)


def test_noise_goes_to_nir_and_back_and_other_readers_are_warned_of() -> None:
    pytest.importorskip("nir")
    with pytest.warns(UserWarning, match="NIR has no noise.*'gate'"):
        graph = to_nir(noisy(), ["gate"])
    back = from_nir(graph)
    assert back.populations == noisy().populations
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = to_nir(noisy(4), ["gate"])
    assert spikes(simulate(from_nir(graph), STIMULUS, 60)) == spikes(simulate(noisy(4), STIMULUS, 60))

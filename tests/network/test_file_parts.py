"""All parts of a network in a model file: receptors, sources, noise, bias, as the network written in Python has them."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import (
    LIF,
    Alpha,
    Exponential,
    Logistic,
    Network,
    OrnsteinUhlenbeck,
    Population,
    Receptors,
    Shot,
    TsodyksMarkram,
    White,
    bursts,
    load_network,
    poisson,
    regular,
    simulate,
    trains,
)
from spikemem.errors import NetworkError, SpecError
from spikemem.network import all_to_all

FILE = """
kind = "network"
name = "parts"
[neurons.cell]
model = "LIF"
reset = 0.0
receptors.fast = { tau = 3.0 }
receptors.slow = { model = "Alpha", tau = [5.0, 9.0, 5.0] }
[neurons.opening]
model = "LIF"
receptors.fast = { tau = 4.0, reversal = 3.0 }
[sources]
drawn = { model = "poisson", rate = [[80.0, 200.0], [20.0, 20.0]], every = 60.0, seed = 3 }
clock = { model = "regular", rate = 100.0, phase = 2.0 }
pairs = { model = "bursts", rate = 20.0, count = 2, interval = 2.0 }
given = { model = "trains", times = [[1.0, 30.0], []] }
[short_term]
tired = { U = 0.4, tau_rec = 90.0 }
[populations]
drawn = { size = 2, source = "drawn" }
clock = { size = 2, source = "clock" }
pairs = { size = 2, source = "pairs" }
given = { size = 2, source = "given" }
cells = { size = 3, neuron = "cell", bias = [0.0, 0.02, 0.03], voltage = 0.5, noise = { model = "White", sigma = 0.02, seed = 5 } }
open = { size = 1, neuron = "opening", noise = { model = "OrnsteinUhlenbeck", sigma = 0.02, tau = 5.0 } }
shot = { size = 1, neuron = "opening", noise = { model = "Shot", rate = 900.0, weight = 0.05 }, bias = 0.01 }
escape = { size = 1, neuron = "opening", noise = { scale = 0.05 } }
"""
WIRES = [
    ("drawn", "cells", 0.15, "fast", "tired"), ("clock", "cells", 0.1, "slow", None), ("pairs", "cells", 0.3, "current", None),
    ("given", "open", 0.4, "fast", None), ("drawn", "shot", 0.1, "fast", None), ("drawn", "escape", 0.1, "fast", None),
]  # fmt: skip
FILE += "".join(
    f'[[projections]]\npre = "{pre}"\npost = "{post}"\nwiring = "all_to_all"\nweight = {weight}\nreceptor = "{receptor}"\n'
    + (f'short_term = "{tires}"\n' if tires else "")
    for pre, post, weight, receptor, tires in WIRES
)


def in_python() -> Network:
    net = Network()
    opening = Receptors(LIF(), fast=Exponential(4.0, reversal=3.0))
    net.add(Population("drawn", 2, poisson([[80.0, 200.0], [20.0, 20.0]], every=60.0, seed=3)))
    net.add(Population("clock", 2, regular(100.0, phase=2.0)))
    net.add(Population("pairs", 2, bursts(20.0, count=2, interval=2.0)))
    net.add(Population("given", 2, trains([[1.0, 30.0], []])))
    cell = Receptors(LIF(reset=0.0), fast=Exponential(3.0), slow=Alpha([5.0, 9.0, 5.0]))
    net.add(Population("cells", 3, cell, bias=[0.0, 0.02, 0.03], voltage=0.5, noise=White(0.02, seed=5)))
    net.add(Population("open", 1, opening, noise=OrnsteinUhlenbeck(0.02, 5.0)))
    net.add(Population("shot", 1, opening, noise=Shot(900.0, 0.05), bias=0.01))
    net.add(Population("escape", 1, opening, noise=Logistic(0.05)))
    for pre, post, weight, receptor, tires in WIRES:
        tired = TsodyksMarkram(U=0.4, tau_rec=90.0) if tires else None
        net.connect(pre, post, all_to_all(weight), receptor=receptor, short_term=tired)
    return net


def written(folder: Path, text: str) -> Path:
    path = folder / "net.toml"
    path.write_text(text, encoding="utf-8")
    return path


def same(made: Network) -> None:
    """The same populations, and the same spikes, as in Python."""
    own = in_python()
    assert dict(made.populations) == dict(own.populations)
    runs = [simulate(net, {}, 120) for net in (made, own)]
    for name, fired in runs[1].spikes.items():
        assert len(fired) > 0, name
        assert np.array_equal(fired.step, runs[0][name].step), name
        assert np.array_equal(fired.cell, runs[0][name].cell), name


def test_a_file_gives_the_network_that_python_gives(tmp_path: Path) -> None:
    spec = load_network(written(tmp_path, FILE))
    same(spec.network())
    assert spec.random_spikes(spec.network(), 10) == {}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    spec = load_network(written(tmp_path, FILE))
    again = load_network(written(tmp_path, spec.to_toml()))
    assert again == spec
    same(again.network())


@pytest.mark.parametrize("name", ["spike-cam", "spike-cam:bistable"])
def test_a_shipped_network_is_written_and_read_again(name: str, tmp_path: Path) -> None:
    spec = load_network(name)
    assert load_network(written(tmp_path, spec.to_toml())) == spec


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fast = { tau = 3.0 }", "fast = { tua = 3.0 }", "neurons.cell: receptors.fast: .*unknown key 'tua'"),
        ("fast = { tau = 3.0 }", "fast = { tau = -3.0 }", "neurons.cell: receptors.fast: Exponential tau is -3.0"),
        ("fast = { tau = 3.0 }", "current = { tau = 3.0 }", "neurons.cell: the receptor 'current' is there already"),
        ('model = "Alpha"', 'model = "Beta"', "neurons.cell: receptors.slow: no receptor 'Beta'; there are Exponential, Alpha"),
        ("rate = 100.0", "rate = -1.0", "sources.clock: the rate of bursts is -1.0"),
        ('model = "regular", ', "", "sources.clock: its model is missing; there are poisson, regular, bursts, trains"),
        ("times = [[1.0, 30.0], []]", "times = 3.0", "sources.given: times"),
        ('source = "clock"', 'source = "watch"', "no source 'watch'; there are drawn"),
        ('source = "clock"', 'source = "clock", neuron = "cell"', "populations.clock.*either a neuron or a source"),
        (', source = "clock" }', " }", "populations.clock.*either a neuron or a source"),
        ("sigma = 0.02, seed", "sigma = -0.02, seed", "populations.cells.noise: White sigma is -0.02"),
        ('model = "White"', 'model = "Pink"', "populations.cells.noise: no noise 'Pink'"),
        ("bias = [0.0, 0.02, 0.03]", "bias = [0.0, 0.02]", "population 'cells' has 3 cells, and its bias 2"),
        ("voltage = 0.5", 'voltage = "high"', "populations.cells.voltage"),
        ('receptor = "slow"', 'receptor = "none"', "clock -> cells: receptor is 'none'"),
    ],
)
def test_a_mistake_is_named_by_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in FILE
    with pytest.raises((SpecError, NetworkError), match=message):
        load_network(written(tmp_path, FILE.replace(old, new, 1))).network()

"""Networks as model files: what ships builds, variants and sizes change it, and each mistake is named."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import LIF, STDP, CycleReset, KWinners, load_model, load_network, simulate
from spikemem.errors import NetworkError, SpecError
from spikemem.network.file import network_names

TWO = """
kind = "network"
name = "two"
inputs = ["in"]
[sizes]
n = 4
[neurons.plain]
model = "LIF"
tau = 10.0
[populations]
in = { size = "n", neuron = "plain" }
out = { size = 2, neuron = "plain", cycle = 8.0, winners = 1 }
[[projections]]
pre = "in"
post = "out"
wiring = "all_to_all"
weight = 0.3
times = "n"
[variants.quick.neurons.plain]
tau = 5.0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "net.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", network_names())
def test_a_shipped_network_builds_and_spikes(name: str) -> None:
    spec = load_network(name)
    net = spec.network()
    recording = simulate(net, spec.random_spikes(net, 60), 60)
    assert all(len(recording[name]) for name in net.populations)


def test_what_the_file_says_is_built(tmp_path: Path) -> None:
    path = written(tmp_path, TWO)
    net = load_network(path).network(n=6)
    assert net.populations["in"].size == 6
    assert net.populations["out"].inhibition == KWinners(8.0, 1)
    assert net.populations["out"].neuron == LIF(10.0)
    assert net.projections[0].synapses.matrix() == pytest.approx(np.full((6, 2), 1.8))
    assert load_network(path, "quick").network().populations["out"].neuron == LIF(5.0)
    late = load_network(written(tmp_path, TWO.replace('times = "n"', "delay = [1.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0]"))).network()
    assert late.own_delays(late.projections[0]).tolist() == [[1, 2], [1, 2], [3, 2], [1, 2]]  # type: ignore[union-attr]
    only_cycle = load_network(written(tmp_path, TWO.replace(", winners = 1", "")))
    assert only_cycle.network().populations["out"].inhibition == CycleReset(8.0)


def test_the_variant_of_the_published_rule_changes_the_rule_alone() -> None:
    published, bistable = (load_network(name).network() for name in ("spike-cam", "spike-cam:bistable"))
    rules = {p.name: (p.plasticity, q.plasticity) for p, q in zip(published.projections, bistable.projections, strict=True) if p.plasticity}
    assert set(rules) == {"CueCue->ContCue", "ContCont->CueCont"}
    for old, new in rules.values():
        assert old == STDP(6.0, 6.0, 3.0, 3.0, 0.0, 6.0, dendritic=1.0)
        assert new == STDP(12.0, 6.0, 1.0, 1.0, 0.0, 6.0, dendritic=1.0, drift=0.5, divide=3.0)
    assert published.populations == bistable.populations


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('wiring = "all_to_all"', 'wiring = "mesh"', "mesh"),
        ("tau = 10.0", "tua = 10.0", "unknown key"),
        ('size = "n"', 'size = "m"', "no size 'm'; there are n"),
        ('neuron = "plain" }', 'neuron = "fancy" }', "no neuron 'fancy'; there are plain"),
        ("weight = 0.3", 'weight = 0.3\nplasticity = "stdp"', "no rule 'stdp'; there are none"),
        ('inputs = ["in"]', 'inputs = ["inn"]', "no population 'inn'; there are in, out"),
        ('wiring = "all_to_all"', 'wiring = "sparse_random"', "sparse_random needs a fan_in"),
        ('post = "out"', 'post = "nowhere"', "no population 'nowhere'"),
        ('model = "LIF"', 'model = "Hodgkin"', "Hodgkin"),
        ('kind = "network"', 'kind = "hippocampus"', "describes no network"),
        ("tau = 10.0", "tau = -1.0", "two: neurons.plain: LIF tau is -1.0"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises((SpecError, NetworkError), match=message):
        load_network(written(tmp_path, TWO.replace(old, new, 1))).network()


def test_names_that_lead_nowhere() -> None:
    with pytest.raises(SpecError, match="no model 'spike-ram'; there are spike-cam, spike-cam:bistable"):
        load_network("spike-ram")
    with pytest.raises(SpecError, match="no variant 'forgetful'; there are bistable"):
        load_network("spike-cam:forgetful")
    with pytest.raises(SpecError, match="no size words; there are cues, contents"):
        load_network("spike-cam").network(words=3)
    with pytest.raises(SpecError, match="describes no network"):
        load_network("hippocampus-small")
    with pytest.raises(SpecError, match="load it with load_network"):
        load_model("spike-cam")


def test_a_network_without_inputs_says_so(tmp_path: Path) -> None:
    spec = load_network(written(tmp_path, TWO.replace('["in"]', "[]")))
    with pytest.raises(SpecError, match="names no inputs"):
        spec.random_spikes(spec.network(), 10)


TOML_WITH_LISTS = """
kind = "network"
name = "each"
inputs = ["a"]
projections = []
neurons.plain = {model = "LIF", tau = [10.0, 20.0]}
populations.a = {size = 2, neuron = "plain"}
"""


def test_parameters_of_each_cell_are_lists(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(TOML_WITH_LISTS)
    made = load_network(path).network().populations["a"].neuron
    assert isinstance(made, LIF)
    assert made.tau == (10.0, 20.0)

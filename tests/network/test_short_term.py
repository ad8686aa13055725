"""Depression and facilitation: closed forms of a regular train, a burst and a pause, and the same release in every simulator."""

import importlib.util
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import LIF, STDP, KWinners, Network, Population, TsodyksMarkram, load_network, regular, simulate, trains
from spikemem.errors import NetworkError, StimulusError
from spikemem.network.short_term import TYPES
from spikemem.network.synapses import WORD, Dense, OneBit, Sparse, Synapses, all_to_all, pack
from tests.marks import first_is_fast

DEPRESSING, FACILITATING = TsodyksMarkram.named("depressing"), TsodyksMarkram.named("facilitating")
SIMULATORS = ["event", "torch", "snntorch", "norse", "brian2"]


def released(
    rule: TsodyksMarkram | None, times: list[int], simulator: str = "event", weight: float = 1.0, dt: float = 1.0, **ways: Any
) -> NDArray[Any]:
    """What arrives of each spike of one cell at another, which forgets at once; times: steps of dt ms."""
    if simulator not in ("event", "torch") and importlib.util.find_spec(simulator) is None:
        pytest.skip(f"{simulator} is not installed")
    net, arrival = Network(dt), np.array(times) + 2
    net.add(Population("a", 1, trains([np.array(times) * dt])))
    net.add(Population("b", 1, LIF(tau=0.02 * dt, threshold=1e6)))
    net.connect("a", "b", all_to_all(weight), delay=2 * dt, short_term=rule, **ways)
    voltage = simulate(net, {}, arrival[-1] + 1, simulator=simulator, record={"b": [0]}).voltages["b"][:, 0, 0]
    assert (np.flatnonzero(np.abs(voltage) > 1e-15) == arrival).all()
    return voltage[arrival]


@pytest.mark.parametrize("rule", [DEPRESSING, FACILITATING, TsodyksMarkram(0.2, 150.0, 150.0)], ids=["depressing", "facilitating", "both"])
@pytest.mark.parametrize("interval", [5, 20, 100])
def test_a_regular_train_settles_at_the_closed_form(rule: TsodyksMarkram, interval: int) -> None:
    """u and x of two spikes in a row are equal: u = u f + U (1 - u f), x = 1 - (1 - x (1 - u)) r."""
    arrived = released(rule, list(range(600)), dt=float(interval))
    u, x = rule.steady(1000.0 / interval)
    assert arrived[0] == pytest.approx(rule.U, abs=1e-15)
    assert arrived[-1] == pytest.approx(u * x, abs=1e-9)
    f = math.exp(-interval / rule.tau_facil) if rule.tau_facil else 0.0
    r = math.exp(-interval / rule.tau_rec)
    assert u == pytest.approx(u * f + rule.U * (1 - u * f), abs=1e-15)
    assert x == pytest.approx(1 - (1 - x * (1 - u)) * r, abs=1e-15)


def test_depression_falls_and_facilitation_rises() -> None:
    times = list(range(0, 500, 50))
    fallen, risen = released(DEPRESSING, times), released(FACILITATING, times)
    assert (np.diff(fallen) < 0).all()
    assert (np.diff(risen[:5]) > 0).all()
    assert fallen[-1] < 0.2 * fallen[0]
    assert risen[-1] > 3 * risen[0]


def test_steady_release_falls_as_one_over_the_rate() -> None:
    """Above its limiting frequency a depressing synapse sends the same current at any rate (Tsodyks & Markram 1997)."""
    u, x = DEPRESSING.steady([50.0, 100.0, 200.0])
    sent = u * x * np.array([50.0, 100.0, 200.0])
    np.testing.assert_allclose(sent, 1000.0 / DEPRESSING.tau_rec, rtol=0.05)


def test_a_burst_of_three_is_worked_out_by_hand() -> None:
    """U = .5, nothing recovers in between, facilitation lasts: .5 of 1, .75 of .5, .875 of .125."""
    lasting = TsodyksMarkram(U=0.5, tau_rec=1e12, tau_facil=1e12)
    np.testing.assert_allclose(released(lasting, [3, 5, 7]), [0.5, 0.375, 0.109375], atol=1e-9)
    np.testing.assert_allclose(lasting.response([3.0, 5.0, 7.0]), [0.5, 0.375, 0.109375], atol=1e-9)


@pytest.mark.parametrize("pause", [50, 400, 2000])
def test_recovery_after_a_pause_is_exponential(pause: int) -> None:
    rule = TsodyksMarkram(U=0.5, tau_rec=300.0)
    arrived = released(rule, [0, 10, 20, 20 + pause])
    left = arrived[2]  # x behind a spike is what it released, since U is a half
    assert arrived[3] == pytest.approx(0.5 * (1 - (1 - left) * math.exp(-pause / 300.0)), abs=1e-12)


@pytest.mark.parametrize("rule", [DEPRESSING, FACILITATING, TsodyksMarkram.named("F1")], ids=["depressing", "facilitating", "F1"])
@pytest.mark.parametrize("simulator", first_is_fast(*SIMULATORS))
def test_every_simulator_releases_the_same(rule: TsodyksMarkram, simulator: str) -> None:
    times = [4, 5, 9, 30, 31, 80, 200]
    np.testing.assert_allclose(released(rule, times, simulator, weight=-3.0), -3.0 * rule.response(times), rtol=0, atol=1e-12)


def test_the_comparison_sees_a_wrong_constant() -> None:
    times = [4, 5, 9, 30, 31, 80, 200]
    for name, value in (("U", 0.161), ("tau_rec", 45.1), ("tau_facil", 377.0)):
        wrong = replace(TsodyksMarkram.named("F1"), **{name: value})
        assert np.abs(released(wrong, times) - TsodyksMarkram.named("F1").response(times)).max() > 1e-5


def test_each_cell_and_each_batch_item_has_its_own() -> None:
    net = Network()
    net.add(Population("a", 2))
    net.add(Population("b", 2, LIF(tau=0.02, threshold=1e6)))
    net.connect("a", "b", Dense(np.eye(2)), short_term=DEPRESSING)
    spikes = np.zeros((6, 2, 2), bool)
    spikes[[0, 2, 4], 0, 0] = spikes[4, 1, 1] = True
    voltage = simulate(net, {"a": spikes}, 6, record={"b": [0, 1]}).voltages["b"]
    assert voltage[5, 0, 0] == pytest.approx(DEPRESSING.response([0.0, 2.0, 4.0])[-1])
    assert voltage[5, 1, 1] == 0.5
    assert voltage[5, 0, 1] == voltage[5, 1, 0] == 0.0


KINDS: dict[str, Synapses] = {
    "dense": Dense(np.full((WORD, WORD), 0.25)),
    "sparse": Sparse.from_coo(np.arange(WORD), np.arange(WORD)[::-1], 0.25, (WORD, WORD)),
    "one-bit": OneBit(pack(np.eye(WORD, dtype=bool)), np.zeros(WORD, np.int64), WORD, on=0.25, off=-0.125),
}


@pytest.mark.parametrize("simulator", first_is_fast("event", "torch", "brian2"))
@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_synapses_tire(kind: str, simulator: str) -> None:
    if simulator == "brian2" and importlib.util.find_spec("brian2") is None:
        pytest.skip("brian2 is not installed")
    net, synapses = Network(), KINDS[kind]
    net.add(Population("a", WORD))
    net.add(Population("b", WORD, LIF(tau=0.02, threshold=1e6)))
    net.connect("a", "b", synapses, short_term=FACILITATING)
    spikes = np.random.default_rng(0).random((30, WORD)) < 0.1
    voltage = simulate(net, {"a": spikes}, 30, simulator=simulator, record={"b": np.arange(WORD)}).voltages["b"][:, 0]
    amount = np.zeros((30, WORD))
    for cell in range(WORD):
        at = np.flatnonzero(spikes[:, cell])
        amount[at, cell] = FACILITATING.response(at)
    np.testing.assert_allclose(voltage[1:], (amount @ synapses.matrix())[:-1], rtol=0, atol=1e-12)


def test_a_spike_that_is_not_carried_releases_nothing() -> None:
    """Of two cells of a race the second is inhibited at its synapses, whose resources stay."""
    net = Network()
    net.add(Population("a", 2, LIF(), KWinners(cycle=4.0, k=2)))
    net.add(Population("b", 2, LIF(tau=0.02, threshold=1e6)))
    net.connect("a", "b", Dense(np.eye(2)), first=1, short_term=DEPRESSING)
    drive = np.array([[2.0, 3.0]] * 4 + [[3.0, 2.0]] * 4)
    voltage = simulate(net, {"a": drive}, 8, record={"b": [0, 1]}).voltages["b"][:, 0]
    assert voltage[:, 1].max() == voltage[:, 0].max() == 0.5


def test_plastic_weights_tire_too_and_learn_from_whole_spikes() -> None:
    rule = STDP(a_plus=0.1)
    weights = {}
    for tires in (None, DEPRESSING):
        net = Network()
        net.add(Population("a", 1, trains([[1, 5, 9, 20]])))
        net.add(Population("b", 1, trains([[3, 11, 22]])))
        net.connect("a", "b", all_to_all(0.5), plasticity=rule, short_term=tires)
        weights[tires] = simulate(net, {}, 30).weights["a->b"].item()
    assert weights[None] == weights[DEPRESSING] != 0.5
    arrived = released(DEPRESSING, [1, 5, 9], weight=0.5, plasticity=rule)
    np.testing.assert_allclose(arrived, 0.5 * DEPRESSING.response([1.0, 5.0, 9.0]), atol=1e-12)


@pytest.mark.parametrize(("first", "second"), [("event", "torch"), ("torch", "event"), ("event", "event")])
@pytest.mark.parametrize("rule", [DEPRESSING, FACILITATING], ids=["depressing", "facilitating"])
def test_a_run_goes_on_with_what_was_released(rule: TsodyksMarkram, first: str, second: str) -> None:
    net = Network()
    net.add(Population("a", 3, regular([80.0, 140.0, 200.0])))
    net.add(Population("b", 1, LIF(tau=5.0, threshold=1e6)))
    net.connect("a", "b", all_to_all(1.0), delay=3.0, short_term=rule)
    whole = simulate(net, {}, 60, record={"b": [0]}).voltages["b"]
    begun = simulate(net, {}, 23, simulator=first, record={"b": [0]})
    rest = simulate(net, {}, 37, simulator=second, record={"b": [0]}, start=begun.state)
    np.testing.assert_allclose(np.concatenate([begun.voltages["b"], rest.voltages["b"]]), whole, rtol=0, atol=1e-12)


def test_a_state_of_other_synapses_is_refused() -> None:
    nets = []
    for tires in (None, DEPRESSING):
        net = Network()
        net.add(Population("a", 1))
        net.connect("a", "a", all_to_all(), short_term=tires)
        nets.append(net)
    with pytest.raises(StimulusError, match="its projection 'a->a' is 1 ms, fixed, this one's 1 ms, fixed, TsodyksMarkram"):
        simulate(nets[1], {}, 3, start=simulate(nets[0], {}, 3).state)


FILE = """
kind = "network"
name = "tiring"
inputs = ["a"]
[neurons.lif]
model = "LIF"
[short_term.depressing]
U = 0.4
tau_rec = 700.0
[populations]
a = { size = 2, neuron = "lif" }
[[projections]]
pre = "a"
post = "a"
wiring = "all_to_all"
weight = 0.5
short_term = "depressing"
"""


def test_a_model_file_may_name_it(tmp_path: Path) -> None:
    path = tmp_path / "tiring.toml"
    path.write_text(FILE)
    assert load_network(path).network().projections[0].short_term == TsodyksMarkram(U=0.4, tau_rec=700.0)
    path.write_text(FILE.replace("0.4", "1.4"))
    with pytest.raises(NetworkError, match=r"short_term\.depressing: TsodyksMarkram U is 1\.4; it must be above 0\.0 and at most 1\.0"):
        load_network(path).network()


def test_nir_keeps_it_for_us_and_says_what_others_lose(tmp_path: Path) -> None:
    pytest.importorskip("nir")
    from spikemem import from_nir, to_nir

    net = Network()
    net.add(Population("a", 2, LIF(reset=0.0)))
    net.connect("a", "a", all_to_all(0.5), short_term=FACILITATING)
    with pytest.warns(UserWarning, match="NIR has no short-term plasticity"):
        graph = to_nir(net)
    assert from_nir(graph).projections[0].short_term == FACILITATING


@pytest.mark.parametrize("name", TYPES)
def test_every_named_kind_is_one(name: str) -> None:
    assert (TsodyksMarkram.named(name).U, TsodyksMarkram.named(name).tau_rec, TsodyksMarkram.named(name).tau_facil) == TYPES[name]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TsodyksMarkram(U=0.0), "TsodyksMarkram U is 0"),
        (lambda: TsodyksMarkram(U=1.5), "TsodyksMarkram U is 1.5"),
        (lambda: TsodyksMarkram(tau_rec=0.0), "tau_rec is 0.0 ms"),
        (lambda: TsodyksMarkram(tau_facil=-1.0), "tau_facil is -1.0 ms"),
        (lambda: TsodyksMarkram.named("tired"), "'tired'; it must be one of depressing, facilitating, F1"),
        (lambda: DEPRESSING.steady(0.0), "above 0 Hz"),
        (lambda: DEPRESSING.response([3.0, 3.0]), "times of spikes rise"),
        (lambda: released(DEPRESSING, [1], efficacy=[1.0, 0.5]), "efficacy and short_term both weigh a spike"),
        (lambda: released("tired", [1]), "short_term is 'tired'; give one such as TsodyksMarkram"),  # type: ignore[arg-type]
    ],
)
def test_what_is_out_of_range_is_named(make: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()

"""Hodgkin and Huxley's membrane: at rest, under constant currents, beside Brian2's own exponential Euler method, and refused elsewhere."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import exprel

from spikemem import Exponential, HodgkinHuxley, Network, Population, Receptors, Recording, regular, simulate, to_nir
from spikemem.errors import NetworkError, UnsupportedError
from spikemem.network import all_to_all
from spikemem.simulators import SIMULATORS
from tests.crosscheck.test_contract import library


def driven(current: list[float], ms: float, dt: float, neuron: HodgkinHuxley | None = None) -> Recording:
    """Cells under a constant current each, uA/cm2."""
    net = Network(dt)
    net.add(Population("axon", len(current), neuron or HodgkinHuxley(), bias=current))
    return simulate(net, {}, round(ms / dt), simulator="brian2", record={"axon": np.arange(len(current))})


def voltages(recording: Recording) -> NDArray[np.float64]:
    return recording.voltages["axon"][:, 0]


def test_gates_begin_where_the_rest_of_the_axon_holds_them() -> None:
    """The well-known m, h, n at rest, at which inward and outward currents are equal."""
    begin = HodgkinHuxley().brian2(0.01).begin
    m, h, n = (eval(str(begin[gate]), {"v": begin["v"], "exp": np.exp, "exprel": exprel}) for gate in "mhn")
    assert (m, h, n) == pytest.approx((0.0529, 0.5961, 0.3177), abs=1e-4)
    cell = HodgkinHuxley()
    flows = cell.sodium * m**3 * h * (cell.e_sodium + 65) + cell.potassium * n**4 * (cell.e_potassium + 65) + cell.leak * (cell.e_leak + 65)
    assert abs(flows) < 0.01


@pytest.mark.slow
def test_the_axon_rests_and_fires_again_and_again_above_its_rheobase() -> None:
    """Repetitive firing begins between 6.2 and 6.5 uA/cm2, and at once with more than 45 Hz (Hodgkin's class 2)."""
    library("brian2")
    recording = driven([0.0, 4.0, 6.1, 6.6, 10.0, 20.0], 200.0, 0.05)
    v = voltages(recording)
    assert np.abs(v[:, 0] + 65.0).max() < 0.01
    assert v[:, 1].max() < 45.0
    late = [recording["axon"].step[recording["axon"].cell == cell] * 0.05 for cell in range(6)]
    late = [times[times > 100.0] for times in late]
    assert [len(times) > 0 for times in late] == [False, False, False, True, True, True]
    rates = [1000.0 / np.diff(times).mean() for times in late[3:]]
    assert rates == pytest.approx([54.0, 66.7, 84.1], rel=0.02)
    height = v[:, 4].max() + 65.0
    assert 95.0 < height < 110.0


@pytest.mark.slow
def test_its_step_is_the_exponential_euler_method_of_brian2() -> None:
    """The same equations in Brian2's own language, with its own method."""
    library("brian2")
    import brian2 as b2

    dt, ms, current = 0.05, 40.0, [6.0, 12.0, 40.0]
    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    equations = """
    dv/dt = (120 * m**3 * h * (50 - v) + 36 * n**4 * (-77 - v) + .3 * (-54.387 - v) + i_e) / ms : 1
    dm/dt = 3**(1.37) * (.1 * (v + 40) / (1 - exp(-(v + 40) / 10)) * (1 - m) - 4 * exp(-(v + 65) / 18) * m) / ms : 1
    dh/dt = 3**(1.37) * (.07 * exp(-(v + 65) / 20) * (1 - h) - h / (1 + exp(-(v + 35) / 10))) / ms : 1
    dn/dt = 3**(1.37) * (.01 * (v + 55) / (1 - exp(-(v + 55) / 10)) * (1 - n) - .125 * exp(-(v + 65) / 80) * n) / ms : 1
    i_e : 1
    """
    group = b2.NeuronGroup(3, equations, method="exponential_euler", dt=dt * b2.ms)
    group.v, group.m, group.h, group.n = -65, 0.05293248525724958, 0.5961207535084603, 0.3176769140606974
    group.i_e = current
    monitor = b2.StateMonitor(group, "v", record=True, when="end", dt=dt * b2.ms)
    b2.Network(group, monitor).run(ms * b2.ms)
    recording = driven(current, ms, dt, HodgkinHuxley(temperature=20.0))
    assert len(recording["axon"]) > 3
    np.testing.assert_allclose(voltages(recording), np.asarray(monitor.v).T, atol=1e-6)
    crossed = np.argwhere((monitor.v[:, 1:] > 0) & (monitor.v[:, :-1] <= 0))
    assert sorted(zip(recording["axon"].cell.tolist(), recording["axon"].step.tolist(), strict=True)) == [(c, t + 1) for c, t in crossed]


@pytest.mark.slow
def test_channels_of_synapses_fire_it() -> None:
    library("brian2")
    net = Network(0.05)
    net.add(Population("in", 1, regular(50.0, phase=2.0)))
    for name, reversal in (("excited", 0.0), ("inhibited", -77.0)):
        net.add(Population(name, 1, Receptors(HodgkinHuxley(), synapse=Exponential(2.0, reversal=reversal))))
        net.connect("in", name, all_to_all(0.5), receptor="synapse", delay=0.05)
    recording = simulate(net, {}, 600, simulator="brian2")
    assert [len(recording[name]) for name in ("excited", "inhibited")] == [2, 0]


def test_other_simulators_refuse_it_by_name() -> None:
    net = Network(0.01)
    net.add(Population("axon", 1, HodgkinHuxley()))
    behind = Network(0.01)
    behind.add(Population("axon", 1, Receptors(HodgkinHuxley(), synapse=Exponential(2.0, reversal=0.0))))
    names = [name for name in SIMULATORS if not name.startswith("brian2")]
    assert {"event", "torch", "snntorch", "norse"} <= set(names)
    for name in names:
        for described in (net, behind):
            with pytest.raises(UnsupportedError, match=rf'^{name} cannot simulate \'axon\': HodgkinHuxley is .* use simulator="brian2"'):
                simulate(described, {}, 2, simulator=name)


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(NetworkError, match=r"the step of a network with HodgkinHuxley neurons is 0.1 ms"):
        Network(0.1).add(Population("axon", 1, HodgkinHuxley()))
    with pytest.raises(NetworkError, match="HodgkinHuxley capacitance is 0"):
        HodgkinHuxley(capacitance=0)
    with pytest.raises(NetworkError, match="HodgkinHuxley sodium is -1"):
        HodgkinHuxley(sodium=-1)
    with pytest.raises(UnsupportedError, match="has no closed form; count its spikes"):
        HodgkinHuxley().rate(10.0)
    net = Network(0.01)
    net.add(Population("axon", 1, HodgkinHuxley()))
    with pytest.raises(UnsupportedError, match="HodgkinHuxley"):
        to_nir(net)

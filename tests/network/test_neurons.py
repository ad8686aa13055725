"""The LIF cell against its closed form."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikemem import LIF, Network, Population, Recording, simulate
from spikemem.errors import NetworkError
from spikemem.network.neurons import LIFState

taus = st.just(math.inf) | st.floats(0.1, 500.0)


def run(neuron: LIF, currents: Any, steps: int, dt: float = 1.0) -> Recording:
    """One cell for each constant current."""
    net = Network(dt)
    net.add(Population("cell", len(currents), neuron))
    return simulate(net, {"cell": np.asarray(currents, dtype=float).reshape(1, -1)}, steps, record={"cell": np.arange(len(currents))})


def intervals(neuron: LIF, currents: Any, steps: int, dt: float) -> NDArray[np.float64]:
    """The mean interspike interval of each cell, in steps; infinite where it never fired."""
    spikes = run(neuron, currents, steps, dt)["cell"]
    trains = [spikes.step[spikes.cell == cell] for cell in range(len(currents))]
    return np.array([np.diff(train).mean() if len(train) > 1 else math.inf for train in trains])


def rheobase(neuron: LIF, dt: float) -> float:
    """The current below which the cell never fires."""
    return neuron.threshold * (1.0 - neuron.beta(dt))


def check_rate(neuron: LIF, dt: float) -> None:
    """From just above the rheobase to a spike every step, the mean interval is within a step of the closed form."""
    currents = rheobase(neuron, dt) + neuron.threshold * np.geomspace(0.01, 2.0, 24)
    with np.errstate(all="raise"):
        expected = 1000.0 / (dt * neuron.rate(currents, dt))
    found = intervals(neuron, currents, 1000, dt)
    assert (np.abs(found - expected) <= 1.0).all(), (found, expected)


@pytest.mark.parametrize("tau", [math.inf, 1e6, 200.0, 20.0, 2.0, 0.2, 1e-3])
def test_rate_is_that_of_the_simulation(tau: float) -> None:
    check_rate(LIF(tau), dt=1.0)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(taus, st.floats(0.1, 10.0), st.sampled_from([0.1, 0.5, 1.0, 3.0]))
def test_rate_for_any_cell_and_step(tau: float, threshold: float, dt: float) -> None:
    check_rate(LIF(tau, threshold), dt)


@pytest.mark.parametrize("tau", [math.inf, 20.0, 2.0])
def test_no_rate_and_no_spikes_up_to_the_rheobase(tau: float) -> None:
    neuron = LIF(tau)
    currents = rheobase(neuron, 1.0) - np.array([0.0, 0.001, 0.1, 5.0])
    assert not neuron.rate(currents).any()
    assert len(run(neuron, currents, 500)["cell"]) == 0


@pytest.mark.parametrize("tau", [100.0, 20.0, 3.0])
def test_time_to_the_first_spike(tau: float) -> None:
    """V after n steps is I_inf (1 - beta^n) with I_inf = I / (1 - beta): the first n above theta."""
    neuron = LIF(tau, threshold=1.5)
    beta = neuron.beta(1.0)
    limit = np.linspace(1.05, 8.0, 60) * neuron.threshold
    expected = np.floor(np.log(1.0 - neuron.threshold / limit) / math.log(beta)) + 1
    spikes = run(neuron, limit * (1.0 - beta), int(expected.max()))["cell"]
    first = [spikes.step[spikes.cell == cell][0] + 1 for cell in range(len(limit))]  # step 0 is the first
    assert first == expected.tolist()


def test_the_threshold_is_strict() -> None:
    """A quarter a step stands at the threshold after four steps, and is above it after five."""
    recording = run(LIF(math.inf), [0.25], 6)
    assert recording.voltages["cell"][3:5, 0, 0].tolist() == [1.0, 1.25]
    assert recording["cell"].step.tolist() == [4]


def test_the_reset_keeps_the_overshoot() -> None:
    """V is recorded before the reset; the step after takes theta away and leaves the rest."""
    recording = run(LIF(math.inf), [0.75], 6)
    assert recording.voltages["cell"].ravel().tolist() == [0.75, 1.5, 1.25, 1.0, 1.75, 1.5]
    assert recording["cell"].step.tolist() == [1, 2, 4, 5]


@pytest.mark.parametrize("array", [np.array, torch.tensor])
def test_step_is_the_equation_for_numpy_and_torch(array: Any) -> None:
    neuron = LIF(tau=1.0 / math.log(2.0))  # beta = 1/2
    state = LIFState(array([1.5, 0.5, 0.0]), array([True, False, False]))
    voltage, spikes, *_ = neuron.step(array([1.5, 1.0, 1.0]), state, dt=1.0)
    assert voltage.tolist() == pytest.approx([1.25, 1.25, 1.0], abs=1e-15)
    assert spikes.tolist() == [True, True, False]


@given(taus, st.floats(0.01, 10.0))
def test_two_half_steps_decay_like_a_whole_one(tau: float, dt: float) -> None:
    assert LIF(tau).beta(dt / 2) ** 2 == pytest.approx(LIF(tau).beta(dt), rel=1e-12)


@pytest.mark.parametrize("tau", [0.0, -1.0, -math.inf, math.nan])
def test_a_bad_time_constant_is_named(tau: float) -> None:
    with pytest.raises(NetworkError, match=f"tau is {tau}"):
        LIF(tau=tau)


@pytest.mark.parametrize("threshold", [0.0, -1.0, math.inf, math.nan])
def test_a_bad_threshold_is_named(threshold: float) -> None:
    with pytest.raises(NetworkError, match=f"threshold is {threshold}"):
        LIF(threshold=threshold)


OPTIONS = [
    LIF(20.0, reset=0.0),
    LIF(20.0, reset=-0.5, refractory=3.0),
    LIF(20.0, refractory=4.0),
    LIF(10.0, tau_syn=5.0, resistance=0.3),
    LIF(math.inf, reset=-1.0, refractory=2.0),
    LIF(5.0, 3.0, reset=0.5, tau_syn=2.0),
]


@pytest.mark.parametrize("neuron", OPTIONS)
def test_rate_with_every_option(neuron: LIF) -> None:
    """The mean interval of a simulation is within a step of the formula's, which is above the refractory time."""
    currents = np.linspace(0.02, 1.2, 60)
    spikes = run(neuron, currents, 4000)["cell"]
    for cell, rate in enumerate(neuron.rate(currents)):
        at = spikes.step[spikes.cell == cell]
        if len(at) > 3:
            assert abs(np.diff(at[1:]).mean() - 1000.0 / rate) <= 1.0
            assert np.diff(at).min() > neuron.refractory
        else:
            assert rate < 1.0


def test_a_refractory_cell_stands_still_and_loses_its_input() -> None:
    recording = run(LIF(math.inf, reset=0.25, refractory=2.0), [0.75], 7)
    assert recording.voltages["cell"].ravel().tolist() == [0.75, 1.5, 0.25, 0.25, 1.0, 1.75, 0.25]
    assert recording["cell"].step.tolist() == [1, 5]
    subtracting = run(LIF(math.inf, refractory=2.0), [2.5], 5)
    assert subtracting.voltages["cell"].ravel().tolist() == [2.5, 1.5, 1.5, 4.0, 3.0]  # above threshold, and silent
    assert subtracting["cell"].step.tolist() == [0, 3]


def test_the_synaptic_current_is_a_geometric_series() -> None:
    """One unit of charge: J decays by gamma, and V is its convolution with the membrane's decay."""
    neuron = LIF(tau=1.0 / math.log(2.0), threshold=10.0, tau_syn=1.0 / math.log(4.0), resistance=2.0)  # beta = 1/2, gamma = 1/4
    pulse = np.zeros(5)
    pulse[0] = 1.0
    net = Network()
    net.add(Population("cell", 1, neuron))
    voltages = simulate(net, {"cell": pulse}, 5, record={"cell": [0]}).voltages["cell"].ravel()
    assert voltages == pytest.approx([2.0, 1.5, 0.875, 0.46875, 0.2421875], abs=1e-12)


def test_if_curr_exp_against_its_differential_equations() -> None:
    """A constant current takes PyNN's cell to v_rest + I tau_m / c_m; the mean of a decaying step is the charge that it carries."""
    cell = LIF.if_curr_exp(1.0, tau_m=3.0, c_m=0.27, v_thresh=-57.0, v_rest=-60.0, v_reset=-61.0, tau_syn=0.3, tau_refrac=1.0)
    assert (cell.threshold, cell.reset, cell.refractory) == pytest.approx((3.0, -1.0, 1.0))
    charge = sum(cell.resistance * cell.gamma(1.0) ** n for n in range(60)) / (1.0 - cell.beta(1.0))
    assert charge == pytest.approx(3.0 / 0.27 * 0.3, rel=1e-12)  # mV ms of a spike of 1 nA that decays with 0.3 ms


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"reset": 1.0}, "reset is 1.0"), ({"refractory": -1.0}, "refractory is -1.0"), ({"tau_syn": math.inf}, "tau_syn is inf"),
     ({"resistance": 0.0}, "resistance is 0.0"), ({"reset": math.nan}, "reset is nan")],
)  # fmt: skip
def test_a_bad_option_is_named(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        LIF(**wrong)


def test_a_refractory_time_is_a_whole_number_of_steps() -> None:
    with pytest.raises(NetworkError, match=r"1\.5 ms is no whole number of steps"):
        Network(dt=1.0).add(Population("cell", 1, LIF(refractory=1.5)))


def test_the_decay_of_open_channels_is_the_exponential() -> None:
    """By a series where the step is short, and by the library's function elsewhere."""
    from spikemem.kernels.neurons import SHORT, decay

    for x in [*np.linspace(-SHORT, SHORT, 1001).tolist(), SHORT + 1e-9, 1.0, 40.0]:
        assert abs(decay(x) - math.exp(-x)) <= 2.0**-52

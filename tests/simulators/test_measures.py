"""The measures and exporters of a recording are those of its populations, cut in time as asked."""

import importlib.util
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, STDP, Network, Population, Recording, instruments, plots, simulate
from spikemem.errors import NetworkError, StimulusError
from spikemem.network import Dense, all_to_all, sparse_random
from spikemem.simulators import weight_course
from spikemem.simulators.measures import Measures

STEPS = 400


@pytest.fixture(scope="module")
def recording() -> Recording:
    net = Network(dt=0.5)
    net.add(Population("e", 12, LIF(tau=10.0)))
    drive = np.random.default_rng(0).uniform(0, 0.4, (STEPS, 2, 12))
    return simulate(net, {"e": drive}, STEPS).marked(light=[40, 200])


MEASURES: dict[str, dict[str, Any]] = {
    "rates": {}, "isi": {}, "cv": {}, "cv2": {}, "fano": {"window": 20.0}, "correlation": {"bin": 10.0}, "spectrum": {"segment": 50.0},
    "phase": {"period": 25.0}, "synchrony": {"bin": 2.0}, "spike_contrast": {},
}  # fmt: skip


def test_every_measure_is_a_method() -> None:
    functions = {name for name in instruments.__all__ if inspect.isfunction(getattr(instruments, name))}
    assert functions - {"phases", "band_phase"} == {*MEASURES, "psth"}
    assert all(hasattr(Measures, name) for name in (*MEASURES, "psth"))


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_of_a_part_of_the_run(recording: Recording, name: str) -> None:
    if name == "spike_contrast":
        pytest.importorskip("elephant", reason="the analysis extra is not installed")
    of_part = getattr(recording, name)("e", **MEASURES[name], start=50.0, stop=150.0)
    step, batch, cell = np.nonzero(recording["e"].dense(STEPS, 2)[100:300])
    trains = instruments.Trains(instruments.Spikes(step, batch, cell, 12), 0.5, 200, 2, start=100)
    expected = getattr(instruments, name)(trains, **MEASURES[name])
    pairs = zip(of_part, expected, strict=True) if isinstance(expected, tuple) else [(of_part, expected)]
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)
    whole = getattr(recording, name)("e", **MEASURES[name])
    assert not np.array_equal(np.asarray(whole[-1]), np.asarray(of_part[-1]))


def test_phase_in_a_field_potential(recording: Recording) -> None:
    signal = recording.trains("e").activity(0.5)
    assert signal.shape == (2, STEPS)
    phi = instruments.band_phase(signal, 30.0, 90.0, 0.5)
    expected = instruments.phase(recording.trains("e", 50.0, 150.0), phi)
    for given in ("e", signal):
        found = recording.phase("e", of=given, band=(30.0, 90.0), start=50.0, stop=150.0)
        np.testing.assert_array_equal(found.angle, expected.angle)
    one = recording.phase("e", of=signal[0], band=(30.0, 90.0))  # for both batch items
    assert not np.allclose(one.angle, recording.phase("e", of="e", band=(30.0, 90.0)).angle)
    for said in ({}, {"period": 25.0, "of": "e"}, {"of": "e"}, {"band": (4.0, 8.0)}):
        with pytest.raises(StimulusError, match="phase takes a period, or a field potential with its band"):
            recording.phase("e", **said)
    for band, message in ((8.0, "give two frequencies"), ((8.0, 4.0), "must rise"), ((8.0, 1000.0), "end below 1000 Hz")):
        with pytest.raises(StimulusError, match=message):
            recording.phase("e", of="e", band=band)  # type: ignore[arg-type]
    with pytest.raises(StimulusError, match="the signal has 20 steps; a filter needs more than 27"):
        recording.phase("e", of=np.zeros(20), band=(4.0, 8.0))
    with pytest.raises(StimulusError, match=r"the phases of each step have shape \(1, 99\)"):
        recording.phase("e", of=np.zeros(99), band=(40.0, 80.0))


def test_psth_takes_the_name_of_marks(recording: Recording) -> None:
    by_name, by_time = recording.psth("e", 5.0, "light", 10.0, 50.0), recording.psth("e", 5.0, [20.0, 100.0], 10.0, 50.0)
    np.testing.assert_array_equal(by_name.rate, by_time.rate)
    assert by_name.trials == 4
    with pytest.raises(StimulusError, match="onsets are 'dark'; give times in ms, or the name of marks: light"):
        recording.psth("e", onsets="dark")


def test_a_population_that_was_not_recorded_is_named(recording: Recording) -> None:
    with pytest.raises(StimulusError, match="'i' was not recorded"):
        recording.rates("i")


# -- weights over time -----------------------------------------------------------------------------------------------------------------


def learner() -> Network:
    net = Network(dt=1.0)
    net.add(Population("pre", 6))
    net.add(Population("post", 3, LIF(tau=10.0)))
    net.connect("pre", "post", sparse_random(fan_in=4, seed=0, low=0.3, high=0.6), plasticity=STDP(a_plus=0.05))
    return net


def stimulus() -> dict[str, np.ndarray]:
    return {"pre": np.random.default_rng(0).random((60, 2, 6)) < 0.2, "post": np.full((1, 1), 0.02)}


@pytest.mark.parametrize("simulator", ["event", "torch", "brian2"])
def test_the_course_of_weights_is_that_of_one_run(simulator: str) -> None:
    if importlib.util.find_spec(simulator) is None and simulator == "brian2":
        pytest.skip("brian2 is not installed")
    course = weight_course(learner(), stimulus(), 60, snapshots=4, simulator=simulator)
    assert course.time.tolist() == [0.0, 15.0, 30.0, 45.0, 60.0]
    weights = course.weights["pre->post"]
    np.testing.assert_array_equal(weights[0, 1], learner().projections[0].synapses.matrix())
    np.testing.assert_allclose(weights[-1], simulate(learner(), stimulus(), 60).weights["pre->post"], atol=1e-9)
    half = simulate(learner(), {"pre": stimulus()["pre"][:30], "post": stimulus()["post"]}, 30)
    np.testing.assert_allclose(weights[2], half.weights["pre->post"], atol=1e-9)
    assert len({w.tobytes() for w in weights}) == 5  # each differs from all others


@pytest.mark.parametrize("simulator", ["event", "torch", "norse", "brian2"])
def test_weights_are_recorded_every_so_many_steps(simulator: str) -> None:
    if simulator in ("norse", "brian2") and importlib.util.find_spec(simulator) is None:
        pytest.skip(f"{simulator} is not installed")
    made = simulate(learner(), stimulus(), 60, simulator=simulator, record={"pre->post": 25, "post": [0]})
    weights = made.snapshots["pre->post"]
    assert made.intervals == {"pre->post": 25}
    assert made.course("pre->post").time.tolist() == [0.0, 25.0, 50.0]
    np.testing.assert_array_equal(weights[0, 1], learner().projections[0].synapses.matrix())
    for n, steps in enumerate((25, 50), start=1):
        alone = simulate(learner(), {"pre": stimulus()["pre"][:steps], "post": stimulus()["post"]}, steps)
        np.testing.assert_allclose(weights[n], alone.weights["pre->post"], rtol=0, atol=1e-9)
    assert len({w.tobytes() for w in (*weights, made.weights["pre->post"])}) == 4


def test_recorded_weights_survive_saving_and_loading(tmp_path: Path) -> None:
    made = simulate(learner(), stimulus(), 60, record={"pre->post": 20})
    loaded = Recording.load(made.save(tmp_path / "r.npz"))
    assert loaded.intervals == {"pre->post": 20}
    np.testing.assert_array_equal(loaded.snapshots["pre->post"], made.snapshots["pre->post"])
    assert plots.weights_over_time(loaded.course("pre->post")).axes[0].get_lines()


@pytest.mark.parametrize(
    ("record", "message"),
    [({"pre->post": 0}, "weights of 'pre->post', recorded after so many steps, is 0"), ({"pre->pre": 2}, "voltages of 'pre->pre', but")],
)
def test_what_weights_cannot_be_recorded_is_named(record: dict[str, int], message: str) -> None:
    with pytest.raises(StimulusError, match=message):
        simulate(learner(), stimulus(), 60, record=record)
    with pytest.raises(StimulusError, match="weights of 'pre->post' over time were not recorded"):
        simulate(learner(), stimulus(), 60).course("pre->post")


def test_a_network_that_does_not_learn_has_no_course() -> None:
    net = Network()
    net.add(Population("a", 2))
    net.connect("a", "a", Dense(np.eye(2)))
    with pytest.raises(NetworkError, match="no projection of the network is plastic"):
        weight_course(net, {}, 10)
    net.connect("a", "a", all_to_all(0.1), plasticity=STDP())
    with pytest.raises(StimulusError, match="snapshots is 11"):
        weight_course(net, {}, 10, snapshots=11)

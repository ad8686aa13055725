"""The compiled loop over whole runs: bit for bit what steps taken one by one give, in memory that a constant current does not need."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from spikemem import LIF, KWinners, Network, Population, Recording, simulate
from spikemem.errors import StimulusError
from spikemem.network.sources import poisson
from spikemem.network.synapses import Dense, OneBit, Sparse, pack, sparse_random
from spikemem.simulators import after_spikes
from spikemem.simulators.event import loop
from spikemem.simulators.event.groups import EventGroup

STEPS = 70
CELLS = {
    "subtraction": LIF(tau=15.0, threshold=1.0),
    "reset": LIF(tau=15.0, reset=-0.2),
    "refractory": LIF(tau=15.0, refractory=3.0),
    "refractory, reset": LIF(tau=15.0, reset=0.1, refractory=2.0),
    "synaptic current": LIF(tau=15.0, tau_syn=4.0, resistance=0.4),
}


def network(neuron: LIF) -> Network:
    """Every kind of fixed synapses, delays of 1 to 4 steps, and a population that is clamped."""
    net, rng = Network(dt=1.0), np.random.default_rng(1)
    for name, size in (("clamped", 30), ("a", 67), ("b", 130)):
        net.add(Population(name, size, neuron))
    net.connect("clamped", "a", Dense(rng.uniform(-0.1, 0.3, (30, 67))), delay=2.0)
    net.connect("a", "b", sparse_random(9, 2, -0.2, 0.5), delay=4.0)
    bits = pack(rng.random((67, 128)) < 0.1)
    net.connect("a", "b", OneBit(bits, rng.integers(0, 3, 67), 130, on=rng.uniform(0.1, 0.3, 67), off=-0.01))
    net.connect("b", "a", sparse_random(5, 3, -0.3, 0.3))
    net.connect("b", "b", sparse_random(4, 4, -0.4, 0.3), delay=3.0)
    return net


def stimulus(batches: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {
        "clamped": rng.random((STEPS, 30)) < 0.1,
        "a": rng.normal(0.07, 0.2, (STEPS, batches, 67)),
        "b": np.array([[0.06]]),
    }


def stepped(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Recording]) -> Recording:
    """The same run, step by step."""
    with monkeypatch.context() as without:
        without.setattr(loop, "fits", lambda *_: False)
        return run()


def same(one: Recording, other: Recording) -> None:
    assert (one.steps, one.events, one.stopped) == (other.steps, other.events, other.stopped)
    for name, spikes in one.spikes.items():
        for field in ("step", "batch", "cell"):
            np.testing.assert_array_equal(getattr(spikes, field), getattr(other[name], field), err_msg=name)
    for name, voltage in one.voltages.items():
        np.testing.assert_array_equal(voltage, other.voltages[name])
    for name, fields in one.state.cells.items():
        for field, array in fields.items():
            np.testing.assert_array_equal(array, other.state.cells[name][field], err_msg=f"{name} {field}")
        np.testing.assert_array_equal(one.state.recent[name][:, :3], other.state.recent[name][:, :3])


@pytest.mark.parametrize("batches", [1, 3])
@pytest.mark.parametrize("neuron", CELLS)
def test_it_gives_what_single_steps_give(neuron: str, batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, given = network(CELLS[neuron]), stimulus(batches)

    def run() -> Recording:
        return simulate(net, given, STEPS, record={"a": [0, 66], "b": [5]})

    looped = run()
    assert min(len(looped[name]) for name in ("a", "b")) > 50
    assert looped["b"].step.max() > STEPS - 10
    same(looped, stepped(monkeypatch, run))


def test_it_goes_on_from_a_state_and_with_more_events_than_there_was_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    net, given = network(CELLS["refractory"]), stimulus(2)
    monkeypatch.setattr(loop, "ROOM", 1)
    early = {name: array[:30] if len(array) > 1 else array for name, array in given.items()}
    late = {name: array[30:] if len(array) > 1 else array for name, array in given.items()}
    start = simulate(net, early, 30).state
    again = simulate(net, late, STEPS - 30, start=start)
    same(again, stepped(monkeypatch, lambda: simulate(net, late, STEPS - 30, start=start)))
    whole = simulate(net, given, STEPS)["b"]
    np.testing.assert_array_equal(again["b"].cell, whole.cell[whole.step >= 30])


def test_targets_that_16_bits_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    net, post = Network(dt=1.0), 70_000
    net.add(Population("few", 3, LIF()))
    net.add(Population("many", post, LIF()))
    reached = np.array([0, 65_535, 65_536, post - 1])
    synapses = Sparse.from_coo(np.repeat([0, 1, 2], 4), np.tile(reached, 3), 1.5, (3, post))
    net.connect("few", "many", synapses)
    recording = simulate(net, {"few": [[1.1, 0.0, 0.0]]}, 4)
    assert synapses.narrow.dtype == np.uint32
    assert sorted(set(recording["many"].cell.tolist())) == reached.tolist()
    same(recording, stepped(monkeypatch, lambda: simulate(net, {"few": [[1.1, 0.0, 0.0]]}, 4)))


def test_it_ends_where_a_condition_holds_and_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    net, given = network(CELLS["subtraction"]), stimulus(1)
    same(
        simulate(net, given, STEPS, until=after_spikes("b", 40)),
        stepped(monkeypatch, lambda: simulate(net, given, STEPS, until=after_spikes("b", 40))),
    )
    told: list[int] = []
    simulate(net, given, STEPS, progress=lambda done, steps: told.append(done))
    assert told == [32, 64, 70]


def test_sources_drive_it(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(CELLS["subtraction"])

    def run() -> Recording:
        return simulate(net, {"clamped": poisson(90.0, seed=3), "b": [0.06]}, STEPS, trials=2)

    same(run(), stepped(monkeypatch, run))


def test_plain_networks_take_no_single_steps_and_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    inhibited = Network(dt=1.0)
    inhibited.add(Population("a", 20, LIF(), inhibition=KWinners(k=2, cycle=5.0)))
    assert len(simulate(inhibited, {"a": [0.3]}, 20)["a"]) == 8

    def refuse(*_: object) -> None:
        raise AssertionError("a single step")

    monkeypatch.setattr(EventGroup, "advance", refuse)
    assert len(simulate(network(CELLS["subtraction"]), stimulus(1), STEPS)["a"]) > 50
    with pytest.raises(AssertionError, match="a single step"):
        simulate(inhibited, {"a": [0.3]}, 20)


def test_a_constant_current_takes_no_memory_and_one_of_each_step_is_not_copied() -> None:
    cells, steps = 20_000, 5_000
    net = Network(dt=1.0)
    net.add(Population("cells", cells, LIF(tau=20.0)))
    varying = np.full((100, cells), 0.01)
    for given, taken in (({"cells": np.full((1, cells), 0.01)}, steps), ({"cells": varying}, 100)):
        simulate(net, given, taken)
        tracemalloc.start()
        simulate(net, given, taken)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 6e6  # 800 MB and 16 MB of current


@pytest.mark.parametrize("neuron", CELLS)
@pytest.mark.parametrize("worst", [np.nan, np.inf, -np.inf])
def test_a_current_that_is_not_finite_is_refused(neuron: str, worst: float) -> None:
    net = Network(dt=1.0)
    net.add(Population("a", 3, CELLS[neuron]))
    current = np.full((20, 3), 0.4)
    current[5, 1] = worst
    with pytest.raises(StimulusError, match="stimulus for 'a': NaN or infinity"):
        simulate(net, {"a": current}, 20)


def test_a_wrong_constant_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests compare can differ."""
    net, given = network(CELLS["subtraction"]), stimulus(1)
    other = network(LIF(tau=15.000001))
    with pytest.raises(AssertionError):
        same(simulate(other, given, STEPS), stepped(monkeypatch, lambda: simulate(net, given, STEPS)))


def test_a_run_of_any_length_may_end_at_a_condition() -> None:
    """Room for all steps is not taken before it is known that they are."""
    net = Network(dt=1.0)
    for name in "abcdefgh":
        net.add(Population(name, 1, LIF(tau=20.0)))
    recording = simulate(net, {"a": [0.3]}, 2**31 - 1, until=after_spikes("a", 2))
    assert recording["a"].step.tolist() == [3, 7]
    assert recording.steps == 8

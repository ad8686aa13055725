"""simulate(): every rule of the step contract and of the inhibitions on an example worked out by hand, in both simulators."""

import io
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spikemem
from spikemem import LIF, CycleReset, KWinners, Network, Population, Recording, simulate
from spikemem.errors import NetworkError, StimulusError
from spikemem.network.synapses import Dense, OneBit, Sparse, all_to_all, one_to_one, pack

INTEGRATOR = LIF(tau=math.inf)  # theta 1, no leak: with dyadic currents every voltage below is exact
Run = Callable[..., Recording]


@pytest.fixture(params=["event", "torch"])
def run(request: pytest.FixtureRequest) -> Run:
    """simulate() with each simulator, recording every voltage."""

    def runner(net: Network, stimulus: Any, steps: int, **options: Any) -> Recording:
        every = {name: np.arange(p.size) for name, p in net.populations.items()}
        return simulate(net, stimulus, steps, simulator=request.param, **{"record": every, **options})

    return runner


def alone(size: int, inhibition: CycleReset | None = None, dt: float = 1.0) -> Network:
    net = Network(dt)
    net.add(Population("a", size, INTEGRATOR, inhibition))
    return net


def chain(source: CycleReset | None = None, target: CycleReset | None = None, dt: float = 1.0, **options: Any) -> Network:
    """Three cells "a", each onto its own cell of "b", with weight 2."""
    net = alone(3, source, dt)
    net.add(Population("b", 3, INTEGRATOR, target))
    net.connect("a", "b", one_to_one(2.0), **options)
    return net


def spikes(recording: Recording, name: str) -> list[tuple[int, int]]:
    """(step, cell), in the recorded order."""
    s = recording[name]
    return list(zip(s.step.tolist(), s.cell.tolist(), strict=True))


def voltages(recording: Recording, name: str, batch: int = 0) -> list[list[float]]:
    return [[float(v) for v in step] for step in recording.voltages[name][:, batch]]


# --- delays, clamped spikes, recorded voltages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_spike_lands_after_its_delay_and_at_no_other_step(run: Run, steps: int, dt: float) -> None:
    net = Network(dt)
    net.add(Population("a", 1))
    net.add(Population("b", 1, LIF(tau=math.inf, threshold=100.0)))
    net.connect("a", "b", all_to_all(1.5), delay=steps * dt)
    recording = run(net, {"a": np.arange(12) == 3}, 12)
    assert np.diff(recording.voltages["b"][:, 0, 0], prepend=0.0).tolist() == [1.5 if t == 3 + steps else 0.0 for t in range(12)]


def test_the_default_delay_is_one_step(run: Run) -> None:
    assert spikes(run(chain(dt=0.5), {"a": np.arange(4) == 1}, 4), "b") == [(2, 0), (2, 1), (2, 2)]


def test_a_cell_may_excite_itself(run: Run) -> None:
    net = alone(1, CycleReset(1.0))
    net.connect("a", "a", all_to_all(2.0), delay=3.0)
    assert spikes(run(net, {"a": [2.0, *[0.0] * 9]}, 10), "a") == [(0, 0), (3, 0), (6, 0), (9, 0)]


def test_clamped_cells_spike_when_told_to_and_at_no_other_time(run: Run) -> None:
    """Their input changes nothing, and their V stays 0."""
    net = chain()
    net.connect("b", "a", all_to_all(50.0))
    clamped = np.array([[1, 0, 0], [0, 0, 0], [0, 1, 1], [1, 0, 0], [1, 0, 0]], bool)
    recording = run(net, {"a": clamped, "b": [5.0]}, 5)
    assert len(recording["b"]) > 0
    np.testing.assert_array_equal(recording["a"].dense(5)[:, 0], clamped)
    assert not recording.voltages["a"].any()


def test_voltage_is_recorded_before_the_reset(run: Run) -> None:
    recording = run(alone(1), {"a": [0.75, 0.75, 0.0, 0.0]}, 4)
    assert spikes(recording, "a") == [(1, 0)]
    assert voltages(recording, "a") == [[0.75], [1.5], [0.5], [0.5]]


def test_only_chosen_cells_are_recorded_in_their_order(run: Run) -> None:
    recording = run(alone(3), {"a": [[0.25, 0.5, 0.75]]}, 2, record={"a": [2, 0]})
    assert voltages(recording, "a") == [[0.75, 0.25], [1.5, 0.5]]
    assert recording.cells["a"].tolist() == [2, 0]


def test_batch_items_do_not_touch(run: Run) -> None:
    """Each item of a batch does what it does alone."""
    net = chain(KWinners(cycle=4.0, k=2), CycleReset(3.0))
    net.connect("b", "a", all_to_all(0.25))
    currents = np.random.default_rng(0).integers(0, 64, (10, 4, 3)) / 64
    together = run(net, {"a": currents}, 10)
    for b in range(4):
        single = run(net, {"a": currents[:, b]}, 10)
        for name in ("a", "b", "a.basket"):
            assert spikes(single, name) == [(t, c) for t, i, c in zip(*_columns(together, name), strict=True) if i == b]
        assert voltages(single, "a") == voltages(together, "a", b)


def _columns(recording: Recording, name: str) -> tuple[list[int], list[int], list[int]]:
    s = recording[name]
    return s.step.tolist(), s.batch.tolist(), s.cell.tolist()


@pytest.mark.parametrize(
    ("synapses", "carried"),
    [
        (Dense(np.zeros((2, 70))), 3 * 70),
        (Sparse(np.array([0, 1, 5]), np.arange(5, dtype=np.int32), np.ones(5), 70), 2 * 1 + 4),
        (OneBit(pack(np.arange(64)[None] < np.array([[5], [9]])), np.array([0, 6]), 70), 2 * 5 + 9),
    ],
    ids=["dense", "sparse", "one-bit"],
)
def test_events_count_the_synapses_that_carried_a_spike(run: Run, synapses: Any, carried: int) -> None:
    """Cell 0 spikes twice and cell 1 once."""
    net = alone(2)
    net.add(Population("b", 70, LIF(threshold=100.0)))
    net.connect("a", "b", synapses)
    assert run(net, {"a": np.array([[1, 0], [1, 1], [0, 0]], bool)}, 3).events == carried


# --- CycleReset and KWinners --------------------------------------------------------------------------------------------------------


def test_cycle_reset_starts_the_membrane_anew(run: Run) -> None:
    """V[t] = I[t] at each cycle's first step; a spike in the step before is not reset twice."""
    recording = run(alone(1, CycleReset(cycle=1.5), dt=0.5), {"a": [0.5]}, 7)
    assert voltages(recording, "a") == [[0.5], [1.0], [1.5], [0.5], [1.0], [1.5], [0.5]]
    assert spikes(recording, "a") == [(2, 0), (5, 0)]


def test_winners_are_the_first_to_cross_and_the_rest_is_silenced(run: Run) -> None:
    """Cell 1 crosses at step 1, cell 0 at step 2, and makes the basket cell spike; cells 2 and 3 lose what they had."""
    recording = run(alone(4, KWinners(cycle=6.0, k=2)), {"a": [[0.5, 0.75, 0.25, 0.0]]}, 8)
    assert spikes(recording, "a") == [(1, 1), (2, 0), (7, 1)]
    assert spikes(recording, "a.basket") == [(2, 0)]
    assert voltages(recording, "a") == [
        [0.5, 0.75, 0.25, 0.0],
        [1.0, 1.5, 0.5, 0.0],
        [1.5, 0.0, 0.0, 0.0],
        *[[0.0, 0.0, 0.0, 0.0]] * 3,
        [0.5, 0.75, 0.25, 0.0],  # the second cycle
        [1.0, 1.5, 0.5, 0.0],
    ]


def test_of_those_that_cross_together_the_higher_wins(run: Run) -> None:
    recording = run(alone(4, KWinners(k=2)), {"a": [[1.25, 1.75, 1.5, 2.0]]}, 3)
    assert spikes(recording, "a") == [(0, 3), (0, 1)]
    assert voltages(recording, "a")[0] == [0.0, 1.75, 0.0, 2.0]


def test_of_equals_the_lower_index_wins(run: Run) -> None:
    recording = run(alone(40, KWinners(k=3)), {"a": [np.where(np.arange(40) % 10 == 7, 2.0, 1.5)]}, 3)
    assert spikes(recording, "a") == [(0, 7), (0, 17), (0, 27)]
    recording = run(alone(40, KWinners(k=3)), {"a": [np.where(np.arange(40) == 7, 2.0, 1.5)]}, 3)
    assert spikes(recording, "a") == [(0, 7), (0, 0), (0, 1)]


def test_a_winner_spikes_once_a_cycle_though_there_is_room(run: Run) -> None:
    recording = run(alone(2, KWinners(cycle=5.0, k=2)), {"a": [[3.0, 0.125]]}, 10)
    assert spikes(recording, "a") == [(0, 0), (5, 0)]
    assert spikes(recording, "a.basket") == []
    assert [v[0] for v in voltages(recording, "a")] == [3.0, 0, 0, 0, 0] * 2
    assert [v[1] for v in voltages(recording, "a")] == [0.125, 0.25, 0.375, 0.5, 0.625] * 2


def test_input_at_the_basket_spike_is_lost(run: Run) -> None:
    """Cell 1 has nearly crossed when cell 0 wins; held at 0, it misses a later input as well."""
    currents = np.array([[0.0, 0.75], [2.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    recording = run(alone(2, KWinners(cycle=4.0, k=1)), {"a": currents}, 4)
    assert spikes(recording, "a") == [(1, 0)]
    assert [v[1] for v in voltages(recording, "a")] == [0.75, 0.0, 0.0, 0.0]


def test_more_winners_than_cells_never_excite_the_basket_cell(run: Run) -> None:
    recording = run(alone(2, KWinners(cycle=3.0, k=3)), {"a": [1.5]}, 6)
    assert spikes(recording, "a") == [(0, 0), (0, 1), (3, 0), (3, 1)]
    assert spikes(recording, "a.basket") == []


# --- first --------------------------------------------------------------------------------------------------------------------------


def test_first_carries_the_first_spikes_of_each_cycle(run: Run) -> None:
    """Cells fire in the order 2, 1, 0; with first=2 cell 0's spikes are never carried, and the count starts anew with the cycle."""
    net = chain(KWinners(cycle=5.0, k=3), CycleReset(5.0), first=2)
    recording = run(net, {"a": [[0.375, 0.625, 1.5]]}, 10)
    assert spikes(recording, "a") == [(0, 2), (1, 1), (2, 0), (5, 2), (6, 1), (7, 0)]
    assert {cell for _, cell in spikes(recording, "b")} == {1, 2}
    assert recording.events == 4


def test_first_counts_in_firing_order_within_a_step(run: Run) -> None:
    recording = run(chain(KWinners(k=3), first=1), {"a": [[1.5, 2.0, 1.75], [0, 0, 0]]}, 2)
    assert spikes(recording, "a") == [(0, 1), (0, 2), (0, 0)]
    assert spikes(recording, "b") == [(1, 1)]


def test_first_counts_clamped_spikes_by_step_then_index(run: Run) -> None:
    clamped = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 0, 1], [0, 0, 0]], bool)
    net = chain(KWinners(cycle=4.0, k=1), CycleReset(1.0), first=2)
    recording = run(net, {"a": clamped}, 6)
    np.testing.assert_array_equal(recording["a"].dense(6)[:, 0], clamped)  # the inhibition does not choose among clamped spikes
    assert spikes(recording, "b") == [(2, 1), (3, 0), (5, 2)]
    assert spikes(recording, "a.basket") == []


# --- stimulus, options, errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [np.array([0.5, 0.75, 1.0, 1.5]), np.array([True, False, True, True])], ids=["current", "clamped"])
def test_every_shape_of_stimulus_means_the_same(run: Run, values: Any) -> None:
    whole = np.broadcast_to(values[:, None, None], (4, 2, 3))
    expected = run(alone(3), {"a": whole}, 4)["a"].dense(4, 2)
    assert expected.any()
    for given in (values, values[:, None], whole[:, 0], values[:, None, None], whole[:, :1], whole[:, :, :1]):
        recording = run(alone(3), {"a": given}, 4)
        np.testing.assert_array_equal(recording["a"].dense(4, recording.batches), expected[:, : recording.batches])


def test_time_one_repeats_the_step(run: Run) -> None:
    once, whole = (run(alone(3), {"a": np.full((time, 1, 3), 0.75)}, 6) for time in (1, 6))
    assert spikes(once, "a") == spikes(whole, "a") != []


def test_whole_numbers_are_currents(run: Run) -> None:
    assert voltages(run(alone(1), {"a": [0, 1, 0]}, 3), "a") == [[0.0], [1.0], [1.0]]


def test_no_stimulus_no_spikes(run: Run) -> None:
    assert len(run(chain(), {}, 5)["b"]) == 0


@pytest.mark.parametrize(
    ("stimulus", "message"),
    [
        ({"x": [1.0]}, "stimulus for 'x', but the populations are a, b"),
        ({"a": np.zeros(4)}, r"shape \(4, 1, 1\); expected \[5 or 1, batch, 3 or 1\]"),
        ({"a": np.zeros(0)}, r"shape \(0, 1, 1\)"),
        ({"a": np.zeros((5, 2))}, r"shape \(5, 1, 2\)"),
        ({"a": np.zeros((5, 0, 3))}, r"shape \(5, 0, 3\)"),
        ({"a": np.zeros((5, 0, 3), bool)}, r"shape \(5, 0, 3\)"),
        ({"a": np.zeros((5, 2, 3)), "b": np.zeros((5, 4, 3))}, "'b' has batch 4, another one has 2"),
        ({"a": np.zeros((1, 1, 1, 1))}, r"has shape \(1, 1, 1, 1\); give "),
        ({"a": 1.0}, r"has shape \(\); give "),
        ({"a": None}, "expected numbers"),
        ({"a": ["x"]}, "expected numbers"),
        ({"a": [1j]}, "expected numbers"),
        ({"a": [[1.0], [1.0, 2.0]]}, "stimulus for 'a'"),
        ({"a": [math.nan]}, "NaN or infinity"),
        ({"a": [-math.inf]}, "NaN or infinity"),
    ],
)
def test_a_bad_stimulus_is_explained(stimulus: Any, message: str) -> None:
    with pytest.raises(StimulusError, match=message):
        simulate(chain(), stimulus, 5)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"x": [0]}, "voltages of 'x', but the populations are a, b"),
        ({"a.basket": [0]}, "voltages of 'a.basket'"),
        ({"a": [3]}, "3 to 3, which reaches outside 0 to 2"),
        ({"a": [-1]}, "-1 to -1, which reaches outside 0 to 2"),
        ({"a": [[0, 1]]}, "'a'"),
        ({"a": "all"}, "'a'"),
    ],
)
def test_a_bad_record_is_explained(record: Any, message: str) -> None:
    with pytest.raises(StimulusError, match=message):
        simulate(chain(KWinners()), {}, 5, record=record)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"steps": 0}, StimulusError, "steps is 0"),
        ({"dtype": "float16"}, StimulusError, "dtype is 'float16'; it must be one of float64, float32"),
        ({"dtype": "float32"}, StimulusError, 'use "torch" for float32'),
        ({"simulator": "brian"}, NetworkError, "no simulator 'brian'"),
        ({"simulator": "torch", "device": "abacus"}, NetworkError, "device 'abacus' cannot be used"),
    ],
)
def test_a_bad_option_is_explained(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        simulate(chain(), {}, **{"steps": 5, **options})


def test_progress_rises_to_the_whole(run: Run) -> None:
    calls: list[tuple[int, int]] = []
    run(alone(1), {}, 100, progress=lambda done, whole: calls.append((done, whole)))
    assert calls == sorted(set(calls))
    assert len(calls) > 1
    assert calls[-1] == (100, 100)
    assert {whole for _, whole in calls} == {100}


def test_a_simulation_leaves_no_trace(run: Run) -> None:
    """Nothing is kept in the network: a second run gives the same, and so does an equal network."""
    net, stimulus = chain(KWinners(k=2)), {"a": [[0.75, 0.5, 0.25]]}
    first, second, other = (spikes(run(n, stimulus, 20), "b") for n in (net, net, chain(KWinners(k=2))))
    assert first == second == other != []


@pytest.mark.slow
def test_no_library_is_imported_before_its_simulator_runs() -> None:
    """With the package's own head left out, since it may import what it likes."""
    head = "import sys, types; sys.modules['spikemem'] = head = types.ModuleType('spikemem'); head.__path__ = [sys.argv[1]]; "
    tail = "import spikemem.simulators; print({'torch', 'numba', 'snntorch', 'norse', 'brian2'} & set(sys.modules))"
    folder = str(Path(spikemem.__file__).parent)
    shown = subprocess.run([sys.executable, "-c", head + tail, folder], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_a_bar_shows_on_a_terminal_alone(simulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Network()
    net.add(Population("a", 1))

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    pipe = io.StringIO()
    for stream, progress, shows in ((Terminal(), True, True), (pipe, True, False), (Terminal(), False, False), (Terminal(), None, False)):
        monkeypatch.setattr("sys.stderr", stream)
        simulate(net, {}, 40, simulator=simulator, progress=progress)
        assert ("simulating" in stream.getvalue()) == shows
    with pytest.raises(StimulusError, match="progress is 3; give True for a bar, or a function"):
        simulate(net, {}, 40, progress=3)  # type: ignore[arg-type]

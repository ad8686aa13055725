"""The state of a run in memory and in a file: no larger than the network, enough to go on from, and nothing else is taken for one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, STDP, KWinners, Network, OrnsteinUhlenbeck, Population, TripletSTDP, poisson, simulate
from spikemem.errors import SnapshotError, StimulusError
from spikemem.network import all_to_all, sparse_random
from spikemem.network.plasticity.coincidence import Coincidence
from spikemem.simulators import RunState
from spikemem.snapshot import save_arrays

STEPS, CUT = 60, 23
RULES = [STDP(a_plus=0.05), TripletSTDP(), Coincidence()]


def learning(rule: Any = RULES[0], seed: int = 0) -> Network:
    net = Network()
    net.add(Population("in", 30, poisson(100.0, seed=2)))
    net.add(Population("out", 10, LIF(tau=10.0, refractory=2.0), KWinners(7.0, (3, 1)), noise=OrnsteinUhlenbeck(0.1, 5.0)))
    net.connect("in", "out", sparse_random(7, seed, low=0.1, high=0.4), delay=5.0, plasticity=rule)
    net.connect("in", "out", all_to_all(0.02), delay=2.0, plasticity=rule)
    return net


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize(("first", "second"), [("event", "event"), ("torch", "torch"), ("event", "torch"), ("torch", "event")])
def test_a_run_goes_on_from_a_file(rule: Any, first: str, second: str, tmp_path: Path) -> None:
    whole = simulate(learning(rule), {}, STEPS, simulator=second, trials=2)
    begun = simulate(learning(rule), {}, CUT, simulator=first, trials=2)
    path = begun.state.save(tmp_path / "state.safetensors")
    rest = simulate(learning(rule), {}, STEPS - CUT, simulator=second, start=RunState.load(path))
    for name, spikes in whole.spikes.items():
        if name in begun.spikes:
            assert [*begun[name].step, *(rest[name].step + CUT)] == spikes.step.tolist()
            assert [*begun[name].cell, *rest[name].cell] == spikes.cell.tolist()
    for name, weights in whole.weights.items():
        np.testing.assert_allclose(rest.weights[name], weights, atol=1e-9)
        assert np.abs(weights - learning(rule).projections[0].synapses.matrix()).max() > 0.01


@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_a_state_holds_sparse_synapses_sparsely(simulator: str) -> None:
    recording = simulate(learning(), {}, CUT, simulator=simulator, trials=2)
    rule = recording.state.rules["in->out"]
    assert rule.fields["weights"].shape == (2, 70)
    np.testing.assert_array_equal(rule.matrix(), recording.weights["in->out"])
    joined = learning().projections[0].synapses.matrix() > 0
    assert (recording.weights["in->out"] > 0).sum() == 2 * joined.sum()
    assert recording.state.rules["in->out#2"].matrix().shape == (2, 30, 10)


def test_many_plastic_cells_take_what_their_synapses_take() -> None:
    net = Network()
    net.add(Population("in", 20_000, poisson(1.0)))
    net.add(Population("out", 20_000))
    net.connect("in", "out", sparse_random(2), plasticity=STDP(w_max=2.0))
    state = simulate(net, {}, 2).state
    assert sum(array.nbytes for array in state.rules["in->out"].fields.values()) < 2**20
    assert simulate(net, {}, 2, start=state).state.step == 4
    with pytest.raises(StimulusError, match="more than"):
        state.rules["in->out"].matrix()


def test_coloured_noise_goes_on_from_its_state() -> None:
    noise = OrnsteinUhlenbeck(1.5, tau=10.0, seed=3)
    whole = noise.drawn("a", steps=90, cells=4, dt=1.0)
    np.testing.assert_array_equal(noise.drawn("a", 50, 4, 1.0, before=40, last=whole[39]), whole[40:])
    np.testing.assert_array_equal(noise.drawn("a", 50, 4, 1.0, before=40), whole[40:])
    state = simulate(learning(), {}, CUT, record={"out": range(10)}).state
    shifted = replace(state, noise={"out": state.noise["out"] + 5.0})
    kept, other = (simulate(learning(), {}, 20, start=s, record={"out": range(10)}).voltages["out"] for s in (state, shifted))
    assert not np.allclose(kept, other)  # so it was not computed anew


def test_a_stopped_run_remembers_the_noise_of_its_last_step() -> None:
    whole = simulate(learning(), {}, STEPS, record={"out": range(10)})
    cut = simulate(learning(), {}, STEPS, until=lambda now: now.step == CUT)
    rest = simulate(learning(), {}, STEPS - CUT, start=cut.state, record={"out": range(10)})
    np.testing.assert_allclose(rest.voltages["out"], whole.voltages["out"][CUT:], atol=1e-12)


def test_a_state_of_other_synapses_is_refused() -> None:
    state = simulate(learning(), {}, 5).state
    with pytest.raises(StimulusError, match="its projection 'in->out' is wired otherwise"):
        simulate(learning(seed=1), {}, 5, start=state)


def stored(tmp_path: Path) -> tuple[Path, RunState]:
    state = simulate(learning(), {}, CUT).state
    return state.save(tmp_path / "s"), state


def test_damage_is_named(tmp_path: Path) -> None:
    path, _ = stored(tmp_path)
    content = path.read_bytes()
    for damaged in (content[:-9], content[:40], b"", b"PK\x03\x04", content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]):
        path.write_bytes(damaged)
        with pytest.raises(SnapshotError, match=str(path)):
            RunState.load(path)
    with pytest.raises(SnapshotError, match="cannot be read"):
        RunState.load(tmp_path / "nowhere")
    other = save_arrays(tmp_path / "other", {"a": np.zeros(3)}, {"format": "spikemem-weights-1"})
    with pytest.raises(SnapshotError, match="has format 'spikemem-weights-1'"):
        RunState.load(other)


def bad(state: RunState, **parts: Any) -> RunState:
    return replace(state, **parts)


HOSTILE: list[tuple[str, Any, str]] = [
    ("a cell that is not there", lambda s: bad(s, recent={**s.recent, "in": np.array([[22, 0, 30, 0]])}), "reaches outside 0 to 29"),
    ("a step to come", lambda s: bad(s, recent={**s.recent, "in": np.array([[CUT, 0, 1, 0]])}), "reaches outside 0 to 22"),
    ("too few voltages", lambda s: bad(s, cells={**s.cells, "out": {"voltage": np.zeros((1, 9))}}), "'voltage' of 'out'"),
    ("no whole counts", lambda s: bad(s, count={**s.count, "out": np.array([0.5])}), "expected whole numbers"),
    ("infinite noise", lambda s: bad(s, noise={"out": np.full((1, 10), np.inf)}), "infinity"),
    ("another batch", lambda s: bad(s, batches=2), "shape"),
    ("objects", lambda s: bad(s, step=0), "step is 0"),
]


@pytest.mark.parametrize(("make", "message"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_states_are_refused(make: Any, message: str, tmp_path: Path) -> None:
    path, state = stored(tmp_path)
    with pytest.raises(SnapshotError, match=message) as caught:
        RunState.load(make(state).save(path))
    assert str(path) in str(caught.value)


def test_hostile_weights_are_refused_before_they_are_followed(tmp_path: Path) -> None:
    path, state = stored(tmp_path)
    rule = state.rules["in->out"]
    for other, message in (
        (replace(rule, targets=rule.targets + 5000), "wired otherwise"),
        (replace(rule, fields={**rule.fields, "weights": np.zeros((1, 69))}), "'weights' of 'in->out' has shape"),
        (replace(rule, fields={**rule.fields, "pre_trace": np.zeros((1, 3))}), "'pre_trace' of 'in->out' has shape"),
        (replace(rule, shape=(30, 11)), "wired otherwise"),
    ):
        loaded = RunState.load(bad(state, rules={**state.rules, "in->out": other}).save(path))
        with pytest.raises(StimulusError, match=message):
            simulate(learning(), {}, 5, start=loaded)

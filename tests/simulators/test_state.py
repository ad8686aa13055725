"""A run that is cut in two, the second going on where the first ended, is the run in one piece."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikemem import (
    LIF,
    STDP,
    KWinners,
    Logistic,
    Network,
    OrnsteinUhlenbeck,
    Population,
    Recording,
    Shot,
    White,
    bursts,
    poisson,
    regular,
    simulate,
)
from spikemem.errors import StimulusError, UnsupportedError
from spikemem.network import all_to_all
from tests.crosscheck.test_cells import every
from tests.crosscheck.test_contract import LENGTHY, STEPS, Case, cases

KINDS = [("event", "event"), ("torch", "torch"), ("event", "torch"), ("torch", "event")]


def part(case: Case, place: str, steps: slice, start: Any = None) -> Recording:
    """Some steps of a case, with every voltage."""
    chosen = {name: np.arange(p.size) for name, p in case.net.populations.items()}
    count = len(range(*steps.indices(STEPS)))
    driven = {name: given[steps] if len(given) > 1 else given for name, given in case.stimulus.items()}
    return simulate(case.net, driven, count, simulator=place, record=chosen, start=start)


def joined(case: Case, cut: int, first: str, second: str) -> None:
    whole = part(case, first, slice(0, STEPS))
    begun = part(case, first, slice(0, cut))
    rest = part(case, second, slice(cut, STEPS), begun.state)
    both = begun.then(rest)
    assert (both.steps, both.state.step, both.events) == (STEPS, STEPS, whole.events)
    for name, spikes in whole.spikes.items():
        assert both[name].step.tolist() == spikes.step.tolist(), name
        assert both[name].cell.tolist() == spikes.cell.tolist(), name
    for name, voltage in whole.voltages.items():
        np.testing.assert_allclose(both.voltages[name], voltage, rtol=1e-9, atol=1e-9)
    for name, weights in whole.weights.items():
        np.testing.assert_allclose(both.weights[name], weights, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), KINDS)
def test_two_runs_are_one(first: str, second: str) -> None:
    @settings(LENGTHY, max_examples=30, database=None)
    @given(
        cases(dyadic=True) | cases(cells=every, dyadic=True) | cases() if first == second else cases(dyadic=True), st.integers(1, STEPS - 1)
    )
    def run(case: Case, cut: int) -> None:
        joined(case, cut, first, second)

    run()


def noisy() -> Network:
    """A learning network with sources, noise, delays and a race, whose spikes are under way at any moment."""
    net = Network()
    net.add(Population("in", 20, poisson(150.0, seed=2)))
    net.add(Population("out", 10, LIF(tau=10.0, refractory=2.0), KWinners(7.0, (3, 1)), noise=OrnsteinUhlenbeck(0.1, 5.0)))
    net.connect("in", "out", all_to_all(0.3), delay=5.0, plasticity=STDP(a_plus=0.05))
    net.connect("out", "out", all_to_all(-0.05), delay=3.0)
    return net


@pytest.mark.parametrize(("first", "second"), KINDS)
@pytest.mark.parametrize("cut", [1, 6, 13])
def test_what_is_under_way_arrives(first: str, second: str, cut: int) -> None:
    case = Case(noisy(), {}, 1)
    joined(case, cut, first, second)
    begun = part(case, first, slice(0, cut))
    anew = part(case, second, slice(cut, STEPS))
    rest = part(case, second, slice(cut, STEPS), begun.state)
    assert anew["in"].step.tolist() != rest["in"].step.tolist()  # the source goes on, and does not begin again


def test_a_state_can_be_used_twice() -> None:
    case = Case(noisy(), {}, 1)
    state = part(case, "event", slice(0, 10)).state
    assert repr(state) == "RunState(after 10 steps, batch 1, in, out)"
    once, again = (part(case, "event", slice(10, STEPS), state) for _ in range(2))
    assert once["out"].step.tolist() == again["out"].step.tolist()
    np.testing.assert_array_equal(once.weights["in->out"], again.weights["in->out"])


def test_snntorch_goes_on() -> None:
    net = Network()
    net.add(Population("a", 3, LIF(tau=10.0, tau_syn=4.0), voltage=0.3))
    net.connect("a", "a", all_to_all(0.1), delay=3.0)
    joined(Case(net, {"a": np.array([0.1, 0.2, 0.3]).reshape(1, 1, 3)}, 1), 9, "snntorch", "snntorch")


def test_chunks_are_one_run_in_spikes_events_and_draws() -> None:
    """Also over the border of a block of draws, and with few synapses that carry late."""
    net = Network(0.5)
    for name, source in (
        ("p", poisson([80.0, 20.0], every=9000.0)),
        ("r", regular(90.0, phase=3.0)),
        ("b", bursts(9.0, count=3, interval=4.0)),
    ):
        net.add(Population(name, 3, source))
    for name, noise in (("l", Logistic(0.2)), ("o", OrnsteinUhlenbeck(0.2, 7.0)), ("w", White(0.1)), ("s", Shot(200.0, 0.2))):
        net.add(Population(name, 2, LIF(tau=5.0), noise=noise))
        net.connect("p", name, all_to_all(0.3), delay=9.0)
    steps, cuts = 17_000, [0, 40, 700, 16_380, 16_390, 17_000]
    whole, parts, state = simulate(net, {}, steps), [], None
    for begin, end in pairwise(cuts):
        parts.append(simulate(net, {}, end - begin, start=state))
        state = parts[-1].state
    for name, spikes in whole.spikes.items():
        assert len(spikes) > 100
        assert [t + c for part, c in zip(parts, cuts, strict=False) for t in part[name].step.tolist()] == spikes.step.tolist(), name
    assert sum(part.events for part in parts) == whole.events


def test_a_recording_that_cannot_tell_where_it_ended_says_so(tmp_path: Path) -> None:
    loaded = Recording.load(simulate(noisy(), {}, 5).save(tmp_path / "r.npz"))
    with pytest.raises(UnsupportedError, match="does not know where it ended"):
        _ = loaded.state


@pytest.mark.parametrize("name", ["brian2", "norse"])
def test_what_cannot_go_on_says_so(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    state = simulate(noisy(), {}, 5).state
    with pytest.raises(UnsupportedError, match=r"cannot go on from .*an earlier run"):
        simulate(noisy(), {}, 5, simulator=name, start=state)


def test_a_state_of_something_else_is_refused() -> None:
    state, other = simulate(noisy(), {}, 5).state, Network()
    other.add(Population("in", 20))
    with pytest.raises(StimulusError, match="start is of another network: its population 'in' is Poisson x 20, this one's LIF x 20"):
        simulate(other, {}, 5, start=state)
    fixed = Network()
    for population in noisy().populations.values():
        fixed.add(population)
    for q in noisy().projections:
        fixed.connect(q.pre, q.post, q.synapses, delay=q.delay)
    with pytest.raises(StimulusError, match="its projection 'in->out' is 5 ms, STDP, this one's 5 ms, fixed"):
        simulate(fixed, {}, 5, start=state)
    with pytest.raises(StimulusError, match="start has 1 batch items, and the stimulus 2"):
        simulate(noisy(), {"out": np.zeros((5, 2, 10))}, 5, start=state)
    with pytest.raises(StimulusError, match="give the `state` of a recording"):
        simulate(noisy(), {}, 5, start=simulate(noisy(), {}, 5))  # type: ignore[arg-type]


def test_recordings_that_do_not_follow_one_another_are_told_apart(tmp_path: Path) -> None:
    record = {"out": [1], "in->out": 4}
    first = simulate(noisy(), {}, 8, record=record).marked(cue=[3])
    later = simulate(noisy(), {}, 6, record=record, start=first.state).marked(cue=[1], end=[5])
    both = first.then(later)
    assert both.marks == {"cue": [3, 9], "end": [13]}
    np.testing.assert_array_equal(both.course("in->out").time, [0, 4, 8, 12])
    np.testing.assert_array_equal(both.snapshots["in->out"], simulate(noisy(), {}, 14, record=record).snapshots["in->out"])
    assert Recording.load(first.save(tmp_path / "first.npz")).then(later).steps == 14  # a file does not know where its run ended
    for other, said in (
        (simulate(noisy(), {}, 6, record=record), "the first run ended after 8 steps, and the later one went on after 0"),
        (simulate(noisy(), {}, 6, record={"out": [2], "in->out": 4}), "differ in the cells whose voltage they have"),
        (simulate(noisy(), {}, 6, record={"out": [1]}), "differ in the weights that they have over time"),
        (simulate(noisy(), {}, 6, record=record, trials=2), "differ in their batch items, 1 and 2"),
    ):
        with pytest.raises(StimulusError, match=said):
            first.then(other)
    with pytest.raises(StimulusError, match="ends between two steps at which weights of 'in->out' are recorded"):
        later.then(first)
    with pytest.raises(StimulusError, match="later"):
        first.then(14)  # type: ignore[arg-type]

"""What features of a run do to one another: trials, delays, receptors, weights over time, folders, stop conditions."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import LIF, STDP, Exponential, Network, Population, Receptors, Recording, regular, simulate
from spikemem.errors import NetworkError, StimulusError
from spikemem.network import Dense, Sparse, all_to_all
from spikemem.simulators import weight_course


def learner() -> Network:
    net = Network(dt=1.0)
    net.add(Population("i", 3, regular(50.0, phase=[1.0, 2.0, 3.0])))
    net.add(Population("c", 2, LIF(tau=10.0)))
    net.connect("i", "c", Dense(np.full((3, 2), 0.4)), plasticity=STDP(a_plus=0.05, a_minus=0.05))
    return net


def test_a_trial_has_its_own_weights_over_time(tmp_path: Path) -> None:
    whole = simulate(learner(), {"c": np.random.default_rng(0).normal(0, 1, (60, 3, 2))}, 60, record={"i->c": 20})
    one = whole.trial(1)
    np.testing.assert_array_equal(one.course("i->c").weights["i->c"][:, 0], whole.course("i->c").weights["i->c"][:, 1])
    assert not np.array_equal(whole.snapshots["i->c"][:, 0], whole.snapshots["i->c"][:, 1])
    again = Recording.load(one.save(tmp_path / "one.npz"))
    np.testing.assert_array_equal(again.snapshots["i->c"], one.snapshots["i->c"])


def test_a_run_in_a_folder_goes_on_with_the_same_voltages_alone(tmp_path: Path) -> None:
    begun = simulate(learner(), {}, 20, record={"c": [0]}, to=tmp_path / "run")
    for record in ({"c": [1]}, None):
        with pytest.raises(StimulusError, match="other cells"):
            simulate(learner(), {}, 20, record=record, to=tmp_path / "run", start=begun.state)
    on = simulate(learner(), {}, 20, record={"c": [0]}, to=tmp_path / "run", start=begun.state)
    np.testing.assert_array_equal(on.voltages["c"], simulate(learner(), {}, 40, record={"c": [0]}).voltages["c"])


def test_a_state_is_of_its_receptors() -> None:
    def net(*names: str) -> Network:
        made, taus = Network(dt=1.0), {"a": Exponential(5.0), "b": Exponential(50.0)}
        made.add(Population("c", 1, Receptors(LIF(), **{name: taus[name] for name in names})))
        return made

    state = simulate(net("a", "b"), {}, 5).state
    with pytest.raises(StimulusError, match="another network"):
        simulate(net("b", "a"), {}, 5, start=state)


@pytest.mark.parametrize("kind", [Dense, Sparse])
def test_events_are_those_that_arrive(kind: type[Dense] | type[Sparse]) -> None:
    weights, delays = np.full((1, 2), 0.1), np.array([[1.0, 10.0]])
    synapses = Dense(weights) if kind is Dense else Sparse.from_coo([0, 0], [0, 1], [0.1, 0.1], (1, 2), delays=[1.0, 10.0])
    net = Network(dt=1.0)
    net.add(Population("a", 1, LIF()))
    net.add(Population("b", 2, LIF()))
    net.connect("a", "b", synapses, delay=delays if kind is Dense else None)
    spike = (np.arange(5) == 0)[:, None, None]
    first = simulate(net, {"a": spike}, 5)
    assert first.events == 1
    assert simulate(net, {"a": np.zeros((1, 1), bool)}, 10, start=first.state).events == 1
    assert simulate(net, {"a": np.concatenate([spike, np.zeros((10, 1, 1), bool)])}, 15).events == 2


def test_weights_are_looked_at_after_even_parts() -> None:
    with pytest.raises(NetworkError, match="take 100 steps"):
        weight_course(learner(), {}, 101, snapshots=4)


def test_conditions_and_rules_that_are_none_are_named() -> None:
    with pytest.raises(StimulusError, match="a condition returns"):
        simulate(learner(), {}, 20, until=lambda now: now.spikes("c"))  # type: ignore[typeddict-item, arg-type, return-value]
    with pytest.raises(NetworkError, match="call it first"):
        learner().connect("i", "c", all_to_all)  # type: ignore[arg-type]

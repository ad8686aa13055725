"""Cascade synapses: equal states, the forgetting of closed forms, and the same draws in every simulator."""

import importlib.util

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Cascade, Network, Population, simulate
from spikemem.errors import NetworkError
from spikemem.network import Dense

BRIAN2 = pytest.param(
    "brian2", marks=[pytest.mark.slow, pytest.mark.skipif(importlib.util.find_spec("brian2") is None, reason="brian2 is not installed")]
)


def volleys(steps: int, cells: int, batches: int = 1, seed: int = 0) -> NDArray[np.bool_]:
    """Half of the cells at random in each step, [time, batch, cell]."""
    return np.random.default_rng(seed).random((steps, batches, cells)) < 0.5


def taught(steps: int, cells: int, batches: int = 1) -> NDArray[np.bool_]:
    """The volleys of the other side, a step later, when a synapse sees both."""
    return np.concatenate([np.zeros((1, batches, cells), bool), volleys(steps - 1, cells, batches, 1)])


def learned(rule: Cascade, steps: int, cells: int, batches: int = 1, simulator: str = "event") -> NDArray[np.float64]:
    """The weights after random volleys on both sides, in the same step, [batch, pre, post]."""
    net = Network()
    for name in "ab":
        net.add(Population(name, cells))
    net.connect("a", "b", Dense(np.where(np.eye(cells), rule.w_max, rule.w_min)), plasticity=rule, delay=1.0 + rule.dendritic)
    return simulate(net, {"a": volleys(steps, cells, batches), "b": taught(steps, cells, batches)}, steps, simulator=simulator).weights[
        "a->b"
    ]


@pytest.mark.parametrize("x", [0.5, 0.3])
@pytest.mark.parametrize("levels", [1, 2, 7])
def test_all_states_are_equally_frequent(levels: int, x: float) -> None:
    """Fusi, Drew & Abbott (2005) chose the probabilities so."""
    move = Cascade(levels, x, rate=0.7).transition(0.5)
    even = np.full(2 * levels, 1 / (2 * levels))
    assert move.sum(0) == pytest.approx(np.ones(2 * levels))
    assert (move >= 0).all()
    assert move @ even == pytest.approx(even)


def trace(rule: Cascade, times: list[int]) -> NDArray[np.float64]:
    """How much more often a synapse is strong, by 2, after one potentiation among so many random changes, by the chain of states."""
    n = rule.levels
    state, sign = rule.transition(1.0) @ np.full(2 * n, 1 / (2 * n)), np.repeat([1.0, -1.0], n)
    return np.array([sign @ np.linalg.matrix_power(rule.transition(0.5), t) @ state for t in times])


def test_one_level_forgets_exponentially_and_a_cascade_by_a_power() -> None:
    times = [8, 16, 32, 64, 128]
    one = trace(Cascade(1, rate=0.05), times)
    assert one == pytest.approx(0.05 * 0.95 ** np.array(times))
    slopes = np.diff(np.log(trace(Cascade(12), times))) / np.log(2)
    assert slopes == pytest.approx(-0.65 * np.ones(4), abs=0.1)
    assert np.ptp(np.diff(np.log(one)) / np.log(2)) > 1


def test_many_synapses_follow_the_chain_of_states() -> None:
    """The first volley is learned, and the others come over it: the mean of 2 (w = 1) - 1, signed as that volley asked."""
    rule, steps, cells = Cascade(5), 6, 300
    pre, post = volleys(steps, cells)[:, 0], taught(steps, cells)[:, 0]
    signal = np.where(learned(rule, steps, cells)[0] > 0.5, 1.0, -1.0)
    here = post[1]  # sees the volley of step 0
    measured = (signal * np.where(pre[0], 1.0, -1.0)[:, None])[:, here].mean()
    sign, asked = np.repeat([1.0, -1.0], 5), 0.5
    state = np.zeros((2, 10))
    state[:, 5] = 1.0  # all weak, but for the diagonal
    for direction in (0, 1):
        state[direction] = rule.transition(1.0 - direction) @ state[direction]
        for _ in range(steps - 2):
            state[direction] = asked * rule.transition(0.5) @ state[direction] + (1 - asked) * state[direction]
    expected = 0.5 * (sign @ state[0] - sign @ state[1])
    assert measured == pytest.approx(expected, abs=4 / np.sqrt(cells * here.sum()))


@pytest.mark.parametrize("simulator", ["torch", BRIAN2])
def test_every_simulator_draws_the_same(simulator: str) -> None:
    for rule in (Cascade(4, seed=3), Cascade(1, rate=0.3, w_min=-1.0, dendritic=1.0)):
        ours = learned(rule, 40, 9, batches=2)
        assert (learned(rule, 40, 9, batches=2, simulator=simulator) == ours).all()
        assert set(np.unique(ours).tolist()) == {rule.w_min, rule.w_max}
        assert (ours[0] != ours[1]).any()


def test_the_seed_draws() -> None:
    assert (learned(Cascade(seed=1), 9, 30) != learned(Cascade(seed=2), 9, 30)).mean() > 0.05


@pytest.mark.parametrize(
    ("given", "message"),
    [({"x": 0.6}, "Cascade x"), ({"levels": 0}, "levels"), ({"rate": 0}, "rate"), ({"w_min": 1.0}, "w_min must lie below")],
)
def test_what_is_out_of_range_is_named(given: dict[str, float], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        Cascade(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_a_run_goes_on_where_another_ended(simulator: str) -> None:
    net = Network()
    for name in "ab":
        net.add(Population(name, 8))
    net.connect("a", "b", Dense(np.eye(8)), plasticity=Cascade(4))
    spikes = {"a": volleys(30, 8), "b": taught(30, 8)}
    whole = simulate(net, spikes, 30)
    first = simulate(net, {name: one[:11] for name, one in spikes.items()}, 11)
    rest = simulate(net, {name: one[11:] for name, one in spikes.items()}, 19, start=first.state, simulator=simulator)
    assert (rest.weights["a->b"] == whole.weights["a->b"]).all()

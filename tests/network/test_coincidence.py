"""Learning by coincidence: its window and phases, and the same weights in every simulator that has it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import LIF, Network, Population, simulate
from spikemem.errors import NetworkError
from spikemem.network.plasticity import Coincidence
from spikemem.network.synapses import WORD, Dense, OneBit, Sparse, Synapses, pack

STEPS = 60
PAIR = ("a->b", 1.0)


def learned(rule: Coincidence, pre: list[int], post: list[int], delay: float = 1.0, simulator: str = "event") -> float:
    """The weight of one synapse after spikes at some steps."""
    net = Network()
    for name in "ab":
        net.add(Population(name, 1, LIF(5.0)))
    net.connect("a", "b", Dense(np.zeros((1, 1))), delay=delay, plasticity=rule)
    trains = {name: np.zeros((STEPS, 1), bool) for name in "ab"}
    trains["a"][pre], trains["b"][post] = True, True
    return float(simulate(net, trains, STEPS, simulator=simulator).weights["a->b"][0, 0, 0])


@pytest.mark.parametrize(("lag", "weight"), [(-1, 0.0), (0, 0.0), (1, 1.0), (4, 1.0), (5, 0.0)])
def test_the_window(lag: int, weight: float) -> None:
    """With a delay of one step the synapse sees a presynaptic spike one step later; from then on its window is 3 ms."""
    assert learned(Coincidence(window=3.0), [20], [20 + lag]) == weight


def test_a_dendritic_delay_moves_the_window() -> None:
    assert learned(Coincidence(dendritic=1.0), [20], [20], delay=2.0) == 1.0
    assert learned(Coincidence(dendritic=1.0), [20], [21], delay=2.0) == 0.0


def test_two_phases_make_the_delta_rule() -> None:
    """What fires in the first phase is taken away, what fires in the second is added, within the bounds."""
    rule = Coincidence(amount=0.25, window=30.0, w_min=-2.0, w_max=2.0, period=30.0, depress=(0.0, 10.0), potentiate=(10.0, 20.0))
    assert learned(rule, [0], [2, 3, 4, 12, 13, 25]) == -0.25
    assert learned(rule, [0], [2, 12, 13, 14, 15]) == 0.75
    assert learned(rule, [30], [2, 3, 42]) == 0.25


def test_a_bit_is_set_once() -> None:
    assert learned(Coincidence(), [9, 19, 29], [10, 20, 30]) == 1.0


def synapses(kind: str, rng: np.random.Generator) -> Synapses:
    bits = rng.random((20, WORD)) < 0.2
    if kind == "one-bit":
        return OneBit(pack(bits), rng.integers(0, 10, 20), WORD + 10, on=2.0, off=-1.0)
    weights = np.where(rng.random((20, WORD + 10)) < 0.5, 2.0, -1.0)
    here = np.nonzero(rng.random(weights.shape) < 0.6)
    return Dense(weights) if kind == "dense" else Sparse.from_coo(*here, weights[here], weights.shape)


def driven(kind: str) -> tuple[Network, dict[str, NDArray[Any]]]:
    """Random spikes drive cells through synapses that learn."""
    rng = np.random.default_rng(3)
    net = Network()
    net.add(Population("a", 20, LIF(5.0)))
    net.add(Population("b", WORD + 10, LIF(5.0)))
    rule = Coincidence(
        amount=0.5, window=4.0, w_min=-1.0, w_max=2.0, period=12.0, depress=(0.0, 4.0), potentiate=(6.0, 12.0), dendritic=1.0
    )
    net.connect("a", "b", synapses(kind, rng), delay=2.0, plasticity=rule)
    return net, {"a": rng.random((STEPS, 3, 20)) < 0.1, "b": np.round(rng.normal(0.3, 0.5, (STEPS, 3, WORD + 10)) * 64) / 64}


@pytest.mark.parametrize("kind", ["dense", "sparse", "one-bit"])
@pytest.mark.parametrize("simulator", ["torch", "snntorch", pytest.param("brian2", marks=pytest.mark.slow)])
def test_every_simulator_learns_the_same(kind: str, simulator: str) -> None:
    net, stimulus = driven(kind)
    ours, theirs = (simulate(net, stimulus, STEPS, simulator=s) for s in ("event", simulator))
    np.testing.assert_array_equal(ours.weights["a->b"], theirs.weights["a->b"])
    for name in "ab":
        np.testing.assert_array_equal(ours[name].cell, theirs[name].cell)
    before = net.projections[0].synapses.matrix()
    assert (ours.weights["a->b"] > before).sum() > 100 < (ours.weights["a->b"] < before).sum()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"amount": 0.0}, "amount"),
        ({"window": -1.0}, "window"),
        ({"w_min": 2.0}, "w_min must lie below w_max"),
        ({"period": 10.0, "depress": (4.0, 12.0)}, "within the period"),
    ],
)
def test_what_is_no_rule(given: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        Coincidence(**given)


def test_one_bit_synapses_learn_within_their_bounds() -> None:
    net = Network()
    net.add(Population("a", WORD))
    with pytest.raises(NetworkError, match="leave the bounds"):
        net.connect("a", "a", OneBit(np.zeros((WORD, 1), np.uint64), np.zeros(WORD, np.int64), WORD, on=2.0), plasticity=Coincidence())

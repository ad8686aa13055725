"""The description of a network: what it refuses, and how it says so."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikemem import LIF, CycleReset, KWinners, Network, Population
from spikemem.errors import NetworkError
from spikemem.network.synapses import Dense, all_to_all, one_to_one, sparse_random


def pair(dt: float = 1.0) -> Network:
    """Three cells and two, not connected; the two have KWinners."""
    net = Network(dt)
    net.add(Population("in", 3))
    net.add(Population("out", 2, LIF(10.0), KWinners(k=1)))
    return net


def test_a_network_says_what_it_is() -> None:
    net = pair()
    net.connect("in", "out", all_to_all(), delay=2.0)
    assert repr(net) == "Network(dt=1.0 ms: in 3, out 2; 6 synapses)"
    assert [*net.populations] == ["in", "out"]


def test_a_projection_keeps_what_it_was_given() -> None:
    net = pair(dt=0.5)
    plain, made = net.connect("in", "out", all_to_all(2.0)), net.connect("out", "out", Dense(np.eye(2)), delay=1.5, first=1)
    assert net.projections == (plain, made)
    assert (plain.delay, plain.first, made.delay, made.first) == (0.5, None, 1.5, 1)
    np.testing.assert_array_equal(plain.synapses.matrix(), np.full((3, 2), 2.0))


def test_the_views_cannot_change_the_network() -> None:
    with pytest.raises(TypeError):
        pair().populations["other"] = Population("other", 1)  # type: ignore[index]


def test_what_is_refused_is_not_added() -> None:
    net = pair()
    with pytest.raises(NetworkError):
        net.connect("in", "out", one_to_one())
    with pytest.raises(NetworkError):
        net.add(Population("late", 1, inhibition=CycleReset(2.5)))
    assert not net.projections
    assert "late" not in net.populations


@pytest.mark.parametrize("name", ["", "dg.basket", "a/b"])
def test_a_bad_name_is_shown(name: str) -> None:
    with pytest.raises(NetworkError, match=f"name (is )?{name!r}"):
        Population(name, 1)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(NetworkError, match="already a population 'in'"):
        pair().add(Population("in", 1))


@pytest.mark.parametrize("size", [0, -2])
def test_a_population_has_cells(size: int) -> None:
    with pytest.raises(NetworkError, match=f"size of population 'a' is {size}; it must be a whole number, at least 1"):
        Population("a", size)


@pytest.mark.parametrize("cycle", [0.0, -25.0, math.nan])
@pytest.mark.parametrize("kind", [CycleReset, KWinners])
def test_a_cycle_takes_time(kind: type[CycleReset], cycle: float) -> None:
    with pytest.raises(NetworkError, match=f"cycle is {cycle} ms; it must be finite and above 0"):
        kind(cycle)


def test_somebody_wins() -> None:
    with pytest.raises(NetworkError, match="k is 0"):
        KWinners(k=0)


@pytest.mark.parametrize("cycle", [2.5, 1e-12, math.inf])
def test_a_cycle_is_a_whole_number_of_steps(cycle: float) -> None:
    with pytest.raises(NetworkError, match=str(cycle)):
        pair().add(Population("late", 1, inhibition=CycleReset(cycle)))


@pytest.mark.parametrize("dt", [0.0, -1.0, math.nan, math.inf])
def test_a_step_takes_a_finite_time(dt: float) -> None:
    with pytest.raises(NetworkError, match=f"dt is {dt}"):
        Network(dt)


@pytest.mark.parametrize("delay", [0.0, -1.0, 0.3, 0.75, 1e-12, math.nan, math.inf])
def test_a_delay_is_a_whole_number_of_steps_and_at_least_one(delay: float) -> None:
    with pytest.raises(NetworkError, match=f"{delay} ms"):
        pair(dt=0.5).connect("in", "out", all_to_all(), delay=delay)


@given(st.sampled_from([0.1, 0.25, 0.3, 1.0, 7.0]), st.integers(0, 10**6))
def test_steps_undoes_the_product_with_dt(dt: float, n: int) -> None:
    net = Network(dt)
    assert net.steps(n * dt) == n
    with pytest.raises(NetworkError, match="no whole number"):
        net.steps((n + 0.5) * dt)


@pytest.mark.parametrize(
    ("pre", "post", "options", "message"),
    [
        ("no", "out", {}, "no population 'no'; there are in, out"),
        ("in", "no", {}, "no population 'no'; there are in, out"),
        ("in", "out", {"first": 1}, "first=1 needs 'in' to have KWinners"),
        ("out", "in", {"first": 0}, "first is 0; it must be a whole number, at least 1"),
    ],
)
def test_a_bad_connection_is_explained(pre: str, post: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        pair().connect(pre, post, all_to_all(), **options)


def test_synapses_fit_their_populations() -> None:
    with pytest.raises(NetworkError, match=r"in -> out: synapses have shape \(2, 3\), the populations \(3, 2\)"):
        pair().connect("in", "out", Dense(np.zeros((2, 3))))


def test_a_bare_array_is_no_synapses() -> None:
    net = Network()
    net.add(Population("a", 3))
    with pytest.raises(NetworkError, match=r"Dense\(\.\.\.\)"):
        net.connect("a", "a", np.ones((3, 3)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a->b", "b#2", "a/b"])
def test_a_name_that_projections_are_named_with_is_refused(name: str) -> None:
    with pytest.raises(NetworkError, match="must not hold"):
        Population(name, 1)


def test_projections_have_names_of_their_own() -> None:
    net = Network()
    for name in ("a", "b"):
        net.add(Population(name, 2))
    made = [net.connect(*pair, all_to_all()).name for pair in (("a", "b"), ("a", "b"), ("b", "a"), ("a", "b"))]
    assert made == ["a->b", "a->b#2", "b->a", "a->b#3"]


def test_a_cell_made_for_another_step_is_refused() -> None:
    pynn = {"tau_m": 3.0, "c_m": 0.27, "v_thresh": -57.0, "v_rest": -60.0, "v_reset": -60.0, "tau_syn": 0.3}
    with pytest.raises(NetworkError, match=r"made for a dt of 1\.0 ms, the network's is 0\.1 ms"):
        Network(dt=0.1).add(Population("cell", 1, LIF.if_curr_exp(1.0, **pynn)))
    with pytest.raises(NetworkError, match="dt is 0; it must be finite and above 0"):
        LIF.if_curr_exp(0, **pynn)


def test_a_refractory_time_below_a_step_is_refused() -> None:
    with pytest.raises(NetworkError, match="shorter than a step"):
        Network().add(Population("cell", 1, LIF(refractory=1e-10)))


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(NetworkError, match="LIF tau is 'long' ms; it must be a number, above 0"):
        LIF(tau="long")  # type: ignore[arg-type]
    assert type(LIF(threshold=np.float64(2)).threshold) is float


def test_sparse_random_wants_its_bounds_in_order() -> None:
    with pytest.raises(NetworkError, match=r"from low to high, not from 1\.0 to 0\.5"):
        sparse_random(2, low=1.0, high=0.5)

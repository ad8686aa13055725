"""Wiring rules that draw: their statistics against closed forms, their seeds, and their memory."""

import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import LIF, Network, Population, simulate
from spikemem.errors import NetworkError
from spikemem.network import (
    BoxKernel,
    ExponentialKernel,
    GaussianKernel,
    LogNormal,
    Normal,
    Wiring,
    all_but_self,
    all_to_all,
    by_distance,
    erdos_renyi,
    fixed_in_degree,
    fixed_out_degree,
    grid,
    one_to_one,
)
from spikemem.network.synapses import Sparse

SIGMAS = 5.0
"""Standard deviations within which what is drawn must lie; a fixed seed draws the same each time."""
RING = np.arange(200) / 200


def near(found: Any, expected: Any, deviation: Any) -> None:
    assert (np.abs(np.asarray(found) - expected) <= SIGMAS * np.asarray(deviation) + 1e-12).all(), (found, expected, deviation)


def drawn(rule: Wiring, pre: int, post: int) -> NDArray[np.bool_]:
    """Who is joined to whom; nobody twice."""
    made = rule(pre, post)
    assert isinstance(made, Sparse)
    assert not made.repeats()
    assert made.shape == (pre, post)
    assert all((np.diff(row) > 0).all() for row in np.split(made.targets, made.indptr[1:-1]))  # in order
    return made.matrix() != 0


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.9])
def test_each_pair_is_joined_with_the_probability(probability: float) -> None:
    """In and out degrees are binomial, in their means and in their variances, and pairs in both directions are independent."""
    n, p = 600, probability
    made = drawn(erdos_renyi(p, seed=3), n, n)
    near(made.sum(), p * n * n, math.sqrt(p * (1 - p)) * n)
    for axis in (0, 1):
        variance = made.sum(axis).var()
        near(variance, n * p * (1 - p), n * p * (1 - p) * math.sqrt(2 / n))
    upper = np.triu_indices(n, 1)
    near((made & made.T)[upper].sum(), p * p * len(upper[0]), math.sqrt(p * p * (1 - p * p) * len(upper[0])))
    near(made.diagonal().sum(), p * n, math.sqrt(p * (1 - p) * n))


@pytest.mark.parametrize(
    ("probability", "count"), [(0.0, 0), (1.0, 12), (1e-300, 0)], ids=["never", "always", "hardly"]
)  # fmt: skip
def test_the_ends_of_the_probability(probability: float, count: int) -> None:
    assert erdos_renyi(probability, seed=0)(3, 4).count == count


def test_a_rule_of_many_blocks_is_the_rule() -> None:
    made = erdos_renyi(0.5, seed=1)(1600, 1500)
    near(made.count, 1_200_000, math.sqrt(600_000))
    near(np.diff(made.indptr).var(), 375, 375 * math.sqrt(2 / 1600))


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("rule", "axis"), [(fixed_in_degree, 0), (fixed_out_degree, 1)])
def test_a_degree_is_fixed_and_the_rest_is_chance(rule: Callable[..., Wiring], axis: int, own: bool) -> None:
    pre, post, k = (300, 200, 20) if axis == 0 else (200, 300, 20)
    made = drawn(rule(k, self_connections=own, seed=2), pre, post)
    assert set(made.sum(axis).tolist()) == {k}
    assert made.diagonal().any() == own
    p, cells, others = k / 300, made.shape[1 - axis], made.shape[axis]
    assert (cells, others) == (200, 300)
    near(made.sum(1 - axis)[: 300 if own else 200].mean(), cells * k / others if own else (cells - 1) * k / 299, math.sqrt(p / 10))
    near(made.sum(1 - axis).var(), cells * p * (1 - p), cells * p * math.sqrt(2 / others) * 1.2)


def test_a_full_degree_joins_all_others() -> None:
    np.testing.assert_array_equal(drawn(fixed_in_degree(3, self_connections=False), 4, 4), ~np.eye(4, dtype=bool))
    np.testing.assert_array_equal(drawn(fixed_out_degree(4), 4, 4), np.ones((4, 4), bool))


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(
    ("kernel", "chance"),
    [
        (GaussianKernel(0.1, 0.7), lambda d: 0.7 * math.exp(-d * d / 0.02)),
        (ExponentialKernel(0.2, 0.4), lambda d: 0.4 * math.exp(-5 * d)),
        (BoxKernel(0.15, 0.5), lambda d: 0.5 * (d <= 0.15)),
    ],
)
def test_the_chance_falls_with_the_distance_as_the_kernel_does(kernel: Any, chance: Any, periodic: bool) -> None:
    """At each distance on a ring, or on the line that it is without its period."""
    n, total = 200, np.zeros((200, 200))
    for seed in range(10):
        total += drawn(by_distance(kernel, RING, period=1.0 if periodic else None, seed=seed), n, n)
    apart = np.abs(np.arange(n)[:, None] - np.arange(n))
    apart = np.minimum(apart, n - apart) if periodic else apart
    for k in range(apart.max() + 1):
        pairs, p = 10 * int((apart == k).sum()), chance(k / n)
        rare = p * pairs < 20  # where a count is not yet normal
        near(total[apart == k].sum(), p * pairs, math.sqrt(p * (1 - p) * pairs) + 2.0 * (rare and p > 1e-4))


@pytest.mark.parametrize(("shape", "dimensions"), [((30,), 1), ((6, 5), 2), ((3, 5, 2), 3)])
@pytest.mark.parametrize("periodic", [True, False])
def test_a_box_of_a_grid_holds_the_cells_that_are_near(shape: tuple[int, ...], dimensions: int, periodic: bool) -> None:
    """In each dimension, against a loop over all pairs."""
    places, period = grid(*shape, spacing=2.0), 2.0 * np.array(shape)
    rule = by_distance(BoxKernel(3.5), places, period=period if periodic else None, self_connections=False)
    expected = np.zeros((30, 30), bool)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            images = [a + period * np.array(shift) for shift in np.ndindex(*(3,) * dimensions)] if periodic else [a]
            nearest = min(math.dist(image - period * periodic, b) for image in images)
            expected[i, j] = nearest <= 3.5 and i != j
    np.testing.assert_array_equal(drawn(rule, 30, 30), expected)


def test_distance_makes_delays_that_simulators_keep() -> None:
    """A wave along a line: each cell spikes when the spike of the first one has come as far."""
    net = Network(0.5)
    net.add(Population("a", 1, LIF(reset=0.0), voltage=5.0))
    net.add(Population("line", 9, LIF(tau=1.0, reset=0.0)))
    rule = by_distance(BoxKernel(100.0), [0.0], np.arange(9.0), weight=2.0, velocity=2.0)
    net.connect("a", "line", rule)
    fired = simulate(net, {}, 20)["line"]
    assert dict(zip(fired.cell.tolist(), (fired.step * 0.5).tolist(), strict=True)) == {c: max(0.5, c / 2.0) for c in range(9)}


def test_weights_are_one_number_drawn_or_given() -> None:
    n = 400
    made = erdos_renyi(0.5, Normal(-0.2, 0.1), seed=4)(n, n).weights
    near([made.mean(), made.std()], [-0.2, 0.1], 0.1 / math.sqrt(len(made)))
    for mean in (0.5, -0.5):
        made = fixed_in_degree(100, LogNormal(mean, 0.4), seed=4)(n, n).weights
        assert (np.sign(made) == np.sign(mean)).all()
        logs, variance = np.log(np.abs(made)), math.log(1 + 0.64)
        near(logs.mean(), math.log(0.5) - variance / 2, math.sqrt(variance / len(made)))
        near(logs.var(), variance, variance * math.sqrt(2 / len(made)))
        near(made.mean(), mean, 0.4 / math.sqrt(len(made)))
    given = np.arange(12.0).reshape(3, 4) + 1
    made = erdos_renyi(0.5, given, seed=1)(3, 4)
    np.testing.assert_array_equal(made.matrix(), np.where(made.matrix() > 0, given, 0.0))
    np.testing.assert_array_equal(all_to_all(given)(3, 4).matrix(), given)
    np.testing.assert_array_equal(one_to_one(given[:, :3])(3, 3).matrix(), np.diag(given.diagonal()))
    assert all_but_self(Normal(1.0, 0.1), seed=1)(3, 3).matrix().diagonal().tolist() == [0.0] * 3


RULES: dict[str, Callable[..., Any]] = {
    "erdos_renyi": lambda **seed: erdos_renyi(0.2, **seed),
    "fixed_in_degree": lambda **seed: fixed_in_degree(9, **seed),
    "fixed_out_degree": lambda **seed: fixed_out_degree(9, **seed),
    "by_distance": lambda **seed: by_distance(GaussianKernel(5.0), np.arange(50.0), **seed),
    "one_to_one": lambda **seed: one_to_one(Normal(1.0, 0.1), **seed),
    "all_to_all": lambda **seed: all_to_all(LogNormal(1.0, 0.1), **seed),
}


@pytest.mark.parametrize("name", RULES)
def test_a_seed_is_a_projections_own(name: str) -> None:
    """By default two projections differ, and the same network is the same again; a seed that is given rules."""

    def wired(**seed: int) -> list[NDArray[np.float64]]:
        net = Network()
        net.add(Population("a", 50))
        rule = RULES[name](**seed)
        return [net.connect("a", "a", rule).synapses.matrix() for _ in range(2)]

    first, second = wired()
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal([first, second], wired())
    third, fourth = wired(seed=7)
    np.testing.assert_array_equal(third, fourth)
    assert not np.array_equal(first, third)


@pytest.mark.slow
def test_a_large_network_is_never_dense() -> None:
    """20,000 x 20,000 cells at 1 %: 4 million synapses, 48 MB; all pairs as float64 would be 3,200 MB, and as bits 50 MB."""
    n = 20_000
    ring = np.arange(n) / n
    width = 0.01 / 0.1 / math.sqrt(2 * math.pi)  # so that the chance is 1 % on the average
    for rule in (
        erdos_renyi(0.01, seed=0),
        fixed_in_degree(200, seed=0),
        by_distance(GaussianKernel(width, 0.1), ring, period=1.0, seed=0),
    ):
        tracemalloc.start()
        made = rule(n, n)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        near(made.count, 0.01 * n * n, 0.1 * n)
        assert peak < 300, type(rule).__name__


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: erdos_renyi(1.1), "probability is 1.1; it must be at least 0 and at most 1"),
        (lambda: erdos_renyi(0.5, [1.0, 2.0]), r"weights, one number, Normal, LogNormal, or \[pre, post\]"),
        (lambda: erdos_renyi(0.5, np.ones((2, 2)))(3, 3), r"weights of shape \(2, 2\) for populations of 3 and 3"),
        (lambda: erdos_renyi(0.5)(10**6, 10**6), "take a lower probability"),
        (lambda: fixed_in_degree(4)(3, 9), "a degree of 4 is more than the 3 presynaptic cells"),
        (lambda: fixed_out_degree(3, self_connections=False)(3, 3), "a degree of 3 is more than the 2 postsynaptic cells"),
        (lambda: LogNormal(0.0, 1.0), "LogNormal mean is 0"),
        (lambda: GaussianKernel(0.0), "GaussianKernel scale is 0.0"),
        (lambda: BoxKernel(1.0, 1.5), "BoxKernel peak is 1.5"),
        (lambda: by_distance(BoxKernel(1.0), np.zeros((3, 4))), "have 4 dimensions"),
        (lambda: by_distance(BoxKernel(1.0), np.zeros((3, 2)), np.zeros(3)), "have 1 and 2 dimensions"),
        (lambda: by_distance(BoxKernel(1.0), [0.0, 1.0], period=1.0), r"outside the period of \[1.0\]"),
        (lambda: by_distance(BoxKernel(1.0), [0.0, 1.0])(3, 3), "positions of 2 and 2 cells for populations of 3 and 3"),
        (lambda: grid(2, 2, 2, 2), "a grid has one, two or three axes"),
    ],
)
def test_what_does_not_fit_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make()

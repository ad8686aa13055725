"""Every kind of synapses against its matrix, and the rules that make them."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spikemem import LIF, Network, Population, simulate
from spikemem.errors import NetworkError
from spikemem.network.synapses import WORD, Dense, OneBit, Sparse, Synapses, all_to_all, one_to_one, pack, sparse_random, unpack

RNG = np.random.default_rng(0)
ONE_BIT = OneBit(pack(RNG.random((4, WORD)) < 0.3), np.array([0, 6, 3, 1]), WORD + 6, on=2.0, off=-0.25)
KINDS: list[Synapses] = [
    Dense(RNG.normal(size=(4, 3))),
    Sparse.from_coo([3, 0, 3, 1, 3], [2, 1, 0, 0, 2], [1.0, 2.0, 4.0, 8.0, 16.0], (4, 3)),  # cell 2 reaches none, 3 reaches 2 twice
    Sparse.from_coo([], [], [], (4, 3)),
    ONE_BIT,
    replace(ONE_BIT, on=np.array([2.0, 0.5, -1.0, 0.0])),
]
both = pytest.mark.parametrize("simulator", ["event", "torch"])
every_kind = pytest.mark.parametrize("synapses", KINDS, ids=["dense", "sparse", "empty", "one-bit", "one-bit of unlike cells"])


@both
@every_kind
def test_the_current_is_the_spikes_times_the_matrix(synapses: Synapses, simulator: str) -> None:
    """All 16 patterns of four presynaptic cells, one a batch item; the voltage a step later is the current."""
    patterns = (np.arange(16)[:, None] >> np.arange(4)) & 1 == 1
    net = Network()
    net.add(Population("pre", 4))
    net.add(Population("post", synapses.shape[1], LIF(threshold=100.0)))
    net.connect("pre", "post", synapses)
    stimulus = np.stack([patterns, np.zeros_like(patterns)])
    recording = simulate(net, {"pre": stimulus}, 2, simulator=simulator, record={"post": np.arange(synapses.shape[1])})
    np.testing.assert_allclose(recording.voltages["post"][1], patterns @ synapses.matrix(), atol=1e-12)


@every_kind
def test_the_shape_is_that_of_the_matrix(synapses: Synapses) -> None:
    assert synapses.shape == synapses.matrix().shape


def test_count_is_the_number_of_synapses() -> None:
    assert [s.count for s in KINDS] == [12, 5, 0, 4 * WORD, 4 * WORD]


@given(st.data(), st.integers(1, 6), st.integers(1, 6))
def test_sparse_matrix_adds_up_the_list_of_synapses(data: st.DataObject, pre: int, post: int) -> None:
    listed = data.draw(st.lists(st.tuples(st.integers(0, pre - 1), st.integers(0, post - 1), st.integers(-9, 9))))
    rows, targets, weights = zip(*listed, strict=True) if listed else ((), (), ())
    expected = np.zeros((pre, post))
    for i, j, w in listed:
        expected[i, j] += w
    np.testing.assert_array_equal(Sparse.from_coo(rows, targets, weights, (pre, post)).matrix(), expected)


def test_one_bit_matrix_is_on_off_or_nothing() -> None:
    bits, matrix = unpack(ONE_BIT.bits), ONE_BIT.matrix()
    for i, start in enumerate(ONE_BIT.start):
        assert matrix[i, start : start + WORD].tolist() == [2.0 if bit else -0.25 for bit in bits[i]]
        assert not matrix[i, :start].any()
        assert not matrix[i, start + WORD :].any()


@given(arrays(bool, st.tuples(st.integers(0, 4), st.integers(0, 3).map(lambda words: words * WORD))))
def test_unpack_undoes_pack(rows: Any) -> None:
    np.testing.assert_array_equal(unpack(pack(rows)), rows)


@given(st.integers(0, 3 * WORD - 1))
def test_bit_b_is_bit_b_modulo_64_of_word_b_over_64(b: int) -> None:
    words = [0, 0, 0]
    words[b // WORD] = 1 << b % WORD
    assert pack(np.arange(3 * WORD)[None] == b).tolist() == [words]


@pytest.mark.parametrize("width", [1, WORD - 1, WORD + 1])
def test_pack_takes_whole_words(width: int) -> None:
    with pytest.raises(NetworkError, match=f"multiples of {WORD} synapses, not {width}"):
        pack(np.zeros((2, width), bool))


def test_one_to_one_is_the_diagonal() -> None:
    np.testing.assert_array_equal(one_to_one(0.5)(3, 3).matrix(), 0.5 * np.eye(3))
    with pytest.raises(NetworkError, match="not 3 and 4"):
        one_to_one()(3, 4)


def test_all_to_all_is_constant() -> None:
    np.testing.assert_array_equal(all_to_all(0.5)(2, 3).matrix(), np.full((2, 3), 0.5))


@pytest.mark.slow
@settings(deadline=None)
@given(st.data(), st.integers(1, 20), st.integers(1, 20), st.integers(0, 5))
def test_sparse_random_has_its_fan_in_and_its_weights(data: st.DataObject, pre: int, post: int, seed: int) -> None:
    fan_in = data.draw(st.integers(1, pre))
    made = sparse_random(fan_in, seed, low=1.0, high=2.0)(pre, post)
    matrix = made.matrix()
    assert ((matrix != 0).sum(axis=0) == fan_in).all()  # no pair is drawn twice
    assert made.count == fan_in * post
    assert matrix[matrix != 0].min() >= 1.0
    assert matrix.max() < 2.0


def test_sparse_random_follows_its_seed() -> None:
    first, again, other = (sparse_random(5, seed)(30, 30).matrix() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("fan_in", [0, -1, 4])
def test_sparse_random_refuses_a_fan_in_it_cannot_have(fan_in: int) -> None:
    with pytest.raises(NetworkError, match=f"fan_in is {fan_in}; .*(3 presynaptic|at least 1)"):
        sparse_random(fan_in)(3, 5)


@pytest.mark.parametrize("weights", [np.zeros(3), np.zeros((2, 2, 2)), [[math.nan]], [[math.inf]]])
def test_dense_refuses(weights: Any) -> None:
    with pytest.raises(NetworkError, match=r"dense weights, \[pre, post\]: .*; expected (finite )?numbers of shape"):
        Dense(np.asarray(weights))


@pytest.mark.parametrize(
    ("indptr", "targets", "weights", "message"),
    [
        ([1, 2], [0, 1], [1, 1], "rise from 0"),
        ([0, 1, 0], [0], [1], "rise from 0"),
        ([0, 1], [0, 1], [1, 1], "rise from 0"),
        ([0, 9], [0, 1], [1, 1], "indptr: 0 to 9, which reaches outside 0 to 2"),
        ([], [], [], "rise from 0"),
        ([0, 2], [0, 1], [1], "weights: shape .*; expected numbers of shape"),
        ([0, 1], [0], [math.nan], "finite"),
        ([0, 1], [2], [1], "targets: .* reaches outside 0 to 1"),
        ([0, 1], [-1], [1], "targets: .* reaches outside 0 to 1"),
    ],
)
def test_sparse_refuses(indptr: list[int], targets: list[int], weights: list[float], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        Sparse(np.array(indptr), np.array(targets), np.array(weights, dtype=float), post=2)


@pytest.mark.parametrize(
    ("pre", "post", "weights"),
    [([2], [0], [1.0]), ([-1], [0], [1.0]), ([0], [3], [1.0]), ([0], [2**32], [1.0]), ([0, 1], [0], 1.0)],
    ids=["pre too high", "pre negative", "post too high", "post beyond int32", "lengths differ"],
)
def test_from_coo_refuses_synapses_outside_its_shape(pre: Any, post: Any, weights: Any) -> None:
    with pytest.raises(NetworkError):
        Sparse.from_coo(np.array(pre), np.array(post), weights, (2, 3))


@pytest.mark.parametrize(
    ("bits", "start", "weight", "message"),
    [
        (np.zeros((2, 1), np.int64), [0, 0], 1.0, "int64 of shape"),
        (np.zeros((2, 1), np.uint32), [0, 0], 1.0, "must be uint64"),
        (np.zeros(2, np.uint64), [0, 0], 1.0, "shape"),
        (np.zeros((2, 1), np.uint64), [0], 1.0, r"starts .*: shape \(1,\); expected"),
        (np.zeros((2, 1), np.uint64), [0, 7], 1.0, "reaches outside 0 to 6"),
        (np.zeros((2, 1), np.uint64), [-1, 0], 1.0, "reaches outside 0 to 6"),
        (np.zeros((2, 1), np.uint64), [0, 0], math.nan, "finite"),
    ],
)
def test_one_bit_refuses(bits: Any, start: list[int], weight: float, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        OneBit(bits, np.array(start), post=70, on=weight)

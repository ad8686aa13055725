"""Arrays and lists that grow: beside plain Python lists."""

import numpy as np
import pytest

from spikemem.kernels.growing import GrowingArray, GrowingLists


@pytest.mark.parametrize("seed", range(4))
def test_lists_hold_what_was_added_in_its_order(seed: int) -> None:
    rng, lists, plain = np.random.default_rng(seed), GrowingLists(40, 2), [[] for _ in range(40)]
    for _ in range(60):
        which = rng.integers(0, 40, rng.choice([0, 1, 30, 400])) ** 2 // 40
        rows = rng.integers(-(2**31), 2**31, (len(which), 2)).astype(np.int32)
        lists.extend(which, rows)
        for w, row in zip(which, rows.tolist(), strict=True):
            plain[w].append(row)
    assert [lists.pool[a : a + n].tolist() for a, n in zip(lists.start, lists.size, strict=True)] == plain


def test_a_pool_takes_little_more_than_its_rows() -> None:
    """Stretches that lists leave are taken by others: one by one, a pool needs at most three and a half times the rows that it holds."""
    lists, rng = GrowingLists(64, 1), np.random.default_rng(0)
    for _ in range(4000):
        lists.extend(rng.integers(0, 64, 5), np.zeros((5, 1), np.int32))
    assert lists.size.sum() == 20_000
    assert len(lists.pool) <= 3.5 * 20_000
    whole = GrowingLists(64, 1)
    whole.extend(rng.integers(0, 64, 20_000), np.zeros((20_000, 1), np.int32))
    assert len(whole.pool) <= 1.5 * 20_000


def test_an_array_moves_seldom() -> None:
    array, moved, last = GrowingArray[np.float64](float, 3), 0, None
    for i in range(1000):
        array.extend(np.full((1, 3), float(i)))
        buffer = array.rows.base
        moved, last = moved + (buffer is not last), buffer
    np.testing.assert_array_equal(array.rows[:, 1], np.arange(1000.0))
    assert moved <= 6

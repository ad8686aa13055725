"""Vertical counters beside plain sums, and what they bring to cells."""

import numpy as np
import pytest

from spikemem.kernels.bit_counters import count_rows, planes_for
from spikemem.kernels.circuit import bits_of
from spikemem.kernels.onebit import add


@pytest.mark.parametrize("n", [0, 1, 6, 7, 8, 20, 63, 64, 300])
def test_counts_are_sums_of_bits(n: int) -> None:
    rng = np.random.default_rng(n)
    dense = rng.random((320, 256)) < 0.4
    bits, rows = np.packbits(dense, axis=1, bitorder="little").view(np.uint64), rng.permutation(320)[:n]
    planes = np.zeros((planes_for(n), 4), np.uint64)
    count_rows(bits, rows, planes)
    counted = sum(np.unpackbits(plane.view(np.uint8), bitorder="little").astype(int) << j for j, plane in enumerate(planes))
    np.testing.assert_array_equal(counted, dense[rows].sum(0))
    drive = np.full(256, 5, np.int32)
    assert add(bits, rows, 3, drive) == dense[rows].sum()
    np.testing.assert_array_equal(drive, 5 + 3 * dense[rows].sum(0))
    assert bits_of(bits, rows[None].astype(np.uint16)).tolist() == [dense[rows].sum()]

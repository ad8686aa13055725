"""The race of index cells beside plain sorting."""

import numpy as np
import pytest

from spikemem.kernels.index_cells import first_of_each, strongest


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
@pytest.mark.parametrize("seed", range(8))
def test_the_strongest_are_those_of_a_stable_sort(dtype: type, seed: int) -> None:
    """Ties, the dead, few and many levels, sizes that are no multiple of a block."""
    rng = np.random.default_rng(seed)
    n, most = int(rng.integers(1, 900)), 254 if dtype is np.uint8 else int(rng.choice([3, 900, 2**40]))
    drive, alive = rng.integers(0, most + 1, n).astype(dtype), rng.random(n) < rng.choice([0.1, 0.9, 1.0])
    for k, above in ((1, 0), (20, 0), (200, int(drive.max()) // 2), (1000, 0)):
        living = np.flatnonzero(alive & (drive > above))
        order = living[np.argsort(-drive[living].astype(np.int64), kind="stable")]
        assert strongest(drive, alive, k, above).tolist() == sorted(order[:k].tolist())


def test_the_first_place_of_each_memory() -> None:
    owners = np.array([[4, 2, 4, 0, 2, 1], [-1, -1, -1, -1, -1, -1], [3, 3, -1, -1, -1, -1]])
    place, found = first_of_each(owners, 3, memories=5)
    assert place.tolist() == [[0, 1, 3], [-1, -1, -1], [0, -1, -1]]
    assert found.tolist() == [3, 0, 1]

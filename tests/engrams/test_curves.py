"""Separation and completion in the model, and that variants are as alike as they are said to be."""

import numpy as np
import pytest

from spikemem import Hippocampus
from spikemem.engrams import completion_curve, separation_curve, variants
from spikemem.errors import DataError
from tests.fakes import engram_small, units

N, COSINES = 60, (1.0, 0.8, 0.6)


@pytest.fixture(scope="module")
def memory() -> Hippocampus:
    """Only to be read."""
    made = Hippocampus(engram_small())
    made.store(units(N))
    return made


def test_variants_have_the_cosine() -> None:
    x = np.random.default_rng(3).normal(size=(20, 384))  # with the very seed of the variants
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    one, other = variants(x, 0.0, seed=3), variants(x, 0.0, seed=4)
    assert np.abs((one * other).sum(1)).max() < 0.3
    assert np.abs(np.corrcoef(one) - np.eye(20)).max() < 0.3
    for cosine in (1.0, 0.5, 0.0):
        made = variants(x, cosine, seed=3)
        np.testing.assert_allclose((made * x).sum(1), cosine, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1.0)


def test_dg_separates_what_ec_hears_alike(memory: Hippocampus) -> None:
    found = separation_curve(memory, units(N)[:6], COSINES, ["ec", "dg"])
    ec, dg = found.mean
    np.testing.assert_allclose(found.mean[:, 0], 1.0)  # the same cue
    np.testing.assert_allclose(ec, COSINES, atol=0.08)
    assert (dg[1:] < ec[1:] - 0.1).all()
    with pytest.raises(DataError, match="'ca9' was not recorded"):
        separation_curve(memory, units(N)[:2], (1.0,), ["ca9"])


def test_ca3_completes_what_its_input_lacks_and_not_with_cells_that_are_lost(memory: Hippocampus) -> None:
    engrams = memory.engrams(range(6))
    source, completed = completion_curve(memory, units(N)[:6], engrams, COSINES).mean
    assert (completed > source + 0.2).all()
    assert completed.min() > 0.9
    memory.lesion("ca3", 0.5)
    left = completion_curve(memory, units(N)[:6], engrams, (1.0,)).mean[1]
    memory.restore()
    assert left[0] == pytest.approx(0.5**0.5, abs=0.1)  # half of the cells, and no others in their place
    strangers = completion_curve(memory, units(N)[:6], memory.engrams(range(20, 26)), (1.0,)).mean[1]
    assert strangers[0] < 0.2

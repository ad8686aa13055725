"""The codes: closed forms, what each keeps of a vector, and files."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikemem import LIF
from spikemem.errors import SnapshotError, VectorError
from spikemem.hippocampus.codes import (
    WINDOW,
    Code,
    LatencyCode,
    VolleyCode,
    ZScoreCode,
    fidelity,
    on_off,
    overshoot,
    rectified,
    saturation,
    signed,
)
from spikemem.snapshot import save_arrays
from tests.fakes import units

DIM = 16
CODES = [on_off(DIM, 3.2), LatencyCode(DIM, 0.35), ZScoreCode(DIM, 8)]
seeds = st.integers(0, 2**32 - 1)


def vectors(seed: int, n: int = 20, dim: int = DIM) -> NDArray[np.float64]:
    x = np.random.default_rng(seed).normal(size=(n, dim))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def bursts(dim: int = 4) -> VolleyCode:
    """A code whose spikes count 3, 2 and 1, and whose cells leak."""
    gain, top = np.full(2 * dim, 2.0 * math.sqrt(dim)), np.full(2 * dim, np.inf)
    profile, common = np.array([0.5, 0.3, 0.1]), np.array([[0.2], [0.1], [0.1]])
    return VolleyCode(LIF(30.0, 1.0), gain, top, profile, common, np.array([3, 2, 1]), 2.0 * math.sqrt(dim))


@pytest.mark.parametrize("code", CODES, ids=lambda code: type(code).__name__)
@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_a_code_has_shapes_and_signs(code: Code, seed: int) -> None:
    """Spikes are bool, [time, n, 2d]; a negated vector fires the other half and is decoded negated; decoding keeps no wrong sign."""
    x = vectors(seed)
    spikes, back = code.encode(x), code.decode(code.encode(x))
    assert spikes.dtype == bool
    assert spikes.shape[1:] == (len(x), 2 * DIM)
    np.testing.assert_array_equal(code.encode(-x), np.roll(spikes, DIM, axis=2))
    np.testing.assert_array_equal(code.decode(code.encode(-x)), -back)
    if not isinstance(code, ZScoreCode):
        assert (back * x >= 0).all()


@settings(max_examples=30, deadline=None)
@given(seed=seeds, charge=st.floats(0.5, 3.2))
def test_a_count_is_the_charge_rounded(seed: int, charge: float) -> None:
    x, code = vectors(seed), on_off(DIM, charge)
    n = code.counts(code.encode(x))
    assert np.abs(n - np.clip(code.scale * x, -WINDOW, WINDOW)).max() <= 0.5 + 1e-9
    assert code.encode(x).sum() == np.abs(n).sum()


@settings(max_examples=30, deadline=None)
@given(seed=seeds, width=st.floats(0.2, 1.0))
def test_an_earlier_spike_is_a_larger_component(seed: int, width: float) -> None:
    x, code = vectors(seed), LatencyCode(DIM, width)
    spikes = code.encode(x)
    assert spikes.sum(axis=0).max() <= 1
    size = rectified(x) * math.sqrt(DIM)
    step = np.where(spikes.any(axis=0), spikes.argmax(axis=0), code.steps)
    order = np.argsort(-size.ravel(), kind="stable")
    assert (np.diff(step.ravel()[order]) >= 0).all()
    coded = size < (code.steps + 0.5) * width
    error = np.abs(np.abs(code.decode(spikes)) * math.sqrt(DIM) - (size[:, :DIM] + size[:, DIM:]))
    assert error[coded[:, :DIM] & coded[:, DIM:]].max(initial=0) <= width / 2 + 1e-9


@settings(max_examples=30, deadline=None)
@given(seed=seeds, k=st.integers(1, DIM))
def test_those_that_stand_out_spike(seed: int, k: int) -> None:
    x, code = vectors(seed), ZScoreCode(DIM, k)
    spikes = code.encode(x)
    assert (spikes.sum(axis=(0, 2)) == k).all()
    z = np.abs(x - x.mean(axis=1, keepdims=True))
    fired = spikes[0, :, :DIM] | spikes[0, :, DIM:]
    assert all(z[i][fired[i]].min() >= z[i][~fired[i]].max(initial=0) for i in range(len(x)))
    np.testing.assert_allclose(np.linalg.norm(code.decode(spikes), axis=1), 1.0)


def test_known_fidelity() -> None:
    """A uniform quantiser of step D in root mean squares has 1 - cos of about D^2 / 24."""
    x = units(300).astype(np.float64)
    analytic = fidelity(on_off(384, 3.2), x)
    assert 1 - analytic.cosine == pytest.approx(1 / 3.2**2 / 24, rel=0.1)
    assert analytic.spikes == pytest.approx(3.2 * 384 * math.sqrt(2 / math.pi), rel=0.02)
    assert fidelity(LatencyCode(384, 0.35), x).spikes < analytic.spikes / 2
    assert (analytic.dead, fidelity(on_off(384, 0.5), x[:1]).neighbour) == (0.0, 1.0)


def test_weighted_spikes_by_hand() -> None:
    """x = 1/2 each: drive 2, so V = 1.2, then .2 beta + .7, then what is left + .3."""
    code, x = bursts(), np.full((1, 4), 0.5)
    beta = math.exp(-1 / 30)
    second = 1.2 * beta + 0.6 + 0.1 - 1
    assert second < 1 < second * beta + 0.3
    assert code.encode(x)[:, 0, 0].tolist() == [True, False, True]
    assert code.counts(code.encode(x)).tolist() == [[4, 4, 4, 4]]
    np.testing.assert_allclose(code.decode(code.encode(x)), 1.0)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, most=st.integers(1, 6))
def test_saturation_bounds_n(seed: int, most: int) -> None:
    code = bursts()
    bounded = VolleyCode(code.cell, code.gain, saturation(code, most), code.profile, code.common, code.efficacy, code.scale)
    x = vectors(seed, 50, 4)
    n = bounded.counts(bounded.encode(x))
    assert np.abs(n).max() <= most
    assert (np.abs(n) - code.scale * np.abs(x)).max() <= overshoot(bounded) + 0.1


def test_a_file_holds_the_code(tmp_path: Path) -> None:
    code, x = bursts(), vectors(0, 20, 4)
    back = VolleyCode.load(code.save(tmp_path / "code.safetensors", seed=3))
    np.testing.assert_array_equal(back.encode(x), code.encode(x))
    assert (back.cell, back.scale) == (code.cell, code.scale)


def test_bad_codes_are_refused(tmp_path: Path) -> None:
    code = bursts()
    with pytest.raises(VectorError, match="do not fit together"):
        VolleyCode(code.cell, code.gain, code.top, code.profile, code.common, np.array([1]), 1.0)
    with pytest.raises(VectorError, match="threshold 1"):
        VolleyCode(LIF(30.0, 2.0), code.gain, code.top, code.profile, code.common, code.efficacy, 1.0)
    with pytest.raises(SnapshotError, match="no whole code"):
        VolleyCode.load(save_arrays(tmp_path / "bare.safetensors", {"top": code.top}, {"format": "spikemem-ec-code-1"}))


def test_signed_is_on_minus_off() -> None:
    x = np.random.default_rng(0).normal(size=(3, 5))
    np.testing.assert_array_equal(signed(rectified(x)), x)

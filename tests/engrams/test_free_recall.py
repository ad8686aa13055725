"""Free recall by closed forms, by what random search would give, and by people's published curves."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from sims.papers import free_recall_people as people
from spikemem.engrams import first_recall, lag_crp, response_times, serial_position
from spikemem.errors import DataError

DATA = Path(os.environ.get("SPIKEMEM_DATA", Path(__file__).parents[3] / "shared" / "data")) / "free_recall"
L = 8


def test_serial_position_is_a_mean_of_subjects_not_of_lists() -> None:
    recalls = [[1, 2], [1, 0], [2, 0]]
    assert serial_position(recalls, 2).mean.tolist() == pytest.approx([2 / 3, 2 / 3])
    curve = serial_position(recalls, 2, ["a", "a", "b"])
    assert curve.subjects.tolist() == [[1.0, 0.5], [0.0, 1.0]]
    assert curve.mean.tolist() == [0.5, 0.75]
    np.testing.assert_allclose(curve.sem, np.std([[1.0, 0.5], [0.0, 1.0]], axis=0, ddof=1) / np.sqrt(2))


def test_recall_in_order_has_all_transitions_at_lag_one() -> None:
    order = np.tile(np.arange(1, L + 1), (3, 1))
    crp = dict(zip((found := lag_crp(order, L)).x.tolist(), found.mean, strict=True))
    assert crp[1] == 1.0
    assert all(crp[lag] == 0.0 for lag in range(2, L))
    assert np.isnan(crp[-1])  # what came before was recalled already, and so could not come
    assert first_recall(order, L).mean[0] == 1.0
    assert lag_crp(order[:, ::-1], L).mean[L - 2] == 1.0  # lag -1


def test_random_recall_has_no_contiguity() -> None:
    """Every lag is as likely as 1 / (items left), whatever the lag: the control that a curve with a peak must beat."""
    rng = np.random.default_rng(0)
    recalls = np.array([rng.permutation(L)[:2] + 1 for _ in range(8_000)])
    crp = lag_crp(recalls, L)
    np.testing.assert_allclose(crp.mean[crp.x != 0], 1 / (L - 1), atol=0.03)


def test_a_repeat_and_an_intrusion_are_no_transitions() -> None:
    clean = lag_crp([[3, 4, 0, 0]], L)
    repeated = lag_crp([[3, 3, 4, 0], [3, -1, 4, 0]], L)
    assert np.nansum(clean.mean) > 0
    assert np.isnan(repeated.mean).all() or np.nansum(repeated.mean) == 0
    assert serial_position([[3, 3, 4, -1]], L).mean[2] == 1.0


def test_search_that_is_random_slows_down_as_its_closed_form_says() -> None:
    """Each of n items is found after an exponential time tau: the k-th takes tau / (n - k + 1) (Rohrer & Wixted 1994)."""
    tau, n = 4.0, 5
    times = np.sort(np.random.default_rng(0).exponential(tau, (40_000, n)), axis=1)
    found = response_times(np.concatenate([times, np.full((len(times), 2), np.nan)], axis=1))
    np.testing.assert_allclose(found.mean[n, :n], tau / np.arange(n, 0, -1), rtol=0.03)
    assert found.lists[n] == len(times)
    assert np.isnan(found.mean[n, n:]).all()


def test_what_is_no_recall_is_refused() -> None:
    with pytest.raises(DataError, match="reaches outside -1 to 8"):
        serial_position([[9, 1]], L)
    with pytest.raises(DataError, match="ascending"):
        response_times([[2.0, 1.0]])


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no {DATA}: people's recalls (docs/data.md says where to get them)")
@pytest.mark.parametrize("name", people.SETS)
def test_curves_are_those_of_people(name: str) -> None:
    """Beside curves that were computed from the same lists by other code; five digits are given there."""
    with (DATA / "human_curves.csv").open() as file:
        given = {(row["curve"], int(row["x"])): row["mean"] for row in csv.DictReader(file) if row["set"] == name}
    for short, curve in people.curves(DATA, name).items():
        wanted = np.array([float(given[short, x] or "nan") for x in curve.x.tolist()])
        np.testing.assert_allclose(curve.mean, wanted, atol=6e-6)

"""Context and moments: who is whose neighbour, what lingers, and which cells stand for a moment."""

import numpy as np
import pytest

from spikemem.errors import VectorError
from spikemem.hippocampus.inputs import check_cue
from spikemem.hippocampus.regions.ec_ctx import (
    DAY,
    FARTHEST,
    GRIDS,
    SPANS,
    Moments,
    moment_cells,
    neighbours,
    shared_moment,
    shares,
    weights,
)
from spikemem.hippocampus.spec import ContextSpec


def plainly(session: list[int], alive: list[bool], reach: int) -> list[list[int]]:
    """Walk from each memory through its session, past what was forgotten."""
    found = []
    for i, s in enumerate(session):
        before = [j for j in range(i - 1, -1, -1) if session[j] == s and alive[j]]
        after = [j for j in range(i + 1, len(session)) if session[j] == s and alive[j]]
        row = [*(before + [-1] * reach)[:reach], *(after + [-1] * reach)[:reach]]
        found.append(row if alive[i] and s != -1 else [-1] * 2 * reach)
    return found


def test_bindings_fall_with_the_distance() -> None:
    spec = ContextSpec(forward=0.4, drift=0.5, backward=0.25, reach=3)
    assert shares(spec).tolist() == pytest.approx([0.4, 0.2, 0.1, 0.1, 0.05, 0.025])
    assert weights(spec).tolist() == [26, 13, 6, 6, 3, 2]  # in 1/64: 25.6, 12.8, 6.4, 6.4, 3.2, 1.6


def test_neighbours_lie_past_what_was_forgotten_and_in_the_session() -> None:
    session, alive = np.array([0, 0, 1, 0, -1, 0, 1]), np.array([True, False, True, True, True, True, True])
    found = neighbours(ContextSpec(reach=2), session, alive)
    assert found[3].tolist() == [0, -1, 5, -1]
    assert found[5].tolist() == [3, 0, -1, -1]
    assert found[2].tolist() == [-1, -1, 6, -1]
    assert (found[[1, 4]] == -1).all()


@pytest.mark.parametrize("seed", range(20))
def test_neighbours_as_a_walk_finds_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, reach = int(rng.integers(0, 30)), int(rng.integers(0, 6))
    session, alive = rng.integers(-1, 3, n), rng.random(n) < 0.7
    found = neighbours(ContextSpec(reach=reach), session, alive)
    assert found.shape == (n, 2 * reach)
    assert found.tolist() == plainly(session.tolist(), alive.tolist(), reach)


def test_cells_of_the_moment() -> None:
    cells = moment_cells(np.array([0.0, np.nan, 1.6e9]))
    assert cells.shape == (3, len(SPANS) * GRIDS)
    assert len(np.unique(cells[0])) == cells.shape[1]
    assert (cells[1] == -1).all()
    assert (cells[[0, 2]] >= 0).all()


@pytest.mark.parametrize("start", [0.0, 1.6e9, -3e9, FARTHEST - 1e9])
def test_the_nearer_two_moments_the_more_cells_they_share(start: float) -> None:
    """Of each span a grid in four for each quarter of it that lies between, so that no border matters by more than a cell."""
    for later in (0.0, 0.3 * DAY, DAY, 5 * DAY, 60 * DAY, 300 * DAY, 1000 * DAY):
        exact = [max(0.0, GRIDS * (1 - later / span)) for span in SPANS]
        expected = np.sum(exact)
        (shared,) = shared_moment(Moments.none().added(np.array([start + later])), start)
        assert abs(shared - expected) < np.count_nonzero(np.mod(exact, 1)) + 1e-9, later


def test_sharing_falls_as_times_move_apart() -> None:
    days = np.arange(0, 500, 0.25)
    shared = shared_moment(Moments.none().added(1.6e9 + DAY * days), 1.6e9)
    assert shared[0] == len(SPANS) * GRIDS
    assert shared[-1] == 0
    assert (np.diff(shared) <= 0).all()
    np.testing.assert_array_equal(shared_moment(Moments.none().added(np.array([np.nan])), 1.6e9), [0])


@pytest.mark.parametrize("around", [np.inf, np.nan, 1e300, -1.1e15])
def test_moments_of_no_calendar(around: float) -> None:
    with pytest.raises(VectorError, match="moment in seconds since 1970"):
        check_cue(None, around, 1, None)

"""Which of two moments came first: cells that fade by closed form, and what is left without them."""

import numpy as np
import pytest

from spikemem.errors import StimulusError
from spikemem.hippocampus import TemporalContext

N = 60


def drawn(lag: int, n: int = 60) -> np.ndarray:
    """Pairs at a lag, in either order, [pair, 2]."""
    rng = np.random.default_rng(lag)
    first = rng.integers(0, N - lag, n)
    return rng.permuted(np.stack([first, first + lag], axis=1), axis=1)


def right(pairs: np.ndarray, circuit: TemporalContext | None = None) -> float:
    return float(((circuit or TemporalContext()).first(N, pairs, seed=1) == pairs.min(1)).mean())


def test_cells_fall_silent_at_their_own_rates() -> None:
    circuit = TemporalContext(cells=400, longest=50.0)
    recording = circuit.simulate(20, [[0, 1]] * 20)
    alive = np.bincount(recording["context"].step, minlength=recording.steps)[2:22] / 20
    tau = np.geomspace(1.0, 50.0, 400)
    expected = np.exp(-(1 + np.arange(20))[:, None] / tau).sum(1)  # the first moment is one, too
    np.testing.assert_allclose(alive, expected, rtol=0.06)


def test_order_is_told_and_the_closer_the_worse() -> None:
    shares = [right(drawn(lag)) for lag in (1, 4, 30)]
    assert shares[0] < shares[1] <= shares[2]
    assert shares[2] > 0.97
    assert shares[0] > 0.5


def test_cells_that_do_not_fade_tell_nothing() -> None:
    pairs = drawn(30)
    judged = TemporalContext().simulate(N, pairs, seed=1, drifts=False)["judge"]
    assert ((pairs[judged.batch, judged.cell] == pairs.min(1)[judged.batch]).mean()) < 0.7
    assert right(pairs, TemporalContext(noise=1000.0)) < 0.75


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(StimulusError, match="cells is 0"):
        TemporalContext(cells=0)
    with pytest.raises(StimulusError, match="pairs"):
        TemporalContext().first(3, [[0, 3]])

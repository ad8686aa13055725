"""Memoria's step with its faults mended: exact scenarios, by computation and in spikes."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem.errors import UnknownMemoryError, VectorError
from spikemem.hippocampus import lifespans
from spikemem.hippocampus.lifespans import LifespanRule, Lives, Stage, co_fired, lived, no_lives
from spikemem.hippocampus.lifespans_in_spikes import fire_in_spikes, race_in_spikes
from tests.marks import first_is_fast

FEW = [[0.0], [1.0], [0.2], [0.9], [0.1], [1.1], [0.3], [0.8]]
PAIRS = [[0.0, 1.0], [0.1, 0.9], [0.2, 0.8], [0.3, 3.0], [0.0, 3.1], [1.0, 0.1]]
B, C, D = (
    LifespanRule(lifespan=3, gain=2, short=1, long=1, capacity=1, depth=10),
    LifespanRule(lifespan=4, gain=1, short=2, long=2, capacity=2, depth=10),
    LifespanRule(lifespan=3, gain=2, short=1, long=2, capacity=2, depth=2),
)


def lives_of(rule: LifespanRule, sequence: list[list[float]], **how: Any) -> list[tuple[Lives, list[int]]]:
    """The lives after each step of new numbers, and what it reminded of."""
    made, lives, held = [], no_lives(), np.zeros(0)
    for new in sequence:
        lives, ids = lived(lives, -((np.array(new)[:, None] - held) ** 2), rule, **how)
        held = np.append(held, new)
        made.append((lives, ids.tolist()))
    return made


EXPECTED = {  # rule, new numbers; reminded and lifespans by id in each step; at the end stages and N of what is not silent
    'B': (B, FEW,
        [[], [0], [0, 1], [1, 2], [0, 3], [1, 4], [2, 5], [3, 6]],
        [{0: 2}, {0: 3, 1: 2}, {0: 4, 1: 3, 2: 2}, {0: 3, 1: 4, 2: 3, 3: 2}, {0: 4, 1: 3, 2: 2, 3: 3, 4: 2}, {0: 3, 1: 4, 2: 1, 3: 2, 4:
         3, 5: 2}, {0: 2, 1: 3, 2: 2, 3: 1, 4: 2, 5: 3, 6: 2}, {0: 1, 1: 2, 2: 1, 3: 2, 4: 1, 5: 2, 6: 3, 7: 2}],
        [3, 3, 3, 3, 3, 3, 3, 2],
        [[4, 2, 1, 1, 1, 0, 0, 0], [2, 4, 2, 1, 1, 1, 0, 0], [1, 2, 3, 1, 0, 1, 1, 0], [1, 1, 1, 3, 1, 0, 1, 1], [1, 1, 0, 1, 2, 1, 0, 0],
         [0, 1, 1, 0, 1, 2, 1, 0], [0, 0, 1, 1, 0, 1, 2, 1], [0, 0, 0, 1, 0, 0, 1, 1]],
    ),
    'C': (C, PAIRS,
        [[], [0, 1], [0, 1, 2, 3], [1, 3, 4, 5], [1, 3, 6, 7], [5, 6, 8, 9]],
        [{0: 3, 1: 3}, {0: 3, 1: 3, 2: 3, 3: 3}, {0: 3, 1: 3, 2: 3, 3: 3, 4: 3, 5: 3}, {0: 2, 1: 3, 2: 2, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3},
         {0: 1, 1: 3, 2: 1, 3: 3, 4: 2, 5: 2, 6: 3, 7: 3, 8: 3, 9: 3}, {1: 2, 3: 2, 4: 1, 5: 2, 6: 3, 7: 2, 8: 3, 9: 3, 10: 3, 11: 3}],
        [3, 3, 3, 3, 3, 3, 3, 3, 2, 2],
        [[5, 4, 2, 2, 2, 2, 1, 1, 0, 0], [4, 4, 2, 2, 2, 2, 1, 1, 0, 0], [2, 2, 2, 2, 1, 1, 0, 0, 0, 0], [2, 2, 2, 3, 2, 1, 1, 1, 1, 1],
         [2, 2, 1, 2, 3, 2, 2, 2, 1, 1], [2, 2, 1, 1, 2, 2, 1, 1, 0, 0], [1, 1, 0, 1, 2, 1, 2, 2, 1, 1], [1, 1, 0, 1, 2, 1, 2, 2, 1, 1],
         [0, 0, 0, 1, 1, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 0, 1, 1, 1, 1]],
    ),
    'D': (D, [*FEW, [0.15], [1.0], [0.5]],
        [[], [0], [0], [0, 1], [0, 1, 2], [1, 2, 3], [0, 2, 4], [1, 2, 5], [0, 2, 6], [1, 2, 7], [0, 2, 8]],
        [{0: 2}, {0: 3, 1: 2}, {0: 4, 1: 1, 2: 2}, {0: 5, 1: 2, 2: 1, 3: 2}, {0: 6, 1: 3, 2: 2, 3: 1, 4: 2}, {0: 5, 1: 4, 2: 3, 3: 2, 4:
         1, 5: 2}, {0: 6, 1: 3, 2: 4, 3: 1, 4: 2, 5: 1, 6: 2}, {0: 5, 1: 4, 2: 5, 4: 1, 5: 2, 6: 1, 7: 2}, {0: 6, 1: 3, 2: 6, 5: 1, 6: 2,
         7: 1, 8: 2}, {0: 5, 1: 4, 2: 7, 6: 1, 7: 2, 8: 1, 9: 2}, {0: 6, 1: 3, 2: 8, 7: 1, 8: 2, 9: 1, 10: 2}],
        [3, 3, 3, 3, 3, 2, 2],
        [[8, 3, 5, 0, 2, 0, 1], [3, 6, 4, 2, 0, 1, 0], [5, 4, 8, 2, 2, 1, 1], [0, 2, 2, 2, 0, 1, 0], [2, 0, 2, 0, 2, 0, 1], [0, 1, 1, 1,
         0, 1, 0], [1, 0, 1, 0, 1, 0, 1]],
    ),
}  # fmt: skip


def held(lives: Lives) -> tuple[dict[int, float], list[int], list[list[int]]]:
    """Lifespans by id, stages and N of what is not silent."""
    here = np.flatnonzero(~lives.silent)
    return (
        dict(zip(lives.id[here].tolist(), lives.lifespan[here].tolist(), strict=True)),
        lives.stage[here].tolist(),
        lives.together[np.ix_(here, here)].tolist(),
    )


def agrees(name: str, **how: Any) -> None:
    rule, sequence, reminded, lifespan, stages, together = EXPECTED[name]
    steps = lives_of(rule, sequence, **how)
    assert [ids for _, ids in steps] == reminded
    assert [held(lives)[0] for lives, _ in steps] == lifespan
    assert held(steps[-1][0])[1:] == (stages, together)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_step_is_that_of_the_mended_reference(name: str) -> None:
    agrees(name)


@pytest.mark.parametrize("name", first_is_fast(*EXPECTED))
def test_the_step_in_spikes_is_the_same(name: str) -> None:
    agrees(name, winners=race_in_spikes(), fire=fire_in_spikes())


@pytest.mark.parametrize("simulator", ["event", pytest.param("brian2", marks=pytest.mark.slow)])
def test_races_and_counts_in_spikes_are_those_computed(simulator: str) -> None:
    rng = np.random.default_rng(0)
    for k in (1, 3):
        drive = rng.integers(0, 4, 12).astype(float)
        assert race_in_spikes(simulator)(drive, k).tolist() == lifespans.most_driven(drive, k).tolist()
    together, fired = rng.integers(0, 5, (6, 6)), np.array([1, 4, 5])
    assert (fire_in_spikes(simulator)(together, fired) == co_fired(together, fired)).all()


def test_what_fires_together_counts_in_both_directions() -> None:
    counts = co_fired(co_fired(np.zeros((6, 6), np.int64), np.array([0, 2, 4])), np.array([0, 1, 2, 3]))
    assert np.diag(counts).tolist() == [2, 1, 2, 1, 1, 0]
    assert (counts[0, 2], counts[0, 1], counts[2, 3], counts[0, 4], counts[1, 4], counts[3, 4]) == (2, 1, 1, 1, 0, 0)
    assert (counts == counts.T).all()


NEAR = np.array([[9, 5, 1, 0, 0], [5, 9, 0, 4, 0], [1, 0, 9, 0, 7], [0, 4, 0, 9, 0], [0, 0, 7, 0, 9]])


def long_term(together: NDArray[np.int64]) -> Lives:
    n = len(together)
    return Lives(np.arange(n), np.full(n, Stage.LONG), np.ones(n), together, n)


@pytest.mark.parametrize(
    ("starts", "visited"), [([0], {0, 1, 3}), ([2], {2, 4}), ([3], {3, 1, 0}), ([0, 2], {0, 1, 2, 3, 4})]
)  # of the published program, but that from 2 it goes on to 0 without a synapse
def test_a_walk_goes_where_firing_together_leads(starts: list[int], visited: set[int]) -> None:
    assert set(lifespans.walk(long_term(NEAR), np.array(starts), 2).tolist()) == visited


def test_a_walk_ends_where_nothing_fired_together() -> None:  # the published one visits all
    assert lifespans.walk(long_term(np.diag([1] * 5)), np.array([0]), 4).tolist() == [0]


def test_attention_says_who_gains() -> None:
    rule = LifespanRule(lifespan=9, gain=8, short=2, long=0)
    lives, _ = lived(no_lives(), np.zeros((2, 0)), rule)
    alike, _ = lived(lives, np.zeros((1, 2)), rule)
    unlike, ids = lived(lives, np.zeros((1, 2)), rule, attention=lambda ids: [1.0, 3.0])
    assert ids.tolist() == [0, 1]
    assert alike.lifespan.tolist() == [15.0, 15.0, 8.0]
    assert unlike.lifespan.tolist() == [11.0, 19.0, 8.0]


def test_what_is_silent_is_kept_and_wakes() -> None:
    rule = LifespanRule(lifespan=1, gain=1, short=1, long=1, capacity=1)
    lives, _ = lived(no_lives(), np.zeros((1, 0)), rule)
    assert lives.silent.tolist() == [True]
    later, ids = lived(lives, [[0.0]], rule)
    assert ids.tolist() == []
    woken = lifespans.wake(lives, 0, 5.0)
    assert lived(woken, [[0.0]], rule)[1].tolist() == [0]
    assert lifespans.wake(woken, 0, 9.0).lifespan.tolist() == [5.0]
    assert len(later.id) == 2
    assert len(lifespans.forgotten(later).id) == 0
    with pytest.raises(UnknownMemoryError, match="memory 7 does not live"):
        lifespans.wake(lives, 7, 1.0)


@pytest.mark.parametrize("given", [{"lifespan": 0}, {"gain": -1}, {"short": 1.5}, {"depth": -1}])
def test_numbers_out_of_range_are_named(given: dict[str, Any]) -> None:
    with pytest.raises(VectorError, match=f"LifespanRule {next(iter(given))}"):
        LifespanRule(**given)

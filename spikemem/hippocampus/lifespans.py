"""Memories that live: what is recalled lives longer, what is not falls silent. Memoria's step (Park and Bae 2024), its faults mended.

    add      new memories are in working memory, with a lifespan l0
    remind   of short-term memory those most like the new ones; from each of these a walk through long-term memory, always on to the one
             that fired most often together with the last; of all that were walked to, those most like the new ones
    fire     N_ij += 1 for all i, j that are new or reminded
    gain     l_i += gain R a_i for each of the R reminded, a its share of the attention: gain on average
    age      l -= 1 for all
    move     working memory becomes short-term memory, and of this what is above its capacity, the oldest, long-term memory
    forget   what has l <= 0 is silent: it is neither reminded nor walked to, until `wake`; `forgotten` deletes it

Unlike the published program: without long-term memory none is reminded; a walk starts from reminded memories alone and ends where N is 0;
ties go to the older; an empty slot is no memory; and what is forgotten is kept, silent, so that nothing is lost by itself.

Each choice is a race between cells that inhibit each other. `most_driven` computes it, and `race_in_spikes` (`lifespans_in_spikes`)
simulates it; both give the same step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem._checks import FINITE, INDEX, Checks
from spikemem.errors import UnknownMemoryError, VectorError

check = Checks(VectorError)
Ints = NDArray[np.int64]
Winners = Callable[[NDArray[np.float64], int], Ints]
"""Which k cells win a race, the first to fire first, and of equals the first by index: those without drive never do."""
Fire = Callable[[Ints, Ints], Ints]
"""N, [n, n], after memories, by place, have fired in one step."""


class Stage(IntEnum):
    """How far a memory has come."""

    WORKING = 1
    SHORT = 2
    LONG = 3


@dataclass(frozen=True)
class LifespanRule:
    """The numbers of the step; by default those of Memoria's language models.

    lifespan: l0, steps, > 0.   gain: steps that a reminded memory gains on average, >= 0.   short, long: how many are reminded at most.
    capacity: of short-term memory.   depth: of the walk through long-term memory.
    """

    lifespan: float = 9.0
    gain: float = 8.0
    short: int = 50
    long: int = 50
    capacity: int = 400
    depth: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "lifespan", check.finite(self.lifespan, "LifespanRule lifespan", above=0))
        object.__setattr__(self, "gain", check.finite(self.gain, "LifespanRule gain", least=0))
        for name in ("short", "long", "capacity", "depth"):
            object.__setattr__(self, name, check.integer(getattr(self, name), f"LifespanRule {name}", least=0, most=INDEX))


class Lives(NamedTuple):
    """The lives of memories, in the order in which they were made.

    id: int64, [n]; ids rise.   stage: `Stage`, int64, [n].   lifespan: l, steps, float64, [n]; silent at 0 and below.
    together: N, how often two fired in one step, and on the diagonal how often one did, int64, [n, n].   made: how many ever were.
    """

    id: Ints
    stage: Ints
    lifespan: NDArray[np.float64]
    together: Ints
    made: int

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Which memories are silent, [n]."""
        return self.lifespan <= 0

    def of(self, stage: Stage) -> Ints:
        """The places of the memories of a stage that are not silent."""
        return np.flatnonzero((self.stage == stage) & ~self.silent)


def no_lives() -> Lives:
    """The state before the first memory."""
    nothing = np.zeros(0, np.int64)
    return Lives(nothing, nothing, np.zeros(0), np.zeros((0, 0), np.int64), 0)


def most_driven(drive: NDArray[np.float64], k: int) -> Ints:
    """The k cells of the largest drives above 0, the largest first, and of equals the first by index.

    >>> most_driven(np.array([1.0, 0.0, 3.0, 3.0]), 3).tolist()
    [2, 3, 0]
    """
    order = np.argsort(-drive, kind="stable")[:k]
    return order[drive[order] > 0]


def co_fired(together: Ints, fired: Ints) -> Ints:
    """N after memories, by place, have fired in one step.

    >>> counts = co_fired(np.zeros((3, 3), np.int64), np.array([0, 2]))
    >>> counts.tolist()
    [[1, 0, 1], [0, 0, 0], [1, 0, 1]]
    """
    made = together.copy()
    made[np.ix_(fired, fired)] += 1
    return made


def added(lives: Lives, new: int, lifespan: float) -> Lives:
    """With so many new memories in working memory, that have fired with nothing."""
    n = len(lives.id)
    together = np.zeros((n + new, n + new), np.int64)
    together[:n, :n] = lives.together
    return Lives(
        np.append(lives.id, lives.made + np.arange(new)), np.append(lives.stage, np.full(new, Stage.WORKING)),
        np.append(lives.lifespan, np.full(new, lifespan)), together, lives.made + new,
    )  # fmt: skip


def walk(lives: Lives, starts: Ints, depth: int, winners: Winners = most_driven) -> Ints:
    """The long-term memories that walks come to, in the order of visits, the starts first.

    In each move every walker goes on, one after the other, to the unvisited one that fired most often together with its last one; it ends
    where there is none.
    """
    seen, heads, free = list(starts), list(starts), np.zeros(len(lives.id))
    free[lives.of(Stage.LONG)] = 1.0
    free[seen] = 0.0
    for _ in range(depth):
        moved = list[int]()
        for head in heads:
            moved += winners(lives.together[head] * free, 1).tolist()
            free[moved] = 0.0
        seen, heads = seen + moved, moved
    return np.array(seen, np.int64)


def reminded(lives: Lives, likeness: NDArray[np.float64], rule: LifespanRule, winners: Winners = most_driven) -> Ints:
    """The memories that a new one reminds of, by place: of short-term memory first, then of long-term memory, the likest of each first.

    likeness: of each memory to the new ones, [n], any numbers.
    """
    drive = 1.0 + likeness - likeness.min(initial=np.inf)  # so that every cell of the race has some
    short = _winners_among(drive, lives.of(Stage.SHORT), rule.short, winners)
    long, starts = lives.of(Stage.LONG), list[int]()
    for place in short:
        starts += [s for s in _winners_among(lives.together[place], long, 1, winners).tolist() if s not in starts]
    visited = np.sort(walk(lives, np.array(starts, np.int64), rule.depth, winners))
    return np.append(short, _winners_among(drive, visited, rule.long, winners))


def _winners_among(drive: NDArray[np.number], places: Ints, k: int, winners: Winners) -> Ints:
    return places[winners(drive[places].astype(float), k)] if len(places) and k else places[:0]


def gained(lives: Lives, places: Ints, gain: float, attention: ArrayLike | None = None) -> Lives:
    """With longer lives of what was reminded.   attention: of each of `places`, >= 0, [R]; all alike by default.

        l_i += gain R a_i,   a_i = attention_i / sum attention

    >>> lives = added(no_lives(), 2, 9.0)
    >>> gained(lives, np.array([0, 1]), 8.0, [3.0, 1.0]).lifespan.tolist()
    [21.0, 13.0]
    """
    share = np.ones(len(places)) if attention is None else check.floats(attention, "attention", shape=(len(places),))
    if (share < 0).any():
        raise VectorError(f"attention is {share.min()} at least; it must be 0 or more")
    if not len(places) or not share.sum():
        return lives
    lifespan = lives.lifespan.copy()
    lifespan[places] += gain * len(places) * (share / share.sum())
    return lives._replace(lifespan=lifespan)


def aged(lives: Lives) -> Lives:
    """One step older; what is silent stays as it is."""
    return lives._replace(lifespan=lives.lifespan - ~lives.silent)


def moved_on(lives: Lives, capacity: int) -> Lives:
    """Working memory as short-term memory, and of this what is above its capacity, the oldest, as long-term memory."""
    stage = np.where(lives.stage == Stage.WORKING, Stage.SHORT, lives.stage)
    short = lives._replace(stage=stage).of(Stage.SHORT)
    stage[short[: max(0, len(short) - capacity)]] = Stage.LONG
    return lives._replace(stage=stage)


def wake(lives: Lives, i: int, lifespan: float) -> Lives:
    """With a memory that answers again, for a lifespan anew where it was silent; UnknownMemoryError where there is none of this id."""
    place = np.flatnonzero(lives.id == i)
    if not len(place):
        raise UnknownMemoryError(f"memory {i} does not live; it was never added, or forgotten")
    lived = lives.lifespan.copy()
    lived[place] = np.where(lives.silent[place], check.finite(lifespan, "lifespan", above=0, most=FINITE), lived[place])
    return lives._replace(lifespan=lived)


def forgotten(lives: Lives) -> Lives:
    """Without the memories that are silent, and their counts."""
    kept = np.flatnonzero(~lives.silent)
    return Lives(lives.id[kept], lives.stage[kept], lives.lifespan[kept], lives.together[np.ix_(kept, kept)], lives.made)


def lived(
    lives: Lives,
    likeness: ArrayLike,
    rule: LifespanRule,
    attention: Callable[[Ints], ArrayLike] | None = None,
    *,
    winners: Winners = most_driven,
    fire: Fire = co_fired,
) -> tuple[Lives, Ints]:
    """One step of the equations above; returns the lives after it, and the ids of what was reminded.

    likeness: of each old memory to each new one, such as -|a - b|^2, [new, n].   attention: of memories by id, [R]; all alike by default.
    winners, fire: how races are run and how N counts.

    >>> rule = LifespanRule(lifespan=3, gain=2, short=1, long=1, capacity=1)
    >>> lives, ids = lived(no_lives(), np.zeros((1, 0)), rule)
    >>> lives, ids = lived(lives, [[-1.0]], rule)
    >>> ids.tolist(), lives.lifespan.tolist(), [Stage(s).name for s in lives.stage], lives.together.tolist()
    ([0], [3.0, 2.0], ['LONG', 'SHORT'], [[2, 1], [1, 1]])
    """
    n = len(lives.id)
    near = check.floats(likeness, "likeness", shape=(None, n))
    called = reminded(lives, near.mean(0) if len(near) else np.full(n, 0.0), rule, winners)
    now = added(lives, len(near), rule.lifespan)
    now = now._replace(together=fire(now.together, np.append(n + np.arange(len(near)), called)))
    now = gained(now, called, rule.gain, None if attention is None else attention(lives.id[called]))
    return moved_on(aged(now), rule.capacity), np.sort(lives.id[called])

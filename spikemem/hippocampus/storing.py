"""Storing in two steps: a plan of what will change, made without changing anything, and carrying it out.

    plan = plan_new(...) or plan_event(...)      pure: reads the circuit, changes nothing
    commit                                       writes the plan's rows to disk (`memory.commit`), in a text memory
    apply                                        changes the circuit by the plan

In a model with gates each event is judged first: it is written, refreshes the memory that answered, renews it, or supersedes it.
Nothing that is stored is deleted by storing.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikemem.errors import VectorError
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.gating import Differ, judge
from spikemem.hippocampus.holding import Holding, Target
from spikemem.hippocampus.inputs import Inputs, check_cue, empty
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.dg import Adaptation
from spikemem.hippocampus.regions.ec_lex import Words
from spikemem.hippocampus.regions.gates import Action, GateCells, Verdict
from spikemem.hippocampus.regions.index_cells import NONE, IndexCells
from spikemem.hippocampus.spec import ModelSpec
from spikemem.simulators.recording import Recording

ADAPTATIONS = tuple(2**i for i in range(5, 13))
"""Numbers of stored memories at which DG adapts (32 to 4,096); after that it does only in sleep (`Hippocampus.consolidate`)."""
BLOCK = 1024
"""Memories that are planned together at the most."""


@dataclass(frozen=True, eq=False)
class NewMemories:
    """Memories to be stored, with their arguments checked.

    cues: unit vectors that recall them, float32, [n, d].   targets: what is recalled, [n, d]; None: the cues themselves.
    variants: of each memory further cues, [v, d], or None.   inputs: the words, sessions and moments that come with them.
    """

    cues: NDArray[np.float32]
    targets: NDArray[np.float32] | None
    variants: list[NDArray[np.float32] | None]
    inputs: Inputs

    @classmethod
    def of(
        cls, spec: ModelSpec, cue: ArrayLike, target: ArrayLike | None, variants: Sequence[ArrayLike | None] | None,
        words: Sequence[Sequence[Words]] | None, pieces: Sequence[int] | None, sessions: ArrayLike | None, when: ArrayLike | None,
    ) -> "NewMemories":  # fmt: skip
        """The arguments of `Hippocampus.store`, checked; VectorError where they do not fit together."""
        cues = ec.unit(cue, spec.ec.dim)
        targets = None if target is None else ec.unit(target, spec.ec.dim)
        extra = [None] * len(cues) if variants is None else list(variants)
        if len(cues if targets is None else targets) != len(cues) or len(extra) != len(cues):
            given = len(cues if targets is None else targets)
            raise VectorError(f"{len(cues)} cues need as many targets and variants, not {given} and {len(extra)}")
        more = [None if v is None or empty(v) else ec.unit(v, spec.ec.dim) for v in extra]
        sizes = [0 if v is None else len(v) for v in more]
        inputs = Inputs.of(len(cues), sizes, target is not None, words, pieces, sessions, when, spec.lex)
        return cls(cues, targets, more, inputs)

    def __len__(self) -> int:
        return len(self.cues)

    def part(self, rows: slice) -> "NewMemories":
        """Some of the memories, in their order."""
        return NewMemories(
            self.cues[rows], None if self.targets is None else self.targets[rows], self.variants[rows], self.inputs.part(rows)
        )

    def keys(self) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """The keys of all memories: their vectors, [key, d], the memory of each, [key], and its position among that memory's keys, [key].

        A memory's keys are its content, a cue apart from it, its variants. The contents of all memories come first.
        """
        n, apart = len(self.cues), self.targets is not None
        vectors = [self.cues if self.targets is None else self.targets, *([self.cues] if apart else [])]
        item, place = [np.arange(n)] * len(vectors), [np.full(n, p) for p in range(len(vectors))]
        for i, more in enumerate(self.variants):
            if more is not None:
                vectors.append(more)
                item.append(np.full(len(more), i))
                place.append(1 + apart + np.arange(len(more)))
        return np.concatenate(vectors), np.concatenate(item), np.concatenate(place)


@dataclass(frozen=True, eq=False)
class NewKeys:
    """New keys, which become index cells.

    counts: EC's volleys, int8, [key, d].   codes: of CA3, uint16, [key, k].   memory: whose, [key].   content: the key that holds the
    memory's content, [key].   words: of each, or None in a model without word cells.   cue: which are not the memory's own text, [key].
    item, place: the stored memory that a key comes from, and its position among that memory's keys, [key]. Where item is NONE the key is
    taken over from the memory that is superseded, and place is its position among that memory's living keys.
    """

    counts: NDArray[np.int8]
    codes: NDArray[np.uint16]
    memory: NDArray[np.int64]
    content: NDArray[np.int64]
    words: list[Words] | None
    cue: NDArray[np.bool_]
    item: NDArray[np.int64]
    place: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def contents(self) -> NDArray[np.int64]:
        """Which of the keys hold the contents of new memories, in the order of these, [memory]."""
        return np.flatnonzero((self.item != NONE) & (self.place == 0))

    def joined(self, other: "NewKeys") -> "NewKeys":
        """These keys, followed by others."""
        words = None if self.words is None or other.words is None else [*self.words, *other.words]
        rest = {name: np.concatenate([a, getattr(other, name)]) for name, a in vars(self).items() if name != "words"}
        return NewKeys(words=words, **rest)


@dataclass(frozen=True, eq=False)
class Recoding:
    """DG's new adaptation to all memories that are alive, and the code that each key then has.   codes: uint16, [key, k]."""

    adaptation: Adaptation
    codes: NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class StorePlan:
    """What will change by storing.

    action: of an event at the gates; new memories are written.   memory: the one that holds each item, [item].
    keys: what becomes index cells.   sessions, when: of the memories that are new, [new]; none where an old one stays.
    old: the memory that answered an event; NONE where none did.
    until: the moment from which it no longer holds, s since 1970, where it is superseded.
    links: associations that a new memory takes over from the one that it supersedes.
    moment: a further moment of the old memory, NaN where there is none.
    recoding: where DG adapts; of all keys, the new ones last.   verdict: of the gates; None without gates, or where no memory answered.
    """

    action: Action
    memory: NDArray[np.int64]
    keys: NewKeys
    sessions: NDArray[np.int64]
    when: NDArray[np.float64]
    old: int = NONE
    until: float = np.nan
    links: tuple[tuple[int, int], ...] = ()
    moment: float = np.nan
    recoding: Recoding | None = None
    verdict: Verdict | None = None

    @property
    def stays(self) -> bool:
        """Whether the memory that answered an event holds it, so that none is added."""
        return self.action in (Action.REFRESH, Action.RENEW)

    @property
    def superseded(self) -> int:
        """The memory that no longer holds; NONE where there is none."""
        return self.old if self.action is Action.SUPERSEDE else NONE


def room(stored: int) -> int:
    """How many memories are coded together: up to the next number at which DG adapts.   stored: memories stored so far.

    >>> room(0), room(40), room(5000)
    (32, 24, 1024)
    """
    return min(next((n for n in ADAPTATIONS if n > stored), stored + BLOCK) - stored, BLOCK)


def recoded(circuit: Holding, living: NDArray[np.int8], counts: NDArray[np.int8]) -> Recoding:
    """DG's adaptation to the contents of living memories, and the codes of all keys under it.   living, counts: volleys."""
    dg = copy(circuit.dg)
    dg.learn(living)
    return Recoding(dg.adaptation, dg.codes(counts)[0])


def plan_new(circuit: Holding, new: NewMemories) -> StorePlan:
    """Plan to write new memories, whatever is stored already."""
    return _planned(circuit, new, _keys_of(circuit, new))


def plan_event(
    circuit: Circuit, gates: GateCells, event: NewMemories, target: Target | None, now: float,
    silenced: NDArray[np.bool_] | None = None, differ: Differ | None = None,
) -> StorePlan:  # fmt: skip
    """Plan what the gates decide about one memory.

    target: where the gates are simulated; None computes them directly.   now: s since 1970.   silenced: memories that do not answer.
    differ: how its wording differs from that of a key.
    """
    keys = _keys_of(circuit, event)
    content = event.cues if event.targets is None else event.targets
    volley = circuit.volley(content, check_cue([event.inputs.words[0][0]], None, 1, circuit.spec.lex, silenced))
    verdict = judge(circuit, gates, volley, content, target, differ)
    old = NONE if verdict is None else int(circuit.keys.owners(np.array([verdict.key]))[0])
    action = Action.WRITE if verdict is None else verdict.action
    if old != NONE and action in _barred(circuit.keys, event.inputs, old):
        action = Action.WRITE
    if action in (Action.REFRESH, Action.RENEW):
        own = keys.cue if action is Action.RENEW else np.ones(len(keys), bool)
        added = _missing(circuit, old, _some(keys, np.flatnonzero(own)))
        return StorePlan(action, np.array([old]), added, *_nothing(), old, moment=float(event.inputs.when[0]), verdict=verdict)
    if action is Action.WRITE:
        return _planned(circuit, event, keys, old=old, verdict=verdict)
    return replace(plan_version(circuit, event, old, now), verdict=verdict)


def plan_version(circuit: Holding, new: NewMemories, old: int, now: float) -> StorePlan:
    """Plan to write one memory that supersedes an old one, whose further cues and associations it gets.   now: s since 1970.

    The old one no longer holds from the moment of the new one on, or, where that is not known, from now on.
    """
    row, keys, moment = len(circuit.contents), _keys_of(circuit, new), float(new.inputs.when[0])
    taken = _lacking(_cues_of(circuit, old, row), keys.counts)
    handed = tuple((row if a == old else a, row if b == old else b) for a, b in circuit.associations if old in (a, b))
    plan = _planned(circuit, new, keys.joined(taken), old, Action.SUPERSEDE)
    return replace(plan, links=handed, until=now if np.isnan(moment) else min(moment, now))


def plan_keys(
    circuit: Holding, memory: int, vectors: NDArray[np.float32], words: Sequence[Words] | None, cue: NDArray[np.bool_]
) -> StorePlan:
    """Plan to teach a memory further keys, of which it takes those that it lacks.

    vectors: of the keys, [n, d].   words: of each.   cue: which are not its text in other words, [n].
    """
    volley, n = circuit.volley(vectors), len(vectors)
    with_words = None if words is None or circuit.spec.lex is None else list(words)
    whose = np.full(n, memory), np.full(n, circuit.contents[memory])
    keys = NewKeys(volley.counts, volley.codes, *whose, with_words, cue, np.zeros(n, np.int64), np.arange(n))
    return StorePlan(Action.REFRESH, np.array([memory]), _missing(circuit, memory, keys), *_nothing(), memory)


def apply(
    circuit: Holding,
    plan: StorePlan,
    target: Target | None = None,
    numbers: NDArray[np.int64] | None = None,
    encoded: NDArray[np.float64] | None = None,
) -> list[Recording]:
    """Carry out a plan. The circuit must not have changed since the plan was made.

    target: where an engram circuit learns by simulation; None: at once. Returns what was simulated.
    numbers: of new memories, which their engrams follow; those after the last one by default.
    encoded: when new memories are, s since 1970; at their moments by default.
    """
    record, first, keys = circuit.keys, len(circuit.keys), plan.keys
    if len(plan.sessions):
        record.remember(plan.sessions, plan.when, numbers, encoded)
    if len(keys):
        record.add(keys.counts, keys.codes, keys.memory, keys.content, keys.words, keys.cue)
    if len(plan.sessions):
        circuit.contents = np.concatenate([circuit.contents, first + keys.contents])
    learned = circuit.learn(first, target)
    if plan.superseded != NONE:
        circuit.supersede(plan.old, int(plan.memory[0]), plan.until)
    if plan.recoding is not None:
        recode(circuit, plan.recoding)
    if not np.isnan(plan.moment):
        circuit.renew(plan.old, plan.moment)
    if plan.links:
        circuit.associate(*np.array(plan.links).T)
    return learned


def recode(circuit: Holding, recoding: Recoding) -> None:
    """Adapt DG, and derive all synapses from the new codes."""
    circuit.dg.adapt(recoding.adaptation)
    circuit.keys.recode(recoding.codes)
    circuit.rebind()


def _planned(
    circuit: Holding, new: NewMemories, keys: NewKeys, old: int = NONE, action: Action = Action.WRITE, verdict: Verdict | None = None
) -> StorePlan:  # fmt: skip
    """A plan that adds memories, in which DG adapts where their number is reached; of several times the last one counts."""
    stored, record, recoding = len(circuit.contents), circuit.keys, None
    if reached := [n - stored for n in ADAPTATIONS if stored < n <= stored + len(new)]:
        fresh = keys.counts[keys.contents[: reached[-1]]]
        living = np.concatenate([record.counts[circuit.contents[circuit.living]], fresh])
        recoding = recoded(circuit, living, np.concatenate([record.counts, keys.counts]))
    rows = stored + np.arange(len(new))
    return StorePlan(action, rows, keys, new.inputs.sessions, new.inputs.when, old, recoding=recoding, verdict=verdict)


def _keys_of(circuit: Holding, new: NewMemories) -> NewKeys:
    """The keys of new memories, which take the next rows.

    They stand in blocks that end where DG adapts, contents first in each: the order in which they were stored before plans could cross an
    adaptation, and on which ties and snapshots depend. Codes made here are replaced where `_planned` finds that DG adapts.
    """
    stored, key, done, blocks = len(circuit.contents), len(circuit.keys), 0, list[NewKeys]()
    while done < len(new):
        block = new.part(slice(done, done + room(stored + done)))
        vectors, item, place = block.keys()
        volley = circuit.volley(vectors)
        words = [block.inputs.words[i][p] for i, p in zip(item, place, strict=True)]
        cue = np.array([block.inputs.cue[i][p] for i, p in zip(item, place, strict=True)], bool)
        blocks.append(NewKeys(volley.counts, volley.codes, stored + done + item, key + item, words, cue, done + item, place))
        done, key = done + len(block), key + len(item)
    return reduce(NewKeys.joined, blocks)


def _cues_of(circuit: Holding, old: int, row: int) -> NewKeys:
    """The further cues of a superseded memory (not its text, in whatever words), as keys of the memory `row` that supersedes it."""
    record, lexicon = circuit.keys, circuit.keys.lexicon
    own = np.flatnonzero((record.memory == old) & record.alive)
    place = np.flatnonzero(lexicon.cue[own])
    parts = [slice(lexicon.ptr[k], lexicon.ptr[k + 1]) for k in own[place]]
    words = [Words(lexicon.cell[p], lexicon.spikes[p], lexicon.whole[p]) for p in parts]
    n, counts = len(place), record.counts[own[place]]
    whose = np.full(n, row), np.full(n, len(record))
    return NewKeys(counts, circuit.dg.codes(counts)[0], *whose, words, np.ones(n, bool), np.full(n, NONE), place)


def _missing(circuit: Holding, memory: int, keys: NewKeys) -> NewKeys:
    """Those of some keys whose volley a memory does not have yet, each volley once."""
    record = circuit.keys
    lacks = _lacking(keys, record.counts[(record.memory == memory) & record.alive])
    return replace(lacks, memory=np.full(len(lacks), memory), content=np.full(len(lacks), circuit.contents[memory]))


def _lacking(keys: NewKeys, known: NDArray[np.int8]) -> NewKeys:
    """The keys whose volleys are not among `known`, [n, d]; of equal volleys the first."""
    there = {row.tobytes() for row in known}
    first = {row.tobytes(): i for i, row in reversed(list(enumerate(keys.counts)))}
    return _some(keys, np.array(sorted(i for row, i in first.items() if row not in there), np.int64))


def _some(keys: NewKeys, which: NDArray[np.int64]) -> NewKeys:
    words = None if keys.words is None else [keys.words[i] for i in which]
    return NewKeys(words=words, **{name: a[which] for name, a in vars(keys).items() if name != "words"})


def _barred(record: IndexCells, inputs: Inputs, old: int) -> frozenset[Action]:
    """The actions that are ruled out for an event and the memory that answered it, whatever the gates say.

    Superseding, where the event has a moment and the memory none, or a later one; refreshing, where the event has several pieces, since
    its vector is that of the first alone.
    """
    late = not np.isnan(inputs.when[0]) and not inputs.when[0] >= record.moments.when[old]
    long = inputs.cue[0].count(False) > 1
    return frozenset([Action.SUPERSEDE] * late + [Action.REFRESH] * long)


def _nothing() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sessions and moments of no new memory."""
    return np.zeros(0, np.int64), np.zeros(0)

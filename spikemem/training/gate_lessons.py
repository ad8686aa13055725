"""What the hippocampus's gates learn from, made of the project's own texts (`spikemem.corpus`).

Events are sentences in a stream in which some come again and some contradict; each meets a memory to which the right thing has been done
before, a large one or one of a few sentences. Questions are put to memories that hold what they ask for, and to others that do not. A
lesson is the mismatch with what answers, and the gates that should be on; a gate of which a lesson says nothing learns nothing from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.corpus import load_conversation
from spikemem.corpus.statements import load_corpus
from spikemem.corpus.stream import Event, Kind, stream
from spikemem.embed import Embedder
from spikemem.gating import Action, mismatch, one_thread
from spikemem.heard import asked
from spikemem.hippocampus import Hippocampus
from spikemem.regions.ca1 import NONE
from spikemem.regions.ec import unit
from spikemem.regions.ec_lex import words
from spikemem.regions.gates import FEATURES, GATES, Phase
from spikemem.spec import ModelSpec

ROUNDS = 3
"""So often all texts are told and asked for, each time in another order and with other changes."""
SHARES = {Kind.REPEAT: 0.1, Kind.PARAPHRASE: 0.15, Kind.CONTRADICTION: 0.15}
"""Of a stream, what comes again."""
SHORT, AGAIN = {4: 100, 16: 50}, {Kind.REPEAT: 0.5}
"""Of streams of so many events, so many, in which sentences come again as they were: in a memory of a few no word tells anything, and what
is known has to be known without."""
NEAR = 0.9
"""A new sentence this near to an old one, as EC's spikes have it, is neither new nor known, and teaches nothing."""
MEMORIES = (2, 8)
"""Into so many memories the statements are divided for questions, once each in a round."""
WANTED = {Kind.NEW: Action.WRITE, Kind.REPEAT: Action.RENEW, Kind.PARAPHRASE: Action.REFRESH, Kind.CONTRADICTION: Action.OVERWRITE}
ON = {
    Action.WRITE: ("update", "candidate"),
    Action.OVERWRITE: ("update", "reset", "candidate"),
    Action.REFRESH: ("candidate",),
    Action.RENEW: (),
}
"""The gates that should be on, in theta's writing half, for each action."""
READ_OUT, HOLD_BACK = "read out", "hold back"
"""What should become of a question's answer."""
Stage = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Lessons:
    """What comes to the gates, and what should be done.

    mismatch: [n, feature].   wanted: gates that should be on (1) and off (0), NaN of which nothing is said, [phase, n, gate].
    right: an action's name, `READ_OUT` or `HOLD_BACK`, [n].
    """

    mismatch: NDArray[np.float64]
    wanted: NDArray[np.float64]
    right: list[str]

    @classmethod
    def of_events(cls, mismatch: Sequence[NDArray[np.float64]], actions: Sequence[Action]) -> "Lessons":
        """Events teach the gates that write, and that none but `read` is on in theta's reading half, and `read` not in the other."""
        wanted = np.zeros((len(Phase), len(actions), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = np.nan
        for i, action in enumerate(actions):
            wanted[Phase.WRITE, i, [GATES.index(gate) for gate in ON[action]]] = 1.0
        return cls(np.reshape(mismatch, (-1, len(FEATURES))), wanted, [action.value for action in actions])

    @classmethod
    def of_questions(cls, mismatch: Sequence[NDArray[np.float64]], stored: Sequence[bool]) -> "Lessons":
        """Questions teach `read` in theta's reading half; whether one is to be written they do not say."""
        wanted = np.zeros((len(Phase), len(stored), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = stored
        wanted[Phase.WRITE, :, [g for g, gate in enumerate(GATES) if gate != "read"]] = np.nan
        return cls(np.reshape(mismatch, (-1, len(FEATURES))), wanted, [READ_OUT if there else HOLD_BACK for there in stored])

    @classmethod
    def all(cls, parts: Sequence["Lessons"]) -> "Lessons":
        """Lessons one after the other."""
        wanted = np.concatenate([part.wanted for part in parts], axis=1)
        return cls(np.concatenate([part.mismatch for part in parts]), wanted, [right for part in parts for right in part.right])


class Texts(NamedTuple):
    """Part of the project's texts."""

    groups: list[dict[str, list[str]]]
    """Statements that tell of one thing, with the questions on each."""
    turns: list[str]
    """Of its conversation."""

    def shuffled(self, rng: np.random.Generator) -> list[str]:
        """Statements, questions and turns."""
        told = [text for group in self.groups for statement, questions in group.items() for text in (statement, *questions)]
        every = [*told, *self.turns]
        return [every[i] for i in rng.permutation(len(every))]


def taught_and_held_out(seed: int = 0) -> tuple[Texts, Texts]:
    """Four fifths of the project's texts, and the last one, on which a training is judged; what tells of one thing stays together."""
    corpus, rng = load_corpus(), np.random.default_rng(seed)
    places = [*corpus.chains, *corpus.changes, *([i] for i in corpus.alone)]
    groups = [{corpus.texts[i]: corpus.cues[i] for i in group} for group in places]
    turns = [turn.said for turn in load_conversation().turns]
    groups, turns = ([given[i] for i in rng.permutation(len(given))] for given in (groups, turns))
    g, t = (len(given) * 4 // 5 for given in (groups, turns))
    return Texts(groups[:g], turns[:t]), Texts(groups[g:], turns[t:])


def held_out_texts() -> list[str]:
    """Texts of the project that had no part in the training of the weights that ship."""
    return taught_and_held_out()[1].shuffled(np.random.default_rng(0))


def lessons(spec: ModelSpec, embedder: Embedder, texts: Texts, seed: int = 0, stage: Stage = lambda _: None) -> Lessons:
    """Events and questions of texts.   stage: told what is under way."""
    rng, plain = np.random.default_rng(seed), spec.model_copy(update={"gates": None})
    told = texts.shuffled(rng)
    streams = [stream(rng.permutation(told).tolist(), 2 * len(told), SHARES, rng) for _ in range(ROUNDS)]
    streams += [stream(rng.permutation(told).tolist(), n, AGAIN, rng, wait=0) for n, many in SHORT.items() for _ in range(many)]
    stage(f"{sum(map(len, streams))} events: embedding")
    every = list(dict.fromkeys([*told, *(event.text for events in streams for event in events)]))
    vectors = dict(zip(every, unit(embedder.embed(every), spec.ec.dim), strict=True))
    stage(f"{sum(map(len, streams))} events: meeting their memories")
    with one_thread():
        parts = [_events(plain, events, vectors, seed) for events in streams]
        stage("questions: meeting memories that know, and that do not")
        parts += [_questions(plain, texts.groups, vectors, seed, memories, rng) for _ in range(ROUNDS) for memories in MEMORIES]
    return Lessons.all(parts)


Vectors = dict[str, NDArray[np.float32]]


def _events(spec: ModelSpec, events: Sequence[Event], vectors: Vectors, seed: int) -> Lessons:
    """What the events of a stream bring to a memory to which the right thing is done each time."""
    assert spec.lex is not None
    memory, holder = Hippocampus(spec, seed=seed), dict[int, int]()
    seen, actions = list[NDArray[np.float64]](), list[Action]()
    for event in events:
        vector, heard = vectors[event.text], words(event.text, spec.lex.cells)
        circuit, old = memory.circuit, holder.get(event.of, NONE)
        volley = circuit.volley(vector[None], asked([heard], None, 1, spec.lex))
        key, difference = mismatch(circuit, volley)
        answered = int(circuit.ca1.owners(np.array([key]))[0])
        if key != NONE and not (event.kind is Kind.NEW and _cosine(volley.counts[0], circuit.ca1.counts[key]) > NEAR):
            seen.append(difference)
            actions.append(WANTED[event.kind] if answered == old else Action.WRITE)
        if event.kind is Kind.CONTRADICTION:
            memory.forget([old])
        if event.kind in (Kind.NEW, Kind.CONTRADICTION):
            holder[event.of] = int(memory.store(vector[None], words=[[heard]])[0])
        elif event.kind is Kind.PARAPHRASE:
            memory.teach(old, vector[None], [heard], [False])
    return Lessons.of_events(seen, actions)


def _cosine(a: NDArray[np.int8], b: NDArray[np.int8]) -> float:
    x, y = a.astype(np.float64), b.astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _questions(
    spec: ModelSpec, groups: Sequence[dict[str, list[str]]], vectors: Vectors, seed: int, memories: int, rng: np.random.Generator
) -> Lessons:
    """Questions on groups of statements, put to the memory that holds the group, and as many of the others."""
    assert spec.lex is not None
    seen, stored = list[NDArray[np.float64]](), list[bool]()
    for part in np.array_split(rng.permutation(len(groups)), memories):
        there = np.isin(np.arange(len(groups)), part)
        told = [statement for i in part for statement in groups[i]]
        memory = Hippocampus(spec, seed=seed)
        memory.store(np.array([vectors[text] for text in told]), words=[[words(text, spec.lex.cells)] for text in told])
        known, foreign = (
            [question for i in np.flatnonzero(which) for questions in groups[i].values() for question in questions]
            for which in (there, ~there)
        )
        foreign = rng.permutation(foreign)[: len(known)].tolist()
        for question in [*known, *foreign]:
            said = asked([words(question, spec.lex.cells)], None, 1, spec.lex)
            seen.append(mismatch(memory.circuit, memory.circuit.volley(vectors[question][None], said))[1])
        stored += [True] * len(known) + [False] * len(foreign)
    return Lessons.of_questions(seen, stored)

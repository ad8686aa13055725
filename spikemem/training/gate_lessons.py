"""What the hippocampus's gates learn from, made of the project's own texts (`data.corpus`).

Events are texts in a stream in which some come again and some contradict: statements, questions, a conversation, and small talk, in many
languages and in signs. Each meets a memory to which the right thing has been done before, a large one, one of a few texts, or one that
hears no words. Questions are put to memories that hold what they ask for, and to memories that do not. A lesson is the mismatch with what
answers, and the gates that should be on; a gate of which a lesson says nothing learns nothing from it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.data.corpus import load_conversation, load_small_talk
from spikemem.data.corpus.statements import load_corpus
from spikemem.data.corpus.stream import EventKind, StreamEvent, stream
from spikemem.hippocampus.circuit import Circuit, Volley
from spikemem.hippocampus.gating import mismatch, one_thread
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.inputs import check_cue
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.cue_words import SILENT
from spikemem.hippocampus.regions.ec import unit
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.regions.gates import FEATURES, GATES, Action, Mismatch, Phase
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory.embed import Embedder

ROUNDS = 3
"""So often all texts are told and asked for, each time in another order and with other changes."""
SHARED = FEATURES.index("lex_shared")
SHARES = {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.2, EventKind.CONTRADICTION: 0.2, EventKind.BESIDE: 0.1, EventKind.QUESTION: 0.05}
"""Of a stream, what comes again."""
SHORT, AGAIN = {4: 100, 16: 50}, {EventKind.REPEAT: 0.5}
"""Of streams of so many events, so many, in which sentences come again as they were: in a memory of a few no word tells anything, and what
is known has to be known without."""
MUTE = {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.15}
"""Of a stream of vectors alone, what comes again; what contradicts is told by words."""
NEAR = 0.9
"""A new text this near to an old one, as EC's spikes have it, with which it shares words is neither new nor known, and teaches nothing."""
MEMORIES = (2, 8)
"""Into so many memories the statements are divided for questions, once each in a round."""
KNOWN = 3
"""Questions that a memory can answer, for one that it cannot: what is withheld is lost to the one who asks."""
WANTED = {
    EventKind.NEW: Action.WRITE, EventKind.REPEAT: Action.RENEW, EventKind.PARAPHRASE: Action.REFRESH,
    EventKind.CONTRADICTION: Action.OVERWRITE, EventKind.BESIDE: Action.WRITE, EventKind.QUESTION: Action.WRITE,
}  # fmt: skip
ON = {
    Action.WRITE: ("update", "candidate"),
    Action.OVERWRITE: ("update", "reset", "candidate"),
    Action.REFRESH: ("candidate",),
    Action.RENEW: (),
}
"""The gates that should be on, in theta's writing half, for each action."""
DIGITS = re.compile(r"\d+")
"""Figures, which gates do not hear: they tell as often which one it is (invoice 17) as how many."""
READ_OUT, HOLD_BACK = "read out", "hold back"
"""What should become of a cue's answer."""
Stage = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Lessons:
    """What comes to the gates, and what should be done.

    seen: mismatches.   wanted: gates that should be on (1) and off (0), NaN of which nothing is said, [phase, n, gate].
    right: an action's name, `READ_OUT` or `HOLD_BACK`, [n].   words: cells of the whole words in their texts, figures
    apart, ascending.
    """

    seen: list[Mismatch]
    wanted: NDArray[np.float64]
    right: list[str]
    words: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def sizes(self) -> NDArray[np.float64]:
        """How large the mismatches are, [n, feature]."""
        return np.reshape([mismatch.sizes for mismatch in self.seen], (-1, len(FEATURES)))

    @classmethod
    def of_events(cls, seen: Sequence[Mismatch], actions: Sequence[Action]) -> "Lessons":
        """Events teach the gates that write, and that none but `read` is on in theta's reading half, and `read` not in the other."""
        wanted = np.zeros((len(Phase), len(actions), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = np.nan
        for i, action in enumerate(actions):
            wanted[Phase.WRITE, i, [GATES.index(gate) for gate in ON[action]]] = 1.0
        return cls(list(seen), wanted, [action.value for action in actions])

    @classmethod
    def of_cues(cls, seen: Sequence[Mismatch], stored: Sequence[bool]) -> "Lessons":
        """Cues teach `read` in theta's reading half; whether one is to be written they do not say."""
        wanted = np.zeros((len(Phase), len(stored), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = stored
        wanted[Phase.WRITE, :, [g for g, gate in enumerate(GATES) if gate != "read"]] = np.nan
        return cls(list(seen), wanted, [READ_OUT if there else HOLD_BACK for there in stored])

    @classmethod
    def all(cls, parts: Sequence["Lessons"]) -> "Lessons":
        """Lessons one after the other."""
        wanted = np.concatenate([part.wanted for part in parts], axis=1)
        return cls([mismatch for part in parts for mismatch in part.seen], wanted, [right for part in parts for right in part.right])


Group = dict[str, list[str]]
"""Statements that tell of one thing, with the questions on each: none where it is a turn, or small talk."""


def cues(group: Group) -> list[str]:
    """What asks for a group: its statements themselves, and the questions on them."""
    return [text for statement, questions in group.items() for text in (statement, *questions)]


class Texts(NamedTuple):
    """Part of the project's texts."""

    groups: list[Group]

    def shuffled(self, rng: np.random.Generator) -> list[str]:
        """Statements and questions."""
        every = [text for group in self.groups for text in cues(group)]
        return [every[i] for i in rng.permutation(len(every))]


def taught_and_held_out(seed: int = 0) -> tuple[Texts, Texts]:
    """Four fifths of the project's texts, and the last one, on which a training is judged; what tells of one thing stays together."""
    corpus, rng = load_corpus(), np.random.default_rng(seed)
    places = [*corpus.chains, *corpus.changes, *([i] for i in corpus.alone)]
    statements = [{corpus.texts[i]: corpus.cues[i] for i in group} for group in places]
    turns: list[Group] = [{turn.line: []} for turn in load_conversation().turns]
    talk: list[Group] = [{text: []} for text in load_small_talk()]
    taught, held_out = list[Group](), list[Group]()
    for groups in (statements, turns, talk):
        mixed = [groups[i] for i in rng.permutation(len(groups))]
        taught += mixed[: len(mixed) * 4 // 5]
        held_out += mixed[len(mixed) * 4 // 5 :]
    return Texts(taught), Texts(held_out)


def held_out_texts() -> list[str]:
    """Texts of the project that had no part in the training of the weights that ship."""
    return taught_and_held_out()[1].shuffled(np.random.default_rng(0))


def lessons(spec: ModelSpec, embedder: Embedder, texts: Texts, seed: int = 0, stage: Stage = lambda _: None) -> Lessons:
    """Events and cues of texts.   stage: told what is under way."""
    rng, plain = np.random.default_rng(seed), spec.model_copy(update={"gates": None})
    told = texts.shuffled(rng)
    streams = [stream(rng.permutation(told).tolist(), 2 * len(told), SHARES, rng) for _ in range(ROUNDS)]
    streams += [stream(rng.permutation(told).tolist(), n, AGAIN, rng, wait=0) for n, many in SHORT.items() for _ in range(many)]
    mute = stream(rng.permutation(told).tolist(), 2 * len(told), MUTE, rng)
    stage(f"{sum(map(len, streams)) + len(mute)} events: embedding")
    every = list(dict.fromkeys([*told, *(event.text for events in (*streams, mute) for event in events)]))
    vectors = dict(zip(every, unit(embedder.embed(every), spec.ec.dim), strict=True))
    stage(f"{sum(map(len, streams)) + len(mute)} events: meeting their memories")
    with one_thread():
        parts = [_events(plain, events, vectors, seed) for events in streams]
        parts.append(_events(plain, mute, vectors, seed, mute=True))
        stage("cues: meeting memories that know, and that do not")
        parts += [_asked(plain, texts, vectors, seed, memories, rng) for _ in range(ROUNDS) for memories in MEMORIES]
    said = [_heard(DIGITS.sub(" ", text), plain) for text in every]
    return replace(Lessons.all(parts), words=np.unique(np.concatenate([heard.cells[heard.whole] for heard in said])))


Vectors = dict[str, NDArray[np.float32]]


def _heard(text: str, spec: ModelSpec, mute: bool = False) -> Words:
    assert spec.lex is not None
    return SILENT if mute else words(text, spec.lex.cells)


def _events(spec: ModelSpec, events: Sequence[StreamEvent], vectors: Vectors, seed: int, mute: bool = False) -> Lessons:
    """What the events of a stream bring to a memory to which the right thing is done each time.   mute: no word is heard."""
    memory, holder = Hippocampus(spec, seed=seed), dict[int, int]()
    seen, actions = list[Mismatch](), list[Action]()
    for event in events:
        vector, heard = vectors[event.text], _heard(event.text, spec, mute)
        circuit, old = memory.circuit, holder.get(event.of, NONE)
        volley = circuit.volley(vector[None], check_cue([heard], None, 1, spec.lex))
        key, difference = mismatch(circuit, volley)
        answered = int(circuit.ca1.owners(np.array([key]))[0])
        if key != NONE and not (
            event.kind is EventKind.NEW and (mute or difference.sizes[SHARED]) and _cosine(volley, circuit, key) > NEAR
        ):
            seen.append(difference)
            actions.append(WANTED[event.kind] if answered == old else Action.WRITE)
        if event.kind is EventKind.CONTRADICTION:
            memory.forget([old])
        if WANTED[event.kind] in (Action.WRITE, Action.OVERWRITE):
            holder[event.of] = int(memory.store(vector[None], words=[[heard]])[0])
        elif event.kind is EventKind.PARAPHRASE:
            memory.teach(old, vector[None], [heard], [False])
    return Lessons.of_events(seen, actions)


def _cosine(volley: Volley, circuit: Circuit, key: int) -> float:
    x, y = volley.counts[0].astype(np.float64), circuit.ca1.counts[key].astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _asked(spec: ModelSpec, texts: Texts, vectors: Vectors, seed: int, memories: int, rng: np.random.Generator) -> Lessons:
    """Questions on groups, put to the memory that holds them, and fewer on others, and small talk, to memories that do not."""
    seen, stored = list[Mismatch](), list[bool]()
    groups = [group for group in texts.groups if any(group.values())]
    talk = [text for group in texts.groups if not any(group.values()) for text in group]
    for part in np.array_split(rng.permutation(len(groups)), memories):
        there = np.isin(np.arange(len(groups)), part)
        told = [statement for i in part for statement in groups[i]]
        memory = Hippocampus(spec, seed=seed)
        memory.store(np.array([vectors[text] for text in told]), words=[[_heard(text, spec)] for text in told])
        known, foreign = (
            [question for i in np.flatnonzero(which) for questions in groups[i].values() for question in questions]
            for which in (there, ~there)
        )
        foreign = rng.permutation(foreign)[: len(known) // KNOWN].tolist()
        foreign += rng.permutation(talk)[: len(talk) // memories // KNOWN].tolist()
        for cue in [*known, *foreign]:
            said = check_cue([_heard(cue, spec)], None, 1, spec.lex)
            seen.append(mismatch(memory.circuit, memory.circuit.volley(vectors[cue][None], said))[1])
        stored += [True] * len(known) + [False] * len(foreign)
    return Lessons.of_cues(seen, stored)

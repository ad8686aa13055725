"""What the hippocampus's gates learn from, made of the project's own texts (`data.corpus`).

Events are texts in a stream in which some come again and some contradict: statements, questions, a conversation, and small talk, in many
languages and in signs. Each meets a memory to which the right thing has been done before: a large one, one of a few texts, or one that
gets vectors without words. Questions are put to memories that hold their answer, and to memories that do not. A lesson is the mismatch
with the memory that answers, and the gates that should be on; a gate whose target a lesson leaves open learns nothing from it.
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
"""How many times all texts are stored and cued, each time in another order and with other changes."""
SHARED = FEATURES.index("lex_shared")
SHARES = {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.2, EventKind.CONTRADICTION: 0.2, EventKind.BESIDE: 0.1, EventKind.QUESTION: 0.05}
"""The shares of a stream's events that repeat, rephrase, contradict, resemble or question an earlier one."""
SHORT, AGAIN = {4: 100, 16: 50}, {EventKind.REPEAT: 0.5}
"""How many short streams there are of each length, and the share of their events that repeat an earlier sentence word for word: in a memory
of a few texts words carry no information, and what is known has to be recognised without them."""
MUTE = {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.15}
"""The shares of a stream of vectors without words; it contradicts nothing, since only words show a contradiction."""
NEAR = 0.9
"""A new text this near to an old one, as EC's spikes have it, with which it shares words is neither new nor known, and teaches nothing."""
MEMORIES = (2, 8)
"""For questions the statements are divided among this many memories: among 2, then among 8, in every round."""
KNOWN = 3
"""Questions that a memory can answer, for each one that it cannot: an answer withheld by mistake is lost to the user."""
WANTED = {
    EventKind.NEW: Action.WRITE, EventKind.REPEAT: Action.RENEW, EventKind.PARAPHRASE: Action.REFRESH,
    EventKind.CONTRADICTION: Action.SUPERSEDE, EventKind.BESIDE: Action.WRITE, EventKind.QUESTION: Action.WRITE,
}  # fmt: skip
ON = {
    Action.WRITE: ("update", "candidate"),
    Action.SUPERSEDE: ("update", "reset", "candidate"),
    Action.REFRESH: ("candidate",),
    Action.RENEW: (),
}
"""The gates that should be on, in theta's writing half, for each action."""
DIGITS = re.compile(r"\d+")
"""Digits, which the gates get no input from: they name a thing (invoice 17) as often as they count one."""
READ_OUT, HOLD_BACK = "read out", "hold back"
"""What should become of a cue's answer."""
Stage = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Lessons:
    """Lessons for the gates: what each of them gets as input, and what it should then do.

    seen: mismatches.   wanted: gates that should be on (1) and off (0), NaN where the target is left open, [phase, n, gate].
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
        """Lessons from events: while theta writes, the action's gates should be on and `read` off; while it reads, all but `read` off."""
        wanted = np.zeros((len(Phase), len(actions), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = np.nan
        for i, action in enumerate(actions):
            wanted[Phase.WRITE, i, [GATES.index(gate) for gate in ON[action]]] = 1.0
        return cls(list(seen), wanted, [action.value for action in actions])

    @classmethod
    def of_cues(cls, seen: Sequence[Mismatch], stored: Sequence[bool]) -> "Lessons":
        """Lessons from cues: while theta reads, `read` should be on where the memory holds the answer; the other gates have no target."""
        wanted = np.zeros((len(Phase), len(stored), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = stored
        wanted[Phase.WRITE, :, [g for g, gate in enumerate(GATES) if gate != "read"]] = np.nan
        return cls(list(seen), wanted, [READ_OUT if there else HOLD_BACK for there in stored])

    @classmethod
    def all(cls, parts: Sequence["Lessons"]) -> "Lessons":
        """Several sets of lessons as one."""
        wanted = np.concatenate([part.wanted for part in parts], axis=1)
        return cls([mismatch for part in parts for mismatch in part.seen], wanted, [right for part in parts for right in part.right])


Group = dict[str, list[str]]
"""Statements about one thing, with the questions on each: none where it is a turn of a conversation, or small talk."""


def cues(group: Group) -> list[str]:
    """The cues of a group: its statements themselves, and the questions on them."""
    return [text for statement, questions in group.items() for text in (statement, *questions)]


class Texts(NamedTuple):
    """Part of the project's texts."""

    groups: list[Group]

    def shuffled(self, rng: np.random.Generator) -> list[str]:
        """Statements and questions in random order."""
        every = [text for group in self.groups for text in cues(group)]
        return [every[i] for i in rng.permutation(len(every))]


def taught_and_held_out(seed: int = 0) -> tuple[Texts, Texts]:
    """The project's texts split into four fifths to learn from and one fifth to be judged by; statements about one thing stay together."""
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
    """All lessons that a set of texts gives, from events and from cues.   stage: called with the name of what begins."""
    rng, plain = np.random.default_rng(seed), spec.model_copy(update={"gates": None})
    stored_texts = texts.shuffled(rng)
    streams = [stream(rng.permutation(stored_texts).tolist(), 2 * len(stored_texts), SHARES, rng) for _ in range(ROUNDS)]
    streams += [stream(rng.permutation(stored_texts).tolist(), n, AGAIN, rng, wait=0) for n, many in SHORT.items() for _ in range(many)]
    mute = stream(rng.permutation(stored_texts).tolist(), 2 * len(stored_texts), MUTE, rng)
    stage(f"{sum(map(len, streams)) + len(mute)} events: embedding")
    every = list(dict.fromkeys([*stored_texts, *(event.text for events in (*streams, mute) for event in events)]))
    vectors = dict(zip(every, unit(embedder.embed(every), spec.ec.dim), strict=True))
    stage(f"{sum(map(len, streams)) + len(mute)} events: meeting their memories")
    with one_thread():
        parts = [_events(plain, events, vectors, seed) for events in streams]
        parts.append(_events(plain, mute, vectors, seed, mute=True))
        stage("cues: meeting memories that know, and that do not")
        parts += [_cues(plain, texts, vectors, seed, memories, rng) for _ in range(ROUNDS) for memories in MEMORIES]
    every_words = [_words_of(DIGITS.sub(" ", text), plain) for text in every]
    return replace(Lessons.all(parts), words=np.unique(np.concatenate([some.cells[some.whole] for some in every_words])))


Vectors = dict[str, NDArray[np.float32]]


def _words_of(text: str, spec: ModelSpec, mute: bool = False) -> Words:
    assert spec.lex is not None
    return SILENT if mute else words(text, spec.lex.cells)


def _events(spec: ModelSpec, events: Sequence[StreamEvent], vectors: Vectors, seed: int, mute: bool = False) -> Lessons:
    """Lessons from a stream: its events meet a memory to which the right thing is done each time.   mute: words are left out."""
    memory, holder = Hippocampus(spec, seed=seed), dict[int, int]()
    seen, actions = list[Mismatch](), list[Action]()
    for event in events:
        vector, its_words = vectors[event.text], _words_of(event.text, spec, mute)
        circuit, old = memory.circuit, holder.get(event.of, NONE)
        volley = circuit.volley(vector[None], check_cue([its_words], None, 1, spec.lex))
        key, difference = mismatch(circuit, volley)
        answered = int(circuit.ca1.owners(np.array([key]))[0])
        if key != NONE and not (
            event.kind is EventKind.NEW and (mute or difference.sizes[SHARED]) and _cosine(volley, circuit, key) > NEAR
        ):
            seen.append(difference)
            actions.append(WANTED[event.kind] if answered == old else Action.WRITE)
        if event.kind is EventKind.CONTRADICTION:
            memory.forget([old])
        if WANTED[event.kind] in (Action.WRITE, Action.SUPERSEDE):
            holder[event.of] = int(memory.store(vector[None], words=[[its_words]])[0])
        elif event.kind is EventKind.PARAPHRASE:
            memory.teach(old, vector[None], [its_words], [False])
    return Lessons.of_events(seen, actions)


def _cosine(volley: Volley, circuit: Circuit, key: int) -> float:
    x, y = volley.counts[0].astype(np.float64), circuit.ca1.counts[key].astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _cues(spec: ModelSpec, texts: Texts, vectors: Vectors, seed: int, memories: int, rng: np.random.Generator) -> Lessons:
    """Lessons from cues: questions to the memory that holds their answer, and fewer, with small talk, to memories that do not."""
    seen, stored = list[Mismatch](), list[bool]()
    groups = [group for group in texts.groups if any(group.values())]
    talk = [text for group in texts.groups if not any(group.values()) for text in group]
    for part in np.array_split(rng.permutation(len(groups)), memories):
        there = np.isin(np.arange(len(groups)), part)
        stored_texts = [statement for i in part for statement in groups[i]]
        memory = Hippocampus(spec, seed=seed)
        memory.store(np.array([vectors[text] for text in stored_texts]), words=[[_words_of(text, spec)] for text in stored_texts])
        known, foreign = (
            [question for i in np.flatnonzero(which) for questions in groups[i].values() for question in questions]
            for which in (there, ~there)
        )
        foreign = rng.permutation(foreign)[: len(known) // KNOWN].tolist()
        foreign += rng.permutation(talk)[: len(talk) // memories // KNOWN].tolist()
        for cue in [*known, *foreign]:
            cue_words = check_cue([_words_of(cue, spec)], None, 1, spec.lex)
            seen.append(mismatch(memory.circuit, memory.circuit.volley(vectors[cue][None], cue_words))[1])
        stored += [True] * len(known) + [False] * len(foreign)
    return Lessons.of_cues(seen, stored)

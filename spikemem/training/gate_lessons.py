"""What the hippocampus's gates learn from, made of the project's own texts (`data.corpus`).

Events are texts in a stream in which some come again and some contradict: statements, questions, a conversation, and small talk, in many
languages and in signs. Each meets a memory to which the right thing has been done before: a large one, one of a few texts, or one that
gets vectors without words. Pairs of facts meet memories of their first sentences, and some others. Questions are put to
memories that hold their answer, and to memories that do not. A lesson is the mismatch
with the memory that answers, and the gates that should be on; a gate whose target a lesson leaves open learns nothing from it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikemem.data.corpus import load_conversation, load_small_talk
from spikemem.data.corpus.captions import caption_pairs
from spikemem.data.corpus.pairs import FactPair, Filler, PairKind, pairs
from spikemem.data.corpus.statements import load_corpus
from spikemem.data.corpus.stream import EventKind, StreamEvent, stream
from spikemem.data.datasets import pairs as sentence_pairs
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.gating import mismatch
from spikemem.hippocampus.hippocampus import Hippocampus
from spikemem.hippocampus.holding import Volley
from spikemem.hippocampus.inputs import check_cue
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.cue_words import SILENT
from spikemem.hippocampus.regions.difference import Difference, Heard, heard
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.regions.gates import FEATURES, GATES, Action, Mismatch, Phase
from spikemem.hippocampus.spec import ModelSpec
from spikemem.memory.difference import Differences, said
from spikemem.memory.embed import Embedder
from spikemem.memory.wording import akin, contrast

ROUNDS = 2
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
PAIRS = 900
"""Pairs of facts that are made in each of the ways in which they are made; fewer of them for what is held out."""
CAPTIONS = 150
"""Pairs of captions that are made in each way; fewer of them for what is held out."""
PARTLY = 15
"""How many times fewer pairs there are for what is held out."""
FEW = 400
TOLD_BEFORE = (1, 5, 60, 400)
"""First sentences of pairs that a memory holds."""
TINY = 80
"""Memories of one to four texts, to which these texts are put themselves, also with their end first."""
OF_PAIR = {
    PairKind.UPDATE: Action.SUPERSEDE, PairKind.DENIAL: Action.SUPERSEDE, PairKind.BESIDE: Action.WRITE, PairKind.ALIKE: Action.REFRESH,
}  # fmt: skip
ALIKE = "alike"
"""What should become of what says the same, or less: it is taken up or written, and supersedes nothing."""
SAME, UNLIKE = 4.5, 2.0
"""Scores of STS-B from which sentences say the same, and up to which they have little to do with one another."""
LONGEST = 80
"""Characters of a text that is put with its end first."""
READ_OUT, HOLD_BACK = "read out", "hold back"
"""What should become of a cue's answer."""
Stage = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Lessons:
    """Lessons for the gates: what each of them gets as input, and what it should then do.

    seen: mismatches.   wanted: gates that should be on (1) and off (0), NaN where the target is left open, [phase, n, gate].
    right: an action's name, `READ_OUT` or `HOLD_BACK`, [n].   told: wordings of the memory and of the event, where they are compared.
    """

    seen: list[Mismatch]
    wanted: NDArray[np.float64]
    right: list[str]
    told: list[tuple[str, str] | None]

    @property
    def sizes(self) -> NDArray[np.float64]:
        """How large the mismatches are, [n, feature]."""
        return np.reshape([mismatch.sizes for mismatch in self.seen], (-1, len(FEATURES)))

    @classmethod
    def of_events(cls, seen: Sequence[Mismatch], actions: Sequence[Action], told: Sequence[tuple[str, str] | None]) -> "Lessons":
        """Lessons from events: while theta writes, the action's gates should be on and `read` off; while it reads, all but `read` off."""
        wanted = np.zeros((len(Phase), len(actions), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = np.nan
        for i, action in enumerate(actions):
            wanted[Phase.WRITE, i, [GATES.index(gate) for gate in ON[action]]] = 1.0
        return cls(list(seen), wanted, [action.value for action in actions], list(told))

    @classmethod
    def of_cues(cls, seen: Sequence[Mismatch], stored: Sequence[bool]) -> "Lessons":
        """Lessons from cues: while theta reads, `read` should be on where the memory holds the answer; the other gates have no target."""
        wanted = np.zeros((len(Phase), len(stored), len(GATES)))
        wanted[Phase.READ, :, GATES.index("read")] = stored
        wanted[Phase.WRITE, :, [g for g, gate in enumerate(GATES) if gate != "read"]] = np.nan
        return cls(list(seen), wanted, [READ_OUT if there else HOLD_BACK for there in stored], [None] * len(seen))

    @classmethod
    def all(cls, parts: Sequence["Lessons"]) -> "Lessons":
        """Several sets of lessons as one."""
        wanted = np.concatenate([part.wanted for part in parts], axis=1)
        seen, right, told = ([x for part in parts for x in getattr(part, name)] for name in ("seen", "right", "told"))
        return cls(seen, wanted, right, told)

    def heard(self, differ: Callable[[str, str], Difference | None], dim: int) -> "Lessons":
        """These lessons, with what was told turned into spikes.   dim: of the vectors."""
        made = []
        for seen, told in zip(self.seen, self.told, strict=True):
            cells, phrases = heard(None if told is None else differ(*told), dim)
            made.append(Mismatch(seen.sizes, Heard(cells, phrases.astype(np.int8))))
        return replace(self, seen=made)


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


def lessons(
    spec: ModelSpec, embedder: Embedder, texts: Texts, seed: int = 0, public: Sequence[FactPair] = (), stage: Stage = lambda _: None
) -> Lessons:
    """All lessons that a set of texts gives, from events, pairs of facts and cues.

    public: further pairs.   stage: called with the name of what begins.
    """
    rng, plain = np.random.default_rng(seed), spec.model_copy(update={"gates": None})
    stored_texts = texts.shuffled(rng)
    streams = [stream(rng.permutation(stored_texts).tolist(), 2 * len(stored_texts), SHARES, rng) for _ in range(ROUNDS)]
    streams += [stream(rng.permutation(stored_texts).tolist(), n, AGAIN, rng, wait=0) for n, many in SHORT.items() for _ in range(many)]
    mute = stream(rng.permutation(stored_texts).tolist(), 2 * len(stored_texts), MUTE, rng)
    of_facts, of_captions = (n if len(texts.groups) > FEW else n // PARTLY for n in (PAIRS, CAPTIONS))
    facts = [*pairs(of_facts, np.random.default_rng(seed)), *caption_pairs(of_captions, Filler(np.random.default_rng(seed))), *public]
    differ = Differences(embedder, most=None)
    stage(f"{sum(map(len, streams)) + len(mute)} events, {len(facts)} pairs: embedding")
    every = [*stored_texts, *(e.text for events in (*streams, mute) for e in events), *(text for pair in facts for text in pair[:2])]
    every += [other for text in stored_texts if (other := turned(text)) is not None]
    vectors = dict(zip(every, differ.embed(every), strict=True))
    stage(f"{sum(map(len, streams)) + len(mute)} events: meeting their memories")
    parts = [_events(plain, events, vectors, seed) for events in streams]
    parts.append(_events(plain, mute, vectors, seed, mute=True))
    parts += [_pairs(plain, some, vectors, seed) for some in _memories(facts, rng)]
    stage("cues: meeting memories that know, and that do not")
    parts += [_cues(plain, texts, vectors, seed, memories, rng) for _ in range(ROUNDS) for memories in MEMORIES]
    parts += [_repeats(plain, rng.permutation(stored_texts)[: 1 + i % 4].tolist(), vectors, seed) for i in range(TINY)]
    made = Lessons.all(parts)
    stage("embedding what replaced what")
    told = list(dict.fromkeys(pair for pair in made.told if pair is not None and akin(*pair)))
    differ.embed(list(dict.fromkeys(part for pair in told for part in said(*pair))))
    return made.heard(differ, spec.ec.dim)


def public_pairs(data: Path, part: str = "train") -> list[FactPair]:
    """Pairs of STS-B (Cer 2017; CC BY-SA 4.0 and others), of its part to train on or another: what is alike, and what is not and yet no
    contradiction. Pairs of which one side is denied are left out, and so are those between.

    data: the folder with the data sets; MissingDataError where it has no STS-B.
    """
    made = []
    for first, second, score in sentence_pairs(data, "STS-B", part):
        if score is None or UNLIKE < score < SAME or contrast(first, second).marks & {"denies", "denied"}:
            continue
        made.append(FactPair(first, second, PairKind.ALIKE if score >= SAME else PairKind.BESIDE))
    return made


def turned(text: str) -> str | None:
    """A text of two parts with its end first; None where it has no two.

    >>> turned("Have a good one, see ya!")
    'See ya, have a good one!'
    """
    if text.count(", ") != 1 or ": " in text or len(text) > LONGEST:
        return None
    first, second = text.rstrip(".!?").split(", ")
    return f"{second[:1].upper()}{second[1:]}, {first[:1].lower()}{first[1:]}{text[-1]}"


Vectors = dict[str, NDArray[np.float32]]


def _words_of(text: str, spec: ModelSpec, mute: bool = False) -> Words:
    assert spec.lex is not None
    return SILENT if mute else words(text, spec.lex.cells)


def _events(spec: ModelSpec, events: Sequence[StreamEvent], vectors: Vectors, seed: int, mute: bool = False) -> Lessons:
    """Lessons from a stream: its events meet a memory to which the right thing is done each time.   mute: words are left out."""
    memory, holder, wordings = Hippocampus(spec, seed=seed), dict[int, int](), list[str]()
    seen, actions, told = list[Mismatch](), list[Action](), list[tuple[str, str] | None]()
    for event in events:
        vector, its_words = vectors[event.text], _words_of(event.text, spec, mute)
        circuit, old = memory.index, holder.get(event.of, NONE)
        volley = circuit.volley(vector[None], check_cue([its_words], None, 1, spec.lex))
        key, difference = mismatch(circuit, volley)
        answered = int(circuit.ca1.owners(np.array([key]))[0])
        if key != NONE and not (
            event.kind is EventKind.NEW and (mute or difference.sizes[SHARED]) and _cosine(volley, circuit, key) > NEAR
        ):
            seen.append(difference)
            actions.append(WANTED[event.kind] if answered == old else Action.WRITE)
            told.append(None if mute else (wordings[key], event.text))
        if event.kind is EventKind.CONTRADICTION:
            memory.forget([old])
        if WANTED[event.kind] in (Action.WRITE, Action.SUPERSEDE):
            holder[event.of] = int(memory.store(vector[None], words=[[its_words]])[0])
            wordings.append(event.text)
        elif event.kind is EventKind.PARAPHRASE:
            wordings += [event.text] * len(memory.teach(old, vector[None], [its_words], [False]))
    return Lessons.of_events(seen, actions, told)


def _memories(facts: Sequence[FactPair], rng: np.random.Generator) -> Iterator[list[FactPair]]:
    """Pairs, divided among memories of `TOLD_BEFORE` first sentences."""
    mixed = [facts[i] for i in rng.permutation(len(facts))]
    while mixed:
        n = int(rng.choice(TOLD_BEFORE))
        yield mixed[:n]
        mixed = mixed[n:]


def _pairs(spec: ModelSpec, facts: Sequence[FactPair], vectors: Vectors, seed: int) -> Lessons:
    """Lessons from the second sentences of pairs, put to a memory of all first ones; only where their own first one answers."""
    memory = Hippocampus(spec, seed=seed)
    memory.store(np.array([vectors[pair.first] for pair in facts]), words=[[_words_of(pair.first, spec)] for pair in facts])
    seen, kinds, told = list[Mismatch](), list[PairKind](), list[tuple[str, str] | None]()
    for pair in facts:
        cue_words = check_cue([_words_of(pair.second, spec)], None, 1, spec.lex)
        key, difference = mismatch(memory.index, memory.index.volley(vectors[pair.second][None], cue_words))
        if key != NONE and facts[key].first == pair.first:
            seen.append(difference)
            kinds.append(pair.kind)
            told.append(pair[:2])
    made = Lessons.of_events(seen, [OF_PAIR[kind] for kind in kinds], told)
    for i, kind in enumerate(kinds):
        if kind is PairKind.ALIKE:  # taken up or written, as long as nothing is superseded
            made.wanted[Phase.WRITE, i, [GATES.index("update"), GATES.index("candidate")]] = np.nan
            made.right[i] = ALIKE
    return made


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
            seen.append(mismatch(memory.index, memory.index.volley(vectors[cue][None], cue_words))[1])
        stored += [True] * len(known) + [False] * len(foreign)
    return Lessons.of_cues(seen, stored)


def _repeats(spec: ModelSpec, texts: Sequence[str], vectors: Vectors, seed: int) -> Lessons:
    """Lessons from a small memory's own texts as cues, and from those with their end first: all should be read out."""
    memory = Hippocampus(spec, seed=seed)
    memory.store(np.array([vectors[text] for text in texts]), words=[[_words_of(text, spec)] for text in texts])
    seen = []
    for cue in [*texts, *(other for text in texts if (other := turned(text)) is not None)]:
        cue_words = check_cue([_words_of(cue, spec)], None, 1, spec.lex)
        seen.append(mismatch(memory.index, memory.index.volley(vectors[cue][None], cue_words))[1])
    return Lessons.of_cues(seen, [True] * len(seen))

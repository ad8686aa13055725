"""The weights that ship, on texts that their training did not see, as the bundled embedder reads them."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, Memory, load_model
from spikemem.data.corpus import load_facts
from spikemem.data.corpus.stream import EventKind, stream
from spikemem.hippocampus.codes import VolleyCode, fidelity
from spikemem.hippocampus.regions.gates import Action
from spikemem.hippocampus.spec import weights_file
from spikemem.memory.embed import Progress
from spikemem.training.gate_lessons import SHARES, Texts, taught_and_held_out

SENTENCES = [
    "The glazier promised to come on Thursday, and then he moved it to the week after.",
    "Two kilos of flour, a sack of onions, and whatever fish looks fresh.",
    "Our neighbour's drone is stuck in the pear tree again.",
    "She has played second violin for eleven years without missing a rehearsal.",
    "The bridge at Vreeland opens every half hour in summer.",
    "I lost the key to the archive somewhere between the canteen and the stairs.",
    "Quarterly revenue fell by three per cent, mostly because of the strike.",
    "Do you remember which of the vaccines made him so tired?",
    "A heron stood in the flooded car park and would not be hurried.",
    "The judge adjourned until both parties had read the new evidence.",
    "Please water the ferns twice a week and leave the cactus alone.",
    "It took the mechanics four hours to find the leak in the radiator.",
]

FOREIGN = [
    "Lodówka w kuchni znowu przecieka.",
    "Mijn fiets staat nog bij het station.",
    "Sähkölasku tuli tänään postissa.",
    "A macska elaludt a párnán.",
    "Trenul spre Cluj pleacă la șapte.",
    "Bahçedeki incir ağacı kurumuş.",
    "Bróðir minn keypti gamlan bát.",
    "Kereta api terakhir sudah berangkat.",
]


pytestmark = pytest.mark.slow


class Reader:
    """The bundled embedder, which reads but once what several memories are told."""

    def __init__(self) -> None:
        from spikemem.memory.embed import SentenceEmbedder

        self.within, self.known = SentenceEmbedder(), dict[tuple[str, ...], NDArray[np.float32]]()
        self.name, self.dim = self.within.name, self.within.dim

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        told = tuple(texts)
        if told not in self.known:
            self.known[told] = self.within.embed(texts, progress)
        return self.known[told].copy()


@pytest.fixture(scope="module")
def reader() -> Reader:
    pytest.importorskip("sentence_transformers")
    return Reader()


@pytest.fixture(scope="module")
def held_out() -> Texts:
    return taught_and_held_out()[1]


def test_the_code_keeps_a_sentence_in_few_spikes() -> None:
    pytest.importorskip("sentence_transformers")
    from spikemem.memory.embed import SentenceEmbedder

    made = fidelity(VolleyCode.load(weights_file("ec-minilm")), SentenceEmbedder().embed(SENTENCES))
    assert made.cosine >= 0.99
    assert made.spikes <= 400


def test_the_gates_write_what_is_new_and_know_what_is_not(held_out: Texts, reader: Reader) -> None:
    rng = np.random.default_rng(0)
    events = stream(held_out.shuffled(rng), 200, SHARES, rng, "test")
    holder: dict[int, int] = {}
    told: dict[EventKind, list[bool]] = {kind: [] for kind in EventKind}
    right = {
        EventKind.NEW: {"write"},
        EventKind.REPEAT: {"renew"},
        EventKind.PARAPHRASE: {"refresh", "renew"},
        EventKind.CONTRADICTION: {"supersede"},
        EventKind.BESIDE: {"write"},
        EventKind.QUESTION: {"write"},
    }
    with Memory.open(model="hippocampus-gated", embedder=reader) as memory:
        for event in events:
            memory.store(event.text)
            (decision,) = memory.decisions
            told[event.kind].append(decision.action in right[event.kind])
            holder[event.of] = decision.id
    least = {
        EventKind.NEW: 0.98,
        EventKind.REPEAT: 0.95,
        EventKind.PARAPHRASE: 0.7,
        EventKind.CONTRADICTION: 0.4,
        EventKind.BESIDE: 0.7,
        EventKind.QUESTION: 0.7,
    }
    for kind, share in least.items():
        assert np.mean(told[kind]) >= share, (kind, told[kind])


def test_facts_are_corrected_and_denied_and_stand_beside_one_another(reader: Reader) -> None:
    """Pairs in words of which the gates have heard a part: what they are not sure of is written."""
    facts = load_facts()
    told: dict[str, Counter[str]] = {}
    for kind, pairs in facts.pairs.items():
        with Memory.open(model="hippocampus-gated", embedder=reader) as memory:
            memory.store_all([*facts.before, *(first for first, _ in pairs)])
            memory.store_all([second for _, second in pairs])
            told[kind] = Counter(decision.action for decision in memory.decisions)
            found = memory.recall_all([second for _, second in pairs], 1)
            assert [hits[0].text for hits in found] == [second for _, second in pairs]  # whatever became of it
    assert told["negation"]["refresh"] + told["negation"]["renew"] <= 1
    assert told["negation"]["supersede"] >= 13
    assert told["update"]["supersede"] >= 8
    assert told["update"]["refresh"] + told["update"]["renew"] <= 3
    assert told["beside"]["write"] >= 16
    assert told["beside"]["supersede"] <= 2
    assert told["paraphrase"]["supersede"] <= 2
    assert told["paraphrase"]["refresh"] >= 1
    assert told["figure"]["write"] >= 18
    assert told["figure"]["supersede"] == told["order"]["supersede"] == 0


def test_what_is_numbered_is_kept(reader: Reader) -> None:
    said = [f"Invoice {n} was paid." for n in range(11, 31)]
    with Memory.open(model="hippocampus-gated", embedder=reader) as memory:
        memory.store_all(said)
        assert [hits[0].text for hits in memory.recall_all(said, 1)] == said


def test_languages_that_were_never_taught_are_written(reader: Reader) -> None:
    with Memory.open(model="hippocampus-gated", embedder=reader) as memory:
        memory.store_all(FOREIGN)
        assert [decision.action for decision in memory.decisions] == ["write"] * len(FOREIGN)
        memory.store_all(FOREIGN)
        assert [decision.action for decision in memory.decisions] == ["renew"] * len(FOREIGN)


def test_what_is_stored_is_read_out_and_what_is_not_is_withheld(held_out: Texts, reader: Reader) -> None:
    half = len(held_out.groups) // 2
    known, foreign = held_out.groups[:half], held_out.groups[half:]
    with Memory.open(model="hippocampus-text", embedder=reader) as plain, Memory.open(model="hippocampus-gated", embedder=reader) as memory:
        for to in (plain, memory):
            to.store_all([statement for group in known for statement in group])
        for groups, answered in ((known, 0.95), (foreign, 0.05)):
            questions = [question for group in groups for texts in group.values() for question in texts]
            hits = memory.recall_all(questions, 1)
            assert abs(np.mean([bool(found) for found in hits]) - answered) <= 0.05
            assert all(plain.recall_all(questions, 1))
            assert all(bool(found) != bool(found.withheld) for found in hits)


def test_vectors_alone_are_written_and_known_again() -> None:
    vectors = np.random.default_rng(0).normal(size=(150, 384)).astype(np.float32)
    memory = Hippocampus(load_model("hippocampus-gated"))
    memory.store(vectors)
    written = [plan.action is Action.WRITE for plan in memory.plans]
    assert np.mean(written) >= 0.98
    memory.store(vectors[-20:])
    assert all(plan.action is Action.RENEW for plan in memory.plans)
    assert memory.reads(vectors[-20:]).all()
    assert not memory.reads(-vectors[-20:]).any()


def test_other_scripts_and_signs_do_not_supersede_one_another(reader: Reader) -> None:
    said = [
        "阿达住在里斯本。",
        "本养蜜蜂。",
        "🦊",
        "…",
        "Ada lives in Lisbon.",
        "Чайник стоит на плите.",
        "Der Kessel steht auf dem Herd.",
    ]
    with Memory.open(model="hippocampus-gated", embedder=reader) as memory:
        memory.store_all(said)
        assert "supersede" not in {decision.action for decision in memory.decisions}
        assert len(memory.list()) == len(said)
        for text in said:
            memory.store(text)
            assert memory.decisions[0].action in ("renew", "refresh"), text

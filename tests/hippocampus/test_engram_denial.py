"""Denials in the engram model: what words of the other polarity take from an engram, in spikes and without simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.kernels.engrams import GRAIN
from tests.fakes import engram_small, near, units
from tests.hippocampus.engrams import circuit, same

SAID = [
    "The lamp is being fixed by a nurse.",
    "A nurse is not fixing the lamp.",
    "A boat is red.",
    "Nobody saw the red boat.",
    "Who is not here?",
    "",
]
CUES = ["A nurse is fixing the lamp.", "A nurse is not fixing the lamp, not not 1.", "Who fixed the lamp?", "?!"]


def spec_of(gain: float) -> ModelSpec:
    small = engram_small()
    return small.model_copy(update={"ca1": small.ca1.model_copy(update={"denial": gain})})


def heard(texts: list[str]) -> list[Words]:
    return [words(text, 2048) for text in texts]


def stored(gain: float = 0.5, record: bool = False, copies: int = 3) -> Hippocampus:
    """Statements, denials and questions, of which some have a further cue that denies."""
    made, texts = Hippocampus(spec_of(gain)), [f"{text} {i}" for i in range(copies) for text in SAID]
    n, vectors = len(texts), units(40)
    further = [vectors[n + i : n + i + 1] if i % 5 == 0 else None for i in range(n)]
    given = [heard([text, *([f"not nurse {i}"] if i % 5 == 0 else [])]) for i, text in enumerate(texts)]
    made.store(vectors[:n], variants=further, words=given, record=record)
    return made


@pytest.fixture(scope="module")
def memory() -> Hippocampus:
    """Only to be read."""
    return stored()


def taken(memory: Hippocampus, cues: list[str]) -> NDArray[np.int32]:
    """What denial adds to the drive of CA3's cells, [n, cell]."""
    drive, ours = np.zeros((len(cues), 2048), np.int32), circuit(memory)
    assert ours.denial is not None
    ours.denial.heard(CueWords.of(heard(cues), None, len(cues)), drive)
    return drive


def test_a_recall_is_what_the_spikes_say() -> None:
    memory, vectors = stored(1.0), near(units(4), 0.5)
    memory.forget([7, 8])
    fast, slow = (memory.recall(vectors, 4, words=heard(CUES), record=record) for record in (False, True))
    same(fast, slow)
    assert slow.recording is not None
    fired = np.bincount(slow.recording["ec_denial"].batch, minlength=4)
    assert (fired[:2] > 0).all()
    assert (fired[2:] == 0).all()
    free = stored(0.0)
    free.forget([7, 8])
    assert (free.recall(vectors, 4, words=heard(CUES)).ids != fast.ids).any()


def test_a_share_of_what_words_bring_is_taken_from_the_other_polarity(memory: Hippocampus) -> None:
    """Cells of one engram alone lose, of each word that the cue shares with the text, the gain's share."""
    ours, drive = circuit(memory), taken(memory, CUES)
    engrams, rows = ours.engrams(np.arange(len(memory))), ours.keys.lexicon
    alone = np.bincount(engrams.ravel(), minlength=2048) == 1
    assert ours.denial is not None
    for cue, opposed in ((0, {1, 3}), (1, {0, 2, 5}), (2, set()), (3, set())):
        given = words(CUES[cue], 2048)
        for m, cells in enumerate(engrams):
            key = ours.contents[m]
            own = rows.cell[rows.ptr[key] : rows.ptr[key + 1]]
            shared = [(c, n) for c, n in zip(given.cells.tolist(), given.spikes.tolist(), strict=True) if c in own]
            brings = sum(n * np.round(0.5 * ours.denial.efficacy(np.array([c])))[0] for c, n in shared)
            expected = -brings if m % len(SAID) in opposed else 0
            assert set(drive[cue, cells[alone[cells]]].tolist()) <= {expected}, (cue, m)
    assert drive[0].min() < -GRAIN


def test_a_paraphrase_comes_before_the_denial_and_the_other_way_round() -> None:
    """What stands in all vectors alike is told by words, of which the denial shares more."""
    vectors = np.concatenate([np.repeat(units(1), 2, axis=0), units(20, seed=3)])
    texts = [*SAID[:2], *[f"The harbour has boat number{i}." for i in range(20)]]
    for gain, affirmed in ((0.0, 1), (0.5, 0)):
        memory = Hippocampus(spec_of(gain))
        memory.store(vectors, words=[[w] for w in heard(texts)])
        cues = heard([CUES[0], "Nobody is fixing the lamp."])
        assert memory.recall(np.repeat(units(1), 2, axis=0), 1, words=cues).ids.ravel().tolist() == [affirmed, 1], gain


def test_what_is_forgotten_leaves_no_synapse() -> None:
    memory = stored()
    ours = circuit(memory)
    memory.forget([1, 2, 9])
    assert ours.denial is not None
    before = ours.denial.bits.copy()
    ours.rebind()
    np.testing.assert_array_equal(ours.denial.bits, before)
    assert before.any()


def test_a_simulation_learns_it() -> None:
    fast, slow = (circuit(stored(0.5, record, copies=1)) for record in (False, True))
    assert fast.denial is not None
    assert slow.denial is not None
    np.testing.assert_array_equal(fast.denial.bits, slow.denial.bits)
    assert fast.denial.bits[:2048].any()
    assert fast.denial.bits[2048:].any()


def test_models_have_a_gain() -> None:
    for name in ("hippocampus-engram", "hippocampus-engram-small", "hippocampus-engram-trained"):
        assert load_model(name).ca1.denial == load_model("hippocampus-text").ca1.denial


def test_without_a_gain_there_is_no_region() -> None:
    memory = stored(0.0)
    assert circuit(memory).denial is None
    assert "ec_denial" not in memory.network.populations

"""Denials: which texts affirm, deny or ask, what the pathway takes away, and short cuts against spikes."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, Memory, ModelSpec, RateHippocampus, load_model
from spikemem.errors import StoreError
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.bcpnn import UNIT
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.regions.polarity import AFFIRMS, ASKING, DENIES, DENYING, NEITHER, of_cues
from tests.fakes import FakeEmbedder, near, units
from tests.marks import first_is_fast

CELLS = 2**16
DENIAL = PATHWAYS.index("denial")
PARTS = ("ids", "scores", "drives", "path", "vectors", "novelty", "competitors", "attention")
SAID = [
    "The lamp is being fixed by a nurse.",
    "A nurse is not fixing the lamp.",
    "A boat is red.",
    "Nobody saw the red boat.",
    "Who is not here?",
    "",
]
CUE = "A nurse is fixing the lamp."


def heard(*texts: str, cells: int = CELLS) -> list[int]:
    return of_cues(CueWords.of([words(t, cells) for t in texts], None, len(texts)), cells).tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A nurse is fixing the lamp.", AFFIRMS), ("A nurse is not fixing the lamp.", DENIES), ("Nobody fixes it", DENIES),
        ("There is no nurse", DENIES), ("She can't come", DENIES), ("She can come", AFFIRMS), ("She won\u2019t come", DENIES),
        ("She won a t-shirt", DENIES), ("a green T-shirt", AFFIRMS), ("It isn't", DENIES), ("she does not sing", DENIES),
        ("Does she sing?", NEITHER), ("Who does not sing?", NEITHER), ("Would she sing?", NEITHER), ("", NEITHER), ("?!", NEITHER),
    ],
)  # fmt: skip
def test_what_a_text_says(text: str, said: int) -> None:
    assert heard(text) == [said]


def test_words_that_share_the_cell_of_a_whole_word_are_no_denials() -> None:
    assert words("its", CELLS).cells[words("its", CELLS).whole] == words("hasn", CELLS).cells[words("hasn", CELLS).whole]
    assert heard("a cat and its red hats", "so does choice") == [AFFIRMS, NEITHER]


def test_every_listed_word_is_heard() -> None:
    assert set(heard(*DENYING.split())) == {DENIES}
    assert set(heard(*ASKING.split())) == {NEITHER}


def spec_of(small: ModelSpec, gain: float = 0.5, cells: int = CELLS) -> ModelSpec:
    table = small.model_dump()
    table["lex"] = {"cells": cells}
    table["ec"] |= {"charge": 2.4, "layer_two": 0.375}
    table["dg"]["fan_in"] = 4
    table["ca1"] |= {"candidates": 30, "competitors": 12, "denial": gain}
    return ModelSpec.model_validate(table)


def filled(spec: ModelSpec, copies: int = 4) -> Hippocampus:
    """Statements, denials and questions in several sessions, with titles; some forgotten."""
    assert spec.lex is not None
    memory, texts = Hippocampus(spec), [f"{text} {i}" for i in range(copies) for text in SAID]
    n = len(texts)
    titles = [units(1, seed=90 + i) if i % 3 == 0 else None for i in range(n)]
    given = [[words(t, spec.lex.cells), *([words(f"nurse {i}", spec.lex.cells)] if i % 3 == 0 else [])] for i, t in enumerate(texts)]
    memory.store(units(n), variants=titles, words=given, sessions=np.arange(n) // 7)
    memory.forget([7, 8])
    return memory


CUES = (CUE, "A nurse is not fixing the lamp, not not 1.", "Who fixed the lamp?", "?!")


def cues_of(cells: int) -> tuple[NDArray[np.float32], list[Words]]:
    return near(units(len(SAID))[:4], 0.6), [words(t, cells) for t in CUES]


@pytest.mark.parametrize(("gain", "cells"), first_is_fast((1.0, 2048), (0.5, CELLS), (0.3, 256)))
@pytest.mark.parametrize("cycles", [1, 3])
def test_a_recall_is_what_the_spikes_say(small: ModelSpec, gain: float, cells: int, cycles: int) -> None:
    memory = filled(spec_of(small, gain, cells))
    vectors, given = cues_of(cells)
    short, spiking = (memory.recall(vectors, 6, words=given, cycles=cycles, record=record) for record in (False, True))
    for name in PARTS:
        np.testing.assert_array_equal(getattr(short, name), getattr(spiking, name), err_msg=name)
    assert (short.drives[:, :, DENIAL] < 0).any()
    assert spiking.recording is not None
    fired = {name: np.bincount(spiking.recording[name].batch, minlength=4) for name in ("ec_polarity", "ec_denial")}
    assert fired["ec_polarity"][2] == 2 * fired["ec_polarity"][0] > 0  # both cells where the cue asks
    if cells == CELLS:
        assert (fired["ec_denial"][:2] > 0).all()
        assert (fired["ec_denial"][2:] == 0).all()


def test_a_share_of_what_words_bring_is_taken_from_the_other_polarity(small: ModelSpec) -> None:
    memory = filled(spec_of(small, 0.5))
    vectors, given = cues_of(CELLS)
    found = memory.recall(vectors, 20, words=given, cycles=1, settle=1)
    own = (ec.encode(memory.spec.ec, ec.unit(vectors, memory.spec.ec.dim)).astype(float) ** 2).sum(1)
    says = np.array([[AFFIRMS, DENIES, AFFIRMS, DENIES, NEITHER, AFFIRMS][i % 6] for i in range(24)])  # the last one is a number
    by_words, key_of = memory.circuit.ca1.synapses.words, memory.circuit.contents
    for i, said in enumerate((AFFIRMS, DENIES, NEITHER, NEITHER)):
        drive = np.zeros(len(memory.circuit.ca1))
        for cell, often in zip(given[i].cells, given[i].spikes, strict=True):
            part = slice(by_words.ptr[cell], by_words.ptr[cell + 1])
            np.add.at(drive, by_words.target[part], often * np.round(0.5 * UNIT * by_words.weight[part]) / UNIT)
        for m, taken in zip(found.ids[i].tolist(), found.drives[i, :, DENIAL].tolist(), strict=True):
            opposed = m >= 0 and said != NEITHER and says[m] == 1 - said
            if m >= 0:
                assert taken == pytest.approx(-drive[key_of[m]] / own[i] if opposed else 0.0)
    assert (found.drives[:2, :, DENIAL] < 0).sum() >= 4


def test_a_paraphrase_comes_before_the_denial_and_the_other_way_round(small: ModelSpec) -> None:
    """What stands in all vectors alike is told by words, of which the denial shares more; beside memories of something else."""
    vectors = np.concatenate([np.repeat(units(1), 2, axis=0), units(20, seed=3)])
    texts = [*SAID[:2], *[f"The harbour has boat number{i}." for i in range(20)]]
    for gain, affirmed in ((0.0, 1), (0.5, 0)):
        memory = Hippocampus(spec_of(small, gain))
        memory.store(vectors, words=[[words(t, CELLS)] for t in texts])
        cues = [words(CUE, CELLS), words("Nobody is fixing the lamp.", CELLS)]
        assert memory.recall(np.repeat(units(1), 2, axis=0), 1, words=cues).ids.ravel().tolist() == [affirmed, 1], gain


def test_nothing_changes_where_nothing_is_denied_and_in_a_question(small: ModelSpec) -> None:
    vectors = units(6)
    for texts, cues in ((["a boat is red", "its hat is so red"] * 3, CUES), (SAID, CUES[2:])):
        made = []
        for gain in (0.0, 0.5):
            memory = Hippocampus(spec_of(small, gain))
            memory.store(vectors, words=[[words(t, CELLS)] for t in texts])
            made.append(memory.recall(near(vectors[: len(cues)], 0.7), 4, words=[words(t, CELLS) for t in cues]))
        for name in PARTS:
            np.testing.assert_array_equal(getattr(made[0], name), getattr(made[1], name), err_msg=name)


def test_the_rate_twin_has_it_too(small: ModelSpec) -> None:
    found = []
    for gain in (0.0, 0.5):
        twin = RateHippocampus(spec_of(small, gain), pathways=True)
        twin.store(units(6), words=[[words(t, CELLS)] for t in SAID])
        recall = twin.recall(units(6)[:1], 6, words=[words(CUE, CELLS)])
        found.append(dict(zip(recall.ids[0].tolist(), recall.scores[0].tolist(), strict=True)))
    lost = {m: found[0][m] - found[1][m] for m in found[0]}
    assert {m for m, less in lost.items() if less > 1e-9} == {1, 3}
    assert lost[1] > 2 * lost[3] > 0


def test_files_and_snapshots_of_before_are_as_they_were(small: ModelSpec, tmp_path: Path) -> None:
    assert "denial" not in spec_of(small, 0.0).model_dump()["ca1"]
    assert spec_of(small, 0.25).model_dump()["ca1"]["denial"] == 0.25
    text = load_model("hippocampus-text")
    assert text.ca1.denial > 0
    earlier = text.model_copy(update={"ca1": text.ca1.model_copy(update={"denial": 0.0})})
    with Memory.open(tmp_path / "memory", earlier, embedder=FakeEmbedder()) as memory:
        memory.store("a boat")
    with Memory.open(tmp_path / "memory", "hippocampus-text", embedder=FakeEmbedder()) as memory:
        assert len(memory.recall("a boat")) == 1
    other = text.model_copy(update={"ca1": text.ca1.model_copy(update={"denial": 0.0, "key": 0.1})})
    with pytest.raises(StoreError, match="was made with model"):
        Memory.open(tmp_path / "memory", other, embedder=FakeEmbedder())

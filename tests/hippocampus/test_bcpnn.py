"""What words teach: log-odds, term frequencies and apical shares, by hand and against plain loops."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec
from spikemem.errors import VectorError
from spikemem.hippocampus.regions.bcpnn import MOST_CELLS, MOST_SPIKES, Fan, Lexicon, WordSynapses, volley
from spikemem.hippocampus.regions.ec_lex import Words, words
from tests.fakes import units

CELLS = 256


def spec(saturation: float = 0.5, length: float = 0.5) -> ModelSpec:
    return ModelSpec.model_validate({"lex": {"cells": CELLS, "saturation": saturation, "length": length}})


def of_cells(**often: int) -> Words:
    """Cells c3=2 and so on; those below 100 are whole words."""
    cells = sorted((int(name[1:]), n) for name, n in often.items())
    found = np.array([c for c, _ in cells], np.int64)
    return Words(found, np.array([n for _, n in cells], np.int64), found < 100)


def matrix(fan: Fan, targets: int) -> NDArray[np.float64]:
    dense = np.zeros((CELLS, targets))
    np.add.at(dense, (fan.source, fan.target), fan.weight)
    return dense


def learned(
    given_words: list[Words], cue: list[bool], memory: list[int], content: list[int], alive: list[bool], k1: float = 0.5, b: float = 0.5
) -> WordSynapses:
    lexicon = Lexicon(spec(k1, b))
    half = len(given_words) // 2  # in two goes
    lexicon.add(given_words[:half], np.array(cue[:half], bool))
    lexicon.add(given_words[half:], np.array(cue[half:], bool))
    return lexicon.synapses(np.array(memory), np.array(content), np.array(alive))


def test_three_texts_and_a_title_by_hand() -> None:
    texts = [of_cells(c1=1, c2=2), of_cells(c1=1, c3=1), of_cells(c1=3, c150=1), of_cells(c2=1, c3=1, c150=1)]
    made = learned(texts, [False, False, False, True], [0, 1, 2, 1], [0, 1, 2, 1], [True] * 4)
    one = math.log(4 / 2) / math.log(4)  # N = 3 and one memory has it: 1/2
    assert made.odds[[1, 2, 3, 150, 7]].tolist() == pytest.approx([0, one, one, one, 1])
    w, mean = matrix(made.onto_keys, 4), 3.0  # lengths 3, 2, 4
    assert w[2].tolist() == pytest.approx([one * 2 * 1.5 / (2 + 0.5 * (0.5 + 0.5 * 3 / mean)), 0, 0, one])
    assert w[3].tolist() == pytest.approx([0, one * 1.5 / (1 + 0.5 * (0.5 + 0.5 * 2 / mean)), 0, one])
    assert w[150].tolist() == pytest.approx([0, 0, one * 1.5 / (1 + 0.5 * (0.5 + 0.5 * 4 / mean)), one])
    assert not w[1].any()
    assert made.apical_memory.tolist() == [1]
    assert matrix(made.onto_apical, 1)[[1, 2, 3, 150], 0].tolist() == pytest.approx([0, 0.5, 0.5, 0])  # 150 is a piece of spelling


@pytest.mark.parametrize("seed", range(12))
def test_weights_as_plain_loops_find_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    memories, given_words, cue, memory, content, alive = int(rng.integers(1, 12)), [], [], [], [], []
    k1, b = float(rng.choice([0.0, 0.5, 3.0])), float(rng.choice([0.0, 0.5, 1.0]))
    for m in range(memories):
        first, living = len(given_words), bool(rng.random() < 0.8)
        for j in range(int(rng.integers(1, 4))):
            cells = np.unique(rng.integers(0, 20, rng.integers(0, 9)) * 12)
            given_words.append(Words(cells, rng.integers(1, 12, len(cells)), cells < 150))
            cue.append(bool(j and rng.random() < 0.5))
            memory, content, alive = [*memory, m], [*content, first], [*alive, living]
    made = learned(given_words, cue, memory, content, alive, k1, b)
    texts = [k for k in range(len(given_words)) if content[k] == k and alive[k]]
    n = len(texts)
    mean = max(sum(int(given_words[k].spikes.sum()) for k in texts) / n if n else 1.0, 1.0)
    weight, apical, dendrites = np.zeros((CELLS, len(given_words))), [], []
    for k, given in enumerate(given_words):
        if not alive[k]:
            continue
        odds = {}
        for w, f in zip(given.cells.tolist(), given.spikes.tolist(), strict=True):
            df = sum(w in given_words[t].cells for t in texts)
            odds[w] = math.log((n + 1) / (df + 1)) / math.log(max(n, 1) + 1)
            length = mean if cue[k] else float(given.spikes.sum())
            weight[w, k] = odds[w] * f * (k1 + 1) / (f + k1 * (1 - b + b * length / mean))
        if cue[k]:
            whole = [w for w in odds if w < 150]
            share, total = np.zeros(CELLS), sum(odds[w] for w in whole)
            for w in whole:
                share[w] = odds[w] / total if total > 0 else 0
            apical.append(share)
            dendrites.append(memory[k])
    np.testing.assert_allclose(matrix(made.onto_keys, len(given_words)), weight, rtol=0, atol=1e-12)
    np.testing.assert_allclose(matrix(made.onto_apical, len(apical)), np.array(apical).reshape(-1, CELLS).T, rtol=0, atol=1e-12)
    assert made.apical_memory.tolist() == dendrites


def test_a_cue_fires_so_many_cells_and_each_so_often() -> None:
    n = MOST_CELLS + 10
    fired = volley(Words(np.arange(n), np.full(n, 20), np.ones(n, bool)))
    assert fired.cells.tolist() == list(range(MOST_CELLS))
    assert set(fired.spikes.tolist()) == {MOST_SPIKES}
    assert volley(of_cells(c5=3)).spikes.tolist() == [3]


def test_words_of_another_number_of_cells_are_refused(small: ModelSpec) -> None:
    text = small.model_copy(update={"lex": spec().lex})
    memory, far = Hippocampus(text), words("a word far out", 2**20)
    with pytest.raises(VectorError, match=r"made with words\(text, 256\)"):
        memory.store(units(1), words=[[far]])
    memory.store(units(1))
    with pytest.raises(VectorError, match=r"made with words\(text, 256\)"):
        memory.recall(units(1), words=[far])


def test_a_model_without_word_cells_hears_none(small: ModelSpec) -> None:
    memory, deaf = Hippocampus(small), Hippocampus(small)
    given_words = [words(f"word {i}", 2**16) for i in range(3)]
    memory.store(units(3), words=[[w] for w in given_words])
    deaf.store(units(3))
    np.testing.assert_array_equal(memory.recall(units(3), words=given_words).scores, deaf.recall(units(3)).scores)
    assert not len(memory.arrays()["words_cell"])

"""Baselines against scores worked out by hand."""

import math
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from spikemem.data.datasets import Task
from spikemem.errors import MissingExtraError
from spikemem.evaluate.baselines import BM25, Cosine, Faiss, Scored, Sum, System, best, by_maximum, by_z, units, words
from tests.fakes import FakeEmbedder

needs_bm25s = pytest.mark.skipif(find_spec("bm25s") is None, reason="the bench extra is not installed")
needs_faiss = pytest.mark.skipif(find_spec("faiss") is None, reason="faiss is not installed")

TEXTS = ["the red boat", "the red red house by the sea", "a cat", "the sea"]
TASK = Task.of("mine", "x", TEXTS, [("the red boat ~seen", {0}, ""), ("red sea", {1}, "")])


def test_best_is_the_whole_sort_cut_short_ties_and_all() -> None:
    scores = np.random.default_rng(0).integers(0, 5, (50, 40)).astype(np.float32)
    for k in (1, 7, 40):
        np.testing.assert_array_equal(best(scores, k), np.argsort(-scores, axis=1, kind="stable")[:, :k])
    assert best(scores[:1, :2], 4)[0, 2:].tolist() == [-1, -1]


def test_units_leave_zero_alone() -> None:
    np.testing.assert_allclose(units(np.array([[3, 4], [0, 0]], np.float32)), [[0.6, 0.8], [0, 0]])


def test_cosine_finds_the_paraphrase_and_ignores_length() -> None:
    def embed(texts: object) -> np.ndarray:
        return 7 * FakeEmbedder().embed(texts)  # type: ignore[arg-type]

    system = Cosine()
    system.fit(TASK, embed)
    scores = system.scores(TASK.questions)
    assert scores[0, 0] == pytest.approx(0.85, abs=0.08)
    assert system.rank(TASK.questions, 2)[0, 0] == 0
    assert math.isnan(system.events)


@needs_bm25s
def test_bm25_against_the_formula() -> None:
    k1, b = 1.2, 0.75
    system = BM25(k1, b)
    system.fit(TASK, FakeEmbedder().embed)
    said = [words(t) for t in TEXTS]
    mean = sum(map(len, said)) / len(said)
    expected = np.zeros((1, len(TEXTS)))
    for word in ("red", "red", "sea"):
        df = sum(word in s for s in said)
        for i, s in enumerate(said):
            tf = s.count(word)
            expected[0, i] += math.log(1 + (len(said) - df + 0.5) / (df + 0.5)) * tf / (tf + k1 * (1 - b + b * len(s) / mean))
    np.testing.assert_allclose(system.scores(["Red, RED: sea?"]), expected, rtol=1e-5)


@needs_bm25s
@pytest.mark.parametrize("question", ["", "?!", "zebra"])
def test_bm25_without_a_common_word_scores_zero(question: str) -> None:
    system = BM25()
    system.fit(TASK, FakeEmbedder().embed)
    assert not system.scores([question]).any()
    system.fit(Task.of("mine", "no words", ["?!", "..."], [("x", {0}, "")]), FakeEmbedder().embed)
    assert system.scores([question]).shape == (1, 2)


def test_normalising_by_hand() -> None:
    scores = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(by_maximum(scores), [[0.25, 0.5, 1], [0, 0, 0]])
    np.testing.assert_allclose(by_z(scores)[0], (scores[0] - 7 / 3) / math.sqrt(14 / 9))
    assert not by_z(scores)[1].any()


@needs_bm25s
@pytest.mark.parametrize("normalise", [by_maximum, by_z])
def test_the_sum_adds_what_its_parts_say(normalise: object) -> None:
    parts: list[Scored] = [Cosine(), BM25()]
    both = Sum(normalise)  # type: ignore[arg-type]
    for system in (*parts, both):
        system.fit(TASK, FakeEmbedder().embed)  # type: ignore[attr-defined]
    expected = sum(normalise(part.scores(TASK.questions)) for part in parts)  # type: ignore[operator]
    np.testing.assert_allclose(both.scores(TASK.questions), expected, rtol=1e-6)


@needs_faiss
def test_flat_faiss_is_exact() -> None:
    flat, exact = Faiss(), Cosine()
    for system in (flat, exact):
        system.fit(TASK, FakeEmbedder().embed)
    np.testing.assert_array_equal(flat.rank(TASK.questions, 3), exact.rank(TASK.questions, 3))
    assert flat.rank(TASK.questions, 6)[0, 4:].tolist() == [-1, -1]


@pytest.mark.parametrize(("make", "library"), [(BM25, "bm25s"), (Faiss, "faiss")])
def test_a_missing_library_names_the_extra(make: type[System], library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=r'"bench" extra: pip install "spikemem\[bench\]"'):
        make()

"""Measures against numbers worked out by hand; runs that are broken off go on; tables say what the rows hold."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import plots
from spikemem.data.datasets import DATASETS, Task
from spikemem.errors import DataError, StimulusError, UnsupportedError
from spikemem.evaluate import retrieval, saved
from spikemem.evaluate.baselines import Cosine, Neighbours, Scored, Vectors
from spikemem.evaluate.compare import wilson
from spikemem.evaluate.retrieval import (
    BASELINES,
    MEASURES,
    Measure,
    RetrievalRow,
    TaskResult,
    by_kind,
    found,
    markdown,
    measure,
    pooled,
    run,
    table,
    timed,
)
from spikemem.hippocampus.spec import ContextSpec
from tests import published
from tests.fakes import FakeEmbedder

TALK = Task.of(
    "LoCoMo", "talk", ["a", "b", "c", "d", "e", "f"],
    [("x", {3}, "one"), ("y", {0, 5}, "one"), ("z", {4}, "two")], sessions=[1, 1, 2, 2, 3, 3],
)  # fmt: skip


class Fixed:
    """Answers as it was told to; counts how often it was filled and asked."""

    def __init__(self, answers: Sequence[Sequence[int]], name: str = "spiking", events: float = math.nan) -> None:
        self.answers, self.name, self.events = answers, name, events
        self.fitted, self.answered = 0, 0

    def fit(self, task: Task, vectors: Vectors) -> None:
        self.fitted += 1

    def rank(self, questions: Sequence[str], k: int) -> NDArray[np.int64]:
        self.answered += len(questions)
        return np.array([[*row, *[-1] * k][:k] for row in self.answers[: len(questions)]], np.int64)


def test_measures_by_hand() -> None:
    hit, part = Measure("hit@2", 2), Measure("recall@2", 2, fraction=True)
    assert [hit.of([3, 1, 2], frozenset(g)) for g in ({1, 9}, {2}, {3, 1})] == [1, 0, 1]
    assert [part.of([3, 1, 2], frozenset(g)) for g in ({1, 9}, {2}, {3, 1})] == [0.5, 0, 1]
    assert hit.of([], frozenset({1})) == part.of([], frozenset({1})) == 0


def test_a_talk_by_hand() -> None:
    scores = measure(TALK, Fixed([[2, 3, 0], [1, 2, 3, 4, 5, 0], [0, 1, 2, 3, 4]])).scores
    assert scores["hit@1"] == [0, 0, 0]
    assert scores["hit@5"] == [1, 1, 1]  # 3 is second, 5 is fifth, 4 is fifth
    assert scores["session hit@1"] == [1, 1, 0]  # the sessions of 3 and of 0 come first; that of 4 third
    assert scores["session hit@5"] == [1, 1, 1]


def test_sessions_are_ranked_by_their_best_text_and_texts_without_one_are_refused() -> None:
    ranks = np.array([[4, 0, 5, 1, 3, -1]] * 3)
    assert found(TALK, ranks, sessions=True) == [[3, 1, 2]] * 3
    alone = Task.of("LongMemEval", "x", ["a"], [("?", {0}, "")])
    with pytest.raises(UnsupportedError, match="belongs to no session"):
        measure(alone, Fixed([[0]]))


def test_session_recall_is_the_share_of_answer_sessions() -> None:
    task = Task.of("LongMemEval", "x", ["a", "b", "c", "d"], [("?", {0, 1, 3}, "")], sessions=[0, 0, 1, 2])
    assert measure(task, Fixed([[1, 2, 0, 3]])).scores["session recall@1"] == [0.5]  # sessions 0 and 2 are right, 0 comes first
    assert measure(task, Fixed([[1, 2, 0, 3]])).scores["session recall@5"] == [1.0]


def test_the_cues_own_copy_is_no_answer_and_costs_none() -> None:
    texts = [str(i) for i in range(20)]
    task = Task.of("mine", "x", texts, [("?", {10}, ""), ("!", {10}, "")], leave_out=[0, -1])
    scores = measure(task, Fixed([list(range(20))] * 2)).scores
    assert scores["hit@10"] == [1, 0]
    pair = Task.of("STS-B", "x", ["a", "b"], [("?", {1}, "")], leave_out=[0])
    assert measure(pair, Fixed([[0, 1]])).scores["top 1"] == [1]


def test_rows_pool_the_questions_of_all_tasks() -> None:
    other = Task.of("LoCoMo", "more", ["a"], [("w", {0}, "two")], sessions=[1])
    made = {m.name: [0.0] for m in MEASURES["LoCoMo"]}
    first = {m.name: [1.0, 0.0, 1.0] for m in MEASURES["LoCoMo"]}
    (row,) = pooled([(TALK, {"s": TaskResult(first, 10, 1)}), (other, {"s": TaskResult(made, 50, 5)})])
    assert (row.dataset, row.system, row.n) == ("LoCoMo", "s", 4)
    assert row.shares["hit@5"] == 0.5
    assert {kind: (n, shares["hit@5"]) for kind, (n, shares) in row.kinds.items()} == {"one": (2, 0.5), "two": (2, 0.5)}
    assert (row.events, row.ms) == (20, 2)
    assert row.interval("hit@5") == wilson(0.5, 4)


def test_systems_take_turns_in_the_clock() -> None:
    order: list[str] = []

    class Noting(Fixed):
        def rank(self, questions: Sequence[str], k: int) -> NDArray[np.int64]:
            order.append(self.name)
            assert (len(questions), k) == (retrieval.BATCH, retrieval.TOP)
            return super().rank(questions, k)

    ms = timed([Noting([[0]] * 200, "a"), Noting([[0]] * 200, "b")], ["?"] * 200)
    assert order == ["a", "b"] * (retrieval.ROUNDS + 1)
    assert len(ms) == 2
    assert all(0 < x < 100 for x in ms)


def test_a_run_saves_each_answer_and_goes_on_where_it_was(tmp_path: Path) -> None:
    embedder = FakeEmbedder()
    broken = Fixed([[0]] * 3, "b")

    def stop(questions: Sequence[str], k: int) -> NDArray[np.int64]:
        raise KeyboardInterrupt

    broken.rank = stop  # type: ignore[method-assign]
    first = Fixed([[3], [0], [0]], "a")
    with pytest.raises(KeyboardInterrupt):
        run([TALK], embedder, tmp_path, [lambda: first, lambda: broken])
    assert first.answered == 6  # for texts, and for sessions

    again, whole = Fixed([[0]] * 3, "a"), Fixed([[0], [0], [4]], "b", events=7.0)
    rows = run([TALK], embedder, tmp_path, [lambda: again, lambda: whole])
    assert again.answered == retrieval.BATCH * (retrieval.ROUNDS + 1)  # timed beside the other, but not answered again
    assert [row.shares["hit@1"] for row in rows] == [pytest.approx(2 / 3)] * 2
    assert math.isnan(rows[0].events)
    assert rows[1].events == 7

    third = Fixed([[0]] * 3, "a")
    assert run([TALK], embedder, tmp_path, [lambda: third])[0].shares == rows[0].shares
    assert third.fitted == 0
    assert run([TALK], embedder, tmp_path, [lambda: third], fresh=True)[0].shares["hit@1"] == pytest.approx(1 / 3)


def test_answers_hold_for_their_task_embedder_and_code_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fits(task: Task = TALK, embedder: str = "fake") -> int:
        system = Fixed([[0]] * 3)
        run([task], FakeEmbedder(embedder), tmp_path, [lambda: system])
        return system.fitted

    assert (fits(), fits()) == (1, 0)
    assert (fits(embedder="other"), fits(embedder="other")) == (1, 0)
    changed = Task.of("LoCoMo", "talk", [*TALK.texts[:5], "F"], [("x", {3}, "")], sessions=[1, 1, 2, 2, 3, 3])
    assert (fits(changed), fits(changed), fits()) == (1, 0, 1)
    monkeypatch.setattr(saved, "_code", lambda: "changed")
    assert fits() == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"made_with": 1}', "\x00"])
def test_a_damaged_result_is_measured_anew(content: str, tmp_path: Path) -> None:
    system = Fixed([[0]] * 3)
    run([TALK], FakeEmbedder(), tmp_path, [lambda: system])
    (file,) = (tmp_path / "retrieval").iterdir()
    file.write_text(content)
    run([TALK], FakeEmbedder(), tmp_path, [lambda: system])
    assert system.fitted == 2


def test_results_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "retrieval").write_text("in the way")
    with pytest.raises(DataError, match="give another --out"):
        run([TALK], FakeEmbedder(), tmp_path, [lambda: Fixed([[0]] * 3)])


def test_two_systems_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="share a name: spiking"):
        run([TALK], FakeEmbedder(), tmp_path, [lambda: Fixed([]), lambda: Fixed([])])


def test_cosine_through_every_data_set(tmp_path: Path) -> None:
    published.everything(tmp_path / "data")
    tasks = [task for loader in DATASETS.values() for task in loader(tmp_path / "data")]
    told: list[str] = []
    rows = run(tasks, FakeEmbedder(), tmp_path, [Cosine], stage=told.append)
    assert [row.dataset for row in rows] == list(DATASETS)
    assert {row.dataset: list(row.shares) for row in rows} == {name: [m.name for m in m_] for name, m_ in MEASURES.items()}
    assert told[:2] == ["embedding", "LoCoMo: cosine"]
    assert all(row.ms > 0 for row in rows)
    json.loads(json.dumps([row.json() for row in rows], allow_nan=False))


def test_the_systems_are_the_baselines_and_ours() -> None:
    pytest.importorskip("bm25s", reason="the bench extra is not installed")
    names = {make().name for make in retrieval.systems()}
    assert {"cosine", "BM25 (0.9, 0.4)", "cosine + BM25, max"} <= names
    assert all(name in BASELINES or "faiss" not in name for name in names)


def rows() -> list[RetrievalRow]:
    kinds = {"one": (2, {"hit@1": 0.5, "hit@5": 1.0, "hit@10": 1.0}), "two": (2, {"hit@1": 0.0, "hit@5": 0.5, "hit@10": 0.5})}
    shares = {"hit@1": 0.25, "hit@5": 0.75, "hit@10": 0.75}
    made = [RetrievalRow("LoCoMo", name, 4, shares, kinds, events, 0.5) for name, events in (("cosine", math.nan), ("spiking", 1234.5))]
    return [*made, RetrievalRow("STS-B", "rate", 10, {"top 1": 1.0}, ms=0.25)]


def test_tables_say_what_the_rows_hold() -> None:
    heading, lines = table(rows()[:2])
    assert heading == ["system", "hit@1", "hit@5", "hit@10", "events", "ms"]
    assert lines[1] == ["spiking", ".250 [.046, .699]", ".750 [.301, .954]", ".750 [.301, .954]", "1,234", "0.500"]
    assert by_kind(rows()[:2]) == (["hit@5", "one (2)", "two (2)"], [["cosine", "1.000", ".500"], ["spiking", "1.000", ".500"]])
    assert by_kind(rows()[2:]) == ([], [])


def test_markdown_has_a_table_for_each_data_set() -> None:
    text = markdown(rows())
    assert [line for line in text.splitlines() if line.startswith("#")] == ["## LoCoMo, n = 4", "## STS-B, n = 10"]
    assert "| rate | 1.000 [.722, 1.000] |  | 0.250 |" in text
    for block in text.split("\n\n"):
        cells = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(cells) <= 1


def test_the_figure_has_a_panel_for_each_data_set_and_grey_baselines(tmp_path: Path) -> None:
    figure = plots.retrieval(rows())
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["cosine", "spiking"]
    drawn = [(float(np.asarray(dot.get_offsets())[0, 0]), tuple(dot.get_facecolor()[0][:3])) for dot in first.collections]
    assert [x for x, _ in drawn] == [0.25, 0.75, 0.75] * 2
    assert len({colour for _, colour in drawn}) == 2
    assert second.get_title(loc="left") == "STS-B, n = 10"
    figure.savefig(tmp_path / "figure.png")
    with pytest.raises(StimulusError, match="nothing to plot"):
        plots.retrieval([])


def test_neighbours_lend_their_scores_within_a_session() -> None:
    class Given(Scored):
        name = "given"

        def fit(self, task: Task, vectors: Vectors) -> None:
            pass

        def scores(self, questions: Sequence[str]) -> NDArray[np.float64]:
            return np.array([[1.0, 0.0, 0.0, 2.0]])

    task = Task.of("mine", "talk", ["a", "b", "c", "d"], [("?", {0}, "")], sessions=[1, 1, 1, 2])
    system = Neighbours(Given(), ContextSpec(forward=0.5, drift=0.5, backward=0.5, reach=2))
    system.fit(task, lambda texts: np.zeros((len(texts), 2), np.float32))
    np.testing.assert_allclose(system.scores(["?"]), [[1.0, 0.5, 0.25, 2.0]])
    assert system.name == "given, with neighbours"

"""Loaders, on invented files in the published forms."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from spikemem.data.datasets import DATASETS, Task, banking77, hotpotqa, locomo, longmemeval, mrpc, musique, stsb
from spikemem.errors import DataError, MissingDataError
from tests import published


@pytest.fixture
def data(tmp_path: Path) -> Path:
    published.everything(tmp_path)
    return tmp_path


def test_locomo_reads_turns_in_the_order_of_sessions(data: Path) -> None:
    (task,) = locomo(data)
    assert task.name == "conv-1"
    assert task.texts == ("Ann: I keep bees.", "Bo: Look at this! [a red boat]", "Bo: The boat is sold.")
    assert task.embedded == ("Ann: I keep bees.", "Bo: Look at this!", "Bo: The boat is sold.")
    assert task.speakers == ("Ann", "Bo", "Bo")
    assert task.sessions == (2, 2, 10)
    assert task.when == (datetime(2023, 5, 8, 13, 56), datetime(2023, 5, 8, 13, 56), datetime(2023, 6, 3, 9, 5))


def test_locomo_splits_joined_evidence_and_leaves_out_what_names_no_turn(data: Path) -> None:
    (task,) = locomo(data)
    assert task.questions == ("Who keeps bees?", "What happened to the boat?", "When was the boat sold?")
    assert task.gold == ({0}, {1, 2}, {2})
    assert task.kind == ("single-hop", "multi-hop", "adversarial")


def test_longmemeval_has_sessions_as_gold_and_no_questions_to_abstain_from(data: Path) -> None:
    one, several = longmemeval(data)
    assert one.texts == ("I ran 5 km.", "Well done.", "A soup?", "I ran 10 km.")  # a blank turn is no memory
    assert one.sessions == (0, 0, 1, 2)
    assert one.speakers == ("user", "assistant", "user", "user")
    assert one.when[2] == datetime(2023, 5, 27, 10, 20)
    assert (one.questions, one.gold) == (("How far did I run?",), ({0, 1, 3},))
    assert several.gold == ({0, 1, 3}, {2})
    assert several.kind == ("multi-session", "added")


def test_hotpotqa_takes_titles_as_cues(data: Path) -> None:
    (task,) = hotpotqa(data)
    assert task.texts[0] == "Rhine\nA river. It is long."
    assert task.cues == (("Rhine",), ("Basel",), ("Oslo",))
    assert (task.gold, task.kind) == (({0, 1},), ("bridge",))
    assert task.sessions == (None,) * 3


def test_hotpotqa_with_a_listed_corpus(data: Path) -> None:
    corpus = [{"title": "Basel", "text": "A town."}, {"title": "Rhine", "text": "A river."}]
    published.put(data / "hotpotqa/dev_corpus.json", corpus)
    (task,) = hotpotqa(data)
    assert task.texts == ("Basel\nA town.", "Rhine\nA river.")
    assert task.gold == ({0, 1},)


def test_musique_tells_passages_of_one_title_apart(data: Path) -> None:
    (task,) = musique(data)
    assert task.gold == ({1, 2},)
    assert task.kind == ("2hop",)


def test_stsb_stores_first_sentences_and_leaves_out_the_cues_own_copy(data: Path) -> None:
    (task,) = stsb(data)
    assert task.texts == ("A man sings.", "A man is singing.", "A girl sings.", "It rains.")
    assert task.questions == ("A man is singing.",)  # of the score 4 or more, and no copy of its partner
    assert task.gold == ({0, 2},)
    assert task.leave_out == (1,)


def test_mrpc_reads_past_the_heading_and_quotes(data: Path) -> None:
    (task,) = mrpc(data)
    assert task.texts == ("He sold the boat.", "She left.")
    assert (task.questions, task.gold, task.leave_out) == (('He "sold" his boat.',), ({0},), (-1,))


def test_banking77_has_every_text_of_the_intent_as_gold(data: Path) -> None:
    (task,) = banking77(data)
    assert task.texts[1] == "My card, it is lost"
    assert task.gold == ({0, 2}, {1})
    assert task.kind == ("arrival", "lost")


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_data_set_says_what_was_looked_for(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=str(tmp_path)):
        DATASETS[name](tmp_path)


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("LoCoMo", "locomo/talks.json", '[{"sample_id": "conv-1"'),
        ("LoCoMo", "locomo/talks.json", [{"sample_id": "conv-1"}]),
        ("LoCoMo", "locomo/talks.json", {"sample_id": "conv-1"}),
        ("LongMemEval", "longmemeval/sample.json", [{"question_id": "a", "haystack_dates": []}]),
        ("HotpotQA", "hotpotqa/dev_corpus.json", [["Rhine", "A river."]]),
        ("HotpotQA", "hotpotqa/dev.json", [{"question": "?"}]),
        ("MuSiQue", "musique/musique.json", "\x00"),
        ("STS-B", "stsbenchmark/sts-dev.csv", "g\tf\t2012\t1\t4.0\ts1\n"),
        ("STS-B", "stsbenchmark/sts-dev.csv", "g\tf\t2012\t1\tfour\ts1\ts2\n"),
        ("MRPC", "mrpc/msr-para-test.tsv", "heading\t\t\t\t\nyes\t1\t2\ta\tb\n"),
        ("BANKING77", "banking77/test.csv", "question,intent\na,b\n"),
        ("BANKING77", "banking77/test.csv", ""),
    ],
)
def test_a_bad_file_is_named_with_the_mend(data: Path, name: str, file: str, content: object) -> None:
    published.put(data / file, content)
    with pytest.raises(DataError, match=f"{Path(file).name}.*get it anew") as caught:
        DATASETS[name](data)
    assert not isinstance(caught.value, MissingDataError)


def test_bytes_that_are_no_text_are_refused(data: Path) -> None:
    (data / "locomo/talks.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        locomo(data)


def test_a_task_checks_itself() -> None:
    with pytest.raises(DataError, match="gold"):
        Task.of("mine", "x", ["a"], [("?", {1}, "")])
    with pytest.raises(DataError, match="gold"):
        Task.of("mine", "x", ["a"], [("?", set(), "")])
    with pytest.raises(DataError, match="2 cues for 1"):
        Task.of("mine", "x", ["a"], [("?", {0}, "")], cues=[(), ()])
    with pytest.raises(DataError, match="no texts"):
        Task.of("mine", "x", [], [])


DATA = Path(os.environ.get("SPIKEMEM_DATA", Path(__file__).parents[3] / "shared" / "data"))
OURS = ("conv-26", "conv-30", "conv-41", "conv-42", "conv-43")


@pytest.mark.parametrize(
    ("name", "texts", "questions"),
    [("LoCoMo", 2760, 997), ("HotpotQA", 994, 100), ("STS-B", 7977, 1950), ("MRPC", 5801, 3741), ("BANKING77", 10003, 3080)],
)
def test_the_real_data_sets_have_their_sizes(name: str, texts: int, questions: int) -> None:
    """LoCoMo's are those of five of its ten conversations."""
    try:
        tasks = [task for task in DATASETS[name](DATA) if name != "LoCoMo" or task.name in OURS]
    except MissingDataError as error:
        pytest.skip(f"{error}: set SPIKEMEM_DATA to a folder with the published files")
    assert (sum(len(task.texts) for task in tasks), sum(len(task.questions) for task in tasks)) == (texts, questions)
    assert all(own not in gold for task in tasks for own, gold in zip(task.leave_out, task.gold, strict=True))

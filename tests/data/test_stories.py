"""bAbI's files as stories."""

from pathlib import Path

import pytest

from spikemem.data.stories import StoryQuestion, babi, located
from spikemem.errors import DataError, MissingDataError

TEXT = """1 Ada moved to the harbour.
2 Ben went to the mill.
3 Where is Ada? \tharbour\t1
4 Ada took the lamp there.
5 What is Ada carrying? \tlamp,Rope\t4
1 Ben's hat is red.
2 Is the hat red?\tyes\t1
"""


def files(folder: Path, text: str = TEXT, name: str = "qa1_a_train.txt", size: str = "en-10k") -> Path:
    place = folder / "babi" / size
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text, encoding="utf-8")
    return folder


def test_a_story_is_its_sentences_and_the_questions_between_them(tmp_path: Path) -> None:
    first, second = babi(files(tmp_path), 1, "train")
    assert first.sentences[:2] == (("ada", "moved", "to", "the", "harbour"), ("ben", "went", "to", "the", "mill"))
    assert first.sentences[2:] == (("ada", "took", "the", "lamp", "there"),)
    assert first.questions == (
        StoryQuestion(("where", "is", "ada"), "harbour", after=2),
        StoryQuestion(("what", "is", "ada", "carrying"), "lamp,rope", after=3),
    )
    assert second.sentences == (("ben's", "hat", "is", "red"),)
    assert second.questions[0].answer == "yes"


def test_the_larger_set_comes_first_and_the_smaller_stands_in(tmp_path: Path) -> None:
    files(tmp_path, size="en")
    assert located(tmp_path, 1, "train").parent.name == "en"
    files(tmp_path)
    assert located(tmp_path, 1, "train").parent.name == "en-10k"


@pytest.mark.parametrize("text", ["Ada moved.\n", "2 Ada moved.\n", "1 Where is Ada?\tmill\n", "1 Ada moved.\n2 Ben went.\n", ""])
def test_what_is_no_story_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="qa1_a_train"):
        babi(files(tmp_path, text), 1, "train")


def test_a_missing_task_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="qa7_"):
        babi(files(tmp_path), 7, "test")
    with pytest.raises(DataError, match="a task of bAbI is 21; it must be a whole number, at least 1, at most 20"):
        babi(tmp_path, 21, "test")

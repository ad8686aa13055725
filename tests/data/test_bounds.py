"""Data sets' files that a parser would run into: deep, long, of other types."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikemem.data import DATASETS, Task, babi, banking77, locomo, longmemeval
from spikemem.errors import DataError
from tests import published


@pytest.fixture
def data(tmp_path: Path) -> Path:
    published.everything(tmp_path)
    return tmp_path


@pytest.mark.parametrize("content", ["[" * 100_000, "[" + "9" * 5000 + "]", "{}", "[null]", "[[]]", '[{"sample_id": []}]', "\ufeff[3]"])
def test_json_of_another_form_is_named(data: Path, content: str) -> None:
    for name, call in (("locomo", locomo), ("longmemeval", longmemeval)):
        for path in (data / name).glob("*.json"):
            path.write_text(content, encoding="utf-8")
        if content != "{}":
            with pytest.raises(DataError):
                call(data)


def test_a_field_longer_than_csv_takes_is_named(data: Path) -> None:
    (data / "banking77/train.csv").write_text('text,category\n"' + "x" * 200_000 + '",a\n')
    with pytest.raises(DataError, match=r"not in the published format of BANKING77 .*field limit"):
        banking77(data)


def test_a_speaker_that_is_no_text_is_named(data: Path) -> None:
    path = next((data / "longmemeval").glob("*.json"))
    made = json.loads(path.read_text())
    made[0]["haystack_sessions"][0][0]["role"] = ["user"]
    path.write_text(json.dumps(made))
    with pytest.raises(DataError, match="among speakers; they must be texts"):
        longmemeval(data)


@pytest.mark.parametrize("folder", [None, 3, "a\0", b"a", ["a"]])
@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_is_a_path(name: str, folder: Any) -> None:
    with pytest.raises(DataError, match="it must be a path"):
        DATASETS[name](folder)


def test_a_folder_may_be_a_text(data: Path) -> None:
    assert [task.name for task in locomo(str(data))] == ["conv-1"]  # type: ignore[arg-type]


@pytest.mark.parametrize("task", [0, 21, True, 1.0, "1", None])
def test_a_task_of_babi_is_one_of_twenty(tmp_path: Path, task: Any) -> None:
    with pytest.raises(DataError, match="a task of bAbI is"):
        babi(tmp_path, task, "train")


def test_a_byte_order_mark_and_form_feeds_stay_out_of_stories(tmp_path: Path) -> None:
    place = tmp_path / "babi" / "en"
    place.mkdir(parents=True)
    (place / "qa1_a_train.txt").write_bytes("\ufeff1 Ada\fwent home.\r\n2 Where is Ada?\thome\t1\r\n".encode())
    (story,) = babi(tmp_path, 1, "train")
    assert story.sentences == (("ada", "went", "home"),)


def test_texts_of_a_task_are_texts() -> None:
    with pytest.raises(DataError, match="3 among texts; they must be texts"):
        Task.of("mine", "all", ["a", 3], [("b", {0}, "")])  # type: ignore[list-item]

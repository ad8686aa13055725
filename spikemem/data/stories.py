"""The bAbI stories (Weston et al. 2015): twenty tasks of reading, each with questions on short stories.

Looked for in the folder `babi/en-10k` and, where a file is missing there, `babi/en` (1,000 questions): `qa*_train.txt`, `qa*_test.txt`.
A line is `n text`, or `n question<TAB>answer<TAB>supporting lines`; n = 1 begins a story.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spikemem._checks import Checks
from spikemem.errors import DataError, MissingDataError

check = Checks(DataError)
TASKS = range(1, 21)
FOLDERS = ("babi/en-10k", "babi/en")
"""Where a task's file is looked for, the larger set first."""
WORD = re.compile(r"[\w']+")
Split = Literal["train", "test"]
Tokens = tuple[str, ...]


@dataclass(frozen=True)
class StoryQuestion:
    """A question's words, its answer as the file has it (several words are one answer), and how many sentences come before it."""

    words: Tokens
    answer: str
    after: int


@dataclass(frozen=True)
class Story:
    """Sentences in their order, and questions between them."""

    sentences: tuple[Tokens, ...]
    questions: tuple[StoryQuestion, ...]


def babi(data: Path, task: int, split: Split) -> list[Story]:
    """The stories of a task.

    Raises MissingDataError where the folder has no such file, DataError where a line is no line of bAbI.
    """
    path = located(data, task, split)
    stories: list[Story] = []
    sentences: list[Tokens] = []
    questions: list[StoryQuestion] = []
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as text: {error}") from error
    for row, line in enumerate(lines, 1):
        number, _, text = line.strip().partition(" ")
        parts = text.split("\t")
        if not number.isdecimal() or not text or len(parts) not in (1, 3) or (not stories and not sentences and number != "1"):
            raise DataError(f"{path}, line {row}: expected 'n text' or 'n question<TAB>answer<TAB>lines', found {line[:60]!r}")
        if number == "1" and (sentences or questions):
            stories.append(Story(tuple(sentences), tuple(questions)))
            sentences, questions = [], []
        words = tuple(WORD.findall(parts[0].lower()))
        if len(parts) == 1:
            sentences.append(words)
        else:
            questions.append(StoryQuestion(words, parts[1].strip().lower(), len(sentences)))
    if sentences or questions:
        stories.append(Story(tuple(sentences), tuple(questions)))
    if not any(story.questions for story in stories):
        raise DataError(f"{path} holds no question; is it a file of bAbI tasks v1.2?")
    return stories


def located(data: Path, task: int, split: str) -> Path:
    """The file of a task."""
    data, split = check.path(data, "data"), check.choice(split, "the part", ("train", "test"))
    task = check.integer(task, "a task of bAbI", least=TASKS[0], most=TASKS[-1])
    for folder in FOLDERS:
        for path in sorted((data / folder).glob(f"qa{task}_*_{split}.txt")):
            return path
    raise MissingDataError(f"no qa{task}_*_{split}.txt in {' or '.join(str(data / folder) for folder in FOLDERS)}")

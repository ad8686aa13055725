"""SPMN's training step 2: the bAbI tasks. Sentences are events, a cell writes them into its memory, questions read it.

    words -> role populations -> SpikingCell -> M;    question -> Recall through M -> hidden cells -> the answer's cell

From no knowledge of words. The spiking reader learns with its spikes, its rate twin by expected values, both from the same start by the
same recipe. A tenth of the task's training stories is kept apart, and decides when to stop and which weights to take; the test stories are
seen once, at the end. Published errors: MemN2N on 1,000 questions a task (Sukhbaatar et al. 2015), EntNet on 10,000 (Henaff et al. 2017).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from spikemem._checks import INDEX, Checks
from spikemem.data.stories import Story, babi
from spikemem.errors import TrainingError
from spikemem.learn import Epoch, History, Settings, fit, load, moved, save
from spikemem.learn.checkpoints import mark
from spikemem.learn.health import Shares
from spikemem.snapshot import WEIGHTS, contents, load_arrays
from spikemem.spmn.cell import SpikingCell
from spikemem.spmn.contract import check_sizes
from spikemem.spmn.firing import SATURATION, STEPS, fire, rectified
from spikemem.spmn.words import UNKNOWN, HopRecall, SentenceEncoder

MEMN2N = (0.1, 8.2, 41.8, 4.4, 13.7, 7.9, 20.3, 11.7, 13.6, 9.7, 0.7, 0.0, 0.3, 0.9, 0.0, 0.4, 51.0, 10.5, 81.4, 0.0)
"""Errors in per cent of tasks 1 to 20; MemN2N with 1,000 training questions, position encoding, linear start and random noise."""
ENTNET = (0.0, 0.1, 4.1, 0.0, 0.3, 0.2, 0.0, 0.5, 0.1, 0.6, 0.3, 0.0, 1.3, 0.0, 0.0, 0.2, 0.5, 0.3, 2.3, 0.0)
"""Errors in per cent of tasks 1 to 20; EntNet with 10,000 training questions, the best of several runs by validation."""
KEPT_APART = 0.1
SHUFFLE = 3.0
"""Stories of about equal length share a batch: lengths are ordered after noise of so many sentences."""
RECIPE = Settings(epochs=60, batch=256, lr=4e-3, weight_decay=1e-2, clip=5.0, patience=20, target=2e-3)
"""A batch is so many questions, in as many stories as hold them: tasks differ in how often they ask."""
COMPANY = {3: (1, 2)}
"""Tasks that are learned together with others of the same world where their questions are few: from 1,000, task 3 is learned by heart."""
FEW = 5000
"""Training questions below which a task is learned in company."""


@dataclass(frozen=True)
class Size:
    """How large a reader is.   cells: of a population.   hidden: cells between what is recalled and the answer."""

    cells: int = 32
    populations: int = 5
    width: int = 32
    depth: int = 8
    readers: int = 2
    hops: int = 3
    hidden: int = 64

    def __post_init__(self) -> None:
        check_sizes(**vars(self))


class Batch(NamedTuple):
    """Stories as numbers of words, 0 where there is none."""

    answers: Tensor
    """[question]."""
    questions: Tensor
    """[question, place]."""
    asked: Tensor
    """Each question's story, and the number of sentences before it, [question, 2]."""
    sentences: Tensor
    """Of all stories, [sentence, place]."""
    told: Tensor
    """Each sentence's story and place in it, [sentence, 2]."""


class Vocabulary:
    """Numbers for words and answers.   places: words of a line that are read."""

    def __init__(self, words: Sequence[str], answers: Sequence[str], places: int) -> None:
        self.words = {word: i + UNKNOWN + 1 for i, word in enumerate(words)}
        self.answers = {answer: i for i, answer in enumerate(answers)}
        self.places = Checks(TrainingError).integer(places, "places", least=1, most=INDEX)

    @classmethod
    def of(cls, stories: Sequence[Story]) -> Self:
        """The vocabulary of stories: their words, their answers, and the length of their longest line."""
        lines = [line for story in stories for line in (*story.sentences, *(q.words for q in story.questions))]
        answers = {q.answer for story in stories for q in story.questions}
        return cls(sorted({word for line in lines for word in line}), sorted(answers), max(len(line) for line in lines))

    def batch(self, stories: Sequence[Story]) -> Batch:
        """Stories as one batch; words and answers that were never seen have numbers of their own."""
        asked = [(b, q) for b, story in enumerate(stories) for q in story.questions]
        told = [(b, t, line) for b, story in enumerate(stories) for t, line in enumerate(story.sentences)]
        return Batch(
            torch.tensor([self.answers.get(q.answer, -1) for _, q in asked]),
            self._lines([q.words for _, q in asked]),
            torch.tensor([(b, q.after) for b, q in asked]),
            self._lines([line for _, _, line in told]),
            torch.tensor([(b, t) for b, t, _ in told]),
        )

    def _lines(self, lines: Sequence[Sequence[str]]) -> Tensor:
        numbers = np.zeros((len(lines), self.places), np.int64)
        for row, line in zip(numbers, lines, strict=True):
            known = [self.words.get(word, UNKNOWN) for word in line[: self.places]]
            row[: len(known)] = known
        return torch.from_numpy(numbers)


class Reader(nn.Module):
    """A reader of stories: SPMN between words and answers.   steps: of an event; 0 gives the rate twin."""

    def __init__(self, vocabulary: Vocabulary, size: Size = Size(), steps: int = STEPS) -> None:
        super().__init__()
        s, words = size, len(vocabulary.words) + UNKNOWN + 1
        self.vocabulary, self.size, self.steps = vocabulary, size, steps
        self.told = SentenceEncoder(words, vocabulary.places, s.populations, s.cells, steps)
        self.asked = SentenceEncoder(words, vocabulary.places, s.populations, s.cells, steps)
        self.asked.vectors = self.told.vectors  # a word has one vector, in sentences and in questions
        self.cell = SpikingCell(s.populations * s.cells, s.width, s.depth, s.populations, s.readers, steps)
        self.recall = HopRecall(s.cells, self.cell.roles, s.depth, s.width, s.readers, s.hops, steps)
        self.hidden = nn.Linear(self.recall.features, s.hidden)
        self.hidden_cells = Shares(s.hidden)
        self.answer = nn.Linear(s.hidden, len(vocabulary.answers))

    def forward(self, batch: Batch) -> Tensor:
        """What drives each answer's cell, [question, answer]."""
        story, place = batch.told.unbind(1)
        shape = (int(max(story.max(), batch.asked[:, 0].max())) + 1, int(place.max()) + 1)
        told = self.told(batch.sentences).flatten(1)
        events = told.new_zeros(*shape, told.shape[1]).index_put((story, place), told)
        present = torch.zeros(shape, dtype=torch.bool, device=told.device)
        present[story, place] = True
        memory = self.cell.story(events, present, batch.asked)
        asked = self.asked(batch.questions).flatten(1)
        features = self.recall(self.cell.happening(asked), self.cell.named(asked), memory)
        driven: Tensor = self.answer(SATURATION * self.hidden_cells(fire(rectified(self.hidden(features)), self.steps)))
        return driven

    @torch.no_grad()
    def answers(self, story: Story) -> list[str]:
        """Its answers to a story's questions."""
        named = list(self.vocabulary.answers)
        if not story.questions:
            return []
        driven = self(moved(self.vocabulary.batch([story]), self.answer.weight.device))
        return [named[i] for i in driven.argmax(1).tolist()]


def keep(path: Path, reader: Reader, **metadata: Any) -> None:
    """Write a reader with its vocabulary and its size, and what else is to be known of it; `read_back` reads it."""
    known = reader.vocabulary
    words = {"words": list(known.words), "answers": list(known.answers), "places": known.places}
    save(path, reader, vocabulary=words, size=asdict(reader.size), steps=reader.steps, **metadata)


def read_back(path: Path) -> Reader:
    """A reader that `keep` wrote, ready to answer.   Raises SnapshotError where the file holds none."""
    _, head = load_arrays(path, WEIGHTS)
    known: Any = head.get("metadata", {})
    with contents(path, "reader of stories"):
        reader = Reader(Vocabulary(**known["vocabulary"]), Size(**known["size"]), known["steps"])
    load(path, reader)
    reader.eval()
    return reader


def loss(reader: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy of the answers."""
    return cross_entropy(reader(batch).float(), batch.answers)


@dataclass(frozen=True)
class ReadingResult:
    """How a reader did in a task, 0 for stories of none.

    error, validation: in per cent of the questions.   loss: mean cross-entropy on those kept apart.
    """

    task: int
    cell: str
    error: float
    validation: float
    loss: float
    questions: int
    trained_on: int
    epochs: int
    best: int
    seconds: float
    seed: int

    def json(self) -> dict[str, Any]:
        return asdict(self)


class Learnt(NamedTuple):
    """A reader after its training."""

    outcome: ReadingResult
    reader: Reader
    history: History


def learn_task(
    data: Path,
    task: int,
    settings: Settings = RECIPE,
    size: Size = Size(),
    steps: int = STEPS,
    progress: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Learnt:
    """Train a reader on a task's training stories, with company where those are few, and test it.   The others as for `learn`."""
    stories, test = babi(data, task, "train"), babi(data, task, "test")
    order = np.random.default_rng(settings.seed).permutation(len(stories))
    apart = max(1, round(KEPT_APART * len(stories)))
    kept, taught = [stories[i] for i in order[:apart]], [stories[i] for i in order[apart:]]
    few = sum(len(story.questions) for story in stories) < FEW
    for other in COMPANY.get(task, ()) if few else ():
        taught += babi(data, other, "train")
    return learn(taught, kept, test, settings, size, steps, task=task, progress=progress, on_epoch=on_epoch)


def learn(
    taught: Sequence[Story],
    kept: Sequence[Story],
    test: Sequence[Story],
    settings: Settings = RECIPE,
    size: Size = Size(),
    steps: int = STEPS,
    *,
    task: int = 0,
    progress: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Learnt:
    """Train a reader on stories in hand: those that are taught, those that decide which weights to take, and those of the test.

    steps: of an event; 0 trains the rate twin.   task: bAbI's number, where they are of one.   progress, on_epoch: as for `fit`.

    Raises TrainingError where stories have no question.
    """
    for name, some in {"taught": taught, "kept apart": kept, "of the test": test}.items():
        if not any(story.questions for story in some):
            raise TrainingError(f"the stories {name} ({len(some)}) have no question; give some that have")
    vocabulary = Vocabulary.of(taught)
    held, asked = batches(vocabulary, kept), batches(vocabulary, test)
    torch.manual_seed(settings.seed)
    reader = Reader(vocabulary, size, steps)
    cell = "spiking" if steps else "rate"
    data = f"{len(taught)} stories {mark(list(taught), list(kept))}"
    history = fit(
        reader,
        lambda generator: batches(vocabulary, taught, settings.batch, generator),
        loss,
        replace(settings, of=f"bAbI task {task}, {data}, read by a {cell} cell, {steps} steps, {size}"),
        validate=lambda model: examine(model, held)[1],
        progress=progress,
        on_epoch=on_epoch,
    )
    torch.manual_seed(settings.seed)
    reader.eval()
    error, (validation, lost) = examine(reader, asked)[0], examine(reader, held)
    questions, learnt_on = (sum(len(story.questions) for story in some) for some in (test, taught))
    epochs = len(history.validation)
    outcome = ReadingResult(task, cell, error, validation, lost, questions, learnt_on, epochs, history.best, history.seconds, settings.seed)
    return Learnt(outcome, reader, history)


def batches(vocabulary: Vocabulary, stories: Sequence[Story], size: int = 256, generator: torch.Generator | None = None) -> list[Batch]:
    """Batches of about `size` questions on stories of about equal length; with a generator, in another order each time."""
    size = max(1, round(size * len(stories) / sum(len(story.questions) for story in stories)))
    length = torch.tensor([float(len(story.sentences)) for story in stories])
    if generator is not None:
        length += SHUFFLE * torch.randn(len(stories), generator=generator)
    parts = torch.split(torch.argsort(length), size)
    order = range(len(parts)) if generator is None else torch.randperm(len(parts), generator=generator).tolist()
    return [vocabulary.batch([stories[i] for i in parts[p].tolist()]) for p in order]


@torch.no_grad()
def examine(reader: nn.Module, given: Sequence[Batch]) -> tuple[float, float]:
    """Error in per cent, and mean cross-entropy; an answer that was never taught is an error, and costs as much as a guess."""
    wrong, lost, asked = 0.0, 0.0, 0
    device = next(reader.parameters()).device
    for of_cpu in given:
        batch = moved(of_cpu, device)
        driven = reader(batch).float()
        lost += float((batch.answers < 0).sum()) * math.log(driven.shape[1])
        wrong += float((driven.argmax(1) != batch.answers).sum())
        lost += float(cross_entropy(driven, batch.answers, reduction="sum", ignore_index=-1))
        asked += len(batch.answers)
    return 100.0 * wrong / asked, lost / asked

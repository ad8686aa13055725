"""SPMN's training step 2: the bAbI tasks. Sentences are events, a cell writes them into its memory, questions read it.

    words -> role populations -> SpikingCell -> M;    question -> Recall through M -> hidden cells -> the answer's cell

Each task alone, from no knowledge of words. A tenth of its training stories is kept apart, and decides when to stop and which weights to
take; the test stories are seen once, at the end. Published errors: MemN2N on 1,000 questions a task (Sukhbaatar et al. 2015), EntNet on
10,000 (Henaff et al. 2017).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from spikemem.learn import Epoch, History, Settings, fit
from spikemem.spmn.cell import SpikingCell, spread
from spikemem.spmn.firing import STEPS, fire
from spikemem.spmn.words import UNKNOWN, Recall, Words
from spikemem.stories import Story, babi

MEMN2N = (0.1, 8.2, 41.8, 4.4, 13.7, 7.9, 20.3, 11.7, 13.6, 9.7, 0.7, 0.0, 0.3, 0.9, 0.0, 0.4, 51.0, 10.5, 81.4, 0.0)
"""Errors in per cent of tasks 1 to 20; MemN2N with 1,000 training questions, position encoding, linear start and random noise."""
ENTNET = (0.0, 0.1, 4.1, 0.0, 0.3, 0.2, 0.0, 0.5, 0.1, 0.6, 0.3, 0.0, 1.3, 0.0, 0.0, 0.2, 0.5, 0.3, 2.3, 0.0)
"""Errors in per cent of tasks 1 to 20; EntNet with 10,000 training questions, the best of several runs by validation."""
KEPT_APART = 0.1
SHUFFLE = 3.0
"""Stories of about equal length share a batch: lengths are ordered after noise of so many sentences."""
RECIPE = Settings(epochs=60, batch=64, lr=3e-3, weight_decay=1e-2, clip=5.0, patience=25, target=2e-3)
"""A batch is so many questions, in as many stories as hold them: tasks differ in how often they ask."""


@dataclass(frozen=True)
class Size:
    """How large a reader is.   cells: of a role population.   hidden: cells between what is recalled and the answer."""

    cells: int = 64
    roles: int = 4
    width: int = 32
    depth: int = 4
    readers: int = 2
    hops: int = 3
    hidden: int = 64


class Batch(NamedTuple):
    """Stories as numbers of words, 0 where there is none."""

    answers: Tensor
    """[question]."""
    questions: Tensor
    """[question, place]."""
    asked: Tensor
    """Each question's story, and the sentences told before it, [question, 2]."""
    sentences: Tensor
    """Of all stories, [sentence, place]."""
    told: Tensor
    """Each sentence's story and place in it, [sentence, 2]."""


class Vocabulary:
    """Numbers for words and answers."""

    def __init__(self, stories: Sequence[Story]) -> None:
        lines = [line for story in stories for line in (*story.sentences, *(q.words for q in story.questions))]
        self.words = {word: i + UNKNOWN + 1 for i, word in enumerate(sorted({word for line in lines for word in line}))}
        self.answers = {answer: i for i, answer in enumerate(sorted({q.answer for story in stories for q in story.questions}))}
        self.places = max(len(line) for line in lines)

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
        self.steps = steps
        self.told = Words(words, vocabulary.places, s.roles, s.cells, steps)
        self.asked = Words(words, vocabulary.places, s.roles, s.cells, steps)
        self.asked.vectors = self.told.vectors  # a word is one word, whoever says it
        self.cell = SpikingCell(s.roles * s.cells, s.width, s.depth, s.roles, s.readers, steps)
        self.recall = Recall(s.cells, s.roles, s.depth, s.width, s.readers, s.hops, steps)
        self.hidden = spread(nn.Linear(self.recall.features, s.hidden))
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
        asked = self.asked(batch.questions)
        features = self.recall(asked, self.cell.named(asked.flatten(1)), memory)
        driven: Tensor = self.answer(fire(torch.sigmoid(self.hidden(features)), self.steps))
        return driven


def loss(reader: nn.Module, batch: Batch) -> Tensor:
    """Mean cross-entropy of the answers."""
    return cross_entropy(reader(batch).float(), batch.answers)


@dataclass(frozen=True)
class Outcome:
    """How a reader did in a task.   error, validation: in per cent of the questions.   loss: mean cross-entropy on those kept apart."""

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


def learn_task(
    data: Path,
    task: int,
    steps: int = STEPS,
    settings: Settings = RECIPE,
    size: Size = Size(),
    progress: Callable[[int, int], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[Outcome, Reader, History]:
    """Train a reader on a task and test it; resumes from `settings.checkpoint`."""
    stories, test = babi(data, task, "train"), babi(data, task, "test")
    order = np.random.default_rng(settings.seed).permutation(len(stories))
    apart = max(1, round(KEPT_APART * len(stories)))
    kept, taught = [stories[i] for i in order[:apart]], [stories[i] for i in order[apart:]]
    vocabulary = Vocabulary(taught)
    torch.manual_seed(settings.seed)
    reader = Reader(vocabulary, size, steps)
    held = batches(vocabulary, kept)
    history = fit(
        reader,
        lambda generator: batches(vocabulary, taught, settings.batch, generator),
        loss,
        settings,
        validate=lambda model: examine(model, held)[1],
        progress=progress,
        on_epoch=on_epoch,
    )
    torch.manual_seed(settings.seed)
    reader.eval()
    error, (validation, lost) = examine(reader, batches(vocabulary, test))[0], examine(reader, held)
    asked, learnt = (sum(len(story.questions) for story in some) for some in (test, taught))
    cell = "spiking" if steps else "rate"
    epochs = len(history.validation)
    outcome = Outcome(task, cell, error, validation, lost, asked, learnt, epochs, history.best, history.seconds, settings.seed)
    return outcome, reader, history


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
    """Error in per cent, and mean cross-entropy, over batches; an answer that was never taught counts as an error."""
    wrong, lost, asked = 0.0, 0.0, 0
    for batch in given:
        driven = reader(batch).float()
        wrong += float((driven.argmax(1) != batch.answers).sum())
        lost += float(cross_entropy(driven, batch.answers, reduction="sum", ignore_index=-1))
        asked += len(batch.answers)
    return 100.0 * wrong / asked, lost / asked

"""The recipe for stories, on tales: it learns, goes on where it stopped, and takes words that it was never taught."""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from analysis.learning import learning_page
from analysis.papers import babi as figure
from sims.papers import babi as sim
from spikemem.data.corpus.tales import PLACES, tales
from spikemem.data.stories import Story, StoryQuestion
from spikemem.errors import DataError, SnapshotError, TrainingError
from spikemem.learn import Epoch, Settings, fit, save
from spikemem.training.babi import Learnt, Reader, Size, Vocabulary, batches, examine, keep, learn, learn_task, loss, read_back
from tests.fakes import write_tales

SMALL = Size(cells=32, populations=3, width=24, depth=3, hidden=32)
SETTINGS = Settings(epochs=8, batch=32, lr=5e-3, weight_decay=1e-2, clip=5.0, target=4.5e-2)
STEPS = {"spiking": 32, "rate": 0}


@pytest.fixture(scope="module")
def learnt() -> dict[str, Learnt]:
    """Readers of tales of people and things."""
    stories = tales(900), tales(60, seed=1), tales(60, seed=2)
    return {cell: learn(*stories, SETTINGS, SMALL, steps) for cell, steps in STEPS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["rate", "spiking"])
def test_a_reader_learns_tales(learnt: dict[str, Learnt], cell: str) -> None:
    outcome = learnt[cell].outcome
    assert (outcome.task, outcome.cell, outcome.questions, outcome.trained_on) == (0, cell, 240, 3600)
    assert outcome.error < 5.0  # by chance 75
    assert learnt[cell].history.losses[-1] < 0.5


@pytest.mark.slow
def test_it_answers_from_the_story_alone(learnt: dict[str, Learnt]) -> None:
    told = tales(60, seed=2)
    backwards = [replace(tale, sentences=tale.sentences[::-1]) for tale in told]
    vocabulary = Vocabulary.of(tales(900))
    torch.manual_seed(0)
    assert examine(learnt["spiking"].reader, batches(vocabulary, backwards))[0] > 40.0


@pytest.mark.slow
def test_unseen_words_are_heard_and_unseen_answers_are_errors(learnt: dict[str, Learnt]) -> None:
    vocabulary = Vocabulary.of(tales(900))
    line = ("quentin", "strolls", "over", "there", "to", "see", "the", "very", "old", "windmill")
    strange = [Story((line,), (StoryQuestion(("where", "is", "quentin"), "windmill", 1),))]
    batch = vocabulary.batch(strange)
    assert batch.answers.tolist() == [-1]
    assert batch.sentences.shape == (1, vocabulary.places)  # the rest of a longer line is not heard
    torch.manual_seed(0)
    guess = math.log(len(vocabulary.answers))
    assert examine(learnt["spiking"].reader, batches(vocabulary, strange)) == (100.0, pytest.approx(guess))
    error, lost = examine(learnt["spiking"].reader, batches(vocabulary, [*strange, *tales(3, seed=2)]))
    assert error >= 100.0 / 13
    assert lost > 0.0


@pytest.mark.slow
def test_a_reader_is_kept_and_read_back(learnt: dict[str, Learnt], tmp_path: Path) -> None:
    tale, path = tales(1, seed=9)[0], tmp_path / "reader.safetensors"
    keep(path, learnt["rate"].reader, task=1)
    again = read_back(path)
    assert again.answers(tale) == learnt["rate"].reader.answers(tale)
    assert set(again.answers(tale)) <= set(PLACES)
    again.asked.event.weight.data[0] = math.nan
    keep(path, again)
    with pytest.raises(SnapshotError, match=r"holds a weight that is NaN or infinite, first in 'asked\.event\.weight'"):
        read_back(path)
    save(path, again.hidden)
    with pytest.raises(SnapshotError, match=r"holds no reader of stories"):
        read_back(path)


@pytest.mark.slow
def test_a_training_goes_on_to_the_same_losses(tmp_path: Path) -> None:
    stories = tales(90, sentences=4, things=0)
    parts = stories[:60], stories[60:75], stories[75:]
    small, settings = Size(12, 2, 8, 2, 1, 2, 8), replace(SETTINGS, epochs=3)
    whole = learn(*parts, settings, small, steps=8)

    class KilledError(Exception):
        """In the midst of a training."""

    def kill(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KilledError

    again = replace(settings, checkpoint=tmp_path / "run")
    with pytest.raises(KilledError):
        learn(*parts, again, small, steps=8, on_epoch=kill)
    resumed = learn(*parts, again, small, steps=8)
    assert resumed.history.losses == whole.history.losses
    assert resumed.history.validation == whole.history.validation
    assert resumed.outcome.error == whole.outcome.error
    with pytest.raises(TrainingError, match=r"is of bAbI task 0, 60 stories \w{8}, read by a spiking cell, 8 steps, .* by a rate cell"):
        learn(*parts, again, small, steps=0)
    with pytest.raises(TrainingError, match=r"not of bAbI task 0, 45 stories"):
        learn(parts[0][15:], *parts[1:], again, small, steps=8)


@pytest.mark.parametrize(("empty", "clue"), [(0, "taught"), (1, "kept apart"), (2, "of the test")])
def test_stories_without_questions_are_refused(empty: int, clue: str) -> None:
    parts = [tales(2), tales(2), tales(2)]
    parts[empty] = [replace(tale, questions=()) for tale in parts[empty]]
    with pytest.raises(TrainingError, match=rf"the stories {clue} \(2\) have no question"):
        learn(*parts)


@pytest.mark.slow
def test_a_readers_populations_are_looked_after() -> None:
    """What dies as a reader learns is no finding; an event population, and hidden cells, that nothing makes fire are."""
    stories = tales(120, sentences=4)
    torch.manual_seed(0)
    reader = Reader(Vocabulary.of(stories), SMALL)
    given = batches(reader.vocabulary, stories, 32)
    chosen = replace(SETTINGS, epochs=1, target=None)
    assert fit(reader, lambda _: given, loss, chosen).health == []
    with torch.no_grad():
        for silent in (reader.told.event, reader.hidden):
            silent.weight.zero_()
            silent.bias.fill_(-1.0)
        reader.cell.brings.bias.fill_(1e3)
    found = {(finding.name, finding.layer) for finding in fit(reader, lambda _: given, loss, chosen).health}
    dead = {("dead population", "told.populations[2]"), ("dead population", "hidden_cells")}
    assert found >= {*dead, ("saturated population", "cell.bring_cells")}
    assert {name for name, _ in reader.named_parameters(remove_duplicate=False)} == set(reader.state_dict())


def test_a_task_is_read_from_its_files(tmp_path: Path) -> None:
    write_tales(tmp_path / "babi" / "en-10k")
    made = learn_task(tmp_path, 1, replace(SETTINGS, epochs=1), Size(8, 2, 4, 1, 1, 2, 4), steps=0).outcome
    assert (made.task, made.cell, made.questions, made.trained_on) == (1, "rate", 20, 18)


def test_a_task_with_too_few_stories_is_learned_in_company(tmp_path: Path) -> None:
    for task in (1, 2, 3):
        write_tales(tmp_path / "babi" / ("en" if task == 3 else "en-10k"), task)
    made = learn_task(tmp_path, 3, replace(SETTINGS, epochs=1), Size(8, 2, 4, 1, 1, 2, 4), steps=0).outcome
    assert (made.task, made.questions, made.trained_on) == (3, 20, 18 + 2 * 20)


@pytest.mark.slow
def test_a_run_leaves_what_the_page_and_the_figure_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tales(tmp_path / "babi" / "en-10k")
    args = argparse.Namespace(data=tmp_path, out=tmp_path / "out", epochs=1, jobs=1)
    *spiking, rate = [sim.run(args, 1, cell, seed) for cell, seed in (("spiking", 0), ("spiking", 1), ("rate", 0))]
    assert sim.run(args, 1, "rate", 0) == rate  # it is not trained again
    page = learning_page.stories(learning_page.read(args.out))
    best = min(spiking, key=lambda o: (o["validation"], o["loss"]))
    by_seed = ", ".join(f"{outcome['error']:.1f}" for outcome in spiking)
    assert f"| 1 | {best['error']:.1f} | {by_seed} | {rate['error']:.1f} | {rate['error']:.1f} | 0.1 | 0.0 | 18 |" in page
    monkeypatch.setattr(sys, "argv", ["babi.py", str(args.out), "--out", str(tmp_path / "babi.png")])
    figure.main()
    assert (tmp_path / "babi.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("of", "clue"),
    [
        ({"people": 0}, "0 people"),
        ({"places": len(PLACES) + 1}, f"take 2 to {len(PLACES)}"),
        ({"things": -1}, "-1 things"),
        ({"every": 9}, "take 1 to 8"),
    ],
)
def test_tales_that_cannot_be_told_are_refused(of: dict[str, int], clue: str) -> None:
    with pytest.raises(DataError, match=clue):
        tales(1, **of)


def test_tales_are_true_to_themselves() -> None:
    """Answers by another way: reading back for the last move of who was last seen with the thing."""

    def place(lines: list[tuple[str, ...]], name: str) -> str:
        for i, line in reversed(list(enumerate(lines))):
            if line[-1] == name:  # taken, or left, by somebody
                carried = not {"leaves", "down"} & set(line)
                return place(lines if carried else lines[:i], line[0])
            if line[0] == name and line[-1] in PLACES:
                return line[-1]
        raise AssertionError(name)

    told = tales(200, seed=5, sentences=12, people=4, places=5, things=3)
    questions = [(tale, question) for tale in told for question in tale.questions]
    assert all(place(list(tale.sentences[: q.after]), q.words[-1]) == q.answer for tale, q in questions)
    assert 0.2 < sum("the" in q.words for _, q in questions) / len(questions) < 0.6
    assert tales(3, seed=5, sentences=12, people=4, places=5, things=3) == told[:3]

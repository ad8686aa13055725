"""How the wording of two texts differs: words aligned, signs of grammar, and the vectors of what replaced what."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem.hippocampus.regions.difference import CELLS, LEVELS, LIKENESSES, MARKS, Difference, cells, heard
from spikemem.memory.difference import Differences, difference
from spikemem.memory.wording import akin, contrast, stem, wording


@pytest.mark.parametrize(
    ("old", "new", "there", "absent"),
    [
        ("Bob owes Alice.", "Alice owes Bob.", {"order", "nothing new"}, {"turned"}),
        ("See ya, have a good one!", "Have a good one, see ya!", {"turned"}, {"order"}),
        ("The score was 4:2.", "The score was 2:4.", {"order"}, {"figure"}),
        ("Invoice 744 was paid.", "Invoice 2600 was paid.", {"numbered", "subject"}, {"figure"}),
        ("The rent is 900 euros.", "The rent is 950 euros.", {"figure", "after to be"}, {"numbered"}),
        ("A man is playing.", "There is no man playing.", {"denies", "denies the rest", "nothing new"}, {"subject", "denied"}),
        ("Nobody is playing.", "Somebody is playing.", {"denied"}, {"denies"}),
        ("Ivo has two sons.", "Anton has two sons.", {"subject", "name"}, {"after to have"}),
        ("Lunch with Bob at noon.", "Lunch with Eva at noon.", {"name", "with", "verbless"}, {"subject"}),
        ("Drinks I like: Herbal tea.", "Drinks I like: Green tea.", {"list"}, {"speaker"}),
        ("Leo: Thanks, Omar!", "Omar: Thank you, Leo!", {"speaker"}, {"list"}),
        ("We played tennis on Monday.", "We played tennis on Sunday.", {"past event", "dated"}, {"state"}),
        ("Nora lives in Bergen.", "Nora lives in Lima.", {"state", "after a preposition", "one word"}, {"past event", "subject"}),
        ("A man is sleeping.", "A man is sitting.", {"in progress", "indefinite"}, {"state", "agent"}),
        ("Emil collects stamps.", "Emil collects coins.", {"object", "state"}, {"after to be"}),
        ("My cat is black.", "My dog is black.", {"subject", "agent"}, {"indefinite"}),
        ("It is late.", "Is it late?", {"question", "nothing new"}, {"denies"}),
        ("A guard is locking the gate.", "A guard is unlocking the gate.", {"reversed", "one word"}, {"denies"}),
        ("A woman is letting her dog in.", "A woman is letting her dog out.", {"reversed"}, {"nothing new", "nothing lost"}),
        ("The shop is on Mill Lane.", "The shop is in Mill Lane.", {"nothing new", "nothing lost"}, {"reversed"}),
        ("The train is stable.", "The train is able.", set(), {"reversed"}),
    ],
)
def test_signs_of_grammar(old: str, new: str, there: set[str], absent: set[str]) -> None:
    marks = contrast(old, new).marks
    assert there <= marks
    assert not absent & marks
    assert marks <= set(MARKS)


def test_what_replaced_what() -> None:
    made = contrast("The front door is painted green.", "The front door is painted red.")
    assert (made.old, made.new) == ("green", "red")
    assert (made.old_subject, made.new_subject) == ("The front door", "The front door")
    assert 0 < made.kept < 1
    particle = contrast("He is climbing out of a manhole.", "He is climbing into a manhole.")
    assert (particle.old, particle.new) == ("out of", "into")
    same = contrast("Ben keeps bees.", "Ben keeps bees!")
    assert (same.old, same.new, same.kept) == ("", "", 1.0)
    assert "same" in same.marks


def test_contracted_words_are_what_they_stand_for() -> None:
    assert [t.word for t in wording("We won't go; I can\u2019t.").tokens] == ["we", "will", "n't", "go", "i", "can", "n't"]
    assert stem("tries") == stem("try")
    assert stem("sitting") == stem("sits")
    assert stem("glass") == "glass"


def test_only_akin_texts_are_compared() -> None:
    assert akin("It is hot.", "It is cold.")
    assert not akin("Rain soaked the attic.", "Grandma's soup needs two bay leaves.")
    assert not akin("Mein Rad ist weg.", "\U0001f98a")
    assert akin("\U0001f98a", "\U0001f98a")


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.array([np.eye(4, dtype=np.float32)[len(text) % 4] for text in texts])


def test_a_difference_is_spikes() -> None:
    made = difference("Nora lives in Bergen.", "Nora lives in Lima.", embed)
    assert made is not None
    assert made.old.tolist() == [0, 0, 1, 0]
    assert made.new.tolist() == [1, 0, 0, 0]
    spikes = heard(made, 4)
    assert spikes.cells.shape == cells(made).shape == (CELLS,)
    assert spikes.cells[len(MARKS)]  # there are texts
    levels = spikes.cells[len(MARKS) + 1 :].reshape(len(LIKENESSES), len(LEVELS))
    assert (np.diff(levels.astype(int), axis=1) <= 0).all()
    extra, missing, shared = spikes.phrases
    assert extra.tolist() == [4, 0, 0, 0, 0, 0, 0, 0]
    assert missing.tolist() == [0, 0, 4, 0, 0, 0, 0, 0]
    assert not shared.any()
    assert difference("Nora lives in Bergen.", "Rain fell on Monday.", embed) is None
    silent = heard(None, 4)
    assert not silent.cells.any()
    assert not silent.phrases.any()


def test_what_stays_is_shared() -> None:
    x = np.array([0.6, -0.8, 0.0], np.float32)
    spikes = heard(Difference(np.zeros(len(MARKS), bool), np.ones(len(LIKENESSES)), x, x), 3)
    assert not spikes.phrases[:2].any()
    assert spikes.phrases[2].tolist() == [2, 0, 0, 0, 3, 0]


def test_vectors_are_kept() -> None:
    class Counting:
        name, dim, asked = "counting", 4, 0

        def embed(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
            self.asked += len(texts)
            return 2 * embed(texts)

    counting = Counting()
    differ = Differences(counting, most=20)
    first = differ("Nora lives in Bergen.", "Nora lives in Lima.")
    asked = counting.asked
    again = differ("Nora lives in Bergen.", "Nora lives in Lima.")
    assert counting.asked == asked > 0
    assert first is not None
    assert again is not None
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    for i in range(10):
        differ("Nora lives in Bergen.", f"Nora lives in {i * 'x'}town.")
    assert len(differ._kept) <= 26

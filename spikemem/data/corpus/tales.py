"""Tales: small stories of who went where with what, for trying out readers of stories without any file.

People go from place to place, take things that lie about, carry them along and leave them. A question asks where somebody or something is.
"""

import numpy as np

from spikemem.data.stories import Story, StoryQuestion, Tokens
from spikemem.errors import DataError

PEOPLE = ("nora", "idris", "wanda", "tomas", "yuki", "amara", "felix", "signe")
PLACES = ("orchard", "cellar", "workshop", "jetty", "library", "tower", "bakery", "stable")
THINGS = ("lantern", "map", "violin", "kettle", "rope", "compass", "basket", "key")
GOES = ("goes to", "walks to", "hurries to")
TAKES = ("takes", "picks up")
LEAVES = ("leaves", "puts down")
HANDLES = 0.4
"""How often somebody who has something to take or to leave does so, rather than go elsewhere."""


def tales(n: int, seed: int = 0, *, sentences: int = 8, people: int = 3, places: int = 4, things: int = 2, every: int = 2) -> list[Story]:
    """n tales, each with a question after `every` sentences, which the sentences before it answer.

    people, places, things: how many of each there are; without things, questions are about people alone.

    Raises DataError where there are not so many, or no question.

    >>> (tale,) = tales(1, seed=18, sentences=4, people=2, every=4)
    >>> print(*(" ".join(words) for words in tale.sentences), sep=". ")
    idris goes to the cellar. idris takes the lantern. idris walks to the jetty. idris walks to the workshop
    >>> tale.questions
    (StoryQuestion(words=('where', 'is', 'the', 'lantern'), answer='workshop', after=4),)
    """
    for name, count, most, least in (("people", people, PEOPLE, 1), ("places", places, PLACES, 2), ("things", things, THINGS, 0)):
        if not least <= count <= len(most):
            raise DataError(f"a tale of {count} {name}; take {least} to {len(most)}")
    if not 1 <= every <= sentences:
        raise DataError(f"a question after every {every} of {sentences} sentences; take 1 to {sentences}")
    rng = np.random.default_rng(seed)
    return [_tale(rng, sentences, PEOPLE[:people], PLACES[:places], THINGS[:things], every) for _ in range(n)]


def _tale(rng: np.random.Generator, sentences: int, people: Tokens, places: Tokens, things: Tokens, every: int) -> Story:
    at: dict[str, str] = {}  # where a person, or a thing that lies somewhere, is
    holder: dict[str, str] = {}  # who carries a thing
    happened: list[Tokens] = []
    questions: list[StoryQuestion] = []
    for after in range(1, sentences + 1):
        happened.append(_happens(rng, people, places, things, at, holder))
        if after % every == 0:
            candidates = [sorted(at.keys() & set(people)), sorted(thing for thing in things if thing in at or thing in holder)]
            about = _one(rng, candidates[1] if candidates[1] and rng.random() < 0.5 else candidates[0])
            article = ("the",) if about in things else ()
            questions.append(StoryQuestion(("where", "is", *article, about), at[holder.get(about, about)], after))
    return Story(tuple(happened), tuple(questions))


def _happens(
    rng: np.random.Generator, people: Tokens, places: Tokens, things: Tokens, at: dict[str, str], holder: dict[str, str]
) -> Tokens:
    """The next sentence; `at` and `holder` are brought up to it."""
    who = _one(rng, people)
    here = at.get(who)
    carried = [thing for thing in things if holder.get(thing) == who]
    lying = [thing for thing in things if thing not in holder and at.get(thing, here) == here]
    if here is not None and carried + lying and rng.random() < HANDLES:
        thing = _one(rng, carried + lying)
        if thing in carried:
            del holder[thing]
            at[thing] = here
        else:
            holder[thing] = who
            at.pop(thing, None)
        return (who, *_one(rng, LEAVES if thing in carried else TAKES).split(), "the", thing)
    at[who] = _one(rng, [place for place in places if place != here])
    return (who, *_one(rng, GOES).split(), "the", at[who])


def _one(rng: np.random.Generator, among: tuple[str, ...] | list[str]) -> str:
    return among[int(rng.integers(len(among)))]

"""The conversation that ships with spikemem is sound, and its questions are answered."""

from collections import Counter
from datetime import timedelta
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem.data.corpus.talk import KINDS, Conversation, load_conversation
from spikemem.evaluate.baselines import Cosine, System, words
from spikemem.evaluate.systems import MemorySystem

text = pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="the text extra is not installed")
SOON = timedelta(days=10)
RARE = 3
"""A word that so many turns have, at most, tells something."""


@pytest.fixture(scope="module")
def conversation() -> Conversation:
    return load_conversation()


def test_the_conversation_has_what_a_memory_of_turns_needs(conversation: Conversation) -> None:
    turns = conversation.turns
    assert {turn.speaker for turn in turns} == {"Priya", "Jonas", "Marta"}
    assert sum(bool(turn.caption) for turn in turns) >= 2
    assert len({turn.text for turn in turns}) == len(turns)
    dates = [{turn.when for turn in session} for session in conversation.sessions]
    assert all(len(own) == 1 and None not in own for own in dates)
    starts = [session[0].when for session in conversation.sessions]
    assert all(a is not None and b is not None and a < b for a, b in pairwise(starts))


def test_every_question_points_at_turns_and_is_asked_once(conversation: Conversation) -> None:
    turns, asked = conversation.turns, conversation.questions
    assert {q.kind for q in asked} == set(KINDS)
    assert all(q.evidence and min(q.evidence) >= 0 and max(q.evidence) < len(turns) for q in asked)
    assert len({(q.text, q.around) for q in asked}) == len(asked)
    said = {turn.text for turn in turns}
    assert all(q.kind == "context" for q in asked if q.text in said)  # the turn before asks the same


def test_questions_of_time_come_in_pairs_near_their_answers(conversation: Conversation) -> None:
    for q in conversation.questions:
        assert (q.around is not None) == (q.kind == "time")
        for place in q.evidence if q.around else ():
            when = conversation.turns[place].when
            assert when is not None
            assert abs(when - q.around) < SOON
    timed = Counter(q.text for q in conversation.questions if q.around)
    assert set(timed.values()) == {2}


def test_questions_of_words_name_a_rare_word_of_the_answer_and_those_of_context_do_not(conversation: Conversation) -> None:
    said = [set(words(turn.captioned)) for turn in conversation.turns]
    df = Counter(word for own in said for word in own)
    for q in conversation.questions:
        shared = {word for place in q.evidence for word in said[place] & set(words(q.text)) if df[word] <= RARE}
        before = {word for place in q.evidence for word in (said[place - 1] | said[place - 2]) & set(words(q.text))}
        if q.kind == "words":
            assert shared, q
        elif q.kind == "context":
            assert len(before) > len(shared), q


def test_a_task_counts_turns_as_the_questions_do(conversation: Conversation) -> None:
    task = conversation.task
    assert list(task.embedded) == [turn.line for turn in conversation.turns]
    assert list(task.when) == [turn.when for turn in conversation.turns]
    assert [len(session) for session in conversation.sessions] == list(Counter(task.sessions).values())


@text
@pytest.mark.slow
def test_the_spiking_memory_answers_more_questions_than_cosine(conversation: Conversation) -> None:
    from spikemem.memory.embed import SentenceEmbedder

    task = conversation.task
    said = list(dict.fromkeys([*task.embedded, *task.questions]))
    known = dict(zip(said, SentenceEmbedder().embed(said), strict=True))

    def answered(system: System) -> int:
        system.fit(task, lambda texts: np.array([known[t] for t in texts], np.float32))
        found: NDArray[np.int64] = system.rank(task.questions, 5)
        return sum(bool(gold & set(row)) for gold, row in zip(task.gold, found.tolist(), strict=True))

    spiking = answered(MemorySystem())
    assert spiking >= 17  # of 29; 19 when it was written
    assert spiking > answered(Cosine())

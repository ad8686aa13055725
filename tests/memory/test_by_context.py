"""Recall without a cue: freely, in order, and which came first, of texts that are kept in a memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from spikemem import Memory
from spikemem.errors import SpikememError, TextError, TimeError, UnknownMemoryError
from tests.fakes import FakeEmbedder, engram_small

DAY = datetime(2026, 3, 1, tzinfo=UTC)
N = 12


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    """Two sessions, of 3 and 12 turns, one of which was forgotten and one superseded. Only to be read."""
    with Memory.open(None, engram_small(), embedder=FakeEmbedder()) as made:
        made.store_conversation([("Ada", f"prelude {i}") for i in range(3)])
        turns = [{"speaker": "Ada", "text": f"turn {i}", "when": DAY + timedelta(hours=i)} for i in range(N)]
        ids = made.store_conversation(turns)
        made.forget(ids[5])
        yield made


def numbers(memory: Memory, **how: object) -> list[int]:
    return [int(hit.text.split()[-1]) for hit in memory.recall_freely(**how)]  # type: ignore[arg-type]


def test_the_last_session_is_recalled_each_memory_once_in_the_order_of_time(memory: Memory) -> None:
    hits = memory.recall_freely(seed=1)
    assert 3 <= len(hits) <= N - 1
    assert len({hit.id for hit in hits}) == len(hits)
    assert all(hit.text.startswith("Ada: turn") and "turn 5" not in hit.text for hit in hits)
    latencies = [hit.latency for hit in hits if hit.latency is not None]
    assert latencies == sorted(latencies)
    assert latencies[0] >= 187.5
    assert set(hits[0].engram) == {"ec", "dg", "ca3", "ca1"}
    assert {hit.text.split()[1] for hit in memory.recall_freely(session=0)} == {"prelude"}


def test_recall_begins_where_it_is_told_to(memory: Memory) -> None:
    firsts = {
        start: [numbers(memory, start=at, most=1, seed=seed)[0] for seed in range(3)]
        for start, at in (("end", "end"), ("beginning", "beginning"), ("middle", DAY + timedelta(hours=6, minutes=10)))
    }
    assert sorted(firsts["end"])[1] >= 9
    assert sorted(firsts["beginning"])[1] == 0
    assert 4 <= sorted(firsts["middle"])[1] <= 8


def test_a_seed_repeats_a_recall(memory: Memory) -> None:
    found = [numbers(memory, most=3, seed=seed) for seed in (4, 4, 5, 6)]
    assert found[0] == found[1]
    assert any(other != found[0] for other in found[2:])
    assert all(len(numbers) <= 3 for numbers in found)


def test_a_session_is_recalled_in_order(memory: Memory) -> None:
    found = [hit.text for hit in memory.recall_in_order()]
    expected = [f"Ada: turn {i}" for i in range(N) if i != 5]
    assert sum(a == b for a, b in zip(found, expected, strict=False)) >= 9


def test_which_came_first(memory: Memory) -> None:
    ids = [record.id for record in memory.list() if record.session == 1]
    assert all(memory.which_first(*pair) == ids[0] for pair in ((ids[0], ids[-1]), (ids[-1], ids[0])))
    assert memory.which_first(ids[-1], 0) == 0  # of another session
    with pytest.raises(UnknownMemoryError, match="two different"):
        memory.which_first(ids[0], ids[0])
    with pytest.raises(UnknownMemoryError, match="999"):
        memory.which_first(ids[0], 999)


def test_which_came_first_does_not_hang_on_which_is_named_first() -> None:
    with Memory.open(None, "hippocampus-small", embedder=FakeEmbedder()) as made:
        made.store_all([f"text {i}" for i in range(40)])
        pairs = [(i, i + step) for step in (1, 9) for i in range(1, 30, 4)]
        found = [made.which_first(a, b) for a, b in pairs]
        assert found == [made.which_first(b, a) for a, b in pairs]
        right = np.array([one == a for one, (a, _) in zip(found, pairs, strict=True)])
        assert 0 < right[:8].mean() < 1  # neighbours are sometimes taken for one another, in either order
        assert right[8:].mean() >= 0.75


def test_whose_memories_come() -> None:
    with Memory.open(None, "hippocampus-small", embedder=FakeEmbedder()) as made:
        for i in range(12):
            made.store(f"text {i}", scope={"user": "ada" if i % 2 else "bo"})
        assert [hit.text for hit in made.recall_in_order(scope={"user": "bo"})] == [f"text {i}" for i in range(0, 12, 2)]
        assert all(int(hit.text.split()[1]) % 2 for hit in made.recall_freely(scope={"user": "ada"}))


def test_without_sessions_all_memories_are_one_list() -> None:
    with Memory.open(None, engram_small(), embedder=FakeEmbedder()) as made:
        assert made.recall_freely() == []
        assert made.recall_in_order() == []
        made.store_all([f"text {i}" for i in range(130)])
        found = numbers(made, most=2)
        assert all(number >= 30 for number in found)  # the last hundred
        assert numbers(made, start="beginning", most=1)[0] < 5
        with pytest.raises(TimeError, match="no memory of the session has a date"):
            made.recall_freely(start=DAY)
        made.store("new text")
        first = made.update(0, "newer text")
        assert made.which_first(1, first) == 1
        with pytest.raises(UnknownMemoryError, match="superseded"):
            made.which_first(0, 1)


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"session": 7}, UnknownMemoryError, "session is 7; there are 0 to 1"),
        ({"start": "middle"}, TimeError, '"end", "beginning" or a datetime'),
        ({"most": 0}, TextError, "most is 0"),
        ({"seed": -1}, TextError, "seed is -1"),
    ],
)
def test_what_cannot_be_is_said(memory: Memory, how: dict[str, object], error: type[SpikememError], says: str) -> None:
    with pytest.raises(error, match=says):
        memory.recall_freely(**how)  # type: ignore[arg-type]

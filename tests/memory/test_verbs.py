"""Versions, scopes and metadata of a text memory: what was corrected is kept, and what belongs to others is silent."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from spikemem import Memory, Turn
from spikemem.errors import SpikememError, TextError, TimeError, UnknownMemoryError
from tests.conftest import Open
from tests.memory.test_memory import agrees

JANUARY, JUNE, AUGUST = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 6, 8))


@pytest.fixture
def memory(open_memory: Open) -> Memory:
    """Where Ada lives, in three versions, 0, 3 and 4; 1 and 2 beside them; 0 leads to 1."""
    memory = open_memory()
    memory.store("Ada lives ~in Lisbon", cues=["Ada's home"], when=JANUARY, scope={"user": "ada", "run": "1"}, metadata={"topic": "home"})
    memory.store_all(["The harbour opens", "Bo plays chess"], scope={"user": "bo"}, metadata=[{"page": 3}, {"page": 4}])
    memory.associate(0, 1)
    assert memory.update(0, "Ada lives ~in Rome", when=JUNE) == 3
    assert memory.update(3, "Ada lives ~in Oslo", when=AUGUST, metadata={"topic": "work"}) == 4
    return memory


def test_versions(memory: Memory) -> None:
    assert [(r.id, r.text, r.current, r.superseded_by, r.until) for r in memory.history(3)] == [
        (0, "Ada lives ~in Lisbon", False, 3, JUNE),
        (3, "Ada lives ~in Rome", False, 4, AUGUST), (4, "Ada lives ~in Oslo", True, None, None),
    ]  # fmt: skip
    assert memory.history(0) == memory.history(4)
    assert [r.id for r in memory.history(1)] == [1]
    assert memory.get(3).scope == memory.get(4).scope == {"user": "ada", "run": "1"}
    assert (memory.get(3).metadata, memory.get(4).metadata) == ({"topic": "home"}, {"topic": "work"})
    assert memory.get(4).cues == ("Ada's home",)
    assert [r.id for r in memory.list()] == [1, 2, 4]
    assert [r.id for r in memory.list(history=True)] == list(memory) == [0, 1, 2, 3, 4]
    assert memory.info()["superseded"] == 2
    agrees(memory)


def test_recall_prefers_what_holds(memory: Memory) -> None:
    for cue in ("Ada lives ~in Lisbon", "Ada's home"):
        assert memory.recall(cue, top_k=3)[0].id == 4
        assert not {0, 3} & {hit.id for hit in memory.recall(cue, top_k=5)}
    shown = {hit.id: hit.current for hit in memory.recall("Ada lives ~in Lisbon", top_k=5, history=True)}
    assert (shown[0], shown[3], shown[4]) == (False, False, True)
    assert "superseded" in repr(memory.recall("Ada lives ~in Lisbon", top_k=1, history=True)[0])
    for moment, held in (
        (datetime(2024, 3, 1, tzinfo=UTC), 0),
        (datetime(2024, 7, 1, tzinfo=UTC), 3),
        (datetime(2025, 1, 1, tzinfo=UTC), 4),
    ):
        assert memory.recall("Ada lives", around=moment)[0].id == held
        assert not {0, 3, 4} - {held} & {hit.id for hit in memory.recall("Ada lives", top_k=5, around=moment)}


def test_associations_follow_the_version_that_holds(memory: Memory) -> None:
    assert [hit.id for hit in memory.recall_chain("Ada lives ~in Oslo", hops=1)] == [1]
    memory.associate(2, 0)  # as where a program kept the old id
    assert [hit.id for hit in memory.recall_chain("Bo plays chess", hops=2)] == [4, 1]
    agrees(memory)
    memory.restore(0)
    assert [hit.id for hit in memory.recall_chain("Ada lives ~in Lisbon", hops=1)] == [1]
    assert memory.recall_chain("Ada lives ~in Oslo", hops=1) == []
    agrees(memory)


def test_what_is_restored_holds_beside_the_other(memory: Memory) -> None:
    memory.restore(0)
    assert memory.recall("Ada lives ~in Lisbon")[0].id == 0
    assert {0, 4} <= {hit.id for hit in memory.recall("Ada lives", top_k=5)}
    assert [(r.id, r.current) for r in memory.history(0)] == [(0, True), (3, False), (4, True)]
    with pytest.raises(UnknownMemoryError, match="nothing to restore"):
        memory.restore(0)
    agrees(memory)


def test_only_what_holds_is_updated(memory: Memory) -> None:
    with pytest.raises(UnknownMemoryError, match=r"superseded by memory 3.*restore\(0\)"):
        memory.update(0, "Ada lives in Bergen")
    with pytest.raises(UnknownMemoryError):
        memory.update(99, "Ada lives in Bergen")
    assert len(memory) == 5


@pytest.mark.slow
def test_forgetting_a_version_keeps_the_others(memory: Memory) -> None:
    memory.forget(3)
    assert [r.id for r in memory.history(4)] == [0, 4]
    assert (memory.get(0).current, memory.get(0).superseded_by) == (False, 4)
    assert 0 not in {hit.id for hit in memory.recall("Ada lives ~in Lisbon", top_k=5)}
    agrees(memory)
    memory.forget(4)
    assert [hit.id for hit in memory.recall("Ada lives ~in Lisbon", top_k=1, history=True)] == [0]
    agrees(memory)
    memory.restore(0)
    assert memory.recall("Ada lives ~in Lisbon")[0].id == 0
    agrees(memory)


def test_all_versions_are_forgotten_by_their_history(memory: Memory) -> None:
    memory.restore(3)
    memory.forget(*(record.id for record in memory.history(0)))
    assert list(memory) == [1, 2]
    agrees(memory)


def test_a_new_version_of_a_turn_is_one_of_its_conversation(open_memory: Open) -> None:
    memory = open_memory()
    a, b = memory.store_conversation([("Ada", "I live in Lisbon"), ("Bo", "Nice")])
    new = memory.update(a, "I live in Rome")
    assert (memory[new], memory.get(new).speaker, memory.get(new).session) == ("Ada: I live in Rome", "Ada", 0)
    assert memory.get(memory.store_conversation([("Bo", "And there?")], after=new)[0]).session == 0
    memory.associate(a, b)
    assert (memory.get(new).links, memory.get(a).links) == ((b,), ())
    with pytest.raises(TimeError, match="lies ahead"):
        memory.update(b, "Good", when=datetime(2999, 1, 1, tzinfo=UTC))
    agrees(memory)


def test_metadata_that_is_too_deep_is_refused(open_memory: Open) -> None:
    memory, deep = open_memory(), {"a": {}}  # type: ignore[var-annotated]
    inner = deep["a"]
    for _ in range(600):
        inner["a"] = inner = {}
    with pytest.raises(TextError, match="deep"):
        memory.store("text", metadata=deep)
    assert memory.list() == []


def test_the_links_of_a_forgotten_version_go_to_the_one_that_holds(memory: Memory) -> None:
    memory.forget(0)
    assert memory._store.links() == [(4, 1)]
    assert [hit.id for hit in memory.recall_chain("Ada lives ~in Oslo", hops=1)] == [1]
    agrees(memory)


def test_other_scopes_are_silent(memory: Memory) -> None:
    for scope, there in (
        ({"user": "bo"}, {1, 2}),
        ({"user": "ada"}, {4}),
        ({"user": "ada", "run": "1"}, {4}),
        ({"run": "2"}, set()),
        (None, {1, 2, 4}),
    ):
        for record in (False, scope == {"user": "ada"}):
            hits = memory.recall("The harbour opens", top_k=5, scope=scope, record=record)
            assert {hit.id for hit in hits} <= there
            assert bool(hits) == bool(there)
        assert {r.id for r in memory.list(scope=scope)} == there
    assert [hit.id for hit in memory.recall_chain("Ada lives ~in Oslo", scope={"user": "ada"})] == []


def test_metadata_select(memory: Memory) -> None:
    assert [hit.id for hit in memory.recall("The harbour opens", where={"page": 4})] == [2]
    assert memory.recall("The harbour opens", where={"page": "4"}) == []
    assert memory.recall("The harbour opens", where={"page": True}) == []
    assert [r.id for r in memory.list(where={"topic": "home"}, history=True)] == [0, 3]
    assert [r.id for r in memory.list(where={"page": 3}, scope={"user": "bo"})] == [1]


def test_what_is_silent_does_not_change_what_is_heard(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all([f"thought {i}" for i in range(40)], scope={"user": "ada"})
    before = [(hit.id, hit.score) for hit in memory.recall("thought 3 ~again", top_k=5, scope={"user": "ada"})]
    memory.store_all([f"thought {i} ~{n}" for n in range(2) for i in range(10)], scope={"user": "bo"})
    assert [(hit.id, hit.score) for hit in memory.recall("thought 3 ~again", top_k=5, scope={"user": "ada"})] == before


def test_labels_are_the_callers_own(memory: Memory) -> None:
    record = memory.get(1)
    assert isinstance(record.metadata, dict)
    record.metadata["page"] = 7
    assert memory.get(1).metadata == {"page": 3}


def test_messages_of_a_chat(open_memory: Open) -> None:
    memory = open_memory()
    chat = [
        {"role": "user", "content": "Where is the lamp?"}, {"role": "assistant", "content": [{"type": "text", "text": "On the pier."}]},
        {"role": "user", "name": "Ada", "content": "Thanks!", "when": "2024-01-01"},
    ]  # fmt: skip
    ids = memory.store_conversation(chat, scope={"user": "ada"}, metadata={"chat": 1})
    assert [memory[i] for i in ids] == ["user: Where is the lamp?", "assistant: On the pier.", "Ada: Thanks!"]
    assert [memory.get(i).speaker for i in ids] == ["user", "assistant", "Ada"]
    assert {memory.get(i).session for i in ids} == {0}
    assert memory.get(ids[2]).when == JANUARY
    assert [r.id for r in memory.list(scope={"user": "ada"}, where={"chat": 1})] == ids


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user"}, {"role": "user", "content": None}, {"role": "user", "content": [{"type": "image_url", "image_url": "x"}]},
        {"role": "user", "content": "a", "text": "b"}, {"role": "user", "content": "a", "tool_calls": []}, {"role": 3, "content": "a"},
    ],
)  # fmt: skip
def test_a_message_that_would_be_lost_is_refused(open_memory: Open, message: dict[str, object]) -> None:
    memory = open_memory()
    with pytest.raises(TextError, match="turn 1"):
        memory.store_conversation([{"role": "user", "content": "a"}, message])
    assert len(memory) == 0


class Quoted(str):
    """A text of another class."""

    def __repr__(self) -> str:
        return "quoted"


def test_values_are_plain_on_disk(open_memory: Open) -> None:
    memory = open_memory()
    memory.store(np.array(["a b"])[0], cues=np.array(["c d"]), origin=np.str_("diary"))  # type: ignore[arg-type]
    memory.store(Quoted("e f"), cues=[Quoted("g")], origin=Quoted("letter"))
    memory.store_conversation([Turn(Quoted("h"), Quoted("Ada"))])
    memory.associate(np.int64(0), np.int32(1))  # type: ignore[arg-type]
    agrees(memory)
    memory.forget(np.int64(1))  # type: ignore[arg-type]
    memory.close()
    again = open_memory()
    assert [again[i] for i in again] == ["a b", "Ada: h"]
    assert type(again[np.int64(0)]) is str  # type: ignore[index]


def test_an_iterator_is_read_once(open_memory: Open) -> None:
    memory = open_memory()
    ids = memory.store_all((text for text in ("a", "b", "c")), cues=(iter([f"{t} cue"]) for t in "abc"), sessions=iter([1, 1, 2]))
    memory.associate_all((a, b) for a, b in [(ids[0], ids[1]), (ids[1], ids[2])])
    assert [found[0].id for found in memory.recall_all(iter(["a", "b"]))] == ids[:2]
    agrees(memory)
    memory.close()
    assert [hit.id for hit in open_memory().recall_chain("a", hops=2)] == ids[1:]


WRONG: dict[str, Callable[[Memory], object]] = {
    "text": lambda m: m.store(3), "none": lambda m: m.store_all(None), "one text": lambda m: m.store_all("abc"),
    "cues": lambda m: m.store("a", cues="b"), "origin": lambda m: m.store("a", origin=3),
    "surrogate": lambda m: m.store("a", origin="\ud800"),
    "scope": lambda m: m.store("a", scope={"team": "x"}), "scope value": lambda m: m.store("a", scope={"user": 3}),
    "metadata": lambda m: m.store("a", metadata={"x": object()}), "nan": lambda m: m.store("a", metadata={"x": float("nan")}),
    "keys": lambda m: m.store("a", metadata={3: 4}), "large": lambda m: m.store("a", metadata={"x": "y" * 200_000}),
    "lists": lambda m: m.store_all(["a", "b"], metadata=[{}]), "label": lambda m: m.store_all(["a"], sessions=[[]]),
    "recall list": lambda m: m.recall_all("abc"), "cue": lambda m: m.recall(None), "where": lambda m: m.recall("a", where=[1]),
    "around": lambda m: m.recall("a", around="2024"), "self": lambda m: m.associate(0, 0), "pair": lambda m: m.associate_all([(1, 2, 3)]),
    "pairs": lambda m: m.associate_all(3), "flag id": lambda m: m[True], "text id": lambda m: m.get("0"), "no id": lambda m: m.forget(None),
    "list id": lambda m: m.history([0]), "embedder": lambda m: Memory.open(embedder=lambda texts: None), "import": lambda m: m.import_([3]),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_arguments_are_named(memory: Memory, what: str) -> None:
    before = [memory.get(i) for i in memory]
    with pytest.raises(SpikememError):
        WRONG[what](memory)
    assert [memory.get(i) for i in memory] == before
    assert (True in memory, [0] in memory, "0" in memory, None in memory, 0 in memory) == (False, False, False, False, True)


def test_an_embedder_need_not_tell_its_progress(open_memory: Open) -> None:
    class Plain:
        name, dim = "plain", 384

        def embed(self, texts: list[str]) -> np.ndarray:
            return np.ones((len(texts), 384), np.float32)

    memory = open_memory(embedder=Plain())  # type: ignore[arg-type]
    assert memory.store("a") == 0

"""Conversations: every way to give one, what is stored of it, and what is refused."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import ModelSpec, Turn
from spikemem.errors import SpikememError, StoreError, TextError, TimeError, UnknownMemoryError
from spikemem.hippocampus.hippocampus import PATHWAYS
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.memory.conversation import read_conversation, sessions_of
from spikemem.memory.formats import KEY, MEMORY
from spikemem.memory.rows import KeyKind, crc_of
from tests.conftest import Open
from tests.memory.test_memory import agrees

MAY = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
JUNE = datetime(2023, 6, 9, tzinfo=UTC)
TALK = [
    Turn("I adopted a cat.", "Ada", MAY),
    Turn("What is it called?", "Bo"),
    Turn("Look!", "Ada", JUNE, "a grey cat on a sofa"),
    Turn("Look!", "Ada", MAY),
    Turn("…"),
]


# -- giving one ------------------------------------------------------------------------------------------------------------------------


def test_every_way_to_give_turns() -> None:
    expected = [[Turn("Hi", "Ada"), Turn("Hello", "Bo")]]
    ways: list[Any] = [
        [Turn("Hi", "Ada"), Turn("Hello", "Bo")], [("Ada", "Hi"), ["Bo", "Hello"]], (("Ada", "Hi"), Turn("Hello", "Bo")),
        [{"speaker": "Ada", "text": "Hi"}, {"text": "Hello", "speaker": "Bo", "when": None, "caption": None}],
        iter([("Ada", "Hi"), ("Bo", "Hello")]), [[("Ada", "Hi"), ("Bo", "Hello")]], [[["Ada", "Hi"], ["Bo", "Hello"]]],
    ]  # fmt: skip
    for way in ways:
        assert sessions_of(way) == expected
    assert sessions_of([[("Ada", "Hi")], [], [{"text": "Hello"}]]) == [[Turn("Hi", "Ada")], [], [Turn("Hello")]]
    assert sessions_of([]) == []


def test_a_turn_takes_the_time_before_it_in_its_session() -> None:
    first, second = sessions_of([[Turn("a"), Turn("b", when=JUNE), Turn("c"), Turn("d", when=MAY), Turn("e")], [Turn("f")]])
    assert [turn.when for turn in first] == [None, JUNE, JUNE, MAY, MAY]
    assert second[0].when is None
    (session,) = sessions_of([{"text": "a", "when": "2023-05-08T13:56Z"}, {"text": "b"}])
    assert [turn.when for turn in session] == [MAY, MAY]


def test_a_time_may_be_iso_text() -> None:
    assert Turn("a", when="2023-05-08T13:56Z") == Turn("a", when=MAY)
    assert Turn("a", when="2023-05-08").when == datetime(2023, 5, 8)
    assert sessions_of([Turn("a", when="2023-05-08T13:56Z")]) == sessions_of([{"text": "a", "when": "2023-05-08T13:56Z"}])
    assert replace(Turn("a", "Ada", MAY, "b"), text="c") == Turn("c", "Ada", MAY, "b")
    with pytest.raises(TimeError, match="'soon' is no date"):
        Turn("a", when="soon")


@pytest.mark.parametrize(
    ("bad", "clue"),
    [
        ("hello", "not str"), (5, "not int"), ({"text": "a"}, "not dict"), (Turn("a"), "not Turn"), (None, "not NoneType"),
        ([Turn("a"), Turn(" ")], "^turn 1: the text is empty"), ([("Ada", "a"), ("Bo", "")], "^turn 1: the text is empty"),
        ([[Turn("a")], [Turn("a"), Turn("")]], "^session 1, turn 1: the text is empty"),
        ([{"text": "a"}, {"speaker": "Bo"}], "^turn 1: .*'text'"), ([{}], "'text'"),
        ([{"text": None}], "NoneType"), ([{"text": "a", "mood": "x"}], "unknown key 'mood'"),
        ([{"text": "a", "speaker": 5}], "speaker is text, not int"), ([Turn("a", caption=["x"])], "caption is text, not list"),
        ([("Ada", "a", "b")], "turn 0: a turn is"), (["hello"], "turn 0: a turn is"), ([5], "turn 0: a turn is"),
        ([("Ada", None)], "NoneType"), ([Turn("a"), [Turn("b")]], "not both; item 1"), ([Turn("a", "\ud800")], "Unicode"),
        ([Turn("a", caption="x" * 10**6)], "characters"),
        ([{"text": "a", "when": "soon"}], "^turn 0: 'soon' is no date"), ([{"text": "a", "when": float("nan")}], "^turn 0: .*not nan"),
        ([{"text": "a", "when": 1.5}], "not 1.5"), ([Turn("a"), Turn("b", when=datetime.max)], "^turn 1: .*1 to 9999"),
    ],
)  # fmt: skip
def test_what_is_no_conversation(open_memory: Open, bad: Any, clue: str) -> None:
    memory = open_memory()
    with pytest.raises((TextError, TimeError), match=clue):
        memory.store_conversation(bad)
    assert len(memory) == 0
    agrees(memory)


# -- files -----------------------------------------------------------------------------------------------------------------------------


def test_files_of_every_form(tmp_path: Path) -> None:
    turns = [{"speaker": "Ada", "text": "Привет 🧠"}, {"text": "b"}]
    forms = {
        json.dumps(turns): turns, json.dumps(turns, indent=1): turns, json.dumps([turns, turns]): [turns, turns],
        "\n\n".join(map(json.dumps, turns)) + "\r\n": turns, json.dumps(turns[0]): turns[:1], "\ufeff" + json.dumps(turns): turns,
        '["Ada", "a"]\n["Bo", "b\u2028c"]': [["Ada", "a"], ["Bo", "b\u2028c"]], json.dumps(turns, ensure_ascii=False): turns, "[]": [],
    }  # fmt: skip
    file = tmp_path / "talk.json"
    for text, expected in forms.items():
        file.write_text(text, encoding="utf-8")
        assert read_conversation(file) == expected


@pytest.mark.parametrize(
    ("text", "clue"),
    [
        ("", "is empty"), (" \n", "is empty"), ('[{"text": "a"},', "no valid JSON"), ("Dear diary", "no valid JSON"),
        ('"a"', "holds str"), ("5", "holds int"),
        ('{"text": "a"}\n{"text": }', "line 2, is no valid JSON"), ("[" * 100_000, "no valid JSON"), ('{"text": "a"}\n\n[', "line 3"),
    ],
)  # fmt: skip
def test_files_that_are_none(tmp_path: Path, text: str, clue: str) -> None:
    file = tmp_path / "talk.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TextError, match=clue):
        sessions_of(read_conversation(file))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b'[{"text": "caf\xe9"}]')
    for name in ("nowhere", ".", "latin"):
        with pytest.raises(TextError, match="cannot be read as UTF-8"):
            read_conversation(tmp_path / name)


# -- storing one -----------------------------------------------------------------------------------------------------------------------


def test_what_is_stored_of_a_turn(open_memory: Open) -> None:
    memory = open_memory()
    ids = memory.store_conversation(TALK)
    rows, keys = memory._store.memories(), memory._store.keys()
    lines = ["Ada: I adopted a cat.", "Bo: What is it called?", "Ada: Look!", "Ada: Look!", "…"]
    assert [memory[i] for i in ids] == lines
    assert [row.happened for row in rows] == [t.timestamp() for t in (MAY, MAY, JUNE, MAY, MAY)]
    assert [key.text for key in keys] == lines
    assert [key.words for key in keys] == [None, None, "Ada: Look! [a grey cat on a sofa]", None, None]
    assert [row.speaker for row in rows] == [turn.speaker or None for session in sessions_of(TALK) for turn in session]
    np.testing.assert_array_equal(np.stack([key.vector for key in keys]), memory.embedder.embed(lines))
    assert {key.kind for key in keys} == {KeyKind.CONTENT}
    assert memory.recall("Bo: What is it called?")[0].when == MAY
    assert {hit.id for hit in memory.recall("Ada: Look!", top_k=2)} == {2, 3}
    agrees(memory)


def test_sessions_are_numbered_and_never_again(open_memory: Open) -> None:
    memory = open_memory()
    memory.store("before")
    memory.store_conversation([("Ada", "a"), ("Bo", "b")])
    last = memory.store_conversation([[("Ada", "c")], [], [("Bo", "d"), ("Bo", "e")]])
    memory.store_all(["x", "y", "z", "w"], sessions=["one", None, "two", "one"])
    assert [row.session for row in memory._store.memories()] == [None, 0, 0, 1, 2, 2, 3, None, 4, 3]
    assert memory.hippocampus.arrays()["session"].tolist() == [-1, 0, 0, 1, 2, 2, 3, -1, 4, 3]
    memory.forget(*last, 6, 8, 9)
    agrees(memory)
    memory.close()
    memory = open_memory()
    memory.store_conversation([("Ada", "f")])
    assert [row.session for row in memory._store.memories()] == [None, 0, 0, None, 5]
    assert memory.store_conversation([]) == memory.store_conversation([[], []]) == []
    agrees(memory)


@pytest.mark.slow
def test_a_long_conversation_is_one_session(open_memory: Open) -> None:
    memory = open_memory()
    reports: list[tuple[int, int]] = []
    ids = memory.store_conversation([("Ada", f"turn {i}") for i in range(300)], progress=lambda *done: reports.append(done))
    assert len(ids) == 300
    assert {row.session for row in memory._store.memories()} == {0}
    assert reports == [(256, 300), (300, 300)]
    agrees(memory)


def test_a_live_conversation_is_one_session(open_memory: Open, small_text: ModelSpec) -> None:
    memory = open_memory(model=small_text)
    apart = memory.store("Nothing to do with it.")
    last = memory.store_conversation(TALK[:1])[0]
    other = memory.store_conversation([("Cy", "Elsewhere it rains.")])[0]
    for turn in TALK[1:3]:
        (last,) = memory.store_conversation([turn], after=last)
    memory.close()
    memory = open_memory(model=small_text)
    memory.store_conversation(iter(TALK[3:]), after=last)
    rows = memory._store.memories()
    assert [row.session for row in rows] == [None, 0, 1, 0, 0, 0, 0]
    assert [row.happened for row in rows if row.session == 0] == [t.timestamp() for t in (MAY, MAY, JUNE, MAY, MAY)]
    hits = {hit.id: hit for hit in memory.recall("a cat was adopted", top_k=7, cycles=1)}
    assert hits[3].drives["context"] > 0
    assert all(hits[i].drives["context"] == 0 for i in (apart, other) if i in hits)
    assert memory.store_conversation([("Cy", "And now it is dry.")]) == [7]
    assert memory._store.memories()[-1].session == 2
    agrees(memory)


def test_what_cannot_be_followed(open_memory: Open) -> None:
    memory = open_memory()
    memory.store("of no session")
    memory.store_conversation(TALK[:1])
    for after, clue in ((0, "memory 0 belongs to no session"), (7, "no memory 7"), (True, "no memory True")):
        with pytest.raises(UnknownMemoryError, match=clue):
            memory.store_conversation(TALK, after=after)
    for bad, clue in (([TALK], "not lists of turns"), ([("Ada", "a"), ("Bo", " ")], "^turn 1: the text is empty"), ("hello", "not str")):
        with pytest.raises(TextError, match=clue):
            memory.store_conversation(bad, after=1)
    assert memory.store_conversation([], after=1) == []
    assert len(memory) == 2
    agrees(memory)


def test_an_origin_is_kept(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_conversation(TALK, origin="diary")
    assert {row.origin for row in memory._store.memories()} == {"diary"}
    with pytest.raises(TextError):
        memory.store_conversation(TALK, origin=" ")


def test_a_reader_stores_no_conversation(open_memory: Open) -> None:
    open_memory().store("a")
    with pytest.raises(StoreError, match="for reading"):
        open_memory(readonly=True).store_conversation(TALK)


SCRIPTS = [("Аня", "Привет, мир"), ("愛", "記憶は海馬にある"), ("👩‍🚀", "🧠🌊👍🏽"), ("", "हिन्दी में"), ("a\0b", "\n- [x] “quoted”")]


@pytest.mark.parametrize("turn", SCRIPTS)
def test_any_script(open_memory: Open, small_text: ModelSpec, turn: tuple[str, str]) -> None:
    memory = open_memory(model=small_text)
    i = memory.store_conversation([("Ada", "first"), turn, turn])[1]
    agrees(memory)
    assert memory[i].endswith(turn[1])
    assert memory.recall(turn[1], top_k=3) != []


# -- times -----------------------------------------------------------------------------------------------------------------------------


def test_times_of_texts(open_memory: Open) -> None:
    memory = open_memory()
    memory.store("dated", when=datetime(2023, 5, 8, 13, 56))  # no zone: UTC
    memory.store_all(["a", "b"], when=JUNE)
    memory.store_all(["c", "d"], when=[None, datetime(1, 1, 1)])
    memory.store("e", when=datetime(9999, 12, 31))
    for one in (memory, open_memory(readonly=True)):
        assert one.recall("dated")[0].when == MAY
        assert [one.recall(text)[0].when for text in "abcd"] == [JUNE, JUNE, None, datetime(1, 1, 1, tzinfo=UTC)]
        assert "when=9999-12-31 00:00" in repr(one.recall("e", around=datetime(1, 1, 1))[0])
    agrees(memory)


@pytest.mark.parametrize("bad", [float("nan"), "2023-05-08", 0, datetime.max, [MAY], datetime(1, 1, 1).date()])
def test_bad_times_are_refused(open_memory: Open, bad: Any) -> None:
    memory = open_memory()
    memory.store("a")
    uses: list[Any] = [
        lambda: memory.store("b", when=bad), lambda: memory.store_all(["b", "c"], when=[None, bad]), lambda: memory.recall("a", around=bad),
        lambda: memory.recall_all([], around=bad), lambda: memory.store_all(["b", "c"], when=bad),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(SpikememError):
            use()
    assert len(memory) == 1
    agrees(memory)


def test_times_and_sessions_are_as_many_as_texts(open_memory: Open) -> None:
    memory = open_memory()
    with pytest.raises(TextError, match="2 texts need as many times"):
        memory.store_all(["a", "b"], when=[MAY])
    with pytest.raises(TextError, match="2 texts need as many sessions"):
        memory.store_all(["a", "b"], sessions=[1])


# -- words, pieces, pathways -----------------------------------------------------------------------------------------------------------


def test_word_cells_hear_all_keys(open_memory: Open, small_text: ModelSpec) -> None:
    memory = open_memory(model=small_text)
    memory.store("The cat sleeps", cues=["a kitten naps"])
    memory.store_conversation(TALK)
    assert small_text.lex is not None
    arrays = memory.hippocampus.arrays()
    for k, key in enumerate(memory._store.keys()):
        span = slice(arrays["words_ptr"][k], arrays["words_ptr"][k + 1])
        for part, name in zip(words(key.worded, small_text.lex.cells), ("cell", "spikes", "whole"), strict=True):
            np.testing.assert_array_equal(arrays[f"words_{name}"][span], part)
    agrees(memory)
    memory.forget(0)
    memory.consolidate()
    agrees(memory)


def test_a_hit_says_why(open_memory: Open, small_text: ModelSpec) -> None:
    memory = open_memory(model=small_text)
    memory.store_conversation(TALK)
    hits = memory.recall("What is it called?", top_k=2, around=MAY, cycles=1)
    for hit in hits:
        assert tuple(hit.drives) == PATHWAYS
        assert sum(hit.drives.values()) == pytest.approx(hit.score, abs=1e-6)
        assert f"{hit.score:.3f}" in repr(hit)
        assert "\n" not in repr(hit)
        assert isinstance(hash(hit), int)
    memory.associate(1, 2)
    assert [hit.drives for hit in memory.recall_chain("Bo: What is it called?")] == [{}]


def test_long_texts_are_kept_in_pieces(open_memory: Open, small_text: ModelSpec) -> None:
    memory = open_memory(model=small_text)
    text = " ".join(f"word{i}" for i in range(300))
    memory.store_all([text, "short"], cues=[["the long one"], ["the short one"]])
    keys = memory._store.keys()
    long = [key for key in keys if key.memory == 0]
    assert [key.kind for key in long] == [KeyKind.CONTENT, KeyKind.PIECE, KeyKind.PIECE, KeyKind.PIECE, KeyKind.CUE]
    assert (long[0].text, " ".join(key.text for key in long[1:4]), long[4].text) == (text, text, "the long one")
    assert [key.kind for key in keys if key.memory == 1] == [KeyKind.CONTENT, KeyKind.CUE]
    assert [memory.recall(key.text)[0].id for key in keys] == [key.memory for key in keys]
    assert np.flatnonzero(memory.hippocampus.arrays()["cue"]).tolist() == [k for k, key in enumerate(keys) if key.kind == KeyKind.CUE]
    agrees(memory)


@pytest.mark.slow
def test_a_hundred_thousand_words(open_memory: Open, small_text: ModelSpec) -> None:
    memory = open_memory(model=small_text)
    memory.store_all([f"thought {i}" for i in range(30)])
    text = " ".join(f"word{i}" for i in range(100_000))
    reports: list[tuple[int, int]] = []
    i = memory.store_all([text], progress=lambda *done: reports.append(done))[0]
    assert reports == [(783, 783)]
    memory.close()
    memory = open_memory(readonly=True, model=small_text)
    assert memory[i] == text
    assert memory.recall(memory._store.keys()[500].text)[0].id == i


def test_a_model_without_words_needs_none(open_memory: Open) -> None:
    memory = open_memory(model="hippocampus-small")
    memory.store("word " * 200, cues=["cue"])
    assert memory.recall("cue", cycles=3)[0].id == 0
    assert memory.recall_chain("cue") == []
    agrees(memory)


def test_a_file_of_format_1_is_a_memory(path: Path, open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all(["Rome", "Naples"], cues=[["the capital"], []])
    memory.close()
    as_format_1(path)
    reader = open_memory(readonly=True)
    assert reader.recall("the capital")[0].text == "Rome"
    with pytest.raises(StoreError, match="for reading"):
        reader.store("Palermo")
    memory = open_memory()
    assert reader.recall("the capital")[0].text == "Rome"
    assert memory.recall("the capital")[0].when is None
    assert memory.store_conversation(TALK) == [2, 3, 4, 5, 6]
    agrees(memory)


def as_format_1(path: Path) -> None:
    """Turn a file of today's format into the one that format 1 would have written."""
    db = sqlite3.connect(path)
    for table, columns, later in (
        ("memories", MEMORY[1], set(MEMORY[3].split(", ")) - set(MEMORY[1].split(", "))), ("keys", KEY[1], {"kind", "words"})
    ):  # fmt: skip
        rows = db.execute(f"SELECT id, {columns} FROM {table}").fetchall()
        db.executemany(f"UPDATE {table} SET crc = ? WHERE id = ?", [(crc_of(*row), i) for i, *row in rows])
        for column in later:
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    db.execute("DROP TABLE occurrences")
    db.execute("PRAGMA user_version = 1")
    db.commit()
    db.close()

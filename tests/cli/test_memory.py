"""Conversations, times and pathways on the command line."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result
from matplotlib.figure import Figure
from typer.testing import CliRunner

from spikemem import Memory, ModelSpec, Network, simulate
from spikemem.cli import app
from spikemem.cli.show import save
from spikemem.errors import SpikememError
from spikemem.hippocampus.hippocampus import PATHWAYS
from tests.fakes import FakeEmbedder

TALK = [
    {"speaker": "Ada", "text": "I adopted a cat.", "when": "2023-05-08T13:56+02:00"},
    {"speaker": "Bo", "text": "Look!", "caption": "a sofa"},
]


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def store(*arguments: str) -> str:
    result = run("store", "brain.db", "--model", "hippocampus-small", *arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout.strip()


def recall(*arguments: str) -> list[dict[str, object]]:
    result = run("recall", "brain.db", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return list(json.loads(result.stdout))


def test_a_conversation_and_a_date() -> None:
    Path("talk.json").write_text(json.dumps(TALK), encoding="utf-8")
    Path("talks.json").write_text(json.dumps([TALK, TALK]), encoding="utf-8")
    Path("talk.jsonl").write_text("\n".join(map(json.dumps, TALK)), encoding="utf-8")
    assert store("--conversation", "talk.json") == "stored 2 as 0 to 1"
    assert store("--conversation", "talks.json", "--json").split() == ["[", "2,", "3,", "4,", "5", "]"]
    assert store("--conversation", "talk.jsonl") == "stored 2 as 6 to 7"
    assert store("Ada moved.", "Bo stayed.", "--when", "2024-05-01") == "stored 2 as 8 to 9"
    assert store("No one knows when.") == "stored 1 as 10"
    hit = recall("Bo: Look!", "--top-k", "1", "--around", "2023-05-08", "--cycles", "1")[0]
    assert (hit["text"], hit["when"]) == ("Bo: Look!", "2023-05-08T11:56:00+00:00")
    assert recall("Bo stayed.")[0]["when"] == "2024-05-01T00:00:00+00:00"
    assert recall("No one knows when.")[0]["when"] is None


def test_a_conversation_goes_on() -> None:
    Path("talk.json").write_text(json.dumps(TALK), encoding="utf-8")
    Path("more.json").write_text(json.dumps(TALK[1]), encoding="utf-8")
    assert store("--conversation", "talk.json") == "stored 2 as 0 to 1"
    assert store("--conversation", "more.json", "--after", "1") == "stored 1 as 2"
    with Memory.open("brain.db", readonly=True) as memory:
        assert [(row.session, row.happened) for row in memory._store.memories()] == [(0, 1683546960.0)] * 3
    refused = run("store", "brain.db", "--conversation", "more.json", "--after", "9")
    assert (refused.exit_code, "no memory 9" in refused.stderr) == (2, True)


CHANGES = ("associate 0 1", "consolidate", "delete 0", "forget 0", "restore 0", "update 0 text")
READS = ("backup to.db", "chain cue", "check", "export", "get 0", "history 0", "info", "list", "recall cue")


@pytest.mark.parametrize("command", [*CHANGES, *READS])
@pytest.mark.parametrize("path", ["new.db", ":memory:"])
def test_a_command_that_stores_nothing_makes_no_memory(command: str, path: str) -> None:
    name, *others = command.split()
    refused = run(name, path, *others)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "error: there is no " in refused.stderr
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("command", CHANGES)
def test_an_empty_file_is_no_memory(command: str) -> None:
    Path("empty.db").touch()
    name, *others = command.split()
    refused = run(name, "empty.db", *others)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "there is no memory in" in refused.stderr
    assert [(path.name, path.stat().st_size) for path in Path().iterdir()] == [("empty.db", 0)]


def test_around_a_date_is_around_its_noon(small_text: ModelSpec) -> None:
    with Memory.open("brain.db", small_text) as memory:
        memory.store("Ada moved.", when=datetime(2024, 5, 1, 18))
    noon, date, night = (
        recall("Ada moved.", "--around", around, "--why")[0]["time"] for around in ("2024-05-01T12:00", " 2024-05-01", "2024-05-01T00:00")
    )
    assert noon == date != night


def test_what_is_printed() -> None:
    store("Ada moved.", "--when", "2024-05-01")
    table = run("recall", "brain.db", "Ada moved.", "--why").stdout
    assert all(name in table for name in (*PATHWAYS, "when", "2024-05-01 00:00"))
    row = recall("Ada moved.", "--why")[0]
    assert list(row) == ["id", "score", *PATHWAYS, "when", "text"]
    assert "meaning" not in run("recall", "brain.db", "Ada moved.").stdout
    undated = run("store", "other.db", "Ada moved.", "--model", "hippocampus-small")
    assert undated.exit_code == 0
    assert "when" not in run("recall", "other.db", "Ada moved.").stdout


def test_tables_shorten_texts() -> None:
    long = "[red] " + "x" * 193 + " and so on"
    store(long, "short")
    store("y" * 200)
    assert run("associate", "brain.db", "1", "0").exit_code == 0
    for table in (run("recall", "brain.db", long).stdout, run("chain", "brain.db", "short").stdout):
        assert "…" in table
        assert "[red]" in table
        assert "and so on" not in table
    assert recall(long)[0]["text"] == long
    assert json.loads(run("chain", "brain.db", "short", "--json").stdout)[1]["text"] == long
    assert run("recall", "brain.db", "y" * 200, "--top-k", "1").stdout.count("y") == 200


def test_a_book() -> None:
    Path("book.txt").write_text(" ".join(f"word{i}" for i in range(20_000)), encoding="utf-8")
    assert store("--file", "book.txt") == "stored 1 as 0"


FILES = {
    "empty.json": "", "none.json": "[]", "diary.json": "Dear diary", "text.json": '"a"', "key.json": '[{"text": "a"}, {"speaker": "Bo"}]',
    "date.json": '[{"text": "a", "when": "soon"}]', "nan.json": '[{"text": "a", "when": NaN}]',
    "turn.json": '[[{"text": "a"}], [{"text": " "}]]',
    "lines.jsonl": '{"text": "a"}\n{"text": ', "good.json": '[{"text": "a"}]',
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "clue"),
    [
        (["store", "new.db", "--conversation", "nowhere.json"], "cannot be read"),
        (["store", "new.db", "--conversation", "empty.json"], "is empty"),
        (["store", "new.db", "--conversation", "none.json"], "no turns"),
        (["store", "new.db", "--conversation", "diary.json"], "no valid JSON"),
        (["store", "new.db", "--conversation", "text.json"], "not a list of turns"),
        (["store", "new.db", "--conversation", "key.json"], "turn 1: there is no 'text'"),
        (["store", "new.db", "--conversation", "date.json"], "turn 0: 'soon' is no date"),
        (["store", "new.db", "--conversation", "nan.json"], "turn 0: a time is a datetime"),
        (["store", "new.db", "--conversation", "turn.json"], "session 1, turn 0: the text is empty"),
        (["store", "new.db", "--conversation", "lines.jsonl"], "line 2"),
        (["store", "new.db", "--conversation", "good.json", "text"], "stored by itself"),
        (["store", "new.db", "--conversation", "good.json", "--when", "2024-05-01"], "stored by itself"),
        (["store", "new.db", "text", "--after", "0"], "--after belongs to --conversation"),
        (["store", "new.db", "--conversation", "turn.json", "--after", "0"], "not lists of turns"),
        (["store", "new.db", "text", "--when", "tomorrow"], "'tomorrow' is no date"),
        (["store", "new.db", "text", "--when", "0001-01-01T00:00+05:00"], "years 1 to 9999"),
        (["store", "new.db", "--when", "2024-05-01"], "nothing to store"),
        (["recall", "new.db", "cue", "--around", "May"], "'May' is no date"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_made(arguments: list[str], clue: str) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    result = run(*arguments)
    assert result.exit_code == 2
    complaint = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(complaint) == 1
    assert clue in complaint[0]
    assert not Path("new.db").exists()


def test_cycles_are_at_least_one() -> None:
    assert run("recall", "new.db", "cue", "--cycles", "0").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["store", "new.db", ""],
        ["store", "new.db", "Ada moved.", "--model", "no-such-model"],
        ["store", "new.db", "Ada moved.", "--metadata", "none"],
        ["store", "new.db", "--conversation", "talk.json", "--after", "3"],
        ["import", "new.db", "bad.jsonl"],
        ["forget", "new.db", "3"],
        ["associate", "new.db", "0", "1"],
        ["update", "new.db", "0", "Ada moved."],
        ["restore", "new.db", "0"],
        ["backup", "new.db", "copy.db"],
        ["backup", "brain.db", "no/folder/copy.db"],
        ["check", "brain.db", "--repair", "no/folder/new.db"],
        ["check", "talk.json", "--repair", "new.db"],
        ["simulate", "no-such-model", "--out", "new.npz"],
        ["simulate", "hippocampus-small", "--simulator", "none", "--out", "new.npz"],
        ["plot", "raster", "talk.json", "--out", "new.png"],
        ["plot", "raster", "rec.npz", "nobody", "--out", "new.svg"],
        ["plot", "raster", "rec.npz", "--out", "new.none"],
        ["compare", "--data", "none.tsv", "--out", "new"],
        ["compare", "--ablate", "--data", "none.tsv", "--out", "new"],
    ],
    ids=" ".join,
)
def test_what_is_refused_leaves_nothing_behind(arguments: list[str]) -> None:
    Path("talk.json").write_text(json.dumps(TALK), encoding="utf-8")
    Path("bad.jsonl").write_text('{"id": 0}', encoding="utf-8")
    simulate(Network(), {}, 2).save("rec.npz")
    store("Ada moved.")
    before = set(Path().rglob("*"))
    assert run(*arguments).exit_code == 2
    assert set(Path().rglob("*")) - before <= {Path("brain.db-shm"), Path("brain.db-wal")}  # of a reader, empty


def test_a_picture_is_written_whole_or_not_at_all() -> None:
    figure = Figure()
    figure.text(0.5, 0.5, "$x_{$")  # which nobody can draw
    for ending in ("png", "svg", "pdf"):
        with pytest.raises(SpikememError, match="cannot be written as a picture"):
            save(figure, Path(f"new.{ending}"))
    assert list(Path().iterdir()) == []
    save(Figure(), Path("new"))
    assert list(Path().iterdir()) == [Path("new.png")]

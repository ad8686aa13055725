"""Commands on what a memory's file holds."""

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from spikemem.cli import app
from tests.fakes import FakeEmbedder


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, (result.stdout, result.stderr)
    return result


@pytest.fixture
def _brain() -> None:
    """Lisbon 0, superseded by Rome 3, and Bo's 1 and 2."""
    small = ("--model", "hippocampus-small")
    run("store", "brain.db", "Ada lives in ~Lisbon", *small, "--scope", "user=ada", "--metadata", "page=3", "--when", "2023-01-01")
    run("store", "brain.db", "Bo keeps goats", "Bo keeps bees", "--scope", "user=7", "--metadata", "topic=farm")
    assert "supersedes 0" in run("update", "brain.db", "0", "Ada lives in ~Rome", "--when", "2024-01-01").stdout


def listed(*arguments: str) -> list[int]:
    return [row["id"] for row in json.loads(run("list", "brain.db", "--json", *arguments).stdout)]


@pytest.mark.usefixtures("_brain")
def test_what_is_listed() -> None:
    assert listed() == [1, 2, 3]
    assert listed("--history") == [0, 1, 2, 3]
    assert listed("--scope", "user=7") == [1, 2]
    assert listed("--where", "page=3") == [3]
    assert listed("--where", 'page="3"') == []
    assert "Lisbon" not in run("list", "brain.db").stdout
    assert "2024-01-01 00:00 by 3" in run("list", "brain.db", "--history").stdout


@pytest.mark.usefixtures("_brain")
def test_versions() -> None:
    assert [row["id"] for row in json.loads(run("history", "brain.db", "3", "--json").stdout)] == [0, 3]
    record = json.loads(run("get", "brain.db", "0", "--json").stdout)
    assert (record["current"], record["superseded_by"], record["metadata"]) == (False, 3, {"page": 3})
    assert "superseded by" in run("get", "brain.db", "0").stdout
    rows = json.loads(run("recall", "brain.db", "Ada lives in ~Lisbon", "--history", "--json").stdout)
    assert [(row["id"], row["holds"]) for row in rows[:2]] == [(0, False), (3, True)]
    then = json.loads(run("recall", "brain.db", "Ada lives", "--around", "2023-06-01", "--json", "--top-k", "1").stdout)
    assert then[0]["id"] == 0
    assert "0 holds again" in run("restore", "brain.db", "0").stdout
    assert listed() == [0, 1, 2, 3]
    assert "superseded" not in run("update", "brain.db", "9", "x", code=2).stdout


@pytest.mark.usefixtures("_brain")
def test_recall_is_limited_to_a_scope() -> None:
    rows = json.loads(run("recall", "brain.db", "Bo keeps goats", "--scope", "user=7", "--where", "topic=farm", "--json").stdout)
    assert rows[0]["id"] == 1
    assert {row["id"] for row in rows} <= {1, 2}
    others = json.loads(run("recall", "brain.db", "Bo keeps goats", "--scope", "user=ada", "--json").stdout)
    assert {row["id"] for row in others} <= {3}
    for wrong in (("--scope", "team=x"), ("--scope", "user"), ("--where", "page")):
        assert "error" in run("recall", "brain.db", "Ada lives", *wrong, code=2).stderr


@pytest.mark.usefixtures("_brain")
def test_copies() -> None:
    assert "copied 4 memories" in run("backup", "brain.db", "copy.db").stdout
    assert "already" in run("backup", "brain.db", "copy.db", code=2).stderr
    run("backup", "brain.db", "copy.db", "--replace")
    lines = run("export", "brain.db", "--vectors").stdout
    Path("brain.jsonl").write_text(lines, encoding="utf-8")
    assert run("import", "new.db", "brain.jsonl", "--model", "hippocampus-small").stdout.strip() == "imported 4 as 0 to 3"
    assert run("export", "new.db", "--vectors").stdout == lines
    Path("bad.jsonl").write_text(lines + "[1, 2\n", encoding="utf-8")
    assert "line 5" in run("import", "new.db", "bad.jsonl", code=2).stderr
    assert "imported 0" in run("import", "new.db", "/dev/null").stdout


@pytest.mark.usefixtures("_brain")
def test_damage() -> None:
    assert "is whole" in run("check", "brain.db").stdout
    db = sqlite3.connect("brain.db")
    db.execute("UPDATE memories SET text = 'Eve' WHERE id = 1")
    db.commit()
    db.close()
    told = run("check", "brain.db", code=1)
    assert "memories, row 1" in told.stderr
    assert "can be saved" in told.stdout
    found = json.loads(run("check", "brain.db", "--json", code=1).stdout)
    assert (found["memories"], found["can_be_saved"]) == (4, 4)
    assert "saved 4 of 4" in run("check", "brain.db", "--repair", "new.db").stdout
    assert "is whole" in run("check", "new.db").stdout
    assert "Bo keeps goats" in run("list", "new.db").stdout
    assert "no spikemem" in run("check", "copy.db", code=2).stderr or "there is no" in run("check", "copy.db", code=2).stderr


@pytest.mark.usefixtures("_brain")
def test_sleep_says_what_it_gave_back() -> None:
    assert "consolidated 4 memories, gave back" in run("consolidate", "brain.db").stdout

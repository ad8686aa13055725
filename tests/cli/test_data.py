"""`spikemem bench data` and the scripts on public data sets, as a user meets them."""

import json
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import recall_run
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.data import datasets
from spikemem.errors import MissingDataError
from spikemem.evaluate import retrieval
from spikemem.memory import embed
from tests import published
from tests.fakes import FakeEmbedder

run = CliRunner().invoke
needs_bm25s = pytest.mark.skipif(find_spec("bm25s") is None, reason="the bench extra is not installed")
SIMS = Path(__file__).parents[2] / "sims" / "memory"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(embed, "SentenceEmbedder", FakeEmbedder)
    monkeypatch.setattr(recall_run, "SentenceEmbedder", FakeEmbedder)
    monkeypatch.setattr(retrieval, "BATCH", 4)  # questions that are timed, and how often: of the times nothing is asked
    monkeypatch.setattr(retrieval, "ROUNDS", 1)
    published.everything(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.slow
@needs_bm25s
def test_bench_data_writes_table_and_figure_and_says_what_is_missing(data: Path, tmp_path: Path) -> None:
    (data / "musique/musique_corpus.json").unlink()
    out = tmp_path / "out"
    result = run(app, ["bench", "data", str(data), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert list(dict.fromkeys(row["dataset"] for row in rows)) == [name for name in datasets.DATASETS if name != "MuSiQue"]
    assert "MuSiQue is left out: no " in result.stderr
    assert json.loads((out / "data.json").read_text()) == rows
    assert (out / "data.md").read_text().count("## ") == 6
    assert (out / "data.png").stat().st_size > 10_000
    again = run(app, ["bench", "data", str(data), "--out", str(out), "--only", "STS-B"])
    assert "cosine + BM25, max" in again.stdout
    assert json.loads((out / "data.json").read_text()) == [row for row in rows if row["dataset"] == "STS-B"]  # as saved, ms and all


@pytest.mark.parametrize(
    ("arguments", "clue"),
    [
        (["bench", "data", "nowhere"], "no data set in nowhere; docs/data.md says where to get them"),
        (["bench", "data", "nowhere", "--only", "MRPC"], "no nowhere/mrpc/msr-para-*.tsv"),
        (["bench", "data", "nowhere", "--only", "SQuAD"], "unknown data set SQuAD; there are LoCoMo"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], clue: str) -> None:
    result = run(app, arguments)
    assert result.exit_code == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert clue in errors[0]


def test_a_damaged_data_set_stops_the_bench(data: Path, tmp_path: Path) -> None:
    published.put(data / "mrpc/msr-para-test.tsv", "x\ty\n")
    result = run(app, ["bench", "data", str(data), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "msr-para-test.tsv, line 1: expected 5 columns, found 2; get it anew" in result.stderr


@pytest.mark.parametrize("library", ["bm25s"])
def test_a_missing_library_is_one_line(library: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    result = run(app, ["bench", "data", str(data)])
    assert result.exit_code == 2
    assert 'pip install "spikemem[bench]"' in result.stderr


@pytest.mark.slow
@needs_bm25s
@pytest.mark.parametrize(
    ("script", "sets"),
    [
        ("locomo", ["LoCoMo"]), ("longmemeval", ["LongMemEval"]), ("multi_hop_questions", ["HotpotQA", "MuSiQue"]),
        ("paraphrases", ["STS-B", "MRPC"]), ("banking77", ["BANKING77"]),
    ],
)  # fmt: skip
def test_a_script_prints_its_tables_and_writes_its_rows(
    script: str, sets: list[str], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{script}.py", "--data", str(data), "--out", str(tmp_path / f"{script}.json")])
    runpy.run_path(str(SIMS / f"{script}.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert [line.split(",")[0] for line in said.splitlines() if line.startswith("## ")] == [f"## {name}" for name in sets]
    rows = json.loads((tmp_path / f"{script}.json").read_text())
    assert list(dict.fromkeys(row["dataset"] for row in rows)) == sets


def test_a_script_leaves_out_what_is_missing_and_refuses_an_empty_folder(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "mrpc/msr-para-test.tsv").unlink()
    tasks = recall_run.load(data, [datasets.stsb, datasets.mrpc])
    assert [task.dataset for task in tasks] == ["STS-B"]
    assert "left out: no " in capsys.readouterr().err
    with pytest.raises(MissingDataError, match="give --data or set SPIKEMEM_DATA"):
        recall_run.load(data / "nowhere", [datasets.stsb, datasets.mrpc])

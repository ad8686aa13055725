"""`spikemem train` as a user meets it: its help, and what it refuses before any training."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.data.corpus.tales import tales
from spikemem.errors import TrainingError
from spikemem.learn import Settings
from spikemem.learn import loop as learn
from spikemem.learn.distributed import Team
from spikemem.memory import embed
from spikemem.training import babi, ec, gates
from tests.fakes import FakeEmbedder, write_tales

run = CliRunner().invoke
HUGE = "99999999999999999999999"
SHARED = ("--out", "--epochs", "--seed", "--checkpoint", "--tensorboard", "--device", "--compile", "--json")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embed, "SentenceEmbedder", FakeEmbedder)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("part", "options"),
    [
        ("ec", ("--data", "--test", "--penalty", *SHARED)),
        ("gates", ("--model", *SHARED)),
        ("spmn", ("--task", "--data", "--cell", "--number", *SHARED)),
    ],
)
def test_help_names_every_option_and_an_example(part: str, options: tuple[str, ...]) -> None:
    result = run(app, ["train", part, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert [option for option in options if option not in result.stdout] == []
    assert f"spikemem train {part}" in result.stdout
    assert f" {part} " in run(app, ["train", "--help"]).stdout


@pytest.mark.parametrize(
    ("arguments", "clue"),
    [
        (["ec", "--data", "nowhere"], "nowhere"),
        (["ec", "--data", "empty"], "no text in empty; give a UTF-8 file with one sentence a line"),
        (["ec", "--data", "blank.txt"], "no text in blank.txt"),
        (["ec", "--data", "one.txt", "--test", "nowhere.txt"], "nowhere.txt"),
        (["ec", "--data", "binary.txt"], "binary.txt"),
        (["ec", "--data", "one.txt", "--seed", "-1"], "seed is -1; it must be a whole number, at least 0"),
        (
            ["ec", "--data", "one.txt", "--seed", HUGE],
            f"seed is {HUGE}; it must be a whole number, at least 0, at most 9,223,372,036,854,775,807",
        ),
        (["ec", "--data", "many.txt", "--penalty", "inf"], "the penalty of a spike is inf; it must be finite"),
        (["gates", "--model", "nothing"], "nothing"),
        (["gates", "--seed", "-1"], "seed is -1; it must be a whole number, at least 0"),
        (["gates", "--seed", HUGE], f"seed is {HUGE}; it must be a whole number, at least 0, at most"),
        (["spmn", "--task", "babi", "--data", ".", "--seed", HUGE], f"seed is {HUGE}; it must be a whole number, at least 0, at most"),
        (["spmn", "--task", "dance", "--data", "."], "no task 'dance'; there are write, slots, babi"),
        (["spmn", "--task", "write", "--data", "nowhere"], "nowhere"),
        (["spmn", "--task", "slots", "--data", "nowhere"], "nowhere"),
        (["spmn", "--task", "babi", "--data", "nowhere", "--number", "4"], "no qa4_*_train.txt in nowhere"),
        (["spmn", "--task", "babi", "--data", ".", "--cell", "rate-v1"], "read by the cells spiking and rate, not by 'rate-v1'"),
        (["spmn", "--task", "babi", "--data", ".", "--seed", "-1"], "seed is -1; it must be a whole number, at least 0"),
        (["ec", "--data", "many.txt", "--device", "nonsense"], "no device 'nonsense' to train on; there is cpu"),
        (["ec", "--data", "nowhere", "--out", "empty"], "empty is a folder; give another --out"),
        (["gates", "--out", "one.txt/gates.safetensors"], "cannot make the folder of one.txt/gates.safetensors"),
        (["spmn", "--task", "babi", "--data", "nowhere", "--out", "one.txt/a/b"], "cannot make the folder of one.txt/a/b"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], clue: str) -> None:
    Path("empty").mkdir()
    Path("blank.txt").write_text("\n \n", encoding="utf-8")
    Path("one.txt").write_text("Ada moved to Lisbon.\n", encoding="utf-8")
    Path("many.txt").write_text("\n".join(f"Ada has {n} boats." for n in range(20)), encoding="utf-8")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    before = set(Path().iterdir())
    result = run(app, ["train", *arguments])
    assert result.exit_code == 2, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert clue in errors[0]
    assert "Traceback" not in result.output
    assert not {path for path in set(Path().iterdir()) - before if path.suffix == ".safetensors"}


@pytest.mark.parametrize(
    "arguments", [["ec"], ["spmn", "--task", "babi"], ["spmn", "--data", "."], ["spmn", "--task", "babi", "--data", ".", "--number", "21"],
    ["ec", "--data", "one.txt", "--epochs", "0"], ["ec", "--data", "one.txt", "--penalty", "-5"], ["cortex"]],
)  # fmt: skip
def test_a_wrong_command_line_is_refused(arguments: list[str]) -> None:
    result = run(app, ["train", *arguments])
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_what_is_asked_for_reaches_each_training(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Settings] = []

    def told(*given: Any, **_: Any) -> None:
        asked.extend(part for part in given if isinstance(part, Settings))
        raise TrainingError("enough")

    for module, name in ((ec, "train"), (gates, "train"), (babi, "learn_task")):
        monkeypatch.setattr(module, name, told)
    Path("many.txt").write_text("\n".join(f"Ada has {n} boats." for n in range(20)), encoding="utf-8")
    options = ["--epochs", "3", "--seed", "5", "--checkpoint", "kept", "--tensorboard", "logs", "--device", "cpu", "--compile"]
    for part in (["ec", "--data", "many.txt"], ["gates"], ["spmn", "--task", "babi", "--data", "."]):
        assert run(app, ["train", *part, *options]).exit_code == 2
    for default, settings in zip((ec.SETTINGS, gates.SETTINGS, babi.RECIPE), asked, strict=True):
        kept = {"checkpoint": Path("kept"), "tensorboard": Path("logs")}
        assert settings == replace(default, epochs=3, seed=5, device="cpu", compile=True, **kept)


def test_trainings_are_commands_of_train_alone() -> None:
    assert [run(app, [part, "--help"]).exit_code for part in ("ec", "gates", "spmn")] == [2, 2, 2]


@pytest.mark.slow
def test_a_reader_of_stories_is_trained_and_written(tmp_path: Path) -> None:
    write_tales(tmp_path / "data" / "babi" / "en")
    arguments = ["train", "spmn", "--task", "babi", "--data", "data", "--cell", "rate", "--epochs", "1", "--out", "reader.safetensors"]
    result = run(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert '"cell": "rate"' in result.stdout
    assert f'"EntNet": {babi.ENTNET[0]}' in result.stdout
    assert len(babi.read_back(tmp_path / "reader.safetensors").answers(tales(1, sentences=2, things=0)[0])) == 1
    assert torch.is_grad_enabled()


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_of_several_processes_the_first_writes_and_shows(rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("many.txt").write_text("\n".join(f"Ada has {n} boats." for n in range(20)), encoding="utf-8")
    write_tales(tmp_path / "data" / "babi" / "en")
    monkeypatch.setattr(learn, "team_on", lambda device: Team(0, 1, torch.device("cpu")))
    monkeypatch.setenv("RANK", str(rank))
    monkeypatch.setenv("WORLD_SIZE", "2")
    for part in (["ec", "--data", "many.txt"], ["spmn", "--task", "babi", "--data", "data", "--cell", "rate"]):
        result = run(app, ["train", *part, "--epochs", "1", "--out", f"{part[0]}.safetensors"])
        assert result.exit_code == 0, result.output
        assert bool(result.stdout) == (tmp_path / f"{part[0]}.safetensors").exists() == (rank == 0)

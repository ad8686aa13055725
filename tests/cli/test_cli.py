"""The command line as a user meets it: what it prints, what it refuses, and with which exit code."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spikemem.cli import app
from spikemem.simulators.recording import Recording

run = CliRunner().invoke
text = pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="the text extra is not installed")


@text
@pytest.mark.slow
def test_store_recall_chain_forget(tmp_path: Path) -> None:
    brain, lines = str(tmp_path / "brain.db"), tmp_path / "lines.txt"
    lines.write_text("Rain soaked the attic.\n\nMould spread over the ceiling.\n", encoding="utf-8")
    assert run(app, ["store", brain, "The storm tore tiles off the roof."]).stdout.strip() == "stored 1 as 0"
    assert run(app, ["store", brain, "--file", str(lines)]).stdout.strip() == "stored 2 as 1 to 2"
    assert run(app, ["associate", brain, "0", "1", "2"]).stdout.strip() == "bound 2 pairs"
    hits = json.loads(run(app, ["recall", brain, "the storm and the roof", "--json", "--top-k", "2"]).stdout)
    assert next(h["id"] for h in hits) == 0
    assert [h["id"] for h in json.loads(run(app, ["chain", brain, "storm on the roof", "--hops", "2", "--json"]).stdout)] == [0, 1, 2]
    picture = tmp_path / "raster.png"
    assert run(app, ["recall", brain, "wet attic", "--plot", str(picture)]).exit_code == 0
    assert picture.stat().st_size > 10_000
    assert run(app, ["forget", brain, "1"]).exit_code == 0
    facts = json.loads(run(app, ["info", brain, "--json"]).stdout)
    assert (facts["memories"], facts["associations"]) == (2, 0)
    assert run(app, ["consolidate", brain]).stdout.startswith("consolidated 2 memories, gave back")


@text
@pytest.mark.slow
def test_compare_reads_pairs(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("Ada moved to Lisbon.\tWhere does Ada live?\nBo sells maps.\tWhat does Bo sell?\n", encoding="utf-8")
    arguments = ["compare", "--data", str(pairs), "--model", "hippocampus-small", "--out", str(tmp_path / "made")]
    told = json.loads(run(app, [*arguments, "--json"]).stdout)
    assert told["paraphrase"] == {"spiking": 1.0, "rate": 1.0, "rate_chosen": 1.0, "cosine": 1.0, "n": 2}
    assert told["sharpness"] == {"published": 16.0, "chosen": 16.0}
    kept = json.loads((tmp_path / "made/compare.json").read_text())
    assert kept == {"rows": [{"row": name, **told[name]} for name in ("exact", "paraphrase")], "sharpness": told["sharpness"]}
    assert (tmp_path / "made/compare.csv").read_text().splitlines()[1:] == ["exact,1.0,1.0,1.0,1.0,2", "paraphrase,1.0,1.0,1.0,1.0,2"]
    assert (tmp_path / "made/compare.png").stat().st_size > 10_000
    shown = run(app, arguments).stdout
    assert all(column in shown for column in ("cosine", "rate, sharpness 16 (published)", "rate, sharpness 16 (chosen)"))
    regions = run(app, [*arguments, "--regions", "--simulator", "event"])
    assert "sharpness 16 (published), 16 (chosen)" in regions.stdout
    assert [row["region"] for row in json.loads((tmp_path / "made/regions.json").read_text())["rows"]][-1] == "read-out"
    assert (tmp_path / "made/regions.csv").read_text().splitlines()[0] == "region,measure,n,event,cosine"
    assert (tmp_path / "made/regions.png").stat().st_size > 10_000
    damaged = json.loads(run(app, [*arguments, "--damage", "--json"]).stdout)
    assert [row["damage"] for row in damaged[:2]] == ["intact", "EC cells lost, 50%"]
    assert damaged[0] == {"damage": "intact", "n": 2, "hippocampus-small": 1.0, "float keys": 1.0}
    assert json.loads((tmp_path / "made/damage.json").read_text()) == {"rows": damaged, "memories": 2}
    assert (tmp_path / "made/damage.png").stat().st_size > 10_000
    assert "1.000 [0.342, 1.000]" in run(app, [*arguments, "--damage"]).stdout


def test_simulate_and_plot(tmp_path: Path) -> None:
    file, picture = tmp_path / "rec.npz", tmp_path / "rec.png"
    result = run(app, ["simulate", "hippocampus-small", "--memories", "10", "--out", str(file), "--json"])
    assert json.loads(result.stdout)["spikes"]["dg"] == len(Recording.load(file)["dg"])
    assert run(app, ["plot", "raster", str(file), "dg", "ca3"]).exit_code == 0
    assert picture.stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_simulators_agree_through_the_command_line(simulator: str, tmp_path: Path) -> None:
    file = tmp_path / "rec.npz"
    arguments = ["simulate", "hippocampus-small", "--memories", "8", "--hops", "2", "--simulator", simulator, "--out", str(file)]
    assert run(app, arguments).exit_code == 0
    spikes = Recording.load(file)["sub"]
    assert spikes.cell[np.isin(spikes.step // 25, [9, 14])].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "clue"),
    [
        (["recall", "nowhere.db", "cue"], "store something first"),
        (["store", "brain.db"], "nothing to store"),
        (["store", "brain.db", "--file", "nowhere.txt"], "cannot be read"),
        (["store", "nofolder/brain.db", "text"], "folder is missing"),
        (["store", "brain.db", "a", "b", "--cue", "c"], "belongs to one memory"),
        (["simulate", "nomodel"], "no model 'nomodel'"),
        (["simulate", "hippocampus-small", "--simulator", "abacus"], "no simulator 'abacus'"),
        (["simulate", "hippocampus-small", "--out", "nofolder/rec.npz"], "cannot be written"),
        (["plot", "raster", "nowhere.npz"], "cannot be read"),
        (["compare", "--data", "nowhere.tsv"], "cannot be read"),
        (["compare", "--only", "LoCoMo"], "--only goes with --ablate"),
        (["compare", "--ablate", "--only", "LoCoMo"], "give the folder by --data"),
        (["compare", "--simulator", "event"], "--simulator goes with --regions"),
        (["compare", "--damage", "--regions"], "--damage goes with --data"),
        (["compare", "--out", "file/made"], "cannot be made a folder"),
        (["demo", "--model", "nomodel"], "no model"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], clue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    result = run(app, arguments)
    assert result.exit_code == 2
    complaint = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(complaint) == 1
    assert clue in complaint[0]


def test_forget_is_shown_under_its_usual_name_too() -> None:
    assert re.search(r"delete +Delete memories for good", run(app, ["--help"]).stdout)


def test_every_command_shows_an_example() -> None:
    for name in (
        "store",
        "recall",
        "chain",
        "associate",
        "forget",
        "delete",
        "consolidate",
        "info",
        "demo",
        "compare",
        "simulate",
        "validate",
    ):
        assert "Example" in run(app, [name, "--help"]).stdout, name
    for group, name in (("plot", "raster"), ("bench", "simulate"), ("bench", "train")):
        assert "Example" in run(app, [group, name, "--help"]).stdout, name

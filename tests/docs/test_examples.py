"""The examples of README and docs run, as they stand."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from spikemem import Recording, plots, simulate
from spikemem.cli import app
from spikemem.network import LIF, Network, Population
from tests.docs.pages import PROSE, README, ROOT, blocks, text

EXAMPLES = [(page, i) for page in PROSE for i in range(len(blocks(page)))]


def compiled(page: Path, i: int) -> CodeType:
    return compile(blocks(page)[i], f"{page.name}, block {i}", "exec")


def extra(code: str) -> str | None:
    """What an example needs that may not be installed."""
    if "to_nwb" in code and any(importlib.util.find_spec(module) is None for module in ("neo", "pandas", "pynwb")):
        return "the analysis extra"
    for module in ("brian2", "lightning", "norse", "snntorch"):
        if (f"import {module}" in code or f"from {module}" in code or f'"{module}"' in code) and importlib.util.find_spec(module) is None:
            return module
    return "sentence_transformers" if "Memory" in code and importlib.util.find_spec("sentence_transformers") is None else None


@pytest.mark.parametrize(
    ("page", "i"),
    [pytest.param(page, i, id=f"{page.name}-{i}", marks=[pytest.mark.slow] * ("Memory" in blocks(page)[i])) for page, i in EXAMPLES],
)
def test_example_runs(page: Path, i: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code = blocks(page)[i]
    if missing := extra(code):
        pytest.skip(f"{missing} is not installed")
    monkeypatch.chdir(tmp_path)
    added = dict(sys.modules["spikemem.data.datasets"].DATASETS) if "spikemem.data.datasets" in sys.modules else {}
    monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
    exec(compiled(page, i), {"__name__": "example"})
    if added:
        sys.modules["spikemem.data.datasets"].DATASETS.clear()
        sys.modules["spikemem.data.datasets"].DATASETS.update(added)
    printed = capsys.readouterr().out
    if "brain.db" in code:
        assert printed.strip() == "Ada moved to Lisbon in May."
        assert (tmp_path / "brain.db").is_file()
    elif "recall_chain" in code:
        assert printed.strip() == "['Rain soaked the insulation in the attic.', 'Mould spread across the nursery ceiling.']"
        assert (tmp_path / "raster.png").stat().st_size > 10_000
    elif "recall_freely" in code:
        assert printed.splitlines()[-2:] == ["['Ada: We passed the mill.', 'Ada: We passed the ford.']", "True"]
        assert printed.startswith("Ada: We passed the lake. 187.5 ms")
    elif "store_conversation" in code:
        assert "engine" in printed
        assert "2024-04-13" in printed
        assert (tmp_path / "why.png").stat().st_size > 10_000
    elif "hippocampus-gated" in code:
        assert printed.splitlines() == ["write", "write", "renew", "supersede", "The ferry leaves on Friday.", "[]"]
    elif page.name in ("instruments.md", "engram_analysis.md"):
        assert printed.strip() == blocks(page, "text")[i].strip()
        assert "activity.png" not in code or (tmp_path / "activity.png").stat().st_size > 10_000
    elif "metrics=scores" in code:
        assert float(printed.split(":")[1].strip(" }\n")) > 0.7
    elif "lightning" in code:
        assert printed.splitlines()[-1] == "8"
    elif "network.png" in code:
        assert (tmp_path / "network.png").stat().st_size > 10_000
    elif page.name == "networks.md":
        said = [line.partition("  # ")[2].partition(": ")[0] for line in code.splitlines() if line.startswith("print(")]
        told = printed.splitlines()
        assert len(said) == len(told)
        assert [(s, t) for s, t in zip(said, told, strict=True) if s and s != t] == []


def test_there_are_examples() -> None:
    assert len(blocks(README)) == 2
    assert len(EXAMPLES) > 10


def namespace(title: str) -> dict[str, Any]:
    """What the example under a heading of the page on extending defines."""
    page = ROOT / "docs/extending.md"
    part = text(page).partition(f"## {title}\n")[2]
    code = part.partition("```python\n")[2].partition("```")[0]
    scope: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, f"extending.md, {title}", "exec"), scope)
    return scope


@pytest.mark.slow
def test_coming_from_brian2_prints_the_same_spikes(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("brian2", reason="the reference extra is not installed")
    page = ROOT / "docs/coming_from.md"
    for i in (0, 1):
        exec(compiled(page, i), {"__name__": "example"})
    theirs, ours = capsys.readouterr().out.splitlines()
    assert ours == theirs != "[]"


@pytest.mark.slow
def test_the_sweep_runs_as_a_script(tmp_path: Path) -> None:
    (tmp_path / "rates.py").write_text(blocks(ROOT / "docs/sweeps.md")[0])
    for _ in range(2):  # the second time from its file alone
        run = [sys.executable, "rates.py"]
        done = subprocess.run(run, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        columns, *rates = done.stdout.splitlines()
        assert columns == "['tau', 'drive', 'seed', 'mean', 'deviation']"
        assert float(rates[2].strip(" []").split()[1]) > float(rates[0].strip(" []").split()[0])
    assert len((tmp_path / "results/rates.jsonl").read_text().splitlines()) == 13


def test_extending_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spikemem.data import datasets
    from spikemem.errors import MissingDataError

    monkeypatch.setattr(datasets, "DATASETS", dict(datasets.DATASETS))
    scope = namespace("A data set")
    with pytest.raises(MissingDataError):
        datasets.DATASETS["Proverbs"](tmp_path)
    (tmp_path / "proverbs.tsv").write_text("Haste makes waste.\tWhat is it to hurry?\nWalls have ears.\tWho listens?\n", encoding="utf-8")
    (task,) = datasets.DATASETS["Proverbs"](tmp_path)
    assert scope["proverbs"] is datasets.DATASETS["Proverbs"]
    assert (task.texts[1], task.questions[1], task.gold[1]) == ("Walls have ears.", "Who listens?", {1})


def recording() -> Recording:
    net = Network()
    net.add(Population("cells", 3, LIF(tau=20.0)))
    return simulate(net, {"cells": np.full((50, 1), 0.3)}, steps=50)


def test_extending_a_plot() -> None:
    figure = namespace("A plot")["activity"](recording(), "cells")
    assert isinstance(figure, Figure)
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == len(recording()["cells"]) > 0
    assert isinstance(plots.raster(recording()), Figure)


def test_extending_a_command(tmp_path: Path) -> None:
    before = list(app.registered_commands)
    try:
        namespace("A command")
        recording().save(tmp_path / "rec.npz")
        shown = CliRunner().invoke(app, ["count", str(tmp_path / "rec.npz"), "--json"])
        assert shown.exit_code == 0, shown.output
        assert f'"spikes": {len(recording()["cells"])}' in shown.output
        assert CliRunner().invoke(app, ["count", str(tmp_path / "nothing.npz")]).exit_code == 2
    finally:
        app.registered_commands[:] = before

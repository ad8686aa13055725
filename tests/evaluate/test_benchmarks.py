"""The bench: every line of its table has a row, answers are compared before they are timed, and what is missing is named."""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from spikemem import plots
from spikemem.cli import app
from spikemem.errors import DataError
from spikemem.evaluate.benchmarks import KINDS, QUICK, BenchRow, bench, simulating, vectors
from spikemem.evaluate.benchmarks.rig import Bar, Limits, Spent, alternate, limits, peak, spent, summary
from spikemem.evaluate.benchmarks.table import NO_PEERS, Bench

LIMITS = Limits(1e10, 1e8, 1e10)
TINY = QUICK._replace(rounds=1, cues=4)
LINES = {
    "simulate": ["simulate", "cells x 2", "steps x 2"],
    "chain": ["whole chain hop", "bare CA3 step"],
    "recall": [
        "best 10, 200", "recall, one cue, 200", "recall, batch of 4, 200", "two threads, batches", "best 10, 400", "recall, one cue, 400",
        "recall, batch of 4, 400", "1,000,000 memories, one cue", "engram model, one cue, 60", "record=True, 60, one cue",
        "record=True, 60, memory",
    ],
    "text": ["text recall, batches, 60", "recall right after a store, 60", "recall right after a store, 120"],
    "store": ["store one by one, 40 -> 160", "vectors stored, durable, in batches"],
    "open": ["open, 120", "open, 1,000,000"],
    "train": ["training step"],
}  # fmt: skip


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.slow if kind == "recall" else ()) for kind in KINDS])
def test_every_line_of_the_table_has_a_row_without_peers(kind: str) -> None:
    rows, machine = bench([kind], TINY, "none")
    assert list(dict.fromkeys(row.row for row in rows)) == LINES[kind]
    assert min(machine) > 0
    for row in rows:
        json.dumps(row.json())
        if row.ratio is None:
            assert row.met is None
            assert row.why
        elif row.bar is not None and row.equal is not False and row.row != LINES["text"][0]:
            assert row.met == (row.ratio >= row.bar if row.sense == ">=" else row.ratio <= row.bar)
    assert all(row.equal is not False for row in rows if "quality" not in row.more)


def test_a_simulation_is_compared_before_it_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside snnTorch with its own cells; a network of other weights is told apart, and meets no bar."""
    monkeypatch.setattr(simulating._Work, "brian2", property(lambda self: (_ for _ in ()).throw(ImportError("Brian2 is not here"))))
    work = list(simulating.rows(Bench(QUICK._replace(rounds=2), LIMITS)))
    found = {row.peer: row for row in work}
    assert found["snnTorch CSR"].equal
    assert found["snnTorch CSR"].more["spikes"] > 20
    assert found["snnTorch CSR"].ratio == pytest.approx(found["snnTorch CSR"].theirs.cpu / found["snnTorch CSR"].ours.cpu)  # type: ignore[union-attr]
    assert found["Brian2's process"].ratio is None
    assert found["Brian2's process"].why == "Brian2 is not here"
    assert "NEST is not installed" in found["NEST"].why
    true, silent = simulating.snntorch_loop, np.zeros(0, np.int64)
    monkeypatch.setattr(simulating, "snntorch_loop", lambda net, current: lambda: (true(net, current), (silent, silent))[1])
    (row,) = (row for row in simulating.rows(Bench(QUICK._replace(rounds=1), LIMITS)) if row.peer == "snnTorch CSR")
    assert (row.equal, row.met) == (False, False)


@pytest.mark.slow
def test_plain_brian2_gives_the_same_spikes_and_tells_what_its_loop_took() -> None:
    pytest.importorskip("brian2")
    found = {row.peer: row for row in simulating.rows(Bench(QUICK._replace(rounds=1), LIMITS, "installed")) if row.row == "simulate"}
    loop, process = found["Brian2's compiled loop"], found["Brian2's process"]
    assert loop.equal
    assert process.equal
    assert 0 < loop.theirs.cpu < process.theirs.wall < loop.more["compile_seconds"]  # type: ignore[union-attr]


@pytest.mark.slow
def test_recalls_stand_beside_faiss_and_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    found = {(row.row, row.peer): row for row in bench(["recall"], TINY)[0]}
    row = found["recall, one cue, 200", "faiss Flat"]
    assert row.more["quality"] == found["best 10, 200", ""].ratio
    assert row.equal == (row.more["quality"] >= 0.97)  # a fast wrong answer meets no bar
    assert row.equal or not row.met
    assert found["recall, batch of 4, 400", "numpy"].ratio > 0  # type: ignore[operator]


def test_a_missing_peer_is_named_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    for peers, told in (("all", ["faiss is not installed"]), ("installed", []), ("none", [NO_PEERS])):
        measure = lambda: {"ratio": 1.0} | {"more": vectors.faiss_index(np.eye(3, dtype=np.float32), "Flat")}  # noqa: E731
        rows = list(Bench(TINY, LIMITS, peers).against(Bar(2.0), "recall", "faiss Flat", measure))  # type: ignore[arg-type]
        assert [row.why.split(";")[0] for row in rows] == told
        assert all(row.met is None and row.ratio is None for row in rows)


def test_rounds_turn_round_after_a_warm_up() -> None:
    told: list[str] = []
    times = alternate({"a": lambda: told.append("a"), "b": lambda: (told.append("b"), Spent(2.0, 1.0))[1]}, 3)
    assert "".join(told) == "abab" + "ba" + "ab"
    assert times["b"][:2] == (2.0, 1.0)
    assert summary([Spent(1.0, 1.0), Spent(5.0, 3.0), Spent(2.0, 2.0)])[:4] == (2.0, 2.0, 1.5, 2.5)


def test_bars_are_met_from_either_side_and_by_right_answers_alone() -> None:
    assert Bar(2.0).row("a", 2.0).met is True
    assert Bar(2.0).row("a", 1.9).met is False
    assert Bar(2.0, sense="<=").row("a", 2.1).met is False
    assert Bar(2.0, sense="<=").row("a", 1.0, equal=False).met is False
    assert Bar().row("a", 1.0).met is None


def test_limits_and_memory_are_measured() -> None:
    small = limits(1)
    assert small.floor(moved=small.copied, reads=2 * small.reads, operations=small.operations) == pytest.approx(4.0)
    assert peak(lambda: np.ones(1_000_000)) == pytest.approx(8.0, rel=0.05)
    assert spent(lambda: sum(range(200_000))).cpu > 0


def test_the_picture_shows_the_rows_that_have_a_bar() -> None:
    rows = [Bar(2.0).row("a", 3.0, "b"), Bar(2.0).row("c", None), Bar(2.0, sense="<=").row("d", 4.0), BenchRow("e", ratio=1.0)]
    (axes,) = plots.bench(rows).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a, b", "d"]
    assert [math.isclose(bar.get_width() + 1.0, want) for bar, want in zip(axes.patches, (1.5, 0.5), strict=True)] == [True, True]
    with pytest.raises(DataError, match="no row was measured"):
        plots.bench([rows[1]])


def test_the_command_prints_rows_a_table_and_a_picture(tmp_path: Path) -> None:
    def run(*options: str) -> Any:
        shown = CliRunner().invoke(app, ["bench", "open", "--quick", "--peers", "none", *options])
        assert shown.exit_code == 0, shown.output
        return shown.stdout

    given = json.loads(run("--json"))
    assert [row["row"] for row in given["rows"]] == LINES["open"]
    assert {"row", "peer", "ratio", "bar", "met", "why", "ours", "threads", "distance", "peak"} <= given["rows"][0].keys()
    assert given["rows"][0]["ours"]["cpu"] > 0
    assert given["machine"]["copied"] > 0
    assert "open, 1,000,000: left out" in run("--out", str(tmp_path / "rows.png"))
    assert (tmp_path / "rows.png").stat().st_size > 1000


def test_wrong_kinds_are_refused() -> None:
    with pytest.raises(DataError, match="a kind of work"):
        bench(["fly"])
    with pytest.raises(DataError, match="peers"):
        bench(["open"], QUICK, "some")  # type: ignore[arg-type]

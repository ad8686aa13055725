"""Sweeps: one table, a file that survives a kill, seeds that follow from arguments, errors that name their run."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import sweep
from spikemem.errors import MissingExtraError, SweepError
from spikemem.evaluate.sweeps import Table, executors
from tests.evaluate import functions

ROOT = Path(__file__).parents[2]
GRID = {"a": [1, 2, 3], "b": np.array([10.0, 20.0])}


def serial(function: Any, grid: Any, **options: Any) -> Table:
    return sweep(function, grid, executor="serial", **options)


# --- the table ------------------------------------------------------------------------------------------------------------------------


def test_a_row_a_combination_in_the_grids_order() -> None:
    table = serial(functions.product, GRID)
    assert table.columns == ["a", "b", "product"]
    assert table[1] == {"a": 1, "b": 20.0, "product": 20.0}
    assert table["product"].tolist() == [10, 20, 20, 40, 30, 60]
    assert len(table) == len(list(table)) == 6
    assert serial(functions.product, [{"a": 2, "b": 3}, {"b": 1, "a": 7}])["product"].tolist() == [6, 7]


def test_processes_give_the_table_of_this_process() -> None:
    assert sweep(functions.product, GRID, workers=2) == serial(functions.product, GRID)


def test_an_executor_that_is_given_is_used_and_left_open() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert sweep(functions.product, GRID, executor=pool) == serial(functions.product, GRID)
        assert pool.submit(int, 3).result() == 3


def test_columns_with_holes_and_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table([{"n": 1, "rate": 2.0}, {"n": 2}])
    np.testing.assert_array_equal(table["rate"], [2.0, math.nan])
    assert table == Table(table.rows) != Table([])
    with pytest.raises(KeyError, match="no column 'speed'; there are n, rate"):
        table["speed"]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="pandas"):
        table.to_pandas()


# --- seeds ----------------------------------------------------------------------------------------------------------------------------


def test_a_seed_follows_from_the_arguments_alone() -> None:
    table = serial(functions.draws, {"a": [1, 2]}, seeds=3)
    assert len(set(table["seed"].tolist())) == len(table) == 6
    assert len(set((table["drawn"] - table["a"]).round(9).tolist())) == 6
    larger = serial(functions.draws, {"a": [7, 2, 1]}, seeds=4)
    assert {json.dumps(row) for row in table} < {json.dumps(row) for row in larger}


# --- the file -------------------------------------------------------------------------------------------------------------------------


def test_a_run_that_is_kept_is_not_done_again(tmp_path: Path) -> None:
    out, called = tmp_path / "new" / "runs.jsonl", list[float]()

    def square(n: float) -> dict[str, float]:
        called.append(n)
        return {"square": n * n, "odd": math.nan if n == 1 else n % 2}

    serial(square, {"n": [1, 2]}, out=out)
    table = serial(square, {"n": [3, 2, 1]}, out=out)
    assert called == [1, 2, 3]
    assert table == serial(square, {"n": [3, 2, 1]})
    assert len(out.read_text().splitlines()) == 4


def test_each_run_is_on_the_disk_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, sizes = tmp_path / "runs.jsonl", list[int]()
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    serial(functions.product, GRID, out=out)
    lines = out.read_bytes().splitlines(keepends=True)
    assert sizes == [sum(map(len, lines[: n + 1])) for n in range(7)]


def test_a_torn_line_is_done_again(tmp_path: Path) -> None:
    out = tmp_path / "runs.jsonl"
    whole = serial(functions.product, GRID, out=out)
    content = out.read_bytes()
    for cut in (3, len(content) // 2, len(content) - 1, content.index(b"\n") + 1):
        out.write_bytes(content[:cut])
        assert serial(functions.product, GRID, out=out) == whole
        assert sorted(out.read_bytes().splitlines()) == sorted(content.splitlines())


def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "runs.jsonl"
    serial(functions.product, GRID, out=out)
    with pytest.raises(SweepError, match=r"is of the function functions\.product, not of functions\.failing"):
        serial(functions.failing, {"n": [1]}, out=out)
    for content in ("a line without an end", "notes\nof mine\n", '{"format": "else"}\n', "\x00" * 5):
        out.write_text(content)
        with pytest.raises(SweepError, match="is no file of a sweep"):
            serial(functions.product, GRID, out=out)
        assert out.read_text() == content
    out.write_text('{"format": "spikemem-sweep-1", "function": "functions.product"}\n{"arguments": 3}\n')
    with pytest.raises(SweepError, match="line 2, is damaged"):
        serial(functions.product, GRID, out=out)
    with pytest.raises(SweepError, match="cannot be written"):
        serial(functions.product, GRID, out=tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_two_sweeps_do_not_share_a_file(tmp_path: Path) -> None:
    def inner(n: int) -> dict[str, float]:
        return {"inner": len(serial(inner, {"n": [n]}, out=tmp_path / "runs.jsonl"))}

    with pytest.raises(SweepError, match="another sweep is writing"):
        serial(inner, {"n": [1]}, out=tmp_path / "runs.jsonl")


# --- what fails -----------------------------------------------------------------------------------------------------------------------


def test_a_run_that_fails_is_named_and_ends_the_sweep(tmp_path: Path) -> None:
    out = tmp_path / "runs.jsonl"
    with pytest.raises(SweepError, match=r"the run \(n=2\) failed: ValueError: two is too many; 1 of 4 runs") as raised:
        serial(functions.failing, {"n": [1, 2, 3, 4]}, out=out)
    assert raised.value.rows == [{"n": 1, "twice": 2}]
    assert "in failing" in raised.value.__notes__[0]
    assert len(out.read_text().splitlines()) == 2


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_others_go_on_where_that_is_wanted(executor: str) -> None:
    with pytest.raises(SweepError, match=r"\(n=1\) failed: Unsendable: unsent; 3 of 4 runs") as raised:
        sweep(functions.unsendable, {"n": [1, 2, 3, 4]}, executor=executor, workers=2, keep_going=True)
    assert [row["n"] for row in raised.value.rows] == [2, 3, 4]


def test_processes_stop_after_a_failure() -> None:
    with pytest.raises(SweepError, match=r"\(n=2\) failed") as raised:
        sweep(functions.failing, {"n": [2, *range(3, 400)]}, workers=1)
    assert len(raised.value.rows) < 100


def test_an_interrupt_leaves_nothing_to_an_executor_that_was_given() -> None:
    called: list[int] = []

    def interrupted(n: int) -> dict[str, float]:
        called.append(n)
        time.sleep(0.005)
        if n == 1:
            raise KeyboardInterrupt
        return {}

    with ThreadPoolExecutor(1) as pool, pytest.raises(KeyboardInterrupt):
        sweep(interrupted, {"n": list(range(400))}, executor=pool)
    assert len(called) < 100


def test_a_worker_that_is_killed_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(SweepError, match=r"a worker was killed.*__main__"):
        sweep(functions.killed, {"n": [1, 2, 3]}, workers=1, out=tmp_path / "runs.jsonl")


def test_bad_arguments_are_refused() -> None:
    nested = lambda n: {"n": n}  # noqa: E731
    for call, message in (
        (lambda: sweep(nested, {"n": [1]}), "other processes cannot import .*lambda"),
        (lambda: serial(3, {"n": [1]}), "function is 3; it must be a function"),
        (lambda: serial(nested, {"m": [1]}), r"does not take the run \(m=1\)"),
        (lambda: serial(nested, {"n": 1}), "the grid's 'n' is 1; it must be a list of values"),
        (lambda: serial(nested, {"n": []}), "the grid has no run"),
        (lambda: serial(nested, {"n": [1, 2, 1]}), r"has the run \(n=1\) twice"),
        (lambda: serial(nested, {"n": [object()]}), "the argument n is <object"),
        (lambda: serial(nested, {"n": [1], "seed": [1]}, seeds=2), "a `seed` of its own"),
        (lambda: serial(nested, {"n": [1]}, seeds=0), "seeds is 0"),
        (lambda: serial(lambda n: n, {"n": [1]}), r"\(n=1\) failed: SweepError: what the function returned is 1"),
        (lambda: serial(lambda n: {"n": n}, {"n": [1]}), "returned 'n', which is one of its arguments"),
        (lambda: serial(lambda n: {"m": [n]}, {"n": [1]}), r"returned m=\[1\]; it must return a dict of numbers"),
        (lambda: sweep(functions.product, GRID, executor="threads"), "executor is 'threads'; it must be one of processes, serial, dask"),
        (lambda: sweep(functions.product, GRID, workers=0), "workers is 0"),
    ):
        with pytest.raises(SweepError, match=message):
            call()  # type: ignore[no-untyped-call]


# --- processes ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "cores", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert sweep(functions.threads, {"n": [1]}, workers=2)[0] == {"n": 1, "torch": 2, "numba": 2, "openblas": "2"}
    assert os.environ["OMP_NUM_THREADS"] == "3"


SCRIPT = """
import sys
from spikemem import sweep
from tests.evaluate.functions import slow

if __name__ == "__main__":
    sweep(slow, {"n": list(range(8)), "seconds": [float(sys.argv[2])]}, out=sys.argv[1], workers=2, progress=False)
"""


def started(tmp_path: Path, seconds: float) -> tuple[subprocess.Popen[str], Path]:
    """A sweep in another process, of which two runs have ended."""
    script, out = tmp_path / "script.py", tmp_path / "runs.jsonl"
    script.write_text(SCRIPT)
    run = [sys.executable, str(script), str(out), str(seconds)]
    process = subprocess.Popen(run, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not out.exists() or len(out.read_text().splitlines()) < 3:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, out


def gone(pids: set[int]) -> bool:
    """Whether none of some processes is left, within 10 s."""
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_sweep_that_was_ended_goes_on(tmp_path: Path, how: signal.Signals) -> None:
    process, out = started(tmp_path, 0.4)
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as Ctrl-C in a terminal, which reaches the workers, too
    else:
        process.kill()
    printed = process.communicate(timeout=30)[1]
    kept = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    assert gone({run["results"]["pid"] for run in kept})
    assert how == signal.SIGKILL or (printed.count("Traceback") == 1 and printed.rstrip().endswith("KeyboardInterrupt"))
    table = sweep(functions.slow, {"n": list(range(8)), "seconds": [0.4]}, out=out, workers=2)
    assert table["square"].tolist() == [n * n for n in range(8)]
    assert [row["pid"] for row in table if row["n"] in {run["arguments"]["n"] for run in kept}] == [
        run["results"]["pid"] for run in sorted(kept, key=lambda run: run["arguments"]["n"])
    ]
    assert len(out.read_text().splitlines()) == 9


# --- Dask -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_dask_gives_the_same_table(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the sweep extra is not installed")
    expected, out = serial(functions.product, GRID), tmp_path / "runs.jsonl"
    assert sweep(functions.product, GRID, executor="dask", workers=2, out=out) == expected
    with distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None) as cluster, distributed.Client(cluster) as client:
        assert sweep(functions.product, GRID, executor=client) == expected
        assert sweep(lambda n: {"double": 2 * n}, {"n": [1, 2]}, executor=client)["double"].tolist() == [2, 4]
        with pytest.raises(SweepError, match=r"\(n=2\) failed: ValueError: two is too many; 2 of 3"):
            sweep(functions.failing, {"n": [1, 2, 3]}, executor=client, keep_going=True)
        assert client.submit(int, 3).result() == 3
    assert len(out.read_text().splitlines()) == 7


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    with pytest.raises(MissingExtraError, match=r"spikemem\[sweep\]"):
        sweep(functions.product, GRID, executor="dask")

"""What carries out the runs of a sweep: processes of this machine, Dask's workers, or this process itself."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spikemem._checks import shown
from spikemem.errors import MissingExtraError, SweepError
from spikemem.evaluate.sweeps.grid import Arguments, check, described, results

EXECUTORS = ("processes", "serial", "dask")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
"""The variables from which torch, numpy and numba learn how many threads to compute with, read when they are loaded."""
Function = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What became of a run.   results: None where it failed.   error: in one line.   trace: where it came from."""

    results: Arguments | None = None
    error: str = ""
    trace: str = ""


def run(function: Function, arguments: Arguments) -> Outcome:
    """One run. An error is returned as text, since not every exception can be sent from one process to another."""
    try:
        return Outcome(results(function(**arguments), arguments))
    except (Exception, SystemExit) as error:
        return Outcome(None, f"{type(error).__name__}: {error}", traceback.format_exc())


def outcomes(pool: Executor | None, function: Function, runs: Sequence[Arguments], keep_going: bool) -> Iterator[tuple[Arguments, Outcome]]:
    """Each run with its outcome, in the order in which they end.

    pool: None for this process.   keep_going: begin further runs after one has failed; otherwise only those in hand are ended.

    Raises SweepError where a worker was lost.
    """
    if pool is None:
        for arguments in runs:
            yield arguments, (outcome := run(function, arguments))
            if outcome.results is None and not keep_going:
                return
        return
    left: dict[Future[Outcome], Arguments] = {pool.submit(run, function, arguments): arguments for arguments in runs}
    try:
        for future in as_completed(list(left)):
            outcome = _outcome(future, left)
            yield left.pop(future), outcome
            if outcome.results is None and not keep_going:
                break
        in_hand = [future for future in left if not future.cancel()]  # they run, or have ended
        for future in in_hand:
            yield left[future], _outcome(future, left)
    finally:  # an interrupt leaves nothing to an executor that goes on
        for future in left:
            future.cancel()


def _outcome(future: Future[Outcome], left: Mapping[Future[Outcome], Arguments]) -> Outcome:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise SweepError(
            f"a worker was killed, ran out of memory, or could not start; of what is left {described(next(iter(left.values())))} was begun "
            'first. See its output, that a script calls sweep under `if __name__ == "__main__":`, and that the runs fit into memory'
        ) from error
    except Exception as error:  # Dask's own: a worker was lost too often, the function cannot be loaded there
        return Outcome(None, f"{type(error).__name__}: {error}")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def opened(executor: Any, workers: int | None) -> Iterator[Executor | None]:
    """The executor of a name, closed after the block; one that was given is left open. None is this process.

    executor: one of EXECUTORS, a `dask.distributed.Client`, or a `concurrent.futures.Executor`.   workers: of those with a name.

    Raises SweepError for anything else, MissingExtraError where Dask is not installed.
    """
    count = cores() if workers is None else check.integer(workers, "workers", least=1)
    if isinstance(executor, Executor):
        yield executor
    elif hasattr(executor, "get_executor"):
        yield executor.get_executor()
    elif not isinstance(executor, str) or executor not in EXECUTORS:
        named = ", ".join(EXECUTORS)
        raise SweepError(f"executor is {shown(executor)}; it must be one of {named}, a Client of Dask, or a concurrent.futures.Executor")
    elif executor == "serial":
        yield None
    else:
        with _processes(count) if executor == "processes" else _dask(count) as pool:
            yield pool


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """Fresh processes, not forks: compiled code and torch have threads that a fork would lose. An interrupt ends them at once."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)
    try:
        with _share_of_threads(workers):  # workers start when they are first needed, and read the environment then
            yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Prepare a worker: Ctrl-C is its parent's affair, and it ends where its parent was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _share_of_threads(workers: int) -> Iterator[None]:
    """An environment in which each of so many processes computes with its share of the cores."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(_threads(workers))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _threads(workers: int) -> dict[str, str]:
    return dict.fromkeys(THREADS, str(max(1, cores() // workers)))


@contextmanager
def _dask(workers: int) -> Iterator[Executor]:
    """Dask's workers on this machine."""
    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingExtraError(f'Dask is in the "sweep" extra: pip install "spikemem[sweep]" ({error})') from error
    with LocalCluster(workers, threads_per_worker=1, dashboard_address=None, env=_threads(workers)) as cluster, Client(cluster) as client:
        yield client.get_executor()

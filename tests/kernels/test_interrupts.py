"""Ctrl-C while a kernel is compiled or loaded: held back, and raised once when it is there, since llvmlite would free memory twice."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from numba.core.compiler_lock import global_compiler_lock

import spikemem.kernels  # noqa: F401  # holds Ctrl-C back


@pytest.fixture(autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also in a job in the background."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_it_comes_when_numba_lets_its_lock_go() -> None:
    done = list[str]()

    def compiles() -> None:
        with global_compiler_lock:
            with global_compiler_lock:
                press()
                done.append("inner")
            done.append("outer")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        compiles()
    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with global_compiler_lock:
        pass  # it does not come a second time


def test_it_goes_once_to_the_handler_that_was_set() -> None:
    came = list[int]()
    signal.signal(signal.SIGINT, handler := lambda number, frame: came.append(number))
    with global_compiler_lock:
        press()
        press()
        assert came == []
    assert came == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="the system has no such signals")
def test_every_signal_with_a_handler_waits() -> None:
    came = list[int]()

    def stops(number: int, frame: object) -> None:
        came.append(number)
        raise SystemExit

    @global_compiler_lock
    def compiles() -> None:
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM):
            signal.raise_signal(number)
        assert came == []

    before = {number: signal.signal(number, stops) for number in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        with pytest.raises(SystemExit):
            compiles()
        assert came == [signal.SIGTERM, signal.SIGUSR1]
        assert signal.getsignal(signal.SIGTERM) is stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_an_error_meanwhile_loses_no_interrupt() -> None:
    @global_compiler_lock
    def fails() -> None:
        press()
        raise ValueError("of the compiler")

    with pytest.raises(KeyboardInterrupt) as raised:
        fails()
    assert isinstance(raised.value.__context__, ValueError)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_no_handler_is_set_where_python_has_none(handler: signal.Handlers) -> None:
    signal.signal(signal.SIGINT, handler)
    with global_compiler_lock:
        assert signal.getsignal(signal.SIGINT) is handler
    assert signal.getsignal(signal.SIGINT) is handler


def test_another_thread_that_compiles_holds_nothing_back() -> None:
    locked, pressed = threading.Event(), threading.Event()

    def compiles() -> None:
        with global_compiler_lock:
            locked.set()
            pressed.wait()

    thread = threading.Thread(target=compiles)
    thread.start()
    locked.wait()
    with pytest.raises(KeyboardInterrupt):
        press()
    pressed.set()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_that_another_thread_forks_meanwhile_hears_ctrl_c() -> None:
    ended = list[int]()

    def forks() -> None:
        if not (child := os.fork()):
            try:
                press()
            except KeyboardInterrupt:
                os._exit(42)
            os._exit(1)
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    with global_compiler_lock:
        thread = threading.Thread(target=forks)
        thread.start()
        thread.join()
    assert ended == [42]


COMPILES = """
import os, random, signal, threading, time
import numba, numpy as np
import spikemem.kernels

def presses():
    for _ in range(150):
        time.sleep(random.expovariate(50))
        os.kill(os.getpid(), signal.SIGINT)
    stop.set()

def handler(number, frame):
    global compiling
    if compiling:
        compiling = False
        raise KeyboardInterrupt

stop, compiling, raised, made = threading.Event(), False, 0, 0
random.seed(1)
signal.signal(signal.SIGINT, handler)
threading.Thread(target=presses).start()
while not (stop.is_set() and made):
    try:
        compiling = True
        function = numba.njit(lambda x: x.sum() + made)
        assert function(np.ones(3)) == 3 + made
        compiling = False
        made += 1
    except KeyboardInterrupt:
        raised += 1
print(raised > 5)
"""
"""Functions are compiled, each anew, while Ctrl-C is pressed 150 times."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill ends a process of Windows")
def test_ctrl_c_at_random_moments_of_compiling_kills_no_process() -> None:
    made = subprocess.run([sys.executable, "-c", COMPILES], capture_output=True, text=True, check=False, timeout=120)
    assert (made.returncode, made.stdout.strip(), made.stderr) == (0, "True", "")

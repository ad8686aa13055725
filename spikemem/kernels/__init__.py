"""The compiled kernels: the only rooms that know hardware. A first start compiles them, and says so."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from numba.core import event
from numba.core.caching import FunctionCache

NOTICE = "spikemem compiles its kernels, which takes up to a minute; later starts read them from numba's cache"
NO_CACHE = "spikemem compiles its kernels, at each start: numba can write to no cache; set NUMBA_CACHE_DIR to a folder that it can write to"


def _keeps() -> bool:
    """Whether numba finds a folder in which it can keep what it compiles: beside these files, or the user's cache."""
    try:
        FunctionCache(_keeps)
    except RuntimeError:
        return False
    return True


def drop_stale(folder: Path, sources: Iterable[Path]) -> None:
    """Remove cached kernels that were made from other sources than these, of whatever function.

    Numba looks at the file of a kernel alone, and so keeps what was compiled with an earlier version of another file.
    """
    found = [(path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(sources)]
    stamp, now = folder / "spikemem-kernels.txt", repr(found)
    with suppress(OSError):  # a folder that is not there yet, or of another user
        if stamp.exists() and stamp.read_text() == now:
            return
        for path in (*folder.glob("*.nbi"), *folder.glob("*.nbc")):
            path.unlink(missing_ok=True)
        stamp.write_text(now)


Handler = Callable[[int, FrameType | None], Any]
SIGNALS = sorted(signal.valid_signals() - {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")})
"""Those that a handler can be set for."""
CACHE = _keeps()
"""Whether kernels are kept for the next start; a read-only package of a user without a home compiles them anew."""


if CACHE:
    drop_stale(Path(FunctionCache(_keeps).cache_path), Path(__file__).parent.glob("*.py"))


class _Notice(event.Listener):  # type: ignore[misc]  # numba has no types
    """Prints a line before the first kernel is compiled: to a terminal, or, where there is no cache, in any case.

    Numba's event comes only where its cache holds no such kernel.
    """

    given = False

    def on_start(self, compiling: event.Event) -> None:
        if self.given or not (sys.stderr.isatty() or not CACHE):
            return
        if compiling.data["dispatcher"].py_func.__module__.startswith(__name__):
            self.given = True
            print(NOTICE if CACHE else NO_CACHE, file=sys.stderr)

    def on_end(self, compiled: event.Event) -> None:
        """Nothing is said then."""


event.register("numba:compile", _Notice())


class _Later(event.Listener):  # type: ignore[misc]
    """Holds signals back while numba compiles a kernel or reads it from its cache, for as long as it holds its lock.

    An exception of a handler, such as the KeyboardInterrupt of Ctrl-C, within llvmlite would free memory twice. A signal that came is
    handled when the kernel is there, once, by the handler that was set.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._before: dict[int, Handler] = {}
        self._came: list[int] = []

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if number not in self._came:
            self._came.append(number)

    def on_start(self, locked: event.Event) -> None:
        """In the main thread alone, where handlers run, and only where one was set from Python: no other raises anything."""
        if threading.get_ident() != threading.main_thread().ident:
            return
        if not self._depth:
            self._came, self._before = [], {}
            for number in SIGNALS:
                if callable(before := signal.getsignal(number)) and before != self._hold:
                    with suppress(ValueError, OSError):  # a program that holds Python has another main thread
                        self._before[number] = before
                        signal.signal(number, self._hold)
        self._depth += 1

    def on_end(self, unlocked: event.Event) -> None:
        """Of locks within one another, the last to be let go gives the signals back."""
        if threading.get_ident() == threading.main_thread().ident and self._depth:
            self._depth -= 1
            if not self._depth:
                self.give_back()

    def give_back(self) -> None:
        """Set the handlers that were there, and call those whose signal came; what one raises comes after the others were called."""
        self._depth, before, came = 0, self._before, self._came
        self._before, self._came = {}, []
        for number, handler in before.items():
            if signal.getsignal(number) == self._hold:
                signal.signal(number, handler)
        self._handle(came, before)

    def _handle(self, came: list[int], before: dict[int, Handler]) -> None:
        if came:
            try:
                before[came[0]](came[0], sys._getframe())
            finally:
                self._handle(came[1:], before)


_LATER = _Later()
event.register("numba:compiler_lock", _LATER)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LATER.give_back)  # the lock stays with the thread that had it, which is not in the child

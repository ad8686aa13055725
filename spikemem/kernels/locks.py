"""A lock that many threads share, or one holds alone."""

import os
import threading
from weakref import WeakSet

LOST = 0.5
"""Seconds after which who waits looks whether a hold is gone whose end was interrupted."""


class SharedLock:
    """A lock that many may share, or one holds alone: `with lock.shared(): ...`, `with lock.alone(): ...`. It is not re-entrant.

    Who waits to hold it alone goes before who comes later to share it. An interrupt leaves nothing held: one that comes between the end of
    a block and the end of its hold drops the hold with its last reference, or when its thread comes again. In a forked child, in which no
    holder lives, it begins anew.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process, self._changed = os.getpid(), threading.Condition(threading.Lock())
        self._sharing, self._waiting, self._alone = WeakSet["Hold"](), WeakSet["Hold"](), WeakSet["Hold"]()

    def shared(self) -> "Hold":
        """A hold beside others that share it."""
        return Hold(self, alone=False)

    def alone(self) -> "Hold":
        """A hold beside no other."""
        return Hold(self, alone=True)

    def take(self, hold: "Hold") -> None:
        """Wait until it can be held."""
        if os.getpid() != self._process:
            self._begin()
        with self._changed:
            for lost in [h for held in self._held() for h in held if h.thread == hold.thread]:
                self._drop(lost)
            if not hold.alone:
                while self._alone or self._waiting:
                    self._changed.wait(LOST)
                self._sharing.add(hold)
                return
            self._waiting.add(hold)
            while self._sharing or self._alone:
                self._changed.wait(LOST)
            self._alone.add(hold)
            self._waiting.discard(hold)

    def let_go(self, hold: "Hold") -> None:
        """End a hold, or a wait for one; an interrupt meanwhile is raised afterwards."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                with self._changed:
                    self._drop(hold)
                break
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _held(self) -> tuple["WeakSet[Hold]", ...]:
        return self._waiting, self._alone, self._sharing

    def _drop(self, hold: "Hold") -> None:
        for held in self._held():
            held.discard(hold)
        self._changed.notify_all()


class Hold:
    """A context in which a `SharedLock` is held by the thread that made it."""

    def __init__(self, lock: SharedLock, alone: bool) -> None:
        self._lock, self.alone, self.thread = lock, alone, threading.get_ident()

    def __enter__(self) -> None:
        try:
            self._lock.take(self)
        except BaseException:
            self._lock.let_go(self)
            raise

    def __exit__(self, *raised: object) -> None:
        self._lock.let_go(self)

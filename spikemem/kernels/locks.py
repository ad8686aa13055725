"""A lock that many threads share, or one holds alone."""

import os
import threading
from weakref import ref

Holds = dict[int, "ref[Hold]"]
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
        self._sharing, self._waiting, self._alone = Holds(), Holds(), Holds()

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
            if self._sharing or self._alone or self._waiting:
                self._drop_lost(hold.thread)
            if not hold.alone:
                while self._alone or self._waiting:
                    self._wait()
                self._sharing[id(hold)] = ref(hold)
                return
            self._waiting[id(hold)] = ref(hold)
            while self._sharing or self._alone:
                self._wait()
            self._alone[id(hold)] = self._waiting.pop(id(hold))

    def _wait(self) -> None:
        if not self._changed.wait(LOST):
            self._drop_lost(None)

    def _drop_lost(self, thread: int | None) -> None:
        """Drop holds whose end was interrupted: nothing refers to them any more, or their thread comes again."""
        for held in (self._waiting, self._alone, self._sharing):
            for key, hold in list(held.items()):
                if (one := hold()) is None or one.thread == thread:
                    del held[key]

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

    def _drop(self, hold: "Hold") -> None:
        for held in (self._waiting, self._alone, self._sharing):
            held.pop(id(hold), None)
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

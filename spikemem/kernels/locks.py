"""A lock that many threads share, or one holds alone."""

import os
import sys
import threading
from types import FrameType

from spikemem.errors import SpikememError

LOST = 0.5
"""Seconds after which who waits looks whether a hold is gone whose end was interrupted."""


class SharedLock:
    """A lock that many may share, or one holds alone: `with lock.shared(): ...`, `with lock.alone(): ...`.

    Who waits to hold it alone goes before who comes later to share it. A thread that comes again while it holds the lock, from a signal
    handler, say, gets a SpikememError. An interrupt leaves nothing held: a hold whose block is no longer on the stack of its thread, since
    the interrupt came before its end, is dropped. In a forked child, in which no holder lives, the lock begins anew.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process, self._changed = os.getpid(), threading.Condition(threading.Lock())
        self._sharing, self._waiting, self._alone = (dict["Hold", None]() for _ in range(3))

    def shared(self, depth: int = 1) -> "Hold":
        """A hold beside others that share it.   depth: how many frames up the block is that holds it."""
        return Hold(self, False, sys._getframe(depth))

    def alone(self, depth: int = 1) -> "Hold":
        """A hold beside no other; `depth` as in `shared`."""
        return Hold(self, True, sys._getframe(depth))

    def take(self, hold: "Hold") -> None:
        """Wait until it can be held."""
        if os.getpid() != self._process:
            self._begin()
        with self._changed:
            if (self._sharing or self._alone or self._waiting) and self._own(hold.thread):
                raise SpikememError(
                    "this thread uses it already, and came again before that call has ended (from a signal handler, or a function that the "
                    "call was given); let the call end first, or use another thread"
                )
            if not hold.alone:
                while self._alone or self._waiting:
                    self._wait()
                self._sharing[hold] = None
                return
            self._waiting[hold] = None
            while self._sharing or self._alone:
                self._wait()
            self._alone[hold] = None
            del self._waiting[hold]

    def _wait(self) -> None:
        if not self._changed.wait(LOST):
            stacks = sys._current_frames()
            for held in (self._waiting, self._alone, self._sharing):
                for hold in [h for h in held if not h.on(stacks.get(h.thread))]:
                    del held[hold]

    def _own(self, thread: int) -> bool:
        """Whether a thread holds it, or waits for it; holds of it that are lost are dropped."""
        found, stack = False, sys._getframe()
        for held in (self._waiting, self._alone, self._sharing):
            for hold in [h for h in held if h.thread == thread]:
                if hold.on(stack):
                    found = True
                else:
                    del held[hold]
        return found

    def let_go(self, hold: "Hold") -> None:
        """End a hold, or a wait for one; an interrupt meanwhile is raised afterwards."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                with self._changed:
                    for held in (self._waiting, self._alone, self._sharing):
                        held.pop(hold, None)
                    self._changed.notify_all()
                break
            except KeyboardInterrupt as error:
                interrupt = error
        hold.frame = None
        if interrupt is not None:
            raise interrupt


class Hold:
    """A context in which a `SharedLock` is held by the thread that made it.   frame: of the block that holds it."""

    def __init__(self, lock: SharedLock, alone: bool, frame: FrameType) -> None:
        self._lock, self.alone, self.thread = lock, alone, threading.get_ident()
        self.frame: FrameType | None = frame

    def on(self, stack: FrameType | None) -> bool:
        """Whether its block is still on a stack, given by the innermost frame."""
        while stack is not None and stack is not self.frame:
            stack = stack.f_back
        return stack is not None

    def __enter__(self) -> None:
        try:
            self._lock.take(self)
        except BaseException:
            self._lock.let_go(self)
            raise

    def __exit__(self, *raised: object) -> None:
        self._lock.let_go(self)

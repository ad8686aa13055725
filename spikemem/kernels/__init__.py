"""The compiled kernels: the only rooms that know hardware. A first start compiles them, and says so."""

import sys

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


CACHE = _keeps()
"""Whether kernels are kept for the next start; a read-only package of a user without a home compiles them anew."""


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

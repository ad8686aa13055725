"""The compiled kernels: the only rooms that know hardware. A first start compiles them, and says so."""

import sys

from numba.core import event

NOTICE = "spikemem compiles its kernels, which takes up to a minute; later starts read them from numba's cache"


class _Notice(event.Listener):  # type: ignore[misc]  # numba has no types
    """Prints a line to the terminal before the first kernel is compiled. Numba's event comes only where its cache holds no such kernel."""

    given = False

    def on_start(self, compiling: event.Event) -> None:
        if not self.given and sys.stderr.isatty() and compiling.data["dispatcher"].py_func.__module__.startswith(__name__):
            self.given = True
            print(NOTICE, file=sys.stderr)

    def on_end(self, compiled: event.Event) -> None:
        """Nothing is said then."""


event.register("numba:compile", _Notice())

"""Fuzzes one parser in this process: `python -m tests.fuzz.worker NAME SECONDS SEED FOLDER`; prints what it did as JSON."""

import faulthandler
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from spikemem.errors import SpikememError
from tests.fuzz.parsers import PARSERS

SLOW = 5.0
"""Seconds from which a try hangs."""
LARGE = 500 * 2**20
"""Bytes by which a try may raise the memory in use."""
ROOM = 3 * 2**30
"""Bytes of addresses that tries may take beyond those of the start: what asks for more gets a MemoryError."""


WARM = 30.0
"""Seconds at most until an input is taken, so that what compiles has compiled."""


class Hang(BaseException):
    """A try took too long."""


def _status(field: str) -> int:
    """A size of this process, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def _stop(*_: object) -> None:
    raise Hang


def main(name: str, seconds: float, seed: int, folder: Path) -> None:
    """Try altered inputs until the time is up."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    rng, counts = random.Random(seed), {"tries": 0, "refused": 0, "taken": 0}
    faults: dict[str, dict[str, Any]] = {}
    tries = PARSERS[name].tries(rng, folder)
    begun = time.monotonic()
    while not _taken(next(tries)) and time.monotonic() < begun + WARM:  # imports and compiles
        pass
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + ROOM, resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, _stop)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        trial = next(tries)
        Path("/proc/self/clear_refs").write_text("5")  # the peak of memory begins anew
        before, found = _status("VmRSS"), ""
        signal.setitimer(signal.ITIMER_REAL, SLOW)
        try:
            trial()
            counts["taken"] += 1
        except SpikememError:
            counts["refused"] += 1
        except Hang as error:
            found = f"hang at {_place(error)}"
        except BaseException as error:
            found = f"{type(error).__name__}: {str(error)[:150]} at {_place(error)}"
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not found and _status("VmHWM") - before > LARGE:
            found = f"allocation of {(_status('VmHWM') - before) >> 20} MB"
        counts["tries"] += 1
        if found:
            faults.setdefault(found, {"count": 0, "try": counts["tries"]})["count"] += 1
        if counts["tries"] % 20 == 0:
            _tell(folder, counts, faults)
    _tell(folder, counts, faults)
    os._exit(0)  # whatever tries have left behind


def _taken(trial: Any) -> bool:
    """Whether a try is read, and used, without an error."""
    try:
        trial()
    except Exception:
        return False
    return True


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/spikemem/" in frame.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def _tell(folder: Path, counts: dict[str, int], faults: dict[str, dict[str, Any]]) -> None:
    (folder / "report.json").write_text(json.dumps({**counts, "faults": faults}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))

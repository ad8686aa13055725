"""The file of a sweep: one JSON line for each run that has finished, from which a sweep that was killed goes on."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from spikemem._checks import FILE_BYTES
from spikemem.errors import SweepError
from spikemem.evaluate.sweeps.grid import Arguments, key

FORMAT = "spikemem-sweep-1"


class RunFile:
    """Finished runs in a file of JSON lines, each on the disk before `append` returns.

    The first line names the format and the function, each other one a run: {"arguments": {...}, "results": {...}}. Of a line that a kill
    tore nothing is taken, and the next line takes its place.

    path: of the file, which need not be there.   function: whose runs they are.

    Raises SweepError where the file is something else, of another function, damaged, in use by another sweep, or cannot be written.
    """

    def __init__(self, path: Path, function: str) -> None:
        self.path, self.function = path, function
        self.results: dict[str, Arguments] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("a+b")
        except OSError as error:
            raise SweepError(f"{path} cannot be written ({error}); give another `out`") from error
        try:
            _lock(self._file, path)
            self._read()
        except BaseException:
            self.close()
            raise

    def append(self, arguments: Arguments, results: Arguments) -> None:
        """Keep a run that has finished."""
        self._write({"arguments": arguments, "results": results})
        self.results[key(arguments)] = results

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise SweepError(f"{self.path} cannot be written ({error}); what it holds is kept") from error

    def _read(self) -> None:
        """Read the runs, and cut off what comes after the last whole line."""
        head = {"format": FORMAT, "function": self.function}
        self._file.seek(0)
        content = self._file.read(FILE_BYTES + 1)
        if len(content) > FILE_BYTES:
            raise SweepError(f"{self.path} is longer than {FILE_BYTES:,} bytes; give another `out`")
        first, *lines = content.split(b"\n")
        if not lines and json.dumps(head).encode().startswith(first):  # nothing yet, or a first line that was torn
            self._file.truncate(0)
            self._write(head)
            return
        found = _parsed(first)
        if found.get("format") != FORMAT or not lines:
            raise SweepError(f"{self.path} is no file of a sweep; give another `out`")
        if found != head:
            raise SweepError(f"{self.path} is of the function {found.get('function')}, not of {self.function}; give another `out`")
        for number, line in enumerate(lines[:-1], 2):
            run = _parsed(line)
            if not all(isinstance(run.get(part), dict) for part in ("arguments", "results")):
                raise SweepError(f"{self.path}, line {number}, is damaged; delete that line, and its run is done again")
            self.results[key(run["arguments"])] = run["results"]
        self._file.truncate(len(content) - len(lines[-1]))


def _parsed(line: bytes) -> dict[str, Any]:
    """The object in a line; an empty one where there is none."""
    with suppress(ValueError, RecursionError):
        if isinstance(found := json.loads(line), dict):
            return found
    return {}


def _lock(file: BinaryIO, path: Path) -> None:
    """Hold a file alone, until it is closed or this process ends; nothing where the system knows no such locks."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SweepError(f"another sweep is writing to {path}; wait for it, or give another `out`") from error

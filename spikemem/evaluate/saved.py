"""What a measurement leaves on disk: the outcomes of a task, which a run that was broken off reads again, and files written whole."""

import functools
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spikemem._checks import Checks
from spikemem._files import whole
from spikemem.data.datasets import Task
from spikemem.errors import DataError
from spikemem.network.modelfile import MODELS

check = Checks(DataError)


@dataclass(frozen=True)
class TaskResult:
    """What one system did on one task: each question's figures, synaptic events and ms a question (without the embedder)."""

    scores: dict[str, list[float]]
    events: float = math.nan
    ms: float = math.nan


def number(value: float) -> float | None:
    """A number as JSON has it, which knows no NaN."""
    return None if math.isnan(value) else value


class Saved:
    """The outcomes of one task on disk: one JSON file, replaced whole.

    A file that is damaged, or of another task, embedder or code, counts as none.
    """

    def __init__(self, folder: Path, task: Task, embedder: str, fresh: bool = False) -> None:
        name = re.sub(r"[^\w.-]+", "_", f"{task.dataset}-{task.name}")
        self._file = folder / f"{name}.json"
        self._made_with = hashlib.sha256(f"{task}{embedder}{_code()}".encode("utf-8", "surrogatepass")).hexdigest()
        self.outcomes: dict[str, TaskResult] = {} if fresh else self._read()

    def complete(self, names: Iterable[str]) -> bool:
        """Whether all of these have answered and were timed."""
        return all(name in self.outcomes and not math.isnan(self.outcomes[name].ms) for name in names)

    def add(self, name: str, outcome: TaskResult) -> None:
        self.outcomes[name] = outcome
        self._write()

    def time(self, ms: Mapping[str, float]) -> None:
        for name, value in ms.items():
            self.outcomes[name] = TaskResult(self.outcomes[name].scores, self.outcomes[name].events, value)
        self._write()

    def _read(self) -> dict[str, TaskResult]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            if content["made_with"] != self._made_with:
                return {}
            return {
                name: TaskResult(o["scores"], *(math.nan if o[x] is None else o[x] for x in ("events", "ms")))
                for name, o in content["systems"].items()
            }
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
        except OSError as error:
            raise DataError(f"{self._file} cannot be read ({error}); give another --out") from error

    def _write(self) -> None:
        made = {n: {"scores": o.scores, "events": number(o.events), "ms": number(o.ms)} for n, o in self.outcomes.items()}
        write(self._file, json.dumps({"made_with": self._made_with, "systems": made}))


def make_folder(folder: Path) -> None:
    """Make a folder for results; DataError where that cannot be, before anything is measured."""
    folder = check.path(folder, "folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be made a folder ({error}); give another --out") from error


def write(file: Path, content: str) -> None:
    """Write a text file whole or not at all; DataError where that cannot be."""
    file = check.path(file, "file")
    check.instance(content, "content", str, "give a text")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole(file) as draft:
            draft.write_text(content, encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        raise DataError(f"{file} cannot be written ({error}); give another --out") from error


@functools.cache
def _code() -> str:
    """A digest of the package's code and models."""
    files = [*Path(__file__).parent.parent.rglob("*.py"), *MODELS.glob("*.toml")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()

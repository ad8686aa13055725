"""Runs the fuzzer of a parser in a process of its own, begun anew after each crash, and counts what it found."""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

STUCK = 60.0
"""Seconds beyond its time after which a process that cannot be stopped from within is ended."""


@dataclass
class Row:
    """What fuzzing a parser came to.   faults: exceptions that are no SpikememError, hangs, allocations and crashes, how often each."""

    HEAD: ClassVar[str] = f"{'parser':14}{'tries':>9}{'refused':>9}{'taken':>9}{'faults':>8}"
    name: str
    tries: int = 0
    refused: int = 0
    taken: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def line(self) -> str:
        """A row of the table, with the faults below it."""
        head = f"{self.name:14}{self.tries:9}{self.refused:9}{self.taken:9}{sum(self.faults.values()):8}"
        return "\n".join([head, *(f"    {count} x {fault}" for fault, count in self.faults.items())])


def fuzzed(name: str, seconds: float, seed: int = 0) -> Row:
    """Fuzz a parser for so many seconds."""
    row, left = Row(name), seconds
    while left > 0:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "tests.fuzz.worker", name, str(left), str(seed), folder]
            report = Path(folder) / "report.json"
            try:
                ended = subprocess.run(command, capture_output=True, text=True, timeout=left + STUCK)
                code, said = ended.returncode, ended.stderr
            except subprocess.TimeoutExpired as error:
                code, said = -1, f"hang in compiled code {error.timeout}"
            told = json.loads(report.read_text()) if report.exists() else {"tries": 0, "refused": 0, "taken": 0, "faults": {}}
        row.tries, row.refused, row.taken = row.tries + told["tries"], row.refused + told["refused"], row.taken + told["taken"]
        for fault, what in told["faults"].items():
            row.faults[fault] = row.faults.get(fault, 0) + what["count"]
        if code == 0:
            break
        crash = f"crash {code}: " + " | ".join(said.strip().splitlines()[:1] + said.strip().splitlines()[-3:])[:600]
        row.faults[crash] = row.faults.get(crash, 0) + 1
        seed, left = seed + 1, left - (time.monotonic() - began)
    return row

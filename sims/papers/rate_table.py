"""The rows of a table of spiking, rate and published figures: made of trials, saved job by job, taken up again, and printed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.evaluate.compare import wilson
from spikemem.evaluate.retrieval import write

Row = dict[str, Any]
Trials = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""In which trials the spiking memory was right, and in which the rate twin."""


def share(
    name: str, spiking: NDArray[np.bool_], rate: NDArray[np.bool_], published: float | None, bar: float | None, low: float = 0
) -> Row:
    """A row from what was right in each trial.   bar, low: what the spiking share and its interval's lower end must reach."""
    values = {"spiking": float(np.mean(spiking)), "rate": float(np.mean(rate))}
    bounds = {f"{kind}_interval": wilson(value, len(spiking)) for kind, value in values.items()}
    met = None if bar is None else values["spiking"] >= bar and bounds["spiking_interval"][0] >= low
    return {"row": name, "unit": "", "n": len(spiking), **values, **bounds, "published": published, "bar": bar, "met": met}


def quantity(name: str, unit: str, n: int, spiking: float, rate: float | None, published: float | None, bar: float | None = None) -> Row:
    """A row that is no share of trials."""
    met = None if bar is None else spiking >= bar
    return {"row": name, "unit": unit, "n": n, "spiking": spiking, "rate": rate, "published": published, "bar": bar, "met": met}


class Tally:
    """Trials of several memories, put together row by row."""

    def __init__(self) -> None:
        self.trials: dict[str, list[Trials]] = {}

    def add(self, kind: str, trials: Trials) -> None:
        self.trials.setdefault(kind, []).append(trials)

    def chains(self, lengths: Sequence[int], spiking: NDArray[np.bool_], rate: NDArray[np.bool_]) -> None:
        """Chains that are right up to each of these lengths.   spiking, rate: which hops are right, [n, hops]."""
        for hops in lengths:
            self.add(f"{hops}", (spiking[:, :hops].all(axis=1), rate[:, :hops].all(axis=1)))

    def row(self, kind: str, name: str, published: float | None, bar: float | None, low: float = 0) -> Row:
        spiking, rate = (np.concatenate(parts) for parts in zip(*self.trials[kind], strict=True))
        return share(name, spiking, rate, published, bar, low)


@dataclass
class Results:
    """The file of rows, saved after each job.   arguments: on what the rows depend."""

    path: Path
    arguments: dict[str, Any]
    rows: list[Row] = field(default_factory=list)

    def load(self) -> "Results":
        """Take up the rows made before with these arguments."""
        if self.path.is_file():
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if kept["arguments"] != self.arguments:
                raise SystemExit(f"{self.path} has rows of other arguments, {kept['arguments']}; give --fresh or another --out")
            self.rows = kept["rows"]
        return self

    def add(self, job: str, rows: list[Row], seconds: float) -> None:
        self.rows += [{"job": job, **row, "seconds": round(seconds, 1)} for row in rows]
        write(self.path, json.dumps({"arguments": self.arguments, "rows": self.rows}, indent=1))

    def print(self) -> None:
        print(f"{'row':>47} {'n':>7}  {'spiking':<21} {'rate':<21} {'published':>9}  bar, or spiking / rate")
        for row in self.rows:
            shown = [cell(row, kind) for kind in ("spiking", "rate")]
            published = "-" if row["published"] is None else f"{row['published']:g}"
            name = f"{row['row']}, {row['unit']}" if row["unit"] else row["row"]
            print(f"{name:>47} {row['n']:>7,}  {shown[0]:<21} {shown[1]:<21} {published:>9}  {remark(row)}".rstrip())


def remark(row: Row) -> str:
    """Whether the bar is met, or for a quantity how often the rate twin's figure goes into the spiking one."""
    if row["bar"] is not None:
        return f"{row['bar']:g} {'met' if row['met'] else 'MISSED'}"
    return f"{row['spiking'] / row['rate']:.3g}" if row["unit"] and row["rate"] else ""


def cell(row: Row, kind: str) -> str:
    if row[kind] is None:
        return "-"
    if row["unit"]:
        return f"{row[kind]:,.0f}" if row[kind] >= 1000 else f"{row[kind]:.4g}"
    low, high = row[f"{kind}_interval"]
    return f"{row[kind]:.3f} [{low:.3f}, {high:.3f}]"

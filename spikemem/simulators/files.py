"""Recordings on the disk: a file, numpy's npz, or a folder with the parts of a long run. Nothing is unpickled.

A folder holds the parts of a run, one npz file each, named by the step at which it begins, and the state in which the last one ended. A
part counts once the state is written, so that after a kill the folder holds a run up to some step, from whose state it can go on.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import FILE_BYTES, INDEX, Checks, shown
from spikemem._files import DAMAGED, load_npz, whole
from spikemem.errors import SnapshotError, StimulusError
from spikemem.instruments.spikes import Recorded, Spikes
from spikemem.simulators import joining
from spikemem.simulators.state import RunState, Weights

FORMAT = "spikemem-recording-1"
STATE = "state.safetensors"
"""The file of a folder that holds the state in which its last part ended."""
SHARED = ("dt", "batches", "sizes", "intervals")
"""What the heads of all parts have in common."""
Value = TypeVar("Value")
saved = Checks(SnapshotError)


def save(recording: Recorded, path: str | Path) -> Path:
    """Write a recording to an npz file, which appears whole or not at all; returns its path."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, s in recording.spikes.items():
        arrays[f"spikes/{name}"] = np.stack([s.step, s.batch, s.cell])
    for name in recording.voltages:
        arrays[f"voltages/{name}"] = recording.voltages[name]
        arrays[f"cells/{name}"] = recording.cells[name]
    arrays |= {f"weights/{name}": weights for name, weights in recording.weights.items()}
    arrays |= {f"snapshots/{name}": weights for name, weights in recording.snapshots.items()}
    head = {
        "format": FORMAT, "dt": recording.dt, "steps": recording.steps, "batches": recording.batches, "marks": dict(recording.marks),
        "events": recording.events, "stopped": recording.stopped, "sizes": {name: s.size for name, s in recording.spikes.items()},
        "intervals": dict(recording.intervals),
    }  # fmt: skip
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)
    path = saved.path(path)
    saved.room(sum(a.nbytes for a in arrays.values()), "the file", "save fewer voltages or spikes, or simulate to a folder", FILE_BYTES)
    try:
        with whole(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise SnapshotError(f"{path} cannot be written: {error}") from error
    return path


def load(path: str | Path) -> dict[str, Any]:
    """The fields of the recording that `save` wrote, or of a folder; SnapshotError where it is missing, damaged or something else."""
    path = saved.path(path)
    if path.is_dir():
        return _joined(path)
    arrays, head = _read(path)
    with _damage(path):
        return _restored(arrays, head)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """SnapshotError, with the path, for whatever reading a file may raise."""
    try:
        yield
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read as a recording: {error}") from error
    except (*DAMAGED, StimulusError) as error:
        raise SnapshotError(f"{path} is no recording, or is damaged: {error}") from error


def _read(path: Path, names: Collection[str] | None = None) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays and head of a file.   names: of the arrays to read besides the head; None are all."""
    with _damage(path):
        arrays = load_npz(path, names=None if names is None else {*names, "head"})
        head: dict[str, Any] = json.loads(arrays["head"].tobytes())
        if head["format"] != FORMAT:
            raise SnapshotError(f"{path} has format {shown(head['format'])}, not {FORMAT!r}")
        return arrays, head


class _Extent(NamedTuple):
    """How long a recording is, and of how many batch items."""

    steps: int
    batches: int

    @classmethod
    def of(cls, head: Mapping[str, Any]) -> "_Extent":
        return cls(*(saved.integer(head[name], name, least=1, most=INDEX) for name in ("steps", "batches")))

    def spikes(self, array: NDArray[Any], name: str, size: int) -> Spikes:
        """The spikes of a population, [(step, batch, cell), spike]."""
        step, batch, cell = saved.array(array, f"spikes of {name!r}", "iu", shape=(3, None))
        s = Spikes(step, batch, cell, size)
        if len(s) and not (s.step.max() < self.steps and s.batch.max() < self.batches):
            raise ValueError(f"the spikes of {name!r} lie outside its {self.steps} steps and {self.batches} batch items")
        return s

    def voltages(self, array: NDArray[Any], name: str, cells: int) -> NDArray[np.float64]:
        """The voltages of a population, [time, batch, chosen cell]."""
        return saved.array(array, f"voltages of {name!r}", "f", shape=(self.steps, self.batches, cells))

    def intervals(self, snapshots: Mapping[str, NDArray[Any]], intervals: Mapping[str, Any]) -> dict[str, int]:
        """The intervals of weights over time, [snapshot, batch, pre, post], which must be as many as these make."""
        if snapshots.keys() != intervals.keys():
            raise ValueError("weights over time and their intervals do not pair up")
        every = {name: saved.integer(n, f"the interval of {name!r}", least=1, most=INDEX) for name, n in intervals.items()}
        for name, n in every.items():
            saved.array(snapshots[name], f"weights of {name!r} over time", "f", shape=(self.steps // n + 1, self.batches, None, None))
        return every


def _restored(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a recording by a file's arrays and head, checked: each number against the others."""
    extent = _Extent.of(head)
    spikes = {name: extent.spikes(arrays[f"spikes/{name}"], name, size) for name, size in head["sizes"].items()}
    weights = {
        name: saved.array(w, f"weights of {name!r}", "f", shape=(extent.batches, None, None))
        for name, w in _part(arrays, "weights").items()
    }
    voltages, cells = _part(arrays, "voltages"), _cells(arrays, head)
    if voltages.keys() != cells.keys():
        raise ValueError("voltages and their cells do not pair up")
    snapshots = _part(arrays, "snapshots")
    return {
        **extent._asdict(), "spikes": spikes, "cells": cells, "weights": weights, **_rest(head),
        "snapshots": snapshots, "intervals": extent.intervals(snapshots, head.get("intervals", {})),
        "voltages": {name: extent.voltages(v, name, len(cells[name])) for name, v in voltages.items()},
    }  # fmt: skip


def _part(arrays: Mapping[str, NDArray[Any]], kind: str) -> dict[str, NDArray[Any]]:
    return {name.split("/", 1)[1]: array for name, array in arrays.items() if name.startswith(kind + "/")}


def _cells(arrays: Mapping[str, NDArray[Any]], head: Mapping[str, Any]) -> dict[str, NDArray[np.int64]]:
    """The cells whose voltage was recorded."""
    return {name: saved.indices(c, f"cells of {name!r}", head["sizes"][name]) for name, c in _part(arrays, "cells").items()}


def _rest(head: Mapping[str, Any]) -> dict[str, Any]:
    """What a head holds beside the numbers of steps, batch items and cells."""
    stopped = head.get("stopped")
    return {
        "dt": saved.finite(head["dt"], "dt", above=0), "events": saved.integer(head["events"], "events", least=0),
        "marks": {name: saved.indices(m, f"marks {name!r}", INDEX).tolist() for name, m in head["marks"].items()},
        "stopped": None if stopped is None else saved.text(stopped, "stopped", most=FILE_BYTES),
    }  # fmt: skip


# -- folders -----------------------------------------------------------------------------------------------------------------------


def part_of(folder: Path, step: int) -> Path:
    """The file of the part that begins at a step, counted since the first run began."""
    return folder / f"{step:016d}.npz"


class _Joined(Mapping[str, Value]):
    """Arrays of the parts of a folder by their population, each read and joined when it is asked for."""

    def __init__(self, names: Collection[str], read: Callable[[str], Value]) -> None:
        self._names, self._read = tuple(names), read

    def __getitem__(self, name: str) -> Value:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Folder:
    """The parts of a folder: their files, heads and lengths, which begin where the one before ended."""

    def __init__(self, folder: Path, end: int) -> None:
        self.paths, self.heads, self.extents = [], [], []  # type: list[Path], list[dict[str, Any]], list[_Extent]
        found = sorted(path for path in folder.glob("*.npz") if path.stem.isdecimal() and int(path.stem) < end)
        at = int(found[0].stem) if found else end
        for path in found:
            _, head = _read(path, ())
            with _damage(path):
                extent = _Extent.of(head)
                if int(path.stem) != at or any(head.get(part) != self.heads[0].get(part) for part in SHARED if self.heads):
                    raise SnapshotError(f"{path} does not go on from the part before it, which ends at step {at}")
            self.paths, self.heads, self.extents = [*self.paths, path], [*self.heads, head], [*self.extents, extent]
            at += extent.steps
        if not found or at != end:
            raise SnapshotError(f"the parts in {folder} end at step {at}, and its state is that of step {end}; some are missing")
        arrays, head = _read(self.paths[0])
        with _damage(self.paths[0]):
            self.cells, self.intervals = _cells(arrays, head), dict(head.get("intervals", {}))

    def spikes(self, name: str) -> Spikes:
        size = self.heads[0]["sizes"][name]
        return joining.spikes(self._read_each(f"spikes/{name}", lambda extent, a: (extent.spikes(a, name, size), extent.steps)))

    def voltages(self, name: str) -> NDArray[np.float64]:
        return np.concatenate(list(self._read_each(f"voltages/{name}", lambda extent, a: extent.voltages(a, name, len(self.cells[name])))))

    def snapshots(self, name: str) -> NDArray[np.float64]:
        own = {name: self.intervals[name]}

        def checked(extent: _Extent, array: NDArray[Any]) -> NDArray[np.float64]:
            extent.intervals({name: array}, own)
            return array

        return joining.snapshots(list(self._read_each(f"snapshots/{name}", checked)))

    def _read_each(self, array: str, checked: Callable[[_Extent, NDArray[Any]], Value]) -> Iterator[Value]:
        """An array of every part, checked against how long the part is."""
        for path, extent in zip(self.paths, self.extents, strict=True):
            arrays, _ = _read(path, [array])
            with _damage(path):
                yield checked(extent, arrays[array])


def _joined(folder: Path) -> dict[str, Any]:
    """The fields of the recording of a folder's parts."""
    if not (folder / STATE).is_file():
        raise SnapshotError(f"{folder} cannot be read as a recording: no part of a run in it was written to its end")
    state = RunState.load(folder / STATE)
    parts = _Folder(folder, state.step)
    with _damage(folder):
        rest = [_rest(head) for head in parts.heads]
    return {
        **rest[0], "steps": sum(extent.steps for extent in parts.extents), "batches": parts.extents[0].batches,
        "spikes": _Joined(parts.heads[0]["sizes"], parts.spikes), "voltages": _Joined(parts.cells, parts.voltages), "cells": parts.cells,
        "events": sum(each["events"] for each in rest), "weights": Weights(state.rules), "ended": state, "stopped": rest[-1]["stopped"],
        "snapshots": _Joined(parts.intervals, parts.snapshots), "intervals": parts.intervals,
    }  # fmt: skip

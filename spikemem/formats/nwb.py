"""Recordings in the format of Neurodata Without Borders (Rübel et al. 2022, eLife 11, e78362), and back."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import FILE_BYTES, INDEX, Checks
from spikemem._files import whole
from spikemem.errors import SnapshotError
from spikemem.instruments.extra import library
from spikemem.instruments.spikes import Recorded, Spikes

FORMAT = "spikemem-nwb-1"
HEAD = "spikemem"
"""The scratch entry that holds what NWB has no place for, as JSON."""
SECONDS = 1e-3
"""In a ms: NWB's times are in s."""
COLUMNS = {
    "population": "name of the population", "batch": "batch item", "cell": "index of the cell in its population",
    "order": "place of each spike among those of its population", "spike_times": "s from the start of the simulation",
    "obs_intervals": "s, the whole simulation",
}  # fmt: skip
saved = Checks(SnapshotError)


def to_nwb(recording: Recorded, path: str | Path) -> Path:
    """Write a recording as an NWB file, which appears whole or not at all; returns its path.

    Each cell of each batch item, silent ones too, is a unit: `spike_times`, s; `population`, `batch`, `cell`; and `order`, the place of
    each spike among its population's, which the time does not tell within a step. Voltages are acquired `TimeSeries`, [time, batch, cell],
    weights arrays of the scratch space, where the entry "spikemem" holds all else. MissingExtraError without the `analysis` extra.
    """
    path = saved.path(path)
    pynwb = library("pynwb")
    names = {part: list(getattr(recording, part)) for part in ("spikes", "voltages", "weights", "snapshots")}
    head = {
        "format": FORMAT, "dt": recording.dt, "steps": recording.steps, "batches": recording.batches, "events": recording.events,
        "stopped": recording.stopped,
        "marks": dict(recording.marks), "sizes": {name: spikes.size for name, spikes in recording.spikes.items()},
        "voltages": {name: np.asarray(recording.cells[name]).tolist() for name in names["voltages"]}, "weights": names["weights"],
        "intervals": dict(recording.intervals),
    }  # fmt: skip
    file = pynwb.NWBFile(
        session_description="a simulation by spikemem", identifier=str(uuid.uuid4()), session_start_time=datetime.now(UTC),
    )  # fmt: skip
    file.units = _units(pynwb, recording)
    for n, name in enumerate(names["voltages"]):
        rate = 1.0 / (recording.dt * SECONDS)
        file.add_acquisition(
            pynwb.TimeSeries(
                name=f"voltages_{n}", data=recording.voltages[name], unit="dimensionless", rate=rate, description=f"V of {name}"
            )
        )
    for n, name in enumerate(names["weights"]):
        described = f"weights of {name} at the end, [batch, pre, post]"
        file.add_scratch(recording.weights[name], name=f"weights_{n}", description=described)
    for n, name in enumerate(names["snapshots"]):
        described = f"weights of {name} over time, [snapshot, batch, pre, post]"
        file.add_scratch(recording.snapshots[name], name=f"snapshots_{n}", description=described)
    file.add_scratch(json.dumps(head), name=HEAD, description="dt in ms, steps, batch items, marks and names of the recording, as JSON")
    try:
        with whole(path) as draft, library("h5py").File(draft, "w") as out:
            pynwb.NWBHDF5IO(file=out, mode="w").write(file)
    except OSError as error:
        raise SnapshotError(f"{path} cannot be written: {error}") from error
    return path


def _units(pynwb: Any, recording: Recorded) -> Any:
    """The table of all cells, with their spikes."""
    common = library("hdmf.common")
    population: list[str] = []
    order, time, ends = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for name, spikes in recording.spikes.items():
        whose = spikes.batch.astype(np.int64) * spikes.size + spikes.cell
        order.append(np.argsort(whose, kind="stable"))
        time.append(np.asarray(spikes.step[order[-1]], np.float64) * (recording.dt * SECONDS))
        ends.append(sum(map(len, time[:-1])) + np.cumsum(np.bincount(whose, minlength=recording.batches * spikes.size)))
        population += [name] * (recording.batches * spikes.size)
    sizes = [(recording.batches, spikes.size) for spikes in recording.spikes.values()]
    batch, cell = (np.concatenate([np.indices(size)[axis].ravel() for size in sizes] or [ends[0]]) for axis in (0, 1))
    flat = {
        "population": population, "batch": batch, "cell": cell, "order": np.concatenate(order), "spike_times": np.concatenate(time),
        "obs_intervals": np.tile([0.0, recording.steps * recording.dt * SECONDS], (len(population), 1)),
    }  # fmt: skip
    made = {name: common.VectorData(name=name, description=COLUMNS[name], data=values) for name, values in flat.items()}
    last = {"order": np.concatenate(ends), "spike_times": np.concatenate(ends), "obs_intervals": np.arange(1, len(population) + 1)}
    index = [common.VectorIndex(name=f"{name}_index", target=made[name], data=data) for name, data in last.items()]
    return pynwb.misc.Units(
        name="units", description="every cell of the simulated network", id=np.arange(len(population)), columns=[*made.values(), *index],
        colnames=list(flat),
    )  # fmt: skip


def from_nwb(path: str | Path) -> dict[str, Any]:
    """The fields of the `Recording` that `to_nwb` wrote; `Recording.from_nwb` makes one of them.

    SnapshotError where the file is missing, damaged, or not of spikemem: `spikes_from` reads spike trains of others, by way of Neo's
    `NWBIO`. MissingExtraError without the `analysis` extra.
    """
    path = saved.path(path)
    pynwb = library("pynwb")
    if not path.is_file():
        raise SnapshotError(f"{path} cannot be read as a recording: there is no such file")
    try:
        with pynwb.NWBHDF5IO(str(path), "r") as source:
            return _fields(source.read())
    except SnapshotError as error:
        raise SnapshotError(f"{path}: {error}") from error
    except Exception as error:  # of HDF5 and of the format, whose libraries raise what they like
        raise SnapshotError(f"{path} is no recording in NWB, or is damaged: {error}") from error


def _fields(file: Any) -> dict[str, Any]:
    """What a file of `to_nwb` holds, checked."""
    if file.scratch is None or HEAD not in file.scratch:
        raise SnapshotError("was not written by spikemem; read it by Neo's NWBIO, and give its segments to `spikes_from`")
    head = json.loads(str(np.asarray(file.scratch[HEAD].data)[()]))
    if head["format"] != FORMAT:
        raise SnapshotError(f"has format {head['format']!r}, not {FORMAT!r}")
    steps, batches = (saved.integer(head[name], name, least=1, most=INDEX) for name in ("steps", "batches"))
    dt, events = saved.finite(head["dt"], "dt", above=0), saved.integer(head["events"], "events", least=0)
    cells = {name: saved.indices(chosen, f"cells of {name!r}", head["sizes"][name]) for name, chosen in head["voltages"].items()}
    voltages = {
        name: saved.floats(file.acquisition[f"voltages_{n}"].data[:], f"voltages of {name!r}", shape=(steps, batches, len(chosen)))
        for n, (name, chosen) in enumerate(cells.items())
    }
    weights = {
        name: saved.floats(file.scratch[f"weights_{n}"].data[:], f"weights of {name!r}", shape=(batches, None, None))
        for n, name in enumerate(head["weights"])
    }
    intervals = {
        name: saved.integer(every, f"the interval of {name!r}", least=1, most=INDEX) for name, every in head.get("intervals", {}).items()
    }
    snapshots = {
        name: saved.floats(
            file.scratch[f"snapshots_{n}"].data[:], f"weights of {name!r} over time", shape=(steps // every + 1, batches, None, None)
        )
        for n, (name, every) in enumerate(intervals.items())
    }
    marks = {name: saved.indices(m, f"marks {name!r}", INDEX).tolist() for name, m in head["marks"].items()}
    stopped = None if head.get("stopped") is None else saved.text(head["stopped"], "stopped", most=FILE_BYTES)
    spikes = _spikes(file.units, head["sizes"], dt, steps, batches)
    return {
        "dt": dt, "steps": steps, "batches": batches, "spikes": spikes, "voltages": voltages, "cells": cells, "marks": marks,
        "events": events, "weights": weights, "snapshots": snapshots, "intervals": intervals, "stopped": stopped,
    }  # fmt: skip


def _spikes(units: Any, sizes: dict[str, int], dt: float, steps: int, batches: int) -> dict[str, Spikes]:
    """The spikes of each population, in their order."""
    whose = np.asarray(units["population"].data[:]).astype(str)
    batch, cell = (np.asarray(units[name].data[:], np.int64) for name in ("batch", "cell"))
    times = units["spike_times"]  # the index of the ragged column; its target holds the times of all cells
    order = np.asarray(units["order"].target.data[:], np.int64)
    counts = np.diff(np.asarray(times.data[:], np.int64), prepend=0)
    step = np.rint(np.asarray(times.target.data[:]) / (dt * SECONDS)).astype(np.int64)
    unit = np.repeat(np.arange(len(counts)), counts)
    found = {}
    for name, size in sizes.items():
        own = whose[unit] == name
        at = _placed(order[own], name)
        spikes = Spikes(step[own][at], batch[unit[own]][at], cell[unit[own]][at], size)
        if len(spikes) and not (spikes.step.max() < steps and spikes.batch.max() < batches):
            raise SnapshotError(f"the spikes of {name!r} lie outside its {steps} steps and {batches} batch items")
        found[name] = spikes
    return found


def _placed(order: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """Which spike comes first, second and so on."""
    at = np.argsort(order, kind="stable")
    if not np.array_equal(order[at], np.arange(len(order))):
        raise SnapshotError(f"the order of the spikes of {name!r} is none")
    return at

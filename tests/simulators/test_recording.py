"""What was recorded: views of it, and the file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import Recording
from spikemem.errors import SnapshotError, StimulusError
from spikemem.instruments import Spikes

STEPS, BATCHES, CELLS = 100, 4, 500


def spikes(count: int) -> Spikes:
    rng = np.random.default_rng(0)
    columns = np.stack([rng.integers(limit, size=count, dtype=np.int32) for limit in (STEPS, BATCHES, CELLS)])
    step, batch, cell = columns[:, np.lexsort(columns[::-1])]
    return Spikes(step, batch, cell, CELLS)


def recording(count: int) -> Recording:
    voltages = {"dg": np.random.default_rng(1).normal(size=(STEPS, BATCHES, 2))}
    fired = {"dg": spikes(count), "dg.basket": spikes(5), "quiet": spikes(0)}
    return Recording(0.5, STEPS, BATCHES, fired, voltages, {"dg": np.array([7, 3])}, {"theta": [0, 50]}, events=12345)


def contents(r: Recording) -> dict[str, Any]:
    """Everything in a recording as bytes and plain values."""
    fired = {name: (s.size, s.step.tobytes(), s.batch.tobytes(), s.cell.tobytes()) for name, s in r.spikes.items()}
    arrays = {f"{kind} {n}": (a.dtype, a.shape, a.tobytes()) for kind in ("voltages", "cells") for n, a in getattr(r, kind).items()}
    return {**fired, **arrays, "head": (r.dt, r.steps, r.batches, r.marks, r.events)}


def test_between_takes_one_item_and_a_half_open_span() -> None:
    step, batch, cell = np.array([[0, 1, 1, 2, 3], [0, 0, 1, 0, 0], [4, 3, 2, 1, 0]], np.int32)
    s = Spikes(step, batch, cell, size=5)
    assert s.between(1, 3).step.tolist() == [1, 2]
    assert s.between(1, 3).cell.tolist() == [3, 1]
    assert s.between(0, 9, batch=1).cell.tolist() == [2]


def test_counts_and_trains_hold_every_spike() -> None:
    step, batch, cell = np.array([[0, 1, 1, 2], [0, 0, 1, 0], [4, 3, 2, 4]], np.int32)
    s = Spikes(step, batch, cell, size=5)
    assert s.counts(2).tolist() == [[0, 0, 0, 1, 2], [0, 0, 1, 0, 0]]
    assert np.argwhere(s.dense(3, 2)).tolist() == [[0, 0, 4], [1, 0, 3], [1, 1, 2], [2, 0, 4]]
    assert len(s) == 4


def test_an_unrecorded_population_is_named() -> None:
    with pytest.raises(StimulusError, match=r"'ca9' was not recorded; there are dg, dg\.basket, quiet"):
        recording(1)["ca9"]


def test_a_recording_says_what_it_is() -> None:
    assert repr(recording(20)) == "Recording(50 ms, batch 4, 25 spikes of dg, dg.basket, quiet)"


@pytest.mark.slow
def test_a_million_spikes_come_back(tmp_path: Path) -> None:
    saved = recording(1_000_000)
    assert contents(Recording.load(saved.save(tmp_path / "long.npz"))) == contents(saved)


@pytest.mark.slow
def test_flipped_bytes_are_found_or_harmless(tmp_path: Path) -> None:
    """A flip in the zip's own book-keeping, dates for instance, may change nothing; none may change what is loaded."""
    saved = replace(recording(40), voltages={"dg": np.ones((STEPS, BATCHES, 2))})  # which pack well: few bytes to flip
    path = saved.save(tmp_path / "spikes.npz")
    whole, expected, found = path.read_bytes(), contents(saved), 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            assert contents(Recording.load(path)) == expected, f"byte {place}"
        except SnapshotError:
            found += 1
    assert found > len(whole) / 2


def test_truncated_files_are_found(tmp_path: Path) -> None:
    path = recording(40).save(tmp_path / "spikes.npz")
    whole = path.read_bytes()
    for length in range(0, len(whole), 31):
        path.write_bytes(whole[:length])
        with pytest.raises(SnapshotError, match=r"spikes\.npz"):
            Recording.load(path)


def test_a_text_file_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "notes.npz"
    path.write_text("nothing was recorded\n" * 50)
    with pytest.raises(SnapshotError, match=r"notes\.npz is no recording"):
        Recording.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"no\.npz cannot be read"):
        Recording.load(tmp_path / "no.npz")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"format": "spikemem-recording-99"}, "has format 'spikemem-recording-99', not 'spikemem-recording-1'"),
        ({"format": "spikemem-recording-1"}, "is no recording"),
        ({"format": "spikemem-recording-1", "sizes": {}}, "is no recording"),
        ({}, "is no recording"),
        ([], "is no recording"),
    ],
)
def test_another_format_is_refused(tmp_path: Path, head: Any, message: str) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, head=np.frombuffer(json.dumps(head).encode(), np.uint8))
    with pytest.raises(SnapshotError, match=message):
        Recording.load(path)


def test_a_foreign_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(SnapshotError, match="is no recording"):
        Recording.load(tmp_path / "other.npz")

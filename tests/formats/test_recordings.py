"""Recordings in Neo, NWB and pandas: what they hold, and the way back."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import KWinners, Network, Population, Recording, simulate
from spikemem.errors import MissingExtraError, SnapshotError
from spikemem.formats import from_nwb, spikes_from, to_neo, to_nwb, to_pandas
from spikemem.instruments import Spikes
from spikemem.network import STDP, all_to_all

EXTRA = "the analysis extra is not installed"


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Two batch items, a population without spikes, winners and their basket cell, chosen voltages, weights that learn, marks."""
    net = Network(dt=0.5)
    net.add(Population("in: put", 4))
    net.add(Population("winners", 5, inhibition=KWinners(k=2, cycle=10.0)))
    net.add(Population("silent", 2))
    net.connect("in: put", "winners", all_to_all(0.5), plasticity=STDP())
    drive = np.random.default_rng(0).uniform(0, 0.4, (120, 2, 4))
    return simulate(net, {"in: put": drive}, 120, record={"winners": [3, 0], "in: put->winners": 50}).marked(theta=[0, 50])


KEPT = ("voltages", "cells", "weights", "snapshots")


def contents(r: Recording) -> dict[str, Any]:
    """All of a recording, as plain values and bytes."""
    fired = {name: (s.size, s.step.tolist(), s.batch.tolist(), s.cell.tolist()) for name, s in r.spikes.items()}
    arrays = {f"{kind} {n}": (a.shape, a.tobytes()) for kind in KEPT for n, a in getattr(r, kind).items()}
    return {**fired, **arrays, "head": (r.dt, r.steps, r.batches, dict(r.marks), r.events, dict(r.intervals))}


def test_neo_has_every_spike_voltage_and_mark(recording: Recording) -> None:
    pytest.importorskip("neo", reason=EXTRA)
    block = recording.to_neo()
    assert len(block.segments) == 2
    for item, segment in enumerate(block.segments):
        for train in segment.spiketrains:
            own = recording[train.annotations["population"]].between(0, 120, item)
            np.testing.assert_allclose(train.rescale("ms").magnitude, own.step[own.cell == train.annotations["cell"]] * 0.5)
            assert float(train.t_stop.rescale("ms")) == 60.0
        (signal,) = segment.analogsignals
        np.testing.assert_array_equal(signal.magnitude, recording.voltages["winners"][:, item])
        assert signal.array_annotations["cell"].tolist() == [3, 0]
        assert float(signal.sampling_rate.rescale("Hz")) == pytest.approx(2000.0)
        (event,) = segment.events
        assert event.times.rescale("ms").magnitude.tolist() == [0.0, 25.0]
    assert {group.name: len(group.spiketrains) for group in block.groups} == {"in: put": 8, "winners": 10, "winners.basket": 2, "silent": 4}


def test_what_went_to_neo_comes_back_as_a_stimulus(recording: Recording) -> None:
    pytest.importorskip("neo", reason=EXTRA)
    block = recording.to_neo()
    made = spikes_from(block, dt=0.5)
    assert made.shape == (120, 2, 4 + 5 + 1 + 2)
    np.testing.assert_array_equal(made[:, :, :4], recording["in: put"].dense(120, 2))
    one = spikes_from(block.segments[1].spiketrains[:4], dt=0.5)
    np.testing.assert_array_equal(one, recording["in: put"].dense(120, 2)[:, 1])
    played = simulate(_of(4), {"a": made[:, :, :4]}, 120)
    assert played["a"].step.tolist() == recording["in: put"].step.tolist()


def _of(cells: int) -> Network:
    net = Network(dt=0.5)
    net.add(Population("a", cells))
    return net


def test_pandas_has_a_row_for_each_spike(recording: Recording) -> None:
    pytest.importorskip("pandas", reason=EXTRA)
    table = recording.to_pandas()
    assert table.groupby("population", observed=False).size().to_dict() == {name: len(s) for name, s in recording.spikes.items()}
    own = table[table.population == "winners"]
    for part in ("step", "batch", "cell"):
        assert own[part].tolist() == getattr(recording["winners"], part).tolist()
    assert own.time.tolist() == (recording["winners"].step * 0.5).tolist()


def test_nwb_keeps_all_of_a_recording(recording: Recording, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason=EXTRA)
    path = recording.to_nwb(tmp_path / "run.nwb")
    assert contents(Recording.from_nwb(path)) == contents(recording)
    assert [file.name for file in tmp_path.iterdir()] == ["run.nwb"]


def test_nwb_is_read_by_pynwb_and_has_its_units(recording: Recording, tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb", reason=EXTRA)
    path = recording.to_nwb(tmp_path / "run.nwb")
    assert pynwb.validate(path=str(path)) in ([], None, ([], 0))
    with pynwb.NWBHDF5IO(str(path), "r") as source:
        units = source.read().units
        table = units.to_dataframe()
    own = table[(table.population == "winners") & (table.batch == 1) & (table.cell == 2)]
    spikes = recording["winners"].between(0, 120, 1)
    np.testing.assert_allclose(own.spike_times.iloc[0], spikes.step[spikes.cell == 2] * 0.0005)
    assert len(table) == 2 * (4 + 5 + 1 + 2)


def test_neo_reads_the_nwb_file(recording: Recording, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason=EXTRA)
    neo = pytest.importorskip("neo", reason=EXTRA)
    path = recording.to_nwb(tmp_path / "run.nwb")
    trains = neo.io.NWBIO(str(path), mode="r").read_block().segments[0].spiketrains
    cells = [spikes.step[spikes.cell == 0] for spikes in (recording["in: put"].between(0, 120, item) for item in (0, 1))]
    made = spikes_from([trains[0], trains[4]], dt=0.5, steps=120, start=0.0)
    assert [np.flatnonzero(made[:, n]).tolist() for n in (0, 1)] == [cell.tolist() for cell in cells]


@pytest.mark.parametrize("dt", [0.1, 1 / 3, 2.5])
def test_no_step_is_lost_in_seconds(tmp_path: Path, dt: float) -> None:
    pytest.importorskip("pynwb", reason=EXTRA)
    rng, last = np.random.default_rng(0), 2**31 - 2
    step = np.unique([0, last - 1, *rng.integers(last, size=2000), *rng.integers(10_000, size=1000)])
    made = Recording(dt, last, 2, {"a": Spikes(step, rng.integers(2, size=len(step)), rng.integers(3, size=len(step)), 3)})
    assert contents(Recording.from_nwb(made.to_nwb(tmp_path / "a.nwb"))) == contents(made)


@pytest.mark.parametrize("damage", [b"", b"nothing of HDF5", None])
def test_what_is_no_recording_is_one_error(damage: bytes | None, recording: Recording, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason=EXTRA)
    path = recording.to_nwb(tmp_path / "run.nwb")
    path.write_bytes(path.read_bytes()[:5000] if damage is None else damage)
    with pytest.raises(SnapshotError, match=r"run\.nwb"):
        from_nwb(path)
    with pytest.raises(SnapshotError, match="no such file"):
        from_nwb(tmp_path / "none.nwb")


def test_nwb_of_others_is_named_with_the_way_to_read_it(tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb", reason=EXTRA)
    from datetime import UTC, datetime

    path = tmp_path / "theirs.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as out:
        out.write(pynwb.NWBFile("a session", "1", datetime.now(UTC)))
    with pytest.raises(SnapshotError, match=r"not written by spikemem.*NWBIO"):
        Recording.from_nwb(path)


@pytest.mark.parametrize(("call", "missing"), [(to_neo, "neo"), (to_pandas, "pandas"), (lambda r: to_nwb(r, "a.nwb"), "pynwb")])
def test_a_missing_library_is_named_with_its_extra(call: Any, missing: str, recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=rf'{missing} comes with the "analysis" extra: pip install "spikemem\[analysis\]"'):
        call(recording)

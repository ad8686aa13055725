"""Spike trains and events of others as stimuli."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, Network, Population, simulate
from spikemem.errors import StimulusError
from spikemem.formats import spikes_from, spikes_from_events
from spikemem.network import all_to_all

TONIC = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])


def test_times_fall_into_the_step_that_holds_them() -> None:
    made = spikes_from([[0.0, 0.3, 0.99], [0.6], []], dt=0.3)  # .3 / .3 and .6 / .3 are rounded in float64
    assert made.shape == (4, 3)
    assert np.argwhere(made).tolist() == [[0, 0], [1, 0], [2, 1], [3, 0]]
    assert spikes_from([[0.1 * n for n in range(1000)]], dt=0.1).all()
    assert spikes_from([[105.0]], start=100.0, steps=8).nonzero()[0].tolist() == [5]


def test_they_drive_a_network() -> None:
    net = Network(dt=1.0)
    net.add(Population("theirs", 2))
    net.add(Population("ours", 1, LIF(tau=20.0)))
    net.connect("theirs", "ours", all_to_all(1.5), delay=2.0)
    recording = simulate(net, {"theirs": spikes_from([[3.0], [11.5]], steps=20)}, 20)
    assert recording["theirs"].step.tolist() == [3, 11]
    assert recording["ours"].step.tolist() == [5, 13]


def test_units_and_starts_are_neos() -> None:
    neo = pytest.importorskip("neo", reason="the analysis extra is not installed")
    trains = [
        neo.SpikeTrain([2.001, 2.0049], units="s", t_start=2.0, t_stop=2.01),
        neo.SpikeTrain([], units="ms", t_start=2000, t_stop=2010),
    ]
    made = spikes_from(trains)
    assert made.shape == (10, 2)
    assert np.argwhere(made).tolist() == [[1, 0], [4, 0]]
    segment = neo.Segment()
    segment.spiketrains.extend(trains)
    np.testing.assert_array_equal(spikes_from(segment), made)
    with pytest.raises(StimulusError, match="is one spike train"):
        spikes_from(trains[0])


@pytest.mark.parametrize(
    ("given", "options", "clue"),
    [
        ([[5.0]], {"steps": 5}, r"spike train 0 has a spike 5 ms, outside 0 to 5 ms; give more `steps`"),
        ([[], [-1.0]], {}, "spike train 1 has a spike -1 ms, outside 0"),
        ([[5.2, 5.7]], {}, r"two spikes in the step at 5 ms; a step of 1 ms holds one: take a smaller dt, or merge=True"),
        ([], {}, "at least one"),
        ([[[1.0]]], {}, "spike train 0, times in ms"),
        ([[1e300]], {}, "give times of less than"),
        ("spikes", {}, "give a neo.Segment"),
        ([[1.0]], {"merge": 1}, "merge is 1"),
    ],
)
def test_what_does_not_fit_is_named(given: Any, options: dict[str, Any], clue: str) -> None:
    with pytest.raises(StimulusError, match=clue):
        spikes_from(given, **options)


def test_two_spikes_of_a_step_may_be_merged() -> None:
    assert np.flatnonzero(spikes_from([[5.2, 5.7, 8.0]], merge=True)).tolist() == [5, 8]


# -- events ----------------------------------------------------------------------------------------------------------------------------


def events(n: int = 500, width: int = 6, height: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = np.zeros(n, TONIC)
    made["x"], made["y"], made["p"] = rng.integers(width, size=n), rng.integers(height, size=n), rng.integers(2, size=n)
    made["t"] = np.sort(rng.integers(40_000, 90_000, size=n))
    return made


def test_each_event_is_a_spike_of_its_pixel() -> None:
    given = events()
    made = spikes_from_events(given, (6, 4, 2))
    frames = made.reshape(len(made), 2, 4, 6)
    expected = {((t - given["t"][0]) // 1000, p, y, x) for x, y, t, p in given.tolist()}
    assert {tuple(at) for at in np.argwhere(frames).tolist()} == expected
    assert spikes_from_events(given, (6, 4, 2), dt=0.5, steps=200).shape == (200, 48)


def test_events_of_an_ear_have_no_height_and_no_polarity() -> None:
    made = spikes_from_events(np.array([(3, 10, 1), (0, 2010, 1)], [("x", int), ("t", int), ("p", int)]), (5, 1, 1))
    assert np.argwhere(made).tolist() == [[0, 3], [2, 0]]


@pytest.mark.parametrize(
    ("change", "options", "clue"),
    [
        ({"x": 6}, {}, "the field 'x' of events goes from 0 to 6, outside 0 to 5"),
        ({"t": 10}, {}, "earlier than the first"),
        ({"t": 140_500}, {"steps": 100}, "the run ends after 100 ms"),
        ({}, {"sensor_size": (6, 4)}, "has 2 numbers"),
        ({}, {"sensor_size": (6, 4, 0)}, "at least 1"),
    ],
)
def test_events_that_do_not_fit_are_named(change: dict[str, int], options: dict[str, Any], clue: str) -> None:
    given = events()
    for field, value in change.items():
        given[field][-1] = value
    with pytest.raises(StimulusError, match=clue):
        spikes_from_events(given, **{"sensor_size": (6, 4, 2), **options})


@pytest.mark.parametrize("given", [np.zeros(3), np.zeros(3, [("x", int), ("t", int), ("p", int)]), [1, 2], None])
def test_what_are_no_events_is_said(given: Any) -> None:
    with pytest.raises(StimulusError, match="give those of Tonic"):
        spikes_from_events(given, (6, 4, 2))


@pytest.mark.slow  # of importing Tonic
def test_frames_are_tonics() -> None:
    transforms = pytest.importorskip("tonic.transforms", reason="the events extra is not installed")
    given = events()
    counted = transforms.ToFrame(sensor_size=(6, 4, 2), time_window=1000.0, include_incomplete=True)(given)
    made = spikes_from_events(given, (6, 4, 2), steps=len(counted))
    np.testing.assert_array_equal(made.reshape(counted.shape), counted > 0)


@pytest.mark.slow  # of importing Tonic
def test_a_file_of_n_mnist(tmp_path: Path) -> None:
    """Written here in the data set's format, five bytes an event; Tonic's reader gives it."""
    reader = pytest.importorskip("tonic.io", reason="the events extra is not installed")
    given = events(width=34, height=34)
    given["t"] -= given["t"][0]
    raw = b"".join(struct.pack(">BBBH", x, y, p << 7 | t >> 16, t & 0xFFFF) for x, y, t, p in given.tolist())
    (tmp_path / "00001.bin").write_bytes(raw)
    found = reader.read_mnist_file(str(tmp_path / "00001.bin"), dtype=TONIC)
    np.testing.assert_array_equal(spikes_from_events(found, (34, 34, 2)), spikes_from_events(given, (34, 34, 2)))


@pytest.mark.slow  # of importing Tonic
def test_a_file_in_aedat(tmp_path: Path) -> None:
    """AEDAT 2.0 of a DAVIS346: an address and a time in microseconds an event, big-endian; Tonic's reader gives it."""
    reader = pytest.importorskip("tonic.io", reason="the events extra is not installed")
    given = events(width=346, height=260)
    raw = b"".join(struct.pack(">II", (259 - y) << 22 | (345 - x) << 12 | p << 11, t) for x, y, t, p in given.tolist())
    (tmp_path / "hand.aedat").write_bytes(b"#!AER-DAT2.0\r\n# a DAVIS346\r\n" + raw)
    sensor, _, found = reader.read_davis_346(str(tmp_path / "hand.aedat"))
    made = spikes_from_events(found, (*sensor, 2))
    np.testing.assert_array_equal(made, spikes_from_events(given, (346, 260, 2)))
    assert made.any(axis=1).sum() > 40

"""What is read into a hippocampus is followed by compiled code, and so is checked first: each index, size and shape."""

import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from spikemem import Hippocampus, Recording, load_model, load_network, snapshot
from spikemem.errors import SnapshotError, SpecError
from spikemem.hippocampus.hippocampus import FORMAT
from tests.fakes import units


@pytest.fixture(scope="module")
def stored() -> Hippocampus:
    memory = Hippocampus(load_model("hippocampus-small"))
    memory.associate(memory.store(units(4))[:2], [1, 2])
    return memory


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("codes", lambda a: np.full_like(a, 65535), "codes: 65535 to 65535, which reaches outside 0 to"),
        ("memory", lambda a: a + 2**40, "memory: .* reaches outside"), ("memory", lambda a: -a - 1, "memory: .* reaches outside"),
        ("content", lambda a: a + 9, "content: .* reaches outside"), ("content", lambda a: a * 0, "memory: |content: "),
        ("links", lambda a: a + 10, "links: .* reaches outside"), ("links", lambda a: a.ravel(), "links: shape"),
        ("alive", lambda a: a[:2], "alive: shape"), ("alive", lambda a: a.astype(np.int64), "alive: int64"),
        ("counts", lambda a: a[:, :7], "counts: shape"), ("counts", lambda a: a.astype(np.int64) + 1000, "counts: .* reaches outside"),
        ("mean", lambda a: a + np.nan, "mean: NaN"), ("mean", lambda a: a + 1e300, "more than volleys can have"),
        ("covariance", lambda a: a[:2], "covariance: shape"), ("seen", lambda a: a - 5.5, "seen is"),
        ("session", lambda a: a - 7, "session: .* reaches outside"), ("when", lambda a: a * 0 + 1e300, "when: .*1970|when"),
        ("words_ptr", lambda a: a + 1, "words_ptr: "), ("cue", lambda a: a[:0], "cue: shape"),
    ],
)  # fmt: skip
def test_a_snapshot_with_a_right_checksum_is_checked_all_the_same(
    stored: Hippocampus, tmp_path: Path, name: str, value: object, message: str
) -> None:
    arrays = stored.arrays()
    arrays[name] = np.where(np.isnan(arrays[name]), 1e300, arrays[name]) if name == "when" else value(arrays[name])  # type: ignore[operator]
    head = {"format": FORMAT, "spec": stored.spec.model_dump(), "seed": 0}
    path = snapshot.save_arrays(tmp_path / "altered.safetensors", arrays, head)
    with pytest.raises(SnapshotError, match=message):
        Hippocampus.load(path)


@pytest.mark.parametrize("change", [{"spec": 3}, {"spec": {"other": 1}}, {"seed": "many"}, {"seed": -1}, {"spec": {"ec": {"dim": 10**9}}}])
def test_a_head_that_says_something_else_is_named(stored: Hippocampus, tmp_path: Path, change: dict[str, object]) -> None:
    head = {"format": FORMAT, "spec": stored.spec.model_dump(), "seed": 0, **change}
    path = snapshot.save_arrays(tmp_path / "altered.safetensors", stored.arrays(), head)
    with pytest.raises(SnapshotError, match="holds no hippocampus that can be used"):
        Hippocampus.load(path)


def test_arrays_that_are_missing_are_named(stored: Hippocampus) -> None:
    with pytest.raises(SnapshotError, match="lack 'codes'"):
        Hippocampus.of(stored.spec, {name: array for name, array in stored.arrays().items() if name != "codes"})


def bomb(path: Path, data: bytes) -> Path:
    """A small file that unfolds to much."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("head.npy", data)
    return path


def header(shape: str) -> bytes:
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def test_a_recording_that_promises_more_than_it_holds_is_refused_before_room_is_made(tmp_path: Path) -> None:
    path, began = bomb(tmp_path / "a.npz", header("(100000000000,)")), time.monotonic()
    with pytest.raises(SnapshotError, match="does not fit its 0 bytes"):
        Recording.load(path)
    assert time.monotonic() - began < 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is told in other units elsewhere")
def test_a_recording_that_unfolds_to_gigabytes_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.npz", b"\0" * (2**28 + 1))
    script = "import resource, sys; from spikemem import Recording\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\ntry: " \
        "Recording.load(sys.argv[1])\nexcept Exception as e: print(type(e).__name__)\n" \
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)"  # fmt: skip
    made = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    name, megabytes = made.stdout.split()
    assert name == "SnapshotError"
    assert float(megabytes) < 200


NETWORK = """kind = "network"
name = "large"
inputs = ["a"]
[neurons.cell]
model = "LIF"
[populations.a]
size = {size}
neuron = "cell"
[[projections]]
pre = "a"
post = "a"
wiring = "{wiring}"
weight = 1.0
"""


@pytest.mark.parametrize(
    ("size", "wiring", "message"),
    [(2**64, "one_to_one", "cells; a file may ask for 262,144"), (2**17, "all_to_all", "17179869184 synapses; .* 8,388,608"),
     (10**30, "all_to_all", "cells")],
)  # fmt: skip
def test_a_network_file_of_a_few_lines_fills_no_memory(tmp_path: Path, size: int, wiring: str, message: str) -> None:
    path, began = tmp_path / "large.toml", time.monotonic()
    path.write_text(NETWORK.format(size=size, wiring=wiring))
    with pytest.raises(SpecError, match=message):
        load_network(path)
    assert time.monotonic() - began < 1


def test_a_file_of_deep_lists_is_named(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(SpecError, match="is no valid TOML"):
        load_model(path)
    path.write_text("#" * 2**21)
    with pytest.raises(SpecError, match="longer than 1,048,576 bytes"):
        load_model(path)
    arrays = {"a": np.zeros(1)}
    deep = '{"format": ' + "[" * 100_000 + "]" * 100_000 + "}"
    snapshot.save_file(arrays, tmp_path / "deep.st", metadata={"head": deep, "sha256": snapshot._digest(arrays, deep)})
    with pytest.raises(SnapshotError, match="no spikemem snapshot"):
        snapshot.load_arrays(tmp_path / "deep.st", "any")

"""Snapshots: what was saved comes back, and nothing else does."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from spikemem.errors import SnapshotError
from spikemem.snapshot import Arrays, load_arrays, save_arrays

FORM = "test-1"
DTYPES = [np.uint64, np.int64, np.int32, np.uint8, np.float32, np.float64, np.bool_]
numbers = st.sampled_from(DTYPES).flatmap(lambda dtype: arrays(dtype, array_shapes(min_dims=0, min_side=0)))


def contents(stored: Arrays) -> dict[str, tuple[Any, ...]]:
    return {name: (a.dtype, a.shape, a.tobytes()) for name, a in stored.items()}


def small(path: Path) -> bytes:
    """Save three small arrays; returns the file."""
    stored: Arrays = {"weights": np.linspace(0, 1, 9), "bits": np.array([[3], [2**63]], np.uint64), "none": np.zeros((0, 4), np.int32)}
    return save_arrays(path, stored, {"format": FORM, "name": "Ammon's horn"}).read_bytes()


@pytest.mark.slow
@given(st.dictionaries(st.text("abcxyz/._", min_size=1), numbers), st.dictionaries(st.text(), st.integers() | st.text()))
def test_arrays_and_head_come_back(
    tmp_path_factory: pytest.TempPathFactory, stored: dict[str, NDArray[Any]], head: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "s.safetensors"
    found, found_head = load_arrays(save_arrays(path, stored, {**head, "format": FORM}), FORM)
    assert found_head == {**head, "format": FORM}
    assert contents(found) == contents(stored)


def test_strided_arrays_come_back(tmp_path: Path) -> None:
    array = np.arange(12.0).reshape(3, 4)
    found, _ = load_arrays(save_arrays(tmp_path / "s", {"t": array.T, "s": array[:, ::2]}, {"format": FORM}), FORM)
    np.testing.assert_array_equal(found["t"], array.T)
    np.testing.assert_array_equal(found["s"], array[:, ::2])


def test_a_snapshot_replaces_the_one_before_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    small(path)
    save_arrays(path, {"new": np.ones(2)}, {"format": FORM})
    assert [*load_arrays(path, FORM)[0]] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["s.safetensors"]


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_anywhere_is_found(tmp_path: Path, bit: int) -> None:
    path = tmp_path / "s.safetensors"
    whole = small(path)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
        with pytest.raises(SnapshotError, match=r"s\.safetensors"):
            load_arrays(path, FORM)


def test_a_truncated_or_lengthened_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    whole = small(path)
    for altered in (*(whole[:length] for length in range(len(whole))), whole + b"\0", whole + whole):
        path.write_bytes(altered)
        with pytest.raises(SnapshotError, match=r"s\.safetensors"):
            load_arrays(path, FORM)


def test_a_text_file_is_no_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing to restore\n" * 50)
    with pytest.raises(SnapshotError, match=r"notes\.txt is no spikemem snapshot"):
        load_arrays(path, FORM)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"no\.safetensors cannot be read"):
        load_arrays(tmp_path / "no.safetensors", FORM)


def test_another_format_is_refused(tmp_path: Path) -> None:
    small(tmp_path / "s")
    with pytest.raises(SnapshotError, match="has format 'test-1', not 'test-2'"):
        load_arrays(tmp_path / "s", "test-2")

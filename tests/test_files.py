"""Files are written whole or not at all."""

import os
from pathlib import Path

import pytest

from spikemem._files import whole


def test_a_file_appears_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    with whole(file) as draft:
        draft.write_text("after")
        assert file.read_text() == "before"
    assert file.read_text() == "after"
    assert list(tmp_path.iterdir()) == [file]


def test_two_write_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with whole(file) as first, whole(file) as second:
        first.write_text("first")
        second.write_text("second")
    assert file.read_text() == "first"  # whose block ended last
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    with pytest.raises(TypeError), whole(file) as draft:
        draft.write_text("aft") + "er"  # type: ignore[operator]
    with pytest.raises(FileNotFoundError), whole(file):  # nothing was written
        pass
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_the_disk_has_the_draft_before_its_name_and_the_name_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, synced, sync = tmp_path / "file", list[tuple[bool, bool]](), os.fsync

    def told(descriptor: int) -> None:
        synced.append((os.path.isdir(descriptor), file.exists()))  # noqa: PTH112 (a descriptor)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", told)
    with whole(file) as draft:
        draft.write_text("x")
    assert synced == [(False, False), (True, True)][: len(synced)]
    assert len(synced) == (1 if os.name == "nt" else 2)

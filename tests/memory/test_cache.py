"""Vectors on disk: embedded once, never mixed up, whole after a kill or damage."""

import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem.errors import DataError
from spikemem.memory import cache
from spikemem.memory.cache import CachedEmbedder
from spikemem.memory.embed import Progress
from tests.fakes import FakeEmbedder, embed_forever

TEXTS = ["one", "two", "three", "two", "naïve ☃"]


class Counting(FakeEmbedder):
    """Remembers the texts that it embedded."""

    def __init__(self, name: str = "fake", dim: int = 8) -> None:
        super().__init__(name, dim)
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        self.seen += texts
        return super().embed(texts)


def test_a_text_is_embedded_once_and_found_again(tmp_path: Path) -> None:
    embedder = Counting()
    expected = FakeEmbedder(dim=8).embed(TEXTS)
    first = CachedEmbedder(embedder, tmp_path)
    np.testing.assert_array_equal(first.embed(TEXTS), expected)
    np.testing.assert_array_equal(first.embed(TEXTS[::-1]), expected[::-1])
    np.testing.assert_array_equal(CachedEmbedder(embedder, tmp_path).embed(TEXTS), expected)
    assert sorted(embedder.seen) == sorted(set(TEXTS))
    assert first.embed([]).shape == (0, 8)
    assert (first.name, first.dim) == ("fake", 8)


def test_blocks_are_written_as_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "BLOCK", 2)
    reports: list[tuple[int, int]] = []
    CachedEmbedder(Counting(), tmp_path).embed(["a", "b", "c", "d", "e"], lambda done, total: reports.append((done, total)))
    assert reports == [(2, 5), (4, 5), (5, 5)]
    assert len(list(tmp_path.rglob("*.npz"))) == 3
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("names", [("a/b", "a_b"), ("x", "y")])
def test_models_do_not_share_vectors(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        embedder = Counting(name)
        CachedEmbedder(embedder, tmp_path).embed(["one"])
        assert embedder.seen == ["one"]


def test_a_model_of_another_dimension_is_embedded_anew(tmp_path: Path) -> None:
    CachedEmbedder(Counting(dim=8), tmp_path).embed(["one"])
    assert CachedEmbedder(Counting(dim=9), tmp_path).embed(["one"]).shape == (1, 9)


def damaged(content: bytes) -> list[bytes]:
    """Empty, cut short, something else, a bit of the last vector flipped, and of the first key."""
    middle = bytearray(content)
    middle[len(content) // 2] ^= 1
    early = bytearray(content)
    early[200] ^= 1
    return [b"", content[: len(content) // 2], content[:-1], b"not vectors", bytes(middle), bytes(early)]


@pytest.mark.parametrize("kind", range(6))
def test_a_damaged_file_is_embedded_anew(kind: int, tmp_path: Path) -> None:
    CachedEmbedder(Counting(), tmp_path).embed(TEXTS)
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(damaged(file.read_bytes())[kind])
    embedder = Counting()
    np.testing.assert_array_equal(CachedEmbedder(embedder, tmp_path).embed(TEXTS), FakeEmbedder(dim=8).embed(TEXTS))
    assert sorted(embedder.seen) == sorted(set(TEXTS))
    again = Counting()
    CachedEmbedder(again, tmp_path).embed(TEXTS)
    assert not again.seen


@pytest.mark.slow
def test_no_flipped_bit_gives_a_wrong_vector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda file: None)
    CachedEmbedder(Counting(), tmp_path).embed(TEXTS)
    (file,) = tmp_path.rglob("*.npz")
    content, expected = file.read_bytes(), FakeEmbedder(dim=8).embed(TEXTS)
    for place in range(len(content)):
        for old in tmp_path.rglob("*.npz"):
            old.unlink()
        file.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        np.testing.assert_array_equal(CachedEmbedder(Counting(), tmp_path).embed(TEXTS), expected)


def test_vectors_that_are_not_finite_are_embedded_anew(tmp_path: Path) -> None:
    CachedEmbedder(Counting(), tmp_path).embed(["one"])
    (file,) = tmp_path.rglob("*.npz")
    with np.load(file) as block:
        keys, vectors = block["keys"], block["vectors"]
    np.savez(file, keys=keys, vectors=vectors * np.nan)
    assert np.isfinite(CachedEmbedder(Counting(), tmp_path).embed(["one"])).all()


def test_a_failed_write_is_an_error_and_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = CachedEmbedder(Counting(), tmp_path)
    embedder.embed(["one"])

    def full(*args: object, **kwargs: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match=r"no space left.*give another folder"):
        embedder.embed(["two"])
    monkeypatch.undo()
    fresh = Counting()
    CachedEmbedder(fresh, tmp_path).embed(["one", "two"])
    assert fresh.seen == ["two"]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="give another folder"):
        CachedEmbedder(Counting(), tmp_path / "file")


def test_what_was_returned_survives_a_kill(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spikemem", "tests.fakes"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=embed_forever, args=(tmp_path, theirs))
    process.start()
    theirs.close()
    embedded: list[str] = []
    try:
        for _ in range(20):
            embedded += ours.recv()
    finally:
        process.kill()
        process.join()
    embedder = Counting(dim=384)
    np.testing.assert_array_equal(CachedEmbedder(embedder, tmp_path).embed(embedded), FakeEmbedder().embed(embedded))
    assert not embedder.seen

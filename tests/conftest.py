"""Fixtures shared by the tests of the memory floors."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spikemem import Memory, ModelSpec, load_model
from spikemem.memory.embed import Embedder
from tests.fakes import FakeEmbedder

Open = Callable[..., Memory]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test cuts the power; `test_files` looks at what is flushed, and SQLite flushes by itself."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(scope="session")
def small() -> ModelSpec:
    return load_model("hippocampus-small")


@pytest.fixture(scope="session")
def small_text(small: ModelSpec) -> ModelSpec:
    """hippocampus-text in the size of hippocampus-small."""
    text = load_model("hippocampus-text")
    dg = text.dg.model_copy(update={"cells": small.dg.cells, "winners": small.dg.winners})
    return text.model_copy(update={"dg": dg, "ca3": small.ca3, "load": small.load})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a memory may be kept."""
    return tmp_path / "memory.db"


@pytest.fixture
def open_memory(path: Path) -> Iterator[Open]:
    """Opens the memory at `path` with a fake embedder, and closes it after the test."""
    opened: list[Memory] = []

    def open_(embedder: Embedder | None = None, readonly: bool = False, model: str | ModelSpec = "hippocampus-small") -> Memory:
        opened.append(Memory.open(path, model, embedder=embedder or FakeEmbedder(), readonly=readonly))
        return opened[-1]

    yield open_
    for memory in opened:
        memory.close()

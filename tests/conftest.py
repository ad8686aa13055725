"""Fixtures shared by the tests of the memory floors."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from spikemem import Memory, ModelSpec, load_model
from spikemem.memory.embed import Embedder
from tests.fakes import FakeEmbedder

Open = Callable[..., Memory]

settings.register_profile("suite", deadline=None, derandomize=True)  # a machine that is busy fails no test, nor does an unlucky draw
settings.register_profile("drawn", deadline=None)  # `--hypothesis-profile=drawn` looks for what no draw has shown yet
settings.load_profile("suite")

FIRST = ("report/test_demo", "crosscheck/test_toys", "crosscheck/test_contract", "training/test_babi", "training/test_shipped_weights")
"""Files with the longest tests, which would keep one worker busy alone if they came last."""
APART = ("test_validate", "test_contract", "test_toys", "test_fingerprint", "test_spike_cam", "test_data", "test_compare_regions")
"""Files whose tests share no fixture that is dear: each may run in another worker, while those of another file stay in one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow comes first, file by file: with `--no-loadscope-reorder` no worker is left with it at the end."""
    named = {item.path: f"{item.path.parent.name}/{item.path.stem}" for item in items}
    slow, place = {item.path for item in items if item.get_closest_marker("slow")}, {path: n for n, path in enumerate(named)}
    items.sort(
        key=lambda item: (named[item.path] not in FIRST, item.path not in slow, place[item.path], not item.get_closest_marker("slow"))
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadfile`, but for the files of `APART`."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrTest(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return nodeid if Path(file).stem in APART else file

    return ByFileOrTest(config, log)


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

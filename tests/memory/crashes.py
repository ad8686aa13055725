"""Crashes of a process that writes a memory: kills, power cuts, failing disks and interrupts. What it has acknowledged is there afterwards.

    python -m tests.memory.crashes --kills 1000 --cuts 200 --faults 200 --interrupts 500 --threads 10 --seconds 120

A kill ends the process at a random moment. A power cut keeps of each file what was flushed, and of the sectors written since then a random
part; a disk that fails answers a write or flush with EIO or ENOSPC, once or from then on (`disk.c` is preloaded for both). Then 2,000 mixed
calls of 16 threads, as often as `--threads` says, and a writer with readers beside it for some seconds. The suite runs a few of each.
"""

import argparse
import errno
import itertools
import json
import multiprocessing
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikemem import Memory
from spikemem.errors import SpikememError
from spikemem.memory import check
from tests.fakes import FakeEmbedder
from tests.memory.test_memory import agrees
from tests.memory.test_sharing import THREADS, interrupted, mixed_calls, processes

HERE = Path(__file__).parent
HEAD = struct.Struct("=c3xIqq")
SECTOR = 512
WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload(["tests.memory.warm"])
"""Processes that begin with everything imported, and the kernels loaded."""


# -- the process that is ended ---------------------------------------------------------------------------------------------------------


def write_on(folder: Path, seed: int, calls: int) -> None:
    """Call a memory at random, and write a line before and after each call: what is to be done, and what came of it."""
    rng = random.Random(seed)
    with (folder / "log.acks").open("a", buffering=1, encoding="utf-8") as acks:

        def told(**what: Any) -> None:
            acks.write(json.dumps(what) + "\n")

        with Memory.open(folder / "memory.db", "hippocampus-small", embedder=FakeEmbedder()) as memory:
            told(opened=len(memory))
            for n in range(calls) if calls else itertools.count():
                _call(memory, folder, rng, f"{seed} {n}", told)


def _call(memory: Memory, folder: Path, rng: random.Random, name: str, told: Any) -> None:
    ids, current = list(memory), [record.id for record in memory.list()]
    verbs = ["store", "store_all", "conversation", "forget", "associate", "consolidate", "update", "backup", "import", "restore"]
    verb = rng.choices(verbs, (6, 3, 3, 2, 2, 1, 3, 1, 1, 1))[0] if len(current) > 3 else "store_all"
    try:
        if verb == "store":
            told(ask=verb, texts=[name])
            told(done=verb, texts={memory.store(name, cues=[f"{name} ~cue"]): name})
        elif verb in ("store_all", "conversation"):
            texts = [f"Ada: {name} {i}" for i in range(3)]
            told(ask=verb, texts=texts)
            turns = [("Ada", f"{name} {i}") for i in range(3)]
            new = memory.store_all(texts) if verb == "store_all" else memory.store_conversation(turns)
            told(done=verb, texts=dict(zip(new, texts, strict=True)))
        elif verb == "forget":
            i = rng.choice(ids)
            told(ask=verb, id=i)
            memory.forget(i)
            told(done=verb, id=i)
        elif verb == "associate":
            a, b = rng.sample(current, 2)
            told(ask=verb, pair=[a, b])
            memory.associate(a, b)
            told(done=verb, pair=[a, b])
        elif verb == "consolidate":
            told(ask=verb)
            memory.consolidate()
            told(done=verb)
        elif verb == "update":
            i = rng.choice(current)
            told(ask=verb, id=i, texts=[name])
            new = memory.update(i, name)
            told(done=verb, id=i, texts={new: memory[new]})
        elif verb == "restore":
            old = [i for i in ids if i not in current]
            if old:
                told(ask=verb, id=old[0])
                memory.restore(old[0])
                told(done=verb, id=old[0])
        elif verb == "backup":
            told(ask=verb)
            memory.backup(folder / "copy.db", replace=True)
            told(done=verb, held=len(memory))
        elif verb == "import":
            records = list(memory.export(vectors=True))[:2]
            texts = [str(record["text"]) for record in records]
            told(ask=verb, texts=texts)
            told(done=verb, texts=dict(zip(memory.import_(records), texts, strict=True)))
    except SpikememError as error:
        told(failed=verb, error=str(error))


# -- what must be there ----------------------------------------------------------------------------------------------------------------


@dataclass
class Acknowledged:
    """What a process had told by the time it ended."""

    texts: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    superseded: dict[int, int] = field(default_factory=dict)
    links: set[tuple[int, int]] = field(default_factory=set)
    copy: int | None = None
    unsure: set[int] = field(default_factory=set)
    """Memories that the last call, of which nothing was told, may have forgotten, superseded or restored."""
    copying: bool = False

    @classmethod
    def of(cls, lines: list[dict[str, Any]]) -> "Acknowledged":
        """From the lines that it wrote."""
        made, open_ = cls(), dict[str, Any]()
        for line in lines:
            if "opened" in line:  # after a crash
                made.unsure |= {open_["id"]} if "id" in open_ else set()
                open_ = {}
            if "ask" in line:
                open_ = line
                made.copying = made.copying or line["ask"] == "backup"
            if "failed" in line:
                made.unsure |= {open_["id"]} if "id" in open_ else set()
                open_ = {}
            if "done" in line:
                made._take(line)
                open_ = {}
        made.unsure |= {open_["id"]} if "id" in open_ else set()
        return made

    def heir(self, i: int) -> int:
        """What stands in the place of a version: itself, or, where it was forgotten, what had superseded it."""
        while i in self.gone and i in self.superseded:
            i = self.superseded[i]
        return i

    def _take(self, line: dict[str, Any]) -> None:
        self.texts |= {int(i): text for i, text in line.get("texts", {}).items()}
        if line["done"] == "forget":
            self.gone.add(line["id"])
        elif line["done"] == "update":
            self.superseded[line["id"]] = int(next(iter(line["texts"])))
        elif line["done"] == "restore":
            self.superseded.pop(line["id"], None)
        elif line["done"] == "associate":
            self.links.add((line["pair"][0], line["pair"][1]))
        elif line["done"] == "backup":
            self.copy, self.copying = line["held"], False


def examine(folder: Path, lines: list[dict[str, Any]]) -> Acknowledged:
    """See that everything acknowledged is there, and that the file is whole; AssertionError where not."""
    told, path = Acknowledged.of(lines), folder / "memory.db"
    if not any("opened" in line for line in lines) and not path.exists():
        return told
    with Memory.open(path, "hippocampus-small" if not told.texts else None, embedder=FakeEmbedder()) as memory:
        held = {i: memory[i] for i in memory}
        for i, text in told.texts.items():
            if i not in told.gone and i not in told.unsure:
                assert held.get(i) == text, f"memory {i} is {held.get(i)!r}, not {text!r}"
        assert not told.gone & set(held), "what was forgotten is there"
        for old, new in told.superseded.items():
            if old in held and old not in told.unsure:
                assert memory.get(old).superseded_by == told.heir(new) or new in told.unsure, f"{old} is not superseded by {new}"
        lost = told.links - set(memory._store.links())
        assert not {pair for pair in lost if set(pair) <= set(held) - told.unsure}, f"links are lost: {lost}"
        if held:
            newest = max(held)
            if memory.get(newest).current:
                assert memory.recall(held[newest], top_k=1)[0].text == held[newest]
        memory.store("and it goes on")
    assert check(path).problems == ()
    if told.copy is not None and (folder / "copy.db").exists():
        with Memory.open(folder / "copy.db", embedder=FakeEmbedder(), readonly=True) as copy:
            assert told.copying or len(copy) == told.copy
    return told


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """The whole lines that a process wrote."""
    file = folder / "log.acks"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


# -- kills, cuts, faults ---------------------------------------------------------------------------------------------------------------


def start(folder: Path, seed: int, calls: int = 0, **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.memory.crashes", "--child", str(folder), str(seed), str(calls)]
    return subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE)


def kill(folder: Path, seed: int) -> int:
    """Kill a writer, and look; again, with the same file, where it was; returns how many calls it had acknowledged."""
    rng, process = random.Random(seed), WARM.Process(target=write_on, args=(folder, seed, 0))
    before, begun = len(lines_of(folder)), time.monotonic()
    process.start()
    while len(lines_of(folder)) == before and process.is_alive() and time.monotonic() < begun + 60:
        time.sleep(0.005)
    time.sleep(rng.expovariate(4.0))
    assert process.is_alive(), "the writer ended by itself"
    process.kill()
    process.join()
    lines = lines_of(folder)
    examine(folder, lines)
    return sum("done" in line for line in lines)


def kills(times: int, seed: int = 0) -> Iterator[int]:
    """Kill writers of a file, a fresh one after each fifteen."""
    for n in range(-(-times // 15)):
        with tempfile.TemporaryDirectory() as name:
            for k in range(min(15, times - 15 * n)):
                yield kill(Path(name), seed + 15 * n + k)


def built(folder: Path) -> Path:
    """The library that is preloaded."""
    library = folder / "disk.so"
    if not library.exists():
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / "disk.c"), "-ldl"], check=True)
    return library


def journal(file: Path) -> list[tuple[bytes, str, int, bytes]]:
    """Operations: kind, path, place, data."""
    raw, at, found = file.read_bytes(), 0, []
    while at + HEAD.size <= len(raw):
        op, name, place, size = HEAD.unpack_from(raw, at)
        at += HEAD.size
        path = raw[at : at + name].decode().removesuffix(" (deleted)")
        at += name
        data = raw[at : at + size] if op == b"w" else b""
        at += len(data)
        found.append((op, path, place, data))
    return found


def after_cut(operations: list[tuple[bytes, str, int, bytes]], rng: random.Random) -> dict[str, bytes]:
    """What is on the disk after a power cut: of each file what was flushed, and of the sectors written since then some."""
    kept, since = dict[str, bytearray](), dict[str, list[tuple[bytes, int, bytes]]]()
    for op, path, place, data in operations:
        if op == b"f":
            for change in since.pop(path, []):
                _apply(kept.setdefault(path, bytearray()), *change)
        elif op == b"u":
            kept.pop(path, None)
            since.pop(path, None)
        else:
            since.setdefault(path, []).append((op, place, data))
    for path, changes in since.items():
        for op, place, data in changes:
            if op == b"t" and rng.random() < 0.5:
                _apply(kept.setdefault(path, bytearray()), op, place, data)
            for sector in range(0, len(data), SECTOR):
                if path.endswith(".acks") or rng.random() < 0.5:
                    _apply(kept.setdefault(path, bytearray()), op, place + sector, data[sector : sector + SECTOR])
    return {path: bytes(content) for path, content in kept.items()}


def _apply(content: bytearray, op: bytes, place: int, data: bytes) -> None:
    if op == b"t":
        content.extend(bytes(max(0, place - len(content))))
        del content[place:]
    else:
        content.extend(bytes(max(0, place - len(content))))
        content[place : place + len(data)] = data


def cuts(times: int, seed: int = 0, calls: int = 40) -> Iterator[int]:
    """Let a writer work, then cut its power at random operations; twenty cuts a writer."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        library = built(root)
        for n in range(-(-times // 20)):
            folder, log = root / f"run{n}", root / f"journal{n}"
            folder.mkdir()
            process = start(folder, seed + n, calls, LD_PRELOAD=str(library), DISK_FOLDER=str(folder), DISK_JOURNAL=str(log))
            _, error = process.communicate(timeout=600)
            assert process.returncode == 0, error.decode()
            operations = journal(log)
            for k in range(min(20, times - 20 * n)):
                rng = random.Random(1000 * (seed + n) + k)
                rest = root / "after"
                shutil.rmtree(rest, ignore_errors=True)
                rest.mkdir()
                for path, content in after_cut(operations[: rng.randrange(len(operations))], rng).items():
                    if ".part" not in path and "copy.db" not in path:
                        (rest / Path(path).name).write_bytes(content)
                examine(rest, lines_of(rest))
                yield len(operations)


def faults(times: int, seed: int = 0, calls: int = 15) -> Iterator[int]:
    """Let a disk fail under a writer, once or from some operation on."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        library = built(root)
        for n in range(times):
            rng, folder = random.Random(seed + n), root / f"run{n}"
            folder.mkdir()
            code = rng.choice([errno.EIO, errno.ENOSPC]) * rng.choice([1, -1])
            fail = f"{rng.randrange(1, 400)} {code}"
            process = start(folder, seed + n, calls, LD_PRELOAD=str(library), DISK_FOLDER=str(folder), DISK_FAIL=fail)
            _, error = process.communicate(timeout=600)
            assert process.returncode in (0, 2), error.decode()  # 2: even opening it failed, with an error of ours
            lines = lines_of(folder)
            examine(folder, lines)
            shutil.rmtree(folder)
            yield sum("failed" in line for line in lines)


def main() -> None:
    """The command line."""
    if sys.argv[1:2] == ["--child"]:
        folder, seed, calls = sys.argv[2:]
        try:
            write_on(Path(folder), int(seed), int(calls))
        except SpikememError as error:
            sys.exit(f"{error}") if "DISK_FAIL" not in os.environ else sys.exit(2)
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("kills", 1000), ("cuts", 200), ("faults", 200), ("interrupts", 500), ("threads", 10), ("seconds", 120)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name, run in (("kills", kills), ("cuts", cuts), ("faults", faults)):
        done, begun, most = 0, time.monotonic(), 0
        for found in run(getattr(given, name), given.seed):
            done, most = done + 1, most + found
            if sys.stdout.isatty():
                print(f"\r{name}: {done} of {getattr(given, name)}", end="", flush=True)
        print(f"{name}: {done}, nothing that was acknowledged is lost ({most}, {time.monotonic() - begun:.0f} s)")
    with tempfile.TemporaryDirectory() as name:
        _shared(Path(name), given)


def _shared(folder: Path, given: argparse.Namespace) -> None:
    """Interrupts, threads and processes."""
    if given.interrupts:
        with Memory.open(folder / "interrupts.db", "hippocampus-small", embedder=FakeEmbedder()) as memory:
            memory.store_all([f"thought {i}" for i in range(35)])
            came = interrupted(memory, given.interrupts, given.seed)
        print(f"interrupts: {given.interrupts}, of which {came} came out of a call; RAM is equal to the disk")
    for seed in range(given.seed, given.seed + given.threads):
        path = folder / f"threads{seed}.db"
        with Memory.open(path, "hippocampus-small", embedder=FakeEmbedder()) as memory:
            there = mixed_calls(memory, seed, 2000 // THREADS)
            agrees(memory)
        with Memory.open(path, embedder=FakeEmbedder()) as again:
            assert {i: again[i] for i in again} == there
    if given.threads:
        print(f"threads: {THREADS} with {2000 // THREADS} calls each, {given.threads} times: nothing lost, nothing wrong, reopened equal")
    if given.seconds:
        processes(folder / "processes.db", given.seconds)
        print(f"processes: a writer with four threads and three readers for {given.seconds} s: nothing lost, nothing wrong")


if __name__ == "__main__":
    main()

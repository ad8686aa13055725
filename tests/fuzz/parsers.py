"""What is fuzzed: for each parser a folder of seeds, how a seed is altered, and how it is read and then used."""

import itertools
import json
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load_file, save_file

from spikemem import snapshot
from spikemem.errors import SpikememError
from tests.fuzz import alter

Try = Callable[[], object]
"""Reads an altered input, and uses what comes of it a little."""


class Parser(NamedTuple):
    """A parser.   tries: endless altered inputs, each written to the folder."""

    name: str
    tries: Callable[[random.Random, Path], Iterator[Try]]


def _text_tries(seeds: list[str], suffix: str, read: Callable[[Path], object], words: tuple[str, ...]) -> Any:
    """Tries of a text format: words replaced by other words and hostile literals, or bytes changed."""

    def tries(rng: random.Random, folder: Path) -> Iterator[Try]:
        path = folder / f"input{suffix}"
        while True:
            text = rng.choice(seeds)
            if rng.random() < 0.3:
                path.write_bytes(alter.octets(rng, text.encode()))
            else:
                for _ in range(rng.choice((1, 1, 2, 4))):
                    lines = text.split("\n")
                    at = rng.randrange(len(lines))
                    key, equals, value = lines[at].partition("=")
                    other = rng.choice(
                        (*words, repr(rng.choice(alter.NUMBERS)), json.dumps(rng.choice(alter.TEXTS)), "[" * 3000, "inf", "nan")
                    )
                    lines[at] = f"{key}{equals} {other}" if equals and value else rng.choice((lines[at] * 2, "", other))
                    text = "\n".join(lines)
                path.write_text(text, encoding="utf-8", errors="surrogatepass")
            yield lambda: read(path)

    return tries


def _model(path: Path) -> object:
    from spikemem import Hippocampus, load_model

    spec = load_model(path)
    words = 0 if spec.lex is None else spec.lex.cells
    bits = 64 if spec.engram is not None and spec.engram.plastic else 1
    large = bits * spec.dg.cells * (2 * spec.dg.cells + 4 * words) > 2**31  # synapses, which take what such a model says
    if spec.dg.cells * spec.ec.dim < 2**20 and not large:
        memory = Hippocampus(spec)
        memory.store(np.eye(2, spec.ec.dim) + 0.1)
        memory.recall(np.eye(1, spec.ec.dim) + 0.1)
    return spec.to_toml()


def _network(path: Path) -> object:
    from spikemem import load_network, simulate

    spec = load_network(path)
    net = spec.network()
    if sum(p.size for p in net.populations.values()) < 10_000 and spec.inputs:
        return simulate(net, spec.random_spikes(net, 3), 3)
    return net


def _models() -> list[Path]:
    from spikemem.network.modelfile import MODELS

    return sorted(MODELS.glob("*.toml"))


def model(rng: random.Random, folder: Path) -> Iterator[Try]:
    texts = [path.read_text(encoding="utf-8") for path in _models()]
    words = ("4096", "64", "1", "0.5", '"gates"', "true", "{}", "8192", "131072", "65536")
    small = texts[0] + "\n[ec]\ndim = 16\n[dg]\ncells = 256\nwinners = 8\nfan_in = 4\n[ca3]\ncore = 4\n"
    return _text_tries([*texts, 'name = "a"\n' + small.partition("\n[")[2].join(("[", ""))], ".toml", _model, words)(rng, folder)


def network(rng: random.Random, folder: Path) -> Iterator[Try]:
    texts = [t for t in (path.read_text(encoding="utf-8") for path in _models()) if 'kind = "network"' in t]
    words = ("18446744073709551616", "4294967296", "100000", "3", '"LIF"', '"sparse_random"', '"all_to_all"', "1e300", "true")
    return _text_tries(texts, ".toml", _network, words)(rng, folder)


# -- arrays in safetensors files, with right checksums ---------------------------------------------------------------------------------


def _arrays_tries(seed: Path, read: Callable[[Path], object], target: str | None = None) -> Callable[..., Iterator[Try]]:
    """Tries of a safetensors file: an array or the head altered under a right checksum, or bytes changed."""

    def tries(rng: random.Random, folder: Path) -> Iterator[Try]:
        raw, given = seed.read_bytes(), load_file(seed)
        length = struct.unpack("<Q", raw[:8])[0]
        head = json.loads(json.loads(raw[8 : 8 + length])["__metadata__"]["head"])
        path = folder / (target or "input.safetensors")
        while True:
            if rng.random() < 0.15:
                path.write_bytes(alter.octets(rng, raw))
            else:
                crafted = rng.random() < 0.6
                made = alter.arrays(rng, given) if crafted else given
                text = alter.written(head if crafted and rng.random() < 0.9 else alter.tree(rng, head))
                made = {name: np.asarray(a, order="C") for name, a in made.items()}
                save_file(made, path, metadata={"head": text, "sha256": snapshot._digest(made, text)})
            yield lambda: read(path)

    return tries


def snapshots(rng: random.Random, folder: Path) -> Iterator[Try]:
    from spikemem import Hippocampus, load_model
    from spikemem.hippocampus.regions.ec_lex import words
    from tests.fakes import units

    text, small = load_model("hippocampus-text"), load_model("hippocampus-small")
    tiny = {"cells": 256, "winners": 16, "fan_in": 4}
    spec = text.model_copy(
        update={
            "ec": small.ec.model_copy(update={"dim": 32}), "dg": small.dg.model_copy(update=tiny),
            "ca3": small.ca3.model_copy(update={"core": 8}), "lex": text.lex.model_copy(update={"cells": 512}) if text.lex else None,
        }
    )  # fmt: skip
    memory, vectors = Hippocampus(spec), units(6, dim=32)
    memory.store(vectors, words=[[words(f"boat {i}", 512)] for i in range(6)], sessions=[0, 0, 0, 1, 1, -1])
    memory.associate([0, 1], [1, 2])
    seed = memory.save(folder / "seed.safetensors")

    def read(path: Path) -> object:
        made = Hippocampus.load(path)
        made.store(units(1, dim=made.spec.ec.dim))
        made.consolidate()
        return made.recall(units(2, dim=made.spec.ec.dim), 3), made.recall_chain(units(1, dim=made.spec.ec.dim), 2)

    return _arrays_tries(seed, read)(rng, folder)


def states(rng: random.Random, folder: Path) -> Iterator[Try]:
    """States of runs, from which a run then goes on: compiled code follows what is in them."""
    from spikemem import LIF, STDP, Exponential, KWinners, Network, OrnsteinUhlenbeck, Population, Receptors, RewardSTDP, simulate
    from spikemem.network import Dense, Sparse, TsodyksMarkram, all_to_all
    from spikemem.simulators import RunState

    net, here = Network(dt=1.0), np.nonzero(np.random.default_rng(0).random((4, 6)) < 0.7)
    net.add(Population("a", 4, LIF(tau=5.0), inhibition=KWinners(k=2, cycle=10.0), noise=OrnsteinUhlenbeck(1.0, tau=5.0)))
    net.add(Population("b", 6, Receptors(LIF(refractory=2.0), x=Exponential(5.0), y=Exponential(9.0))))
    sparse = Sparse.from_coo(*here, np.full(len(here[0]), 0.5), (4, 6))
    net.connect("a", "b", sparse, plasticity=STDP(), receptor="x", short_term=TsodyksMarkram(U=0.5))
    net.connect("a", "b", sparse, plasticity=RewardSTDP(reward="a"), receptor="y")
    net.connect("a", "b", Dense(np.full((4, 6), 0.5)), delay=np.arange(1.0, 25.0).reshape(4, 6) % 7 + 1, plasticity=STDP(), receptor="x")
    net.connect("b", "a", all_to_all(0.1), delay=3.0)
    drive = {"a": np.full((1, 2, 4), 0.6)}
    seed = simulate(net, drive, 20).state.save(folder / "seed.safetensors")

    def read(path: Path) -> object:
        return simulate(net, drive, 20, start=RunState.load(path))

    return _arrays_tries(seed, read)(rng, folder)


def codes(rng: random.Random, folder: Path) -> Iterator[Try]:
    from spikemem.hippocampus.codes import VolleyCode, on_off, overshoot

    made = on_off(4, 3.0)
    seed = VolleyCode(made.cell, made.gain, np.full(8, 11.0), made.profile, made.common, made.efficacy, made.scale).save(folder / "seed.st")

    def read(path: Path) -> object:
        code = VolleyCode.load(path)
        return code.encode(np.ones((1, code.dim))), overshoot(code)

    return _arrays_tries(seed, read)(rng, folder)


def weights(rng: random.Random, folder: Path) -> Iterator[Try]:
    from spikemem import learn

    layer = learn.SpikingLayer(3)
    seed = learn.save(folder / "seed.safetensors", layer, note="a")
    return _arrays_tries(seed, lambda path: learn.load(path, layer))(rng, folder)


def checkpoint(rng: random.Random, folder: Path) -> Iterator[Try]:
    import torch
    from torch import nn

    from spikemem import learn
    from spikemem.learn.checkpoints import FILE

    data = (torch.ones(4, 2), torch.ones(4, 1))

    def fitted(epochs: int, place: Path) -> object:
        settings = learn.Settings(epochs=epochs, batch=2, device="cpu", checkpoint=place, of="a line")
        return learn.fit(
            nn.Linear(2, 1), data, lambda m, b: ((m(b[0]) - b[1]) ** 2).mean(), settings, progress=lambda done, whole: None,
            validate=lambda m: 1.0,
        )  # fmt: skip

    place = folder / "going-on"
    fitted(2, folder / "begun")
    place.mkdir()
    seed = folder / "begun" / FILE
    return _arrays_tries(seed, lambda path: fitted(2, place), f"going-on/{FILE}")(rng, folder)


# -- recordings ------------------------------------------------------------------------------------------------------------------------


def _npy(shape: str, dtype: str, data: bytes) -> bytes:
    """An npy file with any header."""
    head = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def recording(rng: random.Random, folder: Path) -> Iterator[Try]:
    from spikemem import LIF, STDP, KWinners, Network, Population, Recording, simulate
    from spikemem.network import all_to_all

    net = Network(1.0)
    net.add(Population("a", 3))
    net.add(Population("b", 2, LIF(), KWinners(k=1)))
    net.connect("a", "b", all_to_all(0.5), plasticity=STDP())
    made = simulate(net, {"a": np.full((30, 2, 3), 0.3)}, 30, record={"b": [0, 1]}).marked(gamma=[0, 25])
    seed = made.save(folder / "seed.npz")
    with np.load(seed) as file:
        given = {name: file[name] for name in file.files}
    head, path, bomb = json.loads(given["head"].tobytes()), folder / "input.npz", folder / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("head.npy", b"\0" * 3 * 10**8)

    def read() -> object:
        again = Recording.load(path)
        return [again[name].counts(again.batches) for name in again.spikes], repr(again), again.marked(x=[1])

    while True:
        match rng.randrange(6):
            case 0:
                path.write_bytes(alter.octets(rng, seed.read_bytes()))
            case 1:
                text = alter.written(alter.tree(rng, head)).encode()
                np.savez(path, **{**given, "head": np.frombuffer(text, np.uint8)})
            case 2:
                with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
                    shape = rng.choice(("(100000000000,)", "(10, 10, 10**9)", "()", "(-1,)", "(3,)", "[" * 500, "(2**40, 2**40)"))
                    dtype = rng.choice(("<f8", "|O", "<i4", "|V0", "<U9", "[('a', '<i4')]"))
                    file.writestr("head.npy", _npy(shape, dtype, b"\0" * rng.choice((0, 24, 1000))))
            case 3:
                shutil.copyfile(bomb, path)
            case _:
                np.savez(path, **alter.arrays(rng, given))
        yield read


# -- NIR -------------------------------------------------------------------------------------------------------------------------------


def nir_graphs(rng: random.Random, folder: Path) -> Iterator[Try]:
    import warnings

    import nir

    from spikemem import LIF, Network, Population, from_nir, simulate, to_nir
    from spikemem.network import all_to_all, sparse_random

    warnings.simplefilter("ignore")
    net = Network(1.0)
    net.add(Population("a", 3, LIF(20.0, reset=0.0)))
    net.add(Population("b", 2, LIF(10.0, reset=0.0, tau_syn=5.0)))
    net.connect("a", "b", all_to_all(0.5), delay=3.0)
    net.connect("b", "b", sparse_random(1))

    def altered(own: bool) -> Any:
        graph = to_nir(net) if own or rng.random() < 0.3 else _foreign_graph()
        if not own:
            graph.metadata = {}
        inner = [part for node in graph.nodes.values() if hasattr(node, "nodes") for part in (*node.nodes.values(), node)]
        for _ in range(rng.choice((1, 1, 3))):
            node = rng.choice([*graph.nodes.values(), *inner, graph])
            fields = {name: value for name, value in vars(node).items() if name not in ("nodes", "input_type", "output_type")}
            name = rng.choice(list(fields))
            value = fields[name]
            if isinstance(value, np.ndarray):
                made: Any = alter.array(rng, value)
            elif name == "metadata" and isinstance(value, dict) and isinstance(value.get("spikemem"), dict) and rng.random() < 0.9:
                text = value["spikemem"].get("text", "")
                known = json.loads(text) if text and len(text) < 10_000 else {}
                made = {"spikemem": {**value["spikemem"], "text": alter.written(alter.tree(rng, known))}}
            elif name == "edges":
                made = [*value[1:], (rng.choice(list(node.nodes)), rng.choice((*node.nodes, "nowhere")))]
            else:
                made = alter.hostile(rng)
            setattr(node, name, made)
            if rng.random() < 0.05:
                graph.nodes[rng.choice(list(graph.nodes))] = nir.Input(np.array([rng.choice((0, 1, -3, 2**40))]))
        return graph

    while True:
        graph, dt = altered(rng.random() < 0.5), rng.choice((None, 1.0, 0.1, 0.0, "1", 1e-300, True))
        if rng.random() < 0.3:
            nir.write(folder / "whole.nir", rng.choice((_foreign_graph, lambda: to_nir(net)))())
            graph = folder / "altered.nir"
            graph.write_bytes(alter.octets(rng, (folder / "whole.nir").read_bytes()))

        def read(graph: Any = graph, dt: Any = dt, reset: str = rng.choice(("zero", "subtract"))) -> object:
            made = from_nir(graph, dt, reset=reset)
            return simulate(made, {}, 2) if sum(p.size for p in made.populations.values()) < 1000 else made

        yield read


def _foreign_graph() -> Any:
    """A NIR graph with all kinds of nodes: an image -> convolution -> cells -> pool -> subgraph of a loop -> weights -> integrators."""
    import nir

    def every(shape: Any, **fields: float) -> dict[str, Any]:
        return {name: np.full(shape, value) for name, value in fields.items()}

    fields = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    cuba = every(4, tau_mem=0.02, tau_syn=0.005, r=1.0, v_leak=0.0, v_threshold=1.0, v_reset=0.0, w_in=1.0)
    two, ports = np.array([2, 2]), (nir.Input(np.array([4])), nir.Output(np.array([4])))
    inner = {"i": ports[0], "cells": nir.CubaLIF(**cuba), "rec": nir.Affine(np.ones((4, 4)), np.ones(4)), "o": ports[1]}
    loop = nir.NIRGraph(inner, [("i", "cells"), ("cells", "rec"), ("rec", "cells"), ("cells", "o")], type_check=False)
    nodes = {
        "input": nir.Input(np.array([1, 4, 4])),
        "conv": nir.Conv2d((4, 4), np.ones((1, 1, 3, 3)), (1, 1), (1, 1), (1, 1), 1, np.ones(1)),
        "cells": nir.LIF(**every((1, 4, 4), **fields)),
        "pool": nir.SumPool2d(two, two, np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([1, 2, 2])}, 0, -1),
        "scale": nir.Scale(np.ones(4)),
        "wait": nir.Delay(np.array([0.001, 0.002, 0.001, 0.0])),
        "loop": loop,
        "weights": nir.Linear(np.ones((2, 4))),
        "out": nir.CubaLI(**every(2, tau_mem=0.02, tau_syn=0.005, r=1.0, v_leak=0.0, w_in=1.0)),
        "output": nir.Output(np.array([2])),
    }
    return nir.NIRGraph(nodes, [*itertools.pairwise(nodes)], type_check=False)


# -- texts and data sets ---------------------------------------------------------------------------------------------------------------


def data_sets(rng: random.Random, folder: Path) -> Iterator[Try]:
    from spikemem.data import DATASETS, PAIRS, babi, pairs
    from tests import published
    from tests.data.test_stories import TEXT

    whole = folder / "whole"
    published.everything(whole)
    (whole / "babi" / "en").mkdir(parents=True)
    (whole / "babi" / "en" / "qa1_a_train.txt").write_text(TEXT)
    for name, place in PAIRS.items():
        path = whole / place.format("train")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("Ein Satz.\tNoch einer.\t3.2\n" if name != "STS-B" else "a\tb\tc\t1\t4.5\tA.\tB.\n", encoding="utf-8")
    calls: list[Callable[[Path], object]] = [*DATASETS.values(), *(lambda d, n=name: pairs(d, n) for name in PAIRS)]
    calls.append(lambda d: babi(d, 1, "train"))
    files = [path for path in whole.rglob("*") if path.is_file()]
    place = folder / "altered"

    def read() -> None:
        found: list[SpikememError] = []
        for call in calls:
            try:
                call(place)
            except SpikememError as error:
                found.append(error)
        if found:
            raise found[0]

    while True:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(whole, place)
        path = rng.choice(files)
        target, raw = place / path.relative_to(whole), path.read_bytes()
        if path.suffix == ".json" and rng.random() < 0.7:
            target.write_text(alter.written(alter.tree(rng, json.loads(raw))), encoding="utf-8")
        elif rng.random() < 0.1:
            target.write_bytes(
                rng.choice((b"[" * 100_000, b"9" * 5000, b'"' + b"x" * 200_000, raw.replace(b",", b"\t"), b"\xef\xbb\xbf" + raw))
            )
        else:
            target.write_bytes(alter.octets(rng, raw))
        yield read


def conversations(rng: random.Random, folder: Path) -> Iterator[Try]:
    from spikemem.memory.conversation import read_conversation, sessions_of

    seed: Any = [
        [{"text": "Hello.", "speaker": "Ada", "when": "2024-05-01T12:00:00"}, {"text": "Yes?", "caption": "a boat"}],
        [["Bo", "No."]],
    ]
    path = folder / "talk.json"
    while True:
        made = alter.written(alter.tree(rng, seed if rng.random() < 0.5 else seed[0]))
        if rng.random() < 0.3:
            made = "\n".join(alter.written(alter.tree(rng, turn)) for turn in seed[0])
        path.write_bytes(alter.octets(rng, made.encode()) if rng.random() < 0.2 else made.encode("utf-8", "surrogatepass"))
        yield lambda: sessions_of(read_conversation(path))


# -- databases -------------------------------------------------------------------------------------------------------------------------


def database(rng: random.Random, folder: Path) -> Iterator[Try]:
    """Files of memories, whose tables and columns are read from the file. Every checksum of a row is 0, and so right."""
    import sqlite3
    import sys

    from spikemem import Memory
    from tests.fakes import FakeEmbedder

    embedder = FakeEmbedder(dim=384)
    for name, module in list(sys.modules.items()):
        if name.startswith("spikemem.memory.") and hasattr(module, "zlib"):
            module.zlib = SimpleNamespace(crc32=lambda *given: 0)  # type: ignore[attr-defined]
    seed, path = folder / "seed.db", folder / "input.db"
    with Memory.open(seed, "hippocampus-small", embedder=embedder) as memory:
        ids = memory.store_all(["Ada lives in Lisbon.", "The harbour opens at six.", "Bo sold the boat."], [["Where is Ada?"], [], []])
        memory.associate(ids[0], ids[1])
        memory.consolidate()

    def read() -> object:
        with Memory.open(path, embedder=embedder) as memory:
            memory.store("A new one.")
            return memory.recall("Ada", 3), memory.info()

    while True:
        for end in ("", "-wal", "-shm", ".lock"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        if rng.random() < 0.3:
            path.write_bytes(alter.octets(rng, seed.read_bytes()))
        else:
            shutil.copyfile(seed, path)
            with closing(sqlite3.connect(path)) as db, db:
                tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
                table = rng.choice(tables)
                columns = [(row[1], row[2]) for row in db.execute(f"PRAGMA table_info({table})")]
                column, sort = rng.choice(columns)
                value = _of_sqlite(rng, db.execute(f"SELECT {column} FROM {table} ORDER BY random() LIMIT 1").fetchone())
                where = f"WHERE rowid = (SELECT rowid FROM {table} ORDER BY random() LIMIT 1)" if "key" not in sort else ""
                try:
                    if rng.random() < 0.1:
                        db.execute(rng.choice((f"DELETE FROM {table}", f"DROP TABLE {table}", f"ALTER TABLE {table} RENAME TO other")))
                    else:
                        db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? {where}", (value,))
                except sqlite3.Error:
                    db.execute("PRAGMA user_version = 77")
        yield read


def _of_sqlite(rng: random.Random, row: tuple[Any, ...] | None) -> Any:
    """A hostile value of a column, made of what it holds."""
    held = None if row is None else row[0]
    if isinstance(held, bytes) and rng.random() < 0.8:
        if held[:1] == b"{" and rng.random() < 0.8:
            return alter.written(alter.tree(rng, json.loads(held))).encode()
        return alter.octets(rng, held)
    return rng.choice((None, b"", b"\xff" * 64, -1, 0, 7, 2**62, -(2**63), 1e300, float("inf"), "", "\0", "x" * 3000, "text"))


PARSERS = {
    p.name: p
    for p in (
        Parser("model", model), Parser("network", network), Parser("database", database), Parser("snapshot", snapshots),
        Parser("recording", recording), Parser("state", states), Parser("weights", weights), Parser("code", codes),
        Parser("checkpoint", checkpoint),
        Parser("nir", nir_graphs), Parser("data", data_sets), Parser("conversation", conversations),
    )
}  # fmt: skip
"""All parsers by name."""

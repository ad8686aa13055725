"""Room for more memories: the law of the circuit's size, and files that grow without losing anything."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spikemem import Hippocampus, Memory, load_model
from spikemem.cli import app
from spikemem.errors import SpecError, StoreError
from tests.fakes import FakeEmbedder, engram_small, near, units

TEXTS = [f"Statement {i} is about the {i}th lighthouse of the coast." for i in range(40)]


@pytest.mark.parametrize("memories", [100, 500, 1200])
def test_ca3_is_as_full_at_any_load_as_the_law_says(memories: int) -> None:
    spec = engram_small().model_copy(update={"lex": None}).for_load(memories)
    memory = Hippocampus(spec)
    memory.store(units(memories))
    k, n = spec.ca3.core, spec.dg.cells
    law = 1 - (1 - k**2 / n**2) ** memories
    assert memory.density()[0] == pytest.approx(law, rel=0.06)
    own = 1 - (1 - 20**2 / 2048**2) ** 500
    assert 0.75 * own < law < 1.01 * own  # cells come in whole words of synapses


def test_a_circuit_that_is_made_for_its_load_recalls_what_a_small_one_does_not() -> None:
    vectors, spec = units(3000), engram_small().model_copy(update={"lex": None})
    cues, right = near(vectors[:150], 0.6, seed=5), {}
    for name, made in (("small", spec), ("made for it", spec.for_load(3000))):
        memory = Hippocampus(made)
        memory.store(vectors)
        right[name] = float((memory.recall(cues).ids[:, 0] == np.arange(150)).mean())
    assert right["made for it"] > right["small"] + 0.1
    assert right["made for it"] > 0.9


def test_loads_that_cannot_be_are_named() -> None:
    with pytest.raises(SpecError, match=r"cannot be made for 1,000,000 memories: .*at most 65536"):
        load_model("hippocampus-text").for_load(1_000_000)
    with pytest.raises(SpecError, match="trained synapses of 16,384 granule cells"):
        load_model("hippocampus-engram-trained").for_load(40_000)
    assert load_model("hippocampus-text").for_load(20_000) == load_model("hippocampus-text")


@pytest.mark.parametrize("engrams", [False, True])
def test_a_file_grows_and_holds_what_it_held(engrams: bool, tmp_path: Path) -> None:
    path = tmp_path / "brain.db"
    model = engram_small() if engrams else load_model("hippocampus-small")
    with Memory.open(path, model, embedder=FakeEmbedder()) as memory:
        ids = memory.store_all(TEXTS)
        memory.associate(ids[3], ids[4])
        memory.forget(ids[7])
        load = memory.spec.load
        with Memory.open(path, embedder=FakeEmbedder(), readonly=True) as reader:
            assert len(reader) == 39
            assert memory.grow(4 * load) == 2 * model.dg.cells
            assert reader.recall(TEXTS[5])[0].text == TEXTS[5]  # from the next recall on it has the new circuit, too
            assert reader.spec.load == 4 * load
        held = [memory.recall(text)[0].id for text in TEXTS[:7]]
        assert held == ids[:7]
        assert [hit.id for hit in memory.recall_chain(TEXTS[3], hops=1)] == [ids[4]]
        memory.store("One more statement, about a harbour.")
    with Memory.open(path, model, embedder=FakeEmbedder()) as again:  # its model, made for another load
        assert again.info()["made_for"] == 4 * load
        assert again.spec.dg.cells == 2 * model.dg.cells
        assert again.recall(TEXTS[5])[0].id == ids[5]
        with pytest.raises(StoreError, match=r"expected is 3; .*40 memories are stored"):
            again.grow(3)
    with pytest.raises(StoreError, match=r"give it room by grow\(100000\)"):
        Memory.open(path, embedder=FakeEmbedder(), expected=100_000)


def test_growth_depends_on_the_model_alone_not_on_the_way(tmp_path: Path) -> None:
    path, model = tmp_path / "brain.db", load_model("hippocampus-small")
    with Memory.open(path, model, embedder=FakeEmbedder(), expected=30) as memory:
        for expected in (1000, 2000, 300, 2000):
            memory.grow(expected)
        assert memory.spec == model.with_dim(memory.spec.ec.dim).for_load(2000)
    with Memory.open(path, model, embedder=FakeEmbedder()) as again:  # it is still of its model
        assert again.grow(model.load) == model.dg.cells
        assert again.spec == model.with_dim(again.spec.ec.dim)


@pytest.mark.parametrize("name", ["hippocampus-engram", "hippocampus-base"])
def test_a_circuit_for_a_handful_still_tells_them_apart(name: str) -> None:
    for memories in (1, 10):
        spec = load_model(name).model_copy(update={"lex": None}).for_load(memories)
        memory, vectors = Hippocampus(spec), units(memories)
        memory.store(vectors)
        assert memory.recall(near(vectors, 0.85, seed=9)).ids[:, 0].tolist() == list(range(memories))


def test_a_new_file_is_made_for_what_is_expected(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "brain.db", "hippocampus-small", embedder=FakeEmbedder(), expected=50) as memory:
        assert memory.spec.load == 50
        assert memory.spec.dg.cells < load_model("hippocampus-small").dg.cells
        memory.store_all(TEXTS)
        assert memory.recall(TEXTS[5])[0].text == TEXTS[5]
        memory.store_all([f"{text} Again." for text in TEXTS[:35]])
        with pytest.warns(UserWarning, match=r"76 memories in a circuit made for 50: .*memory\.grow\(152\)"):
            memory.store("Too much.")
    with pytest.warns(UserWarning, match="76 memories in a circuit made for 50"):
        Memory.open(tmp_path / "brain.db", embedder=FakeEmbedder()).__exit__(None)


def test_the_command_grows_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikemem.memory.embed.SentenceEmbedder", FakeEmbedder)
    run, path = CliRunner().invoke, str(tmp_path / "brain.db")
    with Memory.open(path, "hippocampus-small", embedder=FakeEmbedder()) as memory:
        memory.store_all(TEXTS)
        load = memory.spec.load
    result = run(app, ["grow", path, "--expected", str(4 * load)])
    assert result.exit_code == 0, result.output
    assert f"room for {4 * load:,} memories" in result.stdout
    assert json.loads(run(app, ["info", path, "--json"]).stdout)["made_for"] == 4 * load

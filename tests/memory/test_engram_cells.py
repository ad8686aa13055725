"""Which cells a memory has in each region, and which memories a cell has, in models of both kinds."""

from collections.abc import Iterator

import numpy as np
import pytest

from spikemem import Memory, load_model
from spikemem.errors import UnknownMemoryError, VectorError
from tests.fakes import FakeEmbedder, engram_small

N = 12


@pytest.fixture(scope="module", params=["index", "engram"])
def memory(request: pytest.FixtureRequest) -> Iterator[Memory]:
    """Only to be read."""
    spec = load_model("hippocampus-small") if request.param == "index" else engram_small()
    with Memory.open(None, spec, embedder=FakeEmbedder(dim=spec.ec.dim)) as made:
        ids = made.store_all([f"memory {i}" for i in range(N)], cues=[["a further cue"] if i == 3 else [] for i in range(N)])
        made.associate(ids[0], ids[1])
        made.forget(ids[5])
        yield made


def test_an_engram_has_cells_in_each_region(memory: Memory) -> None:
    for i in [j for j in range(N) if j != 5]:
        engram = memory.engram(i)
        assert list(engram) == ["ec", "dg", "ca3", "ca1"]
        stored = memory._index.row(i)
        np.testing.assert_array_equal(engram["ca3"], np.sort(memory.hippocampus.engrams([stored])[0]))
        assert all(len(cells) and (np.diff(cells) > 0).all() for cells in engram.values()), i
    assert not np.array_equal(memory.engram(1)["ca3"], memory.engram(2)["ca3"])
    with pytest.raises(UnknownMemoryError, match="no memory 5"):
        memory.engram(5)


def test_a_cell_has_the_memories_whose_engrams_hold_it(memory: Memory) -> None:
    engrams = {i: memory.engram(i) for i in memory}
    for region in ("ec", "dg", "ca3", "ca1"):
        for cell in engrams[2][region][:: max(1, len(engrams[2][region]) // 6)].tolist():
            assert memory.memories_of(region, cell) == [i for i, engram in engrams.items() if cell in engram[region]]
    with pytest.raises(VectorError, match="one of ec, dg, ca3, ca1"):
        memory.memories_of("ca2", 0)
    with pytest.raises(VectorError, match="cell is -1"):
        memory.memories_of("ca3", -1)


def test_cells_of_ca1_are_index_cells_or_those_that_an_engram_drives(memory: Memory) -> None:
    cells, keys = memory.engram(3)["ca1"], memory.hippocampus.circuit.keys
    if memory.spec.engram is None:
        assert len(cells) == 2  # its own content, and the further cue
        assert (keys.memory[cells] == memory._index.row(3)).all()
    else:
        said = memory.hippocampus.contents([memory._index.row(3)])[0]
        d = memory.spec.ec.dim
        assert set(cells.tolist()) == set(np.concatenate([np.flatnonzero(said > 0), d + np.flatnonzero(said < 0)]).tolist())


def test_a_hit_has_the_engram_of_its_memory(memory: Memory) -> None:
    hits = memory.recall("memory 7 ~again", top_k=2) + memory.recall_chain("memory 0")
    assert len(hits) == 3
    for hit in hits:
        for region, cells in memory.engram(hit.id).items():
            np.testing.assert_array_equal(hit.engram[region], cells)

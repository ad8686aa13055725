"""Word synapses that grow: after each change those that are derived anew, to the last bit."""

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec
from spikemem.hippocampus import words
from spikemem.hippocampus.regions.index_cells import IndexCells
from tests.fakes import units

CELLS = 512
TEXTS = ["a dog barks", "the cat is not here", "a cat and a dog", "where is the dog", "no dog", "rain rain rain", "", "dogs bark at cats"]


def weights(keys: IndexCells, cell: int) -> dict[int, int]:
    """The weights of a word cell's synapses that carry something, by key."""
    made = keys.learned(np.array([cell]))
    rows = made.word[made.start[cell] :][: made.size[cell]].tolist()
    return {key: weight for key, _, weight in rows if weight >= 0}


def agree(keys: IndexCells) -> None:
    derived = keys.synapses.words
    for cell in range(CELLS):
        part = slice(derived.ptr[cell], derived.ptr[cell + 1])
        assert weights(keys, cell) == dict(zip(derived.target[part].tolist(), derived.weight[part].astype(int).tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_those_derived_anew(small: ModelSpec, seed: int) -> None:
    rng, spec = np.random.default_rng(seed), ModelSpec.model_validate({**small.model_dump(), "lex": {"cells": CELLS}})
    memory = Hippocampus(spec)
    said = [words(" ".join(rng.permutation(TEXTS[i].split())), CELLS) for i in rng.integers(0, len(TEXTS), 40)]
    vectors = units(40)
    for first in range(0, 30, 6):
        part = slice(first, first + 6)
        memory.store(vectors[part], words=[[w] for w in said[part]])
        agree(memory.circuit.keys)
    memory.store(vectors[30:32], variants=[vectors[[33]], vectors[[34]]], words=[[said[30], said[33]], [said[31], said[34]]])
    agree(memory.circuit.keys)
    memory.forget([1, 7, 31])
    agree(memory.circuit.keys)
    memory.consolidate()
    agree(memory.circuit.keys)
    agree(Hippocampus.of(memory.spec, memory.arrays()).circuit.keys)


def test_an_interrupt_while_synapses_are_added_loses_none(small: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModelSpec.model_validate({**small.model_dump(), "lex": {"cells": CELLS}})
    memory = Hippocampus(spec)
    memory.store(units(8), words=[[words(text, CELLS)] for text in TEXTS])
    keys = memory.circuit.keys

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("spikemem.hippocampus.regions.word_fans.of_texts", interrupted)
        with pytest.raises(KeyboardInterrupt):
            keys.learned(np.arange(4))
    agree(keys)

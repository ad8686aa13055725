"""Words, context, moment and titles in the engram model: what the spikes say, and what each of them does."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec
from spikemem.errors import SpecError
from spikemem.hippocampus.engram_circuit import EngramCircuit
from spikemem.hippocampus.recall import Recall
from spikemem.hippocampus.regions.ec_lex import Words, words
from tests.fakes import engram_small, near, units
from tests.marks import first_is_fast

NAMES = """
Anna Boris Clara Dmitri Edith Franz Greta Henrik Iris Jonas Klara Ludwig Mona Nils Olga Paul Rosa Stefan Tilda Ulrich
""".split()  # noqa: SIM905 (a list is harder to read)
THINGS = ["violin", "lamp", "canoe", "ladder", "kettle", "anvil", "sextant", "harp", "easel", "loom"]
DAY = 86400.0
N = 40


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return engram_small()


def text(i: int) -> str:
    """Each text names a person and a thing, and the thing of the next text is what its title says."""
    return f"{NAMES[i % 20]} keeps the {THINGS[i // 4 % 10]} near {title((i + 7) % N)}"


def title(i: int) -> str:
    return f"Harbour{i} Lane"


def heard(spec: ModelSpec, texts: Sequence[str]) -> list[Words]:
    assert spec.lex is not None
    return [words(t, spec.lex.cells) for t in texts]


def stored(spec: ModelSpec, n: int = N) -> Hippocampus:
    """Texts in sessions of ten, one a day, each with a title."""
    made, vectors = Hippocampus(spec), units(2 * N)
    made.store(
        vectors[:n],
        variants=[vectors[N + i : N + i + 1] for i in range(n)],
        words=[heard(spec, [text(i), title(i)]) for i in range(n)],
        pieces=[0] * n,
        sessions=np.arange(n) // 10,
        when=DAY * 30 * np.arange(n),
    )
    return made


@pytest.fixture(scope="module")
def memory(spec: ModelSpec) -> Hippocampus:
    """Only to be read."""
    return stored(spec)


def circuit(memory: Hippocampus) -> EngramCircuit:
    assert isinstance(memory.circuit, EngramCircuit)
    return memory.circuit


def same(a: Recall, b: Recall) -> None:
    for name in ("ids", "scores", "vectors", "novelty", "latency", "competitors", "attention"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)


CUES = ["Who keeps the violin?", "Anna's lamp", "Harbour9 Lane", ""]


def cues(n: int = 4) -> NDArray[np.float64]:
    return near(units(N), 0.3)[:n]


# -- what the spikes say -----------------------------------------------------------------------------------------------------------


def forgotten(memory: Hippocampus) -> None:
    memory.forget([3, 4, 11, 30])


def taught(memory: Hippocampus) -> None:
    memory.teach(5, near(units(N), 0.5)[5:6], heard(memory.spec, ["the blue barn"]))
    memory.supersede(2, 9)


CHANGES = {"stored": lambda memory: None, "forgotten": forgotten, "taught": taught}


@pytest.mark.parametrize("change", first_is_fast(*CHANGES.values()), ids=CHANGES)
@pytest.mark.parametrize("around", first_is_fast(DAY * 200, None))
def test_a_recall_is_what_the_spikes_say(spec: ModelSpec, change: Callable[[Hippocampus], None], around: float | None) -> None:
    memory = stored(spec)
    change(memory)
    given = heard(spec, CUES)
    fast = memory.recall(cues(), top_k=4, words=given, around=around)
    same(fast, memory.recall(cues(), top_k=4, words=given, around=around, record=True))


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "snntorch", "norse", "brian2"])
def test_every_simulator_recalls_alike(memory: Hippocampus, simulator: str) -> None:
    given = heard(memory.spec, CUES[2:3])
    fast = memory.recall(cues(1), top_k=3, words=given, around=DAY)
    same(fast, memory.recall(cues(1), top_k=3, words=given, around=DAY, record=True, simulator=simulator))


@pytest.mark.slow
def test_a_chain_begins_with_words(spec: ModelSpec) -> None:
    memory, given = stored(spec), heard(spec, ["Clara keeps the violin"])
    memory.associate([2, 3], [3, 4])
    chain = memory.recall_chain(cues(1), 2, words=given)
    assert chain.tolist() == [[3, 4]]
    np.testing.assert_array_equal(memory.read_chain(memory.simulate_chain(cues(1), 2, words=given)), chain)


def test_the_answer_does_not_come_from_the_short_cut(memory: Hippocampus, monkeypatch: pytest.MonkeyPatch) -> None:
    before = memory.recall(cues(1), top_k=2, words=heard(memory.spec, CUES[:1]), record=True)
    for kernel in ("engrams.attempts", "onebit.weighed", "priming.dendrites"):
        monkeypatch.setattr(f"spikemem.kernels.{kernel}", None)
    same(before, memory.recall(cues(1), top_k=2, words=heard(memory.spec, CUES[:1]), record=True))


# -- what each does ----------------------------------------------------------------------------------------------------------------


def best(memory: Hippocampus, said: str, around: float | None = None, top_k: int = 1) -> list[int]:
    """What a cue brings back whose vector tells nothing."""
    nothing = np.random.default_rng(5).normal(size=(1, memory.spec.ec.dim))
    found = memory.recall(nothing, top_k, words=heard(memory.spec, [said]), around=around)
    return [int(i) for i in found.ids[0]]


def without(spec: ModelSpec, **gains: float) -> ModelSpec:
    assert spec.engram is not None
    return spec.model_copy(update={"engram": spec.engram.model_copy(update=gains)})


def test_words_bring_back_their_memory(spec: ModelSpec, memory: Hippocampus) -> None:
    said = {i: f"Which {THINGS[i // 4 % 10]} has {NAMES[i % 20]}?" for i in range(0, N, 5)}
    right = [best(memory, s)[0] == i for i, s in said.items()]
    deaf = stored(without(spec, words=0.0, key=0.0))
    assert sum(right) >= 7
    assert sum(best(deaf, s)[0] == i for i, s in said.items()) <= 2


def test_the_moment_brings_back_its_memory(spec: ModelSpec, memory: Hippocampus) -> None:
    moments = range(0, N, 5)
    assert [best(memory, "", DAY * 30 * i)[0] for i in moments] == [*moments]
    timeless = stored(without(spec, time=0.0))
    assert sum(best(timeless, "", DAY * 30 * i)[0] == i for i in moments) <= 2


def test_context_brings_back_the_turns_around(spec: ModelSpec) -> None:
    """The word of turn 14 alone, which turn 34 has, too, brings back their neighbours next, and nothing of other sessions."""
    around = {12, 13, 15, 16, 32, 33, 35, 36}
    found = best(stored(without(spec, spreading=0.0)), NAMES[14], top_k=8)
    assert set(found[:2]) == {14, 34}
    assert len(around & set(found)) >= 5
    alone = best(stored(without(spec, spreading=0.0, context=0.0)), NAMES[14], top_k=8)
    assert len(around & set(alone)) <= 3


def test_a_title_in_the_recalled_text_brings_back_what_it_names(spec: ModelSpec, memory: Hippocampus) -> None:
    """Text i names the title of text i + 7, whose words the cue does not have."""
    said = f"{NAMES[2]} keeps the {THINGS[0]}"
    assert best(memory, said, top_k=2) == [2, 9]
    single = stored(without(spec, spreading=0.0))
    assert best(single, said, top_k=2)[0] == 2
    assert best(single, said, top_k=2)[1] != 9


def test_recurrence_and_words_meet_in_ca3(memory: Hippocampus) -> None:
    """With CA3 silent words bring back nothing: they have no other way."""
    memory = stored(memory.spec)
    memory.lesion("ca3", 1.0)
    assert best(memory, text(3), DAY * 90) == [-1]


# -- keeping -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_was_forgotten_leaves_no_synapse(spec: ModelSpec) -> None:
    """The synapses after forgetting are those of a memory that is derived anew from what is alive."""
    memory = stored(spec)
    forgotten(memory)
    again = circuit(Hippocampus.of(spec, memory.arrays()))
    now = circuit(memory)
    for region, names in (("ca3", ("hetero", "auto", "slow")), ("words", ("words", "context", "times")), ("titles", ("said",))):
        for name in names:
            np.testing.assert_array_equal(getattr(getattr(now, region), name), getattr(getattr(again, region), name), f"{region}.{name}")


def test_no_population_has_a_cell_for_a_memory(spec: ModelSpec) -> None:
    few, many = (stored(spec, n).network for n in (10, 30))
    assert {name: p.size for name, p in few.populations.items()} == {name: p.size for name, p in many.populations.items()}


@pytest.mark.parametrize("cells", [1000, 2**17])
def test_word_cells_must_fit_packed_rows(spec: ModelSpec, cells: int) -> None:
    with pytest.raises((SpecError, ValueError), match=r"lex\.cells"):
        ModelSpec.model_validate({**spec.model_dump(), "lex": {"cells": cells}})

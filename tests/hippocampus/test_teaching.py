"""Storing by plastic synapses: what a simulation learns is what storing assigns, bit for bit."""

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.errors import SpecError
from spikemem.hippocampus import teaching
from spikemem.hippocampus.regions.ec_lex import words
from tests.fakes import engram_small, near, units
from tests.hippocampus.engrams import circuit


def store(spec: ModelSpec, n: int, record: bool, simulator: str = "event", memory: Hippocampus | None = None) -> Hippocampus:
    """Memories with targets apart from their cues, and with a further cue, in a memory that holds some already."""
    made, cues = memory or Hippocampus(spec), units(2 * n)[n:]
    variants = [near(cues, 0.6)[:1], *[None] * (n - 1)]
    made.store(cues, target=near(cues, 0.5), variants=variants, record=record, simulator=simulator)
    return made


SYNAPSES = {"ca3": ("hetero", "auto"), "ca1": ("charge",), "words": ("words", "context", "times"), "titles": ("said",),
            "denial": ("bits",)}  # fmt: skip


def same(a: Hippocampus, b: Hippocampus) -> None:
    for region, names in SYNAPSES.items():
        for name in names:
            one, other = (getattr(getattr(circuit(memory), region), name) for memory in (a, b))
            np.testing.assert_array_equal(one, other, f"{region}.{name}")


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return engram_small()


def test_what_a_simulation_learns_is_what_storing_assigns(spec: ModelSpec) -> None:
    fast, slow = (store(spec, 2, record, memory=_begun(spec)) for record in (False, True))
    same(fast, slow)
    assert np.count_nonzero(circuit(fast).ca1.charge) > 1000
    cues = near(units(4)[2:], 0.7)
    np.testing.assert_array_equal(fast.recall(cues).ids, slow.recall(cues, record=True).ids)


def _begun(spec: ModelSpec) -> Hippocampus:
    begun = Hippocampus(spec)
    begun.store(units(20))
    return begun


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "brian2"])
def test_other_simulators_learn_the_same(spec: ModelSpec, simulator: str) -> None:
    same(store(spec, 2, False), store(spec, 2, True, simulator))


def _told(spec: ModelSpec, n: int, record: bool, simulator: str = "event") -> Hippocampus:
    """Memories with words, a title, moments and sessions, stored in two parts, of which the second goes on with the sessions."""
    made, vectors, cells = Hippocampus(spec), units(2 * n, dim=spec.ec.dim), spec.lex.cells if spec.lex else 0
    said = [[words(t, cells) for t in (f"the {i}th of {i % 3} words", f"title {i}")] for i in range(n)]
    for part in (slice(0, n // 2), slice(n // 2, n)):
        rows = range(n)[part]
        made.store(
            vectors[part], variants=[vectors[n + i : n + i + 1] for i in rows], words=said[part], pieces=[0] * len(rows),
            sessions=[i % 2 for i in rows], when=[1e6 * i for i in rows], record=record, simulator=simulator,
        )  # fmt: skip
    return made


def test_a_simulation_learns_words_context_moments_and_titles(spec: ModelSpec) -> None:
    fast, slow = (_told(spec, 6, record) for record in (False, True))
    same(fast, slow)
    beside = circuit(fast).words
    assert beside is not None
    assert [bits.any() for bits in (beside.words, beside.context, beside.times)] == [True] * 3


@pytest.mark.slow
@pytest.mark.parametrize("simulator", ["torch", "brian2"])
def test_other_simulators_learn_words(simulator: str) -> None:
    few = {"dg": {"cells": 256, "winners": 20}, "lex": {"cells": 256}, "ca3": {"core": 10}, "engram": {"rising": (40, 20, 10, 10, 10)}}
    spec = ModelSpec.model_validate({"ec": {"dim": 64}, "ca1": {"denial": 0.5}, **few})
    same(_told(spec, 4, False), _told(spec, 4, True, simulator))


@pytest.mark.slow
def test_many_memories_learned_by_simulation(spec: ModelSpec) -> None:
    """Through an adaptation of DG, after which all is derived anew."""
    fast, slow = Hippocampus(spec), Hippocampus(spec)
    fast.store(units(40))
    slow.store(units(40), record=True)
    same(fast, slow)


@pytest.mark.slow
def test_the_protocol_fires_the_engram_and_nothing_else_in_ca3(spec: ModelSpec) -> None:
    memory = store(spec, 3, record=True)
    fired = memory.learned[0]["ca3"]
    assert (np.unique(fired.step) == [20, 145, 270, 395, 520, 645, 770][: len(np.unique(fired.step))]).all()
    for i in range(3):
        assert fired.between(125 * i, 125 * (i + 1)).cell.tolist() == memory.engrams([i])[0].tolist()


@pytest.mark.slow
def test_without_mossy_fibres_nothing_is_learned(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    drives = teaching.stimulus
    monkeypatch.setattr(teaching, "stimulus", lambda *given: {**drives(*given), "ca3": np.minimum(drives(*given)["ca3"], 0)})
    memory = store(spec, 2, record=True)
    assert not circuit(memory).ca3.auto.any()
    assert not circuit(memory).ca1.charge.any()


def test_what_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(SpecError, match="hippocampus-engram-small"):
        Hippocampus(load_model("hippocampus-engram")).store(units(1), record=True)
    with pytest.raises(SpecError, match="no \\[gates\\]"):
        Hippocampus(load_model("hippocampus-small")).store(units(1), record=True)

"""Words, context, moment and titles in the engram model: what the spikes say, and what each of them does."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hippocampus, ModelSpec
from spikemem.errors import SpecError
from spikemem.hippocampus.regions.cue_words import CueWords
from spikemem.hippocampus.regions.ec_lex import Words, words
from spikemem.hippocampus.regions.engram_words import now
from spikemem.kernels.engrams import GRAIN
from spikemem.kernels.priming import prime
from tests.fakes import engram_small, near, units
from tests.hippocampus.engrams import circuit, same
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


def test_what_was_recalled_primes_for_the_rest_of_a_recall(spec: ModelSpec) -> None:
    """A text that names two titles brings back both of their memories next, one after the other."""
    made, said = Hippocampus(spec), ["Anna met someone at Harbour8 and at Lantern9", *(f"thing{i} stays" for i in range(1, 12))]
    titles = {4: "Harbour8", 9: "Lantern9"}
    given = [heard(spec, [t, *([titles[i]] if i in titles else [])]) for i, t in enumerate(said)]
    vectors = units(30)
    made.store(vectors[:12], variants=[vectors[12 + i : 13 + i] if i in titles else None for i in range(12)], words=given, pieces=[0] * 12)
    found = best(made, "Anna met someone", top_k=3)
    assert found[0] == 0
    assert set(found[1:]) == {4, 9}


def test_a_title_that_is_named_adds_its_gain(memory: Hippocampus) -> None:
    """All of its words fire the dendrites of its engram, and of no other cell; one of two is not enough."""
    ours, drive = circuit(memory), np.zeros((2, memory.spec.dg.cells), np.int32)
    assert ours.titles is not None
    assert ours.titles.engram.key == 40
    ours.titles.heard(CueWords.of(heard(memory.spec, ["Harbour9 Lane", "Lane"]), None, 2), drive)
    assert np.flatnonzero(drive[0]).tolist() == memory.engrams([9])[0].tolist()
    assert set(drive[0][memory.engrams([9])[0]]) == {40 * GRAIN}
    assert not drive[1].any()


def test_most_words_of_a_title_must_be_named(spec: ModelSpec) -> None:
    """Four that weigh alike: three of them, .75, are less than `coincidence`, .8."""
    made, vectors = Hippocampus(spec), units(12)
    titled = [" ".join(f"part{i}{k}" for k in "abcd") for i in range(6)]
    made.store(
        vectors[:6], variants=list(vectors[6:, None]), words=[heard(spec, [f"text {i}", titled[i]]) for i in range(6)], pieces=[0] * 6
    )
    ours, drive = circuit(made), np.zeros((2, spec.dg.cells), np.int32)
    assert ours.titles is not None
    ours.titles.heard(CueWords.of(heard(spec, ["part2a part2b part2c", titled[2]]), None, 2), drive)
    assert not drive[0].any()
    assert np.count_nonzero(drive[1]) == spec.ca3.core


@pytest.mark.parametrize(("cells", "says"), [(10, False), (11, True)])
def test_more_than_half_of_an_engram_says_its_words(memory: Hippocampus, cells: int, says: bool) -> None:
    """Text 2 names the title of text 9, whose cells are then primed."""
    ours = circuit(memory)
    primed, held = np.zeros(memory.spec.dg.cells, bool), np.zeros(memory.spec.dg.cells, np.int32)
    prime(memory.engrams([2])[0][:cells].astype(np.int64), ours.priming(), primed, held)
    assert primed[memory.engrams([9])[0]].all() == says
    assert primed.any() == says


def test_synapses_have_the_gains_of_the_model(memory: Hippocampus) -> None:
    """One from DG adds 1, one of a word its gain times its log-odds: nothing for a word that all texts have."""
    net = {p.name: p.synapses for p in memory.circuit.network().projections}  # type: ignore[attr-defined]
    lexicon, word = memory.circuit.keys.lexicon, {name: heard(memory.spec, [name])[0] for name in ("keeps", "Anna", "violin")}
    one = {name: int(words.cells[words.whole][0]) for name, words in word.items()}
    assert (net["dg->ca3"].efficacy == 1).all()
    assert net["ec_lex->ca3"].efficacy[one["keeps"]] == 0
    for name in ("Anna", "violin"):
        odds = np.log((N + 1) / (lexicon._df[one[name]] + 1)) / np.log(N + 1)
        assert net["ec_lex->ca3"].efficacy[one[name]] == pytest.approx(7 * odds, abs=1 / 32)
        assert net["ec_ctx->ca3"].efficacy[one[name]] == pytest.approx(0.3 * 7 * odds, abs=1 / 16)
    assert (net["ec_time->ca3"].efficacy == 4).all()


def test_moments_fall_on_cells_of_their_own() -> None:
    """Cells of the days of a year: two days share no more of them than the spans that they share."""
    days = [set(now(DAY * d).tolist()) for d in range(0, 360, 40)]
    assert min(map(len, days)) >= 19
    assert max(len(a & b) for i, a in enumerate(days) for b in days[:i]) <= 9


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

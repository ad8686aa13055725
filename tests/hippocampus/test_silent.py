"""Silent engrams: no cue reaches them, their own cells complete them, and presenting them again brings them back."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, load_model, simulate
from spikemem.errors import NetworkError, SpecError, UnknownMemoryError, VectorError
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.hippocampus.regions.engrams import HOLD, RELEASE
from spikemem.hippocampus.regions.rhythm import GAMMA, THETA, release
from tests.fakes import engram_small, near, units
from tests.hippocampus.engrams import circuit, same

N, SILENT = 60, np.arange(0, 60, 4)


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return engram_small()


def stored(spec: ModelSpec) -> Hippocampus:
    made = Hippocampus(spec)
    made.store(units(N))
    return made


def first(memory: Hippocampus, cosine: float = 0.8) -> np.ndarray:
    """Which memories their own cues recall first, [memory]."""
    return memory.recall(near(units(N), cosine)).ids[:, 0] == np.arange(N)


def test_a_silent_engram_answers_its_own_cells_and_no_cue(spec: ModelSpec) -> None:
    memory = stored(spec)
    whole, half = memory.engrams(SILENT), memory.engrams(SILENT)[:, ::2]
    memory.silence(SILENT)
    np.testing.assert_array_equal(first(memory), ~np.isin(np.arange(N), SILENT))
    lit = memory.stimulate(half)
    assert lit.ids.tolist() == SILENT.tolist()
    np.testing.assert_array_equal(lit.cells, whole)
    memory.cut("ca3->ca3")  # what is not lit is reached by recurrent synapses alone
    assert memory.stimulate(half).cells.shape[1] == 20
    assert not memory.stimulate(half).cells[:, 10:].any()


def test_presented_again_it_answers_cues_as_before(spec: ModelSpec) -> None:
    memory, never = stored(spec), stored(spec)
    never.circuit.rebind()
    memory.silence(SILENT)
    memory.reinstate(SILENT[::2])
    assert first(memory)[SILENT[::2]].all()
    assert not first(memory)[SILENT[1::2]].any()
    memory.teach(int(SILENT[1]), units(1, seed=9))  # another cue is a presentation, too
    assert first(memory)[SILENT[1]]
    memory.reinstate(SILENT)
    memory.forget(0)
    never.teach(int(SILENT[1]), units(1, seed=9))
    never.forget(0)
    never.circuit.rebind()
    memory.circuit.rebind()
    for name in ("hetero", "auto"):
        np.testing.assert_array_equal(getattr(circuit(memory).ca3, name), getattr(circuit(never).ca3, name))


def test_it_stays_silent_in_sleep_and_in_a_snapshot(spec: ModelSpec, tmp_path: Path) -> None:
    memory = stored(spec)
    memory.silence(SILENT)
    memory.forget(7)
    memory.consolidate()
    loaded = Hippocampus.load(memory.save(tmp_path / "snapshot"))
    for made in (memory, loaded):
        assert not first(made)[SILENT].any()
        assert made.stimulate(made.engrams(SILENT)).ids.tolist() == SILENT.tolist()


def test_words_do_not_reach_it_either(spec: ModelSpec) -> None:
    memory = Hippocampus(spec)
    texts = [words(f"harbour{i} lies by the sea", 2048) for i in range(8)]
    ids = memory.store(units(8), words=[[w] for w in texts], sessions=np.zeros(8, int), when=1e9 + np.arange(8.0))
    noise = units(8, seed=5)
    before = memory.recall(noise, words=texts, around=1e9).ids[:, 0]
    memory.silence(ids[2:4])
    after = memory.recall(noise, words=texts, around=1e9).ids[:, 0]
    assert before.tolist() == ids.tolist()
    assert not np.isin(ids[2:4], after).any()
    assert after[[0, 1, 4, 5, 6, 7]].tolist() == ids[[0, 1, 4, 5, 6, 7]].tolist()
    some = memory.recall(noise[1:5], words=texts[1:5])
    same(some, memory.recall(noise[1:5], words=texts[1:5], record=True))


def test_stimulation_is_what_the_spikes_say(spec: ModelSpec) -> None:
    memory = stored(spec)
    memory.silence(SILENT)
    half = memory.engrams(SILENT[:4])[:, ::2]
    cells = spec.dg.cells
    current = np.tile(release(HOLD, (RELEASE,), (0.0,)), THETA // GAMMA)[:, None, None].repeat(len(half), 1).repeat(cells, 2)
    for i, lit in enumerate(half):
        current[1::GAMMA, i, lit] += spec.dg.winners
    recording = simulate(memory.network, {"ca3": current, "dg": np.zeros((THETA, 1, cells), bool)}, THETA)
    fired = [np.sort(recording["ca3"].between(THETA - GAMMA, THETA, i).cell) for i in range(len(half))]
    np.testing.assert_array_equal(memory.stimulate(half).cells, fired)


def test_what_cannot_be_silenced(spec: ModelSpec) -> None:
    memory = stored(spec)
    with pytest.raises(UnknownMemoryError):
        memory.silence(N)
    with pytest.raises(VectorError, match="cells"):
        memory.stimulate([[spec.dg.cells]])
    memory.noise("ca3", 1.0)
    with pytest.raises(NetworkError, match="restore"):
        memory.stimulate([[1, 2]])
    index = Hippocampus(load_model("hippocampus-small"))
    for call in (lambda: index.silence([]), lambda: index.reinstate([]), lambda: index.stimulate([[1]])):
        with pytest.raises(SpecError, match="index cells"):
            call()

"""Excitability of hours decides who is in an engram, and feedforward inhibition balances what that makes unlike."""

from pathlib import Path

import numpy as np
import pytest

from spikemem import Hippocampus, ModelSpec, load_model
from spikemem.engrams import allocation, linking, members
from spikemem.errors import SpecError
from spikemem.hippocampus.regions.excitability import HOUR, allocated, excitable
from spikemem.hippocampus.spec import EngramSpec
from tests.fakes import engram_small, near, units
from tests.hippocampus.engrams import circuit, same
from tests.marks import first_is_fast

CELLS, CORE, SHARE, LASTING = 2048, 20, 0.3, 8.0
NOON = 1_700_000_000.0
APART = 0.0, 1.0, 5.0, 24.0, 168.0  # h


def linked(**changes: object) -> ModelSpec:
    """engram_small with excitability and balance."""
    spec = engram_small()
    given = {**spec.engram.model_dump(), "excitable": SHARE, "lasting": LASTING, "balance": 1.0, **changes}
    return spec.model_copy(update={"engram": EngramSpec.model_validate(given)})


def by_time(seed: int, share: float = SHARE) -> np.ndarray:
    """Engrams of 40 memories at each of the times apart, bool, [time, memory, cell]."""
    moments = NOON + HOUR * np.repeat(APART, 40)
    return members(allocated(np.arange(len(moments)), moments, CELLS, CORE, share, LASTING, seed), CELLS).reshape(len(APART), 40, CELLS)


def test_overlap_falls_with_time_as_the_equation_says() -> None:
    """1 + (1/f - 1) exp(-d / lasting) times as much as by chance."""
    made = np.array([by_time(seed).mean(1) for seed in range(25)])  # how often each cell is in an engram
    ratio = (made[:, :1] * made).sum(2)[:, 1:].mean(0) * CELLS / CORE**2
    np.testing.assert_allclose(ratio, 1 + (1 / SHARE - 1) * np.exp(-np.array(APART[1:]) / LASTING), atol=0.08)
    assert (ratio[:2] > 2).all()
    assert ratio[-1] == pytest.approx(1, abs=0.05)


def test_where_all_cells_are_excitable_no_time_links() -> None:
    made = np.array([by_time(seed, share=1.0).mean(1) for seed in range(10)])
    ratio = (made[:, :1] * made).sum(2)[:, 1:].mean(0) * CELLS / CORE**2
    np.testing.assert_allclose(ratio, 1, atol=0.05)


def test_memories_of_one_afternoon_share_cells() -> None:
    """In a hippocampus, by the measures of `spikemem.engrams`; in one without excitability none do."""
    when = NOON + HOUR * (168.0 * np.arange(12)[:, None] + np.linspace(0, 5, 6)).ravel()
    found = {}
    for name, spec in (("linked", linked()), ("plain", engram_small())):
        memory = Hippocampus(spec)
        ids = memory.store(units(len(when)), when=when)
        found[name] = linking(memory.engrams(ids), when / HOUR, [0.0, 6.0, 100.0, 2000.0], CELLS, shuffles=100)
    close, _, far = found["linked"].overlap
    assert close > 2 * far
    assert found["linked"].p[0] < 0.02
    assert found["plain"].overlap[0] < close / 2


def test_excitable_cells_are_in_more_engrams() -> None:
    memory = Hippocampus(linked())
    ids = memory.store(units(40), when=np.full(40, NOON))
    own = np.isin(np.arange(CELLS), memory.excitable(NOON))
    found = allocation(memory.engrams(ids), own.astype(float), 2, CELLS, shuffles=100)
    assert found.ratio.tolist() == pytest.approx([0.0, 1 / SHARE], abs=0.01)
    with pytest.raises(SpecError, match="follow no excitability"):
        Hippocampus(engram_small()).excitable(NOON)


def test_as_many_cells_are_excitable_at_any_time() -> None:
    for hours in (-1e6, 0.0, 3.3):
        assert len(excitable(NOON + hours * HOUR, CELLS, SHARE, LASTING, seed=3)) == round(SHARE * CELLS)


def test_an_engram_follows_its_number_and_its_moment(tmp_path: Path) -> None:
    """Neither the memories around it, nor forgetting, sleep or reopening change it; without a moment it is drawn by chance alone."""
    when = NOON + HOUR * np.arange(30.0)
    memory = Hippocampus(linked())
    ids = memory.store(units(30), when=when)
    before = memory.engrams(ids[10:]).tolist()
    memory.forget(ids[:10])
    memory.consolidate()
    loaded = Hippocampus.load(memory.save(tmp_path / "snapshot"))
    assert memory.engrams(ids[10:]).tolist() == loaded.engrams(ids[10:]).tolist() == before
    plain = Hippocampus(engram_small())
    undated = Hippocampus(linked())
    assert undated.engrams(undated.store(units(5))).tolist() == plain.engrams(plain.store(units(5))).tolist()


def test_a_moment_that_comes_later_changes_no_engram(tmp_path: Path) -> None:
    """A memory that happened again keeps its cells, in a snapshot, too."""
    memory = Hippocampus(linked())
    ids = memory.store(units(3), when=[NOON, np.nan, NOON])
    before = memory.engrams(ids).tolist()
    circuit(memory).renew(0, NOON + 100 * HOUR)
    circuit(memory).renew(1, NOON + 100 * HOUR)
    assert Hippocampus.load(memory.save(tmp_path / "snapshot")).engrams(ids).tolist() == before


@pytest.mark.parametrize("cosine", first_is_fast(0.6, 1.0))
def test_a_balanced_recall_is_what_the_spikes_say(cosine: float) -> None:
    memory = Hippocampus(linked())
    memory.store(units(60), when=np.full(60, NOON))
    memory.forget([3, 4])
    memory.associate(np.arange(10, 15), np.arange(11, 16))
    cues = near(units(60), cosine)[8:14]
    same(memory.recall(cues, top_k=2), memory.recall(cues, top_k=2, record=True))
    np.testing.assert_array_equal(memory.recall_chain(cues[2:], 3), memory.read_chain(memory.simulate_chain(cues[2:], 3)))
    assert circuit(memory).ca3.inhibition.any()


def test_inhibition_is_the_mean_excitation_of_each_cell() -> None:
    memory = Hippocampus(linked())
    memory.store(units(60), when=np.full(60, NOON))
    hetero = circuit(memory).ca3.hetero
    inputs = np.unpackbits(hetero.view(np.uint8), axis=1, bitorder="little").sum(0)
    np.testing.assert_allclose(circuit(memory).ca3.inhibition / 16, inputs * 64 / CELLS, atol=1 / 32)


def right(memory: Hippocampus, n: int) -> float:
    return float((memory.recall(near(units(n), 0.5)[:60]).ids[:, 0] == np.arange(60)).mean())


def test_balance_is_what_lets_linked_engrams_be_recalled() -> None:
    """A hundred memories of one moment share 3 in 10 cells: with the balance silenced the hubs among these fire for any cue."""
    shares = {}
    for balance in (1.0, 0.0):
        memory = Hippocampus(linked(balance=balance))
        memory.store(units(140), when=np.full(140, NOON))
        shares[balance] = right(memory, 140)
    assert shares[1.0] > 0.75
    assert shares[0.0] < shares[1.0] - 0.1


@pytest.mark.slow
def test_silenced_feedforward_inhibition_is_no_balance() -> None:
    memory, without = Hippocampus(linked()), Hippocampus(linked(balance=0.0))
    for made in (memory, without):
        made.store(units(60), when=np.full(60, NOON))
    memory.lesion("ca3_feedforward", 1.0)
    cues = near(units(60), 0.5)[:6]
    assert memory.recall(cues).ids.tolist() == without.recall(cues).ids.tolist()


def test_storing_in_a_simulation_is_storing_at_once() -> None:
    made = Hippocampus(linked(plastic=True)), Hippocampus(linked())
    for memory in made:
        memory.store(units(6), when=NOON + HOUR * np.arange(6))
    for name in ("hetero", "auto", "inhibition"):
        np.testing.assert_array_equal(*(getattr(circuit(memory).ca3, name) for memory in made))


def test_files_and_specs_without_it_are_as_they_were() -> None:
    told = load_model("hippocampus-engram").model_dump()["engram"]
    assert not {"excitable", "lasting", "balance"} & set(told)
    told = load_model("hippocampus-engram-linked")
    assert ModelSpec.model_validate(told.model_dump()) == told
    with pytest.raises(ValueError, match="fewer than ca3\\.core"):
        ModelSpec.model_validate({**engram_small().model_dump(), "engram": {**linked().engram.model_dump(), "excitable": 0.005}})

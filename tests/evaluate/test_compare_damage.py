"""Damage row by row, on random vectors, whose answers are known."""

import numpy as np
import pytest

from spikemem import Hippocampus, load_model, plots
from spikemem.data.datasets import Task
from spikemem.evaluate.compare_damage import FLOATS, HARMS, INTACT, Asked, DamageRow, compare_damage, lost, nearest
from spikemem.evaluate.systems import SILENCED, MemorySystem, silenced
from spikemem.hippocampus.damage import Damage, Jitter, Lesion
from tests.fakes import FakeEmbedder, engram_small, near, units

N = 60
RIGHT = [frozenset({i}) for i in range(N)]


def test_a_table_is_lost_with_its_cells_and_an_engram_is_not() -> None:
    models = {spec.name: Hippocampus(spec) for spec in (load_model("hippocampus-small"), engram_small())}
    for memory in models.values():
        memory.store(units(N))
    intact, half, silent = compare_damage(models, units(N), near(units(N), 0.8), RIGHT, [INTACT, lost("ca1", 0.5), lost("ca3", 1.0)])
    assert intact.shares == {"hippocampus-small": 1.0, "hippocampus-engram-small": 1.0, FLOATS: 1.0}
    assert half.shares == {"hippocampus-small": 0.5, "hippocampus-engram-small": 1.0, FLOATS: 0.5}
    assert silent.shares == {"hippocampus-small": 0.0, "hippocampus-engram-small": 0.0}
    assert not any(memory.damage for memory in models.values())


def test_float_keys_lose_what_they_have() -> None:
    cues = near(units(N), 0.8)
    dimensions = nearest(Damage((Lesion("ec", 0.99),)), units(N), cues)
    assert 0 < (dimensions == np.arange(N)).mean() < 0.7
    np.testing.assert_array_equal(nearest(Damage(), units(N), cues), np.arange(N))
    assert (nearest(Damage((Jitter("ec->ca1", 20.0),)), units(N), cues) == np.arange(N)).mean() < 1.0


def test_rows_have_names_of_their_own() -> None:
    assert len({harm.name for harm in HARMS}) == len(HARMS)


def test_cues_are_spread_and_never_copies() -> None:
    asked = [(f"cue {i}", {i // 2}, "") for i in range(20)]
    task = Task.of("mine", "all", [f"text {i}" for i in range(10)], asked, leave_out=[3, *[-1] * 19])
    some = Asked.of(task, memories=6, cues=5)
    assert some.texts == tuple(f"text {i}" for i in range(6))
    assert some.cues == ("cue 1", "cue 3", "cue 5", "cue 7", "cue 9")
    assert some.right == tuple(frozenset({i}) for i in range(5))


def test_a_figure_has_a_line_for_each_row() -> None:
    rows = [DamageRow("intact", 20, {"a": 1.0, FLOATS: 0.9}), DamageRow("cut", 20, {"a": 0.5})]
    axes = plots.damage(rows).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["intact", "cut"]
    assert [len(dots.get_offsets()) for dots in axes.collections] == [2, 1]
    assert axes.get_legend() is not None


def test_silenced_systems_have_names_of_their_own() -> None:
    names = [make().name for make in silenced()]
    assert len(set(names)) == len(names) == 2 * len(SILENCED)
    assert "spiking memory, vectors alone, hippocampus-engram, CA3 silent" in names


@pytest.mark.parametrize(("damage", "right"), [("", 1.0), ("CA3 silent", 0.0), ("CA3 recurrence cut", 1.0)])
def test_a_silenced_system_answers_by_what_is_left(damage: str, right: float) -> None:
    task = Task.of("mine", "all", [f"text {i}" for i in range(20)], [(f"text {i} ~", {i}, "") for i in range(20)])
    system = MemorySystem(plain=True, model=engram_small(), damage=damage)
    system.fit(task, FakeEmbedder().embed)
    assert (system.rank(task.questions, 1)[:, 0] == np.arange(20)).mean() == right

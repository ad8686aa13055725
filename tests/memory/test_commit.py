"""Plan, commit, apply: a plan changes nothing, and whatever fails between its parts, RAM and disk hold the same afterwards."""

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spikemem import Hippocampus, Memory, ModelSpec
from spikemem.hippocampus.circuit import Circuit
from spikemem.hippocampus.storing import ADAPTATIONS, NewMemories, room
from spikemem.memory.index import Index
from spikemem.memory.store import Store
from spikemem.network import unpack
from tests.conftest import Open
from tests.fakes import units
from tests.memory.test_memory import agrees

TEXTS = [f"thought {i}" for i in range(31)]


def store(memory: Memory) -> object:
    return memory.store("one more", cues=["the last one"])  # the 32nd, at which DG adapts


CHANGES: dict[str, Callable[[Memory], object]] = {
    "store": store,
    "forget": lambda memory: memory.forget(3, 4),
    "associate": lambda memory: memory.associate(5, 6),
    "consolidate": lambda memory: memory.consolidate(),
}
MOMENTS: dict[str, tuple[type, str]] = {
    "before the disk": (Store, "transaction"), "in the hippocampus": (Hippocampus, "apply"), "in forgetting": (Circuit, "forget"),
    "in associating": (Circuit, "associate"), "in the index": (Index, "add"), "in dropping": (Index, "drop"),
    "in deriving": (Circuit, "rebind"),
}  # fmt: skip


def everything(hippocampus: Hippocampus) -> dict[str, Any]:
    """All arrays, copied, with CA3's synapses."""
    kept = {name: np.array(a) for name, a in hippocampus.arrays().items()}
    return kept | {"fast": hippocampus.circuit.ca3.fast.copy(), "slow": hippocampus.circuit.ca3.slow.copy()}


@pytest.mark.parametrize(("stored", "more"), [(0, 4), (5, 4), (28, 4), (30, 4), (20, 50)])
def test_a_plan_changes_nothing_and_is_what_storing_does(small: ModelSpec, stored: int, more: int) -> None:
    planned, plain, vectors = Hippocampus(small), Hippocampus(small), units(stored + more)
    variants = [vectors[[-1 - i]] if i % 3 else None for i in range(more)]
    for memory in (planned, plain):
        memory.store(vectors[:stored])
    before = everything(planned)
    new = NewMemories.of(small, vectors[stored:], None, variants, None, None, None, None)
    plan = planned.plan(new)
    for name, array in everything(planned).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    assert (plan.recoding is not None) == any(stored < n <= stored + more for n in ADAPTATIONS)
    planned.apply(plan)
    plain.store(vectors[stored:], variants=variants)
    for name, array in everything(planned).items():
        np.testing.assert_array_equal(array, everything(plain)[name], err_msg=name)


def test_storing_binds_each_engram_to_itself_alone(small: ModelSpec) -> None:
    memory = Hippocampus(small)
    memory.store(units(4))
    core = memory.engrams(range(4))[:, : small.ca3.core].astype(int)
    wanted, half = np.zeros((small.dg.cells, small.dg.cells), bool), small.dg.cells // 2
    for cells in core:
        wanted[np.ix_(cells, cells)] = True
    np.fill_diagonal(wanted, False)
    got = unpack(memory.circuit.ca3.fast)
    np.testing.assert_array_equal(got, np.concatenate([wanted[:half, :half], wanted[half:, half:]]))


def test_memories_are_coded_together_up_to_where_dentate_gyrus_adapts() -> None:
    assert [room(n) for n in (0, 31, 32, 4095, 4096, 10**6)] == [32, 1, 32, 1, 1024, 1024]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("late", [False, True], ids=["at the beginning", "at the end"])
def test_an_interrupt_loses_nothing(open_memory: Open, monkeypatch: pytest.MonkeyPatch, change: str, moment: str, late: bool) -> None:
    memory = open_memory()
    memory.store_all(TEXTS)
    memory.associate(0, 1)
    owner, name = MOMENTS[moment]
    original = getattr(owner, name)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if late:
            original(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, interrupted)
        with contextlib.suppress(KeyboardInterrupt):
            CHANGES[change](memory)
    assert len(memory) in (29, 31, 32)
    agrees(memory)
    memory.forget(7)
    memory.store("and another one")
    agrees(memory)


def test_what_failed_on_disk_is_not_in_ram(open_memory: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = open_memory()
    memory.store_all(TEXTS)
    before = everything(memory.hippocampus)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "add", lambda *args: (_ for _ in ()).throw(OSError("no space")))
        with pytest.raises(OSError, match="no space"):
            store(memory)
    for name, array in everything(memory.hippocampus).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)

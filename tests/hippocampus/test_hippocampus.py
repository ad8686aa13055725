"""The spiking memory: short cuts against spikes, then what storing, linking, forgetting and sleep promise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from spikemem import Hippocampus, ModelSpec, Recall, Recording
from spikemem.errors import NetworkError, SnapshotError, UnknownMemoryError, VectorError
from spikemem.hippocampus.regions import ec
from spikemem.hippocampus.regions.ca1 import NONE
from spikemem.hippocampus.regions.rhythm import GAMMA, RECALL_SETTLE, THETA
from spikemem.kernels import circuit, index_cells
from tests.fakes import near, units
from tests.marks import first_is_fast

ANSWERS = ("ids", "scores", "vectors", "novelty", "competitors", "attention", "events")


def equal(a: Recall, b: Recall) -> None:
    for name in ANSWERS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def unchanged(memory: Hippocampus, before: dict[str, NDArray[np.generic]]) -> None:
    for name, array in memory.arrays().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def filled(spec: ModelSpec, n: int = 100, seed: int = 0) -> Hippocampus:
    """A memory of `units(n)`, each linked to the next but every tenth."""
    memory = Hippocampus(spec, seed=seed)
    ids = memory.store(units(n))
    pre = ids[ids % 10 != 9][:-1]
    memory.associate(pre, pre + 1)
    return memory


def stage(spec: ModelSpec, name: str, seed: int) -> Hippocampus:
    """A memory with a history."""
    memory = Hippocampus(spec, seed=seed)
    ids = memory.store(units(100))
    if name == "plain":
        return memory
    more = memory.store(
        units(30, seed=10), units(30, seed=11), [near(units(i % 3, seed=20 + i), 0.9) if i % 3 else None for i in range(30)]
    )
    memory.associate(ids[:60], ids[1:61])
    memory.associate(more[:-1], more[1:])
    if name in ("forgotten", "consolidated"):
        memory.forget([*ids[5:100:7], *more[::4]])
    if name == "consolidated":
        memory.consolidate()
    return memory


def cues() -> NDArray[np.float32]:
    """Stored cues, near and far paraphrases, other ways to a memory (cue, target, variant), what was forgotten, and strangers."""
    x, ways = units(100), [units(30, seed=10)[:2], units(30, seed=11)[:2], units(2, seed=22)]
    return np.concatenate([x[:3], x[5:6], near(x[20:24], 0.7), near(x[30:38], 0.4), *ways, units(4, seed=30)])


# -- short cuts and spikes -------------------------------------------------------------------------------------------------------------


STAGES = ("plain", "linked", "forgotten", "consolidated")


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(("top_k", "settle", "cycles"), first_is_fast((1, 2, 2), (5, 2, 5), (30, 2, 5), (120, 2, 5), (3, 0, 5), (3, 5, 12)))
def test_a_recall_is_what_the_spikes_say(small: ModelSpec, name: str, top_k: int, settle: int, cycles: int) -> None:
    memory = stage(small, name, seed=settle)
    short = memory.recall(cues(), top_k, settle=settle, attention_cycles=cycles)
    spiking = memory.recall(cues(), top_k, settle=settle, attention_cycles=cycles, record=True)
    equal(short, spiking)
    assert spiking.recording is not None
    arrays = memory.arrays()
    for i, volley in enumerate(ec.encode(small.ec, ec.unit(cues(), 384)).astype(np.int64)):
        first = spiking.recording["ca1"].between(settle * GAMMA, (settle + 1) * GAMMA, i).cell
        best = dict.fromkeys(arrays["memory"][first].tolist())
        assert [m for m in short.ids[i].tolist() if m != NONE] == list(best)[:top_k]
        assert short.scores[i, 0] == arrays["counts"][first[0]] @ volley / (volley @ volley)
        starts = range((settle + 1) * GAMMA, (settle + 1 + cycles) * GAMMA, GAMMA)
        won = [int(arrays["memory"][key]) for t in starts for key in spiking.recording["sub"].between(t, t + GAMMA, i).cell]
        assert len(won) == cycles
        shares = {m: short.attention[i, short.competitors[i] == m].sum() for m in set(won)}
        assert shares == pytest.approx({m: won.count(m) / cycles for m in set(won)})


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES[1:])
def test_a_chain_is_what_the_spikes_say(small: ModelSpec, name: str) -> None:
    memory, hops = stage(small, name, seed=1), 4
    found = memory.recall_chain(cues(), hops)
    recording = memory.simulate_chain(cues(), hops)
    np.testing.assert_array_equal(found, memory.read_chain(recording))
    owner = memory.arrays()["memory"]
    ends = range(2 * THETA - GAMMA, (hops + 2) * THETA - GAMMA, THETA)
    for i, ids in enumerate(found.tolist()):
        read = [owner[recording["sub"].between(end - GAMMA, end, i).cell].tolist() for end in ends]
        length = next((h for h, owners in enumerate(read) if not owners), hops)
        assert ids == [owners[0] for owners in read[:length]] + [NONE] * (hops - length)
    assert (found[:3] != NONE).any()
    assert (found == NONE).any()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "forgotten"])
def test_torch_spikes_as_the_event_driven_simulator(small: ModelSpec, name: str) -> None:
    memory = stage(small, name, seed=1)
    some = cues()[::6]
    same_spikes(memory.simulate_recall(some), memory.simulate_recall(some, simulator="torch"))


@pytest.mark.slow
def test_torch_chains_as_the_event_driven_simulator(small: ModelSpec) -> None:
    memory = stage(small, "linked", seed=1)
    some = cues()[:3]
    same_spikes(memory.simulate_chain(some, 1), memory.simulate_chain(some, 1, simulator="torch"))


def same_spikes(a: Recording, b: Recording) -> None:
    assert set(a.spikes) == set(b.spikes)
    assert a.events == b.events
    for name, spikes in a.spikes.items():
        for part in ("step", "batch", "cell"):
            np.testing.assert_array_equal(getattr(spikes, part), getattr(b[name], part), err_msg=name)


@pytest.mark.slow
def test_a_stored_cue_forces_its_engram(small: ModelSpec) -> None:
    """Teacher forcing: in the first gamma cycle of its cue, CA3 fires the engram, core first."""
    memory = filled(small)
    ids = np.array([3, 50, 97])
    ca3 = memory.simulate_recall(units(100)[ids])["ca3"]
    for i, engram in enumerate(memory.engrams(ids)):
        assert ca3.between(0, GAMMA, i).cell.tolist() == engram.tolist()


@pytest.mark.slow
def test_deep_ec_fires_the_content_of_the_winner(small: ModelSpec) -> None:
    memory = filled(small)
    found = memory.recall(near(units(100)[40:44], 0.5), record=True)
    assert found.recording is not None
    counts = memory.arrays()["counts"]
    for i in range(4):
        for start in range((RECALL_SETTLE + 1) * GAMMA, found.recording.steps - GAMMA, GAMMA):
            key = found.recording["sub"].between(start, start + GAMMA, i).cell
            volley = np.bincount(found.recording["ec_deep"].between(start + GAMMA, start + 2 * GAMMA, i).cell, minlength=768)
            np.testing.assert_array_equal(ec.signed(volley), counts[key[0]])


def test_the_answer_does_not_come_from_the_short_cut(small: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded recall is as it was where the direct computation ranks index cells the wrong way round, and samples others."""
    memory = filled(small)
    before = memory.recall(units(3), top_k=30, record=True)
    rank, attend = index_cells.rank, circuit.attend
    monkeypatch.setattr(index_cells, "rank", lambda *given: (rank(*given)[0][:, ::-1], *rank(*given)[1:]))
    monkeypatch.setattr(circuit, "attend", lambda order, *given: attend(order[:, ::-1], *given))
    told = memory.recall(units(3), top_k=30, record=True)
    for name in ("ids", "scores", "vectors", "novelty", "competitors", "attention"):
        np.testing.assert_array_equal(getattr(told, name), getattr(before, name), name)
    assert not np.array_equal(memory.recall(units(3), top_k=30).ids, before.ids)


def test_voltages_and_marks(small: ModelSpec) -> None:
    recording = filled(small).simulate_recall(units(1), attention_cycles=2, record={"ca3": [5, 6]})
    assert recording.voltages["ca3"].shape == ((RECALL_SETTLE + 4) * GAMMA, 1, 2)
    assert recording.marks == {"gamma": list(range(0, (RECALL_SETTLE + 4) * GAMMA, GAMMA)), "theta": [0]}


# -- what is recalled ------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_exact_near_and_strange_cues(small: ModelSpec) -> None:
    memory, x = filled(small, 300), units(300)
    exact, close, strange = memory.recall(x), memory.recall(near(x, 0.7)), memory.recall(units(100, seed=5))
    assert exact.ids[:, 0].tolist() == list(range(300))
    np.testing.assert_allclose(exact.scores, 1.0)
    assert exact.novelty.max() < 1e-9
    assert np.mean(close.ids[:, 0] == np.arange(300)) > 0.97
    assert exact.novelty.max() < close.novelty.min()
    assert close.novelty.max() < strange.novelty.min()
    assert (exact.vectors * x).sum(1).min() > 0.98
    np.testing.assert_allclose(np.linalg.norm(strange.vectors, axis=1), 1.0)


def test_targets_and_variants_lead_to_one_memory(small: ModelSpec) -> None:
    memory, cue, target, variant = Hippocampus(small), units(20), units(20, seed=1), units(40, seed=2).reshape(20, 2, 384)
    ids = memory.store(cue, target, list(variant))
    for way in (cue, target, variant[:, 0], variant[:, 1]):
        found = memory.recall(way)
        np.testing.assert_array_equal(found.ids[:, 0], ids)
        assert (found.vectors * target).sum(1).min() > 0.98
    np.testing.assert_allclose((memory.contents(ids) * target).sum(1), 1.0, atol=0.01)
    assert np.sort(memory.recall(cue[0], top_k=20).ids[0]).tolist() == ids.tolist()


def test_more_are_asked_for_than_there_are(small: ModelSpec) -> None:
    memory = Hippocampus(small)
    memory.store(units(3))
    found = memory.recall(units(2), top_k=5)
    assert (np.sort(found.ids, axis=1)[:, :2] == NONE).all()
    assert np.isnan(found.scores[:, 3:]).all()
    np.testing.assert_array_equal(found.ids == NONE, np.isnan(found.scores))


@pytest.mark.parametrize("record", [False, True])
def test_an_empty_memory_recalls_nothing(small: ModelSpec, record: bool) -> None:
    memory = Hippocampus(small)
    found = memory.recall(units(2), top_k=2, record=record)
    assert (found.ids == NONE).all()
    assert found.novelty.tolist() == [1, 1]
    assert not found.vectors.any()


def test_an_empty_memory_works_otherwise(small: ModelSpec) -> None:
    memory = Hippocampus(small)
    assert memory.recall_chain(units(2), hops=2).tolist() == [[NONE, NONE]] * 2
    memory.consolidate()
    assert len(memory) == 0
    with pytest.raises(NetworkError, match="empty"):
        memory.simulate_recall(units(1))


def test_a_memory_that_has_forgotten_everything(small: ModelSpec) -> None:
    memory = Hippocampus(small)
    memory.forget(memory.store(units(5)))
    for record in (False, True):
        assert memory.recall(units(2), record=record).ids.tolist() == [[NONE], [NONE]]
    memory.consolidate()
    assert memory.store(units(1)).tolist() == [5]
    assert memory.recall(units(1)).ids.tolist() == [[5]]


def test_no_cues_no_answers(small: ModelSpec) -> None:
    memory, none = filled(small), np.zeros((0, 384))
    assert memory.recall(none, top_k=2).ids.shape == (0, 2)
    assert memory.recall_chain(none, hops=2).shape == (0, 2)
    assert memory.store(none).shape == (0,)
    memory.forget([])
    memory.associate([], [])
    assert memory.contents([]).shape == (0, 384)


@pytest.mark.parametrize(
    "one", [np.eye(384)[3], -np.eye(384)[3], np.full(384, 1e300), np.full(384, 5e-324), np.geomspace(1e-300, 1e300, 384)]
)
def test_odd_vectors_are_memories_too(small: ModelSpec, one: NDArray[np.float64]) -> None:
    memory = filled(small, 50)
    (new,) = memory.store(one)
    assert memory.recall(one).ids.tolist() == [[new]]
    assert memory.recall(one).scores[0, 0] == pytest.approx(1.0)
    equal(memory.recall(one, 3), memory.recall(one, 3, record=True))


def test_one_hot_vectors_are_told_apart(small: ModelSpec) -> None:
    memory, x = Hippocampus(small), np.concatenate([np.eye(384), -np.eye(384)])[::16]
    ids = memory.store(x)
    np.testing.assert_array_equal(memory.recall(x).ids[:, 0], ids)


def test_scale_does_not_matter(small: ModelSpec) -> None:
    memory, x = filled(small), near(units(100)[:4], 0.6).astype(np.float64)
    for scale in (1e-300, 1e300):
        equal(memory.recall(x * scale, 3), memory.recall(x, 3))


# -- learning --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_batch_is_as_one_by_one(small: ModelSpec) -> None:
    """Across the points at which DG adapts."""
    x, batch, single = units(70), Hippocampus(small), Hippocampus(small)
    calls: list[tuple[int, int]] = []
    ids = batch.store(x, progress=lambda done, of: calls.append((done, of)))
    assert [int(single.store(one)[0]) for one in x] == ids.tolist() == list(range(70))
    unchanged(single, batch.arrays())
    assert batch.density() == single.density()
    assert batch.arrays()["seen"] == [64]
    assert calls[-1] == (70, 70)


@pytest.mark.slow
def test_the_seed_decides(small: ModelSpec) -> None:
    one, same, other = filled(small, seed=1), filled(small, seed=1), filled(small, seed=2)
    equal(one.recall(cues(), 5), same.recall(cues(), 5))
    assert (one.engrams([0]) != other.engrams([0])).any()
    assert (one.recall(cues()).attention != other.recall(cues()).attention).any()


def test_links_lead_on_and_count_once(small: ModelSpec) -> None:
    memory = filled(small)
    assert memory.recall_chain(units(100)[[0, 42]], hops=5).tolist() == [[1, 2, 3, 4, 5], [43, 44, 45, 46, 47]]
    assert memory.recall_chain(units(100)[7], hops=4).tolist() == [[8, 9, NONE, NONE]]
    density = memory.density()
    memory.associate([0, 1], [1, 2])
    assert memory.density() == density
    memory.associate(99, 0)
    assert memory.recall_chain(units(100)[99], hops=2).tolist() == [[0, 1]]


def test_forgetting_silences(small: ModelSpec) -> None:
    memory, x = filled(small), units(100)
    memory.forget([2, 50])
    assert len(memory) == 98
    assert not np.isin(memory.recall(x, top_k=20).ids, [2, 50]).any()
    assert memory.recall_chain(x[0], hops=3).tolist() == [[1, NONE, NONE]]
    rest = np.delete(np.arange(100), [2, 50])
    np.testing.assert_array_equal(memory.recall(x[rest]).ids[:, 0], rest)
    assert memory.store(x[2]).tolist() == [100]
    assert memory.recall(x[2]).ids.tolist() == [[100]]


def test_sleep_clears_what_was_forgotten_and_keeps_the_rest(small: ModelSpec) -> None:
    memory, x = filled(small), units(100)
    before = memory.density()
    memory.forget(np.arange(50))
    assert memory.density() == before
    memory.consolidate()
    assert all(now < 0.6 * then for now, then in zip(memory.density(), before, strict=True))
    np.testing.assert_array_equal(memory.recall(x[50:]).ids[:, 0], np.arange(50, 100))
    assert memory.recall_chain(x[50], hops=4).tolist() == [[51, 52, 53, 54]]
    once = memory.arrays()
    memory.consolidate()
    unchanged(memory, once)


@pytest.mark.parametrize("ids", [100, -1, [3, 100], 1.0, [0.5], "1", None, True, [[1, 2]]])
def test_unknown_ids(small: ModelSpec, ids: ArrayLike) -> None:
    memory = filled(small)
    before = memory.arrays()
    for call in (memory.forget, memory.contents, memory.engrams, lambda i: memory.associate(i, i), lambda i: memory.associate([0], i)):
        with pytest.raises(UnknownMemoryError):
            call(ids)
    unchanged(memory, before)
    assert len(memory) == 100


def test_forgotten_ids_are_unknown(small: ModelSpec) -> None:
    memory = filled(small)
    memory.forget(7)
    for call in (memory.forget, memory.contents, memory.engrams, lambda i: memory.associate([0], i), lambda i: memory.associate(i, [0])):
        with pytest.raises(UnknownMemoryError, match="no memory 7"):
            call([7])


def test_links_come_in_pairs(small: ModelSpec) -> None:
    memory = filled(small)
    with pytest.raises(UnknownMemoryError):
        memory.associate([0, 2, 4], [50])


BAD = {
    "nan": np.where(np.arange(384) == 5, np.nan, 1.0),
    "infinite": np.where(np.arange(384) == 5, -np.inf, 1.0),
    "zero": np.zeros(384),
    "short": np.ones(383),
    "text": "cue",
    "none": None,
    "ragged": [[1.0, 2.0], [3.0]],
    "cube": np.ones((1, 1, 384)),
}
STORES: dict[str, Callable[[Hippocampus, ArrayLike], object]] = {
    "cue": lambda memory, bad: memory.store(bad),
    "target": lambda memory, bad: memory.store(units(1), target=bad),
    "variant": lambda memory, bad: memory.store(units(2), variants=[units(1), bad]),
    "recall": lambda memory, bad: memory.recall(bad),
    "chain": lambda memory, bad: memory.recall_chain(bad),
    "simulation": lambda memory, bad: memory.simulate_recall(bad),
}


@pytest.mark.parametrize(
    ("use", "bad"), [(use, bad) for use in STORES for bad in BAD if bad != "none" or use not in ("target", "variant")]
)  # there None stands for no target, no variants
def test_bad_vectors_change_nothing(small: ModelSpec, use: str, bad: str) -> None:
    memory = filled(small, 5)
    before = memory.arrays()
    with pytest.raises(VectorError):
        STORES[use](memory, BAD[bad])
    unchanged(memory, before)


def test_one_bad_vector_among_good_ones_changes_nothing(small: ModelSpec) -> None:
    memory, x = filled(small, 5), units(2000)
    before = memory.arrays()
    x[1999] = np.nan
    with pytest.raises(VectorError, match="1999"):
        memory.store(x)
    unchanged(memory, before)


@pytest.mark.parametrize("short", [{"target": units(2)}, {"variants": [None]}, {"variants": [None] * 4}])
def test_as_many_targets_and_variants_as_cues(small: ModelSpec, short: dict[str, object]) -> None:
    with pytest.raises(VectorError, match="3 cues"):
        Hippocampus(small).store(units(3), **short)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"top_k": 0}, {"settle": -1}, {"attention_cycles": 0}])
def test_counts_are_checked(small: ModelSpec, wrong: dict[str, int]) -> None:
    with pytest.raises(VectorError, match=next(iter(wrong))):
        filled(small, 5).recall(units(1), **wrong)


def test_at_least_one_hop(small: ModelSpec) -> None:
    with pytest.raises(VectorError, match="hops"):
        filled(small, 5).recall_chain(units(1), hops=0)


# -- keeping ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_snapshot_holds_everything(small: ModelSpec, name: str, tmp_path: Path) -> None:
    memory = stage(small, name, seed=3)
    again = Hippocampus.load(memory.save(tmp_path / "memory.safetensors"))
    assert again.spec == small
    assert len(again) == len(memory)
    unchanged(again, memory.arrays())
    if name == "forgotten":  # opening derives the synapses from what is alive, as sleep does
        assert all(now < before for now, before in zip(again.density(), memory.density(), strict=True))
        np.testing.assert_array_equal(again.recall(cues()).ids, memory.recall(cues()).ids)
    else:
        assert again.density() == memory.density()
        equal(again.recall(cues(), 5), memory.recall(cues(), 5))
        np.testing.assert_array_equal(again.recall_chain(cues(), 3), memory.recall_chain(cues(), 3))
    np.testing.assert_array_equal(again.store(units(1, seed=9)), memory.store(units(1, seed=9)))


def test_a_flipped_byte_in_a_snapshot_is_found(small: ModelSpec, tmp_path: Path) -> None:
    whole = filled(small, 5).save(tmp_path / "whole").read_bytes()
    damaged = tmp_path / "damaged"
    for place in [*range(8), *np.random.default_rng(0).integers(8, len(whole), 60)]:
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(SnapshotError):
            Hippocampus.load(damaged)


@pytest.mark.parametrize("content", [None, b"", b"This is a letter.", "truncated"])
def test_other_files_are_no_snapshots(small: ModelSpec, content: bytes | str | None, tmp_path: Path) -> None:
    file = tmp_path / "file"
    if content == "truncated":
        content = filled(small, 5).save(file).read_bytes()[:-1]
    if isinstance(content, bytes):
        file.write_bytes(content)
    with pytest.raises(SnapshotError, match="file"):
        Hippocampus.load(file)


# -- other shapes of circuit -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "charge", "sharpness"),
    [(16, 3.2, 16.0), (1024, 3.2, 16.0), (384, 8.0, 16.0), (384, 0.5, 16.0), (384, 3.2, 0.1), (384, 3.2, 1000.0)],
)
def test_short_cuts_hold_for_other_models(small: ModelSpec, dim: int, charge: float, sharpness: float) -> None:
    spec = ModelSpec.model_validate(
        {**small.model_dump(), "ec": {"dim": dim, "charge": charge}, "ca1": {**small.ca1.model_dump(), "sharpness": sharpness}}
    )
    rng = np.random.default_rng(0)
    alike = rng.normal(size=dim) + 0.7 * rng.normal(size=(150, dim))  # correlated memories, that all compete
    memory = Hippocampus(spec)
    memory.store(alike)
    noisy = alike[:10] + 0.5 * rng.normal(size=(10, dim))
    equal(memory.recall(noisy, 3), memory.recall(noisy, 3, record=True))


def test_the_largest_core_counts_without_overflow() -> None:
    spec = ModelSpec.model_validate({"dg": {"cells": 1024, "winners": 256}, "ca3": {"core": 255}})
    memory, x = Hippocampus(spec), units(20)
    ids = memory.store(x)
    memory.associate(ids[:-1], ids[1:])
    assert memory.recall(x, settle=4).ids[:, 0].tolist() == ids.tolist()
    equal(memory.recall(x[:3], settle=4), memory.recall(x[:3], settle=4, record=True))


# -- forks, loops, duplicates ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("links", "start", "expected"),
    [
        ([(0, 1), (0, 2), (1, 0)], 0, [1, 0, 1, 0]),
        ([(0, 1), (0, 2), (1, 3), (2, 4)], 0, [1, 3, NONE, NONE]),
        ([(5, 5), (5, 6)], 5, [5, 5, 5, 5]),
        ([(0, 1), (1, 0)], 1, [0, 1, 0, 1]),
        ([(0, 9), (1, 9), (9, 2)], 1, [9, 2, NONE, NONE]),
        ([(0, 1), (0, 2), (0, 3), (0, 4)], 0, [NONE] * 4),
    ],
)
def test_chains_through_forks_loops_and_merges(small: ModelSpec, links: list[tuple[int, int]], start: int, expected: list[int]) -> None:
    memory, x = Hippocampus(small), units(40)
    memory.store(x)
    memory.associate(*zip(*links, strict=True))
    assert memory.recall_chain(x[start], hops=4).tolist() == [expected]
    assert memory.read_chain(memory.simulate_chain(x[start], 4)).tolist() == [expected]


def test_many_variants_hide_no_other_memory(small: ModelSpec) -> None:
    memory, x = Hippocampus(small), units(6)
    memory.store(x, variants=[near(np.repeat(x[:1], 400, axis=0), 0.9), *[None] * 5])
    found = memory.recall(near(x[:1], 0.9), top_k=3)
    assert found.ids[0, 0] == 0
    assert (found.ids >= 0).sum() >= 2

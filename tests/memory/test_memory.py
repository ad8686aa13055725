"""Text memory: what was acknowledged survives kills, damage, full disks and reopening."""

import importlib.util
import multiprocessing
import os
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikemem import Hits, Memory, ModelSpec, load_model
from spikemem.errors import SpecError, SpikememError, StoreError, StoreLockedError, TextError, UnknownMemoryError, VectorError
from spikemem.hippocampus.regions import ec
from spikemem.memory.embed import Progress, SentenceEmbedder
from spikemem.memory.texts import MAX_CHARACTERS
from tests.conftest import Open
from tests.fakes import FakeEmbedder, store_forever

KILLS = int(os.environ.get("SPIKEMEM_KILLS", "10"))
"""Rounds of the kill test."""
TEXTS = [f"thought {i}" for i in range(70)]
CUES = [f"{text} ~said otherwise" for text in TEXTS] + ["a stranger"]


def answers(hits: Sequence[Hits]) -> list[object]:
    return [([(hit.id, hit.text, hit.score) for hit in of_cue], of_cue.novelty) for of_cue in hits]


def agrees(memory: Memory) -> None:
    """RAM holds what the disk does: a reader that opens the file now finds the same."""
    assert memory._store.path is not None
    with Memory.open(memory._store.path, embedder=memory.embedder, readonly=True) as reader:
        assert len(reader) == len(memory) == len(memory.hippocampus)
        ours, theirs = memory.hippocampus.arrays(), reader.hippocampus.arrays()
        np.testing.assert_array_equal(theirs["codes"], ours["codes"][ours["alive"]])
        np.testing.assert_array_equal(theirs["counts"], ours["counts"][ours["alive"]])
        np.testing.assert_array_equal(theirs["mean"], ours["mean"])
        np.testing.assert_array_equal(theirs["covariance"], ours["covariance"])
        assert len(theirs["links"]) == len(ours["links"])
        assert inputs_of(theirs) == inputs_of(ours)
        assert [reader.get(i) for i in reader] == [memory.get(i) for i in memory]
        for around in (None, 0.0, 2e9):
            held = memory.hippocampus.holds(around)[[memory._index.row(i) for i in memory]]
            np.testing.assert_array_equal(reader.hippocampus.holds(around), held)


def inputs_of(arrays: dict[str, NDArray[Any]]) -> list[object]:
    """The inputs of a hippocampus other than vectors: for each living key whether it is a cue, its memory's session and time, its words."""
    keys = np.flatnonzero(arrays["alive"])
    ptr, memory = arrays["words_ptr"], arrays["memory"]
    spans = [slice(ptr[k], ptr[k + 1]) for k in keys] if len(arrays["words_cell"]) else []
    return [
        arrays["cue"][keys].tolist(), arrays["session"][memory[keys]].tolist(), str(arrays["when"][memory[keys]].tolist()),
        [[arrays[f"words_{name}"][span].tolist() for name in ("cell", "spikes", "whole")] for span in spans],
    ]  # fmt: skip


# -- in and out ------------------------------------------------------------------------------------------------------------------------


def test_sentences_in_sentences_out(open_memory: Open) -> None:
    memory = open_memory()
    ids = memory.store_all(TEXTS)
    assert ids == list(range(70))
    assert [hits[0].text for hits in memory.recall_all(CUES[:-1])] == TEXTS
    known, strange = memory.recall(TEXTS[3]), memory.recall("a stranger")
    assert (known[0].id, known[0].text, known[0].score) == (3, TEXTS[3], pytest.approx(1.0))
    assert known.novelty < 1e-9 < 0.5 < strange.novelty
    assert len(memory.recall(TEXTS[0], top_k=100)) == len({hit.id for hit in memory.recall(TEXTS[0], top_k=100)}) <= 70
    assert memory[5] == TEXTS[5]
    assert 5 in memory
    assert 70 not in memory


def test_further_cues_and_chains(open_memory: Open) -> None:
    memory = open_memory()
    a, b, c = memory.store_all(["Rome", "Naples", "Palermo"], cues=[["the capital", "seven hills"], [], ["the island"]])
    memory.associate(a, b)
    memory.associate_all([(b, c)])
    assert memory.recall("seven hills")[0].text == "Rome"
    assert [hit.text for hit in memory.recall_chain("the capital", hops=5)] == ["Naples", "Palermo"]
    assert memory.recall_chain("the island", hops=2) == []
    assert memory.info()["associations"] == 2
    assert memory.info()["index_cells"] == 6


@pytest.mark.slow
def test_a_recording_tells_the_same(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all(TEXTS)
    spiking = memory.recall_all(CUES[::20], record=True)
    assert answers(spiking) == answers(memory.recall_all(CUES[::20]))
    assert spiking[0].recording is not None


def test_an_empty_memory(open_memory: Open) -> None:
    memory = open_memory()
    assert memory.recall("anything") == []
    assert memory.recall("anything").novelty == 1
    assert memory.recall("anything", record=True) == []
    assert memory.recall_chain("anything", hops=2) == []
    assert memory.recall_all([]) == []
    assert memory.store_all([]) == []
    memory.associate_all([])
    memory.consolidate()
    memory.forget()
    assert len(memory) == 0


GOOD = ["🧠🌊", "Привет, мир", "记忆", "שלום", "ज्ञापक", "e\u0301", "a\0b", "  padded  ", "line\nline", "x" * MAX_CHARACTERS]
BAD = ["", "   ", "\n\t", "x" * (MAX_CHARACTERS + 1), b"bytes", None, 7, ["list"], "\ud800"]


@pytest.mark.parametrize("text", GOOD)
def test_any_script_is_kept(open_memory: Open, text: str) -> None:
    memory = open_memory()
    i = memory.store(text, cues=["cue"], origin=text)
    memory.close()
    memory = open_memory()
    assert memory[i] == text
    assert memory.recall("cue")[0].text == text


@pytest.mark.parametrize("bad", BAD)
def test_other_things_are_no_text(open_memory: Open, bad: str) -> None:
    memory = open_memory()
    uses: list[Callable[[], object]] = [
        lambda: memory.store(bad), lambda: memory.store("good", cues=["good", bad]), lambda: memory.store_all(["good", bad]),
        lambda: memory.recall(bad), lambda: memory.recall_all(["good", bad]), lambda: memory.recall_chain(bad),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(TextError):
            use()
    assert len(memory) == 0
    agrees(memory)


@pytest.mark.parametrize("origin", [5, "\ud800", b"bytes"])
def test_an_origin_is_text(open_memory: Open, origin: str) -> None:
    memory = open_memory()
    with pytest.raises(TextError):
        memory.store("good", origin=origin)
    agrees(memory)


def test_one_string_is_no_list_of_texts(open_memory: Open) -> None:
    memory = open_memory()
    with pytest.raises(TextError):
        memory.store_all("Rome")
    with pytest.raises(TextError):
        memory.store("Rome", cues="the capital")
    with pytest.raises(TextError, match="1 texts"):
        memory.store_all(["Rome"], cues=[[], []])
    assert len(memory) == 0


def test_ids_are_those_that_were_given(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all(TEXTS[:4])
    memory.forget(2)
    uses: list[Callable[[int], object]] = [
        memory.forget, memory.__getitem__, lambda i: memory.forget(0, i),
        lambda i: memory.associate(0, i), lambda i: memory.associate(i, 0),
    ]  # fmt: skip
    for use in uses:
        for i in (2, 4, -1):
            with pytest.raises(UnknownMemoryError, match=f"no memory {i}"):
                use(i)
    assert len(memory) == 3
    agrees(memory)


def test_numpy_ids_are_ids(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all(TEXTS[:4])
    memory.associate(np.int64(0), np.int64(1))
    memory.forget(np.int64(3), np.int64(3))
    assert len(memory) == 3
    agrees(memory)


# -- reopening -------------------------------------------------------------------------------------------------------------------------


def test_reopened_it_recalls_the_same(open_memory: Open) -> None:
    """70 memories: DG has adapted twice."""
    memory = open_memory()
    ids = [memory.store(text) for text in TEXTS[:40]] + memory.store_all(TEXTS[40:], cues=[[f"cue {i}"] for i in range(30)])
    memory.associate_all(list(pairwise(ids)))
    before, chain = answers(memory.recall_all(CUES)), memory.recall_chain(CUES[0], hops=5)
    agrees(memory)
    memory.close()
    memory = open_memory()
    assert answers(memory.recall_all(CUES)) == before
    assert memory.recall_chain(CUES[0], hops=5) == chain
    assert [hit.id for hit in chain] == [1, 2, 3, 4, 5]
    assert memory.store("one more") == 70


def test_forgotten_is_forgotten_and_its_id_is_gone(open_memory: Open) -> None:
    memory = open_memory()
    ids = memory.store_all(TEXTS[:10])
    memory.associate_all([(0, 1), (8, 9), (4, 5)])
    memory.forget(ids[9], ids[0])
    memory.close()
    memory = open_memory()
    assert len(memory) == 8
    assert [hit.id for hit in memory.recall(TEXTS[9], top_k=10)] != []
    assert not {0, 9} & {hit.id for hit in memory.recall(TEXTS[9], top_k=10)}
    assert memory.info()["associations"] == 1
    assert memory.store("new") == 10
    assert memory.recall(TEXTS[9])[0].id != 9
    agrees(memory)


def test_a_new_adaptation_of_as_many_is_kept(open_memory: Open) -> None:
    memory = open_memory()
    memory.forget(*memory.store_all(TEXTS[:32]))
    memory.store_all(TEXTS[32:64])
    agrees(memory)


def test_each_key_keeps_its_own_text_and_vector(open_memory: Open) -> None:
    """Also where DG adapts in the middle of a batch, and memories have different numbers of cues."""
    memory = open_memory()
    cues = [[f"cue {j} of {i}" for j in range(i % 3)] for i in range(80)]
    texts = [f"memory {i}" for i in range(80)]
    ids = memory.store_all(texts, cues)
    rows = memory._store.keys()
    for i, text, some in zip(ids, texts, cues, strict=True):
        assert [row.text for row in rows if row.memory == i] == [text, *some]
    for row in rows:
        vector = memory.embedder.embed([row.text])
        np.testing.assert_array_equal(row.vector, vector[0])
        np.testing.assert_array_equal(row.counts, ec.encode(memory.spec.ec, ec.unit(vector, memory.spec.ec.dim))[0])


@pytest.mark.slow
def test_sleep_is_durable(open_memory: Open) -> None:
    memory = open_memory()
    memory.store_all(TEXTS[:50])
    memory.associate_all([(i, i + 1) for i in range(49)])
    memory.forget(*range(10))
    density = memory.hippocampus.density()
    memory.consolidate()
    assert all(now < then for now, then in zip(memory.hippocampus.density(), density, strict=True))
    agrees(memory)
    before = answers(memory.recall_all(CUES))
    memory.close()
    memory = open_memory()
    assert answers(memory.recall_all(CUES)) == before
    assert [hit.id for hit in memory.recall_chain(TEXTS[10], hops=3)] == [11, 12, 13]


def test_another_model_or_embedder_is_refused(open_memory: Open, path: Path, small: ModelSpec) -> None:
    open_memory().close()
    with pytest.raises(StoreError, match="hippocampus-small"):
        Memory.open(path, "hippocampus-base", embedder=FakeEmbedder())
    for other in (FakeEmbedder(name="other"), FakeEmbedder(dim=100)):
        with pytest.raises(StoreError, match="embedder 'fake'"):
            Memory.open(path, embedder=other)
    with pytest.raises(SpecError, match="no-such-model"):
        Memory.open(path, "no-such-model", embedder=FakeEmbedder())
    Memory.open(path, small, embedder=FakeEmbedder()).close()  # each failure has let go of the lock


REFUSED: dict[str, dict[str, Any]] = {
    "unknown embedder": {"embedder": "no-such-model"},
    "no embedder": {"embedder": object()},
    "unknown model": {"model": "no-such-model"},
    "no model": {"model": 7},
    "gates of another embedder's vectors": {"model": load_model("hippocampus-gated")},
    "no weights": {"model": ModelSpec(ec={"weights": "/no/such.safetensors"})},
    "seed": {"seed": -1},
    "device": {"device": 3},
    "too few dimensions for DG": {"embedder": FakeEmbedder(dim=2)},
}


@pytest.mark.parametrize("lock", ["of the system", "beside the file"])
@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_a_refused_open_leaves_nothing_behind(given: dict[str, Any], lock: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if lock == "beside the file":
        monkeypatch.setattr("spikemem.memory.file.fcntl", None)
    with pytest.raises(SpikememError):
        Memory.open(path, **{"embedder": FakeEmbedder(), **given})
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_a_refused_open_leaves_an_old_file_as_it_was(given: dict[str, Any], path: Path) -> None:
    path.touch()
    with pytest.raises(SpikememError):
        Memory.open(path, **{"embedder": FakeEmbedder(), **given})
    assert list(path.parent.iterdir()) == [path]


def test_the_embedder_is_made_before_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[bool]()
    monkeypatch.setattr("spikemem.memory.memory.embedder_of", lambda given: (seen.append(path.exists()), FakeEmbedder())[1])
    Memory.open(path, "hippocampus-small").close()
    assert seen[0] is False


def test_a_new_file_in_which_nothing_was_stored_is_gone_after_an_error(open_memory: Open, path: Path) -> None:
    def storing(*texts: str) -> None:
        with open_memory() as memory:
            for text in texts:
                memory.store(text)

    with pytest.raises(TextError):
        storing("")
    assert list(path.parent.iterdir()) == []
    with pytest.raises(TextError):
        storing("a thought", "")
    assert list(open_memory(readonly=True)) == [0]


def test_the_models_dimension_follows_the_embedder(path: Path) -> None:
    with Memory.open(path, "hippocampus-small", embedder=FakeEmbedder(dim=64)) as memory:
        memory.store_all(TEXTS[:5])
    with Memory.open(path, "hippocampus-small", embedder=FakeEmbedder(dim=64)) as memory:
        assert memory.recall(TEXTS[3])[0].id == 3


@pytest.mark.slow
def test_one_writer_beside_readers(open_memory: Open) -> None:
    writer = open_memory()
    writer.store_all(TEXTS[:5])
    with pytest.raises(StoreLockedError):
        open_memory()
    reader = open_memory(readonly=True)
    assert reader.recall(TEXTS[3])[0].id == 3
    writer.store(TEXTS[5])
    changes: list[Callable[[], object]] = [
        lambda: reader.store("x"), lambda: reader.forget(1), lambda: reader.associate(0, 1), lambda: reader.consolidate(),
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(StoreError, match="for reading"):
            change()
        assert reader.recall(TEXTS[3])[0].id == 3
    assert len(open_memory(readonly=True)) == 6
    agrees(writer)


# -- failures --------------------------------------------------------------------------------------------------------------------------


class Failing(FakeEmbedder):
    """Fails in a chosen way, on the call after `fail` was set."""

    fail: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None

    def embed(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        vectors = super().embed(texts, progress)
        return vectors if self.fail is None else self.fail(vectors)


def boom(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    raise ConnectionError("the model is gone")


def last_nan(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([vectors[:-1], np.full((1, vectors.shape[1]), np.nan, np.float32)])


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (boom, ConnectionError),
        (last_nan, VectorError),
        (lambda v: v * 0, VectorError),
        (lambda v: v[:, :5], VectorError),
        (lambda v: v[1:], VectorError),
    ],
)
def test_a_failing_embedder_changes_nothing(open_memory: Open, fail: Callable[..., NDArray[np.float32]], error: type[Exception]) -> None:
    embedder = Failing()
    memory = open_memory(embedder)
    memory.store_all(TEXTS[:30])
    embedder.fail = fail
    with pytest.raises(error):
        memory.store_all(TEXTS[30:40])
    embedder.fail = None
    agrees(memory)
    assert memory.store_all(TEXTS[30:40]) == list(range(30, 40))
    agrees(memory)


def test_vectors_are_kept_as_float32(open_memory: Open) -> None:
    embedder = Failing()
    embedder.fail = lambda vectors: vectors.astype(np.float64)
    memory = open_memory(embedder)
    memory.store("good")
    assert memory._store.keys()[0].vector.shape == (384,)


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file may grow beyond the size of the write-ahead log (RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name(path.name + "-wal").stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda memory: memory.store("new"),
        lambda memory: memory.store_all(TEXTS[30:]),  # past an adaptation
        lambda memory: memory.forget(3, 4),
        lambda memory: memory.associate(5, 6),
        lambda memory: memory.consolidate(),
    ],
    ids=["store", "adapt", "forget", "associate", "consolidate"],
)
def test_a_full_disk_changes_nothing(open_memory: Open, path: Path, change: Callable[[Memory], object]) -> None:
    memory = open_memory()
    memory.store_all(TEXTS[:30])
    memory.associate(0, 1)
    before = answers(memory.recall_all(CUES))
    with full_disk(path), pytest.raises(StoreError, match="nothing was changed"):
        change(memory)
    assert len(memory) == 30
    assert answers(memory.recall_all(CUES)) == before
    agrees(memory)
    change(memory)
    agrees(memory)


def test_a_closed_memory_says_so(open_memory: Open) -> None:
    memory = open_memory()
    memory.store("good")
    memory.close()
    memory.close()
    for change in (lambda: memory.store("more"), lambda: memory.forget(0), lambda: memory.associate(0, 0), memory.consolidate, memory.info):
        with pytest.raises(StoreError, match="closed"):
            change()


@pytest.mark.parametrize("kind", ["text", "truncated"])
def test_a_damaged_file_is_left_alone(open_memory: Open, path: Path, kind: str) -> None:
    memory = open_memory()
    memory.store_all(TEXTS[:20])
    memory.close()
    path.write_bytes(b"Dear diary, ..." if kind == "text" else path.read_bytes()[:-5000])
    damaged = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match=path.name):
            open_memory()
    assert path.read_bytes() == damaged


def test_flipped_bytes_in_a_row_are_found(open_memory: Open, path: Path) -> None:
    memory = open_memory()
    memory.store_all([f"{text} of long ago" for text in TEXTS[:20]])
    memory.close()
    whole = path.read_bytes()
    place = whole.rindex(b"thought 7 of long ago")  # where its cue is kept, and the vector
    for offset in (0, 8, 30, 600):  # the text, its end, the vector
        flipped = whole[: place + offset] + bytes([whole[place + offset] ^ 0x04]) + whole[place + offset + 1 :]
        path.write_bytes(flipped)
        with pytest.raises(StoreError, match=path.name):
            open_memory()
        assert path.read_bytes() == flipped


# -- kills -----------------------------------------------------------------------------------------------------------------------------


def killed(path: Path, after: float) -> list[tuple[str, object]]:
    """Start a process that stores, kill it after so many seconds from its first message, and return all its messages."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["spikemem", "tests.fakes"])
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=store_forever, args=(path, theirs))
    process.start()
    theirs.close()
    messages = []
    try:
        messages.append(ours.recv())
        end = time.monotonic() + after
        while time.monotonic() < end:  # readers beside the writer
            Memory.open(path, embedder=FakeEmbedder(), readonly=True).close()
    finally:
        process.kill()
        process.join()
    try:
        while True:
            messages.append(ours.recv())
    except EOFError:
        return messages


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(KILLS))
def test_acknowledged_memories_survive_a_kill(path: Path, seed: int) -> None:
    messages = killed(path, random.Random(seed).uniform(0, 0.5))
    stored = {i: text for what, content in messages if what == "stored" for i, text in content.items()}
    forgotten = {content for what, content in messages if what == "forgotten"}
    links = [content for what, content in messages if what == "linked"]
    with Memory.open(path, embedder=FakeEmbedder()) as memory:
        dying = max(stored)  # a step that was done, and not reported
        assert {i for i in stored if i not in memory} - forgotten <= {dying}
        assert not any(i in memory for i in forgotten)
        assert all(memory[i] == text for i, text in stored.items() if i in memory)
        beyond = [i for i in range(dying + 1, dying + 20) if i in memory]
        assert len(beyond) in (0, 3)
        assert memory.info()["index_cells"] == 2 * len(memory)
        assert memory.info()["associations"] in (len(links), len(links) + 1)
        rows = {row.id: row for row in memory._store.memories()}
        trios = {n: {row.session for row in rows.values() if row.happened == n} for n in {row.happened for row in rows.values()}}
        assert all(len(session) == 1 for session in trios.values())
        assert len(set.union(*trios.values())) == len(trios)
        for i in (min(stored), dying - 1):
            assert memory.recall(f"{stored[i]} ~again", top_k=1)[0].id == i
        assert memory.store("afterwards") > dying
        agrees(memory)


# -- the real embedder -----------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is None, reason='the "text" extra is not installed')
def test_paraphrases_recall_sentences(path: Path) -> None:
    pairs = {
        "The cat sleeps on the warm windowsill.": "A kitten is napping by the window.",
        "My grandmother's recipe needs three eggs and a pinch of salt.": "How many eggs did grandma put into the cake?",
        "The train to Vienna leaves at seven in the morning.": "When does the Vienna train depart?",
        "He forgot to pay the electricity bill in March.": "Why was the power bill overdue?",
        "Whales sing songs that travel for hundreds of kilometres.": "How far do the sounds of whales carry?",
        "The password of the old router is written on its back.": "Where do I find the router's password?",
    }
    with Memory.open(path, "hippocampus-small") as memory:
        memory.store_all(list(pairs))
        assert [hits[0].text for hits in memory.recall_all(list(pairs.values()))] == list(pairs)
        assert max(hits.novelty for hits in memory.recall_all(list(pairs))) < 0.01
        assert memory.recall("The stock market fell by two percent.").novelty > 0.5
        chosen = memory.embedder
    assert isinstance(chosen, SentenceEmbedder)
    with Memory.open(path, embedder=chosen) as memory:
        assert memory.recall("the departure to Vienna")[0].id == 2
    with pytest.raises(TextError, match="no-such-model"):
        SentenceEmbedder("no-such-model")

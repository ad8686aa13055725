"""What is computed, held to what was computed before: spikes, figures, decisions, bytes.

A change that is meant to change nothing leaves every value in `fingerprint.json` as it is. One that is meant to change something writes
them anew and says so in the changelog:

    python -m tests.fingerprint.test_fingerprint
"""

import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import Hippocampus, Memory, RateHippocampus, Recording, Turn, load_model
from spikemem.data.corpus.stream import EventKind, stream
from spikemem.hippocampus.regions.ec_lex import words
from spikemem.memory.embed import SentenceEmbedder
from spikemem.report.demo import load_corpus, run
from tests.fakes import near, units

HERE = Path(__file__).parent
VALUES = HERE / "fingerprint.json"
DATABASE = HERE / "format-2.sqlite"
"""A memory that version 0.1.0 wrote (see `_write_database`)."""
SIMULATORS = {"event": None, "torch": None, "snntorch": None, "norse": "norse", "brian2": "brian2"}
"""The package that each needs besides those that are always there."""
TIMED = ("seconds", "recall_ms")
WIDE = 6
"""Digits of a figure that a sum in another order may not change."""


def _mark(*parts: Any) -> str:
    """A short hash of arrays and texts."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            sha.update(f"{part.dtype} {part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        else:
            sha.update(repr(part).encode())
    return sha.hexdigest()[:16]


OLDEST = 6
"""How many pathways there were when these values were made; later ones come behind them."""


def _of_snapshot(memory: Hippocampus, folder: Path) -> str:
    """A saved file: its header with sorted keys, whose order safetensors draws anew each time, and the bytes behind it."""
    earlier = memory.spec.model_copy(update={"ca1": memory.spec.ca1.model_copy(update={"denial": 0.0})})  # a gain that came later
    raw = Hippocampus.of(earlier, memory.arrays(), seed=memory.seed).save(folder / "memory.safetensors").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.dumps(json.loads(raw[8 : 8 + length]), sort_keys=True)
    return hashlib.sha256(header.encode() + raw[8 + length :]).hexdigest()[:16]


def _of_recording(recording: Recording) -> str:
    return _mark(*(x for name, s in sorted(recording.spikes.items()) for x in (name, s.step, s.batch, s.cell)), recording.events)


def _plain() -> Hippocampus:
    memory = Hippocampus(load_model("hippocampus-small"), seed=3)
    ids = memory.store(units(70))
    memory.associate(ids[:6], ids[1:7])
    memory.forget(ids[60:62])
    return memory


def _with_words() -> Hippocampus:
    text, small = load_model("hippocampus-text"), load_model("hippocampus-small")
    dg = text.dg.model_copy(update={"cells": small.dg.cells, "winners": small.dg.winners})
    spec = text.model_copy(update={"dg": dg, "ca3": small.ca3})
    memory = Hippocampus(spec, seed=1)
    said = [f"the {i % 7} boat of Ada number {i}" for i in range(40)]
    cells = spec.lex.cells if spec.lex else 1
    titles = [near(units(40)[[i]], 0.6) for i in range(40)]
    heard = [[words(s, cells), words(f"boat {i}", cells)] for i, s in enumerate(said)]
    when = 1e9 + 86400.0 * np.arange(40)
    memory.store(units(40), variants=titles, words=heard, sessions=np.arange(40) // 8, when=when)
    memory.associate([0, 1], [5, 6])
    return memory


def recalls(simulator: str) -> dict[str, str]:
    """Spikes of recalls and chains in a simulator."""
    plain, worded, cues = _plain(), _with_words(), near(units(70), 0.8)[:3]
    said = [words("which boat is number 3", 65536)] * 2
    seen = plain.simulate_recall(cues, attention_cycles=2, simulator=simulator)
    spread = worded.simulate_recall(units(40)[3:5], words=said, around=1.0001e9, attention_cycles=2, simulator=simulator)
    chain = plain.simulate_chain(cues[:2], 2, simulator=simulator)
    return {"recall": _of_recording(seen), "with words": _of_recording(spread), "chain": _of_recording(chain)}


def answers() -> dict[str, str]:
    """What short cuts answer, for spikes and rates, and the bytes of a snapshot."""
    plain, worded, cues = _plain(), _with_words(), near(units(70), 0.8)
    rate = RateHippocampus(load_model("hippocampus-small"), seed=3)
    rate.store(units(70))
    found, said = plain.recall(cues, top_k=5), [words("which boat is number 3", 65536)] * 4
    spread = worded.recall(units(40)[:4], 5, words=said, around=1.0001e9)
    with tempfile.TemporaryDirectory() as folder:
        saved = [_of_snapshot(memory, Path(folder)) for memory in (plain, worded)]
    return {
        "ids": _mark(found.ids), "scores": _mark(found.scores.round(WIDE)), "competitors": _mark(found.competitors),
        "events": _mark(found.events), "novelty": _mark(found.novelty.round(WIDE)), "chain": _mark(plain.recall_chain(cues[:6], hops=3)),
        "words ids": _mark(spread.ids, spread.path), "words drives": _mark(spread.drives[:, :, :OLDEST].round(WIDE)),
        "rate ids": _mark(rate.recall(cues, top_k=5).ids), "snapshot": saved[0], "snapshot with words": saved[1],
    }  # fmt: skip


def gated_stream() -> str:
    """A letter a decision: of repeats, paraphrases, contradictions and new texts at the gates."""
    shares = {EventKind.REPEAT: 0.1, EventKind.PARAPHRASE: 0.1, EventKind.CONTRADICTION: 0.2, EventKind.BESIDE: 0.1}
    events = stream(load_corpus().texts, 120, shares, np.random.default_rng(5))
    with Memory.open(None, "hippocampus-gated") as memory:
        taken = []
        for event in events:
            held = memory.store(event.text)
            taken.append(f"{memory.decisions[0].action[2]}{held}")
        read = ["-" if not memory.recall(e.text[: len(e.text) // 2]) else "+" for e in events[:40]]
    return " ".join(taken) + " " + "".join(read)


def untimed(figures: dict[str, object]) -> dict[str, object]:
    """The demo's figures without times. `tests/report/test_demo.py` runs the demo, and holds them to the fingerprint."""
    return {name: value for name, value in figures.items() if name not in TIMED}


def demo() -> dict[str, object]:
    return untimed(run(load_model("hippocampus-base"), SentenceEmbedder()).json())


def database(folder: Path) -> dict[str, object]:
    """What a file of an earlier version holds and answers."""
    path = folder / "memory.db"
    shutil.copy(DATABASE, path)
    with Memory.open(path) as memory:
        hits = memory.recall("What does Ada have to paint?", top_k=3, around=datetime(2024, 5, 2, tzinfo=UTC))
        chain = [hit.text for hit in memory.recall_chain("What did the storm do to the roof?", hops=2)]
        held = {i: memory[i] for i in range(40) if i in memory}
        goes_on = memory.store_conversation([("Ben", "The lantern hangs on the pier now.")], after=max(held))
        told = memory.recall("Where is the lantern?", top_k=1)[0].text
        return {
            "texts": _mark(sorted(held.items())), "number": len(held), "chain": chain, "next": goes_on, "last": told,
            "hits": [[hit.text, round(hit.score, 4), str(hit.when)] for hit in hits], "info": memory.info(),
        }  # fmt: skip


def _write_database() -> None:
    """Cues, links, sessions, dates, long texts, overwritten, refreshed and forgotten memories."""
    DATABASE.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        with Memory.open(path, "hippocampus-gated") as memory:
            a = memory.store("The storm tore tiles off the roof.")
            b = memory.store("Rain soaked the insulation in the attic.", cues=["the wet attic"], origin="a letter")
            c = memory.store("Mould spread across the nursery ceiling.")
            memory.associate_all([(a, b), (b, c)])
            for text in ("The ferry leaves on Monday.", "Ben keeps bees.", "The ferry leaves on Monday.", "The ferry leaves on Friday."):
                memory.store(text)
            memory.store("Bob owes Alice 20 euros.")
            memory.store("Alice owes Bob 20 euros.")
            gone = memory.store("Nobody will remember the green umbrella.")
            memory.store(" ".join(f"In chapter {i} the lighthouse keeper counts {i} ships." for i in range(20)))
            memory.forget(gone)
            first = Turn("The boat needs paint.", "Ada", datetime(2024, 5, 1, tzinfo=UTC), "a red boat")
            memory.store_conversation([first, ("Ben", "Which colour?"), ("Ada", "Blue, like the harbour.")])
        shutil.copy(path, DATABASE)


def measured() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return {
            "recalls": recalls("event"), "answers": answers(), "gated stream": gated_stream(), "demo": demo(),
            "database": database(Path(folder)),
        }  # fmt: skip


def values(name: str) -> Any:
    return json.loads(VALUES.read_text(encoding="utf-8"))[name]


def same(name: str, measure: Callable[[], object]) -> None:
    assert json.loads(json.dumps(measure())) == values(name)


text = pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is None, reason="the text extra is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("simulator", SIMULATORS)
def test_spikes_of_recalls_and_chains(simulator: str) -> None:
    needs = SIMULATORS[simulator]
    if needs and importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    same("recalls", lambda: recalls(simulator))


def test_answers_and_snapshots() -> None:
    same("answers", answers)


@pytest.mark.slow
@text
def test_decisions_of_a_gated_stream() -> None:
    same("gated stream", gated_stream)


@pytest.mark.slow
@text
def test_a_database_of_an_earlier_version_opens(tmp_path: Path) -> None:
    same("database", lambda: database(tmp_path))


if __name__ == "__main__":
    if not DATABASE.exists():
        _write_database()
    VALUES.write_text(json.dumps(measured(), indent=1) + "\n", encoding="utf-8")

"""The spike-based content-addressable memory: its published table, its three operations, and overwriting."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sims.papers.spike_cam import rows, run, trains
from sims.papers.spike_cam_overwriting import overwrite
from spikemem import load_network
from tests.reference import simulate_plainly

DATA = Path(os.environ.get("SPIKEMEM_DATA", Path(__file__).parents[3] / "shared" / "data")) / "spike_cam" / "experiment_1.json"


def experiment(operations: list[tuple[int, int | None, list[int]]], cues: int = 3, contents: int = 4) -> dict[str, Any]:
    """(start, cue, bits): cue and bits together are learned for 3 steps, one of them alone recalls."""
    cue_at: list[list[int]] = [[] for _ in range(cues)]
    bit_at: list[list[int]] = [[] for _ in range(contents)]
    for start, cue, bits in operations:
        learned = range(3 if cue is not None and bits else 1)
        for t in learned:
            if cue is not None:
                cue_at[cue].append(start + t)
            for bit in bits:
                bit_at[bit].append(start + t)
    steps = operations[-1][0] + 10
    return {"cues": cues, "contents": contents, "steps": steps, "input_cue_spikes_ms": cue_at, "input_content_spikes_ms": bit_at}


@pytest.mark.parametrize("model", ["spike-cam", "spike-cam:bistable"])
def test_learning_recall_both_ways_and_forgetting(model: str) -> None:
    """A cue brings itself back 5 ms later and its content 6 ms later; contents come back after 5 ms, and their cues after 6."""
    table = rows(run(experiment([(0, 0, [0, 1]), (10, 2, [1, 3]), (20, 0, []), (30, None, [3]), (40, 0, [2]), (50, 0, [])]), model))
    assert (table[25]["OutCue"], table[26]["OutCont"]) == ([0], [0, 1])
    assert (table[35]["OutCont"], table[36]["OutCue"]) == ([3], [2])
    assert (table[55]["OutCue"], table[56]["OutCont"]) == ([0], [2])


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_file(), reason=f"no {DATA}: set SPIKEMEM_DATA to a folder with the published spike tables")
@pytest.mark.parametrize("simulator", ["event", "snntorch", "norse", "brian2"])
def test_the_published_table_row_for_row(simulator: str) -> None:
    pytest.importorskip("brian2" if simulator == "brian2" else simulator if simulator != "event" else "numpy")
    published = json.loads(DATA.read_text(encoding="utf-8"))
    made = rows(run(published, simulator=simulator))
    assert len(made) == 90
    assert made == [{name: sorted(cells) for name, cells in row.items()} for row in published["rows"]]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["spike-cam", "spike-cam:bistable"])
def test_an_experiment_of_our_own_against_the_plain_loop(model: str) -> None:
    """Forty operations at the advertised spacing, spike for spike and weight for weight."""
    rng = np.random.default_rng(4)
    operations: list[tuple[int, int | None, list[int]]] = []
    start = 0
    for _ in range(40):
        bits = sorted(rng.choice(5, rng.integers(1, 4), replace=False).tolist())
        kind = rng.integers(3)
        operations.append((start, int(rng.integers(4)) if kind < 2 else None, bits if kind != 1 else []))
        start += 7 if kind == 0 else 6
    given = experiment(operations, cues=4, contents=5)
    net, steps = load_network(model).network(cues=4, contents=5), given["steps"]
    spikes = {
        "CueIn": trains(given["input_cue_spikes_ms"], 4, steps, "cue"),
        "ContIn": trains(given["input_content_spikes_ms"], 5, steps, "bits"),
    }
    plain, made = simulate_plainly(net, spikes, steps), run(given, model)
    for name, expected in plain.spikes.items():
        assert list(zip(made[name].step.tolist(), made[name].cell.tolist(), strict=True)) == expected, name
        assert len(expected) > 10
    for name, weights in plain.weights.items():
        np.testing.assert_allclose(made.weights[name][0], weights, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_overwriting_in_a_row_needs_the_bistable_rule() -> None:
    published, bistable = (overwrite(rule, 16, 16, (7, 6), seed=0) for rule in ("spike-cam", "spike-cam:bistable"))
    assert published["exact"] < 0.9 * published["n"]
    assert published["extra"] > 0
    assert (bistable["exact"], bistable["extra"], bistable["missing"]) == (bistable["n"], 0, 0)
    assert overwrite("spike-cam", 5, 10, (10, 10), seed=0)["exact"] == 30


def test_recalling_does_not_wear_a_memory_out() -> None:
    """A hundred recalls in a row, by cue and by content, then every cue still knows its content."""
    learned = [(7 * cue, cue, [cue, cue + 1]) for cue in range(3)]
    asked: list[tuple[int, int | None, list[int]]] = [(30 + 7 * i, 1, []) if i % 2 else (30 + 7 * i, None, [2]) for i in range(100)]
    last = [(800 + 10 * cue, cue, []) for cue in range(3)]
    table = rows(run(experiment([*learned, *asked, *last]), "spike-cam:bistable"))
    assert [table[806 + 10 * cue]["OutCont"] for cue in range(3)] == [[0, 1], [1, 2], [2, 3]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cues": 4}, "for each of 4 cells"),
        ({"cues": "3"}, "cues is '3'"),
        ({"input_cue_spikes_ms": [1]}, "expected a list"),
        ({"steps": 5}, "expected whole milliseconds from 0 to 4"),
        ({"contents": None}, "lacks"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], said: str) -> None:
    given = experiment([(0, 0, [0]), (10, 0, [])]) | change
    with pytest.raises(SystemExit, match=said):
        run({key: value for key, value in given.items() if value is not None})


@pytest.mark.slow
def test_simulators_agree_on_the_weights() -> None:
    pytest.importorskip("brian2")
    given = experiment([(0, 0, [0, 1]), (7, 1, [2]), (14, 0, [3]), (21, 1, [])])
    ours, theirs = run(given, "spike-cam:bistable"), run(given, "spike-cam:bistable", "brian2")
    assert rows(ours) == rows(theirs)
    for name, weights in ours.weights.items():
        assert np.abs(theirs.weights[name] - weights).max() < 1e-9
        assert weights.max() > 1.0

"""A run that is written to a folder in parts is the run in one piece, takes no more memory the longer it is, and outlives a kill."""

import os
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, STDP, KWinners, Network, OrnsteinUhlenbeck, Population, Recording, poisson, simulate
from spikemem.errors import SnapshotError, StimulusError, UnsupportedError
from spikemem.network import noise, sparse_random
from spikemem.simulators import after_spikes, streaming

STEPS = 60


def learning() -> Network:
    net = Network()
    net.add(Population("in", 30, poisson(100.0, seed=2)))
    net.add(Population("out", 10, LIF(tau=10.0, refractory=2.0), KWinners(7.0, (3, 1)), noise=OrnsteinUhlenbeck(0.1, 5.0)))
    net.connect("in", "out", sparse_random(7, 0, low=0.1, high=0.4), delay=5.0, plasticity=STDP(a_plus=0.05))
    return net


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST", 16)


def same(one: Recording, other: Recording) -> None:
    assert (one.dt, one.steps, one.batches, one.events, one.stopped) == (other.dt, other.steps, other.batches, other.events, other.stopped)
    assert list(one.spikes) == list(other.spikes)
    for name, spikes in one.spikes.items():
        for part in ("step", "batch", "cell"):
            assert getattr(spikes, part).tolist() == getattr(other[name], part).tolist(), (name, part)
    assert dict(one.intervals) == dict(other.intervals)
    for kind in ("voltages", "weights", "snapshots"):
        assert getattr(one, kind).keys() == getattr(other, kind).keys()
        for name, array in getattr(one, kind).items():
            np.testing.assert_allclose(array, getattr(other, kind)[name], atol=1e-12)
    assert one.state.step == other.state.step


@pytest.mark.parametrize("simulator", ["event", "torch"])
def test_parts_are_one_run(simulator: str, tmp_path: Path) -> None:
    current = np.random.default_rng(0).uniform(0.0, 0.1, (STEPS, 2, 10))
    said: dict[str, Any] = {"record": {"out": [1, 4], "in->out": 8}, "simulator": simulator}
    whole = simulate(learning(), {"out": current}, STEPS, **said)
    told: list[tuple[int, int]] = []
    streamed = simulate(
        learning(), {"out": current}, STEPS, to=tmp_path / "run", progress=lambda done, steps: told.append((done, steps)), **said
    )
    same(whole, streamed)
    same(whole, Recording.load(tmp_path / "run"))
    assert len(list((tmp_path / "run").glob("*.npz"))) == 4
    assert told == [(16, STEPS), (32, STEPS), (48, STEPS), (60, STEPS)]
    np.testing.assert_array_equal(streamed.rates("out"), whole.rates("out"))
    same(whole, Recording(**{**vars(Recording.load(streamed.save(tmp_path / "one.npz"))), "ended": whole.state}))


def test_a_folder_is_gone_on_with(tmp_path: Path) -> None:
    whole = simulate(learning(), {}, STEPS)
    first = simulate(learning(), {}, 20, to=tmp_path)
    second = simulate(learning(), {}, STEPS - 20, to=tmp_path, start=Recording.load(tmp_path).state)
    same(whole, second)
    with pytest.raises(StimulusError, match="which is not empty"):
        simulate(learning(), {}, 5, to=tmp_path)
    with pytest.raises(StimulusError, match=f"ended after {STEPS} steps, and start after 20"):
        simulate(learning(), {}, 5, to=tmp_path, start=first.state)


def test_parts_end_where_weights_are_due(tmp_path: Path) -> None:
    """At multiples of 6, though a part may have 16 steps; a folder whose run ended elsewhere is not gone on with."""
    record = {"in->out": 6}
    first = simulate(learning(), {}, 24, to=tmp_path, record=record)
    assert sorted(int(part.stem) for part in tmp_path.glob("*.npz")) == [0, 12]
    more = simulate(learning(), {}, 27, to=tmp_path, record=record, start=first.state)
    same(simulate(learning(), {}, 51, record=record), more)
    with pytest.raises(StimulusError, match="has 51 steps, which is no multiple of the 6 after which weights of 'in->out'"):
        simulate(learning(), {}, 5, to=tmp_path, record=record, start=more.state)
    with pytest.raises(StimulusError, match="records weights over time \\('in->out' after 6\\); record the same"):
        simulate(learning(), {}, 5, to=tmp_path, start=more.state)
    with pytest.raises(UnsupportedError, match="here 17 steps, and a part has 16 at most"):
        simulate(learning(), {}, 34, to=tmp_path / "new", record={"in->out": 17})


def test_a_condition_counts_over_parts(tmp_path: Path) -> None:
    until = after_spikes("in", 120)
    same(simulate(learning(), {}, STEPS, until=until), simulate(learning(), {}, STEPS, until=until, to=tmp_path))
    assert Recording.load(tmp_path).stopped == "'in' fired 120 spikes"
    assert 16 < Recording.load(tmp_path).steps < STEPS


def peak(steps: int, folder: Path) -> int:
    tracemalloc.start()
    simulate(learning(), {}, steps, to=folder, record={"out": range(10)})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST", 200)
    monkeypatch.setattr(noise, "CHUNK", 2**12)  # numbers that are drawn at once
    peak(200, tmp_path / "first")  # what is imported and compiled
    once, fivefold = peak(400, tmp_path / "once"), peak(2000, tmp_path / "fivefold")
    assert fivefold < 1.3 * once


KILLED = """
import sys
from spikemem import simulate
from spikemem.simulators import streaming
from tests.simulators.test_streaming import learning
streaming.LONGEST = 16
simulate(learning(), {}, 10**9, to=sys.argv[1], progress=lambda done, _: print(done, flush=True))
"""


@pytest.mark.skipif(os.name == "nt", reason="kills by a signal")
def test_what_was_written_before_a_kill_is_read(tmp_path: Path) -> None:
    folder, root = tmp_path / "run", Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 80:
                process.send_signal(signal.SIGKILL)
                break
    cut = Recording.load(folder)
    assert cut.steps >= 64
    assert cut.steps % 16 == 0
    same(simulate(learning(), {}, cut.steps), cut)
    more = simulate(learning(), {}, 32, to=folder, start=cut.state)
    same(simulate(learning(), {}, cut.steps + 32), more)


def test_damage_is_named(tmp_path: Path) -> None:
    simulate(learning(), {}, STEPS, to=tmp_path)
    part = sorted(tmp_path.glob("*.npz"))[1]
    content = part.read_bytes()
    at = content.index(b"spikes/in") + 60
    part.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
    with pytest.raises(SnapshotError, match=str(part)):
        _ = Recording.load(tmp_path)["in"]
    part.unlink()
    with pytest.raises(SnapshotError, match="does not go on from the part before it, which ends at step 16"):
        Recording.load(tmp_path)
    for late in sorted(tmp_path.glob("*.npz"))[1:]:
        late.unlink()
    with pytest.raises(SnapshotError, match="end at step 16, and its state is that of step 60; some are missing"):
        Recording.load(tmp_path)
    (tmp_path / "state.safetensors").unlink()
    with pytest.raises(SnapshotError, match="no part of a run in it was written to its end"):
        Recording.load(tmp_path)


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match="cannot be written to"):
        simulate(learning(), {}, 5, to=tmp_path / "file")
    with pytest.raises(UnsupportedError, match="brian2 cannot write a run in parts, `to`; event, torch"):
        simulate(learning(), {}, 5, to=tmp_path / "run", simulator="brian2")
    with pytest.raises(StimulusError, match=r"stimulus for 'out' has shape \(70,\)"):
        simulate(learning(), {"out": np.zeros(70)}, STEPS, to=tmp_path / "long")
    with pytest.raises(TypeError, match="unexpected keyword argument 'untill'"):
        simulate(learning(), {}, 5, untill=3)  # type: ignore[call-arg]

"""A run that a condition ends is the beginning of the run that it does not end, in every simulator, and says where and why it ended."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikemem import LIF, STDP, KWinners, Network, OrnsteinUhlenbeck, Population, Recording, poisson, simulate
from spikemem.errors import StimulusError, UnsupportedError
from spikemem.network import all_to_all
from spikemem.simulators import StepView, after_silence, after_spikes

STEPS = 60


def learning(noise: bool = True) -> Network:
    net = Network()
    net.add(Population("in", 20, poisson(100.0, seed=2)))
    out = Population("out", 10, LIF(tau=10.0), KWinners(7.0, (3, 1)), noise=OrnsteinUhlenbeck(0.1, 5.0) if noise else None)
    net.add(out)
    net.connect("in", "out", all_to_all(0.2), delay=5.0, plasticity=STDP(a_plus=0.05))
    return net


def begins(cut: Recording, whole: Recording) -> None:
    """Whether one recording is the beginning of another."""
    for name, spikes in whole.spikes.items():
        early = spikes.step < cut.steps
        assert cut[name].step.tolist() == spikes.step[early].tolist(), name
        assert cut[name].cell.tolist() == spikes.cell[early].tolist(), name
    for name, voltage in whole.voltages.items():
        np.testing.assert_allclose(cut.voltages[name], voltage[: cut.steps], atol=1e-9)


@pytest.mark.parametrize("name", ["event", "torch", "snntorch", "norse", "brian2"])
def test_a_run_ends_where_the_condition_holds(name: str) -> None:
    if importlib.util.find_spec(name.partition(":")[0]) is None and name not in ("event", "torch"):
        pytest.skip(f"{name} is not installed")
    watched = {"out": [0, 1]}
    whole = simulate(learning(), {}, STEPS, record=watched)
    cut = simulate(learning(), {}, STEPS, record=watched, simulator=name, until=after_spikes("out", 3))
    third = int(whole["out"].step[2])
    assert cut.steps == third + 1
    assert cut.stopped == "'out' fired 3 spikes"
    begins(cut, whole)
    short = simulate(learning(), {}, cut.steps)
    np.testing.assert_allclose(cut.weights["in->out"], short.weights["in->out"], atol=1e-9)
    assert cut.events == short.events
    assert simulate(learning(), {}, STEPS, simulator=name, until=after_spikes("out", 10_000)).stopped is None


@pytest.mark.parametrize("name", ["event", "torch"])
def test_it_goes_on_from_where_it_was_stopped(name: str) -> None:
    whole = simulate(learning(), {}, STEPS, simulator=name)
    cut = simulate(learning(), {}, STEPS, simulator=name, until=after_spikes("out", 3))
    rest = simulate(learning(), {}, STEPS - cut.steps, simulator=name, start=cut.state)
    assert [*cut["out"].step, *(rest["out"].step + cut.steps)] == whole["out"].step.tolist()
    np.testing.assert_allclose(rest.weights["in->out"], whole.weights["in->out"], atol=1e-9)


def alone(cells: int = 2) -> Network:
    net = Network()
    net.add(Population("a", cells))
    return net


def forced(*trials: list[int]) -> dict[str, Any]:
    """Spikes of cell 0 at steps, and of cell 1 a step later, for each batch item."""
    spikes = np.zeros((STEPS, len(trials), 2), bool)
    for item, steps in enumerate(trials):
        spikes[steps, item, 0] = spikes[np.array(steps) + 1, item, 1] = True
    return {"a": spikes}


def test_conditions() -> None:
    for until, steps, why in (
        (after_spikes("a", 3), 9, "'a' fired 3 spikes"),
        (after_spikes("a", 1, cell=1), 5, "cell 1 of 'a' fired 1 spike"),
        (after_silence(5.0), 15, "no spike for 5 ms"),
        (after_silence(20.0, "a"), 30, "no spike of 'a' for 20 ms"),
        (lambda now: now.spikes("a")[0, 1], 5, "until <lambda>"),
        (lambda now: "enough" if now.time == 7.0 else False, 7, "enough"),
    ):
        cut = simulate(alone(), forced([3, 8, 30]), STEPS, until=until)  # type: ignore[arg-type]
        assert (cut.steps, cut.stopped) == (steps, why)


def test_a_batch_ends_when_the_condition_holds_in_all_items() -> None:
    assert simulate(alone(), forced([3, 8], [20]), STEPS, until=after_spikes("a", 1)).steps == 21
    assert simulate(alone(), forced([3, 8], [15]), STEPS, until=after_silence(10.0)).steps == 27


def test_counts_begin_with_the_run() -> None:
    seen = []

    def until(now: StepView) -> bool:
        seen.append((now.step, now.counts("a").sum().item(), now.silent("a").item()))
        return False

    first = simulate(alone(), {"a": np.zeros((5, 2), bool) | (np.arange(5) == 3)[:, None]}, 5, until=until)
    simulate(alone(), {"a": np.zeros((2, 2), bool)}, 2, start=first.state, until=until)
    assert seen == [(1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 2, 0), (5, 2, 1), (1, 0, 1), (2, 0, 2)]


def test_files_keep_why(tmp_path: Path) -> None:
    cut = simulate(alone(), forced([3]), STEPS, until=after_spikes("a", 1))
    assert Recording.load(cut.save(tmp_path / "r.npz")).stopped == "'a' fired 1 spike"


@pytest.mark.parametrize("name", ["event", "brian2"])
def test_what_cannot_be_asked_is_named(name: str) -> None:
    if importlib.util.find_spec("brian2") is None:
        pytest.skip("brian2 is not installed")
    with pytest.raises(StimulusError, match="until asks for 'b'; the populations are a"):
        simulate(alone(), {}, 5, until=after_spikes("b", 1), simulator=name)
    with pytest.raises(StimulusError, match="until asks for cell 7 of 'a', which has 2"):
        simulate(alone(), {}, 5, until=after_spikes("a", 1, cell=7), simulator=name)
    with pytest.raises(StimulusError, match="give a function of a StepView"):
        simulate(alone(), {}, 5, until=3, simulator=name)  # type: ignore[arg-type]


def test_a_simulator_that_cannot_stop_says_so() -> None:
    with pytest.raises(UnsupportedError, match=r"brian2:cpp_standalone cannot end a run by `until`; event, torch, .*brian2"):
        simulate(alone(), {}, 5, until=after_spikes("a", 1), simulator="brian2:cpp_standalone")

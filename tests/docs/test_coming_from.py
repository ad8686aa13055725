"""The page "Coming from Brian2, snnTorch, Norse": each mapping, by the other tool's own cells and schedule, beside spikemem."""

import math

import numpy as np
import pytest
import torch

from spikemem import LIF, Network, Population, simulate
from spikemem.network import Dense
from tests.marks import first_is_fast

STEPS, INPUTS, CELLS = 300, 40, 30
TAU, THRESHOLD, REFRACTORY = 20.0, 1.0, 3.0


def spikes_in(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((STEPS, INPUTS)) < 0.05


def weights(rows: int, columns: int, seed: int, scale: float) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.3, 1.0, (rows, columns)) * scale


def pairs(recording, name: str) -> set[tuple[int, int]]:
    return set(zip(recording[name].step.tolist(), recording[name].cell.tolist(), strict=True))


def from_brian2(delay: float, recurrent: float, refractory: float = REFRACTORY, reset: float = 0.0) -> set[tuple[int, int]]:
    """Spikes of cells written as Brian2's users write them: its schedule, its exact integration, its delays, its refractoriness."""
    b2 = pytest.importorskip("brian2", reason="the reference extra is not installed")
    b2.start_scope()
    b2.prefs.codegen.target = "numpy"
    b2.defaultclock.dt = 1 * b2.ms
    step, cell = np.nonzero(spikes_in())
    source = b2.SpikeGeneratorGroup(INPUTS, cell, step * b2.ms)
    group = b2.NeuronGroup(
        CELLS, "dv/dt = -v / tau : 1 (unless refractory)", threshold="v > theta", reset="v = v_reset", refractory=refractory * b2.ms,
        method="exact", namespace={"tau": TAU * b2.ms, "theta": THRESHOLD, "v_reset": reset},
    )  # fmt: skip
    learns = {"model": "w : 1", "on_pre": "v_post += w * int(not_refractory_post)"}
    feed, back = b2.Synapses(source, group, **learns), b2.Synapses(group, group, **learns)
    feed.connect()
    back.connect()
    feed.w = weights(INPUTS, CELLS, 1, 0.15).ravel()
    back.w = weights(CELLS, CELLS, 2, 0.1).ravel()
    feed.delay, back.delay = delay * b2.ms, recurrent * b2.ms
    monitor = b2.SpikeMonitor(group)
    b2.Network(source, group, feed, back, monitor).run(STEPS * b2.ms)
    return set(zip(np.round(monitor.t / b2.ms).astype(int).tolist(), np.asarray(monitor.i).tolist(), strict=True))


def to_spikemem(
    delay: float, recurrent: float, refractory: float = REFRACTORY, reset: float = 0.0, decay: float | None = None
) -> set[tuple[int, int]]:
    """The same network by the mapping of the page: delay d + dt and weight w exp(-dt / tau)."""
    decay = math.exp(-1.0 / TAU) if decay is None else decay
    net = Network(dt=1.0)
    net.add(Population("input", INPUTS, LIF()))
    net.add(Population("cells", CELLS, LIF(tau=TAU, threshold=THRESHOLD, reset=reset, refractory=refractory)))
    net.connect("input", "cells", Dense(weights(INPUTS, CELLS, 1, 0.15) * decay), delay=delay + 1.0)
    net.connect("cells", "cells", Dense(weights(CELLS, CELLS, 2, 0.1) * decay), delay=recurrent + 1.0)
    return pairs(simulate(net, {"input": spikes_in()}, STEPS), "cells")


@pytest.mark.parametrize(("delay", "recurrent"), first_is_fast((0.0, 1.0), (2.0, 0.0), (5.0, 3.0)))
def test_brian2_delay_and_weight(delay: float, recurrent: float) -> None:
    native = from_brian2(delay, recurrent)
    assert len(native) > 100
    assert to_spikemem(delay, recurrent) == native


@pytest.mark.slow
def test_brian2_mapping_is_needed_whole() -> None:
    """Without the decay, the step of delay or the refractoriness the spikes are others; with a reset other than 0, too."""
    native = from_brian2(2.0, 1.0)
    assert to_spikemem(2.0, 1.0, decay=1.0) != native
    assert to_spikemem(1.0, 1.0) != native
    assert to_spikemem(2.0, 1.0, refractory=REFRACTORY + 1.0) != native
    assert to_spikemem(2.0, 1.0, reset=-0.5) != from_brian2(2.0, 1.0, reset=-0.5)


def current(scale: float) -> np.ndarray:
    return np.random.default_rng(4).uniform(0.0, scale, (STEPS, CELLS))


def times(spikes: list[torch.Tensor]) -> set[tuple[int, int]]:
    return set(zip(*(index.tolist() for index in torch.nonzero(torch.stack(spikes), as_tuple=True)), strict=True))


def one(neuron: LIF, stimulus: np.ndarray) -> set[tuple[int, int]]:
    net = Network(dt=1.0)
    net.add(Population("cells", stimulus.shape[1], neuron))
    return pairs(simulate(net, {"cells": stimulus}, STEPS), "cells")


@pytest.mark.parametrize(("mechanism", "reset"), [("subtract", None), ("zero", 0.0)])
def test_snntorch_leaky(mechanism: str, reset: float | None) -> None:
    """beta is exp(-dt / tau); the reset by subtraction is ours as it stands, and "zero" is reset=0.0."""
    snntorch = pytest.importorskip("snntorch")
    beta = 0.9
    numbers = {"beta": torch.tensor(beta, dtype=torch.float64), "threshold": torch.ones(1, dtype=torch.float64)}
    leaky = snntorch.Leaky(**numbers, reset_mechanism=mechanism)
    voltage, spikes = torch.zeros(CELLS, dtype=torch.float64), []
    for now in torch.from_numpy(current(scale=0.3)):
        fired, voltage = leaky(now, voltage)
        spikes.append(fired.detach())
        voltage = voltage.detach()
    native = times(spikes)
    assert len(native) > 100
    assert one(LIF(tau=-1.0 / math.log(beta), reset=reset), current(scale=0.3)) == native
    assert one(LIF(tau=-1.0 / math.log(beta + 0.01), reset=reset), current(scale=0.3)) != native


def test_snntorch_synaptic() -> None:
    """alpha is exp(-dt / tau_syn)."""
    snntorch = pytest.importorskip("snntorch")
    alpha, beta = 0.8, 0.9
    numbers = (torch.tensor(value, dtype=torch.float64) for value in (alpha, beta))
    synaptic = snntorch.Synaptic(*numbers, threshold=torch.ones(1, dtype=torch.float64), reset_mechanism="subtract")
    through = voltage = torch.zeros(CELLS, dtype=torch.float64)
    spikes = []
    for now in torch.from_numpy(current(scale=0.05)):
        fired, through, voltage = (value.detach() for value in synaptic(now, through, voltage))
        spikes.append(fired)
    native = times(spikes)
    assert len(native) > 100
    assert one(LIF(tau=-1.0 / math.log(beta), tau_syn=-1.0 / math.log(alpha)), current(scale=0.05)) == native


def test_snntorch_layers_are_a_step_apart() -> None:
    """A Linear between two Leaky cells acts in the same step; a projection takes at least one, so that layer n is n - 1 steps late."""
    snntorch = pytest.importorskip("snntorch")
    beta, w = 0.9, weights(CELLS, CELLS, 5, 0.2)
    options = {"beta": torch.tensor(beta, dtype=torch.float64), "threshold": torch.ones(1, dtype=torch.float64)}
    first, second = snntorch.Leaky(**options), snntorch.Leaky(**options)
    one_v = two_v = torch.zeros(CELLS, dtype=torch.float64)
    spikes = []
    for now in torch.from_numpy(current(scale=0.3)):
        fired, one_v = (value.detach() for value in first(now, one_v))
        fired, two_v = (value.detach() for value in second(fired.double() @ torch.from_numpy(w), two_v))
        spikes.append(fired)
    net = Network(dt=1.0)
    for name in ("first", "second"):
        net.add(Population(name, CELLS, LIF(tau=-1.0 / math.log(beta))))
    net.connect("first", "second", Dense(w), delay=1.0)
    native = {(step + 1, cell) for step, cell in times(spikes) if step + 1 < STEPS}
    assert len(native) > 100
    assert pairs(simulate(net, {"first": current(scale=0.3)}, STEPS), "second") == native


def test_norse_lif_box() -> None:
    """Norse's Euler step: tau = -dt / ln(1 - dt tau_mem_inv), and a current counts dt tau_mem_inv; its reset to v_reset is ours."""
    pytest.importorskip("norse", reason="norse is not installed")
    from norse.torch.functional.lif_box import LIFBoxFeedForwardState, LIFBoxParameters, lif_box_feed_forward_step

    step, reset = 0.1, -0.2  # dt tau_mem_inv
    number = lambda value: torch.tensor(value, dtype=torch.float64)  # noqa: E731
    parameters = LIFBoxParameters(tau_mem_inv=number(100.0), v_leak=number(0.0), v_th=number(1.0), v_reset=number(reset))
    state, spikes = LIFBoxFeedForwardState(torch.zeros(CELLS, dtype=torch.float64)), []
    for now in torch.from_numpy(current(scale=3.0)):
        fired, state = lif_box_feed_forward_step(now, state, parameters, dt=0.001)
        spikes.append(fired)
    native = times(spikes)
    assert len(native) > 100
    assert one(LIF(tau=-1.0 / math.log(1.0 - step), reset=reset, resistance=step), current(scale=3.0)) == native
    assert one(LIF(tau=1.0 / step, reset=reset, resistance=step), current(scale=3.0)) != native


def test_norse_lif() -> None:
    """Norse's LIF with a synaptic current: tau_syn = -dt / ln(1 - dt tau_syn_inv), besides."""
    pytest.importorskip("norse", reason="norse is not installed")
    from norse.torch.functional.lif import LIFFeedForwardState, LIFParameters, lif_feed_forward_step

    membrane, synapse = 0.1, 0.2  # dt tau_mem_inv, dt tau_syn_inv
    number = lambda value: torch.tensor(value, dtype=torch.float64)  # noqa: E731
    parameters = LIFParameters(number(200.0), number(100.0), number(0.0), number(1.0), number(0.0))
    silent = torch.zeros(CELLS, dtype=torch.float64)
    state, spikes = LIFFeedForwardState(silent, silent), []
    for now in torch.from_numpy(current(scale=0.8)):
        fired, state = lif_feed_forward_step(now, state, parameters, dt=0.001)
        spikes.append(fired)
    native = times(spikes)
    assert len(native) > 100
    neuron = LIF(tau=-1.0 / math.log(1.0 - membrane), reset=0.0, resistance=membrane, tau_syn=-1.0 / math.log(1.0 - synapse))
    assert one(neuron, current(scale=0.8)) == native

"""A simulator from outside: the plain loop of the tests, one batch item after the other."""

import numpy as np

from spikemem.simulators import Fired, Recording, Simulation, Simulator, recorded
from tests.reference import Trace, simulate_plainly


def run(simulation: Simulation) -> Recording:
    """Every batch item by the plain loop, and what they did as one recording."""
    net, drive = simulation.net, simulation.drive
    driven = {
        name: np.broadcast_to(given, (drive.steps, drive.batches, net.populations[name].size))
        for name, given in {**drive.current, **drive.clamped}.items()
    }
    traces = [simulate_plainly(net, {name: given[:, b] for name, given in driven.items()}, drive.steps) for b in range(drive.batches)]
    if simulation.progress is not None:
        simulation.progress(drive.steps, drive.steps)
    fired = {name: _fired(traces, name) for name in net.populations}
    voltages = {name: np.stack([trace.voltages[name][:, cells] for trace in traces], axis=1) for name, cells in simulation.chosen.items()}
    weights = {name: np.stack([trace.weights[name] for trace in traces]) for name in traces[0].weights}
    return recorded(simulation, fired, voltages, weights)


def _fired(traces: list[Trace], name: str) -> Fired:
    """The spikes of a population, by step, then batch item, then rank in the cycle."""
    rows = [
        (step, b, rank, cell)
        for b, trace in enumerate(traces)
        for (step, cell), rank in zip(trace.spikes[name], trace.ranks[name], strict=True)
    ]
    step, batch, rank, cell = np.array(sorted(rows), np.int64).reshape(-1, 4).T
    baskets = sorted((step, b) for b, trace in enumerate(traces) for step, _ in trace.spikes.get(f"{name}.basket", []))
    return Fired(step, batch, cell, rank, *np.array(baskets, np.int64).reshape(-1, 2).T)


PLAIN = Simulator(name="plain", description="plain loop of the tests: slow, and easy to check", run=run)

"""Timings as ratios: the same work in several simulators, side by side in one run, after a warm-up, the median of several."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem._checks import Checks
from spikemem.errors import MissingExtraError, NetworkError
from spikemem.evaluate.sizes import SimulationSize
from spikemem.network.graph import Network, Population
from spikemem.network.neurons.lif import LIF
from spikemem.network.synapses import sparse_random
from spikemem.simulators.recording import Recording
from spikemem.simulators.registry import SIMULATORS, defaults, simulate
from spikemem.simulators.stimulus import Simulation, checked

check = Checks(NetworkError)
CELLS, FAN_IN, STEPS, RUNS = SimulationSize()


@dataclass(frozen=True)
class Timing:
    """One simulator: seconds of a whole simulation, building the network included, and their ratio to those of the first that could run.

    compile_seconds: of standalone code, apart; its seconds are those of building, writing, running the program and reading, once.

    same: whether it gave the first one's spikes.   lacks: what is missing, where it could not run.
    """

    simulator: str
    seconds: float = 0.0
    ratio: float = 0.0
    compile_seconds: float | None = None
    spikes: int = 0
    same: bool = False
    lacks: str = ""

    def json(self) -> dict[str, Any]:
        return asdict(self)


def recurrent(cells: int, fan_in: int, steps: int, seed: int) -> tuple[Network, dict[str, NDArray[np.float64]]]:
    """A recurrent network of sparse, weak synapses under noise, about 1 % of its cells active in a step."""
    cells, steps, seed = check.integer(cells, "cells", least=1), check.integer(steps, "steps", least=1), check.seed(seed)
    check.room(cells * steps, "the noise", "take fewer cells or steps")
    net, rng = Network(dt=1.0), np.random.default_rng(seed)
    net.add(Population("cells", cells, LIF(tau=20.0)))
    net.connect("cells", "cells", sparse_random(fan_in, seed, -0.03, 0.03))
    return net, {"cells": rng.normal(0.018, 0.15, (steps, cells))}


def simulators(
    cells: int = CELLS,
    fan_in: int = FAN_IN,
    steps: int = STEPS,
    names: Sequence[str] = (),
    runs: int = RUNS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Timing]:
    """Time simulators on one recurrent network.   names: all but variants by default.   progress: told what begins."""
    names = [check.text(name, "a name of a simulator") for name in check.listed(names, "names", "simulators")]
    runs = check.integer(runs, "runs", least=1)
    progress(f"building {cells} cells with {fan_in} synapses each")
    net, stimulus = recurrent(cells, fan_in, steps, seed)
    made: list[Timing] = []
    first: tuple[float, Recording] | None = None
    for name in names or defaults():
        progress(name)
        try:
            seconds, compiling, recording = _timed(net, stimulus, steps, name, runs)
        except MissingExtraError as error:
            made.append(Timing(name, lacks=str(error)))
            continue
        first = first or (seconds, recording)
        spikes, others = recording["cells"], first[1]["cells"]
        same = np.array_equal(spikes.step, others.step) and np.array_equal(spikes.cell, others.cell)
        made.append(Timing(name, seconds, seconds / first[0], compiling, len(spikes), same))
    return made


def _timed(
    net: Network, stimulus: dict[str, NDArray[np.float64]], steps: int, name: str, runs: int
) -> tuple[float, float | None, Recording]:
    """Median seconds of a whole simulation after one to warm up, the compiler's apart, and what was recorded.

    What is compiled anew for each run runs once; a second run would warm nothing up.
    """
    if (timed := SIMULATORS[name].timed) is not None:
        simulation = Simulation(net, checked(net, stimulus, steps), {})
        start = time.perf_counter()
        recording, compiling = timed(simulation)
        return time.perf_counter() - start - compiling, compiling, recording
    recording = simulate(net, stimulus, steps, simulator=name)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        simulate(net, stimulus, steps, simulator=name)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), None, recording

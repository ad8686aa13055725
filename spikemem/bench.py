"""Timings as ratios: the same work in several simulators, side by side in one run, after a warm-up, the median of several."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import MissingExtraError
from spikemem.network import Network, Population
from spikemem.neurons import LIF
from spikemem.recording import Recording
from spikemem.simulate import simulate
from spikemem.simulators import brian2
from spikemem.stimulus import checked
from spikemem.synapses import sparse_random

RUNS = 5
STANDALONE = "brian2:cpp_standalone"
SIMULATORS = ("event", "torch", "snntorch", "norse", "brian2")


@dataclass(frozen=True)
class Timing:
    """One simulator: the median seconds of a run and its ratio to the first one's; of standalone code the compiler's seconds apart.

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
    net, rng = Network(dt=1.0), np.random.default_rng(seed)
    net.add(Population("cells", cells, LIF(tau=20.0)))
    net.connect("cells", "cells", sparse_random(fan_in, seed, -0.03, 0.03))
    return net, {"cells": rng.normal(0.018, 0.15, (steps, cells))}


def simulators(
    cells: int = 16384,
    fan_in: int = 100,
    steps: int = 200,
    names: Sequence[str] = SIMULATORS,
    runs: int = RUNS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Timing]:
    """Time simulators on one recurrent network; the first is what the others are compared with.   progress: told what begins."""
    progress(f"building {cells} cells with {fan_in} synapses each")
    net, stimulus = recurrent(cells, fan_in, steps, seed)
    made: list[Timing] = []
    first: Recording | None = None
    for name in names:
        progress(name)
        try:
            seconds, compiling, recording = _timed(net, stimulus, steps, name, runs)
        except MissingExtraError as error:
            made.append(Timing(name, lacks=str(error)))
            continue
        first = first or recording
        spikes = recording["cells"]
        same = all(np.array_equal(getattr(spikes, part), getattr(first["cells"], part)) for part in ("step", "cell"))
        made.append(Timing(name, seconds, seconds / (made[0].seconds if made else seconds), compiling, len(spikes), same))
    return made


def _timed(
    net: Network, stimulus: dict[str, NDArray[np.float64]], steps: int, name: str, runs: int
) -> tuple[float, float | None, Recording]:
    """Median seconds of a whole `simulate`, the compiler's, and what was recorded; of standalone code one run, its process alone."""
    if name == STANDALONE:
        timings: dict[str, float] = {}
        recording = brian2.run(net, checked(net, stimulus, steps), {}, target="cpp_standalone", timings=timings)
        return timings["run"], timings["compile"], recording
    recording = simulate(net, stimulus, steps, simulator=name)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        simulate(net, stimulus, steps, simulator=name)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), None, recording

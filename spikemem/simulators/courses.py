"""How weights change over a run, by a run in parts."""

from itertools import pairwise
from typing import Any

import numpy as np

from spikemem.errors import NetworkError
from spikemem.network.graph import Network
from spikemem.simulators.recording import WeightCourse
from spikemem.simulators.registry import SIMULATORS, simulate
from spikemem.simulators.stimulus import Stimulus, between, check, checked


def weight_course(net: Network, stimulus: Stimulus, steps: int, snapshots: int = 10, **options: Any) -> WeightCourse:
    """The weights of a network at times evenly spread over a run, from the start to the end.

    Where the steps are a multiple of the snapshots, one run records them all. Otherwise each part of it goes on where the one before ended;
    in a simulator that cannot, each snapshot is the end of a run of its own from the start, so that n of them cost (n + 1) / 2 runs.

    net, stimulus, steps: as `simulate` takes them; `options` are its keywords, such as `simulator`.   snapshots: after the start, >= 1.
    """
    steps = check.integer(steps, "steps", least=1)
    snapshots = check.integer(snapshots, "snapshots", least=1, most=steps)
    drive = checked(net, stimulus, steps)
    plastic = [projection for projection in net.projections if projection.plasticity is not None]
    if not plastic:
        raise NetworkError("no projection of the network is plastic; connect one with a rule, plasticity=STDP()")
    held = sum(p.synapses.shape[0] * p.synapses.shape[1] for p in plastic)
    check.room((snapshots + 1) * drive.batches * held, "the weights of all snapshots", "take fewer")
    if steps % snapshots == 0:
        record = {**(options.pop("record", None) or {}), **{p.name: steps // snapshots for p in plastic}}
        recording = simulate(net, stimulus, steps, record=record, **options)
        return WeightCourse(recording.course(plastic[0].name).time, recording.snapshots)
    at = np.linspace(0, steps, snapshots + 1).round().astype(int)
    resumes = SIMULATORS[options.get("simulator", "event")].resumes
    runs, state = [], options.pop("start", None)
    for begin, end in pairwise(at.tolist()):
        since = begin if resumes else 0
        recording = simulate(net, between(stimulus, since, end, steps), end - since, start=state, **options)
        state = recording.ended if resumes else state
        runs.append(recording.weights)
    first = {p.name: np.broadcast_to(p.synapses.matrix(), runs[0][p.name].shape) for p in plastic}
    return WeightCourse(at * net.dt, {name: np.stack([first[name], *(run[name] for run in runs)]) for name in first})

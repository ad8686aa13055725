"""How weights change over a run, by a run in parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikemem.errors import NetworkError
from spikemem.network.graph import Network
from spikemem.simulators.registry import SIMULATORS, simulate
from spikemem.simulators.stimulus import Stimulus, between, check, checked


@dataclass(frozen=True, eq=False)
class WeightCourse:
    """The weights of plastic projections over a run.

    time: ms at which they were looked at, [snapshot].   weights: by projection, [snapshot, batch, pre, post].
    """

    time: NDArray[np.float64]
    weights: Mapping[str, NDArray[np.float64]]


def weight_course(net: Network, stimulus: Stimulus, steps: int, snapshots: int = 10, **options: Any) -> WeightCourse:
    """The weights of a network at times evenly spread over a run, from the start to the end.

    Each part of the run goes on where the one before ended. In a simulator that cannot, each snapshot is the end of a run of its own from
    the start, so that n of them cost (n + 1) / 2 runs.

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
